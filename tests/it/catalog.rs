//! The guards of checks, causes and signatures: what they speak of exists, their examples hold, and each is reached by a scenario.

use std::{
    collections::{BTreeMap, BTreeSet},
    panic::{AssertUnwindSafe, catch_unwind},
};

use bedside::{
    engine::{Facts, States, judge_check, vocabulary},
    knowledge::{CauseOf, Knowledge, PackSource, Status, guard},
    simulate::scenarios,
};

use crate::harness::{World, root};

fn embedded() -> Knowledge {
    Knowledge::embedded().unwrap()
}

#[test]
fn paths_exist_and_are_declared() {
    let complaints = guard(&embedded(), &vocabulary());
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

#[test]
fn the_guard_would_notice() {
    let pack = |text: &str| {
        let files = vec![("models/made-up.toml".to_owned(), text.to_owned())];
        let knowledge = Knowledge::with_packs(&[PackSource { name: "pack".into(), files }]).unwrap();
        guard(&knowledge, &vocabulary()).join("\n")
    };
    let check = |needs: &str, when: &str| {
        format!(
            "id = \"made-up\"\ntitle = \"T\"\ngroup = \"models\"\nneeds = [{needs}]\n[[case]]\nwhen = \"{when}\"\nstatus = \"fail\"\ncause = \"model-eol\"\n[docs]\nwhat = \"w\"\nwhy = \"y\"\n"
        )
    };
    assert!(pack(&check("\"region.nmae\"", "true")).contains("`region.nmae` does not exist"));
    assert!(
        pack(&check("\"region.name\"", "identity.account == ''"))
            .contains("`identity.account` is used and not declared")
    );
    assert!(pack(&check("\"region.name\"", "region.name == ''")).contains("case 0"));
}

#[test]
fn examples_hold() {
    let knowledge = embedded();
    let mut complaints = Vec::new();
    for check in &knowledge.checks {
        for example in &check.examples {
            let tree = serde_json::to_value(&example.evidence).unwrap();
            let states = States::all_but(&knowledge, &example.without);
            let finding = judge_check(check, &Facts::from_tree(tree), &states);
            let expected = &example.expect;
            let fits = finding.status == expected.status
                && expected.cause.as_ref().is_none_or(|cause| finding.cause.as_ref() == Some(cause))
                && expected.case.is_none_or(|case| finding.case == Some(case));
            if !fits {
                complaints.push(format!(
                    "{}: {}: {:?} {:?} case {:?} ({:?})",
                    check.id, example.name, finding.status, finding.cause, finding.case, finding.measured
                ));
            }
        }
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

#[test]
fn the_taxonomy_is_whole() {
    // One slug a line; it changes only together with the contract.
    let expected = include_str!("taxonomy.txt").lines().collect::<Vec<_>>();
    let causes = embedded().causes;
    let found: Vec<&str> = causes.keys().map(String::as_str).collect();
    assert_eq!(found, expected);
    for cause in causes.values() {
        assert!(!cause.remedies.is_empty(), "{}", cause.slug);
        assert!(!cause.title.ends_with('.') && cause.summary.source().ends_with(['.', '}', ')']), "{}", cause.slug);
    }
}

#[test]
fn every_set_up_cause_has_a_scenario() {
    let told: BTreeSet<&str> = scenarios().filter_map(|head| head.cause.as_deref()).collect();
    let missing: Vec<String> = embedded()
        .causes
        .values()
        .filter(|cause| cause.set_up && !told.contains(cause.slug.as_str()))
        .map(|cause| cause.slug.clone())
        .collect();
    assert!(missing.is_empty(), "no scenario has the cause {}", missing.join(", "));
}

#[test]
fn a_check_that_breaks_is_its_own_verdict() {
    let knowledge = embedded();
    let check = knowledge.check("model-id-is-invocable").unwrap();
    // A cause that the diagnosis names and that is not there breaks this check alone.
    let tree = serde_json::json!({ "derived": { "invoke": { "main": { "id": { "known": { "cause": 5 } } } } } });
    let finding = catch_unwind(AssertUnwindSafe(|| {
        judge_check(check, &Facts::from_tree(tree), &States::all_but(&knowledge, &[]))
    }))
    .unwrap();
    assert_eq!(finding.status, Status::Crashed);
    assert!(finding.measured.is_some());
}

#[test]
fn a_crashed_check_leaves_the_others_alone() {
    let world = World::new().file(
        "pack/models/always-breaks.toml",
        r#"
id = "always-breaks"
title = "This check breaks"
group = "models"
needs = ["region.name"]
[[case]]
when = "region.name < 5.0"
status = "fail"
cause = "model-eol"
[docs]
what = "w"
why = "y"
"#,
    );
    let pack = world.home().join("pack");
    let ran = world.doctor(&["--simulate", "healthy", "--checks", pack.to_str().unwrap()]);
    let json = ran.json();
    let checks = json["checks"].as_array().unwrap();
    let status = |id: &str| checks.iter().find(|check| check["id"] == id).unwrap()["status"].clone();
    assert_eq!(status("always-breaks"), "crashed");
    assert_eq!(status("main-model-answers"), "pass");
    // The client's own call passed, so the verdict is not drawn into it.
    assert_eq!((json["verdict"].as_str(), ran.code), (Some("ok"), Some(0)));
    let alone = world.doctor(&[
        "--simulate",
        "healthy",
        "--no-invoke",
        "--only",
        "always-breaks",
        "--checks",
        pack.to_str().unwrap(),
    ]);
    assert_eq!((alone.verdict().0.as_str(), alone.code), ("unknown", Some(3)));
}

#[test]
fn a_check_of_the_users_own_is_judged() {
    let world = World::new().file(
        "pack/identity/account-is-ours.toml",
        r#"
id = "account-is-ours"
title = "The account is one of ours"
group = "identity"
needs = ["identity.account"]
[[case]]
when = "!(identity.account in ['111122223333'])"
status = "warn"
cause = "credential-source-conflict"
measured = "{identity.account}"
expected = "111122223333"
[docs]
what = "w"
why = "y"
"#,
    );
    let pack = world.home().join("pack");
    let ran = world.doctor(&["--simulate", "healthy", "--checks", pack.to_str().unwrap()]);
    let (verdict, causes) = ran.verdict();
    assert_eq!((verdict.as_str(), causes.as_slice()), ("warn", &["credential-source-conflict".to_owned()][..]));
    assert_eq!(ran.code, Some(0));
    assert_eq!(world.doctor(&["--simulate", "healthy", "--strict", "--checks", pack.to_str().unwrap()]).code, Some(1));
}

#[test]
fn ids_are_those_that_are_known() {
    // An id cannot appear, vanish or change unseen.
    let expected: Vec<&str> = include_str!("checks.txt").lines().collect();
    let knowledge = embedded();
    let found: Vec<&str> = knowledge.checks.iter().map(|check| check.id.as_str()).collect();
    assert_eq!(found, expected);
}

#[test]
fn every_file_in_checks_is_read() {
    let mut files = 0;
    let mut folders = vec![root().join("checks")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                assert_eq!(path.extension().unwrap(), "toml", "{}", path.display());
                files += 1;
            }
        }
    }
    let knowledge = embedded();
    let signature_files = std::fs::read_dir(root().join("checks/signatures")).unwrap().count();
    let table_files = std::fs::read_dir(root().join("checks/tables")).unwrap().count();
    assert_eq!(files, knowledge.checks.len() + knowledge.causes.len() + signature_files + table_files);
}

#[test]
fn every_signature_leads_to_a_cause_that_a_check_can_carry() {
    let knowledge = embedded();
    let mut by_cause: BTreeMap<&str, usize> = BTreeMap::new();
    for signature in &knowledge.signatures {
        *by_cause.entry(&signature.cause).or_default() += 1;
        assert!(!signature.source.is_empty(), "{}", signature.id);
    }
    assert!(by_cause.len() > 25);
    let fixed: BTreeSet<&str> = knowledge
        .checks
        .iter()
        .flat_map(|check| &check.cases)
        .filter_map(|case| match &case.cause {
            CauseOf::Slug(slug) => Some(slug.as_str()),
            CauseOf::Path(_) => None,
        })
        .collect();
    assert!(fixed.contains("client-config-invalid"));
}
