//! The effective environment of a client: the process's own, and for Claude Code the `env` blocks of its settings files on top, by
//! their precedence and trust. A blank value in a stronger place switches a weaker one off, as it does in the client.

use std::collections::BTreeMap;

use super::{
    claude_files::ClaudeFile,
    variables::{is_address, is_secret, variable},
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
        let of_project = file.is_of_project();
        for (name, value, origin) in &file.env {
            if of_project && !trusted && !variable(name).is_some_and(|variable| variable.free) {
                self.left_out.push(LeftOut {
                    name: name.clone(),
                    origin: origin.clone(),
                    because: file.left_out_because("follow"),
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
    without_user(name, &crate::evidence::clean(value))
}

/// Takes user name, password and query out of an address. What is no address stays as it is.
pub(super) fn without_user(name: &str, value: &str) -> String {
    let (scheme, rest) = parts(value);
    if scheme.is_empty() && !is_address(name) {
        return value.to_owned();
    }
    let address = user_information(name, value).map_or(rest, |information| &rest[information.len() + 1..]);
    format!("{scheme}{}", address.split(['?', '#']).next().unwrap_or_default())
}

/// Returns what stands before the host of an address: user name and password, whatever characters they are made of.
pub(super) fn user_information<'a>(name: &str, value: &'a str) -> Option<&'a str> {
    let (_, rest) = parts(value);
    let last = rest.rfind('@')?;
    let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    let of_proxy = name.to_uppercase().ends_with("PROXY");
    // A proxy's address has no path, so the last `@` stands before the host. In another address it may stand in the path.
    let end = match authority.rfind('@') {
        _ if of_proxy => last,
        Some(at) if is_host(&authority[at + 1..]) => at,
        None if is_host(authority) && !authority.contains(':') => return None,
        _ => last,
    };
    Some(&rest[..end])
}

/// The scheme with its slashes, if there is one, and the rest.
fn parts(value: &str) -> (&str, &str) {
    value.find("://").map_or(("", value), |at| value.split_at(at + 3))
}

/// Whether a text is a host with or without a port.
fn is_host(text: &str) -> bool {
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !text.ends_with(']') => (host, port),
        _ => (text, ""),
    };
    !host.is_empty()
        && port.chars().all(|it| it.is_ascii_digit())
        && host.chars().all(|it| it.is_ascii_alphanumeric() || matches!(it, '.' | '-' | '_' | '[' | ']' | ':'))
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

    #[test]
    fn no_form_of_an_address_shows_its_password() {
        for (name, value, expected) in [
            ("HTTPS_PROXY", "me:p!ss@proxy:8080", "proxy:8080"),
            ("https_proxy", "http://me:pa/ss@proxy", "http://proxy"),
            ("ALL_PROXY", "http://me@corp:12/s?s#@proxy:1", "http://proxy:1"),
            ("HTTP_PROXY", "proxy:8080", "proxy:8080"),
            ("ANTHROPIC_BEDROCK_BASE_URL", "https://me:p?ss@gw.example/bedrock", "https://gw.example/bedrock"),
            ("ANTHROPIC_BEDROCK_BASE_URL", "https://me@corp:pa/ss@gw.example", "https://gw.example"),
            ("ANTHROPIC_BEDROCK_BASE_URL", "me:secret@gw.example/x?key=1", "gw.example/x"),
            ("AWS_ENDPOINT_URL", "https://gw.example/team@corp/bedrock", "https://gw.example/team@corp/bedrock"),
            ("AWS_ENDPOINT_URL", "https://me:pass@gw.example/to?a=b@c", "https://gw.example/to"),
            ("AWS_ENDPOINT_URL", "http://[fd00::1]:8080/x", "http://[fd00::1]:8080/x"),
            ("AWS_PROFILE", "me@corp", "me@corp"),
        ] {
            assert_eq!(shown(name, value), expected, "{name}={value}");
        }
    }
}
