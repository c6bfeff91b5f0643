//! The gates of an invocation: fixing one reveals the next.

use super::*;

fn world(rows: &str) -> World {
    World::new(&format!("{rows}\n[[world.principals]]\nname = \"dev\"\npolicies = [\"bedrock-full\"]\n"))
}

#[test]
fn gates_answer_in_their_order() {
    let mut world = world(
        "[world]\nform_submitted = false\nauthorized = false\npayment_valid = false\nsupported_country = false\n\
         [[world.models]]\nmodel = \"anthropic.claude-opus-5-5\"\nagreement = \"none\"\ngated = true\nentitled = false\n\
         [[world.quotas]]\nmodel = \"*\"\napplied = 0\n",
    );
    let mut next = |expected: &str, fix: fn(&mut World)| {
        let seen = world.invoke("dev", OPUS);
        assert!(seen.message.starts_with(expected), "{} instead of {expected}", seen.message);
        fix(&mut world);
    };
    next("Your account is not authorized to invoke this API operation.", |world| {
        world.cloud.account_mut().authorized = true;
    });
    next("anthropic.claude-opus-5-5 is not available for this account.", |world| {
        world.cloud.account_mut().models[0].gated = None;
    });
    next("Access to Anthropic models is not allowed from unsupported countries", |world| {
        world.cloud.account_mut().supported_country = true;
    });
    next("Model use case details have not been submitted", |world| {
        world.cloud.account_mut().form = Some(b"{}".to_vec());
    });
    next("Model access is denied due to INVALID_PAYMENT_INSTRUMENT", |world| {
        world.cloud.account_mut().payment_valid = true;
    });
    next("You don't have access to the model with the specified model ID.", |world| {
        world.cloud.account_mut().models[0].entitled = Some(true);
    });
    next("Too many tokens per day", |world| world.cloud.account_mut().quotas.overrides.clear());
    assert_eq!(world.invoke("dev", OPUS).status, 200);
}

#[test]
fn ids_are_refused_for_what_is_wrong_with_them() {
    let mut world = world("");
    for (id, status, message) in [
        (
            "anthropic.claude-opus-5-5",
            400,
            "Invocation of model ID anthropic.claude-opus-5-5 with on-demand throughput isn’t supported.",
        ),
        ("anthropic.claude-3-7-sonnet-20250219-v1:0", 404, "This model version has reached the end of its life."),
        ("us.anthropic.claude-3-7-sonnet-20250219-v1:0", 404, "This model version has reached the end of its life."),
        ("eu.anthropic.claude-opus-5-5", 400, "The provided model identifier is invalid."),
        ("apac.anthropic.claude-opus-5-5", 400, "The provided model identifier is invalid."),
        ("claude-opus-5-5", 400, "The provided model identifier is invalid."),
        ("us.anthropic.claude-opus-5-5[1m]", 400, "The provided model identifier is invalid."),
    ] {
        let seen = world.invoke("dev", id);
        assert_eq!(seen.status, status, "{id}");
        assert!(seen.message.starts_with(message), "{id}: {}", seen.message);
    }
    "eu-west-2".clone_into(&mut world.region);
    assert_eq!(world.invoke("dev", "anthropic.claude-sonnet-4-6").status, 200);
}

#[test]
fn legacy_models_close_to_accounts_that_do_not_use_them() {
    let mut used = world("");
    assert_eq!(used.invoke("dev", "us.anthropic.claude-opus-4-1-20250805-v1:0").status, 200);
    let mut unused = world("[[world.models]]\nmodel = \"*opus-4-1*\"\ninactive = true\n");
    let seen = unused.invoke("dev", "us.anthropic.claude-opus-4-1-20250805-v1:0");
    assert_eq!(seen.brief(), (404, "ResourceNotFoundException"));
    assert!(seen.message.starts_with("Access denied. This Model is marked by provider as Legacy"));
    unused.pass(60 * 86_400);
    let seen = unused.invoke("dev", "us.anthropic.claude-opus-4-1-20250805-v1:0");
    assert!(seen.message.starts_with("This model version has reached the end of its life"), "{}", seen.message);
}

#[test]
fn the_first_invocation_makes_the_agreement() {
    let rows = "[[world.models]]\nmodel = \"anthropic.*\"\nagreement = \"none\"\n";
    let mut rich = world(rows);
    let status = |world: &mut World| {
        world.get("dev", "/foundation-model-availability/anthropic.claude-opus-5-5").json()["agreementAvailability"]["status"].clone()
    };
    assert_eq!(status(&mut rich), "NOT_AVAILABLE");
    assert_eq!(rich.invoke("dev", OPUS).status, 200);
    assert_eq!(status(&mut rich), "AVAILABLE");
    let mut poor = World::new(&format!("{rows}[[world.principals]]\nname = \"dev\"\npolicies = [\"invoke-only\"]\n"));
    assert!(poor.invoke("dev", OPUS).message.contains("aws-marketplace:ViewSubscriptions, aws-marketplace:Subscribe"));
    let mut pending = world("[[world.models]]\nmodel = \"anthropic.*\"\nagreement = \"pending\"\n");
    assert_eq!(
        pending.invoke("dev", OPUS).message,
        "Your AWS Marketplace subscription for this model is still being processed"
    );
}

#[test]
fn the_programmatic_path_to_access_works() {
    let mut world =
        world("[world]\nform_submitted = false\n[[world.models]]\nmodel = \"anthropic.*\"\nagreement = \"none\"\n");
    let missing = world.get("dev", "/use-case-for-model-access");
    assert_eq!(
        (missing.brief(), missing.message.as_str()),
        (
            (404, "ResourceNotFoundException"),
            "You have not filled out the request form. Fill out the form before getting access."
        )
    );
    let form = r#"{"companyName":"A","companyWebsite":"https://a.example","intendedUsers":"0","industryOption":"Technology","useCases":"Code"}"#;
    let encode = |text: &str| base64::Engine::encode(&base64::prelude::BASE64_STANDARD, text);
    let put = |world: &mut World, text: &str| {
        world.call("dev", "bedrock", "POST", "/use-case-for-model-access", &json!({ "formData": encode(text) }))
    };
    assert_eq!(put(&mut world, "{\"companyName\":\"A\"}").status, 400);
    assert_eq!(put(&mut world, form).status, 201);
    assert_eq!(world.get("dev", "/use-case-for-model-access").json()["formData"], encode(form));
    let model = "anthropic.claude-opus-5-5";
    let offers = world.get("dev", &format!("/list-foundation-model-agreement-offers/{model}")).json();
    let token = offers["offers"][0]["offerToken"].clone();
    let mut create = |token: &Value| {
        let body = json!({ "offerToken": token, "modelId": model });
        world.call("dev", "bedrock", "POST", "/create-foundation-model-agreement", &body)
    };
    assert_eq!(create(&json!("wrong")).status, 400);
    assert_eq!(create(&token).status, 202);
    assert_eq!(create(&token).brief(), (400, "ConflictException"));
    assert_eq!(world.invoke("dev", OPUS).status, 200);
}

#[test]
fn data_retention_is_a_gate_per_region() {
    let mut world = world("[world]\ndata_retention = { us-west-2 = \"aws_review\" }\n");
    let fable = "us.anthropic.claude-fable-5-1";
    assert_eq!(world.invoke("dev", fable).message, "data retention mode 'default' is not available for this model");
    assert_eq!(world.get("dev", "/data-retention").json()["mode"], "inherit");
    let put = |world: &mut World, mode: &str| {
        world.call("dev", "bedrock", "PUT", "/data-retention", &json!({ "mode": mode }))
    };
    assert_eq!(put(&mut world, "sometimes").status, 400);
    assert_eq!(put(&mut world, "aws_review").status, 200);
    assert_eq!(world.invoke("dev", fable).status, 200);
    "us-west-2".clone_into(&mut world.region);
    assert_eq!(world.invoke("dev", fable).status, 200);
}

#[test]
fn gated_models_answer_in_anthropics_envelope_where_they_are_new() {
    let mut world = world("[[world.models]]\nmodel = \"anthropic.*\"\ngated = true\n");
    let new = world.invoke("dev", OPUS);
    assert_eq!(new.json()["error"]["type"], "permission_error");
    assert_eq!(new.json()["request_id"].as_str().map(str::len), Some(56));
    let old = world.invoke("dev", SONNET);
    assert_eq!((old.brief(), old.json()["error"].is_null()), ((403, "AccessDeniedException"), true));
    let availability = world.get("dev", "/foundation-model-availability/anthropic.claude-opus-5-5").json();
    assert_eq!(availability["authorizationStatus"], "AUTHORIZED");
}

#[test]
fn quotas_reserve_what_is_asked_for() {
    let mut world = world(
        "[[world.quotas]]\nmodel = \"*opus-5-5\"\nunit = \"tokens-per-minute\"\nscope = \"cross-region\"\napplied = 5000\n",
    );
    assert_eq!(
        world.invoke_with("dev", OPUS, &json!({ "max_tokens": 6000 })).message,
        "Too many tokens, please wait before trying again."
    );
    assert_eq!(world.invoke_with("dev", OPUS, &json!({ "max_tokens": 4000 })).status, 200);
    assert_eq!(world.invoke("dev", "global.anthropic.claude-opus-5-5").status, 200);
}

#[test]
fn capacity_faults_strike_after_authorization_only() {
    let mut world = World::new(
        "[[faults]]\nservice = \"bedrock-runtime\"\nkind = \"refuse\"\ntext = \"service-unavailable\"\ntimes = 1\n\
         [[world.principals]]\nname = \"poor\"\n[[world.principals]]\nname = \"dev\"\npolicies = [\"bedrock-full\"]\n",
    );
    assert_eq!(world.invoke("poor", OPUS).code, "AccessDeniedException");
    assert_eq!(world.invoke("dev", OPUS).brief(), (503, "ServiceUnavailableException"));
    assert_eq!(world.invoke("dev", OPUS).status, 200);
    let outcomes: Vec<&str> = world.cloud.calls().iter().map(|call| call.outcome.as_str()).collect();
    assert_eq!(outcomes, ["AccessDeniedException", "ServiceUnavailableException", "ok"]);
}
