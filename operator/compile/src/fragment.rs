//! The part of the document that one object is.

pub(crate) mod document;
mod place;

use crd::Kind;
use metadata::action::Action;
use metadata::collection::{AllowlistEntry, QueryCollection};
use metadata::cron_trigger::CronTrigger;
use metadata::custom_type::CustomTypes;
use metadata::document::{GraphqlSchemaIntrospection, MetricsConfig};
use metadata::event_trigger::EventTrigger;
use metadata::function::Function;
use metadata::json::Entry;
use metadata::limit::ApiLimits;
use metadata::native_query::{LogicalModel, NativeQuery};
use metadata::network::Network;
use metadata::opentelemetry::OpenTelemetry;
use metadata::permission::{
    DeletePermission, InheritedRole, InsertPermission, Permission, SelectPermission, UpdatePermission,
};
use metadata::remote_schema::{RemoteSchema, RemoteSchemaPermission};
use metadata::rest::RestEndpoint;
use metadata::{Json, JsonPath, ParseError, QualifiedName, Reader, Source, Table};
use serde_json::{Map, Value};

pub(crate) use place::{Mention, Place};

/// A part of the document, with the names it stands under.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Fragment {
    Settings(Box<Settings>),
    Source(String, Box<Source>),
    Table(String, QualifiedName, Box<Table>),
    Permission(String, QualifiedName, String, Box<Verbs>),
    Function(String, QualifiedName, Box<Function>),
    NativeQuery(String, String, Box<NativeQuery>),
    LogicalModel(String, String, Box<LogicalModel>),
    Action(String, Box<Action>, CustomTypes),
    ActionTypes(CustomTypes),
    RemoteSchema(String, Box<RemoteSchema>),
    /// Remote schema, role, position in the list.
    RemoteSchemaPermission(String, String, Option<u64>, Box<RemoteSchemaPermission>),
    EventTrigger(String, QualifiedName, String, Box<EventTrigger>),
    CronTrigger(String, Box<CronTrigger>),
    InheritedRole(String, InheritedRole),
    QueryCollection(String, QueryCollection, Option<AllowlistEntry>),
    RestEndpoint(String, Box<RestEndpoint>),
    ApiLimits(Box<ApiLimits>),
}

/// The sections of the document that are fields of the engine.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Settings {
    pub(crate) metrics_config: MetricsConfig,
    pub(crate) graphql_schema_introspection: GraphqlSchemaIntrospection,
    pub(crate) network: Network,
    pub(crate) backend_configs: Map<String, Value>,
    pub(crate) opentelemetry: OpenTelemetry,
}

/// What a role may do with a table, verb by verb.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Verbs {
    pub(crate) insert: Option<Permission<InsertPermission>>,
    pub(crate) select: Option<Permission<SelectPermission>>,
    pub(crate) update: Option<Permission<UpdatePermission>>,
    pub(crate) delete: Option<Permission<DeletePermission>>,
}

/// Reads the metadata form of an object's spec. `parent` is the place of the object it belongs to, which kinds that
/// belong to another must have. Paths in errors begin at the spec's metadata form.
pub(crate) fn read(
    kind: Kind,
    value: &mut Value,
    spec: &Value,
    parent: Option<&Place>,
) -> Result<Fragment, ParseError> {
    let names = |index: usize| {
        parent
            .and_then(|place| place.name(index))
            .unwrap_or_default()
            .to_owned()
    };
    let table = || QualifiedName::new(names(1), names(2));
    Ok(match kind {
        Kind::Engine | Kind::ReferenceGrant => Fragment::Settings(Box::new(Settings {
            metrics_config: section(value, "metrics_config")?,
            graphql_schema_introspection: section(value, "graphql_schema_introspection")?,
            network: section(value, "network")?,
            backend_configs: section(value, "backend_configs")?,
            opentelemetry: section(value, "opentelemetry")?,
        })),
        Kind::Source => entry(value).map(|(name, source)| Fragment::Source(name, source))?,
        Kind::Table => entry(value).map(|(name, table)| Fragment::Table(names(0), name, table))?,
        Kind::Permission => {
            let role = value.get("role").cloned().unwrap_or_default();
            let verbs = Verbs {
                insert: verb(value, "insert_permissions", &role)?,
                select: verb(value, "select_permissions", &role)?,
                update: verb(value, "update_permissions", &role)?,
                delete: verb(value, "delete_permissions", &role)?,
            };
            let role = Reader::at(JsonPath::root().join("role")).read(&role)?;
            Fragment::Permission(names(0), table(), role, Box::new(verbs))
        }
        Kind::Function => {
            entry(value).map(|(name, function)| Fragment::Function(names(0), name, function))?
        }
        Kind::NativeQuery => {
            entry(value).map(|(name, query)| Fragment::NativeQuery(names(0), name, query))?
        }
        Kind::LogicalModel => {
            entry(value).map(|(name, model)| Fragment::LogicalModel(names(0), name, model))?
        }
        Kind::Action => {
            let types = section(value, "custom_types")?;
            remove(value, "custom_types");
            entry(value).map(|(name, action)| Fragment::Action(name, action, types))?
        }
        Kind::ActionTypes => Fragment::ActionTypes(section(value, "custom_types")?),
        Kind::RemoteSchema => entry(value).map(|(name, schema)| Fragment::RemoteSchema(name, schema))?,
        Kind::RemoteSchemaPermission => {
            let position = spec.get("position").and_then(Value::as_u64);
            let (role, permission) = entry(value)?;
            Fragment::RemoteSchemaPermission(names(0), role, position, permission)
        }
        Kind::EventTrigger => {
            entry(value).map(|(name, trigger)| Fragment::EventTrigger(names(0), table(), name, trigger))?
        }
        Kind::CronTrigger => entry(value).map(|(name, trigger)| Fragment::CronTrigger(name, trigger))?,
        Kind::InheritedRole => entry(value).map(|(name, role)| Fragment::InheritedRole(name, *role))?,
        Kind::QueryCollection => {
            let allowed = remove(value, "allowlist").map(|mut allowed| {
                insert(
                    &mut allowed,
                    "collection",
                    value.get("name").cloned().unwrap_or_default(),
                );
                let mut reader = Reader::at(JsonPath::root().join("allowlist"));
                reader
                    .read_entry::<AllowlistEntry>(&allowed)
                    .map(|(_, entry)| entry)
            });
            let (name, collection) = entry(value)?;
            Fragment::QueryCollection(name, *collection, allowed.transpose()?)
        }
        Kind::RestEndpoint => {
            if let Some(query) = value.pointer_mut("/definition/query") {
                insert(query, "collection_name", Value::String(names(0)));
            }
            entry(value).map(|(name, endpoint)| Fragment::RestEndpoint(name, endpoint))?
        }
        Kind::APILimits => Fragment::ApiLimits(Box::new(Reader::new().read(value)?)),
    })
}

fn entry<T: Entry>(value: &Value) -> Result<(T::Name, Box<T>), ParseError> {
    Reader::new()
        .read_entry::<T>(value)
        .map(|(name, entry)| (name, Box::new(entry)))
}

fn section<T: Json + Default>(value: &Value, key: &str) -> Result<T, ParseError> {
    match value.get(key) {
        Some(section) => Reader::at(JsonPath::root().join(key)).read(section),
        None => Ok(T::default()),
    }
}

fn verb<T>(value: &Value, key: &str, role: &Value) -> Result<Option<Permission<T>>, ParseError>
where
    Permission<T>: Entry,
{
    let Some(verb) = value.get(key) else {
        return Ok(None);
    };
    let mut verb = verb.clone();
    insert(&mut verb, "role", role.clone());
    let mut reader = Reader::at(JsonPath::root().join(key));
    reader
        .read_entry::<Permission<T>>(&verb)
        .map(|(_, permission)| Some(permission))
}

fn insert(value: &mut Value, key: &str, inner: Value) {
    if let Some(object) = value.as_object_mut() {
        object.insert(key.to_owned(), inner);
    }
}

fn remove(value: &mut Value, key: &str) -> Option<Value> {
    value.as_object_mut()?.shift_remove(key)
}

impl Fragment {
    /// The metadata form, canonical: what `read` reads, but for the names of the parent.
    pub(crate) fn print(&self) -> Value {
        match self {
            Self::Settings(settings) => print_settings(settings),
            Self::Source(name, source) => source.print_entry(name),
            Self::Table(_, name, table) => table.print_entry(name),
            Self::Permission(_, _, role, verbs) => {
                let mut made = Map::from_iter([("role".to_owned(), Value::String(role.clone()))]);
                let mut put = |key: &str, printed: Option<Value>| {
                    if let Some(mut printed) = printed {
                        remove(&mut printed, "role");
                        made.insert(key.to_owned(), printed);
                    }
                };
                put(
                    "insert_permissions",
                    verbs.insert.as_ref().map(|verb| verb.print_entry(role)),
                );
                put(
                    "select_permissions",
                    verbs.select.as_ref().map(|verb| verb.print_entry(role)),
                );
                put(
                    "update_permissions",
                    verbs.update.as_ref().map(|verb| verb.print_entry(role)),
                );
                put(
                    "delete_permissions",
                    verbs.delete.as_ref().map(|verb| verb.print_entry(role)),
                );
                Value::Object(made)
            }
            Self::Function(_, name, function) => function.print_entry(name),
            Self::NativeQuery(_, name, query) => query.print_entry(name),
            Self::LogicalModel(_, name, model) => model.print_entry(name),
            Self::Action(name, action, types) => {
                let mut made = action.print_entry(name);
                if !types.is_empty() {
                    insert(&mut made, "custom_types", types.print());
                }
                made
            }
            Self::ActionTypes(types) => {
                Value::Object(Map::from_iter([("custom_types".to_owned(), types.print())]))
            }
            Self::RemoteSchema(name, schema) => schema.print_entry(name),
            Self::RemoteSchemaPermission(_, role, _, permission) => permission.print_entry(role),
            Self::EventTrigger(_, _, name, trigger) => trigger.print_entry(name),
            Self::CronTrigger(name, trigger) => trigger.print_entry(name),
            Self::InheritedRole(name, role) => role.print_entry(name),
            Self::QueryCollection(name, collection, allowed) => {
                let mut made = collection.print_entry(name);
                if let Some(allowed) = allowed {
                    insert(&mut made, "allowlist", allowed.print_entry(name));
                }
                made
            }
            Self::RestEndpoint(name, endpoint) => endpoint.print_entry(name),
            Self::ApiLimits(limits) => limits.print(),
        }
    }
}

fn print_settings(settings: &Settings) -> Value {
    let mut made = Map::new();
    let mut put = |key: &str, value: Value, is_default: bool| {
        if !is_default {
            made.insert(key.to_owned(), value);
        }
    };
    let default = Settings::default();
    put(
        "metrics_config",
        settings.metrics_config.print(),
        settings.metrics_config == default.metrics_config,
    );
    put(
        "graphql_schema_introspection",
        settings.graphql_schema_introspection.print(),
        settings.graphql_schema_introspection == default.graphql_schema_introspection,
    );
    put(
        "network",
        settings.network.print(),
        settings.network == default.network,
    );
    put(
        "backend_configs",
        Value::Object(settings.backend_configs.clone()),
        settings.backend_configs.is_empty(),
    );
    put(
        "opentelemetry",
        settings.opentelemetry.print(),
        settings.opentelemetry == default.opentelemetry,
    );
    Value::Object(made)
}
