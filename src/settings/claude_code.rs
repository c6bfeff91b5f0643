//! Claude Code's own rules: when it talks to Bedrock, and which model ids it sends. From its documentation where that speaks
//! (Claude Code docs: Amazon Bedrock, environment variables, settings), from observation of version 2.1.330 where it does not.

use super::{claude_files::ClaudeFile, environment::Layers};
use crate::evidence::{Fact, ModelSetting, ModelSettings, Origin, OriginKind, Provider, Setting, Shadowed, clean};

const OPUS: &str = "anthropic.claude-opus-5-5";
const SONNET: &str = "anthropic.claude-sonnet-4-5-20250929-v1:0";
const HAIKU: &str = "anthropic.claude-haiku-4-5-20251001-v1:0";
const FABLE: &str = "anthropic.claude-fable-5-2";

/// What Claude Code tries by itself when its default of a family is not available, in its order.
const OPUS_REPLACEMENTS: [&str; 6] = [
    "anthropic.claude-opus-5",
    "anthropic.claude-opus-4-8",
    "anthropic.claude-opus-4-7",
    "anthropic.claude-opus-4-6-v1",
    "anthropic.claude-opus-4-5-20251101-v1:0",
    SONNET,
];

/// Names of Anthropic's API that Claude Code turns into ids of Bedrock; any other name is sent as it stands.
const NAMES: [(&str, &str); 12] = [
    ("claude-opus-5-5", OPUS),
    ("claude-opus-5", "anthropic.claude-opus-5"),
    ("claude-opus-4-8", "anthropic.claude-opus-4-8"),
    ("claude-opus-4-7", "anthropic.claude-opus-4-7"),
    ("claude-opus-4-6", "anthropic.claude-opus-4-6-v1"),
    ("claude-opus-4-5-20251101", "anthropic.claude-opus-4-5-20251101-v1:0"),
    ("claude-sonnet-5-5", "anthropic.claude-sonnet-5-5"),
    ("claude-sonnet-5", "anthropic.claude-sonnet-5"),
    ("claude-sonnet-4-6", "anthropic.claude-sonnet-4-6"),
    ("claude-sonnet-4-5-20250929", SONNET),
    ("claude-haiku-5-5", "anthropic.claude-haiku-5-5"),
    ("claude-haiku-4-5-20251001", HAIKU),
];

/// Whether a switch of Claude Code is on.
pub(super) fn is_on(value: &str) -> bool {
    matches!(value.trim().to_lowercase().as_str(), "1" | "true" | "yes" | "on")
}

/// Returns where turns go, and the setting that decides it.
pub(super) fn provider(layers: &Layers) -> (Provider, Option<Setting>) {
    let on = |name: &str| layers.get(name).is_some_and(is_on);
    if on("CLAUDE_CODE_USE_BEDROCK") {
        return (Provider::Bedrock, layers.setting("CLAUDE_CODE_USE_BEDROCK"));
    }
    if on("CLAUDE_CODE_USE_MANTLE") {
        return (Provider::Mantle, layers.setting("CLAUDE_CODE_USE_MANTLE"));
    }
    for name in ["CLAUDE_CODE_USE_VERTEX", "CLAUDE_CODE_USE_FOUNDRY", "CLAUDE_CODE_USE_ANTHROPIC_AWS"] {
        if on(name) {
            return (Provider::Other, layers.setting(name));
        }
    }
    (Provider::Anthropic, layers.setting("CLAUDE_CODE_USE_BEDROCK"))
}

/// Returns the geography that Claude Code puts before its own model ids in a Region.
pub(super) fn prefix(region: &str, layers: &Layers) -> &'static str {
    if region.starts_with("us-gov-") {
        return "us-gov";
    }
    let wanted = layers.get("ANTHROPIC_BEDROCK_REGION_PREFIX").unwrap_or_default();
    if let Some(known) = ["us", "eu", "apac", "jp", "au", "global"].into_iter().find(|known| *known == wanted) {
        return known;
    }
    match region.split('-').next() {
        Some("us") => "us",
        Some("eu") => "eu",
        Some("ap") => "apac",
        _ => "global",
    }
}

/// Returns the built-in main model of a version (Claude Code docs: Amazon Bedrock, "default models"); without a version the newest.
pub fn default_model(version: Option<&str>) -> &'static str {
    let Some(version) = version else { return OPUS };
    let numbers: Vec<u64> = version.split('.').map_while(|part| part.parse().ok()).collect();
    if numbers.as_slice() < [2, 1, 207].as_slice() {
        SONNET
    } else if numbers.as_slice() < [2, 1, 219].as_slice() {
        "anthropic.claude-opus-4-8"
    } else if numbers.as_slice() < [2, 1, 280].as_slice() {
        "anthropic.claude-opus-5"
    } else {
        OPUS
    }
}

/// Returns what Claude Code tries after a model of its own, in its order, as foundation-model ids.
pub fn replacements(foundation_model: &str) -> &'static [&'static str] {
    match OPUS_REPLACEMENTS.iter().position(|it| *it == foundation_model) {
        Some(at) => &OPUS_REPLACEMENTS[at + 1..],
        None if foundation_model == OPUS => &OPUS_REPLACEMENTS,
        None => &[],
    }
}

/// A model as it is written somewhere.
struct Written {
    name: String,
    value: String,
    origin: Origin,
    shadows: Vec<Shadowed>,
}

/// Returns the models by role.
pub(super) fn models(layers: &Layers, files: &[ClaudeFile], region: &str) -> ModelSettings {
    let resolver = Resolver { layers, files, region };
    let selected = resolver.selected();
    let opus = resolver.variable("ANTHROPIC_DEFAULT_OPUS_MODEL");
    let sonnet = resolver.variable("ANTHROPIC_DEFAULT_SONNET_MODEL");
    let main = match (&selected, &opus, &sonnet) {
        (Some(written), ..) => resolver.resolve(written),
        // Without a selection, a pin of a family makes that family the main model: opus before sonnet.
        (None, Some(written), _) | (None, None, Some(written)) => resolver.resolve(written),
        (None, None, None) => resolver.built_in(OPUS),
    };
    let background = resolver
        .variable("ANTHROPIC_SMALL_FAST_MODEL")
        .or_else(|| resolver.variable("ANTHROPIC_DEFAULT_HAIKU_MODEL"))
        .map(|written| {
            let mut model = resolver.resolve(&written);
            model.region = layers.get("ANTHROPIC_SMALL_FAST_MODEL_AWS_REGION").map(str::to_owned);
            model
        })
        .or_else(|| selected.is_some().then(|| main.clone()))
        .or_else(|| sonnet.as_ref().map(|written| resolver.resolve(written)))
        .or_else(|| opus.is_some().then(|| main.clone()))
        .unwrap_or_else(|| resolver.built_in(SONNET));
    let subagent = match resolver.variable("CLAUDE_CODE_SUBAGENT_MODEL") {
        Some(written) => Fact::Known(resolver.resolve(&written)),
        None => Fact::Absent("subagents use the main model".into()),
    };
    let fallback = match resolver.key("fallbackModel") {
        Some(mut written) => {
            written.value = written.value.split(',').next().unwrap_or_default().trim().to_owned();
            if written.value.is_empty() {
                Fact::Absent("no fallback model is set".into())
            } else {
                Fact::Known(resolver.resolve(&written))
            }
        }
        None => Fact::Absent("no fallback model is set".into()),
    };
    ModelSettings { main: Fact::Known(main), background: Fact::Known(background), subagent, fallback }
}

struct Resolver<'a> {
    layers: &'a Layers,
    files: &'a [ClaudeFile],
    region: &'a str,
}

impl Resolver<'_> {
    /// The model that somebody selected: `ANTHROPIC_MODEL`, then the key `model`, then `ANTHROPIC_DEFAULT_MODEL`.
    fn selected(&self) -> Option<Written> {
        let candidates: Vec<Written> =
            [self.variable("ANTHROPIC_MODEL"), self.key("model"), self.variable("ANTHROPIC_DEFAULT_MODEL")]
                .into_iter()
                .flatten()
                .collect();
        let mut candidates = candidates.into_iter();
        let mut first = candidates.next()?;
        for lost in candidates {
            if lost.value != first.value {
                first.shadows.push(Shadowed {
                    value: clean(&lost.value),
                    origin: lost.origin,
                    because: format!("{} wins over {}", first.name, lost.name),
                });
            }
        }
        Some(first)
    }

    fn variable(&self, name: &str) -> Option<Written> {
        let setting = self.layers.filled_setting(name)?;
        Some(Written {
            name: name.to_owned(),
            value: self.layers.get(name)?.to_owned(),
            origin: setting.origin,
            shadows: setting.shadows,
        })
    }

    /// A key of the settings files, the strongest file first.
    fn key(&self, name: &str) -> Option<Written> {
        let mut found =
            self.files.iter().rev().filter_map(|file| file.key(name)).filter(|(value, _)| !value.trim().is_empty());
        let (value, origin) = found.next()?;
        let shadows = found
            .filter(|(other, _)| *other != value)
            .map(|(other, lost)| Shadowed {
                value: clean(other),
                origin: lost.clone(),
                because: format!("{origin} wins"),
            })
            .collect();
        Some(Written { name: name.to_owned(), value: value.trim().to_owned(), origin: origin.clone(), shadows })
    }

    fn prefixed(&self, foundation_model: &str) -> String {
        format!("{}.{foundation_model}", prefix(self.region, self.layers))
    }

    fn built_in(&self, foundation_model: &str) -> ModelSetting {
        let mut model = ModelSetting {
            id: Some(self.prefixed(foundation_model)),
            written: None,
            name: "default".to_owned(),
            origin: Origin { kind: OriginKind::Default, file: None, line: None, name: None, reason: None },
            shadows: Vec::new(),
            replaceable: true,
            region: None,
        };
        self.apply_override(foundation_model, &mut model);
        model
    }

    /// From what is written to what is sent: aliases, Anthropic's own names, ids with a window suffix.
    fn resolve(&self, written: &Written) -> ModelSetting {
        let plain = written.value.trim();
        let without_window = plain.strip_suffix("[1m]").unwrap_or(plain);
        let alias = without_window.to_lowercase();
        let mut model = ModelSetting {
            id: None,
            written: None,
            name: written.name.clone(),
            origin: written.origin.clone(),
            shadows: written.shadows.clone(),
            replaceable: false,
            region: None,
        };
        let family = match alias.as_str() {
            "opus" | "best" => Some((OPUS, "ANTHROPIC_DEFAULT_OPUS_MODEL")),
            "sonnet" | "opusplan" => Some((SONNET, "ANTHROPIC_DEFAULT_SONNET_MODEL")),
            "haiku" => Some((HAIKU, "ANTHROPIC_DEFAULT_HAIKU_MODEL")),
            "fable" => Some((FABLE, "ANTHROPIC_DEFAULT_FABLE_MODEL")),
            _ => None,
        };
        if let Some((foundation_model, pin)) = family {
            if let Some(pinned) =
                self.variable(pin).filter(|pinned| pinned.name != written.name && !is_alias(&pinned.value))
            {
                let mut target = self.resolve(&pinned);
                target.written = Some(plain.to_owned());
                target.name.clone_from(&written.name);
                target.origin.clone_from(&written.origin);
                return target;
            }
            model.id = Some(self.prefixed(foundation_model));
            model.replaceable = alias != "fable";
            self.apply_override(foundation_model, &mut model);
        } else if let Some((_, foundation_model)) = NAMES.iter().find(|(name, _)| *name == without_window) {
            model.id = Some(self.prefixed(foundation_model));
            // The id follows the account's list, and nothing replaces it.
            model.replaceable = false;
            self.apply_override(foundation_model, &mut model);
        } else {
            model.id = Some(clean(without_window));
        }
        if model.id.as_deref() != Some(plain) {
            model.written = Some(clean(plain));
        }
        model
    }

    /// `modelOverrides` maps Anthropic's names to ARNs.
    fn apply_override(&self, foundation_model: &str, model: &mut ModelSetting) {
        let Some((name, _)) = NAMES.iter().find(|(_, id)| *id == foundation_model) else { return };
        if let Some(written) = self.key(&format!("modelOverrides.{name}")) {
            model.written.get_or_insert_with(|| (*name).to_owned());
            model.id = Some(written.value);
            model.origin = written.origin;
            model.name = "modelOverrides".to_owned();
            model.replaceable = false;
        }
    }
}

fn is_alias(value: &str) -> bool {
    let value = value.trim().to_lowercase();
    matches!(value.strip_suffix("[1m]").unwrap_or(&value), "opus" | "best" | "sonnet" | "opusplan" | "haiku" | "fable")
}
