//! Derived facts: what facts mean, decided by pure functions when judging. All hard judgment lives here, so that the conditions of
//! checks stay short comparisons; a record of last year is judged with today's understanding.

mod account;
mod authentication;
mod authorization;
mod capacity;
mod client;
mod denial;
mod diagnosis;
mod history;
mod invocation;
mod limits;
mod model_id;
mod network;
mod place;

use schemars::JsonSchema;
use serde::Serialize;

pub use denial::{Denial, PolicyType};
pub use diagnosis::Diagnosis;
pub use invocation::InvocationDiagnoses;
pub use model_id::{ModelRef, Prefix};

use crate::{
    evidence::{Evidence, Fact, ModelRole},
    knowledge::Knowledge,
    signature::Matcher,
};

/// Everything derived from one evidence document. A diagnosis without a cause means: nothing wrong there.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Derived {
    /// Whether the client talks to Bedrock at all.
    pub provider: Fact<Diagnosis>,
    /// Settings files of the client and of AWS.
    pub files: Fact<Diagnosis>,
    /// Version of the client program.
    pub version: Fact<Diagnosis>,
    /// Prompt caching switched off.
    pub caching: Fact<Diagnosis>,
    /// The Region.
    pub region: Fact<Diagnosis>,
    /// The AWS profile.
    pub profile: Fact<Diagnosis>,
    /// This machine's clock.
    pub clock: Fact<Diagnosis>,
    /// The way to the service.
    pub network: Fact<Diagnosis>,
    /// Whether credentials could be got.
    pub credentials: Fact<Diagnosis>,
    /// Whether the service accepts them.
    pub authentication: Fact<Diagnosis>,
    /// Invocations by role.
    pub invoke: InvokeDiagnoses,
    /// The main model's announced end.
    pub lifecycle: Fact<Diagnosis>,
    /// A gate of the account that the next fix would reveal.
    pub next_gate: Fact<Diagnosis>,
    /// What one request reserves against the quota.
    pub reservation: Fact<Diagnosis>,
    /// The client's own time limit.
    pub patience: Fact<Diagnosis>,
    /// Throttling of this principal within the last hour.
    pub recent_throttling: Fact<Diagnosis>,
}

/// Diagnoses by role of the model.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct InvokeDiagnoses {
    /// The main model.
    pub main: InvocationDiagnoses,
    /// The background model, in one.
    pub background: Fact<Diagnosis>,
    /// The subagents' model, in one.
    pub subagent: Fact<Diagnosis>,
    /// The fallback model, in one.
    pub fallback: Fact<Diagnosis>,
}

/// What every derivation may look at.
#[derive(Clone, Copy)]
pub(crate) struct View<'a> {
    pub(crate) evidence: &'a Evidence,
    pub(crate) knowledge: &'a Knowledge,
    pub(crate) matcher: &'a Matcher,
}

impl View<'_> {
    /// Whether the client's own call of its main model passed, by every operation that the client needs.
    pub(crate) fn works(&self) -> bool {
        self.evidence.invoke.main.known().is_some_and(|invocation| invocation.works(self.evidence.settings.client))
    }
}

impl Derived {
    /// Derives everything.
    pub fn from_evidence(evidence: &Evidence, knowledge: &Knowledge, matcher: &Matcher) -> Self {
        let view = View { evidence, knowledge, matcher };
        let main = invocation::diagnose(view, ModelRole::Main);
        let authentication = authentication::accepted(view);
        Self {
            provider: client::provider(view),
            files: client::files(view),
            version: client::version(view),
            caching: client::caching(view),
            region: place::region(view, &main),
            profile: place::profile(view),
            clock: authentication::clock(view),
            network: network::diagnose(view),
            credentials: authentication::found(view),
            authentication,
            lifecycle: model_id::lifecycle(view),
            next_gate: account::next_gate(view),
            reservation: limits::reservation(view),
            patience: limits::patience(view),
            recent_throttling: history::recent_throttling(view),
            invoke: InvokeDiagnoses {
                background: invocation::secondary(view, ModelRole::Background),
                subagent: invocation::secondary(view, ModelRole::Subagent),
                fallback: invocation::secondary(view, ModelRole::Fallback),
                main,
            },
        }
    }
}
