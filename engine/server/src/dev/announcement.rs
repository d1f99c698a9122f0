//! What is printed when the server answers: where it is, what it serves, and a command that works.

use std::net::SocketAddr;

use serde_json::{Value, json};

use super::keeping::Keeping;
use super::request;
use super::screen::Screen;

/// What the announcement says.
#[derive(Debug, Clone)]
pub(super) struct Facts {
    /// Where the metadata is.
    pub(super) keeping: Keeping,
    /// Whether it is the sample.
    pub(super) is_sample: bool,
    /// The admin secret, if one is needed.
    pub(super) secret: Option<String>,
}

/// The query of the printed command.
const SAMPLE_QUERY: &str =
    "{ album(limit: 3, order_by: {released: desc}) { title artist { name } tracks(limit: 2) { title } } }";

/// Tables are tracked by a person first where a database of one's own has no metadata yet.
const OWN_QUERY: &str = "{ __typename }";

/// Prints what of the metadata is left out, then where the server is and what to try.
pub(super) async fn announce(address: SocketAddr, facts: Facts, screen: Screen) {
    for line in inconsistencies(address, &facts).await {
        screen.line(&line);
    }
    for line in announcement(address, &facts) {
        screen.line(&line);
    }
}

fn announcement(address: SocketAddr, facts: &Facts) -> Vec<String> {
    let base = format!("http://{address}");
    let query = if facts.is_sample { SAMPLE_QUERY } else { OWN_QUERY };
    let secret = facts.secret.as_ref().map_or(String::new(), |secret| {
        format!(" -H 'x-hasura-admin-secret: {}'", secret.replace('\'', r"'\''"))
    });
    let mut lines = vec![
        String::new(),
        format!("  GraphQL   {base}/v1/graphql"),
        format!("  metadata  {base}/v1/metadata"),
        format!("  health    {base}/healthz"),
    ];
    lines.push(format!("  served    {}", facts.keeping.describe()));
    lines.push(String::new());
    lines.push("Try:".to_owned());
    lines.push(String::new());
    lines.push(format!(
        "  curl -s {base}/v1/graphql -H 'content-type: application/json'{secret} -d '{}'",
        json!({ "query": query })
    ));
    if facts.is_sample {
        lines.push(String::new());
        lines.push("As a visitor, who sees no prices, add: -H 'x-hasura-role: visitor'".to_owned());
    } else if !matches!(facts.keeping, Keeping::Directory(_)) {
        lines.push(String::new());
        lines.push(
            "Nothing is tracked by itself: track a table with pg_track_table at /v1/metadata.".to_owned(),
        );
    }
    lines.push("Ctrl-C stops everything; data stays.".to_owned());
    lines.push(String::new());
    lines
}

/// What of the metadata is left out, and why.
async fn inconsistencies(address: SocketAddr, facts: &Facts) -> Vec<String> {
    let body = r#"{"type": "get_inconsistent_metadata", "args": {}}"#;
    let answer = request::post(address, "/v1/metadata", facts.secret.as_deref(), body).await;
    let Ok(answer) = answer else { return Vec::new() };
    let Ok(value) = serde_json::from_str::<Value>(&answer) else {
        return Vec::new();
    };
    let objects = value
        .get("inconsistent_objects")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    objects.iter().map(describe).collect()
}

fn describe(object: &Value) -> String {
    let text = |key: &str| {
        object
            .get(key)
            .map(|value| value.as_str().map_or(value.to_string(), str::to_owned))
    };
    let name = text("name").or_else(|| text("definition")).unwrap_or_default();
    format!("left out: {name}: {}", text("reason").unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_part_of_the_command_and_quoted() {
        let facts = Facts {
            keeping: Keeping::Directory("sample".into()),
            is_sample: true,
            secret: Some("it's".to_owned()),
        };
        let lines = announcement(([127, 0, 0, 1], 8080).into(), &facts).join("\n");
        assert!(lines.contains(r"-H 'x-hasura-admin-secret: it'\''s'"), "{lines}");
        assert!(
            lines.contains("curl -s http://127.0.0.1:8080/v1/graphql"),
            "{lines}"
        );
    }

    #[test]
    fn inconsistent_objects_are_named() {
        let object = json!({ "name": "table shop.gone", "reason": "no such table", "definition": {} });
        assert_eq!(describe(&object), "left out: table shop.gone: no such table");
    }
}
