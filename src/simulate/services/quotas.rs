//! Service Quotas: default and applied values, and requests for more.

use serde_json::{Value, json};

use super::bedrock::{page_start, page_token};
use crate::simulate::catalog::{Quota, QuotaUnit, catalog};
use crate::simulate::cloud::quota::QuotaRequest;
use crate::simulate::exchange::{Answer, Exchange};
use crate::simulate::refusal::Refusal;
use crate::simulate::router::unknown_operation;
use crate::simulate::texts::texts;
use crate::simulate::wire::Reply;

/// Which of a quota's two values is shown.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shown {
    Applied,
    Default,
}

/// Answers an authenticated call.
pub(crate) fn answer(exchange: &mut Exchange<'_>) -> Answer {
    let name = exchange.operation.name.clone();
    let body = exchange.json_body().unwrap_or_default();
    let action = format!("servicequotas:{name}");
    match name.as_str() {
        "GetServiceQuota" | "RequestServiceQuotaIncrease" | "ListRequestedServiceQuotaChangeHistoryByQuota" => {
            let code = body["QuotaCode"].as_str().unwrap_or_default();
            let arn = quota_arn(exchange, code);
            let context =
                exchange.context().with("servicequotas:service", body["ServiceCode"].as_str().unwrap_or_default());
            exchange.authorize(&action, &arn, &context)?;
            exchange.capacity()?;
        }
        _ => exchange.permit(&action)?,
    }
    if body["ServiceCode"].as_str() != Some("bedrock") {
        return Err(texts().quota_service_unknown.refuse(&[]));
    }
    match name.as_str() {
        "ListServiceQuotas" => list(exchange, &body, Shown::Applied),
        "ListAWSDefaultServiceQuotas" => list(exchange, &body, Shown::Default),
        "GetServiceQuota" => {
            let quota = find(&body)?;
            Ok(reply(&json!({ "Quota": row(exchange, quota, Shown::Applied) })))
        }
        "GetAWSDefaultServiceQuota" => {
            let quota = find(&body)?;
            Ok(reply(&json!({ "Quota": row(exchange, quota, Shown::Default) })))
        }
        "RequestServiceQuotaIncrease" => request_increase(exchange, &body),
        "ListRequestedServiceQuotaChangeHistoryByQuota" => {
            let code = find(&body)?.code.clone();
            let requests = &exchange.account().quotas.requests;
            let requests = requests.iter().filter(|request| request.code == code && request.region == exchange.region);
            let rows: Vec<Value> = requests.map(|request| requested(exchange, request)).collect();
            Ok(reply(&json!({ "RequestedQuotas": rows })))
        }
        _ => Err(unknown_operation(exchange.operation)),
    }
}

fn list(exchange: &mut Exchange<'_>, body: &Value, shown: Shown) -> Answer {
    let invalid = |field| texts().quota_argument.refuse(&[("field", field)]);
    let limit = match &body["MaxResults"] {
        Value::Null => 100,
        value => match value.as_u64() {
            Some(limit @ 1..=100) => usize::try_from(limit).unwrap_or(100),
            _ => return Err(invalid("MaxResults")),
        },
    };
    let skip = match body["NextToken"].as_str() {
        None => 0,
        Some(token) => {
            let code = [("code", "InvalidPaginationTokenException")];
            page_start(token).ok_or_else(|| texts().page_token_invalid.refuse(&code))?
        }
    };
    let wanted = body["QuotaCode"].as_str();
    let quotas: Vec<&Quota> = catalog()
        .quotas()
        .iter()
        .filter(|quota| wanted.is_none_or(|code| quota.code == code))
        .filter(|quota| shown == Shown::Default || exchange.account().quotas.listed(quota, &exchange.region))
        .collect();
    let rows: Vec<Value> = quotas.iter().skip(skip).take(limit).map(|quota| row(exchange, quota, shown)).collect();
    let mut answer = json!({ "Quotas": rows });
    if skip + limit < quotas.len() {
        answer["NextToken"] = json!(page_token(skip + limit));
    }
    Ok(reply(&answer))
}

fn row(exchange: &Exchange<'_>, quota: &Quota, shown: Shown) -> Value {
    let book = &exchange.account().quotas;
    let value = match shown {
        Shown::Applied => book.applied(quota, &exchange.region),
        Shown::Default => book.default_value(quota, &exchange.region),
    };
    let mut row = json!({
        "ServiceCode": "bedrock",
        "ServiceName": "Amazon Bedrock",
        "QuotaArn": quota_arn(exchange, &quota.code),
        "QuotaCode": quota.code,
        "QuotaName": quota.name,
        "Value": value,
        "Unit": "None",
        "Adjustable": quota.adjustable,
        "GlobalQuota": false,
    });
    match quota.unit {
        Some(QuotaUnit::TokensPerMinute | QuotaUnit::RequestsPerMinute) => {
            row["Period"] = json!({ "PeriodValue": 1, "PeriodUnit": "MINUTE" });
        }
        Some(QuotaUnit::TokensPerDay) => row["Period"] = json!({ "PeriodValue": 1, "PeriodUnit": "DAY" }),
        None => {}
    }
    if shown == Shown::Applied {
        row["QuotaAppliedAtLevel"] = json!("ACCOUNT");
    }
    row
}

fn find(body: &Value) -> Result<&'static Quota, Refusal> {
    let code = body["QuotaCode"].as_str().unwrap_or_default();
    catalog().quotas().iter().find(|quota| quota.code == code).ok_or_else(|| texts().quota_unknown.refuse(&[]))
}

fn request_increase(exchange: &mut Exchange<'_>, body: &Value) -> Answer {
    let quota = find(body)?;
    let desired =
        body["DesiredValue"].as_f64().ok_or_else(|| texts().quota_argument.refuse(&[("field", "DesiredValue")]))?;
    let region = exchange.region.clone();
    let book = &exchange.account().quotas;
    let (default, applied) = (book.default_value(quota, &region), book.applied(quota, &region));
    if !quota.adjustable {
        return Err(texts().quota_not_adjustable.refuse(&[("code", &quota.code)]));
    }
    if book.requests.iter().any(|request| request.code == quota.code && request.region == region) {
        return Err(texts().quota_request_open.refuse(&[]));
    }
    // An account whose applied value lies under the default cannot raise it by itself.
    if applied < default || desired <= default {
        return Err(texts().quota_not_above_default.refuse(&[("default", &format!("{default:?}"))]));
    }
    if desired <= applied {
        return Err(texts().quota_not_above_applied.refuse(&[("applied", &format!("{applied:?}"))]));
    }
    let request = QuotaRequest {
        id: exchange.cloud.next_uuid(),
        code: quota.code.clone(),
        region,
        desired,
        created: exchange.now,
        requester: exchange.caller().arn.clone(),
    };
    let answer = json!({ "RequestedQuota": requested(exchange, &request) });
    exchange.account_mut().quotas.requests.push(request);
    Ok(reply(&answer))
}

fn requested(exchange: &Exchange<'_>, request: &QuotaRequest) -> Value {
    let name = catalog().quotas().iter().find(|quota| quota.code == request.code).map(|quota| quota.name.as_str());
    json!({
        "Id": request.id,
        "RequestType": "ManualAdjustment",
        "ServiceCode": "bedrock",
        "ServiceName": "Amazon Bedrock",
        "QuotaCode": request.code,
        "QuotaName": name,
        "DesiredValue": request.desired,
        "Status": "PENDING",
        "Created": request.created.as_second(),
        "LastUpdated": request.created.as_second(),
        "Requester": json!({ "accountId": exchange.caller().account_id, "callerArn": request.requester }).to_string(),
        "QuotaArn": quota_arn(exchange, &request.code),
        "GlobalQuota": false,
        "Unit": "None",
    })
}

fn quota_arn(exchange: &Exchange<'_>, code: &str) -> String {
    format!("arn:aws:servicequotas:{}:{}:bedrock/{code}", exchange.region, exchange.caller().account_id)
}

fn reply(value: &Value) -> Reply {
    Reply::new(200, "application/x-amz-json-1.1", value.to_string())
}
