//! Model ids: what an id is, which Regions its prefix belongs to, and which id of this account's own lists would do instead.

use std::sync::LazyLock;

use jiff::Timestamp;
use regex::Regex;

use super::{Diagnosis, View, diagnosis::blocked_by};
use crate::{
    evidence::{Client, Fact, FoundationModel, InferenceProfile, ModelSetting, Why},
    knowledge::{Confidence, nearest},
};

/// The geography of an inference profile, by its prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prefix {
    /// `us.`
    Us,
    /// `eu.`
    Eu,
    /// `apac.`
    Apac,
    /// `jp.`
    Jp,
    /// `au.`
    Au,
    /// `us-gov.`
    UsGov,
    /// `global.`
    Global,
}

impl Prefix {
    const ALL: [Self; 7] = [Self::Us, Self::Eu, Self::Apac, Self::Jp, Self::Au, Self::UsGov, Self::Global];

    /// Returns it as it stands before an id, without the dot.
    pub fn word(self) -> &'static str {
        match self {
            Self::Us => "us",
            Self::Eu => "eu",
            Self::Apac => "apac",
            Self::Jp => "jp",
            Self::Au => "au",
            Self::UsGov => "us-gov",
            Self::Global => "global",
        }
    }

    /// Returns whether calls from this Region can use profiles of this geography (AWS docs: model cards, source Regions; Canada is
    /// served by `us.`).
    pub fn serves(self, region: &str) -> bool {
        match self {
            Self::Us => (region.starts_with("us-") && !region.starts_with("us-gov-")) || region.starts_with("ca-"),
            Self::Eu => region.starts_with("eu-"),
            Self::Apac => region.starts_with("ap-"),
            Self::Jp => matches!(region, "ap-northeast-1" | "ap-northeast-3"),
            Self::Au => matches!(region, "ap-southeast-2" | "ap-southeast-4" | "ap-southeast-6"),
            Self::UsGov => region.starts_with("us-gov-"),
            Self::Global => !region.starts_with("us-gov-"),
        }
    }
}

/// A model id taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelRef {
    /// As it was sent.
    pub id: String,
    /// The geography, for an inference profile of AWS.
    pub prefix: Option<Prefix>,
    /// The foundation-model id in it; absent for ARNs of application profiles and the like.
    pub foundation_model: Option<String>,
    /// It is an ARN.
    pub is_arn: bool,
    /// It has the shape of an id of Anthropic's on Bedrock.
    pub well_formed: bool,
}

static FOUNDATION: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^anthropic\.claude-[a-z0-9]+(?:-[a-z0-9]+)*(?:-v\d+(?::\d+(?::\d+k)?)?)?$")
        .expect("a constant pattern")
});

impl ModelRef {
    /// Takes an id apart.
    pub fn parse(id: &str) -> Self {
        let is_arn = id.starts_with("arn:");
        let name = if is_arn { id.split_once('/').map_or("", |(_, rest)| rest) } else { id };
        let kind = id.split(':').nth(5).unwrap_or_default();
        let (prefix, rest) = Prefix::ALL
            .into_iter()
            .find_map(|prefix| Some((prefix, name.strip_prefix(prefix.word())?.strip_prefix('.')?)))
            .map_or((None, name), |(prefix, rest)| (Some(prefix), rest));
        let foundation = FOUNDATION.is_match(rest).then(|| rest.to_owned());
        let well_formed = foundation.is_some() || (is_arn && kind.starts_with("application-inference-profile/"));
        Self { id: id.to_owned(), prefix, foundation_model: foundation, is_arn, well_formed }
    }

    /// Returns whether it is the bare id of a foundation model.
    pub fn is_bare(&self) -> bool {
        self.prefix.is_none() && self.foundation_model.is_some() && !self.is_arn
    }

    /// Returns the family: `opus`, `sonnet`, `haiku`, …
    pub fn family(&self) -> Option<&'static str> {
        let name = self.foundation_model.as_deref().unwrap_or(&self.id);
        ["opus", "sonnet", "haiku", "fable", "mythos"].into_iter().find(|family| name.contains(family))
    }
}

/// Returns the id that this account lists for a foundation model in the Region: the wanted geography first, then any other
/// geographic one, then global, then the bare id where it can be invoked on demand.
pub(super) fn listed_id(view: View<'_>, foundation_model: &str, wanted: Option<Prefix>) -> Option<String> {
    let profiles = view.evidence.profiles.system.known()?;
    let candidates: Vec<&InferenceProfile> =
        profiles.iter().filter(|profile| profile.model_id == foundation_model && profile.status == "ACTIVE").collect();
    let of = |prefix: Prefix| candidates.iter().find(|profile| ModelRef::parse(&profile.id).prefix == Some(prefix));
    wanted
        .and_then(of)
        .or_else(|| Prefix::ALL.into_iter().filter(|prefix| *prefix != Prefix::Global).find_map(of))
        .or_else(|| of(Prefix::Global))
        .map(|profile| profile.id.clone())
        .or_else(|| on_demand(view, foundation_model).then(|| foundation_model.to_owned()))
}

fn on_demand(view: View<'_>, foundation_model: &str) -> bool {
    view.evidence.models.list.known().is_some_and(|models| {
        models
            .iter()
            .any(|model| model.id == foundation_model && model.inference_types.iter().any(|it| it == "ON_DEMAND"))
    })
}

/// Returns the id of the newest active model of the same family that this account lists: the present successor of a model.
pub(super) fn successor(view: View<'_>, of: &ModelRef) -> Option<String> {
    active_successors(view, of).into_iter().find_map(|model| listed_id(view, &model.id, of.prefix))
}

/// Active models of the same family, the newest first.
fn active_successors<'a>(view: View<'a>, of: &ModelRef) -> Vec<&'a FoundationModel> {
    let Some(models) = view.evidence.models.list.known() else { return Vec::new() };
    let mut candidates: Vec<&FoundationModel> = models
        .iter()
        .filter(|model| model.status.as_deref() == Some("ACTIVE") && Some(&model.id) != of.foundation_model.as_ref())
        .filter(|model| of.family().is_none_or(|family| model.id.contains(family)))
        .filter(|model| !needs_retention(view, &model.id))
        .collect();
    // Dates are RFC 3339 in UTC, so text order is time order. A model without a date comes last.
    candidates.sort_by(|a, b| b.launched_at.cmp(&a.launched_at).then_with(|| b.id.cmp(&a.id)));
    candidates
}

/// Returns the id that the newest active model of the same family has in the Region's own geography, for when models could be listed
/// and profiles not.
fn guessed_successor(view: View<'_>, of: &ModelRef, region: &str) -> Option<String> {
    if view.evidence.profiles.system.known().is_some() {
        return None;
    }
    let model = active_successors(view, of).into_iter().next()?;
    let prefix = [Prefix::Us, Prefix::Eu, Prefix::Jp, Prefix::Au].into_iter().find(|prefix| prefix.serves(region));
    Some(format!("{}.{}", prefix.unwrap_or(Prefix::Global).word(), model.id))
}

/// Models that ask for another data retention mode are nobody's silent successor.
fn needs_retention(view: View<'_>, foundation_model: &str) -> bool {
    view.knowledge.tables.model(foundation_model).is_some_and(|model| !model.needs_retention.is_empty())
}

/// Returns whether a foundation model has reached its end, by the table of retired models or because the account no longer lists
/// it although it lists others.
pub(super) fn is_retired(view: View<'_>, foundation_model: &str) -> bool {
    view.knowledge.tables.model(foundation_model).is_some_and(|model| model.retired)
}

/// The announced end of the main model.
pub(super) fn lifecycle(view: View<'_>) -> Fact<Diagnosis> {
    let models = match &view.evidence.models.list {
        Fact::Known(models) => models,
        Fact::Absent(reason) => return Fact::Absent(reason.clone()),
        Fact::Unreadable(obstacle) => return blocked_by(obstacle),
    };
    let Some(invocation) = view.evidence.invoke.main.known() else {
        return Fact::Absent("no model was invoked".into());
    };
    let sent = ModelRef::parse(&invocation.model_id);
    let Some(foundation) = foundation_of(view, &sent) else { return Diagnosis::fine() };
    let Some(model) = models.iter().find(|model| model.id == foundation) else { return Diagnosis::fine() };
    if model.status.as_deref() != Some("LEGACY") {
        return Diagnosis::fine();
    }
    let until = model.ends_at.as_deref().map(|end| end.split('T').next().unwrap_or(end).to_owned());
    let left = model
        .ends_at
        .as_deref()
        .and_then(|end| end.parse::<Timestamp>().ok())
        .zip(view.evidence.taken_at.parse::<Timestamp>().ok())
        .map(|(end, now)| (end.as_second() - now.as_second()).div_euclid(86_400));
    let setting = view.evidence.settings.models.main.known();
    Fact::Known(Diagnosis {
        model_id: Some(invocation.model_id.clone()),
        foundation_model: Some(foundation),
        until,
        amount: left.filter(|days| *days >= 0).map(|days| format!("{days} days")),
        suggested_model: successor(view, &sent),
        setting: setting.map(|setting| setting.name.clone()),
        origin: setting.map(|setting| setting.origin.to_string()),
        region: Some(invocation.region.clone()),
        measured: Some("LEGACY".to_owned()),
        expected: Some("ACTIVE".to_owned()),
        ..Diagnosis::of("model-legacy")
    })
}

/// Returns the foundation model behind an id, by its text or by the account's list of application profiles.
pub(super) fn foundation_of(view: View<'_>, sent: &ModelRef) -> Option<String> {
    sent.foundation_model.clone().or_else(|| {
        let profiles = view.evidence.profiles.application.known()?;
        profiles
            .iter()
            .find(|profile| profile.arn == sent.id || profile.id == sent.id)
            .map(|profile| profile.model_id.clone())
    })
}

pub(super) fn eol(view: View<'_>, sent: &ModelRef, mut diagnosis: Diagnosis) -> Diagnosis {
    diagnosis.cause = "model-eol".into();
    diagnosis.confidence = Confidence::Certain;
    // By the table it is gone for everyone, whatever else keeps a call from being made.
    diagnosis.independent |= sent.foundation_model.as_deref().is_some_and(|model| is_retired(view, model));
    with_successor(view, sent, diagnosis)
}

/// Names the present successor: by the account's lists, or as far as they could be read.
pub(super) fn with_successor(view: View<'_>, sent: &ModelRef, mut diagnosis: Diagnosis) -> Diagnosis {
    diagnosis.suggested_model = successor(view, sent);
    if diagnosis.suggested_model.is_none() {
        let region = diagnosis.region.clone().unwrap_or_default();
        diagnosis.guessed_model = guessed_successor(view, sent, &region);
    }
    diagnosis
}

/// "The provided model identifier is invalid" has seven causes; the id itself, the Region and the lists decide.
pub(super) fn invalid_id(
    view: View<'_>,
    sent: &ModelRef,
    setting: Option<&ModelSetting>,
    mut diagnosis: Diagnosis,
) -> Diagnosis {
    let region = diagnosis.region.clone().unwrap_or_default();
    diagnosis.confidence = Confidence::Certain;
    let Some(foundation) = sent.foundation_model.as_deref().filter(|_| sent.well_formed) else {
        diagnosis.suggested_model = similar(view, sent);
        return diagnosis;
    };
    if is_retired(view, foundation) {
        return eol(view, sent, diagnosis);
    }
    let listed = listed_id(view, foundation, None).filter(|id| *id != sent.id);
    let lists_denied = view.evidence.profiles.system.obstacle().is_some_and(|it| it.why == Why::Permission);
    let known = view.knowledge.tables.model(foundation).is_some();
    if let Some(prefix) = sent.prefix {
        let guessed = setting.is_some_and(|setting| setting.replaceable);
        if guessed && lists_denied && view.evidence.settings.client == Client::ClaudeCode {
            // With the right to list, the client would have found the id that exists.
            diagnosis.cause = "iam-list-action-missing".into();
            diagnosis.action = Some("bedrock:ListInferenceProfiles".into());
            return diagnosis;
        }
        if !prefix.serves(&region) || listed.is_some() {
            diagnosis.cause = "profile-prefix-region-mismatch".into();
            diagnosis.suggested_model = listed;
            diagnosis.expected = Some(format!("a profile that {region} lists"));
            return diagnosis;
        }
    } else if let Some(listed) = listed {
        diagnosis.cause = "on-demand-unsupported".into();
        diagnosis.suggested_model = Some(listed);
        return diagnosis;
    }
    if known {
        diagnosis.cause = "model-not-in-region".into();
        diagnosis.suggested_model = successor(view, sent);
        diagnosis.confidence =
            if view.evidence.profiles.system.known().is_some() { Confidence::Certain } else { Confidence::Likely };
        return diagnosis;
    }
    diagnosis.suggested_model = similar(view, sent);
    diagnosis
}

/// A model's name without geography, vendor, date and version.
fn bare_name(id: &str) -> &str {
    static REST: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"(-\d{8})?(-v\d+(:\d+)*)?$").expect("a constant pattern"));
    let name = id.rsplit("anthropic.").next().unwrap_or(id);
    REST.find(name).map_or(name, |rest| &name[..rest.start()])
}

/// The listed id that is nearest to a mistyped one.
fn similar(view: View<'_>, sent: &ModelRef) -> Option<String> {
    let profiles = view.evidence.profiles.system.known()?;
    let plain = sent.id.split('[').next().unwrap_or(&sent.id);
    if let Some(exact) = profiles.iter().find(|profile| profile.id == plain) {
        return Some(exact.id.clone());
    }
    // A version or a date too many or too few is the commonest slip.
    let wanted = bare_name(plain);
    let same =
        profiles.iter().filter(|profile| bare_name(&profile.model_id) == wanted).map(|profile| &profile.model_id);
    if let Some(model) = same.max() {
        return listed_id(view, model, sent.prefix);
    }
    let tail = plain.rsplit("anthropic.").next().unwrap_or(plain);
    let by_tail = profiles.iter().find(|profile| {
        profile
            .model_id
            .strip_prefix("anthropic.")
            .is_some_and(|name| name == tail || name.starts_with(&format!("{tail}-")))
    });
    if let Some(profile) = by_tail {
        return listed_id(view, &profile.model_id, sent.prefix).or_else(|| Some(profile.id.clone()));
    }
    if let Some(id) = nearest(plain, profiles.iter().map(|profile| profile.id.as_str()))
        && sent.family().is_none_or(|family| id.contains(family))
    {
        return Some(id.to_owned());
    }
    successor(view, sent)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_taken_apart() {
        let profile = ModelRef::parse("us.anthropic.claude-opus-5-5");
        assert_eq!((profile.prefix, profile.family(), profile.well_formed), (Some(Prefix::Us), Some("opus"), true));
        assert!(ModelRef::parse("anthropic.claude-3-7-sonnet-20250219-v1:0").is_bare());
        assert_eq!(ModelRef::parse("us-gov.anthropic.claude-opus-4-8").prefix, Some(Prefix::UsGov));
        let arn =
            ModelRef::parse("arn:aws:bedrock:us-east-1:000000001111:inference-profile/eu.anthropic.claude-opus-5-5");
        assert_eq!((arn.prefix, arn.is_arn), (Some(Prefix::Eu), true));
        assert!(
            ModelRef::parse("arn:aws:bedrock:us-east-1:000000001111:application-inference-profile/abc").well_formed
        );
        for bad in [
            "claude-opus-4-6",
            "us.anthropic.claude-opus-5-5[1m]",
            "opus",
            "anthropic/claude-opus-5-5",
            "arn:aws:s3:::x",
        ] {
            assert!(!ModelRef::parse(bad).well_formed, "{bad}");
        }
    }

    #[test]
    fn names_are_compared_without_date_and_version() {
        for id in ["us.anthropic.claude-opus-5-5-v1:0", "claude-opus-5-5", "anthropic.claude-opus-5-5-20260922-v1"] {
            assert_eq!(bare_name(id), "claude-opus-5-5");
        }
        assert_eq!(bare_name("anthropic.claude-opus-4-6-v1"), "claude-opus-4-6");
    }

    #[test]
    fn prefixes_belong_to_regions() {
        assert!(
            Prefix::Us.serves("ca-central-1") && !Prefix::Us.serves("us-gov-west-1") && !Prefix::Us.serves("eu-west-1")
        );
        assert!(Prefix::Au.serves("ap-southeast-2") && !Prefix::Au.serves("ap-northeast-1"));
        assert!(Prefix::Global.serves("sa-east-1"));
    }
}
