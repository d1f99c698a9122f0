//! Secrets change: what they open goes on, with the new value, and no pod starts again.

use std::time::{Duration, Instant};

use e2e::answer::Client;
use e2e::figure::note;
use e2e::wait::until;
use serde_json::json;

use crate::load::Load;
use crate::shop::{SECRET, SOON, Shop, reading, table};

const AUTHORS: &str = "query { author(order_by: {id: asc}) { id } }";
const SESSION: &str = "query { session { is_new } }";

/// By this a pod tells whether the connection that it answers through was made after the password changed: from then on
/// nobody opens one with the old password.
const SESSIONS: &str = "
    create table changed (at timestamptz not null);
    create view session as
        select exists (select from changed where changed.at < backend_start) as is_new
        from pg_stat_activity where pid = pg_backend_pid();
";

/// Roles belong to the whole server: each story has its own.
const ACCOUNT: &str = "
    drop role if exists :\"account\";
    create role :\"account\" login password :'password';
    grant usage on schema public to :\"account\";
    grant select on all tables in schema public to :\"account\";
";

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a cluster with a node: e2e/run"]
async fn passwords_change_without_a_restart() {
    let shop = Shop::plan("rotation", 2).await;
    let account = format!("engine_{}", shop.story.namespace.replace('-', "_"));
    let password = |value: &'static str| [("account", account.clone()), ("password", value.to_owned())];
    let pairs = password("one");
    let values: Vec<(&str, &str)> = pairs
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    shop.database.run(SESSIONS).await.expect("a view");
    shop.database
        .run_with(ACCOUNT, &values)
        .await
        .expect("an account");
    shop.secret(SECRET, &shop.database.url_of(&account, "one")).await;
    // Admin secrets that are good besides the one of `spec.auth`: so that an old one is, while the new one is handed out.
    both_secrets(&shop, &[SECRET]).await;
    let mut engine = shop.engine();
    let from = json!({"secretKeyRef": {"name": "besides", "key": "list"}});
    engine["spec"]["env"] = json!([{"name": "HASURA_GRAPHQL_ADMIN_SECRETS", "valueFrom": from}]);
    let mut objects = shop.objects();
    objects[0] = engine;
    objects.extend([table("session"), reading("session", &["is_new"], json!({}))]);
    for object in &objects {
        shop.apply(object).await;
    }
    for object in &objects {
        shop.ready(object).await;
    }
    let pods = shop.has_pods(2).await;
    let body = json!({"data": {"author": [{"id": 1}, {"id": 2}]}});

    // The database password, while people ask who have their connections already: between the change in the database
    // and the one of the Secret nobody can open another.
    let address = shop.address().await;
    let bodies = std::slice::from_ref(&body);
    for pod in &pods {
        // Each of them: the Service leads wherever it likes. One more than ask later.
        let first = Load::of(5, 100, &shop.customer(), &pod.address, AUTHORS, bodies);
        first.over().await;
    }
    let load = Load::start(3, &shop.customer(), &address, AUTHORS, bodies);
    let change = "alter role :\"account\" password :'password';";
    let values = [("account", account.as_str()), ("password", "two")];
    shop.database
        .run_with(change, &values)
        .await
        .expect("a new password");
    // Before the Secret changes: pods may use it before the next statement here.
    let now = shop
        .database
        .run("insert into changed values (clock_timestamp()) returning at")
        .await
        .expect("a time");
    let began = Instant::now();
    shop.secret(SECRET, &shop.database.url_of(&account, "two")).await;
    let renewed = json!({"data": {"session": [{"is_new": true}]}});
    let took = shop.everywhere(&pods, SESSION, &renewed, began).await;
    note(
        "8 rotation",
        "database password: Secret to answers through new connections from 2 of 2 pods",
        &format!("{} ms", took.as_millis()),
    );
    assert!(took < Duration::from_secs(10), "{took:?}");
    let load = load.end().await;
    note(
        "8 rotation",
        "failed requests",
        &format!("0 of {}", load.latencies.len()),
    );
    // Connections of before are not needed any more.
    let ended = "select count(pg_terminate_backend(pid)) from pg_stat_activity \
                 where usename = :'account' and backend_start < :'since'::timestamptz;";
    let values = [("account", account.as_str()), ("since", now.as_str())];
    shop.database
        .run_with(ended, &values)
        .await
        .expect("old connections end");
    for pod in &pods {
        shop.answers(&pod.address, &shop.customer(), AUTHORS, &body).await;
    }

    // The admin secret, while people come in with the old one.
    let load = Load::start(3, &shop.customer(), &address, AUTHORS, bodies);
    let began = Instant::now();
    shop.secret("second-admin-secret", &shop.database.url_of(&account, "two"))
        .await;
    let renewed = Client::anonymous()
        .expect("a client")
        .as_role("second-admin-secret", "customer");
    for pod in &pods {
        shop.answers(&pod.address, &renewed, AUTHORS, &body).await;
    }
    let took = began.elapsed();
    note(
        "8 rotation",
        "admin secret: Secret to effective in 2 of 2 pods",
        &format!("{} ms", took.as_millis()),
    );
    assert!(took < Duration::from_secs(10), "{took:?}");
    let by_old = load.end().await;
    let load = Load::start(3, &renewed, &address, AUTHORS, bodies);
    let began = Instant::now();
    both_secrets(&shop, &[]).await;
    for pod in &pods {
        let closed = until(SOON, "the old one opens nothing", || async {
            let old = shop.customer().graphql(&pod.address, AUTHORS).await;
            match old {
                Ok(old) if old.body["errors"].is_array() => Ok(()),
                other => Err(format!("{other:?}")),
            }
        });
        closed.await.unwrap_or_else(|error| panic!("{error}"));
    }
    let took = began.elapsed();
    assert!(took < Duration::from_secs(10), "{took:?}");
    let by_new = load.end().await;
    note(
        "8 rotation",
        "admin secret: the old one taken out to refused by 2 of 2 pods; failed requests meanwhile",
        &format!(
            "{} ms; 0 of {}",
            took.as_millis(),
            by_old.latencies.len() + by_new.latencies.len()
        ),
    );
    assert_eq!(
        shop.has_pods(2).await,
        pods,
        "no pod was replaced or started again"
    );
    shop.close().await;
}

/// The admin secrets besides.
async fn both_secrets(shop: &Shop, secrets: &[&str]) {
    let secret = json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "besides"},
        "stringData": {"list": json!(secrets).to_string()},
    });
    shop.apply(&secret).await;
}
