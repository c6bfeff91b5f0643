//! Identifiers and secrets, made at run time from the scenario's name.
//!
//! The same scenario always has the same keys, and none of them is written in a file. They look like what they stand for and
//! cannot be mistaken for it.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use sha2::{Digest, Sha256};

/// Where the identifiers of one scenario come from.
#[derive(Clone, Debug)]
pub(crate) struct Seed(String);

impl Seed {
    pub(crate) fn new(scenario: &str) -> Self {
        Self(scenario.to_owned())
    }

    fn digest(&self, label: &str) -> [u8; 32] {
        Sha256::digest(format!("bedside simulation\n{}\n{label}", self.0)).into()
    }

    /// Returns capital letters and digits, as they stand in AWS's identifiers.
    pub(crate) fn letters(&self, label: &str, count: usize) -> String {
        const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
        let digest = self.digest(label);
        digest.iter().cycle().take(count).map(|byte| char::from(ALPHABET[usize::from(byte % 32)])).collect()
    }

    /// Returns a 12-digit account id that begins with eight zeros.
    pub(crate) fn account(&self, label: &str) -> String {
        let digest = self.digest(label);
        let number = u16::from_be_bytes([digest[0], digest[1]]) % 9000 + 1000;
        format!("00000000{number}")
    }

    /// Returns an access key id of 20 characters.
    pub(crate) fn access_key(&self, label: &str, temporary: bool) -> String {
        format!("{}{}", if temporary { "ASIASIM" } else { "AKIASIM" }, self.letters(&format!("key id {label}"), 13))
    }

    /// Returns the unique id of a principal of that kind (`AIDA`, `AROA`).
    pub(crate) fn principal_id(&self, kind: &str, label: &str) -> String {
        format!("{kind}SIM{}", self.letters(&format!("principal {label}"), 14))
    }

    /// Returns a secret access key of 40 characters.
    pub(crate) fn secret(&self, label: &str) -> String {
        let text = BASE64_STANDARD.encode(self.digest(&format!("secret {label}")));
        format!("simulated/{}", &text[..30])
    }

    /// Returns a session token, or another opaque token.
    pub(crate) fn token(&self, label: &str) -> String {
        let parts: Vec<u8> = (0..3).flat_map(|part| self.digest(&format!("token {part} {label}"))).collect();
        format!("SIMULATED//{}", BASE64_STANDARD.encode(parts))
    }

    /// Returns an opaque token that needs no quoting anywhere.
    pub(crate) fn word(&self, label: &str) -> String {
        format!("simulated-{}", hex::encode(&self.digest(label)[..12]))
    }

    /// Returns a UUID.
    pub(crate) fn uuid(&self, label: &str) -> String {
        let text = hex::encode(self.digest(label));
        format!("{}-{}-4{}-a{}-{}", &text[..8], &text[8..12], &text[13..16], &text[17..20], &text[20..32])
    }

    /// Returns lower-case hexadecimal digits.
    pub(crate) fn hex(&self, label: &str, count: usize) -> String {
        hex::encode(self.digest(label)).chars().cycle().take(count).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_have_the_right_shape_and_are_stable() {
        let seed = Seed::new("healthy");
        assert_eq!(seed.access_key("dev", false).len(), 20);
        assert_eq!(seed.secret("dev").len(), 40);
        assert!(seed.account("main").starts_with("00000000") && seed.account("main").len() == 12);
        assert_eq!(seed.uuid("x").len(), 36);
        assert_eq!(seed.access_key("dev", true), Seed::new("healthy").access_key("dev", true));
        assert_ne!(seed.secret("dev"), Seed::new("other").secret("dev"));
        assert_eq!(seed.principal_id("AROA", "r").len(), 21);
    }
}
