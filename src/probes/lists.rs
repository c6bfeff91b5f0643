//! Foundation models and inference profiles, as the account lists them.

use super::{
    Probe,
    context::{Aws, fact},
    within,
};
use crate::{aws::ProfileKind, evidence::Update};

pub(super) async fn probe(aws: &Aws<'_>) {
    let context = aws.context;
    if !context.wants(Probe::Lists) {
        return;
    }
    let limit = context.limit();
    context
        .announced(Probe::Lists, async {
            tokio::join!(
                async {
                    let models = within(limit, async {
                        fact((*aws.foundation_models().await).clone(), "bedrock:ListFoundationModels")
                    });
                    context.send(Update::Models(models.await));
                },
                async {
                    let profiles = within(limit, async {
                        fact((*aws.system_profiles().await).clone(), "bedrock:ListInferenceProfiles")
                    });
                    context.send(Update::SystemProfiles(profiles.await));
                },
                async {
                    let profiles = within(limit, async {
                        fact(
                            aws.access.inference_profiles(ProfileKind::Application).await,
                            "bedrock:ListInferenceProfiles",
                        )
                    });
                    context.send(Update::ApplicationProfiles(profiles.await));
                },
            );
        })
        .await;
}
