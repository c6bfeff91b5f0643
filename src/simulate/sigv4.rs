//! AWS Signature Version 4: reading it from a request and computing what it should have been.
//!
//! Own code on purpose: it checks what the SDKs' signers produce, so it must not be one of them. It decides nothing; whether a
//! key exists or a time is acceptable is for `authentication`.
//! See: AWS docs, IAM User Guide, "Create a signed AWS API request".

use hmac::{Hmac, KeyInit, Mac};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use sha2::{Digest, Sha256};

use crate::simulate::wire::Request;

/// What a signed request says about its signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Claim {
    pub(crate) access_key: String,
    /// Scope: `YYYYMMDD`, Region and service.
    pub(crate) date: String,
    pub(crate) region: String,
    pub(crate) service: String,
    pub(crate) signed_headers: Vec<String>,
    pub(crate) signature: String,
    /// The signing time as it was sent, `YYYYMMDDTHHMMSSZ`.
    pub(crate) signed_at: String,
    pub(crate) session_token: Option<String>,
    /// Seconds for which a presigned URL is good.
    pub(crate) expires_in: Option<i64>,
    presigned: bool,
}

/// A signature was begun and is not whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Incomplete;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
const PATH: &AsciiSet = &UNRESERVED.remove(b'/');

/// Reads the signature of a request from its headers or, presigned, from its query. `None` means that it bears none.
pub(crate) fn claim(request: &Request) -> Result<Option<Claim>, Incomplete> {
    if let Some(rest) = request.header("authorization").and_then(|value| value.strip_prefix(ALGORITHM)) {
        return from_header(request, rest).map(Some).ok_or(Incomplete);
    }
    let query = query_pairs(request.query());
    let value = |name: &str| query.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
    if value("X-Amz-Signature").is_none() {
        return Ok(None);
    }
    from_query(value).map(Some).ok_or(Incomplete)
}

fn from_header(request: &Request, rest: &str) -> Option<Claim> {
    let part = |name: &str| {
        rest.split(',')
            .find_map(|part| part.trim().strip_prefix(name)?.strip_prefix('='))
            .filter(|value| !value.is_empty())
    };
    let signed_at = request.header("x-amz-date").or_else(|| request.header("date"))?.to_owned();
    let scope = Scope::parse(part("Credential")?)?;
    Some(Claim {
        access_key: scope.access_key,
        date: scope.date,
        region: scope.region,
        service: scope.service,
        signed_headers: part("SignedHeaders")?.split(';').map(str::to_ascii_lowercase).collect(),
        signature: part("Signature")?.to_owned(),
        signed_at,
        session_token: request.header("x-amz-security-token").map(str::to_owned),
        expires_in: None,
        presigned: false,
    })
}

fn from_query(value: impl Fn(&str) -> Option<String>) -> Option<Claim> {
    let scope = Scope::parse(&value("X-Amz-Credential")?)?;
    Some(Claim {
        access_key: scope.access_key,
        date: scope.date,
        region: scope.region,
        service: scope.service,
        signed_headers: value("X-Amz-SignedHeaders")?.split(';').map(str::to_ascii_lowercase).collect(),
        signature: value("X-Amz-Signature")?,
        signed_at: value("X-Amz-Date")?,
        session_token: value("X-Amz-Security-Token"),
        expires_in: Some(value("X-Amz-Expires")?.parse().ok()?),
        presigned: true,
    })
}

struct Scope {
    access_key: String,
    date: String,
    region: String,
    service: String,
}

impl Scope {
    /// Reads `KEY/20261122/us-east-1/bedrock/aws4_request`.
    fn parse(text: &str) -> Option<Self> {
        let parts: Vec<&str> = text.split('/').collect();
        let [access_key, date, region, service, "aws4_request"] = parts.as_slice() else { return None };
        let owned = |text: &&str| (*text).to_owned();
        Some(Self { access_key: owned(access_key), date: owned(date), region: owned(region), service: owned(service) })
    }
}

/// Returns the hexadecimal SHA-256 of a body.
pub(crate) fn payload_hash(body: &[u8]) -> String {
    hex::encode(Sha256::digest(body))
}

/// Computes the signature that the request should bear, for the key's secret.
pub(crate) fn expected_signature(request: &Request, claim: &Claim, secret: &str) -> String {
    let canonical = canonical_request(request, claim);
    let scope = format!("{}/{}/{}/aws4_request", claim.date, claim.region, claim.service);
    let to_sign = format!("{ALGORITHM}\n{}\n{scope}\n{}", claim.signed_at, payload_hash(canonical.as_bytes()));
    let mut key = hmac(format!("AWS4{secret}").as_bytes(), claim.date.as_bytes());
    for part in [claim.region.as_str(), claim.service.as_str(), "aws4_request"] {
        key = hmac(&key, part.as_bytes());
    }
    hex::encode(hmac(&key, to_sign.as_bytes()))
}

/// Makes the query string of a presigned request, signature included.
pub(crate) fn presign(method: &str, host: &str, query: &str, key: &SigningKey<'_>) -> String {
    let mut query = format!(
        "{query}&X-Amz-Algorithm={ALGORITHM}&X-Amz-Credential={}&X-Amz-Date={}&X-Amz-Expires={}&X-Amz-SignedHeaders=host",
        encode(&format!("{}/{}/{}/{}/aws4_request", key.access_key, &key.signed_at[..8], key.region, key.service)),
        key.signed_at,
        key.expires_in,
    );
    if let Some(token) = key.session_token {
        query.push_str("&X-Amz-Security-Token=");
        query.push_str(&encode(token));
    }
    let mut request = Request {
        method: method.to_owned(),
        target: format!("/?{query}&X-Amz-Signature=none"),
        headers: vec![("host".to_owned(), host.to_owned())],
        ..Request::default()
    };
    let claim = claim(&request).ok().flatten().expect("the query was just made whole");
    let signature = expected_signature(&request, &claim, key.secret);
    request.target = format!("{query}&X-Amz-Signature={signature}");
    request.target
}

/// What a presigned request is signed with.
pub(crate) struct SigningKey<'a> {
    pub(crate) access_key: &'a str,
    pub(crate) secret: &'a str,
    pub(crate) session_token: Option<&'a str>,
    pub(crate) signed_at: &'a str,
    pub(crate) expires_in: i64,
    pub(crate) region: &'a str,
    pub(crate) service: &'a str,
}

fn canonical_request(request: &Request, claim: &Claim) -> String {
    let payload = match request.header("x-amz-content-sha256") {
        Some(given) if !claim.presigned => given.to_owned(),
        _ => payload_hash(&request.body),
    };
    let mut pairs: Vec<(String, String)> = query_pairs(request.query())
        .into_iter()
        .filter(|(name, _)| !(claim.presigned && name == "X-Amz-Signature"))
        .map(|(name, value)| (encode(&name), encode(&value)))
        .collect();
    pairs.sort();
    let query: Vec<String> = pairs.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let header = |name: &String| format!("{name}:{}\n", canonical_header(request, name));
    let headers: Vec<String> = claim.signed_headers.iter().map(header).collect();
    let headers = headers.concat();
    format!(
        "{}\n{}\n{}\n{headers}\n{}\n{payload}",
        request.method,
        canonical_path(request.path()),
        query.join("&"),
        claim.signed_headers.join(";"),
    )
}

/// Every service but S3 encodes the path as it was sent once more, after removing dot segments and empty ones.
fn canonical_path(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => _ = kept.pop(),
            segment => kept.push(segment),
        }
    }
    let mut normal = format!("/{}", kept.join("/"));
    if path.ends_with('/') && !kept.is_empty() {
        normal.push('/');
    }
    utf8_percent_encode(&normal, PATH).to_string()
}

fn canonical_header(request: &Request, name: &str) -> String {
    let values: Vec<String> = request
        .headers
        .iter()
        .filter(|(known, _)| known == name)
        .map(|(_, value)| value.split_ascii_whitespace().collect::<Vec<_>>().join(" "))
        .collect();
    values.join(",")
}

/// Splits a query string into decoded pairs.
pub(crate) fn query_pairs(query: &str) -> Vec<(String, String)> {
    let decode = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(name), decode(value))
        })
        .collect()
}

fn encode(text: &str) -> String {
    utf8_percent_encode(text, UNRESERVED).to_string()
}

fn hmac(key: &[u8], message: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(message);
    mac.finalize().into_bytes().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

    fn request(method: &str, target: &str, headers: &[(&str, &str)], body: &str) -> Request {
        Request {
            method: method.to_owned(),
            target: target.to_owned(),
            headers: headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
            body: body.to_owned().into(),
            secure: false,
        }
    }

    /// The suite of test vectors that AWS publishes for Signature Version 4 (aws-sig-v4-test-suite).
    fn vector(method: &str, target: &str, headers: &[(&str, &str)], body: &str, signed: &str) -> String {
        let mut headers = headers.to_vec();
        headers.push(("host", "example.amazonaws.com"));
        headers.push(("x-amz-date", "20150830T123600Z"));
        let authorization = format!(
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders={signed}, Signature=x"
        );
        headers.push(("authorization", &authorization));
        let request = request(method, target, &headers, body);
        let claim = claim(&request).unwrap().unwrap();
        expected_signature(&request, &claim, SECRET)
    }

    #[test]
    fn the_published_test_vectors_hold() {
        let plain = "host;x-amz-date";
        for (name, method, target, headers, body, signed, signature) in [
            (
                "get-vanilla",
                "GET",
                "/",
                &[][..],
                "",
                plain,
                "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
            ),
            (
                "get-vanilla-query-order-key-case",
                "GET",
                "/?Param2=value2&Param1=value1",
                &[],
                "",
                plain,
                "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
            ),
            (
                "get-utf8",
                "GET",
                "/ሴ",
                &[],
                "",
                plain,
                "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85",
            ),
            (
                "normalize-path/get-relative",
                "GET",
                "/example/..",
                &[],
                "",
                plain,
                "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
            ),
            (
                "post-header-key-sort",
                "POST",
                "/",
                &[("my-header1", "value1")],
                "",
                "host;my-header1;x-amz-date",
                "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c",
            ),
            (
                "get-header-value-trim",
                "GET",
                "/",
                &[("my-header1", " value1"), ("my-header2", " \"a   b   c\"")],
                "",
                "host;my-header1;my-header2;x-amz-date",
                "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736",
            ),
            (
                "post-x-www-form-urlencoded",
                "POST",
                "/",
                &[("content-type", "application/x-www-form-urlencoded")],
                "Param1=value1",
                "content-type;host;x-amz-date",
                "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
            ),
        ] {
            assert_eq!(vector(method, target, headers, body, signed), signature, "{name}");
        }
    }

    /// Signatures made by botocore 1.44.5's `SigV4Auth` for the secret above.
    #[test]
    fn botocore_signs_the_same() {
        for (target, body, token, signature) in BOTOCORE {
            let mut headers = vec![
                ("host", "bedrock-runtime.us-west-2.amazonaws.com"),
                ("x-amz-date", "20261122T101112Z"),
                ("content-type", "application/json"),
            ];
            let mut signed = "content-type;host;x-amz-date".to_owned();
            if !token.is_empty() {
                headers.push(("x-amz-security-token", token));
                signed.push_str(";x-amz-security-token");
            }
            let authorization = format!(
                "AWS4-HMAC-SHA256 Credential=ASIAEXAMPLE/20261122/us-west-2/bedrock/aws4_request, SignedHeaders={signed}, Signature=x"
            );
            headers.push(("authorization", &authorization));
            let method = if body.is_empty() { "GET" } else { "POST" };
            let request = request(method, target, &headers, body);
            let claim = claim(&request).unwrap().unwrap();
            assert_eq!(claim.session_token.as_deref().unwrap_or_default(), token);
            assert_eq!(expected_signature(&request, &claim, SECRET), signature, "{target}");
        }
    }

    const BOTOCORE: [(&str, &str, &str, &str); 4] = [
        (
            "/model/us.anthropic.claude-sonnet-4-5-20250929-v1%3A0/invoke-with-response-stream",
            "{\"a\":1}",
            "",
            "fc48e4541f6b216bacb7e555e220afae3861b84e29434e0d40d9cc3d4cdb79f7",
        ),
        (
            "/model/arn%3Aaws%3Abedrock%3Aus-west-2%3A000000000001%3Ainference-profile%2Fus.anthropic.claude-opus-5-5/converse",
            "{\"messages\":[]}",
            "FwoGZXIvYXdzE+/==",
            "a2bb0c8e1f23cd7da3e664dded1f2c32d0b6c3427c72208f4274242fc7b28b37",
        ),
        (
            "/inference-profiles?type=SYSTEM_DEFINED&maxResults=1000&nextToken=a%2Bb%3D",
            "",
            "",
            "b536dc50be8b509dba6c909d815c05cc03efe7a5b24ae4e09486c1ce9eccd745",
        ),
        (
            "/foundation-models/anthropic.claude-3-haiku-20240307-v1:0",
            "",
            "tok",
            "adc1aeb619485802749c1d3b8b31ef6bfb5a00b588f9505d81ad29b98de2edf1",
        ),
    ];

    #[test]
    fn half_a_signature_is_incomplete_and_none_is_none() {
        let bare = request("GET", "/", &[("host", "h")], "");
        assert_eq!(claim(&bare), Ok(None));
        let half = request("GET", "/", &[("authorization", "AWS4-HMAC-SHA256 Credential=a/b/c/d/aws4_request")], "");
        assert_eq!(claim(&half), Err(Incomplete));
    }

    #[test]
    fn a_presigned_request_verifies_itself() {
        let key = SigningKey {
            access_key: "AKIAEXAMPLE",
            secret: SECRET,
            session_token: Some("to+ken/="),
            signed_at: "20261122T101112Z",
            expires_in: 43_200,
            region: "us-east-1",
            service: "bedrock",
        };
        let query = presign("POST", "bedrock.amazonaws.com", "Action=CallWithBearerToken", &key);
        let request = request("POST", &format!("/?{query}"), &[("host", "bedrock.amazonaws.com")], "");
        let claim = claim(&request).unwrap().unwrap();
        assert_eq!(claim.session_token.as_deref(), Some("to+ken/="));
        assert_eq!(expected_signature(&request, &claim, SECRET), claim.signature);
    }
}
