//! Service quotas of one account: what is applied, what was used, what was asked for.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use crate::simulate::catalog::{Quota, QuotaScope, QuotaUnit, catalog};
use crate::simulate::iam::pattern::matches_plain;
use crate::simulate::scenario::world::QuotaSpec;

/// The quotas of an account.
#[derive(Clone, Debug, Default)]
pub struct QuotaBook {
    /// What the scenario says; later entries win.
    pub overrides: Vec<QuotaSpec>,
    /// Increases that were asked for.
    pub requests: Vec<QuotaRequest>,
    /// What was used, by Region and quota code.
    used: BTreeMap<(String, String), Vec<(Timestamp, f64)>>,
}

/// A request for a higher quota.
#[derive(Clone, Debug)]
pub struct QuotaRequest {
    pub id: String,
    pub code: String,
    pub region: String,
    pub desired: f64,
    pub created: Timestamp,
    pub requester: String,
}

/// How a call counts against quotas.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Usage {
    /// Input and the largest output that was asked for: set aside when the call begins.
    pub(crate) reserved: u64,
    /// What is left of it when the call ends.
    pub(crate) settled: u64,
}

/// The quota that a call ran into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exceeded {
    Requests,
    Tokens,
    DailyTokens,
}

impl QuotaBook {
    pub(super) fn new(overrides: Vec<QuotaSpec>) -> Self {
        Self { overrides, ..Self::default() }
    }

    /// Returns the value in force for the account in a Region.
    pub fn applied(&self, quota: &Quota, region: &str) -> f64 {
        let told = self.told(quota, region).filter_map(|spec| spec.applied).last();
        told.unwrap_or_else(|| self.default_value(quota, region))
    }

    /// Returns the value that AWS gives as the default in a Region.
    pub fn default_value(&self, quota: &Quota, region: &str) -> f64 {
        self.told(quota, region).filter_map(|spec| spec.default).last().unwrap_or(quota.default)
    }

    /// Whether `ListServiceQuotas` shows the row.
    pub fn listed(&self, quota: &Quota, region: &str) -> bool {
        self.told(quota, region).filter_map(|spec| spec.listed).last().unwrap_or(true)
    }

    fn told<'a>(&'a self, quota: &'a Quota, region: &'a str) -> impl Iterator<Item = &'a QuotaSpec> {
        self.overrides.iter().filter(move |spec| {
            quota.model.as_ref().is_some_and(|model| matches_plain(&spec.model, model))
                && (spec.scope.is_none() || spec.scope == quota.scope)
                && (spec.unit.is_none() || spec.unit == quota.unit)
                && (spec.regions.is_empty() || spec.regions.iter().any(|known| known == region))
        })
    }

    /// Takes a call out of every quota that counts it, or says which one is used up.
    pub(crate) fn take(
        &mut self,
        model: &str,
        scope: QuotaScope,
        region: &str,
        usage: Usage,
        now: Timestamp,
    ) -> Result<(), Exceeded> {
        let counting: Vec<&Quota> = catalog()
            .quotas()
            .iter()
            .filter(|quota| quota.model.as_deref() == Some(model))
            .filter(|quota| quota.scope == Some(scope) || quota.scope == Some(QuotaScope::ModelInvocation))
            .collect();
        for quota in &counting {
            self.check(quota, scope, region, usage, now)?;
        }
        for quota in counting {
            let amount = match quota.unit {
                Some(QuotaUnit::RequestsPerMinute) => 1.0,
                _ => number(usage.settled),
            };
            self.used.entry((region.to_owned(), quota.code.clone())).or_default().push((now, amount));
        }
        Ok(())
    }

    fn check(
        &mut self,
        quota: &Quota,
        scope: QuotaScope,
        region: &str,
        usage: Usage,
        now: Timestamp,
    ) -> Result<(), Exceeded> {
        let Some(unit) = quota.unit else { return Ok(()) };
        let window = match unit {
            QuotaUnit::TokensPerDay => SignedDuration::from_hours(24),
            QuotaUnit::TokensPerMinute | QuotaUnit::RequestsPerMinute => SignedDuration::from_mins(1),
        };
        let mut limit = self.applied(quota, region);
        // An applied quota of nothing is refused in the words of the daily one, whichever it is.
        if limit <= 0.0 {
            return Err(Exceeded::DailyTokens);
        }
        if quota.scope == Some(QuotaScope::ModelInvocation) && scope != QuotaScope::OnDemand {
            limit *= 2.0;
        }
        let background: f64 = self.told(quota, region).filter_map(|spec| spec.consumed).last().unwrap_or(0.0);
        let used = self.used.entry((region.to_owned(), quota.code.clone())).or_default();
        used.retain(|(at, _)| *at + window > now);
        let used: f64 = background + used.iter().map(|(_, amount)| amount).sum::<f64>();
        let (amount, exceeded) = match unit {
            QuotaUnit::RequestsPerMinute => (1.0, Exceeded::Requests),
            QuotaUnit::TokensPerMinute => (number(usage.reserved), Exceeded::Tokens),
            QuotaUnit::TokensPerDay => (number(usage.settled), Exceeded::DailyTokens),
        };
        if used + amount > limit { Err(exceeded) } else { Ok(()) }
    }
}

/// Token counts are far below the numbers that a double cannot hold.
#[expect(clippy::cast_precision_loss, reason = "token counts stay below 2^52")]
fn number(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    const MODEL: &str = "anthropic.claude-sonnet-4-5-20250929-v1:0";

    fn book(rows: &str) -> QuotaBook {
        #[derive(serde::Deserialize)]
        struct Rows {
            quotas: Vec<QuotaSpec>,
        }
        QuotaBook::new(toml::from_str::<Rows>(rows).unwrap().quotas)
    }

    fn take(book: &mut QuotaBook, reserved: u64, second: i64) -> Result<(), Exceeded> {
        let now = Timestamp::from_second(1_790_000_000 + second).unwrap();
        book.take(MODEL, QuotaScope::CrossRegion, "us-east-1", Usage { reserved, settled: 100 }, now)
    }

    #[test]
    fn reservations_count_when_a_call_begins_and_shrink_when_it_ends() {
        let mut book = book(
            "[[quotas]]\nmodel = \"*sonnet-4-5*\"\nscope = \"cross-region\"\nunit = \"tokens-per-minute\"\napplied = 1000\n",
        );
        assert_eq!(take(&mut book, 2000, 0), Err(Exceeded::Tokens));
        assert_eq!(take(&mut book, 900, 0), Ok(()));
        assert_eq!(take(&mut book, 901, 1), Err(Exceeded::Tokens));
        assert_eq!(take(&mut book, 900, 1), Ok(()));
        assert_eq!(take(&mut book, 1000, 70), Ok(()));
    }

    #[test]
    fn requests_background_and_zero_have_their_own_refusals() {
        let mut requests = book("[[quotas]]\nmodel = \"*\"\nunit = \"requests-per-minute\"\napplied = 1\n");
        assert_eq!(take(&mut requests, 1, 0), Ok(()));
        assert_eq!(take(&mut requests, 1, 1), Err(Exceeded::Requests));
        let mut zero = book("[[quotas]]\nmodel = \"*\"\nunit = \"tokens-per-minute\"\napplied = 0\n");
        assert_eq!(take(&mut zero, 1, 0), Err(Exceeded::DailyTokens));
        let mut busy = book("[[quotas]]\nmodel = \"*\"\nunit = \"tokens-per-minute\"\nconsumed = 5000000\n");
        assert_eq!(take(&mut busy, 1, 0), Err(Exceeded::Tokens));
        let mut elsewhere = book("[[quotas]]\nmodel = \"*\"\nregions = [\"eu-west-1\"]\napplied = 0\n");
        assert_eq!(take(&mut elsewhere, 1, 0), Ok(()));
    }
}
