//! One call on its way through the simulated AWS: the request, the state and who is asking.
//!
//! Services work on an exchange; it authorizes, finds the caller's account and keeps what the log and the trail will say.

use jiff::Timestamp;
use serde_json::Value;

use crate::simulate::catalog::Envelope;
use crate::simulate::cloud::{Account, Caller, Cloud, VpcEndpoint};
use crate::simulate::faults::Place;
use crate::simulate::iam::{Context, Decision, Denial, Policy, PolicySet, PolicyType};
use crate::simulate::refusal::Refusal;
use crate::simulate::route::{Operation, Service};
use crate::simulate::scenario::fault::{FaultKind, FaultSpec};
use crate::simulate::scenario::world::{ApiKeyKind, PrincipalKind};
use crate::simulate::texts::{self, texts};
use crate::simulate::wire::{Reply, Request};

/// What a service answers.
pub(crate) type Answer = Result<Reply, Refusal>;

/// One call.
#[derive(Debug)]
pub(crate) struct Exchange<'a> {
    pub(crate) cloud: &'a mut Cloud,
    pub(crate) request: &'a Request,
    /// AWS's time.
    pub(crate) now: Timestamp,
    pub(crate) operation: &'a Operation,
    pub(crate) region: String,
    pub(crate) request_id: String,
    caller: Option<Caller>,
    pub(crate) notes: Notes,
}

/// What the log and the trail will say of a call.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    /// The model as the path named it.
    pub(crate) model: Option<String>,
    /// The envelope of errors, once the model is known.
    pub(crate) envelope: Envelope,
    /// Parameters in the trail's record.
    pub(crate) parameters: Value,
    pub(crate) inference_region: Option<String>,
    /// Input and output tokens of a stream that ended well.
    pub(crate) tokens: Option<(u64, u64)>,
    /// A call that the trail does not record.
    pub(crate) unrecorded: bool,
}

impl<'a> Exchange<'a> {
    pub(crate) fn new(
        cloud: &'a mut Cloud,
        request: &'a Request,
        now: Timestamp,
        operation: &'a Operation,
        region: String,
        request_id: String,
    ) -> Self {
        Self { cloud, request, now, operation, region, request_id, caller: None, notes: Notes::default() }
    }

    pub(crate) fn set_caller(&mut self, caller: Caller) {
        self.caller = Some(caller);
    }

    /// Returns the caller of a call that was authenticated.
    pub(crate) fn caller(&self) -> &Caller {
        self.caller.as_ref().expect("services that ask for the caller are reached through authentication only")
    }

    /// Returns the caller, if the call was authenticated.
    pub(crate) fn known_caller(&self) -> Option<&Caller> {
        self.caller.as_ref()
    }

    /// Returns the caller's account.
    pub(crate) fn account(&self) -> &Account {
        &self.cloud.accounts[self.caller().account]
    }

    /// Returns the caller's account, to be changed.
    pub(crate) fn account_mut(&mut self) -> &mut Account {
        let account = self.caller().account;
        &mut self.cloud.accounts[account]
    }

    /// Returns the JSON body; an empty one is an empty object.
    pub(crate) fn json_body(&self) -> Option<Value> {
        if self.request.body.is_empty() {
            return Some(Value::Object(serde_json::Map::new()));
        }
        serde_json::from_slice(&self.request.body).ok().filter(Value::is_object)
    }

    /// Authorizes an action that has no resource, then lets capacity faults strike.
    pub(crate) fn permit(&mut self, action: &str) -> Result<(), Refusal> {
        self.authorize(action, "*", &self.context())?;
        self.capacity()
    }

    /// Authorizes an action on a resource.
    pub(crate) fn authorize(&self, action: &str, resource: &str, context: &Context) -> Result<(), Refusal> {
        match self.decide(action, resource, context) {
            Decision::Allowed => Ok(()),
            Decision::Denied(denial) => Err(self.denied(action, resource, &denial)),
        }
    }

    /// Decides an action without a refusal's words.
    pub(crate) fn decide(&self, action: &str, resource: &str, context: &Context) -> Decision {
        let caller = self.caller();
        let principal = &self.cloud.principals[caller.principal];
        let organization = self.account().organization.as_ref();
        let root = principal.kind == PrincipalKind::Root;
        let mut context = context.clone();
        // A model of AWS's own belongs to no account that a policy could name.
        let owner = if resource == "*" { caller.account_id.as_str() } else { owner_of(resource) };
        if !owner.is_empty() {
            context.set("aws:ResourceAccount", owner);
        }
        PolicySet {
            identity: principal.policies.iter().collect(),
            boundary: principal.boundary.as_ref(),
            session: caller.session.iter().flat_map(|session| &session.policies).collect(),
            service_control: organization
                .filter(|organization| !organization.management_account)
                .map(|organization| organization.service_control_policies.iter().map(|level| level.iter().collect()))
                .map_or_else(Vec::new, Iterator::collect),
            resource_control: self.resource_control(action, resource),
            vpc_endpoint: self.behind_endpoint().and_then(|endpoint| endpoint.policy.as_ref()),
            asker: caller.asker(),
            root,
        }
        .decide(action, resource, &context)
    }

    /// Returns the resource control policies that reach a resource: they cover a few services only, of which the security token
    /// service is the one here, and they do not reach what the management account owns.
    /// See: AWS docs, Organizations User Guide, resource control policies.
    pub(crate) fn resource_control(&self, action: &str, resource: &str) -> Option<Vec<&Policy>> {
        let owner = self.cloud.accounts.iter().find(|account| account.id == owner_of(resource))?;
        let organization = owner.organization.as_ref().filter(|organization| !organization.management_account)?;
        action.starts_with("sts:").then(|| organization.resource_control_policies.iter().collect())
    }

    /// Returns the refusal of a denied action, in IAM's words.
    pub(crate) fn denied(&self, action: &str, resource: &str, denial: &Denial) -> Refusal {
        let caller = self.caller();
        let on_resource = match (resource, action) {
            // Actions without a resource are refused without naming one, but for this one.
            ("*", action) if action != "bedrock:CallWithBearerToken" => String::new(),
            _ => format!(" on resource: {resource}"),
        };
        let policy_arn = denial.policy_arn.as_ref().map_or_else(String::new, |arn| format!(": {arn}"));
        let policy_type =
            if denial.explicit { denial.policy_type.name_with_article() } else { denial.policy_type.name() };
        let text = match (self.cloud.denial_clause, denial.explicit) {
            (false, _) => &texts().access_denied_short,
            (true, true) => &texts().access_denied_explicit,
            (true, false) => &texts().access_denied_implicit,
        };
        let refusal = text.refuse(&[
            ("principal", &caller.arn),
            ("action", action),
            ("on_resource", &on_resource),
            ("policy_type", policy_type),
            ("policy_arn", &policy_arn),
        ]);
        // What an endpoint's policy refuses need not show in the caller's own trail.
        if denial.policy_type == PolicyType::VpcEndpoint { refusal.unrecorded() } else { refusal }
    }

    /// Returns the condition keys of the call.
    pub(crate) fn context(&self) -> Context {
        let caller = self.caller();
        let principal = &self.cloud.principals[caller.principal];
        let mut context = Context::default()
            .with("aws:RequestedRegion", &self.region)
            .with("aws:PrincipalArn", &caller.principal_arn)
            .with("aws:PrincipalAccount", &caller.account_id)
            .with("aws:userid", &caller.user_id)
            .with("aws:CurrentTime", self.now.to_string())
            .with("aws:EpochTime", self.now.as_second().to_string())
            .with("aws:SecureTransport", "true")
            .with("aws:ViaAWSService", "false");
        context.set(
            "aws:PrincipalType",
            match principal.kind {
                PrincipalKind::User => "User",
                PrincipalKind::Role | PrincipalKind::SsoRole => "AssumedRole",
                PrincipalKind::Root => "Account",
                PrincipalKind::Federated => "FederatedUser",
            },
        );
        if principal.kind == PrincipalKind::User {
            context.set("aws:username", &principal.iam_name);
        }
        if let Some(organization) = &self.account().organization {
            context.set("aws:PrincipalOrgID", &organization.id);
        }
        if let Some(session) = &caller.session {
            // Both keys are absent from calls with long-term keys.
            context.set("aws:MultiFactorAuthPresent", caller.mfa().to_string());
            context.set("aws:TokenIssueTime", session.created.to_string());
        }
        match self.behind_endpoint() {
            Some(endpoint) => {
                context.set("aws:SourceVpce", &endpoint.id);
                if let Some(vpc) = &endpoint.vpc {
                    context.set("aws:SourceVpc", vpc);
                }
            }
            None => context.set("aws:SourceIp", &self.cloud.source_ip),
        }
        let tier = self.request.header("x-amzn-bedrock-service-tier");
        if let Some(tier) = tier.filter(|_| self.operation.service == Service::BedrockRuntime) {
            context.set("bedrock:ServiceTier", tier);
        }
        if let Some(kind) = caller.bearer {
            let kind = if kind == ApiKeyKind::ShortTerm { "SHORT_TERM" } else { "LONG_TERM" };
            context.set("bedrock:BearerTokenType", kind);
        }
        context
    }

    fn behind_endpoint(&self) -> Option<&VpcEndpoint> {
        let service = self.operation.service.name();
        self.cloud.vpc_endpoint.as_ref().filter(|endpoint| endpoint.services.iter().any(|known| known == service))
    }

    /// Lets a fault strike that makes the service refuse.
    pub(crate) fn capacity(&mut self) -> Result<(), Refusal> {
        let Some(fault) = self.strike(FaultKind::refuses) else { return Ok(()) };
        let text = fault.text.as_deref().and_then(texts::by_key);
        let mut refusal = match (text, fault.kind) {
            (Some(text), _) => text.refuse(&[("model", self.notes.model.as_deref().unwrap_or_default())]),
            (None, FaultKind::BigError) => texts().internal_error.refuse(&[]),
            (None, _) => match self.operation.service {
                Service::BedrockRuntime => texts().throttle_requests.refuse(&[]),
                Service::Quotas => texts().too_many_requests.refuse(&[]),
                _ => texts().rate_exceeded.refuse(&[]),
            },
        };
        if fault.kind == FaultKind::BigError {
            refusal.message.push_str(&".".repeat(10_000_000));
        }
        Err(refusal)
    }

    /// Returns the fault of those kinds that strikes the call.
    pub(crate) fn strike(&mut self, wanted: impl Fn(FaultKind) -> bool) -> Option<FaultSpec> {
        let place = Place {
            service: self.operation.service.name(),
            operation: &self.operation.name,
            model: self.notes.model.as_deref().unwrap_or_default(),
            region: &self.region,
        };
        self.cloud.faults.strike(place, wanted)
    }
}

/// Returns the account in an ARN; empty where it names none.
fn owner_of(arn: &str) -> &str {
    arn.split(':').nth(4).unwrap_or_default()
}
