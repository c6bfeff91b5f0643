//! The router: a request and the state of the cloud go in, a reply comes out.
//!
//! Pure but for the state it is given. It authenticates, hands the call to its service, lets faults strike, writes the trail and
//! the log, and adds the headers that every reply has.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use crate::simulate::authentication::{authenticate, unsigned_region};
use crate::simulate::cloud::trail::Deed;
use crate::simulate::cloud::{Call, Cloud};
use crate::simulate::exchange::{Answer, Exchange};
use crate::simulate::refusal::Refusal;
use crate::simulate::route::{Operation, Service, identify};
use crate::simulate::scenario::Span;
use crate::simulate::scenario::fault::{FaultKind, FaultSpec};
use crate::simulate::services::{bedrock, cloudtrail, metadata, quotas, runtime, sso, sts};
use crate::simulate::sigv4;
use crate::simulate::texts::{self, texts};
use crate::simulate::wire::{Body, Delivery, Reply, Request};

/// The header by which every reply says that it is not AWS's.
pub(crate) const SIMULATED: (&str, &str) = ("x-bedside-simulated", "true");

/// Returns whether a request is for the metadata or container service, which answer on the link of the machine itself.
pub(crate) fn is_link_local(request: &Request) -> bool {
    matches!(identify(request).service, Service::InstanceMetadata | Service::ContainerCredentials)
}

/// Answers a request; `now` is AWS's time.
pub fn handle(cloud: &mut Cloud, request: &Request, now: Timestamp) -> Reply {
    let operation = identify(request);
    let request_id = cloud.next_uuid();
    let region = match sigv4::claim(request) {
        Ok(Some(claim)) => claim.region,
        _ => unsigned_region(cloud, request, &operation),
    };
    let mut exchange = Exchange::new(cloud, request, now, &operation, region, request_id);
    if operation.service == Service::BedrockRuntime {
        exchange.notes.model = Some(operation.target.clone());
    }
    let fault = exchange.strike(FaultKind::in_between);
    let reached = fault.is_none();
    let (mut reply, outcome) = match fault {
        Some(fault) => (in_between(&fault), fault_name(fault.kind).to_owned()),
        None => answered(&mut exchange),
    };
    if let Some(fault) = exchange.strike(|kind| kind == FaultKind::Latency) {
        reply.delay += fault.delay.unwrap_or_default().wait();
    }
    let call = Call {
        time: now,
        service: operation.service.name().to_owned(),
        operation: operation.name.clone(),
        region: exchange.region.clone(),
        principal: exchange.known_caller().map(|caller| caller.arn.clone()),
        model: exchange.notes.model.clone(),
        status: reply.status,
        outcome,
    };
    let request_id = std::mem::take(&mut exchange.request_id);
    cloud.log(call);
    let reply = reply.with_header("date", now.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string());
    let reply = reply.with_header(SIMULATED.0, SIMULATED.1);
    // What never reached AWS has no request id.
    if reached { reply.with_header("x-amzn-requestid", request_id) } else { reply }
}

/// Answers a call that reached AWS, writes its record and returns the reply with the outcome for the log.
fn answered(exchange: &mut Exchange<'_>) -> (Reply, String) {
    let answer = dispatch(exchange);
    let mut refusal = answer.as_ref().err().cloned();
    let mut reply = match answer {
        Ok(reply) => reply,
        Err(refusal) => {
            refusal.reply(exchange.operation.service.protocol(), exchange.notes.envelope, &exchange.request_id)
        }
    };
    let mut outcome = refusal
        .as_ref()
        .map_or_else(|| "ok".to_owned(), |refusal| refusal.code_for(exchange.operation.service.protocol()).to_owned());
    let streams = matches!(reply.body, Body::Frames(_));
    let lists = is_list(exchange.operation);
    if reply.status < 300
        && let Some(fault) = exchange.strike(|kind| spoils(kind, streams, lists))
    {
        let model = exchange.notes.model.clone().unwrap_or_default();
        outcome = spoil(&mut reply, &fault, &model, &mut refusal);
        exchange.notes.tokens = None;
    }
    record(exchange, refusal.as_ref());
    (reply, outcome)
}

fn dispatch(exchange: &mut Exchange<'_>) -> Answer {
    let operation = exchange.operation;
    match (operation.service, operation.name.as_str()) {
        (Service::InstanceMetadata, _) => return Ok(metadata::instance(exchange)),
        (Service::ContainerCredentials, _) => return metadata::container(exchange),
        (Service::Sso, _) => return sso::portal(exchange),
        (Service::SsoOidc, _) => return sso::oidc(exchange),
        (Service::Sts, "AssumeRoleWithWebIdentity") => return sts::assume_role_with_web_identity(exchange),
        (Service::Unknown, _) => return Err(unknown_operation(operation)),
        _ => {}
    }
    let (caller, region) = authenticate(exchange.cloud, exchange.request, operation, exchange.now)?;
    let bearer = caller.bearer.is_some();
    exchange.set_caller(caller);
    exchange.region = region;
    if bearer {
        exchange.authorize("bedrock:CallWithBearerToken", "*", &exchange.context())?;
    }
    match operation.service {
        Service::Sts => sts::answer(exchange),
        Service::Bedrock => bedrock::answer(exchange),
        Service::BedrockRuntime => runtime::answer(exchange),
        Service::CloudTrail => cloudtrail::answer(exchange),
        Service::Quotas => quotas::answer(exchange),
        Service::Sso
        | Service::SsoOidc
        | Service::InstanceMetadata
        | Service::ContainerCredentials
        | Service::Unknown => Err(unknown_operation(operation)),
    }
}

/// Returns the refusal of an operation that the service does not know.
pub(crate) fn unknown_operation(operation: &Operation) -> Refusal {
    let refusal = match operation.service {
        Service::Sts => texts().action_unknown.refuse(&[("action", &operation.name), ("version", "2011-06-15")]),
        _ => texts().operation_unknown.refuse(&[]),
    };
    refusal.unrecorded()
}

/// Returns the reply of something that sits between the client and AWS.
fn in_between(fault: &FaultSpec) -> Reply {
    let status = |default| fault.status.unwrap_or(default);
    let mut reply = match fault.kind {
        FaultKind::Hang => Reply::undelivered(Delivery::Hang),
        FaultKind::Reset => Reply::undelivered(Delivery::Reset),
        FaultKind::Garbage => {
            let bytes: Vec<u8> = (0..512_u32).map(|at| (at.wrapping_mul(97) % 251) as u8).collect();
            Reply::new(status(200), "application/octet-stream", bytes)
        }
        FaultKind::Html => {
            let page = "<!DOCTYPE html>\n<html><head><title>Access blocked</title></head>\
                        <body><h1>This page was blocked by your company's web gateway.</h1></body></html>\n";
            Reply::new(status(200), "text/html; charset=utf-8", page)
        }
        FaultKind::Empty => Reply { headers: Vec::new(), ..Reply::new(status(200), "", "") },
        _ => Reply::json(status(500), &serde_json::json!({})),
    };
    reply.delay = fault.delay.map_or(Duration::ZERO, Span::wait);
    reply
}

/// Whether an operation of one of the simulated services answers with a list.
fn is_list(operation: &Operation) -> bool {
    matches!(operation.service, Service::Bedrock | Service::CloudTrail | Service::Quotas)
        && (operation.name.starts_with("List") || operation.name == "LookupEvents")
}

/// Whether a fault of that kind spoils a reply; some spoil streams or lists only.
fn spoils(kind: FaultKind, streams: bool, lists: bool) -> bool {
    match kind {
        FaultKind::WrongContentType => true,
        FaultKind::TruncateStream | FaultKind::ExceptionFrame => streams,
        FaultKind::EmptyLists => lists,
        _ => false,
    }
}

/// Spoils a good reply and returns the outcome for the log.
fn spoil(reply: &mut Reply, fault: &FaultSpec, model: &str, refusal: &mut Option<Refusal>) -> String {
    match (fault.kind, &mut reply.body) {
        (FaultKind::EmptyLists, Body::Whole(bytes)) => {
            let mut answer: Value = serde_json::from_slice(bytes).unwrap_or_default();
            if let Some(members) = answer.as_object_mut() {
                members.retain(|name, _| !name.eq_ignore_ascii_case("nextToken"));
                members.values_mut().filter_map(Value::as_array_mut).for_each(Vec::clear);
            }
            *bytes = answer.to_string().into();
        }
        (FaultKind::WrongContentType, _) => {
            for (name, value) in &mut reply.headers {
                if name == "content-type" {
                    "text/plain".clone_into(value);
                }
            }
        }
        (FaultKind::ExceptionFrame, Body::Frames(frames)) => {
            let text = fault.text.as_deref().and_then(texts::by_key).unwrap_or(&texts().model_stream_error);
            let told = text.refuse(&[("model", model)]);
            frames.truncate(frames.len() / 2);
            frames.push(runtime::frames::exception(&told));
            *refusal = Some(told);
        }
        (_, Body::Frames(frames)) => reply.delivery = Delivery::CutAfter(frames.len() / 2),
        (_, Body::Whole(_)) => {}
    }
    reply.delay += fault.delay.map_or(Duration::ZERO, Span::wait);
    fault_name(fault.kind).to_owned()
}

/// Writes what happened into the trail of the caller's account.
fn record(exchange: &mut Exchange<'_>, refusal: Option<&Refusal>) {
    let operation = exchange.operation;
    let source = match operation.service {
        Service::Bedrock | Service::BedrockRuntime => "bedrock.amazonaws.com",
        Service::Sts => "sts.amazonaws.com",
        Service::CloudTrail => "cloudtrail.amazonaws.com",
        Service::Quotas => "servicequotas.amazonaws.com",
        _ => return,
    };
    let Some(caller) = exchange.known_caller().cloned() else { return };
    if exchange.notes.unrecorded || refusal.is_some_and(|refusal| !refusal.recorded) {
        return;
    }
    let writes = ["Put", "Create", "Delete", "Request"].iter().any(|verb| operation.name.starts_with(verb));
    let host = format!("{}.{}.amazonaws.com", operation.service.name(), exchange.region);
    let user_agent = exchange.request.header("user-agent").unwrap_or_default().to_owned();
    let inference_region = exchange.notes.inference_region.clone();
    let deed = Deed {
        time: exchange.now,
        region: &exchange.region,
        source,
        name: &operation.name,
        read_only: !writes,
        user_agent: &user_agent,
        host: &host,
        request_id: &exchange.request_id,
        parameters: exchange.notes.parameters.take(),
        error: refusal
            .map(|refusal| (refusal.code_for(operation.service.protocol()).to_owned(), refusal.message.clone())),
        inference_region: inference_region.as_deref(),
        tokens: exchange.notes.tokens,
    };
    let visible = exchange.now + exchange.cloud.accounts[caller.account].trail.delay;
    exchange.cloud.record(&caller, &deed, visible);
}

fn fault_name(kind: FaultKind) -> &'static str {
    match kind {
        FaultKind::Throttle => "throttle",
        FaultKind::Refuse => "refuse",
        FaultKind::Status => "status",
        FaultKind::Hang => "hang",
        FaultKind::Reset => "reset",
        FaultKind::Garbage => "garbage",
        FaultKind::Html => "html",
        FaultKind::Empty => "empty",
        FaultKind::TruncateStream => "truncate-stream",
        FaultKind::ExceptionFrame => "exception-frame",
        FaultKind::WrongContentType => "wrong-content-type",
        FaultKind::EmptyLists => "empty-lists",
        FaultKind::BigError => "big-error",
        FaultKind::Latency => "latency",
    }
}

#[cfg(test)]
mod tests;
