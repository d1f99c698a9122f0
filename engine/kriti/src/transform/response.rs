//! Response transforms.

use serde_json::{Value, json};

use super::{Body, BodyTransform, TransformErrors, body::CompiledBody};
use crate::{Context, SessionVariables};

/// `response_transform`
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResponseTransform {
    /// `body`; `None` leaves it as it is.
    pub body: Option<BodyTransform>,
}

/// A webhook's answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Response {
    /// HTTP status.
    pub status: u16,
    /// The body; null if it is not JSON.
    pub body: Value,
    /// What [`super::Request::to_json`] gave for the request, as it was before its transform; null if it had none.
    pub request: Value,
}

/// A [`ResponseTransform`] with its templates parsed.
#[derive(Clone, Debug)]
pub struct CompiledResponseTransform {
    body: Option<CompiledBody>,
}

impl ResponseTransform {
    /// Parses the templates.
    ///
    /// # Errors
    /// Every template which does not parse.
    pub fn compile(&self) -> Result<CompiledResponseTransform, TransformErrors> {
        Ok(CompiledResponseTransform {
            body: self.body.as_ref().map(BodyTransform::compile).transpose()?,
        })
    }
}

impl CompiledResponseTransform {
    /// The transformed body. Templates see `$body`, `$request`, `$response.status` and `$session_variables`. A removed
    /// body is null, a form is a string.
    ///
    /// # Errors
    /// The failures of the templates.
    pub fn apply(
        &self,
        response: Response,
        session_variables: Option<&SessionVariables>,
    ) -> Result<Value, TransformErrors> {
        let Some(transform) = &self.body else {
            return Ok(response.body);
        };
        let session = session_variables.map(SessionVariables::to_json);
        let context = Context::new()
            .with("$body", response.body)
            .with("$request", response.request)
            .with("$response", json!({"status": response.status}))
            .with("$session_variables", session.unwrap_or_default())
            .with_session(session_variables.cloned());
        Ok(match transform.apply(&context)? {
            Body::Empty => Value::Null,
            Body::Json(body) => body,
            Body::Form(form) => Value::String(form),
        })
    }
}
