//! Fragments put together to a document, and taken out of one.

use std::collections::BTreeSet;
use std::sync::Arc;

use crd::Kind;
use indexmap::IndexMap;
use metadata::custom_type::CustomTypes;
use metadata::{Document, QualifiedName, Source, Table};

use super::{Fragment, Place, Settings, Verbs};

impl Fragment {
    /// Adds the fragment. What it belongs to must be there already; without it, nothing is added.
    pub(crate) fn add_to(self, document: &mut Document) {
        match self {
            Self::Settings(settings) => {
                document.metrics_config = settings.metrics_config;
                document.graphql_schema_introspection = settings.graphql_schema_introspection;
                document.network = settings.network;
                document.backend_configs = settings.backend_configs;
                document.opentelemetry = settings.opentelemetry;
            }
            Self::Source(name, source) => {
                document.sources.insert(name, *source);
            }
            Self::Table(source, name, table) => {
                if let Some(source) = document.sources.get_mut(&source) {
                    source.tables.insert(name, Arc::new(*table));
                }
            }
            Self::Permission(source, table, role, verbs) => {
                if let Some(table) = table_of(document, &source, &table) {
                    let Verbs {
                        insert,
                        select,
                        update,
                        delete,
                    } = *verbs;
                    put(&mut table.insert_permissions, &role, insert);
                    put(&mut table.select_permissions, &role, select);
                    put(&mut table.update_permissions, &role, update);
                    put(&mut table.delete_permissions, &role, delete);
                }
            }
            Self::EventTrigger(source, table, name, trigger) => {
                if let Some(table) = table_of(document, &source, &table) {
                    table.event_triggers.insert(name, *trigger);
                }
            }
            Self::Function(source, name, function) => {
                if let Some(source) = document.sources.get_mut(&source) {
                    source.functions.insert(name, *function);
                }
            }
            Self::NativeQuery(source, name, query) => {
                if let Some(source) = document.sources.get_mut(&source) {
                    source.native_queries.insert(name, *query);
                }
            }
            Self::LogicalModel(source, name, model) => {
                if let Some(source) = document.sources.get_mut(&source) {
                    source.logical_models.insert(name, *model);
                }
            }
            Self::Action(name, action, types) => {
                document.actions.insert(name, *action);
                add_types(document, types);
            }
            Self::ActionTypes(types) => add_types(document, types),
            Self::RemoteSchema(name, schema) => {
                document.remote_schemas.insert(name, *schema);
            }
            Self::RemoteSchemaPermission(schema, role, _, permission) => {
                if let Some(schema) = document.remote_schemas.get_mut(&schema) {
                    schema.permissions.insert(role, *permission);
                }
            }
            Self::CronTrigger(name, trigger) => {
                document.cron_triggers.insert(name, *trigger);
            }
            Self::InheritedRole(name, role) => {
                document.inherited_roles.insert(name, role);
            }
            Self::QueryCollection(name, collection, allowed) => {
                if let Some(allowed) = allowed {
                    document.allowlist.insert(name.clone(), allowed);
                }
                document.query_collections.insert(name, collection);
            }
            Self::RestEndpoint(name, endpoint) => {
                document.rest_endpoints.insert(name, *endpoint);
            }
            Self::ApiLimits(limits) => document.api_limits = *limits,
        }
    }
}

fn table_of<'d>(document: &'d mut Document, source: &str, table: &QualifiedName) -> Option<&'d mut Table> {
    document
        .sources
        .get_mut(source)?
        .tables
        .get_mut(table)
        .map(Arc::make_mut)
}

fn put<T>(entries: &mut IndexMap<String, T>, role: &str, entry: Option<T>) {
    if let Some(entry) = entry {
        entries.insert(role.to_owned(), entry);
    }
}

fn add_types(document: &mut Document, types: CustomTypes) {
    document.custom_types.input_objects.extend(types.input_objects);
    document.custom_types.objects.extend(types.objects);
    document.custom_types.scalars.extend(types.scalars);
    document.custom_types.enums.extend(types.enums);
}

/// The fragment of a kind at a place of a document.
pub(crate) fn take(document: &Document, kind: Kind, place: &Place) -> Option<Fragment> {
    let name = |index: usize| place.name(index);
    let owned = |index: usize| name(index).map(str::to_owned);
    let qualified = || Some(QualifiedName::new(name(1)?, name(2)?));
    let source = || document.sources.get(name(0)?);
    let table = || source()?.tables.get(&qualified()?);
    Some(match kind {
        Kind::Engine => Fragment::Settings(Box::new(settings(document))),
        Kind::ReferenceGrant => return None,
        Kind::Source => Fragment::Source(owned(0)?, Box::new(bare_source(source()?))),
        Kind::Table => Fragment::Table(owned(0)?, qualified()?, Box::new(bare_table(table()?))),
        Kind::Permission => Fragment::Permission(
            owned(0)?,
            qualified()?,
            owned(3)?,
            Box::new(verbs(table()?, name(3)?)),
        ),
        Kind::EventTrigger => {
            let trigger = table()?.event_triggers.get(name(3)?)?;
            Fragment::EventTrigger(owned(0)?, qualified()?, owned(3)?, Box::new(trigger.clone()))
        }
        Kind::Function => {
            let function = source()?.functions.get(&qualified()?)?;
            Fragment::Function(owned(0)?, qualified()?, Box::new(function.clone()))
        }
        Kind::NativeQuery => {
            let query = source()?.native_queries.get(name(1)?)?;
            Fragment::NativeQuery(owned(0)?, owned(1)?, Box::new(query.clone()))
        }
        Kind::LogicalModel => {
            let model = source()?.logical_models.get(name(1)?)?;
            Fragment::LogicalModel(owned(0)?, owned(1)?, Box::new(model.clone()))
        }
        Kind::Action => {
            let action = document.actions.get(name(0)?)?;
            let types = types(document, place.0.get(1..).unwrap_or_default());
            Fragment::Action(owned(0)?, Box::new(action.clone()), types)
        }
        Kind::ActionTypes => Fragment::ActionTypes(types(document, &place.0)),
        Kind::RemoteSchema => {
            let mut schema = document.remote_schemas.get(name(0)?)?.clone();
            schema.permissions.clear();
            Fragment::RemoteSchema(owned(0)?, Box::new(schema))
        }
        Kind::RemoteSchemaPermission => {
            let permission = document.remote_schemas.get(name(0)?)?.permissions.get(name(1)?)?;
            let position = name(2).and_then(|position| position.parse().ok());
            Fragment::RemoteSchemaPermission(owned(0)?, owned(1)?, position, Box::new(permission.clone()))
        }
        Kind::CronTrigger => {
            let trigger = document.cron_triggers.get(name(0)?)?;
            Fragment::CronTrigger(owned(0)?, Box::new(trigger.clone()))
        }
        Kind::InheritedRole => {
            Fragment::InheritedRole(owned(0)?, document.inherited_roles.get(name(0)?)?.clone())
        }
        Kind::QueryCollection => Fragment::QueryCollection(
            owned(0)?,
            document.query_collections.get(name(0)?)?.clone(),
            document.allowlist.get(name(0)?).cloned(),
        ),
        Kind::RestEndpoint => {
            let endpoint = document.rest_endpoints.get(name(0)?)?;
            Fragment::RestEndpoint(owned(0)?, Box::new(endpoint.clone()))
        }
        Kind::APILimits => Fragment::ApiLimits(Box::new(document.api_limits.clone())),
    })
}

/// Every place of a document, by kind. All types stand in one place, in their order.
pub(crate) fn places(document: &Document) -> Vec<(Kind, Place)> {
    let mut places = Vec::new();
    let mut add = |kind: Kind, names: &[&str]| {
        places.push((kind, Place(names.iter().map(|name| (*name).to_owned()).collect())));
    };
    add(Kind::Engine, &[]);
    for (source, content) in &document.sources {
        add(Kind::Source, &[source]);
        for (name, table) in &content.tables {
            add(Kind::Table, &[source, &name.schema, &name.name]);
            for role in roles(table) {
                add(Kind::Permission, &[source, &name.schema, &name.name, role]);
            }
            for trigger in table.event_triggers.keys() {
                add(Kind::EventTrigger, &[source, &name.schema, &name.name, trigger]);
            }
        }
        for name in content.functions.keys() {
            add(Kind::Function, &[source, &name.schema, &name.name]);
        }
        for name in content.native_queries.keys() {
            add(Kind::NativeQuery, &[source, name]);
        }
        for name in content.logical_models.keys() {
            add(Kind::LogicalModel, &[source, name]);
        }
    }
    for name in document.actions.keys() {
        add(Kind::Action, &[name]);
    }
    let custom = &document.custom_types;
    let types: Vec<&str> = (custom.input_objects.keys())
        .chain(custom.objects.keys())
        .chain(custom.scalars.keys())
        .chain(custom.enums.keys())
        .map(String::as_str)
        .collect();
    if !types.is_empty() {
        add(Kind::ActionTypes, &types);
    }
    for (name, schema) in &document.remote_schemas {
        add(Kind::RemoteSchema, &[name]);
        let in_order = schema.permissions.keys().is_sorted();
        for (position, role) in schema.permissions.keys().enumerate() {
            if in_order {
                add(Kind::RemoteSchemaPermission, &[name, role]);
            } else {
                add(Kind::RemoteSchemaPermission, &[name, role, &position.to_string()]);
            }
        }
    }
    for name in document.cron_triggers.keys() {
        add(Kind::CronTrigger, &[name]);
    }
    for name in document.inherited_roles.keys() {
        add(Kind::InheritedRole, &[name]);
    }
    for name in document.query_collections.keys() {
        add(Kind::QueryCollection, &[name]);
    }
    for name in document.rest_endpoints.keys() {
        add(Kind::RestEndpoint, &[name]);
    }
    if document.api_limits != metadata::limit::ApiLimits::default() {
        add(Kind::APILimits, &[]);
    }
    places
}

fn settings(document: &Document) -> Settings {
    Settings {
        metrics_config: document.metrics_config.clone(),
        graphql_schema_introspection: document.graphql_schema_introspection.clone(),
        network: document.network.clone(),
        backend_configs: document.backend_configs.clone(),
        opentelemetry: document.opentelemetry.clone(),
    }
}

/// The source without what has kinds of its own.
fn bare_source(source: &Source) -> Source {
    Source {
        kind: source.kind.clone(),
        tables: IndexMap::new(),
        functions: IndexMap::new(),
        native_queries: IndexMap::new(),
        stored_procedures: source.stored_procedures.clone(),
        logical_models: IndexMap::new(),
        configuration: source.configuration.clone(),
        query_tags: source.query_tags.clone(),
        customization: source.customization.clone(),
        health_check: source.health_check.clone(),
        extra: source.extra.clone(),
    }
}

/// The table without what has kinds of its own.
fn bare_table(table: &Table) -> Table {
    Table {
        is_enum: table.is_enum,
        configuration: table.configuration.clone(),
        object_relationships: table.object_relationships.clone(),
        array_relationships: table.array_relationships.clone(),
        computed_fields: table.computed_fields.clone(),
        remote_relationships: table.remote_relationships.clone(),
        insert_permissions: IndexMap::new(),
        select_permissions: IndexMap::new(),
        update_permissions: IndexMap::new(),
        delete_permissions: IndexMap::new(),
        event_triggers: IndexMap::new(),
        apollo_federation_config: table.apollo_federation_config.clone(),
        logical_model: table.logical_model.clone(),
    }
}

fn verbs(table: &Table, role: &str) -> Verbs {
    Verbs {
        insert: table.insert_permissions.get(role).cloned(),
        select: table.select_permissions.get(role).cloned(),
        update: table.update_permissions.get(role).cloned(),
        delete: table.delete_permissions.get(role).cloned(),
    }
}

fn roles(table: &Table) -> BTreeSet<&str> {
    (table.insert_permissions.keys())
        .chain(table.select_permissions.keys())
        .chain(table.update_permissions.keys())
        .chain(table.delete_permissions.keys())
        .map(String::as_str)
        .collect()
}

/// The types of these names, in their order.
fn types(document: &Document, names: &[String]) -> CustomTypes {
    fn these<T: Clone>(all: &IndexMap<String, T>, names: &[String]) -> IndexMap<String, T> {
        names
            .iter()
            .filter_map(|name| Some((name.clone(), all.get(name)?.clone())))
            .collect()
    }
    let all = &document.custom_types;
    CustomTypes {
        input_objects: these(&all.input_objects, names),
        objects: these(&all.objects, names),
        scalars: these(&all.scalars, names),
        enums: these(&all.enums, names),
        extra: all.extra.clone(),
    }
}
