//! The effective environment of a client: the process's own, and for Claude Code the `env` blocks of its settings files on top, by
//! their precedence and trust. A blank value in a stronger place switches a weaker one off, as it does in the client.

use std::collections::BTreeMap;

use super::{
    claude_files::ClaudeFile,
    variables::{is_secret, variable},
};
use crate::{
    evidence::{LeftOut, Origin, OriginKind, RcAssignment, Setting, Shadowed, mask_key_id, mask_secret},
    world::World,
};

/// A value in one place.
#[derive(Clone, Debug)]
struct Candidate {
    value: String,
    origin: Origin,
}

/// Every variable with its candidates, the strongest first.
#[derive(Clone, Debug, Default)]
pub(super) struct Layers {
    variables: BTreeMap<String, Vec<Candidate>>,
    pub(super) left_out: Vec<LeftOut>,
}

impl Layers {
    /// Takes the process's environment, with the start-up file line that explains a variable.
    pub(super) fn of_process(world: &World, lines: &[RcAssignment]) -> Self {
        let mut layers = Self::default();
        for (name, value) in world.environment() {
            let (Some(name), value) = (name.to_str(), value.to_string_lossy().into_owned()) else { continue };
            let reason = lines
                .iter()
                .find(|line| line.name == name && line.in_effect && line.exported)
                .map(|line| format!("{}:{}", line.file, line.line));
            let origin =
                Origin { kind: OriginKind::Environment, file: None, line: None, name: Some(name.to_owned()), reason };
            layers.variables.insert(name.to_owned(), vec![Candidate { value, origin }]);
        }
        layers
    }

    /// Puts a settings file's `env` block on top. What an untrusted project may not set is left out, and said.
    pub(super) fn add_file(&mut self, file: &ClaudeFile, trusted: bool) {
        let of_project = matches!(file.file.kind, OriginKind::ProjectSettings | OriginKind::LocalSettings);
        for (name, value, origin) in &file.env {
            if of_project && !trusted && !variable(name).is_some_and(|variable| variable.free) {
                self.left_out.push(LeftOut {
                    name: name.clone(),
                    origin: origin.clone(),
                    because: "this folder is not trusted, so bedside does not follow it; Claude Code does, with -p at once and \
                              otherwise after its trust question"
                        .to_owned(),
                });
                continue;
            }
            let candidate = Candidate { value: value.clone(), origin: origin.clone() };
            self.variables.entry(name.clone()).or_default().insert(0, candidate);
        }
    }

    /// Puts an option of bedside on top of everything.
    pub(super) fn override_with(&mut self, name: &str, value: &str, option: &str) {
        let origin =
            Origin { kind: OriginKind::Option, file: None, line: None, name: Some(option.to_owned()), reason: None };
        self.variables.entry(name.to_owned()).or_default().insert(0, Candidate { value: value.to_owned(), origin });
    }

    /// Returns the effective value, trimmed; nothing when unset or blank.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let value = self.variables.get(name)?.first()?.value.trim();
        (!value.is_empty()).then_some(value)
    }

    /// Returns the effective value as it stands, blank or not.
    pub(super) fn raw(&self, name: &str) -> Option<&str> {
        Some(&self.variables.get(name)?.first()?.value)
    }

    /// Returns where the effective value comes from.
    pub(super) fn origin(&self, name: &str) -> Option<&Origin> {
        Some(&self.variables.get(name)?.first()?.origin)
    }

    /// Returns the effective value with its origin and what it shadows, masked where it is a secret.
    pub(super) fn setting(&self, name: &str) -> Option<Setting> {
        let candidates = self.variables.get(name)?;
        let (first, rest) = candidates.split_first()?;
        Some(Setting {
            name: name.to_owned(),
            value: shown(name, &first.value),
            origin: first.origin.clone(),
            shadows: rest
                .iter()
                .filter(|other| other.value.trim() != first.value.trim())
                .map(|other| Shadowed {
                    value: shown(name, &other.value),
                    origin: other.origin.clone(),
                    because: format!("{} wins", first.origin),
                })
                .collect(),
        })
    }

    /// Returns the setting only where its value is not blank.
    pub(super) fn filled_setting(&self, name: &str) -> Option<Setting> {
        self.get(name)?;
        self.setting(name)
    }

    /// Returns every variable that is set, by name.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.variables.keys().map(String::as_str)
    }

    /// Returns the effective environment, without blank values of variables that matter: to some SDKs a blank is a value.
    pub(super) fn environment(&self) -> BTreeMap<String, String> {
        self.variables
            .iter()
            .filter_map(|(name, candidates)| Some((name.clone(), candidates.first()?.value.clone())))
            .filter(|(name, value)| !value.trim().is_empty() || variable(name).is_none())
            .collect()
    }
}

/// A value as it may be shown: secrets hidden, key ids by their ends, addresses without user names.
pub(super) fn shown(name: &str, value: &str) -> String {
    if name == "AWS_ACCESS_KEY_ID" {
        return mask_key_id(value.trim());
    }
    if is_secret(name) {
        return mask_secret(value);
    }
    without_user(&crate::evidence::clean(value))
}

/// Takes user name, password and query out of an address.
pub(super) fn without_user(value: &str) -> String {
    let Some((scheme, rest)) = value.split_once("://") else { return value.to_owned() };
    let (authority, path) = match rest.find(['/', '?', '#']) {
        Some(at) => rest.split_at(at),
        None => (rest, ""),
    };
    let host = authority.rsplit('@').next().unwrap_or(authority);
    let path = path.split(['?', '#']).next().unwrap_or_default();
    format!("{scheme}://{host}{path}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_hidden_and_addresses_cleaned() {
        assert_eq!(shown("AWS_SECRET_ACCESS_KEY", "abc"), "(set, hidden)");
        assert_eq!(shown("AWS_ACCESS_KEY_ID", "AKIAABCDEFGHIJKLMNOP"), "AKIA…MNOP");
        assert_eq!(shown("HTTPS_PROXY", "http://me:pass@proxy:8080/x?token=1"), "http://proxy:8080/x");
        assert_eq!(shown("AWS_REGION", "us-east-1\u{1b}[31m"), "us-east-1 [31m");
    }
}
