//! A refusal of IAM or the organization: which kind of policy denied, and which ARNs one invocation needs.

use super::{Denial, Diagnosis, ModelRef, PolicyType, Prefix, View, model_id::listed_id};
use crate::{evidence::Failure, knowledge::Confidence};

pub(super) fn denial_of(failure: &Failure) -> Option<Denial> {
    let refused = failure.status == Some(403)
        || failure.code.as_deref().is_some_and(|code| code.contains("AccessDenied") || code == "permission_error");
    refused.then(|| Denial::parse(&failure.message)).flatten()
}

/// Which kind of policy denied, and what the ARN adds to it.
pub(super) fn denied(view: View<'_>, sent: &ModelRef, denial: &Denial, mut diagnosis: Diagnosis) -> Diagnosis {
    let region = diagnosis.region.clone().unwrap_or_default();
    let denied_region = denial.resource_region().map(str::to_owned);
    let elsewhere = denial.is_about_foundation_model() && denied_region.as_deref().is_some_and(|it| it != region);
    diagnosis.action = Some(denial.action.clone());
    diagnosis.resource.clone_from(&denial.resource);
    diagnosis.resource_region =
        denied_region.map(|it| if it.is_empty() { "no Region (a global profile)".to_owned() } else { it });
    diagnosis.policy_type = denial.policy_type.map(|kind| kind.spoken().to_owned());
    diagnosis.policy_arn.clone_from(&denial.policy_arn);
    if let Some(principal) = &denial.principal {
        diagnosis.principal = Some(principal.clone());
    }
    diagnosis.resources = Some(arns_to_allow(view, sent, &diagnosis));
    let (cause, confidence) = match (denial.policy_type, denial.explicit) {
        _ if denial.action.ends_with(":CallWithBearerToken") => ("bearer-iam-missing", Confidence::Certain),
        // An expired card can stand behind the same denial.
        _ if denial.action.starts_with("aws-marketplace:") => ("marketplace-permissions-missing", Confidence::Likely),
        (Some(PolicyType::ServiceControl), _) if elsewhere => ("scp-cross-region-deny", Confidence::Certain),
        (Some(PolicyType::ServiceControl), _) => ("scp-deny", Confidence::Certain),
        (Some(PolicyType::ResourceControl), _) => ("resource-control-policy-deny", Confidence::Certain),
        (Some(PolicyType::Boundary), _) => ("permissions-boundary-deny", Confidence::Certain),
        (Some(PolicyType::Session), _) => ("session-policy-deny", Confidence::Certain),
        (Some(PolicyType::VpcEndpoint), _) => ("vpce-policy-deny", Confidence::Certain),
        (Some(PolicyType::Identity | PolicyType::Resource), true) => {
            ("iam-explicit-deny-identity", Confidence::Certain)
        }
        (Some(PolicyType::Identity | PolicyType::Resource), false) if elsewhere => {
            ("iam-destination-region-missing", Confidence::Certain)
        }
        (Some(PolicyType::Identity | PolicyType::Resource), false) => {
            ("iam-identity-policy-missing", Confidence::Certain)
        }
        // The short form names no policy: the caller's own is by far the most frequent.
        (None, _) if elsewhere => ("iam-destination-region-missing", Confidence::Likely),
        (None, _) => ("iam-identity-policy-missing", Confidence::Likely),
    };
    diagnosis.cause = cause.to_owned();
    diagnosis.confidence = confidence;
    if denial.resource_region() == Some("") {
        diagnosis.subcause = Some("global-profile".into());
    }
    if cause == "scp-cross-region-deny" {
        diagnosis.suggested_model = geographic_alternative(view, sent);
    }
    diagnosis
}

/// A profile of the same model that stays inside a geography, for those whom an organization keeps from `global.`.
fn geographic_alternative(view: View<'_>, sent: &ModelRef) -> Option<String> {
    let foundation = sent.foundation_model.as_deref()?;
    let id = listed_id(view, foundation, None)?;
    (id != sent.id && ModelRef::parse(&id).prefix != Some(Prefix::Global)).then_some(id)
}

/// The ARNs that one invocation needs (AWS docs: prerequisites of inference profiles, geographic and global cross-Region inference).
fn arns_to_allow(view: View<'_>, sent: &ModelRef, diagnosis: &Diagnosis) -> String {
    let region = diagnosis.region.as_deref().unwrap_or("*");
    let account = diagnosis.account.as_deref().unwrap_or("*");
    let partition = view.evidence.identity.known().map_or("aws", |identity| identity.partition.as_str());
    let mut arns = Vec::new();
    let listed = view
        .evidence
        .profiles
        .system
        .known()
        .into_iter()
        .chain(view.evidence.profiles.application.known())
        .flatten()
        .find(|profile| profile.id == sent.id || profile.arn == sent.id);
    if let Some(profile) = listed {
        arns.push(profile.arn.clone());
        for region in &profile.regions {
            arns.push(format!("arn:{partition}:bedrock:{region}::foundation-model/{}", profile.model_id));
        }
    } else if sent.is_arn {
        arns.push(sent.id.clone());
        if let Some(foundation) = &sent.foundation_model
            && sent.prefix.is_some()
        {
            arns.push(format!("arn:{partition}:bedrock:*::foundation-model/{foundation}"));
        }
    } else if let Some(foundation) = &sent.foundation_model {
        if sent.prefix.is_some() {
            arns.push(format!("arn:{partition}:bedrock:{region}:{account}:inference-profile/{}", sent.id));
            arns.push(format!("arn:{partition}:bedrock:*::foundation-model/{foundation}"));
        } else {
            arns.push(format!("arn:{partition}:bedrock:{region}::foundation-model/{foundation}"));
        }
    }
    arns.dedup();
    arns.join("\n")
}
