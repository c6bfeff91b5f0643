//! CloudTrail: the failed model calls of the past, in the Region that is called from. `LookupEvents` allows two requests a second
//! for each account and Region, so the first pages of both operations go out together and every further one waits its turn. Further
//! pages are read only where the user asked for history or the main model did not answer.

use std::time::Duration;

use jiff::{Span, Timestamp};
use serde_json::Value;

use super::{
    Probe,
    context::{Aws, unreadable},
};
use crate::{
    aws::{EventPage, PastEvent, Verb},
    evidence::{Client, Fact, Failure, History, PastFailure, Update, Why, clean},
};

/// The operations of a client, whose records are management events (AWS docs: logging Bedrock calls using CloudTrail).
fn operations(client: Client) -> [&'static str; 2] {
    let verbs = match client {
        Client::ClaudeCode | Client::AwsSdk => [Verb::InvokeStream, Verb::Invoke],
        Client::Bedside => [Verb::ConverseStream, Verb::Converse],
    };
    verbs.map(Verb::operation)
}

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
    let mut readings = operations(context.plan.settings.client).map(Reading::of);
    let limit = context.limit();
    let failed = match tokio::time::timeout(limit, pages(aws, since, &mut readings)).await {
        Ok(Ok(())) => None,
        Ok(Err(failure)) => Some(unreadable(failure, "cloudtrail:LookupEvents")),
        Err(_) => Some(Fact::unreadable(Why::Timeout, format!("no answer within {} s", limit.as_secs_f32()))),
    };
    // An operation of which nothing was read may hold whatever is asked for.
    let unread = readings.iter().any(|reading| reading.pages == 0);
    match failed {
        Some(failed) if unread && readings.iter().all(|reading| reading.failures.is_empty()) => failed,
        _ => Fact::Known(together(readings, since, context.world.now())),
    }
}

/// What was read of one operation.
struct Reading {
    operation: &'static str,
    pages: u32,
    /// It was read to its end, not only down to `oldest`.
    whole: bool,
    seen: u32,
    oldest: Option<String>,
    failures: Vec<PastFailure>,
}

impl Reading {
    fn of(operation: &'static str) -> Self {
        Self { operation, pages: 0, whole: false, seen: 0, oldest: None, failures: Vec::new() }
    }

    fn take(&mut self, page: &EventPage) {
        self.pages += 1;
        self.whole = page.next.is_none();
        for event in &page.events {
            let time = event.record["eventTime"].as_str().map_or_else(|| event.time.clone(), clean);
            if self.oldest.as_ref().is_none_or(|oldest| time < *oldest) {
                self.oldest = Some(time);
            }
            // A streamed call leaves two records; the second is an `AwsServiceEvent` of the same name.
            if event.record["eventType"].as_str().is_some_and(|kind| kind != "AwsApiCall") {
                continue;
            }
            self.seen += 1;
            self.failures.extend(failure_of(event));
        }
    }
}

/// Puts the operations together. History reaches back as far as every operation was read.
fn together(readings: [Reading; 2], since: Timestamp, now: Timestamp) -> History {
    let cut = || readings.iter().filter(|reading| !reading.whole);
    let mut truncated = cut().next().is_some();
    let mut oldest = if truncated {
        cut().map(|reading| reading.oldest.clone().unwrap_or_else(|| now.to_string())).max()
    } else {
        readings.iter().filter_map(|reading| reading.oldest.clone()).min()
    };
    let pages = readings.iter().map(|reading| reading.pages).sum();
    let seen = readings.iter().map(|reading| reading.seen).sum();
    let mut failures: Vec<PastFailure> = readings.into_iter().flat_map(|reading| reading.failures).collect();
    failures.sort_by(|a, b| b.time.cmp(&a.time));
    if failures.len() > MAX_FAILURES {
        failures.truncate(MAX_FAILURES);
        truncated = true;
        oldest = oldest.max(failures.last().map(|failure| failure.time.clone()));
    }
    History { since: since.to_string(), pages, truncated, seen, oldest, failures }
}

async fn pages(aws: &Aws<'_>, since: Timestamp, readings: &mut [Reading; 2]) -> Result<(), Failure> {
    let most = if aws.context.plan.deep_history { MAX_PAGES_ASKED } else { MAX_PAGES };
    let (first, second) = tokio::join!(
        aws.access.lookup_events(readings[0].operation, since, None),
        aws.access.lookup_events(readings[1].operation, since, None)
    );
    let mut tokens = [None, None];
    let mut failed = None;
    for ((reading, token), page) in readings.iter_mut().zip(&mut tokens).zip([first, second]) {
        match page {
            Ok(page) => {
                reading.take(&page);
                *token = page.next;
            }
            Err(failure) => failed = Some(failure),
        }
    }
    if let Some(failure) = failed {
        return Err(failure);
    }
    // Reading on is worth it where the user asked for history, or where the past may tell why there is no answer today.
    let more = tokens.iter().any(Option::is_some);
    if !more || (!aws.context.plan.deep_history && aws.context.main_answers().await) {
        return Ok(());
    }
    for (reading, token) in readings.iter_mut().zip(&mut tokens) {
        for _ in 1..most {
            let Some(next) = token.take() else { break };
            tokio::time::sleep(PACE).await;
            let page = aws.access.lookup_events(reading.operation, since, Some(next)).await?;
            reading.take(&page);
            *token = page.next;
        }
    }
    Ok(())
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

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(times: &[&str], whole: bool) -> Reading {
        let mut reading = Reading::of("InvokeModel");
        let events = times
            .iter()
            .map(|time| PastEvent {
                time: String::new(),
                record: serde_json::json!({ "eventTime": time, "eventType": "AwsApiCall", "errorCode": "ThrottlingException" }),
            })
            .collect();
        reading.take(&EventPage { events, next: (!whole).then(|| "more".to_owned()) });
        reading
    }

    fn reach(first: Reading, second: Reading) -> (bool, Option<String>) {
        let now = "2026-11-25T12:00:00Z".parse().unwrap();
        let history = together([first, second], "2026-11-24T12:00:00Z".parse().unwrap(), now);
        (history.truncated, history.oldest)
    }

    #[test]
    fn history_reaches_back_as_far_as_every_operation_was_read() {
        let (late, early) = ("2026-11-25T11:50:00Z", "2026-11-25T01:00:00Z");
        let at = |time: &str| Some(time.to_owned());
        assert_eq!(reach(reading(&[late], false), reading(&[late, early], false)), (true, at(late)));
        assert_eq!(reach(reading(&[late], true), reading(&[early], false)), (true, at(early)));
        assert_eq!(reach(reading(&[late], true), reading(&[early], true)), (false, at(early)));
        assert_eq!(reach(Reading::of("InvokeModel"), reading(&[early], true)), (true, at("2026-11-25T12:00:00Z")));
    }

    #[test]
    fn each_client_has_operations_of_its_own() {
        assert_eq!(operations(Client::ClaudeCode), ["InvokeModelWithResponseStream", "InvokeModel"]);
        assert_eq!(operations(Client::Bedside), ["ConverseStream", "Converse"]);
    }
}
