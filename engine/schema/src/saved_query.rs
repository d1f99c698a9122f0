//! Saved queries of query collections, held against what the admin sees: a query that the schema no longer has is
//! reported with the REST endpoints and the allow list that use it.

use std::collections::BTreeSet;
use std::sync::Arc;

use metadata::Document;
use metadata::collection::AllowlistScope;
use metadata::object_id::MetadataObjectId;

use crate::model::Model;
use crate::problem::Problem;
use crate::resolve::permission::ADMIN;
use crate::role::RoleView;

/// What is wrong with the saved queries of a document, given the model that it makes.
pub fn check(document: &Document, model: &Arc<Model>) -> Vec<Problem> {
    let mut problems = Vec::new();
    if document.query_collections.is_empty() {
        return problems;
    }
    let view = RoleView::new(Arc::clone(model), ADMIN, true);
    for (collection, content) in &document.query_collections {
        for (query, listed) in &content.definition.queries {
            let (errors, form) = match graphql::Document::parse(&listed.query, &graphql::Limits::default()) {
                Ok(parsed) => (graphql::diagnose::diagnose(&parsed, &view), parsed.normal_form()),
                Err(error) => (vec![error.message], listed.query.clone()),
            };
            if errors.is_empty() {
                continue;
            }
            let mut message = format!(
                "In query collection \"{collection}\" the query \"{query}\" is invalid with the following error(s): {}",
                quoted(errors.iter().map(String::as_str))
            );
            let endpoints = endpoints_of(document, &listed.query);
            if !endpoints.is_empty() {
                message.push_str(". This query is being used in the following REST endpoint(s): ");
                message.push_str(&quoted(endpoints));
            }
            if is_allowed_to_all(document, &form) {
                message.push_str(". This query is in allowlist.");
            }
            let object = MetadataObjectId::SavedQuery {
                collection: collection.clone(),
                query: query.clone(),
            };
            problems.push(Problem::inconsistent(object, message));
        }
    }
    problems
}

/// `"a", "b"`
fn quoted<'a>(texts: impl IntoIterator<Item = &'a str>) -> String {
    let quoted: Vec<String> = texts.into_iter().map(|text| format!("\"{text}\"")).collect();
    quoted.join(", ")
}

/// The endpoints that run a query with this text, whichever collection they name.
fn endpoints_of<'a>(document: &'a Document, text: &str) -> BTreeSet<&'a str> {
    let endpoints = document.rest_endpoints.iter().filter(|(_, endpoint)| {
        let reference = &endpoint.definition.query;
        let collection = document.query_collections.get(&reference.collection_name);
        collection
            .and_then(|collection| collection.definition.queries.get(&reference.query_name))
            .is_some_and(|listed| listed.query == text)
    });
    endpoints.map(|(name, _)| name.as_str()).collect()
}

/// Whether a collection on the allow list of all roles has the same query.
fn is_allowed_to_all(document: &Document, form: &str) -> bool {
    let global = document
        .allowlist
        .iter()
        .filter(|(_, entry)| entry.scope == AllowlistScope::Global);
    global
        .filter_map(|(collection, _)| document.query_collections.get(collection))
        .flat_map(|collection| collection.definition.queries.values())
        .any(|listed| {
            graphql::Document::parse(&listed.query, &graphql::Limits::default())
                .is_ok_and(|parsed| parsed.normal_form() == form)
        })
}
