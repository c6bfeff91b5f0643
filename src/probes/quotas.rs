//! Quotas of the chosen models. Known codes are asked for side by side; models whose codes are not in the table are looked for by
//! name at the same time, page by page until they are found: at most 2 pages, and up to 30 only where the main model is throttled.

use super::{
    Probe,
    context::{Aws, Outcome, unreadable},
    invoke,
};
use crate::{
    aws::QuotaRow,
    evidence::{Fact, Failure, ModelRole, Quota, QuotaUnit, Update, Why},
};

/// Pages of 100 rows that are read when a quota has to be found by its name: as many as there are rounds of invoking a model.
const PAGES: usize = 2;
/// Pages that are read where the main model is throttled.
const MAX_PAGES: usize = 30;

/// A model whose quotas are wanted.
struct Wanted {
    role: ModelRole,
    foundation_model: String,
    scope: &'static str,
}

pub(super) async fn probe(aws: &Aws<'_>) {
    let context = aws.context;
    if !context.wants(Probe::Quotas) {
        return;
    }
    if !aws.can_sign {
        context.send(Update::Quotas(Fact::Absent("an API key cannot read quotas".into())));
        return;
    }
    context.announced(Probe::Quotas, async { context.send(Update::Quotas(read(aws).await)) }).await;
}

async fn read(aws: &Aws<'_>) -> Fact<Vec<Quota>> {
    let mut wanted: Vec<Wanted> = Vec::new();
    for role in [ModelRole::Main, ModelRole::Background] {
        let Some(id) = invoke::model_id(aws, role).await else { continue };
        let Some(foundation_model) = invoke::foundation_model_of(aws, &id).await else { continue };
        if !wanted.iter().any(|it| it.foundation_model == foundation_model) {
            wanted.push(Wanted { role, foundation_model, scope: scope_of(&id) });
        }
    }
    if wanted.is_empty() {
        return Fact::Absent("no model is known whose quotas could be read".into());
    }
    let (with, without): (Vec<&Wanted>, Vec<&Wanted>) = wanted.iter().partition(|it| {
        aws.context.plan.quota_codes.iter().any(|code| code.model == it.foundation_model && code.scope == it.scope)
    });
    let limit = aws.context.limit();
    let (mut quotas, mut named) = (Vec::new(), Vec::new());
    let work = async { tokio::join!(by_code(aws, &with, &mut quotas), by_name(aws, &without, &mut named)) };
    let outcome = tokio::time::timeout(limit, work).await;
    quotas.extend(named);
    quotas.sort_by(|a, b| a.role.cmp(&b.role).then_with(|| a.code.cmp(&b.code)));
    match outcome {
        // What was found before something went wrong is true all the same.
        _ if !quotas.is_empty() => Fact::Known(quotas),
        Ok((Err(failure), _)) => unreadable(failure, "servicequotas:GetServiceQuota"),
        Ok((_, Err(failure))) => unreadable(failure, "servicequotas:ListServiceQuotas"),
        Ok((Ok(()), Ok(()))) => {
            Fact::Absent("Service Quotas lists none for these models within the pages that were read".into())
        }
        Err(_) => Fact::unreadable(Why::Timeout, format!("no answer within {} s", limit.as_secs_f32())),
    }
}

/// Every known code, side by side: its applied and its default value.
async fn by_code(aws: &Aws<'_>, wanted: &[&Wanted], quotas: &mut Vec<Quota>) -> Result<(), Failure> {
    let mut set = tokio::task::JoinSet::new();
    for (index, it) in wanted.iter().enumerate() {
        for code in aws
            .context
            .plan
            .quota_codes
            .iter()
            .filter(|code| code.model == it.foundation_model && code.scope == it.scope)
        {
            let (access, code) = (aws.access.clone(), code.clone());
            set.spawn(async move {
                let (applied, default) =
                    tokio::join!(access.applied_quota(&code.code), access.default_quota(&code.code));
                (index, code, applied, default)
            });
        }
    }
    let mut refused = Ok(());
    while let Some(Ok((index, code, applied, default))) = set.join_next().await {
        let (applied, default) = match (applied, default) {
            // A quota that was never changed for the account may be unknown to the applied list: then the default holds.
            (Err(failure), default) if is_missing(&failure) => (None, default.ok().flatten()),
            (Err(failure), _) => {
                refused = Err(failure);
                continue;
            }
            (Ok(applied), default) => (applied, default.ok().flatten()),
        };
        let (Some(it), Some(row)) = (wanted.get(index), applied.as_ref().or(default.as_ref())) else { continue };
        // A code that the table has wrong must not speak for another model.
        if matches_row(row, it) != Some(code.unit) {
            continue;
        }
        quotas.push(Quota {
            role: it.role,
            code: code.code,
            name: row.name.clone(),
            unit: code.unit,
            applied: row.value,
            default: default.as_ref().and_then(|row| row.value),
            adjustable: row.adjustable,
        });
    }
    refused
}

fn is_missing(failure: &Failure) -> bool {
    failure.code.as_deref().is_some_and(|code| code.starts_with("NoSuchResource"))
}

/// Page by page by name, until all are found, the pages end, or nothing depends on them any more.
async fn by_name(aws: &Aws<'_>, wanted: &[&Wanted], found: &mut Vec<Quota>) -> Result<(), Failure> {
    if wanted.is_empty() {
        return Ok(());
    }
    let mut token = None;
    for number in 0..MAX_PAGES {
        if number >= PAGES && !is_throttled(&aws.context.main_outcome().await) {
            break;
        }
        let page = aws.access.applied_quotas(token.take()).await?;
        for row in &page.rows {
            for it in wanted {
                if let Some(unit) = matches_row(row, it) {
                    found.push(Quota {
                        role: it.role,
                        code: row.code.clone(),
                        name: row.name.clone(),
                        unit,
                        applied: row.value,
                        default: None,
                        adjustable: row.adjustable,
                    });
                }
            }
        }
        token = page.next;
        if token.is_none() || wanted.iter().all(|it| is_complete(it, found)) {
            break;
        }
    }
    // A default says something only beside a quota that is in the way.
    if found.iter().any(|quota| quota.applied == Some(0.0)) || !aws.context.main_answers().await {
        let mut defaults = tokio::task::JoinSet::new();
        for (index, quota) in found.iter().enumerate() {
            let (access, code) = (aws.access.clone(), quota.code.clone());
            defaults.spawn(async move { (index, access.default_quota(&code).await) });
        }
        while let Some(Ok((index, default))) = defaults.join_next().await {
            found[index].default = default.ok().flatten().and_then(|row| row.value);
        }
    }
    Ok(())
}

/// Every model has a quota of a minute and one of a day (AWS docs: quotas of Amazon Bedrock); older ones count requests as well.
fn is_complete(wanted: &Wanted, found: &[Quota]) -> bool {
    [QuotaUnit::TokensPerMinute, QuotaUnit::TokensPerDay]
        .into_iter()
        .all(|unit| found.iter().any(|quota| quota.role == wanted.role && quota.unit == unit))
}

/// Whether a quota may be what keeps the main model from answering.
fn is_throttled(outcome: &Outcome) -> bool {
    let Err(Some(failure)) = outcome else { return false };
    let text = failure.message.to_lowercase();
    failure.status == Some(429)
        || failure.code.as_deref().is_some_and(|code| {
            matches!(
                code,
                "ThrottlingException"
                    | "TooManyRequestsException"
                    | "ServiceQuotaExceededException"
                    | "rate_limit_error"
            )
        })
        || text.contains("too many")
}

/// Which quotas apply to calls with this id (AWS docs: quotas of Amazon Bedrock).
fn scope_of(id: &str) -> &'static str {
    let name = id.rsplit('/').next().unwrap_or(id);
    if name.starts_with("global.") {
        "global"
    } else if name.starts_with("anthropic.") {
        "on-demand"
    } else {
        "cross-region"
    }
}

/// Reads a quota's name: `Cross-region model inference tokens per minute for Anthropic Claude Opus 4.8`. AWS writes names in more
/// than one case and with more than one prefix of the model.
fn matches_row(row: &QuotaRow, wanted: &Wanted) -> Option<QuotaUnit> {
    let name = row.name.to_lowercase();
    let (head, model) = name.split_once(" for ")?;
    let scope = if head.starts_with("model invocation max tokens per day") {
        // One row for all calls within a geography or a Region.
        if wanted.scope == "global" {
            return None;
        }
        wanted.scope
    } else if head.starts_with("global cross-region") {
        "global"
    } else if head.starts_with("cross-region") {
        "cross-region"
    } else if head.starts_with("on-demand") {
        "on-demand"
    } else {
        return None;
    };
    let unit = if head.contains("tokens per minute") {
        QuotaUnit::TokensPerMinute
    } else if head.contains("requests per minute") {
        QuotaUnit::RequestsPerMinute
    } else if head.contains("tokens per day") {
        QuotaUnit::TokensPerDay
    } else {
        return None;
    };
    (scope == wanted.scope && spoken_model(model) == model_words(&wanted.foundation_model)).then_some(unit)
}

/// `anthropic claude opus 4.8 v1` as `opus 4.8`; unlike names of other windows such as `1m context length`.
fn spoken_model(name: &str) -> String {
    let name = name.trim().trim_start_matches("anthropic ").trim_start_matches("claude ");
    let name = name.split(" (").next().unwrap_or(name).trim();
    name.trim_end_matches(" v1").trim_end_matches(" v2").to_owned()
}

/// `anthropic.claude-opus-4-5-20251101-v1:0` as `opus 4.5`.
fn model_words(foundation_model: &str) -> String {
    let name = foundation_model.trim_start_matches("anthropic.claude-");
    let mut words = name.split('-');
    let family = words.next().unwrap_or_default();
    let numbers: Vec<&str> =
        words.take_while(|word| word.len() < 4 && word.chars().all(|it| it.is_ascii_digit())).collect();
    format!("{family} {}", numbers.join("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_quotas_are_read() {
        let wanted = Wanted {
            role: ModelRole::Main,
            foundation_model: "anthropic.claude-opus-5-5".into(),
            scope: "cross-region",
        };
        let row = |name: &str| QuotaRow { code: "L-1".into(), name: name.into(), value: Some(1.0), adjustable: true };
        assert_eq!(
            matches_row(&row("Cross-region model inference tokens per minute for Anthropic Claude Opus 5.5"), &wanted),
            Some(QuotaUnit::TokensPerMinute)
        );
        assert_eq!(
            matches_row(&row("Cross-Region model inference requests per minute for Claude Opus 5.5 V1"), &wanted),
            Some(QuotaUnit::RequestsPerMinute)
        );
        assert_eq!(
            matches_row(
                &row(
                    "Model invocation max tokens per day for Anthropic Claude Opus 5.5 (doubled for cross-region calls)"
                ),
                &wanted
            ),
            Some(QuotaUnit::TokensPerDay)
        );
        for other in [
            "Model invocation max tokens per day for Anthropic Claude Opus 5 (doubled for cross-region calls)",
            "Global cross-region model inference tokens per minute for Anthropic Claude Opus 5.5",
            "Cross-region model inference tokens per minute for Anthropic Claude Opus 5",
            "Cross-region model inference tokens per minute for Anthropic Claude Opus 5.5 V1 1M Context Length",
        ] {
            assert_eq!(matches_row(&row(other), &wanted), None, "{other}");
        }
        assert_eq!(model_words("anthropic.claude-opus-4-5-20251101-v1:0"), "opus 4.5");
        assert_eq!(model_words("anthropic.claude-sonnet-5"), "sonnet 5");
    }

    #[test]
    fn only_a_throttle_is_worth_reading_on() {
        let failed = |code: &str| {
            let mut failure = Failure::local(crate::evidence::FailureKind::Service, "no");
            failure.code = Some(code.to_owned());
            Err(Some(failure))
        };
        assert!(is_throttled(&failed("ThrottlingException")));
        assert!(!is_throttled(&failed("AccessDeniedException")) && !is_throttled(&Ok(())) && !is_throttled(&Err(None)));
    }
}
