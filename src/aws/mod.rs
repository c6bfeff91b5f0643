//! AWS access: clients built from a client's settings, every call recorded, every failure kept as it was seen. No type of the AWS
//! SDK leaves this module.
//!
//! What the SDK would do behind one's back is switched off or set explicitly here: retries (a doctor wants to see a throttle, not
//! to hide it), clock-skew correction (a wrong clock is a finding), the bearer scheme (an empty token variable would switch it on)
//! and the retry variables that make its loader panic.

mod cloudtrail;
mod control;
mod credential_calls;
mod credentials;
mod failure;
mod http;
mod observe;
mod quotas;
mod runtime;
mod sts;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use aws_config::{
    BehaviorVersion, Region, SdkConfig, retry::RetryConfig, stalled_stream_protection::StalledStreamProtectionConfig,
    timeout::TimeoutConfig,
};
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_runtime_api::client::auth::{AuthSchemeId, AuthSchemePreference};
use tokio::sync::Mutex;

pub use cloudtrail::{EventPage, PastEvent};
pub use control::ProfileKind;
pub use credentials::Resolved;
pub use failure::classify_text;
pub use observe::CallLog;
pub use quotas::{QuotaPage, QuotaRow};
pub use runtime::{InvokeRequest, Verb, runtime_host};

use crate::evidence::{Authentication, Failure, FailureKind};

/// What is needed to call AWS as one client would. The process's own environment supplies the rest, which is why the probes run
/// in a process that was started with exactly the client's environment.
#[derive(Clone)]
pub struct Target {
    /// Region of the calls.
    pub region: Option<String>,
    /// How requests to Bedrock prove who sends them.
    pub authentication: Authentication,
    /// The API key, when that is how.
    pub bearer_token: Option<String>,
    /// Addresses that are set explicitly, by service.
    pub endpoints: BTreeMap<String, String>,
    /// Runtime calls go to their Region's own host where no address is set for them, whatever else the environment says, as Claude
    /// Code's do: it builds that address itself and knows neither FIPS nor dual-stack hosts.
    pub own_runtime_host: bool,
    /// PEM files of trust roots that are added to the system's.
    pub extra_roots: Option<Vec<u8>>,
    /// The extra roots replace the system's, as `AWS_CA_BUNDLE` does.
    pub replace_roots: bool,
    /// Every address is plain http, so no trust roots are needed.
    pub plain_http_only: bool,
    /// A streamed answer must say that it is an event stream, as Claude Code demands.
    pub guards_content_type: bool,
    /// Headers that the client adds to runtime calls.
    pub headers: Vec<(String, String)>,
    /// Time limit of one call.
    pub call_timeout: Duration,
}

/// Clients for one target. Cheap to clone.
#[derive(Clone)]
pub struct Access {
    target: Arc<Target>,
    base: Arc<SdkConfig>,
    log: CallLog,
    /// Bedrock clients by Region, made when first used.
    runtimes: Arc<Mutex<BTreeMap<String, aws_sdk_bedrockruntime::Client>>>,
}

/// Connecting takes longer than this only where nothing answers.
const CONNECT_TIMEOUT: Duration = Duration::from_millis(3_100);

impl Access {
    /// Loads the configuration. Makes no call.
    pub async fn load(target: Target, log: CallLog) -> Self {
        let http_client = http::client(&target, !target.plain_http_only);
        let app_name = aws_config::AppName::new(concat!("bedside-", env!("CARGO_PKG_VERSION"))).ok();
        let mut loader = aws_config::defaults(BehaviorVersion::latest())
            // An explicit value keeps the loader from reading AWS_RETRY_MODE and AWS_MAX_ATTEMPTS, on whose bad values it panics.
            .retry_config(RetryConfig::standard().with_max_attempts(1))
            .timeout_config(
                TimeoutConfig::builder()
                    .connect_timeout(CONNECT_TIMEOUT)
                    .operation_attempt_timeout(target.call_timeout)
                    .build(),
            )
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .disable_clock_skew_correction(true)
            .auth_scheme_preference([AuthSchemeId::new("sigv4")])
            .http_client(credential_calls::recorded(http_client.clone(), log.clone()));
        if let Some(region) = &target.region {
            loader = loader.region(Region::new(region.clone()));
        }
        if let Some(name) = app_name {
            loader = loader.app_name(name);
        }
        // What the credential chain was made of stays in it; all other calls are recorded where they are made.
        let base = loader.load().await.to_builder().http_client(http_client).build();
        Self { target: Arc::new(target), base: Arc::new(base), log, runtimes: Arc::default() }
    }

    /// Asks the client's credential chain.
    ///
    /// # Errors
    /// What the chain said, as a failure of kind `credentials` or of the obstacle it met.
    pub async fn resolve_credentials(&self) -> Result<Resolved, Failure> {
        match self.base.credentials_provider() {
            Some(provider) => credentials::resolve(&provider).await,
            None => Err(Failure::local(FailureKind::Credentials, "the SDK was built without a credential chain")),
        }
    }

    /// Returns the same access with credentials that were resolved once, so that no helper runs twice.
    #[must_use]
    pub fn with_credentials(&self, resolved: &Resolved) -> Self {
        let provider = SharedCredentialsProvider::new(resolved.secret().clone());
        let base = self.base.to_builder().credentials_provider(provider).build();
        Self { base: Arc::new(base), runtimes: Arc::default(), ..self.clone() }
    }

    /// Returns the record of calls.
    pub fn log(&self) -> &CallLog {
        &self.log
    }

    fn endpoint(&self, service: &str) -> Option<String> {
        self.target.endpoints.get(service).cloned()
    }

    fn region(&self) -> &str {
        self.target.region.as_deref().unwrap_or("")
    }

    fn prefers_bearer(&self) -> bool {
        self.target.authentication == Authentication::BearerToken
    }
}

/// The services that bedside calls, by the name under which their endpoints are set.
pub const SERVICES: [&str; 5] = ["bedrock-runtime", "bedrock", "sts", "cloudtrail", "servicequotas"];

fn scheme(bearer: bool) -> AuthSchemePreference {
    AuthSchemePreference::from([AuthSchemeId::new(if bearer { "httpBearerAuth" } else { "sigv4" })])
}
