//! Requests that the engine makes, over TLS: whom it trusts.

use std::time::Instant;

use embedded::test::TestDatabase;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use serde_json::{Value, json};

use crate::process::{PATIENCE, Server};
use crate::stand_in::{self, ADMIN, SECRET, StandIn, ids, server};
use crate::wait::pause;

const USER: &str = r#"{"X-Hasura-Role":"user","X-Hasura-User-Id":"2"}"#;
const UNREACHABLE: &str = "webhook authentication request failed";

fn refused() -> (u16, Value) {
    (500, json!(["unexpected", UNREACHABLE]))
}

/// A hook behind this certificate, by the name `localhost`.
fn hook(certificate: &rcgen::Certificate, key: &KeyPair) -> (StandIn, String) {
    let hook = StandIn::with_tls(certificate.der().to_vec(), key.serialize_der());
    let user: Value = serde_json::from_str(USER).unwrap();
    hook.answers(200, "", &user);
    let url = format!("https://localhost:{}/", hook.port);
    (hook, url)
}

#[test]
fn an_authority_of_ones_own() {
    let mut parameters = CertificateParams::new(Vec::new()).unwrap();
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let authority = parameters.self_signed(&key).unwrap();
    let issuer = Issuer::new(parameters, key);
    let own = KeyPair::generate().unwrap();
    let mut parameters = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    parameters.distinguished_name.push(DnType::CommonName, "hook");
    let certificate = parameters.signed_by(&own, &issuer).unwrap();
    let (hook, url) = hook(&certificate, &own);
    let database = TestDatabase::create("outbound_ca");
    let strict = server(&database, &["--auth-hook", &url]);
    assert_eq!(ids(&strict, &[]), refused());
    assert!(hook.asked.lock().unwrap().is_empty());
    // What is tolerated of a host is another thing than an authority that nobody knows.
    allow(&strict, &json!({"host": "localhost"}), 200);
    assert_eq!(ids(&strict, &[]), refused());
    drop(strict);
    let folder = std::env::temp_dir().join(format!("rowlock-authority-{}", std::process::id()));
    std::fs::write(&folder, authority.pem()).unwrap();
    let mut command = crate::process::rowlock(&["serve", "--server-port", "0", "--auth-hook", &url]);
    let trusting = Server::spawn(
        command
            .env("HASURA_GRAPHQL_DATABASE_URL", database.url())
            .env("HASURA_GRAPHQL_ADMIN_SECRET", SECRET)
            .env("ROWLOCK_OUTBOUND_CA_FILE", &folder),
    );
    std::fs::remove_file(&folder).unwrap();
    assert_eq!(ids(&trusting, &[]), (200, json!([2, 3])));
    assert_eq!(hook.asked.lock().unwrap().len(), 1);
}

/// The same for an issuer's keys.
#[test]
fn keys_come_over_tls_that_is_trusted() {
    let mut parameters = CertificateParams::new(Vec::new()).unwrap();
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let authority = parameters.self_signed(&key).unwrap();
    let signer = Issuer::new(parameters, key);
    let own = KeyPair::generate().unwrap();
    let parameters = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let signed = parameters.signed_by(&own, &signer).unwrap();
    let alone = KeyPair::generate().unwrap();
    let parameters = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let self_signed = parameters.self_signed(&alone).unwrap();
    let issuer = stand_in::Issuer::new("one");
    let token = format!("Bearer {}", issuer.sign(&stand_in::payload("2")));
    let bearer = [("authorization", token.as_str())];
    let set = json!({"keys": [issuer.jwk()]});
    let database = TestDatabase::create("outbound_keys");
    drop(server(&database, &[]));
    let file = std::env::temp_dir().join(format!("rowlock-authority-of-keys-{}", std::process::id()));
    std::fs::write(&file, authority.pem()).unwrap();
    let start = |url: &str, trusts: bool| {
        let mut command = crate::process::rowlock(&["serve", "--server-port", "0"]);
        command
            .env("HASURA_GRAPHQL_DATABASE_URL", database.url())
            .env("HASURA_GRAPHQL_ADMIN_SECRET", SECRET)
            .env("HASURA_GRAPHQL_JWT_SECRET", json!({ "jwk_url": url }).to_string());
        if trusts {
            command.env("ROWLOCK_OUTBOUND_CA_FILE", &file);
        }
        Server::spawn(&mut command)
    };
    let let_in = |server: &Server| {
        let started = Instant::now();
        let mut told = ids(server, &bearer);
        while told.0 == 401 && started.elapsed() < PATIENCE {
            pause();
            told = ids(server, &bearer);
        }
        assert_eq!(told, (200, json!([2, 3])));
    };
    // An authority of one's own.
    let (published, _) = hook(&signed, &own);
    published.answers(200, "", &set);
    let url = format!("https://localhost:{}/", published.port);
    let strict = start(&url, false);
    assert_eq!(ids(&strict, &bearer).0, 401);
    allow(&strict, &json!({"host": "localhost"}), 200);
    assert_eq!(ids(&strict, &bearer).0, 401);
    assert!(published.asked.lock().unwrap().is_empty());
    forget(&strict, &json!({"host": "localhost"}));
    drop(strict);
    let_in(&start(&url, true));
    std::fs::remove_file(&file).unwrap();
    // A host of the TLS allow list.
    let (published, _) = hook(&self_signed, &alone);
    published.answers(200, "", &set);
    let server = start(&format!("https://localhost:{}/", published.port), false);
    assert_eq!(ids(&server, &bearer).0, 401);
    allow(
        &server,
        &json!({"host": "localhost", "suffix": published.port.to_string()}),
        200,
    );
    let_in(&server);
}

fn allow(server: &Server, entry: &Value, wanted: u16) {
    let command = json!({"type": "add_host_to_tls_allowlist", "args": entry});
    let (status, answer) = server.json("/v1/metadata", &[ADMIN], &command);
    assert_eq!(status, wanted, "{answer}");
}

fn forget(server: &Server, entry: &Value) {
    let command = json!({"type": "drop_host_from_tls_allowlist", "args": entry});
    let (status, answer) = server.json("/v1/metadata", &[ADMIN], &command);
    assert_eq!(status, 200, "{answer}");
}

#[test]
fn hosts_of_the_tls_allow_list() {
    let certified = |name: &str, is_ca: bool, expired: bool| {
        let mut parameters = CertificateParams::new(vec![name.to_owned()]).unwrap();
        if is_ca {
            parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        }
        if expired {
            parameters.not_after = rcgen::date_time_ymd(2020, 1, 1);
        }
        let key = KeyPair::generate().unwrap();
        (parameters.self_signed(&key).unwrap(), key)
    };
    let database = TestDatabase::create("outbound_self_signed");
    let setup = server(&database, &[]);
    for (kind, host, code, told) in [
        ("add", "", "bad-request", "key \"host\" cannot be empty"),
        ("drop", "", "bad-request", "hostname cannot be empty"),
        (
            "drop",
            "x",
            "not-exists",
            "the host \"x\" isn't present in the allowlist",
        ),
    ] {
        let preposition = if kind == "add" { "to" } else { "from" };
        let kind = format!("{kind}_host_{preposition}_tls_allowlist");
        let (status, answer) = setup.json(
            "/v1/metadata",
            &[ADMIN],
            &json!({"type": kind, "args": {"host": host}}),
        );
        assert_eq!(
            (status, &answer["code"], &answer["error"]),
            (400, &json!(code), &json!(told))
        );
    }
    drop(setup);
    for (name, is_ca, expired) in [
        ("localhost", false, false),
        ("localhost", true, false),
        ("another.example", false, false),
        ("localhost", false, true),
    ] {
        let (certificate, key) = certified(name, is_ca, expired);
        let (hook, url) = hook(&certificate, &key);
        let server = Server::start(&database, &["--admin-secret", SECRET, "--auth-hook", &url]);
        let port = hook.port.to_string();
        assert_eq!(ids(&server, &[]), refused(), "{name}");
        for other in [
            json!({"host": "localhost", "suffix": "1"}),
            json!({"host": "elsewhere.example"}),
        ] {
            allow(&server, &other, 200);
            assert_eq!(ids(&server, &[]), refused(), "{other}");
            forget(&server, &other);
        }
        for entry in [
            json!({"host": "localhost", "suffix": port, "permissions": ["self-signed"]}),
            json!({"host": "localhost"}),
        ] {
            allow(&server, &entry, 200);
            allow(&server, &entry, 400);
            if expired {
                assert_eq!(ids(&server, &[]), refused());
            } else {
                assert_eq!(ids(&server, &[]), (200, json!([2, 3])), "{name} {is_ca} {entry}");
            }
            forget(&server, &json!({"host": "localhost"}));
            assert_eq!(ids(&server, &[]), refused(), "no connection outlives the entry");
        }
    }
}
