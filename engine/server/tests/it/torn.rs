//! A pod is killed at every step of a switch, of the operator's writes and of its own: what it serves afterwards is one of
//! the sets that were published, whole, and never one before the last that it was seen to serve.

use std::collections::BTreeMap;
use std::time::Duration;

use compile::Object;
use delivery::{Half, Set, hash, publish};
use serde_json::{Value, json};

use crate::delivered::{Pod, World, base64, object, set_of};

/// A set that does not fit into one ConfigMap: of a table with comments that do not compress well.
fn large(counter: u64) -> Set {
    let connection = json!({"urlFrom": {"secretKeyRef": {"name": "database", "key": "uri"}}});
    let mut objects: Vec<Object> = vec![
        object(
            "Source",
            "main",
            &json!({"name": "default", "connection": connection}),
        ),
        object(
            "Table",
            "album",
            &json!({"sourceRef": {"name": "main"}, "table": {"name": "album"}}),
        ),
    ];
    let noise: String = (0..32_000_u32)
        .map(|at| hash(format!("{counter}/{at}").as_bytes()))
        .collect();
    let permission = json!({"tableRef": {"name": "album"}, "role": "listener",
        "select": {"columns": ["id"], "filter": {"title": {"_neq": noise}}}});
    objects.push(object("Permission", "listener", &permission));
    set_of(counter, objects)
}

/// What was published, by counter, and the last that was seen to be served.
struct Published {
    generations: BTreeMap<u64, String>,
    seen: u64,
}

impl Published {
    /// What a pod serves is whole, and not earlier than what was seen.
    fn judge(&mut self, report: &Value) {
        let counter = report["counter"].as_u64().unwrap();
        assert!(counter >= self.seen, "{counter} after {}: {report}", self.seen);
        assert_eq!(
            report["generation"].as_str(),
            self.generations.get(&counter).map(String::as_str)
        );
        assert_eq!(report["problems"], json!([]), "{report}");
        self.seen = counter;
    }
}

/// The pod after it was killed and started again. It serves before the API server answers.
fn again(world: &World, pod: Pod, published: &mut Published) -> Pod {
    world.api.switch(false);
    drop(pod);
    let pod = world.pod();
    published.judge(&pod.report_when("a counter", |report| report["counter"].is_u64()));
    world.api.switch(true);
    pod
}

#[test]
fn a_torn_set_is_never_served() {
    let world = World::new("torn");
    let first = large(1);
    let mut published = Published {
        generations: BTreeMap::new(),
        seen: 0,
    };
    let mut half = Half::A;
    let mut put = |set: &Set, each: &mut dyn FnMut()| {
        let publication = publish("shop-metadata", set, half).unwrap();
        half = half.other();
        assert!(publication.parts.len() > 1, "in parts");
        for part in &publication.parts {
            let content = json!({"binaryData": {"part": base64(&part.content)}});
            world.api.put("configmaps", &part.name, &content);
            each();
        }
        let index = json!({"data": publication.data});
        world.api.put("configmaps", "shop-metadata", &index);
        each();
    };
    published.generations.insert(1, first.generation());
    put(&first, &mut || {});
    let mut pod = Some(world.pod());
    published.judge(&pod.as_ref().unwrap().served(1));

    // At every step of the operator's.
    let set = large(2);
    published.generations.insert(2, set.generation());
    put(&set, &mut || {
        pod = pod.take().map(|pod| again(&world, pod, &mut published));
    });
    published.judge(&pod.as_ref().unwrap().served(2));

    // At some time in its own, which takes longer or shorter on other machines: earlier and later each time.
    for round in 0..6_u64 {
        let counter = 3 + round;
        let set = large(counter);
        published.generations.insert(counter, set.generation());
        put(&set, &mut || {});
        let pause = Duration::from_millis(round * round * 20);
        // It is killed after so long, whatever it does; what it was seen to serve until then it serves again.
        let begun = std::time::Instant::now();
        while begun.elapsed() < pause {
            let running = pod.as_ref().unwrap();
            published.judge(&running.report_when("a counter", |report| report["counter"].is_u64()));
        }
        pod = pod.take().map(|pod| again(&world, pod, &mut published));
    }
    published.judge(&pod.as_ref().unwrap().served(8));
}
