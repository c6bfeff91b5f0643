//! Addresses, proxies and trust roots, by each client's own rules.

use std::collections::BTreeMap;

use super::{Files, environment::Layers};
use crate::{
    evidence::{Client, Endpoint, Route, Setting},
    world::{FileRead, World},
};

/// Services with the name under which their address is set, and their host (AWS General Reference: service endpoints).
const SERVICES: [(&str, &str, &str); 6] = [
    ("bedrock-runtime", "BEDROCK_RUNTIME", "bedrock-runtime"),
    ("bedrock", "BEDROCK", "bedrock"),
    ("sts", "STS", "sts"),
    ("sso", "SSO", "portal.sso"),
    ("cloudtrail", "CLOUDTRAIL", "cloudtrail"),
    ("servicequotas", "SERVICE_QUOTAS", "servicequotas"),
];

/// Returns the address of every service.
pub(super) fn endpoints(
    client: Client,
    layers: &Layers,
    files: &Files<'_>,
    region: &str,
) -> BTreeMap<String, Endpoint> {
    let is_true = |variable: &str, key: &str| is_true(layers, files, variable, key);
    let ignores = client != Client::ClaudeCode
        && is_true("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "ignore_configured_endpoint_urls");
    let variant = Variant {
        fips: is_true("AWS_USE_FIPS_ENDPOINT", "use_fips_endpoint"),
        dual_stack: is_true("AWS_USE_DUALSTACK_ENDPOINT", "use_dualstack_endpoint"),
    };
    let of_sign_in = sign_in_region(files).unwrap_or(region);
    SERVICES
        .iter()
        .map(|(service, name, host)| {
            let base = (client == Client::ClaudeCode && matches!(*service, "bedrock-runtime" | "bedrock"))
                .then(|| layers.filled_setting("ANTHROPIC_BEDROCK_BASE_URL"))
                .flatten();
            // Claude Code's runtime calls follow no other variable (observed with 2.1.330).
            let fixed = client == Client::ClaudeCode && *service == "bedrock-runtime";
            let configured = if fixed || ignores {
                None
            } else {
                layers
                    .filled_setting(&format!("AWS_ENDPOINT_URL_{name}"))
                    .or_else(|| layers.filled_setting("AWS_ENDPOINT_URL"))
                    .or_else(|| of_profile(files, &name.to_lowercase()))
            };
            let setting = base.or(configured);
            let region = if *service == "sso" { of_sign_in } else { region };
            let variant = if fixed { Variant::default() } else { variant };
            let url = setting.as_ref().map_or_else(|| variant.url(host, region), |it| it.value.clone());
            ((*service).to_owned(), Endpoint { url, setting })
        })
        .collect()
}

/// A switch of the SDKs: the variable first, then the profile's key.
fn is_true(layers: &Layers, files: &Files<'_>, variable: &str, key: &str) -> bool {
    let value =
        layers.get(variable).or_else(|| files.aws.get(files.profile, key).map(|property| property.value.trim()));
    value.is_some_and(|value| value.eq_ignore_ascii_case("true"))
}

/// Which of a service's own addresses is meant (AWS General Reference: FIPS and dual-stack endpoints).
#[derive(Clone, Copy, Default)]
struct Variant {
    fips: bool,
    dual_stack: bool,
}

impl Variant {
    fn url(self, host: &str, region: &str) -> String {
        let suffix = match (region.starts_with("cn-"), self.dual_stack) {
            (false, false) => "amazonaws.com",
            (false, true) => "api.aws",
            (true, false) => "amazonaws.com.cn",
            (true, true) => "api.amazonwebservices.com.cn",
        };
        let region = if region.is_empty() { "(no Region)" } else { region };
        format!("https://{host}{}.{region}.{suffix}", if self.fips { "-fips" } else { "" })
    }
}

/// The Region of the sign-in of IAM Identity Center, also of the profile that a role is assumed from. It is not that of the calls.
fn sign_in_region<'a>(files: &Files<'a>) -> Option<&'a str> {
    let aws = files.aws;
    let mut profile = files.profile;
    // Profiles may name each other in a circle.
    for _ in 0..=aws.profiles.len() {
        let session = aws.get(profile, "sso_session").and_then(|name| aws.sso_sessions.get(name.value.trim()));
        let region = session.and_then(|session| session.get("sso_region")).or_else(|| aws.get(profile, "sso_region"));
        if let Some(region) = region.map(|property| property.value.trim()).filter(|region| !region.is_empty()) {
            return Some(region);
        }
        profile = &aws.get(profile, "source_profile")?.value;
    }
    None
}

/// The variable whose proxy Claude Code uses for everything (observed with 2.1.330): lower case first, and `ALL_PROXY` only where it
/// is an http proxy; a SOCKS proxy there is passed by.
pub(super) fn proxy_of_claude_code(layers: &Layers) -> Option<&'static str> {
    ["https_proxy", "HTTPS_PROXY", "http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"].into_iter().find(|name| {
        let of_all = name.eq_ignore_ascii_case("all_proxy");
        layers.get(name).is_some_and(|value| !(of_all && value.to_lowercase().starts_with("socks")))
    })
}

/// An address in the profile: of the service in its `services` section, else for all.
fn of_profile(files: &Files<'_>, service: &str) -> Option<Setting> {
    let section = files.aws.get(files.profile, "services").and_then(|name| files.aws.services.get(&name.value));
    let key = format!("{service}.endpoint_url");
    let property =
        section.and_then(|section| section.get(&key)).or_else(|| files.aws.get(files.profile, "endpoint_url"))?;
    Some(Setting {
        name: "endpoint_url".to_owned(),
        value: super::environment::without_user("endpoint_url", &property.value),
        origin: property.origin("endpoint_url"),
        shadows: Vec::new(),
    })
}

/// Returns proxies and trust roots.
pub(super) fn route(world: &World, client: Client, layers: &Layers, files: &Files<'_>) -> Route {
    let first = |names: &[&str]| names.iter().find_map(|name| layers.filled_setting(name));
    let (https_proxy, http_proxy) = match client {
        // One proxy serves both.
        Client::ClaudeCode => {
            let proxy = proxy_of_claude_code(layers).and_then(|name| layers.filled_setting(name));
            (proxy.clone(), proxy)
        }
        Client::AwsSdk | Client::Bedside => (
            first(&["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"]),
            first(&["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"]),
        ),
    };
    let ca_bundle = match client {
        Client::ClaudeCode => layers.filled_setting("NODE_EXTRA_CA_CERTS"),
        Client::AwsSdk => layers.filled_setting("AWS_CA_BUNDLE").or_else(|| {
            let property = files.aws.get(files.profile, "ca_bundle")?;
            Some(Setting {
                name: "ca_bundle".to_owned(),
                value: property.value.clone(),
                origin: property.origin("ca_bundle"),
                shadows: Vec::new(),
            })
        }),
        Client::Bedside => first(&["AWS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"]),
    };
    let ca_bundle_problem = ca_bundle.as_ref().and_then(|ca| match world.read_file(&world.expand_path(&ca.value)) {
        FileRead::Missing => Some(format!("the file {} does not exist", ca.value)),
        FileRead::Trouble(trouble) => Some(format!("the file {} cannot be read: {trouble}", ca.value)),
        FileRead::Text(text) if !text.contains("-----BEGIN CERTIFICATE-----") => {
            Some(format!("the file {} holds no certificate in PEM form", ca.value))
        }
        FileRead::Text(_) => None,
    });
    Route { https_proxy, http_proxy, no_proxy: first(&["no_proxy", "NO_PROXY"]), ca_bundle, ca_bundle_problem }
}

/// Addresses that somebody set and that this client does not follow.
pub(super) fn unread(client: Client, layers: &Layers) -> Vec<Setting> {
    if client != Client::ClaudeCode || layers.get("ANTHROPIC_BEDROCK_BASE_URL").is_some() {
        return Vec::new();
    }
    ["AWS_ENDPOINT_URL_BEDROCK_RUNTIME"].into_iter().filter_map(|name| layers.filled_setting(name)).collect()
}
