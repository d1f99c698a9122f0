//! Values that stand in many kinds: names, references, secrets, free JSON, numbers with a fraction.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use crate::shape::{choice, part};

/// A name under which something stands in the metadata document. It cannot be changed: delete the object and
/// create another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Identity(pub String);

impl JsonSchema for Identity {
    fn schema_name() -> Cow<'static, str> {
        "Identity".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "minLength": 1,
            "maxLength": 253,
            "x-kubernetes-validations": [{
                "rule": "self == oldSelf",
                "message": "cannot be changed; delete the object and create another",
            }],
        })
    }
}

/// The same, where the name must be a GraphQL name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct GraphqlIdentity(pub String);

impl JsonSchema for GraphqlIdentity {
    fn schema_name() -> Cow<'static, str> {
        "GraphqlIdentity".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = Identity::json_schema(generator);
        schema.insert("pattern".to_owned(), GRAPHQL_NAME.into());
        schema
    }
}

const GRAPHQL_NAME: &str = "^[_A-Za-z][_0-9A-Za-z]*$";

/// A GraphQL name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct GraphqlName(pub String);

impl JsonSchema for GraphqlName {
    fn schema_name() -> Cow<'static, str> {
        "GraphqlName".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "maxLength": 253, "pattern": GRAPHQL_NAME})
    }
}

/// The key that stands for exact JSON: `{"$json": "<text>"}` is the value that the text is. An API server sorts
/// keys, rounds decimals and drops nulls; a text it leaves alone.
pub const EXACT: &str = "$json";

/// A JSON object of the author's, replaced as a whole by server-side apply. `{"$json": "…"}` gives it as a text
/// whose key order, decimals and nulls are kept exactly.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct JsonObject(pub Map<String, Value>);

impl JsonSchema for JsonObject {
    fn schema_name() -> Cow<'static, str> {
        "JsonObject".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "object",
            "x-kubernetes-preserve-unknown-fields": true,
            "x-kubernetes-map-type": "atomic",
        })
    }
}

/// Any JSON value of the author's. `{"$json": "…"}` gives it as a text that is kept exactly.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AnyJson(pub Value);

impl JsonSchema for AnyJson {
    fn schema_name() -> Cow<'static, str> {
        "AnyJson".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"x-kubernetes-preserve-unknown-fields": true})
    }
}

/// A number that may have a fraction: a whole number as it is (`10`), any other as a text (`"0.5"`), so that no
/// digit is lost on the way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Decimal(pub Value);

impl JsonSchema for Decimal {
    fn schema_name() -> Cow<'static, str> {
        "Decimal".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "x-kubernetes-int-or-string": true,
            "pattern": r"^-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?$",
        })
    }
}

part! {
    /// The name of a table, view or function in the database.
    pub struct QualifiedName {
        /// Metadata key `schema`; absent means `public`.
        pub schema: Option<String>,
        /// Metadata key `name`.
        #[schemars(length(min = 1))]
        pub name: String,
    }
}

part! {
    /// Another object, by kind of the field and name.
    #[schemars(extend("x-kubernetes-validations" = [{
        "rule": "self == oldSelf",
        "message": "cannot be changed; delete the object and create another",
    }]))]
    pub struct ObjectRef {
        /// The namespace; absent means the namespace of this object. Another one needs a `ReferenceGrant` there.
        #[schemars(extend("maxLength" = 63))]
        pub namespace: Option<String>,
        /// The name of the object.
        #[schemars(extend("maxLength" = 253, "minLength" = 1))]
        pub name: String,
    }
}

part! {
    /// A key of a Secret in the namespace of this object.
    pub struct SecretKeyRef {
        /// The name of the Secret.
        #[serde(deserialize_with = "secret_name")]
        #[schemars(extend("maxLength" = 253, "minLength" = 1, "pattern" = SECRET_NAME))]
        pub name: String,
        /// The key in its data.
        #[serde(deserialize_with = "secret_key")]
        #[schemars(extend("maxLength" = 253, "minLength" = 1, "pattern" = SECRET_KEY))]
        pub key: String,
    }
}

/// What an API server takes as a name of an object; of another one nothing can be asked.
const SECRET_NAME: &str = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$";
/// What an API server takes as a key of a Secret.
const SECRET_KEY: &str = "^[-._a-zA-Z0-9]+$";

/// Whether a Secret can have this name.
pub fn is_secret_name(name: &str) -> bool {
    let outer = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let label = |label: &str| {
        let bytes = label.as_bytes();
        let ends = [bytes.first(), bytes.last()];
        ends.into_iter().all(|end| end.copied().is_some_and(outer))
            && bytes.iter().all(|byte| outer(*byte) || *byte == b'-')
    };
    name.len() <= 253 && name.split('.').all(label)
}

fn is_secret_key(key: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    !key.is_empty() && key.len() <= 253 && key.bytes().all(inner)
}

// Folders of custom resources have no API server that looks at patterns.
fn secret_name<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    let name = String::deserialize(from)?;
    if is_secret_name(&name) {
        return Ok(name);
    }
    Err(D::Error::custom(format!(
        "{name:?} cannot be the name of a Secret: it has lower case letters, digits, - and . only, and letters or digits at both \
         ends of what is between dots"
    )))
}

fn secret_key<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    let key = String::deserialize(from)?;
    if is_secret_key(&key) {
        return Ok(key);
    }
    Err(D::Error::custom(format!(
        "{key:?} cannot be a key of a Secret: it has letters, digits, -, _ and . only"
    )))
}

part! {
    /// Where a value comes from. Exactly one of `env` and `secretKeyRef`.
    #[schemars(extend("x-kubernetes-validations" = [{
        "rule": "has(self.env) != has(self.secretKeyRef)",
        "message": "exactly one of env and secretKeyRef",
    }]))]
    pub struct ValueFrom {
        /// An environment variable of the engine: the text of `from_env`, `url_from_env`, `webhook_from_env` or
        /// `value_from_env`.
        #[schemars(extend("maxLength" = 253, "minLength" = 1))]
        pub env: Option<String>,
        /// A key of a Secret. It becomes a variable `ROWLOCK_SECRET_…` in the same metadata key, never a value.
        pub secret_key_ref: Option<SecretKeyRef>,
    }
}

part! {
    /// An HTTP header that the engine sends. Exactly one of `value` and `valueFrom`.
    #[schemars(extend("x-kubernetes-validations" = [{
        "rule": "has(self.value) != has(self.valueFrom)",
        "message": "exactly one of value and valueFrom",
    }]))]
    pub struct Header {
        /// Metadata key `name`.
        #[schemars(length(min = 1))]
        pub name: String,
        /// Metadata key `value`: a text in which `{{NAME}}` stands for environment variables.
        pub value: Option<String>,
        /// Metadata key `value_from_env`.
        pub value_from: Option<ValueFrom>,
    }
}

part! {
    /// Selects by labels; everything given must hold, and nothing given selects everything.
    pub struct LabelSelector {
        /// Labels with exactly these values.
        #[schemars(extend("x-kubernetes-map-type" = "atomic"))]
        pub match_labels: Option<std::collections::BTreeMap<String, String>>,
        /// Further conditions on labels.
        pub match_expressions: Option<Vec<LabelExpression>>,
    }
}

part! {
    /// A condition on one label.
    pub struct LabelExpression {
        /// The label.
        pub key: String,
        /// What must hold.
        pub operator: LabelOperator,
        /// The values of `In` and `NotIn`.
        pub values: Option<Vec<String>>,
    }
}

choice! {
    /// What must hold of a label.
    pub enum LabelOperator {
        /// The label has one of the values.
        In,
        /// The label is absent or has another value.
        NotIn,
        /// The label is there.
        Exists,
        /// The label is absent.
        DoesNotExist,
    }
}

choice! {
    /// What is served while the present form of an object is not acceptable.
    pub enum OnInvalid {
        /// The last accepted form.
        KeepLast,
        /// Nothing.
        Remove,
    }
}
