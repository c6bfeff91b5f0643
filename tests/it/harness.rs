//! Running the shipped program with an environment that holds nothing but what a test puts there.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::Mutex,
};

use tempfile::TempDir;

/// What a run printed and how it ended.
#[derive(Debug)]
pub(crate) struct Ran {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Ran {
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("no JSON ({error}): {self:?}"))
    }

    /// The verdict, and the causes in their order.
    pub(crate) fn verdict(&self) -> (String, Vec<String>) {
        let json = self.json();
        let causes = json["root_causes"].as_array().unwrap();
        (
            json["verdict"].as_str().unwrap().to_owned(),
            causes.iter().map(|cause| cause["cause"].as_str().unwrap().to_owned()).collect(),
        )
    }
}

/// A sealed world: an empty home, and a program to run in it.
pub(crate) struct World {
    pub folder: TempDir,
    env: BTreeMap<String, String>,
}

impl World {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("home/project")).unwrap();
        let home = folder.path().join("home").display().to_string();
        let env = [
            ("HOME", home.as_str()),
            ("PATH", "/usr/bin:/bin"),
            ("LANG", "C.UTF-8"),
            ("TERM", "dumb"),
            ("COLUMNS", "100"),
            ("AWS_EC2_METADATA_DISABLED", "true"),
        ];
        Self { folder, env: env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect() }
    }

    pub(crate) fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.env.insert(name.to_owned(), value.to_owned());
        self
    }

    pub(crate) fn file(self, path: &str, text: &str) -> Self {
        self.bytes(path, text.as_bytes())
    }

    pub(crate) fn bytes(self, path: &str, bytes: &[u8]) -> Self {
        let path = self.home().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
        self
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(program());
        command
            .args(arguments)
            .env_clear()
            .envs(&self.env)
            .current_dir(self.home().join("project"))
            .stdin(Stdio::null());
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        let output = self.command(arguments).output().unwrap();
        Ran {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Runs the doctor for its JSON.
    pub(crate) fn doctor(&self, arguments: &[&str]) -> Ran {
        let mut all = vec!["doctor", "--format", "json"];
        all.extend(arguments);
        self.run(&all)
    }
}

pub(crate) fn program() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_bedside"))
}

pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Runs `act` for every item, on every processor; panics with every complaint.
pub(crate) fn for_each_at_once<T: Sync>(items: &[T], act: impl Fn(&T) -> Result<(), String> + Sync) {
    let next = Mutex::new(items.iter());
    let complaints = Mutex::new(Vec::new());
    let workers = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                loop {
                    let Some(item) = next.lock().unwrap().next() else { return };
                    if let Err(complaint) = act(item) {
                        complaints.lock().unwrap().push(complaint);
                    }
                }
            });
        }
    });
    let complaints = complaints.into_inner().unwrap();
    assert!(complaints.is_empty(), "{} of {}:\n{}", complaints.len(), items.len(), complaints.join("\n"));
}

/// Whether a stranger that is not there is a failure (`CI=true`) or a loud skip.
pub(crate) fn skip(what: &str) {
    assert!(std::env::var("CI").as_deref() != Ok("true"), "under CI nothing may be skipped: {what}");
    eprintln!("SKIPPED: {what}");
}
