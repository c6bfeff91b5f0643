//! What is shown: the contract of the JSON, width, colour and characters of the page, the help.

use crate::harness::{World, root};

#[test]
fn the_json_has_the_fields_of_its_contract() {
    let json = World::new().doctor(&["--simulate", "guide-of-2025"]).json();
    let keys = |value: &serde_json::Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>().join(" ");
    assert_eq!(keys(&json), "schema_version bedside simulated client verdict target root_causes checks calls cost");
    assert_eq!(keys(&json["target"]), "profile credential_source account principal region models");
    assert_eq!(keys(&json["target"]["models"][0]), "role id");
    assert_eq!(keys(&json["root_causes"][0]), "cause subcause check confidence summary remedies");
    assert_eq!(keys(&json["root_causes"][0]["remedies"][0]), "kind text command url");
    assert_eq!(
        keys(&json["checks"][0]),
        "id group title status cause measured expected blocked_by remedies facts duration_ms"
    );
    assert_eq!(keys(&json["calls"][0]), "service operation region ms outcome");
    assert_eq!(keys(&json["cost"]), "requests input_tokens output_tokens usd_estimate");
    assert_eq!(json["schema_version"], 1);
    assert!(json["cost"]["usd_estimate"].is_null(), "no price is known from a source");
}

#[test]
fn the_page_fits_its_width_and_has_nothing_live_in_it() {
    for width in [40_usize, 60, 80, 100, 200] {
        let world = World::new().env("COLUMNS", &width.to_string());
        for scenario in ["healthy", "guide-of-2025", "scp-denies-region"] {
            let ran = world.run(&["doctor", "--simulate", scenario]);
            assert!(!ran.stdout.contains('\u{1b}'), "no colour without a terminal");
            for line in ran.stdout.lines() {
                // ARNs, ids and commands are there to be copied, and stay whole.
                let breakable = !line.split_whitespace().any(|word| word.chars().count() > width.saturating_sub(12))
                    && !line.starts_with("       ");
                assert!(!breakable || line.chars().count() <= width, "{scenario} at {width}: {line}");
            }
        }
    }
}

#[test]
fn colour_is_there_when_it_is_forced_and_gone_when_it_is_not_wanted() {
    let forced = World::new().env("CLICOLOR_FORCE", "1").run(&["doctor", "--simulate", "healthy"]);
    assert!(forced.stdout.contains('\u{1b}'));
    let refused =
        World::new().env("CLICOLOR_FORCE", "1").env("NO_COLOR", "1").run(&["doctor", "--simulate", "healthy"]);
    assert!(!refused.stdout.contains('\u{1b}'));
}

#[test]
fn without_unicode_the_page_is_ascii() {
    let ran = World::new().env("LANG", "C").env("LC_ALL", "C").run(&["doctor", "--simulate", "guide-of-2025", "--all"]);
    assert!(ran.stdout.is_ascii(), "{:?}", ran.stdout.chars().find(|it| !it.is_ascii()));
    assert!(ran.stdout.starts_with("SIMULATED"));
}

#[test]
fn a_healthy_page_is_quiet() {
    let ran = World::new().run(&["doctor", "--simulate", "healthy"]);
    assert!(ran.stdout.contains("works"), "{}", ran.stdout);
    assert!(ran.stdout.lines().count() <= 14, "{}", ran.stdout);
    assert!(!ran.stdout.contains("What to do") && !ran.stdout.contains("Not looked at"));
    assert!(ran.stderr.is_empty(), "progress is for terminals");
}

#[test]
fn page_json_and_ticket_tell_the_same_causes() {
    for scenario in ["guide-of-2025", "use-case-form-missing", "healthy", "zero-quota"] {
        let world = World::new();
        let causes = world.doctor(&["--simulate", scenario]).verdict().1;
        let page = world.run(&["doctor", "--simulate", scenario]).stdout;
        let ticket = world.run(&["doctor", "--simulate", scenario, "--format", "markdown"]).stdout;
        for cause in &causes {
            assert!(page.contains(cause.as_str()) && ticket.contains(cause.as_str()), "{scenario}: {cause}");
        }
    }
}

#[test]
fn hostile_text_from_outside_stays_text() {
    let hostile = "\u{1b}]0;owned\u{7}\u{1b}[31m\u{202e}evil `x` | y <script>";
    let world = World::new()
        .env("CLAUDE_CODE_USE_BEDROCK", "1")
        .env("AWS_REGION", hostile)
        .env("ANTHROPIC_MODEL", hostile)
        .env("AWS_PROFILE", hostile);
    for format in ["human", "json", "markdown"] {
        let ran = world.run(&["doctor", "--offline", "--format", format]);
        assert!(!ran.stdout.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{format}: {}", ran.stdout);
    }
    let ran = world.run(&["settings"]);
    assert!(!ran.stdout.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{}", ran.stdout);
}

#[test]
fn every_help_has_examples() {
    let world = World::new();
    for command in ["doctor", "settings", "checks", "simulate", "completions"] {
        let ran = world.run(&[command, "--help"]);
        assert_eq!(ran.code, Some(0));
        assert!(ran.stdout.contains("Examples:"), "{command}");
    }
    for shell in ["bash", "zsh", "fish"] {
        assert!(world.run(&["completions", shell]).stdout.contains("bedside"));
    }
}

#[test]
fn pages_of_checks_and_causes_are_the_ones_in_docs() {
    let world = World::new();
    for (id, file) in [("profile-exists", "docs/checks/profile-exists.md"), ("model-eol", "docs/causes/model-eol.md")] {
        let page = world.run(&["checks", id]).stdout;
        let file = std::fs::read_to_string(root().join(file)).unwrap();
        assert!(file.ends_with(&page), "{id}");
    }
}

#[test]
fn the_screen_in_the_readme_is_real() {
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    let (before, rest) = readme.split_once("<!-- screen: guide-of-2025 -->\n```text\n").expect("a screen");
    let (screen, after) = rest.split_once("\n```").unwrap();
    let world = World::new().env("COLUMNS", "96");
    let real = world.run(&["doctor", "--simulate", "guide-of-2025"]).stdout;
    if std::env::var_os("BLESS").is_some() {
        let text = format!("{before}<!-- screen: guide-of-2025 -->\n```text\n{}\n```{after}", real.trim_end());
        return std::fs::write(root().join("README.md"), text).unwrap();
    }
    assert_eq!(without_what_varies(screen), without_what_varies(real.trim_end()), "the README shows another page");
}

/// Request ids and durations differ from run to run, installed programs from machine to machine.
fn without_what_varies(text: &str) -> String {
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim_start().starts_with("programs")).collect();
    lines
        .join("\n")
        .split_inclusive(|it: char| it.is_whitespace())
        .map(|word| {
            let bare = word.trim().trim_end_matches(['.', ',']);
            let id = bare.len() == 36 && bare.matches('-').count() == 4;
            let number = bare.chars().all(|it| it.is_ascii_digit()) && !bare.is_empty();
            if id || number { word.replace(bare, "…") } else { word.to_owned() }
        })
        .collect()
}
