//! Policies that scenarios name instead of writing them out, read from `managed.toml`.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

use super::policy::Policy;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    /// Where the document comes from; kept with the data for people.
    #[expect(dead_code, reason = "documentation kept with the data")]
    source: String,
    arn: Option<String>,
    document: String,
}

/// Returns the policy of that name or ARN.
pub fn managed_policy(name: &str) -> Option<&'static Policy> {
    static POLICIES: LazyLock<BTreeMap<String, Policy>> = LazyLock::new(|| {
        let entries: BTreeMap<String, Entry> = toml::from_str(include_str!("managed.toml"))
            .expect("managed.toml is part of the program and parsed by a test");
        let mut policies = BTreeMap::new();
        for (name, entry) in entries {
            let mut policy = Policy::parse(&entry.document).expect("managed.toml holds policies; a test parses them");
            policy.arn.clone_from(&entry.arn);
            policies.extend(entry.arn.map(|arn| (arn, policy.clone())));
            policies.insert(name, policy);
        }
        policies
    });
    POLICIES.get(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulate::iam::condition::Context;
    use crate::simulate::iam::policy::Effect;

    #[test]
    fn managed_policies_parse_and_are_found_by_name_and_arn() {
        let full = managed_policy("bedrock-full").unwrap();
        assert_eq!(managed_policy(full.arn.as_ref().unwrap()), Some(full));
        assert!(managed_policy("no-such-policy").is_none());
    }

    #[test]
    fn the_documented_policy_does_not_allow_list_actions_on_the_star_resource() {
        let documented = managed_policy("claude-code-documented").unwrap();
        let context = Context::default();
        assert!(!documented.has(Effect::Allow, "bedrock:ListInferenceProfiles", "*", &context));
        let global = "arn:aws:bedrock:::foundation-model/anthropic.claude-opus-5-5";
        assert!(documented.has(Effect::Allow, "bedrock:InvokeModelWithResponseStream", global, &context));
    }
}
