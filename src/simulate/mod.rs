//! A simulated AWS, at the wire, over loopback HTTP, and the machine of somebody who uses it.
//!
//! One pure router over an account's state ([`handle`]), a thin server around it ([`Simulation`]) and scenarios as data. It
//! checks signatures, evaluates policies and answers in AWS's words, so that any client can be judged against it.
//!
//! It uses nothing of the rest of the program: a fake that is written to please its judge proves nothing. It never talks to
//! anything but loopback, and it cannot be taken for AWS: accounts begin with `00000000`, keys say `SIM`, every reply carries
//! `x-bedside-simulated`.

mod authentication;
pub mod catalog;
pub mod cloud;
mod exchange;
mod faults;
pub mod iam;
mod machine;
mod materialise;
mod placeholders;
mod refusal;
mod route;
mod router;
pub mod scenario;
mod seed;
mod server;
mod services;
mod sigv4;
mod simulation;
mod texts;
mod wire;

pub use cloud::{Call, Cloud};
pub use machine::{Entry, EntryContent, Machine};
pub use materialise::MaterialiseError;
pub use router::handle;
pub use scenario::fault::FaultSpec;
pub use scenario::{Scenario, ScenarioError, ScenarioHead, scenarios};
pub use simulation::{Options, Simulation, StartError};
pub use wire::{Body, Delivery, Reply, Request};
