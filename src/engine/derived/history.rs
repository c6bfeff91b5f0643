//! What CloudTrail recorded: throttling of this very principal within the last hour, which its next turns may meet again.

use jiff::{Span, Timestamp};

use super::{Diagnosis, View};
use crate::{
    evidence::{Fact, Why},
    knowledge::Confidence,
};

/// Throttling of the present principal within the last hour.
pub(super) fn recent_throttling(view: View<'_>) -> Fact<Diagnosis> {
    let history = match &view.evidence.history {
        Fact::Known(history) => history,
        Fact::Absent(reason) => return Fact::Absent(reason.clone()),
        Fact::Unreadable(obstacle) => return Fact::Unreadable(obstacle.clone()),
    };
    let Ok(now) = view.evidence.taken_at.parse::<Timestamp>() else { return Diagnosis::fine() };
    let Ok(hour_ago) = now.checked_sub(Span::new().hours(1)) else { return Diagnosis::fine() };
    let throttled: Vec<_> = history
        .failures
        .iter()
        .filter(|failure| failure.time.parse::<Timestamp>().is_ok_and(|time| time >= hour_ago))
        .filter_map(|failure| {
            let found = view.matcher.find(Some(&failure.code), None, &failure.message);
            let cause = found.first()?.cause().to_owned();
            cause.starts_with("throttle-").then_some((cause, failure))
        })
        .collect();
    if !throttled.is_empty() && view.evidence.identity.known().is_none() {
        return Fact::unreadable(
            Why::Dependency,
            "there was throttling in the last hour; whose it was cannot be told, since STS named no caller",
        );
    }
    let own: Vec<_> = throttled.into_iter().filter(|(_, failure)| failure.own).collect();
    let Some((cause, newest)) = own.first() else {
        // On a busy account the pages that were read may not reach an hour back: then nothing was ruled out.
        let reached = history.oldest.as_ref().and_then(|oldest| oldest.parse::<Timestamp>().ok());
        if history.truncated && reached.is_some_and(|oldest| oldest > hour_ago) {
            return Fact::unreadable(
                Why::Unfinished,
                format!("only the {} newest calls were read; --since reads on", history.seen),
            );
        }
        return Diagnosis::fine();
    };
    Fact::Known(Diagnosis {
        model_id: newest.model_id.clone(),
        amount: Some(format!("{} calls in the last hour", own.len())),
        until: Some(newest.time.clone()),
        principal: newest.principal.clone(),
        account: view.evidence.identity.known().map(|identity| identity.account.clone()),
        region: view.evidence.region.known().map(|region| region.name.clone()),
        message: Some(newest.message.clone()),
        code: Some(newest.code.clone()),
        request_id: newest.request_id.clone(),
        measured: Some(format!("{} throttled calls in the last hour, the newest at {}", own.len(), newest.time)),
        expected: Some("none".into()),
        confidence: Confidence::Certain,
        ..Diagnosis::of(cause).with_subcause("recent")
    })
}
