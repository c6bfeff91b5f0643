//! Reading an IAM denial: who, what, on which ARN, and which kind of policy said no. Each part may be missing: AWS shortens the
//! sentence as it likes (AWS docs, IAM User Guide: "Troubleshoot access denied error messages").

use std::sync::LazyLock;

use regex::Regex;

/// A parsed denial.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denial {
    /// ARN of the caller.
    pub principal: Option<String>,
    /// The action, such as `bedrock:InvokeModel`.
    pub action: String,
    /// The ARN, or `*`.
    pub resource: Option<String>,
    /// The kind of policy that denied, when the sentence says so.
    pub policy_type: Option<PolicyType>,
    /// A statement denies; otherwise none allows.
    pub explicit: bool,
    /// The policy that denied, when named.
    pub policy_arn: Option<String>,
}

/// The kinds of policies that can deny.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PolicyType {
    /// The caller's own policy.
    Identity,
    /// A policy of the resource.
    Resource,
    /// A service control policy of the organization.
    ServiceControl,
    /// A resource control policy of the organization.
    ResourceControl,
    /// The caller's permissions boundary.
    Boundary,
    /// The policy of the session.
    Session,
    /// The policy of a VPC endpoint.
    VpcEndpoint,
}

impl PolicyType {
    /// Returns AWS's name of it.
    pub fn spoken(self) -> &'static str {
        match self {
            Self::Identity => "identity-based policy",
            Self::Resource => "resource-based policy",
            Self::ServiceControl => "service control policy",
            Self::ResourceControl => "resource control policy",
            Self::Boundary => "permissions boundary",
            Self::Session => "session policy",
            Self::VpcEndpoint => "VPC endpoint policy",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        let text = text.to_lowercase();
        [
            ("service control policy", Self::ServiceControl),
            ("resource control policy", Self::ResourceControl),
            ("permissions boundary", Self::Boundary),
            ("session policy", Self::Session),
            ("vpc endpoint policy", Self::VpcEndpoint),
            ("resource-based policy", Self::Resource),
            ("identity-based policy", Self::Identity),
        ]
        .into_iter()
        .find(|(name, _)| text.contains(name))
        .map(|(_, kind)| kind)
    }
}

static SENTENCE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?i)(?:User:?\s+(?P<who>arn:\S+)\s+|User\s+)?is not authorized to perform:?\s+(?P<what>[a-z0-9-]+:[A-Za-z]+\*?)(?:\s+on resource:?\s+(?P<on>\S+))?",
    )
    .expect("a constant pattern")
});
static IMPLICIT: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(?i)because no (?P<kind>[a-z -]+?) allows").expect("a constant pattern"));
static EXPLICIT: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)explicit deny in (?:an?|the) (?P<kind>identity-based policy|resource-based policy|service control policy|resource control policy|permissions boundary|session policy|vpc endpoint policy)(?::\s*(?P<arn>arn:\S+))?")
        .expect("a constant pattern")
});

impl Denial {
    /// Reads a denial out of a text, if there is one in it.
    pub fn parse(text: &str) -> Option<Self> {
        let sentence = SENTENCE.captures(text)?;
        let part = |name: &str| sentence.name(name).map(|it| it.as_str().trim_end_matches(['.', ',', ';']).to_owned());
        let explicit = EXPLICIT.captures(text);
        let kind =
            explicit.as_ref().or(IMPLICIT.captures(text).as_ref()).and_then(|found| PolicyType::parse(&found["kind"]));
        Some(Self {
            principal: part("who"),
            action: part("what")?,
            resource: part("on"),
            policy_type: kind,
            explicit: explicit.is_some(),
            policy_arn: explicit
                .and_then(|found| found.name("arn").map(|it| it.as_str().trim_end_matches('.').to_owned())),
        })
    }

    /// Returns the Region in the denied ARN; empty for the Region-less ARN of a global profile.
    pub fn resource_region(&self) -> Option<&str> {
        let resource = self.resource.as_deref()?;
        resource.starts_with("arn:").then(|| resource.split(':').nth(3).unwrap_or_default())
    }

    /// Returns whether the denied ARN is one of a foundation model.
    pub fn is_about_foundation_model(&self) -> bool {
        self.resource.as_deref().is_some_and(|resource| resource.contains(":foundation-model/"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_the_sentence_is_read() {
        let full = "User: arn:aws:sts::000000001111:assumed-role/Dev/a is not authorized to perform: bedrock:InvokeModelWithResponseStream on resource: arn:aws:bedrock:us-west-2::foundation-model/anthropic.claude-opus-5-5 because no identity-based policy allows the bedrock:InvokeModelWithResponseStream action";
        let denial = Denial::parse(full).unwrap();
        assert_eq!(denial.policy_type, Some(PolicyType::Identity));
        assert!(!denial.explicit && denial.is_about_foundation_model());
        assert_eq!(denial.resource_region(), Some("us-west-2"));
        assert_eq!(denial.action, "bedrock:InvokeModelWithResponseStream");

        let scp = "User: arn:aws:iam::1:user/b is not authorized to perform: bedrock:InvokeModel on resource: arn:aws:bedrock:::foundation-model/m with an explicit deny in a service control policy: arn:aws:organizations::1:policy/o-1/service_control_policy/p-1";
        let denial = Denial::parse(scp).unwrap();
        assert!(denial.explicit);
        assert_eq!(denial.policy_type, Some(PolicyType::ServiceControl));
        assert_eq!(denial.resource_region(), Some(""));
        assert_eq!(
            denial.policy_arn.as_deref(),
            Some("arn:aws:organizations::1:policy/o-1/service_control_policy/p-1")
        );

        let boundary = "User: arn:aws:iam::1:user/b is not authorized to perform: bedrock:InvokeModel on resource: x because no permissions boundary allows the bedrock:InvokeModel action";
        assert_eq!(Denial::parse(boundary).unwrap().policy_type, Some(PolicyType::Boundary));

        let short = Denial::parse("User is not authorized to perform: bedrock:ListInferenceProfiles").unwrap();
        assert_eq!((short.principal, short.resource, short.policy_type), (None, None, None));

        for kind in ["session policy", "VPC endpoint policy", "resource control policy", "resource-based policy"] {
            let text = format!(
                "User: arn:x is not authorized to perform: bedrock:InvokeModel on resource: y with an explicit deny in a {kind}"
            );
            assert_eq!(Denial::parse(&text).unwrap().policy_type.unwrap().spoken(), kind);
        }
        assert!(Denial::parse("Too many tokens").is_none());
    }
}
