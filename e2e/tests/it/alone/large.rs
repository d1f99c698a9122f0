//! A world too large for one ConfigMap: it goes in parts, and no pod ever serves half of it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use e2e::answer::Answer;
use e2e::cluster::Cluster;
use e2e::figure::{Size, note, percentile, spread};
use e2e::wait::{pass, until};
use futures_util::{StreamExt, stream};
use serde_json::{Value, json};

use super::{OPERATOR, SYSTEM, has_node, on_the_node};
use crate::shop::{Shop, object, reading, table};

const BOOKS: &str = "query { book(order_by: {id: asc}) { id } }";
/// How long a large world may take from the last apply to every object Ready.
const LONG: Duration = Duration::from_secs(600);

/// A text that cannot be compressed much, another one for each seed.
fn noise(seed: usize) -> String {
    let mut state = seed as u64;
    let mut next = || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    };
    let bytes: Vec<u8> = (0..5).flat_map(|_| next().to_be_bytes()).collect();
    STANDARD.encode(bytes)
}

/// What `role` may read of a filler table. Of a small world each filter is long, so that it is large all the same, and in more
/// than one part when it is compressed.
fn permission(table: usize, role: usize, words: usize) -> Value {
    let names: Vec<String> = (0..words)
        .map(|word| noise(((table * 100 + role) * 10_000 + word) << 20))
        .collect();
    let filter = if words == 0 {
        json!({"id": {"_gt": role}})
    } else {
        json!({"name": {"_nin": names}})
    };
    let select = json!({"columns": ["id", "name"], "filter": filter});
    object(
        "Permission",
        &format!("t{table}-role{role}"),
        json!({"tableRef": {"name": format!("t{table}")}, "role": format!("role{role}"), "select": select}),
    )
}

/// The most memory that any process of this name has had in a pod on this machine, in MiB; none: the node is elsewhere.
fn peak(name: &str) -> Option<u64> {
    let processes = fs::read_dir("/proc").ok()?.flatten();
    let peaks = processes.filter_map(|process| {
        let command = fs::read_to_string(process.path().join("comm")).ok()?;
        // The kernel keeps 15 characters.
        if command.trim() != name.get(..15).unwrap_or(name) {
            return None;
        }
        let groups = fs::read_to_string(process.path().join("cgroup")).ok()?;
        if !groups.contains("kubepods") {
            return None;
        }
        let status = fs::read_to_string(process.path().join("status")).ok()?;
        let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
        line.split_whitespace().nth(1)?.parse::<u64>().ok()
    });
    peaks.max().map(|kibibytes| kibibytes / 1024)
}

/// How often containers of the operator began again: one that needs more memory than it may have does.
async fn restarts(cluster: &Cluster) -> i64 {
    let pods = cluster
        .list("v1", "Pod", SYSTEM, OPERATOR)
        .await
        .expect("operators");
    let statuses = pods
        .iter()
        .filter_map(|pod| pod["status"]["containerStatuses"].as_array());
    let counts = statuses
        .flatten()
        .filter_map(|status| status["restartCount"].as_i64());
    counts.sum()
}

/// What a pod answers while it is killed. Requests that fail do not count.
#[derive(Default)]
struct Heard {
    /// Bodies by generation.
    bodies: BTreeMap<String, BTreeSet<String>>,
    /// Generations in the order in which they answered; one that goes on answering is there once.
    order: Vec<String>,
}

impl Heard {
    fn hear(&mut self, answer: Answer) {
        if self.order.last() != Some(&answer.generation) {
            self.order.push(answer.generation.clone());
        }
        let bodies = self.bodies.entry(answer.generation).or_default();
        bodies.insert(answer.body.to_string());
    }

    /// Fails where a generation answered so and so, or one that was over answered again. No two have the same content.
    fn is_sound(&self) {
        for (generation, bodies) in &self.bodies {
            assert_eq!(
                bodies.len(),
                1,
                "{generation} is served whole or not at all: {bodies:?}"
            );
        }
        let each: BTreeSet<&String> = self.order.iter().collect();
        assert_eq!(
            each.len(),
            self.order.len(),
            "one that was over is back: {:?}",
            self.order
        );
    }
}

/// Someone at each of these addresses who asks all the time.
struct Listening {
    stop: Arc<AtomicBool>,
    people: Vec<tokio::task::JoinHandle<Heard>>,
}

impl Listening {
    fn start(shop: &Shop, addresses: &[String]) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let people = addresses.iter().map(|address| {
            let (stop, address, client) = (Arc::clone(&stop), address.clone(), shop.customer());
            tokio::spawn(async move {
                let mut heard = Heard::default();
                while !stop.load(Ordering::Relaxed) {
                    match client.graphql(&address, BOOKS).await {
                        Ok(answer) if answer.status == 200 => heard.hear(answer),
                        _ => pass(Duration::from_millis(5)).await,
                    }
                }
                heard
            })
        });
        let people = people.collect();
        Self { stop, people }
    }

    /// Ends it, and fails as [`Heard::is_sound`] does; how many generations answered, of the one who heard most.
    async fn end(self) -> usize {
        self.stop.store(true, Ordering::Relaxed);
        let mut most = 0;
        for person in self.people {
            let heard = person.await.expect("a person");
            heard.is_sound();
            most = most.max(heard.order.len());
        }
        most
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a cluster with a node: e2e/run"]
async fn a_large_world_goes_in_parts() {
    let size = Size::wanted();
    let (tables, roles, words) = size.pick((8, 4, 1_100), (5_000, 11, 0));
    let kills = size.pick(4, 40);
    let shop = Shop::plan("large", 2).await;
    let filler: String = (0..tables)
        .map(|index| format!("create table t{index} (id int primary key, name text);\n"))
        .collect();
    shop.database.run(&filler).await.expect("tables");
    let mut objects = shop.objects();
    for index in 0..tables {
        objects.push(table(&format!("t{index}")));
        objects.extend((0..roles).map(|role| permission(index, role, words)));
    }
    let began = Instant::now();
    stream::iter(&objects)
        .for_each_concurrent(16, |object| async { drop(shop.apply(object).await) })
        .await;
    let story = "7 large";
    let what = format!("{} objects, {tables} tables, {roles} roles", objects.len());
    note(
        story,
        &format!("applied: {what}"),
        &format!("{} s", began.elapsed().as_secs()),
    );
    let applied = Instant::now();
    for object in &objects {
        let ready = shop.story.condition(object, "Ready", "True", LONG).await;
        ready.unwrap_or_else(|error| panic!("{error}"));
    }
    note(
        story,
        "from the last apply to all Ready",
        &format!("{} s", applied.elapsed().as_secs()),
    );
    let maps = shop
        .story
        .cluster
        .list("v1", "ConfigMap", &shop.story.namespace, "")
        .await;
    let maps = maps.expect("ConfigMaps");
    let parts = maps.iter().filter(|map| map.get("binaryData").is_some()).count();
    assert!(parts > 1, "it goes in several parts: {parts}");
    note(story, "parts", &parts.to_string());

    // Changes of a world of this size.
    let pods = shop.has_pods(2).await;
    let mut served = Vec::new();
    for change in 0..size.pick(6, 30) {
        let id = 1 + change % 2;
        let began = Instant::now();
        shop.apply(&reading("book", &["id"], json!({"id": {"_eq": id}})))
            .await;
        let body = json!({"data": {"book": [{"id": id}]}});
        served.push(shop.everywhere(&pods, BOOKS, &body, began).await);
    }
    note(story, "apply to served by 2 of 2", &spread(&served));
    let peaks = (peak("rowlock-operator"), peak("rowlock"));
    assert!(
        !has_node() || matches!(peaks, (Some(_), Some(_))),
        "pods of the own node are seen: {peaks:?}"
    );
    if let (Some(operator), Some(engine)) = peaks {
        note(story, "peak memory of the operator", &format!("{operator} MiB"));
        note(story, "peak memory of a pod", &format!("{engine} MiB"));
        let (most_operator, most_engine) = size.pick((200, 400), (900, 500));
        assert!(operator <= most_operator, "the operator had {operator} MiB");
        assert!(engine <= most_engine, "a pod had {engine} MiB");
    }

    assert_eq!(restarts(&shop.story.cluster).await, 0, "the operator has room");

    // Pods are killed at every step of a switch: later and later, up to when it is over.
    let longest = percentile(&served, 0.99);
    let addresses: Vec<String> = pods.iter().map(|pod| pod.address.clone()).collect();
    let listening = Listening::start(&shop, &addresses);
    let mut killed = 0;
    for turn in 0..kills {
        let id = 1 + turn % 3;
        // Never twice the same content.
        let filter = json!({"_and": [{"id": {"_eq": id}}, {"id": {"_lt": 1000 + turn}}]});
        let permission = reading("book", &["id"], filter);
        shop.apply(&permission).await;
        pass(longest * turn / kills).await;
        if !on_the_node(&["run", "pkill", "-KILL", "-x", "rowlock"]).await {
            break;
        }
        killed += 1;
        let body = json!({"data": {"book": [{"id": id}]}});
        let client = shop.customer();
        for address in &addresses {
            // Kubernetes waits longer with each restart.
            let what = format!("{address} answers after being killed {killed} times");
            let answered = until(LONG, &what, || async {
                let answer = client
                    .graphql(address, BOOKS)
                    .await
                    .map_err(|error| error.to_string())?;
                if answer.body == body {
                    Ok(())
                } else {
                    Err(answer.body.to_string())
                }
            });
            answered.await.unwrap_or_else(|error| panic!("{error}"));
        }
    }
    let generations = listening.end().await;
    assert!(!has_node() || killed == kills, "killed {killed} times of {kills}");
    note(
        story,
        "switches with all pods killed; generations that answered two ways or came back",
        &format!("{killed}; 0 of {generations}"),
    );
    shop.close().await;
}
