//! The hosts that the client will call, and no others: name resolution, connection (through a proxy where there is one) and TLS with
//! the client's own trust roots. Nothing is sent to a service here.

use std::{
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use base64::{Engine, prelude::BASE64_STANDARD};
use percent_encoding::percent_decode_str;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_rustls::{
    TlsConnector,
    rustls::{
        self, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
        client::{
            WebPkiServerVerifier,
            danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
        },
        crypto::ring,
        pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject},
    },
};

use super::{
    Probe,
    context::{Context, extra_roots},
};
use crate::{
    aws::classify_text,
    evidence::{Fact, Failure, FailureKind, HostReport, Secret, Step, Update, clean},
    world::{World, monotonic_now},
};

/// A connection that takes longer is not made at all.
const CONNECT_LIMIT: Duration = Duration::from_millis(3_100);

/// One address to look at.
#[derive(Debug)]
struct Address {
    service: String,
    https: bool,
    host: String,
    port: u16,
    proxy: Option<ProxyAddress>,
}

#[derive(Clone, Debug)]
struct ProxyAddress {
    host: String,
    port: u16,
    /// What the proxy is told of who asks, from the user name and password in its address.
    authorization: Option<Secret<String>>,
}

pub(super) async fn probe(context: &Context) {
    if !context.wants(Probe::Network) {
        return;
    }
    context
        .announced(Probe::Network, async {
            let addresses = addresses(context);
            let roots = addresses.iter().any(|address| address.https).then(|| {
                let extra = extra_roots(&context.world, &context.plan);
                Arc::new(roots(extra.as_deref(), context.plan.replace_roots))
            });
            let mut set = tokio::task::JoinSet::new();
            for (index, address) in addresses.into_iter().enumerate() {
                let roots = roots.clone();
                set.spawn(async move { (index, look(address, roots).await) });
            }
            let mut reports = set.join_all().await;
            reports.sort_by_key(|(index, _)| *index);
            context.send(Update::Network(Fact::Known(reports.into_iter().map(|(_, report)| report).collect())));
        })
        .await;
}

/// The hosts of the client's own calls: the runtime, the control plane for a client that lists, STS and the SSO portal where the
/// credentials need them. Hosts that only bedside calls are not among them.
fn addresses(context: &Context) -> Vec<Address> {
    let settings = &context.plan.settings;
    let mut addresses: Vec<Address> = Vec::new();
    for (service, endpoint) in &settings.endpoints {
        if !settings.called_by_client(service) {
            continue;
        }
        let url = endpoint
            .setting
            .as_ref()
            .and_then(|setting| context.world.filled_variable(&setting.name))
            .unwrap_or_else(|| endpoint.url.clone());
        if let Some((https, host, port)) = split(url.trim()) {
            let proxy = proxy_for(&context.world, https, &host);
            // Services that share an address are looked at once.
            if addresses.iter().any(|it| it.host == host && it.port == port) {
                continue;
            }
            addresses.push(Address { service: service.clone(), https, host, port, proxy });
        }
    }
    // The runtime is what matters: it names a shared address.
    for address in &mut addresses {
        if let Some(runtime) = settings.endpoints.get("bedrock-runtime")
            && split(&runtime.url).is_some_and(|(_, host, port)| host == address.host && port == address.port)
        {
            address.service = "bedrock-runtime".to_owned();
        }
    }
    addresses
}

/// Takes an address apart: whether it is https, its host and port.
fn split(url: &str) -> Option<(bool, String, u16)> {
    let (scheme, rest) = url.split_once("://")?;
    let https = match scheme.to_lowercase().as_str() {
        "https" => true,
        "http" => false,
        _ => return None,
    };
    let authority = rest.split(['/', '?', '#']).next()?;
    let authority = authority.rsplit('@').next()?;
    let default = if https { 443 } else { 80 };
    let (host, port) = match authority.strip_prefix('[') {
        Some(v6) => {
            let (host, rest) = v6.split_once(']')?;
            (host.to_owned(), rest.strip_prefix(':').map_or(Some(default), |port| port.parse().ok())?)
        }
        None => match authority.rsplit_once(':') {
            Some((host, port)) => (host.to_owned(), port.parse().ok()?),
            None => (authority.to_owned(), default),
        },
    };
    (!host.is_empty()).then_some((https, host, port))
}

/// The proxy of the environment for a host, as the SDK would choose it.
fn proxy_for(world: &World, https: bool, host: &str) -> Option<ProxyAddress> {
    let no_proxy = world.filled_variable("no_proxy").or_else(|| world.filled_variable("NO_PROXY")).unwrap_or_default();
    if is_exempt(&no_proxy, host) {
        return None;
    }
    let names: [&str; 4] = if https {
        ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"]
    } else {
        ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"]
    };
    let url = names.iter().find_map(|name| world.filled_variable(name))?;
    let url = if url.contains("://") { url } else { format!("http://{url}") };
    let (_, host, port) = split(url.trim())?;
    Some(ProxyAddress { host, port, authorization: basic(url.trim()) })
}

/// The `Basic` credentials of a user name and password in an address, as the SDK makes them.
fn basic(url: &str) -> Option<Secret<String>> {
    let (_, rest) = url.split_once("://")?;
    let (user_info, _) = rest.split(['/', '?', '#']).next()?.rsplit_once('@')?;
    let (user, password) = user_info.split_once(':').unwrap_or((user_info, ""));
    let mut plain: Vec<u8> = percent_decode_str(user).collect();
    plain.push(b':');
    plain.extend(percent_decode_str(password));
    Some(Secret::new(format!("Basic {}", BASE64_STANDARD.encode(plain))))
}

fn is_exempt(no_proxy: &str, host: &str) -> bool {
    no_proxy.split([',', ' ']).map(str::trim).filter(|rule| !rule.is_empty()).any(|rule| {
        let rule = rule.trim_start_matches('.');
        rule == "*" || host == rule || host.ends_with(&format!(".{rule}"))
    })
}

async fn look(address: Address, roots: Option<Arc<Result<RootCertStore, String>>>) -> HostReport {
    let (host, port) = match &address.proxy {
        Some(proxy) => (proxy.host.clone(), proxy.port),
        None => (address.host.clone(), address.port),
    };
    let mut report = HostReport {
        service: address.service.clone(),
        host: format!("{}:{}", address.host, address.port),
        proxy: address.proxy.as_ref().map(|proxy| format!("{}:{}", proxy.host, proxy.port)),
        resolve: Step { ok: false, ms: 0, failure: None },
        private_address: false,
        connect: Step { ok: false, ms: 0, failure: None },
        tls: None,
        issuer: None,
    };
    let began = monotonic_now();
    let found = match tokio::time::timeout(CONNECT_LIMIT, tokio::net::lookup_host((host.as_str(), port))).await {
        Ok(Ok(found)) => found.collect::<Vec<SocketAddr>>(),
        Ok(Err(error)) => {
            report.resolve = failed(began, FailureKind::Dns, &error.to_string());
            return report;
        }
        Err(_) => {
            report.resolve = failed(began, FailureKind::Dns, "the name was not resolved in time");
            return report;
        }
    };
    report.resolve = passed(began);
    report.private_address = !found.is_empty() && found.iter().all(|address| is_private(address.ip()));
    let began = monotonic_now();
    let mut stream = match connect(&found).await {
        Ok(stream) => stream,
        Err(failure) => {
            report.connect = Step { ok: false, ms: ms(began), failure: Some(failure) };
            return report;
        }
    };
    if let (Some(proxy), true) = (&address.proxy, address.https) {
        let target = format!("{}:{}", address.host, address.port);
        if let Err(failure) = tunnel(&mut stream, &target, proxy.authorization.as_ref()).await {
            report.connect = Step { ok: false, ms: ms(began), failure: Some(failure) };
            return report;
        }
    }
    report.connect = passed(began);
    if address.https {
        let began = monotonic_now();
        let (outcome, issuer) = handshake(stream, &address.host, roots).await;
        report.issuer = issuer;
        report.tls = Some(match outcome {
            Ok(()) => passed(began),
            Err(failure) => Step { ok: false, ms: ms(began), failure: Some(failure) },
        });
    }
    report
}

fn ms(began: Instant) -> u64 {
    u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX)
}

fn passed(began: Instant) -> Step {
    Step { ok: true, ms: ms(began), failure: None }
}

fn failed(began: Instant, kind: FailureKind, message: &str) -> Step {
    Step { ok: false, ms: ms(began), failure: Some(Failure::local(kind, message)) }
}

fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.is_private(),
        IpAddr::V6(v6) => v6.is_unique_local(),
    }
}

/// Connects to the first address that answers.
async fn connect(addresses: &[SocketAddr]) -> Result<TcpStream, Failure> {
    let mut last = Failure::local(FailureKind::Dns, "the name has no address");
    let deadline = tokio::time::Instant::now() + CONNECT_LIMIT;
    for address in addresses {
        match tokio::time::timeout_at(deadline, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) => last = Failure::local(FailureKind::Connect, error.to_string()),
            Err(_) => {
                return Err(Failure::local(
                    FailureKind::ConnectTimeout,
                    format!("no connection within {} s", CONNECT_LIMIT.as_secs_f32()),
                ));
            }
        }
    }
    Err(last)
}

/// Asks a proxy for a tunnel, with the password in its address where there is one: the client sends it too.
async fn tunnel(stream: &mut TcpStream, target: &str, authorization: Option<&Secret<String>>) -> Result<(), Failure> {
    let mut request = format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n");
    if let Some(authorization) = authorization {
        request.push_str(&format!("Proxy-Authorization: {}\r\n", authorization.expose()));
    }
    request.push_str("\r\n");
    let talk = async {
        stream.write_all(request.as_bytes()).await?;
        let mut head = [0_u8; 256];
        let read = stream.read(&mut head).await?;
        Ok::<_, std::io::Error>(String::from_utf8_lossy(&head[..read]).lines().next().unwrap_or_default().to_owned())
    };
    match tokio::time::timeout(CONNECT_LIMIT, talk).await {
        Ok(Ok(line)) if line.split(' ').nth(1) == Some("200") => Ok(()),
        Ok(Ok(line)) => Err(Failure::local(FailureKind::Proxy, format!("the proxy answered: {}", clean(&line)))),
        Ok(Err(error)) => Err(Failure::local(FailureKind::Proxy, format!("the proxy broke off: {error}"))),
        Err(_) => Err(Failure::local(FailureKind::Proxy, "the proxy did not answer")),
    }
}

/// The trust roots of the client: the system's, and those that it adds or takes instead.
fn roots(extra: Option<&str>, replace: bool) -> Result<RootCertStore, String> {
    let mut store = RootCertStore::empty();
    // Where there is nothing to take instead, the system's stay: a client with no root at all would trust nobody.
    if !replace || extra.is_none() {
        for certificate in rustls_native_certs::load_native_certs().certs {
            // A root that rustls does not take would not be taken by the SDK either.
            let _ = store.add(certificate);
        }
    }
    for certificate in CertificateDer::pem_slice_iter(extra.unwrap_or_default().as_bytes()).flatten() {
        let _ = store.add(certificate);
    }
    if store.is_empty() { Err("there are no trust roots on this machine".to_owned()) } else { Ok(store) }
}

async fn handshake(
    stream: TcpStream,
    host: &str,
    roots: Option<Arc<Result<RootCertStore, String>>>,
) -> (Result<(), Failure>, Option<String>) {
    let roots = match roots.as_deref() {
        Some(Ok(roots)) => roots.clone(),
        Some(Err(reason)) => return (Err(Failure::local(FailureKind::Tls, reason)), None),
        None => return (Err(Failure::local(FailureKind::Tls, "no trust roots were loaded")), None),
    };
    let provider = Arc::new(ring::default_provider());
    let (Ok(inner), Ok(name)) = (
        WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider.clone()).build(),
        ServerName::try_from(host.to_owned()),
    ) else {
        return (Err(Failure::local(FailureKind::Tls, format!("`{host}` cannot be verified by name"))), None);
    };
    let witness = Arc::new(Witness { inner, issuer: Mutex::new(None) });
    let config = match ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions() {
        Ok(builder) => builder.dangerous().with_custom_certificate_verifier(witness.clone()).with_no_client_auth(),
        Err(error) => return (Err(Failure::local(FailureKind::Tls, error.to_string())), None),
    };
    let connector = TlsConnector::from(Arc::new(config));
    let outcome = match tokio::time::timeout(CONNECT_LIMIT, connector.connect(name, stream)).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => {
            let text = error.to_string();
            let kind = match classify_text(&text) {
                Some(FailureKind::Reset) => FailureKind::Reset,
                _ => FailureKind::Tls,
            };
            Err(Failure::local(kind, text))
        }
        Err(_) => Err(Failure::local(FailureKind::Tls, "TLS was not agreed in time")),
    };
    let issuer = witness.issuer.lock().unwrap_or_else(PoisonError::into_inner).clone();
    (outcome, issuer)
}

/// The ordinary verifier, which also remembers who issued what it was shown. It accepts nothing that the ordinary one refuses.
#[derive(Debug)]
struct Witness {
    inner: Arc<WebPkiServerVerifier>,
    issuer: Mutex<Option<String>>,
}

impl ServerCertVerifier for Witness {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        *self.issuer.lock().unwrap_or_else(PoisonError::into_inner) = issuer_of(end_entity);
        self.inner.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.inner.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.inner.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}

/// The issuer's common name or organization.
fn issuer_of(certificate: &CertificateDer<'_>) -> Option<String> {
    let (_, parsed) = x509_parser::parse_x509_certificate(certificate.as_ref()).ok()?;
    let issuer = parsed.issuer();
    let name = issuer
        .iter_common_name()
        .chain(issuer.iter_organization())
        .find_map(|name| name.as_str().ok().map(clean))
        .unwrap_or_else(|| clean(&issuer.to_string()));
    Some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_taken_apart() {
        assert_eq!(split("https://a.b/c"), Some((true, "a.b".into(), 443)));
        assert_eq!(split("http://u:p@127.0.0.1:8080"), Some((false, "127.0.0.1".into(), 8080)));
        assert_eq!(split("http://[::1]:9/x"), Some((false, "::1".into(), 9)));
        for bad in ["a.b", "ftp://x", "http://", "http://x:nonsense"] {
            assert_eq!(split(bad), None, "{bad}");
        }
    }

    #[test]
    fn without_roots_to_take_instead_the_systems_stay() {
        let count = |roots: Result<RootCertStore, String>| roots.map_or(0, |store| store.len());
        assert_eq!(count(roots(None, true)), count(roots(None, false)));
        let key = rcgen::KeyPair::generate().unwrap();
        let own = rcgen::CertificateParams::new(vec!["own".to_owned()]).unwrap().self_signed(&key).unwrap().pem();
        assert_eq!(count(roots(Some(&own), true)), 1);
    }

    #[test]
    fn a_proxy_is_told_the_user_and_password_of_its_address() {
        let sent = |url| basic(url).map(|it| it.expose().clone());
        assert_eq!(sent("http://al%40b:p%3Aq@proxy:3128").as_deref(), Some("Basic YWxAYjpwOnE="));
        assert_eq!(sent("http://alice@proxy:3128/").as_deref(), Some("Basic YWxpY2U6"));
        assert_eq!(sent("http://proxy:3128/a@b"), None);
    }

    #[tokio::test]
    async fn the_tunnel_asks_with_the_password() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut stream = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let proxy = tokio::spawn(async move {
            let (mut peer, _) = listener.accept().await.unwrap();
            let mut head = [0_u8; 512];
            let read = peer.read(&mut head).await.unwrap();
            peer.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
            String::from_utf8_lossy(&head[..read]).into_owned()
        });
        tunnel(&mut stream, "host:443", basic("http://u:p@proxy").as_ref()).await.unwrap();
        assert!(proxy.await.unwrap().contains("\r\nProxy-Authorization: Basic dTpw\r\n\r\n"));
    }

    #[test]
    fn exemptions_from_proxies_are_honoured() {
        assert!(is_exempt("localhost,.amazonaws.com", "sts.us-east-1.amazonaws.com"));
        assert!(is_exempt("127.0.0.1 x", "127.0.0.1") && is_exempt("*", "anything"));
        assert!(!is_exempt("amazonaws.com", "notamazonaws.com"));
    }
}
