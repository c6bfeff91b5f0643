//! Redaction of a whole document: accounts, principals, people, homes and hosts of the user become stable pseudonyms. The same name
//! gets the same pseudonym everywhere, so that a redacted record judges to the same findings.

use std::{collections::BTreeMap, sync::LazyLock};

use regex::{Captures, Regex};
use serde_json::Value;

use super::Evidence;

static ACCOUNT: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\b\d{12}\b").expect("a constant pattern"));
static PRINCIPAL: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?P<head>:(?:user|role|assumed-role|federated-user)/)(?P<name>[A-Za-z0-9+=,.@_/-]*[A-Za-z0-9+=@_/-])")
        .expect("a constant pattern")
});
static EMAIL: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+").expect("a constant pattern"));
static HOME: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(?P<head>/(?:home|Users)/)[^/\s:]+").expect("a constant pattern"));
static HOST: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"://(?P<host>[A-Za-z0-9][A-Za-z0-9.-]*)").expect("a constant pattern"));
static ADDRESS: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"\b(?:\d{1,3}\.){3}\d{1,3}\b").expect("a constant pattern"));

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
        let mut tree = serde_json::to_value(self)?;
        pseudonyms.walk(&mut tree);
        let mut redacted: Self = serde_json::from_value(tree)?;
        if let (super::Fact::Known(identity), Some(original)) = (&mut redacted.identity, self.identity.known()) {
            identity.name = pseudonyms.name(&original.name);
            identity.session = original.session.as_ref().map(|session| pseudonyms.name(session));
        }
        redacted.redacted = true;
        Ok(redacted)
    }
}

impl Pseudonyms {
    fn walk(&mut self, value: &mut Value) {
        match value {
            Value::String(text) => *text = self.text(text),
            Value::Array(items) => items.iter_mut().for_each(|item| self.walk(item)),
            Value::Object(members) => members.values_mut().for_each(|member| self.walk(member)),
            _ => {}
        }
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
        let text = HOST.replace_all(&text, |found: &Captures<'_>| format!("://{}", self.host(&found["host"])));
        let text = ADDRESS.replace_all(&text, |found: &Captures<'_>| self.host(&found[0]));
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
        if public
            || host == "localhost"
            || host.starts_with("127.")
            || host == "169.254.169.254"
            || host == "169.254.170.2"
        {
            return host.to_owned();
        }
        numbered(&mut self.hosts, host, |number| format!("host-{number}.example.com"))
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
