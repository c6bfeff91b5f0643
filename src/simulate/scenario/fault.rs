//! Faults as scenarios and command lines write them.

use std::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use super::duration::Span;
use crate::simulate::iam::pattern::matches_plain;
use crate::simulate::texts;

/// `[[faults]]`: what goes wrong, for which calls, how often.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultSpec {
    /// Patterns; absent matches everything.
    #[serde(default = "star")]
    pub service: String,
    #[serde(default = "star")]
    pub operation: String,
    #[serde(default = "star")]
    pub model: String,
    #[serde(default = "star")]
    pub region: String,
    pub kind: FaultKind,
    /// For `status`, and for `html`, `empty` and `garbage` if they are not to be 200.
    pub status: Option<u16>,
    /// The key of a text, for `refuse`, `throttle` and `exception-frame`.
    pub text: Option<String>,
    /// How long `latency` waits; any other fault waits, too, if it is given.
    pub delay: Option<Span>,
    #[serde(default)]
    pub times: Times,
    /// So many matching calls go through before the first one is hit.
    #[serde(default)]
    pub after: u32,
}

/// What goes wrong.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum FaultKind {
    /// The service is refused for lack of quota or capacity.
    Throttle,
    /// A refusal with a text of the scenario's choice.
    Refuse,
    /// A bare status with an empty JSON object.
    Status,
    /// No answer ever comes.
    Hang,
    /// The connection is reset.
    Reset,
    /// Bytes that are nothing.
    Garbage,
    /// A page of something in between.
    Html,
    /// No body at all.
    Empty,
    /// The stream breaks in its middle.
    TruncateStream,
    /// The stream ends in an exception frame.
    ExceptionFrame,
    /// The right body with a content type that is not its own.
    WrongContentType,
    /// The right answer of a list operation, with its lists empty.
    EmptyLists,
    /// A refusal with a body of ten megabytes.
    BigError,
    /// A late answer.
    Latency,
}

/// How often a fault strikes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Times {
    #[default]
    Always,
    Count(u32),
}

impl FaultKind {
    /// Whether something in between is to blame: such a fault strikes before AWS has seen the call.
    pub(crate) fn in_between(self) -> bool {
        matches!(self, Self::Hang | Self::Reset | Self::Garbage | Self::Html | Self::Empty | Self::Status)
    }

    /// Whether the call is refused by the service, after it was authorized.
    pub(crate) fn refuses(self) -> bool {
        matches!(self, Self::Throttle | Self::Refuse | Self::BigError)
    }
}

impl FaultSpec {
    /// Whether the fault is meant for such a call.
    pub(crate) fn matches(&self, service: &str, operation: &str, model: &str, region: &str) -> bool {
        matches_plain(&self.service, service)
            && matches_plain(&self.operation, operation)
            && matches_plain(&self.model, model)
            && matches_plain(&self.region, region)
    }

    /// Returns what is wrong with the fault itself.
    pub(crate) fn complaint(&self) -> Option<String> {
        match (self.kind, &self.text) {
            (FaultKind::Refuse, None) => Some("a fault of kind `refuse` needs the key of a `text`".to_owned()),
            (_, Some(key)) => match texts::by_key(key).map(|text| text.unfilled(&["model"])) {
                None => Some(format!("`{key}` is the key of no text")),
                Some(Some(name)) => Some(format!("`{key}` needs a `{name}`, which a fault does not give")),
                Some(None) => None,
            },
            (FaultKind::Status, _) if self.status.is_none() => {
                Some("a fault of kind `status` needs a `status`".to_owned())
            }
            (FaultKind::Latency, _) if self.delay.is_none() => {
                Some("a fault of kind `latency` needs a `delay`".to_owned())
            }
            _ => None,
        }
    }

    fn of(kind: FaultKind) -> Self {
        Self {
            service: star(),
            operation: star(),
            model: star(),
            region: star(),
            kind,
            status: None,
            text: None,
            delay: None,
            times: Times::Always,
            after: 0,
        }
    }
}

/// Reads a fault from a command line.
///
/// `latency=200ms` concerns every call; `SERVICE[:OPERATION][@MODEL]=KIND[-ARGUMENT][:TIMES]` the matching ones, e.g.
/// `bedrock-runtime:*=throttle:2`, `sts=status-503`, `bedrock-runtime:InvokeModel*@*opus*=hang`, `*=refuse-throttle-tokens:1`.
impl FromStr for FaultSpec {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (place, what) = text.split_once('=').ok_or_else(|| format!("fault `{text}` has no `=`"))?;
        if place == "latency" {
            let delay = Span::parse(what).ok_or_else(|| format!("`{what}` is no span of time"))?;
            return Ok(Self { delay: Some(delay), ..Self::of(FaultKind::Latency) });
        }
        let (what, times) = match what.rsplit_once(':') {
            Some((what, "always")) => (what, Times::Always),
            Some((what, times)) => {
                let times = times.parse().map_err(|_| format!("`{times}` is neither a number nor `always`"))?;
                (what, Times::Count(times))
            }
            None => (what, Times::Always),
        };
        let mut fault = Self { times, ..Self::kind_from(what)? };
        let (place, model) = place.split_once('@').unwrap_or((place, "*"));
        let (service, operation) = place.split_once(':').unwrap_or((place, "*"));
        (fault.service, fault.operation, fault.model) = (service.to_owned(), operation.to_owned(), model.to_owned());
        fault.complaint().map_or(Ok(fault), Err)
    }
}

impl FaultSpec {
    /// Reads `throttle`, `status-503`, `latency-2s` or `refuse-throttle-tokens`.
    fn kind_from(text: &str) -> Result<Self, String> {
        let named = |name: &str| FaultKind::deserialize(serde_json::Value::from(name)).ok();
        if let Some(kind) = named(text) {
            return Ok(Self::of(kind));
        }
        let unknown = || format!("`{text}` is no kind of fault");
        let (name, argument) = text.split_once('-').ok_or_else(unknown)?;
        let mut fault = Self::of(named(name).ok_or_else(unknown)?);
        match fault.kind {
            FaultKind::Status | FaultKind::Html | FaultKind::Empty | FaultKind::Garbage => {
                fault.status = Some(argument.parse().map_err(|_| unknown())?);
            }
            FaultKind::Latency => fault.delay = Some(Span::parse(argument).ok_or_else(unknown)?),
            FaultKind::Refuse | FaultKind::Throttle => fault.text = Some(argument.to_owned()),
            _ => return Err(unknown()),
        }
        Ok(fault)
    }
}

impl<'de> Deserialize<'de> for Times {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match serde_json::Value::deserialize(deserializer)? {
            serde_json::Value::Number(number) => number
                .as_u64()
                .and_then(|number| u32::try_from(number).ok())
                .map(Self::Count)
                .ok_or_else(|| D::Error::custom("`times` is a small number or \"always\"")),
            serde_json::Value::String(text) if text == "always" => Ok(Self::Always),
            other => Err(D::Error::custom(format!("`times` is a number or \"always\", not {other}"))),
        }
    }
}

fn star() -> String {
    "*".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn command_lines_write_faults() {
        let fault: FaultSpec =
            "bedrock-runtime:Invoke*@us.anthropic.claude-sonnet-4-5-20250929-v1:0=throttle:2".parse().unwrap();
        assert_eq!((fault.kind, fault.times), (FaultKind::Throttle, Times::Count(2)));
        assert_eq!((fault.operation.as_str(), fault.model.len()), ("Invoke*", 44));
        let fault: FaultSpec = "latency=200ms".parse().unwrap();
        assert_eq!(fault.delay.unwrap().wait().as_millis(), 200);
        let fault: FaultSpec = "sts=status-503".parse().unwrap();
        assert_eq!((fault.kind, fault.status), (FaultKind::Status, Some(503)));
        let fault: FaultSpec = "*=refuse-throttle-daily-tokens:1".parse().unwrap();
        assert_eq!(fault.text.as_deref(), Some("throttle-daily-tokens"));
        let fault: FaultSpec = "bedrock-runtime=exception-frame".parse().unwrap();
        assert_eq!(fault.kind, FaultKind::ExceptionFrame);
        let fault: FaultSpec = "*=empty-lists".parse().unwrap();
        assert_eq!((fault.kind, fault.status), (FaultKind::EmptyLists, None));
        for wrong in [
            "sts",
            "sts=explode",
            "latency=soon",
            "sts=status-many",
            "sts=hang:often",
            "sts=refuse-no-such-text",
            "*=refuse-prompt-too-long",
        ] {
            assert!(wrong.parse::<FaultSpec>().is_err(), "{wrong}");
        }
    }
}
