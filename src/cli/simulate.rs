//! `bedside simulate`: lists scenarios, serves one, or runs a command on its machine.

use super::{
    Exit, Failed,
    args::{ListFormat, SimulateArgs},
    doctor::runtime,
    output, simulated,
};
use crate::{
    report::{Paint, safe},
    simulate::{ScenarioHead, scenarios},
    world::{Signals, World, terminal::Terminal},
};

pub(super) fn run(world: &World, arguments: &SimulateArgs) -> Result<Exit, Failed> {
    if arguments.list {
        return list(world, arguments.format);
    }
    let name = arguments.scenario.as_deref().unwrap_or_default();
    simulated::find(name)?;
    runtime()?.block_on(async {
        let simulated = simulated::start(world, name, &arguments.fault, simulated::Programs::OfTheHost).await?;
        let exit = if arguments.command.is_empty() {
            serve(&simulated).await?
        } else {
            command(&simulated, &arguments.command).await?
        };
        simulated.simulation.shutdown().await;
        Ok(exit)
    })
}

/// Serves until Ctrl-C, after printing what to export.
async fn serve(simulated: &simulated::Simulated) -> Result<Exit, Failed> {
    let mut signals =
        Signals::listen().map_err(|error| Failed::new(format!("Ctrl-C cannot be waited for: {error}")))?;
    let mut text = String::from("# SIMULATED AWS on loopback. In another terminal:\n");
    for (name, value) in &simulated.machine.env {
        let assignment = shlex::try_quote(value).map_or_else(|_| format!("{value:?}"), std::borrow::Cow::into_owned);
        text.push_str(&format!("export {name}={assignment}\n"));
    }
    text.push_str(&format!("cd {}\n", simulated.machine.cwd.display()));
    output::print(&text)?;
    output::note("Ctrl-C ends it and removes the machine's folder.");
    signals.next().await;
    Ok(Exit::Ok)
}

/// Runs a command on the machine, with this terminal, and ends as it ends.
async fn command(simulated: &simulated::Simulated, words: &[String]) -> Result<Exit, Failed> {
    let (program, rest) = words.split_first().ok_or_else(|| Failed::new("there is no command to run"))?;
    let found =
        simulated.world.find_programs(program).into_iter().next().unwrap_or_else(|| std::path::PathBuf::from(program));
    output::note(&format!("SIMULATED: {program} on a machine and an account that do not exist"));
    let status = simulated.world.foreground(&found, rest).await.map_err(|error| {
        Failed::new(format!("`{program}` could not be started on the simulated machine: {error}")).hint(format!(
            "it starts in {}, so a program that is not on the PATH needs its full path",
            simulated.machine.cwd.display()
        ))
    })?;
    Ok(Exit::Of(status))
}

fn list(world: &World, format: ListFormat) -> Result<Exit, Failed> {
    let heads: Vec<&ScenarioHead> = ordered();
    if format == ListFormat::Json {
        let list: Vec<serde_json::Value> = heads
            .iter()
            .map(|head| {
                serde_json::json!({
                    "name": head.name, "title": head.title, "story": head.story, "cause": head.cause, "also": head.also,
                    "client": head.client, "verdict": head.verdict, "pretends": head.pretends,
                })
            })
            .collect();
        let text = serde_json::to_string_pretty(&list).map_err(|error| Failed::new(error.to_string()))?;
        output::print(&text)?;
        return Ok(Exit::Ok);
    }
    let paint = Paint::new(&Terminal::detect(world));
    let mut text = String::new();
    for head in heads {
        text.push_str(&format!("{}\n", paint.bold(&safe(&head.name))));
        text.push_str(&paint.paragraph(&head.title, 2));
        text.push('\n');
    }
    text.push_str(&format!("\n{}\n", paint.dim("Look at one: bedside doctor --simulate guide-of-2025")));
    output::print(&paint.finish(&text))?;
    Ok(Exit::Ok)
}

/// The reader of the guide first, then the healthy ones, then the rest by name.
fn ordered() -> Vec<&'static ScenarioHead> {
    let mut heads: Vec<&ScenarioHead> = scenarios().collect();
    heads.sort_by_key(|head| (head.name != "guide-of-2025", head.cause.is_some(), head.name.clone()));
    heads
}
