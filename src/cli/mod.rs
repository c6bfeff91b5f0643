//! The command line: arguments, one file of glue for each command, and the exit codes. Nothing is decided here.

pub mod args;
mod checks;
mod completions;
mod doctor;
mod exit;
mod output;
mod packs;
pub mod pages;
mod probe;
mod settings;
mod simulate;
mod simulated;

use std::process::ExitCode;

use clap::Parser;

use args::{Cli, Command};
pub use exit::{Exit, Failed};

use crate::{engine::run::PROBE_COMMAND, world::World};

/// Runs the program.
pub fn run() -> ExitCode {
    // The probing process has no arguments of its own to parse, and must start fast.
    if std::env::args_os().nth(1).is_some_and(|argument| argument == PROBE_COMMAND) {
        return probe::run();
    }
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are answers; anything else is a wrong argument.
            let code = if error.use_stderr() { Exit::Usage } else { Exit::Ok };
            let _ = error.print();
            return code.into();
        }
    };
    let world = World::real();
    let outcome = match cli.command {
        Command::Doctor(arguments) => doctor::run(&world, &arguments),
        Command::Settings(arguments) => settings::run(&world, &arguments),
        Command::Checks(arguments) => checks::run(&world, &arguments),
        Command::Simulate(arguments) => simulate::run(&world, &arguments),
        Command::Completions(arguments) => completions::run(&arguments),
    };
    match outcome {
        Ok(exit) => exit.into(),
        Err(failed) => {
            if failed.is_broken_pipe() {
                // Whoever read has seen enough.
                return Exit::Ok.into();
            }
            output::error(&failed);
            Exit::Usage.into()
        }
    }
}
