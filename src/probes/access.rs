//! The gates of the account: availability of the main model, the use-case form, the data retention mode.

use super::{
    Probe,
    context::{Aws, fact, unreadable},
    invoke, within,
};
use crate::evidence::{Fact, RegionAvailability, Update};

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
                            Err(failure) if failure.is_answer() && failure.status == Some(404) => Fact::Known(false),
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
    let Err(refusal) = context.main_outcome().await else { return };
    if !refusal.to_lowercase().contains("have access to the model") {
        return;
    }
    let Some(model) = invoke::foundation_model(aws).await else { return };
    let mut found = Vec::new();
    for (region, named_by) in &context.plan.elsewhere {
        let Ok(it) = aws.access.availability(&model, Some(region)).await else { continue };
        let usable = it.authorization == "AUTHORIZED" && it.entitlement == "AVAILABLE" && it.region == "AVAILABLE";
        found.push(RegionAvailability { region: region.clone(), named_by: named_by.clone(), usable });
    }
    context.send(Update::Elsewhere(Fact::Known(found)));
}
