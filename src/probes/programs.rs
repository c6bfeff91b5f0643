//! The client programs on this machine: where they stand, what they say their version is. They are started, so only those that the
//! user's own `PATH` names are, and for no longer than a few seconds.

use std::time::Duration;

use super::{Probe, context::Context};
use crate::{
    evidence::{Clients, Fact, Program, Update, clean},
    world::World,
};

/// A program that does not tell its version in this time is not waited for.
const LIMIT: Duration = Duration::from_secs(5);

pub(super) async fn probe(context: &Context) {
    if !context.wants(Probe::Programs) {
        return;
    }
    context
        .announced(Probe::Programs, async {
            let (claude_code, aws_cli) = tokio::join!(context.claude_code(), look(&context.world, "aws"));
            context.send(Update::Clients(Clients { claude_code, aws_cli }));
        })
        .await;
}

pub(super) async fn look(world: &World, name: &str) -> Fact<Program> {
    let found = world.find_programs(name);
    let Some(first) = found.first() else {
        return Fact::Absent(format!("there is no `{name}` on PATH"));
    };
    let mut program = Program {
        path: world.display_path(first),
        version: None,
        also: found[1..].iter().map(|path| world.display_path(path)).collect(),
        problem: None,
    };
    match world.run(first, &["--version"], LIMIT).await {
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
