//! Values that are secret, as types.
//!
//! A [`SecretText`] or [`SecretBytes`] cannot be printed, serialised, compared or cloned by accident, and is wiped when
//! dropped. `expose` is the one door; a tidy test lists the files that may use it.
//!
//! ```compile_fail
//! let secret = keytender_core::secret::SecretText::new("x".into());
//! println!("{:?}", secret); // no Debug
//! ```
//! ```compile_fail
//! let secret = keytender_core::secret::SecretText::new("x".into());
//! println!("{}", secret); // no Display
//! ```
//! ```compile_fail
//! let secret = keytender_core::secret::SecretText::new("x".into());
//! serde_json::to_string(&secret); // no Serialize
//! ```
//! ```compile_fail
//! let secret = keytender_core::secret::SecretText::new("x".into());
//! let copy = secret.clone(); // no Clone
//! ```
//! ```compile_fail
//! let secret = keytender_core::secret::SecretText::new("x".into());
//! secret == keytender_core::secret::SecretText::new("x".into()); // no PartialEq
//! ```

use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// A secret that is text: a token, a password, a header that carries one.
pub struct SecretText(Zeroizing<String>);

impl SecretText {
    /// Takes ownership of the text; the caller keeps no copy.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The one door to the text.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Compares in constant time for equal lengths.
    #[must_use]
    pub fn matches(&self, other: &Self) -> bool {
        self.0.as_bytes().ct_eq(other.0.as_bytes()).into()
    }

    /// A second copy, made on purpose.
    #[must_use]
    pub fn duplicate(&self) -> Self {
        Self(self.0.clone())
    }

    /// Length in bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no text at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// A secret that is bytes: a reply body, a sealed record's plain text.
pub struct SecretBytes(Zeroizing<Vec<u8>>);

impl SecretBytes {
    /// Takes ownership of the bytes; the caller keeps no copy.
    #[must_use]
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The one door to the bytes.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// Compares in constant time for equal lengths.
    #[must_use]
    pub fn matches(&self, other: &Self) -> bool {
        self.0.ct_eq(&*other.0).into()
    }

    /// A second copy, made on purpose.
    #[must_use]
    pub fn duplicate(&self) -> Self {
        Self(self.0.clone())
    }

    /// Length in bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are no bytes at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The value of one version of a key: one field for most kinds, several for some (access key id + secret; user name + key).
/// The fields are one value: they are stored, replaced and revoked together. Order is the manifest's.
pub struct Value {
    fields: Vec<(String, SecretText)>,
}

impl Value {
    /// A value of the named fields, in the manifest's order.
    #[must_use]
    pub fn new(fields: Vec<(String, SecretText)>) -> Self {
        Self { fields }
    }

    /// One field by its manifest name.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&SecretText> {
        self.fields.iter().find(|(field, _)| field == name).map(|(_, text)| text)
    }

    /// All fields, in order.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &SecretText)> {
        self.fields.iter().map(|(name, text)| (name.as_str(), text))
    }

    /// Equal when the same fields hold the same texts; each text is compared in constant time.
    #[must_use]
    pub fn matches(&self, other: &Self) -> bool {
        self.fields.len() == other.fields.len()
            && self.fields.iter().all(|(name, text)| other.field(name).is_some_and(|theirs| text.matches(theirs)))
    }

    /// A second copy, made on purpose.
    #[must_use]
    pub fn duplicate(&self) -> Self {
        Self { fields: self.fields.iter().map(|(name, text)| (name.clone(), text.duplicate())).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_match_by_field_and_not_by_order() {
        let text = |s: &str| SecretText::new(s.to_owned());
        let one = Value::new(vec![("id".into(), text("a")), ("secret".into(), text("b"))]);
        let same = Value::new(vec![("secret".into(), text("b")), ("id".into(), text("a"))]);
        let other = Value::new(vec![("id".into(), text("a")), ("secret".into(), text("c"))]);
        assert!(one.matches(&same));
        assert!(!one.matches(&other));
        assert!(one.matches(&one.duplicate()));
    }
}
