//! Why a model could not be invoked: from the recorded code, status and text of each attempt, and everything else that is known, to
//! one cause per attempt. This is where look-alikes are told apart: the same 403 has a dozen causes, the same "invalid" seven.

use schemars::JsonSchema;
use serde::Serialize;

use super::{
    Diagnosis, ModelRef, View,
    authorization::{denial_of, denied},
    capacity::{throttled, zero_quota},
    diagnosis::blocked_by,
    model_id::{self, eol, invalid_id, listed_id, successor, with_successor},
};
use crate::{
    evidence::{Attempt, Client, Fact, Failure, FailureKind, Invocation, ModelRole, ModelSetting},
    knowledge::Confidence,
};

/// The diagnoses of the main model's attempts, by the kind of cause: two attempts may fail for two reasons, and both count.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct InvocationDiagnoses {
    /// Every attempt that the client needs passed.
    pub works: Fact<bool>,
    /// The id, or the choice of Region for it.
    pub id: Fact<Diagnosis>,
    /// IAM and organization policies.
    pub authorization: Fact<Diagnosis>,
    /// Gates of the account.
    pub access: Fact<Diagnosis>,
    /// Throttling, quotas, capacity.
    pub capacity: Fact<Diagnosis>,
    /// The content of the request.
    pub request: Fact<Diagnosis>,
    /// The default model of the client is not available, and it takes another by itself.
    pub replaced: Fact<Diagnosis>,
    /// A failure that no signature knows.
    pub unexplained: Fact<Diagnosis>,
    /// The earliest of all these causes.
    pub cause: Fact<String>,
}

/// The kinds of causes of a failed invocation, in the order in which the service meets them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Elsewhere,
    Id,
    Authorization,
    Access,
    Capacity,
    Request,
    Unexplained,
}

fn kind_of(cause: &str) -> Kind {
    match cause {
        "on-demand-unsupported"
        | "model-id-invalid"
        | "profile-prefix-region-mismatch"
        | "model-not-in-region"
        | "model-eol"
        | "model-legacy-inactive"
        | "iam-list-action-missing" => Kind::Id,
        "iam-identity-policy-missing"
        | "iam-destination-region-missing"
        | "iam-streaming-action-missing"
        | "iam-explicit-deny-identity"
        | "scp-cross-region-deny"
        | "scp-deny"
        | "session-policy-deny"
        | "vpce-policy-deny"
        | "resource-control-policy-deny"
        | "permissions-boundary-deny"
        | "bearer-iam-missing" => Kind::Authorization,
        "model-access-not-granted"
        | "region-mismatch-model-access"
        | "marketplace-permissions-missing"
        | "marketplace-payment-invalid"
        | "use-case-form-missing"
        | "account-not-authorized"
        | "model-gated-for-account"
        | "unsupported-country"
        | "data-retention-mode-required" => Kind::Access,
        "throttle-requests"
        | "throttle-tokens-per-minute"
        | "throttle-daily-tokens"
        | "zero-quota-account"
        | "service-quota-exceeded"
        | "service-unavailable"
        | "model-error" => Kind::Capacity,
        "malformed-request-body"
        | "beta-unsupported"
        | "prompt-caching-unsupported"
        | "model-param-unsupported"
        | "message-history-invalid"
        | "max-tokens-exceeds"
        | "input-too-long"
        | "payload-too-large"
        | "guardrail" => Kind::Request,
        "" => Kind::Unexplained,
        // Credentials, the clock, the network and the Region have checks of their own, which come earlier.
        _ => Kind::Elsewhere,
    }
}

/// Diagnoses the main model.
pub(super) fn diagnose(view: View<'_>, role: ModelRole) -> InvocationDiagnoses {
    let invocation = match view.evidence.invoke.of(role) {
        Fact::Known(invocation) => invocation,
        Fact::Absent(reason) => return everywhere(&Fact::Absent(reason.clone())),
        Fact::Unreadable(obstacle) => {
            let mut diagnoses = everywhere(&blocked_by(obstacle));
            if let Some(foreseen) = foreseen_id(view, role) {
                diagnoses.id = Fact::Known(foreseen);
            }
            return diagnoses;
        }
    };
    let client = view.evidence.settings.client;
    let mut found: Vec<Diagnosis> = Vec::new();
    for attempt in invocation.attempts() {
        if let Some(failure) = &attempt.failure {
            found.push(attempt_diagnosis(view, role, invocation, attempt, failure));
        }
    }
    join_streaming(invocation, &mut found);
    let replaced = replaced(view, invocation, &found);
    if !replaced.is_fine() {
        // The client helps itself: what is left is a consequence to name, not a failure.
        found.clear();
    }
    if invocation.works(client) {
        // The client's own operation passed; what failed beside it is no fault of the main model. Of a plain SDK nobody knows which
        // of the two it uses: that one of them is not allowed is worth a word.
        found.retain(|diagnosis| client == Client::AwsSdk && diagnosis.cause == "iam-streaming-action-missing");
    }
    if !invocation.works(client) && replaced.is_fine() {
        for (kind, foreseen) in [(Kind::Id, foreseen_id(view, role)), (Kind::Capacity, zero_quota(view, role))] {
            if !found.iter().any(|diagnosis| kind_of(&diagnosis.cause) == kind) {
                found.extend(foreseen);
            }
        }
    }
    let first = |kind: Kind| {
        Fact::Known(found.iter().find(|diagnosis| kind_of(&diagnosis.cause) == kind).cloned().unwrap_or_default())
    };
    let unexplained = found
        .iter()
        .find(|diagnosis| diagnosis.cause.is_empty())
        .map(|diagnosis| Diagnosis { cause: "unexplained".into(), ..diagnosis.clone() })
        .unwrap_or_default();
    let earliest =
        found.iter().map(|diagnosis| (kind_of(&diagnosis.cause), &diagnosis.cause)).min_by_key(|(kind, _)| *kind);
    InvocationDiagnoses {
        works: Fact::Known(invocation.works(client)),
        cause: Fact::Known(earliest.map(|(_, cause)| cause.clone()).unwrap_or_default()),
        id: first(Kind::Id),
        authorization: first(Kind::Authorization),
        access: first(Kind::Access),
        capacity: first(Kind::Capacity),
        request: first(Kind::Request),
        replaced: Fact::Known(replaced),
        unexplained: Fact::Known(unexplained),
    }
}

fn everywhere(fact: &Fact<Diagnosis>) -> InvocationDiagnoses {
    let word = match fact {
        Fact::Absent(reason) => Fact::Absent(reason.clone()),
        Fact::Unreadable(obstacle) => Fact::Unreadable(obstacle.clone()),
        Fact::Known(_) => Fact::Known(String::new()),
    };
    let works = match fact {
        Fact::Absent(reason) => Fact::Absent(reason.clone()),
        Fact::Unreadable(obstacle) => Fact::Unreadable(obstacle.clone()),
        Fact::Known(_) => Fact::Known(true),
    };
    InvocationDiagnoses {
        works,
        cause: word,
        id: fact.clone(),
        authorization: fact.clone(),
        access: fact.clone(),
        capacity: fact.clone(),
        request: fact.clone(),
        replaced: fact.clone(),
        unexplained: fact.clone(),
    }
}

/// One denial of the streaming operation, while the other operation got past IAM, is one missing action and not a missing policy.
fn join_streaming(invocation: &Invocation, found: &mut [Diagnosis]) {
    let (Some(stream), Some(plain)) = (&invocation.stream, &invocation.plain) else { return };
    let denied_by_own_policy = |diagnosis: &Diagnosis| {
        matches!(
            diagnosis.cause.as_str(),
            "iam-identity-policy-missing" | "iam-destination-region-missing" | "iam-explicit-deny-identity"
        )
    };
    if stream.ok || !found.first().is_some_and(denied_by_own_policy) {
        return;
    }
    let plain_got_past_iam = plain.ok
        || found.get(1).is_some_and(|other| {
            !matches!(kind_of(&other.cause), Kind::Authorization | Kind::Elsewhere | Kind::Unexplained)
        });
    if plain_got_past_iam && found[0].cause != "iam-explicit-deny-identity" {
        found[0].cause = "iam-streaming-action-missing".into();
        found[0].confidence = Confidence::Certain;
        found[0].evidence = Some(if plain.ok {
            "bedrock:InvokeModel on the same model passed in the same minute".into()
        } else {
            "bedrock:InvokeModel on the same model was not denied in the same minute".into()
        });
    }
}

/// What the table of models says of an id without any call: retired for everyone, or bare where only a profile serves.
fn foreseen_id(view: View<'_>, role: ModelRole) -> Option<Diagnosis> {
    let setting = view.evidence.settings.models.of(role).known().filter(|setting| !setting.replaceable)?;
    let sent = ModelRef::parse(setting.id.as_deref()?);
    let foundation = sent.foundation_model.as_deref()?;
    let facts = view.knowledge.tables.model(foundation)?;
    let region = view.evidence.region.known().map(|region| region.name.clone());
    let base = Diagnosis {
        client: Some(view.evidence.settings.client.spoken().to_owned()),
        role: Some(role.name().to_owned()),
        model_id: setting.id.clone(),
        foundation_model: Some(foundation.to_owned()),
        setting: Some(setting.name.clone()),
        value: setting.written.clone().or_else(|| setting.id.clone()),
        origin: Some(setting.origin.to_string()),
        region: region.clone(),
        independent: true,
        ..Diagnosis::default()
    };
    if facts.retired {
        return Some(Diagnosis { until: facts.retired_on.clone(), ..eol(view, &sent, base) });
    }
    let on_demand = region.as_ref().is_some_and(|region| facts.on_demand_regions.contains(region));
    (sent.is_bare() && facts.profile_only && !on_demand).then(|| Diagnosis {
        cause: "on-demand-unsupported".into(),
        confidence: Confidence::Likely,
        suggested_model: listed_id(view, foundation, None).filter(|id| *id != sent.id),
        ..base
    })
}

/// The diagnosis of a model in another role, in one: its own cause is the subcause.
pub(super) fn secondary(view: View<'_>, role: ModelRole) -> Fact<Diagnosis> {
    // Retired is retired, whatever keeps the call from being made.
    let foreseen = || {
        let own = view.evidence.settings.models.of(role).known().and_then(|model| model.id.as_ref());
        let main = view.evidence.settings.models.main.known().and_then(|model| model.id.as_ref());
        let inner = foreseen_id(view, role).filter(|_| own != main)?;
        Some(Diagnosis { cause: "small-fast-model-unavailable".into(), subcause: Some(inner.cause.clone()), ..inner })
    };
    let invocation = match view.evidence.invoke.of(role) {
        Fact::Known(invocation) => invocation,
        Fact::Absent(reason) => return Fact::Absent(reason.clone()),
        Fact::Unreadable(obstacle) => return foreseen().map_or_else(|| blocked_by(obstacle), Fact::Known),
    };
    if invocation.attempts().all(|attempt| attempt.ok) {
        return Diagnosis::fine();
    }
    // Background tasks of Claude Code are plain calls or streams; one that passes is enough to go on with.
    if invocation.attempts().any(|attempt| attempt.ok) {
        return Diagnosis::fine();
    }
    let Some((attempt, failure)) = invocation.attempts().find_map(|attempt| Some((attempt, attempt.failure.as_ref()?)))
    else {
        return Diagnosis::fine();
    };
    let inner = attempt_diagnosis(view, role, invocation, attempt, failure);
    // A fault of the way or of the credentials is told once, of the main model; where that one works it is this model's own.
    if matches!(kind_of(&inner.cause), Kind::Elsewhere) && !view.works() {
        return foreseen().map_or_else(Diagnosis::fine, Fact::Known);
    }
    let subcause = (!inner.cause.is_empty()).then(|| inner.cause.clone());
    Fact::Known(Diagnosis { cause: "small-fast-model-unavailable".into(), subcause, ..inner })
}

/// The client's unpinned default is not available, and one of its own replacements is.
fn replaced(view: View<'_>, invocation: &Invocation, found: &[Diagnosis]) -> Diagnosis {
    let Some(taken) = invocation.replacements.iter().find(|replacement| replacement.attempt.ok) else {
        return Diagnosis::default();
    };
    let Some(why) = found.iter().min_by_key(|diagnosis| kind_of(&diagnosis.cause)) else {
        return Diagnosis::default();
    };
    Diagnosis {
        suggested_model: Some(taken.model_id.clone()),
        subcause: Some("default-replaced".into()),
        client: Some(view.evidence.settings.client.spoken().to_owned()),
        ..why.clone()
    }
}

/// The cause of one failed attempt.
fn attempt_diagnosis(
    view: View<'_>,
    role: ModelRole,
    invocation: &Invocation,
    attempt: &Attempt,
    failure: &Failure,
) -> Diagnosis {
    let setting = view.evidence.settings.models.of(role).known();
    let sent = ModelRef::parse(&invocation.model_id);
    let mut diagnosis = Diagnosis {
        client: Some(view.evidence.settings.client.spoken().to_owned()),
        role: Some(role.name().to_owned()),
        model_id: Some(invocation.model_id.clone()),
        foundation_model: model_id::foundation_of(view, &sent),
        region: Some(invocation.region.clone()),
        host: Some(invocation.host.clone()),
        operation: Some(attempt.operation.clone()),
        setting: setting.map(|setting| setting.name.clone()),
        value: setting.and_then(|setting| setting.written.clone().or_else(|| setting.id.clone())),
        origin: setting.map(|setting| setting.origin.to_string()),
        account: view.evidence.identity.known().map(|identity| identity.account.clone()),
        principal: view.evidence.identity.known().map(|identity| identity.arn.clone()),
        profile: view.evidence.settings.winner().and_then(|source| source.profile.clone()),
        ..Diagnosis::default()
    }
    .with_failure(failure);
    match failure.kind {
        FailureKind::Service => {}
        // A stream that just ends is how the end of life of a model has been seen; otherwise the way to the service is to blame.
        FailureKind::CutStream => {
            if sent.foundation_model.as_deref().is_some_and(|model| model_id::is_retired(view, model)) {
                return eol(view, &sent, diagnosis).sure(Confidence::Likely);
            }
            diagnosis.cause = "network-unreachable".into();
            return diagnosis;
        }
        _ => {
            diagnosis.cause = "network-unreachable".into();
            return diagnosis;
        }
    }
    if let Some(denial) = denial_of(failure) {
        return denied(view, &sent, &denial, diagnosis);
    }
    let matches = view.matcher.find(failure.code.as_deref(), failure.status, &failure.message);
    let Some(best) = matches.first() else {
        return by_code_alone(failure, diagnosis);
    };
    diagnosis.cause = best.cause().to_owned();
    diagnosis.subcause.clone_from(&best.signature.subcause);
    diagnosis.confidence = best.confidence();
    narrow(view, &sent, setting, diagnosis)
}

/// Without a known text the code still tells the kind for a few.
fn by_code_alone(failure: &Failure, mut diagnosis: Diagnosis) -> Diagnosis {
    let cause = match (failure.code.as_deref(), failure.status) {
        (
            Some(
                "ServiceUnavailableException"
                | "InternalServerException"
                | "ModelNotReadyException"
                | "overloaded_error"
                | "api_error",
            ),
            _,
        )
        | (None, Some(500..=599)) => "service-unavailable",
        (Some("ModelErrorException" | "ModelStreamErrorException" | "ModelTimeoutException"), _) => "model-error",
        (Some("ServiceQuotaExceededException"), _) => "service-quota-exceeded",
        (Some("ExpiredTokenException" | "ExpiredToken"), _) => "expired-token",
        (Some("UnrecognizedClientException" | "InvalidClientTokenId"), _) => "invalid-access-key",
        (Some("InvalidSignatureException" | "SignatureDoesNotMatch"), _) => "signature-mismatch",
        _ => "",
    };
    diagnosis.cause = cause.to_owned();
    diagnosis.confidence = Confidence::Likely;
    diagnosis
}

/// Context decides between causes that share a text.
fn narrow(view: View<'_>, sent: &ModelRef, setting: Option<&ModelSetting>, mut diagnosis: Diagnosis) -> Diagnosis {
    match diagnosis.cause.as_str() {
        "model-id-invalid" => invalid_id(view, sent, setting, diagnosis),
        "on-demand-unsupported" => {
            if sent.foundation_model.as_deref().is_some_and(|model| model_id::is_retired(view, model)) {
                return eol(view, sent, diagnosis);
            }
            diagnosis.suggested_model = sent
                .foundation_model
                .as_deref()
                .and_then(|model| listed_id(view, model, None))
                .filter(|id| *id != sent.id);
            diagnosis
        }
        "model-eol" | "model-legacy-inactive" => with_successor(view, sent, diagnosis),
        "model-access-not-granted" => no_access(view, diagnosis),
        "throttle-requests" | "throttle-tokens-per-minute" | "throttle-daily-tokens" => throttled(view, diagnosis),
        "data-retention-mode-required" => {
            diagnosis.value = view.evidence.access.data_retention.known().cloned();
            diagnosis.expected = sent
                .foundation_model
                .as_deref()
                .and_then(|model| view.knowledge.tables.model(model))
                .and_then(|model| model.needs_retention.first().cloned());
            diagnosis.suggested_model = view
                .evidence
                .models
                .list
                .known()
                .and_then(|_| successor(view, &ModelRef::parse("anthropic.claude-opus")))
                .filter(|id| *id != sent.id);
            diagnosis
        }
        "account-not-authorized" => {
            // The same words stand for a Region that the model or the account has not.
            let region = view.evidence.access.availability.known().map(|it| it.region.as_str());
            if region == Some("NOT_AVAILABLE") {
                diagnosis.cause = "model-not-in-region".into();
                diagnosis.confidence = Confidence::Likely;
                diagnosis.suggested_model = successor(view, sent).filter(|id| *id != sent.id);
            }
            diagnosis
        }
        "marketplace-permissions-missing" => {
            if diagnosis.subcause.is_some() {
                diagnosis.evidence = Some("AWS is still setting it up".into());
            }
            diagnosis.sure(Confidence::Likely)
        }
        "model-gated-for-account" => {
            diagnosis.suggested_model = successor(view, sent).filter(|id| *id != sent.id);
            diagnosis
        }
        _ => diagnosis,
    }
}

/// "You don't have access to the model with the specified model ID": as often the wrong Region as a missing grant.
fn no_access(view: View<'_>, mut diagnosis: Diagnosis) -> Diagnosis {
    let usable = view.evidence.access.elsewhere.known().and_then(|regions| regions.iter().find(|region| region.usable));
    let here = view.evidence.access.availability.known();
    // Where the control plane says the same of this Region, another one is no better.
    let as_good_here = here.is_some_and(|it| {
        it.agreement == "AVAILABLE"
            && it.authorization == "AUTHORIZED"
            && it.entitlement == "AVAILABLE"
            && it.region == "AVAILABLE"
    });
    if let Some(other) = usable.filter(|_| !as_good_here) {
        diagnosis.cause = "region-mismatch-model-access".into();
        diagnosis.confidence = if here.is_some() { Confidence::Likely } else { Confidence::Possible };
        diagnosis.other_region = Some(other.region.clone());
        diagnosis.evidence = Some(format!(
            "A Region named on this machine has access to the model: {} ({}).",
            other.region, other.named_by
        ));
        if let Some(region) = view.evidence.region.known() {
            diagnosis.setting = Some(region.setting.clone());
            diagnosis.origin = Some(region.origin.to_string());
        }
        return diagnosis;
    }
    if let Some(it) = here {
        diagnosis.evidence = Some(format!(
            "The control plane says: agreement {}, authorization {}, entitlement {}, Region {}.",
            it.agreement, it.authorization, it.entitlement, it.region
        ));
    }
    diagnosis
}
