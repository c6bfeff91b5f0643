//! The listeners, over real sockets, and machines in real folders.
#![expect(clippy::disallowed_methods, clippy::disallowed_types, reason = "tests look at the real world")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use super::*;
use crate::simulate::scenario::Scenario;

async fn start(rest: &str) -> Simulation {
    let head = "title = \"t\"\nstory = \"s\"\nverdict = \"ok\"\n";
    let scenario = Scenario::parse("test", &format!("{head}{rest}")).unwrap();
    Simulation::start(&scenario, Options::default()).await.unwrap()
}

fn address(url: &str) -> String {
    url.split_once("://").unwrap().1.to_owned()
}

/// Sends a request and reads until the connection ends.
async fn exchange(address: &str, request: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

const GET: &str = "GET /foundation-models HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";

#[tokio::test]
async fn the_plain_listener_answers_and_ends_with_the_simulation() {
    let simulation = start("").await;
    let at = address(simulation.endpoint());
    let answer = exchange(&at, GET).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 403 Forbidden\r\n"), "{answer}");
    assert!(answer.contains("x-bedside-simulated: true\r\n") && answer.contains("Missing Authentication Token"));
    assert_eq!(simulation.calls()[0].outcome, "MissingAuthenticationTokenException");
    let mut open = TcpStream::connect(&at).await.unwrap();
    simulation.shutdown().await;
    assert_eq!(open.read(&mut [0]).await.unwrap_or_default(), 0);
    assert!(TcpStream::connect(&at).await.is_err());
}

#[tokio::test]
async fn a_body_without_end_is_not_kept() {
    let simulation = start("").await;
    let length = 33 * 1024 * 1024;
    let head =
        format!("POST /model/m/invoke HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n");
    let answer = exchange(&address(simulation.endpoint()), &(head + &"x".repeat(length))).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 413 ") && answer.contains("x-bedside-simulated: true\r\n"), "{answer}");
    assert!(simulation.calls().is_empty());
}

#[tokio::test]
async fn faults_hang_reset_and_cut() {
    let simulation = start(
        "[[faults]]\nkind = \"reset\"\ntimes = 1\n[[faults]]\nkind = \"html\"\nstatus = 502\nafter = 1\ntimes = 1\n\
         [[faults]]\nkind = \"hang\"\nafter = 2\n",
    )
    .await;
    let at = address(simulation.endpoint());
    assert_eq!(exchange(&at, GET).await.unwrap_err().kind(), io::ErrorKind::ConnectionReset);
    let page = exchange(&at, GET).await.unwrap();
    assert!(
        page.starts_with("HTTP/1.1 502") && page.contains("<html>") && !page.contains("x-amzn-requestid"),
        "{page}"
    );
    assert!(timeout(Duration::from_millis(200), exchange(&at, GET)).await.is_err());
    let outcomes: Vec<String> = simulation.calls().into_iter().map(|call| call.outcome).collect();
    assert_eq!(outcomes, ["reset", "html", "hang"]);
}

#[tokio::test]
async fn latency_delays_every_answer_of_aws() {
    let scenario = &Scenario::find("healthy").unwrap();
    let options = Options { latency: Some(Duration::from_millis(80)), ..Options::default() };
    let simulation = Simulation::start(scenario, options).await.unwrap();
    let began = Instant::now();
    exchange(&address(simulation.endpoint()), GET).await.unwrap();
    assert!(began.elapsed() >= Duration::from_millis(80));
    let metadata = Request { method: "PUT".to_owned(), target: "/latest/api/token".to_owned(), ..Request::default() };
    assert_eq!(simulation.state.handle(&metadata).delay, Duration::ZERO, "metadata comes from the machine's own host");
}

#[tokio::test]
async fn dead_ends_lead_nowhere() {
    let simulation = start("[machine.env]\nHOLE = \"{blackhole}\"\nCLOSED = \"{closed}\"\n").await;
    let machine = simulation.machine(Path::new("/sim"), None);
    let closed = TcpStream::connect(address(machine.env("CLOSED").unwrap())).await;
    assert_eq!(closed.unwrap_err().kind(), io::ErrorKind::ConnectionRefused);
    let hole = timeout(Duration::from_millis(300), TcpStream::connect(address(machine.env("HOLE").unwrap()))).await;
    assert!(hole.is_err(), "{hole:?}");
}

/// Speaks TLS over a connection and sends a request.
async fn over_tls(stream: TcpStream, authority: &str, name: &str) -> io::Result<String> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(authority.as_bytes()).unwrap()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let mut stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await?;
    stream.write_all(GET.as_bytes()).await?;
    let mut answer = Vec::new();
    // A peer that closes without a farewell is fine: the answer carries its length.
    _ = stream.read_to_end(&mut answer).await;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

#[tokio::test]
async fn the_tls_listener_has_a_certificate_for_loopback_and_for_aws() {
    let simulation = start("").await;
    let other = start("").await;
    let connect = || TcpStream::connect(address(simulation.endpoint_tls()));
    for name in ["127.0.0.1", "localhost", "bedrock-runtime.eu-central-1.amazonaws.com", "sts.amazonaws.com"] {
        let answer = over_tls(connect().await.unwrap(), simulation.authority_pem(), name).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 403"), "{name}: {answer}");
    }
    let refused = over_tls(connect().await.unwrap(), other.authority_pem(), "localhost").await.unwrap_err();
    assert!(
        refused.to_string().contains("UnknownIssuer") || refused.to_string().contains("invalid peer certificate"),
        "{refused}"
    );
}

#[tokio::test]
async fn the_proxy_forwards_counts_and_leads_nowhere_else() {
    let simulation = start("").await;
    let at = address(simulation.proxy());
    let plain = "GET http://bedrock.us-west-2.amazonaws.com/foundation-models HTTP/1.1\r\nConnection: close\r\n\r\n";
    assert!(exchange(&at, plain).await.unwrap().contains("Missing Authentication Token"));
    let mut stream = TcpStream::connect(&at).await.unwrap();
    stream.write_all(b"CONNECT bedrock.us-west-2.amazonaws.com:443 HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    let mut established = [0; 1024];
    let count = stream.read(&mut established).await.unwrap();
    assert!(established[..count].starts_with(b"HTTP/1.1 200"));
    let answer = over_tls(stream, simulation.authority_pem(), "bedrock.us-west-2.amazonaws.com").await.unwrap();
    assert!(answer.contains("Missing Authentication Token"), "{answer}");
    assert_eq!(simulation.proxied(), 2);
    let mut tunnel = TcpStream::connect(&at).await.unwrap();
    tunnel.write_all(b"CONNECT sts.amazonaws.com:443 HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    assert!(tunnel.read(&mut established).await.unwrap() > 0);
    simulation.shutdown().await;
    assert_eq!(tunnel.read(&mut established).await.unwrap_or_default(), 0);
}

#[tokio::test]
async fn proxies_misbehave_on_request() {
    for (behaviour, expected) in [("authentication-required", "HTTP/1.1 407"), ("bad-gateway", "HTTP/1.1 502")] {
        let simulation = start(&format!("[network]\nproxy = \"{behaviour}\"\n")).await;
        let ask = "CONNECT sts.amazonaws.com:443 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
        let answer = exchange(&address(simulation.proxy()), ask).await.unwrap();
        assert!(answer.starts_with(expected) && answer.contains("<html>"), "{answer}");
    }
    let simulation = start("[network]\nproxy = \"hangs\"\n").await;
    assert!(timeout(Duration::from_millis(200), exchange(&address(simulation.proxy()), GET)).await.is_err());
}

#[tokio::test]
async fn the_world_can_change_while_it_runs_and_its_time_can_be_set() {
    let scenario = &Scenario::find("clock-skew").unwrap();
    let options = Options { now: Some("2026-11-22T10:00:00Z".parse().unwrap()), ..Options::default() };
    let simulation = Simulation::start(scenario, options).await.unwrap();
    let answer = exchange(&address(simulation.endpoint()), GET).await.unwrap();
    assert!(answer.contains("date: Sun, 22 Nov 2026 10:10:0"), "{answer}");
    simulation.cloud_mut(|cloud| cloud.clock_offset = SignedDuration::ZERO);
    let answer = exchange(&address(simulation.endpoint()), GET).await.unwrap();
    assert!(answer.contains("date: Sun, 22 Nov 2026 10:00:0"), "{answer}");
}

#[tokio::test]
async fn machines_have_only_what_their_scenario_gives_them() {
    let simulation = start(
        "[[world.principals]]\nname = \"dev\"\n[machine]\nunset = [\"AWS_EC2_METADATA_DISABLED\"]\n\
         [machine.env]\nAWS_REGION = \"us-east-1\"\n\
         [machine.files]\n\".aws/credentials\" = \"id = {key.dev.id}\\n\"\n\"loop\" = { symlink = \"loop\" }\n\"big\" = { filler = 100000 }\n\
         \"shut\" = { folder = true, mode = \"500\" }\n\"shut/inner\" = \"x\"\n\
         [machine.system]\n\"/etc/claude-code/managed-settings.json\" = \"{}\"\n\
         [machine.bin]\nclaude = \"2.1.330 (Claude Code)\"\nhelper = { stderr = \"it's broken\", exit = 3 }\n",
    )
    .await;
    let directory = std::env::temp_dir().join(format!("bedside-simulation-test-{}", std::process::id()));
    _ = std::fs::remove_dir_all(&directory);
    let machine = simulation.machine(&directory, Some("/usr/bin:/bin".as_ref()));
    let names: Vec<&str> = machine.env.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        [
            "ANTHROPIC_BEDROCK_BASE_URL",
            "AWS_ENDPOINT_URL",
            "AWS_REGION",
            "HOME",
            "LANG",
            "LOGNAME",
            "PATH",
            "SHELL",
            "TERM",
            "USER"
        ]
    );
    machine.materialise().unwrap();
    let read = |path: &str| std::fs::read_to_string(directory.join(path)).unwrap();
    assert!(read("home/.aws/credentials").starts_with("id = AKIASIM"));
    assert_eq!(read("root/etc/claude-code/managed-settings.json"), "{}");
    assert!(read("ca.pem").starts_with("-----BEGIN CERTIFICATE-----"));
    assert_eq!(std::fs::metadata(directory.join("home/big")).unwrap().len(), 100_000);
    assert!(std::fs::metadata(directory.join("home/loop")).is_err());
    assert_eq!(read("home/shut/inner"), "x");
    let run = |name: &str| std::process::Command::new(machine.bin.join(name)).output().unwrap();
    assert_eq!(run("claude").stdout, b"2.1.330 (Claude Code)\n");
    let helper = run("helper");
    assert_eq!((helper.stderr.as_slice(), helper.status.code()), (b"it's broken\n".as_slice(), Some(3)));
    std::fs::remove_dir_all(&directory).unwrap();
}
