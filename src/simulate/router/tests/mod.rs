//! Calls against the router: signed requests go in as values, replies come out.

mod access;
mod credentials;
mod history;
mod models;
mod policies;
mod scenarios;

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::handle;
use crate::simulate::cloud::{Cloud, HeldKey};
use crate::simulate::scenario::Scenario;
use crate::simulate::sigv4;
use crate::simulate::wire::{Reply, Request};

const OPUS: &str = "us.anthropic.claude-opus-5-5";
const SONNET: &str = "us.anthropic.claude-sonnet-4-5-20250929-v1:0";

/// A cloud and a clock.
struct World {
    cloud: Cloud,
    now: Timestamp,
    region: String,
}

impl World {
    /// Builds the world of a scenario without its head.
    fn new(rest: &str) -> Self {
        let head = "title = \"t\"\nstory = \"s\"\nverdict = \"ok\"\n";
        let scenario = Scenario::parse("test", &format!("{head}{rest}")).unwrap();
        Self::of(&scenario)
    }

    fn of(scenario: &Scenario) -> Self {
        let now: Timestamp = "2026-11-22T10:00:00Z".parse().unwrap();
        let cloud = Cloud::new(scenario, now).unwrap();
        let region = cloud.home_region.clone();
        Self { cloud, now, region }
    }

    /// One user with one of the built-in policies.
    fn with_policy(policy: &str) -> Self {
        Self::new(&format!("[[world.principals]]\nname = \"dev\"\npolicies = [\"{policy}\"]\n"))
    }

    fn pass(&mut self, seconds: i64) {
        self.now += SignedDuration::from_secs(seconds);
    }

    /// Makes a request signed by a held key.
    fn signed(&self, key: &HeldKey, service: &str, request: Request) -> Request {
        self.signed_at(key, service, request, self.now)
    }

    fn signed_at(&self, key: &HeldKey, service: &str, mut request: Request, at: Timestamp) -> Request {
        let time = at.strftime("%Y%m%dT%H%M%SZ").to_string();
        let mut add = |name: &str, value: &str| request.headers.push((name.to_owned(), value.to_owned()));
        add("host", "127.0.0.1:1234");
        add("x-amz-date", &time);
        let mut signed = "host;x-amz-date".to_owned();
        if let Some(token) = &key.token {
            add("x-amz-security-token", token);
            signed.push_str(";x-amz-security-token");
        }
        let scope = format!("{}/{}/{}/{service}/aws4_request", key.id, &time[..8], self.region);
        let authorization = |signature: &str| {
            format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders={signed}, Signature={signature}")
        };
        request.headers.push(("authorization".to_owned(), authorization("none")));
        let claim = sigv4::claim(&request).unwrap().unwrap();
        let signature = sigv4::expected_signature(&request, &claim, &key.secret);
        request.headers.pop();
        request.headers.push(("authorization".to_owned(), authorization(&signature)));
        request
    }

    fn send(&mut self, request: &Request) -> Seen {
        Seen::of(&handle(&mut self.cloud, request, self.now))
    }

    fn call(&mut self, who: &str, service: &str, method: &str, target: &str, body: &Value) -> Seen {
        let key = self.cloud.held_key(who).unwrap().clone();
        let body = if body.is_null() { Bytes::new() } else { body.to_string().into() };
        let request = request(method, target, body);
        let request = self.signed(&key, service, request);
        self.send(&request)
    }

    fn invoke(&mut self, who: &str, model: &str) -> Seen {
        self.invoke_with(who, model, &json!({}))
    }

    /// Invokes a model with some members of the body changed.
    fn invoke_with(&mut self, who: &str, model: &str, change: &Value) -> Seen {
        let mut body = json!({
            "anthropic_version": "bedrock-2023-05-31",
            "max_tokens": 100,
            "messages": [{ "role": "user", "content": "hi" }],
        });
        for (name, value) in change.as_object().unwrap() {
            body[name] = value.clone();
        }
        self.call(who, "bedrock", "POST", &format!("/model/{}/invoke", model.replace(':', "%3A")), &body)
    }

    fn get(&mut self, who: &str, target: &str) -> Seen {
        self.call(who, "bedrock", "GET", target, &Value::Null)
    }

    fn sts(&mut self, who: &str, form: &str) -> Seen {
        let key = self.cloud.held_key(who).unwrap().clone();
        let request = self.signed(&key, "sts", form_request(form));
        self.send(&request)
    }

    fn target(&mut self, who: &str, service: &str, target: &str, body: &Value) -> Seen {
        let key = self.cloud.held_key(who).unwrap().clone();
        let mut request = request("POST", "/", body.to_string().into());
        request.headers.push(("x-amz-target".to_owned(), target.to_owned()));
        let request = self.signed(&key, service, request);
        self.send(&request)
    }

    fn bearer(&mut self, token: &str, target: &str) -> Seen {
        let mut request = request("GET", target, Bytes::new());
        request.headers.push(("authorization".to_owned(), format!("Bearer {token}")));
        self.send(&request)
    }
}

fn request(method: &str, target: &str, body: Bytes) -> Request {
    Request { method: method.to_owned(), target: target.to_owned(), body, ..Request::default() }
}

fn form_request(form: &str) -> Request {
    let mut request = request("POST", "/", form.to_owned().into());
    request.headers.push(("content-type".to_owned(), "application/x-www-form-urlencoded".to_owned()));
    request
}

/// What a client makes of a reply.
#[derive(Clone, Debug, PartialEq)]
struct Seen {
    status: u16,
    code: String,
    message: String,
    text: String,
}

impl Seen {
    fn of(reply: &Reply) -> Self {
        let text = String::from_utf8_lossy(&reply.bytes()).into_owned();
        let json: Value = serde_json::from_str(&text).unwrap_or_default();
        let between = |start: &str, end: &str| Some(text.split_once(start)?.1.split_once(end)?.0.to_owned());
        let header = reply.header("x-amzn-errortype").map(|value| value.split(':').next().unwrap().to_owned());
        let code = header
            .or_else(|| json["__type"].as_str().map(str::to_owned))
            .or_else(|| json["error"]["type"].as_str().map(str::to_owned))
            .or_else(|| between("<Code>", "</Code>"));
        let message = ["message", "Message"].iter().find_map(|field| json[*field].as_str()).map(str::to_owned);
        let message = message
            .or_else(|| json["error"]["message"].as_str().map(str::to_owned))
            .or_else(|| between("<Message>", "</Message>"));
        Self { status: reply.status, code: code.unwrap_or_default(), message: message.unwrap_or_default(), text }
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_default()
    }

    /// Status and code.
    fn brief(&self) -> (u16, &str) {
        (self.status, &self.code)
    }
}
