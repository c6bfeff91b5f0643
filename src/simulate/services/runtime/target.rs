//! What a model id names: a foundation model, a system-defined profile or an application profile.
//!
//! Decided by shape and catalog alone; whether the target can be used here is for `gates`.

use crate::simulate::catalog::{Model, Prefix, QuotaScope, catalog};
use crate::simulate::cloud::ApplicationProfile;
use crate::simulate::exchange::Exchange;
use crate::simulate::services::bedrock::{application_profile_arn, model_arn};

/// What a model id names.
#[derive(Clone, Debug)]
pub(crate) enum Target {
    Model { model: &'static Model },
    SystemProfile { prefix: &'static Prefix, model: &'static Model },
    ApplicationProfile { profile: ApplicationProfile, inner: Box<Self> },
}

/// A resource that an invocation needs the action on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Resource {
    pub(crate) arn: String,
    /// The value of `aws:RequestedRegion`.
    pub(crate) region: String,
}

/// The id names nothing that exists; the ARN is what IAM is asked about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unresolved {
    pub(crate) arn: String,
}

/// Returns what a model id, a profile id or an ARN names for the caller.
pub(crate) fn resolve(exchange: &Exchange<'_>, id: &str) -> Result<Target, Unresolved> {
    let unresolved =
        || Unresolved { arn: if id.starts_with("arn:") { id.to_owned() } else { model_arn(&exchange.region, id) } };
    let (kind, name) = if id.starts_with("arn:") {
        let parts: Vec<&str> = id.splitn(6, ':').collect();
        let ["arn", "aws", "bedrock", region, account, resource] = parts.as_slice() else { return Err(unresolved()) };
        let (kind, name) = resource.split_once('/').ok_or_else(unresolved)?;
        let own = account.is_empty() == (kind == "foundation-model")
            && (account.is_empty() || *account == exchange.caller().account_id);
        if !own || *region != exchange.region {
            return Err(unresolved());
        }
        (kind, name)
    } else {
        ("", id)
    };
    let model = || catalog().model(name).map(|model| Target::Model { model });
    let system = || catalog().profile(name).map(|(prefix, model)| Target::SystemProfile { prefix, model });
    let application = || {
        let profile = exchange.account().application_profiles.iter().find(|profile| profile.id == name)?;
        let inner = match catalog().profile(&profile.source) {
            Some((prefix, model)) => Target::SystemProfile { prefix, model },
            None => Target::Model { model: catalog().model(&profile.source)? },
        };
        Some(Target::ApplicationProfile { profile: profile.clone(), inner: Box::new(inner) })
    };
    let target = match kind {
        "" => model().or_else(system).or_else(application),
        "foundation-model" => model(),
        "inference-profile" => system(),
        "application-inference-profile" => application(),
        _ => None,
    };
    target.ok_or_else(unresolved)
}

impl Target {
    /// Returns the model that answers in the end.
    pub(crate) fn model(&self) -> &'static Model {
        match self {
            Self::Model { model } | Self::SystemProfile { model, .. } => model,
            Self::ApplicationProfile { inner, .. } => inner.model(),
        }
    }

    /// Returns the quota scope under which calls count.
    pub(crate) fn scope(&self) -> QuotaScope {
        match self {
            Self::Model { .. } => QuotaScope::OnDemand,
            Self::SystemProfile { prefix, .. } if prefix.anywhere => QuotaScope::Global,
            Self::SystemProfile { .. } => QuotaScope::CrossRegion,
            Self::ApplicationProfile { inner, .. } => inner.scope(),
        }
    }

    /// Returns the ARN of the profile, which is also the value of `bedrock:InferenceProfileArn`.
    pub(crate) fn profile_arn(&self, region: &str, account: &str) -> Option<String> {
        match self {
            Self::Model { .. } => None,
            Self::SystemProfile { prefix, model } => {
                Some(format!("arn:aws:bedrock:{region}:{account}:inference-profile/{}.{}", prefix.name, model.id))
            }
            Self::ApplicationProfile { profile, .. } => Some(application_profile_arn(account, profile)),
        }
    }

    /// Returns every resource that an invocation in `region` needs its action on, in the order in which AWS asks.
    ///
    /// A geographic profile needs the model in every destination Region, a global one the model in the source Region and the
    /// model without a Region, whose requested Region is "unspecified".
    pub(crate) fn resources(&self, region: &str, account: &str) -> Vec<Resource> {
        let at = |arn: String, region: &str| Resource { arn, region: region.to_owned() };
        let mut resources: Vec<Resource> =
            self.profile_arn(region, account).into_iter().map(|arn| at(arn, region)).collect();
        match self {
            Self::Model { model } => resources.push(at(model_arn(region, &model.id), region)),
            Self::SystemProfile { prefix, model } => {
                let destinations = model.destinations(prefix, region).unwrap_or_else(|| vec![region.to_owned()]);
                resources.extend(destinations.iter().map(|region| at(model_arn(region, &model.id), region)));
                if prefix.anywhere {
                    resources.push(at(model_arn("", &model.id), "unspecified"));
                }
            }
            Self::ApplicationProfile { inner, .. } => resources.extend(inner.resources(region, account)),
        }
        resources
    }

    /// Returns the Region to which the call is routed; `None` for a call that stays where it was made.
    pub(crate) fn pick_destination(&self, exchange: &mut Exchange<'_>) -> Option<String> {
        let source = exchange.region.clone();
        let choices = match self {
            Self::Model { .. } => return None,
            Self::SystemProfile { prefix, .. } if prefix.anywhere => {
                ["us-east-1", "us-west-2", "eu-central-1", "ap-northeast-1"].map(str::to_owned).to_vec()
            }
            Self::SystemProfile { prefix, model } => {
                model.destinations(prefix, &source).unwrap_or_else(|| vec![source])
            }
            Self::ApplicationProfile { inner, .. } => return inner.pick_destination(exchange),
        };
        let turn = usize::try_from(exchange.cloud.next()).unwrap_or_default();
        Some(choices[turn % choices.len()].clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arns(id: &str, region: &str) -> Vec<String> {
        let (prefix, model) = catalog().profile(id).unwrap();
        let resources = Target::SystemProfile { prefix, model }.resources(region, "000000000001");
        resources.into_iter().map(|resource| resource.arn).collect()
    }

    #[test]
    fn a_geographic_profile_needs_the_model_in_every_destination() {
        assert_eq!(
            arns("us.anthropic.claude-opus-5-5", "us-west-2"),
            [
                "arn:aws:bedrock:us-west-2:000000000001:inference-profile/us.anthropic.claude-opus-5-5",
                "arn:aws:bedrock:us-west-2::foundation-model/anthropic.claude-opus-5-5",
                "arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-opus-5-5",
                "arn:aws:bedrock:us-east-2::foundation-model/anthropic.claude-opus-5-5",
            ]
        );
    }

    #[test]
    fn a_global_profile_needs_the_model_without_a_region() {
        assert_eq!(
            arns("global.anthropic.claude-opus-5-5", "sa-east-1"),
            [
                "arn:aws:bedrock:sa-east-1:000000000001:inference-profile/global.anthropic.claude-opus-5-5",
                "arn:aws:bedrock:sa-east-1::foundation-model/anthropic.claude-opus-5-5",
                "arn:aws:bedrock:::foundation-model/anthropic.claude-opus-5-5",
            ]
        );
    }
}
