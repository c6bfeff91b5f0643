//! `bedside doctor`: gathers evidence or reads a record, judges it, shows the report.

use std::{path::Path, time::Duration};

use super::{
    Exit, Failed,
    args::{DoctorArgs, ReportFormat},
    output, packs, simulated,
};
use crate::{
    engine::{
        self, Report, Selection,
        run::{Event, RunOptions, gather},
    },
    evidence::{Client, EVIDENCE_SCHEMA_VERSION, Evidence},
    knowledge::Knowledge,
    probes::Probe,
    report::{self, Detail, Paint, progress::Progress},
    settings::Request,
    world::{FileRead, Signals, World, terminal::Terminal, this_program, write_private},
};

/// How far back history is read unless told otherwise.
const DEFAULT_SINCE: Duration = Duration::from_secs(24 * 3_600);

pub(super) fn run(world: &World, arguments: &DoctorArgs) -> Result<Exit, Failed> {
    let terminal = Terminal::detect(world);
    let mut progress =
        Progress::start(terminal.stderr && arguments.replay.is_none(), terminal.unicode, "Reading the settings");
    let knowledge = packs::load(world, &arguments.checks, arguments.simulate.is_some())?;
    let selection =
        Selection::new(&arguments.only, &arguments.skip, &knowledge).map_err(|error| Failed::new(error.to_string()))?;
    let evidence = match &arguments.replay {
        Some(file) => read_record(world, file)?,
        None => look(world, arguments, &knowledge, &selection, &mut progress, terminal)?,
    };
    progress.clear();
    let recorded = arguments.record.as_ref().map(|file| record(file, &evidence));
    let shown = if arguments.format == ReportFormat::Markdown { redacted(&evidence)? } else { evidence };
    let report = engine::judge(&shown, &knowledge, &selection).map_err(|error| Failed::new(error.to_string()))?;
    output::print(&render(&report, arguments, terminal)?)?;
    // The report is out, whatever becomes of the record.
    if let Some(outcome) = recorded {
        outcome?;
    }
    Ok(Exit::of(report.verdict, arguments.strict))
}

fn render(report: &Report, arguments: &DoctorArgs, terminal: Terminal) -> Result<String, Failed> {
    match arguments.format {
        ReportFormat::Human => {
            let detail = if arguments.all { Detail::All } else { Detail::Normal };
            Ok(report::human(report, Paint::new(&terminal), detail))
        }
        ReportFormat::Json => report::json(report).map_err(|error| Failed::new(error.to_string())),
        ReportFormat::Markdown => Ok(report::markdown(report)),
    }
}

/// Looks at this machine, or at a simulated one.
fn look(
    world: &World,
    arguments: &DoctorArgs,
    knowledge: &Knowledge,
    selection: &Selection,
    progress: &mut Progress,
    terminal: Terminal,
) -> Result<Evidence, Failed> {
    let options = RunOptions {
        invoke: !arguments.no_invoke,
        offline: arguments.offline,
        since_hours: u32::try_from(arguments.since.unwrap_or(DEFAULT_SINCE).as_secs().div_ceil(3_600)).unwrap_or(24),
        deep_history: arguments.since.is_some(),
        probe_timeout: arguments.timeout,
        run_timeout: arguments.deadline,
        program: this_program().map_err(|error| Failed::new(format!("bedside cannot find itself: {error}")))?,
        only: arguments.only.clone(),
        skip: arguments.skip.clone(),
    };
    let request = Request {
        client: arguments.client.client(),
        model: arguments.model.clone(),
        region: arguments.region.clone(),
        profile: arguments.profile.clone(),
    };
    let declares = terminal.stderr && arguments.format == ReportFormat::Human;
    let mut on_event = |event: Event| match event {
        Event::Settled(resolved) if declares => {
            progress.say(&Paint::new(&terminal).paragraph(&footprint(resolved.settings.client, &options), 0));
        }
        Event::Settled(_) => {}
        Event::Began(name) => with_probe(&name, |probe| progress.began(probe.doing())),
        Event::Done(name) => with_probe(&name, |probe| progress.done(probe.doing())),
        Event::Cut(why) => {
            progress.end();
            if terminal.stderr {
                output::note(&format!("Cut short: {why}. What follows is what was known by then."));
            }
        }
    };
    runtime()?.block_on(async {
        let interrupted = async {
            // Where signals cannot be caught they end the program as they always did.
            match Signals::listen() {
                Ok(mut signals) => {
                    signals.next().await;
                }
                Err(_) => std::future::pending::<()>().await,
            }
        };
        match &arguments.simulate {
            Some(name) => {
                let simulated = simulated::start(world, name, &arguments.fault, simulated::Programs::ItsOwn).await?;
                let scenario = simulated::find(name)?;
                // Unless told otherwise, through the eyes of the client that the scenario is about.
                let request = Request {
                    client: request.client.or_else(|| client_named(&scenario.head.client)),
                    ..request.clone()
                };
                let mut evidence =
                    gather(&simulated.world, &request, &options, knowledge, selection, &mut on_event, interrupted)
                        .await;
                evidence.simulated = true;
                simulated.simulation.shutdown().await;
                Ok(evidence)
            }
            None => Ok(gather(world, &request, &options, knowledge, selection, &mut on_event, interrupted).await),
        }
    })
}

fn client_named(name: &str) -> Option<Client> {
    [Client::ClaudeCode, Client::AwsSdk, Client::Bedside].into_iter().find(|client| client.name() == name)
}

fn with_probe(name: &str, act: impl FnOnce(Probe)) {
    if let Some(probe) = Probe::ALL.into_iter().find(|probe| probe.name() == name) {
        act(probe);
    }
}

/// What is about to be done, before it is done.
fn footprint(client: Client, options: &RunOptions) -> String {
    let eyes = format!("Through the eyes of {}.", client.spoken());
    if options.offline {
        return format!("{eyes} Nothing is called.");
    }
    let invoke = if options.invoke {
        "Each model that is set is invoked twice, one output token each; a first invocation of a model may start its Marketplace subscription."
    } else {
        "No model is invoked."
    };
    format!("{eyes} Reads from STS, Bedrock, Service Quotas and CloudTrail. {invoke} Nothing is changed.")
}

/// The runtime of everything that waits.
pub(super) fn runtime() -> Result<tokio::runtime::Runtime, Failed> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| Failed::new(format!("no threads could be started: {error}")))
}

fn redacted(evidence: &Evidence) -> Result<Evidence, Failed> {
    evidence.redacted().map_err(|error| Failed::new(format!("the evidence could not be redacted: {error}")))
}

fn record(file: &Path, evidence: &Evidence) -> Result<(), Failed> {
    let redacted = redacted(evidence)?;
    let mut text = serde_json::to_string_pretty(&redacted).map_err(|error| Failed::new(error.to_string()))?;
    text.push('\n');
    write_private(file, text.as_bytes()).map_err(|error| {
        Failed::new(format!("--record: {} could not be written: {error}", file.display()))
            .hint("the report above is complete; choose another file and run again")
    })
}

/// Reads a record; one of another version or shape is refused whole.
fn read_record(world: &World, file: &Path) -> Result<Evidence, Failed> {
    let shown = file.display();
    let text = match world.read_file(file) {
        FileRead::Text(text) => text,
        FileRead::Missing => return Err(Failed::new(format!("--replay: there is no file {shown}"))),
        FileRead::Trouble(trouble) => return Err(Failed::new(format!("--replay: {shown} cannot be read: {trouble}"))),
    };
    let json: serde_json::Value = serde_json::from_str(&text)
        .map_err(|error| Failed::new(format!("--replay: {shown}:{}: this is no record: {error}", error.line())))?;
    match json["schema_version"].as_u64() {
        Some(version) if version == u64::from(EVIDENCE_SCHEMA_VERSION) => {}
        Some(version) => {
            return Err(Failed::new(format!(
                "--replay: {shown} is a record of version {version}, and this bedside reads version {EVIDENCE_SCHEMA_VERSION}"
            ))
            .hint("record it again with this bedside, or replay it with the one that wrote it"));
        }
        None => return Err(Failed::new(format!("--replay: {shown} is no record: it has no schema_version"))),
    }
    serde_json::from_value(json).map_err(|error| Failed::new(format!("--replay: {shown} is no record: {error}")))
}
