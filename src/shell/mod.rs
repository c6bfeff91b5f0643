//! Shells: which files they read when they start, and what those files say about variables. Reading only, so far.

mod start_up;

pub use start_up::{Assignment, assignments};
