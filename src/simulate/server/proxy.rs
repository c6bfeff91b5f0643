//! A forward proxy that leads nowhere but to the simulated AWS.
//!
//! Whatever host a client asks for, its connection ends at the router: nothing leaves loopback.

use std::sync::Arc;

use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use super::connection::{Breaker, Connection};
use super::http;
use crate::simulate::scenario::ProxyBehaviour;
use crate::simulate::simulation::State;
use crate::simulate::wire::{Delivery, Reply};

/// Accepts connections until the task is dropped.
pub(crate) async fn listen(listener: TcpListener, state: Arc<State>, tls: TlsAcceptor, behaviour: ProxyBehaviour) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let Ok((stream, _)) = accepted else { continue };
                let (connection, breaker) = Connection::new(stream);
                connections.spawn(serve(connection, Arc::clone(&state), tls.clone(), behaviour, breaker));
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

/// A tunnel that a client asked for.
struct Tunnel {
    upgrade: OnUpgrade,
    /// Whether it leads to the plain listener.
    plain: bool,
}

async fn serve(
    connection: Connection,
    state: Arc<State>,
    tls: TlsAcceptor,
    behaviour: ProxyBehaviour,
    breaker: Breaker,
) {
    let (tunnels, mut tunnel) = mpsc::channel(1);
    let service = {
        let (state, breaker) = (Arc::clone(&state), breaker.clone());
        service_fn(move |request: hyper::Request<Incoming>| {
            let (state, breaker, tunnels) = (Arc::clone(&state), breaker.clone(), tunnels.clone());
            async move {
                state.count_proxied();
                let reply = match behaviour {
                    ProxyBehaviour::Works if request.method() == hyper::Method::CONNECT => {
                        open_tunnel(request, &state, &tunnels)
                    }
                    ProxyBehaviour::Works => http::answer(request, &state, false).await?,
                    ProxyBehaviour::AuthenticationRequired => State::mark(
                        Reply::new(407, "text/html", page("407 Proxy Authentication Required"))
                            .with_header("proxy-authenticate", "Basic realm=\"simulated proxy\""),
                    ),
                    ProxyBehaviour::BadGateway => State::mark(Reply::new(502, "text/html", page("502 Bad Gateway"))),
                    ProxyBehaviour::Hangs => Reply::undelivered(Delivery::Hang),
                };
                http::deliver(reply, &breaker).await
            }
        })
    };
    _ = http1::Builder::new().serve_connection(TokioIo::new(connection), service).with_upgrades().await;
    // The tunnel is served here, not in a task of its own, so that it ends with the simulation.
    let Ok(Tunnel { upgrade, plain }) = tunnel.try_recv() else { return };
    let Ok(upgraded) = upgrade.await else { return };
    let stream = TokioIo::new(upgraded);
    if plain {
        http::serve(stream, state, false, breaker).await;
    } else if let Ok(stream) = tls.accept(stream).await {
        http::serve(stream, state, true, breaker).await;
    }
}

/// What asks for the plain listener by name gets plain HTTP, everything else the TLS one.
fn open_tunnel(mut request: hyper::Request<Incoming>, state: &State, tunnels: &mpsc::Sender<Tunnel>) -> Reply {
    let plain = request.uri().authority().is_some_and(|authority| state.is_plain(authority.as_str()));
    // A connection becomes a tunnel once; there is always room for it.
    _ = tunnels.try_send(Tunnel { upgrade: hyper::upgrade::on(&mut request), plain });
    State::mark(Reply { headers: Vec::new(), ..Reply::new(200, "", "") })
}

fn page(title: &str) -> String {
    format!("<html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>\n")
}
