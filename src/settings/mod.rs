//! The effective settings of a client: what it will really use, where each value comes from (file and line), and what it shadows.
//! No call is made here; files and environment are read through the world that is given.

mod aws_files;
pub mod claude_code;
mod claude_files;
mod credentials;
mod environment;
mod network;
mod region;
pub mod variables;

use std::collections::BTreeMap;

use aws_files::AwsFiles;
use claude_files::{ClaudeFile, ClaudeFiles};
use environment::Layers;

use crate::{
    evidence::{
        Authentication, Client, Fact, FileProblem, LeftOut, Machine, ModelSetting, ModelSettings, Origin, OriginKind,
        Provider, RcAssignment, RegionSetting, Secret, Setting, Settings, Shell, SourceKind, clean, mask_secret,
    },
    shell,
    world::World,
};

/// Addresses of instance and container metadata (AWS docs: EC2 instance metadata, ECS task metadata, EKS Pod Identity).
const METADATA: [&str; 4] = ["169.254.169.254", "169.254.170.2", "169.254.170.23", "fd00:ec2::254"];

/// Whose settings are wanted, and what the user says on the command line.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// The client; `None` chooses by what is on the machine.
    pub client: Option<Client>,
    /// A model instead of the one that is set.
    pub model: Option<String>,
    /// A Region instead of the one that is set.
    pub region: Option<String>,
    /// An AWS profile instead of the one that is set.
    pub profile: Option<String>,
}

/// The settings of a client, and the environment to start it in.
#[derive(Clone, Debug)]
pub struct Resolved {
    /// The settings, without any secret.
    pub settings: Settings,
    /// The Region.
    pub region: Fact<RegionSetting>,
    /// What start-up files say.
    pub shell: Shell,
    /// The machine.
    pub machine: Machine,
    /// The environment in which the probes see what the client would see.
    pub environment: Secret<BTreeMap<String, String>>,
    /// Whether extra trust roots replace the system's.
    pub replace_roots: bool,
    /// The chain must not be asked: the client itself would not get that far.
    pub no_chain: Option<String>,
    /// Static keys of a profile were put into the environment, since the client prefers them to that profile's other sources.
    pub keys_of_profile: bool,
}

/// The AWS files with the profile in effect.
pub(crate) struct Files<'a> {
    aws: &'a AwsFiles,
    profile: &'a str,
}

/// Chooses the client by what is on the machine: Claude Code wherever there is any trace of it.
pub fn choose_client(world: &World) -> (Client, String) {
    if let Some(path) = world.find_programs("claude").first() {
        return (Client::ClaudeCode, format!("`claude` is on PATH ({})", world.display_path(path)));
    }
    if let Some(name) = world
        .environment()
        .keys()
        .filter_map(|name| name.to_str())
        .find(|name| name.starts_with("CLAUDE_CODE_") || name.starts_with("ANTHROPIC_"))
    {
        return (Client::ClaudeCode, format!("the variable {name} is set"));
    }
    if let Some(path) = claude_files::first_found(world, world.variable("CLAUDE_CONFIG_DIR").as_deref()) {
        return (Client::ClaudeCode, format!("{path} exists"));
    }
    (Client::AwsSdk, "there is no trace of Claude Code on this machine".to_owned())
}

/// Resolves a client's settings.
pub fn resolve(world: &World, request: &Request) -> Resolved {
    let (client, client_because) = match request.client {
        Some(client) => (client, "--client".to_owned()),
        None => choose_client(world),
    };
    let lines = start_up_lines(world);
    let mut layers = Layers::of_process(world, &lines);
    let claude_files = read_claude_files(world, client, &mut layers);
    for (name, value, option) in [
        ("AWS_REGION", &request.region, "--region"),
        ("AWS_PROFILE", &request.profile, "--profile"),
        (model_variable(client), &request.model, "--model"),
    ] {
        if let Some(value) = value {
            layers.override_with(name, value, option);
        }
    }
    let aws = AwsFiles::read(world, layers.get("AWS_CONFIG_FILE"), layers.get("AWS_SHARED_CREDENTIALS_FILE"));
    let profile = credentials::profile(client, &layers, &aws);
    let files = Files { aws: &aws, profile: &profile.name };
    let region = region::resolve(client, &layers, &files);
    let region_name = region.known().map(|region| region.name.clone()).unwrap_or_default();
    let (provider, provider_setting) = match client {
        Client::ClaudeCode => claude_code::provider(&layers),
        Client::AwsSdk | Client::Bedside => (Provider::Bedrock, None),
    };
    let authentication = credentials::authentication(client, &layers);
    // The strongest file decides, and an empty text there is no helper.
    let export = claude_files
        .iter()
        .rev()
        .find_map(|file| file.key("awsCredentialExport"))
        .filter(|(command, _)| !command.trim().is_empty());
    let sources = credentials::sources(world, client, &layers, &files, &profile, export);
    let unsupported = unsupported(client, provider, authentication, &region_name);
    let mut unread = region::unread(&layers, &files);
    unread.extend(network::unread(client, &layers));
    if client != Client::AwsSdk {
        unread.extend(layers.filled_setting("AWS_DEFAULT_PROFILE"));
    }
    let models = models(client, &layers, &claude_files, &region_name, provider);
    let route = network::route(world, client, &layers, &files);
    // A bundle that cannot be used replaces nothing: without any root every certificate would be refused.
    let replace_roots = client == Client::AwsSdk && route.ca_bundle.is_some() && route.ca_bundle_problem.is_none();
    let mut problems: Vec<FileProblem> = Vec::new();
    let mut listed = Vec::new();
    for file in claude_files.iter().map(|file| &file.file).chain(&aws.files) {
        problems.extend(file.problems.iter().cloned().map(|problem| for_client(client, file.kind, problem)));
        listed.push(file.clone());
    }
    problems.extend(bad_values(client, &layers, &files));
    let no_chain = no_chain(client, &profile, authentication);
    let winner =
        sources.iter().find(|source| source.wins && source.kind != SourceKind::BearerToken).map(|source| source.kind);
    let mut environment = layers.environment();
    let keys_of_profile = adapt(&mut environment, client, &layers, &aws, &profile, winner, &sources);
    let settings = Settings {
        client,
        client_because,
        provider,
        provider_setting,
        authentication,
        unsupported,
        endpoints: network::endpoints(client, &layers, &files, &region_name),
        route,
        output_cap: layers.filled_setting("CLAUDE_CODE_MAX_OUTPUT_TOKENS").filter(|_| client == Client::ClaudeCode),
        prompt_caching_off: caching_off(&layers).filter(|_| client == Client::ClaudeCode),
        request_timeout_ms: layers
            .get("API_TIMEOUT_MS")
            .filter(|_| client == Client::ClaudeCode)
            .and_then(|value| value.parse().ok())
            .filter(|ms| *ms > 0),
        variables: shown_variables(&layers),
        left_out: layers.left_out.clone(),
        profile: Fact::Known(profile),
        models,
        sources,
        unread,
        files: listed,
        problems,
    };
    Resolved {
        settings,
        region,
        shell: Shell { assignments: lines },
        machine: Machine {
            os: world.platform().name().to_owned(),
            inside_aws: inside_aws(world),
            shell: world.filled_variable("SHELL").and_then(|shell| shell.rsplit('/').next().map(clean)),
        },
        environment: Secret::new(environment),
        replace_roots,
        no_chain,
        keys_of_profile,
    }
}

fn model_variable(client: Client) -> &'static str {
    match client {
        Client::ClaudeCode => "ANTHROPIC_MODEL",
        Client::AwsSdk | Client::Bedside => "BEDSIDE_MODEL",
    }
}

/// Lines of start-up files that set a variable that matters, compared with what the process has.
fn start_up_lines(world: &World) -> Vec<RcAssignment> {
    shell::assignments(world, |name| variables::variable(name).is_some())
        .into_iter()
        .map(|line| RcAssignment {
            in_effect: line.value.is_some() && world.variable(&line.name) == line.value,
            value: line.value.as_deref().map(|value| environment::shown(&line.name, value)),
            name: line.name,
            file: line.file,
            line: line.line,
            exported: line.exported,
        })
        .collect()
}

/// Reads Claude Code's files and puts their `env` blocks on the layers, the weakest first.
fn read_claude_files(world: &World, client: Client, layers: &mut Layers) -> Vec<ClaudeFile> {
    if client != Client::ClaudeCode {
        return Vec::new();
    }
    let config_dir = layers.raw("CLAUDE_CONFIG_DIR").map(str::to_owned);
    let ClaudeFiles { mut files, trusted } = claude_files::read_all(world, config_dir.as_deref());
    for file in &mut files {
        layers.add_file(file, trusted);
        // A helper named by a folder that nobody trusts is not even known.
        if !trusted && file.is_of_project() {
            for helper in ["awsCredentialExport", "awsAuthRefresh", "apiKeyHelper"] {
                if let Some((_, origin)) = file.key(helper) {
                    layers.left_out.push(LeftOut {
                        name: helper.to_owned(),
                        origin: origin.clone(),
                        because: file.left_out_because("run"),
                    });
                }
            }
            file.keys.retain(|(name, ..)| {
                !matches!(name.as_str(), "awsCredentialExport" | "awsAuthRefresh" | "apiKeyHelper")
            });
        }
    }
    files
}

fn models(client: Client, layers: &Layers, claude: &[ClaudeFile], region: &str, provider: Provider) -> ModelSettings {
    if client == Client::ClaudeCode {
        if !matches!(provider, Provider::Bedrock) {
            let none = || Fact::Absent("Claude Code does not talk to Bedrock".to_owned());
            return ModelSettings { main: none(), background: none(), subagent: none(), fallback: none() };
        }
        return claude_code::models(layers, claude, region);
    }
    let main = match (layers.get("BEDSIDE_MODEL"), layers.setting("BEDSIDE_MODEL")) {
        (Some(id), Some(setting)) => Fact::Known(ModelSetting {
            id: Some(id.to_owned()),
            written: None,
            name: "model".to_owned(),
            origin: setting.origin,
            shadows: setting.shadows,
            replaceable: false,
            region: None,
        }),
        _ => Fact::Absent("no model is set".into()),
    };
    let none = || Fact::Absent(format!("{} has one model", client.spoken()));
    ModelSettings { main, background: none(), subagent: none(), fallback: none() }
}

/// Set-ups that are not judged, because nothing here was measured against them.
fn unsupported(client: Client, provider: Provider, authentication: Authentication, region: &str) -> Option<String> {
    if client == Client::ClaudeCode && provider == Provider::Mantle {
        return Some("Claude Code is set to use Bedrock's Mantle endpoint, which bedside does not judge".to_owned());
    }
    if authentication == Authentication::None {
        return Some(
            "CLAUDE_CODE_SKIP_BEDROCK_AUTH is on: a gateway authenticates the requests, and bedside cannot tell what it allows".to_owned(),
        );
    }
    if region.starts_with("us-gov-") || region.starts_with("us-iso") || region.starts_with("eusc-") {
        return Some(format!("{region} lies in another partition of AWS, which bedside does not judge"));
    }
    None
}

/// Claude Code goes no further when the profile that was chosen is not there; the SDK would ask the next source.
fn no_chain(
    client: Client,
    profile: &crate::evidence::ProfileSetting,
    authentication: Authentication,
) -> Option<String> {
    (client == Client::ClaudeCode && profile.chosen && !profile.exists && authentication == Authentication::Sigv4)
        .then(|| format!("profile `{}` was not defined", profile.name))
}

/// Makes the environment of the probes mean to the Rust SDK what the client's means to the client.
fn adapt(
    environment: &mut BTreeMap<String, String>,
    client: Client,
    layers: &Layers,
    aws: &AwsFiles,
    profile: &crate::evidence::ProfileSetting,
    winner: Option<SourceKind>,
    sources: &[crate::evidence::CredentialSource],
) -> bool {
    if let (Some(region), true) = (environment.get("AWS_REGION").cloned(), client == Client::ClaudeCode) {
        environment.insert("AWS_REGION".into(), region.trim().to_owned());
    }
    if client != Client::ClaudeCode {
        return false;
    }
    // A profile that was chosen beats keys in the environment, and so does a pair of keys that is incomplete.
    let incomplete = layers.get("AWS_ACCESS_KEY_ID").is_some() != layers.get("AWS_SECRET_ACCESS_KEY").is_some();
    if profile.chosen || incomplete {
        for name in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"] {
            environment.remove(name);
        }
    }
    // One proxy for everything, lower case first, and exemptions with commas.
    let proxy = network::proxy_of_claude_code(layers).and_then(|name| environment.get(name).cloned());
    let exempt = ["no_proxy", "NO_PROXY"].iter().find_map(|name| environment.get(*name).cloned());
    for name in
        ["https_proxy", "HTTPS_PROXY", "http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY"]
    {
        environment.remove(name);
    }
    let exempt = exempt.unwrap_or_default();
    let mut exempt: Vec<&str> = exempt.split([' ', ',']).filter(|it| !it.is_empty()).collect();
    if let Some(proxy) = proxy {
        environment.insert("https_proxy".into(), proxy.clone());
        environment.insert("http_proxy".into(), proxy);
        // No client reaches these through a proxy, and the Rust SDK would try.
        exempt.extend(METADATA);
    }
    if !exempt.is_empty() {
        environment.insert("no_proxy".into(), exempt.join(","));
    }
    // Static keys come before a profile's SSO or process in Claude Code, after them in the SDK.
    let others = sources.iter().any(|source| {
        source.profile.as_deref() == Some(profile.name.as_str())
            && matches!(source.kind, SourceKind::Sso | SourceKind::CredentialProcess | SourceKind::Login)
    });
    if winner == Some(SourceKind::ProfileKeys) && others {
        let get = |key: &str| aws.get(&profile.name, key).map(|property| property.value.clone());
        if let (Some(id), Some(secret)) = (get("aws_access_key_id"), get("aws_secret_access_key")) {
            environment.insert("AWS_ACCESS_KEY_ID".into(), id);
            environment.insert("AWS_SECRET_ACCESS_KEY".into(), secret);
            if let Some(token) = get("aws_session_token") {
                environment.insert("AWS_SESSION_TOKEN".into(), token);
            }
            return true;
        }
    }
    false
}

/// A fault in an AWS file matters to each client in its own way: Claude Code reads past lines that the AWS CLI refuses.
fn for_client(client: Client, kind: OriginKind, mut problem: FileProblem) -> FileProblem {
    if client == Client::ClaudeCode
        && matches!(kind, OriginKind::AwsConfig | OriginKind::AwsCredentials)
        && problem.line.is_some()
    {
        problem.serious = false;
        if problem.effect.contains("refuse") {
            problem.effect = "Claude Code reads past it, the AWS CLI and the SDKs refuse the file".to_owned();
        }
    }
    problem
}

/// Values that an SDK refuses or that mean nothing. None of them is serious: who stumbles over it is told, and who does not works.
fn bad_values(client: Client, layers: &Layers, files: &Files<'_>) -> Vec<FileProblem> {
    let mut problems = Vec::new();
    let mut complain = |origin: &Origin, reason: String, effect: &str| {
        problems.push(FileProblem {
            file: origin.to_string(),
            line: None,
            reason,
            effect: effect.to_owned(),
            serious: false,
        });
    };
    // Of each the variable counts before the profile's key.
    let effective = |variable: &'static str, key: &'static str| {
        let of_variable = layers
            .get(variable)
            .zip(layers.origin(variable))
            .map(|(value, origin)| (variable, value.to_owned(), origin.clone()));
        of_variable.or_else(|| {
            let property = files.aws.get(files.profile, key)?;
            Some((key, property.value.trim().to_owned(), property.origin(key)))
        })
    };
    if let Some((name, mode, origin)) = effective("AWS_RETRY_MODE", "retry_mode") {
        match mode.to_lowercase().as_str() {
            "standard" | "adaptive" => {}
            "legacy" if client == Client::AwsSdk => complain(
                &origin,
                format!("{name} is `legacy`"),
                "the AWS CLI and boto3 take it, a program with the AWS SDK for Rust ends with a panic",
            ),
            "legacy" => {}
            _ => complain(
                &origin,
                format!("{name} is `{}`, which is no retry mode", clean(&mode)),
                "SDKs refuse it or ignore it",
            ),
        }
    }
    if let Some((name, attempts, origin)) = effective("AWS_MAX_ATTEMPTS", "max_attempts") {
        match attempts.parse::<u32>() {
            Ok(0) => complain(
                &origin,
                format!("{name} is 0, which leaves no attempt"),
                "some SDKs refuse it, and a program with the AWS SDK for Rust ends with a panic",
            ),
            Ok(_) => {}
            Err(_) => complain(
                &origin,
                format!("{name} is `{}`, which is no number", clean(&attempts)),
                "SDKs refuse it or ignore it",
            ),
        }
    }
    if let (Some(value), Some(origin)) = (layers.raw("AWS_PROFILE"), layers.origin("AWS_PROFILE"))
        && !value.trim().is_empty()
        && value.trim() != value
    {
        complain(
            origin,
            "AWS_PROFILE has white space around it, such as the end of a line of a Windows file".to_owned(),
            "no profile has that name",
        );
    }
    if client == Client::ClaudeCode {
        for name in ["CLAUDE_CODE_MAX_OUTPUT_TOKENS", "API_TIMEOUT_MS"] {
            if let (Some(value), Some(origin)) = (layers.get(name), layers.origin(name))
                && !value.starts_with(|it: char| it.is_ascii_digit() && it != '0')
            {
                complain(
                    origin,
                    format!("{name} is `{}`, which is no positive number", clean(value)),
                    "Claude Code ignores it",
                );
            }
        }
    }
    problems
}

fn caching_off(layers: &Layers) -> Option<Setting> {
    [
        "DISABLE_PROMPT_CACHING",
        "DISABLE_PROMPT_CACHING_OPUS",
        "DISABLE_PROMPT_CACHING_SONNET",
        "DISABLE_PROMPT_CACHING_HAIKU",
        "DISABLE_PROMPT_CACHING_FABLE",
    ]
    .into_iter()
    .find(|name| layers.get(name).is_some_and(claude_code::is_on))
    .and_then(|name| layers.setting(name))
}

/// Every variable that matters and is set, with its origin; secrets hidden.
fn shown_variables(layers: &Layers) -> Vec<Setting> {
    let mut shown: Vec<Setting> =
        variables::VARIABLES.iter().filter_map(|variable| layers.setting(variable.name)).collect();
    for name in layers.names().filter(|name| variables::variable(name).is_none()) {
        let of_settings = layers.origin(name).is_some_and(|origin| origin.kind != OriginKind::Environment);
        if of_settings && let Some(mut setting) = layers.setting(name) {
            // What a settings file sets and bedside knows nothing of is named, and its value kept, here and in what it shadows.
            setting.value = mask_secret(&setting.value);
            for shadowed in &mut setting.shadows {
                shadowed.value = mask_secret(&shadowed.value);
            }
            shown.push(setting);
        }
    }
    shown
}

/// Returns where inside AWS this process runs, if it does.
pub(crate) fn inside_aws(world: &World) -> Option<String> {
    let set = |name: &str| world.filled_variable(name).is_some();
    if set("AWS_LAMBDA_FUNCTION_NAME") {
        return Some("lambda".to_owned());
    }
    if set("ECS_CONTAINER_METADATA_URI_V4")
        || set("ECS_CONTAINER_METADATA_URI")
        || set("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI")
    {
        return Some("ecs".to_owned());
    }
    if set("KUBERNETES_SERVICE_HOST")
        && (set("AWS_WEB_IDENTITY_TOKEN_FILE") || set("AWS_CONTAINER_CREDENTIALS_FULL_URI"))
    {
        return Some("eks".to_owned());
    }
    if set("CODEBUILD_BUILD_ID") {
        return Some("codebuild".to_owned());
    }
    if world.filled_variable("AWS_EXECUTION_ENV").is_some_and(|it| it.to_lowercase().contains("cloudshell")) {
        return Some("cloudshell".to_owned());
    }
    if world.filled_variable("AWS_EXECUTION_ENV").is_some_and(|it| it.contains("EC2")) {
        return Some("ec2".to_owned());
    }
    let vendor = world.read_file(&world.system_path("/sys/devices/virtual/dmi/id/sys_vendor"));
    matches!(vendor, crate::world::FileRead::Text(text) if text.contains("Amazon EC2")).then(|| "ec2".to_owned())
}

impl Settings {
    /// Returns whether the client itself calls a service, rather than only bedside.
    pub fn called_by_client(&self, service: &str) -> bool {
        let winner = self
            .sources
            .iter()
            .find(|source| source.wins && source.kind != SourceKind::BearerToken)
            .map(|source| source.kind);
        let signed = self.authentication == Authentication::Sigv4;
        match service {
            "bedrock-runtime" => true,
            "bedrock" => self.client == Client::ClaudeCode,
            "sts" => signed && matches!(winner, Some(SourceKind::AssumeRole | SourceKind::WebIdentity)),
            "sso" => signed && winner == Some(SourceKind::Sso),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Pairs<'a> = &'a [(&'a str, &'a str)];

    fn resolved(client: Client, environment: Pairs<'_>, files: Pairs<'_>) -> Resolved {
        let world = World::in_memory(environment.iter().copied(), files.iter().copied());
        resolve(&world, &Request { client: Some(client), ..Request::default() })
    }

    fn url(client: Client, service: &str, environment: Pairs<'_>, config: &str) -> String {
        let settings = resolved(client, environment, &[("/home/me/.aws/config", config)]).settings;
        settings.endpoints[service].url.clone()
    }

    #[test]
    fn a_shadowed_value_of_an_unknown_variable_is_hidden() {
        let settings = resolved(
            Client::ClaudeCode,
            &[("COMPANY_PIN", "planted-one"), ("DB_PASS", "planted-two")],
            &[(
                "/home/me/.claude/settings.json",
                r#"{"env":{"COMPANY_PIN":"planted-three","DB_PASS":"planted-four"}}"#,
            )],
        )
        .settings;
        let text = serde_json::to_string(&settings).unwrap();
        assert!(text.contains("COMPANY_PIN") && text.contains("DB_PASS") && !text.contains("planted"), "{text}");
    }

    #[test]
    fn only_a_bundle_that_can_be_used_replaces_the_roots() {
        let bundle = ("AWS_CA_BUNDLE", "/ca.pem");
        let replaces = |client, environment: Pairs<'_>, pem: &str| {
            resolved(client, environment, &[("/ca.pem", pem)]).replace_roots
        };
        let pem = "-----BEGIN CERTIFICATE-----";
        assert!(replaces(Client::AwsSdk, &[bundle], pem));
        assert!(!replaces(Client::AwsSdk, &[bundle], "nothing"));
        assert!(!replaces(Client::AwsSdk, &[], pem));
        assert!(!replaces(Client::ClaudeCode, &[bundle, ("NODE_EXTRA_CA_CERTS", "/ca.pem")], pem));
    }

    #[test]
    fn metadata_is_kept_off_claude_codes_proxy() {
        let environment =
            |variables: Pairs<'_>| resolved(Client::ClaudeCode, variables, &[]).environment.expose().clone();
        let proxied = environment(&[("HTTP_PROXY", "http://proxy:1"), ("NO_PROXY", "a.example b.example")]);
        assert_eq!(proxied["https_proxy"], "http://proxy:1");
        assert_eq!(
            proxied["no_proxy"],
            "a.example,b.example,169.254.169.254,169.254.170.2,169.254.170.23,fd00:ec2::254"
        );
        assert_eq!(environment(&[("ALL_PROXY", "http://proxy:1")])["https_proxy"], "http://proxy:1");
        let passed_by = environment(&[("ALL_PROXY", "socks5://proxy:1")]);
        assert!(!passed_by.keys().any(|name| name.to_lowercase().ends_with("proxy")), "{passed_by:?}");
    }

    #[test]
    fn the_portal_is_called_in_the_region_of_the_sign_in() {
        let config = "[default]\nregion = us-east-1\nrole_arn = r\nsource_profile = hub\n[profile hub]\nsso_session = corp\n\
                      sso_account_id = 1\n[sso-session corp]\nsso_region = eu-west-1\n";
        for client in [Client::ClaudeCode, Client::AwsSdk] {
            assert_eq!(url(client, "sso", &[], config), "https://portal.sso.eu-west-1.amazonaws.com");
            assert_eq!(url(client, "sts", &[], config), "https://sts.us-east-1.amazonaws.com");
        }
        let circle = "[default]\nregion = us-east-1\nsource_profile = b\n[profile b]\nsource_profile = default\n";
        assert_eq!(url(Client::AwsSdk, "sso", &[], circle), "https://portal.sso.us-east-1.amazonaws.com");
    }

    #[test]
    fn fips_and_dual_stack_name_the_host_that_is_called() {
        let runtime = |client, environment: Pairs<'_>, keys: &str| {
            url(client, "bedrock-runtime", environment, &format!("[default]\nregion = us-east-1\n{keys}"))
        };
        let fips = ("AWS_USE_FIPS_ENDPOINT", "true");
        let sdk = Client::AwsSdk;
        assert_eq!(runtime(sdk, &[fips], ""), "https://bedrock-runtime-fips.us-east-1.amazonaws.com");
        assert_eq!(
            runtime(sdk, &[fips], "use_dualstack_endpoint = true"),
            "https://bedrock-runtime-fips.us-east-1.api.aws"
        );
        let off = ("AWS_USE_DUALSTACK_ENDPOINT", "false");
        assert_eq!(
            runtime(sdk, &[off], "use_dualstack_endpoint = true"),
            "https://bedrock-runtime.us-east-1.amazonaws.com",
            "the variable counts before the key"
        );
        assert_eq!(runtime(Client::ClaudeCode, &[fips], ""), "https://bedrock-runtime.us-east-1.amazonaws.com");
    }

    #[test]
    fn configured_addresses_are_ignored_where_a_key_says_so() {
        let config = "[default]\nregion = us-east-1\nendpoint_url = http://gw.example\n\
                      ignore_configured_endpoint_urls = true\n";
        let own = "https://bedrock.us-east-1.amazonaws.com";
        assert_eq!(url(Client::AwsSdk, "bedrock", &[], config), own);
        let off = ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "false");
        assert_eq!(url(Client::AwsSdk, "bedrock", &[off], config), "http://gw.example");
    }

    #[test]
    fn values_at_which_some_programs_stop_are_told_and_not_serious() {
        let problems = |client, environment: Pairs<'_>, keys: &str| {
            let config = format!("[default]\n{keys}");
            let settings = resolved(client, environment, &[("/home/me/.aws/config", config.as_str())]).settings;
            assert!(settings.problems.iter().all(|problem| !problem.serious));
            settings.problems.into_iter().map(|problem| problem.reason).collect::<Vec<_>>().join("; ")
        };
        let sdk = Client::AwsSdk;
        assert_eq!(problems(sdk, &[("AWS_MAX_ATTEMPTS", "0")], ""), "AWS_MAX_ATTEMPTS is 0, which leaves no attempt");
        assert_eq!(problems(sdk, &[], "retry_mode = legacy"), "retry_mode is `legacy`");
        assert_eq!(problems(sdk, &[("AWS_RETRY_MODE", "standard")], "retry_mode = legacy"), "");
        assert_eq!(problems(Client::ClaudeCode, &[("AWS_RETRY_MODE", "legacy")], "max_attempts = 3"), "");
        assert!(problems(sdk, &[("AWS_PROFILE", "default\r")], "").contains("white space"));
    }

    #[test]
    fn a_profiles_name_is_compared_as_it_stands() {
        for client in [Client::ClaudeCode, Client::AwsSdk] {
            let profile = |name: &str| {
                let files = [("/home/me/.aws/config", "[profile dev]\nregion = eu-west-1\n")];
                let profile = resolved(client, &[("AWS_PROFILE", name)], &files).settings.profile;
                profile.known().map(|profile| (profile.name.clone(), profile.exists)).unwrap()
            };
            assert_eq!(profile("dev"), ("dev".to_owned(), true));
            assert_eq!(profile("dev\r"), (r"dev\r".to_owned(), false));
        }
    }

    #[test]
    fn an_empty_helper_is_none() {
        let exported = |command: &str| {
            let text = format!(r#"{{"awsCredentialExport":"{command}"}}"#);
            let settings =
                resolved(Client::ClaudeCode, &[], &[("/home/me/.claude/settings.json", text.as_str())]).settings;
            settings.sources.iter().any(|source| source.kind == SourceKind::CredentialExport)
        };
        assert!(exported("helper") && !exported(""));
    }
}
