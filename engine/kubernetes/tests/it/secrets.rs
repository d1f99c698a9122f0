//! Variables as they change.

use std::time::Duration;

use kubernetes::{SecretNews, follow_secret};
use serde_json::json;
use tokio::sync::mpsc;

use crate::api_server::ApiServer;

const NAME: &str = "shop-secrets";

#[tokio::test]
async fn values_follow_the_secret() {
    let server = ApiServer::new();
    // "one", and bytes that are no text.
    server.put("secrets", NAME, json!({"data": {"A": "b25l", "B": "//8="}}));
    let (sender, mut news) = mpsc::unbounded_channel();
    let connection = server.connection();
    tokio::spawn(async move { follow_secret(&connection, NAME, |news| drop(sender.send(news))).await });
    let mut next = async || {
        tokio::time::timeout(Duration::from_secs(20), news.recv())
            .await
            .unwrap()
            .unwrap()
    };
    let SecretNews::Values { version, values } = next().await else {
        panic!("no values");
    };
    assert_eq!(
        values.into_iter().collect::<Vec<_>>(),
        [("A".to_owned(), "one".to_owned())]
    );
    server.put("secrets", NAME, json!({"data": {"A": "dHdv"}}));
    let changed = next().await;
    assert!(!format!("{changed:?}").contains("two"), "{changed:?}");
    let SecretNews::Values {
        version: later,
        values,
    } = changed
    else {
        panic!("no values");
    };
    assert_ne!(version, later);
    assert_eq!(values["A"], "two");
    server.delete("secrets", NAME);
    assert_eq!(next().await, SecretNews::Missing);
}
