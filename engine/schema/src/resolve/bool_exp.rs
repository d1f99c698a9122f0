//! Permission expressions: JSON becomes a [`Predicate`] over the columns and relationships of its table.
//!
//! Here names are those of the database and of metadata, never GraphQL names, and everything that the source
//! tracks can be used whatever the role may read.

use metadata::BoolExp;
use serde_json::{Map, Value};

use crate::model::{ColumnId, ComputedFieldId, RelationshipId, RelationshipKind, Returns, Table, TableId};
use crate::operator::Operator;
use crate::predicate::{Comparison, Operand, Predicate};
use crate::resolve::Entry;
use crate::resolve::operand::{self, Expected, encountered, is_operators, type_name};
use crate::scalar::{Scalar, ScalarClass, ScalarId, Scalars};

mod aggregate;
mod request;

pub use request::{FilterRefusal, FilterStep, request_filter};

/// How deeply an expression may nest; documents are refused earlier, so this only guards callers that build
/// documents by hand.
const MAX_DEPTH: usize = 128;

/// Why an expression (or another part of a permission) is refused, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub(crate) struct Refusal {
    pub(crate) message: String,
    steps: Vec<String>,
}

impl Refusal {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            steps: Vec::new(),
        }
    }

    pub(crate) fn at_key(mut self, key: &str) -> Self {
        let plain = key.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'_') && !key.is_empty();
        self.steps.push(if plain {
            format!(".{key}")
        } else {
            format!("['{key}']")
        });
        self
    }

    pub(crate) fn at_index(mut self, index: usize) -> Self {
        self.steps.push(format!("[{index}]"));
        self
    }

    /// `$.permission.filter._and[0].id`
    pub(crate) fn path(&self) -> String {
        self.steps
            .iter()
            .rev()
            .fold("$".to_owned(), |path, step| path + step)
    }
}

/// The tables of a source as expressions see them.
#[derive(Clone, Copy)]
pub(crate) struct Scope<'s> {
    pub(crate) tables: &'s [Table],
    /// Where the tables came from, while the model is being built; empty afterwards.
    pub(crate) entries: &'s [Entry<'s>],
    pub(crate) scalars: &'s Scalars,
}

/// The left-hand side of a comparison.
#[derive(Clone, Copy)]
struct Subject<'s> {
    scalar: &'s Scalar,
    array: bool,
    type_: &'s crate::catalog::Type,
    name: &'s str,
    cast: Option<&'static str>,
}

impl<'s> Subject<'s> {
    fn expected(self) -> Expected<'s> {
        Expected {
            scalar: self.scalar,
            array: self.array,
        }
    }
}

impl<'s> Scope<'s> {
    /// The predicate of an expression on a table.
    pub(crate) fn resolve(self, table: TableId, expression: &BoolExp) -> Result<Predicate, Refusal> {
        self.expression(table, table, &expression.0, 0)
    }

    fn table(self, id: TableId) -> Result<&'s Table, Refusal> {
        let table = self.tables.get(id.index());
        table.ok_or_else(|| Refusal::new("table is not tracked"))
    }

    /// A column by its name in Postgres.
    fn column(self, table: &Table, name: &str) -> Option<ColumnId> {
        match self.entries.get(table.id.index()) {
            Some(entry) => entry.columns.get(name).copied(),
            None => {
                let at = table.columns.iter().position(|column| column.name == name)?;
                u16::try_from(at).ok().map(ColumnId)
            }
        }
    }

    /// A table by its name in Postgres.
    fn named(self, name: &metadata::QualifiedName) -> Option<&'s Table> {
        if self.entries.is_empty() {
            let mut tables = self.tables.iter();
            return tables.find(|table| table.name.schema == name.schema && table.name.name == name.name);
        }
        let at = self.entries.iter().position(|entry| entry.name == name)?;
        self.tables.get(at)
    }

    fn expression(
        self,
        root: TableId,
        subject: TableId,
        map: &Map<String, Value>,
        depth: usize,
    ) -> Result<Predicate, Refusal> {
        if depth > MAX_DEPTH {
            return Err(Refusal::new("boolean expression is nested too deeply"));
        }
        let mut parts = Vec::with_capacity(map.len());
        for (key, value) in map {
            let part = match key.as_str() {
                "_and" | "$and" => self.list(root, subject, value, depth).map(Predicate::And),
                "_or" | "$or" => self.list(root, subject, value, depth).map(Predicate::Or),
                "_not" | "$not" => object(value)
                    .and_then(|map| self.expression(root, subject, map, depth + 1))
                    .map(|inner| Predicate::Not(Box::new(inner))),
                "_exists" | "$exists" => self.exists(root, value, depth),
                field => self.field(root, subject, field, value, depth),
            };
            parts.push(part.map_err(|refusal| refusal.at_key(key))?);
        }
        Ok(conjunction(parts))
    }

    fn list(
        self,
        root: TableId,
        subject: TableId,
        value: &Value,
        depth: usize,
    ) -> Result<Vec<Predicate>, Refusal> {
        let Value::Array(items) = value else {
            return Err(Refusal::new(format!(
                "parsing [] failed, expected Array, but encountered {}",
                encountered(value)
            )));
        };
        let mut parts = Vec::with_capacity(items.len());
        for (at, item) in items.iter().enumerate() {
            let part = object(item).and_then(|map| self.expression(root, subject, map, depth + 1));
            parts.push(part.map_err(|refusal| refusal.at_index(at))?);
        }
        Ok(parts)
    }

    fn exists(self, root: TableId, value: &Value, depth: usize) -> Result<Predicate, Refusal> {
        let map = object(value)?;
        let key = |name: &str| {
            map.get(name)
                .ok_or_else(|| Refusal::new(format!("key \"{name}\" not found")))
        };
        let name = qualified_name(key("_table")?).map_err(|refusal| refusal.at_key("_table"))?;
        let target = self
            .named(&name)
            .ok_or_else(|| Refusal::new(format!("table \"{name}\" does not exist")).at_key("_table"))?;
        let condition = object(key("_where")?)
            .and_then(|map| self.expression(root, target.id, map, depth + 1))
            .map_err(|refusal| refusal.at_key("_where"))?;
        Ok(Predicate::Exists(target.id, Box::new(condition)))
    }

    fn field(
        self,
        root: TableId,
        subject: TableId,
        field: &str,
        value: &Value,
        depth: usize,
    ) -> Result<Predicate, Refusal> {
        let table = self.table(subject)?;
        if let Some(id) = self.column(table, field) {
            let column = table.column(id).ok_or_else(|| unknown(field))?;
            let left = Subject {
                scalar: &column.scalar,
                array: column.is_array(),
                type_: &column.type_,
                name: &column.name,
                cast: None,
            };
            return self.comparisons(root, subject, left, value, &|comparison| {
                Predicate::Column(id, comparison)
            });
        }
        if let Some((id, relationship)) = relationship(table, |one| one.name == field) {
            let inner = self.expression(root, relationship.target, object(value)?, depth + 1)?;
            return Ok(Predicate::Relationship(id, Box::new(inner)));
        }
        if let Some(name) = field.strip_suffix("_aggregate") {
            let array =
                |one: &crate::model::Relationship| one.kind == RelationshipKind::Array && one.name == name;
            if let Some((id, relationship)) = relationship(table, array) {
                return self.aggregate(root, (id, relationship.target), value, depth);
            }
        }
        let computed = table.computed_fields.iter().position(|one| one.name == field);
        if let Some((at, computed)) = computed.and_then(|at| Some((at, table.computed_fields.get(at)?))) {
            if !computed.arguments.is_empty() {
                return Err(Refusal::new(
                    "Computed columns with input arguments can not be part of the where clause",
                ));
            }
            let id = ComputedFieldId(u16::try_from(at).unwrap_or(u16::MAX));
            return match &computed.returns {
                Returns::Scalar { type_, scalar } => {
                    let left = Subject {
                        scalar,
                        array: matches!(type_.kind, crate::catalog::TypeKind::Array(_)),
                        type_,
                        name: &computed.name,
                        cast: None,
                    };
                    self.comparisons(root, subject, left, value, &|comparison| {
                        Predicate::ComputedField(id, comparison)
                    })
                }
                Returns::Table(target) => {
                    let inner = self.expression(root, *target, object(value)?, depth + 1)?;
                    Ok(Predicate::ComputedTable(id, Box::new(inner)))
                }
                Returns::Rows { .. } => Err(Refusal::new(format!(
                    "computed field \"{field}\" returns rows of no tracked table and can not be part of the where \
                     clause"
                ))),
            };
        }
        Err(unknown(field))
    }

    fn comparisons(
        self,
        root: TableId,
        subject: TableId,
        left: Subject<'s>,
        value: &Value,
        make: &dyn Fn(Comparison) -> Predicate,
    ) -> Result<Predicate, Refusal> {
        if left.scalar.class == ScalarClass::Json && !left.array {
            return Err(Refusal::new("JSON column can not be part of boolean expression"));
        }
        let Some(operators) = is_operators(value) else {
            let operand = operand::one(left.expected(), value)?;
            return Ok(make(Comparison {
                operator: Operator::Equal,
                operand,
                cast: left.cast,
            }));
        };
        let mut parts = Vec::with_capacity(operators.len());
        for (key, value) in operators {
            let part = if matches!(key.as_str(), "_cast" | "$cast") {
                self.cast(root, subject, left, value, make)
            } else {
                self.comparison(root, subject, left, key, value).map(make)
            };
            parts.push(part.map_err(|refusal| refusal.at_key(key))?);
        }
        Ok(conjunction(parts))
    }

    fn cast(
        self,
        root: TableId,
        subject: TableId,
        left: Subject<'s>,
        value: &Value,
        make: &dyn Fn(Comparison) -> Predicate,
    ) -> Result<Predicate, Refusal> {
        let mut parts = Vec::new();
        for (target, value) in object(value)? {
            let (cast, id) = match (left.scalar.class, target.as_str()) {
                (ScalarClass::Geometry, "geography") => ("geography", ScalarId::GEOGRAPHY),
                (ScalarClass::Geography, "geometry") => ("geometry", ScalarId::GEOMETRY),
                (ScalarClass::Jsonb, "text" | "String") => ("text", ScalarId::STRING),
                _ => {
                    return Err(Refusal::new(format!(
                        "cannot cast column of type \"{}\" to type \"{target}\"",
                        type_name(left.type_)
                    )));
                }
            };
            let scalar = self.scalars.get(id).ok_or_else(|| unknown(target))?;
            let left = Subject {
                scalar,
                array: false,
                cast: Some(cast),
                ..left
            };
            let part = self.comparisons(root, subject, left, value, make);
            parts.push(part.map_err(|refusal| refusal.at_key(target))?);
        }
        Ok(conjunction(parts))
    }

    fn comparison(
        self,
        root: TableId,
        subject: TableId,
        left: Subject<'s>,
        key: &str,
        value: &Value,
    ) -> Result<Comparison, Refusal> {
        use Operator as O;
        let operator =
            Operator::of_metadata_key(key).ok_or_else(|| Refusal::new(format!("Unknown operator: {key}")))?;
        let class = left.scalar.class;
        let only = |holds: bool, types: &str| {
            if holds {
                return Ok(());
            }
            Err(Refusal::new(format!(
                " is of type \"{}\"; this operator works only on columns of type {types}",
                type_name(left.type_)
            )))
        };
        let of = |id: ScalarId| -> Result<Expected<'s>, Refusal> {
            let scalar = self.scalars.get(id).ok_or_else(|| unknown(key))?;
            Ok(Expected { scalar, array: false })
        };
        let scalar_class = |wanted: ScalarClass| class == wanted && !left.array;
        let operand = match operator {
            O::Equal | O::NotEqual | O::Greater | O::Less | O::GreaterOrEqual | O::LessOrEqual => {
                operand::one(left.expected(), value)?
            }
            O::In | O::NotIn => operand::many(left.expected(), value)?,
            O::IsNull => operand::boolean(value)?,
            O::Like
            | O::NotLike
            | O::ILike
            | O::NotILike
            | O::Similar
            | O::NotSimilar
            | O::Regex
            | O::IRegex
            | O::NotRegex
            | O::NotIRegex => {
                only(
                    scalar_class(ScalarClass::Text),
                    "\"bpchar\", \"varchar\", \"text\", \"citext\"",
                )?;
                operand::one(left.expected(), value)?
            }
            O::Contains | O::ContainedIn => {
                only(left.array || class == ScalarClass::Jsonb, "an array or JSONB")?;
                operand::one(left.expected(), value)?
            }
            O::HasKey | O::HasKeysAny | O::HasKeysAll => {
                only(scalar_class(ScalarClass::Jsonb), "\"jsonb\"")?;
                let text = of(ScalarId::STRING)?;
                if operator == O::HasKey {
                    operand::one(text, value)?
                } else {
                    operand::many(text, value)?
                }
            }
            O::StContains
            | O::StCrosses
            | O::StEquals
            | O::StOverlaps
            | O::StTouches
            | O::StWithin
            | O::St3dIntersects => {
                only(scalar_class(ScalarClass::Geometry), "\"geometry\"")?;
                operand::one(left.expected(), value)?
            }
            O::StIntersects => {
                let geo = scalar_class(ScalarClass::Geometry) || scalar_class(ScalarClass::Geography);
                only(geo, "\"geometry\", \"geography\"")?;
                operand::one(left.expected(), value)?
            }
            O::StDWithin if scalar_class(ScalarClass::Geography) => operand::parts(
                value,
                &[
                    ("distance", true, of(ScalarId::FLOAT8)?),
                    ("from", true, left.expected()),
                    ("use_spheroid", false, of(ScalarId::BOOLEAN)?),
                ],
            )?,
            O::StDWithin | O::St3dDWithin => {
                let types = if operator == O::StDWithin {
                    "\"geometry\", \"geography\""
                } else {
                    "\"geometry\""
                };
                only(scalar_class(ScalarClass::Geometry), types)?;
                let distance = of(ScalarId::FLOAT8)?;
                operand::parts(
                    value,
                    &[("distance", true, distance), ("from", true, left.expected())],
                )?
            }
            O::Ancestor | O::Descendant => {
                only(scalar_class(ScalarClass::Ltree), "\"ltree\"")?;
                operand::one(left.expected(), value)?
            }
            O::AncestorAny | O::DescendantAny => {
                only(scalar_class(ScalarClass::Ltree), "\"ltree\"")?;
                operand::many(left.expected(), value)?
            }
            O::Matches | O::MatchesFulltext => {
                only(scalar_class(ScalarClass::Ltree), "\"ltree\"")?;
                operand::one(of(ScalarId::STRING)?, value)?
            }
            O::MatchesAny => {
                only(scalar_class(ScalarClass::Ltree), "\"ltree\"")?;
                operand::many(of(ScalarId::STRING)?, value)?
            }
            O::ColumnEqual
            | O::ColumnNotEqual
            | O::ColumnGreater
            | O::ColumnLess
            | O::ColumnGreaterOrEqual
            | O::ColumnLessOrEqual => self.column_operand(root, subject, left, value)?,
            O::StIntersectsRast | O::StIntersectsNbandGeom | O::StIntersectsGeomNband => {
                return Err(Refusal::new(format!("Unknown operator: {key}")));
            }
        };
        Ok(Comparison {
            operator,
            operand,
            cast: left.cast,
        })
    }

    /// `"column"`, `["column"]`, `["rel", "column"]`, `["$", "column"]`, `["$", "rel", "column"]`.
    fn column_operand(
        self,
        root: TableId,
        subject: TableId,
        left: Subject<'_>,
        value: &Value,
    ) -> Result<Operand, Refusal> {
        let wrong = || Refusal::new("a boolean expression JSON must be either a string or an array");
        let steps: Vec<&str> = match value {
            Value::String(name) => vec![name],
            Value::Array(items) => items
                .iter()
                .map(|item| item.as_str().ok_or_else(wrong))
                .collect::<Result<_, _>>()?,
            _ => return Err(wrong()),
        };
        let (from_root, steps) = match steps.split_first() {
            Some((&"$", rest)) if !rest.is_empty() => (true, rest.to_vec()),
            _ => (false, steps),
        };
        let Some((name, relationships)) = steps.split_last() else {
            return Err(Refusal::new("path cannot be empty"));
        };
        let mut at = if from_root { root } else { subject };
        let mut path: Vec<RelationshipId> = Vec::with_capacity(relationships.len());
        for step in relationships {
            let table = self.table(at)?;
            let object =
                |one: &crate::model::Relationship| one.kind == RelationshipKind::Object && one.name == *step;
            let Some((id, relationship)) = relationship(table, object) else {
                return Err(Refusal::new(format!(
                    "object relationship \"{step}\" does not exist"
                )));
            };
            path.push(id);
            at = relationship.target;
        }
        let table = self.table(at)?;
        let id: Option<ColumnId> = self.column(table, name);
        let Some((column, right)) = id.and_then(|id| Some((id, table.column(id)?))) else {
            let is_field = table.relationships.iter().any(|one| one.name == *name)
                || table.computed_fields.iter().any(|one| one.name == *name);
            return Err(if is_field {
                Refusal::new("column operators can only compare postgres columns")
            } else {
                unknown(name)
            });
        };
        if left.type_ != &right.type_ || left.cast.is_some() {
            return Err(Refusal::new(format!(
                "incompatible column types: \"{}\" has type \"{}\", but \"{name}\" has type \"{}\"",
                left.name,
                type_name(left.type_),
                type_name(&right.type_)
            )));
        }
        Ok(if from_root {
            Operand::RootColumn { path, column }
        } else {
            Operand::Column { path, column }
        })
    }
}

fn conjunction(mut parts: Vec<Predicate>) -> Predicate {
    match (parts.len(), parts.pop()) {
        (1, Some(one)) => one,
        (_, Some(last)) => {
            parts.push(last);
            Predicate::And(parts)
        }
        (_, None) => Predicate::And(Vec::new()),
    }
}

fn relationship(
    table: &Table,
    matches: impl Fn(&crate::model::Relationship) -> bool,
) -> Option<(RelationshipId, &crate::model::Relationship)> {
    (0u16..)
        .zip(&table.relationships)
        .find(|(_, one)| matches(one))
        .map(|(at, one)| (RelationshipId(at), one))
}

pub(crate) fn unknown(name: &str) -> Refusal {
    Refusal::new(format!("column \"{name}\" does not exist"))
}

fn object(value: &Value) -> Result<&Map<String, Value>, Refusal> {
    value.as_object().ok_or_else(|| {
        Refusal::new(format!(
            "parsing Object failed, expected Object, but encountered {}",
            encountered(value)
        ))
    })
}

fn qualified_name(value: &Value) -> Result<metadata::QualifiedName, Refusal> {
    let wrong = || Refusal::new("expecting a string or an object with keys \"name\" and \"schema\"");
    match value {
        Value::String(name) => Ok(metadata::QualifiedName::public(name.as_str())),
        Value::Object(map) => {
            let name = map.get("name").and_then(Value::as_str).ok_or_else(wrong)?;
            let schema = match map.get("schema") {
                None => metadata::name::DEFAULT_SCHEMA,
                Some(schema) => schema.as_str().ok_or_else(wrong)?,
            };
            Ok(metadata::QualifiedName::new(schema, name))
        }
        _ => Err(wrong()),
    }
}
