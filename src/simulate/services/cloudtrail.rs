//! AWS CloudTrail: the event history.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::bedrock::{page_start, page_token};
use crate::simulate::cloud::trail::Event;
use crate::simulate::exchange::{Answer, Exchange};
use crate::simulate::refusal::Refusal;
use crate::simulate::router::unknown_operation;
use crate::simulate::texts::texts;
use crate::simulate::wire::Reply;

/// Answers an authenticated call.
pub(crate) fn answer(exchange: &mut Exchange<'_>) -> Answer {
    let name = exchange.operation.name.clone();
    exchange.permit(&format!("cloudtrail:{name}"))?;
    match name.as_str() {
        "LookupEvents" => lookup_events(exchange),
        "DescribeTrails" => Ok(reply(&json!({ "trailList": [] }))),
        "ListTrails" => Ok(reply(&json!({ "Trails": [] }))),
        "ListEventDataStores" => Ok(reply(&json!({ "EventDataStores": [] }))),
        _ => Err(unknown_operation(exchange.operation)),
    }
}

fn lookup_events(exchange: &mut Exchange<'_>) -> Answer {
    let (region, now) = (exchange.region.clone(), exchange.now);
    if !exchange.account_mut().trail.admit_lookup(&region, now) {
        return Err(texts().rate_exceeded.refuse(&[]));
    }
    let body = exchange.json_body().unwrap_or_default();
    let limit = match &body["MaxResults"] {
        Value::Null => 50,
        value => match value.as_u64() {
            Some(limit @ 1..=50) => usize::try_from(limit).unwrap_or(50),
            _ => return Err(texts().lookup_max_results_invalid.refuse(&[])),
        },
    };
    let attribute = attribute(&body)?;
    let (start, end) = (seconds(&body["StartTime"]), seconds(&body["EndTime"]));
    if let (Some(start), Some(end)) = (start, end)
        && start > end
    {
        return Err(texts().lookup_time_range_invalid.refuse(&[]));
    }
    let skip = match body["NextToken"].as_str() {
        None => 0,
        Some(token) => page_start(token)
            .ok_or_else(|| texts().page_token_invalid.refuse(&[("code", "InvalidNextTokenException")]))?,
    };
    let oldest = now.as_second() - 90 * 86_400;
    let mut events: Vec<&Event> = exchange
        .account()
        .trail
        .events
        .iter()
        .filter(|event| event.region == region && event.visible <= now && event.time.as_second() >= oldest)
        .filter(|event| start.is_none_or(|start| event.time.as_second() >= start))
        .filter(|event| end.is_none_or(|end| event.time.as_second() <= end))
        .filter(|event| attribute.as_ref().is_none_or(|(key, value)| has_attribute(event, key, value)))
        .collect();
    // Newest first; of two events of one instant the later one first.
    events.reverse();
    events.sort_by_key(|event| std::cmp::Reverse(event.time));
    let page: Vec<Value> = events.iter().skip(skip).take(limit).map(|event| shown(event)).collect();
    let mut answer = json!({ "Events": page });
    if skip + limit < events.len() {
        answer["NextToken"] = json!(page_token(skip + limit));
    }
    exchange.notes.parameters = json!({ "maxResults": limit });
    Ok(reply(&answer))
}

fn attribute(body: &Value) -> Result<Option<(String, String)>, Refusal> {
    let invalid = || texts().lookup_attributes_invalid.refuse(&[]);
    match body["LookupAttributes"].as_array().map(Vec::as_slice) {
        None | Some([]) => Ok(None),
        Some([one]) => match (one["AttributeKey"].as_str(), one["AttributeValue"].as_str()) {
            (Some(key), Some(value)) if KEYS.contains(&key) => Ok(Some((key.to_owned(), value.to_owned()))),
            _ => Err(invalid()),
        },
        Some(_) => Err(invalid()),
    }
}

const KEYS: [&str; 8] =
    ["EventId", "EventName", "ReadOnly", "Username", "ResourceType", "ResourceName", "EventSource", "AccessKeyId"];

fn has_attribute(event: &Event, key: &str, value: &str) -> bool {
    match key {
        "EventId" => event.id == value,
        "EventName" => event.name == value,
        "ReadOnly" => event.read_only.to_string() == value,
        "Username" => event.username == value,
        "ResourceType" => event.resources.iter().any(|(kind, _)| kind == value),
        "ResourceName" => event.resources.iter().any(|(_, name)| name == value),
        "EventSource" => event.source == value,
        _ => event.access_key == value,
    }
}

fn shown(event: &Event) -> Value {
    let resources: Vec<Value> =
        event.resources.iter().map(|(kind, name)| json!({ "ResourceType": kind, "ResourceName": name })).collect();
    json!({
        "EventId": event.id,
        "EventName": event.name,
        "ReadOnly": event.read_only.to_string(),
        "AccessKeyId": event.access_key,
        "EventTime": event.time.as_second(),
        "EventSource": event.source,
        "Username": event.username,
        "Resources": resources,
        "CloudTrailEvent": event.record.to_string(),
    })
}

/// Times in JSON 1.1 are seconds since the epoch, with or without a fraction; botocore also sends RFC 3339 texts.
#[expect(clippy::cast_possible_truncation, reason = "whole seconds are all that is compared")]
fn seconds(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_f64().map(|seconds| seconds as i64),
        Value::String(text) => text.parse::<Timestamp>().ok().map(Timestamp::as_second),
        _ => None,
    }
}

fn reply(value: &Value) -> Reply {
    Reply::new(200, "application/x-amz-json-1.1", value.to_string())
}
