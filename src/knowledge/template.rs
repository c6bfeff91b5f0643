//! Text with places for facts: `{subject.model_id}`, or `{subject.profile|default}` with words for when the fact is absent.

use serde_json::Value;

use crate::evidence::{Lookup, lookup};

/// A parsed template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    source: String,
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Path { path: String, otherwise: Option<String> },
}

impl Template {
    /// Parses a template. `{{` stands for a brace.
    ///
    /// # Errors
    /// A brace without its partner, or an empty or malformed path, in words.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut plain = String::new();
        let mut characters = text.chars().peekable();
        while let Some(character) = characters.next() {
            match character {
                '{' if characters.peek() == Some(&'{') => {
                    characters.next();
                    plain.push('{');
                }
                '}' if characters.peek() == Some(&'}') => {
                    characters.next();
                    plain.push('}');
                }
                '}' => return Err("a `}` without its `{` (write `}}` for a brace)".to_owned()),
                '{' => {
                    let mut inside = String::new();
                    loop {
                        match characters.next() {
                            Some('}') => break,
                            Some('{') | None => return Err(format!("`{{{inside}` has no closing `}}`")),
                            Some(other) => inside.push(other),
                        }
                    }
                    let (path, otherwise) = match inside.split_once('|') {
                        Some((path, otherwise)) => (path, Some(otherwise.to_owned())),
                        None => (inside.as_str(), None),
                    };
                    let well_formed = !path.is_empty()
                        && path.split('.').all(|name| {
                            !name.is_empty()
                                && name.chars().all(|it| it.is_ascii_alphanumeric() || it == '_' || it == '-')
                        });
                    if !well_formed {
                        return Err(format!("`{{{inside}}}` is no path of a fact"));
                    }
                    if !plain.is_empty() {
                        parts.push(Part::Text(std::mem::take(&mut plain)));
                    }
                    parts.push(Part::Path { path: path.to_owned(), otherwise });
                }
                other => plain.push(other),
            }
        }
        if !plain.is_empty() {
            parts.push(Part::Text(plain));
        }
        Ok(Self { source: text.to_owned(), parts })
    }

    /// Returns the template as it was written.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Returns the paths in it.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Path { path, .. } => Some(path.as_str()),
            Part::Text(_) => None,
        })
    }

    /// Fills in the facts. A fact that is not known and has no words of its own becomes "(unknown)".
    pub fn render(&self, document: &Value) -> String {
        let mut text = String::new();
        for part in &self.parts {
            match part {
                Part::Text(plain) => text.push_str(plain),
                Part::Path { path, otherwise } => match lookup(document, path) {
                    Lookup::Known(value) => text.push_str(&spoken(&value)),
                    Lookup::Absent(_) | Lookup::Unreadable(_) => {
                        text.push_str(otherwise.as_deref().unwrap_or("(unknown)"));
                    }
                },
            }
        }
        text
    }
}

/// A value as a person would write it.
fn spoken(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::Number(number) => match number.as_f64() {
            Some(float) if float.fract() == 0.0 && float.abs() < 1e15 => grouped(&format!("{float:.0}")),
            _ => number.to_string(),
        },
        Value::Array(items) => items.iter().map(spoken).collect::<Vec<_>>().join(", "),
        Value::Null => "(none)".to_owned(),
        Value::Object(_) => value.to_string(),
    }
}

/// Digits in groups of three, with thin spaces that do not break: quotas have seven digits and more.
fn grouped(digits: &str) -> String {
    let (sign, digits) = digits.strip_prefix('-').map_or(("", digits), |rest| ("-", rest));
    if digits.len() <= 4 {
        return format!("{sign}{digits}");
    }
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index) % 3 == 0 {
            out.push(',');
        }
        out.push(digit);
    }
    format!("{sign}{out}")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Template;

    fn render(template: &str) -> String {
        Template::parse(template).unwrap().render(&json!({
            "region": { "known": { "name": "us-east-1" } },
            "limit": 30_000_000.0, "list": ["a", "b"], "nothing": null,
        }))
    }

    #[test]
    fn facts_are_filled_in() {
        assert_eq!(render("in {region.name}: {limit}, {list}"), "in us-east-1: 30,000,000, a, b");
        assert_eq!(render("{nothing|none set} and {missing}"), "none set and (unknown)");
        assert_eq!(render("{{\"a\": 1}}"), "{\"a\": 1}");
    }

    #[test]
    fn malformed_templates_are_refused() {
        for bad in ["{", "}", "{a", "{}", "{a b}", "{a..b}", "{a{b}}"] {
            assert!(Template::parse(bad).is_err(), "{bad}");
        }
    }
}
