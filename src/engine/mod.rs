//! The engine: from evidence to findings, root causes and a verdict. Judging is pure: everything but [`run`] takes values and
//! returns values, so a record judges the same offline as it did live.

pub mod derived;
mod judge;
mod plan;
mod report;
mod roots;
pub mod run;

use std::collections::BTreeSet;

use schemars::schema_for;
use serde_json::Value;

pub use derived::Derived;
pub use judge::{Facts, Finding, States, judge_check};
pub use plan::{Selection, SelectionError, plan};
pub use report::{
    CauseReport, CheckReport, Cost, EvidenceNotes, ModelTarget, RemedyReport, Report, ReportCall, Target, Verdict,
};

use crate::{
    evidence::{Evidence, SchemaPaths},
    knowledge::{Check, Knowledge, Vocabulary},
    signature::Matcher,
};

/// A failure to judge at all; the evidence is not at fault.
#[derive(Debug, thiserror::Error)]
pub enum JudgeError {
    /// A signature does not compile.
    #[error("the signatures could not be compiled")]
    Signatures(#[from] regex::Error),
    /// The evidence could not be turned into a tree.
    #[error("the evidence could not be read as a tree of facts")]
    Tree(#[from] serde_json::Error),
}

/// Judges evidence: every selected check, the root causes, the verdict.
///
/// # Errors
/// When the knowledge cannot be used at all; never because of what the evidence says.
pub fn judge(evidence: &Evidence, knowledge: &Knowledge, selection: &Selection) -> Result<Report, JudgeError> {
    let matcher = Matcher::new(&knowledge.signatures)?;
    let derived = Derived::from_evidence(evidence, knowledge, &matcher);
    let facts = Facts::new(evidence, &derived)?;
    let findings = judge_all(&facts, knowledge, selection);
    Ok(report::assemble(evidence, knowledge, &facts, selection, findings))
}

/// Judges every selected check, each after those that establish what it needs.
fn judge_all(facts: &Facts, knowledge: &Knowledge, selection: &Selection) -> Vec<Finding> {
    let mut states = States::new(knowledge);
    let mut findings: Vec<Option<Finding>> = knowledge.checks.iter().map(|_| None).collect();
    // Dependencies form no circle (loading refuses it), so every round settles at least one check.
    let mut waiting: BTreeSet<usize> = (0..knowledge.checks.len()).collect();
    while let Some(next) = waiting.iter().copied().find(|index| states.is_settled(&knowledge.checks[*index])) {
        waiting.remove(&next);
        let check = &knowledge.checks[next];
        if !selection.includes(check) {
            states.leave_open(check);
            continue;
        }
        let finding = judge_check(check, facts, &states);
        states.record(check, &finding);
        findings[next] = Some(finding);
    }
    findings.into_iter().flatten().collect()
}

/// Returns the paths that checks may speak of.
pub fn vocabulary() -> Vocabulary {
    let mut facts = SchemaPaths::default();
    facts.collect(schema_for!(Evidence).as_value(), "");
    facts.collect(schema_for!(Derived).as_value(), "derived");
    let mut diagnosis = SchemaPaths::default();
    diagnosis.collect(schema_for!(derived::Diagnosis).as_value(), "");
    Vocabulary { facts, diagnosis }
}

/// Returns the JSON Schema of the evidence document.
pub fn evidence_schema() -> Value {
    schema_for!(Evidence).to_value()
}

/// Returns the JSON Schema of the report.
pub fn report_schema() -> Value {
    schema_for!(Report).to_value()
}

/// How many checks stand before a check.
pub(crate) fn depth(check: &Check, knowledge: &Knowledge) -> usize {
    check
        .needs
        .iter()
        .filter_map(|need| knowledge.checks.iter().find(|other| other.establishes.contains(need)))
        .map(|earlier| depth(earlier, knowledge) + 1)
        .max()
        .unwrap_or(0)
}
