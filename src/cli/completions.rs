//! `bedside completions`.

use clap::CommandFactory;

use super::{
    Exit, Failed,
    args::{Cli, CompletionsArgs},
    output,
};

pub(super) fn run(arguments: &CompletionsArgs) -> Result<Exit, Failed> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut Cli::command(), "bedside", &mut script);
    output::print(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Ok)
}
