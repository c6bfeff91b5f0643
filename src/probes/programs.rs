//! The client program on this machine: where it stands, what it says its version is. It is started, so only the one that the user's
//! own `PATH` names is, and for no longer than a few seconds. Programs of other clients are looked for and not started: no check reads
//! their version, and the AWS CLI takes longer to start than a whole healthy run.

use std::time::Duration;

use super::{Probe, context::Context};
use crate::{
    evidence::{Client, Clients, Fact, Program, Update, Why, clean},
    world::World,
};

/// A program that does not tell its version in this time is not waited for.
const LIMIT: Duration = Duration::from_secs(5);
/// How long the AWS CLI is given where everything else is done and well.
const PATIENCE: Duration = Duration::from_millis(700);

pub(super) async fn probe(context: &Context) {
    if !context.wants(Probe::Programs) {
        return;
    }
    context
        .announced(Probe::Programs, async {
            let other = |name: &str| find(&context.world, name);
            let (claude_code, aws_cli) = match context.plan.settings.client {
                Client::ClaudeCode => (context.claude_code().await, other("aws")),
                Client::AwsSdk => (other("claude"), aws_cli(context).await),
                Client::Bedside => (other("claude"), other("aws")),
            };
            context.send(Update::Clients(Clients { claude_code, aws_cli }));
        })
        .await;
}

/// The AWS CLI needs a second or more to say its version. Where the model answered, nothing waits for it.
async fn aws_cli(context: &Context) -> Fact<Program> {
    let enough = async {
        tokio::join!(tokio::time::sleep(PATIENCE), context.well_without_programs());
    };
    tokio::select! {
        program = look(&context.world, "aws") => program,
        () = enough => Fact::unreadable(Why::Unfinished, "`aws --version` had not ended when everything else was done"),
    }
}

/// Where a program stands, without starting it.
fn find(world: &World, name: &str) -> Fact<Program> {
    let found = world.find_programs(name);
    let Some(first) = found.first() else {
        return Fact::Absent(format!("there is no `{name}` on PATH"));
    };
    Fact::Known(Program {
        path: world.display_path(first),
        version: None,
        also: found[1..].iter().map(|path| world.display_path(path)).collect(),
        problem: None,
    })
}

pub(super) async fn look(world: &World, name: &str) -> Fact<Program> {
    let (Fact::Known(mut program), Some(first)) = (find(world, name), world.find_programs(name).into_iter().next())
    else {
        return Fact::Absent(format!("there is no `{name}` on PATH"));
    };
    match world.run(&first, &["--version"], LIMIT).await {
        Ok(output) => {
            let text = if output.stdout.trim().is_empty() { &output.stderr } else { &output.stdout };
            program.version = version_in(text);
            if program.version.is_none() {
                let first_line = text.lines().find(|line| !line.trim().is_empty()).unwrap_or("it printed nothing");
                program.problem =
                    Some(clean(&format!("`{name} --version` ended with {}: {first_line}", spoken_code(output.code))));
            }
        }
        Err(error) => program.problem = Some(clean(&format!("`{name} --version` {error}"))),
    }
    Fact::Known(program)
}

fn spoken_code(code: Option<i32>) -> String {
    code.map_or_else(|| "a signal".to_owned(), |code| format!("exit code {code}"))
}

/// The version in `2.1.330 (Claude Code)` or `aws-cli/1.46.3 Python/3.11.7 …`.
fn version_in(text: &str) -> Option<String> {
    let word = text.split_whitespace().next()?;
    let version = word.rsplit('/').next().unwrap_or(word);
    let looks_right =
        version.starts_with(|it: char| it.is_ascii_digit()) && version.contains('.') && version.len() < 40;
    looks_right.then(|| clean(version))
}

#[cfg(test)]
mod tests {
    use super::version_in;

    #[test]
    fn versions_are_read() {
        assert_eq!(version_in("2.1.330 (Claude Code)\n").as_deref(), Some("2.1.330"));
        assert_eq!(version_in("aws-cli/1.46.3 Python/3.11.7 Linux").as_deref(), Some("1.46.3"));
        assert_eq!(version_in("command not found"), None);
    }
}
