//! The API comes from Git, applied by the packages that Flux and Argo CD are made of.

mod checkout;
mod samples;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use e2e::cluster::repository;
use e2e::figure::note;
use e2e::story::condition_of;
use e2e::wait::until;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use self::checkout::Checkout;
use crate::shop::{SOON, Shop, reading, table};

/// Applies and waits as Flux does; what it did with each object, or why they are not healthy.
async fn flux(shop: &Shop, directory: &Path, seconds: u32, prune: &[&str]) -> Result<Vec<String>, String> {
    let done = Command::new("flux")
        .arg(directory)
        .args([shop.story.namespace.as_str(), &seconds.to_string()])
        .args(prune)
        .output()
        .await
        .expect("flux");
    let out = String::from_utf8_lossy(&done.stdout).into_owned();
    let (judged, out): (Vec<String>, Vec<String>) = out
        .lines()
        .map(str::to_owned)
        .partition(|line| line.starts_with("judged "));
    let last = kstatus_agrees(&judged);
    let all = |wanted: [&str; 2]| last.values().all(|said| *said == wanted);
    if done.status.success() {
        assert!(
            !last.is_empty() && all(["Current", "True"]),
            "healthy: {judged:?}"
        );
        Ok(out)
    } else {
        assert!(
            last.values().any(|said| *said == ["Failed", "False"]),
            "{judged:?}"
        );
        Err(String::from_utf8_lossy(&done.stderr).into_owned())
    }
}

/// What Flux judged by while it waited: each verdict agrees with the condition `Ready` of the very object that it was made
/// of. The last verdict on each object.
fn kstatus_agrees(judged: &[String]) -> BTreeMap<&str, [&str; 2]> {
    let mut last = BTreeMap::new();
    for line in judged {
        let words: Vec<&str> = line.split(' ').collect();
        let [_, subject, status, ready] = words[..] else {
            panic!("{line}");
        };
        // A consent has no status.
        if subject.starts_with("ReferenceGrant/") {
            continue;
        }
        match status {
            "Current" => assert_eq!(ready, "True", "{line}"),
            "Failed" => assert_eq!(ready, "False", "{line}"),
            "InProgress" => assert_ne!(ready, "True", "{line}"),
            _ => panic!("{line}"),
        }
        last.insert(subject, [status, ready]);
    }
    last
}

/// The same of what Argo CD said of an object.
fn health_agrees(object: &str, health: &str, ready: &str) {
    match health {
        _ if object.starts_with("ReferenceGrant/") => {}
        "Healthy" => assert_eq!(ready, "True", "{object}"),
        "Degraded" => assert_eq!(ready, "False", "{object}"),
        "Progressing" => assert_ne!(ready, "True", "{object}"),
        _ => panic!("{object} is {health}, Ready={ready}"),
    }
}

/// What Argo CD says: health, message, and whether the live object differs from the one in Git.
async fn argo(pairs: &Value) -> Vec<Value> {
    let mut argo = Command::new("argo")
        .arg("judge")
        .arg(repository().join("config/argocd/health.lua"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("argo");
    let mut input = argo.stdin.take().expect("its input");
    input
        .write_all(pairs.to_string().as_bytes())
        .await
        .expect("it reads");
    drop(input);
    let done = argo.wait_with_output().await.expect("its end");
    assert!(done.status.success(), "argo failed");
    serde_json::from_slice(&done.stdout).expect("JSON")
}

async fn argo_on(shop: &Shop, objects: &[Value]) -> Vec<Value> {
    let mut pairs = Vec::new();
    for object in objects {
        let live = shop.there(object).await;
        let mut config = object.clone();
        config["metadata"]["namespace"] = shop.story.namespace.clone().into();
        pairs.push(json!({"config": config, "live": live}));
    }
    let pairs = Value::Array(pairs);
    let said = argo(&pairs).await;
    for (pair, said) in pairs.as_array().into_iter().flatten().zip(&said) {
        let live = &pair["live"];
        let ready = condition_of(live, "Ready");
        let of_this_form = ready["observedGeneration"] == live["metadata"]["generation"];
        let ready = ready["status"].as_str().filter(|_| of_this_form);
        let object = [&live["kind"], &live["metadata"]["name"]].map(|text| text.as_str().unwrap_or_default());
        let health = said["status"].as_str().unwrap_or_default();
        health_agrees(&object.join("/"), health, ready.unwrap_or("None"));
    }
    said
}

#[tokio::test]
#[ignore = "needs a cluster with a node: e2e/run"]
async fn a_checkout_is_applied_and_judged() {
    let shop = Shop::plan("gitops", 1).await;
    let checkout = Checkout::new(&shop.story.namespace).await;
    let directory = checkout.directory();
    let mut objects = shop.objects();
    checkout.commit(&objects).await;
    let applied = flux(&shop, &directory, 120, &[]).await.expect("all healthy");
    assert!(
        applied.iter().all(|line| line.ends_with("created")),
        "{applied:?}"
    );
    let healthy = until(SOON, "all are healthy for Argo CD too", || async {
        let said = argo_on(&shop, &objects).await;
        assert!(!said.iter().any(differs), "{said:?}");
        if said.iter().all(|one| one["status"] == "Healthy") {
            Ok(())
        } else {
            Err(format!("{said:?}"))
        }
    });
    healthy.await.unwrap_or_else(|error| panic!("{error}"));

    // The same commit again changes nothing, and nobody fights over a field.
    let again = flux(&shop, &directory, 60, &[]).await.expect("all healthy");
    assert!(again.iter().all(|line| line.ends_with("unchanged")), "{again:?}");

    // A changed predicate shows in the diff before it is applied.
    let last = objects.len() - 1;
    let good = objects[last].clone();
    objects[last] = reading("book", &["id", "title"], json!({"id": {"_eq": 1}}));
    let said = argo_on(&shop, &objects).await;
    assert!(differs(&said[last]), "{}", said[last]);
    assert!(!said[..last].iter().any(differs), "{said:?}");

    // A bad commit fails, with the object's own words; the next one recovers.
    objects[last] = reading("book", &["id", "titel"], json!({}));
    checkout.commit(&objects).await;
    let began = Instant::now();
    let said = flux(&shop, &directory, 120, &[])
        .await
        .expect_err("it is not healthy");
    note(
        "11 GitOps",
        "a bad commit fails in Flux, which would wait 120 s",
        &format!("{} ms", began.elapsed().as_millis()),
    );
    assert!(
        began.elapsed() < Duration::from_secs(60),
        "it is told, and not waited for"
    );
    assert!(
        said.contains("Permission") && said.contains("book-customer"),
        "{said}"
    );
    // Flux gave up because waiting does not help; for Argo CD that is `Degraded`.
    let health = argo_on(&shop, &objects).await;
    assert_eq!(health[last]["status"], "Degraded", "{}", health[last]);
    assert!(
        health[last]["message"]
            .as_str()
            .is_some_and(|text| text.contains("titel")),
        "{}",
        health[last]
    );
    objects[last] = good;
    checkout.commit(&objects).await;
    flux(&shop, &directory, 60, &[]).await.expect("all healthy again");

    // A file that is removed takes its object away.
    shop.database
        .run("create table review (id int primary key)")
        .await
        .expect("a table");
    objects.push(table("review"));
    checkout.commit(&objects).await;
    flux(&shop, &directory, 60, &[]).await.expect("all healthy");
    let removed = objects.pop().expect("the last");
    checkout.commit(&objects).await;
    // Flux knows of each object that it applied, and prunes those that are not in the new commit.
    let gone = checkout.removed().await;
    assert_eq!(gone, ["rowlock.dev/v1alpha1/Table/review"]);
    let gone: Vec<&str> = gone.iter().map(String::as_str).collect();
    let pruned = flux(&shop, &directory, 60, &gone).await.expect("all healthy");
    assert!(pruned.iter().any(|line| line.ends_with("deleted")), "{pruned:?}");
    assert_eq!(shop.story.get(&removed).await.expect("an answer"), None);
    shop.close().await;
}

/// Whether Argo CD sees a difference; its two ways of comparing must agree.
fn differs(said: &Value) -> bool {
    assert_eq!(said["modified"], said["modifiedOnServer"], "{said}");
    said["modified"] == true
}

/// Applies a checkout as Argo CD's sync does: wave by wave, and what is not in it any more is deleted. The waves in the
/// order of their beginning, and what became of each object; or why it failed.
async fn argo_sync(shop: &Shop, directory: &Path, seconds: u32) -> Result<Value, String> {
    let done = Command::new("argo")
        .arg("sync")
        .arg(repository().join("config/argocd/health.lua"))
        .arg(directory)
        .args([shop.story.namespace.as_str(), &seconds.to_string()])
        .output()
        .await
        .expect("argo");
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    let answer: Value =
        serde_json::from_slice(&done.stdout).unwrap_or_else(|error| panic!("{error}: {said}"));
    for step in answer["steps"].as_array().into_iter().flatten() {
        let [object, status, ready] = ["object", "status", "ready"].map(|key| step[key].as_str());
        if let (Some(object), Some(status), Some(ready)) = (object, status, ready) {
            health_agrees(object, status, ready);
        }
    }
    if done.status.success() {
        Ok(answer)
    } else {
        Err(said)
    }
}

/// When Argo CD applied a wave it had last judged every object of the wave before as healthy, and that object itself said
/// that it was Ready.
fn each_wave_came_after_ready(steps: &Value, objects: &[Value]) {
    let mut last: BTreeMap<String, (&Value, &Value)> = BTreeMap::new();
    let mut waves = 0;
    for step in steps.as_array().expect("steps") {
        let Some(wave) = step["wave"].as_u64() else {
            let object = step["object"].as_str().expect("an object");
            last.insert(object.to_owned(), (&step["status"], &step["ready"]));
            continue;
        };
        assert_eq!(wave, waves, "{steps}");
        waves += 1;
        for object in objects {
            let metadata = &object["metadata"];
            let of = metadata["annotations"]["argocd.argoproj.io/sync-wave"].as_str();
            if of
                .and_then(|of| of.parse::<u64>().ok())
                .is_some_and(|of| of < wave)
            {
                let name = [&object["kind"], &metadata["name"]].map(|text| text.as_str().unwrap_or_default());
                let name = name.join("/");
                let (status, ready) = last
                    .get(&name)
                    .unwrap_or_else(|| panic!("{name} before wave {wave}: {steps}"));
                assert!(
                    *status == "Healthy" && *ready == "True",
                    "{name} before wave {wave}: {steps}"
                );
            }
        }
    }
    assert_eq!(waves, 3, "{steps}");
}

/// What others need goes first: the engine and the databases, then tables, then what tables carry.
fn in_waves(objects: &mut [Value]) {
    for object in objects {
        let wave = match object["kind"].as_str() {
            Some("Engine" | "Source") => "0",
            Some("Table") => "1",
            _ => "2",
        };
        object["metadata"]["annotations"] = json!({"argocd.argoproj.io/sync-wave": wave});
    }
}

/// What Argo CD wrote, and when. Statuses are the operator's, which may write one at any time.
async fn versions(shop: &Shop, objects: &[Value]) -> Vec<Value> {
    let mut versions = Vec::new();
    for object in objects {
        let metadata = &shop.there(object).await["metadata"];
        let managers = metadata["managedFields"].as_array().expect("managers");
        let own: Vec<&Value> = managers
            .iter()
            .filter(|one| one.get("subresource").is_none())
            .collect();
        assert!(!own.is_empty(), "{metadata}");
        versions.push(json!([metadata["generation"], own]));
    }
    versions
}

#[tokio::test]
#[ignore = "needs a cluster with a node: e2e/run"]
async fn waves_wait_until_objects_are_ready() {
    let shop = Shop::plan("waves", 1).await;
    let checkout = Checkout::new(&shop.story.namespace).await;
    let directory = checkout.directory();
    let mut objects = shop.objects();
    in_waves(&mut objects);
    checkout.commit(&objects).await;
    let began = Instant::now();
    let done = argo_sync(&shop, &directory, 120).await.expect("it is synced");
    note(
        "11 GitOps",
        "three sync waves of Argo CD, with the start of a pod",
        &format!("{} ms", began.elapsed().as_millis()),
    );
    assert_eq!(done["waves"], json!([0, 1, 2]), "{done}");
    each_wave_came_after_ready(&done["steps"], &objects);
    for object in &objects {
        shop.ready(object).await;
    }

    // Again: nothing is written.
    let before = versions(&shop, &objects).await;
    argo_sync(&shop, &directory, 60).await.expect("it is synced");
    assert_eq!(versions(&shop, &objects).await, before);
    for (object, said) in objects.iter().zip(argo_on(&shop, &objects).await) {
        assert!(!differs(&said), "{} {said}", object["metadata"]["name"]);
    }

    // A changed predicate shows in both ways of comparing, also where only a value deep inside is another.
    let last = objects.len() - 1;
    objects[last]["spec"]["select"]["filter"] = json!({"published": {"_eq": false}});
    let said = argo_on(&shop, &objects).await;
    assert!(differs(&said[last]), "{}", said[last]);
    checkout.commit(&objects).await;
    argo_sync(&shop, &directory, 60).await.expect("it is synced");
    shop.ready(&objects[last]).await;
    let books = json!({"data": {"book": [{"id": 3}]}});
    shop.answers(
        &shop.address().await,
        &shop.customer(),
        "query { book { id } }",
        &books,
    )
    .await;

    // What is not in the checkout any more is deleted.
    let removed = objects.pop().expect("the last");
    checkout.commit(&objects).await;
    let done = argo_sync(&shop, &directory, 60).await.expect("it is synced");
    let pruned = done["results"].as_array().expect("results");
    assert!(
        pruned
            .iter()
            .any(|one| one["status"] == "Pruned" && one["object"] == "Permission/book-customer"),
        "{done}"
    );
    // Argo CD does not wait for what the API server deletes in its own time.
    shop.gone(&removed).await;
    shop.close().await;
}

/// The script on what statuses look like, without a cluster.
#[tokio::test]
#[ignore = "needs the program argo: e2e/run"]
async fn health_of_every_state() {
    let object = |kind: &str, generation: u64, condition: Value| {
        let spec = if kind == "Paused" {
            json!({"paused": true})
        } else {
            json!({})
        };
        let kind = if kind == "Paused" { "Engine" } else { kind };
        let mut object = json!({
            "apiVersion": crd::API_VERSION, "kind": kind, "metadata": {"name": "a", "generation": generation}, "spec": spec,
        });
        if !condition.is_null() {
            let mut stalled = condition.clone();
            stalled["type"] = "Stalled".into();
            stalled["status"] = "True".into();
            let is_stalled = stalled["reason"] == "Refused";
            object["status"] = if is_stalled {
                json!({"conditions": [stalled, condition]})
            } else {
                json!({"conditions": [condition]})
            };
        }
        json!({"config": null, "live": object})
    };
    let ready = |status: &str, reason: &str| json!({"type": "Ready", "status": status, "reason": reason, "message": "why", "observedGeneration": 2});
    let cases = [
        (object("Table", 2, ready("True", "Ready")), "Healthy"),
        (object("Table", 3, ready("True", "Ready")), "Progressing"),
        (object("Table", 2, ready("Unknown", "Pending")), "Progressing"),
        (object("Table", 2, ready("False", "Pending")), "Progressing"),
        (object("Table", 2, ready("False", "NoReadyPod")), "Progressing"),
        (object("Table", 2, ready("False", "Refused")), "Degraded"),
        (object("Table", 3, ready("False", "Refused")), "Progressing"),
        (object("Table", 2, ready("False", "NotSelected")), "Progressing"),
        (object("Table", 2, Value::Null), "Progressing"),
        (object("ReferenceGrant", 1, Value::Null), "Healthy"),
        (object("Engine", 2, ready("True", "Ready")), "Healthy"),
        (object("Paused", 2, ready("False", "Pending")), "Suspended"),
    ];
    let pairs = cases.iter().map(|(pair, _)| pair.clone()).collect();
    for ((pair, expected), said) in cases.iter().zip(argo(&Value::Array(pairs)).await) {
        assert_eq!(said["status"], *expected, "{pair}: {said}");
    }
}
