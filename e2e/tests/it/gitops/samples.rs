//! `config/samples/record-shop` in Git, carried by both tools.

use std::time::{Duration, Instant};

use e2e::figure::note;
use e2e::wait::until;
use serde_json::{Value, json};

use super::checkout::Checkout;
use super::{argo_on, argo_sync, differs, flux, in_waves};
use crate::samples::record_shop;
use crate::shop::{START, Shop};

/// Waits until each object is so for Argo CD, and differs from the commit in nothing.
async fn all_healthy(shop: &Shop, objects: &[Value]) {
    let healthy = until(START, "all are healthy for Argo CD", || async {
        let said = argo_on(shop, objects).await;
        assert!(!said.iter().any(differs), "{said:?}");
        match said.iter().find(|one| one["status"] != "Healthy") {
            None => Ok(()),
            Some(other) => Err(other.to_string()),
        }
    });
    healthy.await.unwrap_or_else(|error| panic!("{error}"));
}

#[tokio::test]
#[ignore = "needs a cluster with a node: e2e/run"]
async fn both_tools_carry_the_samples() {
    let (shop, mut objects) = record_shop("git").await;
    in_waves(&mut objects);
    let index = |kind: &str, name: &str| {
        let found = objects
            .iter()
            .position(|one| one["kind"] == kind && one["metadata"]["name"] == name);
        found.unwrap_or_else(|| panic!("{kind}/{name} is a sample"))
    };
    let (permission, table) = (index("Permission", "artist-visitor"), index("Table", "artist"));
    let checkout = Checkout::new(&shop.story.namespace).await;
    let directory = checkout.directory();
    checkout.commit(&objects).await;
    let began = Instant::now();
    let applied = flux(&shop, &directory, 120, &[]).await.expect("all healthy");
    note(
        "11 GitOps",
        &format!(
            "{} samples from a commit to healthy in Flux, with pods",
            objects.len()
        ),
        &format!("{} ms", began.elapsed().as_millis()),
    );
    assert!(
        applied.iter().all(|line| line.ends_with("created")),
        "{applied:?}"
    );
    let again = flux(&shop, &directory, 60, &[]).await.expect("all healthy");
    assert!(again.iter().all(|line| line.ends_with("unchanged")), "{again:?}");

    // The other tool takes them over as they are.
    all_healthy(&shop, &objects).await;
    argo_sync(&shop, &directory, 120).await.expect("it is synced");
    all_healthy(&shop, &objects).await;
    let again = flux(&shop, &directory, 60, &[]).await.expect("all healthy");
    assert!(
        again.iter().all(|line| line.ends_with("unchanged")),
        "no field is fought over: {again:?}"
    );

    // A bad commit: told by the tool that applies it, with what the object says, and only of that object.
    let good = objects.clone();
    objects[permission]["spec"]["select"]["columns"] = json!(["id", "nom"]);
    checkout.commit(&objects).await;
    let said = flux(&shop, &directory, 120, &[])
        .await
        .expect_err("it is not healthy");
    assert!(
        said.contains("Permission") && said.contains("artist-visitor"),
        "{said}"
    );
    assert!(
        !said.contains("Table/") && !said.contains("artist-customer"),
        "{said}"
    );
    let judged = argo_on(&shop, &objects).await;
    let message = judged[permission]["message"].as_str().unwrap_or_default();
    assert_eq!(judged[permission]["status"], "Degraded", "{judged:?}");
    assert!(
        message.contains("Refused") && message.contains("nom"),
        "{message}"
    );
    objects.clone_from(&good);
    checkout.commit(&objects).await;
    flux(&shop, &directory, 60, &[]).await.expect("all healthy again");

    objects[table]["spec"]["arrayRelationships"] = json!([{
        "name": "albums", "remoteForeignKey": {"table": {"schema": "public", "name": "album"}, "columns": ["artiste"]},
    }]);
    checkout.commit(&objects).await;
    let began = Instant::now();
    let said = argo_sync(&shop, &directory, 120).await.expect_err("it fails");
    assert!(
        began.elapsed() < Duration::from_secs(60),
        "it is told, and not waited for"
    );
    assert!(
        said.contains("Table/artist") && said.contains("relationship \"albums\""),
        "{said}"
    );
    objects.clone_from(&good);
    checkout.commit(&objects).await;
    argo_sync(&shop, &directory, 120).await.expect("it is synced");
    all_healthy(&shop, &objects).await;

    // A file that is removed takes its object away; nothing else goes.
    let removed = objects.remove(permission);
    checkout.commit(&objects).await;
    let done = argo_sync(&shop, &directory, 60).await.expect("it is synced");
    let results = done["results"].as_array().expect("results");
    let pruned: Vec<&Value> = results.iter().filter(|one| one["status"] == "Pruned").collect();
    assert!(
        pruned.len() == 1 && pruned[0]["object"] == "Permission/artist-visitor",
        "{done}"
    );
    shop.gone(&removed).await;
    all_healthy(&shop, &objects).await;
    shop.close().await;
}
