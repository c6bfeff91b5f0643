//! The services, one file each: what every operation answers once the caller is known.

pub(super) mod bedrock;
pub(super) mod cloudtrail;
pub(super) mod metadata;
pub(super) mod quotas;
pub(super) mod runtime;
pub(super) mod sso;
pub(super) mod sts;
