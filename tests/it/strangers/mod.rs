//! Strangers: the AWS CLI, boto3 and the real Claude Code against the simulated AWS. They are how we know that the simulator speaks
//! AWS's protocols, and that the doctor's verdict is what its client then meets. `tests/run` installs them below `target/strangers`.

mod aws_cli;
mod claude_code;
mod published_schemas;
mod python_sdk;

use std::path::PathBuf;

use crate::harness::{Ran, World, root, skip};

/// A stranger's program, or a loud skip.
fn stranger(path: &str) -> Option<PathBuf> {
    let program = root().join("target/strangers").join(path);
    if program.exists() {
        return Some(program);
    }
    skip(&format!("{} is not installed; tests/run does that", program.display()));
    None
}

fn aws() -> Option<PathBuf> {
    stranger("venv/bin/aws")
}

fn python() -> Option<PathBuf> {
    stranger("venv/bin/python")
}

fn claude() -> Option<PathBuf> {
    stranger("npm/node_modules/.bin/claude")
}

/// Runs an AWS tool on the machine of a scenario.
fn aws_tool(scenario: &str, command: &[&str]) -> Ran {
    let mut with = vec!["env", "AWS_PAGER=", "AWS_DEFAULT_REGION=us-east-1"];
    // That machine names its profile in Claude Code's settings only, which AWS's own tools do not read.
    if scenario == "healthy" {
        with.push("AWS_PROFILE=work");
    }
    with.extend(command);
    on_machine(scenario, &with)
}

/// Runs a command on the machine of a scenario.
fn on_machine(scenario: &str, command: &[&str]) -> Ran {
    let mut arguments = vec!["simulate", scenario, "--"];
    arguments.extend(command);
    World::new().env("PATH", &std::env::var("PATH").unwrap()).run(&arguments)
}
