//! The operating system's side of [`World`](super::World): the one file in which `std::env`, `std::fs` and the clock are called.
//! What differs between Linux, macOS and Windows stands in [`Platform`].
#![expect(clippy::disallowed_methods, reason = "this is the door that everything else goes through")]

use std::{
    collections::BTreeMap,
    ffi::OsString,
    io::{self, Read, Write},
    path::{Path, PathBuf},
    time::Instant,
};

use super::FileTrouble;

/// The operating systems bedside knows the customs of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Platform {
    /// Linux, WSL and every other Unix.
    Linux,
    /// macOS.
    MacOs,
    /// Windows.
    Windows,
}

impl Platform {
    /// Returns the one this program was built for.
    pub fn current() -> Self {
        if cfg!(windows) {
            Self::Windows
        } else if cfg!(target_os = "macos") {
            Self::MacOs
        } else {
            Self::Linux
        }
    }

    /// Returns its name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Linux => "linux",
            Self::MacOs => "macos",
            Self::Windows => "windows",
        }
    }

    /// Returns the folder of Claude Code's managed settings (Claude Code docs: managed settings).
    pub fn managed_settings_dir(self) -> &'static str {
        match self {
            Self::Linux => "/etc/claude-code",
            Self::MacOs => "/Library/Application Support/ClaudeCode",
            Self::Windows => r"C:\Program Files\ClaudeCode",
        }
    }

    /// Returns the file names under which a program may stand on `PATH`.
    pub fn program_names(self, name: &str) -> Vec<String> {
        match self {
            Self::Linux | Self::MacOs => vec![name.to_owned()],
            Self::Windows => ["exe", "cmd", "bat"].iter().map(|ending| format!("{name}.{ending}")).collect(),
        }
    }
}

pub(super) fn environment() -> BTreeMap<OsString, OsString> {
    std::env::vars_os().collect()
}

pub(super) fn current_dir() -> PathBuf {
    // A folder that was removed under the shell is no reason to stop: relative settings files are then simply not there.
    std::env::current_dir().unwrap_or_else(|_| PathBuf::from("."))
}

/// Returns the monotonic clock, for durations.
pub fn monotonic_now() -> Instant {
    Instant::now()
}

pub(super) fn read_regular_file(path: &Path, limit: u64) -> Result<Option<Vec<u8>>, FileTrouble> {
    let metadata = match std::fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if missing(&error) => return Ok(None),
        Err(error) => return Err(trouble(&error)),
    };
    if !metadata.is_file() {
        return Err(FileTrouble::NotAFile);
    }
    if metadata.len() > limit {
        return Err(FileTrouble::TooLarge);
    }
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(|error| trouble(&error))?;
    file.take(limit + 1).read_to_end(&mut bytes).map_err(|error| trouble(&error))?;
    if bytes.len() as u64 > limit { Err(FileTrouble::TooLarge) } else { Ok(Some(bytes)) }
}

fn missing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

fn trouble(error: &io::Error) -> FileTrouble {
    match error.kind() {
        io::ErrorKind::PermissionDenied => FileTrouble::Denied,
        // `FilesystemLoop` is not stable; the text of the operating system is.
        _ if error.to_string().contains("symbolic links") => FileTrouble::Loop,
        _ => FileTrouble::Other(error.to_string()),
    }
}

pub(super) fn list_dir(path: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(path) else { return Vec::new() };
    let mut names: Vec<String> =
        entries.filter_map(|entry| Some(entry.ok()?.file_name().to_string_lossy().into_owned())).collect();
    names.sort();
    names
}

pub(super) fn exists(path: &Path) -> bool {
    std::fs::symlink_metadata(path).is_ok()
}

#[cfg(unix)]
pub(super) fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
pub(super) fn is_executable(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|metadata| metadata.is_file())
}

/// Returns where this program stands.
///
/// # Errors
/// The operating system's.
pub fn this_program() -> io::Result<PathBuf> {
    std::env::current_exe()
}

/// Writes a file that only its owner may read, whole or not at all: a temporary file beside it, then a rename.
///
/// # Errors
/// The operating system's, when the folder is missing, read-only or full; then nothing is left behind.
pub fn write_private(path: &Path, contents: &[u8]) -> io::Result<()> {
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let mut file = tempfile::Builder::new().prefix(".bedside-").tempfile_in(folder)?;
    file.write_all(contents)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}

/// Returns the wall clock of this machine, against which a service's `Date` is held.
pub fn wall_clock() -> jiff::Timestamp {
    jiff::Timestamp::now()
}
