//! Requests to an engine over HTTP, straight to the address of a pod or a Service.
//!
//! The machine must have a route to both: a cluster of `e2e/cluster` gives it one.

use std::time::Duration;

use serde_json::{Value, json};

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum AnswerError {
    /// The request did not get through.
    #[error("{url}: {source}")]
    Http {
        /// Where it went.
        url: String,
        /// What happened.
        source: reqwest::Error,
    },
    /// The client could not be made.
    #[error("no HTTP client: {0}")]
    Client(#[source] reqwest::Error),
}

/// An answer to one request.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The generation that answered: header `x-rowlock-generation`; empty where there is none.
    pub generation: String,
    /// The body; a text where it is no JSON.
    pub body: Value,
}

/// Someone who asks.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    headers: Vec<(String, String)>,
}

impl Client {
    /// Without credentials.
    ///
    /// # Errors
    /// When the HTTP client cannot be made.
    pub fn anonymous() -> Result<Self, AnswerError> {
        // A second provider of the same kind is no reason to fail.
        let _ = rustls::crypto::ring::default_provider().install_default();
        Ok(Self {
            http: connections().map_err(AnswerError::Client)?,
            headers: Vec::new(),
        })
    }

    /// The same person with connections of their own, which live in the runtime that first uses them.
    ///
    /// # Errors
    /// When the HTTP client cannot be made.
    pub fn apart(&self) -> Result<Self, AnswerError> {
        Ok(Self {
            http: connections().map_err(AnswerError::Client)?,
            headers: self.headers.clone(),
        })
    }

    /// With one more header.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// With the admin secret, as a role.
    #[must_use]
    pub fn as_role(self, secret: &str, role: &str) -> Self {
        self.with("x-hasura-admin-secret", secret)
            .with("x-hasura-role", role)
    }

    /// Sends a GraphQL operation to `<address>/v1/graphql`.
    ///
    /// # Errors
    /// When no HTTP answer comes back; an answer with errors in it is an answer.
    pub async fn graphql(&self, address: &str, operation: &str) -> Result<Answer, AnswerError> {
        self.post(&format!("{address}/v1/graphql"), &json!({"query": operation}))
            .await
    }

    /// Sends a JSON body.
    ///
    /// # Errors
    /// When no HTTP answer comes back.
    pub async fn post(&self, url: &str, body: &Value) -> Result<Answer, AnswerError> {
        self.send(self.http.post(url).json(body), url).await
    }

    /// Puts a JSON body.
    ///
    /// # Errors
    /// When no HTTP answer comes back.
    pub async fn put(&self, url: &str, body: &Value) -> Result<Answer, AnswerError> {
        self.send(self.http.put(url).json(body), url).await
    }

    /// Asks for a page.
    ///
    /// # Errors
    /// When no HTTP answer comes back.
    pub async fn get(&self, url: &str) -> Result<Answer, AnswerError> {
        self.send(self.http.get(url), url).await
    }

    async fn send(&self, mut request: reqwest::RequestBuilder, url: &str) -> Result<Answer, AnswerError> {
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let failed = |source| AnswerError::Http {
            url: url.to_owned(),
            source,
        };
        let answer = request.send().await.map_err(failed)?;
        let status = answer.status().as_u16();
        let generation = answer.headers().get("x-rowlock-generation");
        let generation = generation
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
            .to_owned();
        let text = answer.text().await.map_err(failed)?;
        let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
        Ok(Answer {
            status,
            generation,
            body,
        })
    }
}

fn connections() -> reqwest::Result<reqwest::Client> {
    reqwest::Client::builder()
        .timeout(Duration::from_secs(10))
        .connect_timeout(Duration::from_secs(2))
        .no_proxy()
        .build()
}
