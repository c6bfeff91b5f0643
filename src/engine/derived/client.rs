//! The client itself: whether it talks to Bedrock, whether its files can be read, its version, and what it switched off.

use super::{Diagnosis, View};
use crate::{
    evidence::{Authentication, Client, Fact, FileProblem, ModelRole, OriginKind, Provider, SourceKind},
    knowledge::{ClientFault, Confidence},
};

/// Whether the client talks to Bedrock at all.
pub(super) fn provider(view: View<'_>) -> Fact<Diagnosis> {
    let settings = &view.evidence.settings;
    if settings.client != Client::ClaudeCode {
        return Fact::Absent(format!("{} talks to nothing else", settings.client.spoken()));
    }
    let base = Diagnosis {
        client: Some(settings.client.spoken().to_owned()),
        expected: Some("CLAUDE_CODE_USE_BEDROCK=1 in the process's environment".into()),
        ..Diagnosis::of("bedrock-not-enabled-in-client")
    };
    match settings.provider {
        Provider::Bedrock | Provider::Mantle => Diagnosis::fine(),
        Provider::Other => {
            let setting = settings.provider_setting.as_ref();
            Fact::Known(Diagnosis {
                setting: setting.map(|setting| setting.name.clone()),
                value: setting.map(|setting| setting.value.clone()),
                origin: setting.map(|setting| setting.origin.to_string()),
                measured: Some("another provider is chosen".into()),
                ..base.with_subcause("another-provider")
            })
        }
        Provider::Anthropic => {
            let name = "CLAUDE_CODE_USE_BEDROCK";
            if let Some(setting) = &settings.provider_setting {
                return Fact::Known(Diagnosis {
                    setting: Some(setting.name.clone()),
                    value: Some(setting.value.clone()),
                    origin: Some(setting.origin.to_string()),
                    measured: Some(format!("{}={}", setting.name, setting.value)),
                    ..base.with_subcause("switched-off")
                });
            }
            if let Some(left_out) = settings.left_out.iter().find(|left_out| left_out.name == name) {
                return Fact::Known(Diagnosis {
                    setting: Some(name.into()),
                    origin: Some(left_out.origin.to_string()),
                    measured: Some("set only where it does not count".into()),
                    ..base.with_subcause("left-out")
                });
            }
            if let Some(line) = view.evidence.shell.assignments.iter().find(|line| line.name == name && !line.in_effect)
            {
                return Fact::Known(Diagnosis {
                    setting: Some(name.into()),
                    place: Some(format!("{}:{}", line.file, line.line)),
                    measured: Some(format!("set in {}:{}, and not in this process", line.file, line.line)),
                    ..if line.exported {
                        base.with_subcause("start-up-file-not-in-effect")
                    } else {
                        base.with_subcause("not-exported")
                    }
                });
            }
            Fact::Known(Diagnosis {
                setting: Some(name.into()),
                measured: Some("not set".into()),
                ..base.with_subcause("not-set")
            })
        }
    }
}

/// Settings files of the client and of AWS.
pub(super) fn files(view: View<'_>) -> Fact<Diagnosis> {
    let settings = &view.evidence.settings;
    let Some(problem) = settings.problems.iter().find(|problem| problem.serious) else { return Diagnosis::fine() };
    // What works needs no mending, as long as the fault has no effect that anybody would feel.
    if view.works() && !of_client(settings, problem) {
        return Diagnosis::fine();
    }
    Fact::Known(Diagnosis {
        client: Some(settings.client.spoken().to_owned()),
        file: Some(problem.file.clone()),
        place: Some(problem.place()),
        message: Some(problem.reason.clone()),
        evidence: Some(problem.effect.clone()),
        measured: Some(format!("{}: {}", problem.place(), problem.reason)),
        ..Diagnosis::of("client-config-invalid")
    })
}

/// The file is one of Claude Code's own, whose values would have been used.
fn of_client(settings: &crate::evidence::Settings, problem: &FileProblem) -> bool {
    settings.files.iter().any(|file| {
        file.path == problem.file
            && matches!(
                file.kind,
                OriginKind::UserSettings
                    | OriginKind::ProjectSettings
                    | OriginKind::LocalSettings
                    | OriginKind::ManagedSettings
            )
    })
}

/// The version of the client program against the table of known faults.
pub(super) fn version(view: View<'_>) -> Fact<Diagnosis> {
    let evidence = view.evidence;
    let (name, program) = match evidence.settings.client {
        Client::ClaudeCode => ("claude-code", &evidence.clients.claude_code),
        Client::AwsSdk => ("aws-cli", &evidence.clients.aws_cli),
        Client::Bedside => return Fact::Absent("bedside's chat is this program".into()),
    };
    let program = match program {
        Fact::Known(program) => program,
        Fact::Absent(reason) => return Fact::Absent(reason.clone()),
        Fact::Unreadable(obstacle) => return Fact::Unreadable(obstacle.clone()),
    };
    let Some(version) = program.version.as_deref() else {
        return Fact::Absent(program.problem.clone().unwrap_or_else(|| "it does not tell its version".into()));
    };
    let fault = view
        .knowledge
        .tables
        .client_faults
        .iter()
        .filter(|fault| fault.client == name)
        .find(|fault| has_fault(fault, version) && is_met(view, &fault.met_when));
    let Some(fault) = fault else { return Diagnosis::fine() };
    Fact::Known(Diagnosis {
        client: Some(evidence.settings.client.spoken().to_owned()),
        version: Some(version.to_owned()),
        fixed_in: Some(fault.fixed_in.clone()),
        evidence: Some(fault.effect.clone()),
        file: Some(program.path.clone()),
        url: Some(fault.source.clone()),
        measured: Some(format!("version {version}")),
        expected: Some(format!("{} or later", fault.fixed_in)),
        confidence: Confidence::Likely,
        ..Diagnosis::of(&fault.cause).with_subcause(&fault.id)
    })
}

fn has_fault(fault: &ClientFault, version: &str) -> bool {
    older(version, &fault.fixed_in) && fault.since.as_deref().is_none_or(|since| !older(version, since))
}

/// The conditions under which a fault of a version is met.
fn is_met(view: View<'_>, rule: &str) -> bool {
    let settings = &view.evidence.settings;
    let winner = settings.winner().map(|source| source.kind);
    match rule {
        "always" => true,
        "bearer-token" => settings.authentication == Authentication::BearerToken,
        "container-credentials" => winner == Some(SourceKind::Container),
        "login-profile" => winner == Some(SourceKind::Login),
        // Extra trust roots matter only where somebody other than Amazon signed the certificate.
        "custom-ca" => {
            let issuer = view.evidence.network.known().and_then(|hosts| {
                hosts.iter().find(|host| host.service == "bedrock-runtime").and_then(|host| host.issuer.as_deref())
            });
            settings.route.ca_bundle.is_some()
                && settings.route.https_proxy.is_none()
                && issuer.is_some_and(|issuer| !issuer.contains("Amazon"))
        }
        // A client that does not read it calls us-east-1.
        "region-from-profile" => view.evidence.region.known().is_some_and(|region| {
            matches!(region.origin.kind, OriginKind::AwsConfig | OriginKind::AwsCredentials)
                && region.name != "us-east-1"
        }),
        _ => false,
    }
}

/// Compares versions number by number; what is no number ends it.
fn older(version: &str, than: &str) -> bool {
    let numbers =
        |text: &str| -> Vec<u64> { text.split(['.', '-', '+', ' ']).map_while(|part| part.parse().ok()).collect() };
    let (left, right) = (numbers(version), numbers(than));
    !left.is_empty() && left < right
}

/// Prompt caching switched off although the model takes it.
pub(super) fn caching(view: View<'_>) -> Fact<Diagnosis> {
    let settings = &view.evidence.settings;
    if settings.client != Client::ClaudeCode {
        return Fact::Absent(format!("{} decides about caching in its own code", settings.client.spoken()));
    }
    let Some(off) = &settings.prompt_caching_off else { return Diagnosis::fine() };
    // A switch of one family matters to those who use a model of it.
    let family = off.name.strip_prefix("DISABLE_PROMPT_CACHING_").map(str::to_lowercase);
    let ids = [ModelRole::Main, ModelRole::Background, ModelRole::Subagent].into_iter().filter_map(|role| {
        let invoked = view.evidence.invoke.of(role).known().map(|invocation| invocation.model_id.clone());
        invoked.or_else(|| settings.models.of(role).known().and_then(|model| model.id.clone()))
    });
    if let Some(family) = family
        && !ids.into_iter().any(|id| id.contains(&family) || id.contains("application-inference-profile"))
    {
        return Diagnosis::fine();
    }
    Fact::Known(Diagnosis {
        client: Some(settings.client.spoken().to_owned()),
        setting: Some(off.name.clone()),
        value: Some(off.value.clone()),
        origin: Some(off.origin.to_string()),
        measured: Some(format!("{}={}", off.name, off.value)),
        expected: Some(format!("{} not set", off.name)),
        ..Diagnosis::of("prompt-caching-disabled")
    })
}

#[cfg(test)]
mod tests {
    use super::older;

    #[test]
    fn versions_are_compared_by_number() {
        assert!(older("2.1.94", "2.1.172") && older("1.29", "2.0") && older("2.1", "2.1.1"));
        assert!(!older("2.1.330", "2.1.330") && !older("2.10.0", "2.9.9") && !older("nonsense", "1"));
    }
}
