//! Finding out who is on the other end of a websocket, beside everything else that happens on it: a webhook or an issuer
//! that is slow delays only what depends on its answer.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderMap;

use crate::auth::Authenticated;
use crate::http::error::ApiError;
use crate::state::State;

/// What an authenticator says.
type Verdict = Result<Authenticated, ApiError>;

/// See the module.
pub struct Identification {
    /// The headers that say who it is.
    pub shown: Arc<HeaderMap>,
    /// Headers of `connection_init`, if this answers one; otherwise the authenticator is asked again.
    pub initial: Option<HeaderMap>,
    verdict: Pin<Box<dyn Future<Output = Verdict> + Send>>,
}

impl Identification {
    /// Asks whoever authenticates in a while.
    pub fn begin(
        state: &Arc<State>,
        shown: Arc<HeaderMap>,
        initial: Option<HeaderMap>,
        wait: Duration,
    ) -> Self {
        let (state, headers) = (Arc::clone(state), Arc::clone(&shown));
        let verdict = async move {
            if !wait.is_zero() {
                tokio::time::sleep(wait).await;
            }
            state.authenticator().authenticate(&headers, || None).await
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
