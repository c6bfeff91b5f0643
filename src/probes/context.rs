//! What the probes share: the plan, the clients, and the lists that several of them need and that are fetched once.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use tokio::sync::{OnceCell, watch};
use tokio_rustls::rustls::{
    RootCertStore,
    pki_types::{CertificateDer, pem::PemObject},
};

use super::{Probe, ProbePlan, Sink};
use crate::{
    aws::{Access, CallLog, ProfileKind, SERVICES, Target},
    evidence::{
        Authentication, Client, Fact, Failure, FailureKind, FoundationModel, InferenceProfile, Program, SourceKind,
        Unreadable, Update, Why,
    },
    world::{FileRead, World},
};

/// What came of the main model: it answers, or how it was refused, where that is known.
pub(super) type Outcome = Result<(), Option<Failure>>;

pub(super) struct Context {
    pub(super) world: World,
    pub(super) plan: ProbePlan,
    pub(super) access: Access,
    sink: Sink,
    /// What came of the main model, once that is known: reading on is worth it only where it did not answer.
    main_answers: watch::Sender<Option<Outcome>>,
    /// Everything but the client programs has been looked at.
    rest_done: watch::Sender<bool>,
    claude: OnceCell<Fact<Program>>,
}

impl Context {
    pub(super) async fn new(world: World, plan: ProbePlan, sink: Sink) -> Self {
        let log_sink = sink.clone();
        let log = CallLog::new(move |call| log_sink(Update::Call(call)));
        let access = Access::load(target(&world, &plan), log).await;
        Self {
            world,
            plan,
            access,
            sink,
            main_answers: watch::Sender::new(None),
            rest_done: watch::Sender::new(false),
            claude: OnceCell::new(),
        }
    }

    /// Says that everything but the client programs has been looked at.
    pub(super) fn rest_is_done(&self) {
        self.rest_done.send_replace(true);
    }

    /// Waits until everything else has been looked at and the main model has answered; for ever where it does not.
    pub(super) async fn well_without_programs(&self) {
        let mut done = self.rest_done.subscribe();
        let ended = done.wait_for(|done| *done).await.is_ok();
        let answered = matches!(*self.main_answers.borrow(), Some(Ok(())));
        if !(ended && answered) {
            std::future::pending::<()>().await;
        }
    }

    /// The Claude Code of this machine, asked for its version once.
    pub(super) async fn claude_code(&self) -> Fact<Program> {
        self.claude.get_or_init(|| super::programs::look(&self.world, "claude")).await.clone()
    }

    /// Says whether the main model answered, and if not, how it was refused.
    pub(super) fn main_answered(&self, outcome: Outcome) {
        self.main_answers.send_replace(Some(outcome));
    }

    /// Waits until it is known whether the main model answers.
    pub(super) async fn main_answers(&self) -> bool {
        self.main_outcome().await.is_ok()
    }

    /// Waits until it is known what came of the main model.
    pub(super) async fn main_outcome(&self) -> Outcome {
        let mut answers = self.main_answers.subscribe();
        match answers.wait_for(Option::is_some).await {
            Ok(outcome) => outcome.clone().unwrap_or(Err(None)),
            Err(_) => Err(None),
        }
    }

    pub(super) fn send(&self, update: Update) {
        (self.sink)(update);
    }

    pub(super) fn wants(&self, probe: Probe) -> bool {
        self.plan.probes.contains(&probe)
    }

    pub(super) fn limit(&self) -> Duration {
        Duration::from_millis(self.plan.probe_timeout_ms)
    }

    /// Runs a probe between its two announcements, unless it is not wanted.
    pub(super) async fn announced(&self, probe: Probe, work: impl Future<Output = ()>) {
        self.send(Update::Began(probe.name().to_owned()));
        work.await;
        self.send(Update::Done(probe.name().to_owned()));
    }
}

/// What is needed to call AWS as the client would. Secrets come from this process's own environment, which is the client's.
fn target(world: &World, plan: &ProbePlan) -> Target {
    let endpoints: BTreeMap<String, String> = SERVICES
        .iter()
        .filter_map(|service| {
            let endpoint = plan.settings.endpoints.get(*service)?;
            let variable = endpoint.setting.as_ref()?;
            // The plan carries addresses without user names and queries; the real one stands in the environment or a file.
            let url = world.filled_variable(&variable.name).unwrap_or_else(|| endpoint.url.clone());
            Some(((*service).to_owned(), url.trim().to_owned()))
        })
        .collect();
    let plain_http_only = plan.settings.endpoints.values().all(|endpoint| endpoint.url.starts_with("http://"))
        && !plan.settings.sources.iter().any(|source| source.kind == SourceKind::Login && source.wins);
    let extra_roots = extra_roots(world, plan).map(String::into_bytes);
    let call_timeout = plan
        .settings
        .request_timeout_ms
        .map(Duration::from_millis)
        .unwrap_or(Duration::MAX)
        .min(Duration::from_millis(plan.probe_timeout_ms));
    Target {
        region: plan.region.known().map(|region| region.name.clone()),
        authentication: plan.settings.authentication,
        bearer_token: world
            .filled_variable("AWS_BEARER_TOKEN_BEDROCK")
            .filter(|_| plan.settings.authentication == Authentication::BearerToken)
            .map(|token| token.trim().to_owned()),
        endpoints,
        own_runtime_host: plan.settings.client == Client::ClaudeCode,
        replace_roots: plan.replace_roots && extra_roots.is_some(),
        extra_roots,
        plain_http_only,
        guards_content_type: plan.settings.client == Client::ClaudeCode
            && world
                .filled_variable("CLAUDE_CODE_DISABLE_BEDROCK_CONTENT_TYPE_GUARD")
                .is_none_or(|value| value.trim() != "1"),
        headers: headers(world),
        call_timeout,
    }
}

/// The PEM text of the roots that the client adds. What is no certificate would make the HTTP client panic; the settings report it.
pub(super) fn extra_roots(world: &World, plan: &ProbePlan) -> Option<String> {
    match world.read_file(&world.expand_path(plan.extra_roots.as_ref()?)) {
        FileRead::Text(text) if are_certificates(&text) => Some(text),
        FileRead::Text(_) | FileRead::Missing | FileRead::Trouble(_) => None,
    }
}

/// Whether every certificate in a PEM text is one that TLS takes as a trust root.
fn are_certificates(pem: &str) -> bool {
    let mut store = RootCertStore::empty();
    let mut count = 0;
    for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
        let Ok(certificate) = certificate else { return false };
        if store.add(certificate).is_err() {
            return false;
        }
        count += 1;
    }
    count > 0
}

/// Claude Code adds headers of the user's to every runtime call, and the service tier (Claude Code docs: Amazon Bedrock).
fn headers(world: &World) -> Vec<(String, String)> {
    let mut headers: Vec<(String, String)> = world
        .filled_variable("ANTHROPIC_CUSTOM_HEADERS")
        .unwrap_or_default()
        .lines()
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.trim().to_lowercase(), value.trim().to_owned()))
        .filter(|(name, _)| !name.is_empty())
        .collect();
    if let Some(tier) = world.filled_variable("ANTHROPIC_BEDROCK_SERVICE_TIER") {
        headers.push(("x-amzn-bedrock-service-tier".to_owned(), tier.trim().to_owned()));
    }
    headers
}

/// Clients with credentials, and the lists.
pub(super) struct Aws<'a> {
    pub(super) context: &'a Context,
    pub(super) access: Access,
    /// Requests to services other than Bedrock can be signed.
    pub(super) can_sign: bool,
    system: OnceCell<Arc<Result<Vec<InferenceProfile>, Failure>>>,
    models: OnceCell<Arc<Result<Vec<FoundationModel>, Failure>>>,
}

impl<'a> Aws<'a> {
    pub(super) fn new(context: &'a Context, access: Access, can_sign: bool) -> Self {
        Self { context, access, can_sign, system: OnceCell::new(), models: OnceCell::new() }
    }

    /// The inference profiles of AWS, fetched once.
    pub(super) async fn system_profiles(&self) -> Arc<Result<Vec<InferenceProfile>, Failure>> {
        self.system
            .get_or_init(|| async { Arc::new(self.access.inference_profiles(ProfileKind::System).await) })
            .await
            .clone()
    }

    /// Anthropic's foundation models, fetched once.
    pub(super) async fn foundation_models(&self) -> Arc<Result<Vec<FoundationModel>, Failure>> {
        self.models.get_or_init(|| async { Arc::new(self.access.foundation_models().await) }).await.clone()
    }
}

/// Turns the outcome of a call into a fact. A refusal names the permission that was missing.
pub(super) fn fact<T>(outcome: Result<T, Failure>, permission: &str) -> Fact<T> {
    match outcome {
        Ok(value) => Fact::Known(value),
        Err(failure) => unreadable(failure, permission),
    }
}

pub(super) fn unreadable<T>(failure: Failure, permission: &str) -> Fact<T> {
    let denied = failure.is_answer()
        && failure
            .code
            .as_deref()
            .is_some_and(|code| code.starts_with("AccessDenied") || code == "UnauthorizedOperation");
    let why = match failure.kind {
        _ if denied => Why::Permission,
        FailureKind::Timeout | FailureKind::ConnectTimeout => Why::Timeout,
        _ => Why::Fault,
    };
    let detail = match (why, failure.code.as_deref()) {
        (Why::Permission, _) => "the service refused the call".to_owned(),
        (_, Some(code)) => format!("{code}: {}", failure.spoken()),
        (_, None) if failure.spoken().starts_with(failure.kind.word()) => failure.spoken(),
        (_, None) => format!("{}: {}", failure.kind.word(), failure.spoken()),
    };
    Fact::Unreadable(Unreadable {
        why,
        detail: crate::evidence::clean(&detail),
        permission: denied.then(|| permission.to_owned()),
        failure: Some(failure),
    })
}
