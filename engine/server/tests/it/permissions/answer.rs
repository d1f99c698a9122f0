//! What an answer may be: exact, but for the order of rows that nobody ordered and the choice of rows that a limit cuts.

use serde_json::{Value as Json, json};

/// The part of an answer that a field gives.
#[derive(Debug, Clone)]
pub(crate) enum Expected {
    Exactly(Json),
    /// Depends on what nobody said: which rows a page without an order holds.
    Anything,
    Object(Vec<(String, Expected)>),
    List {
        rows: Vec<Expected>,
        /// The order is known.
        ordered: bool,
        /// So many of the rows.
        take: usize,
    },
}

impl Expected {
    /// Whether an answer is as it must be.
    pub(crate) fn matches(&self, answer: &Json) -> bool {
        match self {
            Self::Exactly(json) => json == answer,
            Self::Anything => true,
            Self::Object(fields) => answer.as_object().is_some_and(|object| {
                object.len() == fields.len()
                    && fields
                        .iter()
                        .all(|(name, expected)| object.get(name).is_some_and(|value| expected.matches(value)))
            }),
            Self::List { rows, ordered, take } => answer.as_array().is_some_and(|items| {
                if items.len() != *take {
                    return false;
                }
                if *ordered {
                    return items.iter().zip(rows).all(|(item, row)| row.matches(item));
                }
                assign(rows, items)
            }),
        }
    }

    /// For people.
    pub(crate) fn show(&self) -> Json {
        match self {
            Self::Exactly(json) => json.clone(),
            Self::Anything => json!("anything"),
            Self::Object(fields) => Json::Object(
                fields
                    .iter()
                    .map(|(name, field)| (name.clone(), field.show()))
                    .collect(),
            ),
            Self::List { rows, ordered, take } => {
                let rows: Vec<Json> = rows.iter().map(Self::show).collect();
                if *ordered || *take == rows.len() {
                    json!(rows)
                } else {
                    json!({"any": take, "of": rows})
                }
            }
        }
    }
}

/// Whether each item can be given a row of its own.
fn assign(rows: &[Expected], items: &[Json]) -> bool {
    let mut owner: Vec<Option<usize>> = vec![None; rows.len()];
    (0..items.len()).all(|item| place(item, rows, items, &mut owner, &mut vec![false; rows.len()]))
}

/// Finds a row for an item, moving others if need be.
fn place(
    item: usize,
    rows: &[Expected],
    items: &[Json],
    owner: &mut [Option<usize>],
    tried: &mut Vec<bool>,
) -> bool {
    for at in 0..rows.len() {
        if tried[at] || !rows[at].matches(&items[item]) {
            continue;
        }
        tried[at] = true;
        let free = match owner[at] {
            None => true,
            Some(other) => place(other, rows, items, owner, tried),
        };
        if free {
            owner[at] = Some(item);
            return true;
        }
    }
    false
}
