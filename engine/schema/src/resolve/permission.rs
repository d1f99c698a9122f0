//! Table permissions of plain roles, and the overlay of the admin.

use std::sync::Arc;

use metadata::permission::{
    Columns, DeletePermission, InsertPermission, PermissionType, QueryRootField, SelectPermission,
    SubscriptionRootField, UpdatePermission, ValidateInput,
};
use metadata::{BoolExp, QualifiedName};
use serde_json::Value;

use crate::access::{
    DeleteAccess, InsertAccess, Preset, QueryRootFields, SelectAccess, SubscriptionRootFields, TableAccess,
    UpdateAccess,
};
use crate::model::{ColumnId, ColumnSet, ComputedFieldId, PredicateId, Returns, Table, TableId};
use crate::problem::{Problem, object, permission_word};
use crate::resolve::bool_exp::{Refusal, Scope, unknown};
use crate::resolve::{Entry, Resolver, operand};

/// The role that may do everything and has no permissions of its own.
pub const ADMIN: &str = "admin";

type Found<T> = Result<T, Refusal>;

impl Resolver<'_> {
    /// Fills the overlays of all roles that have permissions of their own.
    pub(crate) fn resolve_permissions(&mut self) {
        let mut problems = Vec::new();
        for at in 0..self.tables.len() {
            let Some(entry) = self.entries.get(at) else {
                continue;
            };
            let (name, metadata) = (entry.name, entry.metadata);
            let mut refused = |role: &str, permission_type: PermissionType, refusal: &Refusal| {
                let message = format!(
                    "in table \"{name}\": in permission for role \"{role}\": {}",
                    refusal.message
                );
                problems.push(Problem::Inconsistent {
                    object: object::permission(self.name, name, role, permission_type),
                    message,
                    path: Some(refusal.path()),
                    unsupported: false,
                });
            };
            let mut granted: Vec<(&str, Granted)> = Vec::new();
            let scope = Scope {
                tables: &self.tables,
                entries: &self.entries,
                scalars: self.scalars,
            };
            let Some(table) = self.tables.get(at) else {
                continue;
            };
            let mut maker = Maker {
                scope,
                table,
                entry,
                predicates: &mut self.predicates,
            };
            for (role, permission) in &metadata.select_permissions {
                match not_admin(role).and_then(|()| maker.select(&permission.permission)) {
                    Ok(access) => granted.push((role, Granted::Select(access))),
                    Err(refusal) => refused(role, PermissionType::Select, &refusal),
                }
            }
            for (role, permission) in &metadata.insert_permissions {
                match not_admin(role).and_then(|()| maker.insert(&permission.permission)) {
                    Ok(access) => granted.push((role, Granted::Insert(access))),
                    Err(refusal) => refused(role, PermissionType::Insert, &refusal),
                }
            }
            for (role, permission) in &metadata.update_permissions {
                match not_admin(role).and_then(|()| maker.update(&permission.permission)) {
                    Ok(access) => granted.push((role, Granted::Update(access))),
                    Err(refusal) => refused(role, PermissionType::Update, &refusal),
                }
            }
            for (role, permission) in &metadata.delete_permissions {
                match not_admin(role).and_then(|()| maker.delete(&permission.permission)) {
                    Ok(access) => granted.push((role, Granted::Delete(access))),
                    Err(refusal) => refused(role, PermissionType::Delete, &refusal),
                }
            }
            let id = table.id;
            for (role, access) in granted {
                let table = self.role(role).tables.entry(id).or_default();
                match access {
                    Granted::Select(access) => table.select = Some(access),
                    Granted::Insert(access) => table.insert = Some(access),
                    Granted::Update(access) => table.update = Some(access),
                    Granted::Delete(access) => table.delete = Some(access),
                }
            }
            // A role exists as soon as a permission names it, even a refused one.
            let roles = metadata
                .select_permissions
                .keys()
                .chain(metadata.insert_permissions.keys());
            let roles = roles.chain(metadata.update_permissions.keys());
            for role in roles.chain(metadata.delete_permissions.keys()) {
                self.role(role);
            }
        }
        self.problems.extend(problems);
    }

    /// Gives the admin everything.
    pub(crate) fn grant_admin(&mut self) {
        let always = self.predicates.always();
        let tables: Vec<(TableId, TableAccess)> = self
            .tables
            .iter()
            .map(|table| (table.id, everything(table, always)))
            .collect();
        let functions: Vec<_> = self.functions.iter().map(|function| function.id).collect();
        let admin = self.role(ADMIN);
        admin.tables = tables.into_iter().collect();
        admin.functions = functions.into_iter().collect();
    }
}

enum Granted {
    Select(SelectAccess),
    Insert(InsertAccess),
    Update(UpdateAccess),
    Delete(DeleteAccess),
}

fn not_admin(role: &str) -> Found<()> {
    if role == ADMIN {
        return Err(Refusal::new("cannot define permission for admin role"));
    }
    Ok(())
}

/// Makes accesses to one table.
struct Maker<'m, 's> {
    scope: Scope<'s>,
    table: &'s Table,
    entry: &'s Entry<'s>,
    predicates: &'m mut crate::resolve::predicates::Predicates,
}

impl Maker<'_, '_> {
    fn select(&mut self, permission: &SelectPermission) -> Found<SelectAccess> {
        let filter = self.expression("filter", &permission.filter)?;
        let columns = self.columns(
            &permission.columns,
            "permissions for relationships are automatically inferred",
        )?;
        let mut computed_fields = Vec::with_capacity(permission.computed_fields.len());
        for (at, name) in permission.computed_fields.iter().enumerate() {
            let field = self.computed_field(name);
            computed_fields.push(field.map_err(|refusal| refusal.at_index(at).at_key("computed_fields"))?);
        }
        computed_fields.sort_unstable();
        computed_fields.dedup();
        let query_root_fields = permission
            .query_root_fields
            .as_ref()
            .map(|fields| QueryRootFields {
                select: fields.contains(&QueryRootField::Select),
                select_by_pk: fields.contains(&QueryRootField::SelectByPk),
                select_aggregate: fields.contains(&QueryRootField::SelectAggregate),
            });
        let subscription_root_fields =
            permission
                .subscription_root_fields
                .as_ref()
                .map(|fields| SubscriptionRootFields {
                    select: fields.contains(&SubscriptionRootField::Select),
                    select_by_pk: fields.contains(&SubscriptionRootField::SelectByPk),
                    select_aggregate: fields.contains(&SubscriptionRootField::SelectAggregate),
                    select_stream: fields.contains(&SubscriptionRootField::SelectStream),
                });
        let keyed = !self.table.primary_key.is_empty()
            && self
                .table
                .primary_key
                .iter()
                .all(|column| columns.contains(*column));
        for (key, by_pk, aggregate) in [
            (
                "query_root_fields",
                query_root_fields.is_some_and(|fields| fields.select_by_pk),
                query_root_fields.is_some_and(|fields| fields.select_aggregate),
            ),
            (
                "subscription_root_fields",
                subscription_root_fields.is_some_and(|fields| fields.select_by_pk),
                subscription_root_fields.is_some_and(|fields| fields.select_aggregate),
            ),
        ] {
            if by_pk && !keyed {
                return Err(Refusal::new(format!(
                    "The \"select_by_pk\" field cannot be included in the {key} because the role does not have \
                     access to the primary key of the table \"{}\" in the source",
                    self.entry.name
                ))
                .at_key(key));
            }
            if aggregate && !permission.allow_aggregations {
                return Err(Refusal::new(format!(
                    "The \"select_aggregate\" root field can only be enabled in the {key} when \
                     \"allow_aggregations\" is set to true"
                ))
                .at_key(key));
            }
        }
        Ok(SelectAccess {
            filter,
            columns,
            redacted_columns: Vec::new(),
            computed_fields,
            redacted_computed_fields: Vec::new(),
            limit: permission.limit,
            aggregations: permission.allow_aggregations,
            query_root_fields,
            subscription_root_fields,
        })
    }

    fn insert(&mut self, permission: &InsertPermission) -> Found<InsertAccess> {
        self.writable(PermissionType::Insert, self.table.mutability.insertable)?;
        let check = self.expression("check", &permission.check)?;
        let presets = self.presets(&permission.set)?;
        let all = Columns::All;
        let columns = permission.columns.as_ref().unwrap_or(&all);
        let columns = self.written_columns(columns, PermissionType::Insert, &presets)?;
        Ok(InsertAccess {
            check,
            columns,
            presets,
            backend_only: permission.backend_only,
            validation: validation(permission.validate_input.as_ref()),
        })
    }

    fn update(&mut self, permission: &UpdatePermission) -> Found<UpdateAccess> {
        self.writable(PermissionType::Update, self.table.mutability.updatable)?;
        let filter = self.expression("filter", &permission.filter)?;
        let check = match &permission.check {
            None => None,
            Some(check) => Some(self.expression("check", check)?),
        };
        let presets = self.presets(&permission.set)?;
        let columns = self.written_columns(&permission.columns, PermissionType::Update, &presets)?;
        Ok(UpdateAccess {
            filter,
            check,
            columns,
            presets,
            backend_only: permission.backend_only,
            validation: validation(permission.validate_input.as_ref()),
        })
    }

    fn delete(&mut self, permission: &DeletePermission) -> Found<DeleteAccess> {
        self.writable(PermissionType::Delete, self.table.mutability.deletable)?;
        let filter = self.expression("filter", &permission.filter)?;
        Ok(DeleteAccess {
            filter,
            backend_only: permission.backend_only,
            validation: validation(permission.validate_input.as_ref()),
        })
    }

    fn writable(&self, permission_type: PermissionType, writable: bool) -> Found<()> {
        if writable {
            return Ok(());
        }
        let suffix = match permission_type {
            PermissionType::Insert => "insertable",
            PermissionType::Update => "updatable",
            PermissionType::Delete | PermissionType::Select => "deletable",
        };
        Err(Refusal::new(format!("\"{}\" is not {suffix}", self.entry.name)))
    }

    fn expression(&mut self, key: &str, expression: &BoolExp) -> Found<PredicateId> {
        let (scope, id) = (self.scope, self.table.id);
        self.predicates
            .written(id, expression, || scope.resolve(id, expression))
            .map_err(|refusal| refusal.at_key(key).at_key("permission"))
    }

    fn columns(&self, columns: &Columns, not_a_column: &str) -> Found<ColumnSet> {
        match columns {
            Columns::All => Ok(ColumnSet::all(self.table.columns.len())),
            Columns::List(names) => names
                .iter()
                .enumerate()
                .map(|(at, name)| {
                    self.column(name, not_a_column)
                        .map_err(|refusal| refusal.at_index(at).at_key("columns"))
                })
                .collect(),
        }
    }

    fn column(&self, name: &str, not_a_column: &str) -> Found<ColumnId> {
        if let Some(id) = self.entry.columns.get(name) {
            return Ok(*id);
        }
        let metadata = self.entry.metadata;
        let kind = if metadata.object_relationships.contains_key(name)
            || metadata.array_relationships.contains_key(name)
        {
            "relationship"
        } else if metadata.computed_fields.contains_key(name) {
            "computed field"
        } else if metadata.remote_relationships.contains_key(name) {
            "remote relationship"
        } else {
            return Err(unknown(name));
        };
        Err(Refusal::new(format!(
            "expecting a database column; but, \"{name}\" is a {kind}; {not_a_column}"
        )))
    }

    /// Columns that a client may write: listed ones must be writable, `*` means all that are; presets are not
    /// the client's to give.
    fn written_columns(
        &self,
        columns: &Columns,
        permission_type: PermissionType,
        presets: &[(ColumnId, Preset)],
    ) -> Found<ColumnSet> {
        let word = permission_word(permission_type);
        let not_a_column = format!(
            "Only table columns can have {word} permissions defined, not relationships or other field types"
        );
        let all = self.columns(columns, &not_a_column)?;
        let mut kept = Vec::new();
        for id in all.iter() {
            let Some(column) = self.table.column(id) else {
                continue;
            };
            let writable = match permission_type {
                PermissionType::Insert => column.insertable,
                _ => column.updatable,
            };
            if !writable && matches!(columns, Columns::List(_)) {
                return Err(Refusal::new(format!(
                    "Column \"{}\" is not {} and so cannot have {word} permissions defined",
                    column.name,
                    if permission_type == PermissionType::Insert {
                        "insertable"
                    } else {
                        "updatable"
                    }
                ))
                .at_key("columns"));
            }
            if writable && presets.iter().all(|(preset, _)| *preset != id) {
                kept.push(id);
            }
        }
        Ok(kept.into_iter().collect())
    }

    fn presets(&self, set: &indexmap::IndexMap<String, Value>) -> Found<Vec<(ColumnId, Preset)>> {
        let mut presets = Vec::with_capacity(set.len());
        for (name, value) in set {
            let column = self.column(name, "relationships can't be used in set");
            let preset = column.and_then(|id| {
                if let Some(variable) = operand::session_variable(value) {
                    return Ok((id, Preset::Session(variable)));
                }
                let refused = self.table.column(id).and_then(|column| {
                    operand::refused_literal(&column.type_, &column.scalar, value).map(Refusal::new)
                });
                refused.map_or_else(|| Ok((id, Preset::Literal(value.clone()))), Err)
            });
            presets.push(preset.map_err(|refusal| refusal.at_key(name).at_key("set"))?);
        }
        presets.sort_by_key(|(column, _)| *column);
        Ok(presets)
    }

    fn computed_field(&self, name: &str) -> Found<ComputedFieldId> {
        let at = self
            .table
            .computed_fields
            .iter()
            .position(|field| field.name == name);
        let Some((at, field)) = at.and_then(|at| Some((at, self.table.computed_fields.get(at)?))) else {
            return Err(Refusal::new(format!("computed field \"{name}\" does not exist")));
        };
        if let Returns::Table(target) = &field.returns {
            let target = self.scope.entries.get(target.index());
            let target = target.map(|entry| entry.name.to_string()).unwrap_or_default();
            return Err(Refusal::new(format!(
                "select permissions on computed field \"{name}\" are auto-derived from the permissions on its \
                 returning table \"{target}\" and cannot be specified manually"
            )));
        }
        Ok(ComputedFieldId(u16::try_from(at).unwrap_or(u16::MAX)))
    }
}

fn validation(given: Option<&ValidateInput>) -> Option<Arc<ValidateInput>> {
    given.map(|given| Arc::new(given.clone()))
}

/// Everything that can be done with a table.
fn everything(table: &Table, always: PredicateId) -> TableAccess {
    let set = |holds: &dyn Fn(&crate::model::Column) -> bool| -> ColumnSet {
        (0u16..)
            .zip(&table.columns)
            .filter(|(_, column)| holds(column))
            .map(|(at, _)| ColumnId(at))
            .collect()
    };
    let computed_fields = (0u16..)
        .zip(&table.computed_fields)
        .filter(|(_, field)| !matches!(field.returns, Returns::Table(_)))
        .map(|(at, _)| ComputedFieldId(at))
        .collect();
    TableAccess {
        select: Some(SelectAccess {
            filter: always,
            columns: ColumnSet::all(table.columns.len()),
            redacted_columns: Vec::new(),
            computed_fields,
            redacted_computed_fields: Vec::new(),
            limit: None,
            aggregations: true,
            query_root_fields: None,
            subscription_root_fields: None,
        }),
        insert: table.mutability.insertable.then(|| InsertAccess {
            check: always,
            columns: set(&|column| column.insertable),
            presets: Vec::new(),
            backend_only: false,
            validation: None,
        }),
        update: table.mutability.updatable.then(|| UpdateAccess {
            filter: always,
            check: None,
            columns: set(&|column| column.updatable),
            presets: Vec::new(),
            backend_only: false,
            validation: None,
        }),
        delete: table.mutability.deletable.then_some(DeleteAccess {
            filter: always,
            backend_only: false,
            validation: None,
        }),
    }
}

/// The table of a name, for messages.
pub(crate) fn shown(name: &crate::catalog::QualifiedName) -> QualifiedName {
    QualifiedName::new(&name.schema, &name.name)
}
