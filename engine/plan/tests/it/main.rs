//! What SQL an operation becomes, what is bound to it, and what is refused.
#![expect(
    clippy::panic,
    clippy::expect_used,
    reason = "a test that cannot go on must fail"
)]

mod data_api;
// `cfg(test)` tells clippy that what runs in these is test code too.
#[cfg(test)]
mod fuzz;
mod mutations;
mod sql_text;
mod type_system;
mod values;
mod world;

use plan::prepared::RootContent;
use plan::{Plan, Request, View};
use schema::model::Options;
use serde_json::{Map, Value};

use type_system::Types;

/// Plans a request for a role.
fn plan_with(options: Options, role: &str, text: &str, variables: &Value) -> Result<Plan, graphql::Error> {
    let model = world::world(options);
    let none = Map::new();
    let variables = variables.as_object().unwrap_or(&none);
    let view = View {
        backend: false,
        types: &Types(&model),
        model: &model,
        role: &model.roles[role],
    };
    plan::plan(
        &view,
        &Request {
            text,
            operation_name: None,
            variables,
            limits: &graphql::Limits::default(),
            options: &graphql::Options::default(),
        },
    )
}

fn plan_as(role: &str, text: &str, variables: &Value) -> Plan {
    plan_with(Options::default(), role, text, variables).expect("a plan")
}

/// The SQL of the only root field, without `"pg_catalog".` and the quotes of names, for reading.
fn sql_as(role: &str, text: &str) -> String {
    let plan = plan_as(role, text, &Value::Null);
    readable(&text_of(&plan))
}

fn sql(text: &str) -> String {
    sql_as("admin", text)
}

fn text_of(plan: &Plan) -> String {
    match &plan.roots[0].content {
        RootContent::Statement { statement, .. } => statement.text.to_string(),
        RootContent::Mutation(mutation) => {
            let texts = mutation.statements.iter().map(|one| &*one.statement.text);
            texts.collect::<Vec<_>>().join(";\n")
        }
        other => panic!("no statement: {other:?}"),
    }
}

fn readable(text: &str) -> String {
    text.replace("\"pg_catalog\".", "")
        .replace("\"public\".", "")
        .replace('"', "")
}
