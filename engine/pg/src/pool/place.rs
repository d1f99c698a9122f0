//! Where a statement gets its connection, also while no other can be opened.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::OwnedSemaphorePermit;

use crate::error::{ConnectError, Error};
use crate::pool::{Exclusive, InUse, Pool, Purpose, Session, Shared, Waiting};

/// Who cannot open a connection waits so long at most for one that others have, within `pool_timeout`.
pub(super) const LONGEST_WAIT_FOR_OTHERS: Duration = Duration::from_secs(5);

/// Connections that are open are sure to serve: the server is there, and only lets no more in.
fn others_serve(error: &Error) -> bool {
    matches!(
        error,
        Error::MaxConnections | Error::Connect(ConnectError::Refused { .. })
    )
}

/// Where a read runs.
#[derive(Debug)]
pub(crate) enum Place {
    Exclusive(Box<Exclusive>),
    Shared(Shared),
}

impl Pool {
    /// A connection to oneself; waits for one to be free, `pool_timeout` at most. Where none can be opened, one that others
    /// have now will do when they are through, for which it waits once more.
    pub(crate) async fn exclusive(self: &Arc<Pool>, purpose: Purpose) -> Result<Exclusive, Error> {
        let permit = self.permit().await?;
        self.exclusive_with(permit, purpose).await
    }

    async fn exclusive_with(
        self: &Arc<Pool>,
        permit: OwnedSemaphorePermit,
        purpose: Purpose,
    ) -> Result<Exclusive, Error> {
        let session = match self.idle_or_new(purpose).await {
            Ok(session) => session,
            Err(error) if others_serve(&error) => self.returned(purpose).await.ok_or(error)?,
            Err(error) => return Err(error),
        };
        Ok(Exclusive::new(self.clone(), session, permit, purpose))
    }

    /// A connection to look at the database itself: it does not wait for those that others have. Where all are in use, it is
    /// one beside them, unless the server lets no more in.
    pub(crate) async fn looking(self: &Arc<Pool>) -> Result<Exclusive, Error> {
        if let Ok(permit) = self.permits.clone().try_acquire_owned() {
            return self.exclusive_with(permit, Purpose::Reading).await;
        }
        let beside = self.beside.clone().acquire_owned().await;
        let Ok(permit) = beside else {
            return Err(Error::PoolTimeout);
        };
        match self.open_for(Purpose::Reading).await {
            Ok(session) => {
                let session = (session, InUse::new(self));
                let mut exclusive = Exclusive::new(self.clone(), session, permit, Purpose::Reading);
                exclusive.close_after_use();
                Ok(exclusive)
            }
            Err(error) if others_serve(&error) => self.exclusive(Purpose::Reading).await,
            Err(error) => Err(error),
        }
    }

    /// A connection for a read: to oneself, or else a place on a reader, however much it has to do.
    pub(crate) async fn any(self: &Arc<Pool>) -> Result<Place, Error> {
        let permit = self.permit().await?;
        let session = match self.idle_or_new(Purpose::Reading).await {
            Ok(session) => session,
            Err(error) if others_serve(&error) => match self.shared_with_any() {
                Some(shared) => return Ok(Place::Shared(shared)),
                None => self.returned(Purpose::Reading).await.ok_or(error)?,
            },
            Err(error) => return Err(error),
        };
        let exclusive = Exclusive::new(self.clone(), session, permit, Purpose::Reading);
        Ok(Place::Exclusive(Box::new(exclusive)))
    }

    pub(super) async fn idle_or_new(self: &Arc<Pool>, purpose: Purpose) -> Result<(Session, InUse), Error> {
        match self.idle(purpose).await {
            Some(session) => Ok(session),
            None => Ok((self.open_for(purpose).await?, InUse::new(self))),
        }
    }

    async fn idle(self: &Arc<Pool>, purpose: Purpose) -> Option<(Session, InUse)> {
        while let Some((session, in_use)) = self.pop_idle(purpose) {
            if session.is_usable(self.settings.connection_lifetime)
                && self.set_up(&session, purpose).await.is_ok()
            {
                return Some((session, in_use));
            }
        }
        None
    }

    /// A connection that somebody has now, when it comes back; `None` if nobody has one, or for too long.
    /// While a password changes, or when the server gives no more connections, there are only those that are open.
    async fn returned(self: &Arc<Pool>, purpose: Purpose) -> Option<(Session, InUse)> {
        let longest = LONGEST_WAIT_FOR_OTHERS;
        let longest = self
            .settings
            .pool_timeout
            .map_or(longest, |timeout| timeout.min(longest));
        // Each has a permit, so they are no more than the pool has connections.
        let _waiting = Waiting::begin(&self.counters);
        let wait = async {
            loop {
                let mut returned = pin!(self.returned.notified());
                // From here on nothing that comes back is missed.
                returned.as_mut().enable();
                let session = self.idle(purpose).await;
                if session.is_some() || self.none_will_return() {
                    return session;
                }
                returned.await;
            }
        };
        tokio::time::timeout(longest, wait).await.ok().flatten()
    }
}
