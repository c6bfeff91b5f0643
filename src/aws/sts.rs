//! STS: who is calling.

use super::{Access, failure};
use crate::evidence::{Failure, Identity, clean};

impl Access {
    /// Asks STS who is calling. Needs no permission.
    ///
    /// # Errors
    /// The failure as it was seen.
    pub async fn caller_identity(&self) -> Result<Identity, Failure> {
        self.caller_identity_in(self.region()).await
    }

    /// Asks STS of another Region who is calling.
    ///
    /// # Errors
    /// The failure as it was seen.
    pub async fn caller_identity_in(&self, region: &str) -> Result<Identity, Failure> {
        let mut config = aws_sdk_sts::config::Builder::from(&*self.base);
        config.set_endpoint_url(self.endpoint("sts"));
        if !region.is_empty() {
            config = config.region(aws_sdk_sts::config::Region::new(region.to_owned()));
        }
        let client = aws_sdk_sts::Client::from_conf(config.build());
        let watch = self.log.begin("sts", "GetCallerIdentity", region);
        let answer = client.get_caller_identity().customize().interceptor(watch.interceptor()).send().await;
        let head = watch.head();
        let outcome = answer.map_err(|error| failure::of(&error, &head)).and_then(|answer| {
            let arn = clean(answer.arn().unwrap_or_default());
            let account = clean(answer.account().unwrap_or_default());
            identity(&arn, &account).ok_or_else(|| {
                let mut failure =
                    Failure::local(crate::evidence::FailureKind::Response, "STS answered without an account or ARN");
                failure.status = head.status;
                failure
            })
        });
        watch.finish(&outcome);
        outcome
    }
}

/// Takes an ARN apart: `arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION`, `arn:aws:iam::ACCOUNT:user/PATH/NAME`, `…:root`.
fn identity(arn: &str, account: &str) -> Option<Identity> {
    let mut parts = arn.splitn(6, ':');
    let (prefix, partition) = (parts.next()?, parts.next()?);
    let resource = parts.nth(3)?;
    if prefix != "arn" || account.is_empty() {
        return None;
    }
    let (kind, rest) = resource.split_once('/').unwrap_or((resource, resource));
    let (name, session) = match kind {
        "assumed-role" => match rest.split_once('/') {
            Some((role, session)) => (role, Some(session.to_owned())),
            None => (rest, None),
        },
        _ => (rest.rsplit('/').next().unwrap_or(rest), None),
    };
    Some(Identity {
        account: account.to_owned(),
        arn: arn.to_owned(),
        partition: partition.to_owned(),
        kind: kind.to_owned(),
        name: name.to_owned(),
        session,
    })
}

#[cfg(test)]
mod tests {
    use super::identity;

    #[test]
    fn principals_are_taken_apart() {
        let role = identity("arn:aws:sts::000000001111:assumed-role/Dev/alice@x", "000000001111").unwrap();
        assert_eq!(
            (role.kind.as_str(), role.name.as_str(), role.session.as_deref()),
            ("assumed-role", "Dev", Some("alice@x"))
        );
        let user = identity("arn:aws-us-gov:iam::000000001111:user/team/bob", "000000001111").unwrap();
        assert_eq!((user.partition.as_str(), user.kind.as_str(), user.name.as_str()), ("aws-us-gov", "user", "bob"));
        assert_eq!(identity("arn:aws:iam::000000001111:root", "000000001111").unwrap().kind, "root");
        assert!(identity("nonsense", "1").is_none());
        assert!(identity("arn:aws:iam::1:root", "").is_none());
    }
}
