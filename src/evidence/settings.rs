//! What a client will use, and where each value comes from. Values of secret variables are never here, only that they are set.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Fact;

/// The program that will talk to Bedrock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Client {
    /// Claude Code.
    ClaudeCode,
    /// Any plain AWS SDK or the AWS CLI.
    AwsSdk,
    /// bedside's own chat.
    Bedside,
}

impl Client {
    /// Returns the name used in options, reports and records.
    pub fn name(self) -> &'static str {
        match self {
            Self::ClaudeCode => "claude-code",
            Self::AwsSdk => "aws-sdk",
            Self::Bedside => "bedside",
        }
    }

    /// Returns the name a person would say.
    pub fn spoken(self) -> &'static str {
        match self {
            Self::ClaudeCode => "Claude Code",
            Self::AwsSdk => "a plain AWS SDK or the AWS CLI",
            Self::Bedside => "bedside's chat",
        }
    }
}

impl std::fmt::Display for Client {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.name())
    }
}

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Origin {
    /// The kind of place.
    pub kind: OriginKind,
    /// The file, with `~` for the home folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The line in that file, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// The variable, key or section there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// For an environment variable: the start-up file line that sets it, when one does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// The kinds of places that values come from, in no order of precedence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OriginKind {
    /// An option of bedside itself.
    Option,
    /// The environment of the process.
    Environment,
    /// Claude Code's managed settings.
    ManagedSettings,
    /// Claude Code's local project settings (`.claude/settings.local.json`).
    LocalSettings,
    /// Claude Code's project settings (`.claude/settings.json`).
    ProjectSettings,
    /// Claude Code's user settings (`~/.claude/settings.json`).
    UserSettings,
    /// The AWS config file.
    AwsConfig,
    /// The AWS shared credentials file.
    AwsCredentials,
    /// bedside's own configuration file.
    BedsideConfig,
    /// Built into the client.
    Default,
    /// Listed by the account.
    Account,
}

impl std::fmt::Display for Origin {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let place = match (&self.file, self.line) {
            (Some(file), Some(line)) => Some(format!("{file}:{line}")),
            (Some(file), None) => Some(file.clone()),
            _ => None,
        };
        match (self.kind, place) {
            (OriginKind::Environment, _) => {
                formatter.write_str("the environment")?;
                if let Some(reason) = &self.reason {
                    write!(formatter, ", from {reason}")?;
                }
                Ok(())
            }
            (OriginKind::Default, _) => formatter.write_str("the built-in default"),
            (OriginKind::Account, _) => formatter.write_str("the newest that the account lists"),
            (OriginKind::Option, _) => write!(formatter, "the option {}", self.name.as_deref().unwrap_or("")),
            (_, Some(place)) => formatter.write_str(&place),
            (kind, None) => write!(formatter, "{kind:?}"),
        }
    }
}

impl Origin {
    /// Returns whether an origin, as it is spoken, is one that a command of the shell changes: the environment, or nothing at all.
    pub fn is_of_the_shell(spoken: &str) -> bool {
        spoken.starts_with("the environment") || spoken == "the built-in default"
    }
}

/// A value that lost against another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Shadowed {
    /// The value, masked if it is a secret.
    pub value: String,
    /// Where it stands.
    pub origin: Origin,
    /// Why it does not count.
    pub because: String,
}

/// One effective value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Setting {
    /// Name of the variable or key that carries it.
    pub name: String,
    /// The value, masked if it is a secret.
    pub value: String,
    /// Where it comes from.
    pub origin: Origin,
    /// What it shadows.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shadows: Vec<Shadowed>,
}

/// Which service a client sends its turns to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Provider {
    /// Amazon Bedrock's runtime.
    Bedrock,
    /// Anthropic's own API.
    Anthropic,
    /// Amazon Bedrock's Mantle endpoint.
    Mantle,
    /// Another provider (Vertex, Foundry, Claude Platform on AWS).
    Other,
}

/// A settings file that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SettingsFile {
    /// The path, with `~` for the home folder.
    pub path: String,
    /// What it is to the client.
    pub kind: OriginKind,
    /// Whether it is there.
    pub found: bool,
    /// What is wrong with it, if anything.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<FileProblem>,
}

/// Something wrong in a settings file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FileProblem {
    /// The file, with `~` for the home folder.
    pub file: String,
    /// The line, from 1, when it can be told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// What is wrong, in a clause.
    pub reason: String,
    /// The client ignores or refuses the file, or the value, because of it.
    pub effect: String,
    /// It stops the client's first turn, or changes what it uses.
    pub serious: bool,
}

impl FileProblem {
    /// Returns `file:line`, or the file alone.
    pub fn place(&self) -> String {
        match self.line {
            Some(line) => format!("{}:{line}", self.file),
            None => self.file.clone(),
        }
    }
}

/// The AWS profile in effect.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProfileSetting {
    /// Its name, with white space around it made visible.
    pub name: String,
    /// The name without the white space around it; absent where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trimmed: Option<String>,
    /// Where the name comes from.
    pub origin: Origin,
    /// Whether a section of that name stands in the AWS files.
    pub exists: bool,
    /// The names that do stand there.
    pub available: Vec<String>,
    /// Whether somebody chose it, rather than `default` being used because nothing was said.
    pub chosen: bool,
}

impl Settings {
    /// Returns the source of credentials that the client uses to sign, where one was found.
    pub fn winner(&self) -> Option<&CredentialSource> {
        self.sources.iter().find(|source| source.wins)
    }
}

/// The roles in which a client uses models.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ModelRole {
    /// Answers the user's turns.
    Main,
    /// Small background tasks.
    Background,
    /// Subagents.
    Subagent,
    /// Used when the main model fails.
    Fallback,
}

impl ModelRole {
    /// Returns the name used in reports and paths.
    pub fn name(self) -> &'static str {
        match self {
            Self::Main => "main",
            Self::Background => "background",
            Self::Subagent => "subagent",
            Self::Fallback => "fallback",
        }
    }
}

/// One model a client is set to use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ModelSetting {
    /// The id or ARN that is sent to Bedrock; absent where only the account's lists can tell.
    pub id: Option<String>,
    /// What stands in the setting, when that is something else (an alias such as `opus`, an id with `[1m]`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub written: Option<String>,
    /// Name of the variable or key.
    pub name: String,
    /// Where it comes from.
    pub origin: Origin,
    /// What it shadows.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shadows: Vec<Shadowed>,
    /// The client may choose another one by itself when this one is not available.
    #[serde(default)]
    pub replaceable: bool,
    /// Region of this model's calls, where it differs from the client's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
}

/// One address the client will call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Endpoint {
    /// The address without path, user name or query.
    pub url: String,
    /// The variable or key that sets it; absent for the service's own address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub setting: Option<Setting>,
}

impl Endpoint {
    /// Returns the host name or address in it.
    pub fn host(&self) -> &str {
        let rest = self.url.split_once("://").map_or(self.url.as_str(), |(_, rest)| rest);
        let authority = rest.split(['/', '?']).next().unwrap_or(rest);
        match authority.strip_prefix('[') {
            Some(v6) => v6.split(']').next().unwrap_or(v6),
            None => authority.split(':').next().unwrap_or(authority),
        }
    }
}

/// The way a client reaches the network.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Route {
    /// The proxy for https addresses, without user name and password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub https_proxy: Option<Setting>,
    /// The proxy for http addresses, without user name and password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http_proxy: Option<Setting>,
    /// Hosts that no proxy is used for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub no_proxy: Option<Setting>,
    /// Extra trust roots.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_bundle: Option<Setting>,
    /// The file of extra trust roots can be read and holds certificates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_bundle_problem: Option<String>,
}

/// How a request proves who sends it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Authentication {
    /// Signed with AWS credentials.
    Sigv4,
    /// A Bedrock API key.
    BearerToken,
    /// Nothing is signed (`CLAUDE_CODE_SKIP_BEDROCK_AUTH`); a gateway does it.
    None,
}

/// A source of AWS credentials that was found on the machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CredentialSource {
    /// What it is.
    pub kind: SourceKind,
    /// Where it stands.
    pub origin: Origin,
    /// The AWS profile it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// What can be said of it without using it, such as a masked key id, a role or a start URL.
    pub detail: String,
    /// This client will use it.
    pub wins: bool,
    /// Why this client will not use it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shadowed_by: Option<String>,
    /// When what is stored there expires.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<String>,
    /// It can be renewed without anybody's doing.
    #[serde(default)]
    pub renewable: bool,
}

/// The kinds of sources of AWS credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SourceKind {
    /// `AWS_BEARER_TOKEN_BEDROCK`.
    BearerToken,
    /// `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`.
    EnvironmentKeys,
    /// Static keys in a profile.
    ProfileKeys,
    /// IAM Identity Center.
    Sso,
    /// `aws login`.
    Login,
    /// A role to assume.
    AssumeRole,
    /// A `credential_process`.
    CredentialProcess,
    /// Web identity (a token file and a role).
    WebIdentity,
    /// Container credentials (ECS, EKS Pod Identity).
    Container,
    /// The instance's role, by its metadata service.
    InstanceMetadata,
    /// Claude Code's `awsCredentialExport`.
    CredentialExport,
}

impl SourceKind {
    /// Returns what a person would call it.
    pub fn spoken(self) -> &'static str {
        match self {
            Self::BearerToken => "Bedrock API key",
            Self::EnvironmentKeys => "environment keys",
            Self::ProfileKeys => "access keys of a profile",
            Self::Sso => "IAM Identity Center (SSO)",
            Self::Login => "aws login",
            Self::AssumeRole => "assumed role",
            Self::CredentialProcess => "credential_process",
            Self::WebIdentity => "web identity",
            Self::Container => "container credentials",
            Self::InstanceMetadata => "instance metadata",
            Self::CredentialExport => "awsCredentialExport",
        }
    }
}

/// Something that is set and does not count, such as what an untrusted project folder asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LeftOut {
    /// Name of the variable or key.
    pub name: String,
    /// Where it stands.
    pub origin: Origin,
    /// Why it was left out, and what the client would do with it.
    pub because: String,
}

/// Everything that could be told about a client without any call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Settings {
    /// Whose settings these are.
    pub client: Client,
    /// Why this client was chosen.
    pub client_because: String,
    /// Where its turns go.
    pub provider: Provider,
    /// What decides that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider_setting: Option<Setting>,
    /// How requests prove who sends them.
    pub authentication: Authentication,
    /// A set-up that bedside does not judge (Mantle, GovCloud, a gateway that signs), in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unsupported: Option<String>,
    /// The AWS profile.
    pub profile: Fact<ProfileSetting>,
    /// Models by role.
    pub models: ModelSettings,
    /// The sources of credentials that were found, in the order in which the client asks them.
    pub sources: Vec<CredentialSource>,
    /// Addresses by service: `bedrock-runtime`, `bedrock`, `sts`, `sso`, `cloudtrail`, `servicequotas`.
    pub endpoints: BTreeMap<String, Endpoint>,
    /// Proxies and trust roots.
    pub route: Route,
    /// The most output tokens the client asks for, when set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_cap: Option<Setting>,
    /// The switch that turns prompt caching off, when it is set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prompt_caching_off: Option<Setting>,
    /// The client's own time limit of a request in milliseconds, when set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_timeout_ms: Option<u64>,
    /// Every variable that matters to this client, with its origin.
    pub variables: Vec<Setting>,
    /// Settings in places that this client does not read, yet somebody meant.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unread: Vec<Setting>,
    /// What was left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<LeftOut>,
    /// The files that were looked at.
    pub files: Vec<SettingsFile>,
    /// Everything wrong in them that matters to this client.
    pub problems: Vec<FileProblem>,
}

/// Models by role.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ModelSettings {
    /// Answers the user's turns.
    pub main: Fact<ModelSetting>,
    /// Small background tasks.
    pub background: Fact<ModelSetting>,
    /// Subagents.
    pub subagent: Fact<ModelSetting>,
    /// Used when the main model fails.
    pub fallback: Fact<ModelSetting>,
}

impl ModelSettings {
    /// Returns the setting of a role.
    pub fn of(&self, role: ModelRole) -> &Fact<ModelSetting> {
        match role {
            ModelRole::Main => &self.main,
            ModelRole::Background => &self.background,
            ModelRole::Subagent => &self.subagent,
            ModelRole::Fallback => &self.fallback,
        }
    }
}

/// The Region in effect.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RegionSetting {
    /// Name of the Region, such as `us-east-1`.
    pub name: String,
    /// The variable or key that names it.
    pub setting: String,
    /// Where it comes from.
    pub origin: Origin,
    /// What it shadows.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shadows: Vec<Shadowed>,
    /// Nobody chose it; the client fell back to it.
    pub is_fallback: bool,
}
