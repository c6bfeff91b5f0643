//! The probing process: it was started with exactly the client's environment, reads its plan from standard input and writes one line
//! of JSON for each fact.

use std::{
    io::{self, Read, Write},
    process::ExitCode,
    sync::{Arc, Mutex, PoisonError},
};

use serde_json::Value;

use super::Exit;
use crate::{
    evidence::Update,
    probes::{self, ProbePlan},
    settings::variables::{is_secret, secrets_in_address, variable},
    world::World,
};

/// A value this short is no secret worth hunting, and would be found everywhere.
const SHORTEST_SECRET: usize = 8;

pub(super) fn run() -> ExitCode {
    let mut plan_text = Vec::new();
    if io::stdin().read_to_end(&mut plan_text).is_err() {
        return Exit::Usage.into();
    }
    let Ok(plan) = serde_json::from_slice::<ProbePlan>(&plan_text) else {
        super::output::note("bedside: this command is for bedside itself");
        return Exit::Usage.into();
    };
    let world = World::real();
    let fence = Fence::new(&world, &String::from_utf8_lossy(&plan_text));
    let out = Mutex::new(io::stdout());
    let sink = Arc::new(move |update: Update| {
        let Ok(mut tree) = serde_json::to_value(&update) else { return };
        fence.close(&mut tree);
        let mut line = tree.to_string();
        line.push('\n');
        let mut out = out.lock().unwrap_or_else(PoisonError::into_inner);
        if out.write_all(line.as_bytes()).and_then(|()| out.flush()).is_err() {
            // Nobody listens any more.
            end_now();
        }
    });
    let Ok(runtime) = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build() else {
        return Exit::Usage.into();
    };
    runtime.block_on(probes::run(world, plan, sink));
    // A helper that still runs is no reason to stay.
    runtime.shutdown_background();
    ExitCode::SUCCESS
}

/// The second fence: what is known to be secret does not leave this process, whoever quoted it.
struct Fence(Vec<String>);

impl Fence {
    /// Collects the values of secret variables, and what addresses carry before their hosts.
    fn new(world: &World, plan: &str) -> Self {
        let mut secrets = Vec::new();
        for (name, value) in world.environment() {
            let (Some(name), value) = (name.to_str(), value.to_string_lossy()) else { continue };
            if is_secret(name) && name != "AWS_ACCESS_KEY_ID" {
                let value = value.trim();
                // A variable that only sounds secret may say what the settings show anyway, such as the Region.
                let open = variable(name).is_none() && plan.contains(value);
                if value.len() >= SHORTEST_SECRET && !open {
                    secrets.push(value.to_owned());
                }
                // One of several headers is as secret as all of them.
                secrets.extend(
                    value
                        .lines()
                        .filter_map(|line| line.split_once(':'))
                        .map(|(_, part)| part.trim().to_owned())
                        .filter(|part| name.ends_with("HEADERS") && part.len() >= SHORTEST_SECRET),
                );
            }
            secrets.extend(secrets_in_address(name, &value).into_iter().filter(|it| it.len() >= SHORTEST_SECRET));
        }
        // The longest first: what holds another one is hidden whole.
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        secrets.dedup();
        Self(secrets)
    }

    /// Hides the secrets in every text of a fact; names of fields are bedside's own.
    fn close(&self, value: &mut Value) {
        match value {
            Value::String(text) => {
                for secret in &self.0 {
                    if text.contains(secret.as_str()) {
                        *text = text.replace(secret.as_str(), "(hidden)");
                    }
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.close(item)),
            Value::Object(members) => members.values_mut().for_each(|member| self.close(member)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
}

/// Ends the process at once, from whatever thread. There is nothing to put in order: the probes change nothing.
#[expect(clippy::disallowed_methods, reason = "the probing process has no other way to stop its siblings")]
fn end_now() {
    std::process::exit(0);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_hidden_in_texts_and_nowhere_else() {
        let world = World::in_memory(
            [
                ("HTTPS_PROXY", "http://me:a%20password@proxy:8080"),
                ("AWS_SESSION_TOKEN", "a-token-of-a-session"),
                ("ANTHROPIC_CUSTOM_HEADERS", "x-one: first-value\nx-two: second-value"),
                ("AUTH_REGION", "us-east-1"),
                ("AUTH_METHOD", "identity"),
            ],
            [],
        );
        let fence = Fence::new(&world, r#"{"region":"us-east-1"}"#);
        let mut fact = serde_json::json!({ "identity": [
            "a-token-of-a-session; second-value; me:a password; a%20password", "us-east-1"
        ] });
        fence.close(&mut fact);
        assert_eq!(fact.to_string(), r#"{"identity":["(hidden); (hidden); (hidden); (hidden)","us-east-1"]}"#);
    }
}
