//! The tables by kind.

use crd::Kind;

use super::{Lens, outside, source, table};

/// What the tables say of a kind.
pub(crate) struct KindMapping {
    /// The fields of the spec.
    pub(crate) lens: &'static Lens,
    /// Where the keys stand in the coverage table; a dot follows. Empty: at the top.
    pub(crate) prefix: &'static str,
    /// The field that refers to the object this one belongs to, and its kind.
    pub(crate) parent: Option<(&'static str, Kind)>,
}

/// What the tables say of a kind; nothing of kinds that are no part of the document.
pub(crate) fn mapping(kind: Kind) -> Option<KindMapping> {
    let (lens, prefix, parent) = match kind {
        Kind::Engine => (&outside::ENGINE, "", None),
        Kind::Source => (&source::SOURCE, "sources[].", None),
        Kind::Table => (
            &table::TABLE,
            "sources[].tables[].",
            Some(("sourceRef", Kind::Source)),
        ),
        Kind::Permission => (
            &table::PERMISSION,
            "sources[].tables[].",
            Some(("tableRef", Kind::Table)),
        ),
        Kind::Function => (
            &source::FUNCTION,
            "sources[].functions[].",
            Some(("sourceRef", Kind::Source)),
        ),
        Kind::NativeQuery => (
            &source::NATIVE_QUERY,
            "sources[].native_queries[].",
            Some(("sourceRef", Kind::Source)),
        ),
        Kind::LogicalModel => (
            &source::LOGICAL_MODEL,
            "sources[].logical_models[].",
            Some(("sourceRef", Kind::Source)),
        ),
        Kind::Action => (&outside::ACTION, "actions[].", None),
        Kind::ActionTypes => (&outside::ACTION_TYPES, "", None),
        Kind::RemoteSchema => (&outside::REMOTE_SCHEMA, "remote_schemas[].", None),
        Kind::RemoteSchemaPermission => (
            &outside::REMOTE_SCHEMA_PERMISSION,
            "remote_schemas[].permissions[].",
            Some(("remoteSchemaRef", Kind::RemoteSchema)),
        ),
        Kind::EventTrigger => (
            &table::EVENT_TRIGGER,
            "sources[].tables[].event_triggers[].",
            Some(("tableRef", Kind::Table)),
        ),
        Kind::CronTrigger => (&outside::CRON_TRIGGER, "cron_triggers[].", None),
        Kind::InheritedRole => (&outside::INHERITED_ROLE, "inherited_roles[].", None),
        Kind::QueryCollection => (&outside::QUERY_COLLECTION, "query_collections[].", None),
        Kind::RestEndpoint => (
            &outside::REST_ENDPOINT,
            "rest_endpoints[].",
            Some(("collectionRef", Kind::QueryCollection)),
        ),
        Kind::APILimits => (&outside::API_LIMITS, "api_limits.", None),
        Kind::ReferenceGrant => return None,
    };
    Some(KindMapping { lens, prefix, parent })
}
