//! Secrets: a value that cannot be printed by accident, and the two ways to show that one is there.

/// A secret value. It has neither `Display` nor a telling `Debug`, and is never serialized.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret<T>(T);

impl<T> Secret<T> {
    /// Wraps a value.
    pub fn new(value: T) -> Self {
        Self(value)
    }

    /// Returns the value, for the one place that must have it.
    pub fn expose(&self) -> &T {
        &self.0
    }
}

impl<T> std::fmt::Debug for Secret<T> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("<secret>")
    }
}

/// Shows an access key id by its ends, enough to recognise one's own.
pub fn mask_key_id(id: &str) -> String {
    let characters: Vec<char> = id.chars().collect();
    if characters.len() < 12 || !characters.iter().all(char::is_ascii_alphanumeric) {
        return mask_secret(id);
    }
    let head: String = characters[..4].iter().collect();
    let tail: String = characters[characters.len() - 4..].iter().collect();
    format!("{head}…{tail}")
}

/// Shows that a secret is set, and nothing of it.
pub fn mask_secret(value: &str) -> String {
    if value.trim().is_empty() { "(blank)".to_owned() } else { "(set, hidden)".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_do_not_print() {
        assert_eq!(format!("{:?}", Secret::new("hush")), "<secret>");
        assert_eq!(mask_key_id("AKIAABCDEFGHIJKLMNOP"), "AKIA…MNOP");
        assert_eq!(mask_key_id("short"), "(set, hidden)");
        assert_eq!(mask_secret(" "), "(blank)");
    }
}
