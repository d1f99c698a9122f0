//! Authentication by webhook: one request per request, nothing kept but the connection.

use ::auth::hook;
use http::header::{CONTENT_TYPE, SET_COOKIE};
use http::{HeaderMap, HeaderValue, Method};
use serde_json::Value;

use super::keys::{now, without_secrets};
use crate::http::spelling::Shown;
use crate::observe::log::Level;
use crate::observe::{Event, Observer};
use crate::outbound::{Client, Outgoing};
use crate::settings::Hook;

/// Every request of the engine declares this, also one without a body, as Hasura's do.
const JSON: HeaderValue = HeaderValue::from_static("application/json");
/// Bytes of its answer at most.
const LONGEST: usize = 1 << 20;
/// Cookies that are passed on at most.
const MOST_COOKIES: usize = 50;

/// What the hook said.
#[derive(Debug)]
pub struct Said {
    /// Who asks.
    pub answer: hook::Answer,
    /// Cookies for the client.
    pub cookies: Vec<HeaderValue>,
}

/// Asks the hook. `request` gives what was asked, if it was GraphQL.
pub async fn ask(
    settings: &Hook,
    client: &Client,
    observer: &Observer,
    shown: Shown<'_>,
    request: impl FnOnce() -> Option<Value>,
) -> Result<Said, ::auth::Error> {
    let outgoing = if settings.post {
        let asked = settings
            .send_request_body
            .then(|| request().unwrap_or(Value::Null));
        let names = shown.names();
        let body = hook::body(shown.headers, |name| names.get(name).copied(), asked);
        Outgoing {
            method: Method::POST,
            url: &settings.url,
            headers: HeaderMap::from_iter([(CONTENT_TYPE, JSON)]),
            body: Some(body.to_string().into_bytes()),
            timeout: settings.patience,
            longest: LONGEST,
        }
    } else {
        let mut headers = hook::forwarded(shown.headers);
        headers.insert(CONTENT_TYPE, JSON);
        Outgoing {
            method: Method::GET,
            url: &settings.url,
            headers,
            body: None,
            timeout: settings.patience,
            longest: LONGEST,
        }
    };
    let method = if settings.post { "POST" } else { "GET" };
    let event = |level, status, error| {
        observer.emit(Event::Webhook {
            level,
            url: &without_secrets(&settings.url),
            method,
            status,
            error,
        });
    };
    match client.send(outgoing).await {
        Err(error) => {
            event(Level::Error, None, Some(error.to_string()));
            Err(hook::unreachable())
        }
        Ok(answer) => {
            let said = hook::read(answer.status, &answer.body, now());
            let level = if said.is_ok() { Level::Info } else { Level::Error };
            event(
                level,
                Some(answer.status),
                said.as_ref().err().map(|error| error.message.clone()),
            );
            // The last one first, as Hasura passes them on.
            let cookies = answer.headers.get_all(SET_COOKIE).iter().rev();
            Ok(Said {
                answer: said?,
                cookies: cookies.take(MOST_COOKIES).cloned().collect(),
            })
        }
    }
}
