//! CloudTrail: calls of the past 90 days, in the Region that was called from.

use aws_sdk_cloudtrail::types::{LookupAttribute, LookupAttributeKey};
use aws_smithy_types::DateTime;

use super::{Access, failure};
use crate::evidence::{Failure, FailureKind, clean};

/// A page of events.
#[derive(Clone, Debug, Default)]
pub struct EventPage {
    /// The events, newest first.
    pub events: Vec<PastEvent>,
    /// There are more behind this token.
    pub next: Option<String>,
}

/// One recorded event. Its inside is the JSON that CloudTrail wrote.
#[derive(Clone, Debug)]
pub struct PastEvent {
    /// When.
    pub time: String,
    /// The record.
    pub record: serde_json::Value,
}

impl Access {
    /// Looks up events of one name, at most 50.
    ///
    /// # Errors
    /// The failure as it was seen.
    pub async fn lookup_events(
        &self,
        event_name: &str,
        since: jiff::Timestamp,
        token: Option<String>,
    ) -> Result<EventPage, Failure> {
        let mut config = aws_sdk_cloudtrail::config::Builder::from(&*self.base);
        config.set_endpoint_url(self.endpoint("cloudtrail"));
        let client = aws_sdk_cloudtrail::Client::from_conf(config.build());
        let attribute = LookupAttribute::builder()
            .attribute_key(LookupAttributeKey::EventName)
            .attribute_value(event_name)
            .build()
            .map_err(|error| Failure::local(FailureKind::Construction, error.to_string()))?;
        let watch = self.log.begin("cloudtrail", "LookupEvents", self.region());
        let answer = client
            .lookup_events()
            .lookup_attributes(attribute)
            .start_time(DateTime::from_secs(since.as_second()))
            .max_results(50)
            .set_next_token(token)
            .customize()
            .interceptor(watch.interceptor())
            .send()
            .await;
        let head = watch.head();
        let outcome = answer.map_err(|error| failure::of(&error, &head)).map(|answer| EventPage {
            events: answer
                .events()
                .iter()
                .filter_map(|event| {
                    let record = serde_json::from_str(event.cloud_trail_event()?).ok()?;
                    let time = event.event_time().and_then(|time| jiff::Timestamp::from_second(time.secs()).ok());
                    Some(PastEvent { time: time.map(|time| time.to_string()).unwrap_or_default(), record })
                })
                .collect(),
            next: answer.next_token().map(clean),
        });
        watch.finish(&outcome);
        outcome
    }
}
