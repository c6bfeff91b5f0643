//! Renderers of the one report model. They know nothing of evidence, checks or AWS: what is not in the model cannot be shown, and
//! what one shows the others can show too.

mod human;
mod markdown;
mod paint;
pub mod progress;

pub use human::{Detail, human};
pub use markdown::markdown;
pub use paint::{Paint, safe};

use crate::engine::Report;

/// Renders the report as JSON: the contract with machines, one document.
///
/// # Errors
/// When the model cannot be serialized, which its types rule out.
pub fn json(report: &Report) -> Result<String, serde_json::Error> {
    serde_json::to_string_pretty(report)
}
