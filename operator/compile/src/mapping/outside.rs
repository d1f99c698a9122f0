//! What stands outside sources.

use super::shared::{
    HEADERS, QUALIFIED_NAME, RELATIONSHIP_TYPE, REMOTE_RELATIONSHIPS, REQUEST_TRANSFORM, RESPONSE_TRANSFORM,
};
use super::{Adjusted, Field, Lens, adjust, fields};

/// An action.
pub(super) const ACTION: Lens = Lens::Object(fields![
    "name" => "name" Lens::Same,
    "type" => "definition.type" Lens::Words(&[("Query", "query"), ("Mutation", "mutation")]),
    "kind" => "definition.kind" Lens::Words(&[("Synchronous", "synchronous"), ("Asynchronous", "asynchronous")]),
    "handler" => "definition.handler" Lens::Same,
    "arguments" => "definition.arguments" Lens::List(&Lens::Object(fields![
        "name" => "name" Lens::Same,
        "type" => "type" Lens::Same,
        "description" => "description" Lens::Same,
    ])),
    "outputType" => "definition.output_type" Lens::Same,
    "headers" => "definition.headers" HEADERS,
    "forwardClientHeaders" => "definition.forward_client_headers" Lens::Same,
    "ignoredClientHeaders" => "definition.ignored_client_headers" Lens::Same,
    "timeoutSeconds" => "definition.timeout" Lens::Same,
    "requestTransform" => "definition.request_transform" REQUEST_TRANSFORM,
    "responseTransform" => "definition.response_transform" RESPONSE_TRANSFORM,
    "permissions" => "permissions" Lens::List(&Lens::Object(fields![
        "role" => "role" Lens::Same,
        "comment" => "comment" Lens::Same,
    ])),
    "comment" => "comment" Lens::Same,
    "types" => "/custom_types" CUSTOM_TYPES,
    "onInvalid" => "" Lens::Same,
]);

/// Types without an action.
pub(super) const ACTION_TYPES: Lens = Lens::Object(fields![
    "types" => "/custom_types" CUSTOM_TYPES,
    "onInvalid" => "" Lens::Same,
]);

const CUSTOM_TYPES: Lens = Lens::Object(fields![
    "inputObjects" => "input_objects" Lens::List(&Lens::Object(fields![
        "name" => "name" Lens::Same,
        "fields" => "fields" Lens::List(&Lens::Object(fields![
            "name" => "name" Lens::Same,
            "type" => "type" Lens::Same,
            "description" => "description" Lens::Same,
        ])),
        "description" => "description" Lens::Same,
    ])),
    "objects" => "objects" Lens::List(&Lens::Object(fields![
        "name" => "name" Lens::Same,
        "fields" => "fields" Lens::List(&Lens::Object(fields![
            "name" => "name" Lens::Same,
            "type" => "type" Lens::Same,
            "arguments" => "arguments" Lens::Json,
            "description" => "description" Lens::Same,
        ])),
        "description" => "description" Lens::Same,
        "relationships" => "relationships" Lens::List(&Lens::Object(fields![
            "name" => "name" Lens::Same,
            "type" => "type" RELATIONSHIP_TYPE,
            "source" => "source" Lens::Same,
            "remoteTable" => "remote_table" QUALIFIED_NAME,
            "fieldMapping" => "field_mapping" Lens::Same,
        ])),
    ])),
    "scalars" => "scalars" Lens::List(&Lens::Object(fields![
        "name" => "name" Lens::Same,
        "description" => "description" Lens::Same,
    ])),
    "enums" => "enums" Lens::List(&Lens::Object(fields![
        "name" => "name" Lens::Same,
        "values" => "values" Lens::List(&Lens::Object(fields![
            "value" => "value" Lens::Same,
            "description" => "description" Lens::Same,
            "isDeprecated" => "is_deprecated" Lens::Same,
        ])),
        "description" => "description" Lens::Same,
    ])),
]);

/// A remote schema.
pub(super) const REMOTE_SCHEMA: Lens = Lens::Object(fields![
    "name" => "name" Lens::Same,
    "url" => "definition.url" Lens::Same,
    "urlFrom" => "definition.url_from_env" Lens::EnvName,
    "timeoutSeconds" => "definition.timeout_seconds" Lens::Same,
    "headers" => "definition.headers" HEADERS,
    "forwardClientHeaders" => "definition.forward_client_headers" Lens::Same,
    "customization" => "definition.customization" Lens::Object(fields![
        "rootFieldsNamespace" => "root_fields_namespace" Lens::Same,
        "typeNames" => "type_names" Lens::Object(fields![
            "prefix" => "prefix" Lens::Same,
            "suffix" => "suffix" Lens::Same,
            "mapping" => "mapping" Lens::Same,
        ]),
        "fieldNames" => "field_names" Lens::List(&Lens::Object(fields![
            "parentType" => "parent_type" Lens::Same,
            "prefix" => "prefix" Lens::Same,
            "suffix" => "suffix" Lens::Same,
            "mapping" => "mapping" Lens::Same,
        ])),
    ]),
    "remoteRelationships" => "remote_relationships" Lens::List(&Lens::Object(fields![
        "typeName" => "type_name" Lens::Same,
        "relationships" => "relationships" REMOTE_RELATIONSHIPS,
    ])),
    "comment" => "comment" Lens::Same,
    "onInvalid" => "" Lens::Same,
]);

/// A permission on a remote schema.
pub(super) const REMOTE_SCHEMA_PERMISSION: Lens = Lens::Object(fields![
    "remoteSchemaRef" => "" Lens::Same,
    "role" => "role" Lens::Same,
    "schema" => "definition.schema" Lens::Same,
    "comment" => "comment" Lens::Same,
    "position" => "" Lens::Same,
    "onInvalid" => "" Lens::Same,
]);

/// A cron trigger.
pub(super) const CRON_TRIGGER: Lens = Lens::Adjusted(&Adjusted {
    inner: &Lens::Object(CRON_TRIGGER_FIELDS),
    covers: &Lens::Object(CRON_TRIGGER_FIELDS),
    forward: adjust::cron_forward,
    backward: adjust::keep,
});
const CRON_TRIGGER_FIELDS: &[Field] = fields![
    "name" => "name" Lens::Same,
    "schedule" => "schedule" Lens::Same,
    "webhook" => "webhook" Lens::Text,
    "webhookFrom" => "webhook" Lens::FromEnv,
    "includeInMetadata" => "include_in_metadata" Lens::Same,
    "payload" => "payload" Lens::Json,
    "headers" => "headers" HEADERS,
    "retry" => "retry_conf" Lens::Object(fields![
        "retries" => "num_retries" Lens::Same,
        "intervalSeconds" => "retry_interval_seconds" Lens::Decimal,
        "timeoutSeconds" => "timeout_seconds" Lens::Decimal,
        "toleranceSeconds" => "tolerance_seconds" Lens::Decimal,
    ]),
    "requestTransform" => "request_transform" REQUEST_TRANSFORM,
    "responseTransform" => "response_transform" RESPONSE_TRANSFORM,
    "comment" => "comment" Lens::Same,
    "onInvalid" => "" Lens::Same,
];

/// An inherited role.
pub(super) const INHERITED_ROLE: Lens = Lens::Object(fields![
    "role" => "role_name" Lens::Same,
    "parents" => "role_set" Lens::Same,
    "onInvalid" => "" Lens::Same,
]);

/// A query collection and its entry in the allow list.
pub(super) const QUERY_COLLECTION: Lens = Lens::Object(fields![
    "name" => "name" Lens::Same,
    "queries" => "definition.queries" Lens::List(&Lens::Object(fields![
        "name" => "name" Lens::Same,
        "query" => "query" Lens::Same,
    ])),
    "comment" => "comment" Lens::Same,
    "allowList" => "/allowlist[].scope" Lens::Adjusted(&Adjusted {
        inner: &Lens::Object(ALLOW_LIST),
        covers: &Lens::Object(ALLOW_LIST),
        forward: adjust::scope_forward,
        backward: adjust::scope_backward,
    }),
    // The name of the collection, once more.
    "" => "/allowlist[].collection" Lens::Same,
    "onInvalid" => "" Lens::Same,
]);
const ALLOW_LIST: &[Field] = fields![
    "scope" => "global" Lens::Words(&[("Global", "global"), ("Roles", "roles")]),
    "roles" => "roles" Lens::Same,
];

/// A REST endpoint. The name of its collection follows from the reference.
pub(super) const REST_ENDPOINT: Lens = Lens::Object(fields![
    "name" => "name" Lens::Same,
    "url" => "url" Lens::Same,
    "methods" => "methods" Lens::Same,
    "collectionRef" => "" Lens::Same,
    "" => "definition.query.collection_name" Lens::Same,
    "query" => "definition.query.query_name" Lens::Same,
    "comment" => "comment" Lens::Same,
    "onInvalid" => "" Lens::Same,
]);

/// Limits.
pub(super) const API_LIMITS: Lens = Lens::Object(fields![
    "disabled" => "disabled" Lens::Same,
    "depth" => "depth_limit" COUNT_LIMIT,
    "nodes" => "node_limit" COUNT_LIMIT,
    "timeSeconds" => "time_limit" Lens::Object(fields![
        "global" => "global" Lens::Decimal,
        "roles" => "per_role" Lens::Shown(&Lens::Keyed { key: "role", value: Some("value"), lens: &Lens::Decimal }),
    ]),
    "batch" => "batch_limit" COUNT_LIMIT,
    "rate" => "rate_limit" Lens::Object(fields![
        "global" => "global" Lens::Object(RATE),
        "roles" => "per_role" Lens::Shown(&Lens::Keyed { key: "role", value: None, lens: &Lens::Object(RATE) }),
    ]),
    "onInvalid" => "" Lens::Same,
]);
const COUNT_LIMIT: Lens = Lens::Object(fields![
    "global" => "global" Lens::Same,
    "roles" => "per_role" Lens::Shown(&Lens::Keyed { key: "role", value: Some("value"), lens: &Lens::Same }),
]);
const RATE: &[Field] = fields![
    "maxRequestsPerMinute" => "max_reqs_per_min" Lens::Same,
    "uniqueParams" => "unique_params" Lens::Adjusted(&Adjusted {
        inner: &Lens::Same,
        covers: &Lens::Same,
        forward: adjust::address_forward,
        backward: adjust::address_backward,
    }),
];

/// The settings of an engine that are a part of the document, and the others.
pub(super) const ENGINE: Lens = Lens::Object(fields![
    "replicas" => "" Lens::Same,
    "image" => "" Lens::Same,
    "objectSelector" => "" Lens::Same,
    "namespaceSelector" => "" Lens::Same,
    "onInvalid" => "" Lens::Same,
    "paused" => "" Lens::Same,
    "auth" => "" Lens::Same,
    "cors" => "" Lens::Same,
    "logs" => "" Lens::Same,
    "apis" => "" Lens::Same,
    "allowList" => "" Lens::Same,
    "remoteSchemaPermissions" => "" Lens::Same,
    "functionPermissions" => "" Lens::Same,
    "defaultNamingConvention" => "" Lens::Same,
    "stringifyNumericTypes" => "" Lens::Same,
    "env" => "" Lens::Same,
    "service" => "" Lens::Same,
    "template" => "" Lens::Same,
    "metrics" => "metrics_config" Lens::Object(fields![
        "analyzeQueryVariables" => "analyze_query_variables" Lens::Same,
        "analyzeResponseBody" => "analyze_response_body" Lens::Same,
    ]),
    "introspection" => "graphql_schema_introspection" Lens::Object(fields![
        "disabledForRoles" => "disabled_for_roles" Lens::Same,
    ]),
    "network" => "network" Lens::Object(fields![
        "tlsAllowList" => "tls_allowlist" Lens::List(&Lens::Object(fields![
            "host" => "host" Lens::Same,
            "suffix" => "suffix" Lens::Same,
            "permissions" => "permissions" Lens::List(&Lens::Words(&[("SelfSigned", "self-signed")])),
        ])),
    ]),
    "backendConfigs" => "backend_configs" Lens::Json,
    "openTelemetry" => "opentelemetry" Lens::Object(fields![
        "status" => "status" Lens::Same,
        "dataTypes" => "data_types" Lens::List(&Lens::Words(&[
            ("Traces", "traces"),
            ("Metrics", "metrics"),
            ("Logs", "logs"),
        ])),
        "exporter" => "exporter_otlp" Lens::Object(fields![
            "tracesEndpoint" => "otlp_traces_endpoint" Lens::Same,
            "metricsEndpoint" => "otlp_metrics_endpoint" Lens::Same,
            "logsEndpoint" => "otlp_logs_endpoint" Lens::Same,
            "protocol" => "protocol" Lens::Words(&[("HttpProtobuf", "http/protobuf")]),
            "headers" => "headers" HEADERS,
            "resourceAttributes" => "resource_attributes" Lens::List(&Lens::Object(fields![
                "name" => "name" Lens::Same,
                "value" => "value" Lens::Same,
            ])),
            "tracesPropagators" => "traces_propagators" Lens::List(&Lens::Words(&[
                ("B3", "b3"),
                ("TraceContext", "tracecontext"),
            ])),
        ]),
        "maxExportBatchSize" => "batch_span_processor.max_export_batch_size" Lens::Same,
    ]),
]);
