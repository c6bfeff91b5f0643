//! Running other programs, with a deadline and a bounded output. A program that does not end is ended together with whatever it
//! started, by its own process group.
#![expect(clippy::disallowed_types, reason = "this is the door that everything else goes through")]

use std::{path::Path, process::Stdio, time::Duration};

use tokio::{io::AsyncReadExt, process::Command};

use super::{Asked, Signals, World};

/// The most that is kept of a program's output, in bytes.
const MAX_OUTPUT: u64 = 64 * 1024;

/// What a program printed, and how it ended.
#[derive(Clone, Debug)]
pub struct Captured {
    /// Exit code; absent when a signal ended it.
    pub code: Option<i32>,
    /// The first 64 KiB of its standard output.
    pub stdout: String,
    /// The first 64 KiB of its standard error.
    pub stderr: String,
}

/// Why a program gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// It could not be started.
    #[error("could not be started: {0}")]
    Start(#[from] std::io::Error),
    /// It was still running at the deadline, and was ended.
    #[error("did not end within {} s", .0.as_secs_f32())]
    TimedOut(Duration),
}

impl World {
    /// Runs a program with this machine's environment and nothing on its standard input.
    ///
    /// # Errors
    /// When it cannot be started or is still running after `limit`.
    pub async fn run(&self, program: &Path, arguments: &[&str], limit: Duration) -> Result<Captured, RunError> {
        let mut command = self.command(program);
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn()?;
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let stdout = child.stdout.take();
        let stderr = child.stderr.take();
        let work = async {
            let read_out = async {
                if let Some(stream) = stdout {
                    let _ = stream.take(MAX_OUTPUT).read_to_end(&mut out).await;
                }
            };
            let read_err = async {
                if let Some(stream) = stderr {
                    let _ = stream.take(MAX_OUTPUT).read_to_end(&mut err).await;
                }
            };
            tokio::join!(read_out, read_err);
            child.wait().await
        };
        if let Ok(status) = tokio::time::timeout(limit, work).await {
            return Ok(Captured {
                code: status?.code(),
                stdout: String::from_utf8_lossy(&out).into_owned(),
                stderr: String::from_utf8_lossy(&err).into_owned(),
            });
        }
        end_group(child.id());
        let _ = child.start_kill();
        let _ = child.wait().await;
        Err(RunError::TimedOut(limit))
    }

    /// Runs a program with this machine's environment and this process's terminal, and returns its exit code (128 and its number
    /// where a signal ended it). Ctrl-C is the program's business; when this process is asked to end, the program is ended first.
    ///
    /// # Errors
    /// When it cannot be started.
    pub async fn foreground(&self, program: &Path, arguments: &[String]) -> std::io::Result<u8> {
        let mut command = Command::new(program);
        command.args(arguments).env_clear().envs(self.environment()).kill_on_drop(true);
        if self.exists(self.current_dir()) {
            command.current_dir(self.current_dir());
        }
        let mut signals = Signals::listen()?;
        let mut child = command.spawn()?;
        loop {
            tokio::select! {
                status = child.wait() => return Ok(code_of(status?)),
                asked = signals.next() => if asked == Asked::End {
                    child.kill().await?;
                },
            }
        }
    }

    /// Returns a command with this machine's environment, in its current folder, in a process group of its own, that ends when
    /// its handle is dropped.
    pub fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.env_clear().envs(self.environment()).kill_on_drop(true);
        if self.exists(self.current_dir()) {
            command.current_dir(self.current_dir());
        }
        #[cfg(unix)]
        command.process_group(0);
        command
    }
}

/// Ends a whole process group. Without `unsafe` there is no `kill(2)`, so the system's own `kill` does it.
pub fn end_group(leader: Option<u32>) {
    #[cfg(unix)]
    if let Some(leader) = leader {
        let _ = std::process::Command::new("kill")
            .args(["-KILL", "--", &format!("-{leader}")])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
    }
    #[cfg(not(unix))]
    let _ = leader;
}

#[cfg(unix)]
fn code_of(status: std::process::ExitStatus) -> u8 {
    use std::os::unix::process::ExitStatusExt;
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(1);
    u8::try_from(code).unwrap_or(1)
}

#[cfg(not(unix))]
fn code_of(status: std::process::ExitStatus) -> u8 {
    u8::try_from(status.code().unwrap_or(1)).unwrap_or(1)
}
