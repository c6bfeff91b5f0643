//! Dotted paths such as `invoke.main.stream.ok`: what value stands there, and whether the schema knows such a place at all. Facts
//! are walked through: a path goes on inside a known fact, and ends at the first that is absent or unreadable.

use std::collections::BTreeSet;

use serde_json::Value;

use super::Unreadable;

/// What stands at a path.
#[derive(Clone, Debug, PartialEq)]
pub enum Lookup {
    /// A value.
    Known(Value),
    /// Nothing: absent, or an optional member that is not there.
    Absent(String),
    /// A fact that could not be looked at.
    Unreadable(Unreadable),
}

/// Looks up a path in a document.
pub fn lookup(document: &Value, path: &str) -> Lookup {
    let mut here = document;
    let mut walked = String::new();
    for name in path.split('.') {
        match unwrap_fact(here) {
            Ok(inside) => here = inside,
            Err(end) => return end,
        }
        if !walked.is_empty() {
            walked.push('.');
        }
        walked.push_str(name);
        match here.get(name) {
            Some(Value::Null) | None => return Lookup::Absent(format!("{walked} is not there")),
            Some(next) => here = next,
        }
    }
    match unwrap_fact(here) {
        Ok(value) => Lookup::Known(strip_facts(value)),
        Err(end) => end,
    }
}

/// Steps into a known fact; anything that is no fact is returned as it is.
fn unwrap_fact(value: &Value) -> Result<&Value, Lookup> {
    let Value::Object(members) = value else { return Ok(value) };
    if members.len() != 1 {
        return Ok(value);
    }
    if let Some(inside) = members.get("known") {
        return Ok(inside);
    }
    if let Some(Value::String(reason)) = members.get("absent") {
        return Err(Lookup::Absent(reason.clone()));
    }
    if let Some(obstacle) = members.get("unreadable")
        && let Ok(unreadable) = serde_json::from_value::<Unreadable>(obstacle.clone())
    {
        return Err(Lookup::Unreadable(unreadable));
    }
    Ok(value)
}

/// Replaces facts inside a value by what they know, or by null.
fn strip_facts(value: &Value) -> Value {
    match unwrap_fact(value) {
        Err(_) => Value::Null,
        Ok(Value::Object(members)) => {
            Value::Object(members.iter().map(|(name, member)| (name.clone(), strip_facts(member))).collect())
        }
        Ok(Value::Array(items)) => Value::Array(items.iter().map(strip_facts).collect()),
        Ok(other) => other.clone(),
    }
}

/// Every path that a schema knows.
#[derive(Clone, Debug, Default)]
pub struct SchemaPaths {
    paths: BTreeSet<String>,
    /// Places below which any name may stand.
    open: BTreeSet<String>,
}

impl SchemaPaths {
    /// Collects the paths of a JSON Schema below `prefix` (empty for the document itself).
    pub fn collect(&mut self, schema: &Value, prefix: &str) {
        let definitions = schema.get("$defs").cloned().unwrap_or(Value::Null);
        self.walk(schema, &definitions, prefix, 0);
    }

    /// Returns whether the path exists.
    pub fn contains(&self, path: &str) -> bool {
        self.paths.contains(path)
            || self.open.iter().any(|open| path.strip_prefix(open.as_str()).is_some_and(|rest| rest.starts_with('.')))
    }

    /// Returns every path, sorted.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.paths.iter().map(String::as_str)
    }

    fn walk(&mut self, schema: &Value, definitions: &Value, at: &str, depth: u32) {
        // Schemas of ours are trees of small depth; the bound is for a schema that refers to itself.
        if depth > 24 {
            return;
        }
        if !at.is_empty() {
            self.paths.insert(at.to_owned());
        }
        if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
            let name = reference.rsplit('/').next().unwrap_or_default();
            if let Some(target) = definitions.get(name) {
                self.walk(target, definitions, at, depth + 1);
            }
        }
        for combined in ["oneOf", "anyOf", "allOf"] {
            for variant in schema.get(combined).and_then(Value::as_array).into_iter().flatten() {
                // A fact is walked through to what it knows.
                if let Some(known) = variant.pointer("/properties/known") {
                    self.walk(known, definitions, at, depth + 1);
                } else if variant.pointer("/properties/absent").is_none()
                    && variant.pointer("/properties/unreadable").is_none()
                {
                    self.walk(variant, definitions, at, depth + 1);
                }
            }
        }
        if let Some(members) = schema.get("properties").and_then(Value::as_object) {
            for (name, member) in members {
                let path = if at.is_empty() { name.clone() } else { format!("{at}.{name}") };
                self.walk(member, definitions, &path, depth + 1);
            }
        }
        if schema.get("additionalProperties").is_some_and(Value::is_object) {
            self.open.insert(at.to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use schemars::schema_for;
    use serde_json::json;

    use super::*;
    use crate::evidence::{Evidence, Why};

    #[test]
    fn facts_are_walked_through() {
        let document = json!({
            "identity": { "known": { "account": "1" } },
            "region": { "absent": "nobody said" },
            "invoke": { "main": { "unreadable": { "why": "timeout", "detail": "15 s" } } },
            "calls": [],
        });
        assert_eq!(lookup(&document, "identity.account"), Lookup::Known(json!("1")));
        assert_eq!(lookup(&document, "region.name"), Lookup::Absent("nobody said".into()));
        assert!(matches!(lookup(&document, "invoke.main.stream.ok"), Lookup::Unreadable(it) if it.why == Why::Timeout));
        assert!(matches!(lookup(&document, "identity.session"), Lookup::Absent(_)));
    }

    #[test]
    fn the_schema_knows_its_paths() {
        let mut paths = SchemaPaths::default();
        paths.collect(schema_for!(Evidence).as_value(), "");
        for path in [
            "identity.account",
            "settings.models.main.id",
            "region.name",
            "invoke.main.stream.failure.code",
            "settings.endpoints.sts",
        ] {
            assert!(paths.contains(path), "{path}");
        }
        assert!(!paths.contains("identity.acount"));
        assert!(!paths.contains("invoke.main.known"));
    }
}
