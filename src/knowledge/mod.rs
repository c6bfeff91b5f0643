//! What bedside knows, as data: the files below `checks/`, loaded and validated. Checks, causes and signatures are read here and
//! nowhere else; help, docs, reports and completions all go through [`Knowledge`], so nothing about a check is written twice.

mod cause;
mod check;
mod expression;
mod guard;
mod pack;
mod signatures;
mod tables;
mod template;

use std::collections::BTreeMap;

pub use cause::{Cause, Remedy, RemedyKind};
pub use check::{Case, CauseOf, Check, Confidence, Example, Expectation, Status};
pub use expression::{Expression, ExpressionError};
pub use guard::{Vocabulary, guard, guard_packs};
pub use pack::{PackError, PackSource};
pub use signatures::{Signature, SignatureFile};
pub use tables::{ClientFault, ModelFacts, QuotaFacts, RegionFacts, Tables};
pub use template::Template;

/// Everything bedside knows.
#[derive(Debug)]
pub struct Knowledge {
    /// Checks, in the order of their groups and then of their ids.
    pub checks: Vec<Check>,
    /// Causes by slug.
    pub causes: BTreeMap<String, Cause>,
    /// Signatures, in the order of their files.
    pub signatures: Vec<Signature>,
    /// Tables of sourced facts about models, quotas and clients.
    pub tables: Tables,
}

/// The groups of checks, in the order in which reports show them.
pub const GROUPS: [&str; 10] =
    ["client", "shell", "region", "network", "credentials", "identity", "models", "access", "quotas", "history"];

impl Knowledge {
    /// Loads what is built in.
    ///
    /// # Errors
    /// When a built-in file is malformed, which the tests rule out.
    pub fn embedded() -> Result<Self, PackError> {
        pack::load(&[])
    }

    /// Loads what is built in, and the packs of the user on top: files of the same shape in folders of their own.
    ///
    /// # Errors
    /// The first malformed file, with file, line and reason.
    pub fn with_packs(packs: &[PackSource]) -> Result<Self, PackError> {
        pack::load(packs)
    }

    /// Returns a check by its id.
    pub fn check(&self, id: &str) -> Option<&Check> {
        self.checks.iter().find(|check| check.id == id)
    }

    /// Returns the ids that are nearest to a mistyped one.
    pub fn nearest_check(&self, id: &str) -> Option<&str> {
        nearest(id, self.checks.iter().map(|check| check.id.as_str()))
    }
}

/// Returns the candidate that a mistyped word most likely meant.
pub fn nearest<'a>(word: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    candidates
        .map(|candidate| (distance(word, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= candidate.len().max(word.len()) / 2)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Edit distance.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, left) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, right) in b.iter().enumerate() {
            let substituted = diagonal + usize::from(left != *right);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn a_typo_finds_its_word() {
        let words = ["model-id-is-invocable", "profile-exists"];
        assert_eq!(nearest("profile-exist", words.into_iter()), Some("profile-exists"));
        assert_eq!(nearest("xyz", words.into_iter()), None);
    }
}
