//! Endpoints over a server without databases: an empty metadata directory.

use std::net::Ipv4Addr;

use http_body_util::BodyExt;
use serde_json::json;
use tower::ServiceExt;

use super::router::Peer;
use super::*;
use crate::observe::Observer;
use crate::observe::log::Logger;
use crate::settings::{Environment, command_line, reader};

struct Server {
    state: Arc<State>,
    _folder: Folder,
}

/// A folder that goes with its value.
struct Folder(std::path::PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

impl Server {
    async fn start(flags: &[&str]) -> Self {
        let folder = Folder(std::env::temp_dir().join(format!("rowlock-{}", uuid::Uuid::new_v4())));
        std::fs::create_dir(&folder.0).unwrap();
        std::fs::write(folder.0.join("version.yaml"), "version: 3\n").unwrap();
        let origin = format!("--origin=directory:{}", folder.0.display());
        let line = ["rowlock", "serve", &origin]
            .into_iter()
            .chain(flags.iter().copied());
        let matches = command_line::command().try_get_matches_from(line).unwrap();
        let settings = reader::read(&matches, &Environment::default()).unwrap();
        let logger = Logger::to(&settings.log, std::io::sink());
        let observer = Observer::with_logger(&settings, logger).unwrap();
        let state = State::start(Arc::new(settings), observer).await.unwrap();
        Self {
            state,
            _folder: folder,
        }
    }

    async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> (HeaderMap, u16, String) {
        let mut request = http::Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut request = request.body(Body::from(body.to_owned())).unwrap();
        request.extensions_mut().insert(Peer(Ipv4Addr::LOCALHOST.into()));
        let router = router::router(Arc::clone(&self.state));
        let response = router.oneshot(request).await.unwrap();
        let (head, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let text = String::from_utf8_lossy(&body).into_owned();
        (head.headers, head.status.as_u16(), text)
    }

    async fn json(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> (u16, Value) {
        let (_, status, text) = self.send(method, path, headers, body).await;
        (status, serde_json::from_str(&text).unwrap())
    }
}

const GRAPHQL: &str = "/v1/graphql";
const TYPENAME: &str = r#"{"query":"{ __typename }"}"#;

#[tokio::test(flavor = "multi_thread")]
async fn operations_and_batches() {
    let server = Server::start(&[]).await;
    let (headers, status, body) = server
        .send("POST", GRAPHQL, &[("x-request-id", "r1")], TYPENAME)
        .await;
    assert_eq!(
        (status, body.as_str()),
        (200, r#"{"data":{"__typename":"query_root"}}"#)
    );
    assert_eq!(headers["x-request-id"], "r1");
    assert_eq!(headers["content-type"], "application/json; charset=utf-8");
    let batch = r#"[{"query":"{ __typename }"},{"query":"{ x }"}]"#;
    let (status, body) = server.json("POST", GRAPHQL, &[], batch).await;
    assert_eq!(status, 200);
    assert_eq!(body[0], json!({"data": {"__typename": "query_root"}}));
    assert_eq!(body[1]["errors"][0]["extensions"]["code"], "validation-failed");
    assert_eq!(server.json("POST", GRAPHQL, &[], "[]").await, (200, json!([])));
}

#[tokio::test(flavor = "multi_thread")]
async fn graphql_answers_200_and_v1alpha1_the_status() {
    let server = Server::start(&[]).await;
    let wrong = r#"{"query":"{ x }"}"#;
    let (status, body) = server.json("POST", GRAPHQL, &[], wrong).await;
    assert_eq!(status, 200);
    let (alpha_status, alpha) = server.json("POST", "/v1alpha1/graphql", &[], wrong).await;
    assert_eq!(alpha_status, 400);
    assert_eq!(alpha, body);
    let (status, body) = server.json("POST", GRAPHQL, &[], "nonsense").await;
    assert_eq!(status, 200);
    assert_eq!(body["errors"][0]["extensions"]["code"], "invalid-json");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_http_cannot_do() {
    let server = Server::start(&[]).await;
    let not_supported = json!({"errors": [{
        "message": "PersistedQueryNotSupported",
        "extensions": {"path": "$", "code": "not-supported"},
    }]});
    assert_eq!(
        server.json("GET", "/v1/graphql?query={a}", &[], "").await,
        (200, not_supported)
    );
    let (status, body) = server.json("GET", "/v1alpha1/graphql", &[], "").await;
    assert_eq!((status, &body["error"]), (404, &json!("resource does not exist")));
    // Who asks comes first.
    let server = Server::start(&["--admin-secret", "s"]).await;
    let (status, body) = server.json("GET", "/v1/graphql", &[], "").await;
    assert_eq!(
        (status, &body["errors"][0]["extensions"]["code"]),
        (200, &json!("access-denied"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets() {
    let server = Server::start(&["--admin-secret", "s"]).await;
    let (status, body) = server.json("POST", GRAPHQL, &[], TYPENAME).await;
    assert_eq!(status, 200);
    assert_eq!(
        body,
        json!({"errors": [{
            "message": "\"x-hasura-admin-secret\"/x-hasura-access-key required, but not found",
            "extensions": {"path": "$", "code": "access-denied"},
        }]})
    );
    // Only those who may ask are told what is wrong with the body.
    for (headers, code) in [
        (&[][..], "access-denied"),
        (&[("x-hasura-admin-secret", "s")], "invalid-json"),
    ] {
        let (_, body) = server.json("POST", GRAPHQL, headers, "{").await;
        assert_eq!(body["errors"][0]["extensions"]["code"], code);
    }
    let (status, body) = server
        .json("POST", "/v1/metadata", &[("x-hasura-admin-secret", "t")], "{}")
        .await;
    assert_eq!(status, 401);
    assert_eq!(
        body,
        json!({
            "error": "invalid \"x-hasura-admin-secret\"/\"x-hasura-access-key\"",
            "path": "$",
            "code": "access-denied",
        })
    );
    let (_, body) = server
        .json("POST", GRAPHQL, &[("X-Hasura-Admin-Secret", "s")], TYPENAME)
        .await;
    assert_eq!(body, json!({"data": {"__typename": "query_root"}}));
    let preserving = Server::start(&["--admin-secret", "s", "--preserve-401-errors"]).await;
    assert_eq!(preserving.json("POST", GRAPHQL, &[], TYPENAME).await.0, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn paths_and_methods() {
    let server = Server::start(&["--enabled-apis", "graphql"]).await;
    let nowhere = json!({"error": "resource does not exist", "path": "$", "code": "not-found"});
    for (method, path) in [
        ("GET", "/nowhere"),
        ("POST", "/nowhere"),
        ("POST", "/v1/metadata"),
        ("GET", "/v1alpha1/config"),
        ("GET", "/v1/metrics"),
        ("POST", "/healthz"),
    ] {
        let answer = server.json(method, path, &[], "").await;
        assert_eq!(answer, (404, nowhere.clone()), "{method} {path}");
    }
    // Saved queries are served whatever is on.
    for apis in ["graphql", "metadata", "config"] {
        let server = Server::start(&["--enabled-apis", apis]).await;
        let (status, body) = server.json("GET", "/api/rest/x", &[], "").await;
        assert_eq!(
            (status, &body["error"]),
            (404, &json!("Endpoint not found")),
            "{apis}"
        );
        let (status, _) = server.json("POST", GRAPHQL, &[], TYPENAME).await;
        assert_eq!(status, if apis == "graphql" { 200 } else { 404 }, "{apis}");
    }
    let (headers, status, body) = server.send("DELETE", GRAPHQL, &[], "").await;
    assert_eq!(status, 405);
    assert_eq!(headers["allow"], "POST, GET");
    assert!(body.contains("method-not-allowed"));
}

#[tokio::test(flavor = "multi_thread")]
async fn health_and_version() {
    let server = Server::start(&[]).await;
    for path in ["/healthz", "/hasura/healthz", "/healthz?strict=true", "/livez"] {
        let (headers, status, body) = server.send("GET", path, &[], "").await;
        assert_eq!((status, body.as_str()), (200, "OK"), "{path}");
        assert_eq!(headers["content-type"], "text/plain; charset=utf-8");
    }
    let (status, page) = server.json("GET", "/readyz", &[], "").await;
    assert_eq!((status, &page["status"]), (200, &json!("ready")));
    server.state.drain();
    assert_eq!(server.json("GET", "/readyz", &[], "").await.0, 503);
    assert!(server.json("GET", "/v1/version", &[], "").await.1["version"].is_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn admin_pages() {
    let server = Server::start(&["--admin-secret", "s", "--unauthorized-role", "nobody"]).await;
    let refusal = json!({"error": "You have to be an admin to access this endpoint", "path": "$", "code": "access-denied"});
    for path in ["/v1/graphql/explain", "/v1alpha1/graphql/explain"] {
        assert_eq!(
            server.json("POST", path, &[], TYPENAME).await,
            (400, refusal.clone())
        );
    }
    for path in ["/v1alpha1/config", "/healthz/sources", "/api/swagger/json"] {
        let answer = server.json("GET", path, &[], "").await;
        assert_eq!(answer, (400, refusal.clone()), "{path}");
        let answer = server
            .json("GET", path, &[("x-hasura-admin-secret", "s")], "")
            .await;
        assert_eq!(answer.0, 200, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_need_their_secret() {
    let server = Server::start(&["--enabled-apis", "graphql,metrics", "--metrics-secret", "m"]).await;
    server.send("POST", GRAPHQL, &[], TYPENAME).await;
    assert_eq!(server.send("GET", "/v1/metrics", &[], "").await.1, 401);
    assert_eq!(
        server
            .send("GET", "/v1/metrics", &[("authorization", "Bearer x")], "")
            .await
            .1,
        401
    );
    let (_, status, body) = server
        .send("GET", "/v1/metrics", &[("authorization", "Bearer m")], "")
        .await;
    assert_eq!(status, 200);
    assert!(body.contains("hasura_graphql_requests_total"), "{body}");
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_are_bounded() {
    let server = Server::start(&["--max-body-length", "1024"]).await;
    let long = format!(r#"{{"query":"{}"}}"#, " ".repeat(2000));
    let (status, body) = server.json("POST", GRAPHQL, &[], &long).await;
    let code = &body["errors"][0]["extensions"]["code"];
    assert_eq!((status, code), (413, &json!("payload-too-large")));
    let (status, body) = server.json("POST", "/v1/metadata", &[], &long).await;
    assert_eq!((status, &body["code"]), (413, &json!("payload-too-large")));
}

#[tokio::test(flavor = "multi_thread")]
async fn long_answers_are_compressed() {
    let server = Server::start(&[]).await;
    let introspection = r#"{"query":"{ __schema { types { name fields { name } } } }"}"#;
    let (headers, _, _) = server
        .send("POST", GRAPHQL, &[("accept-encoding", "gzip")], introspection)
        .await;
    assert_eq!(headers["content-encoding"], "gzip");
    let (headers, _, _) = server
        .send("POST", GRAPHQL, &[("accept-encoding", "gzip")], TYPENAME)
        .await;
    assert!(!headers.contains_key("content-encoding"));
}

#[tokio::test(flavor = "multi_thread")]
async fn browsers() {
    let server = Server::start(&["--cors-domain", "https://a.example"]).await;
    let origin = [("origin", "https://a.example")];
    let (headers, status, _) = server.send("OPTIONS", GRAPHQL, &origin, "").await;
    assert_eq!(status, 204);
    assert_eq!(headers["access-control-allow-origin"], "https://a.example");
    let (headers, ..) = server.send("POST", GRAPHQL, &origin, TYPENAME).await;
    assert_eq!(headers["access-control-allow-credentials"], "true");
    let (headers, status, _) = server
        .send("POST", GRAPHQL, &[("origin", "https://b.example")], TYPENAME)
        .await;
    assert_eq!(status, 200);
    assert!(!headers.contains_key("access-control-allow-origin"));
}

#[tokio::test(flavor = "multi_thread")]
async fn origins_of_a_wildcard_and_of_none() {
    let allowed = async |arguments: &[&str], origin: &str| {
        let server = Server::start(arguments).await;
        let origin = ("origin", origin);
        let (headers, status, _) = server.send("POST", GRAPHQL, &[origin], TYPENAME).await;
        assert_eq!(status, 200);
        let (preflight, status, _) = server.send("OPTIONS", GRAPHQL, &[origin], "").await;
        let allows = |headers: &HeaderMap| headers.contains_key("access-control-allow-origin");
        assert_eq!(allows(&preflight), allows(&headers));
        assert_eq!(status == 204, allows(&preflight), "{status}");
        allows(&headers)
    };
    let wildcard = ["--cors-domain=https://*.example.com:8443,https://b.example"];
    for (origin, wanted) in [
        ("https://a.example.com:8443", true),
        ("https://b.example", true),
        ("https://a.b.example.com:8443", false),
        ("https://a.example.com", false),
        ("http://a.example.com:8443", false),
    ] {
        assert_eq!(allowed(&wildcard, origin).await, wanted, "{origin}");
    }
    assert!(allowed(&[], "https://anything.example").await);
    assert!(!allowed(&["--disable-cors"], "https://anything.example").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_to_an_allowed_origin_says_so() {
    let server = Server::start(&["--cors-domain=https://a.example"]).await;
    let origin = ("origin", "https://a.example");
    for (method, path, status) in [
        ("GET", "/livez", 200),
        ("POST", "/v1/graphql", 200),
        ("PUT", "/v1/graphql", 405),
        ("GET", "/v1/metadata", 404),
        ("GET", "/nowhere", 404),
        ("GET", "/api/rest/nowhere", 404),
        ("OPTIONS", "/v1/graphql", 204),
    ] {
        let (headers, found, _) = server.send(method, path, &[origin], "{}").await;
        assert_eq!(found, status, "{method} {path}");
        assert_eq!(
            headers["access-control-allow-origin"], origin.1,
            "{method} {path}"
        );
        assert_eq!(
            headers["access-control-allow-credentials"], "true",
            "{method} {path}"
        );
        let (headers, ..) = server
            .send(method, path, &[("origin", "https://b.example")], "{}")
            .await;
        assert!(
            !headers.contains_key("access-control-allow-origin"),
            "{method} {path}"
        );
    }
}
