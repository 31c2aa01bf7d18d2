//! A language model behind any server that speaks OpenAI's chat completions.

mod transport;
mod wire;

use std::fmt;
use std::time::Duration;

use async_openai::Client;
use async_openai::config::{AzureConfig, Config, OpenAIConfig};
use async_openai::error::OpenAIError;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use crate::agent::ports::{Answer, BoxFuture, Model, ModelError, Price, Request};
use crate::domain::phi::Phi;
use crate::llm::openai::transport::Transport;
use crate::llm::tokens::{self, Tokens};

pub use transport::ANSWER_BYTES_MAX;
pub use transport::Retry;

/// Log targets that must stay off: the client crate writes undecodable bodies at ERROR. Bodies are
/// replaced before it can see them; the filter is the second lock.
pub const SILENT_TARGETS: &[&str] = &["async_openai"];

/// Where the model is, and how patient we are.
#[derive(Debug)]
pub struct Settings {
    /// `https://api.openai.com/v1`, without a trailing slash.
    pub base_url: String,
    /// The key; may be empty for a server inside the house.
    pub api_key: SecretString,
    /// The model's name.
    pub model: String,
    /// How long to wait for a connection.
    pub connect_timeout: Duration,
    /// How long to wait for one answer, retries included.
    pub timeout: Duration,
    /// Retries.
    pub retry: Retry,
    /// Tokens of one request, instructions and tools included.
    pub context_tokens_max: usize,
    /// How tokens are counted.
    pub tokens: Tokens,
    /// Older servers know `max_tokens` only, not `max_completion_tokens`.
    pub legacy_max_tokens: bool,
    /// What it costs.
    pub price: Price,
    /// The version of Azure's deployments API, where `base_url` is a resource of Azure and `model` the
    /// name of a deployment there; none for the address of any other server.
    pub azure: Option<String>,
}

impl Settings {
    /// Settings with the defaults: 5 s to connect, 30 s in all, three attempts, 16,000 tokens.
    /// `seed` sets the jitter of the retries.
    pub fn new(base_url: &str, api_key: SecretString, model: &str, seed: u64) -> Self {
        Self {
            base_url: base_url.trim_end_matches('/').to_owned(),
            api_key,
            model: model.to_owned(),
            connect_timeout: Duration::from_secs(5),
            timeout: Duration::from_secs(30),
            retry: Retry::new(seed),
            context_tokens_max: 16_000,
            tokens: Tokens::O200k,
            legacy_max_tokens: false,
            price: Price::default(),
            azure: None,
        }
    }
}

/// Settings with which no request could be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadSettings {
    /// The key has characters that no HTTP header may carry.
    #[error(
        "llm.api_key holds a line break or another character that no header may carry: paste it anew"
    )]
    Key,
    /// The address is not one.
    #[error("llm.base_url is not an http or https address: write it as https://api.openai.com/v1")]
    Address,
    /// No HTTP client.
    #[error("no HTTP client could be made: check the system's TLS certificates")]
    Client,
}

/// The model.
pub struct OpenAi {
    client: Client<Box<dyn Config>>,
    settings: Settings,
    host: String,
}

impl fmt::Debug for OpenAi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let settings = &self.settings;
        f.debug_struct("OpenAi")
            .field("settings", settings)
            .finish_non_exhaustive()
    }
}

impl OpenAi {
    /// A model behind a server.
    pub fn new(settings: Settings) -> Result<Self, BadSettings> {
        let key = settings.api_key.expose_secret();
        // The client crate panics on such a key.
        if reqwest::header::HeaderValue::from_str(key).is_err() {
            return Err(BadSettings::Key);
        }
        let address =
            reqwest::Url::parse(&settings.base_url).map_err(|_detail| BadSettings::Address)?;
        if !matches!(address.scheme(), "http" | "https") {
            return Err(BadSettings::Address);
        }
        let http = reqwest::Client::builder()
            .connect_timeout(settings.connect_timeout)
            .timeout(settings.timeout)
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|_detail| BadSettings::Client)?;
        // Everything is set, so that no stray environment variable decides.
        let base = settings.base_url.as_str();
        let config: Box<dyn Config> = match &settings.azure {
            Some(version) => Box::new(
                AzureConfig::new()
                    .with_api_base(base)
                    .with_api_key(key)
                    .with_deployment_id(settings.model.as_str())
                    .with_api_version(version.as_str()),
            ),
            None => Box::new(
                OpenAIConfig::new()
                    .with_api_base(base)
                    .with_api_key(key)
                    .with_org_id("")
                    .with_project_id(""),
            ),
        };
        let transport = Transport::new(http.clone(), settings.retry);
        let client = Client::build(http, config).with_http_service(transport);
        Ok(Self {
            client,
            settings,
            host: address.host_str().unwrap_or_default().to_owned(),
        })
    }

    /// The request, cut to what the model takes.
    fn fitted(&self, request: &Request) -> Result<Value, ModelError> {
        let count = |text: &str| self.settings.tokens.count(text);
        let fixed = count(&request.system)
            + wire::tools_text(request).map_or(0, |text| count(&text))
            + usize::try_from(request.answer_tokens_max).unwrap_or(usize::MAX);
        let budget = self.settings.context_tokens_max.saturating_sub(fixed);
        let messages = tokens::fit(&request.messages, budget, count)?;
        Ok(wire::body(request, messages, &self.settings))
    }

    async fn ask(&self, request: &Request) -> Result<Answer, ModelError> {
        let body = self.fitted(request)?;
        let chat = self.client.chat();
        let call = chat.create_byot::<Value, Value>(body);
        let answer = tokio::time::timeout(self.settings.timeout, call)
            .await
            .map_err(|_elapsed| ModelError::Timeout)?
            .map_err(|error| cause(&error))?;
        wire::answer(&answer)
    }
}

/// What the transport meant. Other errors of the client crate may hold bodies; they are never printed.
fn cause(error: &OpenAIError) -> ModelError {
    match error {
        OpenAIError::Boxed(inner) => inner
            .downcast_ref::<ModelError>()
            .copied()
            .unwrap_or(ModelError::Unreachable),
        OpenAIError::JSONDeserialize(..) => ModelError::Malformed,
        OpenAIError::InvalidArgument(_) | OpenAIError::ApiError(_) => ModelError::Rejected,
        OpenAIError::Reqwest(_)
        | OpenAIError::FileSaveError(_)
        | OpenAIError::FileReadError(_)
        | OpenAIError::StreamError(_) => ModelError::Unreachable,
    }
}

impl Model for OpenAi {
    fn name(&self) -> &str {
        &self.settings.model
    }

    fn host(&self) -> Option<&str> {
        Some(&self.host)
    }

    fn complete<'a>(&'a self, request: &'a Request) -> BoxFuture<'a, Result<Answer, ModelError>> {
        Box::pin(self.ask(request))
    }

    fn body(&self, request: &Request) -> Result<Phi<String>, ModelError> {
        self.fitted(request).map(|body| Phi::new(body.to_string()))
    }

    fn count_tokens(&self, text: &str) -> usize {
        self.settings.tokens.count(text)
    }

    fn count_request(&self, request: &Request) -> usize {
        let count = |text: &str| self.settings.tokens.count(text);
        let tools = wire::tools_text(request).map_or(0, |text| count(&text));
        let said = request.messages.iter().map(|it| tokens::cost(it, count));
        count(&request.system) + tools + said.sum::<usize>()
    }

    fn price(&self) -> Price {
        self.settings.price
    }
}
