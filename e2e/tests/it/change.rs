//! Someone changes a permission while others ask: every pod serves it soon, and nobody notices anything else.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use e2e::figure::{Size, note, percentile, spread};
use e2e::story::condition_of;
use e2e::wait::until;
use serde_json::{Value, json};

use crate::load::Load;
use crate::shop::{SOON, Shop, reading, table};

/// Two root fields, each a statement of its own: an answer of two generations would show.
const TWICE: &str = "query { book(order_by: {id: asc}) { id } again: book(order_by: {id: asc}) { id } }";
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
    let mut kinds: BTreeMap<&str, Vec<Duration>> = BTreeMap::new();
    let mut books = Books::default();
    for change in 0..changes {
        let (what, object, operation, body) = books.change(change);
        let began = Instant::now();
        shop.apply(&object).await;
        let took = shop.everywhere(&pods, &operation, &body, began).await;
        served.push(took);
        kinds.entry(what).or_default().push(took);
        shop.ready(&object).await;
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
    for (what, took) in &kinds {
        note(story, &format!("the same, {what}"), &spread(took));
    }
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

/// What customers may see of the books, one change after the other.
struct Books {
    published: bool,
    with_title: bool,
    name: &'static str,
}

impl Default for Books {
    fn default() -> Self {
        Self {
            published: true,
            with_title: true,
            name: "book",
        }
    }
}

impl Books {
    /// Changes the table, the permission's filter or its columns, in turn: what kind of change it is, the object, and an
    /// operation with what it answers from now on and did not before.
    fn change(&mut self, turn: usize) -> (&'static str, Value, String, Value) {
        match turn % 3 {
            0 => self.published = !self.published,
            1 => self.with_title = !self.with_title,
            _ => {
                self.name = if self.name == "book" { "volume" } else { "book" };
                let mut table = table("book");
                table["spec"]["objectRelationships"] =
                    json!([{"name": "author", "foreignKey": {"columns": ["author_id"]}}]);
                if self.name != "book" {
                    table["spec"]["customName"] = self.name.into();
                }
                return (
                    "a table",
                    table,
                    self.asked("id"),
                    self.rows(|id| json!({"id": id})),
                );
            }
        }
        let columns: &[&str] = if self.with_title {
            &["id", "title"]
        } else {
            &["id"]
        };
        let permission = reading("book", columns, json!({"published": {"_eq": self.published}}));
        if turn.is_multiple_of(3) {
            return (
                "a filter",
                permission,
                self.asked("id"),
                self.rows(|id| json!({"id": id})),
            );
        }
        let titles = ["Alpha", "Beta", "Gamma"];
        let body = if self.with_title {
            self.rows(|id| json!({"title": titles[id - 1]}))
        } else {
            let name = self.name;
            let path = format!("$.selectionSet.{name}.selectionSet.title");
            let extensions = json!({"path": path, "code": "validation-failed"});
            let message = format!("field 'title' not found in type: '{name}'");
            json!({"errors": [{"message": message, "extensions": extensions}]})
        };
        ("a column", permission, self.asked("title"), body)
    }

    fn asked(&self, field: &str) -> String {
        format!("query {{ {}(order_by: {{id: asc}}) {{ {field} }} }}", self.name)
    }

    fn rows(&self, row: impl Fn(usize) -> Value) -> Value {
        let ids: &[usize] = if self.published { &[1, 2] } else { &[3] };
        let rows: Vec<Value> = ids.iter().map(|id| row(*id)).collect();
        let mut body = json!({"data": {}});
        body["data"][self.name] = rows.into();
        body
    }
}

/// How much slower the slowest hundredth may be while the API changes.
const NOTICEABLE: f64 = 1.10;

/// What happens in a window of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Window {
    /// Nothing.
    Quiet,
    /// The API server takes changes of an API that nobody serves.
    Elsewhere,
    /// It takes the same changes of the API that is asked.
    Served,
}

/// Windows of each kind, one after the other: who asks sees no difference, and no answer is of two generations. What
/// changes elsewhere is held against changes of the API that is asked, so that what the API server and its database need of
/// a small machine is in both; windows without any change tell what that is.
///
/// Each pod is asked at a steady pace, at a load that leaves most of the machine free: of one that is asked without a
/// pause, everything that takes time makes everybody wait, and how long tells of the machine and not of the change.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a cluster with a node: e2e/run"]
async fn who_asks_does_not_notice_changes() {
    let size = Size::wanted();
    let (rounds, changes) = size.pick((2, 4), (20, 50));
    // Two changes a second: more than people make, and several times what they make through Git.
    let long = size.pick(Duration::from_secs(2), Duration::from_secs(25));
    let every = Duration::from_millis(size.pick(20, 10));
    let shop = Shop::open("windows", 3).await;
    let pods = shop.has_pods(3).await;
    let addresses: Vec<String> = pods.iter().map(|pod| pod.address.clone()).collect();
    let some = |ids: &[i32]| {
        let books: Vec<_> = ids.iter().map(|id| json!({"id": id})).collect();
        json!({"data": {"book": books, "again": books}})
    };
    let bodies = [some(&[1, 2]), some(&[1]), some(&[2])];
    let filters = [
        json!({"published": {"_eq": true}}),
        json!({"id": {"_eq": 1}}),
        json!({"id": {"_eq": 2}}),
    ];
    let mut took: BTreeMap<Window, Vec<Duration>> = BTreeMap::new();
    let (mut requests, mut made, mut turn) = (0, 0, 0);
    // How many switches were seen at the pod that made fewest.
    let mut switched = 0;
    for round in 0..rounds {
        let mut windows = [Window::Quiet, Window::Elsewhere, Window::Served];
        // Which one comes first is another one each time.
        windows.rotate_left(round % 3);
        for window in windows {
            let load = Load::paced(&addresses, every, &shop.customer(), TWICE, &bodies);
            let began = tokio::time::Instant::now();
            if window == Window::Quiet {
                tokio::time::sleep_until(began + long / 4).await;
            }
            for change in (0..changes).filter(|_| window != Window::Quiet) {
                made += usize::from(window == Window::Served);
                turn += 1;
                // Never twice the same content: each change is one of what is published.
                let filter = json!({"_and": [filters[turn % 3], {"id": {"_lt": 1_000 + turn}}]});
                let mut permission = reading("book", &["id", "title"], filter);
                if window == Window::Elsewhere {
                    permission["metadata"] = json!({"name": "elsewhere", "labels": {"app": "elsewhere"}});
                }
                shop.apply(&permission).await;
                tokio::time::sleep_until(began + long * (change + 1) / changes).await;
            }
            let load = load.end().await;
            requests += load.latencies.len();
            if window == Window::Served {
                // The first generation is of before.
                switched += load.seen.iter().min().copied().unwrap_or_default() - 1;
            } else {
                assert!(
                    load.seen.iter().all(|seen| *seen == 1),
                    "{window:?}: {:?}",
                    load.seen
                );
            }
            took.entry(window)
                .or_default()
                .push(percentile(&load.latencies, 0.99));
            // The next window begins when this one is digested.
            shop.ready(&reading("book", &[], json!({}))).await;
        }
    }
    let story = "3 windows";
    note(
        story,
        &format!("failed requests during {made} changes, 3 pods, 3 clients"),
        &format!("0 of {requests}"),
    );
    note(
        story,
        "switches that were seen at each pod, at least",
        &switched.to_string(),
    );
    // Changes that come faster than they are served may go together, and the last of a window may be served after it: of
    // these, which come slowly, few do.
    assert!(
        switched * 10 >= made * size.pick(5, 9),
        "{switched} switches for {made} changes"
    );
    let names = [
        (Window::Quiet, "nothing changes"),
        (Window::Elsewhere, "what nobody serves changes"),
        (Window::Served, "the API changes"),
    ];
    for (window, what) in names {
        let worst = &took[&window];
        let (middle, least, most) = (
            percentile(worst, 0.5),
            percentile(worst, 0.0),
            percentile(worst, 1.0),
        );
        note(
            story,
            &format!("p99 while {what}, middle of {rounds} windows"),
            &format!("{middle:.2?} ({least:.2?} to {most:.2?})"),
        );
    }
    let ratio_to = |other: Window| {
        let pairs = took[&Window::Served].iter().zip(&took[&other]);
        let mut ratios: Vec<f64> = pairs
            .map(|(served, other)| served.as_secs_f64() / other.as_secs_f64())
            .collect();
        ratios.sort_by(f64::total_cmp);
        ratios[ratios.len() / 2]
    };
    let (elsewhere, quiet) = (ratio_to(Window::Elsewhere), ratio_to(Window::Quiet));
    note(
        story,
        "its ratio to changes that nobody serves, and to no changes",
        &format!("{elsewhere:.2}, {quiet:.2}"),
    );
    if size == Size::Full {
        assert!(elsewhere <= NOTICEABLE && quiet <= NOTICEABLE, "{took:?}");
    }
    shop.close().await;
}

/// A pod that does not take a change: its object says so, by the pod's name, and says when it is over.
#[tokio::test]
#[ignore = "needs a cluster with a node: e2e/run"]
async fn a_pod_that_lags_is_named() {
    let shop = Shop::open("lag", 2).await;
    let pods = shop.has_pods(2).await;
    let admin = shop.operator().await;
    let slow = &pods[1];
    let hold = format!("http://{}:8081/v1/hold", slow.ip);
    let held = admin.put(&hold, &json!({"held": true})).await.expect("an answer");
    assert!(held.status < 300, "{held:?}");

    let permission = reading("book", &["id", "title"], json!({"id": {"_eq": 2}}));
    shop.apply(&permission).await;
    // For a moment the pod that is free is behind as well.
    let wanted = format!(
        "{}/shop: served by 1 of 2 ready pods; waiting for {}",
        shop.story.namespace, slow.name
    );
    let named = until(SOON, "the pod that is held is named, and no other", || async {
        let message = shop.refused_for(&permission, "Pending").await;
        if message == wanted { Ok(()) } else { Err(message) }
    });
    named.await.unwrap_or_else(|error| panic!("{error}"));
    let body = json!({"data": {"book": [{"id": 2}]}});
    shop.answers(&pods[0].address, &shop.customer(), BOOKS, &body)
        .await;
    let behind = shop
        .customer()
        .graphql(&slow.address, BOOKS)
        .await
        .expect("an answer");
    assert_ne!(behind.body, body, "the one that is held goes on with what it has");

    // Until it is let go, that does not change.
    let ready = condition_of(&shop.there(&permission).await, "Ready");
    let said = ["status", "reason", "message"].map(|key| ready[key].as_str().unwrap_or_default().to_owned());
    assert_eq!(said, ["False", "Pending", wanted.as_str()], "{ready}");
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
