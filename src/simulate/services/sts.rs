//! AWS Security Token Service: who am I, and sessions.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::simulate::cloud::identity::NewSession;
use crate::simulate::cloud::{AccessKey, Cloud};
use crate::simulate::exchange::{Answer, Exchange};
use crate::simulate::iam::policy::{Asker, Effect, Trust};
use crate::simulate::iam::{Context, Decision, Denial, Policy, PolicyType, managed_policy};
use crate::simulate::refusal::{Refusal, xml};
use crate::simulate::route::form_value;
use crate::simulate::router::unknown_operation;
use crate::simulate::scenario::world::{PrincipalKind, WebIdentitySpec};
use crate::simulate::texts::texts;
use crate::simulate::wire::Reply;

/// Answers an authenticated call.
pub(crate) fn answer(exchange: &mut Exchange<'_>) -> Answer {
    match exchange.operation.name.as_str() {
        "GetCallerIdentity" => {
            // Allowed whatever the policies say.
            exchange.capacity()?;
            let caller = exchange.caller();
            let result = format!(
                "<Arn>{}</Arn><UserId>{}</UserId><Account>{}</Account>",
                xml(&caller.arn),
                xml(&caller.user_id),
                caller.account_id
            );
            Ok(envelope(exchange, "GetCallerIdentity", &result))
        }
        "AssumeRole" => assume_role(exchange),
        "GetSessionToken" => get_session_token(exchange),
        "GetAccessKeyInfo" | "DecodeAuthorizationMessage" | "GetFederationToken" | "AssumeRoleWithSAML" => {
            Err(texts().not_simulated.refuse(&[("operation", &exchange.operation.name)]).unrecorded())
        }
        _ => Err(unknown_operation(exchange.operation)),
    }
}

/// Answers `AssumeRoleWithWebIdentity`, which bears no signature.
pub(crate) fn assume_role_with_web_identity(exchange: &mut Exchange<'_>) -> Answer {
    exchange.capacity()?;
    let token = form_value(exchange.request, "WebIdentityToken").unwrap_or_default();
    let claims = verify_web_identity(exchange.cloud, &token).ok_or_else(|| texts().web_identity_invalid.refuse(&[]))?;
    let (issuer, subject, audience) = (text(&claims, "iss"), text(&claims, "sub"), text(&claims, "aud"));
    let ends = Timestamp::from_second(claims["exp"].as_i64().unwrap_or_default()).unwrap_or_default();
    if ends <= exchange.now {
        let (now, expires) = (exchange.now.to_string(), ends.to_string());
        return Err(texts().web_identity_expired.refuse(&[("now", &now), ("expires", &expires)]));
    }
    let denied = || texts().assume_role_web_identity_denied.refuse(&[]);
    let role = find_role(exchange).ok_or_else(denied)?;
    let account = exchange.cloud.accounts[exchange.cloud.principals[role].account].id.clone();
    let provider = issuer.trim_start_matches("https://");
    let context = Context::default()
        .with(&format!("{provider}:sub"), subject.clone())
        .with(&format!("{provider}:aud"), audience.clone())
        .with("aws:RequestedRegion", exchange.region.clone());
    let asker = Asker {
        account: account.clone(),
        arns: Vec::new(),
        federated: Some(format!("arn:aws:iam::{account}:oidc-provider/{provider}")),
    };
    let trust = exchange.cloud.principals[role].trust.as_ref();
    let said = trust.map_or(Trust::Silent, |trust| trust.trust(&asker, "sts:AssumeRoleWithWebIdentity", &context));
    let arn = form_value(exchange.request, "RoleArn").unwrap_or_default();
    let action = "sts:AssumeRoleWithWebIdentity";
    let controls = exchange.resource_control(action, &arn).unwrap_or_default();
    let controlled = controls.iter().any(|policy| policy.has_for(&asker, Effect::Deny, action, &arn, &context));
    if controlled || !matches!(said, Trust::Account | Trust::Itself) {
        return Err(denied());
    }
    let key = open_session(exchange, role, false, Some(provider.to_owned()))?;
    let result = format!(
        "{}{}<SubjectFromWebIdentityToken>{}</SubjectFromWebIdentityToken><Audience>{}</Audience><Provider>{}</Provider>",
        credentials(&key),
        assumed(exchange, &key),
        xml(&subject),
        xml(&audience),
        xml(provider)
    );
    Ok(envelope(exchange, "AssumeRoleWithWebIdentity", &result))
}

fn assume_role(exchange: &mut Exchange<'_>) -> Answer {
    let arn = form_value(exchange.request, "RoleArn").unwrap_or_default();
    exchange.notes.parameters =
        json!({ "roleArn": arn, "roleSessionName": form_value(exchange.request, "RoleSessionName") });
    let caller = exchange.caller().clone();
    let Some(role) = find_role(exchange) else {
        return Err(texts().role_missing.refuse(&[("principal", &caller.arn), ("resource", &arn)]));
    };
    let mfa = second_factor(exchange)?;
    let mut context = exchange.context();
    if let Some(mfa) = mfa {
        context.set("aws:MultiFactorAuthPresent", mfa.to_string());
    }
    if let Some(external) = form_value(exchange.request, "ExternalId") {
        context.set("sts:ExternalId", external);
    }
    let trust_denial = |explicit| Denial { policy_type: PolicyType::RoleTrust, explicit, policy_arn: None };
    let trust = exchange.cloud.principals[role].trust.as_ref();
    let said = trust.map_or(Trust::Silent, |trust| trust.trust(&caller.asker(), "sts:AssumeRole", &context));
    let same_account = exchange.cloud.principals[role].account == caller.account;
    let decision = exchange.decide("sts:AssumeRole", &arn, &context);
    let denial = match (said, decision) {
        // A deny of any type comes before what the trust policy leaves out.
        (_, Decision::Denied(denial)) if denial.explicit => Some(denial),
        (Trust::Denied, _) => Some(trust_denial(true)),
        (Trust::Silent, _) => Some(trust_denial(false)),
        // Within an account, a trust policy that names the caller itself is enough, unless another type is silent.
        (Trust::Itself, Decision::Denied(denial)) if same_account && denial.policy_type == PolicyType::Identity => None,
        (_, Decision::Denied(denial)) => Some(denial),
        (_, Decision::Allowed) => None,
    };
    if let Some(denial) = denial {
        return Err(exchange.denied("sts:AssumeRole", &arn, &denial));
    }
    exchange.capacity()?;
    let key = open_session(exchange, role, mfa.unwrap_or_else(|| caller.mfa()), None)?;
    let result = format!("{}{}", credentials(&key), assumed(exchange, &key));
    Ok(envelope(exchange, "AssumeRole", &result))
}

fn get_session_token(exchange: &mut Exchange<'_>) -> Answer {
    let caller = exchange.caller().clone();
    let principal = &exchange.cloud.principals[caller.principal];
    if caller.session.is_some() || !matches!(principal.kind, PrincipalKind::User | PrincipalKind::Root) {
        return Err(texts().session_token_needs_user.refuse(&[]));
    }
    let mfa = second_factor(exchange)?.unwrap_or(false);
    exchange.capacity()?;
    let seconds = duration(exchange).unwrap_or(43_200);
    let session = NewSession {
        name: exchange.cloud.principals[caller.principal].iam_name.clone(),
        policies: Vec::new(),
        created: exchange.now,
        expires: exchange.now + SignedDuration::from_secs(seconds),
        mfa,
        federated: None,
    };
    let key = exchange.cloud.issue(caller.principal, session);
    Ok(envelope(exchange, "GetSessionToken", &credentials(&key)))
}

/// Checks the MFA code of a call; `None` when it brings none.
fn second_factor(exchange: &Exchange<'_>) -> Result<Option<bool>, Refusal> {
    let Some(code) = form_value(exchange.request, "TokenCode") else { return Ok(None) };
    let serial = form_value(exchange.request, "SerialNumber").unwrap_or_default();
    let caller = exchange.caller();
    let principal = &exchange.cloud.principals[caller.principal];
    let device = format!("arn:aws:iam::{}:mfa/{}", caller.account_id, principal.iam_name);
    match &principal.mfa_code {
        Some(right) if serial == device && *right == code => Ok(Some(true)),
        Some(_) if serial == device => Err(texts().mfa_code_refused.refuse(&[])),
        _ => Err(texts().mfa_device_unknown.refuse(&[])),
    }
}

fn open_session(
    exchange: &mut Exchange<'_>,
    role: usize,
    mfa: bool,
    federated: Option<String>,
) -> Result<AccessKey, Refusal> {
    let policies = session_policies(exchange)?;
    let seconds = duration(exchange).unwrap_or(3_600);
    if SignedDuration::from_secs(seconds) > exchange.cloud.principals[role].max_session {
        return Err(texts().session_too_long.refuse(&[]));
    }
    let session = NewSession {
        name: form_value(exchange.request, "RoleSessionName").unwrap_or_else(|| "session".to_owned()),
        policies,
        created: exchange.now,
        expires: exchange.now + SignedDuration::from_secs(seconds),
        mfa,
        federated,
    };
    Ok(exchange.cloud.issue(role, session))
}

/// Returns the session policies of a call: the inline one and up to ten managed ones.
fn session_policies(exchange: &Exchange<'_>) -> Result<Vec<Policy>, Refusal> {
    let mut policies = Vec::new();
    if let Some(inline) = form_value(exchange.request, "Policy") {
        policies.push(Policy::parse(&inline).map_err(|_| texts().malformed_policy.refuse(&[]))?);
    }
    for member in 1..=10 {
        let Some(arn) = form_value(exchange.request, &format!("PolicyArns.member.{member}.arn")) else { break };
        let attached = exchange.cloud.principals.iter().flat_map(|principal| &principal.policies);
        let known = managed_policy(&arn)
            .into_iter()
            .chain(attached)
            .find(|policy| arn.starts_with("arn:aws:iam::") && policy.arn.as_ref() == Some(&arn));
        policies.push(known.ok_or_else(|| texts().session_policy_unknown.refuse(&[("arn", &arn)]))?.clone());
    }
    Ok(policies)
}

fn duration(exchange: &Exchange<'_>) -> Option<i64> {
    // AWS takes 15 minutes to 36 hours; a role's own limit is checked against what was asked for.
    form_value(exchange.request, "DurationSeconds")?.parse::<i64>().ok().map(|seconds| seconds.clamp(900, 129_600))
}

fn find_role(exchange: &Exchange<'_>) -> Option<usize> {
    let arn = form_value(exchange.request, "RoleArn")?;
    let cloud = &exchange.cloud;
    cloud
        .principals
        .iter()
        .position(|principal| principal.is_role() && principal.arn(&cloud.accounts[principal.account].id) == arn)
}

fn credentials(key: &AccessKey) -> String {
    let session = key.session.as_ref().expect("sessions are made with one");
    format!(
        "<Credentials><AccessKeyId>{}</AccessKeyId><SecretAccessKey>{}</SecretAccessKey><SessionToken>{}</SessionToken>\
         <Expiration>{}</Expiration></Credentials>",
        key.id,
        xml(&key.secret),
        xml(&session.token),
        session.expires.strftime("%Y-%m-%dT%H:%M:%SZ")
    )
}

fn assumed(exchange: &Exchange<'_>, key: &AccessKey) -> String {
    let caller = exchange.cloud.caller(key, None);
    format!(
        "<AssumedRoleUser><AssumedRoleId>{}</AssumedRoleId><Arn>{}</Arn></AssumedRoleUser>",
        xml(&caller.user_id),
        xml(&caller.arn)
    )
}

fn envelope(exchange: &Exchange<'_>, name: &str, result: &str) -> Reply {
    let body = format!(
        "<{name}Response xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><{name}Result>{result}</{name}Result>\
         <ResponseMetadata><RequestId>{}</RequestId></ResponseMetadata></{name}Response>",
        exchange.request_id
    );
    Reply::new(200, "text/xml", body)
}

fn text(claims: &Value, name: &str) -> String {
    claims[name].as_str().unwrap_or_default().to_owned()
}

/// Makes the token of a web identity: a JSON Web Token whose signature only this world can make.
pub(crate) fn web_identity_token(cloud: &Cloud, identity: &WebIdentitySpec) -> String {
    let ends = identity.expires.unwrap_or_default().after(cloud.started)
        + if identity.expires.is_some() { SignedDuration::ZERO } else { SignedDuration::from_hours(12) };
    let encode = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
    let header = encode(&json!({ "alg": "SIM256", "typ": "JWT" }));
    let issuer =
        if identity.issuer.contains("://") { identity.issuer.clone() } else { format!("https://{}", identity.issuer) };
    let payload = encode(&json!({
        "iss": issuer, "sub": identity.subject, "aud": identity.audience, "exp": ends.as_second(),
    }));
    let signature = cloud.seed.hex(&format!("web identity {header}.{payload}"), 43);
    format!("{header}.{payload}.{signature}")
}

fn verify_web_identity(cloud: &Cloud, token: &str) -> Option<Value> {
    let (signed, signature) = token.rsplit_once('.')?;
    let (_, payload) = signed.split_once('.')?;
    if cloud.seed.hex(&format!("web identity {signed}"), 43) != signature {
        return None;
    }
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(payload).ok()?).ok()
}
