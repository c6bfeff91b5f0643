//! The gates of the account: availability of the main model, the use-case form, the data retention mode.

use super::{
    Probe,
    context::{Aws, fact, unreadable},
    invoke, within,
};
use crate::evidence::{Fact, Update};

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
