//! Exit codes, and failures of bedside's own: the only place in which the numbers stand.

use std::{io, process::ExitCode};

use crate::engine::Verdict;

/// How the program ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// It works, or the question was answered.
    Ok,
    /// Something is wrong with the set-up.
    Findings,
    /// bedside's own arguments, configuration, packs or records are wrong.
    Usage,
    /// Could not be verified.
    Unknown,
    /// The code of a command that was run.
    Of(u8),
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Ok => 0,
            Exit::Findings => 1,
            Exit::Usage => 2,
            Exit::Unknown => 3,
            Exit::Of(code) => code,
        })
    }
}

impl Exit {
    /// The exit code of a verdict.
    pub fn of(verdict: Verdict, strict: bool) -> Self {
        match verdict {
            Verdict::Ok => Self::Ok,
            Verdict::Warn if strict => Self::Findings,
            Verdict::Warn => Self::Ok,
            Verdict::Fail => Self::Findings,
            Verdict::Unknown => Self::Unknown,
        }
    }
}

/// A failure of bedside's own: one sentence, and what to do.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Failed {
    message: String,
    hint: Option<String>,
    source: Option<io::Error>,
}

impl Failed {
    /// A failure in one sentence.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), hint: None, source: None }
    }

    /// Adds what to do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Returns what to do.
    pub fn hints(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    pub(super) fn is_broken_pipe(&self) -> bool {
        self.source.as_ref().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
    }
}

impl From<io::Error> for Failed {
    fn from(error: io::Error) -> Self {
        Self { message: format!("the output could not be written: {error}"), hint: None, source: Some(error) }
    }
}
