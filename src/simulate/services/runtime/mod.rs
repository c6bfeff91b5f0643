//! Amazon Bedrock Runtime: invoking models.

mod claude;
mod converse;
pub(crate) mod frames;
mod gates;
mod generation;
mod prompt;
pub(crate) mod target;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use crate::simulate::catalog::Model;
use crate::simulate::exchange::{Answer, Exchange};
use crate::simulate::refusal::Refusal;
use crate::simulate::router::unknown_operation;
use crate::simulate::texts::texts;
use crate::simulate::wire::{Body, Reply};
use generation::Generation;
use prompt::Prompt;
use target::Target;

/// Answers an authenticated call.
pub(crate) fn answer(exchange: &mut Exchange<'_>) -> Answer {
    let id = exchange.operation.target.clone();
    exchange.notes.parameters = json!({ "modelId": id });
    if exchange.operation.name.starts_with("InvokeModel") {
        gates::check_size(exchange.request.body.len())?;
    }
    match exchange.operation.name.as_str() {
        "InvokeModel" => {
            let (model, prompt, generation) = run(exchange, "bedrock:InvokeModel", claude::parse)?;
            let body = claude::message(model, &prompt, &generation, &message_id(exchange)).to_string();
            let reply = with_counts(Reply::new(200, "application/json", body), &prompt);
            Ok(reply.with_header("x-amzn-bedrock-output-token-count", generation.output_tokens.to_string()))
        }
        "InvokeModelWithResponseStream" => {
            let (model, prompt, generation) = run(exchange, "bedrock:InvokeModelWithResponseStream", claude::parse)?;
            exchange.notes.tokens = Some((prompt.input_tokens(), generation.output_tokens));
            let frames = claude::stream(model, &prompt, &generation, &message_id(exchange));
            let reply = event_stream(frames).with_header("x-amzn-bedrock-content-type", "application/json");
            Ok(with_counts(reply, &prompt))
        }
        "Converse" => {
            let (_, prompt, generation) = run(exchange, "bedrock:InvokeModel", converse::parse)?;
            Ok(Reply::json(200, &converse::reply(&prompt, &generation)))
        }
        "ConverseStream" => {
            let (_, prompt, generation) = run(exchange, "bedrock:InvokeModelWithResponseStream", converse::parse)?;
            exchange.notes.tokens = Some((prompt.input_tokens(), generation.output_tokens));
            Ok(event_stream(converse::stream(&prompt, &generation)))
        }
        "CountTokens" => count_tokens(exchange),
        _ => Err(unknown_operation(exchange.operation)),
    }
}

type Parse = fn(&Value, &Model) -> Result<Prompt, Refusal>;

/// Takes a call through every gate and lets the model speak.
fn run(
    exchange: &mut Exchange<'_>,
    action: &str,
    parse: Parse,
) -> Result<(&'static Model, Prompt, Generation), Refusal> {
    let target = gates::authorize(exchange, action)?;
    let model = target.model();
    exchange.notes.envelope = model.errors;
    gates::admit(exchange, &target)?;
    let body = exchange.json_body().ok_or_else(|| texts().body_malformed.refuse(&[]))?;
    gates::check_headers(exchange, model)?;
    let mut prompt = parse(&body, model)?;
    exchange.capacity()?;
    let cached = prompt.look_up_cache(exchange, model);
    let generation = generation::generate(exchange, model, &prompt);
    gates::take_quota(exchange, &target, &prompt, &generation)?;
    // Only a call that is answered leaves something in the cache.
    exchange.cloud.prompt_cache.extend(cached);
    exchange.notes.inference_region = target.pick_destination(exchange);
    Ok((model, prompt, generation))
}

fn count_tokens(exchange: &mut Exchange<'_>) -> Answer {
    // The trail's pages do not name CountTokens; whether it is recorded at all is not known.
    exchange.notes.unrecorded = true;
    let target = gates::authorize(exchange, "bedrock:CountTokens")?;
    let model = target.model();
    exchange.notes.envelope = model.errors;
    gates::check_model(exchange, &target)?;
    if !model.count_tokens {
        return Err(texts().count_tokens_unsupported.refuse(&[]));
    }
    if !matches!(target, Target::Model { .. }) {
        return Err(texts().model_id_invalid.refuse(&[]));
    }
    let body = exchange.json_body().ok_or_else(|| texts().body_malformed.refuse(&[]))?;
    exchange.capacity()?;
    let input = &body["input"];
    let prompt = if let Some(encoded) = input["invokeModel"]["body"].as_str() {
        let bytes = BASE64_STANDARD.decode(encoded).unwrap_or_default();
        let inner = serde_json::from_slice(&bytes).map_err(|_| texts().body_malformed.refuse(&[]))?;
        claude::parse(&inner, model)?
    } else {
        converse::parse(&input["converse"], model)?
    };
    Ok(Reply::json(200, &json!({ "inputTokens": prompt.input_tokens() })))
}

fn message_id(exchange: &mut Exchange<'_>) -> String {
    let number = exchange.cloud.next();
    format!("msg_bdrk_sim{}", exchange.cloud.seed.hex(&format!("message {number}"), 20))
}

fn event_stream(frames: Vec<bytes::Bytes>) -> Reply {
    Reply { body: Body::Frames(frames), ..Reply::new(200, "application/vnd.amazon.eventstream", "") }
}

/// Adds what is known when an answer begins.
fn with_counts(reply: Reply, prompt: &Prompt) -> Reply {
    let mut reply = reply.with_header("x-amzn-bedrock-invocation-latency", LATENCY.to_string());
    for (name, count) in [
        ("input-token-count", prompt.uncached_tokens()),
        ("cache-read-input-token-count", prompt.cache_read),
        ("cache-write-input-token-count", prompt.cache_written),
    ] {
        reply = reply.with_header(&format!("x-amzn-bedrock-{name}"), count.to_string());
    }
    reply
}

/// Milliseconds that every simulated model takes, so that answers are the same in every run.
const LATENCY: u64 = 420;
