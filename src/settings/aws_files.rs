//! The AWS config and shared credentials files, read with line numbers. The SDKs read them too; what is added here is where each
//! value stands, what is wrong with a line, and what was probably meant.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use crate::{
    evidence::{FileProblem, Origin, OriginKind, SettingsFile},
    world::{FileRead, World},
};

/// The most problems of one file that are told one by one.
const MAX_PROBLEMS: usize = 20;

/// A value with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Property {
    pub(super) value: String,
    pub(super) kind: OriginKind,
    pub(super) file: String,
    pub(super) line: u32,
}

impl Property {
    pub(super) fn origin(&self, name: &str) -> Origin {
        Origin {
            kind: self.kind,
            file: Some(self.file.clone()),
            line: Some(self.line),
            name: Some(name.to_owned()),
            reason: None,
        }
    }
}

/// A section: its properties, nested ones as `outer.inner`.
pub(super) type Section = BTreeMap<String, Property>;

/// Both files.
#[derive(Clone, Debug, Default)]
pub(super) struct AwsFiles {
    pub(super) profiles: BTreeMap<String, Section>,
    pub(super) sso_sessions: BTreeMap<String, Section>,
    pub(super) services: BTreeMap<String, Section>,
    pub(super) files: Vec<SettingsFile>,
    /// Names of config-file sections that lack the word `profile`.
    pub(super) unprefixed: BTreeMap<String, Origin>,
}

impl AwsFiles {
    /// Reads both files where the variables or the defaults say they are.
    pub(super) fn read(world: &World, config: Option<&str>, credentials: Option<&str>) -> Self {
        let mut files = Self::default();
        let config = path(world, config, "config");
        let credentials = path(world, credentials, "credentials");
        if let Some(config) = &config {
            files.read_one(world, config, OriginKind::AwsConfig);
        }
        if let Some(credentials) = &credentials {
            files.read_one(world, credentials, OriginKind::AwsCredentials);
        }
        files
    }

    /// Returns a property of a profile.
    pub(super) fn get(&self, profile: &str, name: &str) -> Option<&Property> {
        self.profiles.get(profile)?.get(name).filter(|property| !property.value.is_empty())
    }

    fn read_one(&mut self, world: &World, path: &Path, kind: OriginKind) {
        let shown = world.display_path(path);
        let mut file = SettingsFile { path: shown.clone(), kind, found: true, problems: Vec::new() };
        match world.read_file(path) {
            FileRead::Missing => file.found = false,
            FileRead::Trouble(trouble) => file.problems.push(FileProblem {
                file: shown,
                line: None,
                reason: trouble.to_string(),
                effect: "no profile in it can be used".into(),
                serious: true,
            }),
            FileRead::Text(text) => self.parse(&text, &shown, kind, &mut file.problems),
        }
        shorten(&mut file.problems);
        self.files.push(file);
    }

    fn parse(&mut self, text: &str, file: &str, kind: OriginKind, problems: &mut Vec<FileProblem>) {
        let mut here: Option<Place> = None;
        let mut last: Option<String> = None;
        for (number, raw) in text.lines().enumerate() {
            let line = u32::try_from(number + 1).unwrap_or(u32::MAX);
            let trimmed = raw.trim();
            if trimmed.is_empty() || trimmed.starts_with('#') || trimmed.starts_with(';') {
                continue;
            }
            let mut complain = |reason: String| {
                problems.push(FileProblem {
                    file: file.to_owned(),
                    line: Some(line),
                    reason,
                    effect: "the AWS SDKs refuse the whole file".into(),
                    serious: true,
                });
            };
            if trimmed.starts_with('[') {
                last = None;
                let Some(end) = trimmed.find(']') else {
                    complain("the section has no closing bracket".into());
                    here = None;
                    continue;
                };
                here = Some(self.place(trimmed[1..end].trim(), file, line, kind, problems));
                continue;
            }
            let nested = raw.starts_with(' ') || raw.starts_with('\t');
            match (&here, nested, &last) {
                (None, ..) => complain("a value stands before the first section".into()),
                (Some(place), true, Some(outer)) => self.nested(place, outer, trimmed, file, line, kind),
                (Some(_), true, None) => complain("an indented line follows no key".into()),
                (Some(place), false, _) => match trimmed.split_once('=') {
                    Some((name, value)) if !name.trim().is_empty() => {
                        let name = name.trim().to_lowercase();
                        let value = strip_comment(value).trim().to_owned();
                        self.put(place, &name, Property { value, kind, file: file.to_owned(), line });
                        last = Some(name);
                    }
                    Some(_) => complain("the key before `=` is missing".into()),
                    None => complain("the line is neither a section nor `key = value`".into()),
                },
            }
        }
    }

    /// Finds where the lines below a header belong.
    fn place(
        &mut self,
        header: &str,
        file: &str,
        line: u32,
        kind: OriginKind,
        problems: &mut Vec<FileProblem>,
    ) -> Place {
        let (word, name) =
            header.split_once(char::is_whitespace).map_or((header, ""), |(word, name)| (word, name.trim()));
        let name = name.trim_matches(|it| it == '"' || it == '\'');
        let credentials = kind == OriginKind::AwsCredentials;
        let place = match (word, name) {
            ("profile", name) if !name.is_empty() && !credentials => Place::Profile(name.to_owned()),
            ("profile", name) if !name.is_empty() => {
                problems.push(FileProblem {
                    file: file.to_owned(),
                    line: Some(line),
                    reason: format!("in this file the section of profile `{name}` is written [{name}]"),
                    effect: "the section is ignored".into(),
                    serious: false,
                });
                Place::Ignored
            }
            ("sso-session", name) if !name.is_empty() => Place::SsoSession(name.to_owned()),
            ("services", name) if !name.is_empty() => Place::Services(name.to_owned()),
            ("default", "") => Place::Profile("default".to_owned()),
            (name, "") if credentials => Place::Profile(name.to_owned()),
            (name, "") => {
                let origin = Origin {
                    kind,
                    file: Some(file.to_owned()),
                    line: Some(line),
                    name: Some(name.to_owned()),
                    reason: None,
                };
                self.unprefixed.insert(name.to_owned(), origin);
                problems.push(FileProblem {
                    file: file.to_owned(),
                    line: Some(line),
                    reason: format!(
                        "the section [{name}] lacks the word `profile`: here it is written [profile {name}]"
                    ),
                    effect: "the section is ignored".into(),
                    serious: false,
                });
                Place::Ignored
            }
            _ => Place::Ignored,
        };
        match &place {
            Place::Profile(name) => drop(self.profiles.entry(name.clone()).or_default()),
            Place::SsoSession(name) => drop(self.sso_sessions.entry(name.clone()).or_default()),
            Place::Services(name) => drop(self.services.entry(name.clone()).or_default()),
            Place::Ignored => {}
        }
        place
    }

    fn section(&mut self, place: &Place) -> Option<&mut Section> {
        match place {
            Place::Profile(name) => self.profiles.get_mut(name),
            Place::SsoSession(name) => self.sso_sessions.get_mut(name),
            Place::Services(name) => self.services.get_mut(name),
            Place::Ignored => None,
        }
    }

    fn put(&mut self, place: &Place, name: &str, property: Property) {
        if let Some(section) = self.section(place) {
            section.insert(name.to_owned(), property);
        }
    }

    /// An indented line is a nested key of the one above, or the rest of its value.
    fn nested(&mut self, place: &Place, outer: &str, text: &str, file: &str, line: u32, kind: OriginKind) {
        let Some(section) = self.section(place) else { return };
        if let Some((name, value)) = text.split_once('=')
            && section.get(outer).is_none_or(|property| property.value.is_empty())
        {
            let property =
                Property { value: strip_comment(value).trim().to_owned(), kind, file: file.to_owned(), line };
            section.insert(format!("{outer}.{}", name.trim().to_lowercase()), property);
        } else if let Some(property) = section.get_mut(outer) {
            property.value.push('\n');
            property.value.push_str(text);
        }
    }
}

#[derive(Clone, Debug)]
enum Place {
    Profile(String),
    SsoSession(String),
    Services(String),
    Ignored,
}

/// Keeps the first problems of a file, the serious before the others, and says how many there are besides.
fn shorten(problems: &mut Vec<FileProblem>) {
    if problems.len() <= MAX_PROBLEMS {
        return;
    }
    problems.sort_by_key(|problem| !problem.serious);
    let more = problems.split_off(MAX_PROBLEMS);
    if let Some(first) = more.first() {
        problems.push(FileProblem {
            reason: format!("from here on {} more lines have problems", more.len()),
            ..first.clone()
        });
    }
}

fn path(world: &World, variable: Option<&str>, name: &str) -> Option<PathBuf> {
    match variable {
        Some(path) => Some(world.expand_path(path.trim())),
        None => Some(world.home()?.join(".aws").join(name)),
    }
}

/// A comment in a value begins with white space and `#` or `;` (AWS SDKs and tools reference: shared files).
fn strip_comment(value: &str) -> &str {
    let mut end = value.len();
    for marker in [" #", " ;", "\t#", "\t;"] {
        if let Some(at) = value.find(marker) {
            end = end.min(at);
        }
    }
    &value[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(config: &str, credentials: &str) -> AwsFiles {
        let world =
            World::in_memory([], [("/home/me/.aws/config", config), ("/home/me/.aws/credentials", credentials)]);
        AwsFiles::read(&world, None, None)
    }

    #[test]
    fn sections_keys_and_nesting_are_read() {
        let files = read(
            "# mine\n[default]\nregion = us-east-1 # here\n\n[profile dev]\nsso_session=corp\nservices = local\n[sso-session corp]\nsso_region = eu-west-1\n[services local]\nbedrock_runtime =\n  endpoint_url = http://x\n",
            "[dev]\naws_access_key_id = AKIA\n",
        );
        assert_eq!(files.get("default", "region").unwrap().value, "us-east-1");
        assert_eq!(files.get("default", "region").unwrap().line, 3);
        assert_eq!(files.get("dev", "aws_access_key_id").unwrap().kind, OriginKind::AwsCredentials);
        assert_eq!(files.sso_sessions["corp"]["sso_region"].value, "eu-west-1");
        assert_eq!(files.services["local"]["bedrock_runtime.endpoint_url"].value, "http://x");
        assert!(files.files.iter().all(|file| file.problems.is_empty()));
    }

    #[test]
    fn the_credentials_file_wins_over_the_config_file() {
        let files = read("[profile a]\naws_access_key_id = one\n", "[a]\naws_access_key_id = two\n");
        assert_eq!(files.get("a", "aws_access_key_id").unwrap().value, "two");
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        let problems = |config: &str| read(config, "").files[0].problems.clone();
        for (config, line, reason) in [
            ("region = x\n", 1, "before the first section"),
            ("[default\n", 1, "closing bracket"),
            ("[default]\nnonsense here\n", 2, "neither a section"),
            ("[default]\n= x\n", 2, "missing"),
            ("[default]\n  indented = x\n", 2, "follows no key"),
        ] {
            let found = problems(config);
            assert_eq!((found[0].line, found[0].serious), (Some(line), true), "{config}");
            assert!(found[0].reason.contains(reason), "{config}: {}", found[0].reason);
        }
        // A line without a key may be the rest of a secret.
        assert!(!problems("[default]\nwJalrXUtnFEMIsecret\n")[0].reason.contains("wJal"));
        let many = problems(&format!("[work]\n[default]\n{}", "?\n".repeat(100)));
        assert_eq!(many.len(), MAX_PROBLEMS + 1);
        assert!(many[0].serious && many[MAX_PROBLEMS].reason.contains("81 more lines"), "{:?}", many.last());
        let unprefixed = problems("[work]\nregion = x\n");
        assert!(!unprefixed[0].serious && unprefixed[0].reason.contains("[profile work]"));
    }
}
