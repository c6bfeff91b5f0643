//! Throttling: which quota it was, and whether that quota is zero.

use super::{Diagnosis, View};
use crate::{
    evidence::{ModelRole, Quota, QuotaUnit},
    knowledge::Confidence,
};

/// A quota that is zero throttles every call, whatever else is in the way first.
pub(super) fn zero_quota(view: View<'_>, role: ModelRole) -> Option<Diagnosis> {
    let quotas = view.evidence.quotas.known()?;
    let zero = quotas.iter().find(|quota| quota.role == role && quota.applied == Some(0.0))?;
    Some(Diagnosis {
        model_id: view.evidence.invoke.of(role).known().map(|invocation| invocation.model_id.clone()),
        region: view.evidence.region.known().map(|region| region.name.clone()),
        account: view.evidence.identity.known().map(|identity| identity.account.clone()),
        measured: Some(format!("0 {}", zero.unit.spoken())),
        expected: Some("more than 0".into()),
        independent: true,
        ..at_zero(zero, Diagnosis::default())
    })
}

/// A diagnosis of a quota that is zero, with what is known of that quota.
fn at_zero(zero: &Quota, diagnosis: Diagnosis) -> Diagnosis {
    Diagnosis {
        cause: "zero-quota-account".into(),
        confidence: Confidence::Certain,
        quota: Some(zero.name.clone()),
        quota_code: Some(zero.code.clone()),
        amount: Some(format!("0 {}", zero.unit.spoken())),
        limit: zero.default.map(|default| format!("{default:.0} {}", zero.unit.spoken())),
        ..diagnosis
    }
}

/// A throttle on the first call of all may mean that the applied quota is zero, whatever the text says.
pub(super) fn throttled(view: View<'_>, mut diagnosis: Diagnosis) -> Diagnosis {
    let unit = match diagnosis.cause.as_str() {
        "throttle-requests" => QuotaUnit::RequestsPerMinute,
        "throttle-tokens-per-minute" => QuotaUnit::TokensPerMinute,
        _ => QuotaUnit::TokensPerDay,
    };
    let Some(quotas) = view.evidence.quotas.known() else {
        // On a new account the same words mean a quota of zero; only the quotas tell.
        if unit == QuotaUnit::TokensPerDay {
            diagnosis.confidence = Confidence::Likely;
            diagnosis.subcause = Some("quotas-not-read".into());
        }
        return diagnosis;
    };
    let own: Vec<_> = quotas.iter().filter(|quota| diagnosis.role.as_deref() == Some(quota.role.name())).collect();
    if let Some(zero) = own.iter().find(|quota| quota.applied == Some(0.0)) {
        return at_zero(zero, diagnosis);
    }
    if let Some(quota) = own.iter().find(|quota| quota.unit == unit) {
        diagnosis.quota = Some(quota.name.clone());
        diagnosis.quota_code = Some(quota.code.clone());
        diagnosis.limit = quota.applied.map(|applied| format!("{applied:.0} {}", quota.unit.spoken()));
        diagnosis.evidence = diagnosis.limit.as_ref().map(|limit| format!("{}: {limit}.", quota.name));
    }
    diagnosis
}
