//! Stand-ins for an issuer of tokens and a webhook, and a server with rows that belong to users.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use embedded::test::TestDatabase;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use rustls::pki_types::PrivatePkcs8KeyDer;
use serde_json::{Value, json};

use crate::process::Server;

/// An HTTP server of the test's own: it answers everything with what it is told, and keeps what it was asked.
pub(crate) struct StandIn {
    pub(crate) port: u16,
    pub(crate) answer: Arc<Mutex<(u16, String, String)>>,
    pub(crate) asked: Arc<Mutex<Vec<String>>>,
    pub(crate) connections: Arc<AtomicUsize>,
}

impl StandIn {
    pub(crate) fn start() -> Self {
        Self::with(|stream| stream)
    }

    /// One that speaks TLS alone.
    pub(crate) fn with_tls(certificate: Vec<u8>, key: Vec<u8>) -> Self {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.into()], PrivatePkcs8KeyDer::from(key).into())
            .unwrap();
        let config = Arc::new(config);
        Self::with(move |stream| {
            let connection = rustls::ServerConnection::new(Arc::clone(&config)).unwrap();
            rustls::StreamOwned::new(connection, stream)
        })
    }

    fn with<S: Read + Write>(wrapped: impl Fn(TcpStream) -> S + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let stand_in = Self {
            port: listener.local_addr().unwrap().port(),
            answer: Arc::new(Mutex::new((503, String::new(), String::new()))),
            asked: Arc::default(),
            connections: Arc::default(),
        };
        let (answer, asked) = (Arc::clone(&stand_in.answer), Arc::clone(&stand_in.asked));
        let connections = Arc::clone(&stand_in.connections);
        let wrapped = Arc::new(wrapped);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                connections.fetch_add(1, Ordering::SeqCst);
                let (answer, asked) = (Arc::clone(&answer), Arc::clone(&asked));
                let wrapped = Arc::clone(&wrapped);
                std::thread::spawn(move || serve(wrapped(stream), &answer, &asked));
            }
        });
        stand_in
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/", self.port)
    }

    pub(crate) fn answers(&self, status: u16, headers: &str, body: &Value) {
        *self.answer.lock().unwrap() = (status, headers.to_owned(), body.to_string());
    }

    /// What it was asked last.
    pub(crate) fn last(&self) -> String {
        self.asked.lock().unwrap().last().cloned().unwrap_or_default()
    }
}

fn serve(stream: impl Read + Write, answer: &Mutex<(u16, String, String)>, asked: &Mutex<Vec<String>>) {
    let mut reader = BufReader::new(stream);
    loop {
        let mut head = String::new();
        loop {
            let before = head.len();
            if reader.read_line(&mut head).unwrap_or(0) == 0 {
                return;
            }
            if &head[before..] == "\r\n" {
                break;
            }
        }
        let length = head
            .lines()
            .find_map(|line| {
                line.to_ascii_lowercase()
                    .strip_prefix("content-length:")?
                    .trim()
                    .parse()
                    .ok()
            })
            .unwrap_or(0);
        let mut body = vec![0; length];
        reader.read_exact(&mut body).unwrap();
        asked
            .lock()
            .unwrap()
            .push(head + &String::from_utf8(body).unwrap());
        let (status, headers, body) = answer.lock().unwrap().clone();
        let told = format!(
            "HTTP/1.1 {status} Told\r\n{headers}content-length: {}\r\n\r\n{body}",
            body.len()
        );
        if reader.get_mut().write_all(told.as_bytes()).is_err() {
            return;
        }
    }
}

/// An issuer's key.
pub(crate) struct Issuer(EcdsaKeyPair, &'static str);

impl Issuer {
    pub(crate) fn new(kid: &'static str) -> Self {
        let random = SystemRandom::new();
        let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
        Self(
            EcdsaKeyPair::from_pkcs8(algorithm, pkcs8.as_ref(), &random).unwrap(),
            kid,
        )
    }

    pub(crate) fn jwk(&self) -> Value {
        let point = self.0.public_key().as_ref();
        json!({"kty": "EC", "crv": "P-256", "kid": self.1, "use": "sig", "alg": "ES256",
               "x": encode(&point[1..33]), "y": encode(&point[33..])})
    }

    pub(crate) fn sign(&self, payload: &Value) -> String {
        let header = json!({"alg": "ES256", "kid": self.1}).to_string();
        self.sign_bytes(&header, payload.to_string().as_bytes())
    }

    /// Whatever header and payload are.
    pub(crate) fn sign_bytes(&self, header: &str, payload: &[u8]) -> String {
        let signed = format!("{}.{}", encode(header.as_bytes()), encode(payload));
        let signature = self.0.sign(&SystemRandom::new(), signed.as_bytes()).unwrap();
        format!("{signed}.{}", encode(signature.as_ref()))
    }
}

pub(crate) fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

pub(crate) fn in_an_hour() -> u64 {
    (SystemTime::now() + Duration::from_secs(3600))
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs()
}

pub(crate) fn payload(user: &str) -> Value {
    json!({"exp": in_an_hour(), "aud": "app", "https://hasura.io/jwt/claims": {
        "x-hasura-allowed-roles": ["user", "editor"], "x-hasura-default-role": "user", "x-hasura-user-id": user}})
}

pub(crate) const SECRET: &str = "the-admin-secret";
pub(crate) const ADMIN: (&str, &str) = ("x-hasura-admin-secret", SECRET);

/// A server with a table whose rows belong to users 1 and 2.
pub(crate) fn server(database: &TestDatabase, arguments: &[&str]) -> Server {
    let mut all = vec!["--admin-secret", SECRET];
    all.extend_from_slice(arguments);
    let server = Server::start(database, &all);
    let sql = "create table item (id int primary key, owner text); insert into item values (1, '1'), (2, '2'), (3, '2')";
    let run = json!({"type": "run_sql", "args": {"sql": sql}});
    assert_eq!(server.json("/v2/query", &[ADMIN], &run).0, 200);
    let permission = |role: &str| {
        json!({"type": "pg_create_select_permission", "args": {"table": "item", "role": role, "permission": {
            "columns": ["id", "owner"], "filter": {"owner": {"_eq": "X-Hasura-User-Id"}}}}})
    };
    let all = json!([
        {"type": "pg_track_table", "args": {"table": "item"}},
        permission("user"),
        permission("anonymous"),
    ]);
    let (status, answer) = server.json("/v1/metadata", &[ADMIN], &json!({"type": "bulk", "args": all}));
    assert_eq!(status, 200, "{answer}");
    server
}

/// The ids that a request sees, or code and message of its refusal, on the endpoint that shows statuses.
pub(crate) fn ids(server: &Server, headers: &[(&str, &str)]) -> (u16, Value) {
    let query = json!({"query": "{ item(order_by: {id: asc}) { id } }"});
    let (status, answer) = server.json("/v1alpha1/graphql", headers, &query);
    let told = match answer["errors"].get(0) {
        Some(error) => json!([error["extensions"]["code"], error["message"]]),
        None => answer["data"]["item"]
            .as_array()
            .unwrap()
            .iter()
            .map(|item| item["id"].clone())
            .collect(),
    };
    (status, told)
}
