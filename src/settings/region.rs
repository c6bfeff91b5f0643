//! Which Region a client calls. The order differs by client: Claude Code ends at us-east-1, an SDK ends without one.

use super::{Files, environment::Layers};
use crate::evidence::{Client, Fact, Origin, OriginKind, RegionSetting, Setting, Shadowed, clean};

/// Where Claude Code goes when nobody says where.
const CLAUDE_CODE_DEFAULT: &str = "us-east-1";

/// Returns the Region with its origin and what it shadows.
pub(super) fn resolve(client: Client, layers: &Layers, files: &Files<'_>) -> Fact<RegionSetting> {
    let mut candidates: Vec<(String, String, Origin)> = Vec::new();
    let mut ignored: Vec<Shadowed> = Vec::new();
    for name in ["AWS_REGION", "AWS_DEFAULT_REGION"] {
        if let (Some(value), Some(origin)) = (layers.get(name), layers.origin(name)) {
            // What is asked for on the command line is looked at as it stands.
            let asked = origin.kind == OriginKind::Option;
            if client == Client::ClaudeCode && !asked && !taken_by_claude_code(value) {
                ignored.push(Shadowed {
                    value: clean(value),
                    origin: origin.clone(),
                    because: format!("{name} is malformed, and Claude Code skips it without a word"),
                });
                continue;
            }
            candidates.push((name.to_owned(), clean(value), origin.clone()));
        }
    }
    if let Some(property) = files.aws.get(files.profile, "region") {
        let value = property.value.trim();
        if client != Client::ClaudeCode || taken_by_claude_code(value) {
            candidates.push(("region".to_owned(), clean(value), property.origin("region")));
        }
    }
    let Some((setting, name, origin)) = candidates.first().cloned() else {
        return match client {
            Client::ClaudeCode => Fact::Known(RegionSetting {
                name: CLAUDE_CODE_DEFAULT.to_owned(),
                setting: "default".to_owned(),
                origin: Origin { kind: OriginKind::Default, file: None, line: None, name: None, reason: None },
                shadows: ignored,
                is_fallback: true,
            }),
            Client::AwsSdk | Client::Bedside => Fact::Absent("no Region is set".into()),
        };
    };
    let mut shadows: Vec<Shadowed> = candidates[1..]
        .iter()
        .filter(|(_, value, _)| *value != name)
        .map(|(_, value, lost)| Shadowed {
            value: value.clone(),
            origin: lost.clone(),
            because: format!("{setting} wins"),
        })
        .collect();
    shadows.extend(ignored);
    if let Some(setting) = layers.setting(&setting) {
        shadows.extend(setting.shadows);
    }
    Fact::Known(RegionSetting { name, setting, origin, shadows, is_fallback: false })
}

/// Claude Code takes words joined by hyphens and skips anything else, observed with 2.1.330.
fn taken_by_claude_code(value: &str) -> bool {
    let mut words = value.split('-');
    let first = words.next().unwrap_or_default();
    !first.is_empty()
        && first.chars().all(|it| it.is_ascii_alphabetic())
        && words.all(|word| !word.is_empty() && word.chars().all(|it| it.is_ascii_alphanumeric()))
}

/// Regions that stand in places this client does not read.
pub(super) fn unread(layers: &Layers, files: &Files<'_>) -> Vec<Setting> {
    let mut found: Vec<Setting> =
        super::variables::UNREAD_REGIONS.iter().filter_map(|name| layers.filled_setting(name)).collect();
    // The Region of a profile that is not in use, of which there is just one.
    let others: Vec<_> = files
        .aws
        .profiles
        .keys()
        .filter(|profile| *profile != files.profile)
        .filter_map(|profile| Some((profile, files.aws.get(profile, "region")?)))
        .collect();
    if let [(profile, property)] = others[..] {
        found.push(Setting {
            name: format!("region of profile {profile}"),
            value: property.value.clone(),
            origin: property.origin("region"),
            shadows: Vec::new(),
        });
    }
    found
}

#[cfg(test)]
mod tests {
    use super::taken_by_claude_code;

    #[test]
    fn malformed_regions_are_those_that_claude_code_skips() {
        for taken in ["us-east-1", "US-WEST-2", "us-west-2a", "moon-east-1", "null"] {
            assert!(taken_by_claude_code(taken), "{taken}");
        }
        for skipped in ["uswest2", "us_west_2", "us west 2", "\"us-west-2\"", "https://x", "us-west-2.foo", ""] {
            assert!(!taken_by_claude_code(skipped), "{skipped}");
        }
    }
}
