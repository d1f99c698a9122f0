//! Following a renamed table, column or relationship through the document: keys, targets, boolean expressions.
//!
//! Pure. The model of before the rename says where relationships lead.

use std::collections::HashMap;
use std::sync::Arc;

use indexmap::IndexMap;
use metadata::bool_exp::BoolExp;
use metadata::event_trigger::EventColumns;
use metadata::function::FunctionResponse;
use metadata::permission::Columns;
use metadata::relationship::{ArrayUsing, ManualConfiguration, ManualTarget, ObjectUsing};
use metadata::remote_relationship::RemoteRelationshipDefinition;
use metadata::{Document, QualifiedName, Source, Table};
use schema::model::{Model, Table as ModelTable};
use serde_json::{Map, Value};

/// One rename within a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Rename {
    /// A table has a new name.
    Table {
        /// Its old name.
        from: QualifiedName,
        /// Its new name.
        to: QualifiedName,
    },
    /// A column of a table has a new name.
    Column {
        /// The table.
        table: QualifiedName,
        /// Old name.
        from: String,
        /// New name.
        to: String,
    },
    /// A relationship of a table has a new name.
    Relationship {
        /// The table.
        table: QualifiedName,
        /// Old name.
        from: String,
        /// New name.
        to: String,
    },
}

/// How deeply boolean expressions are followed; deeper ones are refused when a document is read.
const MAX_DEPTH: usize = 128;

/// Rewrites everything in the document that names one of the renamed things, one rename after the other.
pub(crate) fn apply_all(document: &mut Document, model: &Model, source_name: &str, renames: &[Rename]) {
    let tables = model
        .sources
        .iter()
        .find(|source| &*source.name == source_name)
        .map(|source| &source.tables[..]);
    let mut world = World {
        model: tables,
        moved: HashMap::new(),
    };
    for rename in renames {
        apply(document, &world, source_name, rename);
        if let Rename::Table { from, to } = rename {
            let original = world.original(from).clone();
            world.moved.retain(|_, known| *known != original);
            world.moved.insert(to.clone(), original);
        }
    }
}

fn apply(document: &mut Document, world: &World<'_>, source_name: &str, rename: &Rename) {
    let Some(source) = document.sources.get_mut(source_name) else {
        return;
    };
    for (name, table) in &mut source.tables {
        let mut changed = Table::clone(table);
        rewrite_expressions(world, name, &mut changed, rename);
        rewrite_relationships(world, name, &mut changed, rename);
        // What is as before stays shared with the document before.
        if changed != **table {
            *table = Arc::new(changed);
        }
    }
    match rename {
        Rename::Table { from, to } => rename_table(source, from, to),
        Rename::Column { table, from, to } => {
            if let Some(table) = source.tables.get_mut(table).map(Arc::make_mut) {
                rename_column(table, from, to);
            }
        }
        Rename::Relationship { table, from, to } => {
            if let Some(table) = source.tables.get_mut(table).map(Arc::make_mut) {
                rename_key(&mut table.object_relationships, from, to);
                rename_key(&mut table.array_relationships, from, to);
                rename_key(&mut table.remote_relationships, from, to);
            }
        }
    }
    if !matches!(rename, Rename::Relationship { .. }) {
        rewrite_references_from_elsewhere(document, source_name, rename);
    }
}

/// Where relationships lead, as the model before the rename knows it.
struct World<'a> {
    model: Option<&'a [ModelTable]>,
    /// Present name of a table → its name in the model, for tables that have been renamed already.
    moved: HashMap<QualifiedName, QualifiedName>,
}

impl World<'_> {
    fn original<'n>(&'n self, table: &'n QualifiedName) -> &'n QualifiedName {
        self.moved.get(table).unwrap_or(table)
    }

    fn target(&self, table: &QualifiedName, relationship: &str) -> Option<QualifiedName> {
        let tables = self.model?;
        let table = self.original(table);
        let here = tables
            .iter()
            .find(|t| t.name.schema == table.schema && t.name.name == table.name)?;
        let there = here.relationships.iter().find(|r| r.name == relationship)?.target;
        let name = &tables.get(there.index())?.name;
        let name = QualifiedName::new(name.schema.clone(), name.name.clone());
        let present = self
            .moved
            .iter()
            .find(|(_, original)| **original == name)
            .map(|(present, _)| present.clone());
        Some(present.unwrap_or(name))
    }
}

fn rename_table(source: &mut Source, from: &QualifiedName, to: &QualifiedName) {
    rename_key(&mut source.tables, from, to);
    for function in source.functions.values_mut() {
        if let Some(FunctionResponse::Table(Some(table))) = &mut function.configuration.response
            && table == from
        {
            table.clone_from(to);
        }
    }
}

fn rename_column(table: &mut Table, from: &str, to: &str) {
    rename_key(&mut table.configuration.column_config, from, to);
    for permission in table.select_permissions.values_mut() {
        rename_listed(&mut Arc::make_mut(&mut permission.permission).columns, from, to);
    }
    for permission in table.insert_permissions.values_mut() {
        let permission = Arc::make_mut(&mut permission.permission);
        if let Some(columns) = &mut permission.columns {
            rename_listed(columns, from, to);
        }
        rename_key(&mut permission.set, from, to);
    }
    for permission in table.update_permissions.values_mut() {
        let permission = Arc::make_mut(&mut permission.permission);
        rename_listed(&mut permission.columns, from, to);
        rename_key(&mut permission.set, from, to);
    }
    for trigger in table.event_triggers.values_mut() {
        let definition = &mut trigger.definition;
        for operation in [
            &mut definition.insert,
            &mut definition.update,
            &mut definition.delete,
        ] {
            let Some(operation) = operation else { continue };
            for columns in [Some(&mut operation.columns), operation.payload.as_mut()]
                .into_iter()
                .flatten()
            {
                if let EventColumns::List(columns) = columns {
                    rename_in(columns, from, to);
                }
            }
        }
    }
    for relationship in table.remote_relationships.values_mut() {
        match &mut relationship.definition {
            RemoteRelationshipDefinition::ToRemoteSchema(target) => {
                rename_in(&mut target.lhs_fields, from, to);
            }
            RemoteRelationshipDefinition::ToSource(target) => rename_key(&mut target.field_mapping, from, to),
        }
    }
}

fn rename_listed(columns: &mut Columns, from: &str, to: &str) {
    if let Columns::List(columns) = columns {
        rename_in(columns, from, to);
    }
}

fn rename_in(names: &mut [String], from: &str, to: &str) {
    for name in names.iter_mut().filter(|name| *name == from) {
        to.clone_into(name);
    }
}

/// Renames a key and keeps its place.
fn rename_key<K, V, Q>(map: &mut IndexMap<K, V>, from: &Q, to: &Q)
where
    K: std::borrow::Borrow<Q> + std::hash::Hash + Eq,
    Q: std::hash::Hash + Eq + ToOwned<Owned = K> + ?Sized,
{
    if let Some((place, _, value)) = map.shift_remove_full(from) {
        map.shift_insert(place, to.to_owned(), value);
    }
}

fn rewrite_relationships(world: &World<'_>, name: &QualifiedName, table: &mut Table, rename: &Rename) {
    for (relationship_name, relationship) in &mut table.object_relationships {
        let target = world.target(name, relationship_name);
        match &mut relationship.using {
            ObjectUsing::ForeignKey(columns) => {
                if let Rename::Column { table, from, to } = rename
                    && table == name
                {
                    rename_in(columns, from, to);
                }
            }
            ObjectUsing::RemoteForeignKey(key) => rewrite_key(&mut key.table, &mut key.columns, rename),
            ObjectUsing::Manual(manual) => rewrite_manual(manual, name, target.as_ref(), rename),
        }
    }
    for (relationship_name, relationship) in &mut table.array_relationships {
        let target = world.target(name, relationship_name);
        match &mut relationship.using {
            ArrayUsing::ForeignKey(key) => rewrite_key(&mut key.table, &mut key.columns, rename),
            ArrayUsing::Manual(manual) => rewrite_manual(manual, name, target.as_ref(), rename),
        }
    }
}

fn rewrite_key(table: &mut QualifiedName, columns: &mut [String], rename: &Rename) {
    match rename {
        Rename::Table { from, to } if table == from => table.clone_from(to),
        Rename::Column {
            table: renamed,
            from,
            to,
        } if table == renamed => rename_in(columns, from, to),
        _ => {}
    }
}

fn rewrite_manual(
    manual: &mut ManualConfiguration,
    own: &QualifiedName,
    target: Option<&QualifiedName>,
    rename: &Rename,
) {
    match rename {
        Rename::Table { from, to } => {
            if let ManualTarget::Table(table) = &mut manual.target
                && table == from
            {
                table.clone_from(to);
            }
        }
        Rename::Column { table, from, to } => {
            if table == own {
                rename_key(&mut manual.column_mapping, from, to);
            }
            let leads_there = match &manual.target {
                ManualTarget::Table(remote) => remote == table,
                ManualTarget::NativeQuery(_) => target == Some(table),
            };
            if leads_there {
                for column in manual
                    .column_mapping
                    .values_mut()
                    .filter(|column| *column == from)
                {
                    column.clone_from(to);
                }
            }
        }
        Rename::Relationship { .. } => {}
    }
}

fn rewrite_expressions(world: &World<'_>, name: &QualifiedName, table: &mut Table, rename: &Rename) {
    let rewrite = |expression: &mut BoolExp| {
        expression.0 = rewrite_object(world, name, std::mem::take(&mut expression.0), rename, 0);
    };
    for permission in table.select_permissions.values_mut() {
        rewrite(&mut Arc::make_mut(&mut permission.permission).filter);
    }
    for permission in table.insert_permissions.values_mut() {
        rewrite(&mut Arc::make_mut(&mut permission.permission).check);
    }
    for permission in table.update_permissions.values_mut() {
        rewrite(&mut Arc::make_mut(&mut permission.permission).filter);
        if let Some(check) = &mut Arc::make_mut(&mut permission.permission).check {
            rewrite(check);
        }
    }
    for permission in table.delete_permissions.values_mut() {
        rewrite(&mut Arc::make_mut(&mut permission.permission).filter);
    }
}

fn rewrite_object(
    world: &World<'_>,
    subject: &QualifiedName,
    object: Map<String, Value>,
    rename: &Rename,
    depth: usize,
) -> Map<String, Value> {
    if depth > MAX_DEPTH {
        return object;
    }
    object
        .into_iter()
        .map(|(key, value)| match key.as_str() {
            "_and" | "_or" | "$and" | "$or" => {
                let value = rewrite_list(world, subject, value, rename, depth + 1);
                (key, value)
            }
            "_not" | "$not" => {
                let value = rewrite_value(world, subject, value, rename, depth + 1);
                (key, value)
            }
            "_exists" | "$exists" => {
                let value = rewrite_exists(world, value, rename, depth + 1);
                (key, value)
            }
            _ => rewrite_field(world, subject, key, value, rename, depth + 1),
        })
        .collect()
}

fn rewrite_value(
    world: &World<'_>,
    subject: &QualifiedName,
    value: Value,
    rename: &Rename,
    depth: usize,
) -> Value {
    match value {
        Value::Object(object) => Value::Object(rewrite_object(world, subject, object, rename, depth)),
        other => other,
    }
}

fn rewrite_list(
    world: &World<'_>,
    subject: &QualifiedName,
    value: Value,
    rename: &Rename,
    depth: usize,
) -> Value {
    match value {
        Value::Array(items) => items
            .into_iter()
            .map(|item| rewrite_value(world, subject, item, rename, depth))
            .collect(),
        other => rewrite_value(world, subject, other, rename, depth),
    }
}

fn rewrite_exists(world: &World<'_>, value: Value, rename: &Rename, depth: usize) -> Value {
    let Value::Object(mut object) = value else {
        return value;
    };
    let Some(table) = object.get("_table").and_then(qualified_name) else {
        return Value::Object(object);
    };
    if let Some(inner) = object.get_mut("_where") {
        *inner = rewrite_value(world, &table, inner.take(), rename, depth);
    }
    if let Rename::Table { from, to } = rename
        && table == *from
        && let Some(slot) = object.get_mut("_table")
    {
        *slot = serde_json::json!({ "schema": to.schema, "name": to.name });
    }
    Value::Object(object)
}

fn rewrite_field(
    world: &World<'_>,
    subject: &QualifiedName,
    key: String,
    value: Value,
    rename: &Rename,
    depth: usize,
) -> (String, Value) {
    if let Some(target) = world.target(subject, &key) {
        let value = rewrite_value(world, &target, value, rename, depth);
        return match rename {
            Rename::Relationship { table, from, to } if table == subject && *from == key => {
                (to.clone(), value)
            }
            _ => (key, value),
        };
    }
    if let Some(name) = key.strip_suffix("_aggregate")
        && let Some(target) = world.target(subject, name)
    {
        let value = rewrite_aggregate(world, &target, value, rename, depth);
        return match rename {
            Rename::Relationship { table, from, to } if table == subject && from == name => {
                (format!("{to}_aggregate"), value)
            }
            _ => (key, value),
        };
    }
    let value = rewrite_comparison(subject, value, rename);
    match rename {
        Rename::Column { table, from, to } if table == subject && *from == key => (to.clone(), value),
        _ => (key, value),
    }
}

fn rewrite_aggregate(
    world: &World<'_>,
    target: &QualifiedName,
    value: Value,
    rename: &Rename,
    depth: usize,
) -> Value {
    let Value::Object(functions) = value else {
        return value;
    };
    functions
        .into_iter()
        .map(|(function, argument)| {
            let Value::Object(mut argument) = argument else {
                return (function, argument);
            };
            if let Some(filter) = argument.get_mut("filter") {
                *filter = rewrite_value(world, target, filter.take(), rename, depth);
            }
            if let (Rename::Column { table, from, to }, Some(columns)) =
                (rename, argument.get_mut("arguments"))
                && table == target
            {
                rename_strings(columns, from, to);
            }
            (function, Value::Object(argument))
        })
        .collect::<Map<_, _>>()
        .into()
}

/// `{"_ceq": "column"}` and `{"_ceq": ["$", "column"]}`; other operators name nothing.
fn rewrite_comparison(subject: &QualifiedName, value: Value, rename: &Rename) -> Value {
    let (Rename::Column { table, from, to }, Value::Object(mut operators)) = (rename, value.clone()) else {
        return value;
    };
    if table != subject {
        return value;
    }
    for (operator, operand) in &mut operators {
        let operator = operator.trim_start_matches(['_', '$']);
        if matches!(operator, "ceq" | "cne" | "cneq" | "cgt" | "clt" | "cgte" | "clte") {
            rename_strings(operand, from, to);
        }
    }
    Value::Object(operators)
}

fn rename_strings(value: &mut Value, from: &str, to: &str) {
    match value {
        Value::String(text) if text == from => to.clone_into(text),
        Value::Array(items) => {
            for item in items {
                if let Value::String(text) = item
                    && text == from
                {
                    to.clone_into(text);
                }
            }
        }
        _ => {}
    }
}

fn qualified_name(value: &Value) -> Option<QualifiedName> {
    match value {
        Value::String(name) => Some(QualifiedName::public(name.clone())),
        Value::Object(object) => {
            let schema = object.get("schema").and_then(Value::as_str).unwrap_or("public");
            Some(QualifiedName::new(schema, object.get("name")?.as_str()?))
        }
        _ => None,
    }
}

/// Relationships of other sources and of action types that lead into the source.
fn rewrite_references_from_elsewhere(document: &mut Document, source_name: &str, rename: &Rename) {
    let targets = document
        .sources
        .values_mut()
        .flat_map(|source| source.tables.values_mut())
        .filter(|table| !table.remote_relationships.is_empty())
        .map(Arc::make_mut)
        .flat_map(|table| table.remote_relationships.values_mut())
        .filter_map(|relationship| match &mut relationship.definition {
            RemoteRelationshipDefinition::ToSource(target) if target.source == source_name => {
                Some((&mut target.table, &mut target.field_mapping))
            }
            _ => None,
        });
    let from_types = document
        .custom_types
        .objects
        .values_mut()
        .flat_map(|object| object.relationships.values_mut())
        .filter(|relationship| relationship.source == source_name)
        .map(|relationship| (&mut relationship.remote_table, &mut relationship.field_mapping));
    for (table, mapping) in targets.chain(from_types) {
        match rename {
            Rename::Table { from, to } if table == from => table.clone_from(to),
            Rename::Column {
                table: renamed,
                from,
                to,
            } if table == renamed => {
                for column in mapping.values_mut().filter(|column| *column == from) {
                    column.clone_from(to);
                }
            }
            _ => {}
        }
    }
}
