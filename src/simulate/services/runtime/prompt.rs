//! What a request asks of a model, whichever API it came by: token counts, the cache, the words to answer to.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::simulate::catalog::Model;
use crate::simulate::exchange::Exchange;

/// A request to a model.
#[derive(Clone, Debug, Default)]
pub(super) struct Prompt {
    pub(super) max_tokens: u64,
    /// The words of the last message.
    pub(super) question: String,
    /// Whether the last message brings results of tools.
    pub(super) after_tools: bool,
    /// Whether the answer shows its thinking.
    pub(super) thinking: bool,
    /// Names of the tools that may be called.
    pub(super) tools: Vec<String>,
    pub(super) cache_read: u64,
    pub(super) cache_written: u64,
    segments: Vec<Segment>,
}

/// A part of the prompt, in the order in which the model reads it.
#[derive(Clone, Debug)]
struct Segment {
    text: String,
    tokens: u64,
    /// A cache point after the segment, with its life in minutes.
    cache_point: Option<i64>,
}

impl Prompt {
    /// Returns an empty prompt; `thinking` is whether the answer shows it.
    pub(super) fn new(max_tokens: u64, thinking: bool) -> Self {
        Self { max_tokens, thinking, ..Self::default() }
    }

    /// Adds a part of the prompt.
    pub(super) fn push(&mut self, value: &Value, cache_point: Option<i64>) {
        let text = value.to_string();
        self.segments.push(Segment { tokens: tokens(value), text, cache_point });
    }

    /// Puts a cache point after the last part.
    pub(super) fn mark(&mut self, minutes: i64) {
        if let Some(last) = self.segments.last_mut() {
            last.cache_point = Some(minutes);
        }
    }

    /// Returns the number of cache points.
    pub(super) fn cache_points(&self) -> usize {
        self.segments.iter().filter(|segment| segment.cache_point.is_some()).count()
    }

    /// Returns all input tokens, cached or not.
    pub(super) fn input_tokens(&self) -> u64 {
        self.segments.iter().map(|segment| segment.tokens).sum::<u64>() + 3
    }

    /// Returns the input tokens that were neither read from the cache nor written to it.
    pub(super) fn uncached_tokens(&self) -> u64 {
        self.input_tokens() - self.cache_read - self.cache_written
    }

    /// Looks every prefix that ends in a cache point up in the cache, and returns what the call will leave there.
    pub(super) fn look_up_cache(&mut self, exchange: &Exchange<'_>, model: &Model) -> Vec<(String, Timestamp)> {
        let account = &exchange.caller().account_id;
        let mut cached = Vec::new();
        let mut digest = Sha256::new_with_prefix(format!("{account} {} {}", exchange.region, model.id));
        let (mut total, mut read, mut last) = (0, 0, 0);
        let now = exchange.now;
        for segment in &self.segments {
            digest.update(&segment.text);
            total += segment.tokens;
            let Some(minutes) = segment.cache_point.filter(|_| total >= model.cache_minimum) else { continue };
            let key = hex::encode(digest.clone().finalize());
            if exchange.cloud.prompt_cache.get(&key).is_some_and(|until| *until > now) {
                read = total;
            }
            cached.push((key, now + SignedDuration::from_mins(minutes)));
            last = total;
        }
        (self.cache_read, self.cache_written) = (read, last - read);
        cached
    }
}

/// Estimates tokens: four characters each, and a flat sum for a picture or a document.
fn tokens(value: &Value) -> u64 {
    const PICTURE: u64 = 1500;
    match value {
        Value::String(text) => (text.chars().count() as u64).div_ceil(4),
        Value::Array(items) => items.iter().map(tokens).sum(),
        Value::Object(members) => members
            .iter()
            .map(|(name, member)| match name.as_str() {
                "source" | "image" | "document" => PICTURE,
                "cache_control" | "type" | "id" | "tool_use_id" | "toolUseId" | "signature" => 0,
                _ => tokens(member) + (name.len() as u64).div_ceil(8),
            })
            .sum(),
        Value::Null => 0,
        Value::Bool(_) | Value::Number(_) => 1,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn tokens_are_about_a_quarter_of_the_characters() {
        assert_eq!(tokens(&json!("x".repeat(400))), 100);
        assert_eq!(tokens(&json!({ "type": "image", "source": { "data": "x".repeat(100_000) } })), 1500);
        let mut prompt = Prompt::default();
        prompt.push(&json!("hi"), None);
        assert_eq!((prompt.input_tokens(), prompt.cache_points()), (4, 0));
        prompt.mark(5);
        assert_eq!(prompt.cache_points(), 1);
    }
}
