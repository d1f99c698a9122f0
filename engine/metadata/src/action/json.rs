//! Actions as JSON.

use serde_json::Value;

use super::{Action, ActionArgument, ActionDefinition, ActionPermission, ActionType};
use crate::json::{
    Content, Json, ObjectPrinter, ObjectReader, ParseError, Reader, Shape, entries_content, field_content,
    json_object,
};

json_object! { entry Action as "name": String, "ActionMetadata" {
    required definition;
    optional comment;
    ordered permissions ("permissions");
} }

json_object! { entry ActionPermission as "role": String, "ActionPermissionMetadata" {
    optional comment;
} }

json_object! { entry ActionArgument as "name": String, "ArgumentDefinition" {
    required type_name: "type";
    optional description;
} }

const KEYS: &[&str] = &[
    "handler",
    "output_type",
    "forward_client_headers",
    "ignored_client_headers",
    "headers",
    "arguments",
    "request_transform",
    "response_transform",
    "type",
    "kind",
    "timeout",
];

/// Seconds an action handler has when `timeout` is absent.
const DEFAULT_TIMEOUT: u64 = 30;

impl Json for ActionDefinition {
    fn read(value: &Value, reader: &mut Reader) -> Result<Self, ParseError> {
        let mut object = ObjectReader::open(value, "ActionDefinition", KEYS, reader)?;
        Ok(Self {
            handler: object.required("handler")?,
            output_type: object.required("output_type")?,
            forward_client_headers: object.optional("forward_client_headers")?.unwrap_or_default(),
            ignored_client_headers: object.optional("ignored_client_headers")?,
            headers: object.optional("headers")?.unwrap_or_default(),
            arguments: object.entries("arguments", "arguments")?,
            request_transform: object.optional("request_transform")?,
            response_transform: object.optional("response_transform")?,
            action_type: read_type(&mut object)?,
            timeout: object.optional("timeout")?.unwrap_or(DEFAULT_TIMEOUT),
            extra: object.finish(),
        })
    }

    fn print(&self) -> Value {
        let mut printer = ObjectPrinter::default();
        printer.put("handler", &self.handler);
        printer.put("output_type", &self.output_type);
        printer.put_unless("forward_client_headers", &self.forward_client_headers, &false);
        printer.put_some("ignored_client_headers", self.ignored_client_headers.as_ref());
        printer.put_unless("headers", &self.headers, &Vec::new());
        printer.put_entries("arguments", &self.arguments, false);
        printer.put_some("request_transform", self.request_transform.as_ref());
        printer.put_some("response_transform", self.response_transform.as_ref());
        let word = |text: &str| Value::String(text.to_owned());
        match self.action_type {
            ActionType::Query => printer.put_value("type", word("query")),
            ActionType::SynchronousMutation => {
                printer.put_value("type", word("mutation"));
                printer.put_value("kind", word("synchronous"));
            }
            ActionType::AsynchronousMutation => {
                printer.put_value("type", word("mutation"));
                printer.put_value("kind", word("asynchronous"));
            }
        }
        printer.put_unless("timeout", &self.timeout, &DEFAULT_TIMEOUT);
        printer.finish(&self.extra)
    }

    fn content() -> Content {
        let mut shape = Shape::of_leaves("ActionDefinition", KEYS);
        for (key, content) in &mut shape.keys {
            match *key {
                "headers" => *content = field_content(|whole: &Self| &whole.headers),
                "arguments" => *content = entries_content(|whole: &Self| &whole.arguments),
                "request_transform" => *content = field_content(|whole: &Self| &whole.request_transform),
                "response_transform" => *content = field_content(|whole: &Self| &whole.response_transform),
                _ => {}
            }
        }
        Content::Object(shape)
    }
}

/// `type` is a mutation by default; `kind` of a query is ignored.
fn read_type(object: &mut ObjectReader<'_, '_>) -> Result<ActionType, ParseError> {
    let operation: Option<String> = object.optional("type")?;
    match operation.as_deref() {
        Some("query") => return Ok(ActionType::Query),
        Some("mutation") | None => {}
        Some(other) => {
            return Err(object.reader().error(format!(
                "expected \"query\" or \"mutation\" as type, got {other:?}"
            )));
        }
    }
    let kind: Option<String> = object.optional("kind")?;
    match kind.as_deref() {
        Some("synchronous") | None => Ok(ActionType::SynchronousMutation),
        Some("asynchronous") => Ok(ActionType::AsynchronousMutation),
        Some(other) => {
            let message = format!("expected \"synchronous\" or \"asynchronous\" as kind, got {other:?}");
            Err(object.reader().error(message))
        }
    }
}
