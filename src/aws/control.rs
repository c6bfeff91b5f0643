//! Bedrock's control plane: models, inference profiles and the gates of the account. Reads only.

use aws_sdk_bedrock::types::InferenceProfileType;

use super::{Access, failure, scheme};
use crate::evidence::{Availability, Failure, FoundationModel, InferenceProfile, clean};

/// The kinds of inference profiles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProfileKind {
    /// Defined by AWS.
    System,
    /// Defined by the account.
    Application,
}

/// Pages of inference profiles that are read at most, of 1 000 each.
const MAX_PROFILE_PAGES: usize = 5;

impl Access {
    fn bedrock(&self, region: Option<&str>) -> aws_sdk_bedrock::Client {
        let mut config =
            aws_sdk_bedrock::config::Builder::from(&*self.base).auth_scheme_preference(scheme(self.prefers_bearer()));
        if let (true, Some(token)) = (self.prefers_bearer(), &self.target.bearer_token) {
            config = config.bearer_token(aws_sdk_bedrock::config::Token::new(token.clone(), None));
        }
        if let Some(region) = region {
            config = config.region(aws_sdk_bedrock::config::Region::new(region.to_owned()));
        }
        config.set_endpoint_url(self.endpoint("bedrock"));
        aws_sdk_bedrock::Client::from_conf(config.build())
    }

    /// Lists Anthropic's foundation models.
    ///
    /// # Errors
    /// The failure as it was seen.
    pub async fn foundation_models(&self) -> Result<Vec<FoundationModel>, Failure> {
        let watch = self.log.begin("bedrock", "ListFoundationModels", self.region());
        let answer = self
            .bedrock(None)
            .list_foundation_models()
            .by_provider("Anthropic")
            .customize()
            .interceptor(watch.interceptor())
            .send()
            .await;
        let head = watch.head();
        let outcome = answer.map_err(|error| failure::of(&error, &head)).map(|answer| {
            let mut models: Vec<FoundationModel> = answer
                .model_summaries()
                .iter()
                .map(|model| {
                    let life = model.model_lifecycle();
                    FoundationModel {
                        id: clean(model.model_id()),
                        name: model.model_name().map(clean),
                        status: life.map(|life| life.status().as_str().to_owned()),
                        launched_at: life.and_then(|life| life.start_of_life_time()).map(rfc3339),
                        ends_at: life.and_then(|life| life.end_of_life_time()).map(rfc3339),
                        inference_types: model
                            .inference_types_supported()
                            .iter()
                            .map(|kind| kind.as_str().to_owned())
                            .collect(),
                    }
                })
                .collect();
            models.sort_by(|a, b| a.id.cmp(&b.id));
            models
        });
        watch.finish(&outcome);
        outcome
    }

    /// Lists inference profiles of one kind: at most 5 pages.
    ///
    /// # Errors
    /// The failure as it was seen.
    pub async fn inference_profiles(&self, kind: ProfileKind) -> Result<Vec<InferenceProfile>, Failure> {
        let client = self.bedrock(None);
        let wanted = match kind {
            ProfileKind::System => InferenceProfileType::SystemDefined,
            ProfileKind::Application => InferenceProfileType::Application,
        };
        let mut profiles = Vec::new();
        let mut token: Option<String> = None;
        for _ in 0..MAX_PROFILE_PAGES {
            let watch = self.log.begin("bedrock", "ListInferenceProfiles", self.region());
            let answer = client
                .list_inference_profiles()
                .type_equals(wanted.clone())
                .max_results(1_000)
                .set_next_token(token.take())
                .customize()
                .interceptor(watch.interceptor())
                .send()
                .await;
            let head = watch.head();
            let outcome = answer.map_err(|error| failure::of(&error, &head));
            watch.finish(&outcome);
            let page = outcome?;
            profiles.extend(page.inference_profile_summaries().iter().map(|profile| {
                let arns: Vec<&str> = profile.models().iter().filter_map(|model| model.model_arn()).collect();
                InferenceProfile {
                    id: clean(profile.inference_profile_id()),
                    arn: clean(profile.inference_profile_arn()),
                    status: profile.status().as_str().to_owned(),
                    model_id: arns.first().and_then(|arn| arn.rsplit('/').next()).map(clean).unwrap_or_default(),
                    regions: arns.iter().map(|arn| clean(arn.split(':').nth(3).unwrap_or_default())).collect(),
                }
            }));
            token = page.next_token().map(str::to_owned);
            if token.is_none() {
                break;
            }
        }
        profiles.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(profiles)
    }

    /// Reads what the control plane says of a foundation model in a Region.
    ///
    /// # Errors
    /// The failure as it was seen.
    pub async fn availability(&self, model_id: &str, region: Option<&str>) -> Result<Availability, Failure> {
        let watch = self.log.begin("bedrock", "GetFoundationModelAvailability", region.unwrap_or(self.region()));
        let answer = self
            .bedrock(region)
            .get_foundation_model_availability()
            .model_id(model_id)
            .customize()
            .interceptor(watch.interceptor())
            .send()
            .await;
        let head = watch.head();
        let outcome = answer.map_err(|error| failure::of(&error, &head)).map(|answer| {
            let agreement = answer.agreement_availability();
            Availability {
                model_id: clean(answer.model_id()),
                agreement: agreement.map(|it| it.status().as_str().to_owned()).unwrap_or_default(),
                authorization: answer.authorization_status().as_str().to_owned(),
                entitlement: answer.entitlement_availability().as_str().to_owned(),
                region: answer.region_availability().as_str().to_owned(),
                agreement_error: agreement.and_then(|it| it.error_message()).map(clean),
            }
        });
        watch.finish(&outcome);
        outcome
    }

    /// Reads whether Anthropic's use-case form was submitted.
    ///
    /// # Errors
    /// The failure as it was seen; a 404 of the service means "not submitted".
    pub async fn use_case_form(&self) -> Result<(), Failure> {
        let watch = self.log.begin("bedrock", "GetUseCaseForModelAccess", self.region());
        let answer = self
            .bedrock(None)
            .get_use_case_for_model_access()
            .customize()
            .interceptor(watch.interceptor())
            .send()
            .await;
        let head = watch.head();
        let outcome = answer.map_err(|error| failure::of(&error, &head)).map(drop);
        watch.finish(&outcome);
        outcome
    }

    /// Reads the account's data retention mode in this Region.
    ///
    /// # Errors
    /// The failure as it was seen.
    pub async fn data_retention(&self) -> Result<String, Failure> {
        let watch = self.log.begin("bedrock", "GetAccountDataRetention", self.region());
        let answer =
            self.bedrock(None).get_account_data_retention().customize().interceptor(watch.interceptor()).send().await;
        let head = watch.head();
        let outcome = answer.map_err(|error| failure::of(&error, &head)).map(|answer| clean(answer.mode().as_str()));
        watch.finish(&outcome);
        outcome
    }

    /// Reads the foundation model and destination Regions behind an inference profile's id or ARN.
    ///
    /// # Errors
    /// The failure as it was seen.
    pub async fn inference_profile(&self, id: &str) -> Result<InferenceProfile, Failure> {
        let watch = self.log.begin("bedrock", "GetInferenceProfile", self.region());
        let answer = self
            .bedrock(None)
            .get_inference_profile()
            .inference_profile_identifier(id)
            .customize()
            .interceptor(watch.interceptor())
            .send()
            .await;
        let head = watch.head();
        let outcome = answer.map_err(|error| failure::of(&error, &head)).map(|profile| {
            let arns: Vec<&str> = profile.models().iter().filter_map(|model| model.model_arn()).collect();
            InferenceProfile {
                id: clean(profile.inference_profile_id()),
                arn: clean(profile.inference_profile_arn()),
                status: profile.status().as_str().to_owned(),
                model_id: arns.first().and_then(|arn| arn.rsplit('/').next()).map(clean).unwrap_or_default(),
                regions: arns.iter().map(|arn| clean(arn.split(':').nth(3).unwrap_or_default())).collect(),
            }
        });
        watch.finish(&outcome);
        outcome
    }
}

fn rfc3339(time: &aws_smithy_types::DateTime) -> String {
    jiff::Timestamp::from_second(time.secs()).map(|time| time.to_string()).unwrap_or_default()
}
