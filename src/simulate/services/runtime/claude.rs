//! The Messages API as `InvokeModel` carries it: reading bodies, refusing what the model refuses, writing answers and streams.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::LATENCY;
use super::frames;
use super::generation::{Block, Generation};
use super::prompt::Prompt;
use crate::simulate::catalog::{Model, Sampling, Thinking, catalog};
use crate::simulate::refusal::Refusal;
use crate::simulate::texts::texts;

/// Members that a body may have. See: AWS docs, Bedrock User Guide, Anthropic Claude Messages API; Claude Code's own requests.
const MEMBERS: [&str; 20] = [
    "anthropic_version",
    "anthropic_beta",
    "max_tokens",
    "messages",
    "system",
    "temperature",
    "top_p",
    "top_k",
    "stop_sequences",
    "tools",
    "tool_choice",
    "thinking",
    "metadata",
    "output_config",
    "output_format",
    "context_management",
    "container",
    "mcp_servers",
    "service_tier",
    "inference_geo",
];

/// Reads a body and refuses what the service or the model refuses.
pub(super) fn parse(body: &Value, model: &Model) -> Result<Prompt, Refusal> {
    if !model.is_anthropic() {
        return Err(texts().not_simulated.refuse(&[("operation", "InvokeModel of a model that is not Anthropic's")]));
    }
    let object = body.as_object().ok_or_else(|| texts().body_malformed.refuse(&[]))?;
    check_members(object)?;
    check_betas(object, model)?;
    let max_tokens = check_max_tokens(object, model)?;
    check_sampling(object, model)?;
    let mut prompt = Prompt::new(max_tokens, thinking(object, model, max_tokens)?);
    read_tools(object, &mut prompt);
    read_system(&body["system"], &mut prompt);
    read_messages(&body["messages"], model, &mut prompt)?;
    if prompt.cache_points() > 4 {
        return Err(texts().cache_points_too_many.refuse(&[("count", &prompt.cache_points().to_string())]));
    }
    check_length(&prompt, model)?;
    Ok(prompt)
}

/// Refuses a prompt that does not fit the model.
pub(super) fn check_length(prompt: &Prompt, model: &Model) -> Result<(), Refusal> {
    let tokens = prompt.input_tokens();
    if tokens <= model.context {
        return Ok(());
    }
    Err(texts().prompt_too_long.refuse(&[("tokens", &tokens.to_string()), ("limit", &model.context.to_string())]))
}

fn check_members(object: &Map<String, Value>) -> Result<(), Refusal> {
    for needed in ["anthropic_version", "max_tokens", "messages"] {
        if !object.contains_key(needed) {
            return Err(texts().field_required.refuse(&[("field", needed)]));
        }
    }
    if object["anthropic_version"] != "bedrock-2023-05-31" {
        let values = [("field", "anthropic_version"), ("expected", "'bedrock-2023-05-31'")];
        return Err(texts().field_value.refuse(&values));
    }
    match object.keys().find(|key| !MEMBERS.contains(&key.as_str())) {
        Some(unknown) => Err(texts().field_not_permitted.refuse(&[("field", unknown)])),
        None => Ok(()),
    }
}

fn check_betas(object: &Map<String, Value>, model: &Model) -> Result<(), Refusal> {
    let Some(betas) = object.get("anthropic_beta") else { return Ok(()) };
    let known = |beta: &Value| beta.as_str().is_some_and(|flag| catalog().takes_beta(flag, model));
    let all_known = betas.as_array().is_some_and(|betas| betas.iter().all(known));
    if all_known { Ok(()) } else { Err(texts().beta_invalid.refuse(&[])) }
}

fn check_max_tokens(object: &Map<String, Value>, model: &Model) -> Result<u64, Refusal> {
    let wrong = |expected| texts().field_value.refuse(&[("field", "max_tokens"), ("expected", expected)]);
    let requested = object["max_tokens"].as_u64().ok_or_else(|| wrong("a valid integer"))?;
    if requested == 0 {
        return Err(wrong("greater than or equal to 1"));
    }
    if requested > model.max_output {
        return Err(texts().max_tokens_over_limit.refuse(&[
            ("requested", &requested.to_string()),
            ("limit", &model.max_output.to_string()),
            ("short", model.short_name()),
        ]));
    }
    Ok(requested)
}

/// Refuses sampling parameters that the model does not take; 1 is the one value that is always fine.
pub(super) fn check_sampling(object: &Map<String, Value>, model: &Model) -> Result<(), Refusal> {
    let given = |field: &str| object.get(field).is_some_and(|value| !value.is_null());
    match model.sampling {
        Sampling::One if given("temperature") && given("top_p") => Err(texts().temperature_and_top_p.refuse(&[])),
        Sampling::Free | Sampling::One => Ok(()),
        Sampling::Refused => {
            let refused = ["temperature", "top_p", "top_k"]
                .into_iter()
                .find(|field| given(field) && object[*field].as_f64() != Some(1.0));
            refused.map_or(Ok(()), |field| Err(texts().temperature_deprecated.refuse(&[("field", field)])))
        }
    }
}

/// Returns whether the answer shows its thinking.
pub(super) fn thinking(object: &Map<String, Value>, model: &Model, max_tokens: u64) -> Result<bool, Refusal> {
    let thinking = object.get("thinking").unwrap_or(&Value::Null);
    match thinking["type"].as_str() {
        Some("enabled") if matches!(model.thinking, Thinking::Adaptive | Thinking::Always) => {
            Err(texts().thinking_budget_unsupported.refuse(&[]))
        }
        Some("enabled") if thinking["budget_tokens"].as_u64().is_some_and(|budget| budget >= max_tokens) => {
            Err(texts().thinking_budget_too_large.refuse(&[]))
        }
        Some("enabled" | "adaptive") => Ok(thinking["display"] != "omitted"),
        _ => Ok(false),
    }
}

fn read_tools(object: &Map<String, Value>, prompt: &mut Prompt) {
    for tool in object.get("tools").and_then(Value::as_array).into_iter().flatten() {
        prompt.tools.extend(tool["name"].as_str().map(str::to_owned));
        prompt.push(tool, cache_point(tool));
    }
}

fn read_system(system: &Value, prompt: &mut Prompt) {
    match system {
        Value::Null => {}
        Value::Array(blocks) => blocks.iter().for_each(|block| prompt.push(block, cache_point(block))),
        text => prompt.push(text, None),
    }
}

fn read_messages(messages: &Value, model: &Model, prompt: &mut Prompt) -> Result<(), Refusal> {
    let wrong =
        |field: String, expected: &str| texts().field_value.refuse(&[("field", &field), ("expected", expected)]);
    let messages = messages.as_array().ok_or_else(|| wrong("messages".to_owned(), "a valid list"))?;
    if messages.is_empty() {
        return Err(texts().messages_empty.refuse(&[]));
    }
    let mut open: Vec<String> = Vec::new();
    for (at, message) in messages.iter().enumerate() {
        let role = message["role"].as_str().unwrap_or_default();
        if !matches!(role, "user" | "assistant" | "system") {
            return Err(wrong(format!("messages.{at}.role"), "'user' or 'assistant'"));
        }
        let blocks = match &message["content"] {
            Value::String(text) => vec![json!({ "type": "text", "text": text })],
            Value::Array(blocks) => blocks.clone(),
            _ => return Err(wrong(format!("messages.{at}.content"), "a valid list")),
        };
        if blocks.iter().any(|block| block["type"] == "text" && block["text"].as_str().is_none_or(str::is_empty)) {
            return Err(texts().text_empty.refuse(&[]));
        }
        let results: Vec<&str> = blocks
            .iter()
            .filter(|block| block["type"] == "tool_result")
            .filter_map(|block| block["tool_use_id"].as_str())
            .collect();
        if let Some(id) = open.iter().find(|id| !results.contains(&id.as_str())) {
            return Err(texts().tool_result_missing.refuse(&[("index", &(at - 1).to_string()), ("id", id)]));
        }
        open = blocks
            .iter()
            .filter(|block| block["type"] == "tool_use")
            .filter_map(|block| block["id"].as_str().map(str::to_owned))
            .collect();
        for block in &blocks {
            prompt.push(block, cache_point(block));
        }
        if role == "assistant" && at + 1 == messages.len() && !model.prefill {
            return Err(texts().prefill_unsupported.refuse(&[]));
        }
        if role == "user" {
            prompt.after_tools = !results.is_empty();
            prompt.question = last_text(&blocks);
        }
    }
    Ok(())
}

fn last_text(blocks: &[Value]) -> String {
    blocks.iter().rev().find_map(|block| block["text"].as_str()).unwrap_or_default().to_owned()
}

fn cache_point(block: &Value) -> Option<i64> {
    let control = block.get("cache_control")?;
    Some(if control["ttl"] == "1h" { 60 } else { 5 })
}

/// Returns a whole answer.
pub(super) fn message(model: &Model, prompt: &Prompt, generation: &Generation, id: &str) -> Value {
    json!({
        "model": model.short_name(),
        "id": id,
        "type": "message",
        "role": "assistant",
        "content": generation.blocks.iter().map(content).collect::<Vec<_>>(),
        "stop_reason": generation.stop_reason,
        "stop_sequence": null,
        "usage": usage(prompt, generation.output_tokens),
    })
}

/// Returns an answer as frames of an event stream.
pub(super) fn stream(model: &Model, prompt: &Prompt, generation: &Generation, id: &str) -> Vec<Bytes> {
    let mut start = message(model, prompt, &Generation { blocks: Vec::new(), ..generation.clone() }, id);
    start["stop_reason"] = Value::Null;
    start["usage"] = usage(prompt, 1);
    let mut events = vec![json!({ "type": "message_start", "message": start })];
    for (index, block) in generation.blocks.iter().enumerate() {
        let mut first = content(block);
        match block {
            Block::Text(_) => first["text"] = json!(""),
            Block::Thinking { .. } => (first["thinking"], first["signature"]) = (json!(""), json!("")),
            Block::ToolUse { .. } => first["input"] = json!({}),
        }
        events.push(json!({ "type": "content_block_start", "index": index, "content_block": first }));
        for delta in deltas(block) {
            events.push(json!({ "type": "content_block_delta", "index": index, "delta": delta }));
        }
        events.push(json!({ "type": "content_block_stop", "index": index }));
    }
    events.push(json!({
        "type": "message_delta",
        "delta": { "stop_reason": generation.stop_reason, "stop_sequence": null },
        "usage": usage(prompt, generation.output_tokens),
    }));
    events.push(json!({
        "type": "message_stop",
        "amazon-bedrock-invocationMetrics": {
            "inputTokenCount": prompt.uncached_tokens(),
            "outputTokenCount": generation.output_tokens,
            "invocationLatency": LATENCY,
            "firstByteLatency": LATENCY / 2,
            "cacheReadInputTokenCount": prompt.cache_read,
            "cacheWriteInputTokenCount": prompt.cache_written,
        },
    }));
    events.iter().map(chunk).collect()
}

/// Wraps an event: base64 in a `bytes` member, padded so that its length tells nothing.
fn chunk(event: &Value) -> Bytes {
    const PADDING: &str = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    let bytes = BASE64_STANDARD.encode(event.to_string());
    let padding = &PADDING[..bytes.len() % PADDING.len()];
    frames::event("chunk", &json!({ "bytes": bytes, "p": padding }))
}

fn deltas(block: &Block) -> Vec<Value> {
    match block {
        Block::Text(text) => {
            pieces(text).into_iter().map(|text| json!({ "type": "text_delta", "text": text })).collect()
        }
        Block::Thinking { text, signature } => pieces(text)
            .into_iter()
            .map(|text| json!({ "type": "thinking_delta", "thinking": text }))
            .chain([json!({ "type": "signature_delta", "signature": signature })])
            .collect(),
        Block::ToolUse { input, .. } => pieces(&input.to_string())
            .into_iter()
            .map(|text| json!({ "type": "input_json_delta", "partial_json": text }))
            .collect(),
    }
}

/// Cuts a text into pieces of a few words.
pub(super) fn pieces(text: &str) -> Vec<String> {
    let mut pieces: Vec<String> = Vec::new();
    for (at, word) in text.split_inclusive(' ').enumerate() {
        match pieces.last_mut() {
            Some(piece) if at % 3 != 0 => piece.push_str(word),
            _ => pieces.push(word.to_owned()),
        }
    }
    pieces
}

fn content(block: &Block) -> Value {
    match block {
        Block::Text(text) => json!({ "type": "text", "text": text }),
        Block::Thinking { text, signature } => json!({ "type": "thinking", "thinking": text, "signature": signature }),
        Block::ToolUse { id, name, input } => json!({ "type": "tool_use", "id": id, "name": name, "input": input }),
    }
}

fn usage(prompt: &Prompt, output: u64) -> Value {
    json!({
        "input_tokens": prompt.uncached_tokens(),
        "cache_creation_input_tokens": prompt.cache_written,
        "cache_read_input_tokens": prompt.cache_read,
        "output_tokens": output,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(model: &str, change: &Value) -> String {
        let mut body = json!({
            "anthropic_version": "bedrock-2023-05-31", "max_tokens": 10, "messages": [{ "role": "user", "content": "hi" }],
        });
        for (key, value) in change.as_object().unwrap() {
            if value.is_null() {
                body.as_object_mut().unwrap().remove(key);
            } else {
                body[key] = value.clone();
            }
        }
        parse(&body, catalog().model(model).unwrap()).map_or_else(|refusal| refusal.message, |_| "ok".to_owned())
    }

    #[test]
    fn bodies_are_refused_in_the_models_own_words() {
        let (opus, sonnet) = ("anthropic.claude-opus-5-5", "anthropic.claude-sonnet-4-5-20250929-v1:0");
        let tool_use =
            json!({ "role": "assistant", "content": [{ "type": "tool_use", "id": "t1", "name": "n", "input": {} }] });
        for (model, change, expected) in [
            (opus, json!({}), "ok"),
            (opus, json!({ "anthropic_version": null }), "anthropic_version: Field required"),
            (opus, json!({ "model": "x" }), "model: Extra inputs are not permitted"),
            (opus, json!({ "max_tokens": 0 }), "max_tokens: Input should be greater than or equal to 1"),
            (
                sonnet,
                json!({ "max_tokens": 64001 }),
                "max_tokens: 64001 > 64000, which is the maximum allowed number of output tokens for claude-sonnet-4-5-20250929",
            ),
            (opus, json!({ "temperature": 0.5 }), "`temperature` is deprecated for this model."),
            (opus, json!({ "temperature": 1 }), "ok"),
            (sonnet, json!({ "temperature": 0.5 }), "ok"),
            (
                sonnet,
                json!({ "temperature": 0.5, "top_p": 0.5 }),
                "`temperature` and `top_p` cannot both be specified for this model. Please use only one.",
            ),
            (opus, json!({ "anthropic_beta": ["context-1m-2025-08-07"] }), "ok"),
            (opus, json!({ "anthropic_beta": ["no-such-beta"] }), "invalid beta flag"),
            (opus, json!({ "anthropic_beta": ["thinking-binding-controls-2026-08-01"] }), "ok"),
            (sonnet, json!({ "anthropic_beta": ["thinking-binding-controls-2026-08-01"] }), "invalid beta flag"),
            (opus, json!({ "messages": [] }), "messages: at least one message is required"),
            (
                opus,
                json!({ "messages": [{ "role": "user", "content": "" }] }),
                "messages: text content blocks must be non-empty",
            ),
            (
                opus,
                json!({ "messages": [{ "role": "user", "content": "hi" }, { "role": "assistant", "content": "Sure" }] }),
                "This model does not support assistant message prefill.",
            ),
            (sonnet, json!({ "thinking": { "type": "enabled", "budget_tokens": 5 } }), "ok"),
        ] {
            assert_eq!(refused(model, &change), expected, "{change}");
        }
        let history = json!({ "messages": [{ "role": "user", "content": "hi" }, tool_use, { "role": "user", "content": "so?" }] });
        assert!(
            refused(opus, &history).starts_with("messages.1: `tool_use` ids were found without `tool_result` blocks")
        );
        let budget = json!({ "thinking": { "type": "enabled", "budget_tokens": 5 } });
        assert!(refused(opus, &budget).starts_with("\"thinking.type.enabled\" is not supported"));
        let long = json!({ "messages": [{ "role": "user", "content": "x".repeat(900_000) }] });
        assert!(refused(sonnet, &long).starts_with("prompt is too long: 2250"));
    }

    #[test]
    fn pieces_put_together_are_the_text() {
        let text = "one two three  four five six seven";
        assert_eq!(pieces(text).concat(), text);
        assert_eq!(pieces("a b c d").len(), 2);
    }
}
