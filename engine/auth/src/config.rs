//! `HASURA_GRAPHQL_JWT_SECRET`: one way to verify tokens, read from JSON.

use http::HeaderName;
use serde_json::{Map, Value};

use crate::claims::{
    ALLOWED_ROLES, ClaimsMap, ClaimsSource, DEFAULT_ROLE, Format, NAMESPACE, Namespace, Place,
};
use crate::key::{Key, KeySet};
use crate::location::Location;
use crate::path::JsonPath;
use crate::{json, variable};

/// Secrets at most.
const MOST_SECRETS: usize = 100;

/// One way to verify tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JwtSecret {
    /// Where its keys come from.
    pub keys: KeySource,
    /// Where the claims are.
    pub claims: ClaimsSource,
    /// `audience`: the token must be for one of these.
    pub audience: Option<Vec<String>>,
    /// `issuer`: the token must be from it.
    pub issuer: Option<String>,
    /// `allowed_skew`, in seconds.
    pub allowed_skew: u64,
    /// `header`
    pub location: Location,
    /// Paths of keys that mean nothing, as somebody may have misspelt one that checks something.
    pub ignored: Vec<String>,
}

/// Where keys come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeySource {
    /// `key`; several after [`JwtSecret::merged`].
    Keys(Vec<Key>),
    /// `jwk_url`
    Url(String),
}

/// Why a configuration cannot be used. Holds nothing of a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ConfigError(String);

fn wrong<T>(message: impl Into<String>) -> Result<T, ConfigError> {
    Err(ConfigError(message.into()))
}

impl JwtSecret {
    /// Reads one secret.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        let value = json::parse(text.as_bytes()).map_err(|reason| ConfigError(reason.to_owned()))?;
        Self::read(&value)
    }

    /// Reads a list of secrets.
    ///
    /// # Errors
    /// What is wrong with the first wrong one.
    pub fn parse_list(text: &str) -> Result<Vec<Self>, ConfigError> {
        let value = json::parse(text.as_bytes()).map_err(|reason| ConfigError(reason.to_owned()))?;
        match &value {
            Value::Array(items) if items.is_empty() => wrong("the list is empty"),
            Value::Array(items) if items.len() > MOST_SECRETS => {
                wrong(format!("the list may hold {MOST_SECRETS} secrets at most"))
            }
            Value::Array(items) => items
                .iter()
                .enumerate()
                .map(|(at, item)| {
                    let mut secret =
                        Self::read(item).map_err(|error| ConfigError(format!("[{at}]: {error}")))?;
                    for path in &mut secret.ignored {
                        *path = format!("[{at}].{path}");
                    }
                    Ok(secret)
                })
                .collect(),
            _ => wrong("expected a JSON list of objects"),
        }
    }

    /// Puts secrets that differ in their `key` alone together into one with several keys: it does not matter which of them
    /// verifies a token, so that an old and a new key can be good at the same time.
    #[must_use]
    pub fn merged(secrets: Vec<Self>) -> Vec<Self> {
        let mut merged: Vec<Self> = Vec::with_capacity(secrets.len());
        for secret in secrets {
            let same = merged
                .iter_mut()
                .find(|known| known.differs_in_keys_alone(&secret));
            match (same.map(|known| &mut known.keys), &secret.keys) {
                (Some(KeySource::Keys(known)), KeySource::Keys(keys)) => known.extend(keys.iter().cloned()),
                _ => merged.push(secret),
            }
        }
        merged
    }

    /// Whether another is for the tokens of the same issuer, which is named, to the same audience.
    pub fn is_for_the_same_tokens(&self, other: &Self) -> bool {
        let same = self.issuer.is_some() && self.issuer == other.issuer && self.audience == other.audience;
        same || self.differs_in_keys_alone(other)
    }

    /// Whether tokens are read and checked in the same way, whatever keys verify them.
    pub fn differs_in_keys_alone(&self, other: &Self) -> bool {
        self.claims == other.claims
            && self.audience == other.audience
            && self.issuer == other.issuer
            && self.allowed_skew == other.allowed_skew
            && self.location == other.location
    }

    fn read(value: &Value) -> Result<Self, ConfigError> {
        let Value::Object(object) = value else {
            return wrong("expected a JSON object");
        };
        let namespace = optional_text(object, "claims_namespace")?;
        let namespace_path = optional_text(object, "claims_namespace_path")?;
        if namespace.is_some() && namespace_path.is_some() {
            return wrong("claims_namespace and claims_namespace_path both cannot be set");
        }
        let claims = match object.get("claims_map").filter(|map| !map.is_null()) {
            Some(map) => ClaimsSource::Map(claims_map(map)?),
            None => ClaimsSource::Namespace(
                match (namespace, namespace_path) {
                    (_, Some(path)) => Namespace::Path(parse_path(path)?),
                    (namespace, None) => Namespace::Key(namespace.unwrap_or(NAMESPACE).to_owned()),
                },
                match optional_text(object, "claims_format")? {
                    None | Some("json") => Format::Json,
                    Some("stringified_json") => Format::Stringified,
                    Some(_) => return wrong("claims_format must be \"json\" or \"stringified_json\""),
                },
            ),
        };
        Ok(Self {
            keys: key_source(object)?,
            claims,
            audience: audience(object)?,
            issuer: optional_text(object, "issuer")?.map(str::to_owned),
            allowed_skew: match object.get("allowed_skew").filter(|skew| !skew.is_null()) {
                None => 0,
                Some(skew) => skew_of(skew)?,
            },
            location: location(object)?,
            ignored: ignored(object),
        })
    }

    /// The keys, where they are given and not fetched.
    pub fn own_keys(&self) -> Option<KeySet> {
        match &self.keys {
            KeySource::Keys(keys) => Some(KeySet::new(keys.clone())),
            KeySource::Url(_) => None,
        }
    }

    /// What `/v1alpha1/config` tells of it: nothing secret.
    pub fn describe(&self) -> Value {
        let (namespace, format, map) = match &self.claims {
            ClaimsSource::Namespace(Namespace::Key(key), format) => {
                (Value::from(key.as_str()), *format, Value::Null)
            }
            ClaimsSource::Namespace(Namespace::Path(path), format) => {
                (Value::from(path.to_string()), *format, Value::Null)
            }
            ClaimsSource::Map(map) => (Value::from(NAMESPACE), Format::Json, describe_map(map)),
        };
        let format = match format {
            Format::Json => "json",
            Format::Stringified => "stringified_json",
        };
        serde_json::json!({"claims_namespace": namespace, "claims_format": format, "claims_map": map})
    }
}

/// Keys that have a meaning.
const KEYS: [&str; 11] = [
    "type",
    "key",
    "jwk_url",
    "claims_namespace",
    "claims_namespace_path",
    "claims_format",
    "claims_map",
    "audience",
    "issuer",
    "allowed_skew",
    "header",
];

/// Paths of all others, which Hasura ignores.
fn ignored(object: &Map<String, Value>) -> Vec<String> {
    let unknown = |object: &Map<String, Value>, known: &[&str], before: &str| -> Vec<String> {
        let unknown = object.keys().filter(|key| !known.contains(&key.as_str()));
        unknown.map(|key| format!("{before}{key}")).collect()
    };
    let mut paths = unknown(object, &KEYS, "");
    if let Some(Value::Object(header)) = object.get("header") {
        paths.extend(unknown(header, &["type", "name"], "header."));
    }
    if let Some(Value::Object(map)) = object.get("claims_map") {
        for (name, place) in map {
            if let Value::Object(place) = place {
                paths.extend(unknown(
                    place,
                    &["path", "default"],
                    &format!("claims_map.{name}."),
                ));
            }
        }
    }
    paths
}

fn optional_text<'v>(object: &'v Map<String, Value>, key: &str) -> Result<Option<&'v str>, ConfigError> {
    match object.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => wrong(format!("{key} must be a string")),
    }
}

/// Seconds; a part of one counts as one.
fn skew_of(skew: &Value) -> Result<u64, ConfigError> {
    let seconds = skew
        .as_f64()
        .filter(|seconds| (0.0..=f64::from(u32::MAX)).contains(seconds));
    match seconds {
        Some(seconds) => Ok(std::time::Duration::from_secs_f64(seconds.ceil()).as_secs()),
        None => wrong("allowed_skew must be a number of seconds that is not negative"),
    }
}

fn parse_path(text: &str) -> Result<JsonPath, ConfigError> {
    JsonPath::parse(text).map_err(ConfigError)
}

fn key_source(object: &Map<String, Value>) -> Result<KeySource, ConfigError> {
    let url = optional_text(object, "jwk_url")?;
    let key = object.get("key").filter(|key| !key.is_null());
    match (key, url) {
        (Some(_), Some(_)) => wrong("key, jwk_url both cannot be present"),
        (None, None) => wrong("key and jwk_url both cannot be empty"),
        (None, Some(url)) if url.starts_with("https://") || url.starts_with("http://") => {
            Ok(KeySource::Url(url.to_owned()))
        }
        (None, Some(_)) => wrong("jwk_url must be an http or https URL"),
        (Some(key), None) => {
            let Some(type_) = optional_text(object, "type")? else {
                return wrong("the key \"type\" is missing");
            };
            let text = match key {
                Value::String(text) => text.clone(),
                Value::Object(_) => key.to_string(),
                _ => return wrong("key must be a string or a JSON web key"),
            };
            Key::of_type(type_, &text)
                .map(|key| KeySource::Keys(vec![key]))
                .map_err(ConfigError)
        }
    }
}

fn audience(object: &Map<String, Value>) -> Result<Option<Vec<String>>, ConfigError> {
    let text = |value: &Value| match value {
        Value::String(text) => Ok(text.clone()),
        _ => wrong("audience must be a string or a list of strings"),
    };
    match object.get("audience") {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Array(items)) => items.iter().map(text).collect::<Result<_, _>>().map(Some),
        Some(single) => Ok(Some(vec![text(single)?])),
    }
}

fn location(object: &Map<String, Value>) -> Result<Location, ConfigError> {
    let header = match object.get("header") {
        None | Some(Value::Null) => return Ok(Location::Authorization),
        // As some configurations have it: the object as a text.
        Some(Value::String(text)) if text.trim_start().starts_with('{') => {
            json::parse(text.as_bytes()).map_err(|reason| ConfigError(format!("header: {reason}")))?
        }
        Some(value) => value.clone(),
    };
    let type_ = match &header {
        Value::String(text) => Some(text.as_str()),
        Value::Object(object) => object.get("type").and_then(Value::as_str),
        _ => None,
    };
    let name = || match header.get("name").and_then(Value::as_str) {
        Some(name) if !name.is_empty() => Ok(name),
        _ => wrong("header: the key \"name\" is missing"),
    };
    match type_.map(str::to_ascii_lowercase).as_deref() {
        Some("authorization") => Ok(Location::Authorization),
        Some("cookie") => Ok(Location::Cookie(name()?.to_owned())),
        Some("customheader") => match name()?.parse::<HeaderName>() {
            Ok(name) => Ok(Location::Header(name)),
            Err(_) => wrong("header: the name is no name of a header"),
        },
        _ => wrong("header: the type must be \"Authorization\", \"Cookie\" or \"CustomHeader\""),
    }
}

fn claims_map(value: &Value) -> Result<ClaimsMap, ConfigError> {
    let Value::Object(object) = value else {
        return wrong("claims_map must be an object");
    };
    let mut allowed_roles = None;
    let mut default_role = None;
    let mut others: Vec<(String, Place<String>)> = Vec::new();
    for (key, value) in object {
        let Some(name) = variable::name(key) else {
            return wrong(format!(
                "claims_map: {key:?} is no session variable, which begin with x-hasura-"
            ));
        };
        let at = |reason: &str| ConfigError(format!("claims_map: {key}: {reason}"));
        match name.as_str() {
            ALLOWED_ROLES => {
                allowed_roles = Some(
                    place(value, |value| {
                        let items = value.as_array()?;
                        items.iter().map(|item| Some(item.as_str()?.to_owned())).collect()
                    })
                    .map_err(|reason| at(&reason))?,
                );
            }
            DEFAULT_ROLE => default_role = Some(text_place(value).map_err(|reason| at(&reason))?),
            _ if others.iter().any(|(known, _)| *known == name) => return Err(at("it is given twice")),
            _ => others.push((name, text_place(value).map_err(|reason| at(&reason))?)),
        }
    }
    match (allowed_roles, default_role) {
        (Some(allowed_roles), Some(default_role)) => Ok(ClaimsMap {
            allowed_roles,
            default_role,
            others,
        }),
        (None, _) => wrong(format!("claims_map: {ALLOWED_ROLES} is missing")),
        (_, None) => wrong(format!("claims_map: {DEFAULT_ROLE} is missing")),
    }
}

fn text_place(value: &Value) -> Result<Place<String>, String> {
    place(value, |value| value.as_str().map(str::to_owned))
}

/// `{path, default?}` or a literal.
fn place<T>(value: &Value, literal: impl Fn(&Value) -> Option<T>) -> Result<Place<T>, String> {
    let Value::Object(object) = value else {
        return literal(value)
            .map(Place::Literal)
            .ok_or_else(|| "the value is of the wrong type".to_owned());
    };
    let Some(path) = object.get("path").and_then(Value::as_str) else {
        return Err("the key \"path\" is missing".to_owned());
    };
    let default = match object.get("default").filter(|default| !default.is_null()) {
        None => None,
        Some(default) => Some(literal(default).ok_or("the default is of the wrong type")?),
    };
    Ok(Place::Path(JsonPath::parse(path)?, default))
}

fn describe_map(map: &ClaimsMap) -> Value {
    fn one<T: serde::Serialize>(place: &Place<T>) -> Value {
        match place {
            Place::Literal(value) => serde_json::json!(value),
            Place::Path(path, None) => serde_json::json!({"path": path.to_string()}),
            Place::Path(path, default) => serde_json::json!({"path": path.to_string(), "default": default}),
        }
    }
    let mut object = Map::new();
    object.insert(ALLOWED_ROLES.to_owned(), one(&map.allowed_roles));
    object.insert(DEFAULT_ROLE.to_owned(), one(&map.default_role));
    for (name, place) in &map.others {
        object.insert(name.clone(), one(place));
    }
    Value::Object(object)
}
