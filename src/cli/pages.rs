//! The generated pages of `docs/`: made from the same data as the program's own answers, and compared with what is checked in by a
//! test. Pure.

use std::{collections::BTreeMap, fmt::Write};

use clap::CommandFactory;

use super::args::Cli;
use crate::{
    engine,
    knowledge::{Case, Cause, CauseOf, Check, Knowledge},
    settings::variables::VARIABLES,
    words::upper_first,
};

const NOTICE: &str =
    "<!-- Made from the data in this repository; `BLESS=1 cargo test` writes it anew. Do not edit. -->\n\n";

/// Returns every generated page by its path below `docs/`.
pub fn pages(knowledge: &Knowledge) -> BTreeMap<String, String> {
    let mut pages = BTreeMap::new();
    for check in knowledge.checks.iter().filter(|check| !check.foreign) {
        pages.insert(format!("checks/{}.md", check.id), format!("{NOTICE}{}", check_page(check, knowledge)));
    }
    for cause in knowledge.causes.values() {
        pages.insert(format!("causes/{}.md", cause.slug), format!("{NOTICE}{}", cause_page(cause, knowledge)));
    }
    pages.insert("checks/README.md".into(), format!("{NOTICE}{}", check_index(knowledge)));
    pages.insert("causes/README.md".into(), format!("{NOTICE}{}", cause_index(knowledge)));
    pages.insert("cli.md".into(), format!("{NOTICE}{}", cli_page()));
    pages.insert("environment.md".into(), format!("{NOTICE}{}", environment_page()));
    pages.insert("schemas/report.json".into(), schema(&engine::report_schema()));
    pages.insert("schemas/evidence.json".into(), schema(&engine::evidence_schema()));
    pages
}

/// A JSON Schema as it is printed and published.
pub(super) fn schema(schema: &serde_json::Value) -> String {
    format!("{schema:#}\n")
}

/// Returns the page of a check.
pub fn check_page(check: &Check, knowledge: &Knowledge) -> String {
    let mut page = String::new();
    let _ = writeln!(page, "# {}\n", check.id);
    let _ = writeln!(page, "**{}.** Group: {}.\n", check.title, check.group);
    let _ = writeln!(page, "## What is looked at\n\n{}\n", check.docs.what.trim());
    let _ = writeln!(page, "## Why it matters\n\n{}\n", check.docs.why.trim());
    if let Some(limits) = &check.docs.limits {
        let _ = writeln!(page, "## What it cannot tell\n\n{}\n", limits.trim());
    }
    let causes = causes_of(check, knowledge);
    if !causes.is_empty() {
        page.push_str("## What it finds\n\n");
        for cause in causes {
            let _ = writeln!(page, "- [{}](../causes/{}.md): {}", cause.slug, cause.slug, cause.title);
        }
        page.push('\n');
    }
    page.push_str("## Facts\n\n");
    for need in &check.needs {
        match knowledge.checks.iter().find(|other| other.establishes.contains(need)) {
            Some(other) => {
                let _ = writeln!(page, "- waits for [{}]({}.md)", other.id, other.id);
            }
            None => {
                let _ = writeln!(page, "- needs `{need}`");
            }
        }
    }
    for may in &check.may {
        let _ = writeln!(page, "- may use `{may}`");
    }
    page.push_str("\n## Examples\n\n");
    for example in &check.examples {
        let cause = example.expect.cause.as_ref().map(|cause| format!(", {cause}")).unwrap_or_default();
        let _ = writeln!(page, "- {}: **{}**{cause}", example.name, example.expect.status.word());
    }
    references(&mut page, &check.docs.references);
    page
}

/// The causes that a check can find: those that its cases name, and those that its examples show for cases that carry many.
fn causes_of<'a>(check: &Check, knowledge: &'a Knowledge) -> Vec<&'a Cause> {
    let mut slugs: Vec<&str> = check
        .cases
        .iter()
        .filter_map(|case: &Case| match &case.cause {
            CauseOf::Slug(slug) => Some(slug.as_str()),
            CauseOf::Path(_) => None,
        })
        .chain(check.examples.iter().filter_map(|example| example.expect.cause.as_deref()))
        .filter(|slug| !slug.is_empty())
        .collect();
    slugs.sort_unstable();
    slugs.dedup();
    slugs.into_iter().filter_map(|slug| knowledge.causes.get(slug)).collect()
}

/// Returns the page of a cause.
pub fn cause_page(cause: &Cause, knowledge: &Knowledge) -> String {
    let mut page = String::new();
    let _ = writeln!(page, "# {}\n", cause.slug);
    let _ = writeln!(page, "**{}.** Area: {}.\n", upper_first(&cause.title), cause.area);
    let _ = writeln!(page, "{}\n", cause.summary.source().trim());
    page.push_str("## What to do\n\n");
    for (number, remedy) in cause.remedies.iter().enumerate() {
        let _ = writeln!(page, "{}. {}", number + 1, remedy.text.source().trim());
        if !remedy.command.is_empty() {
            let command: Vec<&str> = remedy.command.iter().map(crate::knowledge::Template::source).collect();
            let _ = writeln!(page, "\n   ```\n   {}\n   ```\n", command.join(" "));
        }
        if let Some(url) = &remedy.url {
            let _ = writeln!(page, "   {}", url.source());
        }
    }
    let _ = writeln!(page, "\n## How to tell it from its look-alikes\n\n{}\n", cause.look_alikes.trim());
    let signatures: Vec<_> = knowledge.signatures.iter().filter(|signature| signature.cause == cause.slug).collect();
    if !signatures.is_empty() {
        page.push_str("## How it shows\n\n");
        for signature in signatures {
            if let Some(example) = signature.examples.first() {
                let _ = writeln!(page, "- `{}`", example.replace('`', "'").replace('\n', " "));
            }
        }
        page.push('\n');
    }
    let checks: Vec<&Check> = knowledge
        .checks
        .iter()
        .filter(|check| causes_of(check, knowledge).iter().any(|found| found.slug == cause.slug))
        .collect();
    if !checks.is_empty() {
        page.push_str("## Found by\n\n");
        for check in checks {
            let _ = writeln!(page, "- [{}](../checks/{}.md)", check.id, check.id);
        }
    }
    references(&mut page, &cause.references);
    page
}

fn references(page: &mut String, references: &[String]) {
    if references.is_empty() {
        return;
    }
    page.push_str("\n## References\n\n");
    for reference in references {
        let _ = writeln!(page, "- {reference}");
    }
}

fn check_index(knowledge: &Knowledge) -> String {
    let mut page = String::from("# Checks\n\n| group | check | what it asserts |\n|---|---|---|\n");
    for check in knowledge.checks.iter().filter(|check| !check.foreign) {
        let _ = writeln!(page, "| {} | [{}]({}.md) | {} |", check.group, check.id, check.id, check.title);
    }
    page
}

fn cause_index(knowledge: &Knowledge) -> String {
    let mut page = String::from("# Causes\n\n| area | cause | |\n|---|---|---|\n");
    let mut causes: Vec<&Cause> = knowledge.causes.values().collect();
    causes.sort_by(|a, b| a.area.cmp(&b.area).then_with(|| a.slug.cmp(&b.slug)));
    for cause in causes {
        let _ = writeln!(page, "| {} | [{}]({}.md) | {} |", cause.area, cause.slug, cause.slug, cause.title);
    }
    page
}

fn cli_page() -> String {
    let mut page = String::from("# Command line\n");
    let mut command = Cli::command();
    command.build();
    let _ = write!(page, "\n```text\n{}\n```\n", trimmed(&command.render_long_help().to_string()));
    for sub in command.get_subcommands_mut() {
        if sub.get_name() == "help" {
            continue;
        }
        let name = sub.get_name().to_owned();
        let _ = write!(page, "\n## bedside {name}\n\n```text\n{}\n```\n", trimmed(&sub.render_long_help().to_string()));
    }
    page
}

fn trimmed(text: &str) -> String {
    text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n").trim().to_owned()
}

fn environment_page() -> String {
    let mut page = String::from(
        "# Environment variables\n\nWhat bedside reads for the client it looks through the eyes of. Values of secrets are never shown. A project's \
         settings file may set what is free without being trusted.\n\n| variable | what it does | |\n|---|---|---|\n",
    );
    for variable in VARIABLES {
        let kind = match (variable.secret, variable.free) {
            (true, _) => "secret",
            (false, true) => "free",
            (false, false) => "",
        };
        let _ = writeln!(page, "| `{}` | {} | {kind} |", variable.name, variable.doc);
    }
    page.push_str(
        "\nbedside itself follows `NO_COLOR`, `CLICOLOR_FORCE`, `COLUMNS`, `TERM`, `LANG` and `XDG_CONFIG_HOME`.\n",
    );
    page
}
