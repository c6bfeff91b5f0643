//! Frames of `application/vnd.amazon.eventstream`.

use aws_smithy_eventstream::frame::write_message_to;
use aws_smithy_types::event_stream::{Header, HeaderValue, Message};
use bytes::{Bytes, BytesMut};
use serde_json::{Value, json};

use crate::simulate::refusal::Refusal;

/// Returns an event frame with a JSON payload.
pub(crate) fn event(kind: &str, payload: &Value) -> Bytes {
    frame("event", ":event-type", kind, payload)
}

/// Returns an exception frame.
pub(crate) fn exception(refusal: &Refusal) -> Bytes {
    let mut kind = refusal.code.clone();
    kind[..1].make_ascii_lowercase();
    let mut payload = json!({ "message": refusal.message });
    if refusal.code == "ModelStreamErrorException" {
        payload["originalStatusCode"] = json!(500);
        payload["originalMessage"] = json!(refusal.message);
    }
    frame("exception", ":exception-type", &kind, &payload)
}

fn frame(message_type: &str, kind_header: &'static str, kind: &str, payload: &Value) -> Bytes {
    let text = |value: &str| HeaderValue::String(value.to_owned().into());
    let message = Message::new(payload.to_string())
        .add_header(Header::new(kind_header, text(kind)))
        .add_header(Header::new(":content-type", text("application/json")))
        .add_header(Header::new(":message-type", text(message_type)));
    let mut bytes = BytesMut::new();
    write_message_to(&message, &mut bytes).expect("headers and payloads are far below the frame limits");
    bytes.freeze()
}

#[cfg(test)]
mod tests {
    use aws_smithy_eventstream::frame::read_message_from;

    use super::*;
    use crate::simulate::texts::texts;

    #[test]
    fn frames_can_be_read_back() {
        let bytes = exception(&texts().model_stream_error.refuse(&[]));
        let message = read_message_from(&mut bytes.clone()).unwrap();
        let header = message.headers().iter().find(|header| header.name().as_str() == ":exception-type").unwrap();
        assert_eq!(header.value().as_string().unwrap().as_str(), "modelStreamErrorException");
        let event = read_message_from(&mut event("chunk", &json!({ "bytes": "" })).clone()).unwrap();
        assert_eq!(event.payload().as_ref(), br#"{"bytes":""}"#);
    }
}
