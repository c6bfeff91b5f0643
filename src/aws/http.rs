//! The HTTP client under every AWS call: the system's trust roots and those the client adds, the proxies of the environment.

use aws_smithy_http_client::{
    Builder, Connector,
    proxy::ProxyConfig,
    tls::{Provider, TlsContext, TrustStore, rustls_provider::CryptoMode},
};
use aws_smithy_runtime_api::client::http::SharedHttpClient;

use super::Target;

/// Returns a client. Without TLS it starts in no time, since no trust roots are loaded.
pub(super) fn client(target: &Target, needs_tls: bool) -> SharedHttpClient {
    let mut roots = TrustStore::empty().with_native_roots(!target.replace_roots);
    if let Some(pem) = &target.extra_roots {
        roots.add_pem_certificate(pem.clone());
    }
    Builder::new().build_with_connector_fn(move |settings, components| {
        // A client of one's own knows no proxy unless it is given one.
        let mut builder = Connector::builder().proxy_config(ProxyConfig::from_env());
        builder.set_connector_settings(settings.cloned());
        if let Some(components) = components {
            builder.set_sleep_impl(components.sleep_impl());
        }
        if !needs_tls {
            return builder.build_http();
        }
        let builder = builder.tls_provider(Provider::Rustls(CryptoMode::Ring));
        match TlsContext::builder().with_trust_store(roots.clone()).build() {
            Ok(context) => builder.tls_context(context).build(),
            Err(_) => builder.build(),
        }
    })
}
