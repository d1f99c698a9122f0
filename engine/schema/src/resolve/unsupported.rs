//! Objects of kinds that the engine does not serve yet: reported one by one, never ignored. Query collections and REST
//! endpoints are looked at when the model is there ([`saved_query`](crate::saved_query),
//! [`rest_endpoint`](crate::rest_endpoint)).

use metadata::Document;
use metadata::object_id::{MetadataObjectId, OpenTelemetryPart, SourceObjectId, TableObjectId};
use metadata::opentelemetry::OpenTelemetryStatus;

use crate::problem::{Problem, object};
use crate::resolve::Resolver;

impl Resolver<'_> {
    /// Reports what the source holds beyond tables and functions.
    pub(crate) fn report_unsupported(&mut self) {
        let source = self.name;
        let metadata = self.metadata;
        let problems = &mut self.problems;
        let mut report = |object: MetadataObjectId, what: &str| {
            problems.push(Problem::unsupported(object, format!("{what} not supported yet")));
        };
        for name in metadata.native_queries.keys() {
            let object = object::in_source(source, SourceObjectId::NativeQuery(name.clone()));
            report(object, "native queries are");
        }
        for name in metadata.logical_models.keys() {
            let object = object::in_source(source, SourceObjectId::LogicalModel(name.clone()));
            report(object, "logical models are");
        }
        if !metadata.stored_procedures.is_empty() {
            report(
                MetadataObjectId::Source(source.to_owned()),
                "stored procedures are",
            );
        }
        for (table, entry) in &metadata.tables {
            let of_table = |object| MetadataObjectId::of_table(source, table.clone(), object);
            for name in entry.remote_relationships.keys() {
                report(
                    of_table(TableObjectId::RemoteRelationship(name.clone())),
                    "remote relationships are",
                );
            }
            for name in entry.event_triggers.keys() {
                report(
                    of_table(TableObjectId::EventTrigger(name.clone())),
                    "event triggers are",
                );
            }
            if entry.apollo_federation_config.is_some() {
                report(object::table(source, table), "apollo_federation_config is");
            }
            if entry.logical_model.is_some() {
                report(object::table(source, table), "a logical model for a table is");
            }
        }
    }
}

/// Objects outside sources that the engine does not serve yet.
pub(crate) fn of_document(document: &Document) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut report = |object: MetadataObjectId, what: &str| {
        problems.push(Problem::unsupported(object, format!("{what} not supported yet")));
    };
    for name in document.remote_schemas.keys() {
        report(MetadataObjectId::RemoteSchema(name.clone()), "remote schemas are");
    }
    for name in document.actions.keys() {
        report(MetadataObjectId::Action(name.clone()), "actions are");
    }
    if document.custom_types != Default::default() {
        report(MetadataObjectId::CustomTypes, "custom types are");
    }
    for name in document.cron_triggers.keys() {
        report(MetadataObjectId::CronTrigger(name.clone()), "cron triggers are");
    }
    if document.opentelemetry.status != OpenTelemetryStatus::Disabled {
        report(
            MetadataObjectId::OpenTelemetry(OpenTelemetryPart::All),
            "OpenTelemetry export is",
        );
    }
    for (key, given) in [("backend_configs", !document.backend_configs.is_empty())] {
        if given {
            let message = format!("{key} is not supported yet");
            problems.push(Problem::Setting { key, message });
        }
    }
    problems
}
