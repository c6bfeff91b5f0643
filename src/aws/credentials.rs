//! Asking a credential chain once, and telling which of its sources answered.

use std::time::UNIX_EPOCH;

use super::failure::{chain, classify_text};
use crate::evidence::{Failure, FailureKind, SourceKind, mask_key_id};
use aws_credential_types::{
    Credentials,
    credential_feature::AwsCredentialFeature as Feature,
    provider::{ProvideCredentials, SharedCredentialsProvider, error::CredentialsError},
};

/// Credentials that a chain gave. The secret part never leaves this module.
#[derive(Clone)]
pub struct Resolved {
    /// The source that answered; absent when the SDK does not say.
    pub source: Option<SourceKind>,
    /// Access key id, masked but for its ends.
    pub access_key_id: String,
    /// They carry a session token.
    pub temporary: bool,
    /// When they expire.
    pub expires_at: Option<jiff::Timestamp>,
    secret: Credentials,
}

impl Resolved {
    pub(super) fn secret(&self) -> &Credentials {
        &self.secret
    }
}

pub(super) async fn resolve(provider: &SharedCredentialsProvider) -> Result<Resolved, Failure> {
    match provider.provide_credentials().await {
        Ok(credentials) => Ok(Resolved {
            source: source_of(&credentials),
            access_key_id: mask_key_id(credentials.access_key_id()),
            temporary: credentials.session_token().is_some_and(|token| !token.is_empty()),
            expires_at: credentials
                .expiry()
                .and_then(|at| at.duration_since(UNIX_EPOCH).ok())
                .and_then(|since| jiff::Timestamp::from_second(i64::try_from(since.as_secs()).ok()?).ok()),
            secret: credentials,
        }),
        Err(error) => Err(failure_of(&error)),
    }
}

/// The SDK marks credentials with the features that were used to get them; the last step of a chain of roles is what counts.
fn source_of(credentials: &Credentials) -> Option<SourceKind> {
    let features = credentials.get_property::<Vec<Feature>>()?;
    let ranked = [
        (
            SourceKind::WebIdentity,
            &[
                Feature::CredentialsStsAssumeRoleWebId,
                Feature::CredentialsEnvVarsStsWebIdToken,
                Feature::CredentialsProfileStsWebIdToken,
            ][..],
        ),
        (SourceKind::AssumeRole, &[Feature::CredentialsStsAssumeRole]),
        (SourceKind::Sso, &[Feature::CredentialsSso, Feature::CredentialsProfileSso]),
        (SourceKind::Login, &[Feature::CredentialsLogin, Feature::CredentialsProfileLogin]),
        (SourceKind::CredentialProcess, &[Feature::CredentialsProcess, Feature::CredentialsProfileProcess]),
        (SourceKind::Container, &[Feature::CredentialsHttp]),
        (SourceKind::InstanceMetadata, &[Feature::CredentialsImds]),
        (SourceKind::EnvironmentKeys, &[Feature::CredentialsEnvVars]),
        (SourceKind::ProfileKeys, &[Feature::CredentialsProfile]),
    ];
    ranked.into_iter().find(|(_, marks)| marks.iter().any(|mark| features.contains(mark))).map(|(kind, _)| kind)
}

fn failure_of(error: &CredentialsError) -> Failure {
    let chain = chain(error);
    let (kind, code) = match error {
        CredentialsError::CredentialsNotLoaded(_) => (FailureKind::Credentials, "CredentialsNotLoaded"),
        CredentialsError::ProviderTimedOut(_) => (FailureKind::Timeout, "ProviderTimedOut"),
        CredentialsError::InvalidConfiguration(_) => (FailureKind::Credentials, "InvalidConfiguration"),
        // The network may have failed under a source that needs it; that is not a fault of the credentials.
        _ => (classify_text(&chain).unwrap_or(FailureKind::Credentials), "ProviderError"),
    };
    let mut failure = Failure::local(kind, &chain);
    failure.code = Some(service_code(&chain).unwrap_or_else(|| code.to_owned()));
    failure
}

/// The error code of a service (STS, the SSO portal) that stands inside the chain.
fn service_code(chain: &str) -> Option<String> {
    const CODES: [&str; 12] = [
        "ExpiredTokenException",
        "ExpiredToken",
        "InvalidClientTokenId",
        "UnrecognizedClientException",
        "SignatureDoesNotMatch",
        "InvalidIdentityToken",
        "IDPRejectedClaim",
        "AccessDeniedException",
        "AccessDenied",
        "UnauthorizedException",
        "ResourceNotFoundException",
        "RegionDisabledException",
    ];
    CODES.iter().find(|code| chain.contains(**code)).map(|code| (*code).to_owned())
}
