//! Who is calling.

use super::{
    Probe,
    context::{Aws, fact},
    within,
};
use crate::evidence::{Fact, Update};

pub(super) async fn probe(aws: &Aws<'_>) {
    let context = aws.context;
    if !context.wants(Probe::Identity) {
        return;
    }
    if !aws.can_sign {
        context.send(Update::Identity(Fact::Absent("an API key does not tell its account or principal".into())));
        return;
    }
    context
        .announced(Probe::Identity, async {
            let identity =
                within(context.limit(), async { fact(aws.access.caller_identity().await, "sts:GetCallerIdentity") })
                    .await;
            let refused = identity.obstacle().and_then(|it| it.failure.as_ref()).is_some_and(|failure| {
                matches!(failure.code.as_deref(), Some("InvalidClientTokenId" | "UnrecognizedClientException"))
            });
            let region = context.plan.region.known().map(|region| region.name.clone()).unwrap_or_default();
            // Good credentials are refused just so in a Region that the account has not enabled: another Region tells.
            if refused && context.plan.opt_in_regions.contains(&region) {
                let elsewhere = within(context.limit(), async {
                    match aws.access.caller_identity_in(ALWAYS_ON).await {
                        Ok(_) => Fact::Known(ALWAYS_ON.to_owned()),
                        Err(_) => Fact::Absent(format!("{ALWAYS_ON} refused them too")),
                    }
                })
                .await;
                context.send(Update::IdentityElsewhere(elsewhere));
            }
            context.send(Update::Identity(identity));
        })
        .await;
}

/// A Region that every account of the standard partition has.
const ALWAYS_ON: &str = "us-east-1";
