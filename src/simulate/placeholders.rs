//! Placeholders in the environment and the files of a scenario's machine: `{endpoint}`, `{key.dev.id}`, `{time:-1h}`.
//!
//! Only what looks like a placeholder is one: braces around lower-case words with dots, colons and hyphens. `{{word}}` stands for
//! `{word}` itself. An unknown placeholder is an error, so that a typing mistake cannot become a scenario.

use std::path::Path;

use jiff::Timestamp;

use crate::simulate::authentication::gateway_token;
use crate::simulate::cloud::Cloud;
use crate::simulate::scenario::Span;
use crate::simulate::services::bedrock::application_profile_arn;
use crate::simulate::services::metadata::container_token;
use crate::simulate::services::sso::SsoSession;
use crate::simulate::services::sts::web_identity_token;

/// Where the listeners of a simulation are.
#[derive(Clone, Debug)]
pub(crate) struct Addresses {
    pub(crate) http: String,
    pub(crate) tls: String,
    pub(crate) proxy: String,
    pub(crate) black_hole: String,
    pub(crate) closed: String,
    pub(crate) authority_pem: String,
}

impl Addresses {
    /// Returns addresses for checking a scenario that is not running.
    pub(crate) fn sample() -> Self {
        let at = |port: u16| format!("http://127.0.0.1:{port}");
        Self {
            http: at(1),
            tls: "https://localhost:2".to_owned(),
            proxy: at(3),
            black_hole: at(4),
            closed: at(5),
            authority_pem: String::new(),
        }
    }
}

/// What placeholders are filled with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Values<'a> {
    pub(crate) cloud: &'a Cloud,
    pub(crate) addresses: &'a Addresses,
    pub(crate) directory: &'a Path,
    pub(crate) cwd: &'a Path,
    /// The machine's time.
    pub(crate) now: Timestamp,
}

/// A placeholder that means nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{{{0}}}` is no placeholder of this scenario")]
pub(crate) struct UnknownPlaceholder(pub(crate) String);

/// Fills in all placeholders of a text.
pub(crate) fn fill(text: &str, values: &Values<'_>) -> Result<String, UnknownPlaceholder> {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('{') {
        let (before, from) = rest.split_at(at);
        filled.push_str(before);
        if let Some((name, after)) = from.strip_prefix("{{").and_then(|inner| word(inner))
            && let Some(after) = after.strip_prefix('}')
        {
            filled.extend(["{", name, "}"]);
            rest = after;
        } else if let Some((name, after)) = word(&from[1..])
            && !before.ends_with('$')
        {
            filled.push_str(&value(name, values).ok_or_else(|| UnknownPlaceholder(name.to_owned()))?);
            rest = after;
        } else {
            filled.push('{');
            rest = &from[1..];
        }
    }
    filled.push_str(rest);
    Ok(filled)
}

/// Splits `name}after`, if the name looks like a placeholder's.
fn word(text: &str) -> Option<(&str, &str)> {
    let (name, after) = text.split_once('}')?;
    let first = name.chars().next()?;
    let fits = |character: char| character.is_ascii_alphanumeric() || "_.:+-".contains(character);
    (first.is_ascii_lowercase() && name.chars().all(fits)).then_some((name, after))
}

fn value(name: &str, values: &Values<'_>) -> Option<String> {
    let Values { cloud, addresses, directory, cwd, now } = *values;
    let path = |path: &Path| path.display().to_string();
    if let Some((kind, argument)) = name.split_once(':') {
        return match kind {
            "time" => Some(Span::parse(argument)?.after(now).strftime("%Y-%m-%dT%H:%M:%SZ").to_string()),
            "url" => Some(format!("{}/~{argument}", addresses.http)),
            "url_tls" => Some(format!("{}/~{argument}", addresses.tls)),
            _ => None,
        };
    }
    if let Some((kind, argument)) = name.split_once('.') {
        return named(kind, argument, cloud);
    }
    let sso = || SsoSession::of(cloud);
    Some(match name {
        "endpoint" => addresses.http.clone(),
        "endpoint_tls" => addresses.tls.clone(),
        "proxy" => addresses.proxy.clone(),
        "blackhole" => addresses.black_hole.clone(),
        "blackhole_tls" => addresses.black_hole.replacen("http:", "https:", 1),
        "closed" => addresses.closed.clone(),
        "ca_file" => path(&directory.join("ca.pem")),
        "home" => path(&directory.join("home")),
        "bin" => path(&directory.join("bin")),
        "root" => path(&directory.join("root")),
        "cwd" => path(cwd),
        "region" => cloud.home_region.clone(),
        "account" => cloud.account().id.clone(),
        "alias" => cloud.account().alias.clone(),
        "sso_token" => sso().access_token,
        "sso_refresh_token" => sso().refresh_token,
        "sso_client_id" => sso().client_id,
        "sso_client_secret" => sso().client_secret,
        "container_token" => container_token(cloud),
        "gateway_token" => gateway_token(cloud),
        _ => return None,
    })
}

fn named(kind: &str, argument: &str, cloud: &Cloud) -> Option<String> {
    let account_of = |at: usize| cloud.accounts[at].id.as_str();
    match kind {
        "key" => {
            let (principal, part) = argument.rsplit_once('.')?;
            let key = cloud.held_key(principal)?;
            match part {
                "id" => Some(key.id.clone()),
                "secret" => Some(key.secret.clone()),
                "token" => key.token.clone(),
                "expires" => Some(key.expires?.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()),
                _ => None,
            }
        }
        "arn" => cloud.principal(argument).map(|principal| principal.arn(account_of(principal.account))),
        "mfa" => cloud
            .principal(argument)
            .map(|principal| format!("arn:aws:iam::{}:mfa/{}", account_of(principal.account), principal.iam_name)),
        "account" => cloud.accounts.iter().find(|account| account.name == argument).map(|account| account.id.clone()),
        "api_key" => cloud.held_api_key(argument).map(str::to_owned),
        "web_identity" => {
            let identity = cloud.web_identities.iter().find(|identity| identity.name == argument)?;
            Some(web_identity_token(cloud, identity))
        }
        "profile" => cloud.accounts.iter().find_map(|account| {
            let profile = account.application_profiles.iter().find(|profile| profile.name == argument)?;
            Some(application_profile_arn(&account.id, profile))
        }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulate::scenario::Scenario;

    fn filled(text: &str) -> Result<String, UnknownPlaceholder> {
        let scenario = "title = \"t\"\nstory = \"s\"\nverdict = \"ok\"\n[[world.principals]]\nname = \"dev\"\n";
        let now: Timestamp = "2026-11-22T10:00:00Z".parse().unwrap();
        let cloud = Cloud::new(&Scenario::parse("test", scenario).unwrap(), now).unwrap();
        let directory = Path::new("/sim");
        let addresses = Addresses::sample();
        fill(text, &Values { cloud: &cloud, addresses: &addresses, directory, cwd: directory, now })
    }

    #[test]
    fn placeholders_are_filled_and_everything_else_is_left_alone() {
        assert_eq!(filled("{endpoint}/x {home}").unwrap(), "http://127.0.0.1:1/x /sim/home");
        assert_eq!(filled("{time:-1h} {url:us-west-2}").unwrap(), "2026-11-22T09:00:00Z http://127.0.0.1:1/~us-west-2");
        assert_eq!(
            filled(r#"{"env": {"A": "b"}} ${HOME} ${x} { print; } {{word}}"#).unwrap(),
            r#"{"env": {"A": "b"}} ${HOME} ${x} { print; } {word}"#
        );
        assert_eq!(filled("{blackhole} {blackhole_tls}").unwrap(), "http://127.0.0.1:4 https://127.0.0.1:4");
        assert!(filled("{key.dev.id}").unwrap().starts_with("AKIASIM"));
        assert_eq!(filled("{endpiont}"), Err(UnknownPlaceholder("endpiont".to_owned())));
        assert_eq!(filled("{key.dev.token}"), Err(UnknownPlaceholder("key.dev.token".to_owned())));
    }
}
