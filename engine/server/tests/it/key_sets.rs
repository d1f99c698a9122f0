//! Key sets that an issuer publishes: rotated, taken back, and moved while people ask.

use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use embedded::test::TestDatabase;
use serde_json::{Value, json};

use crate::process::{PATIENCE, Server, read_response, rowlock, write_request};
use crate::rotation::{Folder, is_let_in, until};
use crate::socket::{APOLLO, Socket, TRANSPORT, init};
use crate::stand_in::{Issuer, SECRET, StandIn, payload};
use crate::wait::pause;

/// Requests that come at once: more than any bound that a lock or a pool would have had.
const CROWD: usize = 150;

/// The issuer is asked again by then at the latest.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

const QUERY: &str = r#"{"query":"{ __typename }"}"#;

const METRICS: &[(&str, &str)] = &[("authorization", "Bearer m")];

fn set(keys: &[&Issuer]) -> Value {
    let keys: Vec<Value> = keys.iter().map(|issuer| issuer.jwk()).collect();
    json!({ "keys": keys })
}

fn bearer(issuer: &Issuer) -> String {
    format!("Bearer {}", issuer.sign(&payload("1")))
}

/// A server whose variables are in a folder.
fn serve(database: &TestDatabase, folder: &Folder) -> Server {
    folder.put("HASURA_GRAPHQL_ADMIN_SECRET", &json!(SECRET));
    let arguments = ["serve", "--server-port", "0", "--database-url", &database.url()];
    Server::spawn(
        rowlock(&arguments)
            .env("ROWLOCK_SECRETS_DIR", folder.path())
            .env("HASURA_GRAPHQL_ENABLED_APIS", "graphql,metadata,metrics")
            .env("HASURA_GRAPHQL_METRICS_SECRET", "m"),
    )
}

fn waits(what: &str, mut done: impl FnMut() -> bool) {
    let started = Instant::now();
    while !done() {
        assert!(started.elapsed() < PATIENCE, "{what}");
        pause();
    }
}

/// So many requests are on their way, none of them answered: connections beside the one that asks.
fn all_wait(server: &Server, wanted: usize) {
    waits("connections", || {
        let page = server.send("GET", "/v1/metrics", METRICS, "").1;
        let line = page
            .lines()
            .find(|line| line.starts_with("hasura_http_connections "));
        let open: usize = line.unwrap().rsplit(' ').next().unwrap().parse().unwrap();
        open > wanted
    });
}

fn begin(server: &Server, token: &str) -> TcpStream {
    let mut stream = server.connect();
    write_request(
        &mut stream,
        "POST",
        "/v1alpha1/graphql",
        &[("authorization", token)],
        QUERY,
    );
    stream
}

#[test]
fn a_crowd_waits_for_one_look() {
    let (old, new) = (Issuer::new("old"), Issuer::new("new"));
    let stand_in = StandIn::start();
    stand_in.answers(200, "cache-control: max-age=3600\r\n", &set(&[&old]));
    let database = TestDatabase::create("jwks_crowd");
    let folder = Folder::new("crowd");
    folder.put("HASURA_GRAPHQL_JWT_SECRET", &json!({"jwk_url": stand_in.url()}));
    let server = serve(&database, &folder);
    let (token, newer) = (bearer(&old), bearer(&new));
    assert!(is_let_in(&server, ("authorization", &token)));
    // The issuer is asked, and has not answered yet, while everybody comes with its new key.
    let mut answer = stand_in.answer.lock().unwrap();
    let before = stand_in.asked.lock().unwrap().len();
    let requests: Vec<TcpStream> = (0..CROWD).map(|_| begin(&server, &newer)).collect();
    let mut sockets: Vec<Socket> = (0..20)
        .map(|at| {
            let protocol = [APOLLO, TRANSPORT][at % 2];
            let mut socket = Socket::open(&server, "/v1/graphql", protocol, &[]).ok().unwrap();
            socket.send(&init(&[("authorization", &newer)]));
            socket
        })
        .collect();
    all_wait(&server, CROWD);
    // Those whose key is known wait for nobody.
    assert!(is_let_in(&server, ("authorization", &token)));
    answer.2 = set(&[&old, &new]).to_string();
    drop(answer);
    for mut request in requests {
        let (status, body) = read_response(&mut request);
        assert_eq!(
            (status, body.as_str()),
            (200, r#"{"data":{"__typename":"query_root"}}"#)
        );
    }
    for socket in &mut sockets {
        assert_eq!(socket.message(), json!({"type": "connection_ack"}));
    }
    // One look for all of them; those who came while one was under way may have made it another.
    let looks = stand_in.asked.lock().unwrap().len() - before;
    assert!(looks <= 3, "{looks}");
}

#[test]
fn keys_are_rotated_and_taken_back_under_load() {
    let (old, new) = (Issuer::new("old"), Issuer::new("new"));
    let stand_in = StandIn::start();
    let brief = "cache-control: max-age=1\r\n";
    stand_in.answers(200, brief, &set(&[&old]));
    let database = TestDatabase::create("jwks_load");
    let folder = Folder::new("load");
    folder.put("HASURA_GRAPHQL_JWT_SECRET", &json!({"jwk_url": stand_in.url()}));
    let server = serve(&database, &folder);
    let (token, newer) = (bearer(&old), bearer(&new));
    let (by_old, by_new) = (
        ("authorization", token.as_str()),
        ("authorization", newer.as_str()),
    );
    let mut olds: Vec<Socket> = (0..10)
        .map(|at| Socket::initialised(&server, [APOLLO, TRANSPORT][at % 2], &[by_old]))
        .collect();
    let (old_is_valid, new_is_valid, done) = (
        AtomicBool::new(true),
        AtomicBool::new(false),
        AtomicBool::new(false),
    );
    std::thread::scope(|scope| {
        let load = |header: (&'static str, String), valid: &'static str| {
            let (server, done) = (&server, &done);
            let flag = if valid == "old" {
                &old_is_valid
            } else {
                &new_is_valid
            };
            scope.spawn(move || {
                let (mut asked, mut refused) = (0, 0);
                while !done.load(Ordering::SeqCst) {
                    // Valid before and after the answer: valid while it was given.
                    let before = flag.load(Ordering::SeqCst);
                    let let_in = is_let_in(server, (header.0, &header.1));
                    if before && flag.load(Ordering::SeqCst) {
                        asked += 1;
                        refused += usize::from(!let_in);
                    }
                }
                (asked, refused)
            })
        };
        let loads = [
            load(("authorization", token.clone()), "old"),
            load(("authorization", token.clone()), "old"),
            load(("authorization", newer.clone()), "new"),
        ];
        // The new one beside the old one: it is good from the moment at which it is published.
        stand_in.answers(200, brief, &set(&[&old, &new]));
        new_is_valid.store(true, Ordering::SeqCst);
        let crowd: Vec<TcpStream> = (0..CROWD).map(|_| begin(&server, &newer)).collect();
        for mut request in crowd {
            assert_eq!(read_response(&mut request).0, 200);
        }
        let mut news: Vec<Socket> = (0..10)
            .map(|at| Socket::initialised(&server, [APOLLO, TRANSPORT][at % 2], &[by_new]))
            .collect();
        for socket in olds.iter_mut().chain(&mut news) {
            assert_eq!(socket.ask("1", "{ __typename }").len(), 1);
        }
        // The issuer takes the old one back: its set is good for a second.
        old_is_valid.store(false, Ordering::SeqCst);
        stand_in.answers(200, brief, &set(&[&new]));
        // Soon: a set that says nothing of how long it is good would stay.
        let took = until(&server, by_old, false);
        assert!(took <= LONGEST_PAUSE, "{took:?}");
        for socket in &mut olds {
            let said = socket.closed_after_errors();
            assert!(matches!(said, 4400 | 4403), "{said}");
        }
        for socket in &mut news {
            assert_eq!(socket.ask("2", "{ __typename }").len(), 1);
        }
        done.store(true, Ordering::SeqCst);
        for load in loads {
            let (asked, refused) = load.join().unwrap();
            assert!(asked > 0);
            assert_eq!(refused, 0, "of {asked}");
        }
    });
}

/// Who asked during a look that failed was answered by that, and brings about no other.
#[test]
fn strangers_do_not_make_an_issuer_that_fails_be_asked_at_once() {
    let (known, stranger) = (StandIn::start(), Issuer::new("stranger"));
    known.answers(500, "", &json!({}));
    let database = TestDatabase::create("jwks_fails");
    let folder = Folder::new("fails");
    folder.put("HASURA_GRAPHQL_JWT_SECRET", &json!({"jwk_url": known.url()}));
    let server = serve(&database, &folder);
    let asked = || known.asked.lock().unwrap().len();
    // The pauses after failures are 1 s, 2 s, 4 s.
    waits("two looks", || asked() >= 2);
    let answer = known.answer.lock().unwrap();
    let looks = asked();
    waits("a third look", || asked() > looks);
    let looks = asked();
    let mut request = begin(&server, &bearer(&stranger));
    all_wait(&server, 1);
    let since = Instant::now();
    drop(answer);
    assert_eq!(read_response(&mut request).0, 401);
    waits("the next look", || asked() > looks);
    let pause = since.elapsed();
    assert!(pause >= Duration::from_secs(3), "{pause:?}");
}

#[test]
fn a_set_that_moves_refuses_nobody() {
    let (old, new) = (Issuer::new("old"), Issuer::new("new"));
    // Another key of the same name as one that was known before.
    let renewed = Issuer::new("old");
    let brief = "cache-control: max-age=1\r\n";
    let (before, after) = (StandIn::start(), StandIn::start());
    before.answers(200, brief, &set(&[&old]));
    after.answers(200, brief, &set(&[&new, &renewed]));
    let database = TestDatabase::create("jwks_moves");
    let folder = Folder::new("moves");
    folder.put("HASURA_GRAPHQL_JWT_SECRET", &json!({"jwk_url": before.url()}));
    let server = serve(&database, &folder);
    let (token, newer, named) = (bearer(&old), bearer(&new), bearer(&renewed));
    let by_old = ("authorization", token.as_str());
    assert!(is_let_in(&server, by_old));
    assert_eq!(server.send("GET", "/readyz", &[], "").0, 200);
    let mut socket = Socket::initialised(&server, TRANSPORT, &[by_old]);
    // The new place does not answer yet.
    let answer = after.answer.lock().unwrap();
    folder.put("HASURA_GRAPHQL_JWT_SECRET", &json!({"jwk_url": after.url()}));
    waits("the new place is asked", || {
        !after.asked.lock().unwrap().is_empty()
    });
    assert!(is_let_in(&server, by_old), "the last keys go on");
    assert_eq!(server.send("GET", "/readyz", &[], "").0, 200);
    assert_eq!(socket.ask("1", "{ __typename }").len(), 1);
    let waiting = [begin(&server, &newer), begin(&server, &named)];
    all_wait(&server, 2);
    drop(answer);
    for mut request in waiting {
        let (status, body) = read_response(&mut request);
        assert_eq!(status, 200, "{body}");
    }
    // With the set of the new place, those of the old one are strangers.
    until(&server, by_old, false);
    assert_eq!(socket.closed().0, 4403);
    assert!(is_let_in(&server, ("authorization", &newer)));
    // And nobody asks there any more, though its set was good for a second only.
    let asked = before.asked.lock().unwrap().len();
    let seen = after.asked.lock().unwrap().len();
    waits("further looks", || after.asked.lock().unwrap().len() >= seen + 3);
    assert_eq!(before.asked.lock().unwrap().len(), asked);
}

/// A set without keys is more likely a mistake than the end of all of them.
#[test]
fn a_set_that_becomes_empty_takes_nothing_back() {
    let (old, new) = (Issuer::new("old"), Issuer::new("new"));
    let stand_in = StandIn::start();
    let brief = "cache-control: max-age=1\r\n";
    stand_in.answers(200, brief, &set(&[&old]));
    let database = TestDatabase::create("jwks_empty");
    let folder = Folder::new("empty");
    folder.put("HASURA_GRAPHQL_JWT_SECRET", &json!({"jwk_url": stand_in.url()}));
    let server = serve(&database, &folder);
    let (token, newer) = (bearer(&old), bearer(&new));
    let by_old = ("authorization", token.as_str());
    assert!(is_let_in(&server, by_old));
    let mut socket = Socket::initialised(&server, TRANSPORT, &[by_old]);
    stand_in.answers(200, brief, &set(&[]));
    let line = server.log_line("the empty set", |line| {
        line["type"] == "jwk-refresh-log" && line.to_string().contains("no usable keys; the last ones stay")
    });
    assert_eq!(line["level"], "error");
    assert!(is_let_in(&server, by_old));
    assert_eq!(socket.ask("1", "{ __typename }").len(), 1);
    assert_eq!(server.send("GET", "/readyz", &[], "").0, 200);
    // Others end them.
    stand_in.answers(200, brief, &set(&[&new]));
    until(&server, by_old, false);
    assert!(is_let_in(&server, ("authorization", &newer)));
    assert!(matches!(socket.closed_after_errors(), 4400 | 4403));
}

/// Two issuers that move to one address: until it answers, each one's last keys verify its own tokens alone.
#[test]
fn two_that_move_to_one_address_keep_their_own_keys() {
    let (first, second) = (Issuer::new("first"), Issuer::new("second"));
    let (one, two, after) = (StandIn::start(), StandIn::start(), StandIn::start());
    one.answers(200, "", &set(&[&first]));
    two.answers(200, "", &set(&[&second]));
    let database = TestDatabase::create("jwks_two_move");
    let folder = Folder::new("two-move");
    let secrets = |one: &StandIn, two: &StandIn| json!([{"jwk_url": one.url(), "issuer": "one"}, {"jwk_url": two.url(), "issuer": "two"}]);
    let of = |key: &Issuer, issuer: &str| {
        let mut payload = payload("1");
        payload["iss"] = json!(issuer);
        format!("Bearer {}", key.sign(&payload))
    };
    folder.put("HASURA_GRAPHQL_JWT_SECRETS", &secrets(&one, &two));
    let server = serve(&database, &folder);
    let good = [of(&first, "one"), of(&second, "two")];
    let forged = [of(&second, "one"), of(&first, "two")];
    let all_good = || {
        let mut good = good.iter();
        good.all(|token| is_let_in(&server, ("authorization", token)))
    };
    let some_forged = || {
        let mut forged = forged.iter();
        forged.any(|token| is_let_in(&server, ("authorization", token)))
    };
    assert!(all_good() && !some_forged());
    folder.put("HASURA_GRAPHQL_JWT_SECRETS", &secrets(&after, &after));
    waits("the new place is asked", || {
        !after.asked.lock().unwrap().is_empty()
    });
    assert!(all_good(), "the last keys go on");
    assert!(!some_forged(), "each for its own");
    // Also when something else changes before it has answered.
    let mut other = secrets(&after, &after);
    other[0]["allowed_skew"] = json!(3600);
    folder.put("HASURA_GRAPHQL_JWT_SECRETS", &other);
    let mut late = payload("1");
    late["iss"] = json!("one");
    late["exp"] = json!(late["exp"].as_i64().unwrap() - 5000);
    let late = format!("Bearer {}", first.sign(&late));
    until(&server, ("authorization", &late), true);
    assert!(all_good(), "the last keys go on");
    assert!(!some_forged(), "each for its own");
    // Once it has answered, its keys are both one's.
    after.answers(200, "", &set(&[&first, &second]));
    for token in good.iter().chain(&forged) {
        until(&server, ("authorization", token), true);
    }
}

#[test]
fn an_issuer_that_changes_while_it_is_away() {
    let (old, new) = (Issuer::new("old"), Issuer::new("new"));
    let (before, after) = (StandIn::start(), StandIn::start());
    before.answers(200, "", &set(&[&old]));
    let database = TestDatabase::create("jwks_away");
    let folder = Folder::new("away");
    let secret = |stand_in: &StandIn, issuer: &str| json!({"jwk_url": stand_in.url(), "issuer": issuer});
    let of = |key: &Issuer, issuer: &str| {
        let mut payload = payload("1");
        payload["iss"] = json!(issuer);
        format!("Bearer {}", key.sign(&payload))
    };
    folder.put("HASURA_GRAPHQL_JWT_SECRET", &secret(&before, "first"));
    let server = serve(&database, &folder);
    let (first, second) = (of(&old, "first"), of(&new, "second"));
    let forged = of(&old, "second");
    assert!(is_let_in(&server, ("authorization", &first)));
    assert_eq!(server.send("GET", "/readyz", &[], "").0, 200);
    folder.put("HASURA_GRAPHQL_JWT_SECRET", &secret(&after, "second"));
    until(&server, ("authorization", &first), false);
    // Its keys are another's: none stand in for them, but what is ready stays so.
    let ask = |token: &str| {
        let body = json!({"query": "{ __typename }"});
        server
            .json("/v1alpha1/graphql", &[("authorization", token)], &body)
            .0
    };
    assert_eq!((ask(&second), ask(&forged)), (401, 401));
    assert_eq!(server.send("GET", "/readyz", &[], "").0, 200);
    after.answers(200, "", &set(&[&new]));
    until(&server, ("authorization", &second), true);
    assert_eq!(ask(&forged), 400);
}

/// A token in each place where it may stand, over HTTP and both ways of coming in on a websocket.
#[test]
fn tokens_stand_in_their_place() {
    let issuer = Issuer::new("one");
    let token = issuer.sign(&payload("1"));
    let (cookie, other) = (format!("a=1; token={token}; b=2"), bearer(&issuer));
    let typename = json!({"data": {"__typename": "query_root"}});
    for (at, (header, shown)) in [
        (
            json!({"type": "Cookie", "name": "token"}),
            ("cookie", cookie.as_str()),
        ),
        (
            json!({"type": "CustomHeader", "name": "X-Token"}),
            ("x-token", token.as_str()),
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let database = TestDatabase::create(&format!("jwt_place{at}"));
        let folder = Folder::new(&format!("place{at}"));
        folder.put(
            "HASURA_GRAPHQL_JWT_SECRET",
            &json!({"type": "ES256", "key": issuer.jwk(), "header": header}),
        );
        let server = serve(&database, &folder);
        let ask = |headers: &[(&str, &str)]| {
            let body = json!({"query": "{ __typename }"});
            server.json("/v1alpha1/graphql", headers, &body)
        };
        assert_eq!(ask(&[shown]), (200, typename.clone()));
        let refusal = |answer: (u16, Value)| {
            let error = &answer.1["errors"][0];
            json!([answer.0, error["extensions"]["code"], error["message"]])
        };
        // Elsewhere it is none.
        let missing = "Missing 'Authorization' or 'Cookie' header in JWT authentication mode";
        assert_eq!(
            refusal(ask(&[("authorization", &other)])),
            json!([400, "invalid-headers", missing])
        );
        let bad = "Could not verify JWT: JWSError JWSInvalidSignature";
        let bent = shown.1.replace(&token, &Issuer::new("one").sign(&payload("1")));
        assert_eq!(
            refusal(ask(&[(shown.0, &bent)])),
            json!([400, "invalid-jwt", bad])
        );
        for protocol in [APOLLO, TRANSPORT] {
            // In the handshake, as a page's cookies are, and in the first message.
            let mut socket = Socket::open(&server, "/v1/graphql", protocol, &[shown])
                .ok()
                .unwrap();
            socket.initialise(&[]);
            assert_eq!(socket.ask("1", "{ __typename }").len(), 1);
            let mut socket = Socket::initialised(&server, protocol, &[shown]);
            assert_eq!(socket.ask("1", "{ __typename }").len(), 1);
            let mut socket = Socket::open(&server, "/v1/graphql", protocol, &[]).ok().unwrap();
            socket.send(&init(&[("authorization", &other)]));
            assert!(matches!(socket.closed_after_errors(), 4400 | 4403));
        }
    }
}
