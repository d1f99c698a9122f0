//! The place of a row that was refused. Rows with rows below or above them are written set by set, which does not say which
//! row an error is about; so they are tried once more, one by one, in a transaction that never commits.
//!
//! Only where nothing but rows is written ([`Mutation::repeatable`]): nothing is left of the attempt. It is bounded in values,
//! statements and time, and what is over a bound has the place of the list.

use std::time::Duration;

use plan::Plan;
use plan::prepared::Mutation;
use plan::rows::SingleRows;
use serde_json::{Map, Value};

use super::{Field, Statements, begin, collect};
use crate::http::error::{ApiError, Code};
use crate::request::{Context, Request, plan_with, told as told_of};

/// Where more values than this are inserted, objects and lists counted too, none is looked for: each is kept while the
/// database works, and planned by itself.
const MOST_VALUES: usize = 2000;
/// The same for what stands in the operation's text, in bytes.
const MOST_TEXT: usize = 32 * 1024;
/// After this time the place that is known stands.
const MOST_TIME: Duration = Duration::from_secs(1);

/// An error of this plan may be about one of several rows, and trying again does no harm.
pub(in crate::request) fn can_be_found(
    plan: &Plan,
    text: &str,
    variables: &Map<String, Value>,
    single: &SingleRows<'_>,
) -> bool {
    let mut fields = Vec::new();
    collect(&plan.roots, &mut fields);
    let mut statements = fields.iter().flat_map(|field| &field.mutation.statements);
    statements.any(|statement| statement.is_of_several(single))
        && fields.iter().all(|field| field.mutation.repeatable)
        && of_one_source(&fields)
        && is_small(text, variables)
}

fn of_one_source(fields: &[Field<'_>]) -> bool {
    let mut sources = fields.iter().map(|field| field.mutation.source);
    let first = sources.next();
    sources.all(|source| Some(source) == first)
}

/// What is inserted is within the bounds. A variable may be used more than once: each of the text's dollars but those of the
/// definitions may be a use of all.
fn is_small(text: &str, variables: &Map<String, Value>) -> bool {
    if text.len() > MOST_TEXT {
        return false;
    }
    let uses = text.bytes().filter(|byte| *byte == b'$').count();
    let uses = uses.saturating_sub(variables.len()).max(1);
    let mut left = MOST_VALUES / uses;
    variables.values().all(|value| takes(value, &mut left))
}

/// Takes a value with all that is in it from what is left; stops as soon as nothing is. Variables are no deeper than the
/// body's reader lets them be.
fn takes(value: &Value, left: &mut usize) -> bool {
    let Some(rest) = left.checked_sub(1) else {
        return false;
    };
    *left = rest;
    match value {
        Value::Array(items) => items.iter().all(|item| takes(item, left)),
        Value::Object(fields) => fields.values().all(|field| takes(field, left)),
        _ => true,
    }
}

/// The error, with the place of the row that it is about if that is found in time.
pub(in crate::request) async fn told(
    context: &Context<'_>,
    request: &Request<'_>,
    plan: &Plan,
    single: &SingleRows<'_>,
    variables: &Map<String, Value>,
    error: ApiError,
) -> ApiError {
    let is_about_rows = matches!(
        error.code,
        Code::ConstraintViolation | Code::PermissionError | Code::DataException
    );
    if !is_about_rows || !is_of_several(plan, single, &error.path) {
        return error;
    }
    let found = found(context, request, variables, &error);
    match tokio::time::timeout(MOST_TIME, found).await {
        Ok(Some(path)) => error.path(path),
        Ok(None) | Err(_) => error,
    }
}

/// A statement that failed there may have been about any of several rows.
fn is_of_several(plan: &Plan, single: &SingleRows<'_>, path: &str) -> bool {
    let mut fields = Vec::new();
    collect(&plan.roots, &mut fields);
    let mut statements = fields.iter().flat_map(|field| &field.mutation.statements);
    statements.any(|statement| {
        statement.is_of_several(single) && statement.place(&statement.path, single).to_string() == path
    })
}

async fn found(
    context: &Context<'_>,
    request: &Request<'_>,
    variables: &Map<String, Value>,
    error: &ApiError,
) -> Option<String> {
    let options = graphql::Options {
        rows_apart: true,
        ..context.state.settings.graphql.options
    };
    context.generation.plans.count_unkept();
    let plan = plan_with(context, request, variables, &options).ok()?;
    let values = plan.bind(variables, context.session).ok()?;
    let single = plan.single_rows(variables);
    let mut fields = Vec::new();
    collect(&plan.roots, &mut fields);
    let source = fields.first()?.mutation.source;
    let session = context.session.to_json();
    let statements = Statements::of(context, &plan, &fields, |mutation: &Mutation| {
        &mutation.statements
    });
    let texts: Vec<&sql::Statement> = statements
        .all
        .iter()
        .zip(&statements.tagged)
        .map(|(one, tagged)| tagged.as_ref().unwrap_or(&one.statement))
        .collect();
    let mut transaction = begin(context, &plan, source, &session).await.ok()?;
    let limit = context.state.settings.http.max_response;
    let failed = transaction.rehearse(&texts, &values, limit).await.err()?;
    let statement = statements.all.get(failed.position).copied()?;
    let other = told_of(&failed.error, Some((statement, &single)));
    (other.code == error.code && other.message == error.message).then_some(other.path)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn all_values_below_count_and_each_use_of_them() {
        let small = |text: &str, variables: Value| is_small(text, variables.as_object().unwrap());
        let once = "mutation ($rows: [a!]!) { insert_a(objects: $rows) { affected_rows } }";
        let rows = |count: usize| vec![json!({"n": 1}); count];
        assert!(small(once, json!({"rows": rows(900)})));
        assert!(!small(once, json!({"rows": rows(1000)})));
        // One row, with all of them below.
        assert!(!small(once, json!({"rows": [{"boxes": {"data": rows(1000)}}]})));
        assert!(!small(once, json!({"a": rows(500), "b": rows(500)})));
        let twice = "mutation ($rows: [a!]!) { a: insert_a(objects: $rows) { id } b: insert_a(objects: $rows) { id } }";
        assert!(small(twice, json!({"rows": rows(400)})));
        assert!(!small(twice, json!({"rows": rows(900)})));
        assert!(!small(&once.replace(' ', &" ".repeat(MOST_TEXT)), json!({})));
    }
}
