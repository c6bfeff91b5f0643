//! Faults of the network and of the services, each on an otherwise healthy world: the doctor ends in time, says what it could not
//! see, and never takes one thing for another.

use crate::harness::{Ran, World};

fn with(faults: &[&str], more: &[&str]) -> Ran {
    let mut arguments = vec!["--simulate", "healthy", "--timeout", "4s"];
    for fault in faults {
        arguments.extend(["--fault", fault]);
    }
    arguments.extend(more);
    let ran = World::new().doctor(&arguments);
    assert!(!ran.stderr.contains("panicked"), "{}", ran.stderr);
    ran
}

#[test]
fn what_the_client_does_not_need_may_fail_as_it_likes() {
    for fault in [
        "cloudtrail=hang",
        "servicequotas=reset",
        "sts=garbage",
        "bedrock:ListFoundationModels=html",
        "bedrock:Get*=status-500",
        "cloudtrail=big-error",
        "servicequotas=empty",
    ] {
        let ran = with(&[fault], &[]);
        let json = ran.json();
        assert_eq!((json["verdict"].as_str(), ran.code), (Some("ok"), Some(0)), "{fault}: {:?}", ran.verdict());
        assert_eq!(json["root_causes"].as_array().unwrap().len(), 0, "{fault}");
    }
}

#[test]
fn empty_lists_are_nobodys_fault() {
    let (verdict, causes) = with(&["*=empty-lists"], &[]).verdict();
    assert_eq!((verdict.as_str(), causes.len()), ("ok", 0), "{causes:?}");
    // Without a model of one's own there is then none to try.
    let ran = World::new().doctor(&["--simulate", "healthy-aws-sdk", "--fault", "*=empty-lists"]);
    let json = ran.json();
    assert_eq!((json["verdict"].as_str(), ran.code), (Some("unknown"), Some(3)));
    assert!(json.to_string().contains("name one with --model"));
}

#[test]
fn a_runtime_that_never_answers_is_unknown() {
    let ran = with(&["bedrock-runtime=hang"], &[]);
    let (verdict, causes) = ran.verdict();
    assert_eq!((verdict.as_str(), ran.code, causes.len()), ("unknown", Some(3), 0));
    let json = ran.json();
    let said = json["checks"].as_array().unwrap().iter().find(|check| check["id"] == "model-id-is-invocable").unwrap();
    assert!(said["measured"].as_str().unwrap().contains("within 4 s"), "{said}");
}

#[test]
fn a_fault_of_the_network_is_never_one_of_credentials() {
    for (fault, cause) in [
        ("bedrock-runtime=reset", "endpoint-url-wrong|network-unreachable"),
        ("bedrock-runtime=html", "endpoint-url-wrong"),
        ("bedrock-runtime=garbage", "endpoint-url-wrong"),
        ("bedrock-runtime=empty", "endpoint-url-wrong"),
        ("bedrock-runtime=wrong-content-type", "endpoint-url-wrong"),
        ("bedrock-runtime=status-502", "service-unavailable|endpoint-url-wrong"),
        ("bedrock-runtime=big-error", "service-unavailable"),
    ] {
        let (verdict, causes) = with(&[fault], &[]).verdict();
        assert_eq!(verdict, "fail", "{fault}");
        assert!(cause.split('|').any(|it| it == causes[0]), "{fault}: {causes:?}");
    }
}

#[cfg(unix)]
#[test]
fn ctrl_c_leaves_a_report_of_what_was_known_by_then() {
    use std::{
        process::{Command, Stdio},
        time::Duration,
    };
    let arguments = ["doctor", "--simulate", "healthy", "--fault", "bedrock-runtime=hang", "--format", "json"];
    let child = World::new().command(&arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    std::thread::sleep(Duration::from_secs(3));
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(3), "{}", String::from_utf8_lossy(&output.stderr));
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(json["verdict"], "unknown");
    assert!(json["target"]["account"].as_str().unwrap().starts_with("00000000"), "STS had answered by then");
}

#[test]
fn a_stream_that_breaks_is_no_answer() {
    // Claude Code repairs a broken stream by a plain call; with that gone as well there is no answer.
    let (verdict, _) = with(&["bedrock-runtime:InvokeModelWithResponseStream=truncate-stream"], &[]).verdict();
    assert_eq!(verdict, "ok");
    let (verdict, causes) = with(
        &["bedrock-runtime:InvokeModelWithResponseStream=truncate-stream", "bedrock-runtime:InvokeModel=status-503"],
        &[],
    )
    .verdict();
    assert_eq!(verdict, "fail", "{causes:?}");
    // Where the service itself answers one of the two, its answer counts, not the way on which the other was lost.
    let (verdict, causes) = with(
        &["bedrock-runtime:InvokeModelWithResponseStream=truncate-stream", "bedrock-runtime:InvokeModel=throttle"],
        &[],
    )
    .verdict();
    assert!(verdict == "fail" && causes[0].starts_with("throttle-"), "{causes:?}");
}

#[test]
fn a_throttle_that_passes_is_no_finding() {
    let (verdict, causes) = with(&["bedrock-runtime=throttle:1"], &[]).verdict();
    assert_eq!((verdict.as_str(), causes.len()), ("ok", 0));
    let (verdict, causes) = with(&["bedrock-runtime=throttle"], &[]).verdict();
    assert_eq!(verdict, "fail");
    assert!(causes[0].starts_with("throttle-") || causes[0] == "service-unavailable", "{causes:?}");
}

#[test]
fn a_refused_list_is_no_refused_invocation() {
    let ran = World::new().doctor(&["--simulate", "healthy-invoke-only-role"]);
    let json = ran.json();
    assert_eq!(json["verdict"], "ok");
    let listed = json["checks"].as_array().unwrap().iter().find(|check| check["id"] == "model-is-not-ending").unwrap();
    assert_eq!(listed["status"], "unknown");
    assert!(listed["measured"].as_str().unwrap().contains("bedrock:ListFoundationModels"), "{listed}");
}

#[test]
fn without_invoking_nothing_is_claimed() {
    let ran = with(&[], &["--no-invoke"]);
    let json = ran.json();
    assert_eq!((json["verdict"].as_str(), ran.code), (Some("unknown"), Some(3)));
    assert!(json["calls"].as_array().unwrap().iter().all(|call| call["service"] != "bedrock-runtime"));
    assert_eq!(json["cost"]["output_tokens"], 0);
}

#[test]
fn offline_nothing_is_called() {
    let ran = World::new().doctor(&["--offline", "--client", "aws-sdk"]);
    assert_eq!(ran.json()["calls"].as_array().unwrap().len(), 0);
}

#[test]
fn the_chat_of_bedside_is_looked_at_by_its_own_operations() {
    let json = World::new().doctor(&["--simulate", "healthy-aws-sdk", "--client", "bedside"]).json();
    assert_eq!((json["verdict"].as_str(), json["client"].as_str()), (Some("ok"), Some("bedside")));
    let called = |operation: &str| json["calls"].as_array().unwrap().iter().any(|call| call["operation"] == operation);
    assert!(called("ConverseStream") && called("Converse") && !called("InvokeModel"), "{}", json["calls"]);
}

#[test]
fn a_selection_calls_only_what_it_needs() {
    let ran = World::new().doctor(&["--simulate", "healthy", "--only", "no-recent-throttling"]);
    let json = ran.json();
    let services: Vec<_> =
        json["calls"].as_array().unwrap().iter().map(|call| call["service"].as_str().unwrap().to_owned()).collect();
    assert!(services.iter().all(|service| matches!(service.as_str(), "sts" | "cloudtrail")), "{services:?}");
    assert_eq!(json["checks"].as_array().unwrap().len(), 1);
}

#[test]
fn the_footprint_stays_below_what_alarms_security_teams() {
    // The names that a public rule counts to find key thieves: more than 40 % of 14 by one identity within a day alarms.
    let watched = [
        "PutUseCaseForModelAccess",
        "PutFoundationModelEntitlement",
        "PutModelInvocationLoggingConfiguration",
        "CreateFoundationModelAgreement",
        "InvokeModel",
        "InvokeModelWithResponseStream",
        "GetUseCaseForModelAccess",
        "GetModelInvocationLoggingConfiguration",
        "GetFoundationModelAvailability",
        "ListFoundationModelAgreementOffers",
        "ListFoundationModels",
        "ListProvisionedModelThroughputs",
        "SearchAgreements",
        "AcceptAgreementRequest",
    ];
    let json = World::new().doctor(&["--simulate", "healthy-unpinned"]).json();
    let mut called: Vec<_> = json["calls"]
        .as_array()
        .unwrap()
        .iter()
        .map(|call| call["operation"].as_str().unwrap())
        .filter(|name| watched.contains(name))
        .collect();
    called.sort_unstable();
    called.dedup();
    assert!(called.len() <= 5, "{called:?}");
}

#[test]
fn an_answered_stream_stays_an_answer_when_the_plain_call_hangs() {
    let ran = with(&["bedrock-runtime:InvokeModel=hang"], &[]);
    let (verdict, causes) = ran.verdict();
    assert_eq!((verdict.as_str(), ran.code, causes.len()), ("ok", Some(0), 0));
}

#[test]
fn quotas_that_were_found_stay_when_others_do_not_come() {
    let world = World::new();
    let file = world.home().join("record.json");
    let fault = "servicequotas:ListServiceQuotas=hang";
    let record = file.to_str().unwrap();
    world.doctor(&["--simulate", "healthy", "--timeout", "3s", "--fault", fault, "--record", record]);
    let evidence: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    let known = evidence["quotas"]["known"].as_array().unwrap();
    assert!(!known.is_empty() && known.iter().all(|quota| quota["role"] == "background"), "{known:?}");
}

#[test]
fn a_slow_helper_is_no_fault_of_the_network() {
    // A host that can be reached, so that only the helper is in the way.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let world = World::new()
        .env("AWS_REGION", "us-east-1")
        .env("AWS_ENDPOINT_URL", &format!("http://{}", listener.local_addr().unwrap()))
        .file(".aws/config", "[default]\ncredential_process = sleep 30\n");
    let ran = world.doctor(&["--client", "aws-sdk", "--timeout", "1s", "--model", "us.anthropic.claude-opus-5-5"]);
    let (verdict, causes) = ran.verdict();
    assert_eq!((verdict.as_str(), ran.code, causes.len()), ("unknown", Some(3), 0), "{causes:?}");
    assert!(ran.stdout.contains("the credential chain gave no answer within 1 s"), "{}", ran.stdout);
}

#[test]
fn an_api_key_speaks_for_itself_alone() {
    let world = World::new()
        .env("CLAUDE_CODE_USE_BEDROCK", "1")
        .env("AWS_REGION", "us-east-1")
        .env("AWS_BEARER_TOKEN_BEDROCK", "ABSKc29tZWJvZHk=")
        .env("ANTHROPIC_BEDROCK_BASE_URL", "http://127.0.0.1:9")
        .env("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
        .file(".aws/credentials", "[default]\naws_access_key_id = AKIAAAAAAAAAAAAAAAAA\naws_secret_access_key = x\n")
        .file(".claude/settings.json", r#"{ "awsCredentialExport": "false" }"#);
    let json = world.doctor(&["--client", "claude-code", "--timeout", "4s"]).json();
    let services: Vec<_> = json["calls"].as_array().unwrap().iter().map(|call| call["service"].to_string()).collect();
    assert!(services.iter().any(|it| it.contains("bedrock-runtime")), "the key is tried: {services:?}");
    assert!(services.iter().all(|it| it.contains("bedrock")), "nobody else's credentials are: {services:?}");
}

/// Calls to AWS that follow one another: the most that do not overlap. A machine's own metadata service is no way away.
fn chain_of(evidence: &serde_json::Value) -> usize {
    let mut calls: Vec<(u64, u64)> = evidence["calls"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|call| call["service"] != "instance-metadata")
        .map(|call| (call["started_ms"].as_u64().unwrap(), call["ms"].as_u64().unwrap()))
        .collect();
    calls.sort_by_key(|(began, ms)| began + ms);
    let mut ended = 0;
    calls
        .iter()
        .filter(|(began, ms)| {
            *began >= ended && {
                ended = began + ms;
                true
            }
        })
        .count()
}

#[test]
fn no_call_waits_without_need() {
    for (scenario, longest) in [
        ("healthy", 2),
        ("healthy-unpinned", 3),
        ("healthy-sso", 3),
        ("healthy-two-hop-role", 4),
        ("healthy-web-identity", 3),
        ("healthy-imds-role", 2),
        ("healthy-aws-sdk", 3),
    ] {
        let world = World::new();
        let file = world.home().join("record.json");
        let ran =
            world.doctor(&["--simulate", scenario, "--fault", "latency=500ms", "--record", file.to_str().unwrap()]);
        assert_eq!(ran.code, Some(0), "{scenario}");
        let evidence = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
        assert_eq!(chain_of(&evidence), longest, "{scenario}");
    }
}

#[test]
fn calls_for_credentials_are_recorded_with_the_others() {
    for (scenario, expected) in [
        ("healthy-sso", &["sso GetRoleCredentials ok"][..]),
        ("healthy-two-hop-role", &["sts AssumeRole ok", "sts AssumeRole ok"]),
        ("healthy-web-identity", &["sts AssumeRoleWithWebIdentity ok"]),
        (
            "healthy-imds-role",
            &[
                "instance-metadata GetToken ok",
                "instance-metadata GetRoleName ok",
                "instance-metadata GetRoleCredentials ok",
            ],
        ),
        ("role-trusts-somebody-else", &["sts AssumeRole AccessDenied"]),
        ("healthy", &[]),
    ] {
        let report = World::new().doctor(&["--simulate", scenario]).json();
        let own = ["GetCallerIdentity"];
        let calls: Vec<String> = report["calls"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|call| ["sso", "sts", "instance-metadata"].contains(&call["service"].as_str().unwrap()))
            .filter(|call| !own.contains(&call["operation"].as_str().unwrap()))
            .map(|call| format!("{} {} {}", call["service"], call["operation"], call["outcome"]).replace('"', ""))
            .collect();
        assert_eq!(calls, expected, "{scenario}");
    }
}

#[cfg(unix)]
#[test]
fn a_slow_aws_cli_keeps_nobody_waiting() {
    use std::os::unix::fs::PermissionsExt;
    let world = World::new().file("bin/aws", "#!/bin/sh\nsleep 20\n");
    let program = world.home().join("bin/aws");
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:/usr/bin:/bin", program.parent().unwrap().display());
    let world = world.env("PATH", &path);
    for scenario in ["healthy", "healthy-aws-sdk"] {
        let began = std::time::Instant::now();
        let ran = world.doctor(&["--simulate", scenario]);
        assert_eq!(ran.code, Some(0), "{scenario}");
        assert!(began.elapsed() < std::time::Duration::from_secs(5), "{scenario}: {:?}", began.elapsed());
    }
}

#[test]
fn services_learn_who_asks() {
    use std::io::{BufRead as _, BufReader, Write as _};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let (heard, agents) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let mut reader = BufReader::new(&stream);
            let mut line = String::new();
            while reader.read_line(&mut line).is_ok_and(|read| read > 2) {
                if line.to_lowercase().starts_with("user-agent:") {
                    heard.send(line.clone()).ok();
                }
                line.clear();
            }
            (&stream).write_all(b"HTTP/1.1 500 no\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").ok();
        }
    });
    World::new()
        .env("AWS_ENDPOINT_URL", &address)
        .env("AWS_REGION", "us-east-1")
        .env("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
        .env("AWS_SECRET_ACCESS_KEY", "nobodys")
        .doctor(&["--client", "aws-sdk", "--timeout", "4s"]);
    let agents: Vec<String> = agents.try_iter().collect();
    assert!(agents.len() >= 3, "{agents:?}");
    let name = concat!("app/bedside-", env!("CARGO_PKG_VERSION"));
    assert!(agents.iter().all(|agent| agent.contains(name)), "{agents:?}");
}
