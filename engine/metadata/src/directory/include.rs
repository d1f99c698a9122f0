//! Reading single files of a directory with their includes filled in.

use std::collections::BTreeMap;

use serde_json::Value;

use super::DirectoryError;
use super::yaml::{self, INCLUDE};

/// How deeply includes may be nested; the tool's own directories need three.
const MAX_DEPTH: usize = 16;
/// How many includes one directory may have: tables and functions of all sources.
const MAX_INCLUDES: usize = 100_000;
/// How much text may be included altogether, in bytes.
const MAX_BYTES: usize = 256 * 1024 * 1024;

/// The files of a directory, and how much has been included so far.
pub(super) struct Files<'f> {
    files: &'f BTreeMap<String, String>,
    includes: usize,
    bytes: usize,
}

impl<'f> Files<'f> {
    pub(super) fn new(files: &'f BTreeMap<String, String>) -> Self {
        Self {
            files,
            includes: 0,
            bytes: 0,
        }
    }

    pub(super) fn has(&self, file: &str) -> bool {
        self.files.contains_key(file)
    }

    pub(super) fn text(&self, file: &str) -> Option<&'f str> {
        self.files.get(file).map(String::as_str)
    }

    /// The content of a file with its includes filled in; nothing if the file is absent or empty.
    pub(super) fn section(&mut self, file: &str) -> Result<Option<Value>, DirectoryError> {
        let Some(text) = self.text(file) else {
            return Ok(None);
        };
        let value = self.read(file, text, &mut vec![file.to_owned()])?;
        Ok(Some(value).filter(|value| !value.is_null()))
    }

    fn read(&mut self, file: &str, text: &str, open: &mut Vec<String>) -> Result<Value, DirectoryError> {
        self.bytes = self.bytes.saturating_add(text.len());
        if self.bytes > MAX_BYTES {
            return Err(DirectoryError::TooLarge {
                file: file.to_owned(),
            });
        }
        let mut value = yaml::read(file, text)?;
        self.fill_in(&mut value, file, open)?;
        Ok(value)
    }

    fn fill_in(
        &mut self,
        value: &mut Value,
        file: &str,
        open: &mut Vec<String>,
    ) -> Result<(), DirectoryError> {
        match value {
            Value::Array(items) => items
                .iter_mut()
                .try_for_each(|item| self.fill_in(item, file, open)),
            Value::Object(object) => object
                .values_mut()
                .try_for_each(|item| self.fill_in(item, file, open)),
            Value::String(text) => {
                let Some(target) = target(text) else { return Ok(()) };
                *value = self.include(target, file, open)?;
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn include(&mut self, target: &str, file: &str, open: &mut Vec<String>) -> Result<Value, DirectoryError> {
        let target = target.to_owned();
        let from = file.to_owned();
        self.includes += 1;
        if self.includes > MAX_INCLUDES {
            return Err(DirectoryError::TooLarge { file: from });
        }
        let Some(path) = resolve(file, &target) else {
            return Err(DirectoryError::Escape { file: from, target });
        };
        if open.len() >= MAX_DEPTH || open.contains(&path) {
            return Err(DirectoryError::Cycle { file: from, target });
        }
        let Some(text) = self.text(&path) else {
            return Err(DirectoryError::MissingInclude { file: from, target });
        };
        if !is_yaml(&path) {
            self.bytes = self.bytes.saturating_add(text.len());
            return Ok(Value::String(text.to_owned()));
        }
        open.push(path.clone());
        let value = self.read(&path, text, open);
        open.pop();
        value
    }
}

/// The path of an include in its text form.
fn target(text: &str) -> Option<&str> {
    let rest = text.strip_prefix(INCLUDE)?;
    let path = rest.trim();
    (rest.starts_with(char::is_whitespace) && !path.is_empty()).then_some(path)
}

fn is_yaml(path: &str) -> bool {
    [".yaml", ".yml", ".json"]
        .iter()
        .any(|ending| path.ends_with(ending))
}

/// The path of an include, relative to the directory; nothing if it leads out of it.
fn resolve(file: &str, target: &str) -> Option<String> {
    if target.starts_with('/') || target.contains('\\') || target.contains('\0') {
        return None;
    }
    let mut parts: Vec<&str> = file.split('/').collect();
    parts.pop();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}
