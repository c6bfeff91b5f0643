//! IAM Identity Center: the portal that gives out role credentials, and the renewal of its sessions.
//!
//! Enough for SDKs that hold a cached session. Logging in (device authorization) needs a browser and is not simulated.

use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::simulate::cloud::Cloud;
use crate::simulate::cloud::identity::NewSession;
use crate::simulate::exchange::{Answer, Exchange};
use crate::simulate::route::query_value;
use crate::simulate::router::unknown_operation;
use crate::simulate::scenario::world::PrincipalKind;
use crate::simulate::texts::texts;
use crate::simulate::wire::Reply;

/// The secrets of the machine's Identity Center session, all made from the scenario's name.
#[derive(Debug)]
pub(crate) struct SsoSession {
    pub(crate) access_token: String,
    pub(crate) refresh_token: String,
    pub(crate) client_id: String,
    pub(crate) client_secret: String,
    renewed_token: String,
}

impl SsoSession {
    pub(crate) fn of(cloud: &Cloud) -> Self {
        Self {
            access_token: cloud.seed.word("sso access token"),
            refresh_token: cloud.seed.word("sso refresh token"),
            client_id: cloud.seed.word("sso client id"),
            client_secret: cloud.seed.word("sso client secret"),
            renewed_token: cloud.seed.word("sso renewed access token"),
        }
    }
}

/// Answers the portal.
pub(crate) fn portal(exchange: &mut Exchange<'_>) -> Answer {
    exchange.capacity()?;
    let session = SsoSession::of(exchange.cloud);
    let token = exchange.request.header("x-amz-sso_bearer_token").unwrap_or_default();
    let fresh = token == session.access_token && exchange.cloud.sso.session_valid.unwrap_or(true);
    if !fresh && token != session.renewed_token {
        return Err(texts().sso_token_invalid.refuse(&[]));
    }
    match exchange.operation.name.as_str() {
        "GetRoleCredentials" => role_credentials(exchange),
        "ListAccounts" => {
            let account = exchange.cloud.account();
            let accounts =
                json!([{ "accountId": account.id, "accountName": account.alias, "emailAddress": "aws@example.com" }]);
            Ok(Reply::json(200, &json!({ "accountList": accounts })))
        }
        "ListAccountRoles" => {
            let account = exchange.cloud.account().id.clone();
            let principals =
                exchange.cloud.principals.iter().filter(|principal| principal.kind == PrincipalKind::SsoRole);
            let roles: Vec<Value> =
                principals.map(|principal| json!({ "roleName": principal.name, "accountId": account })).collect();
            Ok(Reply::json(200, &json!({ "roleList": roles })))
        }
        _ => Err(unknown_operation(exchange.operation)),
    }
}

fn role_credentials(exchange: &mut Exchange<'_>) -> Answer {
    let role = query_value(exchange.request, "role_name").unwrap_or_default();
    let account = query_value(exchange.request, "account_id").unwrap_or_default();
    let cloud = &mut *exchange.cloud;
    let principal = cloud.principals.iter().position(|principal| {
        principal.kind == PrincipalKind::SsoRole
            && principal.name == role
            && cloud.accounts[principal.account].id == account
    });
    let principal = principal.ok_or_else(|| texts().sso_no_access.refuse(&[]))?;
    let name = cloud
        .keys
        .iter()
        .find(|key| key.principal == principal)
        .and_then(|key| key.session.as_ref())
        .map_or_else(|| "user@example.com".to_owned(), |session| session.name.clone());
    let expires = exchange.now + SignedDuration::from_hours(1);
    let session =
        NewSession { name, policies: Vec::new(), created: exchange.now, expires, mfa: false, federated: None };
    let key = cloud.issue(principal, session);
    Ok(Reply::json(
        200,
        &json!({ "roleCredentials": {
            "accessKeyId": key.id,
            "secretAccessKey": key.secret,
            "sessionToken": key.session.as_ref().map(|session| &session.token),
            "expiration": expires.as_millisecond(),
        } }),
    ))
}

/// Answers the OpenID Connect side.
pub(crate) fn oidc(exchange: &mut Exchange<'_>) -> Answer {
    exchange.capacity()?;
    if exchange.operation.name != "CreateToken" {
        return Err(texts().not_simulated.refuse(&[("operation", &exchange.operation.name)]));
    }
    let body = exchange.json_body().unwrap_or_default();
    let session = SsoSession::of(exchange.cloud);
    let is = |name: &str, value: &str| body[name].as_str() == Some(value);
    if !is("clientId", &session.client_id) || !is("clientSecret", &session.client_secret) {
        return Err(texts().sso_client_invalid.refuse(&[]));
    }
    let refresh_valid = exchange.cloud.sso.refresh_valid.unwrap_or(true);
    if !is("grantType", "refresh_token") || !is("refreshToken", &session.refresh_token) || !refresh_valid {
        return Err(texts().sso_grant_invalid.refuse(&[]));
    }
    Ok(Reply::json(
        200,
        &json!({
            "accessToken": session.renewed_token,
            "tokenType": "Bearer",
            "expiresIn": 28_800,
            "refreshToken": session.refresh_token,
        }),
    ))
}
