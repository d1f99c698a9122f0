//! A token's payload → roles and session variables, as the configuration says.

use std::sync::Arc;

use serde_json::{Map, Value};

use crate::error::{Code, Error};
use crate::json::{self, kind};
use crate::path::JsonPath;
use crate::variable::{self, PREFIX, Variables};

/// The claim with the roles that may be taken.
pub const ALLOWED_ROLES: &str = "x-hasura-allowed-roles";
/// The claim with the role that is taken if none is asked for.
pub const DEFAULT_ROLE: &str = "x-hasura-default-role";
/// The claim that holds Hasura's claims, unless configured.
pub const NAMESPACE: &str = "https://hasura.io/jwt/claims";

/// Where Hasura's claims are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClaimsSource {
    /// Together in one claim.
    Namespace(Namespace, Format),
    /// Each in a place of its own (`claims_map`).
    Map(ClaimsMap),
}

/// The claim that holds Hasura's claims.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Namespace {
    /// `claims_namespace`: a claim of the payload.
    Key(String),
    /// `claims_namespace_path`
    Path(JsonPath),
}

/// `claims_format`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// An object.
    Json,
    /// A text that is an object in JSON.
    Stringified,
}

/// `claims_map`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimsMap {
    /// `x-hasura-allowed-roles`
    pub allowed_roles: Place<Vec<String>>,
    /// `x-hasura-default-role`
    pub default_role: Place<String>,
    /// All others, by lower-case name.
    pub others: Vec<(String, Place<String>)>,
}

/// Where one claim's value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place<T> {
    /// A place of the payload, and what holds if there is nothing.
    Path(JsonPath, Option<T>),
    /// This value.
    Literal(T),
}

/// What a verified token says of its bearer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claims {
    /// Roles that may be taken.
    pub allowed_roles: Vec<Arc<str>>,
    /// The role that is taken if none is asked for.
    pub default_role: Arc<str>,
    /// The other claims, without the role; or what is wrong with them, which only concerns who may have the role asked for.
    pub variables: Result<Variables, Error>,
}

impl Claims {
    /// Reads a payload.
    ///
    /// # Errors
    /// Claims that are missing or not what they should be.
    pub fn read(payload: &Value, source: &ClaimsSource) -> Result<Self, Error> {
        match source {
            ClaimsSource::Namespace(namespace, format) => Self::of_namespace(payload, namespace, *format),
            ClaimsSource::Map(map) => Self::of_map(payload, map),
        }
    }

    fn of_namespace(payload: &Value, namespace: &Namespace, format: Format) -> Result<Self, Error> {
        let found = match namespace {
            Namespace::Key(key) => payload
                .get(key)
                .ok_or_else(|| Error::claims(format!("claims key: '{key}' not found")))?,
            Namespace::Path(path) => path.find(payload).ok_or_else(|| {
                Error::claims(format!("claims not found at claims_namespace_path: '{path}'"))
            })?,
        };
        match (format, found) {
            (Format::Json, Value::Object(claims)) => Self::of_object(claims),
            (Format::Json, _) => Err(Error::claims(
                "expecting a json object when claims_format is json",
            )),
            (Format::Stringified, Value::String(text)) => match json::parse(text.as_bytes()) {
                Ok(Value::Object(claims)) => Self::of_object(&claims),
                _ => Err(Error::claims(match namespace {
                    Namespace::Key(key) => format!("expecting stringified json at: 'claims_namespace {key}'"),
                    Namespace::Path(path) => {
                        format!("expecting stringified json at: 'claims_namespace_path {path}'")
                    }
                })),
            },
            (Format::Stringified, _) => Err(Error::claims(
                "expecting a string when claims_format is stringified_json",
            )),
        }
    }

    fn of_object(claims: &Map<String, Value>) -> Result<Self, Error> {
        let picked =
            variable::pick(claims).map_err(|reason| Error::claims(format!("x-hasura-* claims: {reason}")))?;
        let find = |wanted: &str| {
            picked
                .iter()
                .find(|(name, _)| name == wanted)
                .map(|(_, value)| *value)
        };
        let allowed_roles = roles(find(ALLOWED_ROLES).ok_or_else(|| missing(ALLOWED_ROLES))?)?;
        let default_role = role(
            find(DEFAULT_ROLE).ok_or_else(|| missing(DEFAULT_ROLE))?,
            "should be a single role name",
        )?;
        let others = picked
            .iter()
            .filter(|(name, _)| name != ALLOWED_ROLES && name != DEFAULT_ROLE);
        Ok(Self {
            allowed_roles,
            default_role,
            variables: variables(others.map(|(name, value)| (name.as_str(), *value))),
        })
    }

    fn of_map(payload: &Value, map: &ClaimsMap) -> Result<Self, Error> {
        let allowed_roles = match &map.allowed_roles {
            Place::Literal(list) => shared(list),
            Place::Path(path, default) => match (path.find(payload), default) {
                (Some(found), _) => roles(found)?,
                (None, Some(default)) => shared(default),
                (None, None) => return Err(missing(ALLOWED_ROLES)),
            },
        };
        let default_role = match &map.default_role {
            Place::Literal(text) => Arc::from(text.as_str()),
            Place::Path(path, default) => match (path.find(payload), default) {
                (Some(found), _) => role(found, "should be a role")?,
                (None, Some(default)) => Arc::from(default.as_str()),
                (None, None) => return Err(missing(DEFAULT_ROLE)),
            },
        };
        let mut found = Vec::with_capacity(map.others.len());
        for (name, place) in &map.others {
            let value = match place {
                Place::Literal(text) => Value::String(text.clone()),
                Place::Path(path, default) => match (path.find(payload), default) {
                    (Some(found), _) => found.clone(),
                    (None, Some(default)) => Value::String(default.clone()),
                    (None, None) => {
                        let message = format!("JWT claim from claims_map, \"{name}\" not found");
                        return Err(Error::claims(message));
                    }
                },
            };
            found.push((name.as_str(), value));
        }
        Ok(Self {
            allowed_roles,
            default_role,
            variables: variables(found.iter().map(|(name, value)| (*name, value))),
        })
    }

    /// The role of a request that asks for this one, or for none.
    ///
    /// # Errors
    /// The role is not allowed.
    pub fn role(&self, wanted: Option<&str>) -> Result<Arc<str>, Error> {
        let wanted = wanted.unwrap_or(&self.default_role);
        self.allowed_roles
            .iter()
            .find(|allowed| &***allowed == wanted)
            .cloned()
            .ok_or_else(|| Error::new(Code::AccessDenied, "Your requested role is not in allowed roles"))
    }
}

fn shared(list: &[String]) -> Vec<Arc<str>> {
    list.iter().map(|role| Arc::from(role.as_str())).collect()
}

fn missing(claim: &str) -> Error {
    Error::new(
        Code::JwtMissingRoleClaims,
        format!("JWT claim does not contain \"{claim}\""),
    )
}

fn roles(value: &Value) -> Result<Vec<Arc<str>>, Error> {
    let wrong = |reason: String| {
        Error::claims(format!(
            "invalid \"{ALLOWED_ROLES}\"; should be a list of roles: {reason}"
        ))
    };
    let Value::Array(items) = value else {
        return Err(wrong(format!(
            "parsing [] failed, expected Array, but encountered {}",
            kind(value)
        )));
    };
    items.iter().map(|item| role_name(item).map_err(wrong)).collect()
}

fn role(value: &Value, hint: &str) -> Result<Arc<str>, Error> {
    role_name(value).map_err(|reason| Error::claims(format!("invalid \"{DEFAULT_ROLE}\"; {hint}: {reason}")))
}

fn role_name(value: &Value) -> Result<Arc<str>, String> {
    match value {
        Value::String(text) if text.is_empty() => Err("empty string not allowed".to_owned()),
        Value::String(_) => variable::text(value),
        // Names of roles are another type of Hasura's than values of variables are.
        other => Err(format!(
            "parsing String failed, expected String, but encountered {}",
            kind(other)
        )),
    }
}

/// Checks values and sorts by name. The role is not taken from here.
fn variables<'a>(found: impl Iterator<Item = (&'a str, &'a Value)>) -> Result<Variables, Error> {
    let mut variables = found
        .map(|(name, value)| match variable::text(value) {
            Ok(text) => Ok((Arc::from(name), text)),
            Err(reason) => Err(Error::claims(format!("{PREFIX}* claims: {reason}"))),
        })
        .collect::<Result<Variables, Error>>()?;
    variables.retain(|(name, _)| **name != *variable::ROLE);
    variables.sort();
    Ok(variables)
}
