//! The rows of an enum table.

use schema::catalog::QualifiedName;
use sql::name::Identifier;
use tokio_postgres::Client;

use crate::error::Error;
use crate::execute::query;

/// One value of an enum table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnumValue {
    /// The value, the table's primary key.
    pub value: String,
    /// Its comment, if the table has a comment column and it is not NULL.
    pub comment: Option<String>,
}

/// `select "value"::text, "comment"::text from "schema"."table" order by 1`
pub(crate) async fn read(
    client: &Client,
    table: &QualifiedName,
    value: &str,
    comment: Option<&str>,
) -> Result<Vec<EnumValue>, Error> {
    let mut text = "select ".to_owned();
    Identifier::from(value).write(&mut text);
    text.push_str("::text, ");
    match comment {
        Some(comment) => Identifier::from(comment).write(&mut text),
        None => text.push_str("null"),
    }
    text.push_str("::text from ");
    Identifier::from(&table.schema).write(&mut text);
    text.push('.');
    Identifier::from(&table.name).write(&mut text);
    text.push_str(" order by 1");
    let mut values = Vec::new();
    for row in query(client, &text, &[]).await? {
        // NULL is no value of an enum.
        if let Some(value) = row.try_get(0)? {
            values.push(EnumValue {
                value,
                comment: row.try_get(1)?,
            });
        }
    }
    Ok(values)
}
