//! How a call failed, as it was seen: code, status and text. What it means is decided when judging, never here.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::world::terminal::is_live;

/// The most that is kept of a message from outside, in characters.
pub const MAX_MESSAGE_CHARS: usize = 2_000;

/// A call that did not succeed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Failure {
    /// Where on the way it failed.
    pub kind: FailureKind,
    /// The error code of the service, such as `AccessDeniedException`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The text: the service's own, or that of the obstacle. Control characters are removed.
    pub message: String,
    /// HTTP status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The shape of the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub envelope: Option<Envelope>,
    /// The request id that AWS gave it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// `Content-Type` of the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    /// How long the service asks to wait, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
}

impl Failure {
    /// Returns a failure on this side of the service.
    pub fn local(kind: FailureKind, message: impl AsRef<str>) -> Self {
        Self {
            kind,
            code: None,
            message: clean(message.as_ref()),
            status: None,
            envelope: None,
            request_id: None,
            content_type: None,
            retry_after_ms: None,
        }
    }

    /// Returns the error code, or the kind of obstacle where there is none: one word for tables.
    pub fn word(&self) -> &str {
        self.code.as_deref().unwrap_or_else(|| self.kind.word())
    }

    /// Returns the text without the names of an SDK's own layers, which say nothing to a person.
    pub fn spoken(&self) -> String {
        if self.is_answer() { self.message.clone() } else { without_layers(&self.message) }
    }

    /// Returns whether the service itself answered, rather than something on the way to it.
    pub fn is_answer(&self) -> bool {
        self.kind == FailureKind::Service
    }
}

/// Where on the way a call failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FailureKind {
    /// The service answered with an error.
    Service,
    /// No credentials, or they could not be got.
    Credentials,
    /// The host name could not be resolved.
    Dns,
    /// The connection was refused or could not be made.
    Connect,
    /// The connection was not made in time.
    ConnectTimeout,
    /// The certificate of the other side was not accepted, or TLS failed otherwise.
    Tls,
    /// The proxy refused.
    Proxy,
    /// The connection was cut.
    Reset,
    /// No answer in time.
    Timeout,
    /// The answer was no answer of the service: HTML, garbage, an empty body.
    Response,
    /// A stream began and ended before its end.
    CutStream,
    /// The request could not be built, for want of a Region for example.
    Construction,
    /// Anything else.
    Other,
}

impl FailureKind {
    /// Returns one word for tables.
    pub fn word(self) -> &'static str {
        match self {
            Self::Service => "error",
            Self::Credentials => "no-credentials",
            Self::Dns => "dns",
            Self::Connect => "connect",
            Self::ConnectTimeout => "connect-timeout",
            Self::Tls => "tls",
            Self::Proxy => "proxy",
            Self::Reset => "reset",
            Self::Timeout => "timeout",
            Self::Response => "bad-response",
            Self::CutStream => "cut-stream",
            Self::Construction => "construction",
            Self::Other => "fault",
        }
    }
}

/// The shape of an error answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Envelope {
    /// `{"message": …}` with the code in a header or beside it.
    Aws,
    /// `{"type":"error","error":{…}}`.
    Anthropic,
    /// An exception frame in an event stream.
    StreamException,
    /// HTML, as proxies send it.
    Html,
    /// Nothing.
    Empty,
    /// Anything else.
    Other,
}

/// What the layers of the Rust SDK call themselves in a chain of errors.
const LAYERS: &[&str] = &[
    "dispatch failure",
    "io error",
    "timeout",
    "client error (Connect)",
    "client error (SendRequest)",
    "connection error",
    "request has timed out",
    "service error",
    "response error",
    "an error occurred while loading credentials",
    "the credential provider was not enabled",
    "the credentials provider was not properly configured",
    "an unexpected error occurred communicating with IMDS",
];

fn without_layers(text: &str) -> String {
    // Of a chain of sources that all gave nothing, the instance's is the one that says more than "not set".
    let text = match text.split_once(" Attempted: ") {
        Some((summary, sources)) => match sources.split_once("Ec2InstanceMetadata: ") {
            Some((_, why)) if !why.contains("IMDS disabled") => why,
            _ => summary,
        },
        None => text,
    };
    // An answer of STS inside a credential provider's error is printed as a structure.
    if let Some((_, said)) = text.split_once("message: \"")
        && let Some(end) = said.find("\", aws_request_id").or_else(|| said.find("\" }"))
    {
        return said[..end].to_owned();
    }
    let mut parts: Vec<&str> = text.split(": ").collect();
    let keep = |part: &&str| !LAYERS.contains(part);
    if parts.iter().any(keep) {
        parts.retain(keep);
    }
    parts.join(": ")
}

/// Returns text from outside made safe to keep and print: control characters become spaces, and it has a bounded length.
pub fn clean(text: &str) -> String {
    let mut cleaned = String::with_capacity(text.len().min(MAX_MESSAGE_CHARS));
    let mut previous_space = false;
    for (count, character) in text.chars().enumerate() {
        if count == MAX_MESSAGE_CHARS {
            cleaned.push('…');
            break;
        }
        let character = if is_live(character) || character.is_whitespace() { ' ' } else { character };
        if character == ' ' && previous_space {
            continue;
        }
        previous_space = character == ' ';
        cleaned.push(character);
    }
    cleaned.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_sequences_do_not_survive() {
        assert_eq!(clean("a\x1b[31mred\x07\r\nb\u{202e}c"), "a [31mred b c");
    }

    #[test]
    fn layers_of_the_sdk_are_not_spoken() {
        for (text, spoken) in [
            (
                "dispatch failure: io error: client error (Connect): tcp connect error: Connection refused (os error 111)",
                "tcp connect error: Connection refused (os error 111)",
            ),
            ("dispatch failure: timeout", "dispatch failure: timeout"),
            (
                "an error occurred while loading credentials: service error: unhandled error (AccessDenied): Error { code: \"AccessDenied\", message: \"User: x is not authorized\", aws_request_id: \"1\" }",
                "User: x is not authorized",
            ),
            (
                "the credential provider was not enabled: no credentials found in chain. Attempted: Environment: the credential provider was not enabled: environment variable not set",
                "no credentials found in chain.",
            ),
            (
                "no credentials found in chain. Attempted: Profile: x Ec2InstanceMetadata: the credential provider was not enabled: could not communicate with IMDS: timed out",
                "could not communicate with IMDS: timed out",
            ),
            ("", ""),
        ] {
            assert_eq!(Failure::local(FailureKind::Connect, text).spoken(), spoken);
        }
    }

    #[test]
    fn long_text_is_cut() {
        assert_eq!(clean(&"x".repeat(10_000)).chars().count(), MAX_MESSAGE_CHARS + 1);
    }
}
