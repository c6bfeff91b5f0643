//! One value of the evidence, and why it may be missing. This is the type that keeps "could not look" from turning into "passes"
//! or "fails": whoever reads a fact has to say what happens in each of the three cases.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use super::Failure;

/// What is said of a fact that nobody came to look at.
pub(crate) const NOT_LOOKED_AT: &str = "the run ended before this was looked at";

/// A fact of the evidence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fact<T> {
    /// It was seen.
    Known(T),
    /// It was looked for and is not there, or does not apply to this set-up. The text says which.
    Absent(String),
    /// It could not be looked at.
    Unreadable(Unreadable),
}

/// Why a fact could not be looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Unreadable {
    /// The kind of obstacle.
    pub why: Why,
    /// The obstacle in words, safe to print.
    pub detail: String,
    /// The IAM action that would have allowed it, when a permission was missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permission: Option<String>,
    /// The failed call, when there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
}

/// The kinds of obstacles between bedside and a fact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Why {
    /// The service refused the call.
    Permission,
    /// No answer within the deadline.
    Timeout,
    /// The call failed for any other reason.
    Fault,
    /// An option said not to look (`--no-invoke`, `--offline`, `--skip`).
    NotAsked,
    /// The run ended before the answer came.
    Unfinished,
    /// bedside does not know how to look at this kind of set-up.
    Unsupported,
    /// Something that it depends on is itself missing.
    Dependency,
}

impl<T> Fact<T> {
    /// Returns an unreadable fact.
    pub fn unreadable(why: Why, detail: impl Into<String>) -> Self {
        Self::Unreadable(Unreadable { why, detail: detail.into(), permission: None, failure: None })
    }

    /// Returns a fact nobody has looked at yet; what is still so at the end of a run was not finished.
    pub fn pending() -> Self {
        Self::unreadable(Why::Unfinished, NOT_LOOKED_AT)
    }

    /// Returns the value if it is known.
    pub fn known(&self) -> Option<&T> {
        match self {
            Self::Known(value) => Some(value),
            Self::Absent(_) | Self::Unreadable(_) => None,
        }
    }

    /// Returns the obstacle if there is one.
    pub fn obstacle(&self) -> Option<&Unreadable> {
        match self {
            Self::Unreadable(unreadable) => Some(unreadable),
            Self::Known(_) | Self::Absent(_) => None,
        }
    }
}

impl<T: JsonSchema> JsonSchema for Fact<T> {
    fn schema_name() -> Cow<'static, str> {
        format!("Fact_of_{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let value = generator.subschema_for::<T>();
        let unreadable = generator.subschema_for::<Unreadable>();
        json_schema!({
            "description": "A fact: known, absent, or unreadable with the reason.",
            "oneOf": [
                { "type": "object", "properties": { "known": value }, "required": ["known"], "additionalProperties": false },
                { "type": "object", "properties": { "absent": { "type": "string" } }, "required": ["absent"], "additionalProperties": false },
                { "type": "object", "properties": { "unreadable": unreadable }, "required": ["unreadable"], "additionalProperties": false }
            ]
        })
    }
}
