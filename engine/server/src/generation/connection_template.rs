//! `connection_template`: which of a source's databases a request goes to. A template sees the request's headers, session
//! and operation, and gives one of the connections it is shown.
//!
//! ```text
//! {{ if $.request.session["x-hasura-tenant-id"] == "a" }} {{$.connection_set.a}} {{ else }} {{$.default}} {{ end }}
//! ```

use graphql::OperationKind;
use http::HeaderMap;
use kriti::{Context, Template};
use metadata::source::{ConnectionTemplate as Written, SourceConfiguration};
use pg::Route;
use plan::Session;
use serde_json::{Map, Value, json};

use crate::http::error::{ApiError, Code};

/// Headers that no template sees.
const HIDDEN: &[&str] = &["x-hasura-admin-secret", "x-hasura-access-key"];

/// A template that parses, and the connections that it may choose from.
#[derive(Debug, Clone, PartialEq)]
pub struct ConnectionTemplate {
    template: Template,
    /// `$` but for `request`.
    connections: Map<String, Value>,
    members: Vec<String>,
}

/// Why a connection template cannot be used at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTemplate {
    /// Another version than 1.
    #[error("connection_template: version {0} is not known")]
    Version(u64),
    /// Not a template.
    #[error("connection_template: {0}")]
    Text(String),
}

/// What a template sees of a request.
#[derive(Debug, Clone, Copy)]
pub struct RoutedRequest<'a> {
    /// Its headers, where it has any.
    pub headers: Option<&'a HeaderMap>,
    /// Who asks.
    pub session: &'a Session,
    /// What kind of operation it is.
    pub kind: OperationKind,
    /// Its name.
    pub operation_name: Option<&'a str>,
}

impl ConnectionTemplate {
    /// The template of a source, if it has one.
    pub fn of(configuration: &SourceConfiguration) -> Result<Option<Self>, InvalidTemplate> {
        let template = configuration.connection_template.as_ref();
        template
            .map(|written| Self::new(written, configuration))
            .transpose()
    }

    /// This template for that source.
    pub fn new(written: &Written, configuration: &SourceConfiguration) -> Result<Self, InvalidTemplate> {
        if written.version != 1 {
            return Err(InvalidTemplate::Version(written.version));
        }
        let template =
            Template::parse(&written.template).map_err(|error| InvalidTemplate::Text(error.to_string()))?;
        let members: Vec<String> = configuration.connection_set.keys().cloned().collect();
        let mut connections = Map::new();
        let mut offer = |key: &str, route: &Route| connections.insert(key.to_owned(), shown(route));
        offer("default", &Route::Default);
        offer("primary", &Route::Primary);
        // Without replicas there is no such connection to choose.
        if !configuration.read_replicas.is_empty() {
            offer("read_replicas", &Route::ReadReplicas);
        }
        let set: Map<String, Value> = members
            .iter()
            .map(|name| (name.clone(), shown(&Route::Member(name.clone()))))
            .collect();
        connections.insert("connection_set".to_owned(), Value::Object(set));
        Ok(Self {
            template,
            connections,
            members,
        })
    }

    /// The way for a request: `request` is `$.request`.
    pub fn resolve(&self, request: Value) -> Result<Route, ApiError> {
        let failed = |message: String| {
            ApiError::new(
                Code::TemplateResolutionFailed,
                format!("connection template: {message}"),
            )
        };
        let mut root = self.connections.clone();
        root.insert("request".to_owned(), request);
        let context = Context::new().with("$", Value::Object(root));
        let chosen = self
            .template
            .render(&context)
            .map_err(|error| failed(error.to_string()))?;
        let mut routes = [Route::Default, Route::Primary, Route::ReadReplicas]
            .into_iter()
            .chain(self.members.iter().cloned().map(Route::Member));
        routes.find(|route| shown(route) == chosen).ok_or_else(|| {
            failed(
                "it must give one of $.default, $.primary, $.read_replicas and the members of $.connection_set"
                    .to_owned(),
            )
        })
    }

    pub(super) fn apply(
        &self,
        database: &pg::Source,
        request: &RoutedRequest<'_>,
    ) -> Result<pg::Source, ApiError> {
        let route = self.resolve(request.to_json())?;
        database
            .via(&route)
            .ok_or_else(|| ApiError::unexpected("a connection template chose what is not there"))
    }
}

impl RoutedRequest<'_> {
    /// As `$.request`.
    fn to_json(self) -> Value {
        let headers: Map<String, Value> = self
            .headers
            .into_iter()
            .flatten()
            .filter(|(name, _)| !HIDDEN.contains(&name.as_str()))
            .filter_map(|(name, value)| Some((name.as_str().to_owned(), Value::from(value.to_str().ok()?))))
            .collect();
        let session: Map<String, Value> = self
            .session
            .variables
            .iter()
            .map(|(name, value)| (name.to_string(), Value::from(&**value)))
            .collect();
        let kind = match self.kind {
            OperationKind::Query => "query",
            OperationKind::Mutation => "mutation",
            OperationKind::Subscription => "subscription",
        };
        json!({
            "headers": headers,
            "session": session,
            "query": {"operation_type": kind, "operation_name": self.operation_name},
        })
    }
}

/// A connection as templates are shown it, and as `pg_test_connection_template` answers.
pub fn shown(route: &Route) -> Value {
    let (to, value) = match route {
        Route::Default => ("default", None),
        Route::Primary => ("primary", None),
        Route::ReadReplicas => ("read_replicas", None),
        Route::Member(name) => ("connection_set", Some(name)),
    };
    json!({"routing_to": to, "value": value})
}

#[cfg(test)]
mod tests;
