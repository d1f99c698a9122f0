//! The parameterized query hash: equal for operations that differ only in literal values, aliases and variables.

use sha1::{Digest, Sha1};

use crate::operation::{Entry, Field, FieldTarget, Input, Operation};
use crate::uniform::{UniformKey, UniformValue};

/// SHA-1 in hexadecimal digits over the operation's selection set, each scalar in it replaced by null and each
/// alias by its field's name. It is a function of the plan: every request that the plan serves has it.
///
/// Hasura's hash of the same operation has the same purpose but other digits.
pub fn parameterized_query_hash<I, M>(operation: &Operation<I, M>) -> String {
    let mut text = String::new();
    selection(&operation.fields, &mut text);
    let digest = Sha1::digest(text.as_bytes());
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Recursion is as deep as the operation, which the document's limits bound.
fn selection<I, M>(fields: &[Field<I, M>], text: &mut String) {
    text.push('{');
    for (index, field) in fields.iter().enumerate() {
        if index > 0 {
            text.push(' ');
        }
        match &field.target {
            FieldTarget::Field { name, .. } => text.push_str(name),
            FieldTarget::Typename(_) => text.push_str("__typename"),
            FieldTarget::Schema(introspection) | FieldTarget::Type(introspection) => {
                let inner = introspection.field();
                if let FieldTarget::Field { name, .. } = &inner.target {
                    text.push_str(name);
                }
                arguments(&inner.arguments, text);
                selection(&inner.selection, text);
            }
        }
        arguments(&field.arguments, text);
        if !field.selection.is_empty() {
            selection(&field.selection, text);
        }
        for possible in &field.possible {
            text.push_str("...on ");
            text.push_str(&possible.name);
            selection(&possible.selection, text);
        }
    }
    text.push('}');
}

fn arguments<M>(given: &[Entry<M>], text: &mut String) {
    if !given.is_empty() {
        text.push('(');
        entries(given, text);
        text.push(')');
    }
}

fn entries<M>(given: &[Entry<M>], text: &mut String) {
    let mut sorted: Vec<&Entry<M>> = given.iter().collect();
    sorted.sort_by(|left, right| left.name.cmp(&right.name));
    for (index, entry) in sorted.into_iter().enumerate() {
        if index > 0 {
            text.push(',');
        }
        text.push_str(&entry.name);
        text.push(':');
        value(&entry.value, text);
    }
}

fn value<M>(given: &Input<M>, text: &mut String) {
    match given {
        Input::Null | Input::Leaf(_) | Input::Enum { .. } => text.push_str("null"),
        // Its length is not part of the plan.
        Input::LeafList(_) => text.push_str("[null]"),
        Input::Uniform(rows) => {
            text.push('[');
            uniform(&rows.keys, text);
            text.push(']');
        }
        Input::List(items) => {
            text.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                value(item, text);
            }
            text.push(']');
        }
        Input::Object(fields) => {
            text.push('{');
            entries(fields, text);
            text.push('}');
        }
    }
}

fn uniform<M>(keys: &[UniformKey<M>], text: &mut String) {
    let mut keys: Vec<_> = keys.iter().collect();
    keys.sort_by(|one, other| one.name.cmp(&other.name));
    text.push('{');
    for (at, key) in keys.into_iter().enumerate() {
        if at > 0 {
            text.push(',');
        }
        text.push_str(&key.name);
        text.push(':');
        match &key.value {
            UniformValue::Leaf(leaf) => text.push_str(if leaf.list { "[null]" } else { "null" }),
            UniformValue::Object(keys) => uniform(keys, text),
            UniformValue::List(keys) => {
                text.push('[');
                uniform(keys, text);
                text.push(']');
            }
        }
    }
    text.push('}');
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::test_schema::{TestSchema, normalized};

    fn hash(text: &str, variables: serde_json::Value) -> String {
        let normalized = normalized(&TestSchema::new(), text, variables).expect("an operation");
        super::parameterized_query_hash(&normalized.operation)
    }

    #[test]
    fn ignores_values_aliases_and_the_order_of_arguments() {
        let first = hash("{author(where: {id: {_eq: 1}}, limit: 2) {id}}", json!({}));
        assert_eq!(first.len(), 40);
        for (text, variables) in [
            (
                "query Q {a: author(limit: 3, where: {id: {_eq: 5}}) {b: id}}",
                json!({}),
            ),
            (
                "query($w: author_bool_exp, $l: Int) {author(where: $w, limit: $l) {id}}",
                json!({"w": {"id": {"_eq": 7}}, "l": 1}),
            ),
            (
                "{author(where: {id: {_eq: 1}}, limit: 2) {...F}} fragment F on author {id}",
                json!({}),
            ),
        ] {
            assert_eq!(hash(text, variables), first, "{text}");
        }
        assert_ne!(
            hash("{author(where: {id: {_in: [1]}}, limit: 2) {id}}", json!({})),
            first
        );
        assert_ne!(hash("{author(where: {id: {_eq: 1}}) {id}}", json!({})), first);
    }
}
