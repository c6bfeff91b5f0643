//! Truth: in every scenario the first root cause is the true one, and no healthy world has a warning or a failure.

use std::collections::BTreeSet;

use bedside::simulate::{ScenarioHead, scenarios};

use crate::harness::{World, for_each_at_once};

fn heads() -> Vec<&'static ScenarioHead> {
    scenarios().collect()
}

#[test]
fn every_scenario_gets_its_true_verdict() {
    for_each_at_once(&heads(), |head| {
        let ran = World::new().doctor(&["--simulate", &head.name]);
        let json = ran.json();
        let (verdict, causes) = ran.verdict();
        let complain = |what: String| Err(format!("{}: {what}; got {verdict} {causes:?}", head.name));
        if verdict != head.verdict {
            return complain(format!("the verdict is {}", head.verdict));
        }
        if causes.first() != head.cause.as_ref() {
            return complain(format!("the first cause is {:?}", head.cause));
        }
        if let Some(missing) = head.also.iter().find(|also| !causes.contains(also)) {
            return complain(format!("{missing} is missing"));
        }
        // What is not true must not be said either.
        let told: BTreeSet<&String> = head.cause.iter().chain(&head.also).collect();
        if let Some(invented) = causes.iter().find(|cause| !told.contains(cause)) {
            return complain(format!("{invented} is invented"));
        }
        let code = match verdict.as_str() {
            "ok" | "warn" => 0,
            "fail" => 1,
            _ => 3,
        };
        if ran.code != Some(code) {
            return complain(format!("the exit code is {code}, not {:?}", ran.code));
        }
        if json["simulated"] != true || json["client"] != head.client.as_str() {
            return complain("it does not say that it is simulated, or through whose eyes".into());
        }
        if ran.stderr.contains("panicked") {
            return complain(ran.stderr.clone());
        }
        let crashed = json["checks"].as_array().unwrap().iter().find(|check| check["status"] == "crashed");
        match crashed {
            Some(check) => complain(format!("{check} crashed")),
            None => Ok(()),
        }
    });
}

#[test]
fn every_check_decides_somewhere() {
    // Nets below the other checks: what they catch, another check tells earlier in every world that the simulator can show.
    let nets = ["client-waits-long-enough", "main-model-answers"];
    let decided = std::sync::Mutex::new(BTreeSet::new());
    for_each_at_once(&heads(), |head| {
        let json = World::new().doctor(&["--simulate", &head.name]).json();
        for check in json["checks"].as_array().unwrap() {
            if matches!(check["status"].as_str(), Some("warn" | "fail")) {
                decided.lock().unwrap().insert(check["id"].as_str().unwrap().to_owned());
            }
        }
        Ok(())
    });
    let decided = decided.into_inner().unwrap();
    let silent: Vec<&str> = include_str!("checks.txt").lines().filter(|id| !decided.contains(*id)).collect();
    assert_eq!(silent, nets);
}

#[test]
fn there_are_scenarios_of_every_kind() {
    let heads = heads();
    let healthy = heads.iter().filter(|head| head.verdict == "ok").count();
    let two_faults = heads.iter().filter(|head| head.cause.is_some() && !head.also.is_empty()).count();
    assert!(healthy >= 10, "{healthy} healthy");
    assert!(two_faults >= 8, "{two_faults} with two faults");
    assert!(heads.iter().any(|head| head.verdict == "unknown"));
}

#[test]
fn the_reader_of_the_guide_comes_first() {
    let ran = World::new().run(&["simulate", "--list", "--format", "json"]);
    assert_eq!(ran.json()[0]["name"], "guide-of-2025");
}

#[test]
fn remedies_stand_on_their_own() {
    // A remedy names the file, variable, Region, ARN, model or profile that it is about: no gap is left in it.
    for_each_at_once(&heads(), |head| {
        let json = World::new().doctor(&["--simulate", &head.name]).json();
        for cause in json["root_causes"].as_array().unwrap() {
            let slug = cause["cause"].as_str().unwrap();
            let remedies = cause["remedies"].as_array().unwrap();
            if remedies.is_empty() {
                return Err(format!("{}: {slug} has no remedy", head.name));
            }
            let mut words = vec![cause["summary"].as_str().unwrap().to_owned()];
            for remedy in remedies {
                words.push(remedy["text"].as_str().unwrap().to_owned());
                words
                    .extend(remedy["command"].as_array().unwrap().iter().map(|part| part.as_str().unwrap().to_owned()));
            }
            if let Some(gap) = words.iter().find(|word| word.contains("(unknown)") || word.contains("{subject")) {
                return Err(format!("{}: {slug}: {gap}", head.name));
            }
        }
        Ok(())
    });
}
