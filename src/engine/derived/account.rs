//! Gates of the account that the service has not come to yet: fixing one gate reveals the next, so the next is named before.

use super::{Diagnosis, ModelRef, View};
use crate::{evidence::Fact, knowledge::Confidence};

/// A gate that stands behind the one that the invocation met.
pub(super) fn next_gate(view: View<'_>) -> Fact<Diagnosis> {
    if view.works() {
        return Diagnosis::fine();
    }
    let evidence = view.evidence;
    let Some(invocation) = evidence.invoke.main.known() else {
        return Fact::Absent("no model was invoked".into());
    };
    let said = |words: &str| {
        invocation
            .attempts()
            .filter_map(|attempt| attempt.failure.as_ref())
            .any(|failure| failure.message.to_lowercase().contains(words))
    };
    let base = Diagnosis {
        model_id: Some(invocation.model_id.clone()),
        region: Some(invocation.region.clone()),
        account: evidence.identity.known().map(|identity| identity.account.clone()),
        profile: evidence.settings.winner().and_then(|it| it.profile.clone()),
        confidence: Confidence::Likely,
        ..Diagnosis::default()
    };
    if evidence.access.use_case_form.known() == Some(&false) && !said("use case details") {
        return Fact::Known(Diagnosis {
            cause: "use-case-form-missing".into(),
            evidence: Some("Bedrock says so itself when it is asked for the form.".into()),
            ..base
        });
    }
    let foundation = ModelRef::parse(&invocation.model_id).foundation_model;
    let needs =
        foundation.as_deref().and_then(|model| view.knowledge.tables.model(model)).map(|model| &model.needs_retention);
    if let (Some(needs), Some(mode)) = (needs, evidence.access.data_retention.known())
        && !needs.is_empty()
        && !needs.contains(mode)
        && !said("data retention")
    {
        return Fact::Known(Diagnosis {
            cause: "data-retention-mode-required".into(),
            value: Some(mode.clone()),
            expected: needs.first().cloned(),
            evidence: Some(format!("the account's data retention mode in {} is {mode}", invocation.region)),
            ..base
        });
    }
    Diagnosis::fine()
}
