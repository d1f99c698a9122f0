//! What a mutation field answers: a response, or the row itself.

use graphql::operation::{Field, FieldTarget};
use graphql::{Error, Path};
use schema::meaning::Meaning;
use schema::model::TableId;

use super::Part;
use crate::ir::{AggregateField, AggregateValue, Answer, RowType};
use crate::read::{Reader, json_key, json_string, lost};

impl<'m> Reader<'m> {
    /// `{affected_rows returning {…}}`
    pub(super) fn response<I>(
        &mut self,
        id: TableId,
        selection: &[Field<I, Meaning>],
    ) -> Result<Answer<'m>, Error> {
        let table = self.read_access(id);
        let fields = selection
            .iter()
            .map(|field| {
                let value = match &field.target {
                    FieldTarget::Typename(name) => {
                        AggregateValue::Constant(json_string(name).into_bytes().into_boxed_slice())
                    }
                    FieldTarget::Field {
                        meaning: Meaning::AffectedRows,
                        ..
                    } => AggregateValue::Affected,
                    FieldTarget::Field {
                        meaning: Meaning::Returning,
                        ..
                    } => {
                        let row = table.ok_or_else(|| lost(&field.path, "table"))?;
                        AggregateValue::Nodes(self.object(RowType::Table(row), &field.selection)?)
                    }
                    _ => return Err(lost(&field.path, "field")),
                };
                Ok(AggregateField {
                    key: json_key(&field.response_key),
                    value,
                })
            })
            .collect::<Result<_, Error>>()?;
        Ok(Answer::Response(table, fields))
    }

    /// The only row.
    pub(super) fn row_answer<I>(
        &mut self,
        id: TableId,
        selection: &[Field<I, Meaning>],
        path: &Path,
    ) -> Result<Answer<'m>, Error> {
        let table = self.table(id, path)?;
        let object = self.object(RowType::Table(table), selection)?;
        Ok(Answer::Row(table, object))
    }
}

/// The answer where nothing is written.
pub(super) fn nothing<'m>(answer: &Answer<'_>) -> Part<'m> {
    let Answer::Response(_, fields) = answer else {
        return Part::Nothing(b"null".to_vec());
    };
    let mut json = vec![b'{'];
    for (at, field) in fields.iter().enumerate() {
        if at > 0 {
            json.push(b',');
        }
        json.extend_from_slice(&field.key);
        match &field.value {
            AggregateValue::Constant(constant) => json.extend_from_slice(constant),
            AggregateValue::Nodes(_) => json.extend_from_slice(b"[]"),
            _ => json.push(b'0'),
        }
    }
    json.push(b'}');
    Part::Nothing(json)
}
