//! Names that a person types and that the command line addresses things by.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A name of an integration or a key: 1 to 64 characters, no control characters, no slash (`integration/key` is how the
/// command line writes a key), no space at either end, and at least one letter or digit (its slug is not empty).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Name(String);

/// Why a text is no [`Name`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nothing left after trimming.
    #[error("a name must not be empty")]
    Empty,
    /// More than 64 characters.
    #[error("a name has at most 64 characters, this one has {0}")]
    TooLong(usize),
    /// No letter and no digit: there would be nothing to address it by.
    #[error("a name needs a letter or a digit")]
    Unspeakable,
    /// A slash or a control character.
    #[error("a name must not contain {0:?}")]
    Forbidden(char),
}

impl Name {
    /// The text as typed, trimmed.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The slug the command line accepts in its place: lower case, runs of anything but letters and digits become one `-`.
    #[must_use]
    pub fn slug(&self) -> String {
        let mut slug = String::new();
        for character in self.0.chars().flat_map(char::to_lowercase) {
            if character.is_alphanumeric() {
                slug.push(character);
            } else if !slug.ends_with('-') && !slug.is_empty() {
                slug.push('-');
            }
        }
        slug.trim_end_matches('-').to_owned()
    }
}

impl TryFrom<String> for Name {
    type Error = NameError;
    fn try_from(text: String) -> Result<Self, NameError> {
        let trimmed = text.trim();
        if trimmed.is_empty() {
            return Err(NameError::Empty);
        }
        if let Some(bad) = trimmed.chars().find(|c| c.is_control() || *c == '/') {
            return Err(NameError::Forbidden(bad));
        }
        if !trimmed.chars().any(char::is_alphanumeric) {
            return Err(NameError::Unspeakable);
        }
        match trimmed.chars().count() {
            0..=64 => Ok(Self(trimmed.to_owned())),
            long => Err(NameError::TooLong(long)),
        }
    }
}

impl std::str::FromStr for Name {
    type Err = NameError;
    fn from_str(text: &str) -> Result<Self, NameError> {
        Self::try_from(text.to_owned())
    }
}

impl From<Name> for String {
    fn from(name: Name) -> Self {
        name.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// The slug of a service: lower-case letters, digits and single dashes, as in its manifest and its file name.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ServiceSlug(pub String);

impl ServiceSlug {
    /// The slug's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ServiceSlug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_trimmed_and_slugged() {
        let name: Name = "  CI  pipeline (EU) ".parse().unwrap();
        assert_eq!(name.as_str(), "CI  pipeline (EU)");
        assert_eq!(name.slug(), "ci-pipeline-eu");
    }

    #[test]
    fn names_refuse_what_would_confuse() {
        assert_eq!("".parse::<Name>(), Err(NameError::Empty));
        assert_eq!("a/b".parse::<Name>(), Err(NameError::Forbidden('/')));
        assert_eq!("a\u{7}b".parse::<Name>(), Err(NameError::Forbidden('\u{7}')));
        assert_eq!("!!!".parse::<Name>(), Err(NameError::Unspeakable));
        assert_eq!("x".repeat(65).parse::<Name>(), Err(NameError::TooLong(65)));
    }
}
