//! The guard of checks: what a file may speak of. Every path must exist in the evidence's schema, among the derived facts or among
//! the states that checks establish, and a condition may use only what its check declared.

use std::collections::BTreeSet;

use super::{Check, Knowledge, Template, check::CauseOf};
use crate::evidence::SchemaPaths;

/// The paths that exist.
#[derive(Debug, Default)]
pub struct Vocabulary {
    /// Paths of the evidence and of the derived facts.
    pub facts: SchemaPaths,
    /// Paths that a diagnosis has, without their beginning.
    pub diagnosis: SchemaPaths,
}

/// Returns every complaint about the knowledge: each names the file and what is wrong.
pub fn guard(knowledge: &Knowledge, vocabulary: &Vocabulary) -> Vec<String> {
    let states = states(knowledge);
    let mut complaints = Vec::new();
    for check in &knowledge.checks {
        complaints.extend(
            check_complaints(check, &states, vocabulary).into_iter().map(|what| format!("{}: {what}", check.file)),
        );
    }
    for cause in knowledge.causes.values() {
        let mut complain = |what: String| complaints.push(format!("{}: {what}", cause.file));
        if cause.remedies.is_empty() {
            complain("has no remedy".into());
        }
        for text in [&cause.title, &cause.look_alikes] {
            if text.trim().is_empty() {
                complain("has an empty text".into());
            }
        }
        let templates = std::iter::once(&cause.summary).chain(
            cause
                .remedies
                .iter()
                .flat_map(|remedy| std::iter::once(&remedy.text).chain(&remedy.command).chain(&remedy.url)),
        );
        for path in templates.flat_map(Template::paths) {
            if let Some(what) = subject_complaint(path, vocabulary) {
                complain(what);
            }
        }
        for expression in cause.remedies.iter().filter_map(|remedy| remedy.when.as_ref()) {
            for path in expression.paths() {
                if let Some(what) = subject_complaint(path, vocabulary) {
                    complain(what);
                }
            }
        }
    }
    complaints
}

/// A cause speaks of its subject, and of nothing else: so it reads the same wherever it is found.
fn subject_complaint(path: &str, vocabulary: &Vocabulary) -> Option<String> {
    match path.strip_prefix("subject.") {
        Some(member) if vocabulary.diagnosis.contains(member) => None,
        Some(member) => Some(format!("`subject.{member}` does not exist")),
        None => Some(format!("`{path}` is not about the subject")),
    }
}

/// Returns what the checks of the user's own packs speak of and is not there, or not declared. Examples are the author's business.
pub fn guard_packs(knowledge: &Knowledge, vocabulary: &Vocabulary) -> Vec<String> {
    let states = states(knowledge);
    let foreign = knowledge.checks.iter().filter(|check| check.foreign);
    foreign
        .flat_map(|check| {
            path_complaints(check, &states, vocabulary).into_iter().map(|what| format!("{}: {what}", check.file))
        })
        .collect()
}

fn states(knowledge: &Knowledge) -> BTreeSet<&str> {
    knowledge.checks.iter().flat_map(|check| &check.establishes).map(String::as_str).collect()
}

fn check_complaints(check: &Check, states: &BTreeSet<&str>, vocabulary: &Vocabulary) -> Vec<String> {
    let mut complaints = path_complaints(check, states, vocabulary);
    for text in [&check.title, &check.docs.what, &check.docs.why] {
        if text.trim().is_empty() {
            complaints.push("has an empty text".into());
        }
    }
    if check.examples.is_empty() {
        complaints.push("has no example".into());
    }
    for (number, case) in check.cases.iter().enumerate() {
        if !check.examples.iter().any(|example| example.expect.case == Some(number)) {
            complaints.push(format!("case {number} (`{}`) has no example", case.when.source()));
        }
    }
    for status in [super::Status::Pass, super::Status::Unknown] {
        if !check.examples.iter().any(|example| example.expect.status == status) {
            complaints.push(format!("has no example of {}", status.word()));
        }
    }
    complaints
}

fn path_complaints(check: &Check, states: &BTreeSet<&str>, vocabulary: &Vocabulary) -> Vec<String> {
    let mut complaints = Vec::new();
    let exists = |path: &str| vocabulary.facts.contains(path) || states.contains(path);
    for path in check.needs.iter().chain(&check.may) {
        if !exists(path) {
            complaints.push(format!("the path `{path}` does not exist"));
        }
    }
    let declared = |path: &str| {
        check
            .needs
            .iter()
            .chain(&check.may)
            .any(|it| path == it || path.strip_prefix(it.as_str()).is_some_and(|rest| rest.starts_with('.')))
    };
    let mut used: BTreeSet<String> = BTreeSet::new();
    for case in &check.cases {
        used.extend(case.when.paths().map(str::to_owned));
        used.extend(case.measured.iter().chain(&case.expected).flat_map(Template::paths).map(str::to_owned));
        if let CauseOf::Path(path) = &case.cause {
            used.insert(path.clone());
        }
        used.extend(case.subject.clone());
    }
    for path in &used {
        if !declared(path) {
            complaints.push(format!("`{path}` is used and not declared in `needs` or `may`"));
        } else if !exists(path) {
            complaints.push(format!("the path `{path}` does not exist"));
        }
    }
    complaints
}
