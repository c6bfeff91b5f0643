//! Tables of facts that no API tells: limits of models, codes of quotas, faults of client versions. Every row names its source;
//! what is not in a table is unknown, never guessed.

use serde::Deserialize;

/// The tables in `checks/tables/`.
#[derive(Debug, Default)]
pub struct Tables {
    /// Regions.
    pub regions: Vec<RegionFacts>,
    /// Models.
    pub models: Vec<ModelFacts>,
    /// Quotas.
    pub quotas: Vec<QuotaFacts>,
    /// Faults of client versions.
    pub client_faults: Vec<ClientFault>,
}

/// A Region with a Bedrock host.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegionFacts {
    /// Its name.
    pub name: String,
    /// An account has to enable it first.
    #[serde(default)]
    pub opt_in: bool,
    /// Where the row comes from.
    pub source: String,
}

/// What is known of a model beyond what the account lists.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelFacts {
    /// Foundation-model id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// `opus`, `sonnet`, `haiku`, `fable`, `mythos`.
    pub family: String,
    /// Most output tokens of one answer.
    pub max_output_tokens: Option<u64>,
    /// Output tokens that Claude Code asks for by itself.
    pub client_output_tokens: Option<u64>,
    /// How many tokens of quota one output token costs.
    pub burndown: Option<u32>,
    /// It is served through inference profiles only, but for the Regions in `on_demand_regions`.
    #[serde(default)]
    pub profile_only: bool,
    /// Regions in which its bare id can be invoked all the same.
    #[serde(default)]
    pub on_demand_regions: Vec<String>,
    /// It has reached its end of life for everyone.
    #[serde(default)]
    pub retired: bool,
    /// When it was, or will be, retired (a date, as the source writes it).
    pub retired_on: Option<String>,
    /// Data retention modes that it needs, any of them.
    #[serde(default)]
    pub needs_retention: Vec<String>,
    /// Where the row comes from.
    pub source: String,
}

/// A quota's code.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QuotaFacts {
    /// Foundation-model id it is for.
    pub model: String,
    /// `cross-region` or `global`.
    pub scope: String,
    /// `tokens-per-minute`, `requests-per-minute` or `tokens-per-day`.
    pub unit: crate::evidence::QuotaUnit,
    /// Quota code.
    pub code: String,
    /// Where the row comes from.
    pub source: String,
}

/// A fault of some versions of a client.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClientFault {
    /// Kebab case, unique.
    pub id: String,
    /// `claude-code` or `aws-cli`.
    pub client: String,
    /// The first version with it; absent for "ever since".
    pub since: Option<String>,
    /// The first version without it.
    pub fixed_in: String,
    /// The condition of the set-up under which it is met; names a rule of the engine.
    pub met_when: String,
    /// `sdk-outdated-or-wrong` or `client-bug`.
    pub cause: String,
    /// What goes wrong, as a clause.
    pub effect: String,
    /// Where it is reported.
    pub source: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TableFile {
    #[serde(default)]
    pub(super) region: Vec<RegionFacts>,
    #[serde(default)]
    pub(super) model: Vec<ModelFacts>,
    #[serde(default)]
    pub(super) quota: Vec<QuotaFacts>,
    #[serde(default)]
    pub(super) client_fault: Vec<ClientFault>,
}

impl Tables {
    /// Returns the row of a Region.
    pub fn region(&self, name: &str) -> Option<&RegionFacts> {
        self.regions.iter().find(|region| region.name == name)
    }

    /// Returns the row of a foundation model, by the id without prefix and suffix.
    pub fn model(&self, foundation_model_id: &str) -> Option<&ModelFacts> {
        self.models.iter().find(|model| model.id == foundation_model_id)
    }

    /// Returns the rows of a model's quotas in a scope.
    pub fn quotas_of<'a>(
        &'a self,
        foundation_model_id: &'a str,
        scope: &'a str,
    ) -> impl Iterator<Item = &'a QuotaFacts> {
        self.quotas.iter().filter(move |quota| quota.model == foundation_model_id && quota.scope == scope)
    }
}
