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

/// Shows an access key id by its ends, enough to recognise one's own. What has not the shape of one may be a secret in its place.
pub fn mask_key_id(id: &str) -> String {
    let is_id = ["AKIA", "ASIA"].iter().any(|head| id.starts_with(head))
        && (16..=32).contains(&id.len())
        && id.chars().all(|it| it.is_ascii_uppercase() || it.is_ascii_digit());
    if !is_id {
        return mask_secret(id);
    }
    format!("{}…{}", &id[..4], &id[id.len() - 4..])
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
        assert_eq!(mask_key_id("AKIAshort"), "(set, hidden)");
        assert_eq!(mask_key_id("wJalrXUtnFEMIK7MDENGbPxRfiCY"), "(set, hidden)");
        assert_eq!(mask_key_id("AKIAwJalrXUtnFEMIK7MDENG"), "(set, hidden)");
        assert_eq!(mask_secret(" "), "(blank)");
    }
}
