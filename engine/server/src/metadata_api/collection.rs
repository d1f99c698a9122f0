//! Commands about query collections, the allow list and REST endpoints.

use metadata::Document;
use metadata::collection::{AllowlistEntry, ListedQuery, QueryCollection};
use metadata::object_id::MetadataObjectId;
use metadata::rest::RestEndpoint;
use serde_json::{Value, json};

use super::arguments::Arguments;
use super::error::ApiError;
use super::success;
use super::workspace::Workspace;

/// `create_query_collection`
pub(crate) fn create(workspace: &mut Workspace<'_>, arguments: Arguments<'_>) -> Result<Value, ApiError> {
    arguments.name("name")?;
    let (name, collection) = arguments.entry::<QueryCollection>()?;
    for (position, listed) in collection.definition.queries.values().enumerate() {
        check_query(&listed.query, &format!("$.definition.queries[{position}].query"))?;
    }
    if workspace.document().query_collections.contains_key(&name) {
        return Err(ApiError::new(
            "already-exists",
            format!("query collection with name \"{name}\" already exists"),
        ));
    }
    workspace.change(None, |document| {
        document.query_collections.insert(name.clone(), collection);
        Ok(())
    })?;
    Ok(success())
}

/// Refuses text that is no GraphQL document. Whether the schema has its fields is not asked.
fn check_query(text: &str, path: &str) -> Result<(), ApiError> {
    match graphql::Document::parse(text, &graphql::Limits::default()) {
        Ok(_) => Ok(()),
        Err(_) => Err(ApiError::parse_failed(path, "parsing the graphql query failed")),
    }
}

/// `rename_query_collection`
pub(crate) fn rename(workspace: &mut Workspace<'_>, arguments: Arguments<'_>) -> Result<Value, ApiError> {
    let name = arguments.name("name")?;
    let new_name = arguments.name("new_name")?;
    check(workspace.document(), &name)?;
    if workspace.document().query_collections.contains_key(&new_name) {
        return Err(ApiError::new(
            "already-exists",
            format!("query collection with name \"{new_name}\" already exists"),
        ));
    }
    workspace.change(None, |document| {
        if let Some(collection) = document.query_collections.shift_remove(&name) {
            document.query_collections.insert(new_name.clone(), collection);
        }
        if let Some(scope) = document.allowlist.shift_remove(&name) {
            document.allowlist.insert(new_name.clone(), scope);
        }
        for endpoint in document.rest_endpoints.values_mut() {
            if endpoint.definition.query.collection_name == name {
                endpoint.definition.query.collection_name.clone_from(&new_name);
            }
        }
        Ok(())
    })?;
    Ok(success())
}

/// `drop_query_collection`
pub(crate) fn drop(workspace: &mut Workspace<'_>, arguments: Arguments<'_>) -> Result<Value, ApiError> {
    let name = arguments.name("collection")?;
    let cascade = arguments.flag("cascade")?;
    check(workspace.document(), &name)?;
    if workspace.document().allowlist.contains_key(&name) && !cascade {
        return Err(ApiError::new(
            "dependency-error",
            format!(
                "query collection with name \"{name}\" is present in the allowlist; cannot proceed to drop"
            ),
        ));
    }
    refuse_if_served(workspace.document(), &name, None)?;
    workspace.change(None, |document| {
        document.query_collections.shift_remove(&name);
        document.allowlist.shift_remove(&name);
        Ok(())
    })?;
    Ok(success())
}

/// `add_query_to_collection`
pub(crate) fn add_query(workspace: &mut Workspace<'_>, arguments: Arguments<'_>) -> Result<Value, ApiError> {
    let name = arguments.name("collection_name")?;
    let query_name = arguments.name("query_name")?;
    let query = ListedQuery {
        query: arguments.required("query")?,
        extra: metadata::Extra::new(),
    };
    check_query(&query.query, "$.query")?;
    if check(workspace.document(), &name)?
        .definition
        .queries
        .contains_key(&query_name)
    {
        return Err(ApiError::new(
            "already-exists",
            format!("query with name \"{query_name}\" already exists in collection \"{name}\""),
        ));
    }
    workspace.change(None, |document| {
        if let Some(collection) = document.query_collections.get_mut(&name) {
            collection.definition.queries.insert(query_name, query);
        }
        Ok(())
    })?;
    Ok(success())
}

/// `drop_query_from_collection`
pub(crate) fn drop_query(workspace: &mut Workspace<'_>, arguments: Arguments<'_>) -> Result<Value, ApiError> {
    let name = arguments.name("collection_name")?;
    let query_name = arguments.name("query_name")?;
    if !check(workspace.document(), &name)?
        .definition
        .queries
        .contains_key(&query_name)
    {
        return Err(ApiError::new(
            "not-found",
            format!("query with name \"{query_name}\" not found in collection \"{name}\""),
        ));
    }
    refuse_if_served(workspace.document(), &name, Some(&query_name))?;
    workspace.change(None, |document| {
        if let Some(collection) = document.query_collections.get_mut(&name) {
            collection.definition.queries.shift_remove(&query_name);
        }
        Ok(())
    })?;
    Ok(success())
}

/// `add_collection_to_allowlist`
pub(crate) fn allow(workspace: &mut Workspace<'_>, arguments: Arguments<'_>) -> Result<Value, ApiError> {
    let (name, entry) = arguments.entry::<AllowlistEntry>()?;
    check(workspace.document(), &name)?;
    match workspace.document().allowlist.get(&name) {
        Some(known) if known.scope == entry.scope => {
            return Ok(json!({
                "message": format!("collection \"{name}\" already exists in the allowlist, scope is unchanged")
            }));
        }
        Some(_) => {
            return Err(ApiError::new(
                "already-exists",
                format!(
                    "collection \"{name}\" already exists in the allowlist with a different scope; use \
                     update_scope_of_collection_in_allowlist to change the scope"
                ),
            ));
        }
        None => {}
    }
    workspace.change(None, |document| {
        document.allowlist.insert(name, entry);
        Ok(())
    })?;
    Ok(success())
}

/// `drop_collection_from_allowlist`
pub(crate) fn disallow(workspace: &mut Workspace<'_>, arguments: Arguments<'_>) -> Result<Value, ApiError> {
    let name = arguments.name("collection")?;
    check_allowed(workspace.document(), &name)?;
    workspace.change(None, |document| {
        document.allowlist.shift_remove(&name);
        Ok(())
    })?;
    Ok(success())
}

/// `update_scope_of_collection_in_allowlist`
pub(crate) fn update_scope(
    workspace: &mut Workspace<'_>,
    arguments: Arguments<'_>,
) -> Result<Value, ApiError> {
    let (name, entry) = arguments.entry::<AllowlistEntry>()?;
    check_allowed(workspace.document(), &name)?;
    workspace.change(None, |document| {
        document.allowlist.insert(name, entry);
        Ok(())
    })?;
    Ok(success())
}

/// `create_rest_endpoint`
pub(crate) fn create_endpoint(
    workspace: &mut Workspace<'_>,
    arguments: Arguments<'_>,
) -> Result<Value, ApiError> {
    let (name, endpoint) = arguments.entry::<RestEndpoint>()?;
    if workspace.document().rest_endpoints.contains_key(&name) {
        return Err(ApiError::new(
            "already-exists",
            format!("Endpoint with name \"{name}\" already exists"),
        ));
    }
    let object = MetadataObjectId::RestEndpoint(name.clone());
    workspace.change(Some(&object), |document| {
        document.rest_endpoints.insert(name.clone(), endpoint);
        Ok(())
    })?;
    Ok(success())
}

/// `drop_rest_endpoint`
pub(crate) fn drop_endpoint(
    workspace: &mut Workspace<'_>,
    arguments: Arguments<'_>,
) -> Result<Value, ApiError> {
    let name = arguments.name("name")?;
    if !workspace.document().rest_endpoints.contains_key(&name) {
        return Err(ApiError::new(
            "not-exists",
            format!("endpoint with name: {name} does not exist"),
        ));
    }
    workspace.change(None, |document| {
        document.rest_endpoints.shift_remove(&name);
        Ok(())
    })?;
    Ok(success())
}

fn check<'a>(document: &'a Document, name: &str) -> Result<&'a QueryCollection, ApiError> {
    document.query_collections.get(name).ok_or_else(|| {
        ApiError::new(
            "not-exists",
            format!("query collection with name \"{name}\" does not exist"),
        )
    })
}

fn check_allowed(document: &Document, name: &str) -> Result<(), ApiError> {
    if document.allowlist.contains_key(name) {
        return Ok(());
    }
    Err(ApiError::new(
        "not-found",
        format!("collection \"{name}\" doesn't exist in the allowlist"),
    ))
}

fn refuse_if_served(document: &Document, collection: &str, query: Option<&str>) -> Result<(), ApiError> {
    let endpoints: Vec<&str> = document
        .rest_endpoints
        .iter()
        .filter(|(_, endpoint)| {
            endpoint.definition.query.collection_name == collection
                && query.is_none_or(|query| endpoint.definition.query.query_name == query)
        })
        .map(|(name, _)| name.as_str())
        .collect();
    if endpoints.is_empty() {
        return Ok(());
    }
    Err(ApiError::new(
        "dependency-error",
        format!(
            "Collection \"{collection}\" is in use by the following REST endpoints: {}",
            endpoints
                .iter()
                .map(|name| format!("\"{name}\""))
                .collect::<Vec<_>>()
                .join(", ")
        ),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_graphql_is_listed() {
        assert!(
            check_query(
                "query ($a: Int) { author(where: {id: {_eq: $a}}) { ...f } } fragment f on author { id }",
                "$"
            )
            .is_ok()
        );
        let error = check_query("{ author {", "$.query").unwrap_err();
        assert_eq!((error.code, error.path.as_str()), ("parse-failed", "$.query"));
    }
}
