//! Binary rows to JSON, by the statement's `sql::Shape`.
//!
//! Every value is written exactly as Postgres's `to_json` writes it, straight from the driver's buffer into the
//! response, without a tree in between. Bytes that are not of the promised form are an error, never a panic.

use sql::shape::{Codec, ObjectShape, ValueShape};

mod array;
mod date_time;
mod float;
mod numeric;
mod oid;
mod record;
mod text;

pub(crate) use self::record::{Record, Scratch};

/// Bytes that are not what a codec or shape expects.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A value is too short, too long or out of range for its type.
    #[error("malformed {0} value")]
    Malformed(&'static str),
    /// The row has fewer columns than its shape.
    #[error("the row has no column {0}")]
    MissingColumn(u16),
    /// A column has another type than its shape.
    #[error("column {0} has the type {1}, which its codec does not read")]
    WrongType(u16, String),
    /// A value in a record or array is of another type than its shape.
    #[error("a value has the type number {0}, which its codec does not read")]
    WrongOid(u32),
    /// Lists or records nest deeper than any statement's.
    #[error("the row nests too deep")]
    TooDeep,
}

/// Shapes nest as deep as a request's selection does; requests are bounded far below this.
const DEEPEST: u32 = 256;

/// Something with numbered fields: a row of the statement or a record within one.
pub(crate) trait Fields {
    /// Refuses a field of a type that the codec does not read.
    fn check(&self, index: u16, codec: &Codec, scratch: &Scratch) -> Result<(), Error>;

    /// The binary value of a field; `None` is NULL.
    fn field<'a>(&'a self, index: u16, scratch: &Scratch) -> Result<Option<&'a [u8]>, Error>;
}

/// Writes one value of a row.
pub(crate) fn write_value(
    shape: &ValueShape,
    fields: &impl Fields,
    scratch: &mut Scratch,
    depth: u32,
    out: &mut Vec<u8>,
) -> Result<(), Error> {
    if depth > DEEPEST {
        return Err(Error::TooDeep);
    }
    match shape {
        ValueShape::Column { index, codec } => match fields.field(*index, scratch)? {
            Some(bytes) => {
                fields.check(*index, codec, scratch)?;
                write_scalar(codec, bytes, out)
            }
            None => {
                out.extend_from_slice(b"null");
                Ok(())
            }
        },
        ValueShape::Object(object) => write_object(object, fields, scratch, depth, out),
        ValueShape::List { index, item } => match fields.field(*index, scratch)? {
            Some(bytes) => array::write_records(bytes, item, scratch, depth, out),
            None => {
                out.extend_from_slice(b"[]");
                Ok(())
            }
        },
        ValueShape::Record { index, value } => match fields.field(*index, scratch)? {
            Some(bytes) => Record::read(bytes, scratch, |record, scratch| {
                write_value(value, record, scratch, depth + 1, out)
            }),
            None => {
                out.extend_from_slice(b"null");
                Ok(())
            }
        },
        ValueShape::Constant(json) => {
            out.extend_from_slice(json);
            Ok(())
        }
    }
}

fn write_object(
    object: &ObjectShape,
    fields: &impl Fields,
    scratch: &mut Scratch,
    depth: u32,
    out: &mut Vec<u8>,
) -> Result<(), Error> {
    if let Some(presence) = object.presence
        && !matches!(fields.field(presence, scratch)?, Some([1]))
    {
        out.extend_from_slice(b"null");
        return Ok(());
    }
    let mut before = b'{';
    for field in &object.fields {
        out.push(before);
        out.extend_from_slice(&field.key);
        match &field.value {
            // The common case, without another call.
            ValueShape::Column { index, codec } => match fields.field(*index, scratch)? {
                Some(bytes) => {
                    fields.check(*index, codec, scratch)?;
                    write_scalar(codec, bytes, out)?;
                }
                None => out.extend_from_slice(b"null"),
            },
            other => write_value(other, fields, scratch, depth + 1, out)?,
        }
        before = b',';
    }
    if before == b'{' {
        out.push(b'{');
    }
    out.push(b'}');
    Ok(())
}

/// Writes one value that is not NULL.
pub(crate) fn write_scalar(codec: &Codec, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), Error> {
    match codec {
        Codec::Bool => match bytes {
            [0] => out.extend_from_slice(b"false"),
            [1] => out.extend_from_slice(b"true"),
            _ => return Err(Error::Malformed("boolean")),
        },
        Codec::Int2 => integer(i64::from(i16::from_be_bytes(fixed(bytes, "smallint")?)), out),
        Codec::Int4 => integer(i64::from(i32::from_be_bytes(fixed(bytes, "integer")?)), out),
        Codec::Int8 => integer(i64::from_be_bytes(fixed(bytes, "bigint")?), out),
        // `to_json` counts only the six number types as numbers; an oid becomes a string.
        Codec::Oid => {
            out.push(b'"');
            integer(i64::from(u32::from_be_bytes(fixed(bytes, "oid")?)), out);
            out.push(b'"');
        }
        Codec::Float4 => float::write_f32(f32::from_be_bytes(fixed(bytes, "real")?), out),
        Codec::Float8 => float::write_f64(f64::from_be_bytes(fixed(bytes, "double precision")?), out),
        Codec::Numeric => numeric::write(bytes, out)?,
        Codec::Text => text::write_string(bytes, out),
        Codec::Uuid => text::write_uuid(&fixed(bytes, "uuid")?, out),
        Codec::Date => date_time::write_date(i32::from_be_bytes(fixed(bytes, "date")?), out),
        Codec::Time => date_time::write_time(i64::from_be_bytes(fixed(bytes, "time")?), out)?,
        Codec::TimeTz => date_time::write_time_tz(&fixed(bytes, "time with time zone")?, out)?,
        Codec::Timestamp => {
            date_time::write_timestamp(i64::from_be_bytes(fixed(bytes, "timestamp")?), b"", out);
        }
        Codec::TimestampTz => {
            let micros = i64::from_be_bytes(fixed(bytes, "timestamp with time zone")?);
            date_time::write_timestamp(micros, b"+00:00", out);
        }
        Codec::Bytea => text::write_bytea(bytes, out),
        Codec::Json | Codec::JsonText => out.extend_from_slice(bytes),
        Codec::Jsonb => out.extend_from_slice(jsonb(bytes)?),
        Codec::Array(element) => array::write_scalars(bytes, element, out)?,
        Codec::Quoted(inner) => write_quoted(inner, bytes, out)?,
    }
    Ok(())
}

/// The value as a JSON string; of arrays every element.
fn write_quoted(inner: &Codec, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), Error> {
    match inner {
        Codec::Array(element) => array::write_quoted(bytes, element, out),
        Codec::Quoted(inner) => write_quoted(inner, bytes, out),
        Codec::Json | Codec::JsonText => {
            text::write_string(bytes, out);
            Ok(())
        }
        Codec::Jsonb => {
            text::write_string(jsonb(bytes)?, out);
            Ok(())
        }
        other => {
            let start = out.len();
            out.push(b'"');
            write_scalar(other, bytes, out)?;
            if out.get(start + 1) == Some(&b'"') {
                // It is a string by itself: only one pair of quotes.
                out.remove(start);
            } else {
                out.push(b'"');
            }
            Ok(())
        }
    }
}

/// The text behind jsonb's version byte.
fn jsonb(bytes: &[u8]) -> Result<&[u8], Error> {
    match bytes {
        [1, text @ ..] => Ok(text),
        _ => Err(Error::Malformed("jsonb")),
    }
}

fn integer(value: i64, out: &mut Vec<u8>) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

/// Exactly `N` bytes.
fn fixed<const N: usize>(bytes: &[u8], type_: &'static str) -> Result<[u8; N], Error> {
    bytes.try_into().map_err(|_| Error::Malformed(type_))
}

/// Takes a big-endian `i32` off the front.
fn take_i32(bytes: &mut &[u8], type_: &'static str) -> Result<i32, Error> {
    let (head, rest) = bytes.split_first_chunk::<4>().ok_or(Error::Malformed(type_))?;
    *bytes = rest;
    Ok(i32::from_be_bytes(*head))
}

/// Takes a value with its length in front off the front; `None` is NULL.
fn take_value<'a>(bytes: &mut &'a [u8], type_: &'static str) -> Result<Option<&'a [u8]>, Error> {
    let length = take_i32(bytes, type_)?;
    if length == -1 {
        return Ok(None);
    }
    let length = usize::try_from(length).map_err(|_| Error::Malformed(type_))?;
    let (value, rest) = bytes.split_at_checked(length).ok_or(Error::Malformed(type_))?;
    *bytes = rest;
    Ok(Some(value))
}

#[cfg(test)]
mod tests;
