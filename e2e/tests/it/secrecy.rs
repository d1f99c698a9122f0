//! Who can read what: the operator no more than it needs, and nobody a secret where none belongs.

use serde_json::json;

use crate::shop::Shop;

#[tokio::test]
#[ignore = "needs a cluster with a node: e2e/run"]
async fn secrets_are_nowhere_else() {
    let shop = Shop::plan("secrecy", 1).await;
    let canary = format!("canary-{}", shop.story.namespace);
    let account = format!("canary_{}", shop.story.namespace.replace('-', "_"));
    let sql = "create role :\"account\" login superuser password :'password';";
    let values = [("account", account.as_str()), ("password", canary.as_str())];
    shop.database.run_with(sql, &values).await.expect("an account");
    shop.secret(&canary, &shop.database.url_of(&account, &canary))
        .await;
    for object in shop.objects() {
        shop.apply(&object).await;
    }
    for object in shop.objects() {
        shop.ready(&object).await;
    }
    let pods = shop.has_pods(1).await;
    let mut places = Vec::new();
    for (version, kind) in [
        ("v1", "ConfigMap"),
        ("v1", "Event"),
        ("v1", "Pod"),
        ("apps/v1", "Deployment"),
        ("v1", "Service"),
        (crd::API_VERSION, "Engine"),
        (crd::API_VERSION, "Source"),
        (crd::API_VERSION, "Table"),
    ] {
        let found = shop
            .story
            .cluster
            .list(version, kind, &shop.story.namespace, "")
            .await
            .expect("a list");
        places.push((kind.to_owned(), serde_json::to_string(&found).expect("JSON")));
    }
    let admin = e2e::answer::Client::anonymous()
        .expect("a client")
        .with("x-hasura-admin-secret", &canary);
    let export = json!({"type": "export_metadata", "args": {}});
    let exported = admin
        .post(&format!("{}/v1/metadata", pods[0].address), &export)
        .await
        .expect("an answer");
    places.push(("export_metadata".to_owned(), exported.body.to_string()));
    let wrong = shop
        .customer()
        .graphql(&pods[0].address, "query { author { id } }")
        .await
        .expect("an answer");
    places.push(("a refused request".to_owned(), wrong.body.to_string()));
    for (namespace, pod) in [(shop.story.namespace.as_str(), pods[0].name.as_str())] {
        places.push((format!("log of {pod}"), log(&shop, namespace, pod).await));
    }
    let operators = shop
        .story
        .cluster
        .list(
            "v1",
            "Pod",
            "rowlock-system",
            "app.kubernetes.io/name=rowlock-operator",
        )
        .await;
    for operator in operators.expect("operators") {
        let name = operator["metadata"]["name"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        places.push((
            format!("log of {name}"),
            log(&shop, "rowlock-system", &name).await,
        ));
    }
    for (place, text) in places {
        assert!(!text.contains(&canary), "the canary is in {place}");
    }
    shop.close().await;
}

async fn log(shop: &Shop, namespace: &str, pod: &str) -> String {
    let path = format!("/api/v1/namespaces/{namespace}/pods/{pod}/log");
    let request = http::Request::get(path).body(Vec::new()).expect("a request");
    shop.story
        .cluster
        .client()
        .request_text(request)
        .await
        .expect("a log")
}

/// The operator's account may read Secrets only where that was granted, and a pod's only its own.
#[tokio::test]
#[ignore = "needs a cluster with a node: e2e/run"]
async fn accounts_may_do_little() {
    let shop = Shop::open("little", 1).await;
    let operator = "system:serviceaccount:rowlock-system:rowlock-operator";
    let own = shop.story.namespace.clone();
    let pod = {
        let engine = shop.engine_now().await;
        let selector = engine["status"]["selector"]
            .as_str()
            .expect("a selector")
            .to_owned();
        let pods = shop
            .story
            .cluster
            .list("v1", "Pod", &own, &selector)
            .await
            .expect("pods");
        let account = pods[0]["spec"]["serviceAccountName"]
            .as_str()
            .expect("an account")
            .to_owned();
        format!("system:serviceaccount:{own}:{account}")
    };
    for (who, verb, resource, namespace, name, expected) in [
        (operator, "get", "secrets", own.as_str(), "", true),
        (operator, "get", "secrets", "default", "", false),
        (operator, "list", "secrets", "", "", false),
        (operator, "create", "pods", own.as_str(), "", false),
        (pod.as_str(), "get", "secrets", own.as_str(), "shop-secrets", true),
        (pod.as_str(), "get", "secrets", own.as_str(), "shop", false),
        (pod.as_str(), "list", "secrets", own.as_str(), "", false),
        (
            pod.as_str(),
            "get",
            "configmaps",
            own.as_str(),
            "shop-metadata",
            true,
        ),
        (pod.as_str(), "get", "configmaps", own.as_str(), "other", false),
        (pod.as_str(), "list", "pods", own.as_str(), "", false),
    ] {
        let review = json!({
            "apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "metadata": {"name": ""},
            "spec": {"user": who, "groups": ["system:authenticated", "system:serviceaccounts"], "resourceAttributes": {
                "verb": verb, "resource": resource, "namespace": namespace, "name": name,
            }},
        });
        let answer = shop.story.cluster.create(&review, "").await.expect("a review");
        assert_eq!(
            answer["status"]["allowed"], expected,
            "{who} {verb} {resource} {name} in {namespace:?}"
        );
    }
    shop.close().await;
}
