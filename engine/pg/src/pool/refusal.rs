//! Rest after a refused login: a password that is wrong is wrong for all who come, so nobody asks again for a while.
//!
//! This is about logins that the server answers and refuses. Where nobody answers, each attempt is made.

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
    why: Box<str>,
    rest: Duration,
    until: Instant,
}

impl Refusals {
    /// Whether to try now: one does when the rest is over, and the others rest on until it knows.
    pub(crate) fn may_try(&self, now: Instant) -> Result<(), Error> {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match held.as_mut() {
            Some(refused) if now < refused.until => Err(Error::Connect(ConnectError::Refused(
                refused.why.clone().into_string(),
            ))),
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
            Ok(_) => *held = None,
            Err(Error::Connect(ConnectError::Refused(why))) => {
                let rest = match held.as_ref() {
                    // It began before another was refused, which is no news.
                    Some(refused) if began + refused.rest < refused.until => return,
                    Some(refused) => (refused.rest * 2).min(LONGEST),
                    None => FIRST,
                };
                *held = Some(Refused {
                    why: why.as_str().into(),
                    rest,
                    until: now + rest,
                });
            }
            Err(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused() -> Result<(), Error> {
        Err(Error::Connect(ConnectError::Refused("no".to_owned())))
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
            refusals.learn(now, now, &Err::<(), _>(Error::MaxConnections));
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
