//! Remote schemas as JSON.

use serde_json::Value;

use super::{
    RemoteFieldCustomization, RemoteSchema, RemoteSchemaCustomization, RemoteSchemaDefinition,
    RemoteSchemaPermission, RemoteSchemaPermissionDefinition, RemoteSchemaTypeRelationships,
    RemoteTypeCustomization,
};
use crate::json::{
    Content, Json, ObjectPrinter, ObjectReader, ParseError, Reader, Shape, field_content, json_object,
};
use crate::value_source::json::{print_url_pair, read_url_pair};

json_object! { entry RemoteSchema as "name": String, "RemoteSchemaMetadata" {
    required definition;
    optional comment;
    ordered permissions ("permissions");
    ordered remote_relationships ("remote relationships");
} }

const DEFINITION_KEYS: &[&str] = &[
    "url",
    "url_from_env",
    "timeout_seconds",
    "customization",
    "headers",
    "forward_client_headers",
];

impl Json for RemoteSchemaDefinition {
    fn read(value: &Value, reader: &mut Reader) -> Result<Self, ParseError> {
        let mut object = ObjectReader::open(value, "RemoteSchemaDef", DEFINITION_KEYS, reader)?;
        Ok(Self {
            url: read_url_pair(
                &mut object,
                "url",
                "url_from_env",
                "need either url or url_from_env",
                "both `url` and `url_from_env` can't be present",
            )?,
            timeout_seconds: object.optional("timeout_seconds")?,
            customization: object.optional("customization")?,
            headers: object.optional("headers")?.unwrap_or_default(),
            forward_client_headers: object.optional("forward_client_headers")?.unwrap_or_default(),
            extra: object.finish(),
        })
    }

    fn print(&self) -> Value {
        let mut printer = ObjectPrinter::default();
        print_url_pair(&mut printer, "url", "url_from_env", &self.url);
        printer.put_some("timeout_seconds", self.timeout_seconds.as_ref());
        printer.put_some("customization", self.customization.as_ref());
        printer.put_unless("headers", &self.headers, &Vec::new());
        printer.put_unless("forward_client_headers", &self.forward_client_headers, &false);
        printer.finish(&self.extra)
    }

    fn content() -> Content {
        let mut shape = Shape::of_leaves("RemoteSchemaDef", DEFINITION_KEYS);
        for (key, content) in &mut shape.keys {
            match *key {
                "customization" => *content = RemoteSchemaCustomization::content(),
                "headers" => *content = field_content(|whole: &Self| &whole.headers),
                _ => {}
            }
        }
        Content::Object(shape)
    }
}

json_object! { RemoteSchemaCustomization, "RemoteSchemaCustomization" {
    default field_names;
    name root_fields_namespace;
    optional type_names;
} }

json_object! { RemoteTypeCustomization, "RemoteTypeCustomization" {
    shown mapping (indexmap::IndexMap::new());
    optional prefix;
    optional suffix;
} }

json_object! { RemoteFieldCustomization, "RemoteFieldCustomization" {
    shown mapping (indexmap::IndexMap::new());
    required parent_type;
    optional prefix;
    optional suffix;
} }

json_object! { entry RemoteSchemaPermission as "role": String, "RemoteSchemaPermissionMetadata" {
    required definition;
    optional comment;
} }

json_object! { RemoteSchemaPermissionDefinition, "RemoteSchemaPermissionDefinition" {
    required schema;
} }

json_object! { entry RemoteSchemaTypeRelationships as "type_name": String, "RemoteSchemaTypeRelationships" in alphabet {
    ordered relationships ("relationships");
} }
