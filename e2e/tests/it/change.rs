//! Someone changes a permission while others ask: every pod serves it soon, and nobody notices anything else.

use std::time::{Duration, Instant};

use e2e::figure::{Size, note, percentile, spread};
use serde_json::json;

use crate::load::Load;
use crate::shop::{Shop, reading, table};

const BOOKS: &str = "query { book(order_by: {id: asc}) { id } }";
const AUTHORS: &str = "query { author(order_by: {id: asc}) { id name } }";

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a cluster with a node: e2e/run"]
async fn a_change_is_served_by_every_pod() {
    let size = Size::wanted();
    let (tables, changes) = size.pick((20, 20), (600, 200));
    let shop = Shop::plan("change", 3).await;
    let filler: String = (0..tables)
        .map(|index| format!("create table t{index} (id int primary key, name text);\n"))
        .collect();
    shop.database.run(&filler).await.expect("tables");
    let mut objects = shop.objects();
    objects.extend((0..tables).map(|index| table(&format!("t{index}"))));
    for object in &objects {
        shop.apply(object).await;
    }
    for object in &objects {
        shop.ready(object).await;
    }
    let pods = shop.has_pods(3).await;
    let address = shop.address().await;
    let authors = json!({"data": {"author": [{"id": 1, "name": "Ada"}, {"id": 2, "name": "Bea"}]}});

    let idle = Load::of(
        3,
        300,
        &shop.customer(),
        &address,
        AUTHORS,
        std::slice::from_ref(&authors),
    );
    let idle = idle.over().await;

    let load = Load::start(3, &shop.customer(), &address, AUTHORS, &[authors]);
    let (mut served, mut reported) = (Vec::new(), Vec::new());
    for change in 0..changes {
        let (filter, rows) = if change % 2 == 0 {
            (json!({"published": {"_eq": false}}), json!([{"id": 3}]))
        } else {
            (json!({"published": {"_eq": true}}), json!([{"id": 1}, {"id": 2}]))
        };
        let permission = reading("book", &["id", "title"], filter);
        let began = Instant::now();
        shop.apply(&permission).await;
        let body = json!({"data": {"book": rows}});
        served.push(shop.everywhere(&pods, BOOKS, &body, began).await);
        shop.ready(&permission).await;
        reported.push(began.elapsed());
    }
    let load = load.end().await;
    assert!(
        load.generations.keys().all(|one| !one.is_empty()),
        "every answer names its generation"
    );
    let story = "2 change";
    note(
        story,
        &format!("apply to served by 3 of 3 pods, {tables} tables, under load"),
        &spread(&served),
    );
    note(story, "apply to Ready=True", &spread(&reported));
    note(
        "3 under load",
        "failed requests",
        &format!("0 of {}", load.latencies.len()),
    );
    note("3 under load", "latency before", &spread(&idle.latencies));
    note("3 under load", "latency during changes", &spread(&load.latencies));
    let (middle, worst) = (percentile(&served, 0.5), percentile(&served, 0.99));
    let (most_middle, most_worst) = size.pick((5_000, 10_000), (300, 1_000));
    assert!(middle < Duration::from_millis(most_middle), "p50 {middle:?}");
    assert!(worst < Duration::from_millis(most_worst), "p99 {worst:?}");
    shop.close().await;
}

/// How much slower the slowest hundredth may be while the API changes.
const NOTICEABLE: f64 = 1.10;

/// Windows in pairs, one after the other: who asks sees no difference, and no answer is of two generations. In both the
/// API server takes the same changes; in one they are of the API that is asked, in the other of one that nobody serves,
/// so that what the API server and its database need of a small machine is in both.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a cluster with a node: e2e/run"]
async fn who_asks_does_not_notice_changes() {
    let size = Size::wanted();
    let (pairs, changes) = size.pick((2, 10), (20, 50));
    let window = size.pick(Duration::from_secs(1), Duration::from_secs(10));
    let shop = Shop::open("windows", 3).await;
    let pods = shop.has_pods(3).await;
    let addresses: Vec<String> = pods.iter().map(|pod| pod.address.clone()).collect();
    let some = |ids: &[i32]| {
        let books: Vec<_> = ids.iter().map(|id| json!({"id": id})).collect();
        json!({"data": {"book": books}})
    };
    let bodies = [some(&[1, 2]), some(&[1]), some(&[2])];
    let filters = [
        json!({"published": {"_eq": true}}),
        json!({"id": {"_eq": 1}}),
        json!({"id": {"_eq": 2}}),
    ];
    let (mut ratios, mut requests, mut made) = (Vec::new(), 0, 0);
    for pair in 0..pairs {
        // Which one comes first alternates.
        let mut worst = [Duration::ZERO; 2];
        for turn in [pair % 2, (pair + 1) % 2] {
            let is_served = turn == 1;
            let load = Load::at_each(&addresses, &shop.customer(), BOOKS, &bodies);
            let began = tokio::time::Instant::now();
            for change in 0..changes {
                made += usize::from(is_served);
                let filter = filters[change as usize % 3].clone();
                let mut permission = reading("book", &["id", "title"], filter);
                if !is_served {
                    permission["metadata"] = json!({"name": "elsewhere", "labels": {"app": "elsewhere"}});
                }
                shop.apply(&permission).await;
                tokio::time::sleep_until(began + window * (change + 1) / changes).await;
            }
            tokio::time::sleep_until(began + window).await;
            let load = load.end().await;
            requests += load.latencies.len();
            worst[usize::from(is_served)] = percentile(&load.latencies, 0.99);
            // The next window begins when this one is digested.
            shop.ready(&reading("book", &[], json!({}))).await;
        }
        ratios.push(worst[1].as_secs_f64() / worst[0].as_secs_f64());
    }
    ratios.sort_by(f64::total_cmp);
    let middle = ratios[ratios.len() / 2];
    note(
        "3 windows",
        &format!("failed requests during {made} changes, 3 pods, 3 clients"),
        &format!("0 of {requests}"),
    );
    note(
        "3 windows",
        &format!("p99 with changes to p99 without, middle of {pairs} pairs"),
        &format!(
            "{middle:.2} ({:.2} to {:.2})",
            ratios[0],
            ratios[ratios.len() - 1]
        ),
    );
    if size == Size::Full {
        assert!(middle <= NOTICEABLE, "{ratios:?}");
    }
    shop.close().await;
}

/// A pod that does not take a change: its object says so, by the pod's name, and says when it is over.
#[tokio::test]
#[ignore = "needs a cluster with a node: e2e/run"]
async fn a_pod_that_lags_is_named() {
    let shop = Shop::open("lag", 2).await;
    let pods = shop.has_pods(2).await;
    let secrets = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "shop-secrets"}});
    let secrets = shop
        .story
        .get(&secrets)
        .await
        .expect("an answer")
        .expect("the engine's Secret");
    let token = secrets["data"]["ROWLOCK_ADMIN_TOKEN"].as_str().expect("a token");
    let token = String::from_utf8(crate::base64::decode(token)).expect("a text");
    let admin = e2e::answer::Client::anonymous().expect("a client");
    let admin = admin.with("authorization", &format!("Bearer {token}"));
    let slow = &pods[1];
    let hold = format!("http://{}:8081/v1/hold", slow.ip);
    let held = admin.put(&hold, &json!({"held": true})).await.expect("an answer");
    assert!(held.status < 300, "{held:?}");

    let permission = reading("book", &["id", "title"], json!({"id": {"_eq": 2}}));
    shop.apply(&permission).await;
    let message = shop.refused_for(&permission, "Pending").await;
    assert!(message.contains(&slow.name), "{message}");
    let body = json!({"data": {"book": [{"id": 2}]}});
    shop.answers(&pods[0].address, &shop.customer(), BOOKS, &body)
        .await;
    let behind = shop
        .customer()
        .graphql(&slow.address, BOOKS)
        .await
        .expect("an answer");
    assert_ne!(behind.body, body, "the one that is held goes on with what it has");

    let free = admin
        .put(&hold, &json!({"held": false}))
        .await
        .expect("an answer");
    assert!(free.status < 300, "{free:?}");
    let took = shop.ready(&permission).await;
    note(
        "5 a pod lags",
        "let go to Ready=True",
        &format!("{} ms", took.as_millis()),
    );
    shop.close().await;
}
