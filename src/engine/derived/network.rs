//! The way to the service: names, connections, TLS, proxies, addresses. A fault here is never a fault of credentials, and an answer
//! of the service itself is never a fault here.

use super::{Diagnosis, ModelRef, View, model_id, place};
use crate::{
    evidence::{Client, Endpoint, Envelope, Fact, Failure, FailureKind, HostReport, Invocation, Setting, Why},
    knowledge::Confidence,
};

/// The way to the service.
pub(super) fn diagnose(view: View<'_>) -> Fact<Diagnosis> {
    if view.works() {
        return Diagnosis::fine();
    }
    let evidence = view.evidence;
    let on_the_way = |failure: &&Failure| {
        !matches!(failure.kind, FailureKind::Service | FailureKind::Credentials | FailureKind::Construction)
    };
    // The client's own call speaks first, then the credentials it needed for it. Where the service itself answered one of the
    // attempts, the way is open, whatever became of the other.
    let invoke =
        evidence.invoke.main.known().filter(|invocation| !answered(invocation)).and_then(|invocation| {
            invocation.attempts().filter_map(|attempt| attempt.failure.as_ref()).find(on_the_way)
        });
    // The end of a model's life has been seen as a stream that just ends.
    let invoke = invoke.filter(|failure| failure.kind != FailureKind::CutStream || !main_is_retired(view));
    let credentials = evidence
        .credentials
        .obstacle()
        .and_then(|it| it.failure.as_ref())
        .filter(on_the_way)
        .filter(|failure| !is_slow_chain(failure));
    if let Some(setting) = unverified(view)
        && invoke.or(credentials).is_some_and(|failure| failure.kind == FailureKind::Tls)
    {
        return Fact::unreadable(
            Why::Unsupported,
            format!(
                "Claude Code verifies no certificates ({}=0, {}) and would go on; bedside verifies them, and could not look behind this one",
                setting.name, setting.origin
            ),
        );
    }
    if overridden_runtime(view).is_none() && place::is_malformed(view) {
        // A host of no Region cannot be found; the Region's own check says it.
        return Diagnosis::fine();
    }
    if let Some(failure) = invoke {
        return Fact::Known(of_failure(view, failure, "bedrock-runtime"));
    }
    if let Some(diagnosis) = wrong_address(view) {
        return Fact::Known(diagnosis);
    }
    if let Some(failure) = credentials {
        let service = failed_host(view).map_or("sts", |host| host.service.as_str()).to_owned();
        return Fact::Known(of_failure(view, failure, &service));
    }
    if evidence.invoke.main.known().is_some() {
        return Diagnosis::fine();
    }
    if evidence.region.known().is_none() && overridden_runtime(view).is_none() {
        return Fact::Absent("without a Region there is no host to call".into());
    }
    // No call was made at all: the probe of the hosts is all there is.
    match &evidence.network {
        Fact::Known(hosts) => {
            let runtime = hosts.iter().find(|host| host.service == "bedrock-runtime");
            match runtime.and_then(host_failure) {
                Some(failure) => Fact::Known(of_failure(view, failure, "bedrock-runtime")),
                None => Diagnosis::fine(),
            }
        }
        Fact::Absent(reason) => Fact::Absent(reason.clone()),
        Fact::Unreadable(obstacle) => Fact::Unreadable(obstacle.clone()),
    }
}

fn overridden_runtime(view: View<'_>) -> Option<&Setting> {
    view.evidence.settings.endpoints.get("bedrock-runtime")?.setting.as_ref()
}

/// The service itself answered one of the attempts.
fn answered(invocation: &Invocation) -> bool {
    invocation.attempts().any(|attempt| attempt.ok || attempt.failure.as_ref().is_some_and(Failure::is_answer))
}

fn main_is_retired(view: View<'_>) -> bool {
    let sent = view.evidence.invoke.main.known().map(|invocation| ModelRef::parse(&invocation.model_id));
    sent.and_then(|sent| sent.foundation_model).is_some_and(|model| model_id::is_retired(view, &model))
}

/// The credential chain itself took too long: a helper, a sign-in, a prompt. That says nothing of the network.
pub(super) fn is_slow_chain(failure: &Failure) -> bool {
    failure.code.as_deref() == Some("CredentialChainTimedOut")
}

/// The setting with which Claude Code verifies no certificates at all.
fn unverified(view: View<'_>) -> Option<&Setting> {
    let settings = &view.evidence.settings;
    let off = |setting: &&Setting| setting.name == "NODE_TLS_REJECT_UNAUTHORIZED" && setting.value == "0";
    settings.variables.iter().find(off).filter(|_| settings.client == Client::ClaudeCode)
}

fn host_failure(host: &HostReport) -> Option<&Failure> {
    [Some(&host.resolve), Some(&host.connect), host.tls.as_ref()]
        .into_iter()
        .flatten()
        .find_map(|step| step.failure.as_ref())
}

fn failed_host(view: View<'_>) -> Option<&HostReport> {
    view.evidence.network.known()?.iter().find(|host| host_failure(host).is_some())
}

/// The service answered, but what it said shows that the address is not that of Bedrock's runtime.
fn wrong_address(view: View<'_>) -> Option<Diagnosis> {
    let invocation = view.evidence.invoke.main.known()?;
    let endpoint = view.evidence.settings.endpoints.get("bedrock-runtime")?;
    let setting = endpoint.setting.as_ref()?;
    let failure = invocation.attempts().filter_map(|attempt| attempt.failure.as_ref()).find(|failure| {
        let unknown_path = matches!(failure.status, Some(404 | 405 | 501))
            && (failure.code.as_deref().is_none_or(|code| {
                code.contains("UnknownOperation")
                    || code.contains("UnknownEndpoint")
                    || code == "not_found_error"
                    || code.contains("InvalidAction")
            }) && !failure.message.to_lowercase().contains("model"));
        // AWS refuses credentials with 403; a 401 without a code of AWS's is a gateway's own.
        unknown_path
            || is_of_a_gateway(failure)
            || failure.code.as_deref() == Some("MissingAuthenticationTokenException")
    })?;
    let subcause = is_of_a_gateway(failure).then(|| "gateway-refuses".to_owned());
    Some(
        Diagnosis {
            url: Some(endpoint.url.clone()),
            setting: Some(setting.name.clone()),
            value: Some(setting.value.clone()),
            origin: Some(setting.origin.to_string()),
            host: Some(endpoint.host().to_owned()),
            measured: Some(format!("HTTP {} from {}", failure.status.unwrap_or(0), endpoint.host())),
            expected: Some("an answer of Bedrock's runtime".into()),
            confidence: if subcause.is_some() { Confidence::Likely } else { Confidence::Certain },
            subcause,
            ..Diagnosis::of("endpoint-url-wrong")
        }
        .with_failure(failure),
    )
}

/// A refusal that is none of AWS's: status 401 without an error code that AWS gives with it.
pub(super) fn is_of_a_gateway(failure: &Failure) -> bool {
    failure.status == Some(401)
        && failure.code.as_deref().is_none_or(|code| !code.ends_with("Exception") && code != "IncompleteSignature")
}

fn of_failure(view: View<'_>, failure: &Failure, service: &str) -> Diagnosis {
    let settings = &view.evidence.settings;
    let endpoint: Option<&Endpoint> = settings.endpoints.get(service);
    let host = view.evidence.network.known().and_then(|hosts| hosts.iter().find(|host| host.service == service));
    let overridden = endpoint.and_then(|endpoint| endpoint.setting.as_ref());
    let proxy = host.and_then(|host| host.proxy.clone());
    let https = endpoint.is_none_or(|endpoint| endpoint.url.starts_with("https"));
    let proxy_setting = if https { settings.route.https_proxy.as_ref() } else { settings.route.http_proxy.as_ref() };
    let name = endpoint.map_or_else(|| service.to_owned(), |endpoint| endpoint.host().to_owned());
    let base = Diagnosis {
        client: Some(settings.client.spoken().to_owned()),
        host: Some(name),
        url: endpoint.map(|endpoint| endpoint.url.clone()),
        region: view.evidence.region.known().map(|region| region.name.clone()),
        proxy: proxy.clone(),
        issuer: host.and_then(|host| host.issuer.clone()),
        setting: overridden.map(|setting| setting.name.clone()),
        value: overridden.map(|setting| setting.value.clone()),
        origin: overridden.map(|setting| setting.origin.to_string()),
        ..Diagnosis::default()
    }
    .with_failure(failure);
    let at_proxy = |diagnosis: Diagnosis, subcause: &str| Diagnosis {
        cause: "proxy-misconfigured".into(),
        setting: proxy_setting.map(|setting| setting.name.clone()),
        value: proxy_setting.map(|setting| setting.value.clone()),
        origin: proxy_setting.map(|setting| setting.origin.to_string()),
        ..diagnosis.with_subcause(subcause)
    };
    // A proxy that a start-up file sets and this process does not know is the way that is missing.
    let forgotten = view.evidence.shell.assignments.iter().find(|line| {
        let name = line.name.to_lowercase();
        name.ends_with("_proxy") && name != "no_proxy" && !line.in_effect
    });
    if proxy.is_none()
        && let Some(line) = forgotten
        && matches!(failure.kind, FailureKind::Dns | FailureKind::Connect | FailureKind::ConnectTimeout)
    {
        let place = format!("{}:{}", line.file, line.line);
        return Diagnosis {
            cause: "proxy-misconfigured".into(),
            setting: Some(line.name.clone()),
            value: line.value.clone(),
            origin: Some(format!("{place}, not in this process")),
            proxy: line.value.clone(),
            place: Some(place),
            ..base.with_subcause("not-in-this-process").sure(Confidence::Likely)
        };
    }
    // What the probe of the host saw is sharper than what the SDK made of it.
    let seen = host.and_then(host_failure).map_or(failure.kind, |it| match it.kind {
        FailureKind::Other => failure.kind,
        kind => kind,
    });
    match seen {
        FailureKind::Tls => tls(view, base, failure),
        FailureKind::Proxy => at_proxy(base, "proxy-refuses"),
        FailureKind::Dns | FailureKind::Connect | FailureKind::ConnectTimeout if proxy.is_some() => {
            at_proxy(base, "proxy-unreachable")
        }
        FailureKind::Dns | FailureKind::Connect if overridden.is_some() => {
            Diagnosis { cause: "endpoint-url-wrong".into(), ..base.with_subcause("nothing-answers") }
        }
        FailureKind::Dns => {
            let known =
                view.evidence.region.known().is_some_and(|region| view.knowledge.tables.region(&region.name).is_some());
            let diagnosis = Diagnosis { cause: "network-unreachable".into(), ..base.with_subcause("dns") };
            if known { diagnosis } else { diagnosis.sure(Confidence::Likely) }
        }
        FailureKind::ConnectTimeout => {
            let inside = view.evidence.machine.inside_aws.clone();
            let private = host.is_some_and(|host| host.private_address);
            if inside.is_some() || private {
                let evidence = match inside {
                    Some(place) => format!("this process runs inside AWS ({place})"),
                    None => "the host resolves to private addresses only, as of an interface endpoint".to_owned(),
                };
                Diagnosis { cause: "vpc-no-route".into(), evidence: Some(evidence), ..base }
            } else {
                Diagnosis { cause: "network-unreachable".into(), ..base.with_subcause("connect-timeout") }
            }
        }
        FailureKind::Response => foreign_answer(base, failure, overridden.is_some(), proxy.is_some(), at_proxy),
        FailureKind::Timeout => match view.evidence.settings.request_timeout_ms {
            Some(limit) if service == "bedrock-runtime" => Diagnosis {
                cause: "client-read-timeout".into(),
                limit: Some(format!("{limit} ms")),
                setting: Some("API_TIMEOUT_MS".into()),
                origin: origin_of(view, "API_TIMEOUT_MS"),
                ..base
            },
            _ => Diagnosis {
                cause: "network-unreachable".into(),
                ..base.with_subcause("no-answer").sure(Confidence::Likely)
            },
        },
        FailureKind::Connect => Diagnosis { cause: "network-unreachable".into(), ..base.with_subcause("connect") },
        FailureKind::CutStream => Diagnosis {
            cause: "network-unreachable".into(),
            ..base.with_subcause("cut-stream").sure(Confidence::Likely)
        },
        _ => Diagnosis { cause: "network-unreachable".into(), ..base.with_subcause("reset") },
    }
}

pub(super) fn origin_of(view: View<'_>, name: &str) -> Option<String> {
    view.evidence
        .settings
        .variables
        .iter()
        .find(|setting| setting.name == name)
        .map(|setting| setting.origin.to_string())
}

/// An answer that is none of the service: HTML, nothing, another content type.
fn foreign_answer(
    base: Diagnosis,
    failure: &Failure,
    overridden: bool,
    proxied: bool,
    at_proxy: impl Fn(Diagnosis, &str) -> Diagnosis,
) -> Diagnosis {
    if proxied {
        return at_proxy(base, "proxy-answers");
    }
    if overridden {
        return Diagnosis { cause: "endpoint-url-wrong".into(), ..base.with_subcause("foreign-answer") };
    }
    if failure.envelope == Some(Envelope::Html) || matches!(failure.status, Some(403 | 407 | 502)) {
        return Diagnosis {
            cause: "proxy-misconfigured".into(),
            ..base.with_subcause("something-answers").sure(Confidence::Likely)
        };
    }
    Diagnosis { cause: "network-unreachable".into(), ..base.with_subcause("foreign-answer").sure(Confidence::Likely) }
}

/// TLS: a certificate that is not valid now speaks of the clock, any other of somebody in between.
fn tls(view: View<'_>, base: Diagnosis, failure: &Failure) -> Diagnosis {
    let text = failure.message.to_lowercase();
    let route = &view.evidence.settings.route;
    let ca = route.ca_bundle.as_ref();
    let expired = text.contains("expired") || text.contains("notvalidyet") || text.contains("not valid yet");
    let wrong_name = text.contains("notvalidforname") || text.contains("not valid for name");
    if expired {
        return Diagnosis {
            cause: "clock-skew".into(),
            ..base.with_subcause("certificate-dates").sure(Confidence::Likely)
        };
    }
    if wrong_name && base.setting.is_some() {
        return Diagnosis { cause: "endpoint-url-wrong".into(), ..base.with_subcause("certificate-of-another-host") };
    }
    Diagnosis {
        cause: "tls-interception".into(),
        setting: ca.map(|ca| ca.name.clone()),
        file: ca.map(|ca| ca.value.clone()),
        origin: ca.map(|ca| ca.origin.to_string()),
        subcause: route.ca_bundle_problem.as_ref().map(|_| "ca-file-unusable".to_owned()),
        evidence: route.ca_bundle_problem.clone(),
        confidence: Confidence::Likely,
        ..base
    }
}
