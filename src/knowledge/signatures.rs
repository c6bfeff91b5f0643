//! How causes show themselves in text, in `checks/signatures/*.toml`. Finding them in a text is the work of the `signature` module.

use serde::Deserialize;

use super::Confidence;

/// How a cause shows itself in text.
#[derive(Debug, Clone)]
pub struct Signature {
    /// Kebab case, unique.
    pub id: String,
    /// The cause.
    pub cause: String,
    /// The subcause.
    pub subcause: Option<String>,
    /// How sure a match is without any context.
    pub confidence: Confidence,
    /// A regular expression; `'` in it also matches a typographic apostrophe.
    pub pattern: String,
    /// Error codes it is bound to; empty for any. A match without a known code counts.
    pub codes: Vec<String>,
    /// HTTP statuses it is bound to; empty for any.
    pub statuses: Vec<u16>,
    /// Texts it must match.
    pub examples: Vec<String>,
    /// Texts it must not match.
    pub counterexamples: Vec<String>,
    /// Where the text was seen.
    pub source: String,
}

/// The file as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignatureFile {
    pub(super) signature: Vec<toml::Spanned<SignatureEntry>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SignatureEntry {
    pub(super) id: String,
    pub(super) cause: String,
    pub(super) subcause: Option<String>,
    #[serde(default)]
    pub(super) confidence: Confidence,
    pub(super) pattern: String,
    #[serde(default)]
    pub(super) codes: Vec<String>,
    #[serde(default)]
    pub(super) statuses: Vec<u16>,
    pub(super) examples: Vec<String>,
    #[serde(default)]
    pub(super) counterexamples: Vec<String>,
    pub(super) source: String,
}

impl From<SignatureEntry> for Signature {
    fn from(entry: SignatureEntry) -> Self {
        Self {
            id: entry.id,
            cause: entry.cause,
            subcause: entry.subcause,
            confidence: entry.confidence,
            pattern: entry.pattern,
            codes: entry.codes,
            statuses: entry.statuses,
            examples: entry.examples,
            counterexamples: entry.counterexamples,
            source: entry.source,
        }
    }
}
