//! The one integration-test binary: the shipped program in a sealed world, and the guards of the house.

#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "tests look at the real world, and fail where they stand"
)]

mod architecture;
mod bad_input;
mod catalog;
mod faults;
mod harness;
mod page_sync;
mod privacy;
mod record;
mod reports;
mod scenarios;
mod settings;
mod strangers;
