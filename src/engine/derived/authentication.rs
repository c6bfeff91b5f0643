//! Credentials: whether the chain gave any, and whether the service takes them. "Security token … is invalid" has half a dozen
//! causes; which key it is, where it came from and what it shadows decide.

use std::collections::BTreeSet;

use super::{Diagnosis, View, client, network, place};
use crate::{
    evidence::{Authentication, CredentialSource, Fact, Failure, FailureKind, SourceKind},
    knowledge::Confidence,
};

/// From this difference on, in seconds, Bedrock refuses signatures (its window is five minutes).
const SKEW_LIMIT: i64 = 300;

/// This machine's clock.
pub(super) fn clock(view: View<'_>) -> Fact<Diagnosis> {
    if view.works() || !signature_matters(view) {
        return Diagnosis::fine();
    }
    let mut skews: Vec<i64> = view.evidence.calls.iter().filter_map(|call| call.skew_seconds).collect();
    if skews.is_empty() {
        return Fact::Absent("no service answered, so there is no clock to compare with".into());
    }
    skews.sort_unstable();
    let skew = skews[skews.len() / 2];
    let failure = auth_failure(view);
    let said = failure.is_some_and(|failure| {
        let text = failure.message.to_lowercase();
        text.contains("signature expired")
            || text.contains("not yet current")
            || failure.code.as_deref() == Some("RequestTimeTooSkewed")
    });
    if skew.abs() < SKEW_LIMIT && !said {
        return Diagnosis::fine();
    }
    let direction = if skew > 0 { "behind" } else { "ahead of" };
    let diagnosis = Diagnosis {
        amount: Some(format!("{} {direction} AWS", spoken_seconds(skew.abs()))),
        limit: Some("5 minutes".into()),
        measured: Some(format!("{} {direction} AWS", spoken_seconds(skew.abs()))),
        expected: Some("within 5 minutes".into()),
        ..Diagnosis::of("clock-skew")
    };
    let diagnosis = match failure {
        Some(failure) if said => diagnosis.with_failure(failure),
        // Somebody between here and AWS may set `Date`; without the refusal itself it is the best guess only.
        _ => diagnosis.sure(Confidence::Likely),
    };
    Fact::Known(diagnosis)
}

/// Whether a wrong clock can be the reason: calls are signed, and the runtime did not get past the signature.
fn signature_matters(view: View<'_>) -> bool {
    let signed = view.evidence.settings.authentication == Authentication::Sigv4;
    let past_it = view.evidence.invoke.main.known().is_some_and(|invocation| {
        invocation
            .attempts()
            .filter_map(|attempt| attempt.failure.as_ref())
            .any(|failure| failure.is_answer() && !is_auth_failure(failure))
    });
    signed && !past_it
}

fn spoken_seconds(seconds: i64) -> String {
    match seconds {
        0..=119 => format!("{seconds} s"),
        120..=7_199 => format!("{} min", seconds / 60),
        _ => format!("{} h {} min", seconds / 3_600, seconds % 3_600 / 60),
    }
}

/// The refusal of the credentials themselves, by the runtime first: that is the service that matters.
fn auth_failure(view: View<'_>) -> Option<&Failure> {
    let invoke = view.evidence.invoke.main.known().and_then(|invocation| {
        invocation.attempts().filter_map(|attempt| attempt.failure.as_ref()).find(|failure| is_auth_failure(failure))
    });
    invoke.or_else(|| {
        // With an API key STS is not asked with the credentials that count.
        let signed = view.evidence.settings.authentication == Authentication::Sigv4;
        view.evidence
            .identity
            .obstacle()
            .and_then(|it| it.failure.as_ref())
            .filter(|failure| signed && is_auth_failure(failure))
            // A role may be allowed to invoke and still be refused by STS in odd networks; the runtime's answer settles it.
            .filter(|_| {
                view.evidence.invoke.main.known().is_none_or(|invocation| {
                    invocation.attempts().all(|attempt| {
                        !attempt.ok && attempt.failure.as_ref().is_none_or(|failure| !failure.is_answer())
                    })
                })
            })
    })
}

fn is_auth_failure(failure: &Failure) -> bool {
    if failure.kind != FailureKind::Service || network::is_of_a_gateway(failure) {
        return false;
    }
    let by_code = failure.code.as_deref().is_some_and(|code| {
        matches!(
            code,
            "ExpiredTokenException"
                | "ExpiredToken"
                | "UnrecognizedClientException"
                | "InvalidClientTokenId"
                | "InvalidSignatureException"
                | "SignatureDoesNotMatch"
                | "RequestTimeTooSkewed"
                | "RequestExpired"
                | "IncompleteSignature"
                | "IncompleteSignatureException"
                | "authentication_error"
        )
    });
    let text = failure.message.to_lowercase();
    by_code
        || (matches!(failure.status, Some(401 | 403))
            && ["api key", "bearer token", "security token", "authorization header", "signature"]
                .iter()
                .any(|word| text.contains(word)))
}

/// Whether credentials could be got.
pub(super) fn found(view: View<'_>) -> Fact<Diagnosis> {
    if view.works() {
        return Diagnosis::fine();
    }
    let obstacle = match &view.evidence.credentials {
        Fact::Known(_) => return Diagnosis::fine(),
        Fact::Absent(reason) => return Fact::Absent(reason.clone()),
        Fact::Unreadable(obstacle) => obstacle,
    };
    let settings = &view.evidence.settings;
    let winner = settings.winner();
    if let Some(foreseen) = foreseen_sign_in(view, winner) {
        return Fact::Known(foreseen);
    }
    let Some(failure) = &obstacle.failure else { return Fact::Unreadable(obstacle.clone()) };
    if network::is_slow_chain(failure) {
        let metadata = winner.is_none_or(|it| matches!(it.kind, SourceKind::InstanceMetadata | SourceKind::Container));
        if !(metadata && view.evidence.machine.inside_aws.is_some()) {
            // A helper or a sign-in may take its time; that it would have failed nobody saw.
            return Fact::Unreadable(obstacle.clone());
        }
    } else if on_the_way(failure) {
        return of_network(view);
    }
    let base = Diagnosis {
        client: Some(settings.client.spoken().to_owned()),
        profile: winner
            .and_then(|it| it.profile.clone())
            .or_else(|| settings.profile.known().map(|it| it.name.clone())),
        source: winner.map(|it| it.kind.spoken().to_owned()),
        origin: winner.map(|it| it.origin.to_string()),
        value: winner.map(|it| it.detail.clone()),
        region: view.evidence.region.known().map(|region| region.name.clone()),
        ..Diagnosis::default()
    }
    .with_failure(failure);
    let text = failure.message.to_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
    let of = |cause: &str, base: Diagnosis| Fact::Known(Diagnosis { cause: cause.into(), ..base });
    let Some(winner) = winner else {
        if failure.kind == FailureKind::Timeout && view.evidence.machine.inside_aws.is_some() {
            return of("imds-unreachable", base);
        }
        // Outside AWS nobody expects anything of instance metadata; what it said is no reason.
        let inside = view.evidence.machine.inside_aws.is_some();
        let message = base.message.clone().filter(|_| inside);
        // A name that no profile has, or a file that cannot be read, is the reason itself; a network that is down is another one.
        let told = |fact: Fact<Diagnosis>| fact.known().is_some_and(|diagnosis| !diagnosis.is_fine());
        let independent =
            !inside && told(network::diagnose(view)) && !told(place::profile(view)) && !told(client::files(view));
        return of("no-credentials", Diagnosis { independent, message, ..base });
    };
    let mfa = winner.detail.contains("MFA");
    match winner.kind {
        SourceKind::Sso => {
            if has(&[
                "invalid sso config",
                "sso-session named",
                "was not found",
                "can only be specified",
                "must also be set",
                "invalid configuration",
                "selected profile will resolve an access token",
            ]) && !has(&["failed to load the cached", "failed to read"])
            {
                of("sso-config-invalid", base)
            } else if has(&["no access", "forbidden", "resourcenotfound", "no such role"]) {
                of("sso-config-invalid", base.with_subcause("role-not-assigned"))
            } else if on_the_way(failure) {
                of_network(view)
            } else {
                of("sso-session-expired", base)
            }
        }
        SourceKind::Login => of("expired-token", base.with_subcause("login-session")),
        SourceKind::CredentialProcess => of("credential-process-failed", base),
        SourceKind::CredentialExport => of("credential-process-failed", base.with_subcause("credential-export")),
        SourceKind::AssumeRole | SourceKind::WebIdentity => {
            let code = failure.code.as_deref().unwrap_or_default();
            if (mfa && code.starts_with("AccessDenied")) || has(&["mfa", "multi-factor", "multifactor"]) {
                of("mfa-required", base)
            } else if code.starts_with("ExpiredToken") {
                of("expired-token", base.with_subcause("source-of-role"))
            } else if matches!(code, "InvalidClientTokenId" | "UnrecognizedClientException") {
                of("invalid-access-key", base.with_subcause("source-of-role"))
            } else if matches!(code, "SignatureDoesNotMatch") {
                of("signature-mismatch", base.with_subcause("source-of-role"))
            } else if code.starts_with("AccessDenied") || matches!(code, "InvalidIdentityToken" | "IDPRejectedClaim") {
                let denial = super::Denial::parse(&failure.message);
                let cause = match denial.as_ref().and_then(|denial| denial.policy_type) {
                    Some(super::PolicyType::ResourceControl) => "resource-control-policy-deny",
                    Some(super::PolicyType::ServiceControl) => "scp-deny",
                    _ => "assume-role-denied",
                };
                of(
                    cause,
                    Diagnosis {
                        principal: denial.as_ref().and_then(|denial| denial.principal.clone()),
                        action: denial.as_ref().map(|denial| denial.action.clone()),
                        resource: denial.as_ref().and_then(|denial| denial.resource.clone()),
                        policy_arn: denial.and_then(|denial| denial.policy_arn),
                        ..base
                    },
                )
            } else if on_the_way(failure) {
                of_network(view)
            } else if has(&["source_profile", "sso token", "cached sso"]) && has(&["sso"]) {
                of("sso-session-expired", base)
            } else {
                of("no-credentials", base.with_subcause("role-unusable").sure(Confidence::Likely))
            }
        }
        // It answered: there is no role for it to speak of.
        SourceKind::InstanceMetadata if has(&["404 from imds", "received 404"]) => {
            of("no-credentials", base.with_subcause("no-instance-role"))
        }
        SourceKind::InstanceMetadata | SourceKind::Container => of("imds-unreachable", base),
        SourceKind::EnvironmentKeys | SourceKind::ProfileKeys => {
            of("no-credentials", base.with_subcause("incomplete-keys"))
        }
        SourceKind::BearerToken => of("no-credentials", base),
    }
}

fn on_the_way(failure: &Failure) -> bool {
    !matches!(failure.kind, FailureKind::Credentials | FailureKind::Service | FailureKind::Other)
}

/// A sign-in that is over and cannot renew itself is over, whatever the network says.
fn foreseen_sign_in(view: View<'_>, winner: Option<&CredentialSource>) -> Option<Diagnosis> {
    let winner = winner.filter(|winner| winner.kind == SourceKind::Sso && !winner.renewable)?;
    let until = winner.expires_at.as_deref()?;
    let now = view.evidence.taken_at.parse::<jiff::Timestamp>().ok()?;
    (until.parse::<jiff::Timestamp>().ok()? < now).then(|| Diagnosis {
        client: Some(view.evidence.settings.client.spoken().to_owned()),
        profile: winner.profile.clone(),
        source: Some(winner.kind.spoken().to_owned()),
        origin: Some(winner.origin.to_string()),
        value: Some(winner.detail.clone()),
        until: Some(until.to_owned()),
        measured: Some(format!("the sign-in ended at {until}")),
        expected: Some("a valid sign-in".into()),
        independent: true,
        ..Diagnosis::of("sso-session-expired")
    })
}

/// The network's own check says it.
fn of_network(view: View<'_>) -> Fact<Diagnosis> {
    match network::diagnose(view) {
        Fact::Known(diagnosis) if !diagnosis.is_fine() => Diagnosis::fine(),
        other => other,
    }
}

/// Whether the service accepts the credentials.
pub(super) fn accepted(view: View<'_>) -> Fact<Diagnosis> {
    if view.works() {
        return Diagnosis::fine();
    }
    let settings = &view.evidence.settings;
    let bearer = settings.authentication == Authentication::BearerToken;
    let Some(failure) = auth_failure(view) else {
        // STS never sees an API key: only Bedrock itself can say that it takes one.
        return match (&view.evidence.invoke.main, &view.evidence.identity) {
            (Fact::Unreadable(obstacle), Fact::Unreadable(_) | Fact::Absent(_)) => Fact::Unreadable(obstacle.clone()),
            (Fact::Unreadable(obstacle), Fact::Known(_)) if bearer => Fact::Unreadable(obstacle.clone()),
            _ => Diagnosis::fine(),
        };
    };
    let used: Option<&CredentialSource> = settings
        .sources
        .iter()
        .find(|source| if bearer { source.kind == SourceKind::BearerToken } else { source.wins });
    let credentials = view.evidence.credentials.known();
    let base = Diagnosis {
        client: Some(settings.client.spoken().to_owned()),
        source: credentials
            .map(|it| it.source.spoken().to_owned())
            .or_else(|| used.map(|source| source.kind.spoken().to_owned())),
        origin: used.map(|source| source.origin.to_string()),
        value: used.map(|source| source.detail.clone()),
        profile: used.and_then(|source| source.profile.clone()),
        access_key_id: credentials.and_then(|it| it.access_key_id.clone()),
        region: view.evidence.region.known().map(|region| region.name.clone()),
        setting: used.and_then(|source| source.origin.name.clone()),
        until: credentials.and_then(|it| it.expires_at.clone()),
        ..Diagnosis::default()
    }
    .with_failure(failure);
    let cause = if bearer { bearer_cause(failure, used) } else { signed_cause(view, failure) };
    let (cause, subcause) = match cause {
        (cause, Some(subcause)) => (cause, Some(subcause.to_owned())),
        (cause, None) => (cause, None),
    };
    let diagnosis = Diagnosis { cause: cause.to_owned(), subcause, ..base };
    // Refused credentials that shadow others somebody chose on purpose: the remedy is to take them away, not to renew them.
    if let Some(meant) = meant_source(view, used)
        && matches!(
            cause,
            "expired-token"
                | "invalid-access-key"
                | "missing-session-token"
                | "signature-mismatch"
                | "api-key-rejected"
        )
    {
        return Fact::Known(Diagnosis {
            cause: "credential-source-conflict".into(),
            subcause: Some(cause.to_owned()),
            other_source: Some(meant),
            confidence: Confidence::Likely,
            ..diagnosis
        });
    }
    Fact::Known(diagnosis)
}

/// A source that somebody chose on purpose, and that loses against the one in use.
fn meant_source(view: View<'_>, used: Option<&CredentialSource>) -> Option<String> {
    let settings = &view.evidence.settings;
    let used = used?;
    let in_environment = matches!(used.kind, SourceKind::EnvironmentKeys | SourceKind::BearerToken);
    let profile = settings.profile.known()?;
    if in_environment && profile.chosen && profile.exists {
        let kinds: BTreeSet<&str> = settings
            .sources
            .iter()
            .filter(|source| source.profile.as_deref() == Some(profile.name.as_str()) && source.kind != used.kind)
            .map(|source| source.kind.spoken())
            .collect();
        if !kinds.is_empty() {
            let kinds: Vec<&str> = kinds.into_iter().collect();
            return Some(format!("profile `{}` ({})", profile.name, kinds.join(", ")));
        }
    }
    // A settings file that puts another profile over the shell's.
    let shadowed = settings
        .variables
        .iter()
        .find(|setting| setting.name == "AWS_PROFILE")
        .and_then(|setting| setting.shadows.first())?;
    Some(format!("profile `{}` ({})", shadowed.value, shadowed.origin))
}

fn bearer_cause(failure: &Failure, used: Option<&CredentialSource>) -> (&'static str, Option<&'static str>) {
    let text = failure.message.to_lowercase();
    let shape = used.map(|source| source.detail.as_str()).unwrap_or_default();
    if shape.contains("not the shape") {
        return ("api-key-wrong-kind", None);
    }
    if text.contains("pre-defined prefix") {
        // A key of the right shape whose principal may not use API keys gets the same words.
        let of_the_right_shape = used.is_some_and(|source| !source.detail.is_empty());
        return (if of_the_right_shape { "bearer-iam-missing" } else { "api-key-wrong-kind" }, None);
    }
    if text.contains("expired") {
        return ("api-key-rejected", Some("expired"));
    }
    ("api-key-rejected", None)
}

fn signed_cause(view: View<'_>, failure: &Failure) -> (&'static str, Option<&'static str>) {
    let code = failure.code.as_deref().unwrap_or_default();
    let text = failure.message.to_lowercase();
    if code.starts_with("ExpiredToken") || text.contains("token included in the request is expired") {
        return ("expired-token", None);
    }
    if text.contains("signature expired") || text.contains("not yet current") || code == "RequestTimeTooSkewed" {
        // The clock's own check says it, earlier.
        return ("clock-skew", None);
    }
    if text.contains("valid region") {
        return ("region-missing-or-invalid", None);
    }
    if text.contains("signature we calculated") || matches!(code, "SignatureDoesNotMatch" | "InvalidSignatureException")
    {
        return ("signature-mismatch", None);
    }
    let Some(credentials) = view.evidence.credentials.known() else { return ("invalid-access-key", None) };
    let key = credentials.access_key_id.as_deref().unwrap_or_default();
    if key.starts_with("ASIA") && !credentials.temporary {
        return ("missing-session-token", None);
    }
    if key.starts_with("AKIA") && credentials.temporary {
        // Long-term keys have no session token: it belongs to somebody else's.
        return ("credential-source-conflict", Some("foreign-session-token"));
    }
    if view.evidence.identity_elsewhere.known().is_some() {
        return ("opt-in-region-not-enabled", None);
    }
    ("invalid-access-key", None)
}
