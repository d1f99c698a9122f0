//! What is worth trying again, and when.

use std::hash::{BuildHasher, RandomState};
use std::time::{Duration, Instant};

use kube::Config;
use kube::runtime::utils::Backoff;
use kube::runtime::watcher;

/// How long the API server may take to accept a connection.
const CONNECT: Duration = Duration::from_secs(3);
/// How long a connection may be silent that something is awaited on. Watches get a bookmark every minute.
const SILENCE: Duration = Duration::from_secs(90);
/// Failures of a watch that are further apart have nothing to do with each other.
pub const APART: Duration = Duration::from_secs(10);
/// The first pause of a watch.
const FIRST_OF_WATCH: Duration = Duration::from_millis(200);
/// The longest: an API server that is back is to be seen at once.
const MOST_OF_WATCH: Duration = Duration::from_millis(1500);

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
        let pause = doubled(FIRST, self.failures, MOST);
        self.failures = self.failures.saturating_add(1);
        pause
    }
}

/// A pause that was doubled so many times, up to the longest.
pub fn doubled(first: Duration, times: u32, most: Duration) -> Duration {
    first.saturating_mul(1 << times.min(10)).min(most)
}

/// Pauses of a watch that double while one failure follows the other, each up to a half longer by chance, so that not
/// all come back at once. What comes between two failures proves nothing: every attempt begins with an event.
#[derive(Debug)]
pub struct WatchPauses {
    next: Duration,
    failed: Option<Instant>,
}

impl Default for WatchPauses {
    fn default() -> Self {
        Self {
            next: FIRST_OF_WATCH,
            failed: None,
        }
    }
}

impl Iterator for WatchPauses {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        if self.failed.is_none_or(|failed| failed.elapsed() > APART) {
            self.next = FIRST_OF_WATCH;
        }
        self.failed = Some(Instant::now());
        let pause = self.next;
        self.next = (pause * 2).min(MOST_OF_WATCH);
        let chance = u32::try_from(RandomState::new().hash_one(()) % 500).unwrap_or(0);
        Some(pause + pause * chance / 1000)
    }
}

impl Backoff for WatchPauses {
    fn reset(&mut self) {}
}

/// A configuration with which every failure is heard of at once. The client's own pauses double without anybody
/// knowing: a server that was starting for ten seconds would be asked again after twenty more.
pub fn heard(mut config: Config) -> Config {
    config.connect_timeout = Some(CONNECT);
    config.read_timeout = Some(SILENCE);
    config.reset_reader_on_write = true;
    config.default_retry = false;
    config
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

/// Whether the namespace is being deleted: nothing will ever be made in it.
pub fn is_ending(error: &kube::Error) -> bool {
    let kube::Error::Api(status) = error else {
        return false;
    };
    let mut causes = status.details.iter().flat_map(|details| &details.causes);
    causes.any(|cause| cause.reason == "NamespaceTerminating")
}

/// The code of an answer of the API server; 0: there was none.
pub fn code(error: &kube::Error) -> u16 {
    match error {
        kube::Error::Api(status) => status.code,
        _ => 0,
    }
}

/// The code of the answer that a watch failed with; 0: there was none.
pub fn code_of_watch(error: &watcher::Error) -> u16 {
    match error {
        watcher::Error::InitialListFailed(inner)
        | watcher::Error::WatchStartFailed(inner)
        | watcher::Error::WatchFailed(inner) => code(inner),
        watcher::Error::WatchError(status) => status.code,
        watcher::Error::NoResourceVersion => 0,
    }
}

/// The failure of a watch in the words of the API server, where it gave some.
pub fn message_of_watch(error: &watcher::Error) -> String {
    match error {
        watcher::Error::InitialListFailed(inner)
        | watcher::Error::WatchStartFailed(inner)
        | watcher::Error::WatchFailed(inner) => message(inner),
        watcher::Error::WatchError(status) => status.message.clone(),
        watcher::Error::NoResourceVersion => crate::observe::chain(error),
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
    fn watches_come_back_within_seconds() {
        let mut pauses = WatchPauses::default();
        let mut of = || {
            pauses.reset();
            pauses.next().expect("for ever")
        };
        let (first, second) = (of(), of());
        assert!(first < second, "{first:?} {second:?}");
        let longest = (0..20).map(|_| of()).max().expect("twenty");
        assert!(
            longest > Duration::from_secs(1) && longest < Duration::from_millis(2500),
            "{longest:?}"
        );
    }

    /// A server that begins, or has too much to do, says so, and asks to come back in a second.
    #[tokio::test]
    async fn a_server_that_is_not_there_yet_is_heard_of_at_once() {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port");
        let address = listener.local_addr().expect("an address");
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let _ = stream.read(&mut [0; 4096]).await;
                let answer = "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
                let _ = stream.write_all(answer.as_bytes()).await;
            }
        });
        let config = Config::new(format!("http://{address}").parse().expect("an address"));
        let client = kube::Client::try_from(heard(config)).expect("a client");
        let asked = client.apiserver_version();
        let answer = tokio::time::timeout(Duration::from_secs(5), asked)
            .await
            .expect("no silent pauses");
        assert!(matches!(answer, Err(kube::Error::Api(status)) if status.code == 503));
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
        assert!(!is_ending(&answer(403)));
        let text = r#"{"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": "no", "reason": "Forbidden",
            "details": {"name": "a", "kind": "secrets", "causes": [{"reason": "NamespaceTerminating", "message": "m"}]},
            "code": 403}"#;
        let status: kube::core::Status = serde_json::from_str(text).expect("a status");
        assert!(is_ending(&kube::Error::Api(Box::new(status))));
    }
}
