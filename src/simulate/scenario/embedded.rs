//! The scenarios that are part of the program.

use std::sync::LazyLock;

use super::Scenario;

/// Path and text of every file in `scenarios/`, in the order of their names.
const FILES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/scenarios.rs"));

/// Returns every embedded scenario, in the order of their names.
pub(super) fn all() -> &'static [Scenario] {
    static ALL: LazyLock<Vec<Scenario>> = LazyLock::new(|| FILES.iter().map(parse).collect());
    &ALL
}

/// Returns one embedded scenario. The others are not read for it.
pub(super) fn one(name: &str) -> Option<Scenario> {
    FILES.iter().find(|(path, _)| name_of(path) == name).map(parse)
}

fn name_of(path: &str) -> &str {
    path.strip_suffix(".toml").unwrap_or(path)
}

fn parse((path, text): &(&str, &str)) -> Scenario {
    match Scenario::parse(name_of(path), text) {
        Ok(scenario) => scenario,
        Err(error) => panic!("embedded scenarios are parsed by a test: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_embedded_scenario_is_sound() {
        assert!(!FILES.is_empty());
        for (path, text) in FILES {
            if let Err(error) = Scenario::parse(name_of(path), text) {
                panic!("{error}");
            }
        }
    }
}
