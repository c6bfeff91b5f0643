//! What can be typed. The comments here are the help.

use std::{path::PathBuf, time::Duration};

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::evidence;

/// Finds out why Claude (and Claude Code) on Amazon Bedrock does not work for you
#[derive(Debug, Parser)]
#[command(name = "bedside", version, about, long_about = None, propagate_version = true, max_term_width = 100)]
#[command(after_help = "Examples:
  bedside doctor                             why does Claude Code on Bedrock not work here?
  bedside doctor --simulate guide-of-2025    see it at work, without an AWS account
  bedside settings                           what will Claude Code use, and where is that set?

Exit codes: 0 it works, 1 something is wrong, 2 bedside was used wrongly, 3 could not be verified.")]
pub struct Cli {
    /// What to do
    #[command(subcommand)]
    pub command: Command,
}

/// The commands
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Find out whether Claude on Bedrock works here, and if not, why
    #[command(after_help = DOCTOR_EXAMPLES)]
    Doctor(Box<DoctorArgs>),
    /// Show what a client will use, and where each value comes from
    #[command(after_help = SETTINGS_EXAMPLES)]
    Settings(SettingsArgs),
    /// List the checks, or show the page of one check or cause
    #[command(after_help = CHECKS_EXAMPLES)]
    Checks(ChecksArgs),
    /// Serve a simulated AWS account and machine, for trying things out
    #[command(after_help = SIMULATE_EXAMPLES)]
    Simulate(SimulateArgs),
    /// Print completions for a shell
    #[command(after_help = COMPLETIONS_EXAMPLES)]
    Completions(CompletionsArgs),
}

const DOCTOR_EXAMPLES: &str = "Examples:
  bedside doctor                                through the eyes of Claude Code, where there is one
  bedside doctor --client aws-sdk               through the eyes of a plain AWS SDK
  bedside doctor --no-invoke                    without invoking a model
  bedside doctor --only network --only credentials
  bedside doctor --record case.json             keep the redacted evidence
  bedside doctor --replay case.json             judge it again, offline
  bedside doctor --simulate guide-of-2025       in a simulated account, on a simulated machine
  bedside doctor --format json | jq .verdict

It reads; it changes nothing. It calls STS, Bedrock, Service Quotas and CloudTrail, and invokes each model that the client is set
to use twice with one output token, which costs next to nothing and may start a Marketplace subscription as any first invocation does.";

const SETTINGS_EXAMPLES: &str = "Examples:
  bedside settings                       Claude Code beside the plain AWS SDKs
  bedside settings --client claude-code  one client, every variable
  bedside settings --format json";

const CHECKS_EXAMPLES: &str = "Examples:
  bedside checks                   list the checks
  bedside checks profile-exists    the page of a check
  bedside checks model-eol         the page of a cause
  bedside checks --causes          list the causes
  bedside checks --schema report   the JSON Schema of `doctor --format json`";

const SIMULATE_EXAMPLES: &str = "Examples:
  bedside simulate --list                               the scenarios
  bedside simulate healthy                              serve it until Ctrl-C, and print the variables to export
  bedside simulate healthy -- aws sts get-caller-identity
  bedside simulate model-eol -- claude -p hi
  bedside simulate healthy --fault latency=200ms -- aws bedrock list-foundation-models";

const COMPLETIONS_EXAMPLES: &str = "Examples:
  bedside completions bash > ~/.local/share/bash-completion/completions/bedside
  bedside completions zsh > \"${fpath[1]}/_bedside\"
  bedside completions fish > ~/.config/fish/completions/bedside.fish";

/// The clients that can be named.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ClientChoice {
    /// Claude Code where there is any trace of it, else a plain AWS SDK
    Auto,
    /// Claude Code
    ClaudeCode,
    /// A plain AWS SDK or the AWS CLI
    AwsSdk,
    /// bedside's own chat
    Bedside,
}

impl ClientChoice {
    /// Returns the client, unless it is to be found out.
    pub fn client(self) -> Option<evidence::Client> {
        match self {
            Self::Auto => None,
            Self::ClaudeCode => Some(evidence::Client::ClaudeCode),
            Self::AwsSdk => Some(evidence::Client::AwsSdk),
            Self::Bedside => Some(evidence::Client::Bedside),
        }
    }
}

/// The forms of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ReportFormat {
    /// For people
    Human,
    /// For machines
    Json,
    /// For a ticket, redacted
    Markdown,
}

/// The forms of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ListFormat {
    /// For people
    Human,
    /// For machines
    Json,
}

/// What to look at, and how to say it
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of its own")]
pub struct DoctorArgs {
    /// Through whose eyes to look
    #[arg(long, value_enum, default_value = "auto", value_name = "CLIENT")]
    pub client: ClientChoice,
    /// Look at this model instead of the one that is set
    #[arg(long, value_name = "ID")]
    pub model: Option<String>,
    /// Look at this Region instead of the one that is set
    #[arg(long, value_name = "REGION")]
    pub region: Option<String>,
    /// Use this AWS profile instead of the one that is set
    #[arg(long, value_name = "NAME")]
    pub profile: Option<String>,
    /// Invoke no model
    #[arg(long)]
    pub no_invoke: bool,
    /// Call nothing at all; judge the settings only
    #[arg(long, conflicts_with = "simulate")]
    pub offline: bool,
    /// How far back to read CloudTrail, such as 2h or 7d
    #[arg(long, value_name = "SPAN", value_parser = parse_span)]
    pub since: Option<Duration>,
    /// Only this check or group (repeatable)
    #[arg(long, value_name = "CHECK")]
    pub only: Vec<String>,
    /// Not this check or group (repeatable)
    #[arg(long, value_name = "CHECK")]
    pub skip: Vec<String>,
    /// Deadline of one probe
    #[arg(long, value_name = "SPAN", default_value = "15s", value_parser = parse_span)]
    pub timeout: Duration,
    /// Deadline of the whole run
    #[arg(long, value_name = "SPAN", default_value = "45s", value_parser = parse_span)]
    pub deadline: Duration,
    /// A warning ends with exit code 1
    #[arg(long)]
    pub strict: bool,
    /// Show every check and every call
    #[arg(long, short)]
    pub all: bool,
    /// Form of the report
    #[arg(long, value_enum, default_value = "human", value_name = "FORM")]
    pub format: ReportFormat,
    /// Keep the evidence in this file, redacted, readable by you alone
    #[arg(long, value_name = "FILE")]
    pub record: Option<PathBuf>,
    /// Judge this record instead of looking
    #[arg(long, value_name = "FILE", conflicts_with_all = ["record", "simulate", "model", "region", "profile", "offline", "no_invoke"])]
    pub replay: Option<PathBuf>,
    /// Look at a simulated account and machine
    #[arg(long, value_name = "SCENARIO")]
    pub simulate: Option<String>,
    /// Add a fault to the simulation, such as latency=200ms (repeatable)
    #[arg(long, value_name = "FAULT", requires = "simulate")]
    pub fault: Vec<String>,
    /// Add checks, causes and signatures from this folder (repeatable)
    #[arg(long, value_name = "DIR")]
    pub checks: Vec<PathBuf>,
    /// Never ask anything
    #[arg(long)]
    pub no_input: bool,
}

/// Whose settings to show
#[derive(Debug, Args)]
pub struct SettingsArgs {
    /// Whose settings; without it, Claude Code beside the plain AWS SDKs
    #[arg(long, value_enum, value_name = "CLIENT")]
    pub client: Option<ClientChoice>,
    /// Form of the output
    #[arg(long, value_enum, default_value = "human", value_name = "FORM")]
    pub format: ListFormat,
    /// On a simulated machine
    #[arg(long, value_name = "SCENARIO")]
    pub simulate: Option<String>,
}

/// The schemas that can be printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SchemaChoice {
    /// Of `doctor --format json`
    Report,
    /// Of `doctor --record`
    Evidence,
}

/// What to list or show
#[derive(Debug, Args)]
pub struct ChecksArgs {
    /// Id of a check, or slug of a cause
    #[arg(value_name = "ID")]
    pub id: Option<String>,
    /// List the causes
    #[arg(long, conflicts_with = "id")]
    pub causes: bool,
    /// Print a JSON Schema
    #[arg(long, value_enum, value_name = "DOCUMENT", conflicts_with_all = ["id", "causes"])]
    pub schema: Option<SchemaChoice>,
    /// Form of the list
    #[arg(long, value_enum, default_value = "human", value_name = "FORM")]
    pub format: ListFormat,
    /// Add checks, causes and signatures from this folder (repeatable)
    #[arg(long, value_name = "DIR")]
    pub checks: Vec<PathBuf>,
}

/// What to serve
#[derive(Debug, Args)]
pub struct SimulateArgs {
    /// The scenario
    #[arg(value_name = "SCENARIO", required_unless_present = "list")]
    pub scenario: Option<String>,
    /// List the scenarios
    #[arg(long, conflicts_with = "scenario")]
    pub list: bool,
    /// Form of the list
    #[arg(long, value_enum, default_value = "human", value_name = "FORM", requires = "list")]
    pub format: ListFormat,
    /// Add a fault, such as latency=200ms (repeatable)
    #[arg(long, value_name = "FAULT")]
    pub fault: Vec<String>,
    /// A command to run on the simulated machine
    #[arg(last = true, value_name = "COMMAND", conflicts_with = "list")]
    pub command: Vec<String>,
}

/// The shell
#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    pub shell: clap_complete::Shell,
}

/// Reads `200ms`, `15s`, `5m`, `2h`, `7d`.
fn parse_span(text: &str) -> Result<Duration, String> {
    let text = text.trim();
    let split = text.find(|it: char| !it.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let wrong = || format!("`{text}` is no span of time; write a number with ms, s, m, h or d, such as 15s");
    let number: u64 = number.parse().map_err(|_| wrong())?;
    let span = match unit {
        "ms" => Duration::from_millis(number),
        "s" => Duration::from_secs(number),
        "m" => Duration::from_secs(number.checked_mul(60).ok_or_else(wrong)?),
        "h" => Duration::from_secs(number.checked_mul(3_600).ok_or_else(wrong)?),
        "d" => Duration::from_secs(number.checked_mul(86_400).ok_or_else(wrong)?),
        _ => return Err(wrong()),
    };
    if span.is_zero() {
        return Err(format!("`{text}` is no time at all"));
    }
    if span > Duration::from_secs(90 * 86_400) {
        return Err(format!("`{text}` is longer than 90 days, which is as far as CloudTrail's event history goes"));
    }
    Ok(span)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_read() {
        assert_eq!(parse_span("200ms"), Ok(Duration::from_millis(200)));
        assert_eq!(parse_span("7d"), Ok(Duration::from_secs(7 * 86_400)));
        for bad in ["", "5", "s", "0s", "-1s", "1y", "91d", "99999999999999999999s"] {
            assert!(parse_span(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_arguments_are_consistent() {
        use clap::CommandFactory;
        Cli::command().debug_assert();
    }
}
