//! Which operation of which service a request means.
//!
//! Decided by path, target header and form, as the services' own front doors do; nothing here looks at signatures or state.

use percent_encoding::percent_decode_str;

use crate::simulate::refusal::Protocol;
use crate::simulate::sigv4::query_pairs;
use crate::simulate::wire::Request;

/// An operation and what its path names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Operation {
    pub(crate) service: Service,
    /// The name in the service's API model; of unknown operations, what was asked for.
    pub(crate) name: String,
    /// The identifier in the path, decoded.
    pub(crate) target: String,
    /// The Region that the path was prefixed with, as in `/~us-west-2/…`.
    pub(crate) prefix_region: Option<String>,
}

/// The services behind the one port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Service {
    Sts,
    Sso,
    SsoOidc,
    Bedrock,
    BedrockRuntime,
    CloudTrail,
    Quotas,
    InstanceMetadata,
    ContainerCredentials,
    Unknown,
}

impl Service {
    /// Returns the service's name in endpoints.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Sts => "sts",
            Self::Sso => "sso",
            Self::SsoOidc => "sso-oidc",
            Self::Bedrock => "bedrock",
            Self::BedrockRuntime => "bedrock-runtime",
            Self::CloudTrail => "cloudtrail",
            Self::Quotas => "servicequotas",
            Self::InstanceMetadata => "imds",
            Self::ContainerCredentials => "container-credentials",
            Self::Unknown => "unknown",
        }
    }

    /// Returns the name under which requests are signed; `None` for services that take no signatures.
    pub(crate) fn signing_name(self) -> Option<&'static str> {
        match self {
            Self::BedrockRuntime => Some("bedrock"),
            Self::Sts | Self::Bedrock | Self::CloudTrail | Self::Quotas => Some(self.name()),
            _ => None,
        }
    }

    pub(crate) fn protocol(self) -> Protocol {
        match self {
            Self::Sts => Protocol::Query,
            Self::CloudTrail | Self::Quotas => Protocol::Json11,
            Self::Sso | Self::ContainerCredentials | Self::InstanceMetadata => Protocol::Portal,
            Self::SsoOidc => Protocol::Oauth,
            Self::Bedrock | Self::BedrockRuntime | Self::Unknown => Protocol::RestJson,
        }
    }

    pub(crate) fn is_bedrock(self) -> bool {
        matches!(self, Self::Bedrock | Self::BedrockRuntime)
    }

    /// Returns the minutes by which a signature may be off.
    pub(crate) fn window_minutes(self) -> i64 {
        if self.is_bedrock() { 5 } else { 15 }
    }
}

/// Returns the operation that a request means.
pub(crate) fn identify(request: &Request) -> Operation {
    let (prefix_region, path) = split_prefix(request.path());
    let (service, name, target) = if let Some(target) = request.header("x-amz-target") {
        by_target(target)
    } else if path == "/" && is_form(request) {
        (Service::Sts, form_value(request, "Action").unwrap_or_default(), String::new())
    } else {
        by_path(request, path)
    };
    Operation { service, name, target, prefix_region }
}

/// Returns a member of a form body, or of the query of a request that has no body.
pub(crate) fn form_value(request: &Request, name: &str) -> Option<String> {
    let body = String::from_utf8_lossy(&request.body).replace('+', "%20");
    let pairs = query_pairs(if body.is_empty() { request.query() } else { &body });
    pairs.into_iter().find(|(known, _)| known == name).map(|(_, value)| value)
}

/// Returns a parameter of the query string.
pub(crate) fn query_value(request: &Request, name: &str) -> Option<String> {
    query_pairs(request.query()).into_iter().find(|(known, _)| known == name).map(|(_, value)| value)
}

fn is_form(request: &Request) -> bool {
    let form = request.header("content-type").is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
    form || query_value(request, "Action").is_some()
}

fn split_prefix(path: &str) -> (Option<String>, &str) {
    let Some(rest) = path.strip_prefix("/~") else { return (None, path) };
    match rest.find('/') {
        Some(at) => (Some(rest[..at].to_owned()), &rest[at..]),
        None => (Some(rest.to_owned()), "/"),
    }
}

fn by_target(target: &str) -> (Service, String, String) {
    let (prefix, name) = target.rsplit_once('.').unwrap_or(("", target));
    let service = match prefix.rsplit('.').next().unwrap_or_default() {
        "CloudTrail_20131101" => Service::CloudTrail,
        "ServiceQuotasV20190624" => Service::Quotas,
        _ => Service::Unknown,
    };
    (service, name.to_owned(), String::new())
}

fn by_path(request: &Request, path: &str) -> (Service, String, String) {
    let method = request.method.as_str();
    if path.starts_with("/latest/") {
        return (Service::InstanceMetadata, format!("{method} {path}"), path.to_owned());
    }
    if path == "/container/credentials" {
        return (Service::ContainerCredentials, format!("{method} {path}"), path.to_owned());
    }
    let decode = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let segments: Vec<&str> = path.trim_matches('/').split('/').collect();
    let found = |service, name: &str, target: &str| (service, name.to_owned(), decode(target));
    if let ["model", between @ .., verb] = segments.as_slice()
        && !between.is_empty()
        && let Some(name) = runtime_operation(method, verb)
    {
        // An ARN whose slash was not encoded spans two segments.
        return found(Service::BedrockRuntime, name, &between.join("/"));
    }
    let (head, rest) = (segments[0], segments[1..].join("/"));
    match (method, head, rest.as_str()) {
        ("GET", "federation", "credentials") => found(Service::Sso, "GetRoleCredentials", ""),
        ("GET", "assignment", "accounts") => found(Service::Sso, "ListAccounts", ""),
        ("GET", "assignment", "roles") => found(Service::Sso, "ListAccountRoles", ""),
        ("POST", "token", "") => found(Service::SsoOidc, "CreateToken", ""),
        ("POST", "client", "register") => found(Service::SsoOidc, "RegisterClient", ""),
        ("POST", "device_authorization", "") => found(Service::SsoOidc, "StartDeviceAuthorization", ""),
        ("GET", "foundation-models", "") => found(Service::Bedrock, "ListFoundationModels", ""),
        ("GET", "foundation-models", id) => found(Service::Bedrock, "GetFoundationModel", id),
        ("GET", "inference-profiles", "") => found(Service::Bedrock, "ListInferenceProfiles", ""),
        ("GET", "inference-profiles", id) => found(Service::Bedrock, "GetInferenceProfile", id),
        ("GET", "foundation-model-availability", id) if !id.is_empty() => {
            found(Service::Bedrock, "GetFoundationModelAvailability", id)
        }
        ("GET", "use-case-for-model-access", "") => found(Service::Bedrock, "GetUseCaseForModelAccess", ""),
        ("POST", "use-case-for-model-access", "") => found(Service::Bedrock, "PutUseCaseForModelAccess", ""),
        ("GET", "list-foundation-model-agreement-offers", id) if !id.is_empty() => {
            found(Service::Bedrock, "ListFoundationModelAgreementOffers", id)
        }
        ("POST", "create-foundation-model-agreement", "") => {
            found(Service::Bedrock, "CreateFoundationModelAgreement", "")
        }
        ("POST", "delete-foundation-model-agreement", "") => {
            found(Service::Bedrock, "DeleteFoundationModelAgreement", "")
        }
        ("GET", "data-retention", "") => found(Service::Bedrock, "GetAccountDataRetention", ""),
        ("PUT", "data-retention", "") => found(Service::Bedrock, "PutAccountDataRetention", ""),
        ("GET", "logging", "modelinvocations") => found(Service::Bedrock, "GetModelInvocationLoggingConfiguration", ""),
        _ => (Service::Unknown, format!("{method} {path}"), String::new()),
    }
}

fn runtime_operation(method: &str, verb: &str) -> Option<&'static str> {
    Some(match (method, verb) {
        ("POST", "invoke") => "InvokeModel",
        ("POST", "invoke-with-response-stream") => "InvokeModelWithResponseStream",
        ("POST", "converse") => "Converse",
        ("POST", "converse-stream") => "ConverseStream",
        ("POST", "count-tokens") => "CountTokens",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(method: &str, target: &str) -> (Service, String, String) {
        let request = Request { method: method.to_owned(), target: target.to_owned(), ..Request::default() };
        let operation = identify(&request);
        (operation.service, operation.name, operation.target)
    }

    #[test]
    fn paths_name_operations_and_identifiers() {
        let runtime = |name: &str, id: &str| (Service::BedrockRuntime, name.to_owned(), id.to_owned());
        assert_eq!(named("POST", "/model/us.a-v1%3A0/invoke"), runtime("InvokeModel", "us.a-v1:0"));
        assert_eq!(
            named("POST", "/model/us.a-v1:0/invoke-with-response-stream"),
            runtime("InvokeModelWithResponseStream", "us.a-v1:0")
        );
        let arn = "arn:aws:bedrock:us-east-1:000000000001:inference-profile/us.a";
        let encoded = "/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A000000000001%3Ainference-profile%2Fus.a/converse";
        assert_eq!(named("POST", encoded), runtime("Converse", arn));
        assert_eq!(named("POST", &format!("/model/{arn}/converse-stream")), runtime("ConverseStream", arn));
        assert_eq!(named("GET", "/foundation-models").1, "ListFoundationModels");
        assert_eq!(named("GET", "/inference-profiles?type=APPLICATION").1, "ListInferenceProfiles");
        assert_eq!(named("GET", "/nonsense").0, Service::Unknown);
        assert_eq!(named("GET", "/").0, Service::Unknown);
    }

    #[test]
    fn targets_and_forms_name_operations_and_prefixes_name_regions() {
        let mut request =
            Request { method: "POST".to_owned(), target: "/~eu-west-1/".to_owned(), ..Request::default() };
        request.headers.push((
            "x-amz-target".to_owned(),
            "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.LookupEvents".to_owned(),
        ));
        let operation = identify(&request);
        assert_eq!((operation.service, operation.name.as_str()), (Service::CloudTrail, "LookupEvents"));
        assert_eq!(operation.prefix_region.as_deref(), Some("eu-west-1"));
        request.headers =
            vec![("content-type".to_owned(), "application/x-www-form-urlencoded; charset=utf-8".to_owned())];
        request.body = "Action=AssumeRole&RoleSessionName=a+b%2Bc".into();
        assert_eq!(identify(&request).name, "AssumeRole");
        assert_eq!(form_value(&request, "RoleSessionName").as_deref(), Some("a b+c"));
    }
}
