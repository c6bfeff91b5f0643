//! What was seen: the one document that probes write and checks read. Plain values only: no I/O, no clock, no type of an SDK.

mod document;
mod fact;
mod failure;
mod path;
mod redact;
mod secret;
mod settings;
mod update;

pub use document::*;
pub(crate) use fact::NOT_LOOKED_AT;
pub use fact::{Fact, Unreadable, Why};
pub use failure::{Envelope, Failure, FailureKind, MAX_MESSAGE_CHARS, clean};
pub use path::{Lookup, SchemaPaths, lookup};
pub use secret::{Secret, mask_key_id, mask_secret};
pub use settings::*;
pub use update::Update;
