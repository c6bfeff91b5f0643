//! Scenarios: a named world and machine with its true cause, read from TOML.
//!
//! A scenario states only what differs from a healthy, modern account and a healthy, modern machine. Reading one checks every
//! name in it; a mistake is reported with its file, line and reason.
//!
//! ```toml
//! title = "one line for a human"
//! story = "who, what they did, what they see"
//! cause = "scp-cross-region-deny"       # slug of the true cause; absent in a healthy world
//! also = ["prompt-caching-disabled"]    # further true causes
//! client = "claude-code"                # claude-code (default), aws-sdk, bedside
//! verdict = "fail"                      # ok, warn, fail, unknown: the truth
//! pretends = true                       # the installed client is told of, not run: an old release or what is not simulated
//!
//! [world]                               # see `world`: account, Regions, form, retention, organization, VPC endpoint, …
//! [[world.organization.levels]]         # service control policies above the account: the root, then its units
//! [[world.principals]]                  # users, roles, their policies and the keys that the machine holds
//! [[world.models]]                      # what the account may do with models
//! [[world.quotas]]
//! [[world.api_keys]]
//! [[world.events]]                      # history that CloudTrail has
//! [[world.application_profiles]]
//! [[world.answers]]                     # what models say to some prompts
//! [[world.accounts]]                    # further accounts, with the same members
//! [[faults]]                            # see `fault`: what goes wrong, for which calls, how often
//! [network]                             # proxy = works, authentication-required, bad-gateway, hangs; tls_authority
//! [machine]                             # see `machine`: shell, cwd, endpoints, env, unset, files, system, bin
//! ```
//!
//! In the machine's texts `{endpoint}`, `{endpoint_tls}`, `{proxy}`, `{blackhole}`, `{blackhole_tls}`, `{closed}`, `{ca_file}`,
//! `{home}`, `{cwd}`, `{bin}`, `{root}`, `{region}`, `{account}`, `{account.NAME}`, `{alias}`, `{key.NAME.id}` (`secret`,
//! `token`, `expires`), `{arn.NAME}`, `{mfa.NAME}`, `{api_key.NAME}`, `{profile.NAME}`, `{web_identity.NAME}`, `{sso_token}`,
//! `{sso_refresh_token}`, `{sso_client_id}`, `{sso_client_secret}`, `{container_token}`, `{gateway_token}`, `{time:-1h}`,
//! `{url:REGION}` and `{url_tls:REGION}` are filled in.

mod check;
mod duration;
mod embedded;
pub mod fault;
pub mod machine;
pub mod world;

use serde::Deserialize;

pub use duration::Span;
pub use fault::FaultSpec;
pub use machine::MachineSpec;
pub use world::WorldSpec;

/// A scenario.
#[derive(Clone, Debug)]
pub struct Scenario {
    pub head: ScenarioHead,
    pub world: WorldSpec,
    pub faults: Vec<FaultSpec>,
    pub machine: MachineSpec,
    pub network: NetworkSpec,
}

/// What a scenario says about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScenarioHead {
    pub name: String,
    /// One line for a human.
    pub title: String,
    /// Who, what they did, what they see.
    pub story: String,
    /// The slug of the true cause; absent in a healthy world.
    pub cause: Option<String>,
    /// Further true causes.
    pub also: Vec<String>,
    /// The client that the story is about: `claude-code`, `aws-sdk` or `bedside`.
    pub client: String,
    /// The true verdict: `ok`, `warn`, `fail` or `unknown`.
    pub verdict: String,
    /// Whether the truth rests on what is told of the machine's client, or of a part of AWS that is not simulated: running the
    /// current client in this world does not show it.
    pub pretends: bool,
}

/// The network between machine and AWS.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NetworkSpec {
    pub proxy: ProxyBehaviour,
    /// The name of the authority behind the TLS listener's certificate; a company's name makes it an interception.
    pub tls_authority: Option<String>,
}

/// What the proxy listener does.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum ProxyBehaviour {
    /// Forwards to the simulated AWS and counts.
    #[default]
    Works,
    /// Answers 407 to everything.
    AuthenticationRequired,
    /// Answers 502 with an HTML page.
    BadGateway,
    /// Takes the connection and never answers.
    Hangs,
}

/// Why a scenario cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("scenario `{name}`, line {line}: {reason}")]
pub struct ScenarioError {
    pub name: String,
    pub line: usize,
    pub reason: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    title: String,
    story: String,
    cause: Option<String>,
    #[serde(default)]
    also: Vec<String>,
    #[serde(default = "claude_code")]
    client: String,
    verdict: String,
    #[serde(default)]
    pretends: bool,
    #[serde(default)]
    world: WorldSpec,
    #[serde(default)]
    faults: Vec<FaultSpec>,
    #[serde(default)]
    machine: MachineSpec,
    #[serde(default)]
    network: NetworkSpec,
}

fn claude_code() -> String {
    "claude-code".to_owned()
}

impl Scenario {
    /// Reads a scenario from text.
    pub fn parse(name: &str, text: &str) -> Result<Self, ScenarioError> {
        let file: File = toml::from_str(text).map_err(|error| ScenarioError {
            name: name.to_owned(),
            line: error.span().map_or(1, |span| line_of(text, span.start)),
            reason: error.message().trim().to_owned(),
        })?;
        let scenario = Self {
            head: ScenarioHead {
                name: name.to_owned(),
                title: file.title,
                story: file.story,
                cause: file.cause,
                also: file.also,
                client: file.client,
                verdict: file.verdict,
                pretends: file.pretends,
            },
            world: file.world,
            faults: file.faults,
            machine: file.machine,
            network: file.network,
        };
        check::check(&scenario).map_err(|fault| ScenarioError {
            name: name.to_owned(),
            line: text.find(&fault.near).map_or(1, |at| line_of(text, at)),
            reason: fault.reason,
        })?;
        Ok(scenario)
    }

    /// Returns the embedded scenario of that name.
    pub fn find(name: &str) -> Option<Self> {
        embedded::one(name)
    }
}

/// Returns the heads of all embedded scenarios, in the order of their names.
pub fn scenarios() -> impl Iterator<Item = &'static ScenarioHead> {
    embedded::all().iter().map(|scenario| &scenario.head)
}

fn line_of(text: &str, at: usize) -> usize {
    text[..at.min(text.len())].matches('\n').count() + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "title = \"t\"\nstory = \"s\"\nverdict = \"ok\"\n";

    fn reason(rest: &str) -> (usize, String) {
        let error = Scenario::parse("test", &format!("{HEAD}{rest}")).unwrap_err();
        assert!(error.to_string().starts_with("scenario `test`, line "));
        (error.line, error.reason)
    }

    #[test]
    fn mistakes_are_reported_with_line_and_reason() {
        let (line, text) = reason("[world]\nhome_regio = \"us-east-1\"\n");
        assert_eq!(line, 5);
        assert!(text.contains("unknown field `home_regio`"), "{text}");
        let (line, text) = reason("[[world.principals]]\nname = \"dev\"\nkind = \"user\"\npolicies = [\"nonsense\"]\n");
        assert_eq!(line, 7);
        assert!(text.contains("nonsense"), "{text}");
        let (line, text) = reason("[[world.models]]\nmodel = \"anthropic.claude-nine\"\n");
        assert_eq!((line, text.contains("matches no model")), (5, true), "{text}");
        let (_, text) = reason("[[faults]]\nkind = \"throttle\"\ntimes = \"twice\"\n");
        assert!(text.contains("always"), "{text}");
        let (_, text) = reason("[machine.env]\nX = \"{endpiont}\"\n");
        assert!(text.contains("endpiont"), "{text}");
        let (_, text) = reason("[world]\nclock_offset = \"soon\"\n");
        assert!(text.contains("soon"), "{text}");
    }

    #[test]
    fn a_scenario_without_a_world_is_a_healthy_one() {
        let scenario = Scenario::parse("bare", HEAD).unwrap();
        assert_eq!((scenario.head.client.as_str(), scenario.head.cause), ("claude-code", None));
    }
}
