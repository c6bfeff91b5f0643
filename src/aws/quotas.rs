//! Service Quotas: applied and default values.

use super::{Access, failure};
use crate::evidence::{Failure, clean};

/// One row of Service Quotas.
#[derive(Clone, Debug, PartialEq)]
pub struct QuotaRow {
    /// Quota code.
    pub code: String,
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: Option<f64>,
    /// An increase can be asked for.
    pub adjustable: bool,
}

/// A page of rows.
#[derive(Clone, Debug, Default)]
pub struct QuotaPage {
    /// The rows.
    pub rows: Vec<QuotaRow>,
    /// There are more behind this token.
    pub next: Option<String>,
}

const SERVICE: &str = "bedrock";
const NAME: &str = "servicequotas";

impl Access {
    fn quotas(&self) -> aws_sdk_servicequotas::Client {
        let mut config = aws_sdk_servicequotas::config::Builder::from(&*self.base);
        config.set_endpoint_url(self.endpoint(NAME));
        aws_sdk_servicequotas::Client::from_conf(config.build())
    }

    /// Reads the applied value of one quota.
    ///
    /// # Errors
    /// The failure as it was seen; `NoSuchResourceException` where this Region has no such quota.
    pub async fn applied_quota(&self, code: &str) -> Result<Option<QuotaRow>, Failure> {
        let watch = self.log.begin(NAME, "GetServiceQuota", self.region());
        let answer = self
            .quotas()
            .get_service_quota()
            .service_code(SERVICE)
            .quota_code(code)
            .customize()
            .interceptor(watch.interceptor())
            .send()
            .await;
        let head = watch.head();
        let outcome = answer.map_err(|error| failure::of(&error, &head)).map(|answer| answer.quota().map(row));
        watch.finish(&outcome);
        outcome
    }

    /// Reads AWS's default of one quota.
    ///
    /// # Errors
    /// The failure as it was seen.
    pub async fn default_quota(&self, code: &str) -> Result<Option<QuotaRow>, Failure> {
        let watch = self.log.begin(NAME, "GetAWSDefaultServiceQuota", self.region());
        let answer = self
            .quotas()
            .get_aws_default_service_quota()
            .service_code(SERVICE)
            .quota_code(code)
            .customize()
            .interceptor(watch.interceptor())
            .send()
            .await;
        let head = watch.head();
        let outcome = answer.map_err(|error| failure::of(&error, &head)).map(|answer| answer.quota().map(row));
        watch.finish(&outcome);
        outcome
    }

    /// Reads a page of applied values, 100 rows.
    ///
    /// # Errors
    /// The failure as it was seen.
    pub async fn applied_quotas(&self, token: Option<String>) -> Result<QuotaPage, Failure> {
        let watch = self.log.begin(NAME, "ListServiceQuotas", self.region());
        let answer = self
            .quotas()
            .list_service_quotas()
            .service_code(SERVICE)
            .max_results(100)
            .set_next_token(token)
            .customize()
            .interceptor(watch.interceptor())
            .send()
            .await;
        let head = watch.head();
        let outcome = answer.map_err(|error| failure::of(&error, &head)).map(|answer| QuotaPage {
            rows: answer.quotas().iter().map(row).collect(),
            next: answer.next_token().map(str::to_owned),
        });
        watch.finish(&outcome);
        outcome
    }
}

fn row(quota: &aws_sdk_servicequotas::types::ServiceQuota) -> QuotaRow {
    QuotaRow {
        code: clean(quota.quota_code().unwrap_or_default()),
        name: clean(quota.quota_name().unwrap_or_default()),
        value: quota.value(),
        adjustable: quota.adjustable(),
    }
}
