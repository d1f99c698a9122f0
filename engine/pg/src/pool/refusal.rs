//! Rest after a refused login: a password that is wrong is wrong for all who come, so nobody asks again for a while.
//!
//! This is about logins that the server answers and refuses for what they are. Where nobody answers, where a server is full
//! or a pooler has none to give, each attempt is made.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::error::{ConnectError, Error};

/// How long nobody tries after the first refusal; after each further one it is twice as long.
const FIRST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(2);

/// The refusals since the last login that succeeded.
#[derive(Debug, Default)]
pub(crate) struct Refusals(Mutex<Option<Refused>>);

#[derive(Debug)]
struct Refused {
    sqlstate: Box<str>,
    message: Box<str>,
    rest: Duration,
    until: Instant,
}

impl Refusals {
    /// Whether to try now: one does when the rest is over, and the others rest on until it knows.
    pub(crate) fn may_try(&self, now: Instant) -> Result<(), Error> {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match held.as_mut() {
            Some(refused) if now < refused.until => Err(Error::Connect(ConnectError::Refused {
                sqlstate: refused.sqlstate.clone(),
                message: refused.message.clone(),
            })),
            Some(refused) => {
                refused.until = now + refused.rest;
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// What came of an attempt that began then.
    pub(crate) fn learn<T>(&self, began: Instant, now: Instant, outcome: &Result<T, Error>) {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match outcome {
            Err(Error::Connect(error @ ConnectError::Refused { sqlstate, message }))
                if error.is_of_login() =>
            {
                let rest = match held.as_ref() {
                    // It began before another was refused, which is no news.
                    Some(refused) if began + refused.rest < refused.until => return,
                    Some(refused) => (refused.rest * 2).min(LONGEST),
                    None => FIRST,
                };
                *held = Some(Refused {
                    sqlstate: sqlstate.clone(),
                    message: message.clone(),
                    rest,
                    until: now + rest,
                });
            }
            // Another error is news too: it is told as it is, and each attempt is made.
            Ok(_) | Err(_) => *held = None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused_as(sqlstate: &str) -> Result<(), Error> {
        Err(Error::Connect(ConnectError::Refused {
            sqlstate: sqlstate.into(),
            message: "no".into(),
        }))
    }

    fn refused() -> Result<(), Error> {
        refused_as("28P01")
    }

    #[test]
    fn what_is_not_about_the_login_is_no_reason_to_rest() {
        let now = Instant::now();
        let others = || {
            let poolers = ["08P01", "XX000", "53200", "55000"];
            let server = Err(Error::Connect(ConnectError::Server("away".to_owned())));
            poolers.map(refused_as).into_iter().chain([
                server,
                Err(Error::MaxConnections),
                Err(Error::Connect(ConnectError::Timeout)),
            ])
        };
        for other in others() {
            let refusals = Refusals::default();
            refusals.learn(now, now, &other);
            refusals.may_try(now).unwrap();
            // Nor is the rest kept that another error was the reason for.
            for sqlstate in ["28000", "28P01", "3D000", "42501"] {
                refusals.learn(now, now, &refused_as(sqlstate));
                assert!(refusals.may_try(now).is_err(), "{sqlstate}");
                refusals.learn(now, now, &other);
                refusals.may_try(now).unwrap();
                refusals.may_try(now).unwrap();
            }
        }
    }

    #[test]
    fn one_tries_when_the_rest_is_over_and_each_is_longer() {
        let refusals = Refusals::default();
        let mut now = Instant::now();
        let mut rests = Vec::new();
        for _ in 0..7 {
            refusals.may_try(now).unwrap();
            refusals.learn(now, now, &refused());
            let refused = now;
            while refusals.may_try(now).is_err() {
                now += Duration::from_millis(50);
            }
            rests.push((now - refused).as_millis());
            // The others rest on while one tries.
            assert!(refusals.may_try(now).is_err());
            now += LONGEST;
        }
        assert_eq!(rests, [100, 200, 400, 800, 1600, 2000, 2000]);
        refusals.learn(now, now, &Ok(()));
        refusals.may_try(now).unwrap();
        refusals.may_try(now).unwrap();
    }

    #[test]
    fn attempts_that_were_on_their_way_together_are_one_refusal() {
        let refusals = Refusals::default();
        let began = Instant::now();
        for _ in 0..50 {
            refusals.may_try(began).unwrap();
        }
        let now = began + Duration::from_millis(10);
        for _ in 0..50 {
            refusals.learn(began, now, &refused());
        }
        assert!(refusals.may_try(now + FIRST / 2).is_err());
        refusals.may_try(now + FIRST).unwrap();
    }
}
