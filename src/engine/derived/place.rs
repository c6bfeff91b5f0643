//! Region and profile: whether what is set exists, and what stands where nobody reads it.

use std::sync::LazyLock;

use regex::Regex;

use super::{Diagnosis, InvocationDiagnoses, ModelRef, View};
use crate::{
    evidence::{Fact, FailureKind},
    knowledge::{Confidence, nearest},
};

static REGION_NAME: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"^[a-z]{2,4}(-[a-z]+)+-\d{1,2}$").expect("a constant pattern"));

/// The Region.
pub(super) fn region(view: View<'_>, main: &InvocationDiagnoses) -> Fact<Diagnosis> {
    if view.works() {
        return Diagnosis::fine();
    }
    let client = Some(view.evidence.settings.client.spoken().to_owned());
    let unread = view.evidence.settings.unread.iter().find(|setting| setting.name.to_lowercase().contains("region"));
    let region = match &view.evidence.region {
        Fact::Known(region) => region,
        Fact::Unreadable(obstacle) => return Fact::Unreadable(obstacle.clone()),
        Fact::Absent(_) => {
            return Fact::Known(match unread {
                Some(unread) => Diagnosis {
                    client,
                    setting: Some(unread.name.clone()),
                    value: Some(unread.value.clone()),
                    origin: Some(unread.origin.to_string()),
                    measured: Some("no Region".into()),
                    ..Diagnosis::of("region-variable-ignored")
                },
                None => Diagnosis {
                    client,
                    profile: view.evidence.settings.profile.known().map(|profile| profile.name.clone()),
                    evidence: Some("no variable and no profile that it reads names one".into()),
                    measured: Some("no Region".into()),
                    expected: Some("a Region such as us-east-1".into()),
                    ..Diagnosis::of("region-missing-or-invalid").with_subcause("missing")
                },
            });
        }
    };
    let base = Diagnosis {
        client,
        evidence: Some(format!(
            "`{}` is no Region with Bedrock. It stands in {} ({})",
            region.name, region.setting, region.origin
        )),
        region: Some(region.name.clone()),
        setting: Some(region.setting.clone()),
        origin: Some(region.origin.to_string()),
        value: Some(region.name.clone()),
        measured: Some(region.name.clone()),
        ..Diagnosis::default()
    };
    let tables = &view.knowledge.tables;
    if !REGION_NAME.is_match(&region.name) {
        return Fact::Known(Diagnosis {
            cause: "region-missing-or-invalid".into(),
            expected: nearest(&region.name, tables.regions.iter().map(|it| it.name.as_str()))
                .map(|near| format!("a Region such as {near}")),
            other_region: nearest(&region.name, tables.regions.iter().map(|it| it.name.as_str())).map(str::to_owned),
            ..base.with_subcause("malformed")
        });
    }
    if tables.region(&region.name).is_none() && unusable(view) {
        let near = nearest(&region.name, tables.regions.iter().map(|it| it.name.as_str())).map(str::to_owned);
        return Fact::Known(Diagnosis {
            cause: "region-missing-or-invalid".into(),
            confidence: Confidence::Likely,
            expected: Some("a Region that has Bedrock".into()),
            other_region: near,
            ..base.with_subcause("no-such-host")
        });
    }
    // A Region that nobody chose, while one stands where the client does not look, and the model is not to be had here.
    let met = main.cause.known().map_or("", String::as_str);
    let of_the_model = matches!(
        met,
        "model-not-in-region"
            | "profile-prefix-region-mismatch"
            | "region-mismatch-model-access"
            | "model-access-not-granted"
    );
    // A denial may be that of a wrong Region; without somebody's own words for another it is a denial and nothing else.
    let of_a_policy = matches!(
        met,
        "scp-deny" | "scp-cross-region-deny" | "iam-identity-policy-missing" | "iam-explicit-deny-identity"
    );
    let misplaced = of_the_model || of_a_policy;
    if region.is_fallback
        && misplaced
        && let Some(malformed) = region.shadows.iter().find(|shadowed| shadowed.because.contains("malformed"))
    {
        let near = nearest(&malformed.value.replace('_', "-"), tables.regions.iter().map(|it| it.name.as_str()));
        return Fact::Known(Diagnosis {
            cause: "region-missing-or-invalid".into(),
            setting: malformed.origin.name.clone(),
            value: Some(malformed.value.clone()),
            origin: Some(malformed.origin.to_string()),
            evidence: Some(format!(
                "`{}` in {} ({}) is no Region, so it is skipped, and the calls go to {}",
                malformed.value,
                malformed.origin.name.as_deref().unwrap_or("the settings"),
                malformed.origin,
                region.name
            )),
            measured: Some(format!("`{}`, which is skipped; the calls go to {}", malformed.value, region.name)),
            expected: near.map(|near| format!("a Region such as {near}")),
            other_region: near.map(str::to_owned),
            ..base.with_subcause("malformed")
        });
    }
    if region.is_fallback
        && misplaced
        && let Some(unread) = unread.filter(|unread| unread.value != region.name)
        && (of_the_model || !unread.name.starts_with("region of profile"))
    {
        // Certain only where the id that is set belongs to the Region that is not read.
        let sent = view.evidence.invoke.main.known().map(|invocation| ModelRef::parse(&invocation.model_id));
        let fits = sent
            .and_then(|sent| sent.prefix)
            .is_some_and(|prefix| prefix.serves(&unread.value) && !prefix.serves(&region.name));
        return Fact::Known(Diagnosis {
            confidence: if fits { Confidence::Certain } else { Confidence::Likely },
            cause: "region-variable-ignored".into(),
            setting: Some(unread.name.clone()),
            value: Some(unread.value.clone()),
            origin: Some(unread.origin.to_string()),
            other_region: Some(unread.value.clone()),
            expected: Some(unread.value.clone()),
            ..base
        });
    }
    Diagnosis::fine()
}

/// The Region is written as none is.
pub(super) fn is_malformed(view: View<'_>) -> bool {
    view.evidence.region.known().is_some_and(|region| !REGION_NAME.is_match(&region.name))
}

/// Nothing answers for this Region: its host does not resolve, or the service says that it is not one.
fn unusable(view: View<'_>) -> bool {
    let of_scope = |message: &str| message.to_lowercase().contains("valid region");
    let invoke = view.evidence.invoke.main.known().is_some_and(|invocation| {
        invocation
            .attempts()
            .filter_map(|attempt| attempt.failure.as_ref())
            .any(|failure| failure.kind == FailureKind::Dns || of_scope(&failure.message))
    });
    invoke
        || view
            .evidence
            .identity
            .obstacle()
            .and_then(|it| it.failure.as_ref())
            .is_some_and(|failure| failure.kind == FailureKind::Dns || of_scope(&failure.message))
}

/// The AWS profile: a profile that somebody chose and that is not there, as long as it matters.
pub(super) fn profile(view: View<'_>) -> Fact<Diagnosis> {
    let profile = match &view.evidence.settings.profile {
        Fact::Known(profile) => profile,
        Fact::Absent(reason) => return Fact::Absent(reason.clone()),
        Fact::Unreadable(obstacle) => return Fact::Unreadable(obstacle.clone()),
    };
    if profile.exists || !profile.chosen || view.evidence.credentials.known().is_some() {
        return Diagnosis::fine();
    }
    let unprefixed =
        view.evidence.settings.problems.iter().find(|problem| problem.reason.contains(&format!("[{}]", profile.name)));
    // White space and capitals first: no name is nearer than the same one.
    let bare = profile.trimmed.as_deref().unwrap_or(&profile.name);
    let same = profile.available.iter().find(|it| it.eq_ignore_ascii_case(bare)).map(String::as_str);
    let near = same.or_else(|| nearest(&profile.name, profile.available.iter().map(String::as_str))).map(str::to_owned);
    Fact::Known(Diagnosis {
        client: Some(view.evidence.settings.client.spoken().to_owned()),
        profile: Some(profile.name.clone()),
        setting: profile.origin.name.clone(),
        origin: Some(profile.origin.to_string()),
        available: (!profile.available.is_empty()).then(|| profile.available.join(", ")),
        place: unprefixed.map(crate::evidence::FileProblem::place),
        subcause: if unprefixed.is_some() {
            Some("section-without-prefix".to_owned())
        } else {
            profile.trimmed.as_ref().map(|_| "white-space".to_owned())
        },
        value: near,
        independent: true,
        measured: Some(format!("no profile `{}`", profile.name)),
        expected: (!profile.available.is_empty()).then(|| format!("one of: {}", profile.available.join(", "))),
        ..Diagnosis::of("profile-not-found")
    })
}
