//! The gates of an invocation, in the order in which they answer.
//!
//! Fixing one reveals the next: IAM, the id, the life cycle, the account, the form, the agreement, the model's switch, data
//! retention; then the body; then quotas.

use super::generation::Generation;
use super::prompt::Prompt;
use super::target::{Target, resolve};
use crate::simulate::catalog::Model;
use crate::simulate::cloud::ModelState;
use crate::simulate::cloud::quota::{Exceeded, Usage};
use crate::simulate::exchange::Exchange;
use crate::simulate::refusal::Refusal;
use crate::simulate::scenario::world::{AgreementState, LifeCycle};
use crate::simulate::services::bedrock::subscribe;
use crate::simulate::texts::{self, texts};

/// Asks IAM about every resource of the call and returns what its id names.
pub(super) fn authorize(exchange: &Exchange<'_>, action: &str) -> Result<Target, Refusal> {
    let id = &exchange.operation.target;
    let mut context = exchange.context();
    let target = match resolve(exchange, id) {
        Ok(target) => target,
        Err(unresolved) => {
            exchange.authorize(action, &unresolved.arn, &context)?;
            return Err(texts().model_id_invalid.refuse(&[]));
        }
    };
    let account = &exchange.caller().account_id;
    if let Some(arn) = target.profile_arn(&exchange.region, account) {
        context.set("bedrock:InferenceProfileArn", arn);
    }
    for resource in target.resources(&exchange.region, account) {
        context.set("aws:RequestedRegion", resource.region);
        exchange.authorize(action, &resource.arn, &context)?;
    }
    Ok(target)
}

/// Takes the call through the gates that stand before every use of a model: its life, its Region, and whether it is open to the
/// account at all.
pub(super) fn check_model(exchange: &Exchange<'_>, target: &Target) -> Result<ModelState, Refusal> {
    let model = target.model();
    let region = &exchange.region;
    let state = exchange.account().model_state(model, region, exchange.now);
    if state.life_cycle == LifeCycle::Gone {
        return Err(texts().model_eol.refuse(&[]));
    }
    if !state.available || !exists_here(target, region, &state.prefixes) {
        return Err(texts().model_id_invalid.refuse(&[]));
    }
    if state.life_cycle == LifeCycle::Legacy && state.inactive {
        return Err(texts().model_legacy_inactive.refuse(&[]));
    }
    // Tokens are counted by the model's own id wherever it is offered.
    let counts = exchange.operation.name == "CountTokens";
    if !counts && matches!(target, Target::Model { .. }) && !model.on_demand.contains(region) {
        return Err(texts().on_demand_unsupported.refuse(&[("model", &exchange.operation.target)]));
    }
    if !state.authorized {
        let text = texts::by_key(&exchange.account().authorized_text).unwrap_or(&texts().account_not_authorized);
        return Err(text.refuse(&[]));
    }
    if state.gated {
        return Err(texts().model_gated.refuse(&[("model", &model.id)]));
    }
    Ok(state)
}

/// Takes the call through the gates between authorization and body.
pub(super) fn admit(exchange: &mut Exchange<'_>, target: &Target) -> Result<(), Refusal> {
    let model = target.model();
    let state = check_model(exchange, target)?;
    if model.is_anthropic() && !exchange.account().supported_country {
        return Err(texts().unsupported_country.refuse(&[]));
    }
    if model.is_anthropic() && exchange.account().form.is_none() {
        return Err(texts().use_case_form_missing.refuse(&[]));
    }
    match state.agreement {
        AgreementState::Available => {}
        AgreementState::Pending => return Err(texts().agreement_pending.refuse(&[])),
        AgreementState::None | AgreementState::Error => subscribe(exchange, model)?,
    }
    if state.switched_off || !state.entitled {
        return Err(texts().model_access_off.refuse(&[]));
    }
    check_retention(exchange, model)
}

/// Whether the id exists in the Region that was called.
fn exists_here(target: &Target, region: &str, prefixes: &[String]) -> bool {
    match target {
        Target::Model { model } => model.reachable_from(region),
        Target::SystemProfile { prefix, model } => {
            prefixes.contains(&prefix.name) && model.destinations(prefix, region).is_some()
        }
        Target::ApplicationProfile { profile, inner } => {
            profile.region == region
                && (matches!(**inner, Target::Model { .. }) || exists_here(inner, region, prefixes))
        }
    }
}

/// Some models do not run under a mode that keeps less than they need.
fn check_retention(exchange: &Exchange<'_>, model: &Model) -> Result<(), Refusal> {
    const ORDER: [&str; 4] = ["none", "default", "aws_review", "provider_data_share"];
    let Some(needed) = &model.retention else { return Ok(()) };
    let mode = match exchange.account().retention_mode(&exchange.region) {
        "inherit" => "default",
        mode => mode,
    };
    let rank = |mode: &str| ORDER.iter().position(|known| *known == mode);
    if rank(mode) < rank(needed) { Err(texts().data_retention_mode.refuse(&[("mode", mode)])) } else { Ok(()) }
}

/// Refuses a body that is longer than the service's model of the operation allows.
pub(super) fn check_size(length: usize) -> Result<(), Refusal> {
    if length <= 25_000_000 {
        return Ok(());
    }
    let value = format!("'java.nio.HeapByteBuffer[pos=0 lim={length} cap={length}]'");
    let constraint = "Member must have length less than or equal to 25000000";
    Err(texts().constraint_violation.refuse(&[("value", &value), ("field", "body"), ("constraint", constraint)]))
}

/// Refuses headers that no model of this world takes.
pub(super) fn check_headers(exchange: &Exchange<'_>, model: &Model) -> Result<(), Refusal> {
    if exchange.request.header("x-amzn-bedrock-guardrailidentifier").is_some() {
        return Err(texts().guardrail_invalid.refuse(&[]));
    }
    let tier = exchange.request.header("x-amzn-bedrock-service-tier");
    if model.is_anthropic() && matches!(tier, Some("priority" | "flex")) {
        return Err(texts().service_tier_unsupported.refuse(&[]));
    }
    Ok(())
}

/// Takes the call out of the account's quotas.
pub(super) fn take_quota(
    exchange: &mut Exchange<'_>,
    target: &Target,
    prompt: &Prompt,
    generation: &Generation,
) -> Result<(), Refusal> {
    let model = target.model();
    let (region, now) = (exchange.region.clone(), exchange.now);
    let usage = Usage {
        reserved: prompt.input_tokens() + prompt.max_tokens,
        // What is read from the cache does not count.
        settled: prompt.input_tokens() - prompt.cache_read + generation.output_tokens * model.burndown,
    };
    let quotas = &mut exchange.account_mut().quotas;
    quotas.take(&model.id, target.scope(), &region, usage, now).map_err(|exceeded| match exceeded {
        Exceeded::Requests => texts().throttle_requests.refuse(&[]),
        Exceeded::Tokens => texts().throttle_tokens.refuse(&[]),
        Exceeded::DailyTokens => texts().throttle_daily_tokens.refuse(&[]),
    })
}
