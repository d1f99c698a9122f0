//! The driver's rows as the codecs read them.

use sql::shape::{Codec, ValueShape};
use tokio_postgres::types::{FromSql, Kind, Type};
use tokio_postgres::{Column, Row};

use crate::codec::{Error, Fields, Scratch};

/// The bytes of a column.
pub(super) struct ColumnBytes<'a>(pub(super) &'a [u8]);

impl<'a> FromSql<'a> for ColumnBytes<'a> {
    fn from_sql(
        _type: &Type,
        bytes: &'a [u8],
    ) -> Result<ColumnBytes<'a>, Box<dyn std::error::Error + Sync + Send>> {
        Ok(ColumnBytes(bytes))
    }

    fn accepts(_type: &Type) -> bool {
        true
    }
}

/// A row of the statement.
pub(super) struct RowFields<'a>(pub(super) &'a Row);

impl Fields for RowFields<'_> {
    /// Done once for all rows, by [`check_columns`].
    fn check(&self, _index: u16, _codec: &Codec, _scratch: &Scratch) -> Result<(), Error> {
        Ok(())
    }

    fn field<'a>(&'a self, index: u16, _scratch: &Scratch) -> Result<Option<&'a [u8]>, Error> {
        match self
            .0
            .try_get::<usize, Option<ColumnBytes<'a>>>(usize::from(index))
        {
            Ok(Some(bytes)) => Ok(Some(bytes.0)),
            Ok(None) => Ok(None),
            Err(_) => Err(Error::MissingColumn(index)),
        }
    }
}

/// Refuses columns of other types than their codecs read: the statement was made for an older catalog.
pub(super) fn check_columns(shape: &ValueShape, columns: &[Column]) -> Result<(), Error> {
    match shape {
        ValueShape::Column { index, codec } => {
            let column = columns
                .get(usize::from(*index))
                .ok_or(Error::MissingColumn(*index))?;
            if reads(codec, column.type_()) {
                Ok(())
            } else {
                Err(Error::WrongType(*index, column.type_().name().to_owned()))
            }
        }
        ValueShape::Object(object) => object
            .fields
            .iter()
            .try_for_each(|field| check_columns(&field.value, columns)),
        // What is inside of records shows when they are read.
        ValueShape::List { index, .. } | ValueShape::Record { index, .. } => columns
            .get(usize::from(*index))
            .map(|_| ())
            .ok_or(Error::MissingColumn(*index)),
        ValueShape::Constant(_) => Ok(()),
    }
}

fn reads(codec: &Codec, type_: &Type) -> bool {
    let type_ = match type_.kind() {
        Kind::Domain(inner) => return reads(codec, inner),
        _ => type_,
    };
    let expected = match codec {
        Codec::Bool => Type::BOOL,
        Codec::Int2 => Type::INT2,
        Codec::Int4 => Type::INT4,
        Codec::Int8 => Type::INT8,
        Codec::Float4 => Type::FLOAT4,
        Codec::Float8 => Type::FLOAT8,
        Codec::Numeric => Type::NUMERIC,
        Codec::Uuid => Type::UUID,
        Codec::Date => Type::DATE,
        Codec::Time => Type::TIME,
        Codec::TimeTz => Type::TIMETZ,
        Codec::Timestamp => Type::TIMESTAMP,
        Codec::TimestampTz => Type::TIMESTAMPTZ,
        Codec::Bytea => Type::BYTEA,
        Codec::Json => Type::JSON,
        Codec::Jsonb => Type::JSONB,
        Codec::Oid => Type::OID,
        // Any of the types that are sent as their text: enums and types of extensions too.
        Codec::Text | Codec::JsonText => return !is_sent_in_binary(type_),
        Codec::Array(element) => {
            return matches!(type_.kind(), Kind::Array(inner) if reads(element, inner));
        }
        Codec::Quoted(inner) => return reads(inner, type_),
    };
    *type_ == expected
}

/// Of the built-in types, those whose binary form is not their text. `json` is its text.
fn is_sent_in_binary(type_: &Type) -> bool {
    let text = [
        Type::TEXT,
        Type::VARCHAR,
        Type::BPCHAR,
        Type::NAME,
        Type::CHAR,
        Type::JSON,
        Type::XML,
        Type::UNKNOWN,
        Type::CSTRING,
    ];
    let built_in = Type::from_oid(type_.oid()).is_some();
    built_in && !text.contains(type_) || matches!(type_.kind(), Kind::Array(_) | Kind::Composite(_))
}
