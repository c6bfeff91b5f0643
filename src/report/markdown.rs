//! The report as Markdown, for pasting into a ticket. The evidence was redacted before it was judged; text that comes from outside is
//! put where it cannot become markup.

use super::{human::as_command, safe};
use crate::engine::{Report, Verdict};

/// Renders the report.
pub fn markdown(report: &Report) -> String {
    let mut page = String::new();
    let mut line = |text: String| {
        page.push_str(&text);
        page.push('\n');
    };
    let verdict = match report.verdict {
        Verdict::Ok => "works",
        Verdict::Warn => "works, with a catch",
        Verdict::Fail => "does not work",
        Verdict::Unknown => "could not be verified",
    };
    line(format!("# {} on Amazon Bedrock {verdict}", code(&report.client)));
    line(String::new());
    if report.simulated {
        line("**Simulated**: every answer came from bedside's own simulator, not from AWS.".to_owned());
        line(String::new());
    }
    line(format!("bedside {}, {}", report.bedside, safe(&report.notes.taken_at)));
    line(String::new());
    let target = &report.target;
    line("| | |".to_owned());
    line("|---|---|".to_owned());
    for (name, value) in [
        ("account", target.account.as_deref()),
        ("principal", target.principal.as_deref()),
        ("credentials", target.credential_source.as_deref()),
        ("profile", target.profile.as_deref()),
        ("Region", target.region.as_deref()),
    ] {
        if let Some(value) = value {
            line(format!("| {name} | {} |", code(value)));
        }
    }
    for model in &target.models {
        line(format!("| {} model | {} |", model.role, code(&model.id)));
    }
    for cause in &report.root_causes {
        line(String::new());
        let kind = if cause.fatal { "Cause" } else { "Warning" };
        line(format!("## {kind}: {}", escape(&cause.title)));
        line(String::new());
        line(escape(&cause.summary));
        line(String::new());
        line(format!("- cause: {} ({})", code(&cause.cause), cause.confidence.word()));
        for (name, value) in [
            ("measured", &cause.measured),
            ("expected", &cause.expected),
            ("AWS said", &cause.said),
            ("request id", &cause.request_id),
        ] {
            if let Some(value) = value {
                line(format!("- {name}: {}", code(value)));
            }
        }
        if !cause.remedies.is_empty() {
            line(String::new());
            line("What to do:".to_owned());
            line(String::new());
        }
        for (number, remedy) in cause.remedies.iter().enumerate() {
            line(format!("{}. {}", number + 1, escape(&remedy.text)));
            if !remedy.command.is_empty() {
                line(String::new());
                line("   ```sh".to_owned());
                line(format!("   {}", safe(&as_command(&remedy.command)).replace("```", "'''")));
                line("   ```".to_owned());
                line(String::new());
            }
            if let Some(url) = &remedy.url {
                line(format!("   <{}>", safe(url)));
            }
        }
    }
    line(String::new());
    line("## Checks".to_owned());
    line(String::new());
    line("| status | check | seen |".to_owned());
    line("|---|---|---|".to_owned());
    for check in &report.checks {
        line(format!(
            "| {} | {} | {} |",
            check.status.word(),
            code(&check.id),
            check.measured.as_deref().map(code).unwrap_or_default()
        ));
    }
    line(String::new());
    line("## Calls".to_owned());
    line(String::new());
    line("| service | operation | Region | ms | outcome |".to_owned());
    line("|---|---|---|---|---|".to_owned());
    for call in &report.calls {
        line(format!(
            "| {} | {} | {} | {} | {} |",
            call.service,
            call.operation,
            call.region.as_deref().unwrap_or(""),
            call.ms,
            code(&call.outcome)
        ));
    }
    page
}

/// Text between backticks, whatever is in it.
fn code(text: &str) -> String {
    let text = safe(text).replace('`', "'").replace('|', "\\|");
    if text.trim().is_empty() { String::new() } else { format!("`{text}`") }
}

/// Text that is no markup.
fn escape(text: &str) -> String {
    let mut out = String::new();
    for character in safe(text).chars() {
        if matches!(character, '<' | '>' | '*' | '_' | '[' | ']' | '|' | '\\') {
            out.push('\\');
        }
        out.push(character);
    }
    out
}
