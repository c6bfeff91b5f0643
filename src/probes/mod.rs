//! Probes: they gather facts by I/O and know nothing of verdicts. All of them start together; only true data dependencies wait, so
//! that the time a run takes is that of its longest chain of calls.
//!
//! They run in a process of their own that was started with exactly the client's environment, and send back one line of JSON for
//! each fact as soon as it is known.

mod access;
mod context;
mod credentials;
mod history;
mod identity;
mod invoke;
mod lists;
mod network;
mod plan;
mod programs;
mod quotas;

use std::{sync::Arc, time::Duration};

pub use plan::{Probe, ProbePlan, QuotaCode};

use crate::{
    evidence::{Fact, ModelRole, Update, Why},
    world::World,
};
use context::Context;

/// Receives what the probes send.
pub type Sink = Arc<dyn Fn(Update) + Send + Sync>;

/// Runs the planned probes, all at once.
pub async fn run(world: World, plan: ProbePlan, sink: Sink) {
    let context = Context::new(world, plan, sink.clone()).await;
    let context = &context;
    tokio::join!(programs::probe(context), async {
        tokio::join!(network::probe(context), async {
            if let Some(aws) = credentials::probe(context).await {
                let aws = &aws;
                tokio::join!(
                    identity::probe(aws),
                    lists::probe(aws),
                    access::probe(aws),
                    invoke::probe(aws),
                    quotas::probe(aws),
                    history::probe(aws),
                );
            }
        });
        context.rest_is_done();
    });
    sink(Update::End);
}

/// Waits for a probe until its deadline; what is then missing is said to have timed out, with the number.
async fn within<T>(limit: Duration, work: impl Future<Output = Fact<T>>) -> Fact<T> {
    match tokio::time::timeout(limit, work).await {
        Ok(fact) => fact,
        Err(_) => Fact::unreadable(Why::Timeout, format!("no answer within {} s", limit.as_secs_f32())),
    }
}

/// The roles of models, the main one first.
const ROLES: [ModelRole; 4] = [ModelRole::Main, ModelRole::Background, ModelRole::Subagent, ModelRole::Fallback];
