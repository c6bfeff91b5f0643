//! Requests and replies as plain values.
//!
//! The router takes one and gives back the other; only the server knows sockets. A reply is a plan: it also says when the
//! connection is to hang, to be reset or to be cut.

use std::time::Duration;

use bytes::Bytes;

/// One HTTP request as it came over the wire.
#[derive(Clone, Debug, Default)]
pub struct Request {
    pub method: String,
    /// Path and query exactly as they stood on the request line.
    pub target: String,
    /// Names in lower case, in the order in which they came.
    pub headers: Vec<(String, String)>,
    pub body: Bytes,
    /// Whether it came over TLS.
    pub secure: bool,
}

impl Request {
    /// Returns the path, still percent-encoded.
    pub fn path(&self) -> &str {
        self.target.split_once('?').map_or(self.target.as_str(), |(path, _)| path)
    }

    /// Returns the query string, still percent-encoded, without the question mark.
    pub fn query(&self) -> &str {
        self.target.split_once('?').map_or("", |(_, query)| query)
    }

    /// Returns the first header of that (lower-case) name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// What is to be sent back, and how.
#[derive(Clone, Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Body,
    /// How long to wait before the first byte.
    pub delay: Duration,
    pub delivery: Delivery,
}

/// The body of a reply.
#[derive(Clone, Debug)]
pub enum Body {
    Whole(Bytes),
    /// Sent one after the other; each is one frame of an event stream.
    Frames(Vec<Bytes>),
}

/// What becomes of the connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Delivery {
    #[default]
    Complete,
    /// Nothing is sent and the connection stays open.
    Hang,
    /// The connection is reset before a byte is sent.
    Reset,
    /// After so many frames (or after half of a whole body) the connection breaks.
    CutAfter(usize),
}

impl Reply {
    /// Returns a reply with a body of that content type.
    pub fn new(status: u16, content_type: &str, body: impl Into<Bytes>) -> Self {
        Self {
            status,
            headers: vec![("content-type".to_owned(), content_type.to_owned())],
            body: Body::Whole(body.into()),
            delay: Duration::ZERO,
            delivery: Delivery::Complete,
        }
    }

    /// Returns a JSON reply.
    pub fn json(status: u16, value: &serde_json::Value) -> Self {
        Self::new(status, "application/json", value.to_string())
    }

    /// Returns a reply that is never delivered: the connection hangs or is reset.
    pub fn undelivered(delivery: Delivery) -> Self {
        Self { delivery, ..Self::new(200, "text/plain", "") }
    }

    /// Adds a header.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// Returns the first header of that name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// Returns the body in one piece.
    pub fn bytes(&self) -> Bytes {
        match &self.body {
            Body::Whole(bytes) => bytes.clone(),
            Body::Frames(frames) => Bytes::from(frames.concat()),
        }
    }
}
