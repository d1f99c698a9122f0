//! The rows of an enum table.

/// One value of an enum table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnumValue {
    /// The value, the table's primary key.
    pub value: String,
    /// Its comment, if the table has a comment column and it is not NULL.
    pub comment: Option<String>,
}
