//! What the probing process sends back, one line of JSON each.

use serde::{Deserialize, Serialize};

use super::{
    Availability, Call, Clients, Credentials, Evidence, Fact, FoundationModel, History, HostReport, Identity,
    InferenceProfile, Invocation, ModelRole, ModelSetting, Quota, RegionAvailability,
};

/// One piece of news from the probes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Update {
    /// The probe of this name has begun.
    Began(String),
    /// The probe of this name is done.
    Done(String),
    /// See [`Evidence::clients`].
    Clients(Clients),
    /// See [`Evidence::credentials`].
    Credentials(Fact<Credentials>),
    /// See [`Evidence::network`].
    Network(Fact<Vec<HostReport>>),
    /// See [`Evidence::identity`].
    Identity(Fact<Identity>),
    /// See [`Evidence::identity_elsewhere`].
    IdentityElsewhere(Fact<String>),
    /// See [`Evidence::models`].
    Models(Fact<Vec<FoundationModel>>),
    /// See [`Evidence::profiles`].
    SystemProfiles(Fact<Vec<InferenceProfile>>),
    /// See [`Evidence::profiles`].
    ApplicationProfiles(Fact<Vec<InferenceProfile>>),
    /// See [`Evidence::access`].
    Availability(Fact<Availability>),
    /// See [`Evidence::access`].
    UseCaseForm(Fact<bool>),
    /// See [`Evidence::access`].
    DataRetention(Fact<String>),
    /// See [`Evidence::access`].
    Elsewhere(Fact<Vec<RegionAvailability>>),
    /// A model that only the account's lists could tell.
    Model(ModelRole, Fact<ModelSetting>),
    /// See [`Evidence::invoke`].
    Invoke(ModelRole, Fact<Invocation>),
    /// See [`Evidence::quotas`].
    Quotas(Fact<Vec<Quota>>),
    /// See [`Evidence::history`].
    History(Fact<History>),
    /// See [`Evidence::calls`].
    Call(Call),
    /// Every probe is done.
    End,
}

impl Evidence {
    /// Marks the recorded calls of the present principal, when both are known.
    pub fn mark_own(&mut self) {
        let (Fact::Known(identity), Fact::Known(history)) = (&self.identity, &mut self.history) else { return };
        for failure in &mut history.failures {
            failure.own = failure.principal.as_ref() == Some(&identity.arn);
        }
    }

    /// Takes a piece of news into the document.
    pub fn apply(&mut self, update: Update) {
        match update {
            Update::Began(_) | Update::Done(_) | Update::End => {}
            Update::Clients(clients) => self.clients = clients,
            Update::Credentials(fact) => self.credentials = fact,
            Update::Network(fact) => self.network = fact,
            Update::Identity(fact) => self.identity = fact,
            Update::IdentityElsewhere(fact) => self.identity_elsewhere = fact,
            Update::Models(fact) => self.models.list = fact,
            Update::SystemProfiles(fact) => self.profiles.system = fact,
            Update::ApplicationProfiles(fact) => self.profiles.application = fact,
            Update::Availability(fact) => self.access.availability = fact,
            Update::UseCaseForm(fact) => self.access.use_case_form = fact,
            Update::DataRetention(fact) => self.access.data_retention = fact,
            Update::Elsewhere(fact) => self.access.elsewhere = fact,
            Update::Model(role, fact) => match role {
                ModelRole::Main => self.settings.models.main = fact,
                ModelRole::Background => self.settings.models.background = fact,
                ModelRole::Subagent => self.settings.models.subagent = fact,
                ModelRole::Fallback => self.settings.models.fallback = fact,
            },
            Update::Invoke(role, fact) => *self.invoke.of_mut(role) = fact,
            Update::Quotas(fact) => self.quotas = fact,
            Update::History(fact) => self.history = fact,
            Update::Call(call) => {
                self.simulated |= call.simulated;
                self.calls.push(call);
            }
        }
    }
}
