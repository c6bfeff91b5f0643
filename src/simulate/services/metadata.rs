//! The credential endpoints of machines in AWS: EC2 instance metadata (version 2) and the container credentials endpoint.

use jiff::SignedDuration;
use serde_json::json;

use crate::simulate::cloud::identity::NewSession;
use crate::simulate::cloud::{AccessKey, Cloud};
use crate::simulate::exchange::{Answer, Exchange};
use crate::simulate::texts::texts;
use crate::simulate::wire::{Delivery, Reply};

/// Returns the token that opens the container endpoint.
pub(crate) fn container_token(cloud: &Cloud) -> String {
    cloud.seed.word("container authorization token")
}

/// Answers the instance metadata service.
pub(crate) fn instance(exchange: &mut Exchange<'_>) -> Reply {
    let token = exchange.cloud.seed.word("instance metadata token");
    let (method, path) = (exchange.request.method.as_str(), exchange.operation.target.trim_end_matches('/'));
    if (method, path) == ("PUT", "/latest/api/token") {
        if exchange.cloud.metadata.token_hangs {
            return Reply::undelivered(Delivery::Hang);
        }
        let ttl = exchange.request.header("x-aws-ec2-metadata-token-ttl-seconds").unwrap_or("21600");
        return plain(200, &token).with_header("x-aws-ec2-metadata-token-ttl-seconds", ttl);
    }
    if method != "GET" {
        return plain(405, "");
    }
    if exchange.request.header("x-aws-ec2-metadata-token") != Some(token.as_str()) {
        return plain(401, "");
    }
    let role = exchange.cloud.metadata.role.clone();
    let iam_name = role.as_ref().and_then(|role| exchange.cloud.principal(role)).map(|role| role.iam_name.clone());
    let credentials = "/latest/meta-data/iam/security-credentials";
    let region = exchange.cloud.home_region.clone();
    match (path, role, iam_name) {
        (path, Some(_), Some(name)) if path == credentials => plain(200, &name),
        (path, Some(role), Some(name)) if path == format!("{credentials}/{name}") => {
            let key = session_key(exchange, &role, "i-0simulated00000001");
            let now = exchange.now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
            let document = key.map(|(key, account)| {
                let mut document = credential_document(&key, &account);
                document["Code"] = json!("Success");
                document["LastUpdated"] = json!(now);
                document["Type"] = json!("AWS-HMAC");
                document
            });
            document.map_or_else(|| plain(404, ""), |document| Reply::json(200, &document))
        }
        ("/latest/meta-data/placement/region", _, _) => plain(200, &region),
        ("/latest/meta-data/placement/availability-zone", _, _) => plain(200, &format!("{region}a")),
        ("/latest/meta-data/instance-id", _, _) => plain(200, "i-0simulated00000001"),
        ("/latest/dynamic/instance-identity/document", _, _) => Reply::json(
            200,
            &json!({ "accountId": exchange.cloud.account().id, "region": region, "instanceId": "i-0simulated00000001" }),
        ),
        _ => plain(404, ""),
    }
}

/// Answers the container credentials endpoint.
pub(crate) fn container(exchange: &mut Exchange<'_>) -> Answer {
    let Some(role) = exchange.cloud.container_role.clone() else { return Ok(plain(404, "")) };
    if exchange.request.header("authorization") != Some(container_token(exchange.cloud).as_str()) {
        return Err(texts().container_token_refused.refuse(&[]));
    }
    let key = session_key(exchange, &role, "simulated-task");
    Ok(key.map_or_else(|| plain(404, ""), |(key, account)| Reply::json(200, &credential_document(&key, &account))))
}

fn session_key(exchange: &mut Exchange<'_>, role: &str, name: &str) -> Option<(AccessKey, String)> {
    let at = exchange.cloud.principals.iter().position(|principal| principal.name == role)?;
    let account = exchange.cloud.accounts[exchange.cloud.principals[at].account].id.clone();
    let session = NewSession {
        name: name.to_owned(),
        policies: Vec::new(),
        created: exchange.now,
        expires: exchange.now + SignedDuration::from_hours(6),
        mfa: false,
        federated: None,
    };
    Some((exchange.cloud.issue(at, session), account))
}

fn credential_document(key: &AccessKey, account: &str) -> serde_json::Value {
    let session = key.session.as_ref().expect("sessions are made with one");
    json!({
        "AccessKeyId": key.id,
        "SecretAccessKey": key.secret,
        "Token": session.token,
        "Expiration": session.expires.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        "AccountId": account,
    })
}

fn plain(status: u16, body: &str) -> Reply {
    Reply::new(status, "text/plain", body.to_owned())
}
