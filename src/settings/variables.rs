//! Every environment variable that bedside reads for a client, in one place: what it is, whether it is a secret, and whether a
//! project folder that nobody has trusted may set it. The page `docs/environment.md` is made from this list.

use base64::Engine;

/// A variable.
#[derive(Clone, Copy, Debug)]
pub struct Variable {
    /// Its name.
    pub name: &'static str,
    /// What it does, in a sentence.
    pub doc: &'static str,
    /// Its value is never shown.
    pub secret: bool,
    /// A project folder may set it without being trusted: it chooses among what is the user's anyway.
    pub free: bool,
}

const fn free(name: &'static str, doc: &'static str) -> Variable {
    Variable { name, doc, secret: false, free: true }
}

const fn guarded(name: &'static str, doc: &'static str) -> Variable {
    Variable { name, doc, secret: false, free: false }
}

const fn secret(name: &'static str, doc: &'static str) -> Variable {
    Variable { name, doc, secret: true, free: false }
}

/// The variables, by theme.
pub const VARIABLES: &[Variable] = &[
    free("CLAUDE_CODE_USE_BEDROCK", "Claude Code talks to Bedrock: 1, true, yes or on."),
    free("CLAUDE_CODE_USE_MANTLE", "Claude Code talks to Bedrock's Mantle endpoint."),
    free("CLAUDE_CODE_USE_VERTEX", "Claude Code talks to Vertex AI, unless Bedrock is on."),
    free("CLAUDE_CODE_USE_FOUNDRY", "Claude Code talks to Microsoft Foundry, unless Bedrock is on."),
    free("CLAUDE_CODE_USE_ANTHROPIC_AWS", "Claude Code talks to Claude Platform on AWS, unless Bedrock is on."),
    guarded("CLAUDE_CODE_SKIP_BEDROCK_AUTH", "Claude Code does not sign requests; a gateway does."),
    guarded("ANTHROPIC_BEDROCK_BASE_URL", "Address that Claude Code sends Bedrock calls to."),
    guarded("ANTHROPIC_BEDROCK_MANTLE_BASE_URL", "Address that Claude Code sends Mantle calls to."),
    free("ANTHROPIC_MODEL", "Main model of Claude Code: an alias, a profile id or an ARN."),
    free("ANTHROPIC_DEFAULT_MODEL", "Model that new sessions of Claude Code start on."),
    free("ANTHROPIC_DEFAULT_OPUS_MODEL", "What the alias opus means."),
    free("ANTHROPIC_DEFAULT_SONNET_MODEL", "What the alias sonnet means; the main model where opus is not set."),
    free("ANTHROPIC_DEFAULT_HAIKU_MODEL", "What the alias haiku means; the background model."),
    free("ANTHROPIC_DEFAULT_FABLE_MODEL", "What the alias fable means."),
    free("ANTHROPIC_SMALL_FAST_MODEL", "Background model; superseded by ANTHROPIC_DEFAULT_HAIKU_MODEL."),
    free("ANTHROPIC_SMALL_FAST_MODEL_AWS_REGION", "Region of the background model."),
    free("CLAUDE_CODE_SUBAGENT_MODEL", "Model of subagents."),
    free(
        "ANTHROPIC_BEDROCK_REGION_PREFIX",
        "Geography of inference profiles that Claude Code prefers: us, eu, apac, jp, au, global.",
    ),
    free("ANTHROPIC_BEDROCK_SERVICE_TIER", "Service tier header of runtime calls."),
    secret("ANTHROPIC_CUSTOM_HEADERS", "Headers that Claude Code adds to runtime calls."),
    free("CLAUDE_CODE_MAX_OUTPUT_TOKENS", "Cap of output tokens; counts against the quota when a request starts."),
    free("DISABLE_PROMPT_CACHING", "Switches prompt caching off."),
    free("DISABLE_PROMPT_CACHING_OPUS", "Switches prompt caching off for Opus."),
    free("DISABLE_PROMPT_CACHING_SONNET", "Switches prompt caching off for Sonnet."),
    free("DISABLE_PROMPT_CACHING_HAIKU", "Switches prompt caching off for Haiku."),
    free("DISABLE_PROMPT_CACHING_FABLE", "Switches prompt caching off for Fable."),
    free("API_TIMEOUT_MS", "Time limit of one request of Claude Code in milliseconds."),
    free("CLAUDE_CODE_MAX_RETRIES", "How often Claude Code tries again."),
    guarded("CLAUDE_CONFIG_DIR", "Folder of Claude Code's own files instead of ~/.claude."),
    secret("ANTHROPIC_API_KEY", "Key of Anthropic's own API; not used with Bedrock."),
    secret("ANTHROPIC_AUTH_TOKEN", "Token of Anthropic's own API or a gateway; not used with Bedrock."),
    guarded("ANTHROPIC_BASE_URL", "Address of Anthropic's own API or a gateway; not used with Bedrock."),
    free("AWS_REGION", "Region. The AWS CLI version 1 and boto3 do not read it."),
    free("AWS_DEFAULT_REGION", "Region, where AWS_REGION is not set."),
    free("AWS_PROFILE", "AWS profile."),
    free("AWS_DEFAULT_PROFILE", "AWS profile of the AWS CLI and boto3 only."),
    secret("AWS_ACCESS_KEY_ID", "Access key id; shown by its ends only."),
    secret("AWS_SECRET_ACCESS_KEY", "Secret access key."),
    secret("AWS_SESSION_TOKEN", "Session token of temporary credentials."),
    secret("AWS_BEARER_TOKEN_BEDROCK", "Bedrock API key; beats every other credential for Bedrock."),
    guarded("AWS_CONFIG_FILE", "AWS config file instead of ~/.aws/config."),
    guarded("AWS_SHARED_CREDENTIALS_FILE", "Credentials file instead of ~/.aws/credentials."),
    guarded("AWS_ROLE_ARN", "Role of web identity."),
    guarded("AWS_WEB_IDENTITY_TOKEN_FILE", "Token file of web identity."),
    guarded("AWS_ROLE_SESSION_NAME", "Session name of web identity."),
    guarded("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "Container credentials of ECS."),
    guarded("AWS_CONTAINER_CREDENTIALS_FULL_URI", "Container credentials of EKS Pod Identity and others."),
    secret("AWS_CONTAINER_AUTHORIZATION_TOKEN", "Token for container credentials."),
    guarded("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "File with the token for container credentials."),
    guarded("AWS_EC2_METADATA_DISABLED", "Switches the instance metadata service off."),
    guarded("AWS_EC2_METADATA_SERVICE_ENDPOINT", "Address of the instance metadata service."),
    guarded("AWS_ENDPOINT_URL", "Address of every AWS service. Claude Code's runtime calls do not follow it."),
    guarded("AWS_ENDPOINT_URL_BEDROCK", "Address of Bedrock's control plane."),
    guarded("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", "Address of Bedrock's runtime. Claude Code does not follow it."),
    guarded("AWS_ENDPOINT_URL_STS", "Address of STS."),
    guarded("AWS_ENDPOINT_URL_SSO", "Address of the IAM Identity Center portal."),
    guarded("AWS_ENDPOINT_URL_CLOUDTRAIL", "Address of CloudTrail."),
    guarded("AWS_ENDPOINT_URL_SERVICE_QUOTAS", "Address of Service Quotas."),
    guarded("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "Switches the addresses above off for AWS SDKs."),
    free("AWS_USE_FIPS_ENDPOINT", "FIPS endpoints. Claude Code's runtime calls do not follow it."),
    free("AWS_USE_DUALSTACK_ENDPOINT", "Dual-stack endpoints. Claude Code's runtime calls do not follow it."),
    free("AWS_RETRY_MODE", "Retry mode of AWS SDKs: legacy, standard, adaptive."),
    free("AWS_MAX_ATTEMPTS", "Tries of AWS SDKs."),
    guarded(
        "AWS_CA_BUNDLE",
        "Trust roots of the AWS CLI and boto3, instead of the system's. Claude Code does not read it.",
    ),
    guarded("NODE_EXTRA_CA_CERTS", "Trust roots of Claude Code beside the system's."),
    guarded("SSL_CERT_FILE", "Trust roots instead of the system's."),
    guarded("NODE_TLS_REJECT_UNAUTHORIZED", "0 switches the verification of certificates off in Claude Code."),
    guarded("HTTPS_PROXY", "Proxy."),
    guarded("https_proxy", "Proxy; beats HTTPS_PROXY."),
    guarded("HTTP_PROXY", "Proxy for http; Claude Code uses it for https too, where no other is set."),
    guarded("http_proxy", "Proxy for http; beats HTTP_PROXY."),
    guarded("ALL_PROXY", "Proxy where no other is set."),
    guarded("all_proxy", "Proxy where no other is set."),
    guarded("NO_PROXY", "Hosts without a proxy."),
    guarded("no_proxy", "Hosts without a proxy; beats NO_PROXY."),
    free("BEDSIDE_MODEL", "Model of bedside's own chat."),
];

/// Returns what is known of a variable.
pub fn variable(name: &str) -> Option<&'static Variable> {
    VARIABLES.iter().find(|variable| variable.name == name)
}

/// Returns whether a variable's value must never be shown. A name that is not in the list is judged by its words.
pub fn is_secret(name: &str) -> bool {
    if let Some(variable) = variable(name) {
        return variable.secret;
    }
    // Who wrote something is no secret; what lets somebody in is.
    let name = name.to_uppercase().replace("AUTHORIZATION", "AUTH").replace("AUTHOR", "");
    name.ends_with("KEY")
        || ["SECRET", "TOKEN", "PASS", "AUTH", "HEADERS", "API_KEY", "CREDENTIAL", "PRIVATE"]
            .iter()
            .any(|word| name.contains(word))
}

/// Returns whether a variable holds an address, which may carry a user name and a password.
pub(super) fn is_address(name: &str) -> bool {
    let name = name.to_uppercase();
    ["PROXY", "URL", "URI"].iter().any(|ending| name.ends_with(ending)) || name.contains("ENDPOINT_URL")
}

/// Returns the secrets that an address carries: the user information as it stands and as a proxy is told it, and the password alone.
pub fn secrets_in_address(name: &str, value: &str) -> Vec<String> {
    let Some((user, password)) = is_address(name)
        .then(|| super::environment::user_information(name, value))
        .flatten()
        .and_then(|information| information.split_once(':'))
    else {
        return Vec::new();
    };
    let decoded = |text: &str| percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned();
    let plain = format!("{}:{}", decoded(user), decoded(password));
    vec![
        format!("{user}:{password}"),
        base64::engine::general_purpose::STANDARD.encode(&plain),
        plain,
        password.to_owned(),
        decoded(password),
    ]
}

/// Names under which people set a Region although nothing reads them.
pub(super) const UNREAD_REGIONS: &[&str] = &[
    "AWS_REGION_NAME",
    "AWS_BEDROCK_REGION",
    "BEDROCK_REGION",
    "BEDROCK_AWS_REGION",
    "ANTHROPIC_BEDROCK_REGION",
    "ANTHROPIC_AWS_REGION",
    "AMAZON_REGION",
    "EC2_REGION",
    "CLOUD_ML_REGION",
    "aws_region",
    "aws_default_region",
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_are_unique_and_secrets_are_never_free() {
        let names: BTreeSet<_> = VARIABLES.iter().map(|it| it.name).collect();
        assert_eq!(names.len(), VARIABLES.len());
        assert!(VARIABLES.iter().all(|it| !(it.secret && it.free)));
        assert!(is_secret("MY_API_KEY") && is_secret("AWS_SECRET_ACCESS_KEY") && !is_secret("AWS_REGION"));
    }

    #[test]
    fn a_name_that_is_not_in_the_list_is_judged_by_its_words() {
        for name in [
            "MY_SIGNING_KEY",
            "DB_PASS",
            "PGPASSWORD",
            "NPM_AUTH",
            "MY_AUTHORIZATION",
            "GW_HEADERS",
            "gh_token",
            "CLIENT_SECRET",
        ] {
            assert!(is_secret(name), "{name}");
        }
        for name in ["GIT_AUTHOR_NAME", "PWD", "LANG", "AWS_WEB_IDENTITY_TOKEN_FILE", "COMPANY_REGION"] {
            assert!(!is_secret(name), "{name}");
        }
    }

    #[test]
    fn the_password_of_an_address_is_known_in_every_form() {
        let found = secrets_in_address("HTTPS_PROXY", "http://me:p%21ss@proxy:8080");
        for form in ["me:p%21ss", "p%21ss", "p!ss", "bWU6cCFzcw=="] {
            assert!(found.iter().any(|secret| secret == form), "{form}: {found:?}");
        }
        assert!(secrets_in_address("HTTPS_PROXY", "http://proxy:8080").is_empty());
        assert!(secrets_in_address("AWS_PROFILE", "a:b@c").is_empty());
    }
}
