//! The probing process: it was started with exactly the client's environment, reads its plan from standard input and writes one line
//! of JSON for each fact.

use std::{
    io::{self, Read, Write},
    process::ExitCode,
    sync::{Arc, Mutex, PoisonError},
};

use super::Exit;
use crate::{
    evidence::Update,
    probes::{self, ProbePlan},
    settings::variables::is_secret,
    world::World,
};

/// A value this short is no secret worth hunting, and would be found everywhere.
const SHORTEST_SECRET: usize = 8;

pub(super) fn run() -> ExitCode {
    let mut plan = Vec::new();
    if io::stdin().read_to_end(&mut plan).is_err() {
        return Exit::Usage.into();
    }
    let Ok(plan) = serde_json::from_slice::<ProbePlan>(&plan) else {
        super::output::note("bedside: this command is for bedside itself");
        return Exit::Usage.into();
    };
    let world = World::real();
    let secrets = secrets(&world);
    let out = Mutex::new(io::stdout());
    let sink = Arc::new(move |update: Update| {
        let Ok(mut line) = serde_json::to_string(&update) else { return };
        // The second fence: what is known to be secret does not leave this process, whoever quoted it.
        for secret in &secrets {
            if line.contains(secret.as_str()) {
                line = line.replace(secret.as_str(), "(hidden)");
            }
        }
        line.push('\n');
        let mut out = out.lock().unwrap_or_else(PoisonError::into_inner);
        if out.write_all(line.as_bytes()).and_then(|()| out.flush()).is_err() {
            // Nobody listens any more.
            end_now();
        }
    });
    let Ok(runtime) = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build() else {
        return Exit::Usage.into();
    };
    runtime.block_on(probes::run(world, plan, sink));
    // A helper that still runs is no reason to stay.
    runtime.shutdown_background();
    ExitCode::SUCCESS
}

/// The values of secret variables, as they would stand in JSON.
fn secrets(world: &World) -> Vec<String> {
    world
        .environment()
        .iter()
        .filter(|(name, _)| name.to_str().is_some_and(|name| is_secret(name) && name != "AWS_ACCESS_KEY_ID"))
        .map(|(_, value)| value.to_string_lossy().trim().to_owned())
        .filter(|value| value.len() >= SHORTEST_SECRET)
        .filter_map(|value| serde_json::to_string(&value).ok())
        .map(|json| json.trim_matches('"').to_owned())
        .collect()
}

/// Ends the process at once, from whatever thread. There is nothing to put in order: the probes change nothing.
#[expect(clippy::disallowed_methods, reason = "the probing process has no other way to stop its siblings")]
fn end_now() {
    std::process::exit(0);
}
