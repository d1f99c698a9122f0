//! Rates in a real Redis: two instances that count together, Redis that goes and comes back, TLS. Skipped where the
//! program `redis-server` is not installed.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that fails says so by a panic"
)]

mod program;

use std::sync::Arc;
use std::time::{Duration, Instant};

use program::{Redis, program};
use rate::{Key, Rates, Shared, Standing};
use tokio::sync::watch;

/// An instance: it counts, and keeps what it was told of Redis.
struct Instance {
    rates: Rates,
    told: watch::Receiver<Vec<Standing>>,
    _stop: watch::Sender<bool>,
}

impl Instance {
    fn start(url: &str, tls: bool, authorities: Option<Vec<u8>>) -> Self {
        let shared = Arc::new(Shared::new(url, tls, authorities).unwrap());
        let (stop, stopped) = watch::channel(false);
        let (hear, told) = watch::channel(Vec::new());
        let report = move |standing: &Standing| hear.send_modify(|told| told.push(standing.clone()));
        tokio::spawn(Arc::clone(&shared).follow(report, stopped));
        Self {
            rates: Rates::new(Some(shared)),
            told,
            _stop: stop,
        }
    }

    async fn hears(&self, what: &str, wanted: impl Fn(&Standing) -> bool) {
        let mut told = self.told.clone();
        let heard = told.wait_for(|told| told.last().is_some_and(&wanted));
        if tokio::time::timeout(Duration::from_secs(20), heard)
            .await
            .is_err()
        {
            panic!("{what}: {:?}", self.told.borrow());
        }
    }

    async fn is_up(&self) {
        self.hears("Redis does not come", |standing| *standing == Standing::Up)
            .await;
    }

    /// How many of 10 requests pass, and how many were counted by this instance alone.
    async fn ten(&self, most: u64, key: &Key) -> (usize, usize) {
        let mut passed = (0, 0);
        for _ in 0..10 {
            let verdict = self.rates.count(most, key).await;
            passed.0 += usize::from(verdict.admitted);
            passed.1 += usize::from(verdict.alone);
        }
        passed
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
}

#[test]
fn instances_count_together_and_go_on_without_redis() {
    if program().is_none() {
        eprintln!("instances_count_together_and_go_on_without_redis: redis-server is not installed: skipped");
        return;
    }
    let mut redis = Redis::start();
    runtime().block_on(async {
        let (one, other) = (
            Instance::start(&redis.url(), false, None),
            Instance::start(&redis.url(), false, None),
        );
        one.is_up().await;
        other.is_up().await;
        let mut user = Key::new(["user", "1.2.3.4"]);
        // A machine that stands still for a moment lets a count pass for late, or gives back what time gives.
        for again in ["", "again", "once more"] {
            user = Key::new(["user", "1.2.3.4", again]);
            let (first, second) = (one.ten(15, &user).await, other.ten(15, &user).await);
            if (first, second) == ((10, 0), (5, 0)) {
                break;
            }
            assert_ne!(
                again, "once more",
                "not fifteen for both together: {first:?} {second:?}"
            );
        }
        assert_eq!(one.ten(15, &Key::new(["user", "1.2.3.5"])).await.0, 10);
        assert_eq!(one.ten(7, &user).await, (7, 0), "another rate counts for itself");
        assert_eq!(one.ten(0, &user).await.0, 0);
        // Nothing that Redis keeps tells whom it counts, and everything ends.
        let keys = redis.ask(&["--scan"]);
        assert!(keys.lines().count() >= 3 && !keys.contains("1.2.3"), "{keys}");
        for key in keys.lines() {
            let left: i64 = redis.ask(&["pttl", key]).trim().parse().unwrap();
            assert!((1..=60_001).contains(&left), "{key} {left}");
        }
        // A rate gives back what time gives: of 60 per minute one each second.
        let slow = Key::new(["slow"]);
        let started = Instant::now();
        let mut passed = 0;
        while one.rates.count(60, &slow).await.admitted {
            passed += 1;
        }
        assert!(
            (60..=61 + started.elapsed().as_secs()).contains(&passed),
            "{passed}"
        );
        while !one.rates.count(60, &slow).await.admitted {
            assert!(
                started.elapsed() < Duration::from_secs(20),
                "nothing is given back"
            );
        }
        assert!(started.elapsed() > Duration::from_millis(900));
        // Redis goes: each counts by itself, and no request waits for it.
        redis.stop();
        assert_eq!(one.ten(15, &user).await, (10, 10), "a budget of its own");
        assert_eq!(one.ten(15, &user).await, (5, 10));
        one.hears("nobody says that Redis is away", |standing| {
            matches!(standing, Standing::Away(_))
        })
        .await;
        // It comes back.
        redis.again();
        one.is_up().await;
        assert_eq!(one.ten(15, &user).await, (10, 0));
        // It hangs: one request waits a quarter of a second, the others not at all.
        redis.pause();
        let first = Instant::now();
        for _ in 0..10 {
            assert_eq!(one.ten(9, &user).await.1, 10);
        }
        assert!(first.elapsed() < Duration::from_secs(15));
        one.hears("nobody says that Redis hangs", |standing| {
            matches!(standing, Standing::Away(_))
        })
        .await;
        redis.resume();
        one.is_up().await;
        assert_eq!(one.ten(9, &user).await.1, 0);
    });
}

#[test]
fn a_password_and_tls() {
    if program().is_none() {
        eprintln!("a_password_and_tls: redis-server is not installed: skipped");
        return;
    }
    let redis = Redis::with_tls("s3cret");
    runtime().block_on(async {
        let authority = Some(redis.authority());
        let port = redis.port();
        let good = Instance::start(
            &format!("redis://:s3cret@localhost:{port}"),
            true,
            authority.clone(),
        );
        good.is_up().await;
        let key = Key::new(["user"]);
        assert_eq!(good.ten(5, &key).await, (5, 0));
        let wrong = Instance::start(&format!("rediss://:guess@localhost:{port}"), false, authority);
        wrong
            .hears("a wrong password passes", |standing| {
                matches!(standing, Standing::Away(_))
            })
            .await;
        let stranger = Instance::start(&format!("rediss://:s3cret@localhost:{port}"), false, None);
        stranger
            .hears("an unknown authority passes", |standing| {
                matches!(standing, Standing::Away(_))
            })
            .await;
        for instance in [wrong, stranger] {
            let told = format!("{:?}", *instance.told.borrow());
            assert!(!told.contains("guess") && !told.contains("s3cret"), "{told}");
            assert_eq!(instance.ten(5, &key).await, (5, 10));
        }
    });
}

#[test]
fn urls() {
    for url in [
        "",
        "x",
        "http://x",
        "redis://",
        "unix:///tmp/x",
        "rediss://x/#insecure",
    ] {
        assert!(Shared::new(url, false, None).is_err(), "{url}");
    }
    for url in ["redis://x", "redis://:p@x:1/2", "rediss://u:p@x"] {
        assert!(Shared::new(url, false, None).is_ok(), "{url}");
    }
    let shown = format!("{:?}", Shared::new("redis://:s3cret@x", false, None).unwrap());
    assert!(!shown.contains("s3cret"));
}
