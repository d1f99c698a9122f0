//! What is worth trying again, and when.

use std::time::Duration;

/// The first pause.
const FIRST: Duration = Duration::from_millis(250);
/// The longest.
const MOST: Duration = Duration::from_secs(30);

/// Pauses that double, from a quarter of a second to half a minute.
#[derive(Debug, Default)]
pub struct Pauses {
    failures: u32,
}

impl Pauses {
    /// It went well.
    pub fn reset(&mut self) {
        self.failures = 0;
    }

    /// It failed again: how long to wait.
    pub fn pause(&mut self) -> Duration {
        let pause = FIRST.saturating_mul(1 << self.failures.min(10));
        self.failures = self.failures.saturating_add(1);
        pause.min(MOST)
    }
}

/// Whether the same request may succeed later without anybody changing it. Forbidden things may: rights are given
/// later.
pub fn may_succeed(error: &kube::Error) -> bool {
    match error {
        kube::Error::Api(status) => !matches!(status.code, 400 | 405 | 413 | 415 | 422),
        kube::Error::SerdeError(_) | kube::Error::BuildRequest(_) | kube::Error::HttpError(_) => false,
        _ => true,
    }
}

/// The code of an answer of the API server; 0: there was none.
pub fn code(error: &kube::Error) -> u16 {
    match error {
        kube::Error::Api(status) => status.code,
        _ => 0,
    }
}

/// The error in the words of the API server, where it gave some.
pub fn message(error: &kube::Error) -> String {
    match error {
        kube::Error::Api(status) => status.message.clone(),
        other => crate::observe::chain(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_bound() {
        let mut pauses = Pauses::default();
        let mut of = |number: usize| {
            (0..number)
                .map(|_| pauses.pause().as_millis())
                .collect::<Vec<_>>()
        };
        assert_eq!(of(4), [250, 500, 1_000, 2_000]);
        assert_eq!(of(40).last(), Some(&30_000));
        pauses.reset();
        assert_eq!(pauses.pause().as_millis(), 250);
    }

    #[test]
    fn what_the_server_will_never_take_is_not_sent_again() {
        let answer = |code: u16| {
            let status = kube::core::Status {
                code,
                ..kube::core::Status::default()
            };
            kube::Error::Api(Box::new(status))
        };
        assert!(!may_succeed(&answer(422)));
        assert!(may_succeed(&answer(403)) && may_succeed(&answer(409)) && may_succeed(&answer(503)));
        assert_eq!(code(&answer(409)), 409);
    }
}
