//! The configuration of a source as JSON: how to reach the database.

use serde_json::Value;

use super::{
    ConnectionInfo, ConnectionParameters, ConnectionTemplate, DatabaseUrl, EnvironmentVariable,
    IsolationLevel, PoolSettings, SecretValue, SourceConfiguration, SslConfiguration, SslMode,
};
use crate::json::{
    Content, Entry, Json, ObjectPrinter, ObjectReader, ParseError, Reader, Shape, field_content, json_object,
    json_words, non_empty, type_mismatch,
};
use crate::value_source::json::{print_from_env, read_from_env};

const KEYS: &[&str] = &[
    "connection_info",
    "connection_set",
    "connection_template",
    "extensions_schema",
    "read_replicas",
];
const SET_KEYS: &[&str] = &["connection_info", "name"];
const DEFAULT_EXTENSIONS_SCHEMA: &str = "public";

impl Json for SourceConfiguration {
    fn read(value: &Value, reader: &mut Reader) -> Result<Self, ParseError> {
        let mut object = ObjectReader::open(value, "PostgresConnConfiguration", KEYS, reader)?;
        let replicas: Option<Vec<ConnectionInfo>> = object
            .optional_with("read_replicas", |value, reader| {
                non_empty(Json::read(value, reader)?, reader)
            })?;
        let schema: Option<String> = object.optional("extensions_schema")?;
        let set = object.entries::<ConnectionSetMember>("connection_set", "connection set members")?;
        Ok(Self {
            connection_info: object.required("connection_info")?,
            connection_set: set.into_iter().map(|(name, member)| (name, member.0)).collect(),
            connection_template: object.optional("connection_template")?,
            extensions_schema: schema.filter(|schema| schema != DEFAULT_EXTENSIONS_SCHEMA),
            read_replicas: replicas.unwrap_or_default(),
            extra: object.finish(),
        })
    }

    fn print(&self) -> Value {
        let mut printer = ObjectPrinter::default();
        printer.put("connection_info", &self.connection_info);
        if !self.connection_set.is_empty() {
            let mut members: Vec<_> = self.connection_set.iter().collect();
            members.sort_by_key(|(name, _)| *name);
            let members = members.into_iter().map(|(name, info)| print_member(name, info));
            printer.put_value("connection_set", Value::Array(members.collect()));
        }
        printer.put_some("connection_template", self.connection_template.as_ref());
        printer.put_some("extensions_schema", self.extensions_schema.as_ref());
        printer.put_unless("read_replicas", &self.read_replicas, &Vec::new());
        printer.finish(&self.extra)
    }

    fn content() -> Content {
        let mut shape = Shape::of_leaves("PostgresConnConfiguration", KEYS);
        for (key, content) in &mut shape.keys {
            match *key {
                "connection_info" => *content = ConnectionInfo::content(),
                "connection_set" => *content = Content::List(ConnectionSetMember::shape()),
                "connection_template" => *content = ConnectionTemplate::content(),
                "read_replicas" => *content = field_content(|whole: &Self| &whole.read_replicas),
                _ => {}
            }
        }
        Content::Object(shape)
    }
}

struct ConnectionSetMember(ConnectionInfo);

impl Entry for ConnectionSetMember {
    type Name = String;

    fn read_entry(value: &Value, reader: &mut Reader) -> Result<(String, Self), ParseError> {
        let mut object = ObjectReader::open(value, "PostgresConnectionSetMember", SET_KEYS, reader)?;
        let name = object.entry_name("name")?;
        let info = object.required("connection_info")?;
        object.finish_strictly("PostgresConnectionSetMember")?;
        Ok((name, Self(info)))
    }

    fn print_entry(&self, name: &String) -> Value {
        print_member(name, &self.0)
    }

    fn shape() -> Shape {
        let keys = vec![
            ("connection_info", ConnectionInfo::content()),
            ("name", Content::Leaf),
        ];
        Shape {
            name: "PostgresConnectionSetMember",
            keys,
        }
    }
}

fn print_member(name: &String, info: &ConnectionInfo) -> Value {
    let mut printer = ObjectPrinter::default();
    printer.put("connection_info", info);
    printer.put("name", name);
    printer.finish(&crate::Extra::new())
}

json_object! { ConnectionInfo, "PostgresSourceConnInfo" {
    required database_url;
    shown isolation_level (IsolationLevel::ReadCommitted);
    optional pool_settings;
    optional ssl_configuration;
    shown use_prepared_statements (false);
} }

const URL_KEYS: &[&str] = &["connection_parameters", "dynamic_from_file", "from_env"];

impl Json for DatabaseUrl {
    fn read(value: &Value, reader: &mut Reader) -> Result<Self, ParseError> {
        if let Value::String(url) = value {
            return Ok(Self::Url(url.clone()));
        }
        if !value.is_object() {
            return Err(type_mismatch("UrlConf", "String or Object", value, reader));
        }
        let mut object = ObjectReader::open(value, "UrlConf", URL_KEYS, reader)?;
        let forms = ["from_env", "connection_parameters", "dynamic_from_file"].map(|key| object.has(key));
        let url = match forms {
            [true, false, false] => Self::FromEnv(object.entry_name("from_env")?),
            [false, true, false] => Self::Parameters(object.required("connection_parameters")?),
            [false, false, true] => Self::DynamicFromFile(object.entry_name("dynamic_from_file")?),
            _ => {
                return Err(object.reader().error(
                    "one and only one of \"from_env\", \"connection_parameters\" or \"dynamic_from_file\" should be specified",
                ));
            }
        };
        object.finish_strictly("UrlConf")?;
        Ok(url)
    }

    fn print(&self) -> Value {
        let mut printer = ObjectPrinter::default();
        match self {
            Self::Url(url) => return url.print(),
            Self::FromEnv(name) => return print_from_env(name),
            Self::Parameters(parameters) => printer.put("connection_parameters", parameters),
            Self::DynamicFromFile(path) => printer.put("dynamic_from_file", path),
        }
        printer.finish(&crate::Extra::new())
    }

    fn content() -> Content {
        let mut shape = Shape::of_leaves("UrlConf", URL_KEYS);
        for (key, content) in &mut shape.keys {
            if *key == "connection_parameters" {
                *content = ConnectionParameters::content();
            }
        }
        Content::Object(shape)
    }
}

json_object! { ConnectionParameters, "PGConnectionParams" {
    required database;
    required host;
    optional password;
    required port;
    required username;
} }

/// A TCP port.
impl Json for u16 {
    fn read(value: &Value, reader: &mut Reader) -> Result<Self, ParseError> {
        let number = u64::read(value, reader)?;
        Self::try_from(number).map_err(|_| reader.error(format!("{number} is not a port")))
    }

    fn print(&self) -> Value {
        Value::Number((*self).into())
    }
}

json_object! { PoolSettings, "PostgresPoolSettings" {
    optional connection_lifetime;
    optional idle_timeout;
    optional max_connections;
    optional pool_timeout;
    optional retries;
    optional total_max_connections;
} }

json_words! { IsolationLevel {
    ReadCommitted = "read-committed",
    RepeatableRead = "repeatable-read",
    Serializable = "serializable",
} }

json_object! { SslConfiguration, "PGClientCerts" {
    optional sslcert;
    optional sslkey;
    required sslmode;
    optional sslpassword;
    optional sslrootcert;
} }

impl Json for EnvironmentVariable {
    fn read(value: &Value, reader: &mut Reader) -> Result<Self, ParseError> {
        read_from_env(value, reader).map(Self)
    }

    fn print(&self) -> Value {
        print_from_env(&self.0)
    }
}

impl Json for SecretValue {
    fn read(value: &Value, reader: &mut Reader) -> Result<Self, ParseError> {
        match value {
            Value::String(text) => Ok(Self::Value(text.clone())),
            other => read_from_env(other, reader).map(Self::FromEnv),
        }
    }

    fn print(&self) -> Value {
        match self {
            Self::Value(text) => text.print(),
            Self::FromEnv(name) => print_from_env(name),
        }
    }
}

json_words! { SslMode {
    Disable = "disable",
    Allow = "allow",
    Prefer = "prefer",
    Require = "require",
    VerifyCa = "verify-ca",
    VerifyFull = "verify-full",
} }

json_object! { ConnectionTemplate, "PostgresConnectionTemplate" {
    required template;
    shown version (1);
} }
