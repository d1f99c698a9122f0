//! One request, one role, one session → a [`Plan`]: where permissions are woven in.
//!
//! Pure: no IO, no clock, no environment. SQL text is written by `sql` alone.

pub mod basis;
mod bind;
pub mod cache;
pub mod cost;
pub mod dml;
mod filter;
mod ir;
mod lower;
pub mod prepared;
mod read;
mod root;
pub mod rows;
pub mod session;
pub mod tag;
pub mod validation;
mod value;
mod write;

use graphql::{Document, Error, Normalized, TypeSystem};
use schema::RoleView;
use schema::meaning::Meaning;
use schema::model::{Model, Role};
use serde_json::{Map, Value};

pub use basis::Basis;
pub use bind::MISSING_VARIABLE;
pub use cache::PlanCache;
pub use prepared::Plan;
pub use session::Session;

/// An operation to be planned.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The text.
    pub text: &'a str,
    /// Which operation of it.
    pub operation_name: Option<&'a str>,
    /// The variables. The plan serves other values as well, as far as its guards hold.
    pub variables: &'a Map<String, Value>,
    /// What a document may cost.
    pub limits: &'a graphql::Limits,
    /// How variables are read.
    pub options: &'a graphql::Options,
}

/// What a role can do: the types that it sees and what they stand on.
#[derive(Debug)]
pub struct View<'a, T> {
    /// The role's types.
    pub types: &'a T,
    /// The model that they are derived from.
    pub model: &'a Model,
    /// The role's overlay.
    pub role: &'a Role,
    /// The request has backend privileges: `backend_only` permissions exist.
    pub backend: bool,
}

impl<'a> View<'a, RoleView> {
    /// What a role of a model can do.
    pub fn of(view: &'a RoleView) -> Self {
        Self {
            types: view,
            model: view.model(),
            role: view.role(),
            backend: view.has_backend_privileges(),
        }
    }
}

/// Plans an operation for a role.
///
/// # Errors
/// What Hasura v2 says against the request: the text, the schema as the role sees it, the values.
pub fn plan<T>(view: &View<'_, T>, request: &Request<'_>) -> Result<Plan, Error>
where
    T: TypeSystem<Meaning = Meaning>,
{
    let document = Document::parse(request.text, request.limits)?;
    let normalized = graphql::normalize(
        &document,
        request.operation_name,
        request.variables,
        view.types,
        request.options,
    )?;
    if !request.options.rows_apart && write::needs_rows(&normalized.operation.fields) {
        let options = graphql::Options {
            rows_apart: true,
            ..*request.options
        };
        let normalized = graphql::normalize(
            &document,
            request.operation_name,
            request.variables,
            view.types,
            &options,
        )?;
        return of_normalized(view, normalized, false);
    }
    of_normalized(view, normalized, request.options.rows_apart)
}

/// Plans an operation whose text has been dealt with already.
///
/// # Errors
/// As [`plan`].
pub fn plan_normalized<T>(view: &View<'_, T>, normalized: Normalized<T::Id, Meaning>) -> Result<Plan, Error>
where
    T: TypeSystem<Meaning = Meaning>,
{
    of_normalized(view, normalized, false)
}

fn of_normalized<T>(
    view: &View<'_, T>,
    normalized: Normalized<T::Id, Meaning>,
    rows_apart: bool,
) -> Result<Plan, Error>
where
    T: TypeSystem<Meaning = Meaning>,
{
    let Normalized {
        operation,
        guards,
        variables,
    } = normalized;
    let parameterized_hash = graphql::hash::parameterized_query_hash(&operation);
    let mut planner =
        root::Planner::new(view, &operation, &parameterized_hash, guards).rows_apart(rows_apart);
    let roots = planner.roots(&operation.fields)?;
    let (slots, guards, validations) = planner.finish();
    Ok(Plan {
        basis: Basis::of(view.model, view.role, &roots),
        kind: operation.kind,
        operation_name: operation.name,
        cached: operation.cached,
        cost: cost::Cost::of(&operation.fields),
        roots,
        slots,
        validations,
        guards,
        variables,
        parameterized_hash,
    })
}
