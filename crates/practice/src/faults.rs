//! The ways in which the practice service can be told to misbehave, each seen at a real service or on a real network.
//!
//! Faults wait in a queue in the state file. A call takes the first that names it, at most one. Only the API has faults; the
//! portal, which a person would reload, has none.
//!
//! What may not live here: how a broken reply is put on the wire (`reply`).

use crate::error::Refusal;
use serde::{Deserialize, Serialize};

/// The calls of the API that a fault can be set on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Call {
    /// `POST /api/v1/keys` and `POST /api/v1/keys/self/rotate`.
    Make,
    /// `GET /api/v1/whoami`.
    Verify,
    /// `GET /api/v1/keys`.
    List,
    /// `DELETE /api/v1/keys/{id}`.
    Revoke,
    /// `PATCH /api/v1/keys/{id}` that switches off.
    Disable,
    /// `PATCH /api/v1/keys/{id}` that switches on.
    Enable,
}

/// One way to misbehave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum FaultKind {
    /// The connection is dropped; nothing was done.
    LostBefore,
    /// The call is done, then the connection is dropped without a byte of reply.
    LostAfter,
    /// The call is done; the reply breaks off after so many bytes of its body, though its length announces all of them. As
    /// many as the body has, or more, and the reply arrives whole.
    Cut {
        /// How many bytes of the body arrive.
        bytes: usize,
    },
    /// The call is done at once, but the reply comes late: a client that gives up waiting has a done call behind it.
    Slow {
        /// How late, in milliseconds.
        millis: u64,
    },
    /// A refusal with that status; nothing was done.
    Status {
        /// The status code, 400 to 599.
        code: u16,
        /// The text of a `Retry-After` header.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retry_after: Option<String>,
    },
    /// 200 with an HTML page, as a captive portal or a maintenance page would answer; nothing was done.
    Html,
    /// The call is done; the reply's JSON lacks what the caller came for (make: the token; verify: the id; list: the keys;
    /// disable and enable: how the key stands).
    WrongShape,
    /// On revoke and disable: the key is accepted that much longer.
    StillAccepted {
        /// For how long, in seconds.
        seconds: u32,
    },
    /// On make and enable: the key is refused (401) that long.
    NotYetAccepted {
        /// For how long, in seconds.
        seconds: u32,
    },
}

impl FaultKind {
    /// Whether this fault is about a change that spreads slowly. Such a fault is spent only by a call that changed something;
    /// every other one is spent by the next call, whatever that call would have answered.
    pub(crate) fn is_lag(&self) -> bool {
        matches!(self, Self::StillAccepted { .. } | Self::NotYetAccepted { .. })
    }
}

/// How often a fault applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "WrittenTimes", into = "WrittenTimes")]
pub enum Times {
    /// So many calls. In JSON the number.
    Count(u32),
    /// Every call, until the faults are cleared. In JSON `"forever"`.
    Forever,
}

impl Default for Times {
    fn default() -> Self {
        Self::Count(1)
    }
}

/// A fault that waits for its calls. In JSON one flat object: `{"call": "make", "kind": "cut", "bytes": 40, "times": 2}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// The call it waits for.
    pub call: Call,
    /// What goes wrong.
    #[serde(flatten)]
    pub kind: FaultKind,
    /// How many more times.
    #[serde(default)]
    pub times: Times,
}

impl Fault {
    /// A fault that applies to the next such call only.
    #[must_use]
    pub fn once(call: Call, kind: FaultKind) -> Self {
        Self { call, kind, times: Times::Count(1) }
    }

    /// A fault that applies until the faults are cleared.
    #[must_use]
    pub fn forever(call: Call, kind: FaultKind) -> Self {
        Self { call, kind, times: Times::Forever }
    }

    /// Refuses a fault that could never show on its call.
    pub(crate) fn check(&self) -> Result<(), Refusal> {
        let refuse = |text: &str| Err(Refusal::BadInput(text.to_owned()));
        match (&self.kind, self.call) {
            _ if self.times == Times::Count(0) => refuse("times is at least 1"),
            (FaultKind::StillAccepted { .. }, Call::Make | Call::Verify | Call::List | Call::Enable) => {
                refuse("still-accepted goes with revoke and disable")
            }
            (FaultKind::NotYetAccepted { .. }, Call::Verify | Call::List | Call::Revoke | Call::Disable) => {
                refuse("not-yet-accepted goes with make and enable")
            }
            (FaultKind::Cut { .. } | FaultKind::WrongShape, Call::Revoke) => refuse("a reply to revoke has no body to spoil"),
            (FaultKind::Status { code, .. }, _) if !(400..=599).contains(code) => refuse("code is 400 to 599"),
            (FaultKind::Status { retry_after: Some(text), .. }, _)
                if !text.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic()) =>
            {
                refuse("retry_after is visible ASCII")
            }
            _ => Ok(()),
        }
    }
}

/// The JSON shape of [`Times`].
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum WrittenTimes {
    Count(u32),
    Word(ForeverWord),
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum ForeverWord {
    Forever,
}

impl From<WrittenTimes> for Times {
    fn from(written: WrittenTimes) -> Self {
        match written {
            WrittenTimes::Count(count) => Self::Count(count),
            WrittenTimes::Word(ForeverWord::Forever) => Self::Forever,
        }
    }
}

impl From<Times> for WrittenTimes {
    fn from(times: Times) -> Self {
        match times {
            Times::Count(count) => Self::Count(count),
            Times::Forever => Self::Word(ForeverWord::Forever),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_one_flat_object_and_applies_once_unless_said() {
        let cut: Fault = serde_json::from_str(r#"{"call": "make", "kind": "cut", "bytes": 40}"#).unwrap();
        assert_eq!(cut, Fault::once(Call::Make, FaultKind::Cut { bytes: 40 }));
        let html: Fault = serde_json::from_str(r#"{"call": "list", "kind": "html", "times": "forever"}"#).unwrap();
        assert_eq!(html, Fault::forever(Call::List, FaultKind::Html));
        let text = serde_json::to_string(&html).unwrap();
        assert_eq!(serde_json::from_str::<Fault>(&text).unwrap(), html);
        assert!(serde_json::from_str::<Fault>(r#"{"call": "list", "kind": "html", "times": "often"}"#).is_err());
    }

    #[test]
    fn a_fault_that_could_never_show_is_refused() {
        let refused = [
            Fault::once(Call::Make, FaultKind::StillAccepted { seconds: 1 }),
            Fault::once(Call::Enable, FaultKind::StillAccepted { seconds: 1 }),
            Fault::once(Call::Revoke, FaultKind::NotYetAccepted { seconds: 1 }),
            Fault::once(Call::Disable, FaultKind::NotYetAccepted { seconds: 1 }),
            Fault::once(Call::Revoke, FaultKind::Cut { bytes: 1 }),
            Fault::once(Call::Revoke, FaultKind::WrongShape),
            Fault::once(Call::Verify, FaultKind::Status { code: 200, retry_after: None }),
            Fault::once(Call::Verify, FaultKind::Status { code: 429, retry_after: Some("1\r\nx: y".into()) }),
            Fault { call: Call::Verify, kind: FaultKind::Html, times: Times::Count(0) },
        ];
        for fault in refused {
            assert!(fault.check().is_err(), "{fault:?}");
        }
        for call in [Call::Revoke, Call::Disable] {
            assert_eq!(Fault::once(call, FaultKind::StillAccepted { seconds: 1 }).check(), Ok(()));
        }
        assert_eq!(Fault::once(Call::Enable, FaultKind::NotYetAccepted { seconds: 1 }).check(), Ok(()));
    }
}
