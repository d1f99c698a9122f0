//! The template language and the transforms, from the outside.

#![expect(
    clippy::needless_pass_by_value,
    reason = "what checks take is a `json!` written in place"
)]

#[cfg(test)]
mod errors;
#[cfg(test)]
mod language;
#[cfg(test)]
mod limits;
#[cfg(test)]
mod random;
#[cfg(test)]
mod transforms;
#[cfg(test)]
mod webhook_test;

use kriti::{Context, Error, SessionVariables, Template};
use serde_json::{Value, json};

/// What most tests render with.
fn context() -> Context {
    let session: SessionVariables = [("X-Hasura-Role", "editor")].into_iter().collect();
    Context::new()
        .with(
            "$body",
            json!({
                "name": "Ada",
                "n": 3,
                "yes": true,
                "nothing": null,
                "two words": "tw",
                "list": [10, 20, 30],
                "people": [{"name": "Ada", "age": 36}, {"name": "Alan", "age": 41}],
                "nested": {"deep": {"er": "x"}},
            }),
        )
        .with("$key", json!("name"))
        .with("$", json!([{"first": 1}]))
        .with_session(Some(session))
}

fn render(source: &str) -> Result<Value, Error> {
    Template::parse(source)?.render(&context())
}
