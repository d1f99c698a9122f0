//! A document written as the files of a metadata directory.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{
    ACTIONS_FILE, ACTIONS_SDL_FILE, DATABASES_FILE, DirectoryError, SECTIONS, VERSION_FILE, sdl_text, yaml,
};
use crate::Document;

/// The files of the directory, by path relative to it. [`super::from_files`] puts them together again.
pub fn to_files(document: &Document) -> Result<BTreeMap<String, String>, DirectoryError> {
    let mut files = Output::default();
    let Value::Object(mut printed) = document.to_json() else {
        return Ok(files.0);
    };
    files.add(VERSION_FILE.to_owned(), &json!({"version": 3}))?;
    let mut sources = printed.remove("sources").unwrap_or_default();
    for source in sources
        .as_array_mut()
        .into_iter()
        .flatten()
        .filter_map(Value::as_object_mut)
    {
        files.split_source(source)?;
    }
    files.add(DATABASES_FILE.to_owned(), &sources)?;
    for (key, file) in SECTIONS {
        if let Some(section) = printed.get(*key) {
            files.add((*file).to_owned(), section)?;
        }
    }
    files.add_actions(document, &printed)?;
    Ok(files.0)
}

#[derive(Default)]
struct Output(BTreeMap<String, String>);

impl Output {
    fn add(&mut self, path: String, value: &Value) -> Result<(), DirectoryError> {
        let text = yaml::write(&path, value)?;
        self.0.insert(path, text);
        Ok(())
    }

    /// Moves tables and functions of a source into files of their own.
    fn split_source(&mut self, source: &mut Map<String, Value>) -> Result<(), DirectoryError> {
        let folder = file_name(source.get("name").and_then(Value::as_str).unwrap_or_default());
        let folder = self.unused(
            |attempt| format!("databases/{folder}{attempt}/tables/tables.yaml"),
            &folder,
        );
        for (list, key) in [("tables", "table"), ("functions", "function")] {
            let Some(Value::Array(objects)) = source.get(list) else {
                continue;
            };
            let mut includes = Vec::new();
            for object in objects {
                let name = object.get(key).map(object_name).unwrap_or_default();
                let path = |name: &str| format!("databases/{folder}/{list}/{name}.yaml");
                let name = self.unused(|attempt| path(&format!("{name}{attempt}")), &name);
                self.add(path(&name), object)?;
                includes.push(Value::String(format!("{} {name}.yaml", yaml::INCLUDE)));
            }
            let path = format!("{folder}/{list}/{list}.yaml");
            self.add(format!("databases/{path}"), &Value::Array(includes))?;
            source.insert(
                list.to_owned(),
                Value::String(format!("{} {path}", yaml::INCLUDE)),
            );
        }
        Ok(())
    }

    /// The name, with a number after it if a file of that name exists: two names may differ only in characters
    /// that file names do not have.
    fn unused(&self, path: impl Fn(&str) -> String, name: &str) -> String {
        let mut attempt = String::new();
        let mut number = 2;
        while self.0.contains_key(&path(&attempt)) {
            attempt = format!("_{number}");
            number += 1;
        }
        format!("{name}{attempt}")
    }

    fn add_actions(
        &mut self,
        document: &Document,
        printed: &Map<String, Value>,
    ) -> Result<(), DirectoryError> {
        let mut actions = printed.get("actions").cloned().unwrap_or_else(|| json!([]));
        for action in actions.as_array_mut().into_iter().flatten() {
            if let Some(Value::Object(definition)) = action.get_mut("definition") {
                for key in ["type", "arguments", "output_type"] {
                    definition.shift_remove(key);
                }
            }
        }
        let mut types = Map::new();
        for key in ["enums", "input_objects", "objects", "scalars"] {
            let mut list = printed
                .get("custom_types")
                .and_then(|types| types.get(key))
                .cloned()
                .unwrap_or_else(|| json!([]));
            for custom_type in list
                .as_array_mut()
                .into_iter()
                .flatten()
                .filter_map(Value::as_object_mut)
            {
                custom_type.retain(|key, _| matches!(key.as_str(), "name" | "relationships"));
            }
            types.insert(key.to_owned(), list);
        }
        self.add(
            ACTIONS_FILE.to_owned(),
            &json!({"actions": actions, "custom_types": types}),
        )?;
        self.0
            .insert(ACTIONS_SDL_FILE.to_owned(), sdl_text::sdl(document));
        Ok(())
    }
}

/// `schema_name`, as the tool names the files of tables and functions; any other form by its text.
fn object_name(name: &Value) -> String {
    match (
        name.get("schema").and_then(Value::as_str),
        name.get("name").and_then(Value::as_str),
    ) {
        (Some(schema), Some(name)) => file_name(&format!("{schema}_{name}")),
        _ => file_name(&name.to_string()),
    }
}

fn file_name(name: &str) -> String {
    let name: String = name
        .chars()
        .map(|character| {
            if character.is_alphanumeric() || matches!(character, '_' | '-') {
                character
            } else {
                '_'
            }
        })
        .collect();
    if name.is_empty() { "_".to_owned() } else { name }
}
