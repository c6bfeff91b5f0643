//! What one output token cannot show: a reservation above the quota, a time limit below the time that an answer takes. Judged from tables whose rows name their sources; without a row, nothing is said.

use super::{Diagnosis, ModelRef, View, model_id, network::origin_of};
use crate::evidence::{Client, Fact, ModelRole, QuotaUnit};

/// What Claude Code asks for with a model that it does not know, in tokens (observed with 2.1.330).
const UNKNOWN_MODEL_CAP: u64 = 32_000;

/// What one request reserves against the tokens-per-minute quota: input plus the cap of output tokens (AWS docs: token burndown).
pub(super) fn reservation(view: View<'_>) -> Fact<Diagnosis> {
    let settings = &view.evidence.settings;
    let quotas = match &view.evidence.quotas {
        Fact::Known(quotas) => quotas,
        Fact::Absent(reason) => return Fact::Absent(reason.clone()),
        Fact::Unreadable(obstacle) => return Fact::Unreadable(obstacle.clone()),
    };
    let quota = quotas.iter().find(|quota| quota.role == ModelRole::Main && quota.unit == QuotaUnit::TokensPerMinute);
    let Some((quota, applied)) = quota.and_then(|quota| Some((quota, quota.applied?))) else {
        return Fact::Absent("no applied tokens-per-minute quota of the model is known".into());
    };
    if settings.client != Client::ClaudeCode {
        return Diagnosis::fine();
    }
    // Claude Code lowers a cap of the user's to the most that the model takes, and otherwise asks for its own default.
    let facts = main_model(view).and_then(|model| view.knowledge.tables.model(&model).cloned());
    let default =
        facts.as_ref().map_or(UNKNOWN_MODEL_CAP, |facts| facts.client_output_tokens.unwrap_or(UNKNOWN_MODEL_CAP));
    let most = facts.as_ref().and_then(|facts| facts.max_output_tokens).unwrap_or(u64::MAX);
    let asked =
        settings.output_cap.as_ref().and_then(|cap| cap.value.trim().parse::<u64>().ok()).filter(|cap| *cap > 0);
    let cap = asked.unwrap_or(default).min(most);
    // Zero is another cause; the invocation itself says so.
    #[expect(clippy::cast_precision_loss, reason = "token counts are far below 2^52")]
    if applied <= 0.0 || (cap as f64) <= applied {
        return Diagnosis::fine();
    }
    Fact::Known(Diagnosis {
        client: Some(settings.client.spoken().to_owned()),
        setting: Some("CLAUDE_CODE_MAX_OUTPUT_TOKENS".into()),
        value: settings.output_cap.as_ref().map(|cap| cap.value.clone()),
        origin: origin_of(view, "CLAUDE_CODE_MAX_OUTPUT_TOKENS"),
        model_id: view.evidence.invoke.main.known().map(|invocation| invocation.model_id.clone()),
        region: view.evidence.region.known().map(|region| region.name.clone()),
        quota: Some(quota.name.clone()),
        quota_code: Some(quota.code.clone()),
        amount: Some(format!("{cap} tokens")),
        limit: Some(format!("{applied:.0} tokens per minute")),
        evidence: Some(format!("{}: {applied:.0} tokens per minute.", quota.name)),
        measured: Some(format!("each request reserves {cap} tokens of output")),
        expected: Some(format!("below the applied quota of {applied:.0} tokens per minute")),
        ..Diagnosis::of("throttle-tokens-per-minute").with_subcause("reservation-above-quota")
    })
}

/// The client's own time limit against the time that the smallest answer took.
pub(super) fn patience(view: View<'_>) -> Fact<Diagnosis> {
    let settings = &view.evidence.settings;
    let Some(limit) = settings.request_timeout_ms else {
        return Fact::Absent("the client's time limit is its default".into());
    };
    let invocation = match &view.evidence.invoke.main {
        Fact::Known(invocation) => invocation,
        Fact::Absent(reason) => return Fact::Absent(reason.clone()),
        Fact::Unreadable(obstacle) => return Fact::Unreadable(obstacle.clone()),
    };
    let Some(slowest) = invocation.stream.iter().filter(|attempt| attempt.ok).map(|attempt| attempt.ms).max() else {
        return Diagnosis::fine();
    };
    if slowest < limit {
        return Diagnosis::fine();
    }
    Fact::Known(Diagnosis {
        client: Some(settings.client.spoken().to_owned()),
        setting: Some("API_TIMEOUT_MS".into()),
        value: Some(limit.to_string()),
        origin: origin_of(view, "API_TIMEOUT_MS"),
        amount: Some(format!("{slowest} ms")),
        limit: Some(format!("{limit} ms")),
        measured: Some(format!("one token took {slowest} ms")),
        expected: Some(format!("less than the client's limit of {limit} ms")),
        ..Diagnosis::of("client-read-timeout")
    })
}

fn main_model(view: View<'_>) -> Option<String> {
    let invocation = view.evidence.invoke.main.known()?;
    model_id::foundation_of(view, &ModelRef::parse(&invocation.model_id))
}
