//! bedside finds out why Claude on Amazon Bedrock does not work for someone.
//!
//! The library is the program without its `main`: tests and benchmarks use it. See `docs/architecture.md` for the rooms of this
//! house, who may use whom, and the invariants that tests keep.

pub mod aws;
pub mod cli;
pub mod engine;
pub mod evidence;
pub mod knowledge;
pub mod probes;
pub mod report;
pub mod settings;
pub mod shell;
pub mod signature;
pub mod simulate;
mod words;
pub mod world;
