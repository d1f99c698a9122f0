//! `test_webhook_transform`, the metadata command which shows what a request transform makes of a sample.
//!
//! It sends nothing, and knows no environment but the one in its arguments.

mod environment;

use serde_json::{Value, json};

use crate::{
    context::SessionVariables,
    transform::{
        Body, DecodeError, Field, Request, RequestTransform, ResponseTransform, TransformErrors, text_entries,
    },
    uri::{Uri, UriError},
};
use environment::{Environment, WebhookUrl};

/// Why the command fails. Each has HTTP status 400.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum TestError {
    /// The arguments are not what they should be.
    #[error("{0}")]
    Decode(DecodeError),
    /// The webhook's URL, or a header, is an empty text.
    #[error("Invalid Url Template")]
    InvalidUrlTemplate,
    /// The variable of `from_env` is not in `env`.
    #[error("Missing Env Var")]
    MissingWebhookVariable,
    /// A variable of a `{{NAME}}` is not in `env`.
    #[error(
        "Missing Env Var: {name}. For security reasons when testing request options real environment variable values \
         are not available. Please enter a mock value for {name} in the Sample Env Variables list."
    )]
    MissingVariable {
        /// Its name.
        name: String,
    },
    /// The request transform has templates which do not parse or cannot be rendered.
    #[error("request transform validation failed")]
    Request(TransformErrors),
    /// The response transform has templates which do not parse.
    #[error("response transform validation failed")]
    Response(TransformErrors),
    /// The webhook's URL is no URL.
    #[error("request transform validation failed")]
    Initialization {
        /// The URL after its variables are put in.
        url: String,
        /// Why.
        reason: UriError,
    },
}

impl TestError {
    /// Hasura's `code`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Decode(_) | Self::InvalidUrlTemplate => "parse-failed",
            Self::MissingWebhookVariable | Self::MissingVariable { .. } => "not-found",
            Self::Request(_) | Self::Response(_) | Self::Initialization { .. } => "validation-failed",
        }
    }

    /// Hasura's `path`, from the command: `$.args` and below.
    pub fn path(&self) -> String {
        match self {
            Self::Decode(error) => format!("$.args{}", error.path.strip_prefix('$').unwrap_or_default()),
            _ => "$.args".to_owned(),
        }
    }

    /// Hasura's `internal`, for those errors which have one: a list of `{"error_code", "message", …}`.
    pub fn internal(&self) -> Option<Value> {
        match self {
            Self::Request(errors) | Self::Response(errors) => Some(errors.to_json()),
            Self::Initialization { url, reason } => Some(json!([{
                "error_code": "Request Initialization Error",
                "message": format!("InvalidUrlException {} \"{reason}\"", Value::from(url.as_str())),
            }])),
            _ => None,
        }
    }
}

impl From<DecodeError> for TestError {
    fn from(error: DecodeError) -> Self {
        Self::Decode(error)
    }
}

/// The command's arguments.
struct Arguments {
    environment: Environment,
    headers: Vec<(String, String)>,
    webhook_url: WebhookUrl,
    body: Value,
    request_transform: RequestTransform,
    response_transform: Option<ResponseTransform>,
    session_variables: Option<SessionVariables>,
}

impl Arguments {
    fn decode(args: &Value) -> Result<Self, DecodeError> {
        let field = Field::root(args);
        field.object("TestWebhookTransform")?;
        let environment = match field.optional("env") {
            Some(variables) => Environment(text_entries(variables, "String")?),
            None => Environment::default(),
        };
        let headers = match field.optional("request_headers") {
            Some(headers) => request_headers(headers)?,
            None => vec![],
        };
        let session_variables = match field.optional("session_variables") {
            Some(variables) => Some(text_entries(variables, "Text")?.into_iter().collect()),
            None => None,
        };
        Ok(Self {
            environment,
            headers,
            webhook_url: WebhookUrl::decode(field.required("webhook_url")?)?,
            body: field.required("body")?.value.clone(),
            request_transform: RequestTransform::decode(field.required("request_transform")?)?,
            response_transform: field
                .optional("response_transform")
                .map(ResponseTransform::decode)
                .transpose()?,
            session_variables,
        })
    }
}

/// `[["name", "value"]]`
fn request_headers(field: Field<'_>) -> Result<Vec<(String, String)>, DecodeError> {
    let pair = |header: &Value| match header.as_array().map(Vec::as_slice) {
        Some([Value::String(name), Value::String(value)]) => Ok((name.clone(), value.clone())),
        _ => Err(field.error("expected a list of pairs of strings, name and value")),
    };
    field.array("[]")?.iter().map(pair).collect()
}

/// Answers `test_webhook_transform`.
///
/// `args`: `{"webhook_url", "body", "request_transform", "response_transform"?, "session_variables"?, "env"?,
/// "request_headers"?}`. The answer: `{"webhook_url", "method", "headers": [[name, value]], "body"}`. The request
/// begins as a `GET` of the webhook's URL with the body as JSON; the response transform is only checked.
///
/// # Errors
/// [`TestError`]
pub fn test_webhook_transform(args: &Value) -> Result<Value, TestError> {
    let arguments = Arguments::decode(args)?;
    let transform = arguments
        .request_transform
        .compile()
        .map_err(TestError::Request)?;
    if let Some(response_transform) = &arguments.response_transform {
        response_transform.compile().map_err(TestError::Response)?;
    }
    let url = arguments.webhook_url.resolve(&arguments.environment)?;
    let mut headers = vec![];
    for (name, value) in arguments.headers {
        headers.push((name, arguments.environment.interpolate(&value)?));
    }
    let uri = match Uri::parse_configured(&url) {
        Ok(uri) => uri,
        Err(reason) => return Err(TestError::Initialization { url, reason }),
    };
    let request = Request {
        url: uri,
        method: "GET".to_owned(),
        headers,
        body: Body::Json(arguments.body),
    };
    let result = transform
        .apply(request, &url, arguments.session_variables.as_ref())
        .map_err(TestError::Request)?;
    let headers = result
        .headers
        .iter()
        .map(|(name, value)| json!([name.to_lowercase(), value]));
    Ok(json!({
        "webhook_url": result.url.to_string(),
        "method": result.method,
        "headers": headers.collect::<Vec<_>>(),
        "body": match result.body {
            Body::Empty => Value::from(""),
            Body::Json(body) => body,
            // A form without fields is no body at all.
            Body::Form(form) if form.is_empty() => Value::Null,
            Body::Form(form) => Value::String(form),
        },
    }))
}
