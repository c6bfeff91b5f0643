//! Who can call: principals, access keys, sessions and Bedrock API keys.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use jiff::{SignedDuration, Timestamp};

use super::{Cloud, WorldError, policy};
use crate::simulate::iam::Policy;
use crate::simulate::iam::policy::Asker;
use crate::simulate::scenario::Span;
use crate::simulate::scenario::world::{ApiKeyKind, ApiKeySpec, KeyState, PrincipalKind, PrincipalSpec};
use crate::simulate::sigv4::{SigningKey, presign};

/// A principal of an account.
#[derive(Clone, Debug)]
pub struct Principal {
    /// Its name in the scenario.
    pub name: String,
    /// Index into the accounts.
    pub account: usize,
    pub kind: PrincipalKind,
    /// Its name in ARNs.
    pub iam_name: String,
    pub unique_id: String,
    pub policies: Vec<Policy>,
    pub boundary: Option<Policy>,
    pub trust: Option<Policy>,
    pub mfa_code: Option<String>,
    pub max_session: SignedDuration,
}

/// An access key that AWS knows.
#[derive(Clone, Debug)]
pub struct AccessKey {
    pub id: String,
    pub secret: String,
    /// Index into the principals.
    pub principal: usize,
    /// Present for temporary keys.
    pub session: Option<Session>,
}

/// What a temporary key stands for.
#[derive(Clone, Debug)]
pub struct Session {
    pub name: String,
    pub token: String,
    /// The policies that narrow it; empty is none.
    pub policies: Vec<Policy>,
    pub created: Timestamp,
    pub expires: Timestamp,
    pub mfa: bool,
    /// The identity provider behind a web identity.
    pub federated: Option<String>,
}

/// A long-term Bedrock API key that AWS knows; short-term keys prove themselves.
#[derive(Clone, Debug)]
pub struct ApiKey {
    pub token: String,
    pub principal: usize,
    pub expires: Option<Timestamp>,
}

/// A key as the machine holds it, right or wrong.
#[derive(Clone, Debug, Default)]
pub struct HeldKey {
    pub id: String,
    pub secret: String,
    pub token: Option<String>,
    pub expires: Option<Timestamp>,
}

/// Who made a call.
#[derive(Clone, Debug)]
pub struct Caller {
    pub account: usize,
    pub account_id: String,
    pub principal: usize,
    /// The ARN that `GetCallerIdentity` gives and that denials name.
    pub arn: String,
    /// The ARN that policies compare with `aws:PrincipalArn`.
    pub principal_arn: String,
    pub user_id: String,
    pub access_key: String,
    pub session: Option<Session>,
    /// Present for calls with an API key.
    pub bearer: Option<ApiKeyKind>,
}

impl Principal {
    /// Returns the principal's ARN in IAM.
    pub fn arn(&self, account: &str) -> String {
        let name = &self.iam_name;
        match self.kind {
            PrincipalKind::User => format!("arn:aws:iam::{account}:user/{name}"),
            PrincipalKind::Role => format!("arn:aws:iam::{account}:role/{name}"),
            PrincipalKind::SsoRole => format!("arn:aws:iam::{account}:role/aws-reserved/sso.amazonaws.com/{name}"),
            PrincipalKind::Root => format!("arn:aws:iam::{account}:root"),
            PrincipalKind::Federated => format!("arn:aws:sts::{account}:federated-user/{name}"),
        }
    }

    /// Whether the principal is a role, so that its keys are always those of a session.
    pub fn is_role(&self) -> bool {
        matches!(self.kind, PrincipalKind::Role | PrincipalKind::SsoRole)
    }
}

impl Caller {
    /// Returns the name under which the trail files the caller's events.
    pub fn username(&self) -> String {
        self.arn.rsplit('/').next().unwrap_or(&self.arn).to_owned()
    }

    /// Whether the caller has proved a second factor.
    pub fn mfa(&self) -> bool {
        self.session.as_ref().is_some_and(|session| session.mfa)
    }

    /// Returns the caller as a trust policy sees it.
    pub(crate) fn asker(&self) -> Asker {
        Asker {
            account: self.account_id.clone(),
            arns: vec![self.arn.clone(), self.principal_arn.clone()],
            federated: None,
        }
    }
}

impl Cloud {
    /// Returns the caller that a key stands for.
    pub(crate) fn caller(&self, key: &AccessKey, bearer: Option<ApiKeyKind>) -> Caller {
        let principal = &self.principals[key.principal];
        let account_id = self.accounts[principal.account].id.clone();
        let principal_arn = principal.arn(&account_id);
        let session_name = key.session.as_ref().map(|session| session.name.as_str());
        let (arn, user_id) = match (principal.kind, session_name) {
            (PrincipalKind::Role | PrincipalKind::SsoRole, Some(session)) => (
                format!("arn:aws:sts::{account_id}:assumed-role/{}/{session}", principal.iam_name),
                format!("{}:{session}", principal.unique_id),
            ),
            (PrincipalKind::Root, _) => (principal_arn.clone(), account_id.clone()),
            (PrincipalKind::Federated, _) => (principal_arn.clone(), format!("{account_id}:{}", principal.iam_name)),
            _ => (principal_arn.clone(), principal.unique_id.clone()),
        };
        Caller {
            account: principal.account,
            account_id,
            principal: key.principal,
            arn,
            principal_arn,
            user_id,
            access_key: key.id.clone(),
            session: key.session.clone(),
            bearer,
        }
    }

    /// Makes a session of a principal and returns its key.
    pub(crate) fn issue(&mut self, principal: usize, session: NewSession) -> AccessKey {
        let number = self.next();
        let label = format!("session {number}");
        let key = AccessKey {
            id: self.seed.access_key(&label, true),
            secret: self.seed.secret(&label),
            principal,
            session: Some(Session {
                name: session.name,
                token: self.seed.token(&label),
                policies: session.policies,
                created: session.created,
                expires: session.expires,
                mfa: session.mfa,
                federated: session.federated,
            }),
        };
        self.keys.push(key.clone());
        key
    }

    pub(super) fn add_principal(&mut self, spec: &PrincipalSpec, now: Timestamp) -> Result<(), WorldError> {
        let error = |reason: String| WorldError { near: format!("\"{}\"", spec.name), reason };
        if self.principal(&spec.name).is_some() {
            return Err(error(format!("two principals are called `{}`", spec.name)));
        }
        let account = match &spec.account {
            None => 0,
            Some(name) => self.accounts.iter().position(|account| account.name == *name).ok_or_else(|| WorldError {
                near: format!("\"{name}\""),
                reason: format!("principal `{}` belongs to account `{name}`, which is not there", spec.name),
            })?,
        };
        let iam_name = spec.iam_name.clone().unwrap_or_else(|| match spec.kind {
            PrincipalKind::SsoRole => format!("AWSReservedSSO_{}_{}", spec.name, self.seed.hex(&spec.name, 16)),
            _ => spec.name.clone(),
        });
        let kind = if matches!(spec.kind, PrincipalKind::Role | PrincipalKind::SsoRole) { "AROA" } else { "AIDA" };
        let principal = Principal {
            name: spec.name.clone(),
            account,
            kind: spec.kind,
            iam_name,
            unique_id: self.seed.principal_id(kind, &spec.name),
            policies: spec.policies.iter().map(policy).collect::<Result<_, _>>()?,
            boundary: spec.boundary.as_ref().map(policy).transpose()?,
            trust: spec.trust.as_ref().map(policy).transpose()?,
            mfa_code: spec.mfa_code.clone(),
            max_session: spec.max_session.map_or(SignedDuration::from_hours(12), Span::signed),
        };
        let session_policies: Vec<Policy> = spec.session_policy.iter().map(policy).collect::<Result<_, _>>()?;
        let temporary = principal.is_role()
            || principal.kind == PrincipalKind::Federated
            || spec.mfa
            || spec.expires.is_some()
            || matches!(spec.keys, KeyState::Expired | KeyState::WrongToken);
        let expires = match (spec.keys, spec.expires) {
            (_, Some(span)) => span.after(now),
            (KeyState::Expired, None) => now - SignedDuration::from_hours(2),
            _ => now + SignedDuration::from_hours(8),
        };
        let session = temporary.then(|| Session {
            name: spec.session.clone().unwrap_or_else(|| match spec.kind {
                PrincipalKind::SsoRole => "user@example.com".to_owned(),
                _ => "session".to_owned(),
            }),
            token: self.seed.token(&spec.name),
            policies: session_policies,
            created: expires - SignedDuration::from_hours(8),
            expires,
            mfa: spec.mfa,
            federated: None,
        });
        let key = AccessKey {
            id: self.seed.access_key(&spec.name, temporary),
            secret: self.seed.secret(&spec.name),
            principal: self.principals.len(),
            session,
        };
        let mut held = HeldKey {
            id: key.id.clone(),
            secret: key.secret.clone(),
            token: key.session.as_ref().map(|session| session.token.clone()),
            expires: key.session.as_ref().map(|session| session.expires),
        };
        match spec.keys {
            KeyState::WrongSecret => held.secret = self.seed.secret(&format!("not {}", spec.name)),
            KeyState::WrongToken => held.token = Some(self.seed.token(&format!("not {}", spec.name))),
            KeyState::Valid | KeyState::Deleted | KeyState::Expired => {}
        }
        self.held.insert(spec.name.clone(), held);
        self.principals.push(principal);
        if spec.keys != KeyState::Deleted {
            self.keys.push(key);
        }
        Ok(())
    }

    pub(super) fn add_api_key(&mut self, spec: &ApiKeySpec, now: Timestamp) -> Result<(), WorldError> {
        let error = |near: &str, reason: String| WorldError { near: format!("\"{near}\""), reason };
        let principal =
            self.principals.iter().position(|principal| principal.name == spec.principal).ok_or_else(|| {
                error(&spec.principal, format!("API key `{}` belongs to no principal of this world", spec.name))
            })?;
        let token = match spec.kind {
            ApiKeyKind::LongTerm => {
                let account = &self.accounts[self.principals[principal].account].id;
                let text =
                    format!("BedrockAPIKey-sim-at-{account}:{}", self.seed.secret(&format!("api key {}", spec.name)));
                let token = format!("ABSK{}", BASE64_STANDARD.encode(text));
                if !spec.revoked {
                    let expires = spec.expires.map(|span| span.after(now));
                    self.api_keys.push(ApiKey { token: token.clone(), principal, expires });
                }
                token
            }
            ApiKeyKind::ShortTerm => {
                let held = self.held[&spec.principal].clone();
                let region = spec.region.as_deref().unwrap_or(&self.home_region);
                let expires = spec.expires.map_or(now + SignedDuration::from_hours(12), |span| span.after(now));
                // A short-term key lasts twelve hours: one that ends at a given time was made twelve hours before.
                let made = expires - SignedDuration::from_hours(12);
                short_term_key(&held, region, made)
            }
        };
        self.held_api_keys.insert(spec.name.clone(), token);
        Ok(())
    }
}

/// What a new session is made of.
#[derive(Debug)]
pub(crate) struct NewSession {
    pub(crate) name: String,
    pub(crate) policies: Vec<Policy>,
    pub(crate) created: Timestamp,
    pub(crate) expires: Timestamp,
    pub(crate) mfa: bool,
    pub(crate) federated: Option<String>,
}

/// Makes a short-term API key: a presigned request for `CallWithBearerToken`, good for twelve hours.
/// See: `aws-bedrock-token-generator` on PyPI.
fn short_term_key(key: &HeldKey, region: &str, made: Timestamp) -> String {
    let signed_at = made.strftime("%Y%m%dT%H%M%SZ").to_string();
    let signing = SigningKey {
        access_key: &key.id,
        secret: &key.secret,
        session_token: key.token.as_deref(),
        signed_at: &signed_at,
        expires_in: 43_200,
        region,
        service: "bedrock",
    };
    let query = presign("POST", "bedrock.amazonaws.com", "Action=CallWithBearerToken", &signing);
    format!("bedrock-api-key-{}", BASE64_STANDARD.encode(format!("bedrock.amazonaws.com/?{query}&Version=1")))
}
