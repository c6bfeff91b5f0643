//! The report for people: a quiet page when it works; when not, the root cause first, in plain words, with what was seen against what
//! should have been seen and the remedy as something to copy; then the rest.

use std::collections::BTreeSet;

use comfy_table::{ContentArrangement, Table, presets};

use super::paint::{Mark, Paint, safe};
use crate::{
    engine::{CauseReport, CheckReport, RemedyReport, Report, ReportCall, Verdict},
    knowledge::Status,
    words::upper_first,
};

/// How much is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// What matters.
    Normal,
    /// Every check and every call.
    All,
}

/// Renders the report.
pub fn human(report: &Report, paint: Paint, detail: Detail) -> String {
    let mut page = Page { paint, text: String::new() };
    if report.simulated {
        let banner = "SIMULATED: every answer came from bedside's own simulator, not from AWS.";
        page.line(&paint.bold(&paint.paragraph(banner, 0)));
        page.blank();
    }
    headline(&mut page, report);
    for (number, cause) in report.root_causes.iter().enumerate() {
        root_cause(&mut page, report, cause, number);
    }
    target(&mut page, report);
    remarks(&mut page, report);
    checks(&mut page, report, detail);
    if detail == Detail::All {
        calls(&mut page, report);
    }
    totals(&mut page, report);
    paint.finish(&page.text)
}

struct Page {
    paint: Paint,
    text: String,
}

impl Page {
    fn line(&mut self, text: &str) {
        self.text.push_str(text.trim_end());
        self.text.push('\n');
    }

    fn blank(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with("\n\n") {
            self.text.push('\n');
        }
    }

    /// A mark, and words beside it.
    fn marked(&mut self, mark: Mark, words: &str) {
        let wide = self.paint.mark_width(mark) + 1;
        let wrapped = self.paint.paragraph(words, wide);
        for (number, line) in wrapped.lines().enumerate() {
            let line = if number == 0 {
                format!("{} {}", self.paint.mark(mark), self.paint.bold(line.trim_start()))
            } else {
                self.paint.bold(line)
            };
            self.line(&line);
        }
    }

    /// Rows of a word and what it is, the words in one column.
    fn rows(&mut self, rows: &[(&str, String)], indent: usize) {
        let rows: Vec<&(&str, String)> = rows.iter().filter(|(_, value)| !value.is_empty()).collect();
        let widest = rows.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
        for (name, value) in rows {
            if self.paint.width() < 60 {
                self.line(&format!("{}{}", " ".repeat(indent), self.paint.dim(name)));
                self.line(&self.paint.paragraph(value, indent + 2));
            } else {
                // The first line shares its row with the word.
                let body = self.paint.paragraph(value, indent + widest + 2);
                let space = " ".repeat(widest - name.len() + 2);
                self.line(&format!("{}{}{space}{}", " ".repeat(indent), self.paint.dim(name), body.trim_start()));
            }
        }
    }
}

fn headline(page: &mut Page, report: &Report) {
    let client = match report.client.as_str() {
        "claude-code" => "Claude Code",
        "bedside" => "bedside's chat",
        _ => "An AWS SDK",
    };
    let main = report.target.models.iter().find(|model| model.role == "main").map_or("", |model| model.id.as_str());
    let (mark, words) = match report.verdict {
        Verdict::Ok | Verdict::Warn => {
            let mark = if report.verdict == Verdict::Ok { Mark::Good } else { Mark::Warning };
            let time = report.notes.main_ms.map(|ms| format!(" {main} answered in {ms} ms.")).unwrap_or_default();
            let how = if report.verdict == Verdict::Ok { "works" } else { "works, with a catch" };
            match &report.notes.partial {
                Some(partial) => (mark, format!("The selected checks pass ({partial}).")),
                None => (mark, format!("{client} on Amazon Bedrock {how}.{time}")),
            }
        }
        Verdict::Fail => {
            let first = report.root_causes.iter().find(|cause| cause.fatal);
            let title = first.map_or_else(String::new, |cause| format!(": {}", cause.title));
            (Mark::Bad, format!("{client} will not get an answer from Amazon Bedrock{title}."))
        }
        Verdict::Unknown => {
            let client = if client == "An AWS SDK" { "an AWS SDK" } else { client };
            (Mark::Unknown, format!("Could not verify that {client} works on Amazon Bedrock."))
        }
    };
    page.marked(mark, &words);
    if report.verdict == Verdict::Unknown {
        let missing: Vec<&CheckReport> =
            report.checks.iter().filter(|check| is_open(check) && check.blocked_by.is_none()).collect();
        // One reason keeps many checks open; it is said once.
        let mut said = BTreeSet::new();
        for check in &missing {
            let why = check.measured.as_deref().unwrap_or("a fact is missing");
            if said.len() == 3 || !said.insert(why) {
                continue;
            }
            page.line(&page.paint.hanging(&format!("Not verified: {} ({why})", check.title), 2, 4));
        }
        if missing.is_empty() {
            for gap in report.notes.remarks.iter().take(2) {
                page.line(&page.paint.hanging(gap, 2, 4));
            }
        }
    }
    page.blank();
}

fn root_cause(page: &mut Page, report: &Report, cause: &CauseReport, number: usize) {
    let paint = page.paint;
    let fatal_before = report.root_causes[..number].iter().filter(|cause| cause.fatal).count();
    if cause.fatal && fatal_before == 0 {
        // The headline has named it.
    } else if cause.fatal {
        page.marked(Mark::Bad, &format!("Then: {}.", cause.title));
    } else {
        page.marked(Mark::Warning, &format!("{}.", upper_first(&cause.title)));
    }
    page.line(&paint.paragraph(&cause.summary, 2));
    let sure = match cause.confidence {
        crate::knowledge::Confidence::Certain => String::new(),
        other => format!(" ({})", other.word()),
    };
    let said = cause.said.as_ref().map(|said| format!("“{}”", shorten(said, 400))).unwrap_or_default();
    let rows = [
        ("cause", format!("{}{sure}", spoken_cause(cause))),
        ("measured", cause.measured.clone().unwrap_or_default()),
        ("expected", cause.expected.clone().unwrap_or_default()),
        ("AWS said", said),
        ("request", cause.request_id.clone().unwrap_or_default()),
    ];
    page.rows(&rows, 2);
    remedies(page, &cause.remedies);
    if !cause.explains.is_empty() {
        let waiting = if cause.explains.len() == 1 {
            "1 check waits".to_owned()
        } else {
            format!("{} checks wait", cause.explains.len())
        };
        page.line(&paint.dim(&paint.paragraph(&format!("{waiting} for this: {}.", cause.explains.join(", ")), 2)));
    }
    page.blank();
}

fn spoken_cause(cause: &CauseReport) -> String {
    match &cause.subcause {
        Some(subcause) => format!("{} ({subcause})", cause.cause),
        None => cause.cause.clone(),
    }
}

fn remedies(page: &mut Page, remedies: &[RemedyReport]) {
    let paint = page.paint;
    if remedies.is_empty() {
        return;
    }
    page.line(&format!("  {}", paint.bold("What to do")));
    for (number, remedy) in remedies.iter().enumerate() {
        let words = format!("{}. {}", number + 1, remedy.text);
        page.line(&paint.hanging(&words, 2, 5));
        if !remedy.command.is_empty() {
            // A command is never broken: it is there to be copied.
            page.line(&format!("       {}", paint.command(&safe(&as_command(&remedy.command)))));
        }
        if let Some(url) = &remedy.url {
            page.line(&format!("       {}", paint.command(&safe(url))));
        }
    }
}

/// A command as one would type it.
pub(super) fn as_command(arguments: &[String]) -> String {
    let plain =
        |word: &str| !word.is_empty() && word.chars().all(|it| it.is_ascii_alphanumeric() || "_./:=@%+,-".contains(it));
    let quoted = |word: &str| shlex::try_quote(word).map_or_else(|_| word.to_owned(), std::borrow::Cow::into_owned);
    let one = |word: &String| match word.split_once('=') {
        _ if plain(word) => word.clone(),
        // An assignment is quoted behind its name, as people write it.
        Some((name, value)) if plain(name) => format!("{name}={}", quoted(value)),
        _ => quoted(word),
    };
    arguments.iter().map(one).collect::<Vec<_>>().join(" ")
}

fn target(page: &mut Page, report: &Report) {
    let target = &report.target;
    let principal = target.principal.as_deref().map(|arn| arn.rsplit(':').next().unwrap_or(arn).to_owned());
    let account = match (&target.account, principal) {
        (Some(account), Some(principal)) => format!("{account}, {principal}"),
        (Some(account), None) => account.clone(),
        _ => String::new(),
    };
    let credentials = match (&target.credential_source, &target.profile) {
        (Some(source), Some(profile)) => format!("{source}, profile {profile}"),
        (Some(source), None) => source.clone(),
        (None, Some(profile)) => format!("profile {profile}"),
        (None, None) => String::new(),
    };
    let credentials = match &report.notes.expires_at {
        Some(at) if !credentials.is_empty() => format!("{credentials}, until {at}"),
        _ => credentials,
    };
    let region = match (&target.region, &report.notes.region_origin) {
        (Some(region), Some(origin)) => format!("{region} ({origin})"),
        (Some(region), None) => region.clone(),
        _ => String::new(),
    };
    let mut rows = vec![("account", account), ("credentials", credentials), ("Region", region)];
    for model in &target.models {
        let name = match model.role.as_str() {
            "main" => "model",
            "background" => "background",
            "subagent" => "subagents",
            _ => "fallback",
        };
        rows.push((name, model.id.clone()));
    }
    if !report.notes.programs.is_empty() {
        rows.push(("programs", report.notes.programs.join(", ")));
    }
    if rows.iter().any(|(_, value)| !value.is_empty()) {
        page.rows(&rows, 2);
        page.blank();
    }
}

fn remarks(page: &mut Page, report: &Report) {
    let paint = page.paint;
    let healthy = report.verdict == Verdict::Ok;
    for remark in &report.notes.remarks {
        page.line(&paint.hanging(&format!("Note: {remark}."), 2, 4));
    }
    // What nobody misses is not worth a word on a healthy page.
    if !healthy {
        for gap in &report.notes.gaps {
            page.line(&paint.dim(&paint.hanging(&format!("Not looked at: {}.", gap.trim_end_matches('.')), 2, 4)));
        }
    }
    page.blank();
}

fn checks(page: &mut Page, report: &Report, detail: Detail) {
    let paint = page.paint;
    let told = |check: &CheckReport| {
        report.root_causes.iter().any(|cause| cause.check == check.id || cause.explains.contains(&check.id))
            || (is_open(check) && check.blocked_by.is_some())
    };
    let shown: Vec<&CheckReport> = report
        .checks
        .iter()
        .filter(|check| {
            // What a cause above has told already is not told again.
            detail == Detail::All || !(matches!(check.status, Status::Pass | Status::Skipped) || told(check))
        })
        .collect();
    let quiet = matches!(report.verdict, Verdict::Ok) && detail == Detail::Normal;
    if !quiet && !shown.is_empty() {
        let mut table = table(paint);
        for check in shown {
            let what = match (&check.blocked_by, check.status) {
                (Some(by), Status::Blocked) => format!("waits for {by}"),
                _ => [check.cause.as_deref(), check.measured.as_deref()]
                    .into_iter()
                    .flatten()
                    .collect::<Vec<_>>()
                    .join(": "),
            };
            let word = format!("{} {}", paint.mark(mark_of(check.status)), check.status.word());
            if paint.width() < 60 {
                table.add_row(vec![word, safe(&check.id)]);
            } else {
                table.add_row(vec![word, safe(&check.id), safe(&shorten(&what, 160))]);
            }
        }
        page.line(&paint.bold("Checks"));
        for line in table.to_string().lines() {
            page.line(line);
        }
        page.blank();
    }
}

/// Nothing can be said about it.
fn is_open(check: &CheckReport) -> bool {
    matches!(check.status, Status::Unknown | Status::Crashed)
}

fn mark_of(status: Status) -> Mark {
    match status {
        Status::Pass => Mark::Good,
        Status::Skipped => Mark::Skipped,
        Status::Blocked => Mark::Blocked,
        Status::Warn => Mark::Warning,
        Status::Unknown | Status::Crashed => Mark::Unknown,
        Status::Fail => Mark::Bad,
    }
}

/// A table without lines, as wide as the page.
fn table(paint: Paint) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_content_arrangement(ContentArrangement::Dynamic);
    table.set_width(u16::try_from(paint.width()).unwrap_or(100));
    table
}

/// The calls in the order of their beginnings, each with its place in the time of the run.
fn calls(page: &mut Page, report: &Report) {
    let paint = page.paint;
    let mut calls: Vec<&ReportCall> = report.calls.iter().collect();
    calls.sort_by_key(|call| (call.started_ms, call.ms));
    let Some(first) = calls.first().map(|call| call.started_ms) else { return };
    let end = calls.iter().map(|call| call.started_ms + call.ms).max().unwrap_or(first);
    // One Region for all of them is the one in the rows above.
    let several = calls.iter().any(|call| call.region != calls[0].region);
    let mut table = table(paint);
    for call in calls {
        let mut row = vec![safe(&call.operation), format!("{} ms", call.ms), safe(&call.outcome)];
        if paint.width() >= 80 {
            row.insert(0, safe(&call.service));
        }
        if several {
            row.push(safe(call.region.as_deref().unwrap_or("")));
        }
        if paint.width() >= 110 {
            row.push(bar(call.started_ms - first, call.ms, end - first));
        }
        table.add_row(row);
    }
    page.line(&paint.bold("Calls"));
    for line in table.to_string().lines() {
        page.line(line);
    }
    page.blank();
}

/// Where a span lies in the whole, as a bar.
fn bar(start: u64, length: u64, whole: u64) -> String {
    const CELLS: u64 = 20;
    let cell = |at: u64| (at * CELLS).checked_div(whole).unwrap_or(0).min(CELLS);
    let from = cell(start).min(CELLS - 1);
    let to = cell(start + length).max(from + 1);
    let times = |text: &str, count: u64| text.repeat(usize::try_from(count).unwrap_or(0));
    format!("{}{}{}", times("·", from), times("█", to - from), times("·", CELLS - to))
}

fn totals(page: &mut Page, report: &Report) {
    let count = |status: Status| report.checks.iter().filter(|check| check.status == status).count();
    let mut words = Vec::new();
    for (status, word) in [
        (Status::Fail, "failed"),
        (Status::Warn, "warned"),
        (Status::Unknown, "unknown"),
        (Status::Crashed, "crashed"),
        (Status::Blocked, "waiting"),
        (Status::Pass, "passed"),
        (Status::Skipped, "not applicable"),
    ] {
        if count(status) > 0 {
            words.push(format!("{} {word}", count(status)));
        }
    }
    let cost = &report.cost;
    let price = if cost.output_tokens == 0 { "" } else { ", price unknown" };
    let seconds = report.notes.wall_ms;
    let line = if cost.requests == 0 {
        let nothing =
            if report.notes.cut { "No call had ended when the run was cut short" } else { "Nothing was called" };
        format!("{}. {nothing}.", upper_first(&words.join(", ")))
    } else {
        format!(
            "{}. {} calls in {} ms, {} tokens in, {} out{price}. Nothing was changed.",
            upper_first(&words.join(", ")),
            cost.requests,
            seconds,
            cost.input_tokens,
            cost.output_tokens,
        )
    };
    page.line(&page.paint.dim(&page.paint.paragraph(&line, 0)));
}

fn shorten(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(most).collect();
    short.push('…');
    short
}
