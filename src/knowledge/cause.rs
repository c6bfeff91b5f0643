//! A cause: why it does not work. Its words and remedies stand in one file `checks/causes/<slug>.toml`.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Expression, Template};

/// Why it does not work.
#[derive(Debug)]
pub struct Cause {
    /// The slug of the taxonomy; equals the file's name.
    pub slug: String,
    /// A few words for headings.
    pub title: String,
    /// One or two plain sentences about this very case.
    pub summary: Template,
    /// What to do, the best first.
    pub remedies: Vec<Remedy>,
    /// How to tell it from its look-alikes.
    pub look_alikes: String,
    /// Public pages.
    pub references: Vec<String>,
    /// It can be met by setting things up, so a check must reach it.
    pub set_up: bool,
    /// The part of the taxonomy it belongs to.
    pub area: String,
    /// The file it was read from, for messages.
    pub file: String,
}

/// What to do.
#[derive(Debug, Clone)]
pub struct Remedy {
    /// The kind of act.
    pub kind: RemedyKind,
    /// Only when this holds.
    pub when: Option<Arc<Expression>>,
    /// What to do, in a sentence that stands on its own.
    pub text: Template,
    /// The command, as arguments.
    pub command: Vec<Template>,
    /// The page to open.
    pub url: Option<Template>,
}

/// The kinds of remedies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RemedyKind {
    /// Run a command.
    Command,
    /// Change a file or a variable.
    Edit,
    /// Do something in a console.
    Console,
    /// Change a policy.
    Policy,
    /// Fill in a form.
    Form,
    /// Wait.
    Wait,
    /// Ask somebody with more rights.
    Admin,
}

/// The file as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CauseFile {
    pub(super) slug: toml::Spanned<String>,
    pub(super) title: String,
    pub(super) area: String,
    #[serde(default)]
    pub(super) set_up: bool,
    pub(super) summary: toml::Spanned<String>,
    pub(super) look_alikes: String,
    #[serde(default)]
    pub(super) references: Vec<String>,
    #[serde(default)]
    pub(super) remedy: Vec<RemedyFile>,
}

/// A remedy as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RemedyFile {
    pub(super) kind: RemedyKind,
    pub(super) when: Option<toml::Spanned<String>>,
    pub(super) text: toml::Spanned<String>,
    #[serde(default)]
    pub(super) command: Vec<String>,
    pub(super) url: Option<String>,
}
