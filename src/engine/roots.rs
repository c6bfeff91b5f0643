//! Root causes: of all findings, which came first, and what each explains.

use std::collections::{BTreeMap, BTreeSet};

use super::{depth, judge::Finding};
use crate::knowledge::{Knowledge, Status};

/// A root cause: the finding, and the checks that wait for it.
#[derive(Debug, Clone)]
pub(super) struct Root<'a> {
    pub(super) finding: &'a Finding,
    pub(super) explains: Vec<String>,
}

/// Orders findings into root causes: failures before warnings; among them the earliest first, by depth of dependency; among equals
/// the one that explains most.
pub(super) fn order<'a>(findings: &'a [Finding], knowledge: &Knowledge) -> Vec<Root<'a>> {
    let mut waiting: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for finding in findings {
        if let Some(by) = &finding.blocked_by {
            waiting.entry(by).or_default().push(&finding.check);
        }
    }
    let depths: BTreeMap<&str, usize> =
        knowledge.checks.iter().map(|check| (check.id.as_str(), depth(check, knowledge))).collect();
    let mut roots: Vec<Root<'a>> = findings
        .iter()
        .filter(|finding| matches!(finding.status, Status::Fail | Status::Warn) && finding.cause.is_some())
        .map(|finding| Root { finding, explains: all_waiting(&finding.check, &waiting) })
        .collect();
    roots.sort_by_key(|root| {
        (
            root.finding.status != Status::Fail,
            depths.get(root.finding.check.as_str()).copied().unwrap_or(usize::MAX),
            std::cmp::Reverse(root.explains.len()),
            // The order of groups is the order of the catalog.
            knowledge.checks.iter().position(|check| check.id == root.finding.check),
        )
    });
    let mut seen = BTreeSet::new();
    roots.retain(|root| seen.insert((root.finding.cause.clone(), root.finding.summary.clone())));
    roots
}

fn all_waiting(check: &str, waiting: &BTreeMap<&str, Vec<&str>>) -> Vec<String> {
    let mut all = BTreeSet::new();
    let mut open = vec![check];
    while let Some(next) = open.pop() {
        for later in waiting.get(next).into_iter().flatten() {
            if all.insert((*later).to_owned()) {
                open.push(later);
            }
        }
    }
    all.into_iter().collect()
}
