//! `POST /v1/graphql/explain`: the SQL of each root field and what Postgres would do with it, for admins.

use std::borrow::Cow;

use graphql::OperationKind;
use http::{HeaderMap, HeaderName, HeaderValue};
use plan::Session;
use plan::prepared::{Root, RootContent};
use serde_json::{Map, Value, json};

use crate::auth::{declared, is_admin};
use crate::http::admins_endpoint;
use crate::http::error::{ApiError, Code, Visibility};
use crate::request::{self, Context, Request};
use crate::state::State;

/// Answers `{query: {query, variables, operationName}, user: {"x-hasura-…": …}}`.
pub async fn explain(state: &State, session: &Session, body: &Value) -> Result<Vec<u8>, ApiError> {
    if !is_admin(session) {
        return Err(admins_endpoint());
    }
    if body.get("is_relay").and_then(Value::as_bool) == Some(true) {
        return Err(
            ApiError::new(Code::NotSupported, "the Relay schema is not supported yet").path("$.is_relay"),
        );
    }
    let request = asked(body)?;
    let session = explained_session(body.get("user"))?;
    let generation = state.current();
    let context = Context {
        state,
        generation: &generation,
        session: &session,
        endpoint: "v1",
        headers: None,
        request_id: "explain",
        client: "",
        visibility: Visibility::Shown,
        trace: None,
        transport: request::Transport::Http,
    };
    let plan = request::planned(&context, &request)?;
    match plan.kind {
        OperationKind::Query => {}
        OperationKind::Mutation => {
            return Err(ApiError::new(
                Code::InvalidParams,
                "only queries can be explained",
            ));
        }
        OperationKind::Subscription => {
            return Err(ApiError::new(
                Code::NotSupported,
                "explaining subscriptions is not supported yet",
            ));
        }
    }
    let values = plan.bind(&request.variables, &session)?;
    let mut fields = Vec::new();
    explain_roots(&context, &plan, &plan.roots, &values, &mut fields).await?;
    Ok(Value::Array(fields).to_string().into_bytes())
}

async fn explain_roots(
    context: &Context<'_>,
    whole: &plan::Plan,
    roots: &[Root],
    values: &sql::Values,
    fields: &mut Vec<Value>,
) -> Result<(), ApiError> {
    for root in roots {
        match &root.content {
            RootContent::Constant(_) => {
                fields.push(json!({"field": response_key(root), "sql": null, "plan": null}));
            }
            RootContent::Statement { source, statement } => {
                let database = context.routed(*source, whole)?;
                let plan = database
                    .explain(statement, values)
                    .await
                    .map_err(|error| request::database_error(&error))?;
                fields.push(json!({"field": response_key(root), "sql": &*statement.text, "plan": plan}));
            }
            RootContent::Mutation(_) => return Err(ApiError::unexpected("a mutation within a query")),
            RootContent::Object(inner) => {
                Box::pin(explain_roots(context, whole, inner, values, fields)).await?;
            }
        }
    }
    Ok(())
}

/// The key of a root field without its quotes and colon.
fn response_key(root: &Root) -> Value {
    root.key
        .strip_suffix(b":")
        .and_then(|key| serde_json::from_slice(key).ok())
        .unwrap_or_else(|| Value::from(&*root.field))
}

fn asked(body: &Value) -> Result<Request<'_>, ApiError> {
    let missing = |path: &str| ApiError::new(Code::ParseFailed, "the key 'query' was not present").path(path);
    let query = body.get("query").ok_or_else(|| missing("$"))?;
    let text = query
        .get("query")
        .and_then(Value::as_str)
        .ok_or_else(|| missing("$.query"))?;
    Ok(Request {
        query: Cow::Borrowed(text),
        operation_name: query
            .get("operationName")
            .and_then(Value::as_str)
            .map(Cow::Borrowed),
        variables: match query.get("variables") {
            None | Some(Value::Null) => Map::new(),
            Some(Value::Object(variables)) => variables.clone(),
            Some(_) => {
                return Err(ApiError::new(Code::ParseFailed, "expected Object").path("$.query.variables"));
            }
        },
    })
}

/// The session that `user` describes, as headers of a trusted client would; an admin's without one.
fn explained_session(user: Option<&Value>) -> Result<Session, ApiError> {
    let mut headers = HeaderMap::new();
    if let Some(Value::Object(user)) = user {
        for (name, value) in user {
            let text = match value {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            let wrong = |_| {
                ApiError::new(Code::InvalidParams, "not a session variable").path(format!("$.user.{name}"))
            };
            let name =
                HeaderName::try_from(name.to_ascii_lowercase()).map_err(|error| wrong(error.to_string()))?;
            let value = HeaderValue::from_str(&text).map_err(|error| wrong(error.to_string()))?;
            headers.insert(name, value);
        }
    }
    declared(&headers)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn the_user_is_a_session() {
        let session =
            explained_session(Some(&json!({"X-Hasura-Role": "user", "x-hasura-user-id": 7}))).unwrap();
        assert_eq!(&*session.role, "user");
        assert_eq!(session.variable("x-hasura-user-id"), Some("7"));
        assert!(is_admin(&explained_session(None).unwrap()));
        assert!(explained_session(Some(&json!({"a b": "c"}))).is_err());
    }

    #[test]
    fn the_field_is_the_response_key() {
        let root = Root {
            key: b"\"alias\":".as_slice().into(),
            field: "artist".into(),
            content: RootContent::Constant(Arc::from(b"1".as_slice())),
        };
        assert_eq!(response_key(&root), json!("alias"));
    }
}
