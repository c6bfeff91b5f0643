//! Policies and their evaluation: may this principal perform this action on this resource under these circumstances?
//!
//! Pure: policies, an action, a resource and a context go in, a decision comes out. It knows nothing of Bedrock.
//! See: AWS docs, IAM User Guide, "Policy evaluation logic" and "IAM JSON policy elements: Condition operators".

pub mod condition;
pub mod evaluate;
pub mod managed;
pub mod pattern;
pub mod policy;

pub use condition::Context;
pub use evaluate::{Decision, Denial, PolicySet, PolicyType};
pub use managed::managed_policy;
pub use policy::{Policy, PolicyError};
