//! The credential chain: asked once, before anything that needs it.

use super::{
    Probe,
    context::{Aws, Context},
};
use crate::{
    aws::Resolved,
    evidence::{
        Authentication, Credentials, Fact, Failure, FailureKind, ModelRole, SourceKind, Unreadable, Update, Why,
    },
};

/// Asks the chain, and returns what everything else calls AWS with; nothing when there are no credentials and no API key.
pub(super) async fn probe(context: &Context) -> Option<Aws<'_>> {
    let settings = &context.plan.settings;
    if settings.unsupported.is_some() {
        let reason = settings.unsupported.clone().unwrap_or_default();
        context.send(Update::Credentials(Fact::unreadable(Why::Unsupported, reason.clone())));
        give_up(context, Why::Unsupported, &reason);
        return None;
    }
    let bearer = settings.authentication == Authentication::BearerToken;
    if settings.authentication == Authentication::None {
        let reason = "requests are not signed on this machine (CLAUDE_CODE_SKIP_BEDROCK_AUTH)";
        context.send(Update::Credentials(Fact::unreadable(Why::Unsupported, reason)));
        give_up(context, Why::Unsupported, reason);
        return None;
    }
    if bearer {
        // An API key comes before every other source. What else lies about belongs to nobody who calls Bedrock here: its account,
        // quotas and history would be told as those of the key.
        let mut aws = None;
        context
            .announced(Probe::Credentials, async {
                context.send(Update::Credentials(Fact::Known(of_key(context))));
                aws = Some(Aws::new(context, context.access.clone(), false));
            })
            .await;
        return aws;
    }
    if settings.sources.iter().any(|source| source.kind == SourceKind::CredentialExport && source.wins) {
        let reason = "Claude Code gets its credentials from awsCredentialExport, a helper that bedside does not run without consent";
        context.send(Update::Credentials(Fact::unreadable(Why::Unsupported, reason)));
        give_up(context, Why::Dependency, reason);
        return None;
    }
    if let Some(reason) = &context.plan.no_chain {
        // The SDK would ask the next source; the client stops here.
        let mut failure = Failure::local(FailureKind::Credentials, reason);
        failure.code = Some("ProfileNotFound".to_owned());
        context.send(Update::Credentials(Fact::Unreadable(Unreadable {
            why: Why::Fault,
            detail: reason.clone(),
            permission: None,
            failure: Some(failure),
        })));
        give_up(context, Why::Dependency, "there are no credentials to call AWS with");
        return None;
    }
    let mut aws = None;
    context
        .announced(Probe::Credentials, async {
            aws = match resolve(context).await {
                Ok(resolved) => {
                    context.send(Update::Credentials(Fact::Known(known(context, &resolved))));
                    Some(Aws::new(context, context.access.with_credentials(&resolved), true))
                }
                Err(failure) => {
                    let why = match failure.kind {
                        FailureKind::Timeout => Why::Timeout,
                        _ => Why::Fault,
                    };
                    let detail = failure.spoken();
                    context.send(Update::Credentials(Fact::Unreadable(Unreadable {
                        why,
                        detail,
                        permission: None,
                        failure: Some(failure),
                    })));
                    give_up(context, Why::Dependency, "there are no credentials to call AWS with");
                    None
                }
            };
        })
        .await;
    aws
}

async fn resolve(context: &Context) -> Result<Resolved, Failure> {
    let limit = context.limit();
    if let Ok(outcome) = tokio::time::timeout(limit, context.access.resolve_credentials()).await {
        return outcome;
    }
    let message = format!("the credential chain gave no answer within {} s", limit.as_secs_f32());
    let mut failure = Failure::local(FailureKind::Timeout, message);
    // A helper or a sign-in may be slow without any fault of the network.
    failure.code = Some("CredentialChainTimedOut".to_owned());
    Err(failure)
}

fn known(context: &Context, resolved: &Resolved) -> Credentials {
    let winner =
        context.plan.settings.sources.iter().find(|source| source.wins && source.kind != SourceKind::BearerToken);
    let predicted = winner.map(|source| source.kind);
    let of_profile = |source: SourceKind| match source {
        SourceKind::EnvironmentKeys if context.plan.keys_of_profile => SourceKind::ProfileKeys,
        other => other,
    };
    let seen = resolved.source.map(of_profile);
    let source = seen.or(predicted).unwrap_or(SourceKind::EnvironmentKeys);
    Credentials {
        source,
        detail: winner.filter(|winner| winner.kind == source).map(|winner| winner.detail.clone()).unwrap_or_default(),
        access_key_id: Some(resolved.access_key_id.clone()),
        temporary: resolved.temporary,
        expires_at: resolved.expires_at.map(|at| at.to_string()),
        as_predicted: seen.is_none() || seen == predicted,
        predicted,
    }
}

fn of_key(context: &Context) -> Credentials {
    let source = context.plan.settings.sources.iter().find(|source| source.kind == SourceKind::BearerToken);
    Credentials {
        source: SourceKind::BearerToken,
        detail: source.map(|source| source.detail.clone()).unwrap_or_default(),
        access_key_id: None,
        temporary: false,
        expires_at: None,
        as_predicted: true,
        predicted: Some(SourceKind::BearerToken),
    }
}

/// Says of everything that needs credentials that it could not be looked at.
fn give_up(context: &Context, why: Why, reason: &str) {
    fn missing<T>(why: Why, reason: &str) -> Fact<T> {
        Fact::unreadable(why, reason)
    }
    context.send(Update::Identity(missing(why, reason)));
    context.send(Update::Models(missing(why, reason)));
    context.send(Update::SystemProfiles(missing(why, reason)));
    context.send(Update::ApplicationProfiles(missing(why, reason)));
    context.send(Update::Availability(missing(why, reason)));
    context.send(Update::UseCaseForm(missing(why, reason)));
    context.send(Update::DataRetention(missing(why, reason)));
    context.send(Update::Quotas(missing(why, reason)));
    context.send(Update::History(missing(why, reason)));
    for role in super::ROLES {
        let fact = match context.plan.settings.models.of(role) {
            Fact::Absent(reason) if role != ModelRole::Main => Fact::Absent(reason.clone()),
            _ => missing(why, reason),
        };
        context.send(Update::Invoke(role, fact));
    }
}
