//! Claude Code's settings files: where they are, what their `env` blocks set, with line numbers, and whether the user trusts the
//! folder that a project's files lie in.

use std::path::{Path, PathBuf};

use jsonc_parser::{
    CollectOptions, ParseOptions,
    ast::{Object, Value},
    common::Ranged,
};

use crate::{
    evidence::{FileProblem, Origin, OriginKind, SettingsFile},
    words::lower_first,
    world::{FileRead, FileTrouble, World},
};

/// Braces and brackets that may stand inside each other; more is no settings file.
const MAX_DEPTH: usize = 64;

/// One settings file.
#[derive(Clone, Debug)]
pub(super) struct ClaudeFile {
    pub(super) file: SettingsFile,
    /// The `env` block.
    pub(super) env: Vec<(String, String, Origin)>,
    /// Top-level keys whose values are strings or arrays of strings.
    pub(super) keys: Vec<(String, String, Origin)>,
}

impl ClaudeFile {
    pub(super) fn key(&self, name: &str) -> Option<(&str, &Origin)> {
        self.keys.iter().find(|(key, ..)| key == name).map(|(_, value, origin)| (value.as_str(), origin))
    }
}

/// Reads every settings file, the weakest first: Claude Code's own state, user, project, local, managed.
pub(super) fn read_all(world: &World, config_dir: Option<&str>) -> Vec<ClaudeFile> {
    let mut files = Vec::new();
    if let Some(state) = state_file(world, config_dir) {
        files.push(read_state(world, &state));
    }
    if let Some(dir) = user_dir(world, config_dir) {
        files.push(read(world, &dir.join("settings.json"), OriginKind::UserSettings));
    }
    let project = world.current_dir().join(".claude");
    // Started in the home folder, the project's file is the user's own.
    let is_home = world.home().is_some_and(|home| home == world.current_dir()) && config_dir.is_none();
    if !is_home {
        files.push(read(world, &project.join("settings.json"), OriginKind::ProjectSettings));
    }
    files.push(read(world, &project.join("settings.local.json"), OriginKind::LocalSettings));
    // From below a repository's root, the root's local file is read too, and beats the folder's own.
    if let Some(root) = git_root(world).filter(|root| root != world.current_dir()) {
        files.push(read(world, &root.join(".claude/settings.local.json"), OriginKind::LocalSettings));
    }
    for path in managed_files(world) {
        files.push(read(world, &path, OriginKind::ManagedSettings));
    }
    files
}

/// Returns Claude Code's own folder: `CLAUDE_CONFIG_DIR`, else `~/.claude`.
pub(super) fn user_dir(world: &World, config_dir: Option<&str>) -> Option<PathBuf> {
    match config_dir {
        // Set and empty, it means the current folder.
        Some(dir) => Some(world.current_dir().join(dir.trim())),
        None => Some(world.home()?.join(".claude")),
    }
}

/// Claude Code's own state, whose `env` block counts too.
fn state_file(world: &World, config_dir: Option<&str>) -> Option<PathBuf> {
    match config_dir {
        Some(dir) => Some(world.current_dir().join(dir.trim()).join(".claude.json")),
        None => Some(world.home()?.join(".claude.json")),
    }
}

/// Only the `env` block of the state matters; everything else there is Claude Code's own business.
fn read_state(world: &World, path: &Path) -> ClaudeFile {
    let mut file = read(world, path, OriginKind::UserSettings);
    file.keys.clear();
    for problem in &mut file.file.problems {
        problem.effect = "Claude Code does not start".to_owned();
    }
    file
}

fn git_root(world: &World) -> Option<PathBuf> {
    world.current_dir().ancestors().find(|folder| world.exists(&folder.join(".git"))).map(Path::to_owned)
}

/// The managed settings: one file, and drop-ins in the order of their names.
fn managed_files(world: &World) -> Vec<PathBuf> {
    let dir = world.system_path(world.platform().managed_settings_dir());
    let mut paths = vec![dir.join("managed-settings.json")];
    let drop_ins = dir.join("managed-settings.d");
    paths.extend(
        world.list_dir(&drop_ins).into_iter().filter(|name| name.ends_with(".json")).map(|name| drop_ins.join(name)),
    );
    paths
}

/// Returns whether the user has accepted the trust question of the folder, or of one above it.
pub(super) fn is_trusted(world: &World, config_dir: Option<&str>) -> bool {
    let Some(state) = state_file(world, config_dir) else { return false };
    let (FileRead::Text(text) | FileRead::Trouble(FileTrouble::Utf16(text))) = world.read_file(&state) else {
        return false;
    };
    let Ok(json) = serde_json::from_str::<serde_json::Value>(&text) else { return false };
    world
        .current_dir()
        .ancestors()
        .any(|folder| json["projects"][folder.to_string_lossy().as_ref()]["hasTrustDialogAccepted"] == true)
}

fn read(world: &World, path: &Path, kind: OriginKind) -> ClaudeFile {
    let shown = world.display_path(path);
    let mut file = ClaudeFile {
        file: SettingsFile { path: shown.clone(), kind, found: true, problems: Vec::new() },
        env: Vec::new(),
        keys: Vec::new(),
    };
    match world.read_file(path) {
        FileRead::Missing => file.file.found = false,
        // Claude Code reads UTF-16 with a byte-order mark as well.
        FileRead::Text(text) | FileRead::Trouble(FileTrouble::Utf16(text)) => parse(&text, &mut file),
        FileRead::Trouble(trouble) => file.file.problems.push(whole_file(&shown, None, trouble.to_string())),
    }
    file
}

fn whole_file(path: &str, line: Option<u32>, reason: String) -> FileProblem {
    FileProblem {
        file: path.to_owned(),
        line,
        reason,
        effect: "Claude Code ignores the whole file".into(),
        serious: true,
    }
}

fn parse(text: &str, file: &mut ClaudeFile) {
    let path = file.file.path.clone();
    if depth(text) > MAX_DEPTH {
        file.file.problems.push(whole_file(&path, None, format!("it nests deeper than {MAX_DEPTH} levels")));
        return;
    }
    if text.trim().is_empty() {
        return;
    }
    let strict = ParseOptions {
        allow_comments: false,
        allow_loose_object_property_names: false,
        allow_trailing_commas: false,
        allow_missing_commas: false,
        allow_single_quoted_strings: false,
        allow_hexadecimal_numbers: false,
        allow_unary_plus_numbers: false,
        allow_bare_decimal_point_numbers: false,
        allow_non_finite_numbers: false,
        allow_extended_string_escapes: false,
    };
    let parsed = match jsonc_parser::parse_to_ast(text, &CollectOptions::default(), &strict) {
        Ok(parsed) => parsed,
        Err(error) => {
            let line = u32::try_from(error.line_display()).ok();
            file.file.problems.push(whole_file(
                &path,
                line,
                format!("it is no valid JSON: {}", lower_first(&error.kind().to_string())),
            ));
            return;
        }
    };
    let Some(Value::Object(root)) = parsed.value else {
        file.file.problems.push(whole_file(&path, Some(1), "it is no JSON object".into()));
        return;
    };
    let lines = Lines::new(text);
    let origin = |name: &str, start: usize| Origin {
        kind: file.file.kind,
        file: Some(path.clone()),
        line: Some(lines.of(start)),
        name: Some(name.to_owned()),
        reason: None,
    };
    // One value of a wrong type, and Claude Code drops the whole file.
    for property in &root.properties {
        let name = property.name.as_str();
        if let Some(wanted) = wrong_type(name, &property.value) {
            let line = lines.of(property.value.start());
            let mut problem = whole_file(&path, Some(line), format!("the value of `{name}` is no {wanted}"));
            if file.file.kind == OriginKind::ManagedSettings {
                problem.effect = "Claude Code ignores this value".to_owned();
                problem.serious = false;
                file.file.problems.push(problem);
                continue;
            }
            file.file.problems.push(problem);
            return;
        }
    }
    for property in &root.properties {
        let name = property.name.as_str();
        let at = origin(name, property.range.start);
        match (name, &property.value) {
            ("env", Value::Object(env)) => read_env(env, &origin, &mut file.env),
            (_, Value::StringLit(text)) => file.keys.push((name.to_owned(), text.value.to_string(), at)),
            (_, Value::BooleanLit(flag)) => file.keys.push((name.to_owned(), flag.value.to_string(), at)),
            (_, Value::Array(items)) => {
                let words: Vec<String> = items
                    .elements
                    .iter()
                    .filter_map(|item| item.as_string_lit().map(|text| text.value.to_string()))
                    .collect();
                file.keys.push((name.to_owned(), words.join(","), at));
            }
            (_, Value::Object(inner)) => {
                for entry in &inner.properties {
                    if let Value::StringLit(text) = &entry.value {
                        let key = format!("{name}.{}", entry.name.as_str());
                        let at = origin(&key, entry.range.start);
                        file.keys.push((key, text.value.to_string(), at));
                    }
                }
            }
            _ => {}
        }
    }
}

/// What a key's value should have been, where it is something else (observed with Claude Code 2.1.330).
fn wrong_type(name: &str, value: &Value<'_>) -> Option<&'static str> {
    let (fits, wanted) = match name {
        "model" | "awsAuthRefresh" | "awsCredentialExport" | "apiKeyHelper" => {
            (matches!(value, Value::StringLit(_)), "text")
        }
        "env" | "permissions" | "modelOverrides" => (matches!(value, Value::Object(_)), "object"),
        "fallbackModel" | "availableModels" => (matches!(value, Value::Array(_)), "list"),
        "enforceAvailableModels" => (matches!(value, Value::BooleanLit(_)), "true or false"),
        _ => return None,
    };
    (!fits).then_some(wanted)
}

fn read_env(env: &Object<'_>, origin: &impl Fn(&str, usize) -> Origin, out: &mut Vec<(String, String, Origin)>) {
    for entry in &env.properties {
        let name = entry.name.as_str();
        let value = match &entry.value {
            Value::StringLit(text) => text.value.to_string(),
            // Numbers, booleans and null become text; anything else does nothing.
            Value::NumberLit(number) => number.value.to_string(),
            Value::BooleanLit(flag) => flag.value.to_string(),
            Value::NullKeyword(_) => "null".to_owned(),
            Value::Object(_) | Value::Array(_) => continue,
        };
        // The last of two entries of one name counts.
        out.retain(|(other, ..)| other != name);
        out.push((name.to_owned(), value, origin(name, entry.range.start)));
    }
}

/// How deep brackets nest, outside of strings.
fn depth(text: &str) -> usize {
    let (mut depth, mut most, mut in_string, mut escaped) = (0_usize, 0_usize, false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => {
                depth += 1;
                most = most.max(depth);
            }
            b'}' | b']' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    most
}

/// Byte offsets of the beginnings of lines.
struct Lines(Vec<usize>);

impl Lines {
    fn new(text: &str) -> Self {
        Self(std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect())
    }

    fn of(&self, offset: usize) -> u32 {
        u32::try_from(self.0.partition_point(|start| *start <= offset)).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(text: &str) -> ClaudeFile {
        let world = World::in_memory([], [("/home/me/.claude/settings.json", text)]);
        read_all(&world, None).remove(1)
    }

    #[test]
    fn env_and_keys_have_their_lines() {
        let file = user(
            "{\n  \"model\": \"opus\",\n  \"env\": {\n    \"AWS_REGION\": \"eu-west-1\",\n    \"CLAUDE_CODE_USE_BEDROCK\": 1\n  }\n}\n",
        );
        assert_eq!(file.key("model").unwrap().0, "opus");
        assert_eq!(file.env[0].0, "AWS_REGION");
        assert_eq!(file.env[0].2.line, Some(4));
        assert_eq!(file.env[1].1, "1");
        assert!(file.file.problems.is_empty());
    }

    #[test]
    fn broken_files_say_what_and_where() {
        for (text, line, reason) in [
            ("{\n  \"a\": 1,\n}", Some(2), "no valid JSON"),
            ("{ // no\n}", Some(1), "no valid JSON"),
            ("[]", Some(1), "no JSON object"),
            ("{\"env\": []}", Some(1), "is no object"),
            ("{\n\"model\": 5}", Some(2), "is no text"),
            ("{\"fallbackModel\": \"x\"}", Some(1), "is no list"),
        ] {
            let problems = user(text).file.problems;
            assert_eq!(problems.len(), 1, "{text}");
            assert!(problems[0].reason.contains(reason), "{text}: {}", problems[0].reason);
            assert_eq!(problems[0].line, line, "{text}: {}", problems[0].reason);
        }
        let deep = "[".repeat(100_000);
        assert!(user(&deep).file.problems[0].reason.contains("nests deeper"));
    }

    #[test]
    fn trust_is_read_and_never_assumed() {
        let files = [("/home/me/.claude.json", r#"{"projects":{"/home/me/project":{"hasTrustDialogAccepted":true}}}"#)];
        assert!(is_trusted(&World::in_memory([], files), None));
        assert!(!is_trusted(&World::in_memory([], []), None));
        assert!(!is_trusted(&World::in_memory([], [("/home/me/.claude.json", "{broken")]), None));
    }
}
