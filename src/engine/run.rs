//! Running: settings are resolved here, the probes in a process of their own that was started with exactly the client's environment.
//! That is the only way in which the SDK, proxies, certificate variables and credential helpers all see what the client would see; it
//! also lets everything that hangs be ended at the deadline, with what is known by then.

use std::{path::PathBuf, process::Stdio, time::Duration};

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};

use super::Selection;
use crate::{
    evidence::{Evidence, Fact, Options, Provider, Update, Why},
    knowledge::Knowledge,
    probes::{Probe, ProbePlan, QuotaCode},
    settings::{self, Request, Resolved},
    world::{World, end_group},
};

/// How a run is to be done.
#[derive(Clone, Debug)]
pub struct RunOptions {
    /// Models may be invoked.
    pub invoke: bool,
    /// No call at all.
    pub offline: bool,
    /// How far back history is read, in hours.
    pub since_hours: u32,
    /// The user asked for history.
    pub deep_history: bool,
    /// Deadline of one probe.
    pub probe_timeout: Duration,
    /// Deadline of the run.
    pub run_timeout: Duration,
    /// This program, which is started again to run the probes.
    pub program: PathBuf,
    /// Groups or ids that were chosen, for the record.
    pub only: Vec<String>,
    /// Groups or ids that were left out, for the record.
    pub skip: Vec<String>,
}

/// News for whoever shows progress.
#[derive(Clone, Debug)]
pub enum Event {
    /// What the settings say, before any call.
    Settled(Box<Resolved>),
    /// A probe has begun.
    Began(String),
    /// A probe is done.
    Done(String),
    /// The run was cut short, and why.
    Cut(String),
}

/// Argument under which this program runs the probes.
pub const PROBE_COMMAND: &str = "__probe";

/// Gathers evidence.
pub async fn gather(
    world: &World,
    request: &Request,
    options: &RunOptions,
    knowledge: &Knowledge,
    selection: &Selection,
    on_event: &mut (dyn FnMut(Event) + Send),
    interrupted: impl Future<Output = ()>,
) -> Evidence {
    let resolved = settings::resolve(world, request);
    on_event(Event::Settled(Box::new(resolved.clone())));
    let mut evidence = Evidence::new(
        resolved.settings.clone(),
        resolved.region.clone(),
        resolved.machine.clone(),
        resolved.shell.clone(),
        Options {
            invoke: options.invoke,
            offline: options.offline,
            since_hours: options.since_hours,
            only: options.only.clone(),
            skip: options.skip.clone(),
        },
        world.now().to_string(),
    );
    let probes = probes_to_run(&resolved, options, knowledge, selection, &mut evidence);
    if probes.is_empty() {
        return evidence;
    }
    let plan = probe_plan(&resolved, options, knowledge, probes);
    let collecting = collect(world, &resolved, options, &plan, &mut evidence, on_event);
    let cut = tokio::select! {
        outcome = collecting => outcome.err(),
        () = interrupted => Some("interrupted".to_owned()),
        () = tokio::time::sleep(options.run_timeout) => Some(format!("the run's limit of {} s was reached", options.run_timeout.as_secs_f32())),
    };
    if let Some(why) = cut {
        on_event(Event::Cut(why));
    }
    evidence.mark_own();
    evidence
}

/// Which probes run; what none of them will look at is said to be so.
fn probes_to_run(
    resolved: &Resolved,
    options: &RunOptions,
    knowledge: &Knowledge,
    selection: &Selection,
    evidence: &mut Evidence,
) -> Vec<Probe> {
    let planned = super::plan(selection, knowledge);
    let reason = if options.offline {
        Some((Why::NotAsked, "nothing was called (--offline)"))
    } else if resolved.settings.provider != Provider::Bedrock && resolved.settings.unsupported.is_none() {
        Some((Why::Dependency, "the client does not talk to Bedrock"))
    } else {
        None
    };
    match reason {
        Some((why, reason)) => leave_out(evidence, why, reason),
        None => {
            if !planned.contains(&Probe::Programs) {
                let missing = || Fact::unreadable(Why::NotAsked, "no selected check looks at it");
                evidence.clients = crate::evidence::Clients { claude_code: missing(), aws_cli: missing() };
            }
        }
    }
    match reason {
        // The programs are on this machine; looking at them calls nobody.
        Some(_) => planned.into_iter().filter(|probe| *probe == Probe::Programs).collect(),
        None => planned.into_iter().collect(),
    }
}

fn leave_out(evidence: &mut Evidence, why: Why, reason: &str) {
    fn missing<T>(why: Why, reason: &str) -> Fact<T> {
        Fact::unreadable(why, reason)
    }
    evidence.credentials = missing(why, reason);
    evidence.network = missing(why, reason);
    evidence.identity = missing(why, reason);
    evidence.models.list = missing(why, reason);
    evidence.profiles.system = missing(why, reason);
    evidence.profiles.application = missing(why, reason);
    evidence.access.availability = missing(why, reason);
    evidence.access.use_case_form = missing(why, reason);
    evidence.access.data_retention = missing(why, reason);
    evidence.quotas = missing(why, reason);
    evidence.history = missing(why, reason);
    evidence.invoke.main = missing(why, reason);
    for role in [
        crate::evidence::ModelRole::Background,
        crate::evidence::ModelRole::Subagent,
        crate::evidence::ModelRole::Fallback,
    ] {
        *evidence.invoke.of_mut(role) = match evidence.settings.models.of(role) {
            Fact::Absent(reason) => Fact::Absent(reason.clone()),
            _ => missing(why, reason),
        };
    }
}

fn probe_plan(resolved: &Resolved, options: &RunOptions, knowledge: &Knowledge, probes: Vec<Probe>) -> ProbePlan {
    let tables = &knowledge.tables;
    ProbePlan {
        settings: resolved.settings.clone(),
        region: resolved.region.clone(),
        probes,
        invoke: options.invoke,
        since_hours: options.since_hours,
        deep_history: options.deep_history,
        probe_timeout_ms: u64::try_from(options.probe_timeout.as_millis()).unwrap_or(u64::MAX),
        quota_codes: tables
            .quotas
            .iter()
            .map(|quota| QuotaCode {
                model: quota.model.clone(),
                scope: quota.scope.clone(),
                unit: quota.unit,
                code: quota.code.clone(),
            })
            .collect(),
        not_by_default: tables
            .models
            .iter()
            .filter(|model| !model.needs_retention.is_empty())
            .map(|model| model.id.clone())
            .collect(),
        opt_in_regions: tables
            .regions
            .iter()
            .filter(|region| region.opt_in)
            .map(|region| region.name.clone())
            .collect(),
        elsewhere: other_regions(resolved),
        extra_roots: resolved.settings.route.ca_bundle.as_ref().map(|ca| ca.value.clone()),
        replace_roots: resolved.replace_roots,
        no_chain: resolved.no_chain.clone(),
        keys_of_profile: resolved.keys_of_profile,
    }
}

/// Regions that the settings name beside the one in use: at most three.
fn other_regions(resolved: &Resolved) -> Vec<(String, String)> {
    let Some(region) = resolved.region.known() else { return Vec::new() };
    let shadowed = region.shadows.iter().map(|shadowed| (shadowed.value.clone(), shadowed.origin.to_string()));
    let unread = resolved
        .settings
        .unread
        .iter()
        .filter(|setting| setting.name.to_lowercase().contains("region"))
        .map(|setting| (setting.value.clone(), setting.origin.to_string()));
    let mut found: Vec<(String, String)> = Vec::new();
    for (name, named_by) in shadowed.chain(unread) {
        if name != region.name && !found.iter().any(|(other, _)| *other == name) {
            found.push((name, named_by));
        }
    }
    found.truncate(3);
    found
}

/// Starts the probing process and takes in what it sends, until it ends.
async fn collect(
    world: &World,
    resolved: &Resolved,
    options: &RunOptions,
    plan: &ProbePlan,
    evidence: &mut Evidence,
    on_event: &mut (dyn FnMut(Event) + Send),
) -> Result<(), String> {
    let plan = serde_json::to_vec(plan).map_err(|error| format!("the plan could not be written: {error}"))?;
    let mut command = world.command(&options.program);
    command
        .arg(PROBE_COMMAND)
        .env_clear()
        .envs(resolved.environment.expose())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let mut child = command.spawn().map_err(|error| format!("the probes could not be started: {error}"))?;
    // Whatever a helper of the user's left running ends with the probes.
    let _group = Group(child.id());
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(&plan).await.map_err(|error| format!("the probes could not be told what to do: {error}"))?;
    }
    let Some(stdout) = child.stdout.take() else { return Err("the probes cannot be heard".to_owned()) };
    let mut lines = BufReader::new(stdout).lines();
    let mut ended = false;
    while let Ok(Some(line)) = lines.next_line().await {
        let Ok(update) = serde_json::from_str::<Update>(&line) else { continue };
        match &update {
            Update::Began(name) => on_event(Event::Began(name.clone())),
            Update::Done(name) => on_event(Event::Done(name.clone())),
            Update::End => ended = true,
            _ => {}
        }
        evidence.apply(update);
        if ended {
            break;
        }
    }
    if ended { Ok(()) } else { Err("the probes ended before they were done".to_owned()) }
}

/// Ends a process group when it goes out of scope.
struct Group(Option<u32>);

impl Drop for Group {
    fn drop(&mut self) {
        end_group(self.0);
    }
}
