//! How the rows of a statement become JSON. Travels with the statement, so that `pg` writes responses
//! without knowing GraphQL.

/// The result of one statement as one JSON value.
#[derive(Debug, Clone, PartialEq)]
pub struct Shape {
    /// How many rows make the value.
    pub cardinality: Cardinality,
    /// One row.
    pub row: ValueShape,
}

/// How many rows make a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cardinality {
    /// All rows, as a list.
    List,
    /// The only row, or `null` if there is none.
    OneOrNull,
}

/// An object, in response order.
#[derive(Debug, Clone, PartialEq)]
pub struct ObjectShape {
    /// If this column (a boolean) is false or null, the whole object is `null`: a missing to-one row looks like
    /// a row of nulls.
    pub presence: Option<u16>,
    /// Its fields.
    pub fields: Vec<FieldShape>,
}

/// One key of an object.
#[derive(Debug, Clone, PartialEq)]
pub struct FieldShape {
    /// The key, JSON-escaped, quoted and followed by a colon: `"name":`.
    pub key: Box<[u8]>,
    /// Its value.
    pub value: ValueShape,
}

/// One JSON value. Column numbers count from 0 within the row at hand: the statement's row, or the record
/// that a `List` or `Record` leads into.
#[derive(Debug, Clone, PartialEq)]
pub enum ValueShape {
    /// A column.
    Column {
        /// Its number.
        index: u16,
        /// How its binary form is written.
        codec: Codec,
    },
    /// An object of columns of the same row.
    Object(ObjectShape),
    /// A column holding `record[]`; each record is one item. NULL is written as `[]`.
    List {
        /// Its number.
        index: u16,
        /// One item, over the record's fields.
        item: Box<ValueShape>,
    },
    /// A column holding one `record`; NULL is written as `null`.
    Record {
        /// Its number.
        index: u16,
        /// Its content, over the record's fields.
        value: Box<ValueShape>,
    },
    /// Text that is the same for every row, already JSON (`__typename`).
    Constant(Box<[u8]>),
}

/// How a binary value is written as JSON, exactly as Postgres's `to_json` would.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Codec {
    /// bool
    Bool,
    /// int2
    Int2,
    /// int4
    Int4,
    /// int8
    Int8,
    /// float4
    Float4,
    /// float8
    Float8,
    /// numeric
    Numeric,
    /// text, varchar, bpchar, name, citext, enums: UTF-8 bytes written as a JSON string
    Text,
    /// uuid
    Uuid,
    /// date
    Date,
    /// time
    Time,
    /// timetz
    TimeTz,
    /// timestamp
    Timestamp,
    /// timestamptz; the session's TimeZone is UTC
    TimestampTz,
    /// bytea, written as `"\\x…"`
    Bytea,
    /// json: the bytes as they are
    Json,
    /// jsonb: the bytes behind the version byte
    Jsonb,
    /// oid
    Oid,
    /// The statement already made JSON text of it (`to_json(…)::text`): the bytes as they are.
    JsonText,
    /// A one-dimensional or deeper array of these.
    Array(Box<Codec>),
    /// The value as a JSON string (stringified numerics); arrays stringify their elements.
    Quoted(Box<Codec>),
}
