//! The place of a row that was refused. Rows with rows below or above them are written set by set, which does not say which
//! row an error is about; so they are tried once more, one by one, in a transaction that never commits.
//!
//! Only where nothing but rows is written ([`Mutation::repeatable`]): nothing is left of the attempt.

use plan::Plan;
use plan::prepared::Mutation;
use serde_json::{Map, Value};

use super::{Field, Statements, begin, collect};
use crate::http::error::{ApiError, Code};
use crate::request::{Context, Request, plan_with, told as told_of};

/// Where there are more rows than this in one list, none is looked for.
const MOST_ROWS: usize = 1000;

/// An error of this plan may be about one of several rows, and trying again does no harm.
pub(in crate::request) fn can_be_found(plan: &Plan, variables: &Map<String, Value>) -> bool {
    let mut fields = Vec::new();
    collect(&plan.roots, &mut fields);
    fields.iter().any(|field| field.mutation.statements.len() > 1)
        && fields.iter().all(|field| field.mutation.repeatable)
        && of_one_source(&fields)
        && variables
            .values()
            .all(|value| value.as_array().is_none_or(|rows| rows.len() <= MOST_ROWS))
}

fn of_one_source(fields: &[Field<'_>]) -> bool {
    let mut sources = fields.iter().map(|field| field.mutation.source);
    let first = sources.next();
    sources.all(|source| Some(source) == first)
}

/// The error, with the place of the row that it is about if that is found.
pub(in crate::request) async fn told(
    context: &Context<'_>,
    request: &Request<'_>,
    variables: &Map<String, Value>,
    error: ApiError,
) -> ApiError {
    let is_about_rows = matches!(
        error.code,
        Code::ConstraintViolation | Code::PermissionError | Code::DataException
    );
    if !is_about_rows || !error.path.starts_with("$.selectionSet.") {
        return error;
    }
    match found(context, request, variables, &error).await {
        Some(path) => error.path(path),
        None => error,
    }
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
    let mut transaction = begin(context, &plan, source, &session).await.ok()?;
    let (mut answers, mut ends) = (Vec::new(), Vec::new());
    let done = statements.run(context, &mut transaction, &values, false, &mut answers, &mut ends);
    let failed = done.await.err()?;
    let statement = statements.all.get(failed.position).copied()?;
    let other = told_of(&failed.error, Some((statement, &single)));
    (other.code == error.code && other.message == error.message).then_some(other.path)
}
