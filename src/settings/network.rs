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
    let ignores = client != Client::ClaudeCode
        && layers.get("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS").is_some_and(|it| it.eq_ignore_ascii_case("true"));
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
            let url = setting.as_ref().map_or_else(
                || format!("https://{host}.{}.{}", region_or(region), suffix(region)),
                |it| it.value.clone(),
            );
            ((*service).to_owned(), Endpoint { url, setting })
        })
        .collect()
}

fn region_or(region: &str) -> &str {
    if region.is_empty() { "(no Region)" } else { region }
}

fn suffix(region: &str) -> &'static str {
    if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" }
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
        // One proxy serves both; lower case beats upper case.
        Client::ClaudeCode => {
            let proxy = first(&["https_proxy", "HTTPS_PROXY", "http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"]);
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
