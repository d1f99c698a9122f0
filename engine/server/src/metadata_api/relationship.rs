//! Commands about object and array relationships.

use indexmap::IndexMap;
use metadata::json::Entry;
use metadata::relationship::{ArrayRelationship, ObjectRelationship};
use metadata::remote_relationship::RelationshipType;
use metadata::{QualifiedName, Table};
use serde_json::Value;

use super::arguments::Arguments;
use super::dependency;
use super::error::ApiError;
use super::lookup;
use super::rename::{self, Rename};
use super::success;
use super::workspace::Workspace;

/// One of the two types of relationship, and where a table keeps it.
pub(crate) trait Kind: Entry<Name = String> {
    /// Which of the two.
    const TYPE: RelationshipType;

    /// The table's relationships of this type, to be changed.
    fn of_mut(table: &mut Table) -> &mut IndexMap<String, Self>;
}

impl Kind for ObjectRelationship {
    const TYPE: RelationshipType = RelationshipType::Object;

    fn of_mut(table: &mut Table) -> &mut IndexMap<String, Self> {
        &mut table.object_relationships
    }
}

impl Kind for ArrayRelationship {
    const TYPE: RelationshipType = RelationshipType::Array;

    fn of_mut(table: &mut Table) -> &mut IndexMap<String, Self> {
        &mut table.array_relationships
    }
}

/// `create_object_relationship`, `create_array_relationship`
pub(crate) fn create<K: Kind>(
    workspace: &mut Workspace<'_>,
    arguments: Arguments<'_>,
) -> Result<Value, ApiError> {
    let (name, relationship) = arguments.entry::<K>()?;
    let place = Place::read(arguments)?;
    check_free(
        lookup::table(workspace.document(), &place.source, &place.table)?,
        &place.table,
        &name,
    )?;
    let object = dependency::relationship(K::TYPE, &place.source, &place.table, &name);
    workspace.change(Some(&object), |document| {
        let table = lookup::table_mut(document, &place.source, &place.table)?;
        K::of_mut(table).insert(name, relationship);
        Ok(())
    })?;
    Ok(success())
}

/// `drop_relationship`
pub(crate) fn drop(workspace: &mut Workspace<'_>, arguments: Arguments<'_>) -> Result<Value, ApiError> {
    let place = Place::read(arguments)?;
    let name = arguments.name("relationship")?;
    let cascade = arguments.flag("cascade")?;
    let table = lookup::table(workspace.document(), &place.source, &place.table)?;
    check_exists(table, &name)?;
    workspace.remove(cascade, |document| {
        let table = lookup::table_mut(document, &place.source, &place.table)?;
        table.object_relationships.shift_remove(&name);
        table.array_relationships.shift_remove(&name);
        table.remote_relationships.shift_remove(&name);
        Ok(())
    })?;
    Ok(success())
}

/// `set_relationship_comment`
pub(crate) fn set_comment(
    workspace: &mut Workspace<'_>,
    arguments: Arguments<'_>,
) -> Result<Value, ApiError> {
    let place = Place::read(arguments)?;
    let name = arguments.name("relationship")?;
    let comment: Option<String> = arguments.optional("comment")?;
    let table = lookup::table(workspace.document(), &place.source, &place.table)?;
    check_exists(table, &name)?;
    workspace.change(None, |document| {
        let table = lookup::table_mut(document, &place.source, &place.table)?;
        if let Some(relationship) = table.object_relationships.get_mut(&name) {
            relationship.comment.clone_from(&comment);
        }
        if let Some(relationship) = table.array_relationships.get_mut(&name) {
            relationship.comment.clone_from(&comment);
        }
        Ok(())
    })?;
    Ok(success())
}

/// `rename_relationship`
pub(crate) fn rename(workspace: &mut Workspace<'_>, arguments: Arguments<'_>) -> Result<Value, ApiError> {
    let place = Place::read(arguments)?;
    let name = arguments.name("name")?;
    let new_name = arguments.name("new_name")?;
    let table = lookup::table(workspace.document(), &place.source, &place.table)?;
    check_exists(table, &name)?;
    if name != new_name {
        check_free(table, &place.table, &new_name)?;
    }
    let model = workspace.model();
    workspace.change(None, |document| {
        let change = Rename::Relationship {
            table: place.table.clone(),
            from: name,
            to: new_name,
        };
        rename::apply_all(document, &model, &place.source, &[change]);
        Ok(())
    })?;
    Ok(success())
}

struct Place {
    source: String,
    table: QualifiedName,
}

impl Place {
    fn read(arguments: Arguments<'_>) -> Result<Self, ApiError> {
        Ok(Self {
            source: arguments.source()?,
            table: arguments.required("table")?,
        })
    }
}

fn check_free(table: &Table, table_name: &QualifiedName, name: &str) -> Result<(), ApiError> {
    let taken = table.object_relationships.contains_key(name)
        || table.array_relationships.contains_key(name)
        || table.computed_fields.contains_key(name)
        || table.remote_relationships.contains_key(name);
    if taken {
        return Err(ApiError::new(
            "already-exists",
            format!("field with name \"{name}\" already exists in table \"{table_name}\""),
        ));
    }
    Ok(())
}

fn check_exists(table: &Table, name: &str) -> Result<(), ApiError> {
    let known = table.object_relationships.contains_key(name)
        || table.array_relationships.contains_key(name)
        || table.remote_relationships.contains_key(name);
    if known {
        return Ok(());
    }
    Err(ApiError::new("not-exists", format!("\"{name}\" does not exist")))
}
