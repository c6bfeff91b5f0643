//! The generated pages of `docs/` are those that the data gives; none is missing, none is left over.

use std::collections::BTreeSet;

use bedside::{cli::pages::pages, knowledge::Knowledge};

use crate::harness::root;

#[test]
fn generated_pages_are_in_step() {
    let docs = root().join("docs");
    let pages = pages(&Knowledge::embedded().unwrap());
    if std::env::var_os("BLESS").is_some() {
        for folder in ["checks", "causes"] {
            let _ = std::fs::remove_dir_all(docs.join(folder));
            std::fs::create_dir_all(docs.join(folder)).unwrap();
        }
        for (name, text) in &pages {
            std::fs::create_dir_all(docs.join(name).parent().unwrap()).unwrap();
            std::fs::write(docs.join(name), text).unwrap();
        }
    }
    let mut complaints = Vec::new();
    for (name, text) in &pages {
        match std::fs::read_to_string(docs.join(name)) {
            Ok(found) if found == *text => {}
            Ok(_) => complaints.push(format!("docs/{name} differs")),
            Err(_) => complaints.push(format!("docs/{name} is missing")),
        }
    }
    for folder in ["checks", "causes", "schemas"] {
        let known: BTreeSet<&str> = pages.keys().filter_map(|name| name.strip_prefix(&format!("{folder}/"))).collect();
        for entry in std::fs::read_dir(docs.join(folder)).into_iter().flatten() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            if !known.contains(name.as_str()) {
                complaints.push(format!("docs/{folder}/{name} belongs to nothing"));
            }
        }
    }
    assert!(complaints.is_empty(), "{}\nBLESS=1 cargo test generated_pages writes them anew", complaints.join("\n"));
}

#[test]
fn links_in_docs_lead_somewhere() {
    let mut complaints = Vec::new();
    let mut files = vec![root().join("README.md")];
    let mut folders = vec![root().join("docs")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let target = target.split('#').next().unwrap();
            if target.is_empty() || target.starts_with("http") {
                continue;
            }
            if !file.parent().unwrap().join(target).exists() {
                complaints.push(format!("{}: {target}", file.display()));
            }
        }
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}
