//! The control plane of Amazon Bedrock: models, inference profiles, access, agreements, data retention.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::runtime::target::{Target, resolve};
use crate::simulate::catalog::{Model, Prefix, catalog};
use crate::simulate::cloud::{ApplicationProfile, ModelState};
use crate::simulate::exchange::{Answer, Exchange};
use crate::simulate::iam::Decision;
use crate::simulate::refusal::Refusal;
use crate::simulate::route::query_value;
use crate::simulate::router::unknown_operation;
use crate::simulate::scenario::world::{AgreementState, LifeCycle};
use crate::simulate::texts::texts;
use crate::simulate::wire::Reply;

/// Answers an authenticated call.
pub(crate) fn answer(exchange: &mut Exchange<'_>) -> Answer {
    let name = exchange.operation.name.clone();
    if name != "GetInferenceProfile" && name != "GetFoundationModel" {
        exchange.permit(&format!("bedrock:{name}"))?;
    }
    match name.as_str() {
        "ListFoundationModels" => Ok(list_models(exchange)),
        "GetFoundationModel" => get_model(exchange),
        "ListInferenceProfiles" => list_profiles(exchange),
        "GetInferenceProfile" => get_profile(exchange),
        "GetFoundationModelAvailability" => availability(exchange),
        "GetUseCaseForModelAccess" => {
            let form = exchange.account().form.as_ref().ok_or_else(|| texts().use_case_form_absent.refuse(&[]))?;
            Ok(Reply::json(200, &json!({ "formData": BASE64_STANDARD.encode(form) })))
        }
        "PutUseCaseForModelAccess" => put_use_case(exchange),
        "ListFoundationModelAgreementOffers" => offers(exchange),
        "CreateFoundationModelAgreement" => create_agreement(exchange),
        "DeleteFoundationModelAgreement" => delete_agreement(exchange),
        "GetAccountDataRetention" => {
            let mode = exchange.account().retention_mode(&exchange.region);
            Ok(Reply::json(200, &json!({ "mode": mode, "updatedAt": moment(exchange.cloud.started) })))
        }
        "PutAccountDataRetention" => put_retention(exchange),
        "GetModelInvocationLoggingConfiguration" => Ok(Reply::json(200, &json!({}))),
        _ => Err(unknown_operation(exchange.operation)),
    }
}

fn list_models(exchange: &mut Exchange<'_>) -> Reply {
    let filter = |name| query_value(exchange.request, name);
    let (provider, inference, output) = (filter("byProvider"), filter("byInferenceType"), filter("byOutputModality"));
    let customization = filter("byCustomizationType");
    let mut summaries = Vec::new();
    for model in catalog().models() {
        let state = exchange.account().model_state(model, &exchange.region, exchange.now);
        if !state.available || state.life_cycle == LifeCycle::Gone || customization.is_some() {
            continue;
        }
        let inferences = inference_types(model, &exchange.region);
        let wanted = provider.as_ref().is_none_or(|provider| provider.eq_ignore_ascii_case(&model.provider))
            && inference.as_ref().is_none_or(|inference| inferences.contains(&inference.as_str()))
            && output.as_ref().is_none_or(|output| *output == model.output);
        if wanted {
            summaries.push(model_summary(model, &state, &exchange.region));
        }
    }
    Reply::json(200, &json!({ "modelSummaries": summaries }))
}

fn get_model(exchange: &mut Exchange<'_>) -> Answer {
    let id = exchange.operation.target.rsplit('/').next().unwrap_or_default().to_owned();
    let arn = model_arn(&exchange.region, &id);
    exchange.authorize("bedrock:GetFoundationModel", &arn, &exchange.context())?;
    exchange.capacity()?;
    let model = catalog().model(&id).ok_or_else(|| texts().foundation_model_unresolved.refuse(&[]))?;
    let state = exchange.account().model_state(model, &exchange.region, exchange.now);
    if !state.available || state.life_cycle == LifeCycle::Gone {
        return Err(texts().foundation_model_unresolved.refuse(&[]));
    }
    Ok(Reply::json(200, &json!({ "modelDetails": model_summary(model, &state, &exchange.region) })))
}

fn model_summary(model: &Model, state: &ModelState, region: &str) -> Value {
    let mut life_cycle = json!({
        "status": if state.life_cycle == LifeCycle::Legacy { "LEGACY" } else { "ACTIVE" },
        "startOfLifeTime": format!("{}T00:00:00Z", model.launched),
    });
    if let (LifeCycle::Legacy, Some(since)) = (state.life_cycle, state.legacy_since) {
        life_cycle["legacyTime"] = json!(moment(since));
        if let Some(from) = model.extended_access {
            life_cycle["publicExtendedAccessTime"] = json!(format!("{from}T00:00:00Z"));
        }
    }
    if let Some(end) = state.end_of_life {
        life_cycle["endOfLifeTime"] = json!(moment(end));
    }
    json!({
        "modelArn": model_arn(region, &model.id),
        "modelId": model.id,
        "modelName": model.name,
        "providerName": model.provider,
        "inputModalities": if model.is_anthropic() { json!(["TEXT", "IMAGE"]) } else { json!(["TEXT"]) },
        "outputModalities": [model.output],
        "responseStreamingSupported": model.output == "TEXT",
        "customizationsSupported": [],
        "inferenceTypesSupported": inference_types(model, region),
        "modelLifecycle": life_cycle,
    })
}

fn inference_types(model: &Model, region: &str) -> Vec<&'static str> {
    let mut types = Vec::new();
    if model.on_demand.iter().any(|served| served == region) {
        types.push("ON_DEMAND");
    }
    if model.profiled_in(region) {
        types.push("INFERENCE_PROFILE");
    }
    types
}

fn list_profiles(exchange: &mut Exchange<'_>) -> Answer {
    let wanted = query_value(exchange.request, "type").or_else(|| query_value(exchange.request, "typeEquals"));
    let limit = match query_value(exchange.request, "maxResults").map(|text| text.parse::<usize>()) {
        None => 1000,
        Some(Ok(limit @ 1..=1000)) => limit,
        Some(_) => {
            let values =
                [("value", "maxResults"), ("field", "maxResults"), ("constraint", "Member must be between 1 and 1000")];
            return Err(texts().constraint_violation.refuse(&values));
        }
    };
    let mut profiles = Vec::new();
    if wanted.as_deref() != Some("APPLICATION") {
        profiles.extend(system_profiles(exchange));
    }
    // Without a filter the service lists its own profiles only.
    if wanted.as_deref() == Some("APPLICATION") {
        let own = exchange.account().application_profiles.iter().filter(|profile| profile.region == exchange.region);
        profiles.extend(own.filter_map(|profile| application_profile(exchange, profile)));
    }
    let start = match query_value(exchange.request, "nextToken") {
        None => 0,
        Some(token) => {
            page_start(&token).ok_or_else(|| texts().page_token_invalid.refuse(&[("code", "ValidationException")]))?
        }
    };
    let page: Vec<Value> = profiles.iter().skip(start).take(limit).cloned().collect();
    let mut body = json!({ "inferenceProfileSummaries": page });
    if start + limit < profiles.len() {
        body["nextToken"] = json!(page_token(start + limit));
    }
    Ok(Reply::json(200, &body))
}

fn system_profiles(exchange: &Exchange<'_>) -> Vec<Value> {
    let mut profiles = Vec::new();
    for model in catalog().models() {
        profiles.extend(catalog().prefixes().filter_map(|prefix| system_profile(exchange, prefix, model)));
    }
    profiles
}

/// Returns the profile as lists and details show it; `None` where there is none (any more).
fn system_profile(exchange: &Exchange<'_>, prefix: &Prefix, model: &Model) -> Option<Value> {
    let region = &exchange.region;
    let state = exchange.account().model_state(model, region, exchange.now);
    if state.life_cycle == LifeCycle::Gone || !state.available || !state.prefixes.contains(&prefix.name) {
        return None;
    }
    let destinations = model.destinations(prefix, region)?;
    let id = format!("{}.{}", prefix.name, model.id);
    let mut models: Vec<Value> =
        destinations.iter().map(|region| json!({ "modelArn": model_arn(region, &model.id) })).collect();
    if prefix.anywhere {
        models.push(json!({ "modelArn": model_arn("", &model.id) }));
    }
    let reach = if prefix.anywhere {
        "globally across all supported AWS Regions".to_owned()
    } else {
        format!("in {}", destinations.join(", "))
    };
    let created = format!("{}T00:00:00Z", model.launched);
    Some(json!({
        "inferenceProfileName": format!("{} {} {}", prefix.label, model.provider, model.name),
        "description": format!("Routes requests to {} {reach}.", model.name).chars().take(200).collect::<String>(),
        "createdAt": created,
        "updatedAt": created,
        "inferenceProfileArn": format!("arn:aws:bedrock:{region}:{}:inference-profile/{id}", exchange.caller().account_id),
        "models": models,
        "inferenceProfileId": id,
        "status": "ACTIVE",
        "type": "SYSTEM_DEFINED",
    }))
}

fn application_profile(exchange: &Exchange<'_>, profile: &ApplicationProfile) -> Option<Value> {
    let models = match resolve(exchange, &profile.source).ok()? {
        Target::Model { model } => {
            let state = exchange.account().model_state(model, &exchange.region, exchange.now);
            if state.life_cycle == LifeCycle::Gone || !state.available {
                return None;
            }
            vec![json!({ "modelArn": model_arn(&exchange.region, &model.id) })]
        }
        Target::SystemProfile { prefix, model } => {
            system_profile(exchange, prefix, model)?["models"].as_array()?.clone()
        }
        Target::ApplicationProfile { .. } => return None,
    };
    let created = moment(exchange.cloud.started);
    Some(json!({
        "inferenceProfileName": profile.name,
        "createdAt": created,
        "updatedAt": created,
        "inferenceProfileArn": application_profile_arn(&exchange.caller().account_id, profile),
        "models": models,
        "inferenceProfileId": profile.id,
        "status": "ACTIVE",
        "type": "APPLICATION",
    }))
}

fn get_profile(exchange: &mut Exchange<'_>) -> Answer {
    let id = exchange.operation.target.clone();
    let missing = || texts().inference_profile_unresolved.refuse(&[]);
    let account = exchange.caller().account_id.clone();
    let target = resolve(exchange, &id);
    let (arn, profile) = match &target {
        Ok(Target::SystemProfile { prefix, model }) => (
            format!("arn:aws:bedrock:{}:{account}:inference-profile/{}.{}", exchange.region, prefix.name, model.id),
            system_profile(exchange, prefix, model),
        ),
        Ok(Target::ApplicationProfile { profile, .. }) => {
            let here = Some(profile).filter(|profile| profile.region == exchange.region);
            let shown = here.and_then(|profile| application_profile(exchange, profile));
            (application_profile_arn(&account, profile), shown)
        }
        _ => (format!("arn:aws:bedrock:{}:{account}:inference-profile/{id}", exchange.region), None),
    };
    exchange.authorize("bedrock:GetInferenceProfile", &arn, &exchange.context())?;
    exchange.capacity()?;
    profile.map(|profile| Reply::json(200, &profile)).ok_or_else(missing)
}

fn availability(exchange: &mut Exchange<'_>) -> Answer {
    let model = catalog().model(&exchange.operation.target);
    let model = model.ok_or_else(|| texts().foundation_model_unresolved.refuse(&[]))?;
    let state = exchange.account().model_state(model, &exchange.region, exchange.now);
    if state.life_cycle == LifeCycle::Gone {
        return Err(texts().foundation_model_unresolved.refuse(&[]));
    }
    let offered = |yes: bool| if yes { "AVAILABLE" } else { "NOT_AVAILABLE" };
    let mut agreement = json!({ "status": match state.agreement {
        AgreementState::Available => "AVAILABLE",
        AgreementState::None => "NOT_AVAILABLE",
        AgreementState::Pending => "PENDING",
        AgreementState::Error => "ERROR",
    } });
    if state.agreement == AgreementState::Error {
        agreement["errorMessage"] = json!(texts().payment_invalid.refuse(&[]).message);
    }
    Ok(Reply::json(
        200,
        &json!({
            "modelId": model.id,
            "agreementAvailability": agreement,
            "authorizationStatus": if state.authorized { "AUTHORIZED" } else { "NOT_AUTHORIZED" },
            "entitlementAvailability": offered(state.entitled && !state.switched_off),
            "regionAvailability": offered(state.available),
        }),
    ))
}

fn put_use_case(exchange: &mut Exchange<'_>) -> Answer {
    let malformed = || texts().use_case_form_malformed.refuse(&[]);
    let body = exchange.json_body().ok_or_else(malformed)?;
    let form = body["formData"].as_str().and_then(|data| BASE64_STANDARD.decode(data).ok()).ok_or_else(malformed)?;
    let answers: Value = serde_json::from_slice(&form).map_err(|_| malformed())?;
    let complete = ["companyName", "companyWebsite", "intendedUsers", "industryOption", "useCases"]
        .iter()
        .all(|field| answers[*field].as_str().is_some_and(|text| !text.is_empty()));
    if !complete || !(10..=16_384).contains(&form.len()) {
        return Err(malformed());
    }
    exchange.account_mut().form = Some(form);
    Ok(Reply::json(201, &json!({})))
}

fn offers(exchange: &mut Exchange<'_>) -> Answer {
    let model = catalog().model(&exchange.operation.target);
    let model = model.ok_or_else(|| texts().foundation_model_unresolved.refuse(&[]))?;
    let offers: Vec<Value> = model.product.iter().map(|product| offer(exchange, model, product)).collect();
    Ok(Reply::json(200, &json!({ "modelId": model.id, "offers": offers })))
}

fn offer(exchange: &Exchange<'_>, model: &Model, product: &str) -> Value {
    json!({
        "offerId": format!("offer-{}", product.trim_start_matches("prod-")),
        "offerToken": offer_token(exchange, model),
        "termDetails": {
            "usageBasedPricingTerm": { "rateCard": [
                { "dimension": "InputTokenCount", "price": "1", "description": "Million input tokens", "unit": "Units" },
                { "dimension": "OutputTokenCount", "price": "1", "description": "Million output tokens", "unit": "Units" },
            ] },
            "legalTerm": { "url": "https://example.com/simulated-eula" },
            "supportTerm": { "refundPolicyDescription": "Absolutely no refunds, please contact support." },
        },
    })
}

fn offer_token(exchange: &Exchange<'_>, model: &Model) -> String {
    exchange.cloud.seed.word(&format!("offer {}", model.id))
}

fn create_agreement(exchange: &mut Exchange<'_>) -> Answer {
    let model = agreement_model(exchange)?;
    let body = exchange.json_body().unwrap_or_default();
    if body["offerToken"].as_str() != Some(offer_token(exchange, model).as_str()) {
        return Err(texts().agreement_offer_unknown.refuse(&[]));
    }
    let state = exchange.account().model_state(model, &exchange.region, exchange.now);
    if state.agreement == AgreementState::Available {
        return Err(texts().agreement_exists.refuse(&[]));
    }
    subscribe(exchange, model)?;
    Ok(Reply::json(202, &json!({ "modelId": model.id })))
}

fn delete_agreement(exchange: &mut Exchange<'_>) -> Answer {
    let model = agreement_model(exchange)?;
    exchange.account_mut().agreements.insert(model.id.clone(), AgreementState::None);
    Ok(Reply::json(202, &json!({})))
}

fn agreement_model(exchange: &Exchange<'_>) -> Result<&'static Model, Refusal> {
    let body = exchange.json_body().unwrap_or_default();
    let model = body["modelId"].as_str().and_then(|id| catalog().model(id));
    model.ok_or_else(|| texts().foundation_model_unresolved.refuse(&[]))
}

/// Makes the agreement for a model as the first invocation does: with the caller's own Marketplace rights and a good payment
/// method.
pub(crate) fn subscribe(exchange: &mut Exchange<'_>, model: &Model) -> Result<(), Refusal> {
    let mut context = exchange.context();
    context.set("aws:CalledViaLast", "bedrock.amazonaws.com");
    context.set_all("aws:CalledVia", vec!["bedrock.amazonaws.com".to_owned()]);
    context.set("aws:ViaAWSService", "true");
    if let Some(product) = &model.product {
        context.set("aws-marketplace:ProductId", product);
    }
    for action in ["aws-marketplace:ViewSubscriptions", "aws-marketplace:Subscribe"] {
        if exchange.decide(action, "*", &context) != Decision::Allowed {
            return Err(texts().marketplace_permissions.refuse(&[]));
        }
    }
    if !exchange.account().payment_valid {
        exchange.account_mut().agreements.insert(model.id.clone(), AgreementState::Error);
        return Err(texts().payment_invalid.refuse(&[]));
    }
    exchange.account_mut().agreements.insert(model.id.clone(), AgreementState::Available);
    Ok(())
}

fn put_retention(exchange: &mut Exchange<'_>) -> Answer {
    let body = exchange.json_body().unwrap_or_default();
    let mode = body["mode"].as_str().unwrap_or_default().to_owned();
    if !["default", "none", "aws_review", "provider_data_share", "inherit"].contains(&mode.as_str()) {
        return Err(texts().data_retention_value.refuse(&[("mode", &mode)]));
    }
    let (region, now) = (exchange.region.clone(), moment(exchange.now));
    exchange.account_mut().retention.insert(region, mode.clone());
    Ok(Reply::json(200, &json!({ "mode": mode, "updatedAt": now })))
}

/// Returns the ARN of a foundation model; without a Region it is the one that global profiles are authorized through.
pub(crate) fn model_arn(region: &str, model: &str) -> String {
    format!("arn:aws:bedrock:{region}::foundation-model/{model}")
}

/// Returns the ARN of an application inference profile.
pub(crate) fn application_profile_arn(account: &str, profile: &ApplicationProfile) -> String {
    format!("arn:aws:bedrock:{}:{account}:application-inference-profile/{}", profile.region, profile.id)
}

/// Returns an opaque token for the page that begins at that row.
pub(crate) fn page_token(start: usize) -> String {
    BASE64_STANDARD.encode(format!("simulated page {start}"))
}

/// Returns the row at which the page of a token begins.
pub(crate) fn page_start(token: &str) -> Option<usize> {
    let text = String::from_utf8(BASE64_STANDARD.decode(token).ok()?).ok()?;
    usize::try_from(text.strip_prefix("simulated page ")?.parse::<u32>().ok()?).ok()
}

fn moment(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
