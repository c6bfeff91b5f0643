//! A simulated account with its machine, ready to be looked at: a server on loopback, and a temporary folder that holds the machine's
//! home, programs and system files. The real home is neither read nor written.

use std::time::Duration;

use tempfile::TempDir;

use super::Failed;
use crate::{
    knowledge::nearest,
    simulate::{Entry, EntryContent, FaultSpec, Machine, Options, Scenario, Simulation, scenarios},
    world::{World, this_program},
};

/// A running simulation with its machine on disk.
pub(super) struct Simulated {
    pub(super) simulation: Simulation,
    pub(super) machine: Machine,
    pub(super) world: World,
    // Removed with everything in it when this is dropped.
    _folder: TempDir,
}

/// Which programs a simulated machine has beside those of its scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Programs {
    /// Whatever is on the PATH here: somebody is going to run them there.
    OfTheHost,
    /// The operating system's.
    ItsOwn,
}

/// Starts a scenario.
///
/// # Errors
/// An unknown scenario, a fault that is none, or a loopback that cannot be listened on.
pub(super) async fn start(
    host: &World,
    name: &str,
    faults: &[String],
    programs: Programs,
) -> Result<Simulated, Failed> {
    let scenario = find(name)?;
    let mut options = Options::default();
    for fault in faults {
        match fault.strip_prefix("latency=").and_then(milliseconds) {
            Some(latency) => options.latency = Some(latency),
            None => options.extra_faults.push(fault.parse::<FaultSpec>().map_err(|error| {
                Failed::new(format!("--fault {fault}: {error}"))
                    .hint("faults look like latency=200ms, bedrock-runtime:*=throttle:2, cloudtrail:LookupEvents=hang")
            })?),
        }
    }
    let simulation = Simulation::start(&scenario, options)
        .await
        .map_err(|error| Failed::new(format!("the simulation could not be started: {}", chain(&error))))?;
    let folder = tempfile::Builder::new()
        .prefix("bedside-")
        .tempdir()
        .map_err(|error| Failed::new(format!("no temporary folder for the simulated machine: {error}")))?;
    let path = match programs {
        Programs::OfTheHost => host.environment().get(std::ffi::OsStr::new("PATH")).cloned(),
        Programs::ItsOwn => cfg!(unix).then(|| "/usr/bin:/bin".into()),
    };
    let mut machine = simulation.machine(folder.path(), path.as_deref());
    // On its machine `bedside` is this very program, whatever the host has on its PATH.
    if let Some(itself) = this_program().ok().and_then(|it| Some(shlex::try_quote(it.to_str()?).ok()?.into_owned())) {
        machine.entries.push(Entry {
            path: machine.bin.join("bedside"),
            content: EntryContent::Text(format!("#!/bin/sh\nexec {itself} \"$@\"\n")),
            mode: 0o755,
        });
    }
    machine
        .materialise()
        .map_err(|error| Failed::new(format!("the simulated machine could not be written: {}", chain(&error))))?;
    let world = World::on_disk(machine.env.clone(), machine.cwd.clone(), machine.root.clone());
    Ok(Simulated { simulation, machine, world, _folder: folder })
}

/// Finds a scenario by its name.
pub(super) fn find(name: &str) -> Result<Scenario, Failed> {
    Scenario::find(name).ok_or_else(|| {
        let hint = nearest(name, scenarios().map(|head| head.name.as_str()))
            .map(|near| format!("did you mean `{near}`? `bedside simulate --list` shows them all"))
            .unwrap_or_else(|| "`bedside simulate --list` shows them all".to_owned());
        Failed::new(format!("there is no scenario `{name}`")).hint(hint)
    })
}

fn milliseconds(text: &str) -> Option<Duration> {
    let (number, factor) = match text.strip_suffix("ms") {
        Some(number) => (number, 1),
        None => (text.strip_suffix('s')?, 1_000),
    };
    Some(Duration::from_millis(number.parse::<u64>().ok()?.checked_mul(factor)?))
}

/// An error with its causes, in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text = format!("{text}: {cause}");
        next = cause.source();
    }
    text
}
