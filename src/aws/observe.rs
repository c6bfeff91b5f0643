//! Watching calls: an interceptor that keeps status and headers of every answer, and the log of calls. Without it a 200 with HTML
//! looks like an empty stream, and the service's clock is never seen.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use aws_smithy_runtime_api::{
    box_error::BoxError,
    client::{
        interceptors::{Intercept, context::BeforeDeserializationInterceptorContextRef, dyn_dispatch_hint},
        runtime_components::RuntimeComponents,
    },
    http::Headers,
};
use aws_smithy_types::config_bag::ConfigBag;

use crate::{
    evidence::{Call, Failure},
    world::monotonic_now,
};

/// Receives every call when it is done.
#[derive(Clone)]
pub struct CallLog {
    started: Instant,
    sink: Arc<dyn Fn(Call) + Send + Sync>,
}

impl CallLog {
    /// Returns a log that hands each call to `sink`.
    pub fn new(sink: impl Fn(Call) + Send + Sync + 'static) -> Self {
        Self { started: monotonic_now(), sink: Arc::new(sink) }
    }

    pub(super) fn begin(&self, service: &'static str, operation: &'static str, region: &str) -> Watch {
        Watch {
            log: self.clone(),
            service,
            operation,
            region: (!region.is_empty()).then(|| region.to_owned()),
            began: monotonic_now(),
            seen: Seen::default(),
            done: false,
        }
    }
}

/// One call under watch. Dropped before it is finished, it is recorded as one that ran out of time.
pub(super) struct Watch {
    log: CallLog,
    service: &'static str,
    operation: &'static str,
    region: Option<String>,
    began: Instant,
    seen: Seen,
    done: bool,
}

impl Watch {
    /// Returns the interceptor to hang on the call.
    pub(super) fn interceptor(&self) -> Seen {
        self.seen.clone()
    }

    /// Returns what was seen of the answer's head.
    pub(super) fn head(&self) -> Head {
        self.seen.head()
    }

    /// Keeps the head of an answer, where there is no interceptor to do so.
    pub(super) fn saw(&self, status: u16, headers: &Headers) {
        self.seen.keep(status, headers);
    }

    pub(super) fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    /// Records the outcome.
    pub(super) fn finish<T>(mut self, outcome: &Result<T, Failure>) {
        let word = match outcome {
            Ok(_) => "ok".to_owned(),
            Err(failure) => failure.word().to_owned(),
        };
        self.record(word);
    }

    fn record(&mut self, outcome: String) {
        self.done = true;
        (self.log.sink)(Call {
            service: self.service.to_owned(),
            operation: self.operation.to_owned(),
            region: self.region.take(),
            started_ms: millis(self.began.saturating_duration_since(self.log.started)),
            ms: millis(self.began.elapsed()),
            outcome,
            skew_seconds: self.seen.head().skew_seconds,
            simulated: self.seen.head().simulated,
        });
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        if !self.done {
            self.record("timeout".to_owned());
        }
    }
}

pub(super) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// The head of an answer.
#[derive(Clone, Debug, Default)]
pub(super) struct Head {
    pub(super) status: Option<u16>,
    pub(super) content_type: Option<String>,
    pub(super) request_id: Option<String>,
    pub(super) error_type: Option<String>,
    pub(super) retry_after_ms: Option<u64>,
    pub(super) simulated: bool,
    pub(super) skew_seconds: Option<i64>,
}

/// The interceptor: keeps the head of the last answer.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen(Arc<Mutex<Head>>);

impl Seen {
    pub(super) fn head(&self) -> Head {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn keep(&self, status: u16, headers: &Headers) {
        let header = |name: &str| headers.get(name).map(str::to_owned);
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Head {
            status: Some(status),
            content_type: header("content-type"),
            request_id: header("x-amzn-requestid").or_else(|| header("x-amz-request-id")),
            error_type: header("x-amzn-errortype"),
            retry_after_ms: header("x-amz-retry-after").and_then(|value| value.trim().parse().ok()),
            simulated: header("x-bedside-simulated").is_some(),
            skew_seconds: header("date").and_then(|date| skew(&date)),
        };
    }
}

#[dyn_dispatch_hint]
impl Intercept for Seen {
    fn name(&self) -> &'static str {
        "bedside-observer"
    }

    fn read_before_deserialization(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let response = context.response();
        self.keep(response.status().as_u16(), response.headers());
        Ok(())
    }
}

/// By how many seconds the clock behind a `Date` header is ahead of this machine's.
fn skew(date: &str) -> Option<i64> {
    let theirs = jiff::fmt::rfc2822::parse(date).ok()?.timestamp();
    Some(theirs.as_second() - crate::world::wall_clock().as_second())
}
