//! Records: what was seen, redacted, judges to the same findings offline; a record that is none is refused whole.

use bedside::simulate::{ScenarioHead, scenarios};

use crate::harness::{World, for_each_at_once};

/// What a report says, without what a pseudonym or a clock changes.
fn findings(json: &serde_json::Value) -> serde_json::Value {
    let checks: Vec<_> = json["checks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|check| {
            (check["id"].clone(), check["status"].clone(), check["cause"].clone(), check["blocked_by"].clone())
        })
        .collect();
    let causes: Vec<_> = json["root_causes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|cause| {
            let kinds: Vec<_> =
                cause["remedies"].as_array().unwrap().iter().map(|remedy| remedy["kind"].clone()).collect();
            (cause["cause"].clone(), cause["subcause"].clone(), cause["confidence"].clone(), kinds)
        })
        .collect();
    serde_json::json!([json["verdict"], json["simulated"], checks, causes])
}

#[test]
fn a_record_judges_to_the_same_findings() {
    let heads: Vec<&ScenarioHead> = scenarios().collect();
    for_each_at_once(&heads, |head| {
        let world = World::new();
        let file = world.home().join("case.json");
        let live = world.doctor(&["--simulate", &head.name, "--record", file.to_str().unwrap()]);
        let replayed = world.doctor(&["--replay", file.to_str().unwrap()]);
        if findings(&live.json()) != findings(&replayed.json()) {
            return Err(format!("{}:\n  {}\n  {}", head.name, findings(&live.json()), findings(&replayed.json())));
        }
        if live.code != replayed.code {
            return Err(format!("{}: exit {:?} and {:?}", head.name, live.code, replayed.code));
        }
        Ok(())
    });
}

#[cfg(unix)]
#[test]
fn a_record_is_readable_by_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let world = World::new();
    let file = world.home().join("case.json");
    world.doctor(&["--simulate", "healthy", "--record", file.to_str().unwrap()]);
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_record_that_is_none_is_refused() {
    let world = World::new();
    let file = world.home().join("case.json");
    let path = file.to_str().unwrap();
    world.doctor(&["--simulate", "healthy", "--record", path]);
    let good = std::fs::read_to_string(&file).unwrap();
    let newer = good.replacen("\"schema_version\": 1", "\"schema_version\": 99", 1);
    for (text, said) in [
        (newer.as_str(), "version 99"),
        ("{\n\"schema_version\": 1,\n", ":3:"),
        ("[]", "no schema_version"),
        ("{\"schema_version\": 1}", "no record"),
        ("", "no record"),
    ] {
        std::fs::write(&file, text).unwrap();
        let ran = world.run(&["doctor", "--replay", path]);
        assert_eq!(ran.code, Some(2), "{said}: {ran:?}");
        assert!(ran.stderr.contains(said) && ran.stderr.contains("case.json"), "{said}: {}", ran.stderr);
        assert!(ran.stdout.is_empty());
        // One sentence, and at most one of advice.
        assert!(ran.stderr.lines().count() <= 2, "{}", ran.stderr);
    }
    std::fs::remove_file(&file).unwrap();
    let gone = world.run(&["doctor", "--replay", path]);
    assert!(gone.code == Some(2) && gone.stderr.contains("there is no file"), "{gone:?}");
}

#[test]
fn what_cannot_be_written_is_said_after_the_report() {
    let world = World::new();
    let ran = world.doctor(&["--simulate", "healthy", "--record", "/proc/nowhere/case.json"]);
    assert_eq!(ran.json()["verdict"], "ok", "the report is not lost");
    assert_eq!(ran.code, Some(2));
    assert!(ran.stderr.contains("--record: /proc/nowhere/case.json could not be written"), "{}", ran.stderr);
}
