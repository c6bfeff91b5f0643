//! The evidence document: every fact of one run, as plain serializable data. It has a published JSON Schema; `doctor --record`
//! writes it and `doctor --replay` judges it again.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Fact, Failure, ModelRole, RegionSetting, Settings, SourceKind};

/// Version of the evidence document; a record of another version is refused.
pub const EVIDENCE_SCHEMA_VERSION: u32 = 1;

/// Everything that was seen in one run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Evidence {
    /// Version of this format.
    pub schema_version: u32,
    /// Version of bedside that looked.
    pub bedside: String,
    /// When (RFC 3339).
    pub taken_at: String,
    /// The answers came from the simulator.
    pub simulated: bool,
    /// Names and accounts were replaced by pseudonyms.
    #[serde(default)]
    pub redacted: bool,
    /// What was asked for.
    pub options: Options,
    /// The machine.
    pub machine: Machine,
    /// The client's settings.
    pub settings: Settings,
    /// The Region of the client's calls.
    pub region: Fact<RegionSetting>,
    /// What start-up files of shells say.
    pub shell: Shell,
    /// The client programs on this machine.
    pub clients: Clients,
    /// The AWS credentials that the client would use.
    pub credentials: Fact<Credentials>,
    /// The hosts that the client calls.
    pub network: Fact<Vec<HostReport>>,
    /// Who is calling, by STS.
    pub identity: Fact<Identity>,
    /// A Region that is always on in which the same credentials were accepted, asked only when the client's own refused them.
    pub identity_elsewhere: Fact<String>,
    /// Foundation models.
    pub models: Models,
    /// Inference profiles.
    pub profiles: Profiles,
    /// The gates of the account.
    pub access: Access,
    /// What came of invoking each model.
    pub invoke: Invocations,
    /// Quotas of the chosen models.
    pub quotas: Fact<Vec<Quota>>,
    /// Recorded calls of the past.
    pub history: Fact<History>,
    /// Every call that was made.
    pub calls: Vec<Call>,
}

/// What was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Options {
    /// Models may be invoked.
    pub invoke: bool,
    /// No call at all may be made.
    pub offline: bool,
    /// How far back history is read, in hours.
    pub since_hours: u32,
    /// Groups or ids that were chosen.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub only: Vec<String>,
    /// Groups or ids that were left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub skip: Vec<String>,
}

/// The machine the client runs on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Machine {
    /// Operating system: `linux`, `macos` or `windows`.
    pub os: String,
    /// It runs inside AWS: `ec2`, `ecs`, `eks`, `lambda`, `codebuild`, `cloudshell`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inside_aws: Option<String>,
    /// The user's shell, by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shell: Option<String>,
}

/// What start-up files of shells say about the variables that matter.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Shell {
    /// Assignments of variables that matter to the client, in any start-up file.
    pub assignments: Vec<RcAssignment>,
}

/// A line of a shell start-up file that sets a variable.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RcAssignment {
    /// Name of the variable.
    pub name: String,
    /// Its value, masked if it is a secret; absent where only the shell could tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// The file, with `~` for the home folder.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
    /// The line exports it.
    pub exported: bool,
    /// The process has this very value.
    pub in_effect: bool,
}

/// The client programs on this machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Clients {
    /// Claude Code.
    pub claude_code: Fact<Program>,
    /// The AWS CLI.
    pub aws_cli: Fact<Program>,
}

/// A program on `PATH`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Program {
    /// Where it stands, with `~` for the home folder.
    pub path: String,
    /// What it says its version is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Further ones of the same name on `PATH`, which are never started.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<String>,
    /// Why it did not tell its version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// Credentials that the client's chain gave.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Credentials {
    /// The source that gave them.
    pub source: SourceKind,
    /// The source in words: profile, role, file.
    pub detail: String,
    /// The access key id, masked but for its ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_key_id: Option<String>,
    /// They carry a session token.
    pub temporary: bool,
    /// When they expire (RFC 3339).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<String>,
    /// The source is the one that reading the settings predicted.
    pub as_predicted: bool,
    /// What reading the settings predicted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub predicted: Option<SourceKind>,
}

/// One host on the way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HostReport {
    /// Service it is called for.
    pub service: String,
    /// Host name and port.
    pub host: String,
    /// The proxy on the way, without user name and password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proxy: Option<String>,
    /// Name resolution (of the proxy, where there is one).
    pub resolve: Step,
    /// All addresses are private ones, as of an interface endpoint.
    pub private_address: bool,
    /// The TCP connection, and `CONNECT` through a proxy.
    pub connect: Step,
    /// TLS; absent for plain http.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<Step>,
    /// Who issued the certificate that was shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
}

/// One step on the way to a host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Step {
    /// It worked.
    pub ok: bool,
    /// How long it took, in milliseconds.
    pub ms: u64,
    /// How it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
}

/// Who is calling.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Identity {
    /// Account id.
    pub account: String,
    /// ARN of the principal.
    pub arn: String,
    /// Partition of the ARN: `aws`, `aws-us-gov`, …
    pub partition: String,
    /// `user`, `assumed-role`, `federated-user`, `root`.
    pub kind: String,
    /// Name of the user or role.
    pub name: String,
    /// Session name of an assumed role.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
}

/// Foundation models of the Region.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Models {
    /// Anthropic's, as the account lists them.
    pub list: Fact<Vec<FoundationModel>>,
}

/// A foundation model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FoundationModel {
    /// Model id.
    pub id: String,
    /// Its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// `ACTIVE`, `LEGACY`, or what the service says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// When it came (RFC 3339).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub launched_at: Option<String>,
    /// When it ends (RFC 3339).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<String>,
    /// `ON_DEMAND`, `PROVISIONED`, `INFERENCE_PROFILE`.
    pub inference_types: Vec<String>,
}

/// Inference profiles of the Region.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Profiles {
    /// Those of AWS.
    pub system: Fact<Vec<InferenceProfile>>,
    /// Those of the account.
    pub application: Fact<Vec<InferenceProfile>>,
}

/// An inference profile.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct InferenceProfile {
    /// Its id, such as `us.anthropic.claude-opus-5-5`.
    pub id: String,
    /// Its ARN.
    pub arn: String,
    /// `ACTIVE`, or what the service says.
    pub status: String,
    /// The foundation model it serves.
    pub model_id: String,
    /// Destination Regions; an empty name is the Region-less ARN of a global profile.
    pub regions: Vec<String>,
}

/// The gates of the account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Access {
    /// Availability of the main model.
    pub availability: Fact<Availability>,
    /// Whether Anthropic's use-case form was submitted for this account.
    pub use_case_form: Fact<bool>,
    /// The account's data retention mode in this Region.
    pub data_retention: Fact<String>,
    /// Availability of the main model in other Regions that the settings name.
    pub elsewhere: Fact<Vec<RegionAvailability>>,
}

/// What the control plane says of a model; it does not prove that it can be invoked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Availability {
    /// Foundation-model id.
    pub model_id: String,
    /// `AVAILABLE`, `PENDING`, `NOT_AVAILABLE`, `ERROR`.
    pub agreement: String,
    /// `AUTHORIZED`, `NOT_AUTHORIZED`.
    pub authorization: String,
    /// `AVAILABLE`, `NOT_AVAILABLE`.
    pub entitlement: String,
    /// `AVAILABLE`, `NOT_AVAILABLE`.
    pub region: String,
    /// Error of the agreement.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agreement_error: Option<String>,
}

/// Availability of a model in another Region.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RegionAvailability {
    /// The Region.
    pub region: String,
    /// What stands where names it.
    pub named_by: String,
    /// The model can be used there as far as the control plane knows.
    pub usable: bool,
}

/// What came of invoking each model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Invocations {
    /// The main model.
    pub main: Fact<Invocation>,
    /// The background model.
    pub background: Fact<Invocation>,
    /// The subagents' model.
    pub subagent: Fact<Invocation>,
    /// The fallback model.
    pub fallback: Fact<Invocation>,
}

impl Invocations {
    /// Returns the invocation of a role.
    pub fn of(&self, role: ModelRole) -> &Fact<Invocation> {
        match role {
            ModelRole::Main => &self.main,
            ModelRole::Background => &self.background,
            ModelRole::Subagent => &self.subagent,
            ModelRole::Fallback => &self.fallback,
        }
    }

    /// Returns the place of a role's invocation.
    pub fn of_mut(&mut self, role: ModelRole) -> &mut Fact<Invocation> {
        match role {
            ModelRole::Main => &mut self.main,
            ModelRole::Background => &mut self.background,
            ModelRole::Subagent => &mut self.subagent,
            ModelRole::Fallback => &mut self.fallback,
        }
    }
}

/// Invoking one model as the client would.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Invocation {
    /// The id or ARN that was sent.
    pub model_id: String,
    /// Region of the call.
    pub region: String,
    /// Host that was called.
    pub host: String,
    /// Why this model, where no setting named it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chosen_because: Option<String>,
    /// The call with a streamed answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream: Option<Attempt>,
    /// The call with an answer in one piece.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plain: Option<Attempt>,
    /// Models that the client would try by itself after this one, in its order, until one answered.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub replacements: Vec<Replacement>,
}

/// A model that the client tries by itself when its default is not available.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Replacement {
    /// Its id.
    pub model_id: String,
    /// What came of it.
    pub attempt: Attempt,
}

/// One call of a model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Attempt {
    /// The operation, such as `InvokeModelWithResponseStream`.
    pub operation: String,
    /// The answer came whole.
    pub ok: bool,
    /// How long it took, in milliseconds.
    pub ms: u64,
    /// How often it was tried: 2 after a failure that may pass by itself.
    pub tries: u32,
    /// How it failed (the last time).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// Why the model stopped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop_reason: Option<String>,
    /// Tokens in.
    #[serde(default)]
    pub input_tokens: u64,
    /// Tokens out.
    #[serde(default)]
    pub output_tokens: u64,
}

/// A quota of a chosen model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Quota {
    /// Role of the model it belongs to.
    pub role: ModelRole,
    /// Quota code.
    pub code: String,
    /// Its name.
    pub name: String,
    /// What it counts.
    pub unit: QuotaUnit,
    /// The value applied to this account, when the service says one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub applied: Option<f64>,
    /// AWS's default, when the service says one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<f64>,
    /// An increase can be asked for.
    pub adjustable: bool,
}

/// What a quota counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum QuotaUnit {
    /// Tokens per minute.
    TokensPerMinute,
    /// Requests per minute.
    RequestsPerMinute,
    /// Tokens per day.
    TokensPerDay,
}

impl QuotaUnit {
    /// Returns what a person would say.
    pub fn spoken(self) -> &'static str {
        match self {
            Self::TokensPerMinute => "tokens per minute",
            Self::RequestsPerMinute => "requests per minute",
            Self::TokensPerDay => "tokens per day",
        }
    }
}

/// Recorded calls of the past.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct History {
    /// From when on (RFC 3339).
    pub since: String,
    /// Pages that were read.
    pub pages: u32,
    /// There was more than was read.
    pub truncated: bool,
    /// Calls that were seen, failed or not.
    pub seen: u32,
    /// The oldest of them (RFC 3339).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oldest: Option<String>,
    /// The failed ones, newest first.
    pub failures: Vec<PastFailure>,
}

/// A failed call of the past.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PastFailure {
    /// When (RFC 3339).
    pub time: String,
    /// The operation.
    pub operation: String,
    /// Error code.
    pub code: String,
    /// Error text.
    pub message: String,
    /// The model id that was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model_id: Option<String>,
    /// ARN of the principal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub principal: Option<String>,
    /// The principal is the present one.
    pub own: bool,
    /// The program that called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<String>,
    /// Request id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// CloudTrail's event id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_id: Option<String>,
}

/// A call that bedside made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Call {
    /// The service, by its signing or endpoint name.
    pub service: String,
    /// The operation.
    pub operation: String,
    /// Region of the call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// When it began, in milliseconds since the run did.
    #[serde(default)]
    pub started_ms: u64,
    /// How long it took, in milliseconds.
    pub ms: u64,
    /// `ok`, an error code, or the kind of obstacle.
    pub outcome: String,
    /// By how many seconds the service's clock was ahead of this machine's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skew_seconds: Option<i64>,
    /// The simulator answered.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub simulated: bool,
}

impl Evidence {
    /// Returns a document in which nothing but the settings is known yet.
    pub fn new(
        settings: Settings,
        region: Fact<RegionSetting>,
        machine: Machine,
        shell: Shell,
        options: Options,
        taken_at: String,
    ) -> Self {
        Self {
            schema_version: EVIDENCE_SCHEMA_VERSION,
            bedside: env!("CARGO_PKG_VERSION").to_owned(),
            taken_at,
            simulated: false,
            redacted: false,
            options,
            machine,
            settings,
            region,
            shell,
            clients: Clients { claude_code: Fact::pending(), aws_cli: Fact::pending() },
            credentials: Fact::pending(),
            network: Fact::pending(),
            identity: Fact::pending(),
            identity_elsewhere: Fact::Absent("the client's own Region was enough to ask".into()),
            models: Models { list: Fact::pending() },
            profiles: Profiles { system: Fact::pending(), application: Fact::pending() },
            access: Access {
                availability: Fact::pending(),
                use_case_form: Fact::pending(),
                data_retention: Fact::pending(),
                elsewhere: Fact::Absent("no other Region was named".into()),
            },
            invoke: Invocations {
                main: Fact::pending(),
                background: Fact::pending(),
                subagent: Fact::pending(),
                fallback: Fact::pending(),
            },
            quotas: Fact::pending(),
            history: Fact::pending(),
            calls: Vec::new(),
        }
    }
}

impl Invocation {
    /// Returns whether the client's own turns pass. Claude Code streams, and repairs a stream that is not found or breaks by a plain
    /// call, never one that is denied (observed with 2.1.330); bedside's chat streams; a plain SDK is served by either operation.
    pub fn works(&self, client: super::Client) -> bool {
        let passed = |attempt: &Option<Attempt>| attempt.as_ref().is_some_and(|attempt| attempt.ok);
        match client {
            super::Client::ClaudeCode => passed(&self.stream) || (passed(&self.plain) && self.stream_is_repaired()),
            super::Client::Bedside => passed(&self.stream),
            super::Client::AwsSdk => passed(&self.stream) || passed(&self.plain),
        }
    }

    fn stream_is_repaired(&self) -> bool {
        let failure = self.stream.as_ref().and_then(|attempt| attempt.failure.as_ref());
        failure.is_some_and(|failure| {
            failure.status == Some(404)
                || failure.kind == super::FailureKind::CutStream
                || failure.envelope == Some(super::Envelope::StreamException)
        })
    }

    /// Returns the attempts, the client's own operation first.
    pub fn attempts(&self) -> impl Iterator<Item = &Attempt> {
        self.stream.iter().chain(&self.plain)
    }
}
