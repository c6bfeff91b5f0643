//! The sentences with which AWS refuses something, read from `texts.toml`.
//!
//! One field for each entry: an entry without a field, or a field without an entry, does not load. No error sentence stands
//! anywhere else in this module's code.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

use crate::simulate::refusal::Refusal;

/// Returns all texts, parsed on first use.
pub(crate) fn texts() -> &'static Texts {
    static TEXTS: LazyLock<Texts> =
        LazyLock::new(|| toml::from_str(SOURCE).expect("texts.toml is part of the program and parsed by a test"));
    &TEXTS
}

/// Returns the text with that key; scenarios name texts by their keys.
pub(crate) fn by_key(key: &str) -> Option<&'static Text> {
    static BY_KEY: LazyLock<BTreeMap<String, Text>> =
        LazyLock::new(|| toml::from_str(SOURCE).expect("texts.toml is part of the program and parsed by a test"));
    BY_KEY.get(key)
}

/// One refusal: its codes, its sentence and where the sentence was seen.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Text {
    status: u16,
    code: String,
    query_code: Option<String>,
    field: Option<String>,
    anthropic: Option<String>,
    message: String,
    /// Read by people, and by the test that asks every text for one.
    #[cfg_attr(not(test), expect(dead_code, reason = "documentation kept with the data"))]
    source: String,
}

impl Text {
    /// Makes a refusal of the text, with its placeholders filled in.
    pub(crate) fn refuse(&'static self, values: &[(&str, &str)]) -> Refusal {
        let fill = |template: &str| {
            values.iter().fold(template.to_owned(), |text, (name, value)| text.replace(&format!("{{{name}}}"), value))
        };
        let code = fill(&self.code);
        Refusal {
            status: self.status,
            query_code: self.query_code.as_deref().map_or_else(|| code.clone(), fill),
            code,
            message: fill(&self.message),
            field: self.field.as_deref().unwrap_or("message"),
            anthropic: self.anthropic.as_deref(),
            recorded: true,
        }
    }

    /// Returns the code and the sentence as they stand, for records of the past; `query` is for services that speak the query
    /// protocol.
    pub(crate) fn record(&self, query: bool) -> (&str, &str) {
        let code = self.query_code.as_ref().filter(|_| query).unwrap_or(&self.code);
        (code, &self.message)
    }

    /// Returns the first placeholder of code and sentence that is not among those that will be filled in.
    pub(crate) fn unfilled(&self, filled: &[&str]) -> Option<&str> {
        [&self.code, &self.message].into_iter().find_map(|text| {
            text.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name).find(|name| {
                let word = name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
                word && !filled.contains(name)
            })
        })
    }
}

const SOURCE: &str = include_str!("texts.toml");

/// Every entry of `texts.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Texts {
    pub(crate) access_denied_implicit: Text,
    pub(crate) access_denied_explicit: Text,
    pub(crate) access_denied_short: Text,
    pub(crate) assume_role_web_identity_denied: Text,
    pub(crate) web_identity_expired: Text,
    pub(crate) web_identity_invalid: Text,
    pub(crate) mfa_code_refused: Text,
    pub(crate) mfa_device_unknown: Text,
    pub(crate) session_token_needs_user: Text,
    pub(crate) session_too_long: Text,
    pub(crate) role_missing: Text,
    pub(crate) malformed_policy: Text,
    pub(crate) session_policy_unknown: Text,
    pub(crate) token_invalid: Text,
    pub(crate) token_expired: Text,
    pub(crate) signature_expired: Text,
    pub(crate) signature_not_yet_current: Text,
    pub(crate) signature_mismatch: Text,
    pub(crate) scope_region: Text,
    pub(crate) scope_service: Text,
    pub(crate) scope_date: Text,
    pub(crate) signature_incomplete: Text,
    pub(crate) token_missing: Text,
    pub(crate) authorization_missing: Text,
    pub(crate) host_not_signed: Text,
    pub(crate) payload_hash_mismatch: Text,
    pub(crate) api_key_invalid: Text,
    pub(crate) api_key_expired: Text,
    pub(crate) api_key_wrong_kind: Text,
    pub(crate) use_case_form_missing: Text,
    pub(crate) use_case_form_absent: Text,
    pub(crate) marketplace_permissions: Text,
    pub(crate) payment_invalid: Text,
    pub(crate) agreement_pending: Text,
    pub(crate) model_access_off: Text,
    pub(crate) model_gated: Text,
    pub(crate) account_not_authorized: Text,
    pub(crate) operation_not_allowed: Text,
    pub(crate) unsupported_country: Text,
    pub(crate) data_retention_mode: Text,
    pub(crate) agreement_offer_unknown: Text,
    pub(crate) agreement_exists: Text,
    pub(crate) data_retention_value: Text,
    pub(crate) use_case_form_malformed: Text,
    pub(crate) on_demand_unsupported: Text,
    pub(crate) model_id_invalid: Text,
    pub(crate) model_eol: Text,
    pub(crate) model_legacy_inactive: Text,
    pub(crate) foundation_model_unresolved: Text,
    pub(crate) inference_profile_unresolved: Text,
    pub(crate) guardrail_invalid: Text,
    pub(crate) service_tier_unsupported: Text,
    pub(crate) body_malformed: Text,
    pub(crate) field_required: Text,
    pub(crate) field_not_permitted: Text,
    pub(crate) field_value: Text,
    pub(crate) messages_empty: Text,
    pub(crate) text_empty: Text,
    pub(crate) tool_result_missing: Text,
    pub(crate) max_tokens_over_limit: Text,
    pub(crate) max_tokens_over_limit_converse: Text,
    pub(crate) temperature_deprecated: Text,
    pub(crate) temperature_and_top_p: Text,
    pub(crate) thinking_budget_unsupported: Text,
    pub(crate) thinking_budget_too_large: Text,
    pub(crate) prefill_unsupported: Text,
    pub(crate) prompt_too_long: Text,
    pub(crate) cache_points_too_many: Text,
    pub(crate) model_returned_errors: Text,
    pub(crate) beta_invalid: Text,
    pub(crate) count_tokens_unsupported: Text,
    pub(crate) constraint_violation: Text,
    pub(crate) throttle_tokens: Text,
    pub(crate) throttle_requests: Text,
    pub(crate) throttle_daily_tokens: Text,
    pub(crate) rate_exceeded: Text,
    pub(crate) too_many_requests: Text,
    #[expect(dead_code, reason = "faults and histories name it by its key")]
    pub(crate) service_unavailable: Text,
    pub(crate) internal_error: Text,
    #[expect(dead_code, reason = "faults and histories name it by its key")]
    pub(crate) model_error: Text,
    #[expect(dead_code, reason = "faults and histories name it by its key")]
    pub(crate) model_timeout: Text,
    #[expect(dead_code, reason = "faults and histories name it by its key")]
    pub(crate) model_not_ready: Text,
    pub(crate) model_stream_error: Text,
    #[expect(dead_code, reason = "faults and histories name it by its key")]
    pub(crate) service_quota_exceeded: Text,
    pub(crate) quota_service_unknown: Text,
    pub(crate) quota_unknown: Text,
    pub(crate) quota_not_above_default: Text,
    pub(crate) quota_not_above_applied: Text,
    pub(crate) quota_not_adjustable: Text,
    pub(crate) quota_request_open: Text,
    pub(crate) quota_argument: Text,
    pub(crate) page_token_invalid: Text,
    pub(crate) lookup_attributes_invalid: Text,
    pub(crate) lookup_time_range_invalid: Text,
    pub(crate) lookup_max_results_invalid: Text,
    pub(crate) sso_token_invalid: Text,
    pub(crate) sso_no_access: Text,
    pub(crate) sso_grant_invalid: Text,
    pub(crate) sso_client_invalid: Text,
    pub(crate) container_token_refused: Text,
    pub(crate) request_too_long: Text,
    pub(crate) operation_unknown: Text,
    pub(crate) action_unknown: Text,
    pub(crate) not_simulated: Text,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_names_its_source_and_a_sensible_status() {
        let all: BTreeMap<String, Text> = toml::from_str(SOURCE).unwrap();
        for (key, text) in &all {
            assert!(text.source.len() > 3, "{key} has no source");
            assert!((400..=504).contains(&text.status), "{key} has status {}", text.status);
        }
        assert!(by_key("throttle-tokens").is_some() && by_key("no-such-text").is_none());
        assert_eq!(texts().model_id_invalid.refuse(&[]).code, "ValidationException");
    }

    #[test]
    fn placeholders_are_filled_in() {
        let refusal = texts().prompt_too_long.refuse(&[("tokens", "300"), ("limit", "200")]);
        assert_eq!(refusal.message, "prompt is too long: 300 tokens > 200 maximum");
        assert_eq!(texts().prompt_too_long.unfilled(&["tokens"]), Some("limit"));
        assert_eq!(texts().page_token_invalid.unfilled(&[]), Some("code"));
        assert_eq!(texts().model_gated.unfilled(&["model"]), None);
    }
}
