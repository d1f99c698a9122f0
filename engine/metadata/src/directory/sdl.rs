//! `actions.graphql`: the signatures of actions and the fields of custom types, which `actions.yaml` leaves out.

use async_graphql_parser::types::{
    FieldDefinition, InputValueDefinition, TypeDefinition, TypeKind, TypeSystemDefinition,
};
use async_graphql_parser::{Positioned, parse_schema};
use serde_json::{Map, Value, json};

use super::{ACTIONS_FILE, ACTIONS_SDL_FILE, DirectoryError};

/// How deeply brackets may nest; the parser recurses on them.
const MAX_DEPTH: usize = 64;

/// The lists of `custom_types`, and what one of each is called in messages.
const LISTS: [(&str, &str); 4] = [
    ("input_objects", "input object"),
    ("objects", "object"),
    ("scalars", "scalar"),
    ("enums", "enum"),
];

/// What `actions.graphql` says.
#[derive(Default)]
struct Signatures {
    /// By name: `type`, `arguments`, `output_type` and the description.
    actions: Vec<(String, Map<String, Value>, Option<String>)>,
    /// The custom types, under the keys of [`LISTS`].
    types: Map<String, Value>,
}

/// Completes the content of `actions.yaml`: each action gets its signature, `custom_types` becomes what the SDL
/// defines, with the relationships that `actions.yaml` gives. What one file has and the other lacks is an error.
pub(super) fn complete(section: &mut Value, sdl: &str) -> Result<(), DirectoryError> {
    let signatures = read(sdl)?;
    let mut unused: Vec<&str> = signatures
        .actions
        .iter()
        .map(|(name, _, _)| name.as_str())
        .collect();
    for action in list_mut(section, "actions") {
        let Some(name) = action.get("name").and_then(Value::as_str).map(str::to_owned) else {
            continue;
        };
        let Some((_, signature, description)) =
            signatures.actions.iter().find(|(known, _, _)| *known == name)
        else {
            let (present, absent) = (ACTIONS_FILE, ACTIONS_SDL_FILE);
            return Err(DirectoryError::Unmatched {
                kind: "action",
                name,
                present,
                absent,
            });
        };
        unused.retain(|known| *known != name);
        let Value::Object(action) = action else { continue };
        if let (Some(description), None) = (description, action.get("comment")) {
            action.insert("comment".to_owned(), Value::String(description.clone()));
        }
        let definition = action.entry("definition").or_insert_with(|| json!({}));
        if let Value::Object(definition) = definition {
            definition.extend(signature.clone());
        }
    }
    if let Some(name) = unused.first() {
        let (present, absent) = (ACTIONS_SDL_FILE, ACTIONS_FILE);
        return Err(DirectoryError::Unmatched {
            kind: "action",
            name: (*name).to_owned(),
            present,
            absent,
        });
    }
    let mut types = signatures.types;
    let given = section.get("custom_types").cloned().unwrap_or_default();
    for (key, kind) in LISTS {
        for custom_type in given.get(key).and_then(Value::as_array).into_iter().flatten() {
            let Some(name) = custom_type.get("name").and_then(Value::as_str) else {
                continue;
            };
            let defined = list_in(&mut types, key)
                .iter_mut()
                .find(|known| known["name"] == *name);
            let Some(defined) = defined.and_then(Value::as_object_mut) else {
                let (present, absent) = (ACTIONS_FILE, ACTIONS_SDL_FILE);
                return Err(DirectoryError::Unmatched {
                    kind,
                    name: name.to_owned(),
                    present,
                    absent,
                });
            };
            if let Some(relationships) = custom_type.get("relationships") {
                defined.insert("relationships".to_owned(), relationships.clone());
            }
            if let (Some(description), None) = (custom_type.get("description"), defined.get("description")) {
                defined.insert("description".to_owned(), description.clone());
            }
        }
    }
    if let Value::Object(section) = section {
        section.insert("custom_types".to_owned(), Value::Object(types));
    }
    Ok(())
}

fn list_mut<'v>(section: &'v mut Value, key: &str) -> impl Iterator<Item = &'v mut Value> {
    section
        .get_mut(key)
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
}

fn list_in<'m>(types: &'m mut Map<String, Value>, key: &str) -> &'m mut [Value] {
    types
        .get_mut(key)
        .and_then(Value::as_array_mut)
        .map(Vec::as_mut_slice)
        .unwrap_or_default()
}

fn read(sdl: &str) -> Result<Signatures, DirectoryError> {
    let mut signatures = Signatures::default();
    for (key, _) in LISTS {
        signatures.types.insert(key.to_owned(), json!([]));
    }
    if is_blank(sdl) {
        return Ok(signatures);
    }
    if depth(sdl) > MAX_DEPTH {
        return Err(DirectoryError::Sdl(format!(
            "brackets nest more than {MAX_DEPTH} levels deep"
        )));
    }
    let document = parse_schema(sdl).map_err(|error| DirectoryError::Sdl(error.to_string()))?;
    for definition in document.definitions {
        match definition {
            TypeSystemDefinition::Type(definition) => signatures.add(&definition.node)?,
            TypeSystemDefinition::Schema(_) | TypeSystemDefinition::Directive(_) => {
                return Err(DirectoryError::Sdl(
                    "expected definitions of types only".to_owned(),
                ));
            }
        }
    }
    Ok(signatures)
}

/// Whether nothing but space and comments is in a text, which the parser would not accept.
fn is_blank(sdl: &str) -> bool {
    sdl.lines()
        .all(|line| line.trim().is_empty() || line.trim_start().starts_with('#'))
}

/// How deeply brackets nest, texts and comments left out.
fn depth(sdl: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    let mut rest = sdl;
    while let Some(character) = rest.chars().next() {
        rest = match character {
            '#' => rest.split_once('\n').map_or("", |(_, after)| after),
            '"' => after_text(rest),
            _ => {
                match character {
                    '(' | '[' | '{' => depth += 1,
                    ')' | ']' | '}' => depth = depth.saturating_sub(1),
                    _ => {}
                }
                deepest = deepest.max(depth);
                rest.strip_prefix(character).unwrap_or_default()
            }
        };
    }
    deepest
}

/// What follows a text that begins with a quote.
fn after_text(rest: &str) -> &str {
    if let Some(block) = rest.strip_prefix("\"\"\"") {
        let mut rest = block;
        while let Some((before, after)) = rest.split_once("\"\"\"") {
            rest = after;
            if !before.ends_with('\\') {
                return rest;
            }
        }
        return "";
    }
    let mut escaped = false;
    for (index, character) in rest.char_indices().skip(1) {
        match character {
            '"' if !escaped => return rest.get(index + 1..).unwrap_or_default(),
            '\n' => return rest.get(index..).unwrap_or_default(),
            _ => escaped = character == '\\' && !escaped,
        }
    }
    ""
}

impl Signatures {
    fn add(&mut self, definition: &TypeDefinition) -> Result<(), DirectoryError> {
        let name = definition.name.node.as_str();
        let (key, mut custom_type) = match &definition.kind {
            TypeKind::Object(object) if matches!(name, "Query" | "Mutation") => {
                let operation = if name == "Query" { "query" } else { "mutation" };
                self.actions
                    .extend(object.fields.iter().map(|field| action(&field.node, operation)));
                return Ok(());
            }
            TypeKind::Object(object) => {
                let fields: Vec<Value> = object
                    .fields
                    .iter()
                    .map(|field| object_field(&field.node))
                    .collect();
                ("objects", json!({"name": name, "fields": fields}))
            }
            TypeKind::InputObject(object) => (
                "input_objects",
                json!({"name": name, "fields": input_values(&object.fields)}),
            ),
            TypeKind::Scalar => ("scalars", json!({"name": name})),
            TypeKind::Enum(of_values) => {
                let values: Vec<Value> = of_values
                    .values
                    .iter()
                    .map(|value| {
                        let mut printed = json!({"value": value.node.value.node.as_str()});
                        if value
                            .node
                            .directives
                            .iter()
                            .any(|mark| mark.node.name.node == "deprecated")
                        {
                            printed["is_deprecated"] = Value::Bool(true);
                        }
                        described(printed, value.node.description.as_ref())
                    })
                    .collect();
                ("enums", json!({"name": name, "values": values}))
            }
            TypeKind::Interface(_) | TypeKind::Union(_) => {
                let message = format!("{name} is an interface or a union, which actions do not have");
                return Err(DirectoryError::Sdl(message));
            }
        };
        custom_type = described(custom_type, definition.description.as_ref());
        if definition.extend {
            return Err(DirectoryError::Sdl(format!(
                "{name}: only Query and Mutation may be extended"
            )));
        }
        if let Some(Value::Array(list)) = self.types.get_mut(key) {
            list.push(custom_type);
        }
        Ok(())
    }
}

fn action(field: &FieldDefinition, operation: &str) -> (String, Map<String, Value>, Option<String>) {
    let mut signature = Map::new();
    signature.insert("type".to_owned(), Value::String(operation.to_owned()));
    signature.insert(
        "arguments".to_owned(),
        Value::Array(input_values(&field.arguments)),
    );
    signature.insert("output_type".to_owned(), Value::String(field.ty.node.to_string()));
    let description = field
        .description
        .as_ref()
        .map(|description| description.node.clone());
    (field.name.node.to_string(), signature, description)
}

fn object_field(field: &FieldDefinition) -> Value {
    let printed = json!({"name": field.name.node.as_str(), "type": field.ty.node.to_string()});
    described(printed, field.description.as_ref())
}

fn input_values(values: &[Positioned<InputValueDefinition>]) -> Vec<Value> {
    values
        .iter()
        .map(|value| {
            let printed =
                json!({"name": value.node.name.node.as_str(), "type": value.node.ty.node.to_string()});
            described(printed, value.node.description.as_ref())
        })
        .collect()
}

fn described(mut printed: Value, description: Option<&Positioned<String>>) -> Value {
    if let (Value::Object(object), Some(description)) = (&mut printed, description) {
        object.insert("description".to_owned(), Value::String(description.node.clone()));
    }
    printed
}
