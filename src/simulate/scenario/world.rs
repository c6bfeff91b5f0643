//! The account as a scenario writes it.
//!
//! Only shapes and defaults live here; `cloud` turns them into a running account.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::duration::Span;
use crate::simulate::catalog::{QuotaScope, QuotaUnit};

/// `[world]`: the account that the story is about. Entries of `accounts` have the same members.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WorldSpec {
    /// Name of a further account, by which principals say where they belong.
    pub name: Option<String>,
    /// Twelve digits that begin with eight zeros; made from the scenario's name when absent.
    pub account: Option<String>,
    pub alias: Option<String>,
    /// The Region of calls that name none. Default `us-east-1`.
    pub home_region: Option<String>,
    /// How far AWS's clock is ahead of the machine's.
    pub clock_offset: Option<Span>,
    /// Opt-in Regions that are enabled.
    pub opted_in: Vec<String>,
    /// Whether the Anthropic use-case form was submitted. Default true.
    pub form_submitted: Option<bool>,
    /// Data-retention mode by Region; `*` is every Region.
    pub data_retention: BTreeMap<String, String>,
    /// Whether Bedrock is open to the account at all. Default true.
    pub authorized: Option<bool>,
    /// The key of the text with which a closed account is answered. Default `account-not-authorized`.
    pub authorized_text: Option<String>,
    /// Whether Anthropic serves the account's country. Default true.
    pub supported_country: Option<bool>,
    /// Whether the account's payment method is good. Default true.
    pub payment_valid: Option<bool>,
    /// Whether denials carry the clause that names the policy type. Default true.
    pub denial_clause: Option<bool>,
    /// How long CloudTrail takes to show a call. Default `5m`.
    pub trail_delay: Option<Span>,
    pub organization: Option<OrganizationSpec>,
    /// The VPC endpoint through which the machine reaches Bedrock.
    pub vpc_endpoint: Option<VpcEndpointSpec>,
    /// The address that AWS sees. Default `203.0.113.10`.
    pub source_ip: Option<String>,
    pub principals: Vec<PrincipalSpec>,
    pub models: Vec<ModelSpec>,
    pub quotas: Vec<QuotaSpec>,
    pub api_keys: Vec<ApiKeySpec>,
    pub events: Vec<EventSpec>,
    pub application_profiles: Vec<ApplicationProfileSpec>,
    pub web_identities: Vec<WebIdentitySpec>,
    pub sso: SsoSpec,
    pub metadata: MetadataSpec,
    pub container: ContainerSpec,
    pub gateway: GatewaySpec,
    pub answers: Vec<AnswerSpec>,
    /// Further accounts.
    pub accounts: Vec<Self>,
}

/// `[world.organization]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrganizationSpec {
    #[serde(default = "organization_id")]
    pub id: String,
    /// Service control policies that are attached to the account itself.
    #[serde(default)]
    pub scps: Vec<PolicySpec>,
    /// What is attached above the account: the root first, then the organizational units.
    #[serde(default)]
    pub levels: Vec<LevelSpec>,
    /// Resource control policies; their statements need a `Principal`.
    #[serde(default)]
    pub rcps: Vec<PolicySpec>,
    /// Policies of the organization do not reach the management account.
    #[serde(default)]
    pub management_account: bool,
    /// Whether `FullAWSAccess` is still attached to the account. Default true.
    #[serde(default = "yes")]
    pub full_aws_access: bool,
}

/// `[[world.organization.levels]]`: the root or an organizational unit.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LevelSpec {
    #[serde(default)]
    pub scps: Vec<PolicySpec>,
    /// Whether `FullAWSAccess` is still attached to the level. Default true.
    #[serde(default = "yes")]
    pub full_aws_access: bool,
}

/// `[world.vpc_endpoint]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VpcEndpointSpec {
    #[serde(default = "vpce_id")]
    pub id: String,
    /// The VPC that it stands in.
    pub vpc: Option<String>,
    /// Absent is the default policy, which allows everything. Its statements need a `Principal`.
    pub policy: Option<PolicySpec>,
    /// The services behind the endpoint.
    #[serde(default = "bedrock_services")]
    pub services: Vec<String>,
}

/// A policy: the name of a built-in one, JSON as a string, or the document as a table, with an optional ARN.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum PolicySpec {
    /// A built-in policy's name, or JSON.
    Text(String),
    Named(NamedPolicy),
    /// The document itself, written in TOML.
    Document(serde_json::Value),
}

/// A policy with an ARN of its own.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NamedPolicy {
    pub arn: Option<String>,
    pub json: String,
}

/// `[[world.principals]]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PrincipalSpec {
    pub name: String,
    #[serde(default)]
    pub kind: PrincipalKind,
    /// The name in ARNs, if it is another.
    pub iam_name: Option<String>,
    /// The account it belongs to; absent is the world's own.
    pub account: Option<String>,
    #[serde(default)]
    pub policies: Vec<PolicySpec>,
    pub boundary: Option<PolicySpec>,
    /// Carried by the keys that the machine holds.
    pub session_policy: Option<PolicySpec>,
    pub trust: Option<PolicySpec>,
    /// The session name of the keys that the machine holds.
    pub session: Option<String>,
    #[serde(default)]
    pub keys: KeyState,
    /// How long the machine's temporary keys are good. Default `8h`.
    pub expires: Option<Span>,
    /// The one-time code of the principal's MFA device.
    pub mfa_code: Option<String>,
    /// Whether the machine's keys were made with MFA.
    #[serde(default)]
    pub mfa: bool,
    #[serde(default)]
    pub max_session: Option<Span>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum PrincipalKind {
    #[default]
    User,
    Role,
    /// A role that IAM Identity Center made for a permission set.
    SsoRole,
    Root,
    /// A federated user (`GetFederationToken`).
    Federated,
}

/// What became of the keys that the machine holds.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum KeyState {
    #[default]
    Valid,
    /// AWS does not know the key (any more).
    Deleted,
    /// The session is over.
    Expired,
    /// The secret that the machine holds belongs to another key.
    WrongSecret,
    /// The session token that the machine holds belongs to another session.
    WrongToken,
}

/// `[[world.models]]`: overrides for the models that match.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelSpec {
    /// A pattern of bare model ids.
    pub model: String,
    /// The source Regions for which this holds; empty is all.
    #[serde(default)]
    pub regions: Vec<String>,
    pub agreement: Option<AgreementState>,
    pub authorized: Option<bool>,
    pub entitled: Option<bool>,
    /// Whether the model is offered in those Regions.
    pub available: Option<bool>,
    /// Not offered to this account, although the control plane says otherwise.
    pub gated: Option<bool>,
    /// Switched off for the account.
    pub switched_off: Option<bool>,
    pub life_cycle: Option<LifeCycle>,
    pub end_of_life: Option<Span>,
    /// Not used for so long that a legacy model is closed to the account.
    pub inactive: Option<bool>,
    /// Profile prefixes that exist for the model, instead of the catalog's.
    pub prefixes: Option<Vec<String>>,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum AgreementState {
    Available,
    /// Not yet: the first invocation makes it.
    None,
    Pending,
    Error,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum LifeCycle {
    Active,
    Legacy,
    Gone,
}

/// `[[world.quotas]]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QuotaSpec {
    /// A pattern of bare model ids.
    pub model: String,
    /// Absent is every scope.
    pub scope: Option<QuotaScope>,
    /// Absent is every unit.
    pub unit: Option<QuotaUnit>,
    /// The Regions for which this holds; empty is all.
    #[serde(default)]
    pub regions: Vec<String>,
    pub applied: Option<f64>,
    pub default: Option<f64>,
    /// What others in the account use of it all the time.
    pub consumed: Option<f64>,
    /// Whether `ListServiceQuotas` shows the row. Default true.
    pub listed: Option<bool>,
}

/// `[[world.api_keys]]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApiKeySpec {
    pub name: String,
    /// The principal behind the key.
    pub principal: String,
    #[serde(default)]
    pub kind: ApiKeyKind,
    /// The Region in which a short-term key was made. Default: the world's home.
    pub region: Option<String>,
    /// How long the key is good; a span back is a key that has expired.
    pub expires: Option<Span>,
    /// Whether AWS does not know the key any more.
    #[serde(default)]
    pub revoked: bool,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum ApiKeyKind {
    ShortTerm,
    #[default]
    LongTerm,
}

/// `[[world.events]]`: history that CloudTrail has.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EventSpec {
    /// When, before now.
    pub at: Span,
    #[serde(default = "invoke_stream")]
    pub name: String,
    #[serde(default = "bedrock_source")]
    pub source: String,
    pub principal: String,
    pub region: Option<String>,
    pub model: Option<String>,
    /// The key of a text: gives code and message.
    pub text: Option<String>,
    pub error_code: Option<String>,
    pub error_message: Option<String>,
    pub inference_region: Option<String>,
    pub user_agent: Option<String>,
    /// How often the event is repeated, and how far apart.
    #[serde(default = "once")]
    pub repeat: u32,
    pub every: Option<Span>,
}

/// `[[world.application_profiles]]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApplicationProfileSpec {
    pub name: String,
    /// The system-defined profile or foundation model that it copies.
    pub source: String,
    pub region: Option<String>,
}

/// `[[world.web_identities]]`: a token of an OpenID Connect provider.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WebIdentitySpec {
    pub name: String,
    #[serde(default = "issuer")]
    pub issuer: String,
    pub subject: String,
    #[serde(default = "sts_audience")]
    pub audience: String,
    pub expires: Option<Span>,
}

/// `[world.sso]`: the session of IAM Identity Center on the machine.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SsoSpec {
    /// Whether the portal takes the access token. Default true.
    pub session_valid: Option<bool>,
    /// Whether the refresh token is good. Default true.
    pub refresh_valid: Option<bool>,
}

/// `[world.metadata]`: the EC2 instance metadata service.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MetadataSpec {
    /// The role of the instance.
    pub role: Option<String>,
    /// Whether the token request is lost on its way, as behind a hop limit of one.
    pub token_hangs: bool,
}

/// `[world.container]`: the credentials endpoint of ECS or of EKS Pod Identity.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ContainerSpec {
    pub role: Option<String>,
}

/// `[world.gateway]`: a company's gateway in front of Bedrock, which signs for those who show its own token.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GatewaySpec {
    /// The principal in whose name the gateway calls.
    pub principal: Option<String>,
}

/// `[[world.answers]]`: what a model says to a prompt that contains a text.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnswerSpec {
    pub contains: String,
    #[serde(default)]
    pub text: Option<String>,
    #[serde(default)]
    pub thinking: Option<String>,
    #[serde(default)]
    pub tool: Option<ToolSpec>,
    #[serde(default)]
    pub stop_reason: Option<String>,
}

/// A call of a tool in an answer.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ToolSpec {
    pub name: String,
    #[serde(default)]
    pub input: serde_json::Value,
}

fn yes() -> bool {
    true
}

fn once() -> u32 {
    1
}

fn organization_id() -> String {
    "o-simulated1".to_owned()
}

fn vpce_id() -> String {
    "vpce-0simulated0000001".to_owned()
}

fn bedrock_services() -> Vec<String> {
    vec!["bedrock".to_owned(), "bedrock-runtime".to_owned()]
}

fn invoke_stream() -> String {
    "InvokeModelWithResponseStream".to_owned()
}

fn bedrock_source() -> String {
    "bedrock.amazonaws.com".to_owned()
}

fn issuer() -> String {
    "oidc.eks.us-east-1.amazonaws.com/id/SIMULATED0000000000000000000001".to_owned()
}

fn sts_audience() -> String {
    "sts.amazonaws.com".to_owned()
}
