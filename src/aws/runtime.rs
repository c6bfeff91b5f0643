//! Bedrock's runtime: invoking a model exactly as the client would, with one output token, and reading the answer to its end. A
//! status of 200 proves nothing: the stream has to say that the message stopped.

use aws_sdk_bedrockruntime::{
    Client,
    primitives::Blob,
    types::{ContentBlock, ConversationRole, ConverseStreamOutput, InferenceConfiguration, Message, ResponseStream},
};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use serde_json::Value;

use super::{
    Access, failure,
    observe::{Head, Watch, millis},
    scheme,
};
use crate::evidence::{Attempt, Envelope, Failure, FailureKind, clean};

/// The operations that clients send turns with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// `InvokeModelWithResponseStream`.
    InvokeStream,
    /// `InvokeModel`.
    Invoke,
    /// `ConverseStream`.
    ConverseStream,
    /// `Converse`.
    Converse,
}

impl Verb {
    /// Returns the operation's name.
    pub fn operation(self) -> &'static str {
        match self {
            Self::InvokeStream => "InvokeModelWithResponseStream",
            Self::Invoke => "InvokeModel",
            Self::ConverseStream => "ConverseStream",
            Self::Converse => "Converse",
        }
    }
}

/// One invocation.
#[derive(Clone, Debug)]
pub struct InvokeRequest {
    /// Model id, inference-profile id or ARN.
    pub model_id: String,
    /// Region of the call.
    pub region: String,
    /// The operation.
    pub verb: Verb,
}

/// The smallest request that every Claude model on Bedrock takes. No sampling parameter: newer models refuse them.
const BODY: &str =
    r#"{"anthropic_version":"bedrock-2023-05-31","max_tokens":1,"messages":[{"role":"user","content":"."}]}"#;

/// What an answer said.
#[derive(Default)]
struct Answer {
    stop_reason: Option<String>,
    input_tokens: u64,
    output_tokens: u64,
}

impl Access {
    /// Invokes a model once.
    pub async fn invoke(&self, request: &InvokeRequest) -> Attempt {
        let client = self.runtime(&request.region).await;
        let operation = request.verb.operation();
        let watch = self.log.begin("bedrock-runtime", operation, &request.region);
        let outcome = match request.verb {
            Verb::InvokeStream => self.invoke_stream(&client, request, &watch).await,
            Verb::Invoke => self.invoke_plain(&client, request, &watch).await,
            Verb::ConverseStream => self.converse_stream(&client, request, &watch).await,
            Verb::Converse => self.converse(&client, request, &watch).await,
        };
        let ms = millis(watch.elapsed());
        watch.finish(&outcome);
        match outcome {
            Ok(answer) => Attempt {
                operation: operation.to_owned(),
                ok: true,
                ms,
                tries: 1,
                failure: None,
                stop_reason: answer.stop_reason,
                input_tokens: answer.input_tokens,
                output_tokens: answer.output_tokens,
            },
            Err(failure) => Attempt {
                operation: operation.to_owned(),
                ok: false,
                ms,
                tries: 1,
                failure: Some(failure),
                stop_reason: None,
                input_tokens: 0,
                output_tokens: 0,
            },
        }
    }

    async fn runtime(&self, region: &str) -> Client {
        let mut clients = self.runtimes.lock().await;
        if let Some(client) = clients.get(region) {
            return client.clone();
        }
        let mut config = aws_sdk_bedrockruntime::config::Builder::from(&*self.base)
            .auth_scheme_preference(scheme(self.prefers_bearer()));
        if let (true, Some(token)) = (self.prefers_bearer(), &self.target.bearer_token) {
            config = config.bearer_token(aws_sdk_bedrockruntime::config::Token::new(token.clone(), None));
        }
        if !region.is_empty() {
            config = config.region(aws_sdk_bedrockruntime::config::Region::new(region.to_owned()));
        }
        config.set_endpoint_url(self.runtime_endpoint(region));
        if self.target.own_runtime_host {
            // The SDK refuses these beside an address of one's own.
            config = config.use_fips(false).use_dual_stack(false);
        }
        let client = Client::from_conf(config.build());
        clients.insert(region.to_owned(), client.clone());
        client
    }

    fn runtime_endpoint(&self, region: &str) -> Option<String> {
        let own = || {
            (self.target.own_runtime_host && !region.is_empty()).then(|| format!("https://{}", runtime_host(region)))
        };
        self.endpoint("bedrock-runtime").or_else(own)
    }

    async fn invoke_stream(&self, client: &Client, request: &InvokeRequest, watch: &Watch) -> Result<Answer, Failure> {
        let headers = self.target.headers.clone();
        let answer = client
            .invoke_model_with_response_stream()
            .model_id(&request.model_id)
            .content_type("application/json")
            .body(Blob::new(BODY))
            .customize()
            .mutate_request(move |request| add_headers(request, &headers))
            .interceptor(watch.interceptor())
            .send()
            .await;
        let mut output = answer.map_err(|error| failure::of(&error, &watch.head()))?;
        if self.target.guards_content_type && !says_event_stream(&watch.head()) {
            return Err(no_answer(&watch.head(), "the answer does not say that it is an event stream"));
        }
        let mut stream = AnthropicStream::default();
        loop {
            match output.body.recv().await {
                Ok(Some(ResponseStream::Chunk(chunk))) => {
                    stream.take(chunk.bytes().map(Blob::as_ref).unwrap_or_default())?;
                }
                Ok(Some(_)) => {}
                Ok(None) => return stream.finish(&watch.head()),
                Err(error) => {
                    let code = error.as_service_error().map(|error| (error.code(), error.message()));
                    return Err(stream_failure(code, &failure::chain(&error), &watch.head()));
                }
            }
        }
    }

    async fn invoke_plain(&self, client: &Client, request: &InvokeRequest, watch: &Watch) -> Result<Answer, Failure> {
        let headers = self.target.headers.clone();
        let answer = client
            .invoke_model()
            .model_id(&request.model_id)
            .content_type("application/json")
            .accept("application/json")
            .body(Blob::new(BODY))
            .customize()
            .mutate_request(move |request| add_headers(request, &headers))
            .interceptor(watch.interceptor())
            .send()
            .await;
        let output = answer.map_err(|error| failure::of(&error, &watch.head()))?;
        let json: Value = serde_json::from_slice(output.body().as_ref()).unwrap_or_default();
        if json["type"] != "message" {
            return Err(no_answer(&watch.head(), "the answer is no message of a model"));
        }
        Ok(Answer {
            stop_reason: json["stop_reason"].as_str().map(clean),
            input_tokens: json["usage"]["input_tokens"].as_u64().unwrap_or(0),
            output_tokens: json["usage"]["output_tokens"].as_u64().unwrap_or(0),
        })
    }

    async fn converse_stream(
        &self,
        client: &Client,
        request: &InvokeRequest,
        watch: &Watch,
    ) -> Result<Answer, Failure> {
        let answer = client
            .converse_stream()
            .model_id(&request.model_id)
            .messages(smallest_message()?)
            .inference_config(InferenceConfiguration::builder().max_tokens(1).build())
            .customize()
            .interceptor(watch.interceptor())
            .send()
            .await;
        let mut output = answer.map_err(|error| failure::of(&error, &watch.head()))?;
        let mut answer = Answer::default();
        let mut stopped = false;
        loop {
            match output.stream.recv().await {
                Ok(Some(ConverseStreamOutput::MessageStop(stop))) => {
                    stopped = true;
                    answer.stop_reason = Some(clean(stop.stop_reason().as_str()));
                }
                Ok(Some(ConverseStreamOutput::Metadata(metadata))) => {
                    if let Some(usage) = metadata.usage() {
                        answer.input_tokens = u64::try_from(usage.input_tokens()).unwrap_or(0);
                        answer.output_tokens = u64::try_from(usage.output_tokens()).unwrap_or(0);
                    }
                }
                Ok(Some(_)) => {}
                Ok(None) if stopped => return Ok(answer),
                Ok(None) => return Err(cut(&watch.head())),
                Err(error) => {
                    let code = error.as_service_error().map(|error| (error.code(), error.message()));
                    return Err(stream_failure(code, &failure::chain(&error), &watch.head()));
                }
            }
        }
    }

    async fn converse(&self, client: &Client, request: &InvokeRequest, watch: &Watch) -> Result<Answer, Failure> {
        let answer = client
            .converse()
            .model_id(&request.model_id)
            .messages(smallest_message()?)
            .inference_config(InferenceConfiguration::builder().max_tokens(1).build())
            .customize()
            .interceptor(watch.interceptor())
            .send()
            .await;
        let output = answer.map_err(|error| failure::of(&error, &watch.head()))?;
        Ok(Answer {
            stop_reason: Some(clean(output.stop_reason().as_str())),
            input_tokens: output.usage().and_then(|usage| u64::try_from(usage.input_tokens()).ok()).unwrap_or(0),
            output_tokens: output.usage().and_then(|usage| u64::try_from(usage.output_tokens()).ok()).unwrap_or(0),
        })
    }
}

/// The host of Bedrock's runtime in a Region (AWS General Reference: service endpoints).
pub fn runtime_host(region: &str) -> String {
    let suffix = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
    format!("bedrock-runtime.{region}.{suffix}")
}

fn smallest_message() -> Result<Message, Failure> {
    Message::builder()
        .role(ConversationRole::User)
        .content(ContentBlock::Text(".".into()))
        .build()
        .map_err(|error| Failure::local(FailureKind::Construction, error.to_string()))
}

/// Adds the client's own headers. A name or value that HTTP does not allow is left out; the settings report it.
fn add_headers(request: &mut aws_smithy_runtime_api::client::orchestrator::HttpRequest, headers: &[(String, String)]) {
    for (name, value) in headers {
        let _ = request.headers_mut().try_insert(name.clone(), value.clone());
    }
}

/// The events of an Anthropic stream, as far as a probe needs them.
#[derive(Default)]
struct AnthropicStream {
    answer: Answer,
    stopped: bool,
    events: u32,
}

impl AnthropicStream {
    fn take(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.events += 1;
        let event: Value = serde_json::from_slice(bytes).unwrap_or_default();
        match event["type"].as_str() {
            Some("message_start") => {
                self.answer.input_tokens = event["message"]["usage"]["input_tokens"].as_u64().unwrap_or(0);
            }
            Some("message_delta") => {
                self.answer.stop_reason = event["delta"]["stop_reason"].as_str().map(clean);
                self.answer.output_tokens = event["usage"]["output_tokens"].as_u64().unwrap_or(0);
            }
            Some("message_stop") => self.stopped = true,
            Some("error") => {
                let mut failure =
                    Failure::local(FailureKind::Service, event["error"]["message"].as_str().unwrap_or_default());
                failure.code = event["error"]["type"].as_str().map(clean);
                failure.envelope = Some(Envelope::Anthropic);
                return Err(failure);
            }
            _ => {}
        }
        Ok(())
    }

    fn finish(self, head: &Head) -> Result<Answer, Failure> {
        if self.stopped {
            return Ok(self.answer);
        }
        if !says_event_stream(head) && self.events == 0 {
            Err(no_answer(head, "the answer is no event stream"))
        } else {
            Err(cut(head))
        }
    }
}

fn says_event_stream(head: &Head) -> bool {
    head.content_type.as_deref().is_some_and(|kind| kind.starts_with("application/vnd.amazon.eventstream"))
}

fn cut(head: &Head) -> Failure {
    let mut failure = Failure::local(FailureKind::CutStream, "the stream ended before the message did");
    describe(&mut failure, head);
    failure
}

fn no_answer(head: &Head, message: &str) -> Failure {
    let mut failure = Failure::local(FailureKind::Response, message);
    describe(&mut failure, head);
    failure
}

fn describe(failure: &mut Failure, head: &Head) {
    failure.status = head.status;
    failure.request_id = head.request_id.as_deref().map(clean);
    failure.content_type = head.content_type.as_deref().map(clean);
}

/// A failure after the stream had begun: an exception frame, or a stream that is none.
fn stream_failure(service: Option<(Option<&str>, Option<&str>)>, chain: &str, head: &Head) -> Failure {
    let mut failure = match service {
        Some((code, message)) if code.is_some() || message.is_some() => {
            let mut failure = Failure::local(FailureKind::Service, message.unwrap_or(chain));
            // Event streams name exceptions in lower camel case; everywhere else they begin with a capital.
            failure.code = code.map(|code| {
                let mut characters = clean(code).chars().collect::<Vec<_>>();
                if let Some(first) = characters.first_mut() {
                    *first = first.to_ascii_uppercase();
                }
                characters.into_iter().collect()
            });
            failure.envelope = Some(Envelope::StreamException);
            failure
        }
        _ => {
            let kind = match super::classify_text(chain) {
                Some(kind @ (FailureKind::Timeout | FailureKind::Tls)) => kind,
                Some(FailureKind::Reset) => FailureKind::CutStream,
                _ if says_event_stream(head) => FailureKind::CutStream,
                _ => FailureKind::Response,
            };
            Failure::local(kind, chain)
        }
    };
    describe(&mut failure, head);
    failure
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        aws::{CallLog, Target},
        evidence::Authentication,
    };

    async fn access(endpoint: Option<&str>) -> Access {
        let target = Target {
            region: Some("us-east-1".into()),
            authentication: Authentication::Sigv4,
            bearer_token: None,
            endpoints: endpoint.map(|url| ("bedrock-runtime".to_owned(), url.to_owned())).into_iter().collect(),
            own_runtime_host: true,
            extra_roots: None,
            replace_roots: false,
            plain_http_only: true,
            guards_content_type: true,
            headers: Vec::new(),
            call_timeout: std::time::Duration::from_secs(1),
        };
        Access::load(target, CallLog::new(|_| {})).await
    }

    #[tokio::test]
    async fn a_model_with_a_region_of_its_own_is_called_there() {
        let own = access(None).await;
        assert_eq!(
            own.runtime_endpoint("eu-central-1").as_deref(),
            Some("https://bedrock-runtime.eu-central-1.amazonaws.com")
        );
        let set = access(Some("http://127.0.0.1:1")).await;
        assert_eq!(set.runtime_endpoint("eu-central-1").as_deref(), Some("http://127.0.0.1:1"));
    }

    #[tokio::test]
    async fn fips_does_not_keep_claude_code_from_its_own_host() {
        let mut own = access(Some("http://127.0.0.1:1")).await;
        let keys = aws_credential_types::Credentials::new("AKIAAAAAAAAAAAAAAAAA", "x", None, None, "test");
        let provider = aws_credential_types::provider::SharedCredentialsProvider::new(keys);
        let base = own.base.to_builder().credentials_provider(provider).use_fips(true).use_dual_stack(true).build();
        own.base = std::sync::Arc::new(base);
        let request = InvokeRequest { model_id: "m".into(), region: "us-east-1".into(), verb: Verb::Invoke };
        let client = own.runtime(&request.region).await;
        let watch = own.log.begin("bedrock-runtime", "InvokeModel", &request.region);
        let failure = own.invoke_plain(&client, &request, &watch).await.err().unwrap();
        assert_eq!(failure.kind, FailureKind::Connect, "{failure:?}");
    }
}
