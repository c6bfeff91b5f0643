//! A check: one assertion about the evidence, in one file `checks/<group>/<id>.toml`.

use serde::{Deserialize, Serialize};

use super::{Expression, Remedy, Template};

/// One assertion about the evidence.
#[derive(Debug)]
pub struct Check {
    /// Kebab case; names the good state; equals the file's name.
    pub id: String,
    /// The assertion, as a sentence without a full stop.
    pub title: String,
    /// One of [`GROUPS`](super::GROUPS).
    pub group: String,
    /// Paths that must be known, and states that other checks must have established.
    pub needs: Vec<String>,
    /// Paths that may be absent; conditions see null.
    pub may: Vec<String>,
    /// States that hold when this check does not fail.
    pub establishes: Vec<String>,
    /// The cases, first match wins; no match is a pass.
    pub cases: Vec<Case>,
    /// Executed examples.
    pub examples: Vec<Example>,
    /// What the check's page says.
    pub docs: Docs,
    /// The file it was read from, for messages.
    pub file: String,
    /// It comes from a pack of the user.
    pub foreign: bool,
}

/// One outcome of a check.
#[derive(Debug)]
pub struct Case {
    /// The condition.
    pub when: Expression,
    /// What it means.
    pub status: Status,
    /// The cause, or the path at which its slug stands.
    pub cause: CauseOf,
    /// The subcause, or nothing.
    pub subcause: Option<String>,
    /// How sure it is; a diagnosis brings its own.
    pub confidence: Confidence,
    /// Path of the diagnosis that the cause's words speak of as `subject`.
    pub subject: Option<String>,
    /// What was seen.
    pub measured: Option<Template>,
    /// What should have been seen.
    pub expected: Option<Template>,
    /// Remedies of this case, instead of the cause's.
    pub remedies: Vec<Remedy>,
}

/// Where a case gets its cause from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CauseOf {
    /// Always this slug.
    Slug(String),
    /// The slug at this path.
    Path(String),
}

/// How sure a finding is of its cause.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Confidence {
    /// One of several explanations.
    Possible,
    /// The best explanation by far.
    Likely,
    /// The evidence allows no other.
    #[default]
    Certain,
}

impl Confidence {
    /// Returns its word in reports.
    pub fn word(self) -> &'static str {
        match self {
            Self::Possible => "possible",
            Self::Likely => "likely",
            Self::Certain => "certain",
        }
    }
}

/// What came of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// It holds.
    Pass,
    /// It does not apply here.
    Skipped,
    /// An earlier check failed, so a fact is missing.
    Blocked,
    /// It works, with a consequence that the user will feel.
    Warn,
    /// A fact it needs could not be looked at.
    Unknown,
    /// The client's first turn will fail.
    Fail,
    /// The check itself broke.
    Crashed,
}

impl Status {
    /// Returns its word in reports.
    pub fn word(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Skipped => "skipped",
            Self::Blocked => "blocked",
            Self::Warn => "warn",
            Self::Unknown => "unknown",
            Self::Fail => "fail",
            Self::Crashed => "crashed",
        }
    }
}

/// An executed example.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Example {
    /// What it shows.
    pub name: String,
    /// What must come of it.
    pub expect: Expectation,
    /// The facts and derived facts it is about; everything else is absent.
    #[serde(default)]
    pub evidence: toml::Table,
    /// States that no check has established in this example.
    #[serde(default)]
    pub without: Vec<String>,
}

/// What must come of an example.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expectation {
    /// The status.
    pub status: Status,
    /// The cause.
    pub cause: Option<String>,
    /// The number of the case, from 0.
    pub case: Option<usize>,
}

/// What a page says.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Docs {
    /// What is looked at.
    pub what: String,
    /// Why it matters.
    pub why: String,
    /// What it cannot tell.
    #[serde(default)]
    pub limits: Option<String>,
    /// Public pages.
    #[serde(default)]
    pub references: Vec<String>,
}

/// The file as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CheckFile {
    pub(super) id: toml::Spanned<String>,
    pub(super) title: String,
    pub(super) group: toml::Spanned<String>,
    #[serde(default)]
    pub(super) needs: Vec<String>,
    #[serde(default)]
    pub(super) may: Vec<String>,
    #[serde(default)]
    pub(super) establishes: Vec<String>,
    #[serde(default)]
    pub(super) case: Vec<CaseFile>,
    #[serde(default)]
    pub(super) example: Vec<Example>,
    pub(super) docs: Docs,
}

/// A case as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CaseFile {
    pub(super) when: toml::Spanned<String>,
    pub(super) status: toml::Spanned<Status>,
    pub(super) cause: Option<toml::Spanned<String>>,
    pub(super) cause_from: Option<toml::Spanned<String>>,
    pub(super) subcause: Option<String>,
    #[serde(default)]
    pub(super) confidence: Option<Confidence>,
    pub(super) subject: Option<String>,
    pub(super) measured: Option<toml::Spanned<String>>,
    pub(super) expected: Option<toml::Spanned<String>>,
    #[serde(default)]
    pub(super) remedy: Vec<super::cause::RemedyFile>,
}
