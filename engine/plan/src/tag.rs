//! Query tags: a comment beside each statement of a source that wants them (`sources[].query_tags`).

use schema::model::{QueryTagFormat, QueryTags};
use sql::{Statement, comment};

/// What can be said about a statement.
#[derive(Debug, Clone, Copy)]
pub struct Tags<'a> {
    /// `field_name`
    pub field: &'a str,
    /// `parameterized_query_hash`
    pub hash: &'a str,
    /// `operation_name`
    pub operation_name: Option<&'a str>,
    /// `request_id`; only what is tagged at execution has one.
    pub request_id: Option<&'a str>,
}

/// Text before and behind a statement. Where the source wants the request's id, plans stay bare and
/// [`at_execution`] adds everything.
pub(crate) fn comments(wanted: &QueryTags, tags: &Tags<'_>) -> (String, String) {
    if wanted.disabled || (!wanted.omit_request_id && tags.request_id.is_none()) {
        return (String::new(), String::new());
    }
    let mut pairs = Vec::with_capacity(4);
    if let Some(id) = tags.request_id {
        pairs.push(("request_id", id));
    }
    pairs.push(("field_name", tags.field));
    pairs.push(("parameterized_query_hash", tags.hash));
    if let Some(name) = tags.operation_name {
        pairs.push(("operation_name", name));
    }
    match wanted.format {
        QueryTagFormat::Standard => (String::new(), format!(" {}", comment::standard(&pairs))),
        QueryTagFormat::StandardPrepended => (format!("{} ", comment::standard(&pairs)), String::new()),
        QueryTagFormat::SqlCommenter => (String::new(), format!(" {}", comment::sqlcommenter(&pairs))),
    }
}

/// The statement with the request's id beside it, where the source wants that; it is different for every
/// request, so it must not be prepared under a name.
pub fn at_execution(wanted: &QueryTags, statement: &Statement, tags: &Tags<'_>) -> Option<Statement> {
    if wanted.disabled || wanted.omit_request_id {
        return None;
    }
    let (before, after) = comments(wanted, tags);
    Some(Statement::new(
        format!("{before}{}{after}", statement.text),
        statement.parameters.clone(),
        statement.shape.clone(),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(format: QueryTagFormat, omit_request_id: bool) -> QueryTags {
        QueryTags {
            disabled: false,
            format,
            omit_request_id,
        }
    }

    const TAGS: Tags<'_> = Tags {
        field: "author",
        hash: "abc",
        operation_name: Some("A"),
        request_id: None,
    };

    #[test]
    fn formats() {
        let said = "/* field_name=author, parameterized_query_hash=abc, operation_name=A */";
        assert_eq!(
            comments(&wanted(QueryTagFormat::Standard, true), &TAGS),
            (String::new(), format!(" {said}"))
        );
        assert_eq!(
            comments(&wanted(QueryTagFormat::StandardPrepended, true), &TAGS),
            (format!("{said} "), String::new())
        );
    }

    #[test]
    fn a_request_id_is_added_at_execution_only() {
        let wanted = wanted(QueryTagFormat::Standard, false);
        assert_eq!(comments(&wanted, &TAGS), (String::new(), String::new()));
        let shape = sql::shape::Shape {
            cardinality: sql::shape::Cardinality::List,
            row: sql::shape::ValueShape::Constant(Box::default()),
        };
        let statement = Statement::new("select 1", Vec::new(), shape);
        let tags = Tags {
            request_id: Some("1-2"),
            ..TAGS
        };
        let tagged = at_execution(&wanted, &statement, &tags);
        assert_eq!(
            tagged.map(|tagged| tagged.text.to_string()).as_deref(),
            Some(
                "select 1 /* request_id=1-2, field_name=author, parameterized_query_hash=abc, operation_name=A */"
            )
        );
    }
}
