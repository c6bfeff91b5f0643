//! From the SDK's errors to [`Failure`]: what was seen, nothing about what it means.
//!
//! The runtime answers errors in two shapes, and the SDK reads only one of them: for the other the raw body is parsed here.

use aws_smithy_runtime_api::client::{orchestrator::HttpResponse, result::SdkError};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use super::observe::Head;
use crate::evidence::{Envelope, Failure, FailureKind, clean};

/// The most of a raw body that is looked at, in bytes.
const MAX_BODY: usize = 64 * 1024;

/// Returns an error with its causes, each said once.
pub(super) fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let said = cause.to_string();
        if !text.contains(&said) {
            text = format!("{text}: {said}");
        }
        next = cause.source();
    }
    text
}

/// Returns the failure behind an SDK error.
pub(super) fn of<E>(error: &SdkError<E, HttpResponse>, head: &Head) -> Failure
where
    E: std::error::Error + ProvideErrorMetadata + 'static,
{
    let chain = chain(error);
    match error {
        SdkError::ServiceError(service) => {
            let body = service.raw().body().bytes().unwrap_or_default();
            answer(service.err().code(), service.err().message(), body, head, &chain)
        }
        SdkError::ResponseError(response) => {
            let body = response.raw().body().bytes().unwrap_or_default();
            let mut failure = answer(None, None, body, head, &chain);
            failure.kind = FailureKind::Response;
            if failure.message.is_empty() {
                failure.message = clean(&chain);
            }
            failure
        }
        SdkError::TimeoutError(_) => Failure::local(FailureKind::Timeout, chain),
        SdkError::ConstructionFailure(_) => Failure::local(FailureKind::Construction, chain),
        SdkError::DispatchFailure(dispatch) => {
            let kind = match classify_text(&chain) {
                Some(kind) => kind,
                None if dispatch.is_timeout() => FailureKind::Timeout,
                None if dispatch.is_io() => FailureKind::Connect,
                None => FailureKind::Other,
            };
            Failure::local(kind, chain)
        }
        _ => Failure::local(FailureKind::Other, chain),
    }
}

/// Returns the failure behind an answer with an error status that the SDK has not read.
pub(super) fn refusal(body: &[u8], head: &Head) -> Failure {
    answer(None, None, body, head, "")
}

/// Returns the failure behind an answer with an error status.
fn answer(code: Option<&str>, message: Option<&str>, body: &[u8], head: &Head, chain: &str) -> Failure {
    let body = &body[..body.len().min(MAX_BODY)];
    let parsed = Body::parse(body, head);
    let code = code.map(str::to_owned).or(parsed.code);
    let message = match message {
        Some(message) if !message.is_empty() => message.to_owned(),
        _ => parsed.message.unwrap_or_default(),
    };
    let message = if message.is_empty() && code.is_none() { chain.to_owned() } else { message };
    let kind = match parsed.envelope {
        // HTML or nothing at all comes from something on the way, whatever its status.
        Envelope::Html => FailureKind::Response,
        Envelope::Empty | Envelope::Other if code.is_none() => FailureKind::Response,
        _ => FailureKind::Service,
    };
    Failure {
        kind,
        code: code.map(|code| clean(&code)),
        message: clean(&message),
        status: head.status,
        envelope: Some(parsed.envelope),
        request_id: head.request_id.as_deref().map(clean),
        content_type: head.content_type.as_deref().map(clean),
        retry_after_ms: head.retry_after_ms,
    }
}

struct Body {
    envelope: Envelope,
    code: Option<String>,
    message: Option<String>,
}

impl Body {
    fn parse(bytes: &[u8], head: &Head) -> Self {
        let header_code = head.error_type.as_deref().map(|code| {
            let code = code.split(':').next().unwrap_or(code);
            code.rsplit('#').next().unwrap_or(code).to_owned()
        });
        if bytes.is_empty() {
            return Self { envelope: Envelope::Empty, code: header_code, message: None };
        }
        let text = String::from_utf8_lossy(bytes);
        if let Ok(json) = serde_json::from_slice::<serde_json::Value>(bytes) {
            let inner = &json["error"];
            if json["type"] == "error" && inner.is_object() {
                return Self {
                    envelope: Envelope::Anthropic,
                    code: header_code.or_else(|| inner["type"].as_str().map(str::to_owned)),
                    message: inner["message"].as_str().map(str::to_owned),
                };
            }
            let member = |names: &[&str]| names.iter().find_map(|name| json[*name].as_str().map(str::to_owned));
            let message = member(&["message", "Message", "errorMessage"])
                .or_else(|| inner["message"].as_str().map(str::to_owned));
            let code = header_code
                .or_else(|| member(&["__type", "code"]).map(|code| code.rsplit('#').next().unwrap_or(&code).to_owned()))
                .or_else(|| inner["code"].as_str().map(str::to_owned));
            let envelope = if message.is_some() || code.is_some() { Envelope::Aws } else { Envelope::Other };
            return Self { envelope, code, message };
        }
        let start = text.trim_start().to_lowercase();
        let envelope = if start.starts_with("<!doctype html") || start.starts_with("<html") {
            Envelope::Html
        } else if start.starts_with("<?xml") || start.starts_with("<errorresponse") {
            Envelope::Aws
        } else {
            Envelope::Other
        };
        let message = match envelope {
            Envelope::Html => title_of(&text),
            _ => text.chars().take(300).collect(),
        };
        // AWS STS answers in XML (AWS Query protocol).
        let element = || Some(text.split_once("<Code>")?.1.split_once("</Code>")?.0.trim().to_owned());
        let code = header_code.or_else(|| (envelope == Envelope::Aws).then(element).flatten());
        Self { envelope, code, message: Some(message) }
    }
}

/// The title of an HTML page, or its first words.
fn title_of(html: &str) -> String {
    let lower = html.to_lowercase();
    if let (Some(start), Some(end)) = (lower.find("<title>"), lower.find("</title>"))
        && start + 7 <= end
        && let Some(title) = html.get(start + 7..end)
    {
        return format!("HTML page “{}”", title.trim());
    }
    "an HTML page".to_owned()
}

/// Tells the obstacle from the text of an error chain, where its types do not.
pub fn classify_text(chain: &str) -> Option<FailureKind> {
    let text = chain.to_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
    if has(&[
        "certificate",
        "unknownissuer",
        "tls handshake",
        "invalid peer",
        "alert received",
        "received fatal alert",
        "corrupt message",
    ]) {
        Some(FailureKind::Tls)
    } else if has(&[
        "dns error",
        "failed to lookup address",
        "name or service not known",
        "name resolution",
        "nodename nor servname",
    ]) {
        Some(FailureKind::Dns)
    } else if has(&["proxy", "tunnel"]) {
        Some(FailureKind::Proxy)
    } else if has(&["connect timeout", "connection timed out", "http connect timeout"]) {
        Some(FailureKind::ConnectTimeout)
    } else if has(&[
        "connection reset",
        "broken pipe",
        "connection closed",
        "incompletemessage",
        "unexpected eof",
        "channel closed",
        "connection was not ready",
        "unexpected end of file",
    ]) {
        Some(FailureKind::Reset)
    } else if has(&[
        "connection refused",
        "tcp connect error",
        "network is unreachable",
        "no route to host",
        "network unreachable",
    ]) {
        Some(FailureKind::Connect)
    } else if has(&["timeout", "timed out"]) {
        Some(FailureKind::Timeout)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(text: &str) -> Body {
        Body::parse(text.as_bytes(), &Head::default())
    }

    #[test]
    fn both_envelopes_are_read() {
        let aws = body(r#"{"message":"no"}"#);
        assert_eq!((aws.envelope, aws.message.as_deref()), (Envelope::Aws, Some("no")));
        let capital = body(r#"{"Message":"Bearer Token has expired"}"#);
        assert_eq!(capital.message.as_deref(), Some("Bearer Token has expired"));
        let anthropic = body(r#"{"type":"error","error":{"type":"permission_error","message":"not available"}}"#);
        assert_eq!(anthropic.envelope, Envelope::Anthropic);
        assert_eq!(anthropic.code.as_deref(), Some("permission_error"));
        assert_eq!(anthropic.message.as_deref(), Some("not available"));
    }

    #[test]
    fn what_is_no_answer_of_the_service_is_told_apart() {
        assert_eq!(body("<html><title>Access blocked</title></html>").envelope, Envelope::Html);
        assert_eq!(
            body("<html><title>Access blocked</title></html>").message.as_deref(),
            Some("HTML page “Access blocked”")
        );
        assert_eq!(body("").envelope, Envelope::Empty);
        assert_eq!(body("nonsense").envelope, Envelope::Other);
    }

    #[test]
    fn obstacles_are_told_apart_by_their_texts() {
        assert_eq!(
            classify_text("dispatch failure: io error: invalid peer certificate: UnknownIssuer"),
            Some(FailureKind::Tls)
        );
        assert_eq!(
            classify_text("client error (Connect): dns error: failed to lookup address information"),
            Some(FailureKind::Dns)
        );
        assert_eq!(classify_text("tcp connect error: Connection refused (os error 111)"), Some(FailureKind::Connect));
        assert_eq!(classify_text("HTTP connect timeout occurred after 3.1s"), Some(FailureKind::ConnectTimeout));
        assert_eq!(classify_text("something else"), None);
    }
}
