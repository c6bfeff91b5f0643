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
        _ => (kind_of(&chain), "ProviderError"),
    };
    let mut failure = Failure::local(kind, if is_of_helper(&chain) { said_by_helper(&chain) } else { chain.clone() });
    failure.code = Some(service_code(&chain).unwrap_or_else(|| code.to_owned()));
    failure
}

/// The network may have failed under a source that needs it, which is not a fault of the credentials. An answer of a service, and what
/// a helper said of itself, are: names of roles and the words of a helper tell nothing of the network.
fn kind_of(chain: &str) -> FailureKind {
    if is_of_helper(chain) || service_code(chain).is_some() || chain.contains("service error") {
        return FailureKind::Credentials;
    }
    TRANSPORT
        .iter()
        .filter_map(|layer| chain.find(layer))
        .min()
        .and_then(|start| classify_text(&chain[start..]))
        .unwrap_or(FailureKind::Credentials)
}

/// Where the part of a chain begins that speaks of the way to a service.
const TRANSPORT: [&str; 5] =
    ["dispatch failure", "request has timed out", "response error", "communicating with IMDS", "communicate with IMDS"];

fn is_of_helper(chain: &str) -> bool {
    chain.contains("Error retrieving credentials") || chain.contains("external process")
}

/// A helper's failure: how it ended and the first line of what it said, without what looks like a secret.
fn said_by_helper(chain: &str) -> String {
    const SAID: &str = "Stderr: ";
    let shown = match chain.find(SAID).map(|at| chain.split_at(at + SAID.len())) {
        Some((ended, said)) => {
            let first = said.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or("nothing");
            format!("{ended}{first}")
        }
        None => chain.to_owned(),
    };
    without_secrets(&shown)
}

/// Hides words that look like keys and tokens.
fn without_secrets(text: &str) -> String {
    let in_token = |it: char| it.is_ascii_alphanumeric() || matches!(it, '+' | '/' | '_' | '-');
    let mut shown = String::new();
    let mut rest = text;
    while !rest.is_empty() {
        let word = rest.find(|it| !in_token(it)).unwrap_or(rest.len());
        shown.push_str(if looks_secret(&rest[..word]) { "(hidden)" } else { &rest[..word] });
        let between = rest[word..].find(in_token).unwrap_or(rest.len() - word);
        shown.push_str(&rest[word..word + between]);
        rest = &rest[word + between..];
    }
    shown
}

fn looks_secret(word: &str) -> bool {
    let any = |is: fn(&char) -> bool| word.chars().any(|it| is(&it));
    let key_id = word.len() >= 16 && (word.starts_with("AKIA") || word.starts_with("ASIA"));
    let base64 =
        word.len() >= 24 && any(char::is_ascii_digit) && any(char::is_ascii_uppercase) && any(char::is_ascii_lowercase);
    let hexadecimal = word.len() >= 32 && word.chars().all(|it| it.is_ascii_hexdigit());
    key_id || base64 || hexadecimal
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

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(text: &str) -> Failure {
        failure_of(&CredentialsError::provider_error(text.to_owned()))
    }

    #[test]
    fn names_and_the_words_of_helpers_are_no_fault_of_the_network() {
        for text in [
            "service error: unhandled error (AccessDenied): Error { code: \"AccessDenied\", message: \"User: x is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::000000001111:role/proxy-admin\" }",
            "Error retrieving credentials: external process exited with code exit status: 1. Stderr: Session timed out",
            "the profile `tunnel` holds no certificate",
        ] {
            assert_eq!(failed(text).kind, FailureKind::Credentials, "{text}");
        }
        let cut = failed("profile proxy-admin: dispatch failure: io error: tcp connect error: Connection refused");
        assert_eq!(cut.kind, FailureKind::Connect);
    }

    #[test]
    fn a_helper_is_quoted_without_its_secrets() {
        let failure = failed(
            "Error retrieving credentials: external process exited with code exit status: 3. Stderr: \nlogin failed for token=eyJhbGciOiJIUzI1NiJ9AbCdEf0123 at /opt/company/login.py\nTraceback: more",
        );
        assert!(failure.message.contains("exit status: 3"), "{}", failure.message);
        assert!(
            failure.message.ends_with("login failed for token=(hidden) at /opt/company/login.py"),
            "{}",
            failure.message
        );
    }
}
