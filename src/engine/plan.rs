//! Planning: which checks were asked for, which facts they look at, and so which probes have to run. Nothing that no selected check
//! looks at is called.

use std::collections::BTreeSet;

use crate::{
    knowledge::{Check, GROUPS, Knowledge},
    probes::Probe,
};

/// Which checks were asked for.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    only: Vec<String>,
    skip: Vec<String>,
}

/// A word that names neither a check nor a group.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{option}: `{word}` is neither a check nor a group{hint}")]
pub struct SelectionError {
    /// The option.
    pub option: &'static str,
    /// The word.
    pub word: String,
    /// What may have been meant.
    pub hint: String,
}

impl Selection {
    /// Selects checks by ids or groups.
    ///
    /// # Errors
    /// A word that names nothing: a selection may not pass by selecting nothing.
    pub fn new(only: &[String], skip: &[String], knowledge: &Knowledge) -> Result<Self, SelectionError> {
        for (option, words) in [("--only", only), ("--skip", skip)] {
            for word in words {
                if knowledge.check(word).is_none() && !GROUPS.contains(&word.as_str()) {
                    let candidates = knowledge.checks.iter().map(|check| check.id.as_str()).chain(GROUPS);
                    let hint = crate::knowledge::nearest(word, candidates)
                        .map(|near| format!("; did you mean `{near}`?"))
                        .unwrap_or_else(|| "; `bedside checks` lists them".to_owned());
                    return Err(SelectionError { option, word: word.clone(), hint });
                }
            }
        }
        Ok(Self { only: only.to_vec(), skip: skip.to_vec() })
    }

    /// Returns whether a check was asked for.
    pub fn includes(&self, check: &Check) -> bool {
        let named = |words: &[String]| words.iter().any(|word| *word == check.id || *word == check.group);
        (self.only.is_empty() || named(&self.only)) && !named(&self.skip)
    }

    /// Returns whether every check was asked for.
    pub fn is_everything(&self) -> bool {
        self.only.is_empty() && self.skip.is_empty()
    }

    /// Returns what was chosen, in words, unless it is everything.
    pub fn spoken(&self) -> Option<String> {
        if self.is_everything() {
            return None;
        }
        let mut words = Vec::new();
        if !self.only.is_empty() {
            words.push(format!("only {}", self.only.join(", ")));
        }
        if !self.skip.is_empty() {
            words.push(format!("without {}", self.skip.join(", ")));
        }
        Some(words.join("; "))
    }
}

/// Returns the probes that the selected checks need.
pub fn plan(selection: &Selection, knowledge: &Knowledge) -> BTreeSet<Probe> {
    if selection.is_everything() {
        return Probe::ALL.into_iter().collect();
    }
    knowledge
        .checks
        .iter()
        .filter(|check| selection.includes(check))
        .flat_map(|check| check.needs.iter().chain(&check.may))
        .flat_map(|path| probes_of(path))
        .copied()
        .collect()
}

/// The probes behind a path.
fn probes_of(path: &str) -> &'static [Probe] {
    use Probe::{Access, Credentials, History, Identity, Invoke, Lists, Network, Programs, Quotas};
    const TABLE: [(&str, &[Probe]); 20] = [
        ("derived.version", &[Programs]),
        ("derived.region", &[Credentials, Identity, Lists, Invoke]),
        ("derived.profile", &[Credentials]),
        ("derived.clock", &[Credentials, Identity, Invoke]),
        ("derived.network", &[Credentials, Network, Invoke]),
        ("derived.credentials", &[Credentials, Invoke]),
        ("derived.authentication", &[Credentials, Identity, Invoke]),
        ("derived.invoke", &[Credentials, Identity, Lists, Access, Quotas, Invoke]),
        ("derived.lifecycle", &[Credentials, Lists, Invoke]),
        ("derived.next_gate", &[Credentials, Access, Invoke]),
        ("derived.reservation", &[Credentials, Quotas, Invoke]),
        ("derived.patience", &[Credentials, Invoke]),
        ("derived.recent_throttling", &[Credentials, Identity, History]),
        ("clients", &[Programs]),
        ("credentials", &[Credentials]),
        ("network", &[Network]),
        ("identity", &[Credentials, Identity]),
        ("models", &[Credentials, Lists]),
        ("profiles", &[Credentials, Lists]),
        ("access", &[Credentials, Access]),
    ];
    const REST: [(&str, &[Probe]); 3] = [
        ("invoke", &[Credentials, Lists, Invoke]),
        ("quotas", &[Credentials, Quotas]),
        ("history", &[Credentials, History]),
    ];
    TABLE
        .iter()
        .chain(&REST)
        .find(|(prefix, _)| path == *prefix || path.strip_prefix(prefix).is_some_and(|rest| rest.starts_with('.')))
        .map_or(&[], |(_, probes)| probes)
}
