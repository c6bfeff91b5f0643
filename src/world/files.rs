//! Reading files: on disk, or in memory for tests. Reading never blocks on a pipe and never takes in more than a configuration
//! file may hold.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use super::os;

/// The most that is read of one configuration file, in bytes.
pub const MAX_CONFIG_BYTES: u64 = 4 * 1024 * 1024;

/// What came of reading a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileRead {
    /// There is no such file.
    Missing,
    /// Its text, without a byte-order mark.
    Text(String),
    /// It is there and could not be used.
    Trouble(FileTrouble),
}

/// Why a file that exists could not be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FileTrouble {
    /// The operating system refuses.
    #[error("permission denied")]
    Denied,
    /// A folder, pipe or device stands there.
    #[error("it is not a regular file")]
    NotAFile,
    /// Symbolic links that lead nowhere but to themselves.
    #[error("its symbolic links form a loop")]
    Loop,
    /// Larger than [`MAX_CONFIG_BYTES`].
    #[error("it is larger than {} MiB", MAX_CONFIG_BYTES / 1024 / 1024)]
    TooLarge,
    /// Not text.
    #[error("it is not UTF-8 text (first bad byte at offset {0})")]
    NotText(usize),
    /// Any other fault of the operating system, in its words.
    #[error("{0}")]
    Other(String),
}

#[derive(Clone, Debug)]
pub(super) enum Files {
    Disk,
    Memory(BTreeMap<PathBuf, Vec<u8>>),
}

impl Files {
    pub(super) fn read(&self, path: &Path) -> FileRead {
        let bytes = match self {
            Self::Disk => match os::read_regular_file(path, MAX_CONFIG_BYTES) {
                Ok(Some(bytes)) => bytes,
                Ok(None) => return FileRead::Missing,
                Err(trouble) => return FileRead::Trouble(trouble),
            },
            Self::Memory(files) => match files.get(path) {
                Some(bytes) => bytes.clone(),
                None => return FileRead::Missing,
            },
        };
        match String::from_utf8(bytes) {
            Ok(text) => FileRead::Text(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text)),
            Err(error) => FileRead::Trouble(FileTrouble::NotText(error.utf8_error().valid_up_to())),
        }
    }

    pub(super) fn list(&self, path: &Path) -> Vec<String> {
        match self {
            Self::Disk => os::list_dir(path),
            Self::Memory(files) => files
                .keys()
                .filter(|file| file.parent() == Some(path))
                .filter_map(|file| file.file_name().map(|name| name.to_string_lossy().into_owned()))
                .collect(),
        }
    }

    pub(super) fn exists(&self, path: &Path) -> bool {
        match self {
            Self::Disk => os::exists(path),
            Self::Memory(files) => files.keys().any(|file| file.starts_with(path)),
        }
    }

    pub(super) fn is_executable(&self, path: &Path) -> bool {
        match self {
            Self::Disk => os::is_executable(path),
            Self::Memory(files) => files.contains_key(path),
        }
    }
}
