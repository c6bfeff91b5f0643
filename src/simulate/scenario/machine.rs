//! The machine as a scenario writes it: environment, files, programs.

use std::collections::BTreeMap;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use super::duration::Span;

/// `[machine]`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MachineSpec {
    /// The user's shell. Default `/bin/bash`.
    pub shell: Option<String>,
    /// The working directory, under the home directory. Default `work`.
    pub cwd: Option<String>,
    /// Which endpoint variables the machine gets by itself.
    pub endpoints: Endpoints,
    pub env: BTreeMap<String, String>,
    /// Variables of the default environment that this machine does not have.
    pub unset: Vec<String>,
    /// By path under the home directory.
    pub files: BTreeMap<String, FileSpec>,
    /// By path under the root of the file system.
    pub system: BTreeMap<String, FileSpec>,
    /// Programs on PATH, by name.
    pub bin: BTreeMap<String, ProgramSpec>,
}

impl MachineSpec {
    /// Whether a placeholder stands in any of the machine's texts.
    pub(crate) fn mentions(&self, placeholder: &str) -> bool {
        // The debug form holds them all, and nothing in a placeholder is escaped there.
        format!("{self:?}").contains(placeholder)
    }
}

/// Which endpoint variables a machine gets by itself.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum Endpoints {
    /// Plain HTTP, unless the scenario sets an endpoint variable itself.
    #[default]
    Http,
    /// TLS, with the variables by which clients learn of the certificate's authority.
    Tls,
    /// TLS, and no client knows the authority.
    TlsUntrusted,
    None,
}

/// A file: its content, or a table that says more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileSpec {
    pub content: FileContent,
    /// Permission bits. Default 0600 for files and 0700 for folders.
    pub mode: Option<u32>,
}

/// What a file holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileContent {
    Text(String),
    Bytes(Vec<u8>),
    /// So many bytes of nothing in particular.
    Filler(u64),
    /// A link to a path, relative to the file's folder.
    Symlink(String),
    Folder,
}

/// A program on PATH.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProgramSpec {
    pub stdout: String,
    pub stderr: String,
    pub exit: i32,
    pub sleep: Span,
    /// The whole program as a shell script, instead of all that.
    pub script: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum FileForm {
    Text(String),
    Table(FileTable),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileTable {
    content: Option<String>,
    hex: Option<String>,
    filler: Option<u64>,
    symlink: Option<String>,
    #[serde(default)]
    folder: bool,
    mode: Option<String>,
}

impl<'de> Deserialize<'de> for FileSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        const FORMS: &str = "a file is a text or a table with one of `content`, `hex`, `filler`, `symlink`, `folder` and, if need be, `mode`";
        let table = match FileForm::deserialize(deserializer).map_err(|_| D::Error::custom(FORMS))? {
            FileForm::Text(text) => return Ok(Self { content: FileContent::Text(text), mode: None }),
            FileForm::Table(table) => table,
        };
        let bytes = table
            .hex
            .map(hex::decode)
            .transpose()
            .map_err(|_| D::Error::custom("`hex` holds no hexadecimal digits"))?;
        let contents: Vec<FileContent> = [
            table.content.map(FileContent::Text),
            bytes.map(FileContent::Bytes),
            table.filler.map(FileContent::Filler),
            table.symlink.map(FileContent::Symlink),
            table.folder.then_some(FileContent::Folder),
        ]
        .into_iter()
        .flatten()
        .collect();
        let [content] = contents.as_slice() else { return Err(D::Error::custom(FORMS)) };
        let mode = table.mode.map(|mode| u32::from_str_radix(&mode, 8)).transpose();
        let mode = mode.map_err(|_| D::Error::custom("`mode` is octal, such as \"600\""))?;
        Ok(Self { content: content.clone(), mode })
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum ProgramForm {
    Stdout(String),
    Table(ProgramTable),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ProgramTable {
    #[serde(default)]
    stdout: String,
    #[serde(default)]
    stderr: String,
    #[serde(default)]
    exit: i32,
    #[serde(default)]
    sleep: Span,
    script: Option<String>,
}

impl<'de> Deserialize<'de> for ProgramSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let form = ProgramForm::deserialize(deserializer).map_err(|_| {
            D::Error::custom(
                "a program is the text that it prints or a table of `stdout`, `stderr`, `exit`, `sleep` or `script`",
            )
        })?;
        Ok(match form {
            ProgramForm::Stdout(stdout) => Self { stdout, ..Self::default() },
            ProgramForm::Table(table) => Self {
                stdout: table.stdout,
                stderr: table.stderr,
                exit: table.exit,
                sleep: table.sleep,
                script: table.script,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_and_programs_have_short_and_long_forms() {
        let spec: MachineSpec = toml::from_str(
            r#"
            [files]
            ".bashrc" = "export A=1\n"
            ".aws/credentials" = { content = "x", mode = "000" }
            "loop" = { symlink = "loop" }
            "blob" = { hex = "00ff" }
            [bin]
            claude = "2.1.330 (Claude Code)"
            helper = { stderr = "no", exit = 3, sleep = "2s" }
            "#,
        )
        .unwrap();
        assert_eq!(spec.files[".aws/credentials"].mode, Some(0));
        assert_eq!(spec.files["blob"].content, FileContent::Bytes(vec![0, 255]));
        assert_eq!(spec.bin["helper"].exit, 3);
        let error = toml::from_str::<MachineSpec>("[files]\na = { content = \"x\", symlink = \"y\" }").unwrap_err();
        assert!(error.to_string().contains("one of"), "{error}");
    }
}
