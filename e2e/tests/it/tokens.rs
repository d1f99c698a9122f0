//! People come in with tokens: the keys of an Engine's `auth.jwt` are in a Secret and change live, the old one beside the
//! new one for a while; and limits hold for whoever comes in.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use e2e::answer::Client;
use e2e::figure::note;
use e2e::wait::until;
use ring::hmac;
use serde_json::{Value, json};

use crate::load::Load;
use crate::shop::{SOON, Shop, object};

const AUTHORS: &str = "query { author(order_by: {id: asc}) { id } }";
const BOOKS: &str = "query { author(order_by: {id: asc}) { id books(order_by: {id: asc}) { id } } }";

/// A way to verify tokens, with the key of this name.
fn setting(key: &str) -> String {
    json!({"type": "HS256", "key": secret(key)}).to_string()
}

fn secret(key: &str) -> String {
    format!("{key}-{}", "k".repeat(32))
}

/// A customer with a token that a key of this name signed.
fn customer(key: &str) -> Client {
    let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("a time")
        .as_secs();
    let payload = json!({"exp": now + 3600, "https://hasura.io/jwt/claims": {
        "x-hasura-allowed-roles": ["customer"], "x-hasura-default-role": "customer"}});
    let signed = format!(
        "{}.{}",
        encode(br#"{"alg":"HS256"}"#),
        encode(payload.to_string().as_bytes())
    );
    let signature = hmac::sign(
        &hmac::Key::new(hmac::HMAC_SHA256, secret(key).as_bytes()),
        signed.as_bytes(),
    );
    let token = format!("Bearer {signed}.{}", encode(signature.as_ref()));
    Client::anonymous()
        .expect("a client")
        .with("authorization", &token)
}

/// The Secret with the two keys that are good.
async fn keys(shop: &Shop, first: &str, second: &str) -> Instant {
    let secret = json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "tokens"},
        "stringData": {"first": setting(first), "second": setting(second)},
    });
    shop.apply(&secret).await;
    Instant::now()
}

fn refusal(message: &str, code: &str) -> Value {
    json!({"errors": [{"message": message, "extensions": {"path": "$", "code": code}}]})
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a cluster with a node: e2e/run"]
async fn keys_of_tokens_change_without_a_restart() {
    let shop = Shop::plan("tokens", 2).await;
    keys(&shop, "old", "old").await;
    let mut objects = shop.objects();
    let from = |key: &str| json!({"secretKeyRef": {"name": "tokens", "key": key}});
    for object in objects.iter_mut().filter(|object| object["kind"] == "Engine") {
        object["spec"]["auth"]["jwt"] = json!([from("first"), from("second")]);
    }
    for object in &objects {
        shop.apply(object).await;
    }
    for object in &objects {
        shop.ready(object).await;
    }
    let pods = shop.has_pods(2).await;
    let address = shop.address().await;
    let (old, new) = (customer("old"), customer("new"));
    let body = json!({"data": {"author": [{"id": 1}, {"id": 2}]}});
    let stranger = refusal(
        "Could not verify JWT: JWSError JWSInvalidSignature",
        "invalid-jwt",
    );
    for pod in &pods {
        shop.answers(&pod.address, &old, AUTHORS, &body).await;
        shop.answers(&pod.address, &new, AUTHORS, &stranger).await;
    }
    let bodies = std::slice::from_ref(&body);

    // The new key beside the old one, while people come in with the old one.
    let load = Load::start(3, &old, &address, AUTHORS, bodies);
    let began = keys(&shop, "old", "new").await;
    for pod in &pods {
        shop.answers(&pod.address, &new, AUTHORS, &body).await;
    }
    let overlap = began.elapsed();
    let by_old = load.end().await;

    // The old one goes, while people come in with the new one.
    let load = Load::start(3, &new, &address, AUTHORS, bodies);
    let began = keys(&shop, "new", "new").await;
    for pod in &pods {
        shop.answers(&pod.address, &old, AUTHORS, &stranger).await;
    }
    let removed = began.elapsed();
    let by_new = load.end().await;
    note(
        "8 rotation",
        "JWT key: Secret to effective in 2 of 2 pods; to the old one refused",
        &format!("{} ms; {} ms", overlap.as_millis(), removed.as_millis()),
    );
    note(
        "8 rotation",
        "valid tokens refused meanwhile",
        &format!("0 of {}", by_old.latencies.len() + by_new.latencies.len()),
    );
    for took in [overlap, removed] {
        assert!(took < Duration::from_secs(10), "{took:?}");
    }

    // A limit holds for them as soon as it is served, and no more than it says.
    let whole = new.graphql(&address, BOOKS).await.expect("an answer");
    assert!(whole.body["data"].is_object(), "{whole:?}");
    let limits = object(
        "APILimits",
        "limits",
        json!({"depth": {"global": 10, "roles": [{"role": "customer", "value": 2}]}}),
    );
    shop.apply(&limits).await;
    shop.ready(&limits).await;
    for pod in &pods {
        let limited = until(SOON, "the limit holds", || async {
            let answer = new
                .graphql(&pod.address, BOOKS)
                .await
                .map_err(|error| error.to_string())?;
            match answer.body["errors"][0]["message"].as_str() {
                Some("the depth is 3, which exceeds the limit of 2") => Ok(()),
                _ => Err(answer.body.to_string()),
            }
        });
        limited.await.unwrap_or_else(|error| panic!("{error}"));
        shop.answers(&pod.address, &new, AUTHORS, &body).await;
    }
    assert_eq!(
        shop.has_pods(2).await,
        pods,
        "no pod was replaced or started again"
    );
    shop.close().await;
}
