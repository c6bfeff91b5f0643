//! The real Claude Code, in every scenario that is about it: where the doctor says that the first turn will work it answers, and where
//! the doctor says that it will fail it fails.

use bedside::simulate::{ScenarioHead, scenarios};

use super::{claude, on_machine};
use crate::harness::{Ran, World, for_each_at_once};

/// One turn, without a terminal, without retries, within a minute.
fn turn(scenario: &str) -> Option<Ran> {
    let claude = claude()?;
    let command = [
        "env",
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC=1",
        "CLAUDE_CODE_MAX_RETRIES=0",
        "timeout",
        "60",
        claude.to_str().unwrap(),
        "-p",
        "hi",
    ];
    Some(on_machine(scenario, &command))
}

#[test]
fn it_answers_in_a_healthy_world() {
    let Some(ran) = turn("healthy") else { return };
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(!ran.stdout.trim().is_empty());
}

#[test]
fn its_fate_is_what_the_verdict_predicted() {
    if claude().is_none() {
        return;
    }
    // A machine that pretends another version cannot be judged with this one.
    let heads: Vec<&ScenarioHead> = scenarios().filter(|head| head.client == "claude-code" && !head.pretends).collect();
    assert!(heads.len() > 60);
    for_each_at_once(&heads, |head| {
        let (verdict, causes) = World::new().doctor(&["--simulate", &head.name]).verdict();
        let ran = turn(&head.name).expect("it was there a moment ago");
        let answered = ran.code == Some(0);
        let predicted = match verdict.as_str() {
            "ok" | "warn" => true,
            "fail" => false,
            // What cannot be known predicts nothing.
            _ => return Ok(()),
        };
        if answered == predicted {
            return Ok(());
        }
        let words: String = ran.stdout.chars().take(300).collect();
        Err(format!("{}: {verdict} {causes:?}, and Claude Code ended with {:?}: {words}", head.name, ran.code))
    });
}
