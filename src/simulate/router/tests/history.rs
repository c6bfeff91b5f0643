//! CloudTrail's history and Service Quotas.

use super::*;

const LOOKUP: &str = "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.LookupEvents";

fn lookup(world: &mut World, body: &Value) -> Vec<(String, Value)> {
    world.pass(2);
    let seen = world.target("dev", "cloudtrail", LOOKUP, body);
    let events = seen.json()["Events"].as_array().unwrap_or_else(|| panic!("{}", seen.text)).clone();
    let record = |event: &Value| serde_json::from_str(event["CloudTrailEvent"].as_str().unwrap()).unwrap();
    events.iter().map(|event| (event["EventName"].as_str().unwrap().to_owned(), record(event))).collect()
}

fn quotas(world: &mut World, operation: &str, body: &Value) -> Seen {
    world.target("dev", "servicequotas", &format!("ServiceQuotasV20190624.{operation}"), body)
}

#[test]
fn calls_show_after_the_delay_and_streams_twice() {
    let mut world = World::with_policy("administrator");
    let body = json!({ "anthropic_version": "bedrock-2023-05-31", "max_tokens": 100, "messages": [{ "role": "user", "content": "hi" }] });
    let stream = format!("/model/{OPUS}/invoke-with-response-stream");
    assert_eq!(world.call("dev", "bedrock", "POST", &stream, &body).status, 200);
    let only = json!({ "LookupAttributes": [{ "AttributeKey": "EventName", "AttributeValue": "InvokeModelWithResponseStream" }] });
    assert_eq!(lookup(&mut world, &only).len(), 0);
    world.pass(300);
    let events = lookup(&mut world, &only);
    let [(_, usage), (_, call)] = events.as_slice() else { panic!("{events:?}") };
    assert_eq!((&call["eventType"], &usage["eventType"]), (&json!("AwsApiCall"), &json!("AwsServiceEvent")));
    assert_eq!(call["requestParameters"]["modelId"], OPUS);
    assert_eq!(usage["serviceEventDetails"]["parentRequestId"], call["requestID"]);
    assert!(usage.get("requestParameters").is_none());
    // The second record is written when the stream has ended.
    assert!(usage["eventTime"].as_str() > call["eventTime"].as_str());
    let destination = &call["additionalEventData"]["inferenceRegion"];
    assert!(destination.is_string());
    assert_eq!(
        *destination,
        usage["serviceEventDetails"]["AdditionalEventData"]["additionalEntries"]["inferenceRegion"]
    );
    assert!(usage["serviceEventDetails"]["AdditionalEventData"]["additionalEntries"]["outputTokens"].is_u64());
}

#[test]
fn failures_are_recorded_with_their_codes_unless_nobody_is_known() {
    let mut world = World::new(
        "[world]\ntrail_delay = \"0\"\n[[world.principals]]\nname = \"dev\"\npolicies = [\"diagnostics\"]\n\
         [[world.principals]]\nname = \"gone\"\nkeys = \"deleted\"\n",
    );
    world.invoke("dev", OPUS);
    world.invoke("gone", OPUS);
    let only =
        json!({ "LookupAttributes": [{ "AttributeKey": "EventSource", "AttributeValue": "bedrock.amazonaws.com" }] });
    let events = lookup(&mut world, &only);
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].1["errorCode"], "AccessDenied");
    "us-west-2".clone_into(&mut world.region);
    assert_eq!(lookup(&mut world, &only).len(), 0);
}

#[test]
fn codes_in_the_trail_are_the_same_for_calls_and_for_history() {
    let mut world = World::new(
        "[world]\ntrail_delay = \"0\"\nhome_region = \"eu-west-2\"\n\
         [[world.principals]]\nname = \"dev\"\npolicies = [\"diagnostics\"]\n\
         [[world.events]]\nat = \"-3h\"\nprincipal = \"dev\"\ntext = \"rate-exceeded\"\nname = \"ListFoundationModels\"\n\
         [[world.events]]\nat = \"-2h\"\nprincipal = \"dev\"\nerror_code = \"AccessDeniedException\"\nname = \"InvokeModel\"\n",
    );
    // The third lookup within a second is throttled, and that is recorded, too.
    for _ in 0..3 {
        world.target("dev", "cloudtrail", LOOKUP, &json!({}));
    }
    world.invoke("dev", "anthropic.claude-sonnet-4-6");
    let codes = |events: &[(String, Value)], name: &str| -> Vec<Value> {
        let named = events.iter().filter(|(known, record)| known == name && record.get("errorCode").is_some());
        named.map(|(_, record)| record["errorCode"].clone()).collect()
    };
    let events = lookup(&mut world, &json!({}));
    assert_eq!(codes(&events, "InvokeModel"), ["AccessDenied", "AccessDenied"]);
    assert_eq!(codes(&events, "LookupEvents"), ["ThrottlingException"]);
    assert_eq!(codes(&events, "ListFoundationModels"), ["ThrottlingException"]);
}

#[test]
fn a_call_that_stays_in_its_region_names_no_other() {
    let mut world = World::new(
        "[world]\ntrail_delay = \"0\"\nhome_region = \"eu-west-2\"\n\
         [[world.principals]]\nname = \"dev\"\npolicies = [\"administrator\"]\n",
    );
    assert_eq!(world.invoke("dev", "anthropic.claude-sonnet-4-6").status, 200);
    let only = json!({ "LookupAttributes": [{ "AttributeKey": "EventName", "AttributeValue": "InvokeModel" }] });
    let events = lookup(&mut world, &only);
    assert_eq!((events.len(), events[0].1.get("additionalEventData")), (1, None));
}

#[test]
fn history_that_cannot_have_been_is_refused() {
    let head = "title = \"t\"\nstory = \"s\"\nverdict = \"ok\"\n[[world.principals]]\nname = \"dev\"\n\
                [[world.models]]\nmodel = \"*sonnet-4-2025*\"\nend_of_life = \"-10d\"\n";
    let event = |rest: &str| {
        let text = format!("{head}[[world.events]]\nprincipal = \"dev\"\n{rest}");
        Scenario::parse("test", &text).err().map(|error| error.reason)
    };
    let sonnet = "model = \"us.anthropic.claude-sonnet-4-20250514-v1:0\"";
    assert_eq!(event(&format!("at = \"-11d\"\n{sonnet}\n")), None);
    let late = event(&format!("at = \"-9d\"\n{sonnet}\n")).unwrap();
    assert!(late.contains("had reached its end of life"), "{late}");
    assert_eq!(event(&format!("at = \"-9d\"\n{sonnet}\ntext = \"model-eol\"\n")), None);
    let gap = event("at = \"-9d\"\ntext = \"access-denied-short\"\n").unwrap();
    assert_eq!(gap, "`access-denied-short` needs a `principal`, which an event does not give");
}

#[test]
fn seeded_history_is_paged_newest_first_and_filtered_by_one_attribute() {
    let mut world = World::new(
        "[[world.principals]]\nname = \"dev\"\npolicies = [\"diagnostics\"]\n\
         [[world.events]]\nat = \"-3h\"\nprincipal = \"dev\"\nmodel = \"us.anthropic.claude-opus-5-5\"\ntext = \"throttle-tokens\"\nrepeat = 70\nevery = \"1m\"\n\
         [[world.events]]\nat = \"-100d\"\nprincipal = \"dev\"\nname = \"ListFoundationModels\"\n",
    );
    let first = world.target("dev", "cloudtrail", LOOKUP, &json!({})).json();
    assert_eq!(first["Events"].as_array().unwrap().len(), 50);
    let second = world.target("dev", "cloudtrail", LOOKUP, &json!({ "NextToken": first["NextToken"] })).json();
    assert_eq!((second["Events"].as_array().unwrap().len(), second["NextToken"].is_null()), (20, true));
    assert!(first["Events"][0]["EventTime"].as_i64() > second["Events"][0]["EventTime"].as_i64());
    let seen = world.target("dev", "cloudtrail", LOOKUP, &json!({}));
    assert_eq!((seen.brief(), seen.message.as_str()), ((429, "ThrottlingException"), "Rate exceeded"));
    world.pass(2);
    let two = json!({ "LookupAttributes": [
        { "AttributeKey": "EventName", "AttributeValue": "X" }, { "AttributeKey": "Username", "AttributeValue": "dev" },
    ] });
    assert_eq!(world.target("dev", "cloudtrail", LOOKUP, &two).code, "InvalidLookupAttributesException");
    let recent = json!({ "StartTime": world.now.as_second() - 7260 });
    assert_eq!(lookup(&mut world, &recent).len(), 10);
    let record = &lookup(&mut world, &json!({}))[0].1;
    assert_eq!(
        (&record["errorCode"], &record["userIdentity"]["userName"]),
        (&json!("ThrottlingException"), &json!("dev"))
    );
}

#[test]
fn quotas_are_paged_and_show_both_values() {
    let mut world = World::new(
        "[[world.quotas]]\nmodel = \"*sonnet-4-6\"\nscope = \"cross-region\"\nunit = \"tokens-per-minute\"\napplied = 1000\n\
         [[world.principals]]\nname = \"dev\"\npolicies = [\"administrator\"]\n",
    );
    let (mut rows, mut token) = (Vec::new(), Value::Null);
    loop {
        let mut body = json!({ "ServiceCode": "bedrock", "MaxResults": 100 });
        if !token.is_null() {
            body["NextToken"] = token;
        }
        let page = quotas(&mut world, "ListServiceQuotas", &body).json();
        rows.extend(page["Quotas"].as_array().unwrap().clone());
        token = page["NextToken"].clone();
        if token.is_null() {
            break;
        }
    }
    assert!(rows.len() > 200 && rows.iter().any(|row| row["QuotaName"].as_str().unwrap().contains("Llama")));
    let code = json!({ "ServiceCode": "bedrock", "QuotaCode": "L-15B8E632" });
    assert_eq!(quotas(&mut world, "GetServiceQuota", &code).json()["Quota"]["Value"], 1000.0);
    assert_eq!(quotas(&mut world, "GetAWSDefaultServiceQuota", &code).json()["Quota"]["Value"], 6_000_000.0);
    assert_eq!(
        quotas(&mut world, "ListServiceQuotas", &json!({ "ServiceCode": "vpc" })).code,
        "NoSuchResourceException"
    );
    let unknown = json!({ "ServiceCode": "bedrock", "QuotaCode": "L-NONE" });
    assert_eq!(quotas(&mut world, "GetServiceQuota", &unknown).code, "NoSuchResourceException");
}

#[test]
fn increases_are_refused_below_the_default_and_kept_above_it() {
    let mut world = World::new(
        "[[world.quotas]]\nmodel = \"*sonnet-4-6\"\nunit = \"requests-per-minute\"\napplied = 10\n\
         [[world.principals]]\nname = \"dev\"\npolicies = [\"administrator\"]\n",
    );
    let mut ask = |code: &str, value: f64| {
        quotas(
            &mut world,
            "RequestServiceQuotaIncrease",
            &json!({ "ServiceCode": "bedrock", "QuotaCode": code, "DesiredValue": value }),
        )
    };
    let refused = ask("L-00FF3314", 100.0);
    assert_eq!(refused.message, "You must provide a quota value greater than the default quota value of 10000.0");
    assert_eq!(ask("L-00FF3314", 20_000.0).code, "IllegalArgumentException");
    assert_eq!(ask("L-15B8E632", 9_000_000.0).json()["RequestedQuota"]["Status"], "PENDING");
    assert_eq!(ask("L-15B8E632", 9_000_000.0).code, "ResourceAlreadyExistsException");
    let code = json!({ "ServiceCode": "bedrock", "QuotaCode": "L-15B8E632" });
    let history = quotas(&mut world, "ListRequestedServiceQuotaChangeHistoryByQuota", &code).json();
    assert_eq!(history["RequestedQuotas"][0]["DesiredValue"], 9_000_000.0);
}
