//! The AWS CLI runs the commands of the guide of 2025, and gets AWS's own error codes where something is wrong.

use super::{aws, aws_tool};
use crate::harness::for_each_at_once;

fn run(scenario: &str, arguments: &[&str]) -> Option<crate::harness::Ran> {
    let aws = aws()?;
    let mut command = vec![aws.to_str().unwrap()];
    command.extend(arguments);
    Some(aws_tool(scenario, &command))
}

#[test]
fn the_commands_of_the_guide_work() {
    for scenario in ["healthy", "guide-of-2025"] {
        let Some(identity) = run(scenario, &["sts", "get-caller-identity"]) else { return };
        let account = identity.json()["Account"].as_str().unwrap().to_owned();
        assert!(account.starts_with("00000000"), "{identity:?}");
        let models = run(scenario, &["bedrock", "list-foundation-models", "--region", "us-east-1"]).unwrap();
        let listed = models.json()["modelSummaries"].as_array().unwrap().len();
        assert!(listed > 10, "{listed} models");
        // The model of the guide is no longer among them, which is what a reader of the guide finds.
        let query = "modelSummaries[?modelId=='anthropic.claude-3-7-sonnet-20250219-v1:0']";
        let gone =
            run(scenario, &["bedrock", "list-foundation-models", "--query", query, "--region", "us-east-1"]).unwrap();
        assert_eq!(gone.json().as_array().unwrap().len(), 0);
    }
    let lookup =
        ["cloudtrail", "lookup-events", "--lookup-attributes", "AttributeKey=EventName,AttributeValue=InvokeModel"];
    assert!(run("healthy", &lookup).unwrap().json()["Events"].is_array());
}

#[test]
fn it_sees_what_the_doctor_sees() {
    let Some(profiles) = run("healthy", &["bedrock", "list-inference-profiles", "--type-equals", "SYSTEM_DEFINED"])
    else {
        return;
    };
    let ids: Vec<String> = profiles.json()["inferenceProfileSummaries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|profile| profile["inferenceProfileId"].as_str().unwrap().to_owned())
        .collect();
    assert!(ids.iter().any(|id| id == "us.anthropic.claude-opus-5-5"), "{ids:?}");
    let quotas =
        run("zero-quota", &["service-quotas", "list-service-quotas", "--service-code", "bedrock"]).unwrap().json();
    let zero = quotas["Quotas"].as_array().unwrap().iter().filter(|quota| quota["Value"] == 0.0).count();
    assert!(zero > 0, "a quota of zero is there to be read");
    let form = run("use-case-form-missing", &["bedrock", "get-use-case-for-model-access"]).unwrap();
    assert!(form.stderr.contains("ResourceNotFoundException"), "{form:?}");
}

#[test]
fn it_gets_the_right_error_codes() {
    if aws().is_none() {
        return;
    }
    let identity: &[&str] = &["sts", "get-caller-identity"];
    let models: &[&str] = &["bedrock", "list-foundation-models"];
    let profiles: &[&str] = &["bedrock", "list-inference-profiles"];
    let cases = [
        ("expired-token", identity, "ExpiredToken"),
        ("expired-token", models, "ExpiredTokenException"),
        ("invalid-access-key", identity, "InvalidClientTokenId"),
        ("invalid-access-key", models, "UnrecognizedClientException"),
        ("clock-skew", models, "InvalidSignatureException"),
        ("guide-of-2025", profiles, "AccessDeniedException"),
    ];
    for_each_at_once(&cases, |(scenario, command, code)| {
        // The CLI corrects a wrong clock for its second try; the first refusal is what is looked for.
        let mut words = vec!["--debug"];
        words.extend(*command);
        let ran = run(scenario, &words).expect("it was there a moment ago");
        if ran.stderr.contains(code) {
            Ok(())
        } else {
            Err(format!("{scenario} {command:?}: {code}: {}", ran.code.unwrap_or(-1)))
        }
    });
}
