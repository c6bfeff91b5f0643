//! Every embedded scenario shows what it says: the stream that Claude Code sends, asked with the scenario's own keys.

use super::*;
use crate::simulate::scenario::scenarios;

/// Scenario, principal, model, output tokens asked for, and the beginning of the refusal.
const FAULTY: [(&str, &str, &str, u64, &str); 19] = [
    ("clock-skew", "dev", OPUS, 1, "Signature expired: "),
    ("destination-region-missing", "dev", OPUS, 1, "User: "),
    ("expired-token", "DevRole", OPUS, 1, "The security token included in the request is expired"),
    ("guide-of-2025", "newcomer", "anthropic.claude-3-7-sonnet-20250219-v1:0", 1, "User: "),
    ("identity-policy-missing", "dev", OPUS, 1, "User: "),
    ("invalid-access-key", "dev", OPUS, 1, "The security token included in the request is invalid."),
    (
        "marketplace-permissions",
        "dev",
        OPUS,
        1,
        "Model access is denied due to IAM user or service role is not authorized",
    ),
    (
        "model-eol",
        "dev",
        "us.anthropic.claude-sonnet-4-20250514-v1:0",
        1,
        "This model version has reached the end of its life.",
    ),
    ("no-streaming-action", "dev", OPUS, 1, "User: "),
    ("on-demand-bare-id", "dev", "anthropic.claude-opus-5-5", 1, "Invocation of model ID"),
    ("payment-invalid", "dev", OPUS, 1, "Model access is denied due to INVALID_PAYMENT_INSTRUMENT"),
    ("permissions-boundary", "dev", OPUS, 1, "User: "),
    ("rcp-deny", "dev", OPUS, 1, "User: "),
    ("scp-denies-global", "dev", "global.anthropic.claude-opus-5-5", 1, "User: "),
    ("scp-denies-region", "dev", OPUS, 1, "User: "),
    ("session-policy", "Developers", OPUS, 1, "User: "),
    ("throttled-tokens", "dev", OPUS, 32_000, "Too many tokens, please wait"),
    ("use-case-form-missing", "dev", OPUS, 1, "Model use case details have not been submitted"),
    ("zero-quota", "dev", OPUS, 1, "Too many tokens per day"),
];

/// Scenarios whose fault lies on the machine or in the network, or which are in `FAULTY` under another principal.
const ELSEWHERE: [&str; 4] = ["sso-session-expired", "stale-settings-env", "tls-interception", "vpce-policy"];

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
    for (name, who, model, max_tokens, expected) in FAULTY {
        let seen = stream(&mut world(name), who, model, max_tokens);
        assert!(seen.status >= 400 && seen.message.starts_with(expected), "{name}: {}", seen.message);
    }
    let seen = stream(&mut world("vpce-policy"), "dev", OPUS, 1);
    assert!(seen.message.contains("because no VPC endpoint policy allows"), "{}", seen.message);
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
    assert!(scenarios().filter(|head| head.verdict == "ok").all(|head| head.cause.is_none()));
}
