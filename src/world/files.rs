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
    /// UTF-16 with a byte-order mark, as Windows PowerShell writes files; some programs read it. Its text.
    #[error("it is UTF-16 text, not UTF-8")]
    Utf16(String),
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
    pub(super) fn read(&self, path: &Path, limit: u64) -> FileRead {
        let bytes = match self {
            Self::Disk => match os::read_regular_file(path, limit) {
                Ok(Some(bytes)) => bytes,
                Ok(None) => return FileRead::Missing,
                Err(trouble) => return FileRead::Trouble(trouble),
            },
            Self::Memory(files) => match files.get(path) {
                Some(bytes) if bytes.len() as u64 > limit => return FileRead::Trouble(FileTrouble::TooLarge),
                Some(bytes) => bytes.clone(),
                None => return FileRead::Missing,
            },
        };
        match String::from_utf8(bytes) {
            Ok(text) => FileRead::Text(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text)),
            Err(error) => {
                let place = error.utf8_error().valid_up_to();
                FileRead::Trouble(utf_16(error.as_bytes()).map_or(FileTrouble::NotText(place), FileTrouble::Utf16))
            }
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

/// Decodes UTF-16, if a byte-order mark says that it is.
fn utf_16(bytes: &[u8]) -> Option<String> {
    let (mark, rest) = bytes.split_first_chunk::<2>()?;
    let unit: fn([u8; 2]) -> u16 = match mark {
        [0xff, 0xfe] => u16::from_le_bytes,
        [0xfe, 0xff] => u16::from_be_bytes,
        _ => return None,
    };
    let (pairs, []) = rest.as_chunks::<2>() else { return None };
    String::from_utf16(&pairs.iter().map(|pair| unit(*pair)).collect::<Vec<u16>>()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn utf_16_is_told_from_binary() {
        let written: Vec<u8> = "\u{feff}{é}".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(utf_16(&written).as_deref(), Some("{é}"));
        assert_eq!(utf_16(&written[..written.len() - 1]), None);
        assert_eq!(utf_16(b"\x89PNG"), None);
        assert_eq!(utf_16(b""), None);
    }
}
