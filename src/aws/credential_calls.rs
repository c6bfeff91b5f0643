//! The calls that credentials cost: a credential chain makes them inside the SDK (AWS STS, IAM Identity Center, `aws login`, instance and
//! container metadata), where no interceptor of ours reaches, so they are recorded at the connection.

use std::fmt;

use aws_smithy_runtime_api::client::{
    http::{
        HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
    },
    orchestrator::HttpRequest,
    result::ConnectorError,
    runtime_components::RuntimeComponents,
};
use aws_smithy_types::body::SdkBody;
use http_body_util::BodyExt as _;

use super::{
    CallLog,
    failure::{self, classify_text},
};
use crate::evidence::{Failure, FailureKind};

/// An HTTP client that records what goes through it. It is given to credential chains alone: every other call is recorded by the module
/// that makes it.
pub(super) fn recorded(inner: SharedHttpClient, log: CallLog) -> SharedHttpClient {
    SharedHttpClient::new(Recorded { inner, log })
}

#[derive(Clone)]
struct Recorded<T> {
    inner: T,
    log: CallLog,
}

impl<T: fmt::Debug> fmt::Debug for Recorded<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Recorded").field("inner", &self.inner).finish_non_exhaustive()
    }
}

impl HttpClient for Recorded<SharedHttpClient> {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        let inner = self.inner.http_connector(settings, components);
        SharedHttpConnector::new(Recorded { inner, log: self.log.clone() })
    }
}

impl HttpConnector for Recorded<SharedHttpConnector> {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let asked = Asked::of(&request);
        let watch = self.log.begin(asked.service, asked.operation, asked.region.as_deref().unwrap_or_default());
        let answer = self.inner.call(request);
        HttpConnectorFuture::new(async move {
            let mut answer = match answer.await {
                Ok(answer) => answer,
                Err(error) => {
                    watch.finish::<()>(&Err(unanswered(&error)));
                    return Err(error);
                }
            };
            watch.saw(answer.status().as_u16(), answer.headers());
            if answer.status().is_success() {
                // It holds the secrets; nobody looks into it here.
                watch.finish(&Ok(()));
                return Ok(answer);
            }
            let body = std::mem::replace(answer.body_mut(), SdkBody::taken());
            match body.collect().await {
                Ok(read) => {
                    let bytes = read.to_bytes();
                    let refusal = failure::refusal(&bytes, &watch.head());
                    watch.finish::<()>(&Err(refusal));
                    *answer.body_mut() = SdkBody::from(bytes);
                    Ok(answer)
                }
                Err(error) => {
                    let error = ConnectorError::io(error);
                    watch.finish::<()>(&Err(unanswered(&error)));
                    Err(error)
                }
            }
        })
    }
}

fn unanswered(error: &ConnectorError) -> Failure {
    let chain = failure::chain(error);
    let kind = match classify_text(&chain) {
        Some(kind) => kind,
        None if error.is_timeout() => FailureKind::Timeout,
        None => FailureKind::Connect,
    };
    Failure::local(kind, chain)
}

/// What a request of a credential chain asks for, in the words of the service's own reference.
#[derive(Debug, PartialEq)]
struct Asked {
    service: &'static str,
    operation: &'static str,
    region: Option<String>,
}

impl Asked {
    fn of(request: &HttpRequest) -> Self {
        let uri = request.uri();
        let (path, host) = split(uri);
        let body = request.body().bytes().unwrap_or_default();
        let (service, operation) = if path.starts_with("/latest/") {
            ("instance-metadata", metadata_operation(path))
        } else if let Some(operation) = sts_operation(body) {
            ("sts", operation)
        } else if path.ends_with("/federation/credentials") {
            ("sso", "GetRoleCredentials")
        } else if path.ends_with("/v1/token") {
            ("signin", "CreateOAuth2Token")
        } else if path.ends_with("/token") {
            ("sso-oidc", "CreateToken")
        } else {
            ("container-credentials", "GetCredentials")
        };
        let region = request.headers().get("authorization").and_then(scope_region).or_else(|| host_region(host));
        Self { service, operation, region }
    }
}

/// Path and host of an address.
fn split(uri: &str) -> (&str, &str) {
    let rest = uri.split_once("://").map_or(uri, |(_, rest)| rest);
    let (authority, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
    let host = authority.rsplit('@').next().unwrap_or(authority);
    (path.split('?').next().unwrap_or(path), host.split(':').next().unwrap_or(host))
}

/// The instance metadata service has paths, no operations (EC2 User Guide: retrieve security credentials from instance metadata).
fn metadata_operation(path: &str) -> &'static str {
    const ROLES: &str = "/security-credentials/";
    match path.split_once(ROLES) {
        Some((_, "")) => "GetRoleName",
        Some(_) => "GetRoleCredentials",
        None if path.ends_with("/api/token") => "GetToken",
        None => "GetMetadata",
    }
}

fn sts_operation(body: &[u8]) -> Option<&'static str> {
    const OPERATIONS: [&str; 2] = ["AssumeRoleWithWebIdentity", "AssumeRole"];
    let action = body.strip_prefix(b"Action=")?;
    OPERATIONS.into_iter().find(|name| action.starts_with(name.as_bytes()))
}

/// The Region in the scope of a signature (`Credential=KEY/DATE/REGION/SERVICE/aws4_request`).
fn scope_region(authorization: &str) -> Option<String> {
    let scope = authorization.split_once("Credential=")?.1;
    scope.split(['/', ',']).nth(2).map(str::to_owned)
}

/// The Region in the name of one of AWS's hosts, wherever it stands.
fn host_region(host: &str) -> Option<String> {
    let service_and_region = host.strip_suffix(".amazonaws.com").or_else(|| host.strip_suffix(".aws.amazon.com"))?;
    service_and_region.split('.').find(|part| part.contains('-')).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(uri: &str, authorization: Option<&str>, body: &str) -> (String, Option<String>) {
        let mut request = HttpRequest::new(SdkBody::from(body));
        request.set_uri(uri.to_owned()).unwrap();
        if let Some(value) = authorization {
            request.headers_mut().insert("authorization", value.to_owned());
        }
        let asked = Asked::of(&request);
        (format!("{} {}", asked.service, asked.operation), asked.region)
    }

    #[test]
    fn the_calls_of_every_source_have_names() {
        let scope = Some(
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261125/eu-west-1/sts/aws4_request, SignedHeaders=host, Signature=00",
        );
        let region = |name: &str| Some(name.to_owned());
        for (uri, authorization, body, call, place) in [
            (
                "http://127.0.0.1:9/",
                scope,
                "Action=AssumeRole&Version=2011-06-15",
                "sts AssumeRole",
                region("eu-west-1"),
            ),
            (
                "https://sts.us-east-2.amazonaws.com/",
                None,
                "Action=AssumeRoleWithWebIdentity&Version=2011-06-15",
                "sts AssumeRoleWithWebIdentity",
                region("us-east-2"),
            ),
            (
                "https://portal.sso.eu-central-1.amazonaws.com/federation/credentials?role_name=x",
                None,
                "",
                "sso GetRoleCredentials",
                region("eu-central-1"),
            ),
            ("https://oidc.us-east-1.amazonaws.com/token", None, "{}", "sso-oidc CreateToken", region("us-east-1")),
            (
                "https://us-east-1.signin.aws.amazon.com/v1/token",
                None,
                "{}",
                "signin CreateOAuth2Token",
                region("us-east-1"),
            ),
            ("http://169.254.169.254/latest/api/token", None, "", "instance-metadata GetToken", None),
            (
                "http://169.254.169.254/latest/meta-data/iam/security-credentials/",
                None,
                "",
                "instance-metadata GetRoleName",
                None,
            ),
            (
                "http://169.254.169.254/latest/meta-data/iam/security-credentials/my-role",
                None,
                "",
                "instance-metadata GetRoleCredentials",
                None,
            ),
            ("http://169.254.170.23/v1/credentials", None, "", "container-credentials GetCredentials", None),
        ] {
            assert_eq!(asked(uri, authorization, body), (call.to_owned(), place), "{uri}");
        }
    }
}
