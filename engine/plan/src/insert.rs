//! `insert` of the old data API (`/v1/query`, `/v2/query`), as far as an admin fills tables with it: literal rows,
//! defaults where a key is absent, `on_conflict` with `ignore`, `returning` columns.
//!
//! What a role other than admin may insert is not decided here: such a request is refused.

use std::collections::HashMap;
use std::sync::Arc;

use graphql::{Code, Error, Path};
use indexmap::IndexSet;
use schema::catalog::TypeKind;
use schema::model::{Column, Source, SourceId, Table};
use schema::scalar::ScalarClass;
use serde_json::{Map, Value};
use sql::ast::{Expression, From, Output, Select};
use sql::insert::{Conflict, Insert};
use sql::name::{Aliases, Identifier, QualifiedName, TypeName};
use sql::shape::{Cardinality, Codec, FieldShape, ObjectShape, Shape, ValueShape};
use sql::{Parameter, Statement};

use crate::dml::{mismatch, missing_key};
use crate::filter::display;
use crate::lower::Lowerer;
use crate::prepared::Encoding;
use crate::value::constant;

/// Postgres takes 65,535 parameters; what is above this goes into a further statement.
const MAX_PARAMETERS: usize = 60_000;

/// Statements that insert the rows of one request; each answers `{"affected_rows": n, "returning": […]}`.
#[derive(Debug)]
pub struct InsertPlan {
    /// Where they run, in one transaction.
    pub source: SourceId,
    /// One, or several where there are too many values for one.
    pub statements: Vec<Arc<Statement>>,
    /// `returning` was asked for.
    pub returning: bool,
}

/// Plans an insert into a table of a source.
///
/// # Errors
/// `parse-failed`, `not-exists`, `not-supported`: with the place within the arguments.
pub fn insert(
    source: &Source,
    table: &Table,
    arguments: &Map<String, Value>,
    stringify: bool,
) -> Result<InsertPlan, Error> {
    let root = Path::root();
    let objects = objects(arguments, &root)?;
    let conflict = conflict(arguments, table, &root)?;
    let returning = returning(arguments, table, &root)?;
    let by_name: HashMap<&str, &Column> = table
        .columns
        .iter()
        .map(|column| (column.name.as_str(), column))
        .collect();
    let mut columns: IndexSet<&str> = IndexSet::new();
    for (position, object) in objects.iter().enumerate() {
        for key in object.keys() {
            if !by_name.contains_key(key.as_str()) {
                let path = root.key("objects").index(position).key(key.as_str());
                let related = table.relationships.iter().any(|one| one.name == *key);
                return Err(if related {
                    Error {
                        code: Code::UnexpectedPayload,
                        path,
                        message: format!(
                            "expecting a database column; but, \"{key}\" is a relationship; relationships can't be inserted"
                        ),
                    }
                } else {
                    missing_column(key, &path)
                });
            }
            columns.insert(key);
        }
    }
    let lowering = Lowering {
        source,
        table,
        stringify,
        returning: returning.as_deref(),
    };
    let per_statement = (MAX_PARAMETERS / columns.len().max(1)).max(1);
    let statements = if columns.is_empty() {
        // Rows of nothing but defaults are inserted one by one.
        objects
            .iter()
            .map(|_| lowering.statement(&[], &[], conflict.clone()))
            .collect()
    } else {
        let columns: Vec<&Column> = columns
            .iter()
            .filter_map(|name| by_name.get(name).copied())
            .collect();
        objects
            .chunks(per_statement)
            .map(|rows| lowering.statement(&columns, rows, conflict.clone()))
            .collect()
    };
    Ok(InsertPlan {
        source: source.id,
        statements,
        returning: returning.is_some(),
    })
}

fn objects<'a>(arguments: &'a Map<String, Value>, root: &Path) -> Result<Vec<&'a Map<String, Value>>, Error> {
    let path = root.key("objects");
    let items = match arguments.get("objects") {
        Some(Value::Array(items)) => items,
        Some(other) => return Err(mismatch("[]", "Array", other, &path)),
        None => return Err(missing_key("objects", root)),
    };
    if items.is_empty() {
        return Err(Error {
            code: Code::UnexpectedPayload,
            path,
            message: "objects should not be empty".to_owned(),
        });
    }
    items
        .iter()
        .enumerate()
        .map(|(position, item)| {
            item.as_object()
                .ok_or_else(|| mismatch("HashMap ~Text", "Object", item, &path.index(position)))
        })
        .collect()
}

fn conflict(arguments: &Map<String, Value>, table: &Table, root: &Path) -> Result<Option<Conflict>, Error> {
    let Some(Value::Object(clause)) = arguments.get("on_conflict") else {
        return Ok(None);
    };
    let path = root.key("on_conflict");
    if let Some(columns) = clause.get("constraint_on").and_then(Value::as_array) {
        for (position, column) in columns.iter().enumerate() {
            let name = column.as_str().unwrap_or_default();
            if !table.columns.iter().any(|known| known.name == name) {
                return Err(missing_column(name, &path.key("constraint_on").index(position)));
            }
        }
    }
    if clause.get("action").and_then(Value::as_str) != Some("ignore") {
        return Err(Error {
            code: Code::NotSupported,
            path,
            message: "on_conflict with the action \"update\" is not supported yet".to_owned(),
        });
    }
    let constraint = match clause.get("constraint") {
        None | Some(Value::Null) => None,
        Some(Value::String(name)) => {
            // What is called nothing is in no database and in no statement; Postgres knows about all else.
            if name.is_empty() || name.contains('\0') {
                return Err(Error {
                    code: Code::Unexpected,
                    path: path.key("constraint"),
                    message: format!(
                        "constraint \"{name}\" for table \"{}\" does not exist",
                        display(&table.name)
                    ),
                });
            }
            Some(Identifier::new(name.as_str()))
        }
        Some(_) => {
            return Err(Error::parse(
                &path.key("constraint"),
                "parsing Text failed, expected String",
            ));
        }
    };
    Ok(Some(Conflict::DoNothing(constraint)))
}

fn returning<'a>(
    arguments: &Map<String, Value>,
    table: &'a Table,
    root: &Path,
) -> Result<Option<Vec<&'a Column>>, Error> {
    let listed = match arguments.get("returning") {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::Array(listed)) => listed,
        Some(other) => return Err(mismatch("[]", "Array", other, &root.key("returning"))),
    };
    let find = |(position, name): (usize, &Value)| {
        let path = root.key("returning").index(position);
        match name.as_str() {
            Some(name) => table
                .columns
                .iter()
                .find(|column| column.name == name)
                .ok_or_else(|| missing_column(name, &path)),
            None => Err(mismatch("Text", "String", name, &path)),
        }
    };
    if listed.len() == 1 && listed[0] == "*" {
        return Ok(Some(table.columns.iter().collect()));
    }
    listed
        .iter()
        .enumerate()
        .map(find)
        .collect::<Result<_, _>>()
        .map(Some)
}

fn missing_column(name: &str, path: &Path) -> Error {
    Error {
        code: Code::NotExists,
        path: path.clone(),
        message: format!("column \"{name}\" does not exist"),
    }
}

struct Lowering<'a> {
    source: &'a Source,
    table: &'a Table,
    stringify: bool,
    returning: Option<&'a [&'a Column]>,
}

impl Lowering<'_> {
    /// `with t0 as (insert into t (a, b) values (…), … returning *) select count(*), array(select row(a, b) from t0)
    /// from t0`
    fn statement(
        &self,
        columns: &[&Column],
        rows: &[&Map<String, Value>],
        conflict: Option<Conflict>,
    ) -> Arc<Statement> {
        let mut aliases = Aliases::default();
        let (inserted, counted, listed) = (aliases.fresh(), aliases.fresh(), aliases.fresh());
        let mut outputs = vec![Output::unnamed(Expression::Aggregate {
            function: "count",
            arguments: Vec::new(),
            distinct: false,
            order: Vec::new(),
        })];
        let mut fields = vec![FieldShape {
            key: Box::from(&b"\"affected_rows\":"[..]),
            value: ValueShape::Column {
                index: 0,
                codec: Codec::Int8,
            },
        }];
        if let Some(returning) = self.returning {
            let lowerer = Lowerer::new(self.stringify, &self.source.extensions_schema);
            let (mut values, mut keys) = (Vec::new(), Vec::new());
            for (column, index) in returning.iter().zip(0u16..) {
                let value = Expression::Column(listed, Identifier::new(column.name.as_str()));
                let (value, codec) = lowerer.output(value, &column.type_, &column.scalar);
                values.push(value);
                let mut key = Value::from(column.name.as_str()).to_string();
                key.push(':');
                keys.push(FieldShape {
                    key: key.into_bytes().into(),
                    value: ValueShape::Column { index, codec },
                });
            }
            outputs.push(Output::unnamed(Expression::Array(Box::new(Select {
                columns: vec![Output::unnamed(Expression::Row(values))],
                from: Some(From::Inserted {
                    rows: inserted,
                    alias: listed,
                }),
                ..Select::default()
            }))));
            fields.push(FieldShape {
                key: Box::from(&b"\"returning\":"[..]),
                value: ValueShape::List {
                    index: 1,
                    item: Box::new(ValueShape::Object(ObjectShape {
                        presence: None,
                        fields: keys,
                    })),
                },
            });
        }
        let insert = Insert {
            table: QualifiedName::new(self.table.name.schema.as_str(), self.table.name.name.as_str()),
            columns: columns
                .iter()
                .map(|column| Identifier::new(column.name.as_str()))
                .collect(),
            rows: rows
                .iter()
                .map(|row| {
                    columns
                        .iter()
                        .map(|column| self.value(column, row.get(&column.name)))
                        .collect()
                })
                .collect(),
            conflict,
            alias: inserted,
            select: Select {
                columns: outputs,
                from: Some(From::Inserted {
                    rows: inserted,
                    alias: counted,
                }),
                ..Select::default()
            },
        };
        Arc::new(insert.statement(Shape {
            cardinality: Cardinality::OneOrNull,
            row: ValueShape::Object(ObjectShape {
                presence: None,
                fields,
            }),
        }))
    }

    /// `($n)::type`, or nothing where the column's default applies.
    fn value(&self, column: &Column, value: Option<&Value>) -> Option<Expression> {
        let value = value?;
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
            let function = QualifiedName::new(self.source.extensions_schema.as_str(), "st_geomfromgeojson");
            return Some(Expression::call(function, vec![text]).cast(type_));
        }
        let encoding = match (array, json) {
            (true, true) => Encoding::JsonArray,
            (true, false) => Encoding::ArrayOrText,
            (false, true) => Encoding::Json,
            (false, false) => Encoding::Plain,
        };
        let value = match value {
            Value::Null => Parameter::Constant(None),
            value => constant(value, encoding, column.scalar.input),
        };
        Some(Expression::Parameter { value, type_ })
    }
}
