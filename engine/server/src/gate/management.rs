//! How often a client may come to the metadata API, and show an admin secret that is wrong: one rate by address for both,
//! counted in this process. Who has used it up is not told whether a secret is right, over whatever it is shown.

use rate::Key;
use serde_json::Value;

use super::exceeded;
use crate::auth::{ACCESS_KEY, ADMIN_SECRET, Authenticated};
use crate::http::error::{ApiError, Code};
use crate::http::spelling::Shown;
use crate::state::State;

/// Who sends these headers to an endpoint for clients. `asked` gives the GraphQL request, if it is one.
///
/// # Errors
/// They are refused, or there were too many wrong secrets from this address.
pub async fn authenticate(
    state: &State,
    shown: Shown<'_>,
    client: &str,
    asked: impl FnOnce() -> Option<Value>,
) -> Result<Authenticated, ApiError> {
    let guessing = [ADMIN_SECRET, ACCESS_KEY]
        .iter()
        .any(|name| shown.headers.contains_key(*name));
    let most = state.settings.metadata_rate_limit.filter(|_| guessing);
    let key = most.map(|_| key(client));
    if let (Some(most), Some(key)) = (most, &key)
        && !state.rates.would_admit(most, key)
    {
        return Err(exceeded(most));
    }
    let outcome = state.authenticator().authenticate(shown, asked).await;
    if let (Err(error), Some(most), Some(key)) = (&outcome, most, &key)
        && error.code == Code::AccessDenied
    {
        state.rates.count_here(most, key);
    }
    outcome
}

/// The same at an endpoint of the metadata API, where every request counts.
///
/// # Errors
/// They are refused, or there were too many requests from this address.
pub async fn administrator(state: &State, shown: Shown<'_>, client: &str) -> Result<Authenticated, ApiError> {
    if let Some(most) = state.settings.metadata_rate_limit
        && !state.rates.count_here(most, &key(client))
    {
        return Err(exceeded(most));
    }
    state.authenticator().authenticate(shown, || None).await
}

fn key(client: &str) -> Key {
    Key::new(["the metadata API", client])
}
