//! `Source`: a database.

use crate::shape::{choice, kind, part};
use crate::value::{AnyJson, Decimal, GraphqlName, Identity, JsonObject, OnInvalid, ValueFrom};

kind! {
    "Source", "sources", "rsrc",
    /// A database, how to reach it, and how its names appear in the API. Exactly one of `connection` and
    /// `otherKind`.
    #[schemars(extend("x-kubernetes-validations" = [{
        "rule": "has(self.connection) != has(self.otherKind)",
        "message": "exactly one of connection and otherKind",
    }]))]
    pub struct SourceSpec {
        /// Metadata key `sources[].name`.
        pub name: Identity,
        /// Metadata key `sources[].configuration.connection_info`: the primary.
        pub connection: Option<Connection>,
        /// Metadata key `sources[].configuration.read_replicas`.
        #[schemars(length(min = 1, max = 100))]
        pub read_replicas: Option<Vec<Connection>>,
        /// Metadata key `sources[].configuration.connection_template`.
        pub connection_template: Option<ConnectionTemplate>,
        /// Metadata key `sources[].configuration.connection_set`: connections that the template picks from.
        #[schemars(length(max = 100))]
        pub connection_set: Option<Vec<NamedConnection>>,
        /// Metadata key `sources[].configuration.extensions_schema`; absent means `public`.
        pub extensions_schema: Option<String>,
        /// Metadata key `sources[].query_tags`.
        pub query_tags: Option<QueryTags>,
        /// Metadata key `sources[].customization`.
        pub customization: Option<SourceCustomization>,
        /// Metadata key `sources[].health_check`.
        pub health_check: Option<HealthCheck>,
        /// Metadata key `sources[].stored_procedures`, as written.
        pub stored_procedures: Option<Vec<AnyJson>>,
        /// Metadata key `sources[].kind`, of a source that is not Postgres; it is kept and not served.
        pub other_kind: Option<OtherKind>,
        /// What is served while this object is not acceptable; absent means what the engine says.
        pub on_invalid: Option<OnInvalid>,
    }
}

part! {
    /// A source that is not Postgres.
    pub struct OtherKind {
        /// The name of the kind: metadata key `kind`.
        pub name: String,
        /// All other keys of the source, as written.
        pub definition: Option<JsonObject>,
    }
}

part! {
    /// How to reach one database. Exactly one of `url`, `urlFrom`, `parameters` and `dynamicFromFile`.
    #[schemars(extend("x-kubernetes-validations" = [{
        "rule": "[has(self.url), has(self.urlFrom), has(self.parameters), has(self.dynamicFromFile)].filter(x, x).size() == 1",
        "message": "exactly one of url, urlFrom, parameters and dynamicFromFile",
    }]))]
    pub struct Connection {
        /// Metadata key `database_url`: a connection string in which `{{NAME}}` stands for environment variables.
        /// A password does not belong here: use `urlFrom`.
        pub url: Option<String>,
        /// Metadata key `database_url.from_env`: the connection string.
        pub url_from: Option<ValueFrom>,
        /// Metadata key `database_url.connection_parameters`.
        pub parameters: Option<ConnectionParameters>,
        /// Metadata key `database_url.dynamic_from_file`: the path of a file in the pod that holds the connection
        /// string. Only in the namespace of the Engine.
        pub dynamic_from_file: Option<String>,
        /// Metadata key `pool_settings`.
        pub pool: Option<Pool>,
        /// Metadata key `use_prepared_statements`.
        pub use_prepared_statements: Option<bool>,
        /// Metadata key `isolation_level`.
        pub isolation_level: Option<IsolationLevel>,
        /// Metadata key `ssl_configuration`.
        pub tls: Option<Tls>,
    }
}

part! {
    /// A connection with a name, for a connection template.
    pub struct NamedConnection {
        /// Metadata key `name`.
        pub name: String,
        /// Metadata key `connection_info`.
        pub connection: Connection,
    }
}

part! {
    /// The parts of a connection string.
    pub struct ConnectionParameters {
        /// Metadata key `host`.
        pub host: String,
        /// Metadata key `port`.
        #[schemars(range(min = 1, max = 65535))]
        pub port: u16,
        /// Metadata key `database`.
        pub database: String,
        /// Metadata key `username`.
        pub username: String,
        /// Metadata key `password`: for databases whose password is no secret; else use `urlFrom`.
        pub password: Option<String>,
    }
}

part! {
    /// The size and the patience of a connection pool.
    pub struct Pool {
        /// Metadata key `max_connections`, of one pod.
        pub max_connections: Option<u32>,
        /// Metadata key `total_max_connections`.
        pub total_max_connections: Option<u32>,
        /// Metadata key `idle_timeout`: seconds.
        pub idle_timeout_seconds: Option<u32>,
        /// Metadata key `retries`.
        pub retries: Option<u32>,
        /// Metadata key `pool_timeout`: seconds.
        pub pool_timeout_seconds: Option<Decimal>,
        /// Metadata key `connection_lifetime`: seconds.
        pub connection_lifetime_seconds: Option<Decimal>,
    }
}

choice! {
    /// Metadata key `isolation_level`.
    pub enum IsolationLevel {
        /// `read-committed`
        ReadCommitted,
        /// `repeatable-read`
        RepeatableRead,
        /// `serializable`
        Serializable,
    }
}

part! {
    /// How a connection is encrypted.
    #[schemars(extend("x-kubernetes-validations" = [{
        "rule": "!(has(self.password) && has(self.passwordFrom))",
        "message": "at most one of password and passwordFrom",
    }]))]
    pub struct Tls {
        /// Metadata key `sslmode`.
        pub mode: TlsMode,
        /// Metadata key `sslrootcert`: PEM.
        pub root_certificate_from: Option<ValueFrom>,
        /// Metadata key `sslcert`: PEM.
        pub certificate_from: Option<ValueFrom>,
        /// Metadata key `sslkey`: PEM.
        pub key_from: Option<ValueFrom>,
        /// Metadata key `sslpassword`, as it is.
        pub password: Option<String>,
        /// Metadata key `sslpassword`.
        pub password_from: Option<ValueFrom>,
    }
}

choice! {
    /// Metadata key `sslmode`.
    pub enum TlsMode {
        /// `disable`
        Disable,
        /// `allow`
        Allow,
        /// `prefer`
        Prefer,
        /// `require`
        Require,
        /// `verify-ca`
        VerifyCa,
        /// `verify-full`
        VerifyFull,
    }
}

part! {
    /// A template that picks a connection per request.
    pub struct ConnectionTemplate {
        /// Metadata key `version`; the only one is 1.
        pub version: Option<u32>,
        /// Metadata key `template`.
        pub template: String,
    }
}

part! {
    /// Comments appended to SQL.
    pub struct QueryTags {
        /// Metadata key `disabled`.
        pub disabled: Option<bool>,
        /// Metadata key `format`.
        pub format: Option<QueryTagsFormat>,
        /// Metadata key `omit_request_id`.
        pub omit_request_id: Option<bool>,
    }
}

choice! {
    /// Metadata key `format`.
    pub enum QueryTagsFormat {
        /// `standard`
        Standard,
        /// `sqlcommenter`
        SqlCommenter,
    }
}

part! {
    /// How the names of a source appear in the API.
    pub struct SourceCustomization {
        /// Metadata key `naming_convention`.
        pub naming_convention: Option<NamingConvention>,
        /// Metadata key `root_fields`.
        pub root_fields: Option<RootFieldsCustomization>,
        /// Metadata key `type_names`.
        pub type_names: Option<TypeNamesCustomization>,
    }
}

choice! {
    /// Metadata key `naming_convention`.
    pub enum NamingConvention {
        /// `hasura-default`
        HasuraDefault,
        /// `graphql-default`
        GraphqlDefault,
    }
}

part! {
    /// Names of root fields.
    pub struct RootFieldsCustomization {
        /// Metadata key `namespace`.
        pub namespace: Option<GraphqlName>,
        /// Metadata key `prefix`.
        pub prefix: Option<GraphqlName>,
        /// Metadata key `suffix`.
        pub suffix: Option<String>,
    }
}

part! {
    /// Names of GraphQL types.
    pub struct TypeNamesCustomization {
        /// Metadata key `prefix`.
        pub prefix: Option<GraphqlName>,
        /// Metadata key `suffix`.
        pub suffix: Option<String>,
    }
}

part! {
    /// How the database is asked whether it is well.
    pub struct HealthCheck {
        /// Metadata key `test.sql`; absent means `SELECT 1`.
        pub sql: Option<String>,
        /// Metadata key `interval`: seconds.
        pub interval_seconds: u32,
        /// Metadata key `retries`.
        pub retries: Option<u32>,
        /// Metadata key `retry_interval`: seconds.
        pub retry_interval_seconds: Option<u32>,
        /// Metadata key `timeout`: seconds.
        pub timeout_seconds: Option<u32>,
    }
}
