//! HTTP/1.1 around the router.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::future::pending;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio::time::Sleep;
use tokio_rustls::TlsAcceptor;

use super::connection::{Breaker, Connection};
use crate::simulate::catalog::Envelope;
use crate::simulate::refusal::Protocol;
use crate::simulate::simulation::State;
use crate::simulate::texts::texts;
use crate::simulate::wire::{self, Delivery, Reply, Request};

/// Accepts connections until the task is dropped; with an acceptor, over TLS.
pub(crate) async fn listen(listener: TcpListener, state: Arc<State>, tls: Option<TlsAcceptor>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let Ok((stream, _)) = accepted else { continue };
                let (connection, breaker) = Connection::new(stream);
                let (state, tls) = (Arc::clone(&state), tls.clone());
                connections.spawn(async move {
                    match tls {
                        None => serve(connection, state, false, breaker).await,
                        // A client that does not trust the certificate goes away here.
                        Some(tls) => if let Ok(stream) = tls.accept(connection).await {
                            serve(stream, state, true, breaker).await;
                        },
                    }
                });
            }
            // Ended connections are taken out so that a long simulation does not keep them.
            Some(_) = connections.join_next() => {}
        }
    }
}

/// Serves one connection.
pub(crate) async fn serve(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    state: Arc<State>,
    secure: bool,
    breaker: Breaker,
) {
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let (state, breaker) = (Arc::clone(&state), breaker.clone());
        async move {
            let reply = answer(request, &state, secure).await?;
            deliver(reply, &breaker).await
        }
    });
    // A client that breaks the connection off is its own affair.
    _ = http1::Builder::new().auto_date_header(false).serve_connection(TokioIo::new(stream), service).await;
}

/// The longest body that is read: more than any service takes.
const LONGEST: usize = 32 * 1024 * 1024;

/// Reads a request and answers it; a body that is too long is heard to its end, and not kept.
pub(crate) async fn answer(request: hyper::Request<Incoming>, state: &State, secure: bool) -> io::Result<Reply> {
    Ok(match read(request, secure).await? {
        Some(request) => state.handle(&request),
        None => State::mark(texts().request_too_long.refuse(&[]).reply(Protocol::RestJson, Envelope::Aws, "")),
    })
}

/// Reads a whole request; `None` if its body is too long.
async fn read(request: hyper::Request<Incoming>, secure: bool) -> io::Result<Option<Request>> {
    let (parts, body) = request.into_parts();
    let target = parts.uri.path_and_query().map_or("/", |target| target.as_str()).to_owned();
    let mut headers: Vec<(String, String)> = parts
        .headers
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .collect();
    // A request to a proxy names its host in the target.
    if let Some(authority) = parts.uri.authority()
        && !parts.headers.contains_key(hyper::header::HOST)
    {
        headers.push(("host".to_owned(), authority.to_string()));
    }
    let (mut body, mut whole, mut length) = (body, BytesMut::new(), 0);
    while let Some(frame) = body.frame().await {
        let Ok(piece) = frame.map_err(io::Error::other)?.into_data() else { continue };
        length += piece.len();
        if length <= LONGEST {
            whole.extend_from_slice(&piece);
        } else {
            whole = BytesMut::new();
        }
    }
    let request = Request { method: parts.method.to_string(), target, headers, body: whole.freeze(), secure };
    Ok((length <= LONGEST).then_some(request))
}

/// Does what the reply's plan says.
pub(crate) async fn deliver(reply: Reply, breaker: &Breaker) -> io::Result<hyper::Response<Sending>> {
    tokio::time::sleep(reply.delay).await;
    match reply.delivery {
        Delivery::Hang => {
            pending::<Infallible>().await;
        }
        Delivery::Reset => {
            breaker.pull();
            return Err(io::Error::from(io::ErrorKind::ConnectionReset));
        }
        Delivery::Complete | Delivery::CutAfter(_) => {}
    }
    let mut response = hyper::Response::builder().status(reply.status);
    for (name, value) in reply.headers.iter().filter(|(_, value)| !value.is_empty()) {
        response = response.header(name, value);
    }
    response.body(Sending::new(reply.body, reply.delivery)).map_err(io::Error::other)
}

/// The body of a response on its way out.
#[derive(Debug)]
pub(crate) struct Sending {
    pieces: VecDeque<Bytes>,
    /// The length of a body that is sent whole.
    length: Option<u64>,
    /// Set where the body breaks off: what was sent has to reach the client first.
    cut: Option<Pin<Box<Sleep>>>,
}

impl Sending {
    fn new(body: wire::Body, delivery: Delivery) -> Self {
        let (pieces, whole) = match body {
            wire::Body::Whole(bytes) => (vec![bytes], true),
            wire::Body::Frames(frames) => (frames, false),
        };
        let Delivery::CutAfter(count) = delivery else {
            let length = pieces.iter().map(|piece| piece.len() as u64).sum();
            return Self { pieces: pieces.into(), length: whole.then_some(length), cut: None };
        };
        let mut pieces: VecDeque<Bytes> = pieces.into();
        if whole {
            for piece in &mut pieces {
                piece.truncate(piece.len() / 2);
            }
        } else {
            // Half of the next frame goes out, too: a cut falls where it falls.
            let next = pieces.get(count).map(|frame| frame.slice(..frame.len() / 2));
            pieces.truncate(count);
            pieces.extend(next);
        }
        Self { pieces, length: None, cut: Some(Box::pin(tokio::time::sleep(Duration::from_millis(30)))) }
    }
}

impl Body for Sending {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        if let Some(piece) = self.pieces.pop_front() {
            return Poll::Ready(Some(Ok(Frame::data(piece))));
        }
        match &mut self.cut {
            None => Poll::Ready(None),
            Some(wait) => wait.as_mut().poll(context).map(|()| Some(Err(io::Error::from(io::ErrorKind::BrokenPipe)))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.pieces.is_empty() && self.cut.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        self.length.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}
