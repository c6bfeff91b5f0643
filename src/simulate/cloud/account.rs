//! One account: its organization, its standing with Bedrock and what it may do with each model.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::{QuotaBook, Trail, WorldError, policy, principal_policy};
use crate::simulate::catalog::{Model, catalog};
use crate::simulate::iam::pattern::matches_plain;
use crate::simulate::iam::{Policy, managed_policy};
use crate::simulate::scenario::world::{AgreementState, LifeCycle, ModelSpec, OrganizationSpec, PolicySpec};
use crate::simulate::scenario::{Span, WorldSpec};
use crate::simulate::seed::Seed;

/// An account.
#[derive(Debug)]
pub struct Account {
    /// Its name in the scenario; the story's own account has an empty one.
    pub name: String,
    pub id: String,
    pub alias: String,
    pub opted_in: BTreeSet<String>,
    /// The use-case form, once submitted.
    pub form: Option<Vec<u8>>,
    /// Data-retention mode by Region; `*` is every Region.
    pub retention: BTreeMap<String, String>,
    pub authorized: bool,
    pub authorized_text: String,
    pub supported_country: bool,
    pub payment_valid: bool,
    pub organization: Option<Organization>,
    /// What the scenario says of models; later entries win.
    pub models: Vec<ModelSpec>,
    /// Agreements made or ended while the simulation runs.
    pub agreements: BTreeMap<String, AgreementState>,
    pub application_profiles: Vec<ApplicationProfile>,
    pub quotas: QuotaBook,
    pub trail: Trail,
    started: Timestamp,
}

/// The organization that an account belongs to.
#[derive(Clone, Debug)]
pub struct Organization {
    pub id: String,
    pub management_account: bool,
    /// By level, from the root down to the account itself.
    pub service_control_policies: Vec<Vec<Policy>>,
    pub resource_control_policies: Vec<Policy>,
}

/// An application inference profile.
#[derive(Clone, Debug)]
pub struct ApplicationProfile {
    pub name: String,
    pub id: String,
    pub region: String,
    /// The id of the profile or model that it copies.
    pub source: String,
}

/// What an account may do with a model in a Region.
#[derive(Clone, Debug)]
pub struct ModelState {
    pub agreement: AgreementState,
    pub authorized: bool,
    pub entitled: bool,
    pub available: bool,
    pub gated: bool,
    pub switched_off: bool,
    pub inactive: bool,
    pub life_cycle: LifeCycle,
    pub legacy_since: Option<Timestamp>,
    pub end_of_life: Option<Timestamp>,
    pub prefixes: Vec<String>,
}

impl Organization {
    fn new(spec: &OrganizationSpec) -> Result<Self, WorldError> {
        let level = |attached: &[PolicySpec], full: bool| -> Result<Vec<Policy>, WorldError> {
            let full = managed_policy("full-aws-access").filter(|_| full).cloned();
            full.into_iter().map(Ok).chain(attached.iter().map(policy)).collect()
        };
        let above = spec.levels.iter().map(|above| level(&above.scps, above.full_aws_access));
        let own = level(&spec.scps, spec.full_aws_access);
        // RCPFullAWSAccess cannot be detached.
        let full = managed_policy("rcp-full-aws-access").cloned();
        Ok(Self {
            id: spec.id.clone(),
            management_account: spec.management_account,
            service_control_policies: above.chain([own]).collect::<Result<_, _>>()?,
            resource_control_policies: full
                .into_iter()
                .map(Ok)
                .chain(spec.rcps.iter().map(principal_policy))
                .collect::<Result<_, _>>()?,
        })
    }
}

impl Account {
    pub(super) fn new(
        spec: &WorldSpec,
        seed: &Seed,
        at: usize,
        home: &str,
        now: Timestamp,
    ) -> Result<Self, WorldError> {
        let name = spec.name.clone().unwrap_or_default();
        let id = spec.account.clone().unwrap_or_else(|| seed.account(&format!("account {at} {name}")));
        let organization = spec.organization.as_ref().map(Organization::new).transpose()?;
        let application_profiles = spec.application_profiles.iter().map(|profile| ApplicationProfile {
            name: profile.name.clone(),
            id: seed.letters(&format!("profile {}", profile.name), 12).to_ascii_lowercase(),
            region: profile.region.clone().unwrap_or_else(|| home.to_owned()),
            source: profile.source.clone(),
        });
        Ok(Self {
            alias: spec.alias.clone().unwrap_or_else(|| "simulated".to_owned()),
            opted_in: spec.opted_in.iter().cloned().collect(),
            form: spec.form_submitted.unwrap_or(true).then(|| FORM.as_bytes().to_vec()),
            retention: spec.data_retention.clone(),
            authorized: spec.authorized.unwrap_or(true),
            authorized_text: spec.authorized_text.clone().unwrap_or_else(|| "account-not-authorized".to_owned()),
            supported_country: spec.supported_country.unwrap_or(true),
            payment_valid: spec.payment_valid.unwrap_or(true),
            organization,
            models: spec.models.clone(),
            agreements: BTreeMap::new(),
            application_profiles: application_profiles.collect(),
            quotas: QuotaBook::new(spec.quotas.clone()),
            trail: Trail::new(spec.trail_delay.map_or_else(|| jiff::SignedDuration::from_mins(5), Span::signed)),
            started: now,
            name,
            id,
        })
    }

    /// Returns what the account may do with the model when it calls from `region`.
    pub fn model_state(&self, model: &Model, region: &str, now: Timestamp) -> ModelState {
        let mut state = ModelState {
            agreement: AgreementState::Available,
            authorized: self.authorized,
            entitled: true,
            available: model.reachable_from(region),
            gated: false,
            switched_off: false,
            inactive: false,
            life_cycle: if model.gone { LifeCycle::Gone } else { LifeCycle::Active },
            legacy_since: model.legacy_since.map(midnight),
            end_of_life: model.end_of_life.map(midnight),
            prefixes: model.prefixes.clone(),
        };
        let mut life_cycle = None;
        for spec in self.models.iter().filter(|spec| matches_plain(&spec.model, &model.id)) {
            if !spec.regions.is_empty() && !spec.regions.iter().any(|known| known == region) {
                continue;
            }
            state.agreement = spec.agreement.unwrap_or(state.agreement);
            state.authorized = spec.authorized.unwrap_or(state.authorized);
            state.entitled = spec.entitled.unwrap_or(state.entitled);
            state.available = spec.available.unwrap_or(state.available);
            state.gated = spec.gated.unwrap_or(state.gated);
            state.switched_off = spec.switched_off.unwrap_or(state.switched_off);
            state.inactive = spec.inactive.unwrap_or(state.inactive);
            state.end_of_life = spec.end_of_life.map(|span| span.after(self.started)).or(state.end_of_life);
            state.prefixes = spec.prefixes.clone().unwrap_or(state.prefixes);
            life_cycle = spec.life_cycle.or(life_cycle);
        }
        if let Some(agreement) = self.agreements.get(&model.id) {
            state.agreement = *agreement;
        }
        if model.product.is_none() {
            // Without a Marketplace product there is nothing to agree to.
            state.agreement = AgreementState::Available;
        }
        state.life_cycle = match life_cycle {
            Some(told) => told,
            None if state.end_of_life.is_some_and(|end| end <= now) => LifeCycle::Gone,
            None if state.life_cycle == LifeCycle::Active && state.legacy_since.is_some_and(|since| since <= now) => {
                LifeCycle::Legacy
            }
            None => state.life_cycle,
        };
        state
    }

    /// Whether the model that an id names had reached its end of life by then.
    pub(super) fn ended(&self, id: &str, region: &str, time: Timestamp) -> bool {
        let id = id.rsplit('/').next().unwrap_or(id);
        let model = catalog().model(id).or_else(|| catalog().profile(id).map(|(_, model)| model));
        model.is_some_and(|model| self.model_state(model, region, time).end_of_life.is_some_and(|end| end <= time))
    }

    /// Returns the data-retention mode in a Region; a new account inherits.
    pub fn retention_mode(&self, region: &str) -> &str {
        self.retention.get(region).or_else(|| self.retention.get("*")).map_or("inherit", String::as_str)
    }

    /// Whether credentials of the account are accepted in the Region.
    pub fn accepts_region(&self, region: &str) -> bool {
        catalog().region(region).is_some_and(|known| !known.opt_in || self.opted_in.contains(region))
    }
}

/// The use-case form of an account that has submitted it.
/// See: AWS docs, Bedrock User Guide, programmatic model access.
const FORM: &str = r#"{"companyName":"Simulated Company","companyWebsite":"https://example.com","intendedUsers":"0","industryOption":"Technology","otherIndustryOption":"","useCases":"Software development."}"#;

fn midnight(date: jiff::civil::Date) -> Timestamp {
    date.to_zoned(TimeZone::UTC).expect("dates of the catalog are ordinary").timestamp()
}
