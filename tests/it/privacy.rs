//! Secrets: planted in every place that is read, and looked for in everything that is printed or kept.

use crate::harness::World;

const SECRET: &str = "wJalrXUtnFEMIbPxRfiCYnSecretSecretSecret";
const TOKEN: &str = "IQoJb3JpZ2luX2VjEPlantedSessionToken";
const BEARER: &str = "ABSKPlantedBearerTokenOfBedrock0123456789";
const HEADER: &str = "planted-header-value-123456";
const PASSWORD: &str = "planted-proxy-password";
const SLASHED: &str = "planted/odd?password";
const KEY_ID: &str = "AKIAPLANTEDKEYID0001";

fn planted() -> World {
    World::new()
        .env("AWS_ACCESS_KEY_ID", KEY_ID)
        .env("AWS_SECRET_ACCESS_KEY", SECRET)
        .env("AWS_SESSION_TOKEN", TOKEN)
        .env("CLAUDE_CODE_USE_BEDROCK", "1")
        .env("AWS_REGION", "us-east-1")
        .env("ANTHROPIC_CUSTOM_HEADERS", &format!("x-planted: {HEADER}"))
        .env("HTTPS_PROXY", &format!("http://me:{PASSWORD}@127.0.0.1:9"))
        .env("HTTP_PROXY", &format!("me:{SLASHED}@127.0.0.1:9"))
        .env("COMPANY_PIN", SECRET)
        .env("ANTHROPIC_API_KEY", BEARER)
        .file(
            ".aws/credentials",
            &format!("[default]\naws_access_key_id = {KEY_ID}\naws_secret_access_key = {SECRET}\n"),
        )
        .file(
            ".aws/config",
            &format!("[default]\ncredential_process = /bin/false --token {TOKEN}\n[profile x]\nnonsense {SECRET}\n\
                      {SECRET}\n[profile y]\naws_access_key_id = {SECRET}\ncredential_process = T={TOKEN} /bin/false\n"),
        )
        .file(".bashrc", &format!("export AWS_SECRET_ACCESS_KEY={SECRET}\nexport AWS_BEARER_TOKEN_BEDROCK={BEARER}\n"))
        .file(
            ".claude/settings.json",
            &format!("{{\"env\": {{\"MY_TOKEN\": \"{BEARER}\", \"COMPANY_PIN\": \"1\", \"ANTHROPIC_AUTH_TOKEN\": \"{BEARER}\"}}}}"),
        )
}

fn leaks(text: &str) -> Vec<&'static str> {
    [SECRET, TOKEN, BEARER, HEADER, PASSWORD, SLASHED, KEY_ID]
        .into_iter()
        .filter(|secret| text.contains(*secret))
        .collect()
}

#[test]
fn planted_secrets_never_appear_in_any_form() {
    let world = planted();
    let record = world.home().join("case.json");
    let path = record.to_str().unwrap();
    for arguments in [
        &["doctor", "--timeout", "3s", "--record", path][..],
        &["doctor", "--timeout", "3s", "--all"],
        &["doctor", "--timeout", "3s", "--format", "json"],
        &["doctor", "--timeout", "3s", "--format", "markdown"],
        &["doctor", "--offline", "--client", "aws-sdk", "--format", "json"],
        &["settings"],
        &["settings", "--client", "claude-code"],
        &["settings", "--client", "aws-sdk"],
        &["settings", "--format", "json"],
    ] {
        let ran = world.run(arguments);
        assert!(ran.code.is_some_and(|code| code != 2), "{arguments:?}: {ran:?}");
        assert_eq!(leaks(&ran.stdout), [""; 0], "{arguments:?} on standard output");
        assert_eq!(leaks(&ran.stderr), [""; 0], "{arguments:?} on standard error");
    }
    assert_eq!(leaks(&std::fs::read_to_string(record).unwrap()), [""; 0], "in the record");
}

#[test]
fn the_looking_would_find_them() {
    assert_eq!(leaks(&format!("x{SECRET}y{TOKEN}")).len(), 2);
}

#[test]
fn accounts_principals_and_homes_become_pseudonyms() {
    let world = World::new();
    let file = world.home().join("case.json");
    let live = world.doctor(&["--simulate", "healthy-sso", "--record", file.to_str().unwrap()]).json();
    let record = std::fs::read_to_string(file).unwrap();
    let account = live["target"]["account"].as_str().unwrap();
    let principal = live["target"]["principal"].as_str().unwrap();
    assert!(account.starts_with("00000000"));
    assert!(!record.contains(account) && record.contains("111111111111"));
    for name in principal.split('/').skip(1) {
        assert!(!record.contains(name), "{name}");
    }
    let markdown = world.run(&["doctor", "--simulate", "healthy-sso", "--format", "markdown"]).stdout;
    assert!(!markdown.contains(account) && markdown.contains("111111111111"));
}

#[test]
fn a_record_holds_only_variables_that_are_known() {
    let world = World::new().env("COMPANY_INTERNAL_NAME", "project-zeus").env("AWS_REGION", "us-east-1");
    let file = world.home().join("case.json");
    world.run(&["doctor", "--offline", "--client", "claude-code", "--record", file.to_str().unwrap()]);
    let record = std::fs::read_to_string(file).unwrap();
    assert!(
        record.contains("AWS_REGION") && !record.contains("project-zeus") && !record.contains("COMPANY_INTERNAL_NAME")
    );
}

#[test]
fn hosts_of_the_user_become_pseudonyms_wherever_they_stand() {
    let world = World::new()
        .env("CLAUDE_CODE_USE_BEDROCK", "1")
        .env("AWS_REGION", "us-east-1")
        .env("AWS_ACCESS_KEY_ID", KEY_ID)
        .env("AWS_SECRET_ACCESS_KEY", SECRET)
        .env("ANTHROPIC_BEDROCK_BASE_URL", "https://gateway.corp-zeus.invalid/bedrock")
        .env("HTTPS_PROXY", "proxy.corp-zeus.invalid:8080")
        .env("NO_PROXY", "localhost,.corp-zeus.invalid");
    let file = world.home().join("case.json");
    world.run(&["doctor", "--timeout", "3s", "--record", file.to_str().unwrap()]);
    let record = std::fs::read_to_string(file).unwrap();
    assert!(record.contains("host-1.example.com") && record.contains("localhost"), "{record}");
    assert!(!record.contains("corp-zeus"), "{record}");
}
