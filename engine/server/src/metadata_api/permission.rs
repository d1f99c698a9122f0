//! Commands about permissions of roles on tables.

use indexmap::IndexMap;
use metadata::json::Entry;
use metadata::permission::{
    DeletePermission, InsertPermission, Permission, PermissionType, SelectPermission, UpdatePermission,
};
use metadata::{QualifiedName, Table};
use serde_json::Value;

use super::arguments::Arguments;
use super::dependency;
use super::error::ApiError;
use super::lookup;
use super::success;
use super::workspace::Workspace;

/// A permission of one verb and where a table keeps it.
pub(crate) trait Verb: Sized {
    /// The verb.
    const TYPE: PermissionType;

    /// The table's permissions of that verb.
    fn of(table: &Table) -> &IndexMap<String, Permission<Self>>;

    /// The same, to be changed.
    fn of_mut(table: &mut Table) -> &mut IndexMap<String, Permission<Self>>;
}

macro_rules! verb {
    ($permission:ty, $type:ident, $field:ident) => {
        impl Verb for $permission {
            const TYPE: PermissionType = PermissionType::$type;

            fn of(table: &Table) -> &IndexMap<String, Permission<Self>> {
                &table.$field
            }

            fn of_mut(table: &mut Table) -> &mut IndexMap<String, Permission<Self>> {
                &mut table.$field
            }
        }
    };
}

verb!(InsertPermission, Insert, insert_permissions);
verb!(SelectPermission, Select, select_permissions);
verb!(UpdatePermission, Update, update_permissions);
verb!(DeletePermission, Delete, delete_permissions);

/// `create_{insert,select,update,delete}_permission`
pub(crate) fn create<V: Verb>(
    workspace: &mut Workspace<'_>,
    arguments: Arguments<'_>,
) -> Result<Value, ApiError>
where
    Permission<V>: Entry<Name = String>,
{
    let (role, permission) = arguments.entry::<Permission<V>>()?;
    let source = arguments.source()?;
    let table_name: QualifiedName = arguments.required("table")?;
    let table = lookup::table(workspace.document(), &source, &table_name)?;
    if role == "admin" || V::of(table).contains_key(&role) {
        return Err(ApiError::new(
            "already-exists",
            format!(
                "{} permission already defined on table \"{table_name}\" with role \"{role}\"",
                dependency::verb(V::TYPE)
            ),
        ));
    }
    let object = dependency::permission(V::TYPE, &source, &table_name, &role);
    workspace.change(Some(&object), |document| {
        V::of_mut(lookup::table_mut(document, &source, &table_name)?).insert(role, permission);
        Ok(())
    })?;
    Ok(success())
}

/// `drop_{insert,select,update,delete}_permission`
pub(crate) fn drop<V: Verb>(
    workspace: &mut Workspace<'_>,
    arguments: Arguments<'_>,
) -> Result<Value, ApiError> {
    let source = arguments.source()?;
    let table_name: QualifiedName = arguments.required("table")?;
    let role = arguments.name("role")?;
    let table = lookup::table(workspace.document(), &source, &table_name)?;
    if !V::of(table).contains_key(&role) {
        return Err(missing(dependency::verb(V::TYPE), &table_name, &role));
    }
    workspace.change(None, |document| {
        V::of_mut(lookup::table_mut(document, &source, &table_name)?).shift_remove(&role);
        Ok(())
    })?;
    Ok(success())
}

/// `set_permission_comment`
pub(crate) fn set_comment(
    workspace: &mut Workspace<'_>,
    arguments: Arguments<'_>,
) -> Result<Value, ApiError> {
    let source = arguments.source()?;
    let table_name: QualifiedName = arguments.required("table")?;
    let role = arguments.name("role")?;
    let verb: String = arguments.required("permission")?;
    let comment: Option<String> = arguments.optional("comment")?;
    lookup::table(workspace.document(), &source, &table_name)?;
    workspace.change(None, |document| {
        let table = lookup::table_mut(document, &source, &table_name)?;
        let found = match verb.as_str() {
            "insert" => put_comment::<InsertPermission>(table, &role, comment),
            "select" => put_comment::<SelectPermission>(table, &role, comment),
            "update" => put_comment::<UpdatePermission>(table, &role, comment),
            "delete" => put_comment::<DeletePermission>(table, &role, comment),
            other => {
                return Err(ApiError::parse_failed(
                    "$.permission",
                    format!(
                        "unexpected permission type: {other}; expected one of insert, select, update, delete"
                    ),
                ));
            }
        };
        if found {
            Ok(())
        } else {
            Err(missing(&verb, &table_name, &role))
        }
    })?;
    Ok(success())
}

fn put_comment<V: Verb>(table: &mut Table, role: &str, comment: Option<String>) -> bool {
    match V::of_mut(table).get_mut(role) {
        Some(permission) => {
            permission.comment = comment;
            true
        }
        None => false,
    }
}

fn missing(verb: &str, table: &QualifiedName, role: &str) -> ApiError {
    ApiError::new(
        "permission-denied",
        format!("{verb} permission on \"{table}\" for role \"{role}\" does not exist"),
    )
}
