//! The gates of the account: availability of the main model, the use-case form, the data retention mode.

use super::{
    Probe,
    context::{Aws, fact, unreadable},
    invoke, within,
};
use crate::evidence::{Fact, Failure, RegionAvailability, Update};

pub(super) async fn probe(aws: &Aws<'_>) {
    let context = aws.context;
    if !context.wants(Probe::Access) {
        return;
    }
    let limit = context.limit();
    context
        .announced(Probe::Access, async {
            tokio::join!(
                async {
                    let availability = within(limit, async {
                        let Some(model) = invoke::foundation_model(aws).await else {
                            return Fact::Absent("the foundation model behind the main model is not known".into());
                        };
                        fact(aws.access.availability(&model, None).await, "bedrock:GetFoundationModelAvailability")
                    });
                    context.send(Update::Availability(availability.await));
                },
                elsewhere(aws),
                async {
                    let form = within(limit, async {
                        match aws.access.use_case_form().await {
                            Ok(()) => Fact::Known(true),
                            Err(failure) if says_not_submitted(&failure) => Fact::Known(false),
                            Err(failure) => unreadable(failure, "bedrock:GetUseCaseForModelAccess"),
                        }
                    });
                    context.send(Update::UseCaseForm(form.await));
                },
                async {
                    let mode = within(limit, async {
                        fact(aws.access.data_retention().await, "bedrock:GetAccountDataRetention")
                    });
                    context.send(Update::DataRetention(mode.await));
                },
            );
        })
        .await;
}

/// The same refusal comes for a missing grant and for the wrong Region: other Regions that the settings name tell them apart. Asked
/// only then.
async fn elsewhere(aws: &Aws<'_>) {
    let context = aws.context;
    if context.plan.elsewhere.is_empty() {
        return;
    }
    let Err(Some(refusal)) = context.main_outcome().await else { return };
    if !refusal.message.to_lowercase().contains("have access to the model") {
        return;
    }
    let found = within(context.limit(), async {
        let Some(model) = invoke::foundation_model(aws).await else {
            return Fact::Absent("the foundation model behind the main model is not known".into());
        };
        let mut asked = tokio::task::JoinSet::new();
        for (index, (region, _)) in context.plan.elsewhere.iter().enumerate() {
            let (access, model, region) = (aws.access.clone(), model.clone(), region.clone());
            asked.spawn(async move { (index, access.availability(&model, Some(&region)).await) });
        }
        let mut found = Vec::new();
        while let Some(Ok((index, answer))) = asked.join_next().await {
            let (Ok(it), Some((region, named_by))) = (answer, context.plan.elsewhere.get(index)) else { continue };
            let usable = it.authorization == "AUTHORIZED" && it.entitlement == "AVAILABLE" && it.region == "AVAILABLE";
            found.push((index, RegionAvailability { region: region.clone(), named_by: named_by.clone(), usable }));
        }
        found.sort_by_key(|(index, _)| *index);
        Fact::Known(found.into_iter().map(|(_, region)| region).collect())
    });
    context.send(Update::Elsewhere(found.await));
}

/// The service's own word for a form that is not there; a 404 of a proxy or of a Region without the operation is not that.
fn says_not_submitted(failure: &Failure) -> bool {
    failure.is_answer()
        && (failure.code.as_deref() == Some("ResourceNotFoundException")
            || failure.message.contains("have not filled out the request form"))
}

#[cfg(test)]
mod tests {
    use super::says_not_submitted;
    use crate::evidence::{Failure, FailureKind};

    #[test]
    fn not_every_404_is_a_missing_form() {
        let of = |code: Option<&str>, message: &str| {
            let mut failure = Failure::local(FailureKind::Service, message);
            failure.status = Some(404);
            failure.code = code.map(str::to_owned);
            failure
        };
        assert!(says_not_submitted(&of(Some("ResourceNotFoundException"), "no")));
        assert!(says_not_submitted(&of(None, "You have not filled out the request form. Fill it out.")));
        assert!(!says_not_submitted(&of(Some("UnknownOperationException"), "")));
        assert!(!says_not_submitted(&of(None, "Not Found")));
    }
}
