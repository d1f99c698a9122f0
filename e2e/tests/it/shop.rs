//! A bookshop: a small database, an engine with a few pods, and the objects of its API. Most stories are told in it.

use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use e2e::answer::{Answer, Client};
use e2e::database::Database;
use e2e::story::Story;
use e2e::wait::until;
use serde_json::{Value, json};

/// How long anything may take that involves starting pods.
pub const START: Duration = Duration::from_secs(120);
/// How long anything else may take on a busy machine. Promises are checked against figures, not against this.
pub const SOON: Duration = Duration::from_secs(30);
/// The admin secret at first.
pub const SECRET: &str = "first-admin-secret";

const SCHEMA: &str = "
    create table author (id int primary key, name text not null);
    create table book (
        id int primary key, author_id int not null references author, title text not null,
        price numeric not null, published boolean not null default true);
    insert into author values (1, 'Ada'), (2, 'Bea');
    insert into book values (1, 1, 'Alpha', 10.50, true), (2, 1, 'Beta', 12, true), (3, 2, 'Gamma', 9, false);
";

/// The bookshop of one story.
#[derive(Clone)]
pub struct Shop {
    pub story: Story,
    pub database: Database,
    pub pods: usize,
}

/// A pod that takes requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pod {
    pub name: String,
    pub ip: String,
    pub address: String,
    pub restarts: i64,
}

/// An object of a kind of ours.
pub fn object(kind: &str, name: &str, spec: Value) -> Value {
    let mut object = json!({
        "apiVersion": crd::API_VERSION, "kind": kind,
        "metadata": {"name": name, "labels": {"app": "shop"}},
    });
    object["spec"] = spec;
    object
}

pub fn table(name: &str) -> Value {
    object(
        "Table",
        name,
        json!({"sourceRef": {"name": "shop"}, "table": {"schema": "public", "name": name}}),
    )
}

/// What `customer` may read of a table.
pub fn reading(table: &str, columns: &[&str], filter: Value) -> Value {
    let mut select = json!({"columns": columns});
    select["filter"] = filter;
    object(
        "Permission",
        &format!("{table}-customer"),
        json!({"tableRef": {"name": table}, "role": "customer", "select": select}),
    )
}

impl Shop {
    /// A database, its Secret, and nothing applied yet.
    pub async fn plan(name: &str, pods: usize) -> Self {
        let story = Story::begin(name).await.expect("needs a cluster: e2e/run");
        let database = Database::create(&story.namespace).await.expect("a database");
        database.run(SCHEMA).await.expect("a schema");
        let shop = Self {
            story,
            database,
            pods,
        };
        shop.secret(SECRET, &shop.database.url).await;
        shop
    }

    /// Everything applied and served.
    pub async fn open(name: &str, pods: usize) -> Self {
        let shop = Self::plan(name, pods).await;
        for object in shop.objects() {
            shop.apply(&object).await;
        }
        for object in shop.objects() {
            shop.ready(&object).await;
        }
        shop
    }

    /// The Secret that the objects name.
    pub async fn secret(&self, admin: &str, database: &str) {
        let secret = json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "shop"},
            "stringData": {"admin-secret": admin, "uri": database},
        });
        self.apply(&secret).await;
    }

    pub fn engine(&self) -> Value {
        let auth = json!({"adminSecretFrom": {"secretKeyRef": {"name": "shop", "key": "admin-secret"}}});
        let image = std::env::var("ROWLOCK_E2E_IMAGE").ok();
        let mut engine = object(
            "Engine",
            "shop",
            json!({"replicas": self.pods, "auth": auth, "objectSelector": {"matchLabels": {"app": "shop"}}}),
        );
        if let Some(image) = image {
            engine["spec"]["image"] = image.into();
        }
        engine
    }

    pub fn source(&self) -> Value {
        let connection = json!({"urlFrom": {"secretKeyRef": {"name": "shop", "key": "uri"}}});
        object(
            "Source",
            "shop",
            json!({"name": "default", "connection": connection}),
        )
    }

    /// The API as it is first applied.
    pub fn objects(&self) -> Vec<Value> {
        let mut book = table("book");
        book["spec"]["objectRelationships"] =
            json!([{"name": "author", "foreignKey": {"columns": ["author_id"]}}]);
        let mut author = table("author");
        let remote = json!({"table": {"schema": "public", "name": "book"}, "columns": ["author_id"]});
        author["spec"]["arrayRelationships"] = json!([{"name": "books", "remoteForeignKey": remote}]);
        vec![
            self.engine(),
            self.source(),
            author,
            book,
            reading("author", &["id", "name"], json!({})),
            reading("book", &["id", "title"], json!({"published": {"_eq": true}})),
        ]
    }

    pub async fn apply(&self, object: &Value) -> Value {
        let kept = self.story.apply(object).await;
        kept.unwrap_or_else(|error| panic!("{}/{}: {error}", object["kind"], object["metadata"]["name"]))
    }

    pub async fn ready(&self, object: &Value) -> Duration {
        let (_, took) = self
            .story
            .condition(object, "Ready", "True", START)
            .await
            .unwrap_or_else(|error| panic!("{error}"));
        took
    }

    /// Waits until the object is not ready for this reason.
    pub async fn refused_for(&self, object: &Value, reason: &str) -> String {
        let what = format!("{} is refused for {reason}", object["metadata"]["name"]);
        let found = until(SOON, &what, || async {
            let found = self.story.get(object).await.map_err(|error| error.to_string())?;
            let found = found.unwrap_or_default();
            let condition = e2e::story::condition_of(&found, "Ready");
            // What was said of an earlier form is no answer.
            let is_of_this_form = condition["observedGeneration"] == found["metadata"]["generation"];
            if is_of_this_form && condition["status"] == "False" && condition["reason"] == reason {
                Ok(condition["message"].as_str().unwrap_or_default().to_owned())
            } else {
                Err(condition.to_string())
            }
        });
        found.await.unwrap_or_else(|error| panic!("{error}")).0
    }

    /// Waits until the object is not there any more.
    pub async fn gone(&self, object: &Value) {
        let what = format!("{} is gone", object["metadata"]["name"]);
        let gone = until(SOON, &what, || async {
            match self.story.get(object).await {
                Ok(None) => Ok(()),
                other => Err(format!("{other:?}")),
            }
        });
        gone.await.unwrap_or_else(|error| panic!("{error}"));
    }

    /// An object as the API server has it now.
    pub async fn there(&self, object: &Value) -> Value {
        let found = self.story.get(object).await.expect("an answer");
        found.unwrap_or_else(|| panic!("{}/{} is there", object["kind"], object["metadata"]["name"]))
    }

    /// The engine's own object as it is now.
    pub async fn engine_now(&self) -> Value {
        self.there(&self.engine()).await
    }

    /// The hash of the generation that answers, when the engine's own status has come to it too: statuses are written in no
    /// order.
    pub async fn generation(&self) -> Value {
        let found = until(SOON, "the engine names the generation that answers", || async {
            let answered = self.ask("query { __typename }").await.generation;
            let named = self.engine_now().await["status"]["generationHash"].clone();
            if !answered.is_empty() && named == answered.as_str() {
                Ok(named)
            } else {
                Err(format!("{answered} answers, {named} is named"))
            }
        });
        found.await.unwrap_or_else(|error| panic!("{error}")).0
    }

    /// Waits until every ready pod of this engine answers with the generation of this hash, and the engine's own status
    /// names it. What the status alone names may be from before a change: it is written once a second at most.
    pub async fn serves(&self, engine: &Value, hash: &Value) {
        let client = Client::anonymous().expect("a client").as_role(SECRET, "admin");
        let what = format!("every pod serves {hash}");
        let found = until(SOON, &what, || async {
            let pods = self.ready_pods_of(engine).await;
            if pods.is_empty() {
                return Err("no pod is ready".to_owned());
            }
            for pod in pods {
                let answer = client.graphql(&pod.address, "query { __typename }").await;
                let answered = answer.map_err(|error| error.to_string())?.generation;
                if *hash != answered.as_str() {
                    return Err(format!("{} serves {answered}", pod.name));
                }
            }
            match &self.there(engine).await["status"]["generationHash"] {
                named if named == hash => Ok(()),
                named => Err(format!("{named} is named")),
            }
        });
        found.await.unwrap_or_else(|error| panic!("{error}"));
    }

    /// All pods that are there, ready or not, those on their way out among them.
    pub async fn listed_pods(&self, engine: &Value) -> Vec<Value> {
        let engine = self.there(engine).await;
        let selector = engine["status"]["selector"]
            .as_str()
            .expect("a selector in the status");
        let found = self
            .story
            .cluster
            .list("v1", "Pod", &self.story.namespace, selector)
            .await;
        found.expect("pods")
    }

    /// The pods that are ready and not on their way out.
    pub async fn ready_pods(&self) -> Vec<Pod> {
        self.ready_pods_of(&self.engine()).await
    }

    async fn ready_pods_of(&self, engine: &Value) -> Vec<Pod> {
        let found = self.listed_pods(engine).await;
        let ready = |pod: &Value| {
            let conditions = pod["status"]["conditions"].as_array().into_iter().flatten();
            let is_ready = conditions
                .clone()
                .any(|one| one["type"] == "Ready" && one["status"] == "True");
            is_ready && pod["metadata"].get("deletionTimestamp").is_none()
        };
        let mut pods: Vec<Pod> = found.iter().filter(|pod| ready(pod)).map(pod).collect();
        pods.sort_by(|left, right| left.name.cmp(&right.name));
        pods
    }

    /// Waits until exactly so many pods are ready.
    pub async fn has_pods(&self, count: usize) -> Vec<Pod> {
        let what = format!("{count} pods are ready");
        let found = until(START, &what, || async {
            let pods = self.ready_pods().await;
            if pods.len() == count {
                Ok(pods)
            } else {
                Err(format!("{pods:?}"))
            }
        });
        found.await.unwrap_or_else(|error| panic!("{error}")).0
    }

    /// Someone who may ask the admin API of the engine's pods, as the operator does.
    pub async fn operator(&self) -> Client {
        let secrets = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "shop-secrets"}});
        let secrets = self.there(&secrets).await;
        let token = secrets["data"]["ROWLOCK_ADMIN_TOKEN"].as_str().expect("a token");
        let token = String::from_utf8(STANDARD.decode(token).expect("base64")).expect("a text");
        let client = Client::anonymous().expect("a client");
        client.with("authorization", &format!("Bearer {token}"))
    }

    /// Where the engine's Service answers.
    pub async fn address(&self) -> String {
        let engine = self.engine_now().await;
        let uid = &engine["metadata"]["uid"];
        let services = self
            .story
            .cluster
            .list("v1", "Service", &self.story.namespace, "")
            .await;
        let services = services.expect("services");
        let owned = services
            .iter()
            .find(|service| service["metadata"]["ownerReferences"][0]["uid"] == *uid);
        let service = owned.expect("a Service of the engine");
        let ip = service["spec"]["clusterIP"].as_str().expect("an address");
        let address = format!("http://{ip}:{}", service["spec"]["ports"][0]["port"]);
        reachable(&address).await;
        address
    }

    pub fn customer(&self) -> Client {
        Client::anonymous().expect("a client").as_role(SECRET, "customer")
    }

    /// Asks until the body is as expected, at one address.
    pub async fn answers(&self, address: &str, client: &Client, operation: &str, body: &Value) -> Duration {
        let what = format!("{address} answers {operation} with {body}");
        let found = until(SOON, &what, || async {
            let answer = client
                .graphql(address, operation)
                .await
                .map_err(|error| error.to_string())?;
            if answer.body == *body {
                Ok(())
            } else {
                Err(answer.body.to_string())
            }
        });
        found.await.unwrap_or_else(|error| panic!("{error}")).1
    }

    /// Waits until every ready pod answers so; how long after `since` that was.
    pub async fn everywhere(&self, pods: &[Pod], operation: &str, body: &Value, since: Instant) -> Duration {
        let client = self.customer();
        for pod in pods {
            self.answers(&pod.address, &client, operation, body).await;
        }
        since.elapsed()
    }

    /// One answer now, through the Service.
    pub async fn ask(&self, operation: &str) -> Answer {
        let address = self.address().await;
        self.customer()
            .graphql(&address, operation)
            .await
            .expect("an answer")
    }

    /// Takes everything down.
    pub async fn close(self) {
        self.story.end().await.expect("the end");
    }
}

/// Waits until somebody answers there: what is ready is known to the node a moment later.
pub async fn reachable(address: &str) {
    let client = Client::anonymous().expect("a client");
    let url = format!("{address}/livez");
    let what = format!("{address} leads to a pod");
    let found = until(SOON, &what, || async {
        match client.get(&url).await {
            Ok(answer) if answer.status == 200 => Ok(()),
            other => Err(format!("{other:?}")),
        }
    });
    found.await.unwrap_or_else(|error| panic!("{error}"));
}

fn pod(pod: &Value) -> Pod {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let ports = pod["spec"]["containers"][0]["ports"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    let port = ports
        .iter()
        .find(|port| port["name"] == "http")
        .map_or(json!(8080), |port| port["containerPort"].clone());
    let ip = text(&pod["status"]["podIP"]);
    Pod {
        name: text(&pod["metadata"]["name"]),
        address: format!("http://{ip}:{port}"),
        ip,
        restarts: pod["status"]["containerStatuses"][0]["restartCount"]
            .as_i64()
            .unwrap_or_default(),
    }
}
