//! The only door to the machine: environment, files, clock, processes, terminal.
//!
//! Everything that looks at the machine takes a [`World`], so that the same code runs on a real machine, on the machine of a
//! simulated scenario (its own environment and home folder) and in tests (files in memory). Nothing here knows about AWS or Claude.

mod files;
mod os;
mod process;
mod signals;
pub mod terminal;

use std::{
    collections::BTreeMap,
    ffi::{OsStr, OsString},
    path::{Path, PathBuf},
};

pub use files::{FileRead, FileTrouble, MAX_CONFIG_BYTES};
pub use os::{Platform, monotonic_now, this_program, wall_clock, write_private};
pub use process::{Captured, RunError, end_group};
pub use signals::{Asked, Signals};

use files::Files;

/// One machine as a process on it sees it.
#[derive(Clone)]
pub struct World {
    environment: BTreeMap<OsString, OsString>,
    current_dir: PathBuf,
    /// Prefix of system paths (`/etc/…`); set on simulated machines so that the real ones are never read.
    system_root: Option<PathBuf>,
    platform: Platform,
    files: Files,
    now: Option<jiff::Timestamp>,
}

impl std::fmt::Debug for World {
    /// Names of variables only: their values may be secrets.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("World")
            .field("variables", &self.environment.keys().collect::<Vec<_>>())
            .field("current_dir", &self.current_dir)
            .finish_non_exhaustive()
    }
}

impl World {
    /// Returns the machine this process runs on.
    pub fn real() -> Self {
        Self {
            environment: os::environment(),
            current_dir: os::current_dir(),
            system_root: None,
            platform: Platform::current(),
            files: Files::Disk,
            now: None,
        }
    }

    /// Returns a machine on this disk with an environment of its own, whose system files lie below `system_root`.
    pub fn on_disk(
        environment: impl IntoIterator<Item = (String, String)>,
        current_dir: PathBuf,
        system_root: PathBuf,
    ) -> Self {
        Self {
            environment: environment.into_iter().map(|(name, value)| (name.into(), value.into())).collect(),
            current_dir,
            system_root: Some(system_root),
            platform: Platform::current(),
            files: Files::Disk,
            now: None,
        }
    }

    /// Returns a machine that exists in memory only, for tests: a Linux with `HOME=/home/me`.
    pub fn in_memory<'a>(
        environment: impl IntoIterator<Item = (&'a str, &'a str)>,
        files: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Self {
        let mut variables: BTreeMap<OsString, OsString> =
            environment.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
        variables.entry("HOME".into()).or_insert_with(|| "/home/me".into());
        Self {
            environment: variables,
            current_dir: PathBuf::from("/home/me/project"),
            system_root: None,
            platform: Platform::Linux,
            files: Files::Memory(
                files.into_iter().map(|(path, text)| (PathBuf::from(path), text.as_bytes().to_vec())).collect(),
            ),
            now: "2026-11-23T12:00:00Z".parse().ok(),
        }
    }

    /// Returns the same machine with one more variable, for tests and for `--profile` and the like.
    #[must_use]
    pub fn with_variable(mut self, name: &str, value: &str) -> Self {
        self.environment.insert(name.into(), value.into());
        self
    }

    /// Returns the same machine on another operating system, for tests.
    #[must_use]
    pub fn with_platform(mut self, platform: Platform) -> Self {
        self.platform = platform;
        self
    }

    /// Returns the value of an environment variable as text (lossy where it is not UTF-8); blank values are returned too.
    pub fn variable(&self, name: &str) -> Option<String> {
        self.environment.get(OsStr::new(name)).map(|value| value.to_string_lossy().into_owned())
    }

    /// Returns the value of an environment variable unless it is unset or only white space.
    pub fn filled_variable(&self, name: &str) -> Option<String> {
        self.variable(name).filter(|value| !value.trim().is_empty())
    }

    /// Returns every environment variable.
    pub fn environment(&self) -> &BTreeMap<OsString, OsString> {
        &self.environment
    }

    /// Returns the user's home folder, as the AWS SDKs look for it: `HOME`, then `USERPROFILE`, then `HOMEDRIVE` with `HOMEPATH`.
    pub fn home(&self) -> Option<PathBuf> {
        if let Some(home) = self.filled_variable("HOME") {
            return Some(PathBuf::from(home));
        }
        if let Some(home) = self.filled_variable("USERPROFILE") {
            return Some(PathBuf::from(home));
        }
        let drive = self.filled_variable("HOMEDRIVE")?;
        let path = self.filled_variable("HOMEPATH")?;
        Some(PathBuf::from(drive + &path))
    }

    /// Returns bedside's own configuration folder: below `XDG_CONFIG_HOME` or `~/.config`, on Windows below `APPDATA`.
    pub fn config_dir(&self) -> Option<PathBuf> {
        let base = match self.platform {
            Platform::Linux | Platform::MacOs => match self.filled_variable("XDG_CONFIG_HOME") {
                Some(base) => PathBuf::from(base),
                None => self.home()?.join(".config"),
            },
            Platform::Windows => PathBuf::from(self.filled_variable("APPDATA")?),
        };
        Some(base.join("bedside"))
    }

    /// Returns the folder the process was started in.
    pub fn current_dir(&self) -> &Path {
        &self.current_dir
    }

    /// Returns the operating system.
    pub fn platform(&self) -> Platform {
        self.platform
    }

    /// Returns where an absolute system path lies on this machine.
    pub fn system_path(&self, path: &str) -> PathBuf {
        match &self.system_root {
            Some(root) => root.join(path.trim_start_matches('/')),
            None => PathBuf::from(path),
        }
    }

    /// Returns the time of day.
    pub fn now(&self) -> jiff::Timestamp {
        self.now.unwrap_or_else(wall_clock)
    }

    /// Returns a path the way a person writes it: `~` for the home folder.
    pub fn display_path(&self, path: &Path) -> String {
        if let Some(home) = self.home()
            && let Ok(rest) = path.strip_prefix(&home)
        {
            return if rest.as_os_str().is_empty() { "~".into() } else { format!("~/{}", rest.display()) };
        }
        if let Some(root) = &self.system_root
            && let Ok(rest) = path.strip_prefix(root)
        {
            return format!("/{}", rest.display());
        }
        path.display().to_string()
    }

    /// Returns a path from text that may begin with `~/`.
    pub fn expand_path(&self, text: &str) -> PathBuf {
        match (text.strip_prefix("~/"), self.home()) {
            (Some(rest), Some(home)) => home.join(rest),
            _ => PathBuf::from(text),
        }
    }

    /// Reads a configuration file. Anything but a plain file of at most [`MAX_CONFIG_BYTES`] is refused with the reason.
    pub fn read_file(&self, path: &Path) -> FileRead {
        self.files.read(path, MAX_CONFIG_BYTES)
    }

    /// Reads a file that a program keeps for itself and that may be larger than a configuration file.
    pub fn read_file_up_to(&self, path: &Path, limit: u64) -> FileRead {
        self.files.read(path, limit)
    }

    /// Returns the names in a folder, sorted; nothing when it cannot be read.
    pub fn list_dir(&self, path: &Path) -> Vec<String> {
        self.files.list(path)
    }

    /// Returns whether anything stands at this path.
    pub fn exists(&self, path: &Path) -> bool {
        self.files.exists(path)
    }

    /// Returns every executable of this name on `PATH`, first match first.
    pub fn find_programs(&self, name: &str) -> Vec<PathBuf> {
        let Some(path) = self.environment.get(OsStr::new("PATH")) else { return Vec::new() };
        let mut found = Vec::new();
        for folder in std::env::split_paths(path) {
            for candidate in self.platform.program_names(name) {
                let full = folder.join(candidate);
                if self.files.is_executable(&full) && !found.contains(&full) {
                    found.push(full);
                }
            }
        }
        found
    }
}
