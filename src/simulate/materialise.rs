//! Puts a machine into the folder that it was built for.
//!
//! The one place of the simulation that writes files, and only below that folder.
#![expect(
    clippy::disallowed_methods,
    reason = "the simulation uses nothing of ours, and writes only below its own folder"
)]

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::{fs, io};

use crate::simulate::machine::{Entry, EntryContent, Machine};

/// A part of a machine that could not be written.
#[derive(Debug, thiserror::Error)]
#[error("failed to write `{path}` of the simulated machine")]
pub struct MaterialiseError {
    path: PathBuf,
    source: io::Error,
}

impl Machine {
    /// Writes all files, links, folders and programs of the machine.
    ///
    /// Permission bits mean nothing to a superuser: a file that is to be unreadable can then be read.
    pub fn materialise(&self) -> Result<(), MaterialiseError> {
        for entry in &self.entries {
            write(entry).map_err(|source| MaterialiseError { path: entry.path.clone(), source })?;
        }
        // Folders last: one that forbids writing still has to be filled.
        for entry in self.entries.iter().rev() {
            if !matches!(entry.content, EntryContent::Symlink(_)) {
                set_mode(&entry.path, entry.mode)
                    .map_err(|source| MaterialiseError { path: entry.path.clone(), source })?;
            }
        }
        Ok(())
    }
}

fn write(entry: &Entry) -> io::Result<()> {
    if let Some(parent) = entry.path.parent() {
        fs::create_dir_all(parent)?;
    }
    match &entry.content {
        EntryContent::Text(text) => fs::write(&entry.path, text),
        EntryContent::Bytes(bytes) => fs::write(&entry.path, bytes),
        EntryContent::Filler(size) => {
            let mut file = io::BufWriter::new(fs::File::create(&entry.path)?);
            io::copy(&mut io::Read::take(io::repeat(b'#'), *size), &mut file)?;
            file.flush()
        }
        EntryContent::Symlink(target) => link(target, &entry.path),
        EntryContent::Folder => fs::create_dir_all(&entry.path),
    }
}

#[cfg(unix)]
fn link(target: &Path, path: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(target, path)
}

#[cfg(windows)]
fn link(target: &Path, path: &Path) -> io::Result<()> {
    std::os::windows::fs::symlink_file(target, path)
}

#[cfg(unix)]
fn set_mode(path: &Path, mode: u32) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
}

#[cfg(windows)]
#[expect(clippy::unnecessary_wraps, reason = "the Unix twin can fail")]
fn set_mode(_path: &Path, _mode: u32) -> io::Result<()> {
    Ok(())
}
