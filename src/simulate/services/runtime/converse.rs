//! The Converse API: the same models, another shape.

use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::LATENCY;
use super::claude;
use super::frames;
use super::generation::{Block, Generation};
use super::prompt::Prompt;
use crate::simulate::catalog::Model;
use crate::simulate::refusal::Refusal;
use crate::simulate::texts::texts;

/// Reads a Converse request.
pub(super) fn parse(body: &Value, model: &Model) -> Result<Prompt, Refusal> {
    read(body, model).map_err(|refusal| {
        // What the model's side refuses is passed on with a preamble; what the service refuses is not.
        match refusal.anthropic {
            Some(_) => texts().model_returned_errors.refuse(&[("errors", &refusal.message)]),
            None => refusal,
        }
    })
}

fn read(body: &Value, model: &Model) -> Result<Prompt, Refusal> {
    if model.output != "TEXT" {
        return Err(texts().operation_not_allowed.refuse(&[]));
    }
    let configuration = &body["inferenceConfig"];
    let max_tokens = configuration["maxTokens"].as_u64().unwrap_or(4096.min(model.max_output));
    if max_tokens > model.max_output {
        return Err(texts().max_tokens_over_limit_converse.refuse(&[("limit", &model.max_output.to_string())]));
    }
    let extra = body["additionalModelRequestFields"].as_object().cloned().unwrap_or_default();
    let mut sampling = extra.clone();
    for (theirs, ours) in [("temperature", "temperature"), ("topP", "top_p")] {
        if !configuration[theirs].is_null() {
            sampling.insert(ours.to_owned(), configuration[theirs].clone());
        }
    }
    claude::check_sampling(&sampling, model)?;
    let thinking = claude::thinking(&extra, model, max_tokens)?;
    let mut prompt = Prompt::new(max_tokens, thinking);
    for tool in body["toolConfig"]["tools"].as_array().into_iter().flatten() {
        prompt.tools.extend(tool["toolSpec"]["name"].as_str().map(str::to_owned));
        push(&mut prompt, tool);
    }
    for block in body["system"].as_array().into_iter().flatten() {
        push(&mut prompt, block);
    }
    let messages = body["messages"].as_array().map(Vec::as_slice).unwrap_or_default();
    let Some(last) = messages.last() else { return Err(texts().messages_empty.refuse(&[])) };
    for (at, message) in messages.iter().enumerate() {
        if !matches!(message["role"].as_str(), Some("user" | "assistant" | "system")) {
            let value = message["role"].to_string();
            let field = format!("messages.{}.member.role", at + 1);
            let constraint = "Member must satisfy enum value set: [user, assistant]";
            let values = [("value", value.as_str()), ("field", &field), ("constraint", constraint)];
            return Err(texts().constraint_violation.refuse(&values));
        }
        for block in message["content"].as_array().into_iter().flatten() {
            if block["text"].as_str() == Some("") {
                return Err(texts().text_empty.refuse(&[]));
            }
            push(&mut prompt, block);
        }
    }
    let blocks = last["content"].as_array().map(Vec::as_slice).unwrap_or_default();
    prompt.after_tools = blocks.iter().any(|block| block.get("toolResult").is_some());
    let question = blocks.iter().rev().find_map(|block| block["text"].as_str()).unwrap_or_default();
    question.clone_into(&mut prompt.question);
    if last["role"] == "assistant" && !model.prefill {
        return Err(texts().prefill_unsupported.refuse(&[]));
    }
    claude::check_length(&prompt, model)?;
    Ok(prompt)
}

/// A cache point is a block of its own, after the block that it marks.
fn push(prompt: &mut Prompt, block: &Value) {
    match block.get("cachePoint") {
        Some(point) => prompt.mark(if point["ttl"] == "1h" { 60 } else { 5 }),
        None => prompt.push(block, None),
    }
}

/// Returns a whole answer.
pub(super) fn reply(prompt: &Prompt, generation: &Generation) -> Value {
    json!({
        "metrics": { "latencyMs": LATENCY },
        "output": { "message": {
            "content": generation.blocks.iter().map(content).collect::<Vec<_>>(),
            "role": "assistant",
        } },
        "stopReason": generation.stop_reason,
        "usage": usage(prompt, generation),
    })
}

/// Returns an answer as frames of an event stream.
pub(super) fn stream(prompt: &Prompt, generation: &Generation) -> Vec<Bytes> {
    let mut frames = vec![frames::event("messageStart", &json!({ "role": "assistant" }))];
    for (index, block) in generation.blocks.iter().enumerate() {
        let deltas: Vec<Value> = match block {
            Block::Text(text) => claude::pieces(text).into_iter().map(|text| json!({ "text": text })).collect(),
            Block::Thinking { text, signature } => claude::pieces(text)
                .into_iter()
                .map(|text| json!({ "reasoningContent": { "text": text } }))
                .chain([json!({ "reasoningContent": { "signature": signature } })])
                .collect(),
            Block::ToolUse { id, name, input } => {
                let start = json!({ "toolUse": { "toolUseId": id, "name": name } });
                frames.push(frames::event("contentBlockStart", &json!({ "contentBlockIndex": index, "start": start })));
                vec![json!({ "toolUse": { "input": input.to_string() } })]
            }
        };
        for delta in deltas {
            frames.push(frames::event("contentBlockDelta", &json!({ "contentBlockIndex": index, "delta": delta })));
        }
        frames.push(frames::event("contentBlockStop", &json!({ "contentBlockIndex": index })));
    }
    frames.push(frames::event("messageStop", &json!({ "stopReason": generation.stop_reason })));
    let metadata = json!({ "usage": usage(prompt, generation), "metrics": { "latencyMs": LATENCY } });
    frames.push(frames::event("metadata", &metadata));
    frames
}

fn content(block: &Block) -> Value {
    match block {
        Block::Text(text) => json!({ "text": text }),
        Block::Thinking { text, signature } => {
            json!({ "reasoningContent": { "reasoningText": { "text": text, "signature": signature } } })
        }
        Block::ToolUse { id, name, input } => json!({ "toolUse": { "toolUseId": id, "name": name, "input": input } }),
    }
}

fn usage(prompt: &Prompt, generation: &Generation) -> Map<String, Value> {
    let counts = [
        ("inputTokens", prompt.uncached_tokens()),
        ("outputTokens", generation.output_tokens),
        ("totalTokens", prompt.input_tokens() + generation.output_tokens),
        ("cacheReadInputTokens", prompt.cache_read),
        ("cacheWriteInputTokens", prompt.cache_written),
    ];
    counts.into_iter().map(|(name, count)| (name.to_owned(), json!(count))).collect()
}
