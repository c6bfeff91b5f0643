//! What the probing process is told: the settings that were resolved, what may be done, and for how long.

use serde::{Deserialize, Serialize};

use crate::evidence::{Fact, QuotaUnit, RegionSetting, Settings};

/// The probes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Probe {
    /// Versions of the client programs.
    Programs,
    /// The hosts.
    Network,
    /// The credential chain.
    Credentials,
    /// STS.
    Identity,
    /// Foundation models and inference profiles.
    Lists,
    /// Gates of the account.
    Access,
    /// Invocations.
    Invoke,
    /// Quotas.
    Quotas,
    /// CloudTrail.
    History,
}

impl Probe {
    /// Every probe.
    pub const ALL: [Self; 9] = [
        Self::Programs,
        Self::Network,
        Self::Credentials,
        Self::Identity,
        Self::Lists,
        Self::Access,
        Self::Invoke,
        Self::Quotas,
        Self::History,
    ];

    /// Returns what a person is told while it runs.
    pub fn doing(self) -> &'static str {
        match self {
            Self::Programs => "client programs",
            Self::Network => "hosts",
            Self::Credentials => "credentials",
            Self::Identity => "identity (STS)",
            Self::Lists => "models and inference profiles",
            Self::Access => "model access",
            Self::Invoke => "the answers of the models",
            Self::Quotas => "quotas",
            Self::History => "CloudTrail",
        }
    }

    /// Returns its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Programs => "programs",
            Self::Network => "network",
            Self::Credentials => "credentials",
            Self::Identity => "identity",
            Self::Lists => "lists",
            Self::Access => "access",
            Self::Invoke => "invoke",
            Self::Quotas => "quotas",
            Self::History => "history",
        }
    }
}

/// A quota's code, from the table of quotas.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuotaCode {
    /// Foundation-model id.
    pub model: String,
    /// `cross-region` or `global`.
    pub scope: String,
    /// What it counts.
    pub unit: QuotaUnit,
    /// The code.
    pub code: String,
}

/// What the probing process is told.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ProbePlan {
    /// The settings.
    pub settings: Settings,
    /// The Region.
    pub region: Fact<RegionSetting>,
    /// The probes to run.
    pub probes: Vec<Probe>,
    /// Models may be invoked.
    pub invoke: bool,
    /// How far back history is read, in hours.
    pub since_hours: u32,
    /// The user asked for history: read it to its end.
    pub deep_history: bool,
    /// Deadline of one probe, in milliseconds.
    pub probe_timeout_ms: u64,
    /// Known codes of quotas.
    pub quota_codes: Vec<QuotaCode>,
    /// Foundation models that are nobody's default, because they need another data retention mode.
    pub not_by_default: Vec<String>,
    /// Regions that an account has to enable.
    pub opt_in_regions: Vec<String>,
    /// Other Regions that the settings name, each with where it stands.
    pub elsewhere: Vec<(String, String)>,
    /// PEM file of extra trust roots.
    pub extra_roots: Option<String>,
    /// The extra roots replace the system's.
    pub replace_roots: bool,
    /// The chain must not be asked, and why: the client itself would not get that far.
    pub no_chain: Option<String>,
    /// The keys in the environment are those of the profile.
    pub keys_of_profile: bool,
}
