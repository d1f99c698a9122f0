//! `validate_input`: webhooks that judge what a mutation was given, before anything is written.
//!
//! ```text
//! POST {"version": 1, "session_variables": {…}, "role": "…", "data": {"input": […]}}
//! 2xx: go on    400 {"message": "…"}: refused with that message    anything else: an error of the server's
//! ```

use std::time::Duration;

use ::auth::hook::forwarded;
use http::header::{CONTENT_TYPE, HOST, ORIGIN, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use metadata::env::{self, Lookup};
use metadata::permission::ValidationWebhook;
use plan::Plan;
use plan::validation::Validation;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::Context;
use crate::auth::keys::without_secrets;
use crate::http::error::{ApiError, Code};
use crate::observe::Event;
use crate::outbound::Outgoing;

/// Bytes of an answer at most.
const LONGEST: usize = 1 << 20;
/// How Hasura v2 numbers the form of the payload.
const VERSION: u32 = 1;
/// Headers of a client with these beginnings say who asks; webhooks are told in the payload.
const SESSION: &str = "x-hasura-";
/// Headers about the client's own connection that are told under another name.
const TOLD: [(HeaderName, &str); 3] = [
    (HOST, "x-forwarded-host"),
    (USER_AGENT, "x-forwarded-user-agent"),
    (ORIGIN, "x-forwarded-origin"),
];

/// The body of a refusal.
#[derive(Deserialize)]
struct Refusal {
    message: String,
}

/// Asks all webhooks of a plan, one after the other; the first refusal is the answer.
pub(super) async fn run(
    context: &Context<'_>,
    plan: &Plan,
    variables: &Map<String, Value>,
) -> Result<(), ApiError> {
    for validation in &plan.validations {
        ask(context, validation, variables).await?;
    }
    Ok(())
}

async fn ask(
    context: &Context<'_>,
    validation: &Validation,
    variables: &Map<String, Value>,
) -> Result<(), ApiError> {
    let webhook = &validation.webhook.definition;
    let environment = context.state.environment();
    let lookup = |name: &str| environment.get(name).map(str::to_owned);
    let url = env::template(&webhook.url, &lookup)
        .map_err(|error| ApiError::new(Code::NotFound, error.to_string()))?;
    let session: Map<String, Value> = context
        .session
        .variables
        .iter()
        .map(|(name, value)| (name.to_string(), Value::from(&**value)))
        .collect();
    let payload = json!({
        "version": VERSION,
        "session_variables": session,
        "role": &*context.session.role,
        "data": {"input": validation.input(variables)?},
    });
    let outgoing = Outgoing {
        method: Method::POST,
        url: &url,
        headers: headers(webhook, context.headers, &lookup)?,
        body: Some(payload.to_string().into_bytes()),
        timeout: Duration::from_secs(webhook.timeout),
        longest: LONGEST,
    };
    let answer = context.state.client().send(outgoing).await;
    let (status, judged) = match answer {
        Ok(answer) => (Some(answer.status), judged(answer.status, &answer.body)),
        Err(error) => {
            let detail = json!({"type": "http_exception", "message": error.to_string()});
            let error = failed("http exception when validating input data", detail);
            (None, Err(error))
        }
    };
    context.state.observer.emit(Event::Validation {
        request_id: context.request_id,
        url: &without_secrets(&url),
        status,
        error: judged.as_ref().err().map(|error| error.message.as_str()),
    });
    judged
}

fn judged(status: u16, body: &[u8]) -> Result<(), ApiError> {
    match status {
        200..=299 => Ok(()),
        400 => match serde_json::from_slice::<Refusal>(body) {
            Ok(refusal) => Err(ApiError::new(Code::ValidationFailed, refusal.message)),
            Err(error) => Err(failed(
                "received invalid response from input validation webhook",
                Value::String(format!("invalid response: {error}")),
            )),
        },
        other => Err(failed(
            "internal error when validating input data",
            Value::String(format!("expecting 200 or 400 status code, but found {other}")),
        )),
    }
}

fn failed(message: &str, detail: Value) -> ApiError {
    ApiError::new(Code::Unexpected, message)
        .internal(detail)
        .status(StatusCode::INTERNAL_SERVER_ERROR)
}

/// Those of the permission, which win, and those of the client where they are forwarded.
fn headers(
    webhook: &ValidationWebhook,
    client: Option<&HeaderMap>,
    lookup: Lookup<'_>,
) -> Result<HeaderMap, ApiError> {
    let mut headers = HeaderMap::new();
    if let Some(client) = client.filter(|_| webhook.forward_client_headers) {
        for (name, told) in &TOLD {
            if let Some(value) = client.get(name) {
                headers.insert(HeaderName::from_static(told), value.clone());
            }
        }
        let mut known = forwarded(client);
        let session: Vec<HeaderName> = known
            .keys()
            .filter(|name| name.as_str().starts_with(SESSION))
            .cloned()
            .collect();
        for name in &session {
            known.remove(name);
        }
        headers.extend(known);
    }
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    for header in &webhook.headers {
        let value = header
            .resolve(lookup)
            .map_err(|error| ApiError::new(Code::NotFound, error.to_string()))?;
        let name = HeaderName::from_bytes(header.name.as_bytes());
        let (Ok(name), Ok(value)) = (name, HeaderValue::from_str(&value)) else {
            return Err(failed(
                "http exception when validating input data",
                Value::String(format!("\"{}\" is no header", header.name)),
            ));
        };
        headers.insert(name, value);
    }
    Ok(headers)
}

#[cfg(test)]
mod tests {
    use metadata::value_source::{Header, HeaderValue as Source};

    use super::*;

    #[test]
    fn answers_are_judged_by_their_status() {
        assert!(judged(200, b"").is_ok());
        assert!(judged(204, b"x").is_ok());
        let told = |status, body: &[u8]| {
            let error = judged(status, body).unwrap_err();
            (error.code.as_str(), error.message, error.status.as_u16())
        };
        assert_eq!(
            told(400, br#"{"message": "no"}"#),
            ("validation-failed", "no".to_owned(), 400)
        );
        for (status, body, message) in [
            (
                400,
                &b"{}"[..],
                "received invalid response from input validation webhook",
            ),
            (
                400,
                b"",
                "received invalid response from input validation webhook",
            ),
            (
                401,
                br#"{"message": "no"}"#,
                "internal error when validating input data",
            ),
            (500, b"", "internal error when validating input data"),
            (302, b"", "internal error when validating input data"),
        ] {
            assert_eq!(told(status, body), ("unexpected", message.to_owned(), 500));
        }
    }

    #[test]
    fn headers_of_the_permission_win_over_those_of_the_client() {
        let webhook = |forward_client_headers| ValidationWebhook {
            url: String::new(),
            headers: vec![
                Header {
                    name: "x-key".to_owned(),
                    value: Source::FromEnv("KEY".to_owned()),
                },
                Header {
                    name: "x-both".to_owned(),
                    value: Source::Value("permission".to_owned()),
                },
            ],
            forward_client_headers,
            timeout: 10,
            extra: Default::default(),
        };
        let client: HeaderMap = [
            ("x-both", "client"),
            ("x-own", "1"),
            ("x-hasura-admin-secret", "secret"),
            ("x-hasura-user-id", "1"),
            ("host", "h"),
            ("content-type", "text/plain"),
        ]
        .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
        .into_iter()
        .collect();
        let lookup = |name: &str| (name == "KEY").then(|| "k".to_owned());
        let of = |forward| {
            let headers = headers(&webhook(forward), Some(&client), &lookup).unwrap();
            let mut lines: Vec<String> = headers
                .iter()
                .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
                .collect();
            lines.sort();
            lines
        };
        assert_eq!(
            of(false),
            ["content-type: application/json", "x-both: permission", "x-key: k"]
        );
        assert_eq!(
            of(true),
            [
                "content-type: application/json",
                "x-both: permission",
                "x-forwarded-host: h",
                "x-key: k",
                "x-own: 1"
            ]
        );
        let missing = headers(&webhook(false), None, &|_| None).unwrap_err();
        assert_eq!(
            (missing.code.as_str(), missing.message.as_str()),
            ("not-found", "environment variable 'KEY' not set")
        );
    }
}
