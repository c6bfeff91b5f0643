//! A refusal on its way to the wire: one value, four envelopes.
//!
//! The sentences come from `texts`; this file only knows how each protocol wraps a code and a sentence.

use serde_json::json;

use crate::simulate::catalog::Envelope;
use crate::simulate::wire::Reply;

/// Why a call is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) code: String,
    /// The code in the query protocol.
    pub(crate) query_code: String,
    pub(crate) message: String,
    /// The JSON member that carries the sentence.
    pub(crate) field: &'static str,
    /// The error type in Anthropic's envelope, where the refusal can come in it.
    pub(crate) anthropic: Option<&'static str>,
    /// Whether the caller's own trail shows it.
    pub(crate) recorded: bool,
}

/// How a service speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// JSON over REST as Bedrock speaks it.
    RestJson,
    /// JSON over REST as the portal of IAM Identity Center speaks it.
    Portal,
    /// OAuth as IAM Identity Center's OpenID Connect side speaks it.
    Oauth,
    Json11,
    Query,
}

impl Refusal {
    /// Marks a refusal that leaves no record in the caller's trail.
    #[must_use]
    pub(crate) fn unrecorded(mut self) -> Self {
        self.recorded = false;
        self
    }

    /// Returns the code under which the protocol knows the refusal.
    pub(crate) fn code_for(&self, protocol: Protocol) -> &str {
        if protocol == Protocol::Query { &self.query_code } else { &self.code }
    }

    /// Wraps the refusal for its protocol.
    pub(crate) fn reply(&self, protocol: Protocol, envelope: Envelope, request_id: &str) -> Reply {
        match (protocol, envelope, self.anthropic) {
            (Protocol::Query, _, _) => self.query_xml(request_id),
            (Protocol::Json11, _, _) => {
                let body = json!({ "__type": self.code, self.field: self.message });
                Reply::new(self.status, "application/x-amz-json-1.1", body.to_string())
            }
            (Protocol::Portal, _, _) => Reply::json(self.status, &json!({ "message": self.message }))
                .with_header("x-amzn-errortype", &self.code),
            (Protocol::Oauth, _, _) => {
                let body = json!({ "error": oauth_error(&self.code), "error_description": self.message });
                Reply::json(self.status, &body).with_header("x-amzn-errortype", &self.code)
            }
            (Protocol::RestJson, Envelope::Anthropic, Some(kind)) => Reply::json(
                self.status,
                &json!({
                    "type": "error",
                    "request_id": format!("req_{}", anthropic_request_id(request_id)),
                    "error": { "type": kind, "message": self.message },
                }),
            ),
            (Protocol::RestJson, _, _) => Reply::json(self.status, &json!({ self.field: self.message })).with_header(
                "x-amzn-errortype",
                format!("{}:http://internal.amazon.com/coral/com.amazon.bedrock/", self.code),
            ),
        }
    }

    fn query_xml(&self, request_id: &str) -> Reply {
        let side = if self.status < 500 { "Sender" } else { "Receiver" };
        let body = format!(
            "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\n  <Error>\n    <Type>{side}</Type>\n    \
             <Code>{}</Code>\n    <Message>{}</Message>\n  </Error>\n  <RequestId>{request_id}</RequestId>\n</ErrorResponse>\n",
            xml(&self.query_code),
            xml(&self.message),
        );
        Reply::new(self.status, "text/xml", body)
    }
}

/// Returns `invalid_grant` for `InvalidGrantException`.
fn oauth_error(code: &str) -> String {
    let mut error = String::new();
    for character in code.trim_end_matches("Exception").chars() {
        if character.is_ascii_uppercase() && !error.is_empty() {
            error.push('_');
        }
        error.push(character.to_ascii_lowercase());
    }
    error
}

/// Escapes a text for XML.
pub(crate) fn xml(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// Request ids in Anthropic's envelope are 52 lower-case characters when Bedrock makes them.
/// See: GitHub issue freecodexyz/free-code#32.
fn anthropic_request_id(request_id: &str) -> String {
    request_id.bytes().filter(u8::is_ascii_alphanumeric).cycle().take(52).map(char::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulate::texts::texts;

    #[test]
    fn one_refusal_has_four_envelopes() {
        let refusal = texts().model_gated.refuse(&[("model", "m")]);
        let body =
            |protocol, envelope| String::from_utf8(refusal.reply(protocol, envelope, "id-1").bytes().to_vec()).unwrap();
        assert!(body(Protocol::RestJson, Envelope::Aws).starts_with("{\"message\":\"m is not available"));
        assert!(body(Protocol::RestJson, Envelope::Anthropic).contains("\"error\":{\"type\":\"permission_error\""));
        assert!(body(Protocol::Json11, Envelope::Aws).starts_with("{\"__type\":\"AccessDeniedException\""));
        assert!(body(Protocol::Query, Envelope::Aws).contains("<Code>AccessDeniedException</Code>"));
    }

    #[test]
    fn the_header_with_the_code_is_missing_from_the_anthropic_envelope_only() {
        let refusal = texts().model_gated.refuse(&[]);
        let header =
            |envelope| refusal.reply(Protocol::RestJson, envelope, "i").header("x-amzn-errortype").map(str::to_owned);
        assert_eq!(
            header(Envelope::Aws).as_deref(),
            Some("AccessDeniedException:http://internal.amazon.com/coral/com.amazon.bedrock/")
        );
        assert_eq!(header(Envelope::Anthropic), None);
    }
}
