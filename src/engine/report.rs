//! The report model: what every renderer shows, and, as JSON, the contract with machines. Fields that only people are shown are not
//! serialized.

use schemars::JsonSchema;
use serde::Serialize;

use super::{
    Selection,
    judge::{Facts, Finding, RenderedRemedy},
    roots,
};
use crate::{
    evidence::{Authentication, Evidence, Fact, Lookup, ModelRole, NOT_LOOKED_AT, Why},
    knowledge::{Confidence, Knowledge, RemedyKind, Status},
};

/// Version of the report's JSON.
const REPORT_SCHEMA_VERSION: u32 = 1;

/// One run, judged.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Report {
    /// Version of this format.
    pub schema_version: u32,
    /// Version of bedside.
    pub bedside: String,
    /// The answers came from the simulator.
    pub simulated: bool,
    /// Through whose eyes.
    pub client: String,
    /// The verdict.
    pub verdict: Verdict,
    /// What was judged.
    pub target: Target,
    /// Why it does not work, the earliest cause first; warnings last.
    pub root_causes: Vec<CauseReport>,
    /// Every selected check.
    pub checks: Vec<CheckReport>,
    /// Every call that was made.
    pub calls: Vec<ReportCall>,
    /// What it cost.
    pub cost: Cost,
    /// What people are shown beside that.
    #[serde(skip)]
    pub notes: EvidenceNotes,
}

/// The verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// It works.
    Ok,
    /// It works, with a consequence that the user will feel.
    Warn,
    /// The client's first turn will fail.
    Fail,
    /// Could not be verified.
    Unknown,
}

impl Verdict {
    /// Returns its word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Fail => "fail",
            Self::Unknown => "unknown",
        }
    }
}

/// What was judged.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Target {
    /// AWS profile.
    pub profile: Option<String>,
    /// Source of the credentials.
    pub credential_source: Option<String>,
    /// Account id.
    pub account: Option<String>,
    /// ARN of the principal.
    pub principal: Option<String>,
    /// Region.
    pub region: Option<String>,
    /// Models by role.
    pub models: Vec<ModelTarget>,
}

/// A model in its role.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ModelTarget {
    /// `main`, `background`, `subagent`, `fallback`.
    pub role: String,
    /// The id that was sent.
    pub id: String,
}

/// A root cause.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct CauseReport {
    /// The slug.
    pub cause: String,
    /// What is finer.
    pub subcause: Option<String>,
    /// Id of the check that found it.
    pub check: String,
    /// How sure it is.
    pub confidence: Confidence,
    /// One or two plain sentences.
    pub summary: String,
    /// What to do, the best first.
    pub remedies: Vec<RemedyReport>,
    /// A few words for a heading.
    #[serde(skip)]
    pub title: String,
    /// It stops the client; otherwise it is a warning.
    #[serde(skip)]
    pub fatal: bool,
    /// What was seen.
    #[serde(skip)]
    pub measured: Option<String>,
    /// What should have been seen.
    #[serde(skip)]
    pub expected: Option<String>,
    /// Checks that wait for it.
    #[serde(skip)]
    pub explains: Vec<String>,
    /// How to tell it from its look-alikes.
    #[serde(skip)]
    pub look_alikes: String,
    /// The service's own words, where it answered.
    #[serde(skip)]
    pub said: Option<String>,
    /// The request id.
    #[serde(skip)]
    pub request_id: Option<String>,
}

/// What to do.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct RemedyReport {
    /// The kind of act.
    pub kind: RemedyKind,
    /// What to do; stands on its own.
    pub text: String,
    /// The command, as arguments; empty when there is none.
    pub command: Vec<String>,
    /// The page to open.
    pub url: Option<String>,
}

impl From<&RenderedRemedy> for RemedyReport {
    fn from(remedy: &RenderedRemedy) -> Self {
        Self { kind: remedy.kind, text: remedy.text.clone(), command: remedy.command.clone(), url: remedy.url.clone() }
    }
}

/// One check.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct CheckReport {
    /// Its id.
    pub id: String,
    /// Its group.
    pub group: String,
    /// Its title.
    pub title: String,
    /// What came of it.
    pub status: Status,
    /// The cause's slug.
    pub cause: Option<String>,
    /// What was seen, or what was missing.
    pub measured: Option<String>,
    /// What should have been seen.
    pub expected: Option<String>,
    /// The check that failed before.
    pub blocked_by: Option<String>,
    /// What to do.
    pub remedies: Vec<RemedyReport>,
    /// The facts that were looked at.
    pub facts: Vec<String>,
    /// How long judging took, in milliseconds.
    pub duration_ms: f64,
}

/// A call that was made.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ReportCall {
    /// The service.
    pub service: String,
    /// The operation.
    pub operation: String,
    /// Region of the call.
    pub region: Option<String>,
    /// When it began, in milliseconds from the beginning of the run.
    #[serde(skip)]
    pub started_ms: u64,
    /// How long it took, in milliseconds.
    pub ms: u64,
    /// `ok`, an error code, `timeout`, or the kind of obstacle.
    pub outcome: String,
}

/// What a run cost.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Cost {
    /// Calls of AWS.
    pub requests: u64,
    /// Tokens in.
    pub input_tokens: u64,
    /// Tokens out.
    pub output_tokens: u64,
    /// In US dollars; null, because bedside has no sourced price of these models.
    pub usd_estimate: Option<f64>,
}

/// What people are shown beside the contract.
#[derive(Debug, Clone, Default)]
pub struct EvidenceNotes {
    /// Plain remarks: what was left out, what differs from what the settings predicted, what was not run.
    pub remarks: Vec<String>,
    /// What could not be looked at, with the permission that was missing.
    pub gaps: Vec<String>,
    /// When the evidence was taken.
    pub taken_at: String,
    /// Where the Region comes from.
    pub region_origin: Option<String>,
    /// When the credentials expire.
    pub expires_at: Option<String>,
    /// Versions of the client programs.
    pub programs: Vec<String>,
    /// Time of the slowest invocation of the main model, in milliseconds.
    pub main_ms: Option<u64>,
    /// How long all calls took together, in milliseconds, and from the first to the last.
    pub wall_ms: u64,
    /// The distinct names of API actions that were called.
    pub actions: Vec<String>,
    /// Not every check was selected.
    pub partial: Option<String>,
    /// The run ended before everything was looked at.
    pub cut: bool,
}

/// Puts the report together.
pub(super) fn assemble(
    evidence: &Evidence,
    knowledge: &Knowledge,
    facts: &Facts,
    selection: &Selection,
    findings: Vec<Finding>,
) -> Report {
    let findings: Vec<Finding> = findings.into_iter().map(|finding| with_words(finding, knowledge, facts)).collect();
    let root_causes: Vec<CauseReport> = roots::order(&findings, knowledge)
        .into_iter()
        .filter_map(|root| {
            let cause = knowledge.causes.get(root.finding.cause.as_deref()?)?;
            let check = knowledge.check(&root.finding.check)?;
            let subject = root.finding.case.and_then(|case| check.cases[case].subject.clone());
            let of_subject = |member: &str| match facts.lookup(&format!("{}.{member}", subject.as_deref()?)) {
                Lookup::Known(value) => Some(value),
                _ => None,
            };
            let text_of = |member: &str| of_subject(member)?.as_str().map(str::to_owned);
            Some(CauseReport {
                cause: cause.slug.clone(),
                subcause: root.finding.subcause.clone(),
                check: root.finding.check.clone(),
                confidence: root.finding.confidence,
                summary: root.finding.summary.clone().unwrap_or_default(),
                remedies: root.finding.remedies.iter().map(RemedyReport::from).collect(),
                title: cause.title.clone(),
                fatal: root.finding.status == Status::Fail,
                measured: root.finding.measured.clone(),
                expected: root.finding.expected.clone(),
                explains: root.explains,
                look_alikes: cause.look_alikes.clone(),
                said: if of_subject("answered") == Some(serde_json::Value::Bool(true)) {
                    text_of("message")
                } else {
                    None
                },
                request_id: text_of("request_id"),
            })
        })
        .collect();
    let verdict = verdict(evidence, selection, &findings);
    let checks = findings.iter().filter_map(|finding| check_report(finding, knowledge)).collect();
    Report {
        schema_version: REPORT_SCHEMA_VERSION,
        bedside: env!("CARGO_PKG_VERSION").to_owned(),
        simulated: evidence.simulated,
        client: evidence.settings.client.name().to_owned(),
        verdict,
        target: target(evidence),
        root_causes,
        checks,
        calls: evidence
            .calls
            .iter()
            .map(|call| ReportCall {
                service: call.service.clone(),
                operation: call.operation.clone(),
                region: call.region.clone(),
                started_ms: call.started_ms,
                ms: call.ms,
                outcome: call.outcome.clone(),
            })
            .collect(),
        cost: cost(evidence),
        notes: notes(evidence, selection),
    }
}

/// Judging once more with the causes at hand would be the same work; the words alone are added here.
fn with_words(finding: Finding, knowledge: &Knowledge, facts: &Facts) -> Finding {
    if finding.cause.is_none() {
        return finding;
    }
    let Some(check) = knowledge.check(&finding.check) else { return finding };
    super::judge::add_words(finding, check, facts, &knowledge.causes)
}

/// The verdict: fail if any fail; else unknown if a required fact is missing; else warn if any warn; else ok. If the client's own
/// invocation passed, nothing else can make it unknown.
fn verdict(evidence: &Evidence, selection: &Selection, findings: &[Finding]) -> Verdict {
    let any = |status: Status| findings.iter().any(|finding| finding.status == status);
    if any(Status::Fail) {
        return Verdict::Fail;
    }
    let passed = evidence.invoke.main.known().is_some_and(|invocation| {
        invocation.works(evidence.settings.client)
            || invocation.replacements.iter().any(|replacement| replacement.attempt.ok)
    });
    if !passed {
        let whole = selection.is_everything();
        let required_missing = evidence.settings.unsupported.is_some()
            || is_missing(&evidence.region)
            || is_missing(&evidence.credentials)
            || evidence.invoke.main.known().is_none();
        let undecided = findings.iter().any(|finding| matches!(finding.status, Status::Unknown | Status::Crashed));
        // An invocation that failed for a reason that no check knows is not "ok" either.
        let unexplained = evidence.invoke.main.known().is_some();
        if (whole && (required_missing || unexplained)) || undecided {
            return Verdict::Unknown;
        }
    }
    if any(Status::Warn) { Verdict::Warn } else { Verdict::Ok }
}

/// Whether the run ended before everything was looked at.
fn was_cut(evidence: &Evidence) -> bool {
    let left = [
        evidence.credentials.obstacle(),
        evidence.network.obstacle(),
        evidence.identity.obstacle(),
        evidence.invoke.main.obstacle(),
        evidence.quotas.obstacle(),
        evidence.history.obstacle(),
    ];
    left.into_iter().flatten().any(|obstacle| obstacle.why == Why::Unfinished && obstacle.detail == NOT_LOOKED_AT)
}

fn is_missing<T>(fact: &Fact<T>) -> bool {
    matches!(fact, Fact::Unreadable(_))
}

fn check_report(finding: &Finding, knowledge: &Knowledge) -> Option<CheckReport> {
    let check = knowledge.check(&finding.check)?;
    #[expect(clippy::cast_precision_loss, reason = "microseconds of judging")]
    let duration_ms = finding.micros as f64 / 1_000.0;
    Some(CheckReport {
        id: check.id.clone(),
        group: check.group.clone(),
        title: check.title.clone(),
        status: finding.status,
        cause: finding.cause.clone(),
        measured: finding.measured.clone(),
        expected: finding.expected.clone(),
        blocked_by: finding.blocked_by.clone(),
        remedies: finding.remedies.iter().map(RemedyReport::from).collect(),
        facts: finding.facts.clone(),
        duration_ms,
    })
}

fn target(evidence: &Evidence) -> Target {
    let identity = evidence.identity.known();
    let source = match (&evidence.credentials, evidence.settings.authentication) {
        (_, Authentication::BearerToken) => Some("Bedrock API key".to_owned()),
        (Fact::Known(credentials), _) => Some(credentials.source.spoken().to_owned()),
        _ => None,
    };
    let models = [ModelRole::Main, ModelRole::Background, ModelRole::Subagent, ModelRole::Fallback]
        .into_iter()
        .filter_map(|role| {
            let id = match evidence.invoke.of(role).known() {
                Some(invocation) => invocation.model_id.clone(),
                None => evidence.settings.models.of(role).known()?.id.clone()?,
            };
            Some(ModelTarget { role: role.name().to_owned(), id })
        })
        .collect();
    let profile_in_use = evidence.settings.sources.iter().any(|source| source.wins && source.profile.is_some());
    Target {
        profile: evidence
            .settings
            .profile
            .known()
            .filter(|profile| profile.chosen || profile_in_use)
            .map(|profile| profile.name.clone()),
        credential_source: source,
        account: identity.map(|identity| identity.account.clone()),
        principal: identity.map(|identity| identity.arn.clone()),
        region: evidence.region.known().map(|region| region.name.clone()),
        models,
    }
}

fn cost(evidence: &Evidence) -> Cost {
    let mut input_tokens = 0;
    let mut output_tokens = 0;
    for role in [ModelRole::Main, ModelRole::Background, ModelRole::Subagent, ModelRole::Fallback] {
        if let Some(invocation) = evidence.invoke.of(role).known() {
            let replacements = invocation.replacements.iter().map(|replacement| &replacement.attempt);
            for attempt in invocation.attempts().chain(replacements) {
                input_tokens += attempt.input_tokens;
                output_tokens += attempt.output_tokens;
            }
        }
    }
    Cost { requests: evidence.calls.len() as u64, input_tokens, output_tokens, usd_estimate: None }
}

fn notes(evidence: &Evidence, selection: &Selection) -> EvidenceNotes {
    let settings = &evidence.settings;
    let mut remarks = Vec::new();
    if let Some(unsupported) = &settings.unsupported {
        remarks.push(unsupported.clone());
    }
    for left_out in &settings.left_out {
        remarks.push(format!("{} in {} was left out: {}", left_out.name, left_out.origin, left_out.because));
    }
    if let Some(credentials) = evidence.credentials.known()
        && !credentials.as_predicted
        && let Some(predicted) = credentials.predicted
    {
        remarks.push(format!(
            "the settings say {}, and the SDK used {}",
            predicted.spoken(),
            credentials.source.spoken()
        ));
    }
    if let Some(chosen) = evidence.invoke.main.known().and_then(|invocation| invocation.chosen_because.as_ref()) {
        remarks.push(chosen.clone());
    }
    for problem in settings.problems.iter().filter(|problem| !problem.serious) {
        remarks.push(format!("{}: {} ({})", problem.place(), problem.reason, problem.effect));
    }
    let mut actions: Vec<String> = evidence.calls.iter().map(|call| call.operation.clone()).collect();
    actions.sort();
    actions.dedup();
    let first = evidence.calls.iter().map(|call| call.started_ms).min().unwrap_or(0);
    let last = evidence.calls.iter().map(|call| call.started_ms + call.ms).max().unwrap_or(0);
    let mut programs = Vec::new();
    if let Some(program) = evidence.clients.claude_code.known() {
        programs.push(format!("Claude Code {}", spoken(program)));
    }
    if let Some(program) = evidence.clients.aws_cli.known() {
        programs.push(format!("AWS CLI {}", spoken(program)));
    }
    EvidenceNotes {
        remarks,
        gaps: gaps(evidence),
        taken_at: evidence.taken_at.clone(),
        region_origin: evidence.region.known().map(|region| region.origin.to_string()),
        expires_at: evidence.credentials.known().and_then(|credentials| credentials.expires_at.clone()),
        programs,
        main_ms: evidence
            .invoke
            .main
            .known()
            .and_then(|invocation| invocation.attempts().filter(|attempt| attempt.ok).map(|attempt| attempt.ms).max()),
        wall_ms: last.saturating_sub(first),
        actions,
        partial: selection.spoken(),
        cut: was_cut(evidence),
    }
}

fn spoken(program: &crate::evidence::Program) -> String {
    match (&program.version, &program.problem) {
        (Some(version), _) => version.clone(),
        // It is not the client, so it was found and not asked.
        (None, None) => format!("({})", program.path),
        (None, Some(_)) => format!("of unknown version ({})", program.path),
    }
}

/// What could not be looked at, for people: a line for each reason; what lacks a permission is in one line, each with its own.
fn gaps(evidence: &Evidence) -> Vec<String> {
    let mut unpermitted: Vec<String> = Vec::new();
    let mut others: Vec<(&str, Vec<&str>)> = Vec::new();
    for (what, obstacle) in [
        ("foundation models", evidence.models.list.obstacle()),
        ("inference profiles", evidence.profiles.system.obstacle()),
        ("availability of the model", evidence.access.availability.obstacle()),
        ("use-case form", evidence.access.use_case_form.obstacle()),
        ("data retention mode", evidence.access.data_retention.obstacle()),
        ("quotas", evidence.quotas.obstacle()),
        ("history", evidence.history.obstacle()),
    ] {
        let Some(obstacle) = obstacle.filter(|it| !matches!(it.why, Why::NotAsked | Why::Dependency)) else { continue };
        if let Some(permission) = &obstacle.permission {
            unpermitted.push(format!("{what} (needs {permission})"));
            continue;
        }
        match others.iter_mut().find(|(reason, _)| *reason == obstacle.detail) {
            Some((_, names)) => names.push(what),
            None => others.push((&obstacle.detail, vec![what])),
        }
    }
    let unpermitted = (!unpermitted.is_empty()).then(|| unpermitted.join(", "));
    let others = others.into_iter().map(|(reason, names)| format!("{}: {reason}", names.join(", ")));
    unpermitted.into_iter().chain(others).collect()
}
