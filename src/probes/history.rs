//! CloudTrail: the failed model calls of the past, in the Region that is called from. `LookupEvents` allows two requests a second
//! for each account and Region, so the first pages of both operations go out together and every further one waits its turn. Further pages are read only where the user
//! asked for history or the main model did not answer.

use std::time::Duration;

use jiff::{Span, Timestamp};
use serde_json::Value;

use super::{
    Probe,
    context::{Aws, unreadable},
};
use crate::{
    aws::PastEvent,
    evidence::{Fact, Failure, History, PastFailure, Update, Why, clean},
};

/// The operations of Claude Code, whose records are management events (AWS docs: logging Bedrock calls using CloudTrail).
const OPERATIONS: [&str; 2] = ["InvokeModelWithResponseStream", "InvokeModel"];
/// Two requests a second, with some air.
const PACE: Duration = Duration::from_millis(1_100);
/// Pages of 50 events that are read at most for each operation; 20 when the user asked for history.
const MAX_PAGES: usize = 4;
const MAX_PAGES_ASKED: usize = 20;
/// The most failures that are kept.
const MAX_FAILURES: usize = 200;

pub(super) async fn probe(aws: &Aws<'_>) {
    let context = aws.context;
    if !context.wants(Probe::History) {
        return;
    }
    if !aws.can_sign {
        context.send(Update::History(Fact::Absent("an API key cannot read CloudTrail".into())));
        return;
    }
    context.announced(Probe::History, async { context.send(Update::History(read(aws).await)) }).await;
}

async fn read(aws: &Aws<'_>) -> Fact<History> {
    let context = aws.context;
    let hours = i64::from(context.plan.since_hours);
    let Ok(since) = context.world.now().checked_sub(Span::new().hours(hours)) else {
        return Fact::unreadable(Why::Fault, "the time to look back to is out of range");
    };
    let mut history =
        History { since: since.to_string(), pages: 0, truncated: false, seen: 0, oldest: None, failures: Vec::new() };
    let work = pages(aws, since, &mut history);
    match tokio::time::timeout(context.limit(), work).await {
        Ok(Ok(())) => {}
        Ok(Err(failure)) if history.pages == 0 => return unreadable(failure, "cloudtrail:LookupEvents"),
        Ok(Err(_)) | Err(_) if history.pages > 0 => history.truncated = true,
        Ok(Err(_)) => {}
        Err(_) => {
            return Fact::unreadable(Why::Timeout, format!("no answer within {} s", context.limit().as_secs_f32()));
        }
    }
    history.failures.sort_by(|a, b| b.time.cmp(&a.time));
    if history.failures.len() > MAX_FAILURES {
        history.failures.truncate(MAX_FAILURES);
        history.truncated = true;
    }
    Fact::Known(history)
}

async fn pages(aws: &Aws<'_>, since: Timestamp, history: &mut History) -> Result<(), Failure> {
    let most = if aws.context.plan.deep_history { MAX_PAGES_ASKED } else { MAX_PAGES };
    let (first, second) = tokio::join!(
        aws.access.lookup_events(OPERATIONS[0], since, None),
        aws.access.lookup_events(OPERATIONS[1], since, None)
    );
    let mut tokens = Vec::new();
    for (operation, page) in OPERATIONS.into_iter().zip([first, second]) {
        let page = page?;
        take(&page.events, history);
        if let Some(token) = page.next {
            tokens.push((operation, token));
        }
    }
    // Reading on is worth it where the user asked for history, or where the past may tell why there is no answer today.
    let reads_on = aws.context.plan.deep_history || (!tokens.is_empty() && !aws.context.main_answers().await);
    for (operation, token) in tokens {
        let mut token = Some(token);
        let mut read = 1;
        while let Some(next) = token.take() {
            if !reads_on || read == most {
                history.truncated = true;
                break;
            }
            tokio::time::sleep(PACE).await;
            let page = aws.access.lookup_events(operation, since, Some(next)).await?;
            take(&page.events, history);
            token = page.next;
            read += 1;
        }
    }
    Ok(())
}

fn take(events: &[PastEvent], history: &mut History) {
    history.pages += 1;
    for event in events {
        // A streamed call leaves two records; the second is an `AwsServiceEvent` of the same name.
        if event.record["eventType"].as_str().is_some_and(|kind| kind != "AwsApiCall") {
            continue;
        }
        history.seen += 1;
        let time = event.record["eventTime"].as_str().map_or_else(|| event.time.clone(), clean);
        if history.oldest.as_ref().is_none_or(|oldest| time < *oldest) {
            history.oldest = Some(time);
        }
        if let Some(failure) = failure_of(event) {
            history.failures.push(failure);
        }
    }
}

fn failure_of(event: &PastEvent) -> Option<PastFailure> {
    let record = &event.record;
    let text = |value: &Value| value.as_str().map(clean);
    Some(PastFailure {
        time: text(&record["eventTime"]).unwrap_or_else(|| event.time.clone()),
        operation: text(&record["eventName"]).unwrap_or_default(),
        code: text(&record["errorCode"])?,
        message: text(&record["errorMessage"]).unwrap_or_default(),
        model_id: text(&record["requestParameters"]["modelId"]),
        principal: text(&record["userIdentity"]["arn"]),
        own: false,
        user_agent: text(&record["userAgent"]),
        request_id: text(&record["requestID"]),
        event_id: text(&record["eventID"]),
    })
}
