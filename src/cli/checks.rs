//! `bedside checks`: the catalog, and the page of one check or cause. The same pages stand in `docs/`.

use super::{
    Exit, Failed,
    args::{ChecksArgs, ListFormat, SchemaChoice},
    output, packs, pages,
};
use crate::{
    engine,
    knowledge::{Knowledge, nearest},
    report::{Paint, safe},
    world::{World, terminal::Terminal},
};

pub(super) fn run(world: &World, arguments: &ChecksArgs) -> Result<Exit, Failed> {
    if let Some(schema) = arguments.schema {
        let schema = match schema {
            SchemaChoice::Report => engine::report_schema(),
            SchemaChoice::Evidence => engine::evidence_schema(),
        };
        output::print(pages::schema(&schema).trim_end())?;
        return Ok(Exit::Ok);
    }
    let knowledge = packs::load(world, &arguments.checks, false)?;
    let paint = Paint::new(&Terminal::detect(world));
    let text = match &arguments.id {
        Some(id) => page(&knowledge, id)?,
        None if arguments.format == ListFormat::Json => json(&knowledge, arguments.causes)?,
        None if arguments.causes => causes(&knowledge, paint),
        None => checks(&knowledge, paint),
    };
    output::print(&text)?;
    Ok(Exit::Ok)
}

fn page(knowledge: &Knowledge, id: &str) -> Result<String, Failed> {
    if let Some(check) = knowledge.check(id) {
        return Ok(pages::check_page(check, knowledge));
    }
    if let Some(cause) = knowledge.causes.get(id) {
        return Ok(pages::cause_page(cause, knowledge));
    }
    let known =
        knowledge.checks.iter().map(|check| check.id.as_str()).chain(knowledge.causes.keys().map(String::as_str));
    let hint = nearest(id, known)
        .map(|near| format!("did you mean `{near}`? `bedside checks` lists them"))
        .unwrap_or_else(|| "`bedside checks` lists them, `bedside checks --causes` the causes".to_owned());
    Err(Failed::new(format!("there is neither a check nor a cause `{id}`")).hint(hint))
}

fn checks(knowledge: &Knowledge, paint: Paint) -> String {
    let mut page = String::new();
    let mut group = "";
    for check in &knowledge.checks {
        if check.group != group {
            if !group.is_empty() {
                page.push('\n');
            }
            group = &check.group;
            page.push_str(&format!("{}\n", paint.bold(group)));
        }
        let foreign = if check.foreign { " (from a pack of yours)" } else { "" };
        page.push_str(&format!("  {}{foreign}\n", safe(&check.id)));
        page.push_str(&format!("{}\n", paint.dim(&paint.paragraph(&check.title, 6))));
    }
    paint.finish(&page)
}

fn causes(knowledge: &Knowledge, paint: Paint) -> String {
    let mut page = String::new();
    for cause in knowledge.causes.values() {
        page.push_str(&format!("{}\n", safe(&cause.slug)));
        page.push_str(&format!("{}\n", paint.dim(&paint.paragraph(&cause.title, 4))));
    }
    paint.finish(&page)
}

fn json(knowledge: &Knowledge, causes: bool) -> Result<String, Failed> {
    let list: Vec<serde_json::Value> = if causes {
        knowledge
            .causes
            .values()
            .map(|cause| serde_json::json!({ "slug": cause.slug, "title": cause.title, "area": cause.area, "set_up": cause.set_up }))
            .collect()
    } else {
        knowledge
            .checks
            .iter()
            .map(|check| {
                serde_json::json!({
                    "id": check.id, "group": check.group, "title": check.title, "needs": check.needs, "may": check.may,
                    "establishes": check.establishes, "foreign": check.foreign,
                })
            })
            .collect()
    };
    serde_json::to_string_pretty(&list).map_err(|error| Failed::new(error.to_string()))
}
