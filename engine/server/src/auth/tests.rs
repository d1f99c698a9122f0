//! Sessions of headers, secrets and tokens. The webhook is tested with a server (`tests/it/authentication.rs`).

use std::cell::Cell;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use http::{HeaderName, HeaderValue};

use super::*;
use crate::observe::log::Logger;
use crate::settings::{Hook, Outbound, Secret};

fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
    pairs
        .iter()
        .map(|(name, value)| {
            (
                name.parse::<HeaderName>().unwrap(),
                HeaderValue::from_str(value).unwrap(),
            )
        })
        .collect()
}

/// An authenticator, and what it says to headers.
struct Gate(Authenticator, tokio::runtime::Runtime);

impl Gate {
    fn new(settings: Authentication) -> Self {
        let given = crate::settings::reader::read(
            &crate::settings::command_line::command()
                .try_get_matches_from(["rowlock", "--database-url", "postgres://x", "serve"])
                .unwrap(),
            &crate::settings::Environment::default(),
        )
        .unwrap();
        let logger = Logger::to(&given.log, std::io::sink());
        let observer = Observer::with_logger(&given, logger).unwrap();
        let client = Client::new(&Outbound::default()).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        Self(Authenticator::new(settings, client, observer), runtime)
    }

    fn authenticate(&self, headers: &HeaderMap) -> Result<Session, ApiError> {
        let authenticated = self.1.block_on(self.0.authenticate(headers, || None));
        authenticated.map(|authenticated| authenticated.session)
    }
}

fn open() -> Gate {
    Gate::new(Authentication::default())
}

fn closed(unauthorized: Option<&str>) -> Gate {
    Gate::new(Authentication {
        admin_secrets: vec![Secret::new("old"), Secret::new("new")],
        unauthorized_role: unauthorized.map(str::to_owned),
        ..Authentication::default()
    })
}

#[test]
fn without_a_secret_everybody_is_admin() {
    let session = open().authenticate(&headers(&[])).unwrap();
    assert!(is_admin(&session));
    assert_eq!(session.variable("x-hasura-role"), Some("admin"));
    let session = open()
        .authenticate(&headers(&[("X-Hasura-Role", "user"), ("X-Hasura-User-Id", "7")]))
        .unwrap();
    assert_eq!(&*session.role, "user");
    assert_eq!(session.variable("x-hasura-user-id"), Some("7"));
}

#[test]
fn any_of_the_secrets_opens() {
    for name in [ADMIN_SECRET, ACCESS_KEY] {
        for secret in ["old", "new"] {
            let session = closed(None)
                .authenticate(&headers(&[(name, secret), (ROLE, "user")]))
                .unwrap();
            assert_eq!(&*session.role, "user");
            assert_eq!(session.variable(name), None, "the secret is no session variable");
        }
    }
}

#[test]
fn wrong_and_missing_secrets() {
    let error = closed(Some("anonymous"))
        .authenticate(&headers(&[(ADMIN_SECRET, "guess")]))
        .unwrap_err();
    assert_eq!(
        error.message,
        "invalid \"x-hasura-admin-secret\"/\"x-hasura-access-key\""
    );
    assert_eq!(error.status.as_u16(), 401);
    let error = closed(None).authenticate(&headers(&[])).unwrap_err();
    assert_eq!(
        error.message,
        "\"x-hasura-admin-secret\"/x-hasura-access-key required, but not found"
    );
    assert_eq!(error.status.as_u16(), 401);
}

#[test]
fn the_unauthorized_role_is_fixed_and_keeps_variables() {
    let session = closed(Some("anonymous"))
        .authenticate(&headers(&[
            (ROLE, "admin"),
            ("x-hasura-user-id", "7"),
            (BACKEND_ONLY, "true"),
        ]))
        .unwrap();
    assert_eq!(&*session.role, "anonymous");
    assert_eq!(session.variable(ROLE), Some("anonymous"));
    assert_eq!(session.variable("x-hasura-user-id"), Some("7"));
    assert!(
        !session.backend,
        "only trusted clients reach backend-only permissions"
    );
}

#[test]
fn backend_only_must_be_a_boolean() {
    assert!(
        open()
            .authenticate(&headers(&[(BACKEND_ONLY, "T")]))
            .unwrap()
            .backend
    );
    let error = open().authenticate(&headers(&[(BACKEND_ONLY, "1")])).unwrap_err();
    assert_eq!(
        error.message,
        "\"x-hasura-use-backend-only-permissions\":  Not a valid boolean text. True values are \
         [\"true\",\"t\",\"yes\",\"y\"] and  False values are [\"false\",\"f\",\"no\",\"n\"]. All values are case insensitive"
    );
}

#[test]
fn variables_are_sorted_and_unique() {
    let session = open()
        .authenticate(&headers(&[
            ("x-hasura-b", "1"),
            ("x-hasura-a", "2"),
            ("x-hasura-b", "3"),
        ]))
        .unwrap();
    let names: Vec<&str> = session.variables.iter().map(|(name, _)| &**name).collect();
    assert_eq!(names, ["x-hasura-a", "x-hasura-b", "x-hasura-role"]);
}

#[test]
fn headers_that_are_not_text_are_refused() {
    let mut given = headers(&[]);
    given.insert("x-hasura-user-id", HeaderValue::from_bytes(b"7\xff").unwrap());
    let error = open().authenticate(&given).unwrap_err();
    assert_eq!(error.message, "the header x-hasura-user-id is not UTF-8");
}

#[test]
fn tokens_decide_and_headers_do_not() {
    // {"https://hasura.io/jwt/claims":{"x-hasura-allowed-roles":["user"],"x-hasura-default-role":"user","x-hasura-a":"1"}}
    let token = "eyJhbGciOiJIUzI1NiJ9.eyJodHRwczovL2hhc3VyYS5pby9qd3QvY2xhaW1zIjp7IngtaGFzdXJhLWFsbG93ZWQtcm9sZXMiOlsidXNlciJdLCJ4LWhhc3VyYS1kZWZhdWx0LXJvbGUiOiJ1c2VyIiwieC1oYXN1cmEtYSI6IjEifX0._NhAuteX4C69JVN-m7wJrkx7wgMu2hRVvPZ0Z4jDnKs";
    let gate = |unauthorized: Option<&str>| {
        Gate::new(Authentication {
            admin_secrets: vec![Secret::new("s")],
            unauthorized_role: unauthorized.map(str::to_owned),
            jwt: vec![
                ::auth::JwtSecret::parse(r#"{"type":"HS256","key":"a-secret-of-thirty-two-characters"}"#)
                    .unwrap(),
            ],
            ..Authentication::default()
        })
    };
    let bearer = format!("Bearer {token}");
    let session = gate(None)
        .authenticate(&headers(&[
            ("authorization", &bearer),
            ("x-hasura-b", "2"),
            ("x-hasura-a", "9"),
            (BACKEND_ONLY, "true"),
        ]))
        .unwrap();
    assert_eq!(&*session.role, "user");
    assert!(!session.backend);
    let names: Vec<&str> = session.variables.iter().map(|(name, _)| &**name).collect();
    assert_eq!(names, ["x-hasura-a", "x-hasura-role"]);
    assert_eq!(session.variable("x-hasura-a"), Some("1"));
    let error = gate(None).authenticate(&headers(&[("authorization", &bearer), (ROLE, "admin")]));
    assert_eq!(
        error.unwrap_err().message,
        "Your requested role is not in allowed roles"
    );
    // Without a token the unauthorized role; with a wrong one a refusal all the same.
    let session = gate(Some("anonymous"))
        .authenticate(&headers(&[("x-hasura-a", "9")]))
        .unwrap();
    assert_eq!(
        (&*session.role, session.variable("x-hasura-a")),
        ("anonymous", Some("9"))
    );
    for wrong in ["Bearer x", "Basic eDp5", "Bearer"] {
        assert!(
            gate(Some("anonymous"))
                .authenticate(&headers(&[("authorization", wrong)]))
                .is_err()
        );
    }
    let error = gate(None).authenticate(&headers(&[])).unwrap_err();
    assert_eq!(
        (error.code, error.message.as_str()),
        (
            Code::InvalidHeaders,
            "Missing 'Authorization' or 'Cookie' header in JWT authentication mode"
        )
    );
    let session = gate(None)
        .authenticate(&headers(&[("authorization", "Bearer x"), (ADMIN_SECRET, "s")]))
        .unwrap();
    assert!(is_admin(&session), "the admin secret comes first");
}

#[test]
fn a_hook_that_says_nothing_ends_in_time() {
    // It takes connections and keeps them.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let kept = std::thread::spawn(move || listener.accept().map(|(stream, _)| stream));
    let gate = Gate::new(Authentication {
        admin_secrets: vec![Secret::new("s")],
        hook: Some(Hook {
            url,
            post: false,
            send_request_body: true,
            patience: Duration::from_millis(100),
        }),
        ..Authentication::default()
    });
    let started = Instant::now();
    let error = gate.authenticate(&headers(&[])).unwrap_err();
    assert_eq!(
        (error.status.as_u16(), error.code, error.message.as_str()),
        (500, Code::Unexpected, "webhook authentication request failed")
    );
    assert!((100..5000).contains(&started.elapsed().as_millis()));
    drop(kept.join());
}

/// Keys of an issuer that answers once and is then away for an hour.
#[test]
fn an_hour_without_the_issuer() {
    const GOOD: &str = "eyJhbGciOiJIUzI1NiJ9.eyJodHRwczovL2hhc3VyYS5pby9qd3QvY2xhaW1zIjp7IngtaGFzdXJhLWFsbG93ZWQtcm9sZXMiOlsidXNlciJdLCJ4LWhhc3VyYS1kZWZhdWx0LXJvbGUiOiJ1c2VyIiwieC1oYXN1cmEtYSI6IjEifX0._NhAuteX4C69JVN-m7wJrkx7wgMu2hRVvPZ0Z4jDnKs";
    // {"alg":"HS256","kid":"new"}
    const STRANGER: &str = "eyJhbGciOiJIUzI1NiIsImtpZCI6Im5ldyJ9.e30.AAAA";
    // The secret as a JSON web key: a-secret-of-thirty-two-characters
    const KEYS: &str =
        r#"{"keys":[{"kty":"oct","kid":"old","k":"YS1zZWNyZXQtb2YtdGhpcnR5LXR3by1jaGFyYWN0ZXJz"}]}"#;
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let url = format!("http://{address}/");
    let asked = Arc::new(AtomicUsize::new(0));
    let there = Arc::new(AtomicBool::new(true));
    let (count, answers) = (Arc::clone(&asked), Arc::clone(&there));
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            count.fetch_add(1, Ordering::SeqCst);
            if answers.load(Ordering::SeqCst) {
                let mut head = [0; 4096];
                let _ = stream.read(&mut head);
                let answer = format!(
                    "HTTP/1.1 200 OK\r\ncache-control: max-age=60\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{KEYS}",
                    KEYS.len()
                );
                let _ = stream.write_all(answer.as_bytes());
            }
        }
    });
    let gate = Gate::new(Authentication {
        admin_secrets: vec![Secret::new("s")],
        jwt: vec![::auth::JwtSecret::parse(&format!(r#"{{"jwk_url":"{url}"}}"#)).unwrap()],
        ..Authentication::default()
    });
    // Connections are counted in the order in which they came: all before this one, however late.
    let own = Cell::new(0);
    let counted = || {
        let mut last = TcpStream::connect(address).unwrap();
        let _ = last.read(&mut [0]);
        own.set(own.get() + 1);
        asked.load(Ordering::SeqCst) - own.get()
    };
    gate.1.block_on(async {
        let bearer = |token: &str| headers(&[("authorization", &format!("Bearer {token}"))]);
        let (good, stranger) = (bearer(GOOD), bearer(STRANGER));
        gate.0.follow_keys();
        while !gate.0.has_keys() {
            tokio::task::yield_now().await;
        }
        there.store(false, Ordering::SeqCst);
        tokio::time::pause();
        let start = tokio::time::Instant::now();
        let (mut strangers, mut seconds) = (0, 0);
        while seconds < 3600 {
            assert!(
                gate.0.authenticate(&good, || None).await.is_ok(),
                "after {seconds} s"
            );
            // Every tenth second somebody comes with a key that nobody knows, for ten minutes.
            if seconds % 10 == 0 && seconds < 600 {
                let error = gate.0.authenticate(&stranger, || None).await.unwrap_err();
                assert_eq!(
                    error.message,
                    "Could not verify JWT: JWSError JWSInvalidSignature"
                );
                strangers += 1;
            }
            tokio::time::advance(Duration::from_secs(5)).await;
            tokio::task::yield_now().await;
            seconds = start.elapsed().as_secs();
        }
        // Ever more strangers make no more look-ups: one a second at most.
        let (before, since) = (counted(), tokio::time::Instant::now());
        for _ in 0..20 {
            let _ = gate.0.authenticate(&stranger, || None).await;
        }
        let looked = counted() - before;
        let took = usize::try_from(since.elapsed().as_secs()).unwrap();
        assert!(looked <= took + 3, "{looked} look-ups in {took} s");
        // Nor does a crowd of them: one look for all who came before it began.
        let (alone, since) = (counted(), tokio::time::Instant::now());
        let crowd = (0..500).map(|_| gate.0.authenticate(&stranger, || None));
        for answer in futures_util::future::join_all(crowd).await {
            assert_eq!(
                answer.unwrap_err().message,
                "Could not verify JWT: JWSError JWSInvalidSignature"
            );
        }
        let took = usize::try_from(since.elapsed().as_secs()).unwrap();
        let of_crowd = counted() - alone;
        assert!(of_crowd <= took + 4, "{of_crowd} look-ups in {took} s");
        let looked = looked + of_crowd;
        // Each stranger once, and a look of our own every half minute.
        let most = strangers + 3600 / 30 + 20 + looked;
        let all = counted();
        assert!((10..=most).contains(&all), "{all} of {most}");
        assert!(gate.0.authenticate(&good, || None).await.is_ok());
    });
}

/// An issuer that takes connections and says nothing: whoever needs it waits for one look, and after that for none.
#[test]
fn a_silent_issuer_is_waited_for_once() {
    // {"alg":"HS256","kid":"new"}
    const STRANGER: &str = "eyJhbGciOiJIUzI1NiIsImtpZCI6Im5ldyJ9.e30.AAAA";
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        let taken: Vec<_> = listener.incoming().collect();
        drop(taken);
    });
    let gate = Gate::new(Authentication {
        admin_secrets: vec![Secret::new("s")],
        jwt: vec![::auth::JwtSecret::parse(&format!(r#"{{"jwk_url":"{url}"}}"#)).unwrap()],
        ..Authentication::default()
    });
    gate.1.block_on(async {
        tokio::time::pause();
        gate.0.follow_keys();
        let stranger = headers(&[("authorization", &format!("Bearer {STRANGER}"))]);
        let waited = async || {
            let since = tokio::time::Instant::now();
            let error = gate.0.authenticate(&stranger, || None).await.unwrap_err();
            assert_eq!(
                error.message,
                "Could not verify JWT: the keys could not be fetched yet"
            );
            since.elapsed()
        };
        for _ in 0..10 {
            // One look, or its rest; not the next one as well.
            assert!(waited().await <= Duration::from_millis(10_100));
            assert!(
                waited().await <= Duration::from_millis(10),
                "it has failed just now"
            );
            tokio::time::advance(Duration::from_secs(3)).await;
        }
    });
}
