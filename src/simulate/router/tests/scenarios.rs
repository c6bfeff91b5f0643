//! Every embedded scenario shows what it says: the stream that Claude Code sends, asked with the scenario's own keys.

use super::*;
use crate::simulate::scenario::scenarios;

const FABLE: &str = "us.anthropic.claude-fable-5-1";

/// Scenario, principal, model, output tokens asked for, and the beginning of the refusal.
const FAULTY: &[(&str, &str, &str, u64, &str)] = &[
    ("access-in-another-region", "dev", OPUS, 1, "You don't have access to the model"),
    ("account-not-authorized", "founder", OPUS, 1, "Your account is not authorized"),
    ("clock-skew", "dev", OPUS, 1, "Signature expired: "),
    (
        "deleted-key-and-bare-id",
        "dev",
        "anthropic.claude-opus-5-5",
        1,
        "The security token included in the request is invalid.",
    ),
    ("destination-region-missing", "dev", OPUS, 1, "User: "),
    ("expired-session-and-retired-model", "DevRole", OPUS, 1, "The security token included in the request is expired"),
    ("expired-token", "DevRole", OPUS, 1, "The security token included in the request is expired"),
    ("fable-behind-a-region-deny", "dev", FABLE, 1, "User: "),
    ("fable-in-frankfurt", "dev", "eu.anthropic.claude-fable-5-1", 1, "The provided model identifier is invalid."),
    ("fable-without-retention-mode", "dev", FABLE, 1, "data retention mode 'default' is not available"),
    ("guide-of-2025", "newcomer", "anthropic.claude-3-7-sonnet-20250219-v1:0", 1, "User: "),
    ("identity-policy-missing", "dev", OPUS, 1, "User: "),
    ("invalid-access-key", "dev", OPUS, 1, "The security token included in the request is invalid."),
    ("late-clock-and-caching-off", "dev", OPUS, 1, "Signature expired: "),
    (
        "legacy-model-after-a-pause",
        "dev",
        "us.anthropic.claude-opus-4-1-20250805-v1:0",
        1,
        "Access denied. This Model is marked",
    ),
    (
        "marketplace-permissions",
        "dev",
        OPUS,
        1,
        "Model access is denied due to IAM user or service role is not authorized",
    ),
    ("model-access-not-granted", "dev", OPUS, 1, "You don't have access to the model"),
    (
        "model-eol",
        "dev",
        "us.anthropic.claude-sonnet-4-20250514-v1:0",
        1,
        "This model version has reached the end of its life.",
    ),
    ("model-fails-while-it-answers", "dev", OPUS, 1, "The system encountered an unexpected error"),
    ("model-gated-pinned", "dev", OPUS, 1, "anthropic.claude-opus-5-5 is not available for this account."),
    ("new-account-form-and-quota", "dev", OPUS, 1, "Model use case details have not been submitted"),
    ("new-colleague-in-a-new-account", "dev", OPUS, 1, "User: "),
    ("no-streaming-action", "dev", OPUS, 1, "User: "),
    ("on-demand-bare-id", "dev", "anthropic.claude-opus-5-5", 1, "Invocation of model ID"),
    ("operation-not-allowed", "dev", "eu.anthropic.claude-opus-5-5", 1, "Operation not allowed"),
    (
        "opt-in-region-not-enabled",
        "dev",
        "global.anthropic.claude-opus-5-5",
        1,
        "The security token included in the request is invalid.",
    ),
    ("own-policy-denies-global", "dev", "global.anthropic.claude-opus-5-5", 1, "User: "),
    ("payment-invalid", "dev", OPUS, 1, "Model access is denied due to INVALID_PAYMENT_INSTRUMENT"),
    ("permissions-boundary", "dev", OPUS, 1, "User: "),
    ("policy-wants-the-vpc-endpoint", "dev", OPUS, 1, "User: "),
    ("project-settings-change-the-region", "dev", OPUS, 1, "The provided model identifier is invalid."),
    ("region-malformed", "dev", "eu.anthropic.claude-opus-5-5", 1, "The provided model identifier is invalid."),
    (
        "region-only-in-the-default-profile",
        "dev",
        "eu.anthropic.claude-opus-5-5",
        1,
        "The provided model identifier is invalid.",
    ),
    (
        "region-variable-claude-ignores",
        "dev",
        "eu.anthropic.claude-opus-5-5",
        1,
        "The provided model identifier is invalid.",
    ),
    ("requests-per-minute-used-up", "dev", "us.anthropic.claude-sonnet-4-6", 1, "Too many requests, please wait"),
    ("scp-allow-list-without-bedrock", "dev", OPUS, 1, "User: "),
    ("scp-denies-bedrock", "dev", OPUS, 1, "User: "),
    ("scp-denies-global", "dev", "global.anthropic.claude-opus-5-5", 1, "User: "),
    ("scp-denies-region", "dev", OPUS, 1, "User: "),
    ("secret-key-of-another-key", "dev", OPUS, 1, "The request signature we calculated does not match"),
    ("service-quota-exceeded", "dev", OPUS, 1, "Your request exceeds the service quota"),
    ("service-unavailable", "dev", OPUS, 1, "Bedrock is unable to process your request."),
    ("session-policy", "Developers", OPUS, 1, "User: "),
    ("short-anthropic-name", "dev", "claude-sonnet-4-5", 1, "The provided model identifier is invalid."),
    ("sydney-listing-denied", "dev", "apac.anthropic.claude-opus-5-5", 1, "The provided model identifier is invalid."),
    ("throttled-tokens", "dev", OPUS, 32_000, "Too many tokens, please wait"),
    ("tokens-of-the-day-used-up", "dev", OPUS, 1, "Too many tokens per day"),
    ("tokyo-listing-denied-and-no-streaming", "dev", "apac.anthropic.claude-opus-5-5", 1, "User: "),
    ("unsupported-country", "dev", OPUS, 1, "Access to Anthropic models is not allowed"),
    ("us-prefix-in-frankfurt-and-no-streaming", "dev", OPUS, 1, "User: "),
    ("us-prefix-in-ireland", "dev", OPUS, 1, "The provided model identifier is invalid."),
    ("use-case-form-missing", "dev", OPUS, 1, "Model use case details have not been submitted"),
    (
        "version-suffix-too-much",
        "dev",
        "us.anthropic.claude-opus-5-5-v1:0",
        1,
        "The provided model identifier is invalid.",
    ),
    ("zero-quota", "dev", OPUS, 1, "Too many tokens per day"),
];

/// Scenarios whose fault lies on the machine or in the network, with API keys, or which have a test of their own.
const ELSEWHERE: &[&str] = &[
    "aws-login-expired",
    "access-key-as-api-key",
    "anthropic-key-as-api-key",
    "api-key-expired",
    "api-key-of-another-region",
    "api-key-user-may-not-use-it",
    "api-timeout-too-short",
    "authority-known-to-the-cli-only",
    "base-url-of-a-stopped-gateway",
    "base-url-with-a-wrong-path",
    "claude-2-1-249-in-a-container",
    "claude-2-1-94-drops-the-api-key",
    "closed-gateway-and-retired-background-model",
    "connection-reset-on-the-way",
    "container-behind-the-hop-limit",
    "credential-helper-fails",
    "credential-helper-prints-a-greeting",
    "ec2-without-runtime-endpoint",
    "ecs-task-without-a-route",
    "marketplace-permissions",
    "mfa-profile",
    "model-eol",
    "no-credentials-in-the-ide",
    "old-claude-ignores-the-profiles-region",
    "pod-in-another-namespace",
    "profile-misspelt",
    "profile-misspelt-and-caching-off",
    "profile-section-without-its-word",
    "proxy-only-in-bashrc",
    "proxy-port-closed",
    "proxy-wants-a-log-in",
    "rcp-deny",
    "region-misspelt",
    "role-trusts-somebody-else",
    "scp-denies-api-keys",
    "sdk-no-credentials-in-cron",
    "sdk-region-variable-nobody-reads",
    "sdk-stale-keys-shadow-the-profile",
    "sdk-without-region",
    "session-token-left-out",
    "settings-file-is-binary",
    "settings-trailing-comma",
    "settings-value-of-a-wrong-type",
    "sso-role-not-assigned",
    "sso-session-expired",
    "sso-session-not-defined",
    "stale-api-key-beats-the-profile",
    "stale-settings-env",
    "switch-only-in-bashrc",
    "switched-off-and-profile-gone",
    "switched-off-in-settings",
    "tls-gateway-and-sso-expired",
    "tls-interception",
    "vpce-policy",
];

fn world(name: &str) -> World {
    let mut world = World::of(&Scenario::find(name).unwrap());
    world.cloud.clock_offset = SignedDuration::ZERO;
    world
}

fn stream(world: &mut World, who: &str, model: &str, max_tokens: u64) -> Seen {
    let body = json!({
        "anthropic_version": "bedrock-2023-05-31",
        "max_tokens": max_tokens,
        "messages": [{ "role": "user", "content": "hi" }],
    });
    let key = world.cloud.held_key(who).unwrap().clone();
    let target = format!("/model/{}/invoke-with-response-stream", model.replace(':', "%3A"));
    // The machine's clock, not AWS's, is what a request is signed with.
    let offset = Scenario::find(&world.cloud.scenario).unwrap().world.clock_offset.unwrap_or_default();
    let at = world.now - offset.signed();
    let request = world.signed_at(&key, "bedrock", request("POST", &target, body.to_string().into()), at);
    world.send(&request)
}

#[test]
fn faulty_scenarios_are_refused_for_their_cause() {
    for (name, who, model, max_tokens, expected) in FAULTY.iter().copied() {
        let seen = stream(&mut world(name), who, model, max_tokens);
        assert!(seen.status >= 400 && seen.message.starts_with(expected), "{name}: {}", seen.message);
    }
    let seen = stream(&mut world("vpce-policy"), "dev", OPUS, 1);
    assert!(seen.message.contains("because no VPC endpoint policy allows"), "{}", seen.message);
}

#[test]
fn every_scenario_is_true_on_every_date() {
    for head in scenarios() {
        let scenario = Scenario::find(&head.name).unwrap();
        for date in ["2026-11-22T10:00:00Z", "2027-02-28T23:59:59Z", "2031-01-01T00:00:00Z"] {
            let built = Cloud::new(&scenario, date.parse().unwrap());
            assert!(built.is_ok(), "{} on {date}: {}", head.name, built.unwrap_err().reason);
        }
    }
}

#[test]
fn a_resource_control_policy_keeps_the_developer_out_of_the_role() {
    let mut world = world("rcp-deny");
    let seen =
        world.sts("dev", "Action=AssumeRole&RoleArn=arn:aws:iam::000000004949:role/ClaudeDevelopers&RoleSessionName=s");
    assert_eq!(seen.brief(), (403, "AccessDenied"));
    assert!(seen.message.ends_with("with an explicit deny in a resource control policy"), "{}", seen.message);
}

#[test]
fn a_resource_control_policy_reaches_web_identities_too() {
    let mut world = world("healthy-web-identity");
    let token = crate::simulate::services::sts::web_identity_token(&world.cloud, &world.cloud.web_identities[0]);
    let role = world.cloud.principal("ClaudePod").unwrap().arn(&world.cloud.account().id);
    let form = format!("Action=AssumeRoleWithWebIdentity&RoleArn={role}&RoleSessionName=s&WebIdentityToken={token}");
    assert_eq!(world.send(&form_request(&form)).status, 200);
    let deny = r#"{"Statement": {"Effect": "Deny", "Principal": "*", "Action": "sts:*", "Resource": "*"}}"#;
    world.cloud.account_mut().organization = Some(crate::simulate::cloud::Organization {
        id: "o-simulated1".to_owned(),
        management_account: false,
        service_control_policies: Vec::new(),
        resource_control_policies: vec![crate::simulate::iam::Policy::parse(deny).unwrap()],
    });
    assert_eq!(world.send(&form_request(&form)).brief(), (403, "AccessDenied"));
}

#[test]
fn scenarios_with_api_keys_are_refused_for_their_cause() {
    for (name, key, expected) in [
        ("api-key-expired", "main", "Bearer Token has expired"),
        ("api-key-of-another-region", "main", "Authentication failed: "),
        ("api-key-user-may-not-use-it", "team", "User: "),
        ("claude-2-1-94-drops-the-api-key", "main", ""),
        ("healthy-short-term-api-key", "main", ""),
        ("scp-denies-api-keys", "main", "User: "),
        ("stale-api-key-beats-the-profile", "trial", "Bearer Token has expired"),
    ] {
        let mut world = world(name);
        let token = world.cloud.held_api_key(key).unwrap().to_owned();
        let seen = world.bearer(&token, "/inference-profiles");
        assert_eq!(seen.status >= 400, !expected.is_empty(), "{name}: {}", seen.message);
        assert!(seen.message.starts_with(expected), "{name}: {}", seen.message);
    }
}

#[test]
fn healthy_scenarios_answer() {
    for (name, who, model) in [
        ("healthy", "dev", OPUS),
        ("healthy", "dev", "us.anthropic.claude-haiku-4-5-20251001-v1:0"),
        ("healthy-unpinned", "dev", SONNET),
        ("healthy-assume-role", "ClaudeDevelopers", OPUS),
        ("healthy-imds-role", "DevInstance", OPUS),
        ("healthy-container", "DevTask", OPUS),
        ("healthy-web-identity", "ClaudePod", OPUS),
        ("healthy-credential-process", "FederatedDevelopers", OPUS),
        ("healthy-sso", "AICodeAssistant", OPUS),
        ("healthy-bearer-key", "BedrockAPIKey-dev", OPUS),
        ("healthy-eu", "dev", "eu.anthropic.claude-opus-5-5"),
        ("healthy-sydney-au-prefix", "dev", "au.anthropic.claude-opus-5-5"),
        ("healthy-global-profile", "dev", "global.anthropic.claude-opus-5-5"),
        ("healthy-invoke-only-role", "ClaudeInvokeOnly", OPUS),
        ("healthy-aws-sdk", "backend", OPUS),
        ("aws-config-is-a-loop", "dev", OPUS),
        ("credentials-file-is-huge", "dev", OPUS),
        ("gateway-that-signs", "PlatformGateway", OPUS),
        ("healthy-behind-proxy", "dev", OPUS),
        ("healthy-broken-profile-unused", "dev", OPUS),
        ("healthy-canada", "dev", OPUS),
        ("healthy-env-keys", "DevRole", OPUS),
        ("healthy-fable-with-retention", "dev", FABLE),
        ("healthy-gateway-base-url", "dev", OPUS),
        ("healthy-london-bare-id", "dev", "anthropic.claude-sonnet-4-6"),
        ("healthy-old-throttles", "dev", OPUS),
        ("healthy-opt-in-region", "dev", "global.anthropic.claude-opus-5-5"),
        ("healthy-region-deny-with-exemption", "dev", "global.anthropic.claude-opus-5-5"),
        ("healthy-settings-only", "dev", "us.anthropic.claude-sonnet-4-6"),
        ("healthy-short-term-api-key", "DevRole", OPUS),
        ("healthy-sso-renewed", "AICodeAssistant", OPUS),
        ("healthy-tokyo-jp", "dev", "jp.anthropic.claude-opus-5-5"),
        ("healthy-two-hop-role", "ClaudeDevelopers", OPUS),
        ("healthy-vpc-endpoint", "dev", OPUS),
        ("default-model-gated", "dev", "us.anthropic.claude-opus-5"),
        ("haiku-pin-of-another-geography", "dev", OPUS),
        ("model-legacy-announced", "dev", "us.anthropic.claude-opus-4-1-20250805-v1:0"),
        ("own-throttles-last-hour", "dev", OPUS),
        ("prompt-caching-off", "dev", OPUS),
        ("retired-small-fast-model", "dev", OPUS),
        ("retired-subagent-model", "dev", OPUS),
        // The same world is healthy for a small request.
        ("throttled-tokens", "dev", OPUS),
    ] {
        let seen = stream(&mut world(name), who, model, 1);
        assert_eq!(seen.status, 200, "{name}: {}", seen.message);
    }
}

#[test]
fn every_failing_scenario_is_looked_at() {
    for head in scenarios().filter(|head| head.verdict == "fail") {
        let known = FAULTY.iter().any(|(name, ..)| *name == head.name) || ELSEWHERE.contains(&head.name.as_str());
        assert!(known, "{} has no row in this test", head.name);
        assert!(head.cause.is_some(), "{} fails without a cause", head.name);
    }
    assert!(scenarios().filter(|head| head.verdict == "ok").all(|head| head.cause.is_none() && head.also.is_empty()));
    assert!(scenarios().filter(|head| head.verdict == "warn").all(|head| head.cause.is_some()));
}
