//! The evaluation of all policies that apply to one request, and the name of the one that refused it.

use super::condition::Context;
use super::policy::{Asker, Effect, Policy};

/// All policies that apply to one request, by type.
#[derive(Clone, Debug, Default)]
pub struct PolicySet<'a> {
    pub identity: Vec<&'a Policy>,
    pub boundary: Option<&'a Policy>,
    /// The session's own policies; empty for a session that was given none.
    pub session: Vec<&'a Policy>,
    /// From the root of the organization down to the account: every level has to allow. Empty outside of an organization, and
    /// in its management account.
    pub service_control: Vec<Vec<&'a Policy>>,
    /// `None` where no resource control policy reaches the resource.
    pub resource_control: Option<Vec<&'a Policy>>,
    pub vpc_endpoint: Option<&'a Policy>,
    /// Who asks, for the types whose statements name a `Principal`.
    pub asker: Asker,
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
            let denying =
                policies.iter().find(|policy| self.has(policy_type, policy, Effect::Deny, action, resource, context));
            if let Some(policy) = denying {
                return Decision::Denied(Denial { policy_type, explicit: true, policy_arn: policy.arn.clone() });
            }
        }
        for (policy_type, policies) in self.by_type() {
            if self.root && policy_type == PolicyType::Identity {
                continue;
            }
            let allows = |policy: &&&Policy| self.has(policy_type, policy, Effect::Allow, action, resource, context);
            if !policies.iter().any(|policy| allows(&policy)) {
                return Decision::Denied(Denial { policy_type, explicit: false, policy_arn: None });
            }
        }
        Decision::Allowed
    }

    /// Whether a policy of that type has a statement of that effect for the asker.
    fn has(
        &self,
        policy_type: PolicyType,
        policy: &Policy,
        effect: Effect,
        action: &str,
        resource: &str,
        context: &Context,
    ) -> bool {
        match policy_type {
            PolicyType::ResourceControl | PolicyType::VpcEndpoint => {
                policy.has_for(&self.asker, effect, action, resource, context)
            }
            _ => policy.has(effect, action, resource, context),
        }
    }

    /// Returns the types that apply, with their policies; each of them has to allow. A type with levels comes once for each.
    fn by_type(&self) -> Vec<(PolicyType, Vec<&Policy>)> {
        let mut types = Vec::new();
        if let Some(policies) = &self.resource_control {
            types.push((PolicyType::ResourceControl, policies.clone()));
        }
        types.extend(self.service_control.iter().map(|level| (PolicyType::ServiceControl, level.clone())));
        if let Some(policy) = self.vpc_endpoint {
            types.push((PolicyType::VpcEndpoint, vec![policy]));
        }
        types.push((PolicyType::Identity, self.identity.clone()));
        if let Some(policy) = self.boundary {
            types.push((PolicyType::Boundary, vec![policy]));
        }
        if !self.session.is_empty() {
            types.push((PolicyType::Session, self.session.clone()));
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
        let statement = json!({"Effect": effect, "Principal": "*", "Action": "bedrock:*", "Resource": "*"});
        Policy::from_json(&json!({ "Statement": statement })).unwrap()
    }

    fn other() -> Policy {
        let statement = json!({"Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": "*"});
        Policy::from_json(&json!({ "Statement": statement })).unwrap()
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
                (PolicyType::ServiceControl, PolicySet { service_control: vec![one()], ..base() }),
                (PolicyType::ResourceControl, PolicySet { resource_control: Some(one()), ..base() }),
                (PolicyType::Boundary, PolicySet { boundary: Some(refusing), ..base() }),
                (PolicyType::Session, PolicySet { session: vec![refusing], ..base() }),
                (PolicyType::VpcEndpoint, PolicySet { vpc_endpoint: Some(refusing), ..base() }),
            ] {
                assert_eq!(decide(&set), Decision::Denied(Denial { policy_type, explicit, policy_arn: None }));
            }
        }
    }

    #[test]
    fn a_deny_beats_a_missing_allow_of_another_type() {
        let (deny, other) = (policy("Deny").with_arn("arn:aws:organizations::aws:policy/p"), other());
        let set = PolicySet { identity: vec![&other], service_control: vec![vec![&deny]], ..PolicySet::default() };
        let Decision::Denied(denial) = decide(&set) else { panic!("denied") };
        assert_eq!((denial.policy_type, denial.explicit), (PolicyType::ServiceControl, true));
        assert_eq!(denial.policy_arn.as_deref(), Some("arn:aws:organizations::aws:policy/p"));
    }

    #[test]
    fn every_level_of_the_organization_has_to_allow_and_one_deny_is_enough() {
        let (allow, deny, other) = (policy("Allow"), policy("Deny"), other());
        let decided = |levels: Vec<Vec<&Policy>>| match decide(&PolicySet {
            identity: vec![&allow],
            service_control: levels,
            ..PolicySet::default()
        }) {
            Decision::Allowed => None,
            Decision::Denied(denial) => Some((denial.policy_type, denial.explicit)),
        };
        assert_eq!(decided(vec![vec![&allow], vec![&other, &allow]]), None);
        assert_eq!(decided(vec![vec![&allow], vec![&other]]), Some((PolicyType::ServiceControl, false)));
        assert_eq!(decided(vec![vec![&allow, &deny], vec![&other]]), Some((PolicyType::ServiceControl, true)));
    }

    #[test]
    fn one_policy_of_a_session_may_allow_and_any_may_deny() {
        let (allow, deny, other) = (policy("Allow"), policy("Deny"), other());
        let set = |session| PolicySet { identity: vec![&allow], session, ..PolicySet::default() };
        assert_eq!(decide(&set(vec![&other, &allow])), Decision::Allowed);
        assert!(matches!(decide(&set(vec![&allow, &deny])), Decision::Denied(Denial { explicit: true, .. })));
    }

    #[test]
    fn endpoint_policies_and_resource_control_policies_are_for_the_principals_that_they_name() {
        let named = |effect: &str, principal: &str| {
            Policy::from_json(&json!({"Statement": {
                "Effect": effect, "Principal": { "AWS": principal }, "Action": "*", "Resource": "*",
            }}))
            .unwrap()
        };
        let (allow, everybody) = (policy("Allow"), named("Allow", "*"));
        let asker = Asker {
            account: "000000000001".to_owned(),
            arns: vec!["arn:aws:iam::000000000001:user/dev".to_owned()],
            federated: None,
        };
        let base = || PolicySet { identity: vec![&allow], asker: asker.clone(), ..PolicySet::default() };
        for (principal, reached) in [
            ("*", true),
            ("000000000001", true),
            ("arn:aws:iam::000000000001:user/dev", true),
            ("arn:aws:iam::000000000001:user/other", false),
        ] {
            let (allowing, denying) = (named("Allow", principal), named("Deny", principal));
            let endpoint = decide(&PolicySet { vpc_endpoint: Some(&allowing), ..base() });
            assert_eq!(endpoint == Decision::Allowed, reached, "{principal}");
            let resource = decide(&PolicySet { resource_control: Some(vec![&everybody, &denying]), ..base() });
            assert_eq!(resource == Decision::Allowed, !reached, "{principal}");
        }
    }

    #[test]
    fn root_needs_no_identity_policy_but_obeys_the_organization() {
        let other = other();
        assert_eq!(decide(&PolicySet { root: true, ..PolicySet::default() }), Decision::Allowed);
        let set = PolicySet { root: true, service_control: vec![vec![&other]], ..PolicySet::default() };
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
