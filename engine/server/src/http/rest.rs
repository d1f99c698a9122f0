//! `/api/rest/…`: finds the REST endpoint of a path. Endpoints are not run yet: one that is found is refused as not
//! supported.

use http::{Method, StatusCode};
use metadata::rest::RestMethod;
use plan::Session;
use schema::rest_endpoint::Match;

use super::error::{ApiError, Code};
use super::{Answer, Call, visibility};
use crate::state::State;

/// What the paths of all endpoints begin with.
pub const PREFIX: &str = "/api/rest/";

/// Answers one call.
pub fn answer(state: &State, session: Session, call: &Call<'_>) -> Answer {
    let generation = state.current();
    let path = call.path.strip_prefix(PREFIX).unwrap_or_default();
    let error = match generation.rest_endpoints.find(method(call.method), path) {
        Match::Found(name) => ApiError::new(
            Code::NotSupported,
            format!(
                "the REST endpoint \"{name}\" is defined, but serving REST endpoints is not supported yet"
            ),
        ),
        Match::Ambiguous => ApiError::new(Code::Unexpected, "Multiple endpoints found")
            .status(StatusCode::INTERNAL_SERVER_ERROR),
        Match::WrongMethod(allowed) => {
            let allowed: Vec<&str> = allowed.into_iter().map(RestMethod::as_str).collect();
            ApiError::new(
                Code::MethodNotAllowed,
                format!("Allowed methods: {}", allowed.join(", ")),
            )
        }
        Match::NotFound => ApiError::new(Code::NotFound, "Endpoint not found").status(StatusCode::NOT_FOUND),
    };
    Answer::plain_error(&error, visibility(state, Some(&session))).by(Some(session))
}

fn method(method: &Method) -> Option<RestMethod> {
    Some(match *method {
        Method::GET => RestMethod::Get,
        Method::POST => RestMethod::Post,
        Method::PUT => RestMethod::Put,
        Method::DELETE => RestMethod::Delete,
        Method::PATCH => RestMethod::Patch,
        _ => return None,
    })
}
