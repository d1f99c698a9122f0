//! Objects that stand in many kinds.

use super::{Adjusted, Field, Lens, adjust, fields};

/// `{schema, name}`
pub(super) const QUALIFIED_NAME: Lens = Lens::Object(QUALIFIED_NAME_FIELDS);
const QUALIFIED_NAME_FIELDS: &[Field] = fields![
    "schema" => "schema" Lens::Same,
    "name" => "name" Lens::Same,
];

/// Headers that the engine sends.
pub(super) const HEADERS: Lens = Lens::List(&Lens::Shared("<header>", &Lens::Object(HEADER)));
const HEADER: &[Field] = fields![
    "name" => "name" Lens::Same,
    "value" => "value" Lens::Same,
    "valueFrom" => "value_from_env" Lens::EnvName,
];

/// Columns or `["*"]`.
pub(super) const COLUMNS: Lens = Lens::Adjusted(&Adjusted {
    inner: &Lens::Same,
    covers: &Lens::Same,
    forward: adjust::star_forward,
    backward: adjust::star_backward,
});

/// A request transform.
pub(super) const REQUEST_TRANSFORM: Lens = Lens::Shared(
    "<request transform>",
    &Lens::Adjusted(&Adjusted {
        inner: &Lens::Object(REQUEST),
        covers: &Lens::Object(REQUEST),
        forward: adjust::transform_forward,
        backward: adjust::transform_backward,
    }),
);
const REQUEST: &[Field] = fields![
    "version" => "version" Lens::Same,
    "method" => "method" Lens::Same,
    "url" => "url" Lens::Same,
    "body" => "body" BODY,
    "queryParams" => "query_params" Lens::Adjusted(&Adjusted {
        inner: &Lens::Object(QUERY_PARAMS),
        covers: &Lens::Same,
        forward: adjust::either_forward,
        backward: adjust::query_params_backward,
    }),
    "requestHeaders" => "request_headers" Lens::Object(fields![
        "addHeaders" => "add_headers" Lens::Same,
        "removeHeaders" => "remove_headers" Lens::Same,
    ]),
    "templateEngine" => "template_engine" TEMPLATE_ENGINE,
];
const QUERY_PARAMS: &[Field] = fields![
    "template" => "template" Lens::Same,
    "pairs" => "pairs" Lens::Keyed { key: "name", value: Some("value"), lens: &Lens::Same },
];
const TEMPLATE_ENGINE: Lens = Lens::Words(&[("Kriti", "Kriti")]);
const BODY: Lens = Lens::Shared(
    "<body transform>",
    &Lens::Object(fields![
        "action" => "action" Lens::Words(&[
            ("Transform", "transform"),
            ("Remove", "remove"),
            ("FormUrlEncoded", "x_www_form_urlencoded"),
        ]),
        "template" => "template" Lens::Same,
        "formTemplate" => "form_template" Lens::Same,
    ]),
);

/// A response transform.
pub(super) const RESPONSE_TRANSFORM: Lens = Lens::Shared(
    "<response transform>",
    &Lens::Adjusted(&Adjusted {
        inner: &Lens::Object(RESPONSE),
        covers: &Lens::Object(RESPONSE),
        forward: adjust::transform_forward,
        backward: adjust::transform_backward,
    }),
);
const RESPONSE: &[Field] = fields![
    "version" => "version" Lens::Same,
    "body" => "body" BODY,
    "templateEngine" => "template_engine" TEMPLATE_ENGINE,
];

/// Relationships that leave the source.
pub(super) const REMOTE_RELATIONSHIPS: Lens = Lens::List(&Lens::Adjusted(&Adjusted {
    inner: &Lens::Object(REMOTE_RELATIONSHIP),
    covers: &Lens::Object(fields![
        "" => "name" Lens::Same,
        "" => "definition" Lens::Shared("<remote relationship>", &Lens::Object(DEFINITION_COVERED)),
    ]),
    forward: adjust::same,
    backward: adjust::keep,
}));
/// What the coverage table has below `definition`.
const DEFINITION_COVERED: &[Field] = fields![
    "" => "to_source" Lens::Object(TO_SOURCE),
    "" => "to_remote_schema" Lens::Object(TO_REMOTE_SCHEMA),
    "" => "remote_schema" Lens::Same,
    "" => "hasura_fields" Lens::Same,
    "" => "remote_field" Lens::Same,
];
const REMOTE_RELATIONSHIP: &[Field] = fields![
    "name" => "name" Lens::Same,
    "toSource" => "definition.to_source" Lens::Object(TO_SOURCE),
    "toRemoteSchema" => "definition.to_remote_schema" Lens::Object(TO_REMOTE_SCHEMA),
    "legacyToRemoteSchema" => "definition" Lens::Adjusted(&Adjusted {
        inner: &Lens::Object(LEGACY),
        covers: &Lens::Object(LEGACY),
        forward: adjust::same,
        backward: adjust::legacy_backward,
    }),
];
const TO_SOURCE: &[Field] = fields![
    "source" => "source" Lens::Same,
    "table" => "table" QUALIFIED_NAME,
    "relationshipType" => "relationship_type" RELATIONSHIP_TYPE,
    "fieldMapping" => "field_mapping" Lens::Same,
];
const TO_REMOTE_SCHEMA: &[Field] = fields![
    "remoteSchema" => "remote_schema" Lens::Same,
    "lhsFields" => "lhs_fields" Lens::Same,
    "remoteField" => "remote_field" CALLS,
];
const LEGACY: &[Field] = fields![
    "remoteSchema" => "remote_schema" Lens::Same,
    "lhsFields" => "hasura_fields" Lens::Same,
    "remoteField" => "remote_field" CALLS,
];
const CALLS: Lens = Lens::Adjusted(&Adjusted {
    inner: &Lens::List(&Lens::Object(fields![
        "field" => "field" Lens::Same,
        "arguments" => "arguments" Lens::Json,
    ])),
    covers: &Lens::Same,
    forward: adjust::calls_forward,
    backward: adjust::calls_backward,
});

/// To one row or to many.
pub(super) const RELATIONSHIP_TYPE: Lens = Lens::Words(&[("Object", "object"), ("Array", "array")]);

/// The name and the description of a root field.
pub(super) const ROOT_FIELD: Lens = Lens::Shared(
    "<root field>",
    &Lens::Adjusted(&Adjusted {
        inner: &Lens::Object(ROOT_FIELD_FIELDS),
        covers: &Lens::Object(ROOT_FIELD_FIELDS),
        forward: adjust::same,
        backward: adjust::root_field_backward,
    }),
);
const ROOT_FIELD_FIELDS: &[Field] = fields![
    "name" => "name" Lens::Same,
    "comment" => "comment" Lens::Same,
];

/// A relationship without a foreign key.
pub(super) const MANUAL: Lens = Lens::Shared(
    "<manual configuration>",
    &Lens::Object(fields![
        "table" => "remote_table" QUALIFIED_NAME,
        "nativeQuery" => "remote_native_query" Lens::Same,
        "columnMapping" => "column_mapping" Lens::Same,
        "insertionOrder" => "insertion_order" Lens::Words(&[
            ("BeforeParent", "before_parent"),
            ("AfterParent", "after_parent"),
        ]),
    ]),
);

/// The columns and rows a role reads.
pub(super) const SELECT: &[Field] = fields![
    "" => "role" Lens::Same,
    "columns" => "permission.columns" COLUMNS,
    "computedFields" => "permission.computed_fields" Lens::Same,
    "filter" => "permission.filter" Lens::Json,
    "limit" => "permission.limit" Lens::Same,
    "allowAggregations" => "permission.allow_aggregations" Lens::Same,
    "queryRootFields" => "permission.query_root_fields" Lens::List(&Lens::Words(&[
        ("Select", "select"),
        ("SelectByPk", "select_by_pk"),
        ("SelectAggregate", "select_aggregate"),
    ])),
    "subscriptionRootFields" => "permission.subscription_root_fields" Lens::List(&Lens::Words(&[
        ("Select", "select"),
        ("SelectByPk", "select_by_pk"),
        ("SelectAggregate", "select_aggregate"),
        ("SelectStream", "select_stream"),
    ])),
    "comment" => "comment" Lens::Same,
];
