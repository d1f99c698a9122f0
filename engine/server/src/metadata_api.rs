//! `/v1/metadata`, `/v1/query`, `/v2/query`: the commands are not part of the engine yet and are refused.

use plan::Session;
use serde_json::Value;

use crate::auth::is_admin;
use crate::http::error::{ApiError, Code};
use crate::http::{Endpoint, admin_only};
use crate::state::State;

/// Answers one request.
pub async fn serve(
    _state: &State,
    session: &Session,
    _endpoint: Endpoint,
    _body: &Value,
) -> Result<Vec<u8>, ApiError> {
    if !is_admin(session) {
        return Err(admin_only().path("$.args"));
    }
    Err(ApiError::new(
        Code::NotSupported,
        "the metadata API is not supported yet",
    ))
}
