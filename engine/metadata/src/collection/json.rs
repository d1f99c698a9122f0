//! `query_collections` and `allowlist` as JSON.

use serde_json::Value;

use super::{AllowlistEntry, AllowlistScope, ListedQuery, QueryCollection, QueryCollectionDefinition};
use crate::json::{Json, ObjectPrinter, ObjectReader, ParseError, Reader, json_object};

json_object! { entry QueryCollection as "name": String, "CreateCollection" {
    required definition;
    optional comment;
} }

json_object! { QueryCollectionDefinition, "CollectionDef" {
    required_entries queries ("queries");
} }

json_object! { entry ListedQuery as "name": String, "ListedQuery" {
    required query;
} }

json_object! { entry AllowlistEntry as "collection": String, "AllowlistEntry" {
    shown scope (AllowlistScope::Global);
} }

const SCOPE_KEYS: &[&str] = &["global", "roles"];

impl Json for AllowlistScope {
    fn read(value: &Value, reader: &mut Reader) -> Result<Self, ParseError> {
        let mut object = ObjectReader::open(value, "AllowlistScope", SCOPE_KEYS, reader)?;
        let global: bool = object.required("global")?;
        let roles: Option<Vec<String>> = object.optional("roles")?;
        let scope = match (global, roles) {
            (true, None) => Self::Global,
            (true, Some(_)) => {
                return Err(object.reader().error("roles are not allowed when global is true"));
            }
            (false, None) => return Err(object.reader().error("key \"roles\" not found")),
            (false, Some(roles)) if roles.is_empty() => {
                return Err(object.reader().error("roles must not be empty"));
            }
            (false, Some(roles)) => {
                let mut seen = std::collections::HashSet::new();
                if let Some(role) = roles.iter().find(|role| !seen.insert(role.as_str())) {
                    return Err(object
                        .reader()
                        .error(format!("duplicate roles are not allowed: {role}")));
                }
                Self::Roles(roles)
            }
        };
        object.finish_strictly("AllowlistScope")?;
        Ok(scope)
    }

    fn print(&self) -> Value {
        let mut printer = ObjectPrinter::default();
        printer.put("global", &matches!(self, Self::Global));
        if let Self::Roles(roles) = self {
            printer.put("roles", roles);
        }
        printer.finish(&crate::Extra::new())
    }

    fn content() -> crate::json::Content {
        crate::json::Content::Object(crate::json::Shape::of_leaves("AllowlistScope", SCOPE_KEYS))
    }
}
