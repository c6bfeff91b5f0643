//! The state of the simulated AWS: accounts, identities, quotas, history and a counter.
//!
//! A value without sockets or clocks: everything that depends on time is told the time. Tests may change any public member
//! while the simulation runs.

pub mod account;
pub mod identity;
pub mod quota;
pub mod trail;

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

pub use account::{Account, ApplicationProfile, ModelState, Organization};
pub use identity::{AccessKey, ApiKey, Caller, HeldKey, Principal, Session};
pub use quota::QuotaBook;
pub use trail::Trail;

use crate::simulate::faults::Faults;
use crate::simulate::iam::{Policy, managed_policy};
use crate::simulate::scenario::world::{AnswerSpec, MetadataSpec, PolicySpec, SsoSpec, WebIdentitySpec};
use crate::simulate::scenario::{Scenario, WorldSpec};
use crate::simulate::seed::Seed;

/// A simulated AWS.
#[derive(Debug)]
pub struct Cloud {
    pub scenario: String,
    /// The Region of calls that name none.
    pub home_region: String,
    /// How far AWS's clock is ahead of the machine's.
    pub clock_offset: SignedDuration,
    /// The address that AWS sees.
    pub source_ip: String,
    pub vpc_endpoint: Option<VpcEndpoint>,
    /// Whether denials name the policy type.
    pub denial_clause: bool,
    pub accounts: Vec<Account>,
    pub principals: Vec<Principal>,
    pub keys: Vec<AccessKey>,
    pub api_keys: Vec<ApiKey>,
    pub sso: SsoSpec,
    pub metadata: MetadataSpec,
    pub container_role: Option<String>,
    /// The principal in whose name the gateway calls, if there is one.
    pub gateway_principal: Option<String>,
    pub web_identities: Vec<WebIdentitySpec>,
    pub faults: Faults,
    pub answers: Vec<AnswerSpec>,
    /// Prompt prefixes that are cached, by digest, until when.
    pub(crate) prompt_cache: BTreeMap<String, Timestamp>,
    pub(crate) seed: Seed,
    /// AWS's time when the world began.
    pub(crate) started: Timestamp,
    held: BTreeMap<String, HeldKey>,
    held_api_keys: BTreeMap<String, String>,
    calls: Vec<Call>,
    counter: u64,
}

/// The VPC endpoint on the way from the machine to Bedrock.
#[derive(Clone, Debug)]
pub struct VpcEndpoint {
    pub id: String,
    pub vpc: Option<String>,
    pub policy: Option<Policy>,
    pub services: Vec<String>,
}

/// One request in the log of the simulation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    pub time: Timestamp,
    pub service: String,
    pub operation: String,
    pub region: String,
    /// The ARN of the caller, once it is known.
    pub principal: Option<String>,
    pub model: Option<String>,
    pub status: u16,
    /// `ok`, an error code, or what became of the connection.
    pub outcome: String,
}

/// A scenario's world that cannot be built.
#[derive(Debug, thiserror::Error)]
#[error("{reason}")]
pub struct WorldError {
    /// A text that stands near the mistake.
    pub near: String,
    pub reason: String,
}

impl Cloud {
    /// Builds the world of a scenario; `now` is AWS's time.
    pub fn new(scenario: &Scenario, now: Timestamp) -> Result<Self, WorldError> {
        let name = &scenario.head.name;
        let world = &scenario.world;
        let seed = Seed::new(name);
        let accounts: Vec<&WorldSpec> = std::iter::once(world).chain(&world.accounts).collect();
        let mut cloud = Self {
            scenario: name.clone(),
            home_region: world.home_region.clone().unwrap_or_else(|| "us-east-1".to_owned()),
            clock_offset: world.clock_offset.unwrap_or_default().signed(),
            source_ip: world.source_ip.clone().unwrap_or_else(|| "203.0.113.10".to_owned()),
            vpc_endpoint: None,
            denial_clause: world.denial_clause.unwrap_or(true),
            accounts: Vec::new(),
            principals: Vec::new(),
            keys: Vec::new(),
            api_keys: Vec::new(),
            sso: world.sso.clone(),
            metadata: world.metadata.clone(),
            container_role: world.container.role.clone(),
            gateway_principal: world.gateway.principal.clone(),
            web_identities: world.web_identities.clone(),
            faults: Faults::new(scenario.faults.clone()),
            answers: world.answers.clone(),
            prompt_cache: BTreeMap::new(),
            seed,
            started: now,
            held: BTreeMap::new(),
            held_api_keys: BTreeMap::new(),
            calls: Vec::new(),
            counter: 0,
        };
        for (at, spec) in accounts.iter().enumerate() {
            let account = Account::new(spec, &cloud.seed, at, &cloud.home_region, now)?;
            cloud.accounts.push(account);
        }
        if let Some(spec) = &world.vpc_endpoint {
            let policy = spec.policy.as_ref().map(principal_policy).transpose()?;
            let (id, vpc, services) = (spec.id.clone(), spec.vpc.clone(), spec.services.clone());
            cloud.vpc_endpoint = Some(VpcEndpoint { id, vpc, policy, services });
        }
        for spec in &world.principals {
            cloud.add_principal(spec, now)?;
        }
        for spec in &world.api_keys {
            cloud.add_api_key(spec, now)?;
        }
        for (at, spec) in accounts.iter().enumerate() {
            cloud.add_history(at, spec, now)?;
        }
        Ok(cloud)
    }

    /// Returns the principal of that scenario name.
    pub fn principal(&self, name: &str) -> Option<&Principal> {
        self.principals.iter().find(|principal| principal.name == name)
    }

    /// Returns the principal of that scenario name, to be changed.
    pub fn principal_mut(&mut self, name: &str) -> Option<&mut Principal> {
        self.principals.iter_mut().find(|principal| principal.name == name)
    }

    /// Attaches a policy to a principal, as an administrator would: JSON, or the name of a built-in one.
    pub fn attach_policy(&mut self, principal: &str, document: &str) -> Result<(), WorldError> {
        let policy = policy(&PolicySpec::Text(document.to_owned()))?;
        let missing = || WorldError { near: principal.to_owned(), reason: format!("`{principal}` is no principal") };
        self.principal_mut(principal).ok_or_else(missing)?.policies.push(policy);
        Ok(())
    }

    /// Returns the story's own account.
    pub fn account(&self) -> &Account {
        &self.accounts[0]
    }

    /// Returns the story's own account, to be changed.
    pub fn account_mut(&mut self) -> &mut Account {
        &mut self.accounts[0]
    }

    /// Returns the log of all requests so far.
    pub fn calls(&self) -> &[Call] {
        &self.calls
    }

    /// Returns the key of that principal as the machine holds it.
    pub fn held_key(&self, principal: &str) -> Option<&HeldKey> {
        self.held.get(principal)
    }

    /// Returns the API key of that name as the machine holds it.
    pub fn held_api_key(&self, name: &str) -> Option<&str> {
        self.held_api_keys.get(name).map(String::as_str)
    }

    pub(crate) fn log(&mut self, call: Call) {
        self.calls.push(call);
    }

    /// Returns the next number of this world; with it every identifier is new and yet the same in every run.
    pub(crate) fn next(&mut self) -> u64 {
        self.counter += 1;
        self.counter
    }

    /// Returns an identifier in the form of a UUID.
    pub(crate) fn next_uuid(&mut self) -> String {
        let number = self.next();
        self.seed.uuid(&format!("id {number}"))
    }
}

/// Reads a policy whose statements have to say whom they are for.
pub(crate) fn principal_policy(spec: &PolicySpec) -> Result<Policy, WorldError> {
    let read = policy(spec)?;
    if read.names_principals() {
        return Ok(read);
    }
    let near = match spec {
        PolicySpec::Text(text) => text,
        PolicySpec::Named(named) => &named.json,
        PolicySpec::Document(_) => "Statement",
    };
    let near = near.lines().find(|line| !line.trim().is_empty()).unwrap_or_default().to_owned();
    let reason = "every statement of this policy needs a `Principal`".to_owned();
    Err(WorldError { near, reason })
}

/// Reads a policy of a scenario.
pub(crate) fn policy(spec: &PolicySpec) -> Result<Policy, WorldError> {
    let error = |near: &str, reason: String| WorldError { near: near.to_owned(), reason };
    match spec {
        PolicySpec::Text(text) if text.trim_start().starts_with('{') => {
            let near = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
            Policy::parse(text).map_err(|reason| error(near, reason.to_string()))
        }
        PolicySpec::Text(name) => managed_policy(name)
            .cloned()
            .ok_or_else(|| error(name, format!("`{name}` is the name of no built-in policy"))),
        PolicySpec::Named(named) => {
            let near = named.json.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
            let mut policy = Policy::parse(&named.json).map_err(|reason| error(near, reason.to_string()))?;
            policy.arn.clone_from(&named.arn);
            Ok(policy)
        }
        PolicySpec::Document(document) => {
            Policy::from_json(document).map_err(|reason| error("Statement", reason.to_string()))
        }
    }
}
