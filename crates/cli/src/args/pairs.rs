//! `NAME=VALUE` as it is typed.

/// A name and what it is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pair {
    /// Before the first `=`.
    pub(crate) name: String,
    /// After it; may be empty.
    pub(crate) value: String,
}

impl std::str::FromStr for Pair {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once('=') {
            Some((name, value)) if !name.trim().is_empty() => Ok(Self { name: name.trim().to_owned(), value: value.to_owned() }),
            _ => Err("write NAME=VALUE".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Pair;

    #[test]
    fn only_the_first_equals_sign_splits() {
        let pair: Pair = "base_url=https://a.example/?b=c".parse().unwrap();
        assert_eq!((pair.name.as_str(), pair.value.as_str()), ("base_url", "https://a.example/?b=c"));
        assert_eq!("board=".parse::<Pair>().unwrap().value, "");
        assert!("board".parse::<Pair>().is_err() && "=x".parse::<Pair>().is_err());
    }
}
