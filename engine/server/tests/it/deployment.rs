//! The sample deployments: their variables start the program, and it does what they say.

use embedded::test::TestDatabase;
use serde_json::{Value, json};

use crate::process::{Server, rowlock};

const COMPOSE: &str = include_str!("../../../../config/samples/deployment/docker-compose.yml");
const KUBERNETES: &str = include_str!("../../../../config/samples/deployment/kubernetes.yaml");

/// The variables of the engine's service in the compose file.
fn variables() -> Vec<(String, String)> {
    let engine = COMPOSE.split_once("\n  engine:\n").unwrap().1;
    engine
        .lines()
        .filter_map(|line| line.trim().split_once(": "))
        .filter(|(name, _)| name.starts_with("HASURA_GRAPHQL_"))
        .map(|(name, value)| (name.to_owned(), value.trim_matches(['"', '\'']).to_owned()))
        .collect()
}

#[test]
fn the_compose_file_runs() {
    let database = TestDatabase::create("compose");
    let mut command = rowlock(&["serve", "--server-port", "0"]);
    for (name, value) in variables() {
        command.env(name, value);
    }
    // Only where the database is differs.
    let server = Server::spawn(command.env("HASURA_GRAPHQL_DATABASE_URL", database.url()));
    assert_eq!(server.send("GET", "/healthz", &[], ""), (200, "OK".to_owned()));
    let query = json!({"query": "{ __typename }"});
    assert_eq!(
        server.json("/v1/graphql", &[], &query).1,
        json!({"data": {"__typename": "query_root"}})
    );
    let config = server
        .send(
            "GET",
            "/v1alpha1/config",
            &[("x-hasura-admin-secret", "myadminsecretkey")],
            "",
        )
        .1;
    let config: Value = serde_json::from_str(&config).unwrap();
    assert_eq!(
        (&config["is_jwt_set"], &config["is_admin_secret_set"]),
        (&json!(true), &json!(true))
    );
    assert_eq!(
        server.send("GET", "/v1alpha1/config", &[], "").0,
        400,
        "anonymous is no admin"
    );
    let (status, page) = server.send("GET", "/console", &[], "");
    assert!(status == 200 && page.contains("<title>Rowlock</title>"), "{page}");
    assert_eq!(server.send("GET", "/", &[], "").0, 302);
}

/// While its database is down a pod takes no requests and goes on. The image is the one that the guide builds.
#[test]
fn the_deployment_asks_for_what_a_probe_is_to_know() {
    let probe = |name: &str| {
        let rest = KUBERNETES.split_once(name).unwrap().1;
        let path = rest.split_once("path: ").unwrap().1;
        path.lines().next().unwrap_or_default()
    };
    assert_eq!(probe("livenessProbe:"), "/livez");
    assert_eq!(probe("readinessProbe:"), "/readyz");
    let image = KUBERNETES.split_once("image: ").unwrap().1;
    let image = image.lines().next().unwrap_or_default();
    let guide = include_str!("../../../../docs/kubernetes.md");
    assert!(guide.contains(&format!("docker build -t {image} .")), "{image}");
}

/// The variables of the container: values as they are, keys of its Secret as somebody would fill them.
fn container() -> Vec<(String, String)> {
    let env = KUBERNETES.split("\n        env:\n").nth(1).unwrap();
    let env = env.split("\n        resources:").next().unwrap();
    let mut found = Vec::new();
    for item in env.split("        - name: ").skip(1) {
        let mut lines = item.lines();
        let name = lines.next().unwrap().trim();
        let value = lines
            .filter_map(|line| line.trim().split_once(": "))
            .find_map(|(key, value)| match (key, value) {
                ("value", value) => Some(value.trim_matches('"')),
                ("key", "database-url") => Some("postgres://nowhere"),
                ("key", "admin-secret") => Some("strong-random-secret"),
                ("key", "jwt-secret") => {
                    Some(r#"{"type":"HS256","key":"super-secret-jwt-signing-key-min-32-chars"}"#)
                }
                _ => None,
            });
        found.push((
            name.to_owned(),
            value.unwrap_or_else(|| panic!("{name}")).to_owned(),
        ));
    }
    found
}

#[test]
fn the_deployment_runs() {
    let database = TestDatabase::create("deployment");
    let mut command = rowlock(&["serve", "--server-port", "0"]);
    let variables = container();
    assert_eq!(variables.len(), 5, "{variables:?}");
    command.envs(variables);
    let server = Server::spawn(command.env("HASURA_GRAPHQL_DATABASE_URL", database.url()));
    // Its probes.
    assert_eq!(server.send("GET", "/healthz", &[], ""), (200, "OK".to_owned()));
    let query = json!({"query": "{ __typename }"});
    let told = "Missing 'Authorization' or 'Cookie' header in JWT authentication mode";
    let (_, answer) = server.json("/v1/graphql", &[], &query);
    assert_eq!(answer["errors"][0]["message"], told, "nobody is anonymous there");
    let admin = [("x-hasura-admin-secret", "strong-random-secret")];
    assert_eq!(
        server.json("/v1/graphql", &admin, &query).1,
        json!({"data": {"__typename": "query_root"}})
    );
    assert_eq!(server.send("GET", "/console", &admin, "").0, 404);
}

#[test]
fn both_deployments_name_known_variables() {
    let known =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/settings.md")).unwrap();
    let words = [COMPOSE, KUBERNETES].join("\n");
    let names = words
        .split(|character: char| !character.is_ascii_uppercase() && character != '_')
        .filter(|word| word.starts_with("HASURA_GRAPHQL_"));
    for name in names {
        assert!(known.contains(&format!("`{name}`")), "{name}");
    }
}
