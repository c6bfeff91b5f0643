//! CloudTrail's event history of one account.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{Cloud, WorldError};
use crate::simulate::scenario::WorldSpec;
use crate::simulate::texts;

/// The event history of an account.
#[derive(Clone, Debug, Default)]
pub struct Trail {
    pub events: Vec<Event>,
    /// How long an event takes to show.
    pub delay: SignedDuration,
    /// When `LookupEvents` was last called, by Region.
    lookups: BTreeMap<String, Vec<Timestamp>>,
}

/// One event.
#[derive(Clone, Debug)]
pub struct Event {
    pub id: String,
    pub time: Timestamp,
    /// From when on `LookupEvents` shows it.
    pub visible: Timestamp,
    pub region: String,
    pub name: String,
    pub source: String,
    pub username: String,
    pub access_key: String,
    pub read_only: bool,
    pub resources: Vec<(String, String)>,
    /// The whole record.
    pub record: Value,
}

/// How long a stream takes, for the trail.
const STREAM: SignedDuration = SignedDuration::from_secs(3);

fn moment(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// What an event is made of, besides its caller.
#[derive(Clone, Debug)]
pub(crate) struct Deed<'a> {
    pub(crate) time: Timestamp,
    pub(crate) region: &'a str,
    pub(crate) source: &'a str,
    pub(crate) name: &'a str,
    pub(crate) read_only: bool,
    pub(crate) user_agent: &'a str,
    pub(crate) host: &'a str,
    pub(crate) request_id: &'a str,
    pub(crate) parameters: Value,
    /// Code and message of a call that failed.
    pub(crate) error: Option<(String, String)>,
    pub(crate) inference_region: Option<&'a str>,
    /// Input and output tokens, known when a stream has ended.
    pub(crate) tokens: Option<(u64, u64)>,
}

impl Trail {
    pub(super) fn new(delay: SignedDuration) -> Self {
        Self { delay, ..Self::default() }
    }

    /// Counts a lookup; `false` when it is the third within a second.
    pub(crate) fn admit_lookup(&mut self, region: &str, now: Timestamp) -> bool {
        let lookups = self.lookups.entry(region.to_owned()).or_default();
        lookups.retain(|at| *at + SignedDuration::from_secs(1) > now);
        if lookups.len() >= 2 {
            return false;
        }
        lookups.push(now);
        true
    }
}

/// Returns an error code as the trail writes it: a denial loses its ending, every other code stays what it is.
fn trail_code(code: &str) -> &str {
    if code == "AccessDeniedException" { "AccessDenied" } else { code }
}

impl Cloud {
    /// Writes what a caller did into the caller's trail.
    pub(crate) fn record(&mut self, caller: &super::Caller, deed: &Deed<'_>, visible: Timestamp) {
        let event_id = self.next_uuid();
        let identity = self.user_identity(caller);
        let (inference_region, tokens) = (deed.inference_region, deed.tokens);
        let mut record = json!({
            "eventVersion": "1.11",
            "userIdentity": identity,
            "eventTime": moment(deed.time),
            "eventSource": deed.source,
            "eventName": deed.name,
            "awsRegion": deed.region,
            "sourceIPAddress": self.source_ip,
            "userAgent": deed.user_agent,
        });
        if let Some((code, message)) = &deed.error {
            record["errorCode"] = json!(trail_code(code));
            record["errorMessage"] = json!(message);
        }
        record["requestParameters"] = deed.parameters.clone();
        record["responseElements"] = Value::Null;
        if let Some(region) = inference_region {
            record["additionalEventData"] = json!({ "inferenceRegion": region });
        }
        record["requestID"] = json!(deed.request_id);
        record["eventID"] = json!(event_id);
        record["readOnly"] = json!(deed.read_only);
        record["eventType"] = json!("AwsApiCall");
        record["managementEvent"] = json!(true);
        record["recipientAccountId"] = json!(caller.account_id);
        record["eventCategory"] = json!("Management");
        record["tlsDetails"] = json!({
            "tlsVersion": "TLSv1.3",
            "cipherSuite": "TLS_AES_128_GCM_SHA256",
            "clientProvidedHostHeader": deed.host,
        });
        let event = Event {
            id: event_id,
            time: deed.time,
            visible,
            region: deed.region.to_owned(),
            name: deed.name.to_owned(),
            source: deed.source.to_owned(),
            username: caller.username(),
            access_key: caller.access_key.clone(),
            read_only: deed.read_only,
            resources: Vec::new(),
            record,
        };
        let usage = tokens.map(|tokens| self.usage_event(&event, deed, tokens));
        self.accounts[caller.account].trail.events.extend(std::iter::once(event).chain(usage));
    }

    /// A stream that ended well leaves a second record with the same name, which carries the token counts.
    /// See: AWS docs, Bedrock User Guide, logging using CloudTrail.
    fn usage_event(&mut self, event: &Event, deed: &Deed<'_>, (input, output): (u64, u64)) -> Event {
        let id = self.next_uuid();
        // It is written when the stream has ended.
        let (time, visible) = (event.time + STREAM, event.visible + STREAM);
        let mut record = event.record.clone();
        record["eventTime"] = json!(moment(time));
        let object = record.as_object_mut().expect("records are objects");
        for key in ["requestParameters", "responseElements", "additionalEventData", "tlsDetails", "userAgent"] {
            object.shift_remove(key);
        }
        record["eventID"] = json!(id);
        record["eventType"] = json!("AwsServiceEvent");
        record["resources"] = json!([{ "type": "AWS::Bedrock::Model" }]);
        record["serviceEventDetails"] = json!({
            "parentRequestId": deed.request_id,
            "AdditionalEventData": { "additionalEntries": {
                "inferenceRegion": deed.inference_region.unwrap_or(deed.region),
                "inputTokens": input,
                "outputTokens": output,
            } },
        });
        Event { id, time, visible, record, ..event.clone() }
    }

    fn user_identity(&self, caller: &super::Caller) -> Value {
        let principal = &self.principals[caller.principal];
        let mut identity = json!({
            "type": "IAMUser",
            "principalId": caller.user_id,
            "arn": caller.arn,
            "accountId": caller.account_id,
            "accessKeyId": caller.access_key,
        });
        if principal.is_role() {
            identity["type"] = json!("AssumedRole");
            identity["sessionContext"] = json!({
                "sessionIssuer": {
                    "type": "Role",
                    "principalId": principal.unique_id,
                    "arn": caller.principal_arn,
                    "accountId": caller.account_id,
                    "userName": principal.iam_name,
                },
                "attributes": {
                    "creationDate": caller.session.as_ref().map(|session| session.created.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()),
                    "mfaAuthenticated": caller.mfa().to_string(),
                },
            });
        } else if caller.arn.ends_with(":root") {
            identity["type"] = json!("Root");
        } else {
            identity["userName"] = json!(principal.iam_name);
        }
        identity
    }

    pub(super) fn add_history(&mut self, account: usize, spec: &WorldSpec, now: Timestamp) -> Result<(), WorldError> {
        for event in &spec.events {
            let error = |near: &str, reason: String| WorldError { near: format!("\"{near}\""), reason };
            let principal = self
                .principals
                .iter()
                .position(|principal| principal.name == event.principal && principal.account == account)
                .ok_or_else(|| {
                    error(&event.principal, format!("an event names `{}`, who is not in its account", event.principal))
                })?;
            let told = event
                .text
                .as_ref()
                .map(|key| texts::by_key(key).ok_or_else(|| error(key, format!("`{key}` is the key of no text"))))
                .transpose()?;
            let key = self.keys.iter().find(|key| key.principal == principal).cloned();
            let caller = self.caller(
                &key.unwrap_or_else(|| super::AccessKey {
                    id: self.seed.access_key(&event.principal, false),
                    secret: String::new(),
                    principal,
                    session: None,
                }),
                None,
            );
            let region = event.region.clone().unwrap_or_else(|| self.home_region.clone());
            let filled: &[&str] = if event.model.is_some() { &["model"] } else { &[] };
            if let (Some(key), Some(name)) = (&event.text, told.and_then(|text| text.unfilled(filled))) {
                return Err(error(key, format!("`{key}` needs a `{name}`, which an event does not give")));
            }
            let told = told.map(|text| text.record(event.source == "sts.amazonaws.com"));
            let code = event.error_code.as_deref().or(told.map(|(code, _)| code));
            let message = event.error_message.as_deref().or(told.map(|(_, message)| message)).unwrap_or_default();
            let message = message.replace("{model}", event.model.as_deref().unwrap_or_default());
            let user_agent =
                event.user_agent.clone().unwrap_or_else(|| "claude-cli/2.1.330 (external, cli)".to_owned());
            for turn in 0..event.repeat {
                let step =
                    event.every.unwrap_or_default().signed().saturating_mul(i32::try_from(turn).unwrap_or(i32::MAX));
                let time = event.at.after(now) + step;
                if code.is_none()
                    && let Some(model) = &event.model
                    && self.accounts[account].ended(model, &region, time)
                {
                    return Err(error(
                        model,
                        format!("`{model}` had reached its end of life when an event says it answered"),
                    ));
                }
                let request_id = self.next_uuid();
                let deed = Deed {
                    time,
                    region: &region,
                    source: &event.source,
                    name: &event.name,
                    read_only: event.source == "bedrock.amazonaws.com",
                    user_agent: &user_agent,
                    host: &format!("bedrock-runtime.{region}.amazonaws.com"),
                    request_id: &request_id,
                    parameters: event.model.as_ref().map_or(Value::Null, |model| json!({ "modelId": model })),
                    error: code.map(|code| (code.to_owned(), message.clone())),
                    inference_region: event.inference_region.as_deref(),
                    tokens: (code.is_none() && event.name.contains("Stream")).then_some((1200, 300)),
                };
                self.record(&caller, &deed, time);
            }
        }
        Ok(())
    }
}
