//! Actions and custom types written as SDL: the content of `actions.graphql`.

use std::fmt::Write as _;

use crate::Document;
use crate::action::{Action, ActionType};

/// The signatures of all actions and the definitions of all custom types.
pub(super) fn sdl(document: &Document) -> String {
    let mut text = String::new();
    for (root, is_query) in [("Query", true), ("Mutation", false)] {
        let of_root = |action: &Action| (action.definition.action_type == ActionType::Query) == is_query;
        let actions: Vec<_> = document
            .actions
            .iter()
            .filter(|(_, action)| of_root(action))
            .collect();
        if actions.is_empty() {
            continue;
        }
        text.push_str(&format!("type {root} {{\n"));
        for (name, action) in actions {
            describe(&mut text, action.comment.as_deref(), "  ");
            let arguments: Vec<String> = action
                .definition
                .arguments
                .iter()
                .map(|(name, argument)| {
                    let mut line = String::new();
                    describe(&mut line, argument.description.as_deref(), "    ");
                    line.push_str(&format!("    {name}: {}\n", argument.type_name));
                    line
                })
                .collect();
            let arguments = if arguments.is_empty() {
                String::new()
            } else {
                format!("(\n{}  )", arguments.concat())
            };
            text.push_str(&format!(
                "  {name}{arguments}: {}\n",
                action.definition.output_type
            ));
        }
        text.push_str("}\n\n");
    }
    add_types(&mut text, document);
    text
}

fn add_types(text: &mut String, document: &Document) {
    let types = &document.custom_types;
    for (name, input) in &types.input_objects {
        let fields = input
            .fields
            .iter()
            .map(|(name, field)| (name, &field.description, &field.type_name));
        add_fields(text, "input", name, input.description.as_deref(), fields);
    }
    for (name, object) in &types.objects {
        let fields = object
            .fields
            .iter()
            .map(|(name, field)| (name, &field.description, &field.type_name));
        add_fields(text, "type", name, object.description.as_deref(), fields);
    }
    for (name, scalar) in &types.scalars {
        describe(text, scalar.description.as_deref(), "");
        text.push_str(&format!("scalar {name}\n\n"));
    }
    for (name, of_values) in &types.enums {
        describe(text, of_values.description.as_deref(), "");
        text.push_str(&format!("enum {name} {{\n"));
        for (value, details) in &of_values.values {
            describe(text, details.description.as_deref(), "  ");
            let mark = if details.is_deprecated == Some(true) {
                " @deprecated"
            } else {
                ""
            };
            text.push_str(&format!("  {value}{mark}\n"));
        }
        text.push_str("}\n\n");
    }
}

fn add_fields<'d>(
    text: &mut String,
    keyword: &str,
    name: &str,
    description: Option<&str>,
    fields: impl Iterator<Item = (&'d String, &'d Option<String>, &'d String)>,
) {
    describe(text, description, "");
    text.push_str(&format!("{keyword} {name} {{\n"));
    for (name, description, type_name) in fields {
        describe(text, description.as_deref(), "  ");
        text.push_str(&format!("  {name}: {type_name}\n"));
    }
    text.push_str("}\n\n");
}

/// A description as a quoted text on a line of its own, which keeps every character.
fn describe(text: &mut String, description: Option<&str>, indent: &str) {
    let Some(description) = description else { return };
    text.push_str(indent);
    text.push('"');
    for character in description.chars() {
        match character {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            control if control.is_control() => {
                // Writing to a String cannot fail.
                let _ = write!(text, "\\u{:04x}", u32::from(control));
            }
            other => text.push(other),
        }
    }
    text.push_str("\"\n");
}
