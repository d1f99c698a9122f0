//! What holds for websockets.

use std::time::Duration;

use super::{Error, Given, to_usize};
use crate::settings::{Websockets, value};

impl Given<'_> {
    pub(super) fn websockets(&self) -> Result<Websockets, Error> {
        let read_cookie = self.flag("HASURA_GRAPHQL_WS_READ_COOKIE", false)?;
        if read_cookie && !self.flag("HASURA_GRAPHQL_DISABLE_CORS", false)? {
            return Err(Error::Rule(
                "--ws-read-cookie (HASURA_GRAPHQL_WS_READ_COOKIE) can only be used when CORS is disabled \
                 (--disable-cors, HASURA_GRAPHQL_DISABLE_CORS)",
            ));
        }
        let stay = self.parsed("disable-close-websockets-on-metadata-change", value::boolean)?;
        let close = self.flag("HASURA_GRAPHQL_CLOSE_WEBSOCKETS_ON_METADATA_CHANGE", true)?;
        let count = |key, default, most| self.count(key, default, 1, most).map(to_usize);
        let keepalive = self.time("HASURA_GRAPHQL_WEBSOCKET_KEEPALIVE", 5)?;
        Ok(Websockets {
            keepalive: (keepalive > Duration::ZERO).then_some(keepalive),
            init_timeout: self.time("HASURA_GRAPHQL_WEBSOCKET_CONNECTION_INIT_TIMEOUT", 3)?,
            close_on_metadata_change: stay.map_or(close, |stay| !stay),
            read_cookie,
            max_connections: count("ROWLOCK_MAX_WEBSOCKETS", 10_000, 1_000_000)?,
            max_operations: count("ROWLOCK_MAX_WEBSOCKET_OPERATIONS", 100, 10_000)?,
            max_message: count("ROWLOCK_MAX_WEBSOCKET_MESSAGE_LENGTH", 16 << 20, 1 << 30)?,
            max_queued: count("ROWLOCK_MAX_WEBSOCKET_QUEUE", 16 << 20, 1 << 40)?,
        })
    }
}
