//! Invoking the models: exactly the ids, operations, address and credentials that the client will use, one output token, the answer
//! read to its end. The operation of the client's turns goes first, then the other one, so that a small account is not throttled by
//! its doctor.

use std::time::Duration;

use super::{Probe, ROLES, context::Aws};
use crate::{
    aws::{InvokeRequest, Verb, runtime_host},
    evidence::{
        Attempt, Client, Fact, Failure, FailureKind, Invocation, ModelRole, ModelSetting, Origin, OriginKind,
        Replacement, Update, Why,
    },
    settings::claude_code,
    world::monotonic_now,
};

pub(super) async fn probe(aws: &Aws<'_>) {
    let context = aws.context;
    if !context.wants(Probe::Invoke) {
        context.main_answered(Ok(()));
        return;
    }
    context
        .announced(Probe::Invoke, async {
            let models = &context.plan.settings.models;
            let mut ids: Vec<(ModelRole, Option<String>)> = Vec::new();
            for role in ROLES {
                let id = match models.of(role) {
                    Fact::Known(_) => model_id(aws, role).await,
                    Fact::Absent(reason) => {
                        if role == ModelRole::Main && resolves_by_lists(aws) {
                            model_id(aws, role).await
                        } else {
                            context.send(Update::Invoke(role, Fact::Absent(reason.clone())));
                            continue;
                        }
                    }
                    Fact::Unreadable(obstacle) => {
                        context.send(Update::Invoke(role, Fact::Unreadable(obstacle.clone())));
                        continue;
                    }
                };
                ids.push((role, id));
            }
            let of_role = |wanted: ModelRole| {
                ids.iter().find(|(role, _)| *role == wanted).map(|(role, id)| (id.clone(), region_of(aws, *role)))
            };
            let of_role = &of_role;
            // Each model is invoked once, whatever roles it has; different models side by side.
            let invoked = |role: ModelRole| async move {
                let Some(sent) = of_role(role) else { return };
                if ROLES
                    .into_iter()
                    .take_while(|earlier| *earlier != role)
                    .any(|it| of_role(it).as_ref() == Some(&sent))
                {
                    return;
                }
                let fact = invoke_role(aws, role, sent.0.as_deref()).await;
                for same in ROLES.into_iter().filter(|it| *it != role && of_role(*it).as_ref() == Some(&sent)) {
                    context.send(Update::Invoke(same, same_as(role, &fact)));
                }
                let works = fact.known().is_some_and(|invocation| invocation.works(context.plan.settings.client));
                let refusal = fact
                    .known()
                    .and_then(|invocation| invocation.attempts().find_map(|attempt| attempt.failure.clone()));
                context.send(Update::Invoke(role, fact));
                if role == ModelRole::Main {
                    context.main_answered(if works { Ok(()) } else { Err(refusal) });
                }
            };
            let [main, background, subagent, fallback] = ROLES;
            tokio::join!(invoked(main), invoked(background), invoked(subagent), invoked(fallback));
            if of_role(ModelRole::Main).is_none() {
                context.main_answered(Err(None));
            }
        })
        .await;
}

/// What a model's answer says of another role that has it too: a failure is reported once.
fn same_as(role: ModelRole, fact: &Fact<Invocation>) -> Fact<Invocation> {
    match fact {
        Fact::Known(_) => Fact::Absent(format!("it is the {} model", role.name())),
        other => other.clone(),
    }
}

fn region_of(aws: &Aws<'_>, role: ModelRole) -> String {
    let plan = &aws.context.plan;
    plan.settings
        .models
        .of(role)
        .known()
        .and_then(|model| model.region.clone())
        .or_else(|| plan.region.known().map(|region| region.name.clone()))
        .unwrap_or_default()
}

/// The model can only be told by the account's own lists.
fn resolves_by_lists(aws: &Aws<'_>) -> bool {
    aws.context.plan.settings.client != Client::ClaudeCode
}

/// Returns the id that the client sends in a role.
pub(super) async fn model_id(aws: &Aws<'_>, role: ModelRole) -> Option<String> {
    let plan = &aws.context.plan;
    match plan.settings.models.of(role) {
        Fact::Known(model) => match &model.id {
            Some(id) if !model.replaceable => Some(id.clone()),
            id => {
                let own = model.name == "default" && model.origin.kind == OriginKind::Default;
                let built_in = id.as_deref().map(str::to_owned);
                let id = if own && role == ModelRole::Main { of_version(aws, built_in).await } else { built_in };
                default_of_claude_code(aws, id.as_deref()).await
            }
        },
        Fact::Absent(_) if role == ModelRole::Main && resolves_by_lists(aws) => newest(aws).await,
        Fact::Absent(_) | Fact::Unreadable(_) => None,
    }
}

/// The built-in main model depends on the version that is installed; without one, or of the newest, it is as it stands.
async fn of_version(aws: &Aws<'_>, built_in: Option<String>) -> Option<String> {
    let built_in = built_in?;
    // The list of profiles is needed next, so it need not wait for the version.
    let (program, _) = tokio::join!(aws.context.claude_code(), aws.system_profiles());
    let version = program.known().and_then(|program| program.version.as_deref());
    let model = claude_code::default_model(version);
    let (prefix, rest) = built_in.split_once('.')?;
    Some(if rest == model { built_in } else { format!("{prefix}.{model}") })
}

/// Claude Code's unpinned default: the profile of the wanted geography where the account lists it, else any listed profile of that
/// model, else the built-in id as it is (Claude Code docs: Amazon Bedrock).
async fn default_of_claude_code(aws: &Aws<'_>, built_in: Option<&str>) -> Option<String> {
    let built_in = built_in?;
    let profiles = aws.system_profiles().await;
    let Ok(profiles) = profiles.as_ref() else { return Some(built_in.to_owned()) };
    if profiles.iter().any(|profile| profile.id == built_in) {
        return Some(built_in.to_owned());
    }
    let model = built_in.split_once('.').map_or(built_in, |(_, rest)| rest);
    let other = profiles.iter().find(|profile| profile.model_id == model || profile.id.ends_with(&format!(".{model}")));
    Some(other.map_or_else(|| built_in.to_owned(), |profile| profile.id.clone()))
}

/// The newest active model that the account lists, by the id that it lists for it.
async fn newest(aws: &Aws<'_>) -> Option<String> {
    let (models, profiles) = tokio::join!(aws.foundation_models(), aws.system_profiles());
    let models = models.as_ref().as_ref().ok()?;
    let mut active: Vec<_> = models
        .iter()
        .filter(|model| {
            model.status.as_deref() == Some("ACTIVE") && !aws.context.plan.not_by_default.contains(&model.id)
        })
        .collect();
    active.sort_by(|a, b| b.launched_at.cmp(&a.launched_at).then_with(|| b.id.cmp(&a.id)));
    for model in active {
        if let Ok(profiles) = profiles.as_ref() {
            let mut ids: Vec<&str> = profiles
                .iter()
                .filter(|profile| profile.model_id == model.id)
                .map(|profile| profile.id.as_str())
                .collect();
            // A geography before `global.`: it stays where the user is.
            ids.sort_by_key(|id| (id.starts_with("global."), id.len()));
            if let Some(id) = ids.first() {
                return Some((*id).to_owned());
            }
        }
        if model.inference_types.iter().any(|kind| kind == "ON_DEMAND") {
            return Some(model.id.clone());
        }
    }
    None
}

/// The foundation model behind the main model.
pub(super) async fn foundation_model(aws: &Aws<'_>) -> Option<String> {
    let id = model_id(aws, ModelRole::Main).await?;
    foundation_model_of(aws, &id).await
}

/// The foundation model behind an id: in its text, or, for an application profile, by asking.
pub(super) async fn foundation_model_of(aws: &Aws<'_>, id: &str) -> Option<String> {
    let name = id.rsplit('/').next().unwrap_or(id);
    if let Some(at) = name.find("anthropic.") {
        return Some(name[at..].to_owned());
    }
    if id.contains("application-inference-profile/") {
        return aws.access.inference_profile(id).await.ok().map(|profile| profile.model_id);
    }
    None
}

async fn invoke_role(aws: &Aws<'_>, role: ModelRole, id: Option<&str>) -> Fact<Invocation> {
    let context = aws.context;
    let plan = &context.plan;
    let Some(id) = id else {
        return no_model(aws).await;
    };
    if !plan.invoke {
        return Fact::unreadable(Why::NotAsked, "no model was invoked (--no-invoke)");
    }
    let region = region_of(aws, role);
    let chosen_because = match plan.settings.models.of(role) {
        Fact::Absent(_) => {
            let because = format!("no model is set; {id} is the newest active one that the account lists");
            context.send(Update::Model(role, Fact::Known(listed(id))));
            Some(because)
        }
        _ => None,
    };
    let host = match plan.settings.endpoints.get("bedrock-runtime") {
        // A model with a Region of its own is called there, unless a setting names one address for all.
        Some(endpoint) if endpoint.setting.is_none() && region != region_of(aws, ModelRole::Main) => {
            runtime_host(&region)
        }
        Some(endpoint) => endpoint.host().to_owned(),
        None => String::new(),
    };
    let (first, second) = match plan.settings.client {
        Client::ClaudeCode | Client::AwsSdk => (Verb::InvokeStream, Verb::Invoke),
        Client::Bedside => (Verb::ConverseStream, Verb::Converse),
    };
    let mut invocation = Invocation {
        model_id: id.to_owned(),
        region: region.clone(),
        host,
        chosen_because,
        stream: None,
        plain: None,
        replacements: Vec::new(),
    };
    let request = |verb: Verb| InvokeRequest { model_id: id.to_owned(), region: region.clone(), verb };
    let limit = context.limit();
    let mut second_began = None;
    let work = async {
        twice(aws, &request(first), &mut invocation.stream).await;
        if role == ModelRole::Main && invocation.works(plan.settings.client) {
            // Whoever reads on only where the model does not answer need not wait for the second operation.
            context.main_answered(Ok(()));
        }
        // What stops the first stops the second just the same; asking again would only cost time.
        let hopeless = invocation
            .stream
            .as_ref()
            .and_then(|stream| stream.failure.as_ref())
            .is_some_and(|failure| !failure.is_answer() && failure.kind != FailureKind::CutStream);
        if !hopeless {
            second_began = Some(monotonic_now());
            twice(aws, &request(second), &mut invocation.plain).await;
        }
        let replaceable = plan.settings.models.of(role).known().is_some_and(|model| model.replaceable);
        if role == ModelRole::Main
            && replaceable
            && !invocation.works(plan.settings.client)
            && is_replaced_after(&invocation)
        {
            replace(aws, id, &region, &mut invocation.replacements).await;
        }
    };
    let cut = tokio::time::timeout(limit, work).await.is_err();
    // What was learnt before the deadline stays: an answered stream is an answer, whatever the second call does.
    if let (true, Some(began), None) = (cut, second_began, &invocation.plain) {
        invocation.plain = Some(out_of_time(second, began.elapsed(), limit));
    }
    if invocation.stream.is_none() || (timed_out(&invocation) && plan.settings.request_timeout_ms.is_none()) {
        return Fact::unreadable(Why::Timeout, format!("the model did not answer within {} s", limit.as_secs_f32()));
    }
    Fact::Known(invocation)
}

/// A call that was still under way at the probe's deadline.
fn out_of_time(verb: Verb, spent: Duration, limit: Duration) -> Attempt {
    let message = format!("no answer by the end of the {} s that all calls of a model have", limit.as_secs_f32());
    Attempt {
        operation: verb.operation().to_owned(),
        ok: false,
        ms: u64::try_from(spent.as_millis()).unwrap_or(u64::MAX),
        tries: 1,
        failure: Some(Failure::local(FailureKind::Timeout, message)),
        stop_reason: None,
        input_tokens: 0,
        output_tokens: 0,
    }
}

/// Claude Code looks for another model after a refusal or an unknown id, never after a throttle, bad credentials or a time-out.
fn is_replaced_after(invocation: &Invocation) -> bool {
    invocation.stream.as_ref().and_then(|attempt| attempt.failure.as_ref()).is_some_and(|failure| {
        let credentials = failure.message.to_lowercase();
        failure.is_answer()
            && matches!(failure.status, Some(400 | 403 | 404))
            && !credentials.contains("security token")
            && !credentials.contains("signature")
            && !credentials.contains("api key")
            && !credentials.contains("bearer")
    })
}

/// Tries what Claude Code would try, in its order, until one answers. Its own probes are plain calls, its turn is a stream: a model
/// counts only when it streams.
async fn replace(aws: &Aws<'_>, id: &str, region: &str, tried: &mut Vec<Replacement>) {
    let Some(foundation_model) = foundation_model_of(aws, id).await else { return };
    let prefix = id.split_once('.').map_or("us", |(prefix, _)| prefix);
    for candidate in claude_code::replacements(&foundation_model) {
        let built_in = format!("{prefix}.{candidate}");
        let Some(model_id) = default_of_claude_code(aws, Some(&built_in)).await else { continue };
        let request = InvokeRequest { model_id: model_id.clone(), region: region.to_owned(), verb: Verb::InvokeStream };
        let attempt = aws.access.invoke(&request).await;
        let ok = attempt.ok;
        tried.push(Replacement { model_id, attempt });
        if ok {
            break;
        }
    }
}

/// The only attempt ran into our own deadline: nothing was learnt of the model.
fn timed_out(invocation: &Invocation) -> bool {
    invocation
        .attempts()
        .all(|attempt| attempt.failure.as_ref().is_some_and(|failure| failure.kind == FailureKind::Timeout))
}

async fn no_model(aws: &Aws<'_>) -> Fact<Invocation> {
    let (models, _) = tokio::join!(aws.foundation_models(), aws.system_profiles());
    match models.as_ref() {
        Ok(_) => Fact::unreadable(
            Why::Dependency,
            "no model is set, and the account lists none that could be taken; name one with --model",
        ),
        Err(failure) => {
            let mut fact = super::context::unreadable::<Invocation>(failure.clone(), "bedrock:ListFoundationModels");
            if let Fact::Unreadable(obstacle) = &mut fact {
                obstacle.detail =
                    "no model is set, and the account's models could not be listed; name one with --model".into();
            }
            fact
        }
    }
}

fn listed(id: &str) -> ModelSetting {
    ModelSetting {
        id: Some(id.to_owned()),
        written: None,
        name: "model".into(),
        origin: Origin { kind: OriginKind::Account, file: None, line: None, name: None, reason: None },
        shadows: Vec::new(),
        replaceable: false,
        region: None,
    }
}

/// One call, and a second one after a failure that may pass by itself. The first outcome stands until the second is there.
async fn twice(aws: &Aws<'_>, request: &InvokeRequest, outcome: &mut Option<Attempt>) {
    let first = outcome.insert(aws.access.invoke(request).await);
    let Some(pause) = worth_retrying(first) else { return };
    tokio::time::sleep(pause).await;
    let mut second = aws.access.invoke(request).await;
    second.tries = 2;
    *outcome = Some(second);
}

/// Failures that may pass by themselves, with how long to wait. A quota of a day does not pass, and a cut stream may.
fn worth_retrying(attempt: &Attempt) -> Option<Duration> {
    let failure = attempt.failure.as_ref()?;
    let text = failure.message.to_lowercase();
    if text.contains("per day") {
        return None;
    }
    let asked = failure.retry_after_ms.map(|ms| Duration::from_millis(ms.min(3_000)));
    let by_code = failure.code.as_deref().is_some_and(|code| {
        matches!(
            code,
            "ThrottlingException"
                | "TooManyRequestsException"
                | "rate_limit_error"
                | "overloaded_error"
                | "api_error"
                | "ServiceUnavailableException"
                | "InternalServerException"
                | "ModelNotReadyException"
                | "ModelTimeoutException"
                | "ModelStreamErrorException"
        )
    });
    let by_status = matches!(failure.status, Some(500 | 502 | 503 | 504));
    let by_kind = matches!(failure.kind, FailureKind::Reset | FailureKind::CutStream);
    (by_code || by_status || by_kind).then(|| asked.unwrap_or(Duration::from_millis(800)))
}
