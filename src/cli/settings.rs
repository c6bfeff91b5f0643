//! `bedside settings`: what a client will use, and where each value comes from.

use comfy_table::{ContentArrangement, Table, presets};

use super::{
    Exit, Failed,
    args::{ListFormat, SettingsArgs},
    doctor::runtime,
    output, simulated,
};
use crate::{
    evidence::{Client, Fact, Shadowed},
    report::{Paint, safe},
    settings::{self, Request, Resolved},
    world::{World, terminal::Terminal},
};

pub(super) fn run(world: &World, arguments: &SettingsArgs) -> Result<Exit, Failed> {
    let terminal = Terminal::detect(world);
    match &arguments.simulate {
        Some(name) => runtime()?.block_on(async {
            let simulated = simulated::start(world, name, &[], simulated::Programs::ItsOwn).await?;
            let shown = show(&simulated.world, arguments, terminal);
            simulated.simulation.shutdown().await;
            shown
        }),
        None => show(world, arguments, terminal),
    }
}

fn show(world: &World, arguments: &SettingsArgs, terminal: Terminal) -> Result<Exit, Failed> {
    let one = arguments.client.and_then(super::args::ClientChoice::client);
    let clients = match one {
        Some(client) => vec![client],
        None => vec![Client::ClaudeCode, Client::AwsSdk],
    };
    let resolved: Vec<Resolved> = clients
        .iter()
        .map(|client| settings::resolve(world, &Request { client: Some(*client), ..Request::default() }))
        .collect();
    if arguments.format == ListFormat::Json {
        let list: Vec<serde_json::Value> =
            resolved.iter().map(|it| serde_json::json!({ "settings": it.settings, "region": it.region })).collect();
        let text = serde_json::to_string_pretty(&serde_json::json!({ "schema_version": 1, "clients": list }))
            .map_err(|error| Failed::new(error.to_string()))?;
        output::print(&text)?;
        return Ok(Exit::Ok);
    }
    let paint = Paint::new(&terminal);
    let mut page = String::new();
    if let [left, right] = &resolved[..] {
        page.push_str(&side_by_side(left, right, paint));
    }
    for it in &resolved {
        page.push_str(&details(it, paint, resolved.len() == 1));
    }
    output::print(&paint.finish(&page))?;
    Ok(Exit::Ok)
}

/// What matters, in a row each.
fn rows(resolved: &Resolved) -> Vec<(&'static str, String, String)> {
    let settings = &resolved.settings;
    let mut rows = Vec::new();
    let provider = match settings.provider {
        crate::evidence::Provider::Bedrock => "Amazon Bedrock",
        crate::evidence::Provider::Anthropic => "Anthropic's own API",
        crate::evidence::Provider::Mantle => "Bedrock's Mantle endpoint",
        crate::evidence::Provider::Other => "another provider",
    };
    let by = settings.provider_setting.as_ref().map(|setting| setting.origin.to_string()).unwrap_or_default();
    rows.push(("talks to", provider.to_owned(), by));
    let winner = settings.winner();
    match winner {
        Some(source) => rows.push((
            "credentials",
            format!("{}: {}", source.kind.spoken(), source.detail),
            source.origin.to_string(),
        )),
        None => rows.push(("credentials", "none found on this machine".to_owned(), String::new())),
    }
    if let Some(profile) = settings.profile.known() {
        let missing = if profile.exists || !profile.chosen { "" } else { " (does not exist)" };
        rows.push(("profile", format!("{}{missing}", profile.name), profile.origin.to_string()));
    }
    match &resolved.region {
        Fact::Known(region) => rows.push(("Region", region.name.clone(), region.origin.to_string())),
        Fact::Absent(_) | Fact::Unreadable(_) => rows.push(("Region", "none".to_owned(), String::new())),
    }
    for (name, fact) in [
        ("model", &settings.models.main),
        ("background", &settings.models.background),
        ("subagents", &settings.models.subagent),
        ("fallback", &settings.models.fallback),
    ] {
        if let Some(model) = fact.known() {
            let written = model.written.as_ref().map(|written| format!(" (written {written})")).unwrap_or_default();
            rows.push((
                name,
                format!("{}{written}", model.id.as_deref().unwrap_or("by the account's list")),
                model.origin.to_string(),
            ));
        }
    }
    if let Some(endpoint) = settings.endpoints.get("bedrock-runtime") {
        let origin = endpoint
            .setting
            .as_ref()
            .map(|setting| format!("{}, {}", setting.name, setting.origin))
            .unwrap_or_else(|| "AWS's own".to_owned());
        let nowhere = endpoint.setting.is_none() && resolved.region.known().is_none();
        let url = if nowhere { "none, as there is no Region".to_owned() } else { endpoint.url.clone() };
        rows.push(("endpoint", url, if nowhere { String::new() } else { origin }));
    }
    if let Some(proxy) = &settings.route.https_proxy {
        rows.push(("proxy", proxy.value.clone(), format!("{}, {}", proxy.name, proxy.origin)));
    }
    if let Some(ca) = &settings.route.ca_bundle {
        rows.push(("trust roots", ca.value.clone(), format!("{}, {}", ca.name, ca.origin)));
    }
    rows
}

/// Two clients beside each other: why one works and the other fails is in the rows that differ.
fn side_by_side(left: &Resolved, right: &Resolved, paint: Paint) -> String {
    let (a, b) = (rows(left), rows(right));
    let mut names: Vec<&'static str> = a.iter().map(|row| row.0).collect();
    names.extend(b.iter().map(|row| row.0).filter(|name| !names.contains(name)).collect::<Vec<_>>());
    let find = |rows: &[(&'static str, String, String)], name: &str| {
        rows.iter().find(|row| row.0 == name).map(|row| row.1.clone()).unwrap_or_default()
    };
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_content_arrangement(ContentArrangement::Dynamic);
    table.set_width(u16::try_from(paint.width()).unwrap_or(100));
    table.add_row(vec![String::new(), String::new(), paint.bold("Claude Code"), paint.bold("AWS SDKs and CLI")]);
    for name in names {
        let (one, other) = (find(&a, name), find(&b, name));
        // What only one of them knows at all (models, for a tool that only makes the call it is told to make) is no difference.
        let mark = if one == other || one.is_empty() || other.is_empty() { " " } else { "≠" };
        table.add_row(vec![paint.dim(name), mark.to_owned(), safe(&one), safe(&other)]);
    }
    format!("{}\n\n", table.to_string().lines().map(str::trim_end).collect::<Vec<_>>().join("\n"))
}

/// Everything about one client: origins, what they shadow, sources, files.
fn details(resolved: &Resolved, paint: Paint, with_variables: bool) -> String {
    let settings = &resolved.settings;
    let mut page = String::new();
    let mut line = |text: &str| {
        page.push_str(text.trim_end());
        page.push('\n');
    };
    let beaten = |what: &str, shadowed: &Shadowed| {
        let text = format!("not {what}{} in {}: {}", shadowed.value, shadowed.origin, shadowed.because);
        paint.dim(&paint.hanging(&text, 4, 8))
    };
    line(&paint.bold(&paint.paragraph(&format!("Where {} gets them from", name_of(settings.client)), 0)));
    for (name, value, origin) in rows(resolved) {
        let origin = if origin.is_empty() { String::new() } else { format!(" ({origin})") };
        line(&paint.hanging(&format!("{name}: {value}{origin}"), 2, 6));
    }
    for shadowed in resolved.region.known().into_iter().flat_map(|region| &region.shadows) {
        line(&beaten("the Region ", shadowed));
    }
    let profile = settings.variables.iter().find(|setting| setting.name == "AWS_PROFILE");
    for shadowed in profile.into_iter().flat_map(|setting| &setting.shadows) {
        line(&beaten("the profile ", shadowed));
    }
    for model in [&settings.models.main, &settings.models.background].into_iter().filter_map(Fact::known) {
        for shadowed in &model.shadows {
            line(&beaten("the model ", shadowed));
        }
    }
    let losers: Vec<_> = settings.sources.iter().filter(|source| !source.wins).collect();
    for source in losers {
        let because = source.shadowed_by.as_deref().unwrap_or("a stronger source");
        let text =
            format!("not {} ({}, {}): shadowed by {because}", source.kind.spoken(), source.detail, source.origin);
        line(&paint.dim(&paint.hanging(&text, 4, 8)));
    }
    for unread in &settings.unread {
        line(&paint.hanging(&format!("not read: {} in {} ({})", unread.name, unread.origin, unread.value), 4, 8));
    }
    for left_out in &settings.left_out {
        line(&paint.hanging(
            &format!("left out: {} in {}: {}", left_out.name, left_out.origin, left_out.because),
            4,
            8,
        ));
    }
    for problem in &settings.problems {
        line(&paint.hanging(&format!("problem: {}: {} ({})", problem.place(), problem.reason, problem.effect), 2, 6));
    }
    if with_variables {
        line("");
        line(&paint.bold("Variables"));
        for setting in &settings.variables {
            line(&paint.hanging(&format!("{}={} ({})", setting.name, setting.value, setting.origin), 2, 6));
            for shadowed in &setting.shadows {
                line(&beaten("", shadowed));
            }
        }
        line("");
        line(&paint.bold("Files"));
        for file in &settings.files {
            let state = if !file.found {
                "not there"
            } else if file.problems.is_empty() {
                "read"
            } else {
                "has problems"
            };
            line(&paint.hanging(&format!("{}: {state}", file.path), 2, 6));
        }
    }
    line("");
    page
}

fn name_of(client: Client) -> &'static str {
    match client {
        Client::ClaudeCode => "Claude Code",
        Client::AwsSdk => "an AWS SDK or the AWS CLI",
        Client::Bedside => "bedside's chat",
    }
}
