//! The machine of a scenario as a value: environment, files, programs.
//!
//! Nothing is written and nothing of the host is read here; `materialise` puts a machine into a folder.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use crate::simulate::placeholders::{UnknownPlaceholder, Values, fill};
use crate::simulate::scenario::machine::{Endpoints, FileContent, FileSpec, MachineSpec, ProgramSpec};

/// A machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Machine {
    pub home: PathBuf,
    pub cwd: PathBuf,
    /// Where its programs are; the first folder of its PATH.
    pub bin: PathBuf,
    /// The root below which its system files are.
    pub root: PathBuf,
    /// The whole environment, in alphabetical order.
    pub env: Vec<(String, String)>,
    pub entries: Vec<Entry>,
}

/// A file, a link or a folder of a machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub path: PathBuf,
    pub content: EntryContent,
    /// Permission bits.
    pub mode: u32,
}

/// What an entry is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EntryContent {
    Text(String),
    Bytes(Vec<u8>),
    /// So many bytes of nothing in particular.
    Filler(u64),
    Symlink(PathBuf),
    Folder,
}

impl Machine {
    /// Returns the value of a variable.
    pub fn env(&self, name: &str) -> Option<&str> {
        self.env.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Builds the machine of a scenario; `host_path` is where it finds programs that are not its own.
    pub(crate) fn new(
        spec: &MachineSpec,
        values: &Values<'_>,
        host_path: Option<&OsStr>,
    ) -> Result<Self, UnknownPlaceholder> {
        let directory = values.directory;
        let home = directory.join("home");
        let bin = directory.join("bin");
        let mut machine = Self {
            cwd: Self::cwd(spec, directory),
            root: directory.join("root"),
            env: Vec::new(),
            entries: Vec::new(),
            home,
            bin,
        };
        machine.set_env(spec, values, host_path)?;
        let folder = |path: &Path| Entry { path: path.to_owned(), content: EntryContent::Folder, mode: 0o700 };
        machine.entries.extend([&machine.home, &machine.cwd, &machine.bin, &machine.root].map(|path| folder(path)));
        machine.entries.push(Entry {
            path: directory.join("ca.pem"),
            content: EntryContent::Text(values.addresses.authority_pem.clone()),
            mode: 0o644,
        });
        for (base, files) in [(&machine.home, &spec.files), (&machine.root, &spec.system)] {
            for (path, file) in files {
                machine.entries.push(entry(base.join(path.trim_start_matches('/')), file, values)?);
            }
        }
        for (name, program) in &spec.bin {
            let script = EntryContent::Text(script(program, values)?);
            machine.entries.push(Entry { path: machine.bin.join(name), content: script, mode: 0o755 });
        }
        Ok(machine)
    }

    /// Returns the working directory of a scenario's machine.
    pub(crate) fn cwd(spec: &MachineSpec, directory: &Path) -> PathBuf {
        directory.join("home").join(spec.cwd.as_deref().unwrap_or("work"))
    }

    fn set_env(
        &mut self,
        spec: &MachineSpec,
        values: &Values<'_>,
        host_path: Option<&OsStr>,
    ) -> Result<(), UnknownPlaceholder> {
        let mut path = self.bin.display().to_string();
        if let Some(host) = host_path {
            path.push(if cfg!(windows) { ';' } else { ':' });
            path.push_str(&host.to_string_lossy());
        }
        let shell = spec.shell.clone().unwrap_or_else(|| "/bin/bash".to_owned());
        let mut env: Vec<(&str, String)> = vec![
            ("HOME", self.home.display().to_string()),
            ("PATH", path),
            ("SHELL", shell),
            ("TERM", "xterm-256color".to_owned()),
            ("LANG", "C.UTF-8".to_owned()),
            ("USER", "dev".to_owned()),
            ("LOGNAME", "dev".to_owned()),
            ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
        ];
        let explicit =
            spec.env.keys().any(|name| name.starts_with("AWS_ENDPOINT_URL") || name == "ANTHROPIC_BEDROCK_BASE_URL");
        let addresses = values.addresses;
        let endpoint = match spec.endpoints {
            Endpoints::Http if explicit => None,
            Endpoints::Http => Some(&addresses.http),
            Endpoints::Tls | Endpoints::TlsUntrusted => Some(&addresses.tls),
            Endpoints::None => None,
        };
        for name in ["AWS_ENDPOINT_URL", "ANTHROPIC_BEDROCK_BASE_URL"] {
            env.extend(endpoint.map(|endpoint| (name, endpoint.clone())));
        }
        if spec.endpoints == Endpoints::Tls {
            let file = values.directory.join("ca.pem").display().to_string();
            env.extend(["AWS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE"].map(|name| (name, file.clone())));
        }
        let mut env: std::collections::BTreeMap<String, String> =
            env.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        for name in &spec.unset {
            env.remove(name);
        }
        for (name, value) in &spec.env {
            env.insert(name.clone(), fill(value, values)?);
        }
        self.env = env.into_iter().collect();
        Ok(())
    }
}

fn entry(path: PathBuf, file: &FileSpec, values: &Values<'_>) -> Result<Entry, UnknownPlaceholder> {
    let content = match &file.content {
        FileContent::Text(text) => EntryContent::Text(fill(text, values)?),
        FileContent::Bytes(bytes) => EntryContent::Bytes(bytes.clone()),
        FileContent::Filler(size) => EntryContent::Filler(*size),
        FileContent::Symlink(target) => EntryContent::Symlink(fill(target, values)?.into()),
        FileContent::Folder => EntryContent::Folder,
    };
    let usual = if content == EntryContent::Folder { 0o700 } else { 0o600 };
    Ok(Entry { path, content, mode: file.mode.unwrap_or(usual) })
}

/// Returns a program as a shell script.
fn script(program: &ProgramSpec, values: &Values<'_>) -> Result<String, UnknownPlaceholder> {
    if let Some(script) = &program.script {
        return fill(script, values);
    }
    let mut lines = vec!["#!/bin/sh".to_owned()];
    let wait = program.sleep.wait();
    if !wait.is_zero() {
        lines.push(format!("sleep {}", wait.as_secs_f64()));
    }
    for (text, redirection) in [(&program.stdout, ""), (&program.stderr, " >&2")] {
        if !text.is_empty() {
            let text = fill(text, values)?.replace('\'', r"'\''");
            lines.push(format!("printf '%s\\n' '{}'{redirection}", text.trim_end_matches('\n')));
        }
    }
    lines.push(format!("exit {}\n", program.exit));
    Ok(lines.join("\n"))
}
