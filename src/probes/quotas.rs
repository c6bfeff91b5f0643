//! Quotas of the chosen models. Known codes are asked for side by side; models whose codes are not in the table are looked for by
//! name, page by page: at most 4 pages, and up to 30 only where the main model did not answer and a quota may be the reason.

use crate::{
    aws::QuotaRow,
    evidence::{Fact, Failure, ModelRole, Quota, QuotaUnit, Update},
};

use super::{
    Probe,
    context::{Aws, unreadable},
    invoke,
};

/// Pages of 100 rows that are read when a quota has to be found by its name: as many as there are rounds in a healthy run.
const PAGES: usize = 4;
/// Pages that are read where the main model did not answer.
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
    let limit = aws.context.limit();
    let by_code = tokio::time::timeout(limit, by_code(aws, &wanted));
    let mut quotas = match by_code.await {
        Ok(Ok(quotas)) => quotas,
        Ok(Err(failure)) => return unreadable(failure, "servicequotas:GetServiceQuota"),
        Err(_) => {
            return Fact::unreadable(
                crate::evidence::Why::Timeout,
                format!("no answer within {} s", limit.as_secs_f32()),
            );
        }
    };
    let without: Vec<&Wanted> = wanted
        .iter()
        .filter(|it| {
            !aws.context.plan.quota_codes.iter().any(|code| code.model == it.foundation_model && code.scope == it.scope)
        })
        .collect();
    if !without.is_empty() {
        match tokio::time::timeout(limit, by_name(aws, &without)).await {
            Ok(Ok(found)) => quotas.extend(found),
            Ok(Err(failure)) if quotas.is_empty() => return unreadable(failure, "servicequotas:ListServiceQuotas"),
            _ => {}
        }
    }
    if quotas.is_empty() {
        return Fact::Absent("Service Quotas lists none for these models within the pages that were read".into());
    }
    Fact::Known(quotas)
}

/// Every known code, side by side: its applied and its default value.
async fn by_code(aws: &Aws<'_>, wanted: &[Wanted]) -> Result<Vec<Quota>, Failure> {
    let mut set = tokio::task::JoinSet::new();
    for it in wanted {
        for code in aws
            .context
            .plan
            .quota_codes
            .iter()
            .filter(|code| code.model == it.foundation_model && code.scope == it.scope)
        {
            let (access, code, role) = (aws.access.clone(), code.clone(), it.role);
            set.spawn(async move {
                let (applied, default) =
                    tokio::join!(access.applied_quota(&code.code), access.default_quota(&code.code));
                (role, code, applied, default)
            });
        }
    }
    let mut quotas = Vec::new();
    let mut refused = None;
    while let Some(Ok((role, code, applied, default))) = set.join_next().await {
        let (applied, default) = match (applied, default) {
            // A quota that was never changed for the account may be unknown to the applied list: then the default holds.
            (Err(failure), default) if is_missing(&failure) => (None, default.ok().flatten()),
            (Err(failure), _) => {
                refused = Some(failure);
                continue;
            }
            (Ok(applied), default) => (applied, default.ok().flatten()),
        };
        let Some(row) = applied.as_ref().or(default.as_ref()) else { continue };
        quotas.push(Quota {
            role,
            code: code.code,
            name: row.name.clone(),
            unit: code.unit,
            applied: applied.as_ref().or(default.as_ref()).and_then(|row| row.value),
            default: default.as_ref().and_then(|row| row.value),
            adjustable: row.adjustable,
        });
    }
    quotas.sort_by(|a, b| a.role.cmp(&b.role).then_with(|| a.code.cmp(&b.code)));
    match refused {
        Some(failure) if quotas.is_empty() => Err(failure),
        _ => Ok(quotas),
    }
}

fn is_missing(failure: &Failure) -> bool {
    failure.code.as_deref().is_some_and(|code| code.starts_with("NoSuchResource"))
}

/// Page by page by name, until all are found, the pages end, or nothing depends on them any more.
async fn by_name(aws: &Aws<'_>, wanted: &[&Wanted]) -> Result<Vec<Quota>, Failure> {
    let mut found: Vec<Quota> = Vec::new();
    let mut token = None;
    for number in 0..MAX_PAGES {
        if number >= PAGES && aws.context.main_answers().await {
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
        if token.is_none() {
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
    Ok(found)
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
    let scope = if head.starts_with("global cross-region") {
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
        for other in [
            "Global cross-region model inference tokens per minute for Anthropic Claude Opus 5.5",
            "Cross-region model inference tokens per minute for Anthropic Claude Opus 5",
            "Cross-region model inference tokens per minute for Anthropic Claude Opus 5.5 V1 1M Context Length",
        ] {
            assert_eq!(matches_row(&row(other), &wanted), None, "{other}");
        }
        assert_eq!(model_words("anthropic.claude-opus-4-5-20251101-v1:0"), "opus 4.5");
        assert_eq!(model_words("anthropic.claude-sonnet-5"), "sonnet 5");
    }
}
