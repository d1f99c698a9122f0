//! Secrets that change while people ask: what is valid is never refused, what was removed is refused soon.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use embedded::test::TestDatabase;
use ring::hmac;
use serde_json::{Value, json};

use crate::process::{Server, rowlock};
use crate::socket::{Socket, TRANSPORT};
use crate::stand_in::{ADMIN, SECRET, encode, payload};

/// Where the variables are, a file each.
pub(crate) struct Folder(PathBuf);

impl Folder {
    /// One of this name, which no other test has.
    pub(crate) fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("rowlock-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    /// Exchanged whole, as whoever mounts it does.
    pub(crate) fn put(&self, name: &str, value: &Value) {
        let next = self.0.join("..next");
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        std::fs::write(&next, text).unwrap();
        std::fs::rename(next, self.0.join(name)).unwrap();
    }

    pub(crate) fn remove(&self, name: &str) {
        std::fs::remove_file(self.0.join(name)).unwrap();
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn key(name: &str) -> String {
    format!("{name}-{}", "x".repeat(32))
}

pub(crate) fn bearer(name: &str) -> String {
    let header = encode(br#"{"alg":"HS256"}"#);
    let signed = format!("{header}.{}", encode(payload("1").to_string().as_bytes()));
    let signature = hmac::sign(
        &hmac::Key::new(hmac::HMAC_SHA256, key(name).as_bytes()),
        signed.as_bytes(),
    );
    format!("Bearer {signed}.{}", encode(signature.as_ref()))
}

pub(crate) fn keys(names: &[&str]) -> Value {
    names
        .iter()
        .map(|name| json!({"type": "HS256", "key": key(name)}))
        .collect()
}

/// Whether somebody with these headers is let in.
pub(crate) fn is_let_in(server: &Server, header: (&str, &str)) -> bool {
    let (status, answer) = server.json(
        "/v1alpha1/graphql",
        &[header],
        &json!({"query": "{ __typename }"}),
    );
    match status {
        200 => true,
        400 | 401 => false,
        _ => panic!("{status} {answer}"),
    }
}

/// How long it takes until somebody is let in, or no longer.
pub(crate) fn until(server: &Server, header: (&str, &str), wanted: bool) -> Duration {
    let started = Instant::now();
    while is_let_in(server, header) != wanted {
        assert!(started.elapsed() < Duration::from_secs(60), "{wanted}");
    }
    started.elapsed()
}

#[test]
fn keys_change_under_load() {
    let folder = Folder::new("rotation");
    folder.put("HASURA_GRAPHQL_ADMIN_SECRETS", &json!([SECRET, "first"]));
    folder.put("HASURA_GRAPHQL_JWT_SECRETS", &keys(&["old"]));
    let database = TestDatabase::create("rotation");
    let server = Server::spawn(
        rowlock(&["serve", "--server-port", "0", "--database-url", &database.url()])
            .env("ROWLOCK_SECRETS_DIR", folder.path()),
    );
    let (old, new) = (bearer("old"), bearer("new"));
    let (old, new) = (("authorization", old.as_str()), ("authorization", new.as_str()));
    let (first, second) = (
        ("x-hasura-admin-secret", "first"),
        ("x-hasura-admin-secret", "second"),
    );
    assert!(is_let_in(&server, old) && is_let_in(&server, first));
    assert!(!is_let_in(&server, new) && !is_let_in(&server, second));
    let mut sockets = [old, first, ADMIN].map(|header| Socket::initialised(&server, TRANSPORT, &[header]));
    // Somebody asks all the time with what is valid at that time.
    let (old_is_valid, new_is_valid, done) = (
        AtomicBool::new(true),
        AtomicBool::new(false),
        AtomicBool::new(false),
    );
    std::thread::scope(|scope| {
        let load = |valid: &'static str| {
            let (server, done) = (&server, &done);
            let (token, secret, flag) = match valid {
                "old" => (old, first, &old_is_valid),
                _ => (new, second, &new_is_valid),
            };
            scope.spawn(move || {
                let (mut asked, mut refused) = (0, 0);
                while !done.load(Ordering::SeqCst) {
                    for header in [token, secret, ADMIN] {
                        let before = flag.load(Ordering::SeqCst);
                        let let_in = is_let_in(server, header);
                        // Valid before and after the answer: valid while it was given.
                        if before && flag.load(Ordering::SeqCst) {
                            asked += 1;
                            refused += usize::from(!let_in);
                        }
                    }
                }
                (asked, refused)
            })
        };
        let loads = [load("old"), load("new")];
        // The new ones beside the old ones.
        folder.put(
            "HASURA_GRAPHQL_ADMIN_SECRETS",
            &json!([SECRET, "first", "second"]),
        );
        folder.put("HASURA_GRAPHQL_JWT_SECRETS", &keys(&["old", "new"]));
        until(&server, new, true);
        until(&server, second, true);
        new_is_valid.store(true, Ordering::SeqCst);
        let overlap = Instant::now();
        while overlap.elapsed() < Duration::from_millis(500) {
            assert!(is_let_in(&server, old) && is_let_in(&server, new));
        }
        for socket in &mut sockets {
            assert_eq!(socket.ask("1", "{ __typename }")[0]["type"], "next");
        }
        // A key that cannot be read changes nothing.
        folder.put(
            "HASURA_GRAPHQL_JWT_SECRETS",
            &json!([{"type": "HS256", "key": "short"}]),
        );
        server.log_line("the key that is too short", |line| {
            line.to_string().contains("Key size too small")
        });
        assert!(is_let_in(&server, old) && is_let_in(&server, new));
        // The old ones go.
        old_is_valid.store(false, Ordering::SeqCst);
        folder.put("HASURA_GRAPHQL_ADMIN_SECRETS", &json!([SECRET, "second"]));
        folder.put("HASURA_GRAPHQL_JWT_SECRETS", &keys(&["new"]));
        for gone in [old, first] {
            let took = until(&server, gone, false);
            assert!(took < Duration::from_secs(5), "{took:?}");
        }
        // So do the websockets of those who came in with them, and no others.
        let forbidden = (4403, json!({"server_error_msg": "4403: Forbidden"}).to_string());
        let [by_token, by_secret, by_other] = &mut sockets;
        assert_eq!(by_token.closed(), forbidden);
        assert_eq!(by_secret.closed(), forbidden);
        assert_eq!(by_other.ask("1", "{ __typename }")[0]["type"], "next");
        done.store(true, Ordering::SeqCst);
        for load in loads {
            let (asked, refused) = load.join().unwrap();
            assert!(asked > 10, "{asked}");
            assert_eq!(refused, 0, "of {asked}");
        }
    });
    // Admin secrets that are lost open nothing.
    folder.put("HASURA_GRAPHQL_ADMIN_SECRETS", &json!([]));
    server.log_line("the loss", |line| line.to_string().contains("admin secret"));
    assert!(!is_let_in(&server, ("x-none", "")) && is_let_in(&server, second));
}

/// A misspelt check is no check: somebody is told, at the start and when it comes later.
#[test]
fn keys_that_mean_nothing_are_told() {
    let secret = |key: &str| {
        let mut secret = keys(&["old"])[0].clone();
        secret[key] = json!("x");
        secret
    };
    let folder = Folder::new("misspelt");
    folder.put("HASURA_GRAPHQL_ADMIN_SECRET", &json!(SECRET));
    folder.put("HASURA_GRAPHQL_JWT_SECRET", &secret("isuer"));
    let database = TestDatabase::create("misspelt");
    let server = Server::spawn(
        rowlock(&["serve", "--server-port", "0", "--database-url", &database.url()])
            .env("ROWLOCK_SECRETS_DIR", folder.path()),
    );
    let told = |key: &str| {
        let wanted = format!("HASURA_GRAPHQL_JWT_SECRET: the key \"{key}\" means nothing and is ignored");
        let line = server.log_line(key, |line| {
            let detail = &line["detail"];
            *detail == json!(wanted) || detail["info"] == json!(wanted) || detail["message"] == json!(wanted)
        });
        assert_eq!(line["level"], "warn");
    };
    told("isuer");
    let old = bearer("old");
    assert!(is_let_in(&server, ("authorization", &old)));
    folder.put("HASURA_GRAPHQL_JWT_SECRET", &secret("audiences"));
    told("audiences");
    assert!(is_let_in(&server, ("authorization", &old)));
}
