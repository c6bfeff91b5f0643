//! The `Condition` element and the request context it looks at.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;

use super::pattern;
use super::policy::{in_network, strings};

/// The condition keys of one request. Keys are compared without regard to case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Context(BTreeMap<String, Vec<String>>);

impl Context {
    /// Adds a key with one value.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<String>) -> Self {
        self.set(key, value);
        self
    }

    /// Sets a key to one value.
    pub fn set(&mut self, key: &str, value: impl Into<String>) {
        self.0.insert(key.to_ascii_lowercase(), vec![value.into()]);
    }

    /// Sets a key to several values.
    pub fn set_all(&mut self, key: &str, values: Vec<String>) {
        self.0.insert(key.to_ascii_lowercase(), values);
    }

    /// Returns the values of a key.
    pub fn get(&self, key: &str) -> Option<&[String]> {
        self.0.get(&key.to_ascii_lowercase()).map(Vec::as_slice)
    }
}

/// One line of a `Condition` element.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Condition {
    operator: Operator,
    negated: bool,
    quantifier: Option<Quantifier>,
    if_exists: bool,
    key: String,
    values: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Quantifier {
    AnyValue,
    AllValues,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    StringEquals,
    StringEqualsIgnoreCase,
    StringLike,
    Arn,
    Bool,
    Null,
    IpAddress,
    Date(Order),
    Numeric(Order),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    Equals,
    LessThan,
    LessThanEquals,
    GreaterThan,
    GreaterThanEquals,
}

impl Condition {
    /// Reads a whole `Condition` block.
    pub(super) fn from_json(block: &Value) -> Result<Vec<Self>, String> {
        let operators = block.as_object().ok_or("it is no object")?;
        let mut conditions = Vec::new();
        for (name, keys) in operators {
            let (quantifier, rest) = match name.split_once(':') {
                Some(("ForAnyValue", rest)) => (Some(Quantifier::AnyValue), rest),
                Some(("ForAllValues", rest)) => (Some(Quantifier::AllValues), rest),
                Some(_) => return Err(format!("unknown operator `{name}`")),
                None => (None, name.as_str()),
            };
            let (rest, if_exists) = rest.strip_suffix("IfExists").map_or((rest, false), |rest| (rest, true));
            let (operator, negated) = Operator::parse(rest).ok_or_else(|| format!("unknown operator `{name}`"))?;
            for (key, value) in keys.as_object().ok_or_else(|| format!("`{name}` holds no keys"))? {
                let values = strings(value).ok_or_else(|| format!("`{key}` holds no strings"))?;
                conditions.push(Self { operator, negated, quantifier, if_exists, key: key.clone(), values });
            }
        }
        Ok(conditions)
    }

    /// Whether the condition is met.
    pub(super) fn holds(&self, context: &Context) -> bool {
        let present = context.get(&self.key);
        if self.operator == Operator::Null {
            return self.values.iter().any(|value| value.eq_ignore_ascii_case("true") == present.is_none());
        }
        let Some(actual) = present else {
            // A missing key meets negated operators, `…IfExists` and `ForAllValues`; it fails every other one.
            return match self.quantifier {
                Some(Quantifier::AllValues) => true,
                Some(Quantifier::AnyValue) => self.if_exists,
                None => self.if_exists || self.negated,
            };
        };
        let meets = |value: &String| {
            let hit = self.values.iter().any(|wanted| self.operator.holds(wanted, value, context));
            hit != self.negated
        };
        match self.quantifier {
            Some(Quantifier::AllValues) => actual.iter().all(meets),
            // Without a quantifier a negated operator has to hold for every value that is there.
            None if self.negated => actual.iter().all(meets),
            Some(Quantifier::AnyValue) | None => actual.iter().any(meets),
        }
    }
}

impl Operator {
    fn parse(name: &str) -> Option<(Self, bool)> {
        Some(match name {
            "StringEquals" => (Self::StringEquals, false),
            "StringNotEquals" => (Self::StringEquals, true),
            "StringEqualsIgnoreCase" => (Self::StringEqualsIgnoreCase, false),
            "StringNotEqualsIgnoreCase" => (Self::StringEqualsIgnoreCase, true),
            "StringLike" => (Self::StringLike, false),
            "StringNotLike" => (Self::StringLike, true),
            "ArnEquals" | "ArnLike" => (Self::Arn, false),
            "ArnNotEquals" | "ArnNotLike" => (Self::Arn, true),
            "Bool" => (Self::Bool, false),
            "Null" => (Self::Null, false),
            "IpAddress" => (Self::IpAddress, false),
            "NotIpAddress" => (Self::IpAddress, true),
            _ => {
                let (make, order): (fn(Order) -> Self, _) =
                    match (name.strip_prefix("Date"), name.strip_prefix("Numeric")) {
                        (Some(order), _) => (Self::Date, order),
                        (_, Some(order)) => (Self::Numeric, order),
                        _ => return None,
                    };
                let (order, negated) = Order::parse(order)?;
                (make(order), negated)
            }
        })
    }

    fn holds(self, wanted: &str, actual: &str, context: &Context) -> bool {
        let filled = || pattern::fill(wanted, context);
        match self {
            Self::StringEquals => filled().as_deref() == Some(actual),
            Self::StringEqualsIgnoreCase => filled().is_some_and(|wanted| wanted.eq_ignore_ascii_case(actual)),
            Self::StringLike => pattern::matches(wanted, actual, context),
            Self::Arn => pattern::matches_arn(wanted, actual, context),
            Self::Bool => wanted.eq_ignore_ascii_case(actual),
            Self::Null => false,
            Self::IpAddress => in_network(wanted, actual),
            Self::Date(order) => match (instant(wanted), instant(actual)) {
                (Some(wanted), Some(actual)) => order.holds(&actual, &wanted),
                _ => false,
            },
            Self::Numeric(order) => match (wanted.parse::<f64>(), actual.parse::<f64>()) {
                (Ok(wanted), Ok(actual)) => order.holds(&actual, &wanted),
                _ => false,
            },
        }
    }
}

impl Order {
    fn parse(name: &str) -> Option<(Self, bool)> {
        Some(match name {
            "Equals" => (Self::Equals, false),
            "NotEquals" => (Self::Equals, true),
            "LessThan" => (Self::LessThan, false),
            "LessThanEquals" => (Self::LessThanEquals, false),
            "GreaterThan" => (Self::GreaterThan, false),
            "GreaterThanEquals" => (Self::GreaterThanEquals, false),
            _ => return None,
        })
    }

    fn holds<T: PartialOrd>(self, actual: &T, wanted: &T) -> bool {
        match self {
            Self::Equals => actual == wanted,
            Self::LessThan => actual < wanted,
            Self::LessThanEquals => actual <= wanted,
            Self::GreaterThan => actual > wanted,
            Self::GreaterThanEquals => actual >= wanted,
        }
    }
}

/// Reads a date of a policy: RFC 3339 or seconds since the epoch.
fn instant(text: &str) -> Option<Timestamp> {
    text.parse().ok().or_else(|| Timestamp::from_second(text.parse().ok()?).ok())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn holds(block: &Value, context: &Context) -> bool {
        Condition::from_json(block).unwrap().iter().all(|condition| condition.holds(context))
    }

    #[test]
    fn operators_on_present_keys() {
        let context = Context::default()
            .with("aws:RequestedRegion", "us-east-1")
            .with("aws:SourceIp", "10.1.2.3")
            .with("aws:MultiFactorAuthPresent", "false")
            .with("aws:CurrentTime", "2026-11-22T10:00:00Z")
            .with("bedrock:InferenceProfileArn", "arn:aws:bedrock:us-east-1:000000000001:inference-profile/us.a")
            .with("n", "5");
        for (block, expected) in [
            (json!({"StringEquals": {"aws:requestedregion": ["eu-west-1", "us-east-1"]}}), true),
            (json!({"StringEquals": {"aws:RequestedRegion": "US-EAST-1"}}), false),
            (json!({"StringEqualsIgnoreCase": {"aws:RequestedRegion": "US-EAST-1"}}), true),
            (json!({"StringNotEquals": {"aws:RequestedRegion": ["eu-west-1", "us-east-1"]}}), false),
            (json!({"StringNotEqualsIgnoreCase": {"aws:RequestedRegion": "EU-WEST-1"}}), true),
            (json!({"StringLike": {"aws:RequestedRegion": "us-*"}}), true),
            (json!({"StringNotLike": {"aws:RequestedRegion": ["eu-*", "us-*"]}}), false),
            (json!({"Bool": {"aws:MultiFactorAuthPresent": true}}), false),
            (json!({"Bool": {"aws:MultiFactorAuthPresent": "false"}}), true),
            (json!({"IpAddress": {"aws:SourceIp": ["10.0.0.0/8"]}}), true),
            (json!({"NotIpAddress": {"aws:SourceIp": ["10.0.0.0/8"]}}), false),
            (json!({"DateGreaterThan": {"aws:CurrentTime": "2026-11-22T09:00:00Z"}}), true),
            (json!({"DateLessThanEquals": {"aws:CurrentTime": "2026-11-22T09:00:00Z"}}), false),
            (json!({"NumericLessThan": {"n": 6}}), true),
            (json!({"NumericNotEquals": {"n": "5"}}), false),
            (json!({"ArnLike": {"bedrock:InferenceProfileArn": "arn:aws:bedrock:*:*:inference-profile/us.*"}}), true),
            (
                json!({"ArnNotLike": {"bedrock:InferenceProfileArn": "arn:aws:bedrock:*:*:inference-profile/global.*"}}),
                true,
            ),
            (
                json!({"ArnEquals": {"bedrock:InferenceProfileArn": "arn:aws:bedrock:us-west-2:*:inference-profile/us.a"}}),
                false,
            ),
        ] {
            assert_eq!(holds(&block, &context), expected, "{block}");
        }
    }

    #[test]
    fn missing_keys_fail_positive_operators_and_meet_negated_ones() {
        let none = Context::default();
        for (block, expected) in [
            (json!({"StringEquals": {"k": "v"}}), false),
            (json!({"StringEqualsIfExists": {"k": "v"}}), true),
            (json!({"StringNotEquals": {"k": "v"}}), true),
            (json!({"Bool": {"k": "false"}}), false),
            (json!({"BoolIfExists": {"k": "true"}}), true),
            (json!({"Null": {"k": "true"}}), true),
            (json!({"Null": {"k": "false"}}), false),
            (json!({"ForAllValues:StringEquals": {"k": "v"}}), true),
            (json!({"ForAnyValue:StringEquals": {"k": "v"}}), false),
        ] {
            assert_eq!(holds(&block, &none), expected, "{block}");
        }
    }

    #[test]
    fn quantifiers_look_at_every_value() {
        let mut context = Context::default();
        context.set_all("k", vec!["a".to_owned(), "b".to_owned()]);
        for (block, expected) in [
            (json!({"ForAnyValue:StringEquals": {"k": ["b", "c"]}}), true),
            (json!({"ForAllValues:StringEquals": {"k": ["b", "c"]}}), false),
            (json!({"ForAllValues:StringEquals": {"k": ["a", "b", "c"]}}), true),
            (json!({"ForAnyValue:StringNotEquals": {"k": "a"}}), true),
            (json!({"ForAllValues:StringNotEquals": {"k": "a"}}), false),
        ] {
            assert_eq!(holds(&block, &context), expected, "{block}");
        }
        assert!(Condition::from_json(&json!({"ForSomeValue:StringEquals": {"k": "v"}})).is_err());
    }
}
