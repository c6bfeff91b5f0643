//! What a scenario must hold to beyond its shape: every name in it means something.

use std::path::Path;

use jiff::Timestamp;

use super::{Scenario, WorldSpec};
use crate::simulate::catalog::catalog;
use crate::simulate::cloud::{Cloud, Principal, WorldError};
use crate::simulate::iam::pattern::matches_plain;
use crate::simulate::machine::Machine;
use crate::simulate::placeholders::{Addresses, Values};
use crate::simulate::texts;

/// Returns the first mistake of a scenario.
pub(super) fn check(scenario: &Scenario) -> Result<(), WorldError> {
    let head = &scenario.head;
    one_of("verdict", &head.verdict, &["ok", "warn", "fail", "unknown"])?;
    one_of("client", &head.client, &["claude-code", "aws-sdk", "bedside"])?;
    for slug in head.cause.iter().chain(&head.also) {
        let fits = |character: char| character.is_ascii_lowercase() || character.is_ascii_digit() || character == '-';
        require(!slug.is_empty() && slug.chars().all(fits), slug, || format!("`{slug}` is no slug of a cause"))?;
    }
    check_account(&scenario.world)?;
    for account in &scenario.world.accounts {
        check_account(account)?;
        require(account.name.is_some(), "world.accounts", || "a further account needs a `name`".to_owned())?;
        require(account.accounts.is_empty(), "world.accounts.accounts", || "accounts do not nest".to_owned())?;
        let own = account.principals.is_empty() && account.api_keys.is_empty() && account.vpc_endpoint.is_none();
        require(own, "world.accounts", || {
            "principals, API keys and the VPC endpoint stand in `[world]`; a principal names its `account`".to_owned()
        })?;
    }
    for fault in &scenario.faults {
        let near = fault.text.as_deref().unwrap_or("faults");
        require(fault.complaint().is_none(), near, || fault.complaint().unwrap_or_default())?;
    }
    let cloud = Cloud::new(scenario, Timestamp::UNIX_EPOCH)?;
    for name in scenario.world.metadata.role.iter().chain(&scenario.world.container.role) {
        let role = cloud.principal(name).is_some_and(Principal::is_role);
        require(role, name, || format!("`{name}` is no role of this world"))?;
    }
    if let Some(name) = &scenario.world.gateway.principal {
        require(cloud.principal(name).is_some(), name, || format!("`{name}` is no principal of this world"))?;
    }
    let (directory, addresses) = (Path::new("/sim"), Addresses::sample());
    let cwd = Machine::cwd(&scenario.machine, directory);
    let values = Values { cloud: &cloud, addresses: &addresses, directory, cwd: &cwd, now: Timestamp::UNIX_EPOCH };
    Machine::new(&scenario.machine, &values, None)
        .map(drop)
        .map_err(|unknown| WorldError { near: format!("{{{}}}", unknown.0), reason: unknown.to_string() })
}

fn check_account(world: &WorldSpec) -> Result<(), WorldError> {
    if let Some(id) = &world.account {
        let fits = id.len() == 12 && id.starts_with("00000000") && id.bytes().all(|byte| byte.is_ascii_digit());
        require(fits, id, || format!("account id `{id}` is not twelve digits that begin with eight zeros"))?;
    }
    let regions = world
        .home_region
        .iter()
        .chain(&world.opted_in)
        .chain(world.models.iter().flat_map(|model| &model.regions))
        .chain(world.quotas.iter().flat_map(|quota| &quota.regions))
        .chain(world.data_retention.keys().filter(|region| *region != "*"));
    for region in regions {
        require(catalog().region(region).is_some(), region, || format!("`{region}` is no Region"))?;
    }
    let patterns = world.models.iter().map(|model| &model.model).chain(world.quotas.iter().map(|quota| &quota.model));
    for pattern in patterns {
        let known = catalog().models().any(|model| matches_plain(pattern, &model.id));
        require(known, pattern, || format!("`{pattern}` matches no model of the catalog"))?;
    }
    for profile in &world.application_profiles {
        let source = &profile.source;
        let known = catalog().model(source).is_some() || catalog().profile(source).is_some();
        require(known, source, || format!("`{source}` is neither a model nor a system-defined profile"))?;
    }
    if let Some(key) = &world.authorized_text {
        let whole = texts::by_key(key).is_some_and(|text| text.unfilled(&[]).is_none());
        require(whole, key, || format!("`{key}` is the key of no text, or of one with gaps"))?;
    }
    Ok(())
}

fn one_of(what: &str, value: &str, choices: &[&str]) -> Result<(), WorldError> {
    require(choices.contains(&value), value, || format!("`{value}` is no {what}; it is one of {}", choices.join(", ")))
}

fn require(holds: bool, near: &str, reason: impl FnOnce() -> String) -> Result<(), WorldError> {
    if holds { Ok(()) } else { Err(WorldError { near: near.to_owned(), reason: reason() }) }
}
