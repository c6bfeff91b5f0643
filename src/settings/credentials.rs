//! Sources of credentials: which are there, which one a client will use, and why not the others. A prediction only: what the SDK
//! really used is seen by asking it.

use std::path::Path;

use super::{Files, environment::Layers};
use crate::{
    evidence::{
        Authentication, Client, CredentialSource, Origin, OriginKind, ProfileSetting, SourceKind, clean, mask_key_id,
    },
    world::{FileRead, World},
};

/// Returns the AWS profile in effect.
pub(super) fn profile(client: Client, layers: &Layers, aws: &super::aws_files::AwsFiles) -> ProfileSetting {
    // To Claude Code a value of blanks is the name of a profile that does not exist; only the empty text is unset. No SDK takes white
    // space off a name.
    let raw = layers.raw("AWS_PROFILE");
    let chosen = match client {
        Client::ClaudeCode => raw.filter(|value| !value.is_empty()),
        Client::AwsSdk | Client::Bedside => raw.filter(|value| !value.trim().is_empty()),
    };
    let name = chosen.map_or_else(|| "default".to_owned(), visible);
    let origin = match chosen {
        Some(_) => layers.origin("AWS_PROFILE").cloned(),
        None => None,
    };
    ProfileSetting {
        exists: aws.profiles.contains_key(&name),
        trimmed: chosen.filter(|raw| raw.trim() != *raw).map(|raw| clean(raw.trim())),
        available: aws.profiles.keys().map(|name| clean(name)).collect(),
        chosen: chosen.is_some(),
        origin: origin.unwrap_or(Origin {
            kind: OriginKind::Default,
            file: None,
            line: None,
            name: None,
            reason: None,
        }),
        name,
    }
}

/// A profile's name, with white space around it made visible: such a name is not that of the profile it looks like.
fn visible(name: &str) -> String {
    let written = |space: &str| {
        space
            .chars()
            .map(|it| if it == ' ' { r"\x20".to_owned() } else { it.escape_default().to_string() })
            .collect::<String>()
    };
    let rest = name.trim_start();
    let middle = rest.trim_end();
    format!("{}{}{}", written(&name[..name.len() - rest.len()]), clean(middle), written(&rest[middle.len()..]))
}

/// Returns how requests to Bedrock prove who sends them.
pub(super) fn authentication(client: Client, layers: &Layers) -> Authentication {
    let skips = client == Client::ClaudeCode
        && layers.get("CLAUDE_CODE_SKIP_BEDROCK_AUTH").is_some_and(super::claude_code::is_on);
    if skips {
        Authentication::None
    } else if layers.get("AWS_BEARER_TOKEN_BEDROCK").is_some() {
        Authentication::BearerToken
    } else {
        Authentication::Sigv4
    }
}

/// Returns every source, in the order in which the client asks them, the winner marked.
pub(super) fn sources(
    world: &World,
    client: Client,
    layers: &Layers,
    files: &Files<'_>,
    profile: &ProfileSetting,
    export: Option<(&str, &Origin)>,
) -> Vec<CredentialSource> {
    let mut sources: Vec<CredentialSource> = Vec::new();
    if let (Some(token), Some(origin)) =
        (layers.get("AWS_BEARER_TOKEN_BEDROCK"), layers.origin("AWS_BEARER_TOKEN_BEDROCK"))
    {
        sources.push(source(SourceKind::BearerToken, origin.clone(), None, shape_of_key(token)));
    }
    if client == Client::ClaudeCode
        && let Some((_, origin)) = export
    {
        sources.push(source(SourceKind::CredentialExport, origin.clone(), None, "a command of the settings"));
    }
    let environment = environment_keys(layers);
    let of_profile = of_profile(world, client, files, &profile.name);
    // Claude Code asks a profile that was chosen first, and then nothing else; the SDKs ask the environment first.
    if client == Client::ClaudeCode && profile.chosen {
        let kinds = of_profile.len();
        sources.extend(of_profile);
        let mut rest: Vec<CredentialSource> = environment.into_iter().collect();
        rest.extend(ambient(world, layers));
        for mut later in rest {
            later.shadowed_by = Some(format!("AWS_PROFILE={}", profile.name));
            sources.push(later);
        }
        if kinds == 0 && !sources.iter().any(|it| it.kind == SourceKind::BearerToken) {
            return sources;
        }
    } else {
        sources.extend(environment);
        sources.extend(of_profile);
        sources.extend(ambient(world, layers));
    }
    mark_winner(&mut sources);
    sources
}

/// The first source that nothing keeps away wins; a bearer token wins for Bedrock, and the first of the others for everything else.
fn mark_winner(sources: &mut [CredentialSource]) {
    let mut winner: Option<String> = None;
    for source in sources.iter_mut().filter(|source| source.kind != SourceKind::BearerToken) {
        match &winner {
            None if source.shadowed_by.is_none() => {
                source.wins = true;
                winner = Some(source.kind.spoken().to_owned());
            }
            Some(kind) if source.shadowed_by.is_none() => source.shadowed_by = Some(kind.clone()),
            _ => {}
        }
    }
    if let Some(bearer) = sources.iter_mut().find(|source| source.kind == SourceKind::BearerToken) {
        bearer.wins = true;
    }
}

fn source(kind: SourceKind, origin: Origin, profile: Option<&str>, detail: &str) -> CredentialSource {
    CredentialSource {
        kind,
        origin,
        profile: profile.map(clean),
        detail: clean(detail),
        wins: false,
        shadowed_by: None,
        expires_at: None,
        renewable: false,
    }
}

/// A Bedrock API key begins with one of two prefixes (AWS docs: Amazon Bedrock API keys); what is known to be something else is
/// named.
fn shape_of_key(token: &str) -> &'static str {
    if token.starts_with("bedrock-api-key-") {
        "a short-term Bedrock API key"
    } else if token.starts_with("ABSK") {
        "a long-term Bedrock API key"
    } else if token.starts_with("sk-ant-") {
        "an Anthropic API key, which has not the shape of a Bedrock API key"
    } else if token.starts_with("AKIA") || token.starts_with("ASIA") {
        "an access key id, which has not the shape of a Bedrock API key"
    } else {
        "a value that has not the shape of a Bedrock API key"
    }
}

fn environment_keys(layers: &Layers) -> Option<CredentialSource> {
    let id = layers.get("AWS_ACCESS_KEY_ID")?;
    let origin = layers.origin("AWS_ACCESS_KEY_ID")?.clone();
    let mut detail = format!("key {}", mask_key_id(id));
    if layers.get("AWS_SESSION_TOKEN").is_some() {
        detail.push_str(", with a session token");
    } else if id.starts_with("ASIA") {
        detail.push_str(", temporary, without its session token");
    }
    let mut found = source(SourceKind::EnvironmentKeys, origin, None, &detail);
    if layers.get("AWS_SECRET_ACCESS_KEY").is_none() {
        found.shadowed_by = Some("it lacks AWS_SECRET_ACCESS_KEY".to_owned());
    }
    Some(found)
}

/// The sources inside a profile, in the client's order.
fn of_profile(world: &World, client: Client, files: &Files<'_>, name: &str) -> Vec<CredentialSource> {
    let mut found = Vec::new();
    let get = |key: &str| files.aws.get(name, key);
    if let Some(role) = get("role_arn") {
        let mut detail = role.value.clone();
        for (key, word) in [
            ("source_profile", "from profile"),
            ("credential_source", "from"),
            ("web_identity_token_file", "with token file"),
        ] {
            if let Some(from) = get(key) {
                detail.push_str(&format!(", {word} {}", from.value));
            }
        }
        if get("mfa_serial").is_some() {
            detail.push_str(", with MFA");
        }
        let kind =
            if get("web_identity_token_file").is_some() { SourceKind::WebIdentity } else { SourceKind::AssumeRole };
        found.push(source(kind, role.origin("role_arn"), Some(name), &detail));
    }
    if let Some(account) = get("sso_account_id").or_else(|| get("sso_session")).or_else(|| get("sso_start_url")) {
        let session = get("sso_session").map(|it| it.value.clone());
        let url = get("sso_start_url")
            .or_else(|| session.as_ref().and_then(|session| files.aws.sso_sessions.get(session)?.get("sso_start_url")))
            .map(|it| it.value.clone())
            .unwrap_or_default();
        let role = get("sso_role_name").map(|it| it.value.clone()).unwrap_or_else(|| "no role".to_owned());
        let detail = match &session {
            Some(session) => format!("role {role}, sso-session {session}, {url}"),
            None => format!("role {role}, {url}"),
        };
        let mut sso = source(SourceKind::Sso, account.origin("sso_account_id"), Some(name), &detail);
        (sso.expires_at, sso.renewable) = cached_sign_in(world, session.as_deref().unwrap_or(&url));
        found.push(sso);
    }
    if let Some(session) = get("login_session") {
        found.push(source(SourceKind::Login, session.origin("login_session"), Some(name), &session.value));
    }
    if let Some(process) = get("credential_process") {
        let word = program(&process.value);
        found.push(source(SourceKind::CredentialProcess, process.origin("credential_process"), Some(name), &word));
    }
    if let Some(key) = get("aws_access_key_id") {
        let mut detail = format!("key {}", mask_key_id(&key.value));
        if get("aws_session_token").is_some() {
            detail.push_str(", with a session token");
        } else if key.value.starts_with("ASIA") {
            detail.push_str(", temporary, without its session token");
        }
        let mut keys = source(SourceKind::ProfileKeys, key.origin("aws_access_key_id"), Some(name), &detail);
        if get("aws_secret_access_key").is_none() {
            keys.shadowed_by = Some("it lacks aws_secret_access_key".to_owned());
        }
        found.push(keys);
    }
    if client == Client::ClaudeCode {
        // Observed with 2.1.330: role, static keys, credential_process, SSO.
        found.sort_by_key(|source| match source.kind {
            SourceKind::AssumeRole | SourceKind::WebIdentity => 0,
            SourceKind::ProfileKeys => 1,
            SourceKind::CredentialProcess => 2,
            SourceKind::Login => 3,
            _ => 4,
        });
    }
    found
}

/// The program of a command line, which is enough to recognise it: the rest may hold a secret, as may variables set before it.
fn program(command: &str) -> String {
    // A backslash is part of a path where helpers have one; quotes may join words that belong together.
    let words = if command.contains('\\') {
        command.split_whitespace().take(1).map(|word| word.trim_matches('"').to_owned()).collect()
    } else {
        shlex::split(command).unwrap_or_default()
    };
    words.into_iter().find(|word| !word.contains('=')).unwrap_or_else(|| "a command".to_owned())
}

/// When the cached sign-in of IAM Identity Center expires, and whether it renews itself: with a refresh token and a client
/// registration that is still good. The cache's file is named by the SHA-1 of the session's name or start URL.
fn cached_sign_in(world: &World, key: &str) -> (Option<String>, bool) {
    let Some(home) = world.home() else { return (None, false) };
    let path = home.join(".aws/sso/cache").join(format!("{}.json", sha1_hex(key.as_bytes())));
    let FileRead::Text(text) = world.read_file(&path) else { return (None, false) };
    let Ok(json) = serde_json::from_str::<serde_json::Value>(&text) else { return (None, false) };
    let registered = json["registrationExpiresAt"]
        .as_str()
        .and_then(|until| until.parse::<jiff::Timestamp>().ok())
        .is_some_and(|until| until > world.now());
    let renewable = registered && json["refreshToken"].is_string() && json["clientId"].is_string();
    (json["expiresAt"].as_str().map(clean), renewable)
}

fn sha1_hex(bytes: &[u8]) -> String {
    use sha1::{Digest, Sha1};
    hex::encode(Sha1::digest(bytes))
}

/// Sources of the place the process runs in.
fn ambient(world: &World, layers: &Layers) -> Vec<CredentialSource> {
    let mut found = Vec::new();
    if let (Some(file), Some(origin)) =
        (layers.get("AWS_WEB_IDENTITY_TOKEN_FILE"), layers.origin("AWS_WEB_IDENTITY_TOKEN_FILE"))
    {
        let role = layers.get("AWS_ROLE_ARN");
        let detail = format!("{}, token file {}", role.unwrap_or("no role"), world.display_path(Path::new(file)));
        let mut web = source(SourceKind::WebIdentity, origin.clone(), None, &detail);
        if role.is_none() {
            web.shadowed_by = Some("it lacks AWS_ROLE_ARN".to_owned());
        }
        found.push(web);
    }
    for name in ["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI"] {
        if let (Some(uri), Some(origin)) = (layers.get(name), layers.origin(name)) {
            found.push(source(
                SourceKind::Container,
                origin.clone(),
                None,
                &super::environment::without_user(name, uri),
            ));
            break;
        }
    }
    if super::inside_aws(world).is_some() && layers.get("AWS_EC2_METADATA_DISABLED").is_none_or(|value| value != "true")
    {
        let origin = Origin { kind: OriginKind::Default, file: None, line: None, name: None, reason: None };
        found.push(source(SourceKind::InstanceMetadata, origin, None, "the instance's role"));
    } else if let Some(origin) = layers.origin("AWS_EC2_METADATA_SERVICE_ENDPOINT")
        && layers.get("AWS_EC2_METADATA_DISABLED").is_none_or(|value| value != "true")
    {
        found.push(source(SourceKind::InstanceMetadata, origin.clone(), None, "the instance's role"));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_cached_sign_in_is_the_digest_of_its_session() {
        assert_eq!(sha1_hex(b"abc"), "a9993e364706816aba3e25717850c26c9cd0d89d");
    }

    #[test]
    fn white_space_around_a_name_is_seen() {
        assert_eq!(visible("dev"), "dev");
        assert_eq!(visible("dev\r"), r"dev\r");
        assert_eq!(visible(" two words "), r"\x20two words\x20");
        assert_eq!(visible("  "), r"\x20\x20");
    }

    #[test]
    fn of_a_helpers_command_only_the_program_is_shown() {
        assert_eq!(program("/bin/helper --token abc"), "/bin/helper");
        assert_eq!(program("VAULT_TOKEN=s.abc A=b /bin/helper"), "/bin/helper");
        assert_eq!(program("TOKEN='s. abc' '/my apps/helper' x"), "/my apps/helper");
        assert_eq!(program(r"C:\tools\helper.exe --token abc"), r"C:\tools\helper.exe");
        assert_eq!(program("TOKEN=abc"), "a command");
        assert_eq!(program("TOKEN='abc"), "a command");
    }

    #[test]
    fn keys_are_told_by_their_shape() {
        assert!(shape_of_key("sk-ant-x").contains("not the shape"));
        assert!(shape_of_key("AKIAX").contains("not the shape"));
        assert!(!shape_of_key("ABSKabc").contains("not the shape"));
    }
}
