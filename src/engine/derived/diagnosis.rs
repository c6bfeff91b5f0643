//! The diagnosis: a cause and everything its words may want to name. One shape for every cause, so that a cause's file reads the
//! same wherever the cause is found.

use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    evidence::{Fact, Failure, Unreadable},
    knowledge::Confidence,
};

/// A cause with what it is about. Without a cause it says that nothing is wrong there.
#[derive(Clone, Debug, Default, PartialEq, Serialize, JsonSchema)]
pub struct Diagnosis {
    /// The slug, or nothing.
    pub cause: String,
    /// What is finer than the slug.
    pub subcause: Option<String>,
    /// How sure it is.
    pub confidence: Confidence,
    /// It holds whatever an earlier fault keeps from being seen: mending that one would only reveal this.
    pub independent: bool,
    /// What was seen, in a few words.
    pub measured: Option<String>,
    /// What should have been seen.
    pub expected: Option<String>,

    /// The client, as a person would say.
    pub client: Option<String>,
    /// The variable or key that matters.
    pub setting: Option<String>,
    /// Its value.
    pub value: Option<String>,
    /// Where it stands.
    pub origin: Option<String>,
    /// What it shadows, with its place.
    pub shadowed: Option<String>,
    /// A file.
    pub file: Option<String>,
    /// A file with its line.
    pub place: Option<String>,
    /// The AWS profile.
    pub profile: Option<String>,
    /// Profiles that exist.
    pub available: Option<String>,
    /// The Region of the call.
    pub region: Option<String>,
    /// Another Region.
    pub other_region: Option<String>,
    /// The account.
    pub account: Option<String>,
    /// The principal's ARN.
    pub principal: Option<String>,
    /// The model id that was sent.
    pub model_id: Option<String>,
    /// The foundation model behind it.
    pub foundation_model: Option<String>,
    /// The role of the model: main, background, …
    pub role: Option<String>,
    /// A model id that this account lists and that would do.
    pub suggested_model: Option<String>,
    /// A profile of a model that this account lists, in the Region's geography; the profile itself could not be listed.
    pub guessed_model: Option<String>,
    /// When something ends (a date).
    pub until: Option<String>,
    /// The IAM action.
    pub action: Option<String>,
    /// The ARN that was denied.
    pub resource: Option<String>,
    /// The Region in that ARN.
    pub resource_region: Option<String>,
    /// ARNs that a policy has to allow, one a line.
    pub resources: Option<String>,
    /// The kind of policy that denied.
    pub policy_type: Option<String>,
    /// The policy that denied.
    pub policy_arn: Option<String>,
    /// The source of credentials.
    pub source: Option<String>,
    /// Another source of credentials, which was meant or shadowed.
    pub other_source: Option<String>,
    /// An access key id, masked.
    pub access_key_id: Option<String>,
    /// The host.
    pub host: Option<String>,
    /// The proxy.
    pub proxy: Option<String>,
    /// Who issued a certificate.
    pub issuer: Option<String>,
    /// An address.
    pub url: Option<String>,
    /// Seconds, milliseconds, tokens: a number with its unit.
    pub amount: Option<String>,
    /// Another number with its unit, to hold it against.
    pub limit: Option<String>,
    /// A quota's name.
    pub quota: Option<String>,
    /// A quota's code.
    pub quota_code: Option<String>,
    /// A version.
    pub version: Option<String>,
    /// The first version without the fault.
    pub fixed_in: Option<String>,
    /// An error code.
    pub code: Option<String>,
    /// The words are those of the service; otherwise they are what was met on the way to it.
    pub answered: bool,
    /// The service's own words, or what was met on the way.
    pub message: Option<String>,
    /// The request id.
    pub request_id: Option<String>,
    /// The operation that failed.
    pub operation: Option<String>,
    /// What else speaks for it, as a sentence.
    pub evidence: Option<String>,
}

impl Diagnosis {
    /// Returns "nothing wrong".
    pub fn fine() -> Fact<Self> {
        Fact::Known(Self::default())
    }

    /// Returns a diagnosis with a cause.
    pub fn of(cause: &str) -> Self {
        Self { cause: cause.to_owned(), ..Self::default() }
    }

    /// Returns whether there is a cause.
    pub fn is_fine(&self) -> bool {
        self.cause.is_empty()
    }

    /// Adds what a failed call said.
    #[must_use]
    pub fn with_failure(mut self, failure: &Failure) -> Self {
        self.code.clone_from(&failure.code);
        self.message = Some(failure.spoken()).filter(|text| !text.is_empty());
        self.answered = failure.is_answer();
        self.request_id.clone_from(&failure.request_id);
        self
    }

    /// Sets how sure it is.
    #[must_use]
    pub fn sure(mut self, confidence: Confidence) -> Self {
        self.confidence = confidence;
        self
    }

    /// Sets the subcause.
    #[must_use]
    pub fn with_subcause(mut self, subcause: &str) -> Self {
        self.subcause = Some(subcause.to_owned());
        self
    }
}

/// Returns the obstacle of a fact as the obstacle of what would have been derived from it.
pub(super) fn blocked_by<T>(obstacle: &Unreadable) -> Fact<T> {
    Fact::Unreadable(obstacle.clone())
}
