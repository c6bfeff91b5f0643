//! The program: what was typed goes to the command line, and what comes of it becomes the exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    bedside::cli::run()
}
