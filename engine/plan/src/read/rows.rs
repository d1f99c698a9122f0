//! The arguments of a list: `where`, `order_by`, `limit`, `offset`, `distinct_on`, and the role's own terms.

use graphql::operation::{Entry, Input, Leaf, Origin};
use graphql::{Error, Path};
use schema::meaning::{ArgumentRole, Meaning};
use schema::model::{Column, ColumnId};
use serde_json::Value;
use sql::ast::{Expression, Operator};
use sql::name::TypeName;

use super::{Reader, argument, lost};
use crate::filter::{Given, Subject};
use crate::ir::{Filter, Order, Right, RowSource, RowType, Rows, Scalar, Test};
use crate::prepared::Encoding;

/// What is wanted of a source of rows.
pub(crate) struct Wanted<'a, 'm> {
    /// Where they come from.
    pub(crate) source: RowSource<'m>,
    /// How they belong to the row outside.
    pub(crate) link: Vec<(&'m Column, &'m Column)>,
    /// The client's arguments.
    pub(crate) arguments: &'a [Entry<Meaning>],
    /// Where the field stands.
    pub(crate) path: &'a Path,
}

impl<'m> Reader<'m> {
    /// Rows with all list arguments and the role's filter and limit.
    pub(crate) fn rows(&mut self, wanted: Wanted<'_, 'm>) -> Result<Rows<'m>, Error> {
        let Wanted {
            source,
            link,
            arguments,
            path,
        } = wanted;
        let row = source.row_type();
        let permitted = self.permitted_rows(row, path)?;
        let client = match arguments
            .iter()
            .find(|entry| entry.meaning == Meaning::Argument(ArgumentRole::Where))
        {
            Some(entry) => self.bool_exp(row, &entry.value, &entry.path)?,
            None => Filter::always(),
        };
        let order = match argument(arguments, ArgumentRole::OrderBy) {
            Some(entry) => self.order_by(row, &entry.value, &entry.path)?,
            None => Vec::new(),
        };
        let distinct = match argument(arguments, ArgumentRole::DistinctOn) {
            Some(entry) => {
                let mut columns = Vec::new();
                self.enum_columns(row, &entry.value, &entry.path, &mut columns)?;
                check_distinct(&columns, &order, path)?;
                columns
            }
            None => Vec::new(),
        };
        let limit = match argument(arguments, ArgumentRole::Limit) {
            Some(Entry {
                value: Input::Leaf(leaf),
                ..
            }) => Some(self.count(leaf)),
            _ => None,
        };
        let most = match row {
            RowType::Table(table) => table.access().limit,
            RowType::Columns(_) => None,
        };
        let offset = match argument(arguments, ArgumentRole::Offset) {
            Some(Entry {
                value: Input::Leaf(leaf),
                ..
            }) => Some(self.count(leaf)),
            _ => None,
        };
        Ok(Rows {
            source,
            link,
            filter: Filter::All(vec![permitted, client]),
            order,
            distinct,
            limit,
            most,
            offset,
        })
    }

    /// The row of that key, if it exists for the role: `where id = ($1)::int4 and …`
    pub(crate) fn row_by_key(
        &mut self,
        source: RowSource<'m>,
        arguments: &[Entry<Meaning>],
        path: &Path,
    ) -> Result<Rows<'m>, Error> {
        let row = source.row_type();
        let mut parts = Vec::new();
        for entry in arguments {
            let Meaning::Column(id) = entry.meaning else {
                continue;
            };
            parts.push(self.key_equals(row, id, entry)?);
        }
        parts.push(self.permitted_rows(row, path)?);
        Ok(Rows {
            source,
            link: Vec::new(),
            filter: Filter::All(parts),
            order: Vec::new(),
            distinct: Vec::new(),
            limit: None,
            most: None,
            offset: None,
        })
    }

    /// `column = value`
    pub(crate) fn key_equals(
        &mut self,
        row: RowType<'m>,
        id: ColumnId,
        entry: &Entry<Meaning>,
    ) -> Result<Filter<'m>, Error> {
        let left = self.column(row, id, &entry.path)?;
        let column = row
            .columns()
            .get(usize::from(id.0))
            .ok_or_else(|| lost(&entry.path, "column"))?;
        let subject = Subject::of(&column.type_, &column.scalar);
        let right = self.value(Given::Client(&entry.value), &subject, &entry.path)?;
        Ok(Filter::Test(
            left,
            Test::Binary {
                cast: None,
                operator: Operator::Builtin("="),
                right: Right::Value(right),
            },
        ))
    }

    /// A limit or offset: a number of the text as it is, so that Postgres can plan for it, else a parameter.
    fn count(&mut self, leaf: &Leaf) -> Expression {
        let number = match (&leaf.origin, &leaf.value) {
            (Origin::Literal, Value::Number(number)) => number.to_string().parse().ok(),
            (Origin::Literal, Value::String(text)) => text.parse().ok(),
            _ => None,
        };
        match number {
            Some(number) => Expression::Integer(number),
            None => Expression::Parameter {
                value: self.slots.leaf(leaf, Encoding::Plain),
                type_: TypeName::builtin("int8"),
            },
        }
    }
}

/// Every `distinct_on` column must be among as many first keys of the order, and these must be columns.
fn check_distinct(distinct: &[Scalar<'_>], order: &[Order<'_>], path: &Path) -> Result<(), Error> {
    if order.is_empty() {
        return Ok(());
    }
    let first: Vec<_> = order
        .iter()
        .take(distinct.len())
        .map(|key| column_of(&key.by))
        .collect();
    let valid = first.iter().all(Option::is_some)
        && distinct.iter().all(|column| {
            first
                .iter()
                .any(|key| matches!((key, column_of(column)), (Some(a), Some(b)) if std::ptr::eq(*a, b)))
        });
    if valid {
        Ok(())
    } else {
        Err(Error::validation(
            &path.key("args"),
            "\"distinct_on\" columns must match initial \"order_by\" columns",
        ))
    }
}

fn column_of<'m>(scalar: &Scalar<'m>) -> Option<&'m Column> {
    match scalar {
        Scalar::Column(column, _) => Some(column),
        _ => None,
    }
}
