//! Signatures, sessions and API keys.

use crate::simulate::wire::Delivery;

use super::*;

const ASK: &str = "Action=GetCallerIdentity&Version=2011-06-15";

fn principals(rows: &str) -> World {
    World::new(&format!("[[world.principals]]\nname = \"dev\"\npolicies = [\"administrator\"]\n{rows}"))
}

#[test]
fn every_kind_of_principal_knows_its_name() {
    let mut world = principals(
        "[[world.principals]]\nname = \"Dev\"\nkind = \"role\"\nsession = \"me\"\n\
         [[world.principals]]\nname = \"Set\"\nkind = \"sso-role\"\n\
         [[world.principals]]\nname = \"boss\"\nkind = \"root\"\n\
         [[world.principals]]\nname = \"fed\"\nkind = \"federated\"\n",
    );
    let account = world.cloud.account().id.clone();
    for (who, expected) in [
        ("dev", format!("<Arn>arn:aws:iam::{account}:user/dev</Arn>")),
        ("Dev", format!("<Arn>arn:aws:sts::{account}:assumed-role/Dev/me</Arn>")),
        ("Set", format!("<Arn>arn:aws:sts::{account}:assumed-role/AWSReservedSSO_Set_")),
        ("boss", format!("<Arn>arn:aws:iam::{account}:root</Arn>")),
        ("fed", format!("<Arn>arn:aws:sts::{account}:federated-user/fed</Arn>")),
    ] {
        let seen = world.sts(who, ASK);
        assert!(seen.status == 200 && seen.text.contains(&expected), "{who}: {}", seen.text);
        assert!(seen.text.contains(&format!("<Account>{account}</Account>")));
    }
}

#[test]
fn wrong_keys_are_refused_in_each_services_own_words() {
    for (state, status, sts, bedrock) in [
        ("deleted", 403, "InvalidClientTokenId", "UnrecognizedClientException"),
        ("expired", 403, "ExpiredToken", "ExpiredTokenException"),
        ("wrong-secret", 403, "SignatureDoesNotMatch", "InvalidSignatureException"),
        ("wrong-token", 403, "InvalidClientTokenId", "UnrecognizedClientException"),
    ] {
        let mut world = World::new(&format!("[[world.principals]]\nname = \"dev\"\nkeys = \"{state}\"\n"));
        assert_eq!(world.sts("dev", ASK).brief(), (status, sts), "{state}");
        assert_eq!(world.get("dev", "/foundation-models").brief(), (status, bedrock), "{state}");
    }
}

#[test]
fn a_temporary_key_without_its_token_is_invalid() {
    let mut world = World::new("[[world.principals]]\nname = \"Dev\"\nkind = \"role\"\n");
    let key = HeldKey { token: None, ..world.cloud.held_key("Dev").unwrap().clone() };
    let signed = world.signed(&key, "sts", form_request(ASK));
    let seen = world.send(&signed);
    assert_eq!(
        (seen.code.as_str(), seen.message.as_str()),
        ("InvalidClientTokenId", "The security token included in the request is invalid.")
    );
}

#[test]
fn bedrock_allows_five_minutes_and_sts_fifteen() {
    let mut world = principals("");
    let key = world.cloud.held_key("dev").unwrap().clone();
    for (minutes, sts, bedrock) in
        [(-4, 200, 200), (4, 200, 200), (-6, 200, 403), (6, 200, 403), (-16, 403, 403), (16, 403, 403)]
    {
        let at = world.now + SignedDuration::from_mins(minutes);
        let ask = world.signed_at(&key, "sts", form_request(ASK), at);
        assert_eq!(world.send(&ask).status, sts, "{minutes}");
        let list = world.signed_at(&key, "bedrock", request("GET", "/foundation-models", Bytes::new()), at);
        assert_eq!(world.send(&list).status, bedrock, "{minutes}");
    }
    let at = world.now - SignedDuration::from_mins(6);
    let late = world.signed_at(&key, "bedrock", request("GET", "/foundation-models", Bytes::new()), at);
    assert_eq!(
        world.send(&late).message,
        "Signature expired: 20261122T095400Z is now earlier than 20261122T095500Z (20261122T100000Z - 5 min.)"
    );
    let at = world.now + SignedDuration::from_mins(16);
    let early = world.signed_at(&key, "sts", form_request(ASK), at);
    assert_eq!(
        world.send(&early).message,
        "Signature not yet current: 20261122T101600Z is still later than 20261122T101500Z (20261122T100000Z + 15 min.)"
    );
}

#[test]
fn what_was_changed_after_signing_is_noticed() {
    let mut world = principals("");
    let key = world.cloud.held_key("dev").unwrap().clone();
    let mut body = world.signed(&key, "sts", form_request(ASK));
    body.body = "Action=GetCallerIdentity&Version=2011-06-16".into();
    assert_eq!(world.send(&body).code, "SignatureDoesNotMatch");
    let mut path = world.signed(&key, "bedrock", request("GET", "/foundation-models", Bytes::new()));
    path.target = "/inference-profiles".to_owned();
    assert_eq!(world.send(&path).code, "InvalidSignatureException");
    let service = world.signed(&key, "bedrock-runtime", request("GET", "/foundation-models", Bytes::new()));
    assert_eq!(world.send(&service).message, "Credential should be scoped to correct service: 'bedrock'. ");
    assert_eq!(
        world.send(&request("GET", "/foundation-models", Bytes::new())).code,
        "MissingAuthenticationTokenException"
    );
    let mut half = request("GET", "/foundation-models", Bytes::new());
    half.headers.push(("authorization".to_owned(), "AWS4-HMAC-SHA256 Credential=x".to_owned()));
    assert_eq!(world.send(&half).brief(), (400, "IncompleteSignatureException"));
}

#[test]
fn regions_are_refused_when_they_do_not_exist_or_are_not_enabled() {
    let mut world = principals("");
    for (region, sts, bedrock) in [
        ("us-east-1", "", ""),
        ("af-south-1", "InvalidClientTokenId", "UnrecognizedClientException"),
        ("us-east-9", "SignatureDoesNotMatch", "InvalidSignatureException"),
        // Hong Kong has no Bedrock, and is not enabled.
        ("ap-east-1", "InvalidClientTokenId", "InvalidSignatureException"),
    ] {
        region.clone_into(&mut world.region);
        assert_eq!(world.sts("dev", ASK).code, sts, "{region}");
        assert_eq!(world.get("dev", "/foundation-models").code, bedrock, "{region}");
    }
    let mut open = World::new(
        "[world]\nopted_in = [\"af-south-1\"]\n[[world.principals]]\nname = \"dev\"\npolicies = [\"administrator\"]\n",
    );
    "af-south-1".clone_into(&mut open.region);
    assert_eq!(open.get("dev", "/foundation-models").status, 200);
}

#[test]
fn a_path_of_another_region_is_refused_as_its_host_would_be() {
    let mut world = principals("[[world.api_keys]]\nname = \"long\"\nprincipal = \"dev\"\n");
    assert_eq!(world.get("dev", "/~us-east-1/foundation-models").status, 200);
    assert_eq!(world.get("dev", "/~us-west-2/foundation-models").brief(), (403, "InvalidSignatureException"));
    let token = world.cloud.held_api_key("long").unwrap().to_owned();
    let mut call = |host: &str| {
        let mut request = request("GET", "/~us-west-2/foundation-models", Bytes::new());
        request.headers.push(("host".to_owned(), host.to_owned()));
        request.headers.push(("authorization".to_owned(), format!("Bearer {token}")));
        world.send(&request).status
    };
    assert_eq!(call("bedrock.us-west-2.amazonaws.com"), 200);
    assert_eq!(call("bedrock.us-east-1.amazonaws.com"), 403);
}

#[test]
fn sessions_are_narrowed_by_all_the_policies_they_were_given() {
    let account = "000000004242";
    let trust = format!(
        r#"{{"Statement": {{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {{"AWS": "{account}"}}}}}}"#
    );
    let mut world = World::new(&format!(
        "[world]\naccount = \"{account}\"\n[[world.principals]]\nname = \"dev\"\npolicies = [\"assume-roles\"]\n\
         [[world.principals]]\nname = \"R\"\nkind = \"role\"\npolicies = [\"administrator\"]\ntrust = '{trust}'\n"
    ));
    let arns = |names: &[&str]| {
        let member =
            |(at, name): (usize, &&str)| format!("&PolicyArns.member.{}.arn=arn:aws:iam::aws:policy/{name}", at + 1);
        names.iter().enumerate().map(member).collect::<String>()
    };
    let inline = |effect: &str, action: &str| {
        format!(
            "&Policy=%7B%22Statement%22%3A%7B%22Effect%22%3A%22{effect}%22%2C%22Action%22%3A%22{action}%22%2C%22Resource%22%3A%22%2A%22%7D%7D"
        )
    };
    let mut ask = |more: &str| {
        let form = format!("Action=AssumeRole&RoleArn=arn:aws:iam::{account}:role/R&RoleSessionName=s{more}");
        let seen = world.sts("dev", &form);
        let key = world.cloud.keys.last().unwrap().clone();
        let held =
            HeldKey { token: key.session.map(|session| session.token), id: key.id, secret: key.secret, expires: None };
        let request = world.signed(&held, "bedrock", request("GET", "/foundation-models", Bytes::new()));
        (seen.code, world.send(&request).status)
    };
    assert_eq!(ask(&arns(&["AmazonBedrockFullAccess", "NoSuchPolicy"])).0, "ValidationError");
    let of_another_type = "arn:aws:organizations::aws:policy/service_control_policy/p-FullAWSAccess";
    assert_eq!(ask(&format!("&PolicyArns.member.1.arn={of_another_type}")).0, "ValidationError");
    for (more, status) in [
        (String::new(), 200),
        (inline("Allow", "s3:*"), 403),
        (format!("{}{}", inline("Allow", "s3:*"), arns(&["AmazonBedrockFullAccess"])), 200),
        (format!("{}{}", inline("Deny", "bedrock:*"), arns(&["AmazonBedrockFullAccess"])), 403),
        (arns(&["AmazonBedrockLimitedAccess", "AmazonBedrockFullAccess"]), 200),
    ] {
        assert_eq!(ask(&more), (String::new(), status), "{more}");
    }
}

#[test]
fn api_keys_open_bedrock_and_nothing_else() {
    let mut world = principals(
        "[[world.principals]]\nname = \"none\"\npolicies = [\"invoke-only\"]\n\
         [[world.api_keys]]\nname = \"long\"\nprincipal = \"dev\"\n\
         [[world.api_keys]]\nname = \"short\"\nprincipal = \"dev\"\nkind = \"short-term\"\n\
         [[world.api_keys]]\nname = \"over\"\nprincipal = \"dev\"\nkind = \"short-term\"\nexpires = \"-1m\"\n\
         [[world.api_keys]]\nname = \"ended\"\nprincipal = \"dev\"\nexpires = \"-1m\"\n\
         [[world.api_keys]]\nname = \"revoked\"\nprincipal = \"dev\"\nrevoked = true\n\
         [[world.api_keys]]\nname = \"poor\"\nprincipal = \"none\"\n",
    );
    let invalid = "Authentication failed: Please make sure your API Key is valid.";
    for (name, target, expected) in [
        ("long", "/foundation-models", ""),
        ("long", "/~eu-west-1/foundation-models", ""),
        ("short", "/foundation-models", ""),
        ("short", "/~us-west-2/foundation-models", invalid),
        ("over", "/foundation-models", "Bearer Token has expired"),
        ("ended", "/foundation-models", "Bearer Token has expired"),
        ("revoked", "/foundation-models", invalid),
    ] {
        let token = world.cloud.held_api_key(name).unwrap().to_owned();
        assert_eq!(world.bearer(&token, target).message, expected, "{name} {target}");
    }
    assert_eq!(
        world.bearer("sk-ant-something", "/foundation-models").message,
        "Invalid API Key format: Must start with pre-defined prefix"
    );
    let token = world.cloud.held_api_key("poor").unwrap().to_owned();
    let account = world.cloud.account().id.clone();
    assert_eq!(
        world.bearer(&token, "/foundation-models").message,
        format!(
            "User: arn:aws:iam::{account}:user/none is not authorized to perform: bedrock:CallWithBearerToken on resource: * \
             because no identity-based policy allows the bedrock:CallWithBearerToken action"
        )
    );
    let token = world.cloud.held_api_key("long").unwrap().to_owned();
    let mut ask = form_request(ASK);
    ask.headers.push(("authorization".to_owned(), format!("Bearer {token}")));
    assert_eq!(world.send(&ask).code, "MissingAuthenticationToken");
}

#[test]
fn a_gateway_signs_for_those_who_show_its_token() {
    let mut world = World::new(
        "[world.gateway]\nprincipal = \"Gateway\"\n\
         [[world.principals]]\nname = \"Gateway\"\nkind = \"role\"\npolicies = [\"claude-code-complete\"]\n",
    );
    let token = crate::simulate::authentication::gateway_token(&world.cloud);
    assert_eq!(world.bearer(&token, "/inference-profiles").status, 200);
    assert!(world.cloud.calls()[0].principal.as_ref().unwrap().contains("assumed-role/Gateway/"));
    assert_eq!(world.bearer("another", "/inference-profiles").status, 403);
    let mut invoke = request("POST", "/model/us.anthropic.claude-opus-5-5/invoke", Bytes::from_static(b"{}"));
    assert_eq!(world.send(&invoke).message, "Authorization header is missing");
    invoke.target = "/foundation-models".to_owned();
    invoke.method = "GET".to_owned();
    assert_eq!(world.send(&invoke).message, "Missing Authentication Token");
    let mut without = World::new("");
    assert_eq!(without.bearer(&token, "/inference-profiles").status, 403);
}

#[test]
fn roles_are_assumed_when_both_sides_agree() {
    let account = World::new("").cloud.account().id.clone();
    let trust = |principal: &str, condition: &str| {
        format!(
            "trust = '{{\"Statement\": {{\"Effect\": \"Allow\", \"Action\": \"sts:AssumeRole\", \"Principal\": {{\"AWS\": \"{principal}\"}}{condition}}}}}'"
        )
    };
    let mfa = ", \"Condition\": {\"Bool\": {\"aws:MultiFactorAuthPresent\": \"true\"}}";
    let mut world = World::new(&format!(
        "[[world.principals]]\nname = \"dev\"\nmfa_code = \"123456\"\n\
         [[world.principals]]\nname = \"admin\"\npolicies = [\"assume-roles\"]\nmfa_code = \"123456\"\n\
         [[world.principals]]\nname = \"Named\"\nkind = \"role\"\n{}\n\
         [[world.principals]]\nname = \"Account\"\nkind = \"role\"\n{}\n\
         [[world.principals]]\nname = \"Closed\"\nkind = \"role\"\n{}\n\
         [[world.principals]]\nname = \"Careful\"\nkind = \"role\"\n{}\n",
        trust(&format!("arn:aws:iam::{account}:user/dev"), ""),
        trust(&format!("arn:aws:iam::{account}:root"), ""),
        trust("arn:aws:iam::000000009999:root", ""),
        trust(&format!("arn:aws:iam::{account}:root"), mfa),
    ));
    let assume = |role: &str, more: &str| {
        format!("Action=AssumeRole&RoleArn=arn:aws:iam::{account}:role/{role}&RoleSessionName=s{more}")
    };
    let denied = |who: &str, role: &str, clause: &str| {
        format!(
            "User: arn:aws:iam::{account}:user/{who} is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::{account}:role/{role}{clause}"
        )
    };
    let (no_policy, no_trust) = (
        " because no identity-based policy allows the sts:AssumeRole action",
        " because no role trust policy allows the sts:AssumeRole action",
    );
    for (who, role, expected) in [
        ("dev", "Named", String::new()),
        ("dev", "Account", denied("dev", "Account", no_policy)),
        ("admin", "Account", String::new()),
        ("admin", "Named", denied("admin", "Named", no_trust)),
        ("admin", "Closed", denied("admin", "Closed", no_trust)),
        ("admin", "Careful", denied("admin", "Careful", no_trust)),
        ("admin", "Missing", denied("admin", "Missing", "")),
    ] {
        assert_eq!(world.sts(who, &assume(role, "")).message, expected, "{who} {role}");
    }
    let code = |code: &str| format!("&SerialNumber=arn:aws:iam::{account}:mfa/admin&TokenCode={code}");
    assert_eq!(world.sts("admin", &assume("Careful", &code("654321"))).code, "AccessDenied");
    let seen = world.sts("admin", &assume("Careful", &code("123456")));
    assert!(seen.text.contains("<SessionToken>SIMULATED"), "{}", seen.text);
    let seen = world.sts("admin", "Action=GetSessionToken&Version=2011-06-15");
    assert!(seen.text.contains("<AccessKeyId>ASIASIM"), "{}", seen.text);
    assert_eq!(world.sts("admin", "Action=Frobnicate").brief(), (400, "InvalidAction"));
}

#[test]
fn the_metadata_service_wants_its_token() {
    let mut world =
        World::new("[world]\nmetadata = { role = \"Box\" }\n[[world.principals]]\nname = \"Box\"\nkind = \"role\"\n");
    let roles = "/latest/meta-data/iam/security-credentials/";
    assert_eq!(world.send(&request("GET", roles, Bytes::new())).status, 401);
    let token = world.send(&request("PUT", "/latest/api/token", Bytes::new())).text;
    let get = |target: &str| {
        let mut request = request("GET", target, Bytes::new());
        request.headers.push(("x-aws-ec2-metadata-token".to_owned(), token.clone()));
        request
    };
    assert_eq!(world.send(&get(roles)).text, "Box");
    let document = world.send(&get(&format!("{roles}Box"))).json();
    assert_eq!(document["Code"], "Success");
    assert_eq!(world.send(&get("/latest/meta-data/placement/region")).text, "us-east-1");
    assert_eq!(world.send(&get("/latest/meta-data/nonsense")).status, 404);
    world.cloud.metadata.role = None;
    assert_eq!(world.send(&get(roles)).status, 404);
    world.cloud.metadata.token_hangs = true;
    let reply = handle(&mut world.cloud, &request("PUT", "/latest/api/token", Bytes::new()), world.now);
    assert_eq!(reply.delivery, Delivery::Hang);
}
