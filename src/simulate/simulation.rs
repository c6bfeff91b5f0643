//! A running simulation: a scenario's cloud behind loopback listeners, and the machine that talks to it.
#![expect(
    clippy::disallowed_methods,
    reason = "the simulation uses nothing of ours, and needs a clock to be signed against"
)]

use std::ffi::OsStr;
use std::io;
use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::simulate::cloud::{Call, Cloud, WorldError};
use crate::simulate::machine::Machine;
use crate::simulate::placeholders::{Addresses, Values};
use crate::simulate::router;
use crate::simulate::scenario::machine::MachineSpec;
use crate::simulate::scenario::{FaultSpec, Scenario};
use crate::simulate::server::dead_ends::{BlackHole, ClosedPort};
use crate::simulate::server::tls::{Tls, TlsError};
use crate::simulate::server::{http, proxy};
use crate::simulate::wire::{Reply, Request};

/// How a simulation differs from its scenario.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Added to every answer.
    pub latency: Option<Duration>,
    pub extra_faults: Vec<FaultSpec>,
    /// The machine's time at the start; it goes on from there. Default: the real time, which real clients sign with.
    pub now: Option<Timestamp>,
}

/// A running simulation. It ends when it is dropped.
#[derive(Debug)]
pub struct Simulation {
    state: Arc<State>,
    machine: MachineSpec,
    addresses: Addresses,
    tasks: JoinSet<()>,
    _black_hole: BlackHole,
    _closed_port: ClosedPort,
}

/// Why a simulation did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("failed to build the world of the scenario")]
    World(#[from] WorldError),
    #[error("failed to open a loopback listener")]
    Listen(#[from] io::Error),
    #[error("failed to set up the TLS listener")]
    Tls(#[from] TlsError),
}

/// What the listeners share.
#[derive(Debug)]
pub(crate) struct State {
    cloud: Mutex<Cloud>,
    clock: Clock,
    latency: Duration,
    plain: String,
    proxied: AtomicUsize,
}

/// The machine's clock.
#[derive(Clone, Copy, Debug)]
struct Clock {
    fixed: Option<(Timestamp, Instant)>,
}

impl Clock {
    fn now(self) -> Timestamp {
        match self.fixed {
            None => Timestamp::now(),
            Some((start, since)) => start + SignedDuration::try_from(since.elapsed()).unwrap_or_default(),
        }
    }
}

impl Simulation {
    /// Starts the world of a scenario on loopback.
    pub async fn start(scenario: &Scenario, options: Options) -> Result<Self, StartError> {
        let clock = Clock { fixed: options.now.map(|now| (now, Instant::now())) };
        let offset = scenario.world.clock_offset.unwrap_or_default();
        let mut cloud = Cloud::new(scenario, offset.after(clock.now()))?;
        for fault in options.extra_faults {
            cloud.faults.add(fault);
        }
        let bind = || TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
        let (plain, secure, forward) = (bind().await?, bind().await?, bind().await?);
        let authority = scenario.network.tls_authority.as_deref().unwrap_or("Simulated AWS Authority");
        let tls = Tls::new(authority)?;
        let black_hole = BlackHole::new(scenario.machine.mentions("{blackhole")).await?;
        let closed_port = ClosedPort::new()?;
        let url = |address: std::net::SocketAddr| format!("http://{address}");
        let addresses = Addresses {
            http: url(plain.local_addr()?),
            tls: format!("https://127.0.0.1:{}", secure.local_addr()?.port()),
            proxy: url(forward.local_addr()?),
            black_hole: url(black_hole.address),
            closed: url(closed_port.address),
            authority_pem: tls.authority_pem,
        };
        let state = Arc::new(State {
            cloud: Mutex::new(cloud),
            clock,
            latency: options.latency.unwrap_or_default(),
            plain: plain.local_addr()?.to_string(),
            proxied: AtomicUsize::new(0),
        });
        let mut tasks = JoinSet::new();
        tasks.spawn(http::listen(plain, Arc::clone(&state), None));
        tasks.spawn(http::listen(secure, Arc::clone(&state), Some(tls.acceptor.clone())));
        tasks.spawn(proxy::listen(forward, Arc::clone(&state), tls.acceptor, scenario.network.proxy));
        Ok(Self {
            state,
            machine: scenario.machine.clone(),
            addresses,
            tasks,
            _black_hole: black_hole,
            _closed_port: closed_port,
        })
    }

    /// Returns the URL of the plain listener.
    pub fn endpoint(&self) -> &str {
        &self.addresses.http
    }

    /// Returns the URL of the TLS listener.
    pub fn endpoint_tls(&self) -> &str {
        &self.addresses.tls
    }

    /// Returns the URL of the proxy.
    pub fn proxy(&self) -> &str {
        &self.addresses.proxy
    }

    /// Returns the certificate of the authority behind the TLS listener.
    pub fn authority_pem(&self) -> &str {
        &self.addresses.authority_pem
    }

    /// Returns the scenario's machine, built for a folder that will hold its home, its programs and its system files.
    ///
    /// `host_path` is where the machine finds programs that are not its own; nothing else of the host reaches it.
    pub fn machine(&self, directory: &Path, host_path: Option<&OsStr>) -> Machine {
        let cwd = Machine::cwd(&self.machine, directory);
        let cloud = self.state.cloud();
        let values =
            Values { cloud: &cloud, addresses: &self.addresses, directory, cwd: &cwd, now: self.state.clock.now() };
        Machine::new(&self.machine, &values, host_path).expect("placeholders were checked when the scenario was read")
    }

    /// Returns every request so far.
    pub fn calls(&self) -> Vec<Call> {
        self.state.cloud().calls().to_vec()
    }

    /// Returns how many requests came through the proxy.
    pub fn proxied(&self) -> usize {
        self.state.proxied.load(Ordering::Relaxed)
    }

    /// Changes the world while it runs.
    pub fn cloud_mut<R>(&self, change: impl FnOnce(&mut Cloud) -> R) -> R {
        change(&mut self.state.cloud())
    }

    /// Closes all listeners and connections and waits until they are closed.
    pub async fn shutdown(mut self) {
        self.tasks.shutdown().await;
    }
}

impl State {
    /// Answers a request at AWS's time.
    pub(crate) fn handle(&self, request: &Request) -> Reply {
        let mut cloud = self.cloud();
        let now = self.clock.now() + cloud.clock_offset;
        let mut reply = router::handle(&mut cloud, request, now);
        // What a machine asks its own host for is not on the way to AWS.
        if !router::is_link_local(request) {
            reply.delay += self.latency;
        }
        reply
    }

    /// Marks a reply that did not come from the router as simulated.
    pub(crate) fn mark(reply: Reply) -> Reply {
        reply.with_header(router::SIMULATED.0, router::SIMULATED.1)
    }

    /// Counts a request that came through the proxy.
    pub(crate) fn count_proxied(&self) {
        self.proxied.fetch_add(1, Ordering::Relaxed);
    }

    /// Whether an authority is that of the plain listener.
    pub(crate) fn is_plain(&self, authority: &str) -> bool {
        authority == self.plain || authority.ends_with(":80")
    }

    /// A test that panicked while changing the world has failed already; the world is as good as it was.
    fn cloud(&self) -> MutexGuard<'_, Cloud> {
        self.cloud.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
