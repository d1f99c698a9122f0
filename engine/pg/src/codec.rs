//! Binary values to JSON, exactly as Postgres's `to_json` writes them.

/// Bytes that are not what a codec or shape expects.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A value is too short, too long or out of range for its type.
    #[error("malformed {0} value")]
    Malformed(&'static str),
    /// The row has fewer columns than its shape.
    #[error("the row has no column {0}")]
    MissingColumn(u16),
    /// Lists or records nest deeper than any statement's.
    #[error("the row nests too deep")]
    TooDeep,
}
