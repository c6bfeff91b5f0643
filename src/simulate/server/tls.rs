//! The TLS listener's certificate, made at start by an authority that exists only as long as the simulation.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::rustls::version::{TLS12, TLS13};

use crate::simulate::catalog::catalog;

/// An authority and the acceptor that shows a certificate of it.
pub(crate) struct Tls {
    pub(crate) acceptor: TlsAcceptor,
    pub(crate) authority_pem: String,
}

/// A certificate that could not be made.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    #[error("failed to make a certificate")]
    Certificate(#[from] rcgen::Error),
    #[error("failed to set up TLS")]
    Tls(#[from] tokio_rustls::rustls::Error),
}

impl Tls {
    /// Makes an authority of that name, and a certificate for loopback and for every AWS host name that a client may ask for.
    pub(crate) fn new(authority: &str) -> Result<Self, TlsError> {
        let authority_key = KeyPair::generate()?;
        let mut authority_params = CertificateParams::new(Vec::new())?;
        authority_params.distinguished_name.push(DnType::CommonName, authority);
        authority_params.distinguished_name.push(DnType::OrganizationName, authority);
        authority_params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        authority_params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let authority_pem = authority_params.self_signed(&authority_key)?.pem();
        let issuer = Issuer::new(authority_params, authority_key);

        let mut names = vec!["localhost".to_owned(), "127.0.0.1".to_owned(), "*.amazonaws.com".to_owned()];
        for region in catalog().regions() {
            names.push(format!("*.{}.amazonaws.com", region.name));
            names.push(format!("*.{}.api.aws", region.name));
        }
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new(names)?;
        params.distinguished_name.push(DnType::CommonName, "simulated AWS");
        params.use_authority_key_identifier_extension = true;
        let certificate = params.signed_by(&key, &issuer)?;

        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(&[&TLS13, &TLS12])?
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self { acceptor: TlsAcceptor::from(Arc::new(config)), authority_pem })
    }
}
