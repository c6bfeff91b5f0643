//! Judging one check: the engine decides what may be decided, the check's own cases decide the rest. A missing fact is never a pass
//! or a fail, whatever the check's author wrote.

use std::{
    collections::BTreeMap,
    panic::{AssertUnwindSafe, catch_unwind},
};

use serde_json::{Map, Value, json};

use super::Derived;
use crate::{
    evidence::{Evidence, Lookup, Origin, lookup},
    knowledge::{Case, Cause, Check, Confidence, Knowledge, Remedy, Status},
    words::upper_first,
};

/// Everything that is known, as one tree: the evidence, and below `derived` what it means.
#[derive(Debug, Clone)]
pub struct Facts {
    tree: Value,
}

impl Facts {
    /// Builds the tree.
    ///
    /// # Errors
    /// When the evidence cannot be serialized.
    pub fn new(evidence: &Evidence, derived: &Derived) -> Result<Self, serde_json::Error> {
        let mut tree = serde_json::to_value(evidence)?;
        if let Value::Object(members) = &mut tree {
            members.insert("derived".into(), serde_json::to_value(derived)?);
        }
        Ok(Self { tree })
    }

    /// Takes a tree as it is, for the examples of checks.
    pub fn from_tree(tree: Value) -> Self {
        Self { tree }
    }

    /// Looks up a path.
    pub fn lookup(&self, path: &str) -> Lookup {
        lookup(&self.tree, path)
    }

    /// Returns the tree with one of its places known as `subject` too.
    pub fn with_subject(&self, path: Option<&str>) -> Value {
        let mut tree = self.tree.clone();
        if let (Some(path), Value::Object(members)) = (path, &mut tree)
            && let Lookup::Known(subject) = self.lookup(path)
        {
            members.insert("subject".into(), subject);
        }
        tree
    }

    /// Returns a tree that holds nothing but what a check declared; what is absent is null.
    fn declared(&self, check: &Check, states: &States) -> Value {
        let mut tree = Value::Object(Map::new());
        for path in check.needs.iter().chain(&check.may).filter(|path| !states.by_state.contains_key(*path)) {
            let value = match self.lookup(path) {
                Lookup::Known(value) => value,
                Lookup::Absent(_) | Lookup::Unreadable(_) => Value::Null,
            };
            plant(&mut tree, path, value);
        }
        tree
    }
}

/// Puts a value at a path. Where two paths overlap the longer one wins over a null.
fn plant(tree: &mut Value, path: &str, value: Value) {
    let mut here = tree;
    let names: Vec<&str> = path.split('.').collect();
    for name in &names[..names.len() - 1] {
        if !here.is_object() {
            *here = Value::Object(Map::new());
        }
        let Value::Object(members) = here else { return };
        here = members.entry((*name).to_owned()).or_insert_with(|| Value::Object(Map::new()));
    }
    if !here.is_object() {
        *here = Value::Object(Map::new());
    }
    if let Value::Object(members) = here
        && let Some(last) = names.last()
    {
        let old = members.get(*last);
        if value.is_null() && old.is_some() {
            return;
        }
        members.insert((*last).to_owned(), value);
    }
}

/// What is established so far, and by which check.
#[derive(Debug)]
pub struct States {
    by_state: BTreeMap<String, (String, Option<Status>)>,
    open: bool,
}

impl States {
    /// Nothing is established.
    pub fn new(knowledge: &Knowledge) -> Self {
        let by_state = knowledge
            .checks
            .iter()
            .flat_map(|check| check.establishes.iter().map(|state| (state.clone(), (check.id.clone(), None))))
            .collect();
        Self { by_state, open: false }
    }

    /// Every state holds except these, for the examples of checks.
    pub fn all_but(knowledge: &Knowledge, without: &[String]) -> Self {
        let mut states = Self::new(knowledge);
        for (state, (_, status)) in &mut states.by_state {
            *status = Some(if without.contains(state) { Status::Fail } else { Status::Pass });
        }
        states
    }

    /// Whether everything that a check waits for has been judged.
    pub(super) fn is_settled(&self, check: &Check) -> bool {
        check.needs.iter().all(|need| self.by_state.get(need).is_none_or(|(_, status)| status.is_some()))
    }

    /// Records a finding.
    pub(super) fn record(&mut self, check: &Check, finding: &Finding) {
        for state in &check.establishes {
            self.by_state.insert(state.clone(), (check.id.clone(), Some(finding.status)));
        }
    }

    /// A check that was not selected establishes nothing and blocks nothing.
    pub(super) fn leave_open(&mut self, check: &Check) {
        self.open = true;
        for state in &check.establishes {
            self.by_state.insert(state.clone(), (check.id.clone(), Some(Status::Skipped)));
        }
    }
}

/// What came of a check.
#[derive(Debug, Clone)]
pub struct Finding {
    /// Id of the check.
    pub check: String,
    /// The status.
    pub status: Status,
    /// Which case decided.
    pub case: Option<usize>,
    /// The cause's slug.
    pub cause: Option<String>,
    /// What is finer.
    pub subcause: Option<String>,
    /// How sure it is.
    pub confidence: Confidence,
    /// What was seen, or what was missing.
    pub measured: Option<String>,
    /// What should have been seen.
    pub expected: Option<String>,
    /// The check that failed before.
    pub blocked_by: Option<String>,
    /// One or two sentences about this case.
    pub summary: Option<String>,
    /// What to do.
    pub remedies: Vec<RenderedRemedy>,
    /// The facts that were looked at.
    pub facts: Vec<String>,
    /// How long judging took, in microseconds.
    pub micros: u64,
}

/// A remedy with its facts filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RenderedRemedy {
    /// The kind of act.
    pub kind: crate::knowledge::RemedyKind,
    /// What to do.
    pub text: String,
    /// The command, as arguments.
    pub command: Vec<String>,
    /// The page to open.
    pub url: Option<String>,
}

impl Finding {
    fn of(check: &Check, status: Status) -> Self {
        Self {
            check: check.id.clone(),
            status,
            case: None,
            cause: None,
            subcause: None,
            confidence: Confidence::Certain,
            measured: None,
            expected: None,
            blocked_by: None,
            summary: None,
            remedies: Vec::new(),
            facts: check.needs.iter().chain(&check.may).cloned().collect(),
            micros: 0,
        }
    }

    fn because(mut self, why: impl Into<String>) -> Self {
        self.measured = Some(why.into());
        self
    }
}

/// Judges one check. Whatever breaks inside it stays inside it.
pub fn judge_check(check: &Check, facts: &Facts, states: &States) -> Finding {
    let began = crate::world::monotonic_now();
    let mut finding = contained(check, || decide(check, facts, states));
    finding.micros = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
    finding
}

/// A finding of this check, or that it crashed.
fn contained(check: &Check, work: impl FnOnce() -> Finding) -> Finding {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let why = panic
            .downcast_ref::<&str>()
            .map(|text| (*text).to_owned())
            .or_else(|| panic.downcast_ref::<String>().cloned())
            .unwrap_or_else(|| "it panicked".to_owned());
        Finding::of(check, Status::Crashed).because(why)
    })
}

fn decide(check: &Check, facts: &Facts, states: &States) -> Finding {
    if let Some(finding) = blocked(check, states) {
        // What is certain whatever the earlier fault keeps back is said beside it.
        return foreseen(check, facts, states).unwrap_or(finding);
    }
    if let Some(finding) = missing(check, facts, states) {
        return finding;
    }
    let declared = facts.declared(check, states);
    for (number, case) in check.cases.iter().enumerate() {
        match case.when.decide(&declared) {
            Ok(false) => {}
            Ok(true) => return decided(check, number, case, facts),
            Err(error) => return Finding::of(check, Status::Crashed).because(error.to_string()),
        }
    }
    Finding::of(check, Status::Pass)
}

/// A case that holds independently of what a failed check keeps back.
fn foreseen(check: &Check, facts: &Facts, states: &States) -> Option<Finding> {
    let declared = facts.declared(check, states);
    let (number, case) = check
        .cases
        .iter()
        .enumerate()
        .find(|(_, case)| case.subject.is_some() && case.when.decide(&declared) == Ok(true))?;
    let independent = format!("{}.independent", case.subject.as_deref()?);
    (facts.lookup(&independent) == Lookup::Known(Value::Bool(true))).then(|| decided(check, number, case, facts))
}

/// An earlier check failed: this one would only repeat it.
fn blocked(check: &Check, states: &States) -> Option<Finding> {
    let mut unknown = None;
    for need in &check.needs {
        match states.by_state.get(need) {
            Some((by, Some(Status::Fail | Status::Blocked))) => {
                let mut finding = Finding::of(check, Status::Blocked).because(format!("waits for {by}"));
                finding.blocked_by = Some(by.clone());
                return Some(finding);
            }
            Some((by, Some(Status::Unknown | Status::Crashed))) => unknown = Some(by.clone()),
            _ => {}
        }
    }
    unknown.map(|by| {
        let mut finding = Finding::of(check, Status::Unknown).because(format!("{by} could not be verified"));
        finding.blocked_by = Some(by);
        finding
    })
}

/// A fact is missing: nothing can be decided.
fn missing(check: &Check, facts: &Facts, states: &States) -> Option<Finding> {
    let mut absent = None;
    for (path, required) in
        check.needs.iter().map(|path| (path, true)).chain(check.may.iter().map(|path| (path, false)))
    {
        // States of other checks are no facts; they were looked at before.
        if states.by_state.contains_key(path) {
            continue;
        }
        match facts.lookup(path) {
            Lookup::Unreadable(obstacle) => {
                let why = match &obstacle.permission {
                    Some(permission) => format!("needs {permission}: {}", obstacle.detail),
                    None => obstacle.detail,
                };
                return Some(Finding::of(check, Status::Unknown).because(why));
            }
            Lookup::Absent(reason) if required => absent = absent.or(Some(reason)),
            Lookup::Absent(_) | Lookup::Known(_) => {}
        }
    }
    absent.map(|reason| Finding::of(check, Status::Skipped).because(reason))
}

fn decided(check: &Check, number: usize, case: &Case, facts: &Facts) -> Finding {
    use crate::knowledge::CauseOf;
    let mut finding = Finding::of(check, case.status);
    finding.case = Some(number);
    if case.status == Status::Pass {
        return finding;
    }
    let slug = match &case.cause {
        CauseOf::Slug(slug) => slug.clone(),
        CauseOf::Path(path) => match facts.lookup(path) {
            Lookup::Known(Value::String(slug)) if !slug.is_empty() => slug,
            _ => return Finding::of(check, Status::Crashed).because("the case names a cause that is not there"),
        },
    };
    let tree = facts.with_subject(case.subject.as_deref());
    let of_subject = |name: &str| match lookup(&tree, &format!("subject.{name}")) {
        Lookup::Known(Value::String(text)) => Some(text),
        _ => None,
    };
    finding.subcause = case.subcause.clone().or_else(|| of_subject("subcause"));
    finding.confidence = match of_subject("confidence").as_deref() {
        Some("possible") => Confidence::Possible,
        Some("likely") => Confidence::Likely,
        _ => case.confidence,
    };
    finding.measured = case.measured.as_ref().map(|template| template.render(&tree)).or_else(|| of_subject("measured"));
    finding.expected = case.expected.as_ref().map(|template| template.render(&tree)).or_else(|| of_subject("expected"));
    // Without a slug the check fails and nobody knows why; that is said, and nothing is guessed.
    finding.cause = (!slug.is_empty()).then_some(slug);
    finding
}

/// Adds the words of the cause to a finding: its summary and those of its remedies that are for this case.
pub(super) fn add_words(finding: Finding, check: &Check, facts: &Facts, causes: &BTreeMap<String, Cause>) -> Finding {
    contained(check, || worded(finding, check, facts, causes))
}

fn worded(mut finding: Finding, check: &Check, facts: &Facts, causes: &BTreeMap<String, Cause>) -> Finding {
    let Some(cause) = finding.cause.as_ref().and_then(|slug| causes.get(slug)) else {
        return Finding::of(check, Status::Crashed)
            .because(format!("there is no cause `{}`", finding.cause.unwrap_or_default()));
    };
    let Some(case) = finding.case.and_then(|number| check.cases.get(number)) else { return finding };
    let tree = facts.with_subject(case.subject.as_deref());
    let summary = one_line(&cause.summary.render(&tree));
    // "a plain AWS SDK" begins a sentence here; a host or an id in its place would keep its letters.
    let of_client = cause.summary.source().starts_with("{subject.client");
    finding.summary = Some(if of_client { upper_first(&summary) } else { summary });
    let remedies = if case.remedies.is_empty() { &cause.remedies } else { &case.remedies };
    finding.remedies =
        remedies.iter().filter(|remedy| holds(remedy, &tree)).map(|remedy| render(remedy, &tree)).collect();
    // The first is the first, whatever was written before it and is not for this case.
    if let Some(first) = finding.remedies.first_mut()
        && let Some(rest) = first.text.strip_prefix("Or ")
    {
        first.text = upper_first(rest);
    }
    finding
}

/// Whether a remedy is for this case. A condition that cannot be decided is no reason to hide a remedy's siblings.
fn holds(remedy: &Remedy, tree: &Value) -> bool {
    let Some(when) = &remedy.when else { return true };
    let mut facts = json!({});
    for path in when.paths() {
        let value = match lookup(tree, path) {
            Lookup::Known(value) => value,
            Lookup::Absent(_) | Lookup::Unreadable(_) => Value::Null,
        };
        plant(&mut facts, path, value);
    }
    when.decide(&facts).unwrap_or(false)
}

/// Words without the gaps that absent facts leave, and without the second full stop behind a quoted sentence.
fn one_line(text: &str) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut out = String::with_capacity(text.len());
    for (at, character) in text.char_indices() {
        let before = &text[..at];
        let doubled = || {
            (before.ends_with('.') && !before.ends_with("..") && !text[at + 1..].starts_with('.'))
                || before.ends_with(".\"")
        };
        if character != '.' || !doubled() {
            out.push(character);
        }
    }
    out
}

fn render(remedy: &Remedy, tree: &Value) -> RenderedRemedy {
    let command: Vec<String> = remedy.command.iter().map(|part| part.render(tree)).collect();
    RenderedRemedy {
        kind: remedy.kind,
        text: one_line(&remedy.text.render(tree)),
        command: if reaches(&command, tree) { command } else { Vec::new() },
        url: remedy.url.as_ref().map(|url| url.render(tree)),
    }
}

/// Whether a command does what it is there for: a shell's `export` and `unset` change nothing of what stands in a file.
fn reaches(command: &[String], tree: &Value) -> bool {
    if !matches!(command.first().map(String::as_str), Some("export" | "unset")) {
        return true;
    }
    match lookup(tree, "subject.origin") {
        Lookup::Known(Value::String(origin)) => Origin::is_of_the_shell(&origin),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_a_crashed_finding() {
        let knowledge = Knowledge::embedded().unwrap();
        let finding = contained(&knowledge.checks[0], || panic!("it broke"));
        assert_eq!((finding.status, finding.measured.as_deref()), (Status::Crashed, Some("it broke")));
    }

    #[test]
    fn one_full_stop_is_enough_in_any_alphabet() {
        assert_eq!(one_line("It says \"No.\". See ~/.é/config."), "It says \"No.\" See ~/.é/config.");
        assert_eq!(one_line("Access denied.” and… then.."), "Access denied.” and… then.");
        assert_eq!(one_line("profile dev.日本…"), "profile dev.日本…");
    }
}
