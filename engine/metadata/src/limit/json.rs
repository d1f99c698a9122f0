//! `api_limits` as JSON.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use serde_json::{Number, Value};

use super::{ApiLimits, Limit, RateLimit, UniqueParams};
use crate::json::{Content, Json, ObjectPrinter, ObjectReader, ParseError, Reader, Shape, json_object};

json_object! { ApiLimits, "ApiLimit" {
    optional batch_limit;
    optional depth_limit;
    shown disabled (false);
    optional node_limit;
    optional rate_limit;
    optional time_limit;
} }

const LIMIT_KEYS: &[&str] = &["global", "per_role"];

impl<T: LimitValue> Json for Limit<T> {
    fn read(value: &Value, reader: &mut Reader) -> Result<Self, ParseError> {
        let mut object = ObjectReader::open(value, "Limit", LIMIT_KEYS, reader)?;
        let global = object.required_with("global", T::read_limit)?;
        let per_role: BTreeMap<String, T> = object
            .optional::<IndexMap<String, Checked<T>>>("per_role")?
            .unwrap_or_default()
            .into_iter()
            .map(|(role, value)| (role, value.0))
            .collect();
        Ok(Self {
            global,
            per_role,
            extra: object.finish(),
        })
    }

    fn print(&self) -> Value {
        let mut printer = ObjectPrinter::default();
        printer.put("global", &self.global);
        let per_role = self
            .per_role
            .iter()
            .map(|(role, value)| (role.clone(), value.print()))
            .collect();
        printer.put_value("per_role", Value::Object(per_role));
        printer.finish(&self.extra)
    }

    fn content() -> Content {
        let keys = vec![("global", T::content()), ("per_role", T::content().mapped())];
        Content::Object(Shape { name: "Limit", keys })
    }
}

/// What a [`Limit`] may hold; a limit of zero or less means nothing.
trait LimitValue: Json {
    fn read_limit(value: &Value, reader: &mut Reader) -> Result<Self, ParseError>;
}

struct Checked<T>(T);

impl<T: LimitValue> Json for Checked<T> {
    fn read(value: &Value, reader: &mut Reader) -> Result<Self, ParseError> {
        T::read_limit(value, reader).map(Self)
    }

    fn print(&self) -> Value {
        self.0.print()
    }
}

impl LimitValue for u64 {
    fn read_limit(value: &Value, reader: &mut Reader) -> Result<Self, ParseError> {
        match Self::read(value, reader)? {
            0 => Err(reader.error("limit must be a positive value")),
            limit => Ok(limit),
        }
    }
}

impl LimitValue for Number {
    fn read_limit(value: &Value, reader: &mut Reader) -> Result<Self, ParseError> {
        let number = Self::read(value, reader)?;
        if number.as_f64().is_some_and(|seconds| seconds > 0.0) {
            Ok(number)
        } else {
            Err(reader.error("limit must be a positive value"))
        }
    }
}

impl LimitValue for RateLimit {
    fn read_limit(value: &Value, reader: &mut Reader) -> Result<Self, ParseError> {
        Self::read(value, reader)
    }
}

json_object! { RateLimit, "RateLimitConfig" {
    required max_reqs_per_min;
    optional unique_params;
} }

impl Json for UniqueParams {
    fn read(value: &Value, reader: &mut Reader) -> Result<Self, ParseError> {
        match value {
            Value::String(text) if text.eq_ignore_ascii_case("ip") => Ok(Self::IpAddress),
            Value::Array(_) => {
                let variables = Vec::<String>::read(value, reader)?;
                match variables.iter().find(|name| !is_allowed_variable(name)) {
                    None => Ok(Self::SessionVariables(variables)),
                    Some(name) => Err(reader.error(format!(
                        "unique_params must be session variables other than x-hasura-role, got {name:?}"
                    ))),
                }
            }
            _ => Err(reader.error("unique_params must be either \"IP\" or a list of session variables")),
        }
    }

    fn print(&self) -> Value {
        match self {
            Self::IpAddress => Value::String("IP".to_owned()),
            Self::SessionVariables(variables) => variables.print(),
        }
    }
}

fn is_allowed_variable(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name.starts_with("x-hasura-") && name != "x-hasura-role"
}
