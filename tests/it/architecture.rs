//! The house: who may import whom, how large a file may grow, that no test file is forgotten, and that the project speaks of itself
//! alone.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use crate::harness::root;

/// For each room those that it may use (docs/architecture.md).
fn map() -> BTreeMap<&'static str, BTreeSet<&'static str>> {
    // Small acts on words are for everyone but the door and the simulator.
    let below = |rooms: &[&'static str]| rooms.iter().copied().chain(["words"]).collect::<BTreeSet<_>>();
    let alone = BTreeSet::new;
    let world = ["world"];
    let evidence = ["evidence", "shell", "world"];
    let middle = ["aws", "settings", "evidence", "shell", "world"];
    let judged = ["knowledge", "aws", "settings", "evidence", "shell", "world"];
    let engine = ["probes", "signature", "knowledge", "aws", "settings", "evidence", "shell", "world"];
    let edge = ["engine", "probes", "signature", "knowledge", "aws", "settings", "evidence", "shell", "world"];
    BTreeMap::from([
        ("words", alone()),
        ("world", alone()),
        ("shell", below(&world)),
        ("evidence", below(&world)),
        ("aws", below(&evidence)),
        ("settings", below(&evidence)),
        ("knowledge", below(&evidence)),
        ("probes", below(&middle)),
        ("signature", below(&judged)),
        ("engine", below(&engine)),
        // Renderers know the report model, and the words and the terminal that it is shown with.
        ("report", below(&["engine", "knowledge", "world"])),
        // Else the fake would be written to please its judge.
        ("simulate", alone()),
        ("cli", below(&[&edge[..], &["report", "simulate"]].concat())),
    ])
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            files.push(path);
        }
    }
    files
}

/// The rooms that a file names after `crate::`, in whatever form of `use` or path.
fn rooms_named(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut rest = text;
    while let Some(at) = rest.find("crate::") {
        let before = rest[..at].chars().next_back();
        rest = &rest[at + "crate::".len()..];
        if before.is_some_and(|it| it.is_alphanumeric() || it == '_') {
            continue;
        }
        if let Some(inside) = rest.strip_prefix('{') {
            // The names at the first level of a braced list.
            let mut depth = 0;
            let mut word = String::new();
            let mut at_start = true;
            for character in inside.chars() {
                match character {
                    '{' => depth += 1,
                    '}' if depth == 0 => break,
                    '}' => depth -= 1,
                    ',' if depth == 0 => {
                        found.insert(std::mem::take(&mut word));
                        at_start = true;
                        continue;
                    }
                    _ => {}
                }
                if depth == 0 && at_start {
                    if character.is_alphanumeric() || character == '_' {
                        word.push(character);
                        continue;
                    }
                    if !word.is_empty() {
                        found.insert(std::mem::take(&mut word));
                        at_start = false;
                    }
                }
            }
            found.insert(word);
        } else {
            found.insert(rest.chars().take_while(|it| it.is_alphanumeric() || *it == '_').collect());
        }
    }
    found.retain(|word| !word.is_empty());
    found
}

#[test]
fn imports_follow_the_map() {
    let map = map();
    let mut complaints = Vec::new();
    let source = root().join("src");
    for file in rust_files(&source) {
        let name = file.strip_prefix(&source).unwrap();
        let room = name.components().next().unwrap().as_os_str().to_string_lossy().trim_end_matches(".rs").to_owned();
        if matches!(room.as_str(), "main" | "lib") {
            continue;
        }
        let allowed = map.get(room.as_str()).unwrap_or_else(|| panic!("{room} is not on the map"));
        for named in rooms_named(&std::fs::read_to_string(&file).unwrap()) {
            if named != room && map.contains_key(named.as_str()) && !allowed.contains(named.as_str()) {
                complaints.push(format!("{} uses {named}", name.display()));
            }
        }
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

#[test]
fn the_reader_of_imports_sees_every_form() {
    let text = "use crate::{\n    aws::{Verb, x},\n    evidence::Fact, world,\n};\nfn f() { crate::report::safe(\"\"); }\nuse mycrate::nope;";
    let found: Vec<String> = rooms_named(text).into_iter().collect();
    assert_eq!(found, ["aws", "evidence", "report", "world"]);
}

#[test]
fn sdk_types_stay_in_their_room() {
    let source = root().join("src");
    for file in rust_files(&source) {
        let name = file.strip_prefix(&source).unwrap().display().to_string();
        let text = std::fs::read_to_string(&file).unwrap();
        // The simulator encodes frames with the same crate that reads them, and knows no other type of the SDK.
        let allowed = name.starts_with("aws/") || name.starts_with("simulate/");
        assert!(
            allowed || !(text.contains("aws_sdk_") || text.contains("aws_smithy_") || text.contains("aws_config")),
            "{name}"
        );
    }
}

#[test]
fn files_stay_readable() {
    for folder in ["src", "tests"] {
        for file in rust_files(&root().join(folder)) {
            let lines = std::fs::read_to_string(&file).unwrap().lines().count();
            assert!(lines <= 700, "{} has {lines} lines", file.display());
        }
    }
    for folder in ["src"] {
        for file in rust_files(&root().join(folder)) {
            let name = file.file_stem().unwrap().to_string_lossy().into_owned();
            assert!(!["util", "utils", "common", "helpers", "misc"].contains(&name.as_str()), "{}", file.display());
            let text = std::fs::read_to_string(&file).unwrap();
            assert!(text.starts_with("//!"), "{} does not say what it is", file.display());
        }
    }
}

#[test]
fn no_test_file_is_forgotten() {
    let folder = root().join("tests/it");
    let main = std::fs::read_to_string(folder.join("main.rs")).unwrap();
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        assert!(
            path.extension().is_none_or(|it| it != "rs") || name == "main" || main.contains(&format!("mod {name};")),
            "{name} is not declared"
        );
    }
}

#[test]
fn every_dependency_says_why_it_is_there() {
    let manifest = std::fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let dependencies = manifest.split("[dependencies]").nth(1).unwrap().split("\n[").next().unwrap();
    for line in dependencies.lines().filter(|line| line.contains(" = ")) {
        assert!(line.contains("# "), "{line}");
    }
}
