//! What lists show and what models say.

use aws_smithy_eventstream::frame::read_message_from;

use super::*;
use crate::simulate::wire::Body;

fn world() -> World {
    World::with_policy("administrator")
}

/// Reads every frame of a stream: kind and payload.
fn frames(reply: &Reply) -> Vec<(String, Value)> {
    let Body::Frames(frames) = &reply.body else { panic!("a stream") };
    let read = |frame: &Bytes| {
        let message = read_message_from(&mut frame.clone()).unwrap();
        let kind = message.headers().iter().find(|header| header.name().as_str() == ":event-type").unwrap();
        (kind.value().as_string().unwrap().as_str().to_owned(), serde_json::from_slice(message.payload()).unwrap())
    };
    frames.iter().map(read).collect()
}

fn stream(world: &mut World, verb: &str, body: &Value) -> Reply {
    let key = world.cloud.held_key("dev").unwrap().clone();
    let request = request("POST", &format!("/model/{OPUS}/{verb}"), body.to_string().into());
    let request = world.signed(&key, "bedrock", request);
    handle(&mut world.cloud, &request, world.now)
}

#[test]
fn lists_can_be_filtered_and_paged() {
    let mut world = world();
    let models = |world: &mut World, query: &str| {
        world.get("dev", &format!("/foundation-models{query}")).json()["modelSummaries"].as_array().unwrap().clone()
    };
    let all = models(&mut world, "");
    let anthropic = models(&mut world, "?byProvider=Anthropic");
    assert!(all.len() > anthropic.len() && anthropic.iter().all(|model| model["providerName"] == "Anthropic"));
    assert!(!anthropic.iter().any(|model| model["modelId"].as_str().unwrap().contains("3-7")));
    let embeddings = models(&mut world, "?byOutputModality=EMBEDDING");
    assert!(!embeddings.is_empty() && embeddings.len() < all.len());
    assert!(models(&mut world, "?byInferenceType=ON_DEMAND").iter().all(|model| model["providerName"] != "Anthropic"));
    let opus = anthropic.iter().find(|model| model["modelId"] == "anthropic.claude-opus-4-1-20250805-v1:0").unwrap();
    assert_eq!(opus["modelLifecycle"]["status"], "LEGACY");
    assert_eq!(opus["modelLifecycle"]["publicExtendedAccessTime"], "2026-10-08T00:00:00Z");
    assert_eq!(opus["modelLifecycle"]["endOfLifeTime"], "2027-01-08T00:00:00Z");
    let first = world.get("dev", "/inference-profiles?maxResults=20").json();
    let token = first["nextToken"].as_str().unwrap().replace('=', "%3D");
    let second = world.get("dev", &format!("/inference-profiles?maxResults=20&nextToken={token}")).json();
    assert_eq!(first["inferenceProfileSummaries"].as_array().unwrap().len(), 20);
    assert_ne!(first["inferenceProfileSummaries"][0], second["inferenceProfileSummaries"][0]);
    assert_eq!(world.get("dev", "/inference-profiles?maxResults=0").status, 400);
}

#[test]
fn profiles_name_their_destinations() {
    let mut world = world();
    let profile = world.get("dev", "/inference-profiles/global.anthropic.claude-opus-5-5").json();
    let arns: Vec<&str> =
        profile["models"].as_array().unwrap().iter().map(|model| model["modelArn"].as_str().unwrap()).collect();
    assert_eq!(
        arns,
        [
            "arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-opus-5-5",
            "arn:aws:bedrock:::foundation-model/anthropic.claude-opus-5-5",
        ]
    );
    assert_eq!(world.get("dev", "/inference-profiles/eu.anthropic.claude-opus-5-5").status, 404);
    "ca-central-1".clone_into(&mut world.region);
    let profile = world.get("dev", &format!("/inference-profiles/{OPUS}")).json();
    assert_eq!(profile["models"].as_array().unwrap().len(), 4);
    "sa-east-1".clone_into(&mut world.region);
    let profiles = world.get("dev", "/inference-profiles?type=SYSTEM_DEFINED").json();
    let ids = profiles["inferenceProfileSummaries"].as_array().unwrap().iter();
    assert!(ids.map(|profile| profile["inferenceProfileId"].as_str().unwrap()).all(|id| id.starts_with("global.")));
}

#[test]
fn a_profile_that_is_not_listed_has_no_details() {
    let mut world = World::new(
        "[[world.models]]\nmodel = \"anthropic.claude-opus-5\"\nlife_cycle = \"gone\"\n\
         [[world.models]]\nmodel = \"anthropic.claude-sonnet-5\"\navailable = false\n\
         [[world.models]]\nmodel = \"anthropic.claude-opus-4-8\"\nprefixes = [\"global\"]\n\
         [[world.application_profiles]]\nname = \"old\"\nsource = \"us.anthropic.claude-opus-5\"\n\
         [[world.application_profiles]]\nname = \"new\"\nsource = \"us.anthropic.claude-opus-5-5\"\n\
         [[world.principals]]\nname = \"dev\"\npolicies = [\"administrator\"]\n",
    );
    let id = |world: &World, at: usize| world.cloud.account().application_profiles[at].id.clone();
    let (old, new) = (id(&world, 0), id(&world, 1));
    for (id, status) in [
        (OPUS, 200),
        ("us.anthropic.claude-opus-5", 404),
        ("us.anthropic.claude-sonnet-5", 404),
        ("us.anthropic.claude-opus-4-8", 404),
        ("global.anthropic.claude-opus-4-8", 200),
        (&old, 404),
        (&new, 200),
    ] {
        assert_eq!(world.get("dev", &format!("/inference-profiles/{id}")).status, status, "{id}");
    }
}

#[test]
fn lists_can_be_emptied_and_everything_else_stays() {
    let mut world = World::new(
        "[[faults]]\nkind = \"empty-lists\"\n[[world.principals]]\nname = \"dev\"\npolicies = [\"administrator\"]\n",
    );
    assert_eq!(world.get("dev", "/foundation-models").json(), json!({ "modelSummaries": [] }));
    assert_eq!(world.get("dev", "/inference-profiles?maxResults=5").json(), json!({ "inferenceProfileSummaries": [] }));
    let lookup = "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.LookupEvents";
    assert_eq!(world.target("dev", "cloudtrail", lookup, &json!({})).json(), json!({ "Events": [] }));
    let quotas = |world: &mut World, operation: &str| {
        let body = json!({ "ServiceCode": "bedrock", "QuotaCode": "L-15B8E632" });
        world.target("dev", "servicequotas", &format!("ServiceQuotasV20190624.{operation}"), &body).json()
    };
    assert_eq!(quotas(&mut world, "ListServiceQuotas"), json!({ "Quotas": [] }));
    assert_eq!(quotas(&mut world, "ListAWSDefaultServiceQuotas"), json!({ "Quotas": [] }));
    assert_eq!(quotas(&mut world, "GetServiceQuota")["Quota"]["Value"], 6_000_000.0);
    assert_eq!(world.get("dev", &format!("/inference-profiles/{OPUS}")).json()["models"].as_array().unwrap().len(), 3);
    assert_eq!(world.invoke("dev", OPUS).json()["content"][0]["type"], "text");
}

#[test]
fn invoke_streams_are_messages_in_chunks() {
    let mut world = world();
    let body = json!({ "anthropic_version": "bedrock-2023-05-31", "max_tokens": 100, "messages": [{ "role": "user", "content": "hi" }] });
    let reply = stream(&mut world, "invoke-with-response-stream", &body);
    assert_eq!(reply.header("content-type"), Some("application/vnd.amazon.eventstream"));
    // How long an answer is cannot be known when it begins.
    assert!(reply.header("x-amzn-bedrock-output-token-count").is_none());
    assert!(reply.header("x-amzn-bedrock-input-token-count").is_some());
    let events: Vec<Value> = frames(&reply)
        .into_iter()
        .map(|(kind, payload)| {
            assert_eq!(kind, "chunk");
            let bytes =
                base64::Engine::decode(&base64::prelude::BASE64_STANDARD, payload["bytes"].as_str().unwrap()).unwrap();
            serde_json::from_slice(&bytes).unwrap()
        })
        .collect();
    let text: String = events.iter().filter_map(|event| event["delta"]["text"].as_str()).collect();
    assert_eq!(text, "Hello! How can I help you today?");
    assert_eq!(
        (&events[0]["type"], &events.last().unwrap()["type"]),
        (&json!("message_start"), &json!("message_stop"))
    );
}

#[test]
fn converse_streams_end_with_metadata() {
    let mut world = world();
    let body = json!({ "messages": [{ "role": "user", "content": [{ "text": "hi" }] }] });
    let kinds: Vec<String> =
        frames(&stream(&mut world, "converse-stream", &body)).into_iter().map(|(kind, _)| kind).collect();
    assert_eq!(
        (kinds[0].as_str(), kinds[kinds.len() - 2].as_str(), kinds[kinds.len() - 1].as_str()),
        ("messageStart", "messageStop", "metadata")
    );
    let over = json!({ "messages": body["messages"], "inferenceConfig": { "maxTokens": 128_001 } });
    let seen = world.call("dev", "bedrock", "POST", &format!("/model/{OPUS}/converse"), &over);
    assert!(
        seen.message.starts_with("The maximum tokens you requested exceeds the model limit of 128000."),
        "{}",
        seen.message
    );
    let hot = json!({ "messages": body["messages"], "inferenceConfig": { "temperature": 0.2 } });
    let seen = world.call("dev", "bedrock", "POST", &format!("/model/{OPUS}/converse"), &hot);
    assert_eq!(seen.message, "The model returned the following errors: `temperature` is deprecated for this model.");
    let nova = world.call("dev", "bedrock", "POST", "/model/amazon.nova-lite-v1%3A0/converse", &body);
    assert_eq!(nova.json()["stopReason"], "end_turn");
}

#[test]
fn a_model_that_always_thinks_may_end_without_a_word() {
    let mut world = world();
    let answer = world.invoke_with("dev", OPUS, &json!({ "max_tokens": 1 })).json();
    assert_eq!((&answer["stop_reason"], &answer["content"]), (&json!("max_tokens"), &json!([])));
    let answer = world.invoke_with("dev", SONNET, &json!({ "max_tokens": 1 })).json();
    assert_eq!((&answer["stop_reason"], &answer["content"][0]["text"]), (&json!("max_tokens"), &json!("Hell")));
}

#[test]
fn long_prompts_are_cached_and_read_back() {
    let mut world = world();
    let system = json!([{ "type": "text", "text": "x".repeat(8000), "cache_control": { "type": "ephemeral" } }]);
    let usage =
        |world: &mut World| world.invoke_with("dev", OPUS, &json!({ "system": system })).json()["usage"].clone();
    let first = usage(&mut world);
    let second = usage(&mut world);
    assert_eq!((&first["cache_read_input_tokens"], &second["cache_creation_input_tokens"]), (&json!(0), &json!(0)));
    assert_eq!(first["cache_creation_input_tokens"], second["cache_read_input_tokens"]);
    world.pass(301);
    assert_eq!(usage(&mut world), first);
}

#[test]
fn a_call_that_is_refused_leaves_nothing_behind() {
    let mut world = World::new(
        "[[faults]]\nservice = \"bedrock-runtime\"\nkind = \"throttle\"\ntimes = 1\n\
         [[world.quotas]]\nmodel = \"*opus-5-5\"\nunit = \"tokens-per-minute\"\napplied = 3000\n\
         [[world.principals]]\nname = \"dev\"\npolicies = [\"administrator\"]\n",
    );
    let system = json!([{ "type": "text", "text": "x".repeat(8000), "cache_control": { "type": "ephemeral" } }]);
    // The capacity fault strikes first and takes nothing out of the quota, which is enough for one call; the second call asks
    // for more than there is.
    assert_eq!(world.invoke_with("dev", OPUS, &json!({ "system": system })).code, "ThrottlingException");
    assert_eq!(world.invoke_with("dev", OPUS, &json!({ "system": system, "max_tokens": 2000 })).status, 429);
    let usage = world.invoke_with("dev", OPUS, &json!({ "system": system })).json()["usage"].clone();
    assert_eq!(usage["cache_read_input_tokens"], 0);
    assert!(usage["cache_creation_input_tokens"].as_u64() > Some(1000));
}

#[test]
fn a_body_over_the_operations_limit_is_refused() {
    let mut world = world();
    let seen = world.invoke_with("dev", OPUS, &json!({ "system": "x".repeat(25_000_000) }));
    assert_eq!(seen.brief(), (400, "ValidationException"));
    assert!(seen.message.ends_with("Member must have length less than or equal to 25000000"), "{}", seen.message);
}

#[test]
fn answers_can_be_scripted() {
    let mut world = World::new(
        "[[world.answers]]\ncontains = \"weather\"\ntext = \"Let me look.\"\ntool = { name = \"look\", input = { place = \"Rome\" } }\n\
         [[world.principals]]\nname = \"dev\"\npolicies = [\"administrator\"]\n",
    );
    let tools = json!([{ "name": "look", "input_schema": { "type": "object" } }]);
    let ask = json!({ "messages": [{ "role": "user", "content": "weather?" }], "tools": tools });
    let answer = world.invoke_with("dev", OPUS, &ask).json();
    assert_eq!((&answer["stop_reason"], &answer["content"][1]["input"]["place"]), (&json!("tool_use"), &json!("Rome")));
    let id = answer["content"][1]["id"].clone();
    let result = json!([{ "type": "tool_result", "tool_use_id": id, "content": "sunny" }, { "type": "text", "text": "weather?" }]);
    let messages = json!([ask["messages"][0], { "role": "assistant", "content": answer["content"] }, { "role": "user", "content": result }]);
    let answer = world.invoke_with("dev", OPUS, &json!({ "messages": messages, "tools": tools })).json();
    assert_eq!(answer["stop_reason"], "end_turn");
}

#[test]
fn tokens_are_counted_for_the_models_that_allow_it() {
    let mut world = world();
    let body = json!({ "input": { "converse": { "messages": [{ "role": "user", "content": [{ "text": "hi" }] }] } } });
    let mut count = |model: &str| world.call("dev", "bedrock", "POST", &format!("/model/{model}/count-tokens"), &body);
    assert!(count("anthropic.claude-sonnet-4-5-20250929-v1%3A0").json()["inputTokens"].is_u64());
    assert_eq!(count("anthropic.claude-opus-5-5").message, "The provided model doesn't support counting tokens.");
    assert_eq!(
        count("anthropic.claude-3-haiku-20240307-v1%3A0").message,
        "This model version has reached the end of its life. Please refer to the AWS documentation for more details."
    );
    world.cloud.account_mut().authorized = false;
    let seen = world.call("dev", "bedrock", "POST", "/model/anthropic.claude-sonnet-4-6/count-tokens", &body);
    assert!(seen.message.starts_with("Your account is not authorized"), "{}", seen.message);
    world.cloud.account_mut().authorized = true;
    "me-central-1".clone_into(&mut world.region);
    world.cloud.account_mut().opted_in.insert("me-central-1".to_owned());
    let seen =
        world.call("dev", "bedrock", "POST", "/model/anthropic.claude-opus-4-1-20250805-v1%3A0/count-tokens", &body);
    assert_eq!(seen.message, "The provided model identifier is invalid.");
}

#[test]
fn what_is_unknown_is_answered_as_aws_would() {
    let mut world = world();
    assert_eq!(world.get("dev", "/no/such/path").brief(), (404, "UnknownOperationException"));
    assert_eq!(
        world.target("dev", "cloudtrail", "CloudTrail_20131101.Nonsense", &json!({})).code,
        "UnknownOperationException"
    );
    let reply = handle(&mut world.cloud, &request("GET", "/", Bytes::new()), world.now);
    assert_eq!(reply.header("x-bedside-simulated"), Some("true"));
    assert_eq!(reply.header("date"), Some("Sun, 22 Nov 2026 10:00:00 GMT"));
    assert_eq!(reply.header("x-amzn-requestid").map(str::len), Some(36));
}
