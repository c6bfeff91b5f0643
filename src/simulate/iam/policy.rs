//! Policy documents, read from JSON.

use std::net::IpAddr;

use serde_json::Value;

use super::condition::{Condition, Context};
use super::pattern;

/// A policy document.
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    /// The ARN of a policy that has one; denials may name it.
    pub arn: Option<String>,
    pub statements: Vec<Statement>,
}

/// One statement of a policy.
#[derive(Clone, Debug, PartialEq)]
pub struct Statement {
    pub effect: Effect,
    actions: Selection,
    /// Absent in trust policies.
    resources: Option<Selection>,
    principals: Option<Principals>,
    conditions: Vec<Condition>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    Allow,
    Deny,
}

/// `Action` or `NotAction`, `Resource` or `NotResource`.
#[derive(Clone, Debug, PartialEq)]
struct Selection {
    patterns: Vec<String>,
    negated: bool,
}

/// `Principal` or `NotPrincipal`.
#[derive(Clone, Debug, PartialEq)]
struct Principals {
    /// Pairs of kind (`AWS`, `Federated`, `Service`) and value; `*` is the pair of two stars.
    entries: Vec<(String, String)>,
    negated: bool,
}

/// Why a text is no policy.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum PolicyError {
    #[error("policy is no JSON: {0}")]
    Json(String),
    #[error("policy has no `Statement`")]
    NoStatement,
    #[error("statement {0} has no `Effect` of Allow or Deny")]
    Effect(usize),
    #[error("statement {0} needs one of `{1}` and `Not{1}`, holding a string or a list of strings")]
    Selection(usize, &'static str),
    #[error("statement {0} has a condition that cannot be read: {1}")]
    Condition(usize, String),
    #[error("statement {0} has an unknown element `{1}`")]
    Element(usize, String),
}

/// Who is asking, as a trust policy or a resource-based policy sees it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asker {
    pub account: String,
    /// The ARNs under which the asker is known: its own, and the role's behind a session.
    pub arns: Vec<String>,
    /// The identity provider of a web identity.
    pub federated: Option<String>,
}

/// What a trust policy says to an asker, the weakest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trust {
    /// Nothing.
    Silent,
    /// Yes, by its account or by a star: its own account has to allow it, too.
    Account,
    /// Yes, by its own ARN.
    Itself,
    /// No.
    Denied,
}

impl Policy {
    /// Reads a policy document.
    pub fn parse(text: &str) -> Result<Self, PolicyError> {
        let value = serde_json::from_str(text).map_err(|error| PolicyError::Json(error.to_string()))?;
        Self::from_json(&value)
    }

    /// Reads a policy document that is JSON already.
    pub fn from_json(document: &Value) -> Result<Self, PolicyError> {
        let statements = match document.get("Statement") {
            Some(Value::Array(statements)) if !statements.is_empty() => statements.iter().collect(),
            Some(statement @ Value::Object(_)) => vec![statement],
            _ => return Err(PolicyError::NoStatement),
        };
        let statements = statements.into_iter().enumerate().map(|(at, value)| Statement::from_json(at, value));
        Ok(Self { arn: None, statements: statements.collect::<Result<_, _>>()? })
    }

    /// Gives the policy an ARN.
    #[must_use]
    pub fn with_arn(mut self, arn: impl Into<String>) -> Self {
        self.arn = Some(arn.into());
        self
    }

    /// Whether a statement of that effect applies.
    pub fn has(&self, effect: Effect, action: &str, resource: &str, context: &Context) -> bool {
        self.statements
            .iter()
            .any(|statement| statement.effect == effect && statement.applies(action, resource, context))
    }

    /// Whether a statement of that effect applies and names the asker.
    pub fn has_for(&self, asker: &Asker, effect: Effect, action: &str, resource: &str, context: &Context) -> bool {
        let named = |statement: &Statement| {
            statement.principals.as_ref().is_some_and(|principals| principals.name(asker).is_some())
        };
        self.statements.iter().any(|statement| {
            statement.effect == effect && named(statement) && statement.applies(action, resource, context)
        })
    }

    /// Whether every statement says whom it is for.
    pub fn names_principals(&self) -> bool {
        self.statements.iter().all(|statement| statement.principals.is_some())
    }

    /// Returns what a trust policy says to an asker that wants to perform the action.
    pub fn trust(&self, asker: &Asker, action: &str, context: &Context) -> Trust {
        let statements = self.statements.iter().filter_map(|statement| {
            let named = statement.principals.as_ref()?.name(asker)?;
            let applies = statement.actions.selects_action(action) && statement.conditions_hold(context);
            applies.then_some(if statement.effect == Effect::Deny { Trust::Denied } else { named })
        });
        statements.max().unwrap_or(Trust::Silent)
    }
}

impl Statement {
    fn from_json(at: usize, value: &Value) -> Result<Self, PolicyError> {
        let object = value.as_object().ok_or(PolicyError::NoStatement)?;
        let known = [
            "Sid",
            "Effect",
            "Action",
            "NotAction",
            "Resource",
            "NotResource",
            "Condition",
            "Principal",
            "NotPrincipal",
        ];
        if let Some(unknown) = object.keys().find(|key| !known.contains(&key.as_str())) {
            return Err(PolicyError::Element(at, unknown.clone()));
        }
        let effect = match value["Effect"].as_str() {
            Some("Allow") => Effect::Allow,
            Some("Deny") => Effect::Deny,
            _ => return Err(PolicyError::Effect(at)),
        };
        let actions = Selection::from_json(value, "Action").ok_or(PolicyError::Selection(at, "Action"))?;
        let resources = Selection::from_json(value, "Resource");
        let principals = Principals::from_json(value);
        if resources.is_none() && principals.is_none() {
            return Err(PolicyError::Selection(at, "Resource"));
        }
        let conditions = match value.get("Condition") {
            Some(block) => Condition::from_json(block).map_err(|reason| PolicyError::Condition(at, reason))?,
            None => Vec::new(),
        };
        Ok(Self { effect, actions, resources, principals, conditions })
    }

    fn applies(&self, action: &str, resource: &str, context: &Context) -> bool {
        self.actions.selects_action(action)
            && self.resources.as_ref().is_none_or(|resources| resources.selects_resource(resource, context))
            && self.conditions_hold(context)
    }

    fn conditions_hold(&self, context: &Context) -> bool {
        self.conditions.iter().all(|condition| condition.holds(context))
    }
}

impl Selection {
    fn from_json(statement: &Value, name: &str) -> Option<Self> {
        let (value, negated) = match (statement.get(name), statement.get(format!("Not{name}"))) {
            (Some(value), None) => (value, false),
            (None, Some(value)) => (value, true),
            _ => return None,
        };
        Some(Self { patterns: strings(value)?, negated })
    }

    /// Actions are compared without regard to case.
    fn selects_action(&self, action: &str) -> bool {
        let action = action.to_ascii_lowercase();
        let hit = self.patterns.iter().any(|pattern| pattern::matches_plain(&pattern.to_ascii_lowercase(), &action));
        hit != self.negated
    }

    fn selects_resource(&self, resource: &str, context: &Context) -> bool {
        self.patterns.iter().any(|pattern| pattern::matches_arn(pattern, resource, context)) != self.negated
    }
}

impl Principals {
    fn from_json(statement: &Value) -> Option<Self> {
        let (value, negated) = match (statement.get("Principal"), statement.get("NotPrincipal")) {
            (Some(value), _) => (value, false),
            (None, Some(value)) => (value, true),
            _ => return None,
        };
        let entries = match value {
            Value::Object(kinds) => kinds
                .iter()
                .flat_map(|(kind, value)| {
                    strings(value).unwrap_or_default().into_iter().map(|entry| (kind.clone(), entry))
                })
                .collect(),
            _ => vec![("*".to_owned(), "*".to_owned())],
        };
        Some(Self { entries, negated })
    }

    fn name(&self, asker: &Asker) -> Option<Trust> {
        let named = self.entries.iter().filter_map(|(kind, value)| match kind.as_str() {
            "*" => Some(Trust::Account),
            "Federated" => (asker.federated.as_ref() == Some(value)).then_some(Trust::Itself),
            "AWS" if asker.federated.is_some() => None,
            "AWS" if value == "*" || *value == asker.account => Some(Trust::Account),
            "AWS" if *value == format!("arn:aws:iam::{}:root", asker.account) => Some(Trust::Account),
            "AWS" => asker.arns.contains(value).then_some(Trust::Itself),
            _ => None,
        });
        match (self.negated, named.max()) {
            (false, named) => named,
            (true, None) => Some(Trust::Account),
            (true, Some(_)) => None,
        }
    }
}

/// Returns a string or a list of strings as a list.
pub(super) fn strings(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::String(one) => Some(vec![one.clone()]),
        Value::Bool(flag) => Some(vec![flag.to_string()]),
        Value::Number(number) => Some(vec![number.to_string()]),
        Value::Array(many) => many.iter().map(|one| strings(one).and_then(|mut one| one.pop())).collect(),
        _ => None,
    }
}

/// Whether an address lies in a network written as `a.b.c.d/n`.
pub(super) fn in_network(network: &str, address: &str) -> bool {
    let (base, length) = network.split_once('/').unwrap_or((network, ""));
    let (Ok(base), Ok(address)) = (base.parse::<IpAddr>(), address.parse::<IpAddr>()) else { return false };
    let (base, address, width) = match (base, address) {
        (IpAddr::V4(base), IpAddr::V4(address)) => (u128::from(base.to_bits()), u128::from(address.to_bits()), 32),
        (IpAddr::V6(base), IpAddr::V6(address)) => (base.to_bits(), address.to_bits(), 128),
        _ => return false,
    };
    let length: u32 = length.parse().unwrap_or(width);
    length <= width && (length == 0 || (base ^ address) >> (width - length) == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn broken_documents_say_what_is_wrong() {
        for (text, expected) in [
            ("{", "policy is no JSON"),
            ("{}", "policy has no `Statement`"),
            (r#"{"Statement":{"Effect":"allow","Action":"*","Resource":"*"}}"#, "statement 0 has no `Effect`"),
            (r#"{"Statement":{"Effect":"Allow","Resource":"*"}}"#, "needs one of `Action` and `NotAction`"),
            (r#"{"Statement":{"Effect":"Allow","Action":"*"}}"#, "needs one of `Resource`"),
            (
                r#"{"Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condtion":{}}}"#,
                "unknown element `Condtion`",
            ),
            (
                r#"{"Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringEqual":{"a":"b"}}}}"#,
                "condition that cannot be read",
            ),
        ] {
            let error = Policy::parse(text).unwrap_err().to_string();
            assert!(error.contains(expected), "{error} should contain {expected}");
        }
    }

    #[test]
    fn trust_policies_tell_the_account_from_the_principal_itself() {
        let asker = Asker {
            account: "000000000001".to_owned(),
            arns: vec!["arn:aws:iam::000000000001:user/dev".to_owned()],
            federated: None,
        };
        let trust = |principal: &str| {
            Policy::parse(&format!(
                r#"{{"Statement":{{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{principal}}}}}"#
            ))
            .unwrap()
            .trust(&asker, "sts:AssumeRole", &Context::default())
        };
        assert_eq!(trust(r#"{"AWS":"arn:aws:iam::000000000001:root"}"#), Trust::Account);
        assert_eq!(trust(r#"{"AWS":"arn:aws:iam::000000000001:user/dev"}"#), Trust::Itself);
        assert_eq!(trust(r#"{"AWS":["000000000002"]}"#), Trust::Silent);
        assert_eq!(trust(r#"{"Federated":"oidc"}"#), Trust::Silent);
        assert_eq!(trust(r#""*""#), Trust::Account);
    }

    #[test]
    fn networks_contain_addresses() {
        assert!(in_network("10.0.0.0/8", "10.1.2.3"));
        assert!(!in_network("10.0.0.0/8", "11.1.2.3"));
        assert!(in_network("10.1.2.3", "10.1.2.3"));
        assert!(in_network("2001:db8::/32", "2001:db8::1"));
        assert!(!in_network("10.0.0.0/8", "2001:db8::1"));
        assert!(in_network("0.0.0.0/0", "8.8.8.8"));
    }
}
