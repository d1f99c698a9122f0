//! Who can read what: the operator no more than it needs, and nobody a secret where none belongs.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use crd::Kind;
use e2e::answer::{Answer, AnswerError, Client};
use e2e::figure::note;
use e2e::story::condition_of;
use e2e::wait::until;
use serde_json::{Value, json};

use crate::shop::{SOON, Shop, object, reading};

/// A canary stands wherever a value of a Secret may stand: the password of a database that answers and of one that refuses
/// it, the admin secret, a key of tokens, a header towards a webhook and the webhook's own address. It is looked for
/// wherever something is written or answered.
#[tokio::test]
#[ignore = "needs a cluster with a node: e2e/run"]
async fn secrets_are_nowhere_else() {
    let shop = Shop::plan("secrecy", 1).await;
    let canary = format!("canary-{}-of-some-length-for-keys", shop.story.namespace);
    let account = format!("canary_{}", shop.story.namespace.replace('-', "_"));
    let sql = "create role :\"account\" login superuser password :'password';";
    let values = [("account", account.as_str()), ("password", canary.as_str())];
    shop.database.run_with(sql, &values).await.expect("an account");
    shop.secret(&canary, &shop.database.url_of(&account, &canary))
        .await;
    let more = json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "more"},
        "stringData": {
            "jwt": json!({"type": "HS256", "key": canary}).to_string(),
            "wrong": shop.database.url_of(&account, &format!("wrong-{canary}")),
            "header": canary,
            "metrics": canary,
            "hook": format!("http://127.0.0.1:9/{canary}"),
        },
    });
    shop.apply(&more).await;
    let from = |key: &str| json!({"secretKeyRef": {"name": "more", "key": key}});
    let mut objects = shop.objects();
    for one in &mut objects {
        if one["kind"] == "Engine" {
            one["spec"]["auth"]["jwt"] = json!([from("jwt")]);
            one["spec"]["env"] = json!([
                {"name": "HASURA_GRAPHQL_LOG_LEVEL", "value": "debug"},
                {"name": "HASURA_GRAPHQL_ENABLE_METRICS", "value": "true"},
                {"name": "HASURA_GRAPHQL_METRICS_SECRET", "valueFrom": from("metrics")},
            ]);
        }
    }
    let mut writing = reading("author", &["id", "name"], json!({}));
    writing["spec"]["role"] = "writer".into();
    writing["metadata"]["name"] = "author-writer".into();
    writing["spec"]["insert"] = json!({
        "columns": ["id", "name"], "check": {},
        "validateInput": {"url": "http://127.0.0.1:9/", "headers": [{"name": "x-key", "valueFrom": from("header")}]},
    });
    objects.push(writing);
    for one in &objects {
        shop.apply(one).await;
    }
    let remote = json!({"name": "remote", "urlFrom": from("hook"), "headers": [{"name": "x-key", "valueFrom": from("header")}]});
    shop.apply(&object("RemoteSchema", "remote", remote)).await;
    for one in &objects {
        shop.ready(one).await;
    }
    // A database that refuses the login: statuses, logs and answers say so.
    let mut refused = shop.source();
    refused["metadata"]["name"] = "refused".into();
    refused["spec"] = json!({"name": "refused", "connection": {"urlFrom": from("wrong")}});
    shop.apply(&refused).await;
    let told = until(SOON, "the source that refuses the login is told", || async {
        let found = shop
            .story
            .get(&refused)
            .await
            .map_err(|error| error.to_string())?;
        let ready = condition_of(&found.unwrap_or_default(), "Ready");
        let message = ready["message"].as_str().unwrap_or_default();
        if ready["status"] == "False" && message.contains("password authentication failed") {
            Ok(())
        } else {
            Err(ready.to_string())
        }
    });
    told.await.unwrap_or_else(|error| panic!("{error}"));
    let pod = shop.has_pods(1).await.remove(0);

    let mut places: Vec<(String, String)> = Vec::new();
    let admin = Client::anonymous()
        .expect("a client")
        .with("x-hasura-admin-secret", &canary);
    for (command, status) in [
        ("export_metadata", 200),
        ("get_inconsistent_metadata", 200),
        // The ConfigMap's.
        ("reload_metadata", 400),
    ] {
        let args = json!({"type": command, "args": {}});
        let answer = admin.post(&format!("{}/v1/metadata", pod.address), &args).await;
        places.push((command.to_owned(), answered(command, status, answer)));
    }
    for path in ["/healthz", "/healthz/sources", "/v1alpha1/config", "/v1/version"] {
        let answer = admin.get(&format!("{}{path}", pod.address)).await;
        places.push((path.to_owned(), answered(path, 200, answer)));
    }
    let scraper = Client::anonymous()
        .expect("a client")
        .with("authorization", &format!("Bearer {canary}"));
    let metrics = scraper.get(&format!("{}/v1/metrics", pod.address)).await;
    let metrics = answered("/v1/metrics", 200, metrics);
    assert!(metrics.contains("rowlock_generation_counter"), "{metrics}");
    places.push(("/v1/metrics".to_owned(), metrics));
    let unknown = admin.get(&format!("{}/v1/metrics", pod.address)).await;
    places.push((
        "refused metrics".to_owned(),
        answered("refused metrics", 401, unknown),
    ));
    let operator = shop.operator().await;
    let report = operator
        .get(&format!("http://{}:8081/v1/generation", pod.ip))
        .await;
    let report = report.expect("an answer");
    assert_eq!(report.status, 200, "{report:?}");
    places.push(("the report of the pod".to_owned(), report.body.to_string()));
    let objects = operator
        .get(&format!("http://{}:8081/v1/generation/objects", pod.ip))
        .await;
    let objects = objects.expect("an answer");
    assert_eq!(objects.status, 200, "{objects:?}");
    places.push(("the objects of the pod".to_owned(), objects.body.to_string()));
    let insert = "mutation { insert_author(objects: {id: 9, name: \"Cleo\"}) { affected_rows } }";
    let writer = admin.clone().with("x-hasura-role", "writer");
    let unvalidated = writer.graphql(&pod.address, insert).await.expect("an answer");
    assert!(
        unvalidated.body["errors"].is_array(),
        "nobody validates: {unvalidated:?}"
    );
    places.push((
        "a webhook that is not there".to_owned(),
        unvalidated.body.to_string(),
    ));
    let wrong = shop
        .customer()
        .graphql(&pod.address, "query { author { id } }")
        .await;
    places.push((
        "a refused request".to_owned(),
        wrong.expect("an answer").body.to_string(),
    ));
    let token = Client::anonymous()
        .expect("a client")
        .with("authorization", "Bearer a.b.c");
    let wrong = token.graphql(&pod.address, "query { author { id } }").await;
    places.push((
        "a refused token".to_owned(),
        wrong.expect("an answer").body.to_string(),
    ));
    for (command, role, status) in [
        ("query { author { id } }", "customer", 200),
        (insert, "admin", 400),
    ] {
        let explain = json!({"query": {"query": command}, "user": {"x-hasura-role": role}});
        let answer = admin
            .post(&format!("{}/v1/graphql/explain", pod.address), &explain)
            .await;
        let place = format!("explained as {role}");
        let answer = answered(&place, status, answer);
        places.push((place, answer));
    }

    let kinds = Kind::ALL.iter().map(|kind| (crd::API_VERSION, kind.as_str()));
    let others = [
        ("v1", "ConfigMap"),
        ("v1", "Event"),
        ("v1", "Pod"),
        ("v1", "Service"),
        ("v1", "ServiceAccount"),
        ("apps/v1", "Deployment"),
        ("apps/v1", "ReplicaSet"),
        ("networking.k8s.io/v1", "NetworkPolicy"),
        ("rbac.authorization.k8s.io/v1", "Role"),
        ("rbac.authorization.k8s.io/v1", "RoleBinding"),
        ("policy/v1", "PodDisruptionBudget"),
        ("discovery.k8s.io/v1", "EndpointSlice"),
        ("coordination.k8s.io/v1", "Lease"),
    ];
    for (version, kind) in kinds.chain(others) {
        let found = shop
            .story
            .cluster
            .list(version, kind, &shop.story.namespace, "")
            .await;
        let found = found.expect("a list");
        // What the operator tells of the source that refuses the login is among them.
        assert!(kind != "Event" || !found.is_empty(), "there are Events");
        let text = serde_json::to_string(&found).expect("JSON");
        places.push((kind.to_owned(), text));
    }
    let told = log(&shop, &shop.story.namespace, &pod.name).await;
    // As Hasura's collectors expect it.
    structured(&told, &["timestamp", "level", "type", "detail"]);
    places.push((format!("log of {}", pod.name), told));
    let operators = shop.story.cluster.list(
        "v1",
        "Pod",
        "rowlock-system",
        "app.kubernetes.io/name=rowlock-operator",
    );
    let mut kinds = BTreeSet::new();
    // Of one that ended (the node needed its room, say) the log is gone.
    let operators = operators.await.expect("operators").into_iter();
    for operator in operators.filter(|one| one["status"]["phase"] == "Running") {
        let name = operator["metadata"]["name"].as_str().unwrap_or_default();
        let told = log(&shop, "rowlock-system", name).await;
        let lines = structured(&told, &["timestamp", "level", "type", "message"]);
        kinds.extend(lines.iter().map(|line| line["type"].to_string()));
        places.push((format!("log of {name}"), told));
        let ip = operator["status"]["podIP"].as_str().expect("an address");
        let metrics = admin.get(&format!("http://{ip}:8082/metrics")).await;
        let metrics = metrics.expect("an answer");
        assert_eq!(metrics.status, 200, "{metrics:?}");
        places.push((format!("metrics of {name}"), metrics.body.to_string()));
    }
    for kind in ["started", "leading", "applied", "published", "served"] {
        assert!(
            kinds.contains(&json!(kind).to_string()),
            "{kind} is not in {kinds:?}"
        );
    }
    let forms = forms(&canary);
    for (place, text) in &places {
        for form in &forms {
            assert!(!text.contains(form), "the canary is in {place}");
        }
    }
    note(
        "12 secrecy",
        "places searched for the values of seven keys; hits",
        &format!("{}; 0", places.len()),
    );
    shop.close().await;
}

/// The body of an answer of this status: of a refusal that is none of what is searched nothing would be learnt.
fn answered(place: &str, status: u16, answer: Result<Answer, AnswerError>) -> String {
    let answer = answer.expect("an answer");
    assert_eq!(answer.status, status, "{place}: {answer:?}");
    answer.body.to_string()
}

/// A text as it is, and as it is within anything in base64, wherever it begins.
fn forms(text: &str) -> Vec<String> {
    let mut forms = vec![text.to_owned()];
    for before in 0..3 {
        let encoded = STANDARD.encode(format!("{}{text}", "-".repeat(before)));
        // The signs at the edges depend on what stands beside it.
        forms.push(encoded[4..encoded.len() - 4].to_owned());
    }
    forms
}

#[test]
fn a_text_is_found_in_base64() {
    let forms = forms("canary-of-some-length");
    for beside in ["", "x", "xy", "xyz"] {
        let hidden = STANDARD.encode(format!("{beside}canary-of-some-length{beside}"));
        assert!(forms.iter().any(|form| hidden.contains(form)), "{beside}");
    }
}

/// The lines of a log, each an object that has these keys.
fn structured(log: &str, keys: &[&str]) -> Vec<Value> {
    let lines = log.lines().map(|line| {
        let line: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        let missing = keys.iter().find(|key| line.get(**key).is_none());
        assert_eq!(missing, None, "{line}");
        line
    });
    lines.collect()
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
