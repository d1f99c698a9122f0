//! What a change of the document is refused for, in Hasura's words.

use metadata::Document;
use metadata::object_id::MetadataObjectId;
use schema::problem::{Claim, Problem};

use super::super::dependency;
use super::super::error::ApiError;
use crate::generation::Generation;
use crate::state::StartError;

/// Problems of `next` that `present` does not have.
pub(super) fn new_problems<'n>(present: &Generation, next: &'n Generation) -> Vec<&'n Problem> {
    next.problems
        .iter()
        .filter(|problem| !present.problems.iter().any(|known| same(known, problem)))
        .collect()
}

/// Whether two builds report the same thing: the same objects, whatever is said of them.
fn same(one: &Problem, other: &Problem) -> bool {
    match one.objects() {
        [] => one == other,
        objects => objects == other.objects(),
    }
}

pub(super) fn concerns(problem: &Problem, object: &MetadataObjectId) -> bool {
    problem.objects().contains(object)
}

/// Whether it is about saved queries and REST endpoints alone. They are no dependents of what they name: `cascade` leaves
/// them be, and a command that breaks one is refused.
pub(super) fn is_of_queries(problem: &Problem) -> bool {
    let objects = problem.objects();
    let of_queries = |object: &MetadataObjectId| {
        matches!(
            object,
            MetadataObjectId::SavedQuery { .. } | MetadataObjectId::RestEndpoint(_)
        )
    };
    !objects.is_empty() && objects.iter().all(of_queries)
}

pub(super) fn refuse_new_problems(
    document: &Document,
    object: Option<&MetadataObjectId>,
    problems: &[&Problem],
) -> Result<(), ApiError> {
    if problems.is_empty() {
        return Ok(());
    }
    // Names that two objects claim make no schema at all in Hasura v2: the command fails as a whole.
    for problem in problems {
        if let Problem::Conflicting {
            claim: Claim::RootField(_) | Claim::TypeName(_),
            message,
            ..
        } = problem
        {
            return Err(ApiError::unexpected(message.clone()));
        }
    }
    if let Some(object) = object
        && let Some(own) = problems.iter().find(|problem| concerns(problem, object))
    {
        let all = problems.iter().filter(|problem| concerns(problem, object));
        let all = all.map(|problem| problem.to_json(document)).collect();
        return Err(ApiError::new("invalid-configuration", own.reason()).with_internal(all));
    }
    let all = problems.iter().map(|problem| problem.to_json(document)).collect();
    // Upstream has two checks, with a status each.
    let refusal = if object.is_some() {
        ApiError::new("unexpected", "cannot continue due to new inconsistent metadata")
    } else {
        ApiError::unexpected("cannot continue due to newly found inconsistent metadata")
    };
    Err(refusal.with_internal(all))
}

/// `cannot drop due to the following dependent objects: …`
pub(super) fn dependency_error(dependents: &[&Problem]) -> ApiError {
    let mut names: Vec<String> = dependents
        .iter()
        .flat_map(|problem| problem.objects())
        .map(dependency::dependent_name)
        .collect();
    names.sort();
    names.dedup();
    ApiError::new(
        "dependency-error",
        format!(
            "cannot drop due to the following dependent objects: {}",
            names.join(", ")
        ),
    )
}

pub(super) fn conflict(referenced: i64) -> ApiError {
    let mut error = ApiError::new(
        "conflict",
        format!("metadata resource version referenced ({referenced}) did not match current version"),
    )
    .at("$");
    error.status = 409;
    error
}

/// Failures of the metadata database.
pub(super) fn storage_error(error: &pg::store::Error) -> ApiError {
    match error {
        pg::store::Error::Conflict { referenced, .. } => conflict(*referenced),
        other => ApiError::unexpected(other.to_string()),
    }
}

/// Failures to read what is stored.
pub(super) fn refresh_error(error: &StartError) -> ApiError {
    match error {
        StartError::Store(error) => storage_error(error),
        other => ApiError::unexpected(other.to_string()),
    }
}
