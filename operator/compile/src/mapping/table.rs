//! Tables, permissions on them, and event triggers.

use super::shared::{
    COLUMNS, HEADERS, MANUAL, QUALIFIED_NAME, REMOTE_RELATIONSHIPS, REQUEST_TRANSFORM, RESPONSE_TRANSFORM,
    ROOT_FIELD, SELECT,
};
use super::{Adjusted, Field, Lens, adjust, fields};

/// A table.
pub(super) const TABLE: Lens = Lens::Object(fields![
    "sourceRef" => "" Lens::Same,
    "table" => "table" QUALIFIED_NAME,
    "isEnum" => "is_enum" Lens::Same,
    "customName" => "configuration.custom_name" Lens::Same,
    "comment" => "configuration.comment" Lens::Same,
    "columns" => "configuration.column_config" Lens::Shown(&Lens::Keyed {
        key: "name",
        value: None,
        lens: &Lens::Object(fields![
            "customName" => "custom_name" Lens::Same,
            "comment" => "comment" Lens::Same,
        ]),
    }),
    "rootFields" => "configuration.custom_root_fields" Lens::Shown(&Lens::Object(fields![
        "select" => "select" ROOT_FIELD,
        "selectByPk" => "select_by_pk" ROOT_FIELD,
        "selectAggregate" => "select_aggregate" ROOT_FIELD,
        "selectStream" => "select_stream" ROOT_FIELD,
        "insert" => "insert" ROOT_FIELD,
        "insertOne" => "insert_one" ROOT_FIELD,
        "update" => "update" ROOT_FIELD,
        "updateByPk" => "update_by_pk" ROOT_FIELD,
        "updateMany" => "update_many" ROOT_FIELD,
        "delete" => "delete" ROOT_FIELD,
        "deleteByPk" => "delete_by_pk" ROOT_FIELD,
    ])),
    // The older form of column names, which follows from the newer one.
    "" => "configuration.custom_column_names" Lens::Same,
    "objectRelationships" => "object_relationships" Lens::List(&Lens::Adjusted(&Adjusted {
        inner: &Lens::Object(OBJECT_RELATIONSHIP),
        covers: &Lens::Object(OBJECT_RELATIONSHIP),
        forward: adjust::object_relationship_forward,
        backward: adjust::keep,
    })),
    "arrayRelationships" => "array_relationships" Lens::List(&Lens::Adjusted(&Adjusted {
        inner: &Lens::Object(ARRAY_RELATIONSHIP),
        covers: &Lens::Object(ARRAY_RELATIONSHIP),
        forward: adjust::array_relationship_forward,
        backward: adjust::keep,
    })),
    "computedFields" => "computed_fields" Lens::List(&Lens::Object(fields![
        "name" => "name" Lens::Same,
        "function" => "definition.function" QUALIFIED_NAME,
        "tableArgument" => "definition.table_argument" Lens::Same,
        "sessionArgument" => "definition.session_argument" Lens::Same,
        "comment" => "comment" Lens::Same,
    ])),
    "remoteRelationships" => "remote_relationships" REMOTE_RELATIONSHIPS,
    "apolloFederation" => "apollo_federation_config.enable" Lens::Words(&[("V1", "v1")]),
    "logicalModel" => "logical_model" Lens::Same,
    "onInvalid" => "" Lens::Same,
]);
const OBJECT_RELATIONSHIP: &[Field] = fields![
        "name" => "name" Lens::Same,
        "foreignKey" => "using.foreign_key_constraint_on" Lens::Adjusted(&Adjusted {
            inner: &Lens::Object(fields!["columns" => "columns" Lens::Same]),
            covers: &Lens::Same,
            forward: adjust::foreign_key_forward,
            backward: adjust::foreign_key_backward,
        }),
        "remoteForeignKey" => "using.foreign_key_constraint_on" REMOTE_FOREIGN_KEY,
        "manual" => "using.manual_configuration" MANUAL,
        "comment" => "comment" Lens::Same,
];
const ARRAY_RELATIONSHIP: &[Field] = fields![
        "name" => "name" Lens::Same,
        "remoteForeignKey" => "using.foreign_key_constraint_on" REMOTE_FOREIGN_KEY,
        "manual" => "using.manual_configuration" MANUAL,
        "comment" => "comment" Lens::Same,
];
const REMOTE_FOREIGN_KEY: Lens = Lens::Adjusted(&Adjusted {
    inner: &Lens::Object(REMOTE_FOREIGN_KEY_FIELDS),
    covers: &Lens::Object(fields![
        "" => "column" Lens::Same,
        "" => "columns" Lens::Same,
        "" => "table" Lens::Same,
    ]),
    forward: adjust::same,
    backward: adjust::remote_key_backward,
});
const REMOTE_FOREIGN_KEY_FIELDS: &[Field] = fields![
    "table" => "table" QUALIFIED_NAME,
    "columns" => "columns" Lens::Same,
];

/// The verbs of a role on a table.
pub(super) const PERMISSION: Lens = Lens::Object(fields![
    "tableRef" => "" Lens::Same,
    "role" => "role" Lens::Same,
    "select" => "select_permissions[]" Lens::Object(SELECT),
    "insert" => "insert_permissions[]" Lens::Adjusted(&Adjusted {
        inner: &Lens::Object(INSERT),
        covers: &Lens::Object(INSERT),
        forward: adjust::insert_forward,
        backward: adjust::insert_backward,
    }),
    "update" => "update_permissions[]" Lens::Adjusted(&Adjusted {
        inner: &Lens::Object(UPDATE),
        covers: &Lens::Object(UPDATE),
        forward: adjust::same,
        backward: adjust::update_backward,
    }),
    "delete" => "delete_permissions[]" Lens::Object(DELETE),
    "onInvalid" => "" Lens::Same,
]);
const INSERT: &[Field] = fields![
    "" => "role" Lens::Same,
    "columns" => "permission.columns" COLUMNS,
    "columnsForm" => "columns_form" Lens::Words(&[("Explicit", "explicit"), ("Implicit", "implicit")]),
    "check" => "permission.check" Lens::Json,
    "set" => "permission.set" Lens::Json,
    "backendOnly" => "permission.backend_only" Lens::Same,
    "validateInput" => "permission.validate_input" VALIDATE_INPUT,
    "comment" => "comment" Lens::Same,
];
const UPDATE: &[Field] = fields![
    "" => "role" Lens::Same,
    "columns" => "permission.columns" COLUMNS,
    "filter" => "permission.filter" Lens::Json,
    "check" => "permission.check" Lens::NullableJson,
    "set" => "permission.set" Lens::Json,
    "backendOnly" => "permission.backend_only" Lens::Same,
    "validateInput" => "permission.validate_input" VALIDATE_INPUT,
    "comment" => "comment" Lens::Same,
];
const DELETE: &[Field] = fields![
    "" => "role" Lens::Same,
    "filter" => "permission.filter" Lens::Json,
    "backendOnly" => "permission.backend_only" Lens::Same,
    "validateInput" => "permission.validate_input" VALIDATE_INPUT,
    "comment" => "comment" Lens::Same,
];
const VALIDATE_INPUT: Lens = Lens::Shared(
    "<input validation>",
    &Lens::Object(fields![
        "type" => "type" Lens::Words(&[("Http", "http")]),
        "url" => "definition.url" Lens::Same,
        "headers" => "definition.headers" HEADERS,
        "forwardClientHeaders" => "definition.forward_client_headers" Lens::Same,
        "timeoutSeconds" => "definition.timeout" Lens::Same,
    ]),
);

/// An event trigger.
pub(super) const EVENT_TRIGGER: Lens = Lens::Adjusted(&Adjusted {
    inner: &Lens::Object(EVENT_TRIGGER_FIELDS),
    covers: &Lens::Object(EVENT_TRIGGER_FIELDS),
    forward: adjust::event_trigger_forward,
    backward: adjust::keep,
});
const EVENT_TRIGGER_FIELDS: &[Field] = fields![
    "tableRef" => "" Lens::Same,
    "name" => "name" Lens::Same,
    "insert" => "definition.insert" EVENT_OPERATION,
    "update" => "definition.update" EVENT_OPERATION,
    "delete" => "definition.delete" EVENT_OPERATION,
    "enableManual" => "definition.enable_manual" Lens::Same,
    "webhook" => "webhook" Lens::Same,
    "webhookFrom" => "webhook_from_env" Lens::EnvName,
    "headers" => "headers" HEADERS,
    "retry" => "retry_conf" Lens::Object(fields![
        "retries" => "num_retries" Lens::Same,
        "intervalSeconds" => "interval_sec" Lens::Same,
        "timeoutSeconds" => "timeout_sec" Lens::Same,
    ]),
    "requestTransform" => "request_transform" REQUEST_TRANSFORM,
    "responseTransform" => "response_transform" RESPONSE_TRANSFORM,
    "cleanup" => "cleanup_config" Lens::Object(fields![
        "schedule" => "schedule" Lens::Same,
        "clearOlderThanHours" => "clear_older_than" Lens::Same,
        "batchSize" => "batch_size" Lens::Same,
        "timeoutSeconds" => "timeout" Lens::Same,
        "cleanInvocationLogs" => "clean_invocation_logs" Lens::Same,
        "paused" => "paused" Lens::Same,
    ]),
    "triggerOnReplication" => "trigger_on_replication" Lens::Same,
    "onInvalid" => "" Lens::Same,
];
const EVENT_OPERATION: Lens = Lens::Object(fields![
    "columns" => "columns" COLUMNS,
    "payload" => "payload" COLUMNS,
]);
