//! Who is calling: signatures, sessions and Bedrock API keys.
//!
//! Decides only whether a caller is who it claims to be; what it may do is for `iam`.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::simulate::catalog::catalog;
use crate::simulate::cloud::{AccessKey, Caller, Cloud};
use crate::simulate::refusal::Refusal;
use crate::simulate::route::{Operation, Service};
use crate::simulate::scenario::world::ApiKeyKind;
use crate::simulate::sigv4::{self, Claim};
use crate::simulate::texts::{Text, texts};
use crate::simulate::wire::Request;

/// Returns the caller and the Region of the call.
///
/// The Region of a signed call is that of the credential scope. A bearer token has no scope: its Region is that of the host
/// name, else that of the path's prefix, else the world's home.
pub(crate) fn authenticate(
    cloud: &Cloud,
    request: &Request,
    operation: &Operation,
    now: Timestamp,
) -> Result<(Caller, String), Refusal> {
    let authorization = request.header("authorization").unwrap_or_default();
    if let Some(token) = authorization.strip_prefix("Bearer").filter(|_| operation.service.is_bedrock()) {
        let region = unsigned_region(cloud, request, operation);
        if operation.prefix_region.as_ref().is_some_and(|prefix| *prefix != region) {
            // The host is that of one Region, the path that of another: no key is good for both.
            return Err(texts().api_key_invalid.refuse(&[]).unrecorded());
        }
        let caller = match behind_gateway(cloud, token.trim()) {
            Some(caller) => caller,
            None => bearer(cloud, token.trim(), &region, now)?,
        };
        return Ok((caller, region));
    }
    let claim = match sigv4::claim(request) {
        Ok(Some(claim)) => claim,
        Ok(None) => {
            let runtime = operation.service == Service::BedrockRuntime;
            let text = if runtime { &texts().authorization_missing } else { &texts().token_missing };
            return Err(text.refuse(&[]).unrecorded());
        }
        Err(sigv4::Incomplete) => return Err(texts().signature_incomplete.refuse(&[]).unrecorded()),
    };
    let caller = signed(cloud, request, operation, &claim, now).map_err(Refusal::unrecorded)?;
    Ok((caller, claim.region))
}

/// Returns the token that a company's gateway wants to see.
pub(crate) fn gateway_token(cloud: &Cloud) -> String {
    cloud.seed.word("gateway token")
}

/// Returns the principal in whose name a gateway calls, if the token is the gateway's own.
fn behind_gateway(cloud: &Cloud, token: &str) -> Option<Caller> {
    let name = cloud.gateway_principal.as_ref().filter(|_| token == gateway_token(cloud))?;
    let principal = cloud.principals.iter().position(|principal| principal.name == *name)?;
    let key = cloud.keys.iter().find(|key| key.principal == principal)?;
    Some(cloud.caller(key, None))
}

/// Returns the Region of a call that bears no signature.
pub(crate) fn unsigned_region(cloud: &Cloud, request: &Request, operation: &Operation) -> String {
    host_region(request).or_else(|| operation.prefix_region.clone()).unwrap_or_else(|| cloud.home_region.clone())
}

/// Returns the Region in a host name such as `bedrock-runtime.us-east-1.amazonaws.com`.
fn host_region(request: &Request) -> Option<String> {
    let host = request.header("host")?.split(':').next()?;
    host.split('.').find(|label| catalog().region(label).is_some()).map(str::to_owned)
}

fn signed(
    cloud: &Cloud,
    request: &Request,
    operation: &Operation,
    claim: &Claim,
    now: Timestamp,
) -> Result<Caller, Refusal> {
    let service = operation.service;
    if let Some(name) = service.signing_name().filter(|name| *name != claim.service) {
        return Err(texts().scope_service.refuse(&[("service", name)]));
    }
    let known = catalog().region(&claim.region).is_some_and(|region| region.bedrock || !service.is_bedrock());
    let called = [host_region(request), operation.prefix_region.clone()];
    if !known || called.iter().flatten().any(|region| *region != claim.region) {
        return Err(texts().scope_region.refuse(&[]));
    }
    if !claim.signed_headers.iter().any(|name| name == "host") {
        return Err(texts().host_not_signed.refuse(&[]));
    }
    let key = known_key(cloud, &claim.access_key, claim.session_token.as_deref())
        .ok_or_else(|| texts().token_invalid.refuse(&[]))?;
    let caller = cloud.caller(key, None);
    if !cloud.accounts[caller.account].accepts_region(&claim.region) {
        return Err(texts().token_invalid.refuse(&[]));
    }
    if key.session.as_ref().is_some_and(|session| session.expires <= now) {
        return Err(texts().token_expired.refuse(&[]));
    }
    check_time(service, claim, now)?;
    let given = request.header("x-amz-content-sha256").filter(|given| given.len() == 64);
    let digest = sigv4::payload_hash(&request.body);
    if let Some(given) = given.filter(|given| !given.eq_ignore_ascii_case(&digest)) {
        return Err(texts().payload_hash_mismatch.refuse(&[("digest", &digest), ("given", given)]));
    }
    if sigv4::expected_signature(request, claim, &key.secret) != claim.signature {
        return Err(texts().signature_mismatch.refuse(&[]));
    }
    Ok(caller)
}

/// Returns the key, if the token that came with it is its own: none for long-term keys, the session's for temporary ones.
fn known_key<'a>(cloud: &'a Cloud, id: &str, token: Option<&str>) -> Option<&'a AccessKey> {
    let key = cloud.keys.iter().find(|key| key.id == id)?;
    (key.session.as_ref().map(|session| session.token.as_str()) == token).then_some(key)
}

fn check_time(service: Service, claim: &Claim, now: Timestamp) -> Result<(), Refusal> {
    let signed = parse_time(&claim.signed_at).ok_or_else(|| texts().signature_incomplete.refuse(&[]))?;
    let date = &basic(signed)[..8];
    if claim.date != date {
        let values = [("scope", claim.date.as_str()), ("date", date), ("signed", &claim.signed_at)];
        return Err(texts().scope_date.refuse(&values));
    }
    let minutes = service.window_minutes();
    let window = SignedDuration::from_mins(minutes);
    let (oldest, newest) = (now - window, now + window);
    let refuse = |text: &'static Text, limit: Timestamp| {
        let values = [basic(signed), basic(limit), basic(now), minutes.to_string()];
        let [signed, limit, now, window] = values.each_ref().map(String::as_str);
        text.refuse(&[("signed", signed), ("limit", limit), ("now", now), ("window", window)])
    };
    if signed < oldest {
        return Err(refuse(&texts().signature_expired, oldest));
    }
    if signed > newest {
        return Err(refuse(&texts().signature_not_yet_current, newest));
    }
    Ok(())
}

/// Returns a time as signatures write it.
fn basic(time: Timestamp) -> String {
    time.strftime("%Y%m%dT%H%M%SZ").to_string()
}

fn parse_time(text: &str) -> Option<Timestamp> {
    let formats = ["%Y%m%dT%H%M%SZ", "%a, %d %b %Y %H:%M:%S GMT"];
    let time = formats.iter().find_map(|format| DateTime::strptime(format, text).ok())?;
    Some(time.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

fn bearer(cloud: &Cloud, token: &str, region: &str, now: Timestamp) -> Result<Caller, Refusal> {
    let invalid = || texts().api_key_invalid.refuse(&[]).unrecorded();
    let expired = || texts().api_key_expired.refuse(&[]).unrecorded();
    let caller = if let Some(encoded) = token.strip_prefix("bedrock-api-key-") {
        let claim_request = presigned_request(encoded).ok_or_else(invalid)?;
        let claim = sigv4::claim(&claim_request).ok().flatten().ok_or_else(invalid)?;
        let key = known_key(cloud, &claim.access_key, claim.session_token.as_deref()).ok_or_else(invalid)?;
        if claim.region != region || claim.service != "bedrock" {
            return Err(invalid());
        }
        if sigv4::expected_signature(&claim_request, &claim, &key.secret) != claim.signature {
            return Err(invalid());
        }
        let signed = parse_time(&claim.signed_at).ok_or_else(invalid)?;
        let ends = signed + SignedDuration::from_secs(claim.expires_in.unwrap_or_default().clamp(0, 43_200));
        if ends <= now || key.session.as_ref().is_some_and(|session| session.expires <= now) {
            return Err(expired());
        }
        cloud.caller(key, Some(ApiKeyKind::ShortTerm))
    } else if token.starts_with("ABSK") {
        let key = cloud.api_keys.iter().find(|key| key.token == token).ok_or_else(invalid)?;
        if key.expires.is_some_and(|expires| expires <= now) {
            return Err(expired());
        }
        // Records and identities of calls with a long-term key are those of the user behind it.
        let shown = AccessKey { id: "ABSK".to_owned(), secret: String::new(), principal: key.principal, session: None };
        cloud.caller(&shown, Some(ApiKeyKind::LongTerm))
    } else {
        return Err(texts().api_key_wrong_kind.refuse(&[]).unrecorded());
    };
    let known = catalog().region(region).is_some_and(|known| known.bedrock);
    if known && cloud.accounts[caller.account].accepts_region(region) { Ok(caller) } else { Err(invalid()) }
}

/// A short-term key is a presigned request for `CallWithBearerToken`, in base64.
fn presigned_request(encoded: &str) -> Option<Request> {
    let text = String::from_utf8(BASE64_STANDARD.decode(encoded).ok()?).ok()?;
    let (host, query) = text.split_once("/?")?;
    // The version is added after signing.
    let query = query.strip_suffix("&Version=1").unwrap_or(query);
    Some(Request {
        method: "POST".to_owned(),
        target: format!("/?{query}"),
        headers: vec![("host".to_owned(), host.to_owned())],
        ..Request::default()
    })
}
