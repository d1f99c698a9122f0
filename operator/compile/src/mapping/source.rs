//! Sources and what stands in them beside tables.

use super::shared::{MANUAL, QUALIFIED_NAME, ROOT_FIELD, SELECT};
use super::{Adjusted, Field, Lens, adjust, fields};

/// A source.
pub(super) const SOURCE: Lens = Lens::Adjusted(&Adjusted {
    inner: &Lens::Object(SOURCE_FIELDS),
    covers: &Lens::Object(SOURCE_COVERED),
    forward: adjust::source_forward,
    backward: adjust::source_backward,
});
const SOURCE_FIELDS: &[Field] = fields![
    "name" => "name" Lens::Same,
    "connection" => "configuration.connection_info" CONNECTION,
    "readReplicas" => "configuration.read_replicas" Lens::List(&CONNECTION),
    "connectionTemplate" => "configuration.connection_template" Lens::Object(fields![
        "version" => "version" Lens::Same,
        "template" => "template" Lens::Same,
    ]),
    "connectionSet" => "configuration.connection_set" Lens::List(&Lens::Object(fields![
        "name" => "name" Lens::Same,
        "connection" => "connection_info" CONNECTION,
    ])),
    "extensionsSchema" => "configuration.extensions_schema" Lens::Same,
    "queryTags" => "query_tags" Lens::Object(fields![
        "disabled" => "disabled" Lens::Same,
        "format" => "format" Lens::Words(&[("Standard", "standard"), ("SqlCommenter", "sqlcommenter")]),
        "omitRequestId" => "omit_request_id" Lens::Same,
    ]),
    "customization" => "customization" Lens::Object(fields![
        "namingConvention" => "naming_convention" Lens::Words(&[
            ("HasuraDefault", "hasura-default"),
            ("GraphqlDefault", "graphql-default"),
        ]),
        "rootFields" => "root_fields" Lens::Object(fields![
            "namespace" => "namespace" Lens::Same,
            "prefix" => "prefix" Lens::Same,
            "suffix" => "suffix" Lens::Same,
        ]),
        "typeNames" => "type_names" Lens::Object(fields![
            "prefix" => "prefix" Lens::Same,
            "suffix" => "suffix" Lens::Same,
        ]),
    ]),
    "healthCheck" => "health_check" Lens::Object(fields![
        "sql" => "test.sql" Lens::Same,
        "intervalSeconds" => "interval" Lens::Same,
        "retries" => "retries" Lens::Same,
        "retryIntervalSeconds" => "retry_interval" Lens::Same,
        "timeoutSeconds" => "timeout" Lens::Same,
    ]),
    "storedProcedures" => "stored_procedures" Lens::List(&Lens::Json),
    "otherKind" => "other_kind" Lens::Object(fields![
        "name" => "name" Lens::Same,
        "definition" => "definition" Lens::Json,
    ]),
    "onInvalid" => "" Lens::Same,
];
/// `SOURCE_FIELDS` with the key that `otherKind` is about. The lists have kinds of their own.
const SOURCE_COVERED: &[Field] = fields![
    "" => "kind" Lens::Same,
    "" => "/sources[].name" Lens::Same,
    "" => "/sources[]" Lens::Object(SOURCE_FIELDS),
];

const CONNECTION: Lens = Lens::Shared(
    "<connection info>",
    &Lens::Object(fields![
        "url" => "database_url" Lens::Text,
        "urlFrom" => "database_url" Lens::Adjusted(&Adjusted {
            inner: &Lens::FromEnv,
            covers: &Lens::Object(fields!["" => "from_env" Lens::Same]),
            forward: adjust::same,
            backward: adjust::keep,
        }),
        "parameters" => "database_url.connection_parameters" Lens::Object(fields![
            "host" => "host" Lens::Same,
            "port" => "port" Lens::Same,
            "database" => "database" Lens::Same,
            "username" => "username" Lens::Same,
            "password" => "password" Lens::Same,
        ]),
        "dynamicFromFile" => "database_url.dynamic_from_file" Lens::Same,
        "pool" => "pool_settings" Lens::Object(fields![
            "maxConnections" => "max_connections" Lens::Same,
            "totalMaxConnections" => "total_max_connections" Lens::Same,
            "idleTimeoutSeconds" => "idle_timeout" Lens::Same,
            "retries" => "retries" Lens::Same,
            "poolTimeoutSeconds" => "pool_timeout" Lens::Decimal,
            "connectionLifetimeSeconds" => "connection_lifetime" Lens::Decimal,
        ]),
        "usePreparedStatements" => "use_prepared_statements" Lens::Same,
        "isolationLevel" => "isolation_level" Lens::Words(&[
            ("ReadCommitted", "read-committed"),
            ("RepeatableRead", "repeatable-read"),
            ("Serializable", "serializable"),
        ]),
        "tls" => "ssl_configuration" Lens::Object(fields![
            "mode" => "sslmode" Lens::Words(&[
                ("Disable", "disable"),
                ("Allow", "allow"),
                ("Prefer", "prefer"),
                ("Require", "require"),
                ("VerifyCa", "verify-ca"),
                ("VerifyFull", "verify-full"),
            ]),
            "rootCertificateFrom" => "sslrootcert" Lens::FromEnv,
            "certificateFrom" => "sslcert" Lens::FromEnv,
            "keyFrom" => "sslkey" Lens::FromEnv,
            "password" => "sslpassword" Lens::Text,
            "passwordFrom" => "sslpassword" Lens::FromEnv,
        ]),
    ]),
);

/// A function.
pub(super) const FUNCTION: Lens = Lens::Object(fields![
    "sourceRef" => "" Lens::Same,
    "function" => "function" QUALIFIED_NAME,
    "customName" => "configuration.custom_name" Lens::Same,
    "rootFields" => "configuration.custom_root_fields" Lens::Shown(&Lens::Object(fields![
        "function" => "function" ROOT_FIELD,
        "functionAggregate" => "function_aggregate" ROOT_FIELD,
    ])),
    "sessionArgument" => "configuration.session_argument" Lens::Same,
    "exposedAs" => "configuration.exposed_as" Lens::Words(&[("Query", "query"), ("Mutation", "mutation")]),
    "response" => "configuration.response" Lens::Object(fields![
        "type" => "type" Lens::Words(&[("Table", "table"), ("LogicalModel", "logical_model")]),
        "table" => "table" QUALIFIED_NAME,
        "logicalModel" => "logical_model" Lens::Same,
    ]),
    "permissions" => "permissions" Lens::List(&Lens::Object(fields!["role" => "role" Lens::Same])),
    "comment" => "comment" Lens::Same,
    "onInvalid" => "" Lens::Same,
]);

/// A native query.
pub(super) const NATIVE_QUERY: Lens = Lens::Object(fields![
    "sourceRef" => "" Lens::Same,
    "rootFieldName" => "root_field_name" Lens::Same,
    "code" => "code" Lens::Same,
    "returns" => "returns" Lens::Adjusted(&Adjusted {
        inner: &Lens::Object(fields![
            "logicalModel" => "named" Lens::Same,
            "inline" => "inline" Lens::Object(INLINE_MODEL),
        ]),
        covers: &Lens::Object(INLINE_MODEL),
        forward: adjust::either_forward,
        backward: adjust::returns_backward,
    }),
    "arguments" => "arguments" Lens::Keyed {
        key: "name",
        value: None,
        lens: &Lens::Object(fields![
            "type" => "type" Lens::Same,
            "nullable" => "nullable" Lens::Same,
            "description" => "description" Lens::Same,
        ]),
    },
    "objectRelationships" => "object_relationships" NATIVE_QUERY_RELATIONSHIPS,
    "arrayRelationships" => "array_relationships" NATIVE_QUERY_RELATIONSHIPS,
    "description" => "description" Lens::Same,
    "onInvalid" => "" Lens::Same,
]);
const NATIVE_QUERY_RELATIONSHIPS: Lens = Lens::List(&Lens::Object(fields![
    "name" => "name" Lens::Same,
    "manual" => "using" MANUAL,
    "comment" => "comment" Lens::Same,
]));
const INLINE_MODEL: &[Field] = fields![
    "fields" => "fields" MODEL_FIELDS,
    "selectPermissions" => "select_permissions" MODEL_PERMISSIONS,
];
const MODEL_PERMISSIONS: Lens = Lens::List(&Lens::Adjusted(&Adjusted {
    inner: &Lens::Object(fields![
        "role" => "role" Lens::Same,
        "select" => "select" Lens::Object(SELECT),
    ]),
    covers: &Lens::Object(SELECT),
    forward: adjust::model_permission_forward,
    backward: adjust::model_permission_backward,
}));
const MODEL_FIELDS: Lens = Lens::List(&Lens::Shared(
    "<logical model field>",
    &Lens::Object(fields![
        "name" => "name" Lens::Same,
        "type" => "type" Lens::Adjusted(&Adjusted {
            inner: &Lens::Object(fields![
                "scalar" => "scalar" Lens::Same,
                "logicalModel" => "logical_model" Lens::Same,
                "nullable" => "nullable" Lens::Same,
                "arrays" => "arrays" Lens::List(&Lens::Object(fields!["nullable" => "nullable" Lens::Same])),
            ]),
            covers: &Lens::Object(fields![
                "" => "scalar" Lens::Same,
                "" => "logical_model" Lens::Same,
                "" => "nullable" Lens::Same,
                "" => "array" Lens::Same,
            ]),
            forward: adjust::type_forward,
            backward: adjust::type_backward,
        }),
        "description" => "description" Lens::Same,
    ]),
));

/// A logical model.
pub(super) const LOGICAL_MODEL: Lens = Lens::Object(fields![
    "sourceRef" => "" Lens::Same,
    "name" => "name" Lens::Same,
    "description" => "description" Lens::Same,
    "fields" => "fields" MODEL_FIELDS,
    "selectPermissions" => "select_permissions" MODEL_PERMISSIONS,
    "onInvalid" => "" Lens::Same,
]);
