//! Bad input: one clear sentence each, nothing lost, nothing half-written. In bedside's own arguments, packs and records it ends with
//! exit code 2; in the user's files it is a finding.

use std::process::Stdio;

use crate::harness::{Ran, World};

fn usage(ran: &Ran, said: &str) {
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(ran.stderr.contains(said), "{said}: {}", ran.stderr);
    assert!(ran.stdout.is_empty(), "{ran:?}");
}

#[test]
fn unknown_names_are_answered_with_the_nearest() {
    let world = World::new();
    usage(&world.run(&["doctor", "--simulate", "helthy"]), "did you mean `healthy`?");
    usage(&world.run(&["doctor", "--only", "profile-exist"]), "did you mean `profile-exists`?");
    usage(&world.run(&["doctor", "--skip", "nettwork"]), "did you mean `network`?");
    usage(&world.run(&["checks", "model-eoll"]), "did you mean `model-eol`?");
    usage(&world.run(&["simulate", "nowhere-at-all"]), "there is no scenario");
    usage(&world.run(&["doctor", "--simulate", "healthy", "--fault", "bogus"]), "--fault bogus");
    usage(&world.run(&["doctor", "--timeout", "soon"]), "no span of time");
    usage(&world.run(&["doctor", "--since", "91d"]), "90 days");
    usage(&world.run(&["doctor", "--checks", "/nowhere"]), "there is no folder /nowhere");
    usage(&world.run(&["doctor", "--no-such-option"]), "--no-such-option");
}

#[test]
fn a_malformed_pack_says_file_line_and_reason() {
    for (text, said) in [
        ("id = \"a-b\"\ntitle = \n", "pack/models/a-b.toml:2"),
        (
            "id = \"a-b\"\ntitle = \"t\"\ngroup = \"models\"\n[[case]]\nwhen = \"x ==\"\nstatus = \"fail\"\ncause = \"model-eol\"\n[docs]\nwhat=\"\"\nwhy=\"\"\n",
            "a-b.toml:5",
        ),
        (
            "id = \"a-b\"\ntitle = \"t\"\ngroup = \"models\"\n[[case]]\nwhen = \"true\"\nstatus = \"unknown\"\ncause = \"model-eol\"\n[docs]\nwhat=\"\"\nwhy=\"\"\n",
            "for the engine to say",
        ),
        (
            "id = \"a-b\"\ntitle = \"t\"\ngroup = \"models\"\n[[case]]\nwhen = \"[1].all(x, [2].all(y, x == y))\"\nstatus = \"fail\"\ncause = \"model-eol\"\n[docs]\nwhat=\"\"\nwhy=\"\"\n",
            "nests one macro",
        ),
        ("\u{0}", "a-b.toml:1"),
        (
            "id = \"a-b\"\ntitle = \"t\"\ngroup = \"models\"\nneeds = [\"region.nmae\"]\n[[case]]\nwhen = \"true\"\nstatus = \"fail\"\ncause = \"model-eol\"\n[docs]\nwhat=\"w\"\nwhy=\"y\"\n",
            "a-b.toml: the path `region.nmae` does not exist",
        ),
        (
            "id = \"a-b\"\ntitle = \"t\"\ngroup = \"models\"\n[[case]]\nwhen = \"identity.account == ''\"\nstatus = \"fail\"\ncause = \"model-eol\"\n[docs]\nwhat=\"w\"\nwhy=\"y\"\n",
            "a-b.toml: `identity.account` is used and not declared",
        ),
    ] {
        let world = World::new().file("pack/models/a-b.toml", text);
        let pack = world.home().join("pack");
        usage(&world.run(&["doctor", "--simulate", "healthy", "--checks", pack.to_str().unwrap()]), said);
    }
}

#[test]
fn a_pack_file_that_nothing_would_read_is_refused() {
    let world = World::new().file("pack/a-b.toml", "");
    let pack = world.home().join("pack");
    let said = "lies outside of a group's folder";
    usage(&world.run(&["doctor", "--offline", "--checks", pack.to_str().unwrap()]), said);
}

#[cfg(unix)]
#[test]
fn a_file_that_may_not_be_read_is_a_finding() {
    use std::os::unix::fs::PermissionsExt;
    let world = World::new().env("CLAUDE_CODE_USE_BEDROCK", "1").file(".aws/config", "[default]\nregion = us-east-1\n");
    std::fs::set_permissions(world.home().join(".aws/config"), std::fs::Permissions::from_mode(0o000)).unwrap();
    std::fs::set_permissions(world.folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    let arguments = ["doctor", "--offline", "--client", "claude-code", "--format", "json"];
    let mut command = world.command(&arguments);
    if std::fs::read(world.home().join(".aws/config")).is_ok() {
        // The superuser reads everything; somebody else looks, at a copy of the program that everybody may run.
        let copy = world.folder.path().join("bedside");
        std::fs::copy(crate::harness::program(), &copy).unwrap();
        let plain = world.command(&arguments);
        command = std::process::Command::new("setpriv");
        command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(copy).args(arguments);
        command.env_clear().envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?))));
        command.current_dir("/");
    }
    let output = command.output().unwrap();
    let json: serde_json::Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
    let found =
        json["checks"].as_array().unwrap().iter().find(|it| it["id"] == "client-settings-are-readable").unwrap();
    assert_eq!((found["status"].as_str(), output.status.code()), (Some("fail"), Some(1)), "{found}");
    assert!(found["measured"].as_str().unwrap().contains("ermission"), "{found}");
}

#[test]
fn a_simulation_neither_reads_nor_writes_the_real_home() {
    let world = World::new()
        .file(".aws/config", "[default]\nregion = moon-east-1\n")
        .file(".aws/credentials", "nonsense")
        .file(".claude/settings.json", "{ broken")
        .file(".bashrc", "export AWS_REGION=moon-east-1\n")
        .env("AWS_PROFILE", "nobody");
    let listing = || {
        let output = std::process::Command::new("find").arg(world.home()).args(["-printf", "%p %s %T@\n"]).output();
        output.unwrap().stdout
    };
    let before = listing();
    let (verdict, causes) = world.doctor(&["--simulate", "healthy"]).verdict();
    assert_eq!((verdict.as_str(), causes.len()), ("ok", 0), "{causes:?}");
    assert_eq!(before, listing());
}

#[test]
fn the_users_own_pack_folder_is_read_and_a_projects_is_not() {
    let world = World::new().file(".config/bedside/checks/models/a-b.toml", "nonsense");
    usage(&world.run(&["doctor", "--offline"]), "a-b.toml:1");
    // A simulated machine has a home of its own.
    assert_eq!(world.doctor(&["--simulate", "healthy"]).code, Some(0));
    let world = World::new().file("project/.bedside/checks/models/a-b.toml", "nonsense");
    assert_eq!(world.doctor(&["--simulate", "healthy"]).code, Some(0));
}

/// The doctor on a machine of bad files, without any call.
fn offline(world: &World) -> Ran {
    let ran = world.doctor(&["--offline", "--client", "claude-code"]);
    assert!(matches!(ran.code, Some(1 | 3)), "{ran:?}");
    assert!(!ran.stderr.contains("panicked"), "{}", ran.stderr);
    ran
}

fn measured(ran: &Ran, check: &str) -> String {
    let json = ran.json();
    let found = json["checks"].as_array().unwrap().iter().find(|it| it["id"] == check).unwrap().clone();
    format!("{} {}", found["status"].as_str().unwrap(), found["measured"].as_str().unwrap_or_default())
}

#[test]
fn faults_in_the_users_files_are_findings() {
    let bedrock = || World::new().env("CLAUDE_CODE_USE_BEDROCK", "1");
    let settings = "client-settings-are-readable";
    for (world, said) in [
        (
            bedrock().file(".claude/settings.json", "{\n  \"env\": {},\n}"),
            "~/.claude/settings.json:2: it is no valid JSON",
        ),
        (bedrock().file(".claude/settings.json", "{\"model\": 5}"), "the value of `model` is no text"),
        (bedrock().file(".claude/settings.json", &"[".repeat(200_000)), "nests deeper"),
        (bedrock().bytes(".claude/settings.json", b"\x00\xff\xfe{"), "not UTF-8 text"),
        (bedrock().bytes(".claude/settings.json", &vec![b' '; 5 * 1024 * 1024]), "larger than 4 MiB"),
        (bedrock().file(".claude/settings.json/inside", ""), "not a regular file"),
        (bedrock().bytes(".aws/credentials", &vec![b'a'; 5 * 1024 * 1024]), "larger than 4 MiB"),
        (bedrock().bytes(".aws/config", b"[default]\nregion = \xff\xff\n"), "not UTF-8 text"),
    ] {
        let ran = offline(&world);
        let found = measured(&ran, settings);
        assert!(found.starts_with("fail") && found.contains(said), "{said}: {found}");
    }
}

#[cfg(unix)]
#[test]
fn links_that_lead_in_a_circle_are_findings() {
    let world = World::new().env("CLAUDE_CODE_USE_BEDROCK", "1");
    std::fs::create_dir_all(world.home().join(".aws")).unwrap();
    std::os::unix::fs::symlink("config", world.home().join(".aws/config")).unwrap();
    let found = measured(&offline(&world), "client-settings-are-readable");
    assert!(found.starts_with("fail") && found.contains("form a loop"), "{found}");
    // A link to a good file is a good file.
    let world =
        World::new().env("CLAUDE_CODE_USE_BEDROCK", "1").file("dotfiles/config", "[default]\nregion = eu-west-1\n");
    std::fs::create_dir_all(world.home().join(".aws")).unwrap();
    std::os::unix::fs::symlink("../dotfiles/config", world.home().join(".aws/config")).unwrap();
    assert_eq!(offline(&world).json()["target"]["region"], "eu-west-1");
}

#[cfg(unix)]
#[test]
fn a_pipe_in_place_of_a_file_does_not_block() {
    let world = World::new().env("CLAUDE_CODE_USE_BEDROCK", "1");
    std::fs::create_dir_all(world.home().join(".aws")).unwrap();
    let made = std::process::Command::new("mkfifo").arg(world.home().join(".aws/config")).status().unwrap();
    assert!(made.success());
    let found = measured(&offline(&world), "client-settings-are-readable");
    assert!(found.contains("not a regular file"), "{found}");
}

#[test]
fn without_a_home_it_still_answers() {
    let world = World::new();
    let mut command = world.command(&["doctor", "--offline", "--format", "json", "--client", "claude-code"]);
    let output = command.env_remove("HOME").output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(json["root_causes"][0]["cause"], "bedrock-not-enabled-in-client");
}

#[test]
fn values_that_make_the_sdk_panic_do_not_here() {
    for (name, value) in [
        ("AWS_RETRY_MODE", "legacy"),
        ("AWS_RETRY_MODE", "nonsense"),
        ("AWS_MAX_ATTEMPTS", "0"),
        ("AWS_MAX_ATTEMPTS", "x"),
        ("AWS_BEARER_TOKEN_BEDROCK", ""),
        ("AWS_ENDPOINT_URL", " "),
    ] {
        // On the simulated machine the variable is put before the doctor by the command that runs it.
        let world = World::new();
        let program = crate::harness::program().to_str().unwrap();
        let assignment = format!("{name}={value}");
        let ran = world.run(&["simulate", "healthy", "--", "env", &assignment, program, "doctor", "--format", "json"]);
        if name == "AWS_ENDPOINT_URL" {
            // Without that address quotas, history and STS belong to nobody; the client's own call still passes.
            assert_eq!(ran.json()["verdict"], "ok", "{assignment}: {ran:?}");
            continue;
        }
        assert_eq!((ran.json()["verdict"].as_str(), ran.code), (Some("ok"), Some(0)), "{assignment}: {ran:?}");
        assert_eq!(ran.json()["simulated"], true, "the answers say so themselves");
    }
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let world = World::new();
    let mut child =
        world.command(&["checks", "--schema", "report"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn unknown_profile_region_and_model_are_findings() {
    let world = World::new();
    let cause = |arguments: &[&str]| {
        let mut all = vec!["--simulate", "healthy"];
        all.extend(arguments);
        let ran = world.doctor(&all);
        assert_eq!(ran.code, Some(1), "{arguments:?}");
        ran.verdict().1.remove(0)
    };
    assert_eq!(cause(&["--profile", "nobody"]), "profile-not-found");
    assert_eq!(cause(&["--region", "us east 1"]), "region-missing-or-invalid");
    assert_eq!(cause(&["--region", "moon-east-1"]), "region-missing-or-invalid");
    assert_eq!(cause(&["--model", "claude-5"]), "model-id-invalid");
    assert_eq!(cause(&["--model", "eu.anthropic.claude-opus-5-5"]), "profile-prefix-region-mismatch");
}
