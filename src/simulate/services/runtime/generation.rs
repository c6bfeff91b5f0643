//! What a simulated model says.
//!
//! Canned and plausible: scripted answers of the scenario first, then a greeting, then a sentence that says what it is.

use serde_json::Value;

use super::prompt::Prompt;
use crate::simulate::catalog::{Model, Thinking};
use crate::simulate::exchange::Exchange;
use crate::simulate::scenario::world::AnswerSpec;

/// An answer.
#[derive(Clone, Debug)]
pub(super) struct Generation {
    pub(super) blocks: Vec<Block>,
    /// As the Messages API names it, e.g. `end_turn`.
    pub(super) stop_reason: String,
    pub(super) output_tokens: u64,
}

/// A block of an answer.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Block {
    Thinking { text: String, signature: String },
    Text(String),
    ToolUse { id: String, name: String, input: Value },
}

/// Returns the model's answer to a prompt.
pub(super) fn generate(exchange: &mut Exchange<'_>, model: &Model, prompt: &Prompt) -> Generation {
    let scripted = exchange.cloud.answers.iter().find(|answer| {
        prompt.question.contains(&answer.contains)
            && answer.tool.as_ref().is_none_or(|tool| prompt.tools.contains(&tool.name))
    });
    let scripted = scripted.filter(|answer| !(answer.tool.is_some() && prompt.after_tools)).cloned();
    let mut generation = match scripted {
        Some(answer) => from_script(exchange, &answer),
        None => Generation {
            blocks: vec![Block::Text(reply_to(model, prompt))],
            stop_reason: "end_turn".to_owned(),
            output_tokens: 0,
        },
    };
    if prompt.thinking && !matches!(generation.blocks.first(), Some(Block::Thinking { .. })) {
        let text = "A short question; it needs a short answer.".to_owned();
        generation.blocks.insert(0, thinking_block(exchange, text));
    }
    // A model that always thinks spends tokens on it whether or not it shows them.
    let hidden = if model.thinking == Thinking::Always && !prompt.thinking { ALWAYS_THINKING } else { 0 };
    limit(&mut generation, hidden, prompt.max_tokens);
    generation
}

/// Tokens that an always-thinking model uses up before its first word.
const ALWAYS_THINKING: u64 = 12;

fn from_script(exchange: &mut Exchange<'_>, answer: &AnswerSpec) -> Generation {
    let mut blocks = Vec::new();
    if let Some(text) = &answer.thinking {
        blocks.push(thinking_block(exchange, text.clone()));
    }
    blocks.extend(answer.text.clone().map(Block::Text));
    if let Some(tool) = &answer.tool {
        let number = exchange.cloud.next();
        let id = format!("toolu_bdrk_sim{}", exchange.cloud.seed.hex(&format!("tool use {number}"), 18));
        blocks.push(Block::ToolUse { id, name: tool.name.clone(), input: tool.input.clone() });
    }
    let natural = if answer.tool.is_some() { "tool_use" } else { "end_turn" };
    let stop_reason = answer.stop_reason.clone().unwrap_or_else(|| natural.to_owned());
    Generation { blocks, stop_reason, output_tokens: 0 }
}

fn thinking_block(exchange: &mut Exchange<'_>, text: String) -> Block {
    let number = exchange.cloud.next();
    Block::Thinking { text, signature: exchange.cloud.seed.hex(&format!("thinking {number}"), 64) }
}

fn reply_to(model: &Model, prompt: &Prompt) -> String {
    let question = prompt.question.trim();
    let words: Vec<String> = question.to_lowercase().split(|c: char| !c.is_alphanumeric()).map(str::to_owned).collect();
    if prompt.after_tools {
        return "Thank you, that is what I needed. Everything looks as expected.".to_owned();
    }
    if words.len() <= 4 && words.iter().any(|word| matches!(word.as_str(), "hi" | "hello" | "hey")) {
        return "Hello! How can I help you today?".to_owned();
    }
    let quoted: String = question.chars().take(80).collect();
    let more = if question.chars().count() > 80 { "…" } else { "" };
    format!("This is {} in a simulated Amazon Bedrock. No model was asked. You wrote: \"{quoted}{more}\"", model.name)
}

/// Cuts an answer off where the tokens run out.
fn limit(generation: &mut Generation, hidden: u64, max_tokens: u64) {
    let mut left = max_tokens.saturating_sub(hidden);
    let mut used = hidden.min(max_tokens);
    let mut kept = Vec::new();
    for block in generation.blocks.drain(..) {
        let cost = cost(&block);
        if cost <= left {
            left -= cost;
            used += cost;
            kept.push(block);
            continue;
        }
        if let Block::Text(text) = block
            && left > 0
        {
            let characters = usize::try_from(left * 4).unwrap_or(usize::MAX);
            kept.push(Block::Text(text.chars().take(characters).collect()));
        }
        used = max_tokens;
        "max_tokens".clone_into(&mut generation.stop_reason);
        break;
    }
    generation.blocks = kept;
    generation.output_tokens = used;
}

fn cost(block: &Block) -> u64 {
    let characters = match block {
        Block::Thinking { text, .. } | Block::Text(text) => text.chars().count(),
        Block::ToolUse { name, input, .. } => name.len() + input.to_string().len() + 40,
    };
    (characters as u64).div_ceil(4).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(words: &str) -> Generation {
        Generation { blocks: vec![Block::Text(words.to_owned())], stop_reason: "end_turn".to_owned(), output_tokens: 0 }
    }

    #[test]
    fn answers_end_where_the_tokens_end() {
        let mut whole = text("twelve chars");
        limit(&mut whole, 0, 3);
        assert_eq!((whole.stop_reason.as_str(), whole.output_tokens), ("end_turn", 3));
        let mut cut = text("twelve chars");
        limit(&mut cut, 0, 2);
        assert_eq!(
            (cut.stop_reason.as_str(), cut.blocks, cut.output_tokens),
            ("max_tokens", vec![Block::Text("twelve c".to_owned())], 2)
        );
        let mut thinking = text("twelve chars");
        limit(&mut thinking, ALWAYS_THINKING, 1);
        assert_eq!(
            (thinking.stop_reason.as_str(), thinking.blocks.len(), thinking.output_tokens),
            ("max_tokens", 0, 1)
        );
    }
}
