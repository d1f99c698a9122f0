//! The rate of the metadata API, guesses of the admin secret, and data commands of roles.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Instant;

use embedded::test::TestDatabase;
use serde_json::{Value, json};

use crate::process::{PATIENCE, Server, read_response, rowlock, write_request};
use crate::socket::{APOLLO, Socket, init};
use crate::stand_in::{ADMIN, SECRET, server};
use crate::wait::pause;

const WRONG: (&str, &str) = ("x-hasura-admin-secret", "a-wrong-guess");

fn limited(database: &TestDatabase, rate: &str) -> Server {
    limited_with(database, rate, &[("ROWLOCK_TRUSTED_PROXIES", "1")])
}

fn limited_with(database: &TestDatabase, rate: &str, more: &[(&str, &str)]) -> Server {
    let mut command = rowlock(&["serve", "--server-port", "0", "--unauthorized-role", "anonymous"]);
    Server::spawn(
        command
            .envs(more.iter().copied())
            .env("HASURA_GRAPHQL_DATABASE_URL", database.url())
            .env("HASURA_GRAPHQL_ADMIN_SECRET", SECRET)
            .env("ROWLOCK_METADATA_RATE_LIMIT_PER_MINUTE", rate),
    )
}

fn exceeded(most: u64) -> Value {
    json!({"error": format!("the rate limit of {most} requests per minute is exceeded"),
           "path": "$", "code": "rate-limit-exceeded"})
}

/// Addresses of clients, each with a rate of its own. One request a minute leaves the next one a minute away.
fn from(address: &str) -> (&str, &str) {
    ("x-real-ip", address)
}

#[test]
fn the_metadata_api_has_a_rate() {
    let database = TestDatabase::create("metadata_rate");
    let server = limited(&database, "1");
    let export = json!({"type": "export_metadata", "args": {}});
    let sql = json!({"type": "run_sql", "args": {"sql": "select 1"}});
    // Whatever it was used up by, admins are no exception.
    let (one, two, three) = (from("10.0.0.1"), from("10.0.0.2"), from("10.0.0.3"));
    assert_eq!(server.json("/v1/metadata", &[ADMIN, one], &export).0, 200);
    assert_eq!(server.json("/v2/query", &[ADMIN, two], &sql).0, 200);
    assert_eq!(server.send("GET", "/v1alpha1/config", &[ADMIN, three], "").0, 200);
    for address in [two, three] {
        assert_eq!(server.json("/v1/metadata", &[ADMIN, address], &export).0, 429);
    }
    for (at, path) in ["/v1/metadata", "/v1/query", "/v2/query", "/v1/graphql/explain"]
        .into_iter()
        .enumerate()
    {
        let address = format!("10.0.1.{at}");
        assert_ne!(server.json(path, &[ADMIN, from(&address)], &export).0, 429);
        assert_eq!(
            server.json(path, &[ADMIN, from(&address)], &export),
            (429, exceeded(1)),
            "{path}"
        );
    }
    for (at, path) in ["/v1alpha1/config", "/healthz/sources", "/api/swagger/json"]
        .into_iter()
        .enumerate()
    {
        let address = format!("10.0.2.{at}");
        let get = || server.send("GET", path, &[ADMIN, from(&address)], "").0;
        assert_eq!((get(), get()), (200, 429), "{path}");
    }
    // Operations of others go on, and so does what probes and clients without a secret ask.
    let query = json!({"query": "{ __typename }"});
    assert_eq!(server.json("/v1/graphql", &[one], &query).0, 200);
    assert_eq!(server.send("GET", "/healthz", &[one], "").0, 200);
}

#[test]
fn guesses_of_the_secret_are_bounded() {
    let database = TestDatabase::create("guesses");
    let server = limited(&database, "1");
    let query = json!({"query": "{ __typename }"});
    for _ in 0..50 {
        assert_eq!(
            server
                .json("/v1alpha1/graphql", &[ADMIN, from("10.0.0.1")], &query)
                .0,
            200,
            "the right one costs nothing"
        );
    }
    let wrong_key = ("x-hasura-access-key", "x");
    let denied = |shown: &str, address: &str| {
        let address = [from(address)];
        let mut socket = Socket::open(&server, "/v1/graphql", APOLLO, &address)
            .ok()
            .unwrap();
        socket.send(&init(&[("x-hasura-admin-secret", shown)]));
        let told = socket.message();
        assert_eq!(told["type"], "connection_error");
        told["payload"].clone()
    };
    // Whatever it was shown to.
    let guess = |place: usize, address: &str| match place {
        0 => {
            server
                .json("/v1alpha1/graphql", &[WRONG, from(address)], &query)
                .0
        }
        1 => server.send("GET", "/api/rest/x", &[WRONG, from(address)], "").0,
        2 => {
            server
                .json("/v1alpha1/graphql", &[wrong_key, from(address)], &query)
                .0
        }
        _ => {
            let told = "invalid \"x-hasura-admin-secret\"/\"x-hasura-access-key\"";
            assert_eq!(denied("x", address), json!(told));
            401
        }
    };
    // From then on nobody is told there whether a secret is right, wherever it is shown.
    let told = "the rate limit of 1 requests per minute is exceeded";
    let refusal =
        json!({"errors": [{"message": told, "extensions": {"path": "$", "code": "rate-limit-exceeded"}}]});
    for place in 0..4 {
        for (at, secret) in [WRONG, ADMIN].into_iter().enumerate() {
            for shown in 0..4 {
                let address = format!("10.{place}.{at}.{shown}");
                assert_eq!(guess(place, &address), 401);
                let headers = [secret, from(&address)];
                match shown {
                    0 => assert_eq!(
                        server.json("/v1/graphql", &headers, &query),
                        (429, refusal.clone())
                    ),
                    1 => assert_eq!(
                        server.send("GET", "/api/rest/x", &headers, ""),
                        (429, exceeded(1).to_string())
                    ),
                    2 => assert_eq!(server.send("GET", "/v1alpha1/config", &headers, "").0, 429),
                    _ => assert_eq!(denied(secret.1, &address), json!(told)),
                }
            }
        }
    }
    assert_eq!(guess(0, "10.9.9.9"), 401);
    let used_up = [from("10.9.9.9")];
    assert_eq!(server.json("/v1alpha1/graphql", &used_up, &query).0, 200);
    let other = [ADMIN, from("10.9.9.8")];
    assert_eq!(server.json("/v1alpha1/graphql", &other, &query).0, 200);
}

/// Behind two proxies that add whom they saw, what stands before their words is the client's own.
#[test]
fn proxies_that_are_trusted_are_counted_from_the_end() {
    let database = TestDatabase::create("proxies");
    let server = limited_with(&database, "1", &[("ROWLOCK_TRUSTED_PROXIES", "2")]);
    let query = json!({"query": "{ __typename }"});
    let guess = |forwarded: &str| {
        let headers = [WRONG, ("x-forwarded-for", forwarded), ("x-real-ip", "10.9.9.9")];
        server.json("/v1alpha1/graphql", &headers, &query).0
    };
    assert_eq!(guess("10.0.0.1, 10.1.0.1"), 401);
    assert_eq!(
        guess("6.6.6.6, 10.0.0.1, 10.1.0.1"),
        429,
        "made up in front of it"
    );
    assert_eq!(guess("6.6.6.7,10.0.0.1,10.1.0.2"), 429, "by another inner proxy");
    assert_eq!(guess("10.0.0.1, 10.0.0.2, 10.1.0.1"), 401, "another client");
    // Too few words: what is left is the socket's peer, for all of them together.
    assert_eq!((guess("10.0.0.3"), guess("10.0.0.4")), (401, 429));
}

/// Whoever writes another address into each request gets no more guesses, and locks nobody else out.
#[test]
fn addresses_that_are_made_up_count_for_nothing() {
    let database = TestDatabase::create("made_up");
    let server = limited_with(&database, "2", &[]);
    let query = json!({"query": "{ __typename }"});
    let guess = |address: &str| {
        let made_up = [WRONG, ("x-real-ip", address), ("x-forwarded-for", address)];
        server.json("/v1alpha1/graphql", &made_up, &query).0
    };
    let told: Vec<u16> = ["10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4"].map(guess).into();
    assert_eq!(told, [401, 401, 429, 429]);
}

/// Only inside of the cluster: the metadata API on the admin port alone.
#[test]
fn the_metadata_api_on_its_own_port() {
    let database = TestDatabase::create("own_port");
    let mut command = rowlock(&[
        "serve",
        "--server-port",
        "0",
        "--admin-port",
        "0",
        "--enabled-apis",
        "graphql",
    ]);
    let server = Server::spawn(
        command
            .env("HASURA_GRAPHQL_DATABASE_URL", database.url())
            .env("HASURA_GRAPHQL_ADMIN_SECRET", SECRET)
            .env("ROWLOCK_ADMIN_APIS", "metadata")
            .env("ROWLOCK_ADMIN_TOKEN", "token"),
    );
    let line = server.log_line("the admin port", |line| {
        line["detail"]["info"]["admin_address"].is_string()
    });
    let address = line["detail"]["info"]["admin_address"].as_str().unwrap();
    let port: u16 = address.rsplit(':').next().unwrap().parse().unwrap();
    let inside = |path: &str, headers: &[(&str, &str)], body: &Value| {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        write_request(&mut stream, "POST", path, headers, &body.to_string());
        read_response(&mut stream).0
    };
    let export = json!({"type": "export_metadata", "args": {}});
    assert_eq!(server.json("/v1/metadata", &[ADMIN], &export).0, 404);
    assert_eq!(inside("/v1/metadata", &[ADMIN], &export), 200);
    assert_eq!(inside("/v1/metadata", &[WRONG], &export), 401);
    let query = json!({"query": "{ __typename }"});
    assert_eq!(inside("/v1/graphql", &[ADMIN], &query), 404);
    assert_eq!(server.json("/v1/graphql", &[ADMIN], &query).0, 200);
    // What is the operator's stays so.
    assert_eq!(inside("/v1/generation", &[ADMIN], &query), 401);
}

#[test]
fn data_commands_have_limits() {
    let database = TestDatabase::create("data_limits");
    let server = server(&database, &[]);
    let limits = |limits: Value| {
        let set = json!({"type": "set_api_limits", "args": limits});
        assert_eq!(server.json("/v1/metadata", &[ADMIN], &set).0, 200);
    };
    let user = [ADMIN, ("x-hasura-role", "user"), ("x-hasura-user-id", "2")];
    let select = json!({"type": "select", "args": {"table": "item", "columns": ["id"]}});
    let bulk = json!({"type": "bulk", "args": [select, select]});
    limits(json!({"batch_limit": {"global": 1, "per_role": {}}}));
    assert_eq!(
        server.json("/v1/query", &user, &bulk),
        (
            400,
            json!({"error": "the number of operations in a batch is 2, which exceeds the limit of 1",
                   "path": "$", "code": "validation-failed"})
        )
    );
    let alone =
        json!({"global": {"max_reqs_per_min": 1, "unique_params": ["x-hasura-user-id"]}, "per_role": {}});
    limits(json!({ "rate_limit": alone }));
    let as_user = |id: &'static str| [ADMIN, ("x-hasura-role", "user"), ("x-hasura-user-id", id)];
    assert_eq!(server.json("/v2/query", &as_user("3"), &select).0, 200);
    assert_eq!(
        server.json("/v1/query", &as_user("3"), &select),
        (429, exceeded(1))
    );
    assert_eq!(server.json("/v2/query", &as_user("4"), &select).0, 200);
    let query = json!({"query": "{ __typename }"});
    assert_eq!(
        server.json("/v1/graphql", &as_user("4"), &query).0,
        429,
        "counted together with operations"
    );
    limits(json!({"rate_limit": {"global": {"max_reqs_per_min": 2}, "per_role": {}}}));
    assert_eq!(server.json("/v1/query", &user, &bulk).0, 200, "counts twice");
    assert_eq!(server.json("/v1/query", &user, &select), (429, exceeded(2)));
    assert_eq!(server.json("/v1/query", &[ADMIN], &bulk).0, 200);
    let sql = "create view slow as select id, (select pg_sleep(600) is null) as s from item";
    let run = json!({"type": "run_sql", "args": {"sql": sql}});
    assert_eq!(server.json("/v2/query", &[ADMIN], &run).0, 200);
    let all = json!([
        {"type": "pg_track_table", "args": {"table": "slow"}},
        {"type": "pg_create_select_permission", "args": {"table": "slow", "role": "user",
            "permission": {"columns": ["s"], "filter": {}}}},
    ]);
    let (status, answer) = server.json("/v1/metadata", &[ADMIN], &json!({"type": "bulk", "args": all}));
    assert_eq!(status, 200, "{answer}");
    limits(json!({"time_limit": {"global": 0.1, "per_role": {}}}));
    let slow = json!({"type": "select", "args": {"table": "slow", "columns": ["s"]}});
    assert_eq!(
        server.json("/v1/query", &user, &slow),
        (
            500,
            json!({"error": "the operation took longer than the time limit of 0.1 seconds",
                   "path": "$", "code": "timeout"})
        )
    );
    // The database does not go on with what nobody waits for.
    let sql = "select count(*) from pg_stat_activity where state = 'active' and datname = current_database() \
               and query like '%\"slow\"%' and pid <> pg_backend_pid()";
    let run = json!({"type": "run_sql", "args": {"sql": sql, "read_only": true}});
    let started = Instant::now();
    loop {
        let (status, answer) = server.json("/v2/query", &[ADMIN], &run);
        assert_eq!(status, 200, "{answer}");
        if answer["result"][1][0] == "0" {
            break;
        }
        assert!(started.elapsed() < PATIENCE, "{answer}");
        pause();
    }
}

/// Whatever is asked, and however it ends.
#[test]
fn answers_are_what_they_declare() {
    let database = TestDatabase::create("nosniff");
    let server = server(
        &database,
        &["--enable-console", "--unauthorized-role", "anonymous"],
    );
    for (request, status) in [
        ("POST /v1/graphql", 200),
        ("GET /v1/graphql", 200),
        ("DELETE /v1/graphql", 405),
        ("GET /nowhere", 404),
        ("GET /api/rest/x", 404),
        ("GET /api/swagger/json", 400),
        ("POST /v1/metadata", 400),
        ("GET /healthz", 200),
        ("GET /livez", 200),
        ("GET /v1/version", 200),
        ("GET /console", 200),
        ("GET /console/console.js", 200),
        ("GET /", 302),
        ("OPTIONS /v1/graphql", 204),
    ] {
        let mut stream = server.connect();
        let body = r#"{"query":"{ __typename }"}"#;
        let head = format!(
            "{request} HTTP/1.1\r\nhost: x\r\norigin: https://a.example\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(head.as_bytes()).unwrap();
        let mut whole = String::new();
        stream.read_to_string(&mut whole).unwrap();
        let head = whole.split("\r\n\r\n").next().unwrap().to_ascii_lowercase();
        assert!(
            head.starts_with(&format!("http/1.1 {status} ")),
            "{request} {head}"
        );
        assert_eq!(
            head.matches("\r\nx-content-type-options: nosniff").count(),
            1,
            "{request} {head}"
        );
        let page = head.contains("content-type: text/html");
        assert_eq!(page, request == "GET /console", "{request} {head}");
        for header in [
            "x-frame-options: deny",
            "referrer-policy: no-referrer",
            "frame-ancestors 'none'",
        ] {
            assert!(head.contains(header) || !page, "{header} {head}");
        }
    }
}
