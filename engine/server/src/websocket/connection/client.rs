//! Who is on the other end: coming in, showing something newer, and being judged again.

use std::sync::Arc;
use std::time::Duration;

use http::HeaderMap;
use tokio::time::Instant;

use super::{Connection, LONGEST_SESSION, Next};
use crate::auth::keys::now;
use crate::auth::{Authenticated, Ground};
use crate::http::error::ApiError;
use crate::http::spelling::Spelling;
use crate::observe::websocket::What;
use crate::websocket::identification::{Identification, Presented};
use crate::websocket::operation::Client;
use crate::websocket::protocol::Protocol;

/// Websockets that ask a webhook again do so spread over this time, so that it is not asked by all of them at once.
const SPREAD: u128 = 2000;

/// How long a websocket waits before it asks a webhook once more that failed.
const AGAIN: Duration = Duration::from_secs(5);

impl Connection<'_> {
    /// `connection_init`. The first one is read together with the handshake; a later one stands for itself, so that a
    /// client can show a newer token.
    pub(super) fn initialise(&mut self, headers: HeaderMap, spelling: Spelling) {
        let shown = match self.client {
            Some(_) => Presented {
                headers: headers.clone(),
                spelling,
            },
            None => Presented {
                headers: merged(&headers, &self.handshake.headers),
                spelling: self.handshake.spelling.and(&spelling),
            },
        };
        self.ask(Arc::new(shown), Some(headers), Duration::ZERO);
    }

    /// Asks who shows these headers, instead of whatever was asked before.
    fn ask(&mut self, shown: Arc<Presented>, initial: Option<HeaderMap>, wait: Duration) {
        self.asking = Some(Identification::begin(
            self.state,
            shown,
            Arc::clone(&self.sure),
            initial,
            wait,
        ));
    }

    /// Whether a `connection_init` has no answer yet.
    pub(super) fn is_coming_in(&self) -> bool {
        self.asking.as_ref().is_some_and(|asked| asked.initial.is_some())
    }

    /// Whether the client has not said who it is.
    pub(super) fn is_silent(&self) -> bool {
        self.client.is_none() && self.asking.is_none()
    }

    /// Somebody said who it is.
    pub(super) fn identified(
        &mut self,
        asked: Identification,
        verdict: Result<Authenticated, ApiError>,
    ) -> Next {
        let Identification { shown, initial, .. } = asked;
        match verdict {
            Ok(authenticated) => {
                let is_initial = initial.is_some();
                self.expiry = authenticated.expires.and_then(|end| {
                    let left = Duration::try_from_secs_f64((end - now()).max(0.0)).ok()?;
                    (left < LONGEST_SESSION).then(|| Instant::now() + left)
                });
                let headers = match (initial, &self.client) {
                    (Some(headers), _) => headers,
                    (None, Some(client)) => client.headers.clone(),
                    (None, None) => HeaderMap::new(),
                };
                self.client = Some(Arc::new(Client {
                    session: authenticated.session,
                    headers,
                    expires: authenticated.expires,
                    ground: authenticated.ground,
                }));
                self.shown = shown;
                if is_initial {
                    self.set_keepalive();
                    self.push(Protocol::acknowledgement(), None);
                    self.push(self.protocol.keepalive(), None);
                }
                Ok(())
            }
            // A webhook that fails has not said no: what it or the one before it said last stays, for as long as that
            // said, and it is asked once more.
            Err(error)
                if initial.is_none() && error.status.is_server_error() && self.is_let_in_by_a_hook() =>
            {
                let wait = AGAIN + self.spread();
                self.ask(shown, None, wait);
                Ok(())
            }
            Err(error) => {
                self.log(What::Refused(&error.message));
                let (message, close) = self.protocol.denied(&error.message);
                if let Some(message) = message {
                    self.push(message, None);
                }
                Err(close)
            }
        }
    }

    fn is_let_in_by_a_hook(&self) -> bool {
        let client = self.client.as_ref();
        client.is_some_and(|client| matches!(client.ground, Ground::Hook(_)))
    }

    /// Other secrets or keys hold. Whoever would not be let in any more, or not as the same, is not kept either.
    pub(super) fn reconsider(&mut self) {
        if let Some(asked) = self.asking.take_if(|asked| asked.initial.is_some()) {
            // The one that was asked may be no longer the one that decides.
            self.ask(asked.shown, asked.initial, Duration::ZERO);
            return;
        }
        let Some(client) = &self.client else {
            return;
        };
        let authenticator = self.state.authenticator();
        if authenticator.stands_by(&client.ground) {
            self.asking = None;
            return;
        }
        let asks_somebody = authenticator.has_hook() && !matches!(client.ground, Ground::Headers);
        let wait = if asks_somebody {
            self.spread()
        } else {
            Duration::ZERO
        };
        self.ask(Arc::clone(&self.shown), None, wait);
    }

    /// A part of [`SPREAD`], another for each websocket: their ids are random.
    fn spread(&self) -> Duration {
        Duration::from_millis(u64::try_from(self.id.as_u128() % SPREAD).unwrap_or_default())
    }
}

/// Headers of `connection_init` over those of the handshake.
fn merged(own: &HeaderMap, handshake: &HeaderMap) -> HeaderMap {
    let mut merged = handshake.clone();
    for (name, value) in own {
        merged.insert(name.clone(), value.clone());
    }
    merged
}
