//! The evaluation of all policies that apply to one request, and the name of the one that refused it.

use super::condition::Context;
use super::policy::{Effect, Policy};

/// All policies that apply to one request, by type.
#[derive(Clone, Debug, Default)]
pub struct PolicySet<'a> {
    pub identity: Vec<&'a Policy>,
    pub boundary: Option<&'a Policy>,
    pub session: Option<&'a Policy>,
    /// `None` outside of an organization, and in its management account.
    pub service_control: Option<Vec<&'a Policy>>,
    /// `None` where no resource control policy reaches the resource.
    pub resource_control: Option<Vec<&'a Policy>>,
    pub vpc_endpoint: Option<&'a Policy>,
    /// The root user needs no identity-based policy.
    pub root: bool,
}

/// The outcome of an evaluation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    Allowed,
    Denied(Denial),
}

/// Which policy refused, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denial {
    pub policy_type: PolicyType,
    pub explicit: bool,
    pub policy_arn: Option<String>,
}

/// The types of policies that a denial can name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PolicyType {
    Identity,
    ServiceControl,
    ResourceControl,
    Boundary,
    Session,
    VpcEndpoint,
    RoleTrust,
}

impl PolicySet<'_> {
    /// Decides one action on one resource.
    ///
    /// An explicit deny of any type comes before everything else. When several types refuse, AWS names one of them; the order
    /// here is that of the flow chart in "Policy evaluation logic".
    pub fn decide(&self, action: &str, resource: &str, context: &Context) -> Decision {
        for (policy_type, policies) in self.by_type() {
            let denying = policies.iter().find(|policy| policy.has(Effect::Deny, action, resource, context));
            if let Some(policy) = denying {
                return Decision::Denied(Denial { policy_type, explicit: true, policy_arn: policy.arn.clone() });
            }
        }
        for (policy_type, policies) in self.by_type() {
            if self.root && policy_type == PolicyType::Identity {
                continue;
            }
            if !policies.iter().any(|policy| policy.has(Effect::Allow, action, resource, context)) {
                return Decision::Denied(Denial { policy_type, explicit: false, policy_arn: None });
            }
        }
        Decision::Allowed
    }

    /// Returns the types that apply, with their policies; a type that applies has to allow.
    fn by_type(&self) -> Vec<(PolicyType, Vec<&Policy>)> {
        let mut types = Vec::new();
        if let Some(policies) = &self.resource_control {
            types.push((PolicyType::ResourceControl, policies.clone()));
        }
        if let Some(policies) = &self.service_control {
            types.push((PolicyType::ServiceControl, policies.clone()));
        }
        if let Some(policy) = self.vpc_endpoint {
            types.push((PolicyType::VpcEndpoint, vec![policy]));
        }
        types.push((PolicyType::Identity, self.identity.clone()));
        if let Some(policy) = self.boundary {
            types.push((PolicyType::Boundary, vec![policy]));
        }
        if let Some(policy) = self.session {
            types.push((PolicyType::Session, vec![policy]));
        }
        types
    }
}

impl PolicyType {
    /// Returns the type as an implicit denial names it: "because no … allows".
    pub fn name(self) -> &'static str {
        match self {
            Self::Identity => "identity-based policy",
            Self::ServiceControl => "service control policy",
            Self::ResourceControl => "resource control policy",
            Self::Boundary => "permissions boundary",
            Self::Session => "session policy",
            Self::VpcEndpoint => "VPC endpoint policy",
            Self::RoleTrust => "role trust policy",
        }
    }

    /// Returns the type as an explicit denial names it: "with an explicit deny in …".
    pub fn name_with_article(self) -> &'static str {
        match self {
            Self::Identity => "an identity-based policy",
            Self::ServiceControl => "a service control policy",
            Self::ResourceControl => "a resource control policy",
            Self::Boundary => "a permissions boundary",
            Self::Session => "a session policy",
            Self::VpcEndpoint => "a VPC endpoint policy",
            Self::RoleTrust => "the role trust policy",
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn policy(effect: &str) -> Policy {
        Policy::from_json(&json!({"Statement": {"Effect": effect, "Action": "bedrock:*", "Resource": "*"}})).unwrap()
    }

    fn other() -> Policy {
        Policy::from_json(&json!({"Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}})).unwrap()
    }

    fn decide(set: &PolicySet) -> Decision {
        set.decide("bedrock:InvokeModel", "arn:aws:bedrock:us-east-1::foundation-model/m", &Context::default())
    }

    #[test]
    fn every_type_can_refuse_by_silence_and_by_deny() {
        let (allow, deny, other) = (policy("Allow"), policy("Deny"), other());
        let base = || PolicySet { identity: vec![&allow], ..PolicySet::default() };
        assert_eq!(decide(&base()), Decision::Allowed);
        for explicit in [false, true] {
            let refusing = if explicit { &deny } else { &other };
            let both = || vec![&allow, refusing];
            let one = || if explicit { both() } else { vec![refusing] };
            for (policy_type, set) in [
                (PolicyType::Identity, PolicySet { identity: one(), ..PolicySet::default() }),
                (PolicyType::ServiceControl, PolicySet { service_control: Some(one()), ..base() }),
                (PolicyType::ResourceControl, PolicySet { resource_control: Some(one()), ..base() }),
                (PolicyType::Boundary, PolicySet { boundary: Some(refusing), ..base() }),
                (PolicyType::Session, PolicySet { session: Some(refusing), ..base() }),
                (PolicyType::VpcEndpoint, PolicySet { vpc_endpoint: Some(refusing), ..base() }),
            ] {
                assert_eq!(decide(&set), Decision::Denied(Denial { policy_type, explicit, policy_arn: None }));
            }
        }
    }

    #[test]
    fn a_deny_beats_a_missing_allow_of_another_type() {
        let (deny, other) = (policy("Deny").with_arn("arn:aws:organizations::aws:policy/p"), other());
        let set = PolicySet { identity: vec![&other], service_control: Some(vec![&deny]), ..PolicySet::default() };
        let Decision::Denied(denial) = decide(&set) else { panic!("denied") };
        assert_eq!((denial.policy_type, denial.explicit), (PolicyType::ServiceControl, true));
        assert_eq!(denial.policy_arn.as_deref(), Some("arn:aws:organizations::aws:policy/p"));
    }

    #[test]
    fn root_needs_no_identity_policy_but_obeys_the_organization() {
        let other = other();
        assert_eq!(decide(&PolicySet { root: true, ..PolicySet::default() }), Decision::Allowed);
        let set = PolicySet { root: true, service_control: Some(vec![&other]), ..PolicySet::default() };
        assert!(matches!(decide(&set), Decision::Denied(Denial { policy_type: PolicyType::ServiceControl, .. })));
    }

    #[test]
    fn not_action_and_not_resource_select_the_rest() {
        let boundary = Policy::from_json(&json!({"Statement": [
            {"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"},
            {"Effect": "Deny", "Action": "bedrock:*", "NotResource": "arn:aws:bedrock:us-east-1::*"},
        ]}))
        .unwrap();
        let allow = policy("Allow");
        let set = PolicySet { identity: vec![&allow], boundary: Some(&boundary), ..PolicySet::default() };
        assert_eq!(decide(&set), Decision::Allowed);
        let elsewhere =
            set.decide("bedrock:InvokeModel", "arn:aws:bedrock:eu-west-1::foundation-model/m", &Context::default());
        assert!(matches!(elsewhere, Decision::Denied(Denial { explicit: true, .. })));
    }
}
