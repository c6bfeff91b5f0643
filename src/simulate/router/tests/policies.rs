//! What every type of policy says when it refuses, at the service's door.

use super::*;

/// A world in which the user may do everything, and something else refuses.
fn refusing(world: &str, user: &str) -> World {
    World::new(&format!("{world}\n[[world.principals]]\nname = \"dev\"\npolicies = [\"administrator\"]\n{user}\n"))
}

const DENY: &str = r#"'{"Statement": {"Effect": "Deny", "Action": "bedrock:*", "Resource": "*"}}'"#;
const OTHER: &str = r#"'{"Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}}'"#;
/// The same for those that have to say whom they are for.
const DENY_ALL: &str = r#"'{"Statement": {"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*"}}'"#;
const OTHER_TO_ALL: &str =
    r#"'{"Statement": {"Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": "*"}}'"#;

#[test]
fn every_type_of_policy_is_named_in_its_refusal() {
    let action = "bedrock:InvokeModel";
    for (world, user, clause) in [
        ("", format!("boundary = {OTHER}"), format!("because no permissions boundary allows the {action} action")),
        ("", format!("boundary = {DENY}"), "with an explicit deny in a permissions boundary".to_owned()),
        (
            "",
            format!("expires = \"1h\"\nsession_policy = {OTHER}"),
            format!("because no session policy allows the {action} action"),
        ),
        (
            "",
            format!("expires = \"1h\"\nsession_policy = {DENY}"),
            "with an explicit deny in a session policy".to_owned(),
        ),
        (
            &format!("[world.organization]\nfull_aws_access = false\nscps = [{OTHER}]"),
            String::new(),
            format!("because no service control policy allows the {action} action"),
        ),
        (
            &format!("[world.organization]\nscps = [{DENY}]"),
            String::new(),
            "with an explicit deny in a service control policy".to_owned(),
        ),
        (
            &format!(
                "[world.organization]\nscps = [{{ arn = \"arn:aws:organizations::000000000001:policy/p-1\", json = {DENY} }}]"
            ),
            String::new(),
            "with an explicit deny in a service control policy: arn:aws:organizations::000000000001:policy/p-1"
                .to_owned(),
        ),
        (
            &format!("[[world.organization.levels]]\nfull_aws_access = false\nscps = [{OTHER}]"),
            String::new(),
            format!("because no service control policy allows the {action} action"),
        ),
        (
            &format!("[[world.organization.levels]]\n[[world.organization.levels]]\nscps = [{DENY}]"),
            String::new(),
            "with an explicit deny in a service control policy".to_owned(),
        ),
        (
            &format!("[world.vpc_endpoint]\npolicy = {OTHER_TO_ALL}"),
            String::new(),
            format!("because no VPC endpoint policy allows the {action} action"),
        ),
        (
            &format!("[world.vpc_endpoint]\npolicy = {DENY_ALL}"),
            String::new(),
            "with an explicit deny in a VPC endpoint policy".to_owned(),
        ),
        ("[world]\ndenial_clause = false", format!("boundary = {OTHER}"), String::new()),
    ] {
        let mut world = refusing(world, &user);
        let account = world.cloud.account().id.clone();
        let seen = world.invoke("dev", OPUS);
        let head = format!(
            "User: arn:aws:iam::{account}:user/dev is not authorized to perform: {action} on resource: \
             arn:aws:bedrock:us-east-1:{account}:inference-profile/{OPUS}"
        );
        let expected = if clause.is_empty() { head } else { format!("{head} {clause}") };
        assert_eq!(seen.message, expected);
        assert_eq!(seen.brief(), (403, "AccessDeniedException"));
        assert!(seen.text.starts_with("{\"Message\":"), "{}", seen.text);
    }
}

#[test]
fn identity_policies_are_named_too_and_list_actions_have_no_resource() {
    let mut world = World::with_policy("diagnostics");
    let account = world.cloud.account().id.clone();
    let user = format!("User: arn:aws:iam::{account}:user/dev is not authorized to perform:");
    assert_eq!(
        world.get("dev", "/foundation-models").message,
        format!(
            "{user} bedrock:ListFoundationModels because no identity-based policy allows the bedrock:ListFoundationModels action"
        )
    );
    world
        .cloud
        .attach_policy("dev", r#"{"Statement": {"Effect": "Allow", "Action": "bedrock:*", "Resource": "*"}}"#)
        .unwrap();
    assert_eq!(world.invoke("dev", OPUS).status, 200);
    let deny = r#"{"Statement": {"Effect": "Deny", "Action": "bedrock:Invoke*", "Resource": "arn:aws:bedrock:*::foundation-model/*opus*"}}"#;
    world.cloud.attach_policy("dev", deny).unwrap();
    assert_eq!(
        world.invoke("dev", OPUS).message,
        format!(
            "{user} bedrock:InvokeModel on resource: arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-opus-5-5 \
             with an explicit deny in an identity-based policy"
        )
    );
    assert_eq!(world.invoke("dev", SONNET).status, 200);
}

#[test]
fn the_first_destination_that_is_denied_is_named() {
    let world = |regions: &str, profile: &str, list: &str| {
        let scp = format!(
            r#"'{{"Statement": {{"Effect": "Deny", "Action": "bedrock:*", "Resource": "*", "Condition": {{"StringNotEquals": {{"aws:RequestedRegion": {list}}}}}}}}}'"#
        );
        let mut world =
            refusing(&format!("[world]\nhome_region = \"{regions}\"\n[world.organization]\nscps = [{scp}]"), "");
        world.invoke("dev", profile).message
    };
    let denied = world("us-west-2", OPUS, r#"["us-west-2", "us-east-1"]"#);
    assert!(
        denied.contains("on resource: arn:aws:bedrock:us-east-2::foundation-model/anthropic.claude-opus-5-5 with"),
        "{denied}"
    );
    assert_eq!(world("us-west-2", OPUS, r#"["us-west-2", "us-east-1", "us-east-2"]"#), "");
    let global = "global.anthropic.claude-opus-5-5";
    let denied = world("sa-east-1", global, r#"["sa-east-1"]"#);
    assert!(
        denied.contains("on resource: arn:aws:bedrock:::foundation-model/anthropic.claude-opus-5-5 with"),
        "{denied}"
    );
    assert_eq!(world("sa-east-1", global, r#"["sa-east-1", "unspecified"]"#), "");
}

#[test]
fn models_may_be_allowed_through_a_profile_only() {
    let policy = |account: &str| {
        format!(
            r#"{{"Statement": [
              {{"Effect": "Allow", "Action": "bedrock:InvokeModel", "Resource": "arn:aws:bedrock:*:{account}:inference-profile/*"}},
              {{"Effect": "Allow", "Action": "bedrock:InvokeModel", "Resource": "arn:aws:bedrock:*::foundation-model/*",
                "Condition": {{"ArnLike": {{"bedrock:InferenceProfileArn": "arn:aws:bedrock:*:{account}:inference-profile/*"}}}}}}]}}"#
        )
    };
    let mut world = World::new("[world]\nhome_region = \"eu-west-2\"\n[[world.principals]]\nname = \"dev\"\n");
    let account = world.cloud.account().id.clone();
    world.cloud.attach_policy("dev", &policy(&account)).unwrap();
    assert_eq!(world.invoke("dev", "eu.anthropic.claude-sonnet-4-6").status, 200);
    assert_eq!(world.invoke("dev", "anthropic.claude-sonnet-4-6").code, "AccessDeniedException");
}

#[test]
fn an_application_profile_needs_itself_and_what_it_points_to() {
    let mut world = World::new(&format!(
        "[[world.principals]]\nname = \"dev\"\n[[world.application_profiles]]\nname = \"team\"\nsource = \"{OPUS}\"\n"
    ));
    let account = world.cloud.account().id.clone();
    let arn = {
        let profile = &world.cloud.account().application_profiles[0];
        format!("arn:aws:bedrock:us-east-1:{account}:application-inference-profile/{}", profile.id)
    };
    let target = arn.replace(':', "%3A").replace('/', "%2F");
    for resource in [arn.as_str(), "arn:aws:bedrock:*:*:inference-profile/*", "arn:aws:bedrock:*::foundation-model/*"] {
        assert_eq!(world.invoke("dev", &target).code, "AccessDeniedException");
        let allow =
            format!(r#"{{"Statement": {{"Effect": "Allow", "Action": "bedrock:Invoke*", "Resource": "{resource}"}}}}"#);
        world.cloud.attach_policy("dev", &allow).unwrap();
    }
    assert_eq!(world.invoke("dev", &target).status, 200);
    assert_eq!(world.invoke("dev", &arn).status, 200);
}

#[test]
fn a_policy_can_hang_on_the_vpc_endpoint() {
    let user = r#"policies = ['{"Statement": {"Effect": "Allow", "Action": "bedrock:*", "Resource": "*", "Condition": {"StringEquals": {"aws:SourceVpce": "vpce-1"}}}}']"#;
    let mut outside = World::new(&format!("[[world.principals]]\nname = \"dev\"\n{user}\n"));
    assert!(
        outside
            .invoke("dev", OPUS)
            .message
            .ends_with("because no identity-based policy allows the bedrock:InvokeModel action")
    );
    let mut inside =
        World::new(&format!("[world.vpc_endpoint]\nid = \"vpce-1\"\n[[world.principals]]\nname = \"dev\"\n{user}\n"));
    assert_eq!(inside.invoke("dev", OPUS).status, 200);
}

#[test]
fn resource_control_policies_reach_roles_and_not_models() {
    let account = "000000004242";
    let assume = format!("Action=AssumeRole&RoleArn=arn:aws:iam::{account}:role/R&RoleSessionName=s");
    let world = |management: bool| {
        let trust = format!(
            r#"{{"Statement": {{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {{"AWS": "{account}"}}}}}}"#
        );
        refusing(
            &format!(
                "[world]\naccount = \"{account}\"\n[world.organization]\nmanagement_account = {management}\nrcps = [{DENY_ALL}]\n\
                 [[world.principals]]\nname = \"R\"\nkind = \"role\"\ntrust = '{trust}'"
            ),
            "",
        )
    };
    let mut member = world(false);
    assert_eq!(
        member.sts("dev", &assume).message,
        format!(
            "User: arn:aws:iam::{account}:user/dev is not authorized to perform: sts:AssumeRole on resource: \
             arn:aws:iam::{account}:role/R with an explicit deny in a resource control policy"
        )
    );
    assert_eq!(member.invoke("dev", OPUS).status, 200);
    assert_eq!(world(true).sts("dev", &assume).status, 200);
}

#[test]
fn policies_for_everybody_and_nobody_in_particular_are_no_policies() {
    let head = "title = \"t\"\nstory = \"s\"\nverdict = \"ok\"\n";
    for world in
        [format!("[world.organization]\nrcps = [{DENY}]\n"), format!("[world.vpc_endpoint]\npolicy = {OTHER}\n")]
    {
        let error = Scenario::parse("test", &format!("{head}{world}")).unwrap_err();
        assert_eq!((error.line, error.reason.as_str()), (5, "every statement of this policy needs a `Principal`"));
    }
}

#[test]
fn condition_keys_tell_what_is_known() {
    let world = |key: &str, value: &str| {
        let condition = format!(r#""Condition": {{"StringLike": {{"{key}": "{value}"}}}}"#);
        let policy =
            format!(r#"'{{"Statement": {{"Effect": "Allow", "Action": "*", "Resource": "*", {condition}}}}}'"#);
        World::new(&format!(
            "[world]\naccount = \"000000004242\"\nvpc_endpoint = {{ vpc = \"vpc-1\" }}\n\
             [[world.principals]]\nname = \"dev\"\nkind = \"role\"\npolicies = [{policy}]\n"
        ))
    };
    for (key, value, listed) in [
        ("aws:SourceVpc", "vpc-1", true),
        ("aws:SourceVpc", "vpc-2", false),
        ("aws:PrincipalType", "AssumedRole", true),
        ("aws:PrincipalType", "User", false),
        ("aws:ResourceAccount", "000000004242", true),
        ("aws:TokenIssueTime", "2026-11-22T*", true),
        ("bedrock:ServiceTier", "*", false),
    ] {
        assert_eq!(world(key, value).get("dev", "/foundation-models").status == 200, listed, "{key} {value}");
    }
    let mut tiered = world("bedrock:ServiceTier", "default");
    let key = tiered.cloud.held_key("dev").unwrap().clone();
    let body =
        r#"{"anthropic_version":"bedrock-2023-05-31","max_tokens":1,"messages":[{"role":"user","content":"hi"}]}"#;
    for (tier, status) in [("default", 200), ("reserved", 403)] {
        let mut request = request("POST", &format!("/model/{OPUS}/invoke"), body.into());
        request.headers.push(("x-amzn-bedrock-service-tier".to_owned(), tier.to_owned()));
        let request = tiered.signed(&key, "bedrock", request);
        assert_eq!(tiered.send(&request).status, status, "{tier}");
    }
}

#[test]
fn policies_can_be_written_as_tables() {
    let mut world = World::new(
        "[[world.principals]]\nname = \"dev\"\n[[world.principals.policies]]\nVersion = \"2012-10-17\"\n\
         [[world.principals.policies.Statement]]\nEffect = \"Allow\"\nAction = [\"bedrock:InvokeModel\"]\nResource = \"*\"\n",
    );
    assert_eq!(world.invoke("dev", OPUS).status, 200);
}

#[test]
fn accounts_are_kept_apart() {
    let mut world = World::new(
        "[[world.accounts]]\nname = \"other\"\nform_submitted = false\n\
         [[world.principals]]\nname = \"dev\"\npolicies = [\"bedrock-full\"]\n\
         [[world.principals]]\nname = \"stray\"\naccount = \"other\"\npolicies = [\"bedrock-full\"]\n",
    );
    assert_eq!(world.invoke("dev", OPUS).status, 200);
    let seen = world.invoke("stray", OPUS);
    assert!(seen.status == 404 && seen.message.starts_with("Model use case details"), "{}", seen.message);
}
