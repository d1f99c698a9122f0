//! `where`, `order_by`, `limit` and `offset` of a select.

use graphql::{Code, Error, Path};
use schema::model::Column;
use serde_json::{Map, Value};
use sql::ast::Expression;

use super::mismatch;
use crate::ir::{RowSource, Rows, SelectTable};
use crate::read::Reader;

impl<'m> Reader<'m> {
    /// The rows of a select, or of an array relationship within one.
    pub(super) fn dml_rows(
        &mut self,
        source: RowSource<'m>,
        table: SelectTable<'m>,
        link: Vec<(&'m Column, &'m Column)>,
        arguments: &Map<String, Value>,
        path: &Path,
    ) -> Result<Rows<'m>, Error> {
        let filter = self.dml_filter(table, arguments, path)?;
        let order = self.dml_order(table, arguments.get("order_by"), &path.key("order_by"))?;
        let limit = number(arguments, "limit", path)?;
        Ok(Rows {
            source,
            link,
            filter,
            order,
            distinct: Vec::new(),
            limit: limit.map(Expression::Integer),
            most: table.access().limit,
            offset: number(arguments, "offset", path)?.map(Expression::Integer),
        })
    }
}

/// A number that is not negative.
fn number(arguments: &Map<String, Value>, key: &str, path: &Path) -> Result<Option<u64>, Error> {
    let path = path.key(key);
    match arguments.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Number(number)) => match (number.as_u64(), number.as_i64()) {
            (Some(number), _) if i64::try_from(number).is_ok() => Ok(Some(number)),
            (_, Some(_)) => Err(Error {
                code: Code::NotSupported,
                path,
                message: "unexpected negative value".to_owned(),
            }),
            _ => Err(Error::parse(
                &path,
                format!("{number} is either floating or out of the bounds of Int"),
            )),
        },
        Some(other) => Err(mismatch("Int", "Number", other, &path)),
    }
}
