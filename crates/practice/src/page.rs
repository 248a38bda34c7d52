//! The portal's page: HTML written here and nowhere else, without scripts and without anything from elsewhere.
//!
//! Whatever a person or program named is written through [`Escaped`]. What may not live here: requests and rules.

use crate::error::Refusal;
use crate::kinds::{KeyKind, OldKey, SLOTS, Who};
use crate::rules::Issued;
use crate::state::{KeyRow, KeyState};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use std::fmt;

/// The page's style sheet.
pub(crate) const STYLE: &str = include_str!("page.css");

/// What the form for a new key holds already, from the query; so that a link can lead a person to the right choice.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Prefill {
    pub(crate) kind: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) days: Option<String>,
}

/// What just happened.
pub(crate) enum Notice {
    Issued(Issued),
    Refused(Refusal),
}

/// The whole page.
pub(crate) struct Page {
    pub(crate) rows: Vec<KeyRow>,
    pub(crate) prefill: Prefill,
    pub(crate) notice: Option<Notice>,
}

impl fmt::Display for Page {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(concat!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n",
            "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n",
            "<title>Practice service</title>\n<link rel=\"stylesheet\" href=\"/page.css\">\n</head>\n<body>\n",
            "<h1>Practice service</h1>\n",
            "<p class=\"quiet\">Keys to practise on. They open nothing but this service, which runs on this computer only.</p>\n",
        ))?;
        match &self.notice {
            Some(Notice::Issued(issued)) => write_issued(f, issued)?,
            Some(Notice::Refused(refusal)) => {
                writeln!(f, "<div class=\"notice refused\" role=\"alert\"><p>Refused: {}</p></div>", Escaped(refusal))?;
            }
            None => {}
        }
        write_form(f, &self.prefill)?;
        write_keys(f, &self.rows)?;
        write_kinds(f)?;
        f.write_str("</body>\n</html>\n")
    }
}

fn write_issued(f: &mut fmt::Formatter<'_>, issued: &Issued) -> fmt::Result {
    writeln!(
        f,
        "<div class=\"notice\" role=\"status\"><p>New key <code id=\"issued-id\">{}</code>, a <code>{}</code>. \
         This is shown once: copy it now, it cannot be shown again.</p>\n<p><code class=\"token\" id=\"token\">{}</code></p></div>",
        Escaped(&issued.id),
        issued.kind,
        Escaped(&issued.token)
    )
}

fn write_form(f: &mut fmt::Formatter<'_>, prefill: &Prefill) -> fmt::Result {
    f.write_str("<h2>Make a key</h2>\n<form class=\"make\" method=\"post\" action=\"/make\">\n")?;
    f.write_str("<label>Kind<select name=\"kind\">\n")?;
    for kind in KeyKind::all() {
        let chosen = prefill.kind.as_deref() == Some(kind.to_string().as_str());
        writeln!(f, "<option{}>{kind}</option>", if chosen { " selected" } else { "" })?;
    }
    let name = Escaped(prefill.name.as_deref().unwrap_or_default());
    writeln!(
        f,
        "</select></label>\n<label>Name<input name=\"name\" maxlength=\"100\" autocomplete=\"off\" value=\"{name}\"></label>"
    )?;
    f.write_str("<label>Lives for<select name=\"days\">\n")?;
    for days in ["90", "30"] {
        let chosen = prefill.days.as_deref() == Some(days);
        writeln!(f, "<option value=\"{days}\"{}>{days} days</option>", if chosen { " selected" } else { "" })?;
    }
    f.write_str(concat!(
        "</select></label>\n",
        "<label>Made so many days ago<input type=\"number\" name=\"created_days_ago\" min=\"0\" max=\"3650\" value=\"0\"></label>\n",
        "<button class=\"first\">Make key</button>\n</form>\n",
    ))
}

fn write_keys(f: &mut fmt::Formatter<'_>, rows: &[KeyRow]) -> fmt::Result {
    f.write_str("<h2>Keys</h2>\n")?;
    if rows.is_empty() {
        return f.write_str("<p class=\"quiet\">None yet. Make one above, and give it to Keytender to keep.</p>\n");
    }
    f.write_str(concat!(
        "<div class=\"scroll\"><table>\n<thead><tr><th>Id</th><th>Kind</th><th>Name</th><th>Token</th><th>Made</th>",
        "<th>Dies</th><th>State</th><th></th></tr></thead>\n<tbody>\n",
    ))?;
    for row in rows.iter().rev() {
        write_key(f, row)?;
    }
    f.write_str("</tbody>\n</table></div>\n")
}

fn write_key(f: &mut fmt::Formatter<'_>, row: &KeyRow) -> fmt::Result {
    let (state, over) = match (row.state, row.enabled) {
        (KeyState::Live, true) => ("live", ""),
        (KeyState::Live, false) => ("disabled", ""),
        (KeyState::Expired, _) => ("expired", " class=\"over\""),
        (KeyState::Revoked, _) => ("revoked", " class=\"over\""),
        (KeyState::Replaced, _) => ("replaced", " class=\"over\""),
    };
    let id = Escaped(&row.id);
    write!(
        f,
        "<tr{over}><td><code>{id}</code></td><td>{}</td><td class=\"wrap\">{}</td><td><code>{}</code></td><td>{}</td>\
         <td>{}</td><td>{state}</td><td>",
        row.kind,
        Escaped(row.name.as_deref().unwrap_or_default()),
        Escaped(&row.hint),
        minute(row.created_at),
        minute(row.expires_at),
    )?;
    if row.kind.old() == OldKey::Dies && matches!(row.state, KeyState::Live | KeyState::Expired) {
        write!(f, "<form method=\"post\" action=\"/regenerate/{id}\"><button>Regenerate</button></form> ")?;
    }
    if row.state == KeyState::Live {
        let (path, label) = if row.enabled { ("disable", "Disable") } else { ("enable", "Enable") };
        write!(f, "<form method=\"post\" action=\"/{path}/{id}\"><button>{label}</button></form> ")?;
        write!(f, "<form method=\"post\" action=\"/revoke/{id}\"><button class=\"last\">Revoke</button></form>")?;
    }
    f.write_str("</td></tr>\n")
}

fn write_kinds(f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.write_str(concat!(
        "<h2>Kinds</h2>\n<div class=\"scroll\"><table>\n<thead><tr><th>Kind</th><th>A new key is made</th>",
        "<th>The old key is retired</th><th>Once the new key is born, the old one</th></tr></thead>\n<tbody>\n",
    ))?;
    let who = |who| match who {
        Who::Api => "through the API",
        Who::Person => "by a person, here",
    };
    for kind in KeyKind::all() {
        write!(f, "<tr><td><code>{kind}</code></td><td>{}</td><td>{}</td><td>", who(kind.make()), who(kind.retire()))?;
        match (kind.old(), kind.listed()) {
            (OldKey::Overlaps, true) => f.write_str("goes on working")?,
            (OldKey::Overlaps, false) => f.write_str("goes on working; the API does not list keys")?,
            (OldKey::Slots, _) => write!(f, "goes on working, {SLOTS} at most")?,
            (OldKey::Dies, _) => f.write_str("dies at once")?,
        }
        f.write_str("</td></tr>\n")?;
    }
    f.write_str("</tbody>\n</table></div>\n")
}

fn minute(instant: DateTime<Utc>) -> impl fmt::Display {
    instant.format("%Y-%m-%d %H:%M UTC")
}

/// Text made harmless in HTML, between tags and in quoted attributes alike.
struct Escaped<T>(T);

impl<T: fmt::Display> fmt::Display for Escaped<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for character in self.0.to_string().chars() {
            match character {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                _ => fmt::Write::write_char(f, character)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_in_text_becomes_text() {
        assert_eq!(Escaped(r#"<a href='x' id="y">&"#).to_string(), "&lt;a href=&#39;x&#39; id=&quot;y&quot;&gt;&amp;");
    }
}
