//! boto3 invokes, streams and converses, reads every answer to its end, and gets the right error codes in the faulty worlds.

use super::{aws_tool, python};
use crate::harness::{for_each_at_once, root};

/// Runs the probe of `boto3_probe.py` on a machine; returns what it printed.
fn probe(scenario: &str, model: &str) -> Option<serde_json::Value> {
    let python = python()?;
    let script = root().join("tests/it/strangers/boto3_probe.py");
    let ran = aws_tool(scenario, &[python.to_str().unwrap(), script.to_str().unwrap(), model]);
    Some(serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{scenario}: {error}: {ran:?}")))
}

const OPUS: &str = "us.anthropic.claude-opus-5-5";

#[test]
fn every_answer_is_read_to_its_end() {
    let Some(seen) = probe("healthy", OPUS) else { return };
    for operation in ["invoke_model", "invoke_model_with_response_stream", "converse", "converse_stream"] {
        assert_eq!(seen[operation]["outcome"], "ok", "{operation}: {seen}");
        assert!(seen[operation]["stop_reason"].is_string(), "{operation}: {seen}");
    }
}

#[test]
fn the_error_codes_are_awss_own() {
    if python().is_none() {
        return;
    }
    let denied = "AccessDeniedException";
    let cases = [
        ("identity-policy-missing", OPUS, denied),
        ("destination-region-missing", OPUS, denied),
        ("scp-denies-region", OPUS, denied),
        ("scp-denies-global", "global.anthropic.claude-opus-5-5", denied),
        ("permissions-boundary", OPUS, denied),
        ("session-policy", OPUS, denied),
        ("vpce-policy", OPUS, denied),
        ("rcp-deny", OPUS, "AccessDenied"),
        ("no-streaming-action", OPUS, denied),
        ("marketplace-permissions", OPUS, denied),
        ("payment-invalid", OPUS, denied),
        ("use-case-form-missing", OPUS, "ResourceNotFoundException"),
        ("model-eol", "us.anthropic.claude-3-7-sonnet-20250219-v1:0", "ResourceNotFoundException"),
        ("on-demand-bare-id", "anthropic.claude-opus-5-5", "ValidationException"),
        ("healthy", "us.anthropic.claude-nonsense", "ValidationException"),
        ("zero-quota", OPUS, "ThrottlingException"),
        ("expired-token", OPUS, "ExpiredTokenException"),
        ("invalid-access-key", OPUS, "UnrecognizedClientException"),
    ];
    for_each_at_once(&cases, |(scenario, model, code)| {
        let seen = probe(scenario, model).expect("it was there a moment ago");
        // The streaming operation is the one that every client of the stories uses.
        let outcome = &seen["invoke_model_with_response_stream"]["outcome"];
        if outcome == *code { Ok(()) } else { Err(format!("{scenario}: {code}, got {seen}")) }
    });
}
