//! Spans of time as scenarios write them: `200ms`, `2s`, `-35m`, `1h30m`, `30d`.

use std::fmt;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

/// A span of time, forward or back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span(SignedDuration);

impl Span {
    /// Reads a span.
    pub fn parse(text: &str) -> Option<Self> {
        let (back, mut rest) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        if rest == "0" {
            return Some(Self::default());
        }
        if rest.is_empty() {
            return None;
        }
        let mut total: i64 = 0;
        while !rest.is_empty() {
            let digits = rest.find(|character: char| !character.is_ascii_digit())?;
            let number: i64 = rest[..digits].parse().ok()?;
            let tail = &rest[digits..];
            let unit = tail.find(|character: char| character.is_ascii_digit()).unwrap_or(tail.len());
            let milliseconds = match &tail[..unit] {
                "ms" => 1,
                "s" => 1_000,
                "m" => 60_000,
                "h" => 3_600_000,
                "d" => 86_400_000,
                _ => return None,
            };
            total = total.checked_add(number.checked_mul(milliseconds)?)?;
            rest = &tail[unit..];
        }
        Some(Self(SignedDuration::from_millis(if back { -total } else { total })))
    }

    /// Returns the instant that lies so far from `now`.
    pub fn after(self, now: Timestamp) -> Timestamp {
        now.saturating_add(self.0).expect("spans of scenarios are far from the limits of time")
    }

    /// Returns the span as a wait; a span back is none.
    pub fn wait(self) -> Duration {
        self.0.try_into().unwrap_or_default()
    }

    /// Returns the span, sign and all.
    pub fn signed(self) -> SignedDuration {
        self.0
    }
}

impl fmt::Display for Span {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}ms", self.0.as_millis())
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| {
            D::Error::custom(format!(
                "`{text}` is no span of time; write it like `200ms`, `2s`, `-35m`, `1h30m` or `30d`"
            ))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_have_units_and_signs() {
        let milliseconds = |text: &str| Span::parse(text).map(|span| span.signed().as_millis());
        assert_eq!(milliseconds("200ms"), Some(200));
        assert_eq!(milliseconds("-35m"), Some(-2_100_000));
        assert_eq!(milliseconds("1h30m"), Some(5_400_000));
        assert_eq!(milliseconds("0"), Some(0));
        for wrong in ["", "-", "5", "m", "5 m", "five", "5w"] {
            assert_eq!(milliseconds(wrong), None, "{wrong:?}");
        }
    }
}
