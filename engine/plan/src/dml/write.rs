//! What `insert`, `update` and `delete` have in common: the right to read, `returning`, literal values.

use std::collections::HashMap;

use graphql::{Code, Error, Path};
use schema::catalog::{TableKind, TypeKind};
use schema::model::{Column, ColumnId, Table};
use schema::scalar::ScalarClass;
use serde_json::{Map, Value};
use sql::Parameter;
use sql::ast::Expression;
use sql::name::{QualifiedName, TypeName};

use super::mismatch;
use crate::filter::display;
use crate::ir::write::Write;
use crate::ir::{AggregateField, AggregateValue, Answer, Change, Filter, Object, SelectTable};
use crate::prepared::{Encoding, Several};
use crate::read::{Reader, json_key, lost};
use crate::value::{constant, decimal};

impl<'m> Reader<'m> {
    /// The rows of a write that the client wants: `where`, over what the role may read of them. Unlike in a select, the
    /// role's own filter for reading does not count: the one for writing does.
    pub(super) fn dml_chosen(
        &mut self,
        table: SelectTable<'m>,
        arguments: &Map<String, Value>,
        path: &Path,
    ) -> Result<Filter<'m>, Error> {
        if !arguments.contains_key("where") {
            return Err(super::missing_key("where", path));
        }
        self.dml_requested(table, arguments, path)
    }

    /// The table as the role may read it; `why` is said where it may not.
    pub(super) fn dml_read(
        &self,
        table: &'m Table,
        why: &'static str,
        path: &Path,
    ) -> Result<SelectTable<'m>, Error> {
        self.readable(table.id, path).map_err(|mut error| {
            error.message.push_str(why);
            error
        })
    }

    /// `{"affected_rows": n, "returning"?: […]}`; `why` is said where the role may not read what is returned.
    pub(super) fn dml_answer(
        &mut self,
        table: &'m Table,
        arguments: &Map<String, Value>,
        why: &'static str,
        path: &Path,
    ) -> Result<Answer<'m>, Error> {
        let mut fields = vec![AggregateField {
            key: json_key("affected_rows"),
            value: AggregateValue::Affected,
        }];
        let at = path.key("returning");
        let listed = match arguments.get("returning") {
            None | Some(Value::Null) => return Ok(Answer::Response(None, fields)),
            Some(Value::Array(listed)) => listed,
            Some(other) => return Err(mismatch("[]", "Array", other, &at)),
        };
        let readable = self.dml_read(table, why, path)?;
        let mut object = Object::default();
        let everything = matches!(listed.as_slice(), [Value::String(only)] if only == "*");
        if everything {
            for id in readable.access().columns.iter() {
                if let Some(column) = table.column(id) {
                    self.dml_field(readable, id, &column.name, &at, &mut object)?;
                }
            }
        } else {
            let columns = by_name(table);
            for (position, name) in listed.iter().enumerate() {
                let Value::String(name) = name else {
                    return Err(mismatch("Text", "String", name, &at.index(position)));
                };
                let known = columns.get(name.as_str()).copied();
                let known = known.filter(|id| readable.access().columns.contains(*id));
                let id = known.ok_or_else(|| self.dml_no_column("select", name, &at))?;
                self.dml_field(readable, id, name, &at, &mut object)?;
            }
        }
        fields.push(AggregateField {
            key: json_key("returning"),
            value: AggregateValue::Nodes(object),
        });
        Ok(Answer::Response(Some(readable), fields))
    }

    /// A column that the role may not read or write, or that there is not: nobody is told which.
    pub(super) fn dml_no_column(&self, verb: &str, name: &str, path: &Path) -> Error {
        let role = &self.role.name;
        let message = if &**role == "admin" {
            format!("no such column exists : \"{name}\"")
        } else {
            format!("role \"{role}\" does not have permission to {verb} column \"{name}\"")
        };
        denied(path, message)
    }

    /// The role may not write to the table.
    pub(super) fn dml_denied(&self, verb: &str, table: &Table, path: &Path) -> Error {
        let name = display(&table.name);
        let role = &self.role.name;
        denied(
            path,
            format!("{verb} on \"{name}\" for role \"{role}\" is not allowed. "),
        )
    }

    /// What a client gave for a column: `($1)::type`. Strings go to Postgres as they are, other JSON must fit the type.
    pub(super) fn dml_value(&self, column: &Column, value: &Value, path: &Path) -> Result<Expression, Error> {
        if let Some(message) = schema::refused_literal(&column.type_, &column.scalar, value) {
            return Err(Error::parse(path, message));
        }
        let type_ = TypeName::new(&column.type_.schema, &column.type_.name);
        let json = matches!(column.scalar.class, ScalarClass::Json | ScalarClass::Jsonb);
        let array = matches!(column.type_.kind, TypeKind::Array(_));
        let geometry = matches!(
            column.scalar.class,
            ScalarClass::Geometry | ScalarClass::Geography
        );
        if geometry && value.is_object() && !array {
            let text = Expression::Parameter {
                value: constant(value, Encoding::Json, column.scalar.input),
                type_: TypeName::builtin("text"),
            };
            let function = QualifiedName::new(self.extensions(), "st_geomfromgeojson");
            return Ok(Expression::call(function, vec![text]).cast(type_));
        }
        let encoding = match (array, json) {
            (true, true) => Encoding::JsonArray,
            (true, false) => Encoding::ArrayOrText,
            (false, true) => Encoding::Json,
            (false, false) => Encoding::Plain,
        };
        let value = match value {
            Value::Null => Parameter::Constant(None),
            Value::Number(number)
                if column.type_.schema == "pg_catalog" && column.type_.name == "numeric" =>
            {
                Parameter::Constant(Some(in_groups_of_four(&number.to_string()).into()))
            }
            value => constant(value, encoding, column.scalar.input),
        };
        Ok(Expression::Parameter { value, type_ })
    }
}

/// A write of the old data API.
pub(super) fn write(change: Change<'_>) -> Write<'_> {
    Write {
        change,
        answered: true,
        wanted: None,
        path: Path::root(),
        rows: None,
        several: Several::No,
    }
}

/// Only views may lack what it takes to write to them.
pub(super) fn check_view(table: &Table, able: bool, what: &str, path: &Path) -> Result<(), Error> {
    let view = matches!(table.kind, TableKind::View | TableKind::MaterializedView);
    if able || !view {
        return Ok(());
    }
    Err(Error {
        code: Code::NotSupported,
        path: path.clone(),
        message: format!("view \"{}\" is not {what}", display(&table.name)),
    })
}

/// A webhook judges the input of GraphQL; what it would be told of this API's is nowhere defined.
pub(super) fn check_unvalidated(validated: bool, path: &Path) -> Result<(), Error> {
    if !validated {
        return Ok(());
    }
    Err(Error {
        code: Code::NotSupported,
        path: path.clone(),
        message: "the permission has \"validate_input\": only GraphQL mutations can be validated".to_owned(),
    })
}

/// The columns of a table by their names in Postgres.
pub(super) fn by_name(table: &Table) -> HashMap<&str, ColumnId> {
    let names = table.columns.iter().map(|column| column.name.as_str());
    names.zip((0u16..).map(ColumnId)).collect()
}

/// A known column.
pub(super) fn known<'m>(table: &'m Table, id: ColumnId, path: &Path) -> Result<&'m Column, Error> {
    table.column(id).ok_or_else(|| lost(path, "column"))
}

fn denied(path: &Path, message: String) -> Error {
    Error {
        code: Code::PermissionDenied,
        path: path.clone(),
        message,
    }
}

/// Hasura v2 sends numbers of this API in Postgres's own form of a numeric, which is of groups of four digits, so that
/// `1.1` is stored as `1.1000` where the column's type does not say how many digits there are.
fn in_groups_of_four(number: &str) -> String {
    let text = decimal(number);
    match text.split_once('.') {
        Some((whole, fraction)) if !fraction.contains(['e', 'E']) => {
            let width = fraction.len().next_multiple_of(4);
            format!("{whole}.{fraction:0<width$}")
        }
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fractions_are_in_groups_of_four_digits() {
        for (given, expected) in [
            ("3", "3"),
            ("-1.1", "-1.1000"),
            ("1.00000", "1.00000000"),
            ("15e-1", "1.5000"),
            ("2e3", "2000"),
            ("1e400", "1e400"),
            ("1.5e400", "1.5e400"),
        ] {
            assert_eq!(in_groups_of_four(given), expected);
        }
    }
}
