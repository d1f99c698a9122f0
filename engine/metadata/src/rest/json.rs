//! `rest_endpoints` as JSON.

use serde_json::Value;

use super::{RestDefinition, RestEndpoint, RestMethod, RestQuery};
use crate::json::{Entry, Json, ObjectPrinter, ObjectReader, ParseError, Reader, Shape, json_object};

const KEYS: &[&str] = &["comment", "definition", "methods", "name", "url"];

impl Entry for RestEndpoint {
    type Name = String;

    fn read_entry(value: &Value, reader: &mut Reader) -> Result<(String, Self), ParseError> {
        let mut object = ObjectReader::open(value, "EndpointMetadata", KEYS, reader)?;
        let name = object.entry_name("name")?;
        let comment = object.optional("comment")?;
        let definition = object.required("definition")?;
        let methods: Vec<RestMethod> = object.required("methods")?;
        if methods.is_empty() {
            return Err(object.reader().error("expected at least one method"));
        }
        let mut sorted: Vec<RestMethod> = methods;
        sorted.sort();
        sorted.dedup();
        let url: String = object.entry_name("url")?;
        Ok((
            name,
            Self {
                url,
                methods: sorted,
                definition,
                comment,
                extra: object.finish(),
            },
        ))
    }

    fn print_entry(&self, name: &String) -> Value {
        let mut printer = ObjectPrinter::default();
        printer.put("comment", &self.comment);
        printer.put("definition", &self.definition);
        printer.put("methods", &self.methods);
        printer.put("name", name);
        printer.put("url", &self.url);
        printer.finish(&self.extra)
    }

    fn shape() -> Shape {
        let mut shape = Shape::of_leaves("EndpointMetadata", KEYS);
        if let Some(entry) = shape.keys.iter_mut().find(|(key, _)| *key == "definition") {
            entry.1 = RestDefinition::content();
        }
        shape
    }
}

json_object! { RestDefinition, "EndpointDef" {
    required query;
} }

json_object! { RestQuery, "QueryReference" {
    required collection_name;
    required query_name;
} }

impl RestMethod {
    /// The method as HTTP writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
            Self::Patch => "PATCH",
        }
    }
}

/// Case does not matter when read.
impl Json for RestMethod {
    fn read(value: &Value, reader: &mut Reader) -> Result<Self, ParseError> {
        let text = String::read(value, reader)?;
        [Self::Get, Self::Post, Self::Put, Self::Delete, Self::Patch]
            .into_iter()
            .find(|method| method.as_str().eq_ignore_ascii_case(&text))
            .ok_or_else(|| reader.error(format!("Unsupported HTTP method {text:?}")))
    }

    fn print(&self) -> Value {
        Value::String(self.as_str().to_owned())
    }
}
