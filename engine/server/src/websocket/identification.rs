//! Finding out who is on the other end of a websocket, beside everything else that happens on it: a webhook or an issuer
//! that is slow delays only what depends on its answer.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderMap;

use crate::auth::Authenticated;
use crate::gate;
use crate::http::error::ApiError;
use crate::http::spelling::{Shown, Spelling};
use crate::state::State;

/// Headers that say who somebody is, and how they are spelled.
#[derive(Debug, Default)]
pub struct Presented {
    /// The headers.
    pub headers: HeaderMap,
    /// Their spelling.
    pub spelling: Spelling,
}

/// What an authenticator says.
type Verdict = Result<Authenticated, ApiError>;

/// See the module.
pub struct Identification {
    /// The headers that say who it is.
    pub shown: Arc<Presented>,
    /// Headers of `connection_init`, if this answers one; otherwise the authenticator is asked again.
    pub initial: Option<HeaderMap>,
    verdict: Pin<Box<dyn Future<Output = Verdict> + Send>>,
}

impl Identification {
    /// Asks whoever authenticates in a while. `client` is an address.
    pub fn begin(
        state: &Arc<State>,
        shown: Arc<Presented>,
        client: Arc<str>,
        initial: Option<HeaderMap>,
        wait: Duration,
    ) -> Self {
        let (state, presented) = (Arc::clone(state), Arc::clone(&shown));
        let is_initial = initial.is_some();
        let verdict = async move {
            if !wait.is_zero() {
                tokio::time::sleep(wait).await;
            }
            let shown = Shown {
                headers: &presented.headers,
                spelling: Some(&presented.spelling),
            };
            if is_initial {
                gate::authenticate(&state, shown, &client, || None).await
            } else {
                // Who was let in and is judged anew guesses nothing.
                state.authenticator().authenticate(shown, || None).await
            }
        };
        Self {
            shown,
            initial,
            verdict: Box::pin(verdict),
        }
    }

    /// Waits for the verdict of the one under way, which then is no longer; for ever if there is none.
    pub async fn verdict(slot: &mut Option<Self>) -> (Self, Verdict) {
        let Some(present) = slot else {
            return std::future::pending().await;
        };
        let verdict = present.verdict.as_mut().await;
        match slot.take() {
            Some(done) => (done, verdict),
            None => std::future::pending().await,
        }
    }
}
