//! What AWS offers to everybody: Regions, inference-profile routing, foundation models and default quotas.
//!
//! Reads `catalog.toml` once. It knows nothing of accounts: whether a model may be used is for `cloud` and the services.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use jiff::civil::Date;
use serde::Deserialize;
use sha2::{Digest, Sha256};

/// Returns the catalog, parsed on first use.
pub fn catalog() -> &'static Catalog {
    static CATALOG: LazyLock<Catalog> = LazyLock::new(|| {
        toml::from_str::<Catalog>(include_str!("catalog.toml"))
            .expect("catalog.toml is part of the program and parsed by a test")
            .with_other_quotas()
    });
    &CATALOG
}

/// Everything in `catalog.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Catalog {
    regions: Vec<Region>,
    betas: Vec<String>,
    adaptive_betas: Vec<String>,
    #[serde(rename = "prefix")]
    prefixes: Vec<Prefix>,
    #[serde(rename = "model")]
    models: Vec<Model>,
    #[serde(rename = "quota")]
    quotas: Vec<Quota>,
    other_quotas: OtherQuotas,
}

/// An AWS Region of the commercial partition.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Region {
    pub name: String,
    #[serde(default)]
    pub opt_in: bool,
    #[serde(default = "yes")]
    pub bedrock: bool,
}

/// A system-defined inference profile's prefix and where it routes.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prefix {
    pub name: String,
    /// The word in the profile's name: "US Anthropic Claude …".
    pub label: String,
    /// Routed to any commercial Region; authorized through the foundation-model ARN without a Region.
    #[serde(default)]
    pub anywhere: bool,
    routes: Vec<Route>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Route {
    from: Vec<String>,
    to: Vec<String>,
}

/// A foundation model.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Model {
    pub id: String,
    pub name: String,
    pub provider: String,
    pub launched: Date,
    pub prefixes: Vec<String>,
    /// Source Regions from which a prefix does not lead to the model, by prefix.
    #[serde(default)]
    not_from: BTreeMap<String, Vec<String>>,
    pub context: u64,
    pub max_output: u64,
    #[serde(default)]
    pub product: Option<String>,
    #[serde(default)]
    pub on_demand: Vec<String>,
    #[serde(default)]
    pub gone: bool,
    #[serde(default)]
    pub legacy_since: Option<Date>,
    /// From when on a legacy model costs more.
    #[serde(default)]
    pub extended_access: Option<Date>,
    #[serde(default)]
    pub end_of_life: Option<Date>,
    #[serde(default)]
    pub sampling: Sampling,
    #[serde(default)]
    pub thinking: Thinking,
    #[serde(default)]
    pub errors: Envelope,
    #[serde(default = "yes")]
    pub prefill: bool,
    #[serde(default = "one")]
    pub burndown: u64,
    #[serde(default = "thousand")]
    pub cache_minimum: u64,
    #[serde(default)]
    pub count_tokens: bool,
    #[serde(default)]
    pub retention: Option<String>,
    #[serde(default = "text")]
    pub output: String,
}

/// Which sampling parameters a model takes.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum Sampling {
    #[default]
    Free,
    /// `temperature` or `top_p`, not both.
    One,
    Refused,
}

/// How a model thinks.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum Thinking {
    #[default]
    Budget,
    /// With a token budget or by its own judgment.
    Either,
    /// By its own judgment; a token budget is refused.
    Adaptive,
    /// As adaptive, and cannot be switched off.
    Always,
}

/// The shape of errors that come from the model's side of the service.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum Envelope {
    #[default]
    Aws,
    Anthropic,
}

/// A default quota of service code `bedrock`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quota {
    pub code: String,
    pub name: String,
    pub default: f64,
    #[serde(default)]
    pub model: Option<String>,
    #[serde(default)]
    pub scope: Option<QuotaScope>,
    #[serde(default)]
    pub unit: Option<QuotaUnit>,
    #[serde(default = "yes")]
    pub adjustable: bool,
}

/// Which calls a quota counts.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum QuotaScope {
    CrossRegion,
    Global,
    OnDemand,
    /// Daily tokens of the model, whichever way it is called.
    ModelInvocation,
}

/// What a quota counts.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum QuotaUnit {
    TokensPerMinute,
    RequestsPerMinute,
    TokensPerDay,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct OtherQuotas {
    models: Vec<String>,
    patterns: Vec<OtherPattern>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct OtherPattern {
    name: String,
    default: f64,
}

impl Catalog {
    /// Returns the Region of that name, if there is one.
    pub fn region(&self, name: &str) -> Option<&Region> {
        self.regions.iter().find(|region| region.name == name)
    }

    /// Returns all Regions.
    pub fn regions(&self) -> impl Iterator<Item = &Region> {
        self.regions.iter()
    }

    /// Returns all foundation models, dead ones included.
    pub fn models(&self) -> impl Iterator<Item = &Model> {
        self.models.iter()
    }

    /// Returns the foundation model of that id.
    pub fn model(&self, id: &str) -> Option<&Model> {
        self.models.iter().find(|model| model.id == id)
    }

    /// Returns all inference-profile prefixes.
    pub fn prefixes(&self) -> impl Iterator<Item = &Prefix> {
        self.prefixes.iter()
    }

    /// Splits a system-defined profile id into its prefix and model, whatever the Region.
    pub fn profile(&self, id: &str) -> Option<(&Prefix, &Model)> {
        let (name, model) = id.split_once('.')?;
        let prefix = self.prefixes.iter().find(|prefix| prefix.name == name)?;
        let model = self.model(model)?;
        model.prefixes.contains(&prefix.name).then_some((prefix, model))
    }

    /// Whether Bedrock takes the beta flag for the model.
    pub fn takes_beta(&self, flag: &str, model: &Model) -> bool {
        let adaptive = self.adaptive_betas.iter().filter(|_| model.thinking != Thinking::Budget);
        self.betas.iter().chain(adaptive).any(|known| known == flag)
    }

    /// Returns the default quotas.
    pub fn quotas(&self) -> &[Quota] {
        &self.quotas
    }

    fn with_other_quotas(mut self) -> Self {
        for model in &self.other_quotas.models {
            for pattern in &self.other_quotas.patterns {
                let name = pattern.name.replace("{model}", model);
                let digest = hex::encode_upper(Sha256::digest(name.as_bytes()));
                self.quotas.push(Quota {
                    code: format!("L-SIM{}", &digest[..5]),
                    name,
                    default: pattern.default,
                    model: None,
                    scope: None,
                    unit: None,
                    adjustable: true,
                });
            }
        }
        self
    }
}

impl Prefix {
    /// Returns the destination Regions of the prefix called in `source`; `None` where it leads nowhere.
    ///
    /// A profile that is routed anywhere names no destination but its source.
    fn destinations(&self, source: &str) -> Option<Vec<String>> {
        if self.anywhere {
            let bedrock = catalog().region(source).is_some_and(|region| region.bedrock);
            return bedrock.then(|| vec![source.to_owned()]);
        }
        let route = self.routes.iter().find(|route| route.from.iter().any(|region| region == source))?;
        // The source comes first: it is the first that the service authorizes.
        let mut destinations = route.to.clone();
        destinations.sort_by_key(|region| (region != source, region.clone()));
        Some(destinations)
    }
}

impl Model {
    /// Whether the model is Anthropic's: the form, the agreement's terms and the country rules are theirs alone.
    pub fn is_anthropic(&self) -> bool {
        self.provider == "Anthropic"
    }

    /// Returns the model's name in its maker's API, which answers and error texts carry.
    pub fn short_name(&self) -> &str {
        let name = self.id.split_once('.').map_or(self.id.as_str(), |(_, name)| name);
        name.split_once("-v1").map_or(name, |(name, _)| name)
    }

    /// Returns where a profile of the model leads from `region`; `None` where there is no such profile.
    pub fn destinations(&self, prefix: &Prefix, region: &str) -> Option<Vec<String>> {
        let excluded =
            self.not_from.get(&prefix.name).is_some_and(|regions| regions.iter().any(|known| known == region));
        if excluded { None } else { prefix.destinations(region) }
    }

    /// Whether one of the model's profiles can be called from `region`.
    pub fn profiled_in(&self, region: &str) -> bool {
        catalog()
            .prefixes()
            .any(|prefix| self.prefixes.contains(&prefix.name) && self.destinations(prefix, region).is_some())
    }

    /// Whether the model can be called from `region` in any way.
    pub fn reachable_from(&self, region: &str) -> bool {
        self.on_demand.iter().any(|served| served == region) || self.profiled_in(region)
    }
}

fn yes() -> bool {
    true
}

fn one() -> u64 {
    1
}

fn thousand() -> u64 {
    1024
}

fn text() -> String {
    "TEXT".to_owned()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn ids_and_codes_are_unique_and_names_fit_the_api() {
        let models: BTreeSet<_> = catalog().models().map(|model| &model.id).collect();
        assert_eq!(models.len(), catalog().models().count());
        let codes: BTreeSet<_> = catalog().quotas().iter().map(|quota| &quota.code).collect();
        assert_eq!(codes.len(), catalog().quotas().len());
        for model in catalog().models() {
            assert!(model.name.chars().count() <= 24, "{}", model.name);
            for prefix in model.prefixes.iter().chain(model.not_from.keys()) {
                assert!(catalog().prefixes().any(|known| &known.name == prefix), "{} has {prefix}", model.id);
            }
        }
        assert!(catalog().quotas().len() > 200);
        for quota in catalog().quotas() {
            assert!(quota.model.as_ref().is_none_or(|id| catalog().model(id).is_some()), "{}", quota.code);
        }
    }

    #[test]
    fn every_route_ends_in_regions_with_bedrock_and_begins_at_home() {
        for prefix in catalog().prefixes() {
            for region in catalog().regions() {
                let Some(destinations) = prefix.destinations(&region.name) else { continue };
                assert_eq!(destinations[0], region.name, "{} in {}", prefix.name, region.name);
                for destination in destinations {
                    assert!(catalog().region(&destination).is_some_and(|known| known.bedrock), "{destination}");
                }
            }
        }
    }

    #[test]
    fn a_profile_id_splits_into_prefix_and_model() {
        let (prefix, model) = catalog().profile("us.anthropic.claude-opus-5-5").unwrap();
        assert_eq!((prefix.name.as_str(), model.short_name()), ("us", "claude-opus-5-5"));
        assert!(catalog().profile("apac.anthropic.claude-opus-5-5").is_none());
        let sonnet = catalog().model("anthropic.claude-sonnet-4-5-20250929-v1:0").unwrap();
        assert_eq!(sonnet.short_name(), "claude-sonnet-4-5-20250929");
        assert!(sonnet.reachable_from("ap-southeast-6") && !sonnet.reachable_from("ap-east-1"));
    }

    #[test]
    fn auckland_has_the_australian_profiles_of_two_models_only() {
        let au = catalog().prefixes().find(|prefix| prefix.name == "au").unwrap();
        let served = |region: &str| -> Vec<&str> {
            let models = catalog().models().filter(|model| model.prefixes.contains(&au.name));
            models.filter(|model| model.destinations(au, region).is_some()).map(Model::short_name).collect()
        };
        assert_eq!(served("ap-southeast-6"), ["claude-sonnet-4-6", "claude-sonnet-4-5-20250929"]);
        assert!(served("ap-southeast-2").len() > 5);
    }
}
