//! Rows with more columns than Postgres allows (1,664): columns are gathered into records.

use sql::ast::Expression;
use sql::shape::{ObjectShape, ValueShape};

/// Wider rows are split.
const WIDEST: usize = 1_000;
/// How many columns one record takes.
const RECORD: usize = 500;

/// The same row with at most [`WIDEST`] columns; presence columns stay where they can be seen.
pub(super) fn fit(columns: Vec<Expression>, mut shape: ObjectShape) -> (Vec<Expression>, ObjectShape) {
    if columns.len() <= WIDEST {
        return (columns, shape);
    }
    let mut presences = Vec::new();
    collect_presences(&shape, &mut presences);
    let mut kept = Vec::new();
    let mut records: Vec<Vec<Expression>> = Vec::new();
    // Where each column went: kept at a number, or in a record at a number.
    let mut places = Vec::with_capacity(columns.len());
    for (at, column) in columns.into_iter().enumerate() {
        if presences.contains(&(at as u16)) {
            places.push(Place::Kept(kept.len() as u16));
            kept.push(column);
            continue;
        }
        if records.last().is_none_or(|last| last.len() == RECORD) {
            records.push(Vec::with_capacity(RECORD));
        }
        let record = records.len().saturating_sub(1);
        if let Some(last) = records.last_mut() {
            places.push(Place::Record(record as u16, last.len() as u16));
            last.push(column);
        }
    }
    move_object(&mut shape, &places, kept.len() as u16);
    kept.extend(records.into_iter().map(Expression::Row));
    (kept, shape)
}

#[derive(Clone, Copy)]
enum Place {
    Kept(u16),
    Record(u16, u16),
}

fn collect_presences(shape: &ObjectShape, out: &mut Vec<u16>) {
    out.extend(shape.presence);
    for field in &shape.fields {
        if let ValueShape::Object(inner) = &field.value {
            collect_presences(inner, out);
        }
    }
}

fn move_object(shape: &mut ObjectShape, places: &[Place], first_record: u16) {
    if let Some(presence) = &mut shape.presence
        && let Some(Place::Kept(at)) = places.get(usize::from(*presence))
    {
        *presence = *at;
    }
    for field in &mut shape.fields {
        let index = match &mut field.value {
            ValueShape::Object(inner) => {
                move_object(inner, places, first_record);
                continue;
            }
            ValueShape::Constant(_) => continue,
            ValueShape::Column { index, .. }
            | ValueShape::List { index, .. }
            | ValueShape::Record { index, .. } => index,
        };
        match places.get(usize::from(*index)) {
            Some(Place::Kept(at)) => *index = *at,
            Some(Place::Record(record, at)) => {
                *index = *at;
                let value = std::mem::replace(&mut field.value, ValueShape::Constant(Box::default()));
                field.value = ValueShape::Record {
                    index: first_record.saturating_add(*record),
                    value: Box::new(value),
                };
            }
            None => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use sql::shape::{Codec, FieldShape};

    use super::*;

    #[test]
    fn a_wide_row_becomes_records() {
        let columns: Vec<_> = (0..1_202).map(Expression::Integer).collect();
        let field = |index| FieldShape {
            key: Box::default(),
            value: ValueShape::Column {
                index,
                codec: Codec::Int4,
            },
        };
        let inner = ObjectShape {
            presence: Some(1),
            fields: vec![field(502)],
        };
        let shape = ObjectShape {
            presence: None,
            fields: vec![
                field(0),
                FieldShape {
                    key: Box::default(),
                    value: ValueShape::Object(inner),
                },
            ],
        };
        let (columns, shape) = fit(columns, shape);
        assert_eq!(columns.len(), 4);
        assert_eq!(columns.first(), Some(&Expression::Integer(1)));
        assert!(matches!(
            &shape.fields[0].value,
            ValueShape::Record { index: 1, .. }
        ));
        // 502 of 1,202, without the presence before it, is the second column of the second record.
        assert!(
            matches!(
                &shape.fields[1].value,
                ValueShape::Object(ObjectShape { presence: Some(0), fields })
                    if matches!(&fields[0].value, ValueShape::Record { index: 2, value }
                        if matches!(**value, ValueShape::Column { index: 1, .. }))
            ),
            "{shape:?}"
        );
    }
}
