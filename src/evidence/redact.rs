//! Redaction of a whole document: accounts, principals, people, homes and hosts of the user become stable pseudonyms. The same name
//! gets the same pseudonym everywhere, so that a redacted record judges to the same findings.

use std::{collections::BTreeMap, net::Ipv6Addr, sync::LazyLock};

use regex::{Captures, Regex};
use serde_json::Value;

use super::{Evidence, ModelRole};

static ACCOUNT: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\b\d{12}\b").expect("a constant pattern"));
static PRINCIPAL: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?P<head>:(?:user|role|assumed-role|federated-user)/)(?P<name>[A-Za-z0-9+=,.@_/-]*[A-Za-z0-9+=@_/-])")
        .expect("a constant pattern")
});
static EMAIL: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+").expect("a constant pattern"));
static HOME: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(?P<head>/(?:home|Users)/)[^/\s:]+").expect("a constant pattern"));
static WINDOWS_HOME: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"(?P<head>[A-Za-z]:\\{1,2}Users\\{1,2})(?:[^\\/:*?"<>|\r\n]+(?P<tail>\\)|[^\\/\s:"]+)"#)
        .expect("a constant pattern")
});
static HOST: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"://(?P<host>[A-Za-z0-9][A-Za-z0-9._-]*|\[[0-9A-Fa-f:.]+\])").expect("a constant pattern")
});
/// What may be a host name wherever it stands: words with dots between them, or a single word.
static WORD: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"[A-Za-z0-9_](?:[A-Za-z0-9._-]*[A-Za-z0-9_])?").expect("a constant pattern"));
static ADDRESS: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"\b(?:\d{1,3}\.){3}\d{1,3}\b").expect("a constant pattern"));

/// Addresses of instance and container metadata, the same on every machine inside AWS.
const METADATA: [&str; 5] = ["169.254.169.254", "169.254.170.2", "169.254.170.23", "fd00:ec2::254", "fd00:ec2::23"];

/// Pseudonyms handed out so far.
#[derive(Default)]
struct Pseudonyms {
    accounts: BTreeMap<String, String>,
    names: BTreeMap<String, String>,
    people: BTreeMap<String, String>,
    hosts: BTreeMap<String, String>,
}

impl Evidence {
    /// Returns the document with pseudonyms in place of names.
    ///
    /// # Errors
    /// When the document cannot be taken apart and put together again, which its types rule out.
    pub fn redacted(&self) -> Result<Self, serde_json::Error> {
        let mut pseudonyms = Pseudonyms::default();
        // The caller first: whoever reads the record finds that one as the first of its kind.
        if let Some(identity) = self.identity.known() {
            pseudonyms.text(&identity.account);
            pseudonyms.text(&identity.arn);
        }
        // Hosts that stand somewhere without an address around them are known from their own fields.
        for host in self.hosts() {
            pseudonyms.host(&host);
        }
        let mut tree = serde_json::to_value(self)?;
        pseudonyms.walk(&mut tree, "");
        let mut redacted: Self = serde_json::from_value(tree)?;
        if let (super::Fact::Known(identity), Some(original)) = (&mut redacted.identity, self.identity.known()) {
            identity.name = pseudonyms.name(&original.name);
            identity.session = original.session.as_ref().map(|session| pseudonyms.name(session));
        }
        redacted.redacted = true;
        Ok(redacted)
    }

    /// The hosts of every field that is one: what was called, the proxies on the way, the addresses that are set.
    fn hosts(&self) -> Vec<String> {
        let mut hosts = Vec::new();
        for report in self.network.known().into_iter().flatten() {
            hosts.push(without_port(&report.host).to_owned());
            hosts.extend(report.proxy.as_deref().map(|proxy| without_port(proxy).to_owned()));
        }
        let roles = [ModelRole::Main, ModelRole::Background, ModelRole::Subagent, ModelRole::Fallback];
        hosts.extend(
            roles.iter().filter_map(|role| Some(without_port(&self.invoke.of(*role).known()?.host).to_owned())),
        );
        hosts.extend(self.settings.endpoints.values().map(|endpoint| endpoint.host().to_owned()));
        hosts.retain(|host| !host.is_empty());
        hosts
    }
}

/// Returns the host of `host:port`, and of an address without a scheme.
fn without_port(text: &str) -> &str {
    let authority = text.split(['/', '?']).next().unwrap_or(text);
    if let Some(v6) = authority.strip_prefix('[') {
        return v6.split(']').next().unwrap_or(v6);
    }
    match authority.rsplit_once(':') {
        Some((host, port)) if authority.parse::<Ipv6Addr>().is_err() && port.chars().all(|it| it.is_ascii_digit()) => {
            host
        }
        _ => authority,
    }
}

impl Pseudonyms {
    /// Goes through a value; `name` is the variable whose value it belongs to.
    fn walk(&mut self, value: &mut Value, name: &str) {
        match value {
            Value::String(text) => *text = self.text(text),
            Value::Array(items) => items.iter_mut().for_each(|item| self.walk(item, name)),
            Value::Object(members) => {
                let own = members.get("name").and_then(Value::as_str).unwrap_or(name).to_owned();
                for (key, member) in members {
                    match (key.as_str(), member) {
                        ("host" | "proxy", Value::String(text)) => *text = self.bare_host(text),
                        ("value", Value::String(text)) if own.to_lowercase().ends_with("proxy") => {
                            *text = self.proxies(text);
                        }
                        (_, member) => self.walk(member, &own),
                    }
                }
            }
            _ => {}
        }
    }

    /// The value of a proxy variable: an address, with a scheme or without, or hosts that no proxy is used for.
    fn proxies(&mut self, text: &str) -> String {
        let text = self.text(text);
        if text.contains("://") {
            return text;
        }
        let mut replaced = String::with_capacity(text.len());
        for part in text.split_inclusive([',', ' ']) {
            let entry = part.trim_end_matches([',', ' ']);
            // A domain with a dot or an asterisk before it stands for every host below it.
            let bare = entry.trim_start_matches("*.").trim_start_matches('.');
            replaced.push_str(&entry[..entry.len() - bare.len()]);
            replaced.push_str(&self.bare_host(bare));
            replaced.push_str(&part[entry.len()..]);
        }
        replaced
    }

    /// A host with or without a port, where nothing but a host can stand.
    fn bare_host(&mut self, text: &str) -> String {
        let host = without_port(text);
        if host.is_empty() || host == "*" {
            return text.to_owned();
        }
        let pseudonym = self.host(host);
        if pseudonym == host { text.to_owned() } else { text.replacen(host, &pseudonym, 1) }
    }

    /// Hosts that are known by now, in running text. A name without a dot is too like any other word.
    fn known_hosts(&self, text: &str) -> String {
        WORD.replace_all(text, |found: &Captures<'_>| {
            let word = &found[0];
            match self.hosts.get(&word.to_lowercase()) {
                Some(pseudonym) if word.contains('.') => pseudonym.clone(),
                _ => word.to_owned(),
            }
        })
        .into_owned()
    }

    fn text(&mut self, text: &str) -> String {
        let text = PRINCIPAL.replace_all(text, |found: &Captures<'_>| {
            let parts: Vec<String> = found["name"].split('/').map(|part| self.name(part)).collect();
            format!("{}{}", &found["head"], parts.join("/"))
        });
        let text = EMAIL.replace_all(&text, |found: &Captures<'_>| {
            numbered(&mut self.people, &found[0], |number| format!("person-{number}@example.com"))
        });
        let text = HOME.replace_all(&text, "${head}user");
        let text = WINDOWS_HOME.replace_all(&text, "${head}user${tail}");
        let text = HOST.replace_all(&text, |found: &Captures<'_>| {
            let written = &found["host"];
            let host = written.trim_start_matches('[').trim_end_matches(']');
            let pseudonym = self.host(host);
            format!("://{}", if pseudonym == host { written } else { &pseudonym })
        });
        let text = ADDRESS.replace_all(&text, |found: &Captures<'_>| self.host(&found[0]));
        let text = self.known_hosts(&text);
        ACCOUNT
            .replace_all(&text, |found: &Captures<'_>| {
                numbered(&mut self.accounts, &found[0], |number| format!("{}", number % 10).repeat(12))
            })
            .into_owned()
    }

    fn name(&mut self, name: &str) -> String {
        if name.is_empty() || name.starts_with("principal-") {
            return name.to_owned();
        }
        numbered(&mut self.names, name, |number| format!("principal-{number}"))
    }

    /// AWS's own hosts and this machine say nothing of the user.
    fn host(&mut self, host: &str) -> String {
        let public = [
            "amazonaws.com",
            "amazonaws.com.cn",
            "api.aws",
            "aws.amazon.com",
            "anthropic.com",
            "claude.com",
            "github.com",
            "example.com",
        ]
        .iter()
        .any(|suffix| host == *suffix || host.ends_with(&format!(".{suffix}")));
        let of_the_machine = host == "localhost" || host.starts_with("127.") || host == "::1";
        if public || of_the_machine || METADATA.contains(&host) {
            return host.to_owned();
        }
        numbered(&mut self.hosts, &host.to_lowercase(), |number| format!("host-{number}.example.com"))
    }
}

fn numbered(known: &mut BTreeMap<String, String>, original: &str, make: impl Fn(usize) -> String) -> String {
    // What is a pseudonym already stays one.
    if known.values().any(|pseudonym| pseudonym == original) {
        return original.to_owned();
    }
    let next = known.len() + 1;
    known.entry(original.to_owned()).or_insert_with(|| make(next)).clone()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_gets_its_pseudonym_wherever_it_stands() {
        let mut pseudonyms = Pseudonyms::default();
        let mut tree = serde_json::json!([
            { "name": "ANTHROPIC_BEDROCK_BASE_URL", "value": "https://gw.corp.example/x" },
            { "host": "gw.corp.example:443", "proxy": "proxy:8080" },
            { "name": "https_proxy", "value": "proxy:8080", "shadows": [{ "value": "http://GW.corp.example:1" }] },
            { "name": "NO_PROXY", "value": "169.254.169.254, *.corp.example,bedrock.us-east-1.amazonaws.com" },
            "failed to look up gw.corp.example: the proxy says no",
            { "host": "bedrock-runtime.us-east-1.amazonaws.com:443" },
            r"C:\Users\Ann Smith\.aws\config and C:\Users\ann",
            "http://[fd12::5]:8080 http://[fd00:ec2::254]/x"
        ]);
        pseudonyms.walk(&mut tree, "");
        assert_eq!(
            tree,
            serde_json::json!([
                { "name": "ANTHROPIC_BEDROCK_BASE_URL", "value": "https://host-1.example.com/x" },
                { "host": "host-1.example.com:443", "proxy": "host-2.example.com:8080" },
                {
                    "name": "https_proxy", "value": "host-2.example.com:8080",
                    "shadows": [{ "value": "http://host-1.example.com:1" }]
                },
                {
                    "name": "NO_PROXY",
                    "value": "169.254.169.254, *.host-3.example.com,bedrock.us-east-1.amazonaws.com"
                },
                "failed to look up host-1.example.com: the proxy says no",
                { "host": "bedrock-runtime.us-east-1.amazonaws.com:443" },
                r"C:\Users\user\.aws\config and C:\Users\user",
                "http://host-4.example.com:8080 http://[fd00:ec2::254]/x"
            ])
        );
    }

    #[test]
    fn the_same_name_gets_the_same_pseudonym() {
        let mut pseudonyms = Pseudonyms::default();
        let text = pseudonyms.text("User: arn:aws:sts::123456789012:assumed-role/DevRole/alice@corp.example is not authorized to perform: bedrock:InvokeModel on resource: arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-opus-5-5");
        assert_eq!(
            text,
            "User: arn:aws:sts::111111111111:assumed-role/principal-1/principal-2 is not authorized to perform: bedrock:InvokeModel on resource: arn:aws:bedrock:us-east-1:111111111111:inference-profile/us.anthropic.claude-opus-5-5"
        );
        assert_eq!(
            pseudonyms.text("arn:aws:iam::999999999999:role/DevRole"),
            "arn:aws:iam::222222222222:role/principal-1"
        );
        assert_eq!(
            pseudonyms.text("mail bob@corp.example at /home/bob/x via http://proxy.corp:8080"),
            "mail person-1@example.com at /home/user/x via http://host-1.example.com:8080"
        );
        assert_eq!(
            pseudonyms.text("https://bedrock-runtime.us-east-1.amazonaws.com/"),
            "https://bedrock-runtime.us-east-1.amazonaws.com/"
        );
        assert_eq!(pseudonyms.text("us-west-2 10.1.2.3"), "us-west-2 host-2.example.com");
    }
}
