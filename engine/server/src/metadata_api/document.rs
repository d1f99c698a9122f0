//! Commands about the document as a whole: export, replace, clear, reload, inconsistencies.

use metadata::document::AnyDocument;
use metadata::{Document, Source};
use serde_json::{Map, Value, json};

use super::arguments::{Arguments, kind};
use super::error::ApiError;
use super::success;
use super::workspace::Workspace;
use crate::generation::aside::{Urgency, aside};

/// `export_metadata`: version 1 is the document, version 2 has the resource version beside it.
pub(crate) fn export(workspace: &Workspace<'_>, version: u64) -> Value {
    let document = workspace.document().to_json();
    if version == 2 {
        json!({ "resource_version": workspace.resource_version(), "metadata": document })
    } else {
        document
    }
}

/// `replace_metadata`
pub(crate) async fn replace(
    workspace: &mut Workspace<'_>,
    value: &Value,
    version: u64,
) -> Result<Value, ApiError> {
    let arguments = Arguments::new(value)?;
    let detailed = version == 2 || arguments.raw("metadata").is_some();
    let (metadata, allow_inconsistent, allow_warnings) = if detailed {
        let Some(metadata) = arguments.raw("metadata") else {
            return Err(ApiError::parse_failed("$", "key \"metadata\" not found"));
        };
        (
            metadata,
            arguments.flag("allow_inconsistent_metadata")?,
            arguments.optional("allow_warnings")?.unwrap_or(true),
        )
    } else {
        (value, false, true)
    };
    let prefix = if detailed { "$.args.metadata" } else { "$.args" };
    let (document, warnings) = read(metadata, workspace.document()).map_err(|error| error.below(prefix))?;
    if !allow_warnings && !warnings.is_empty() {
        return Err(
            ApiError::new("metadata-warnings", "failed due to metadata warnings")
                .with_internal(Value::Array(warnings)),
        );
    }
    workspace.replace(document).await?;
    let inconsistent = workspace.inconsistent_objects();
    if !inconsistent.is_empty() && !allow_inconsistent {
        return Err(
            ApiError::new("unexpected", "cannot continue due to inconsistent metadata")
                .with_internal(Value::Array(inconsistent)),
        );
    }
    let mut answer = Map::new();
    if detailed {
        answer.insert("is_consistent".to_owned(), Value::Bool(inconsistent.is_empty()));
        answer.insert("inconsistent_objects".to_owned(), Value::Array(inconsistent));
    } else {
        answer.insert("message".to_owned(), json!("success"));
    }
    if !warnings.is_empty() {
        answer.insert("warnings".to_owned(), Value::Array(warnings));
    }
    Ok(Value::Object(answer))
}

/// Reads a document of any version; one without sources is put onto the present `default` source.
pub(crate) fn read(value: &Value, present: &Document) -> Result<(Document, Vec<Value>), ApiError> {
    let (document, warnings) = aside(Urgency::Gentle, || AnyDocument::parse(value))?;
    let document = match document {
        AnyDocument::Sources(document) => *document,
        AnyDocument::Sourceless(document) => document
            .apply_to(present)
            .map_err(|error| ApiError::new("bad-request", error.to_string()).at("$"))?,
    };
    let warnings = warnings
        .iter()
        .map(|warning| {
            json!({
                "message": warning.message, "code": "unknown-key", "type": "metadata",
                "name": warning.path.to_string(),
            })
        })
        .collect();
    Ok((document, warnings))
}

/// `clear_metadata`: a `default` source stays, without anything tracked in it.
pub(crate) async fn clear(workspace: &mut Workspace<'_>) -> Result<Value, ApiError> {
    let mut cleared = Document::default();
    if let Some(default) = workspace.document().sources.get("default") {
        let kept = Source {
            kind: default.kind.clone(),
            configuration: default.configuration.clone(),
            ..Source::default()
        };
        cleared.sources.insert("default".to_owned(), kept);
    }
    workspace.replace(cleared).await?;
    Ok(success())
}

/// `reload_metadata`: catalogs are read again.
pub(crate) async fn reload(
    workspace: &mut Workspace<'_>,
    arguments: Arguments<'_>,
) -> Result<Value, ApiError> {
    let all = match arguments.raw("reload_sources") {
        None | Some(Value::Bool(_)) => None,
        Some(Value::Array(names)) => Some(
            names
                .iter()
                .filter_map(Value::as_str)
                .map(str::to_owned)
                .collect::<Vec<_>>(),
        ),
        Some(other) => {
            return Err(ApiError::parse_failed(
                "$.reload_sources",
                format!(
                    "parsing [] failed, expected Array, but encountered {}",
                    kind(other)
                ),
            ));
        }
    };
    if let Some(missing) = all
        .iter()
        .flatten()
        .find(|name| !workspace.document().sources.contains_key(*name))
    {
        return Err(ApiError::new(
            "not-exists",
            format!("source with name \"{missing}\" does not exist"),
        ));
    }
    workspace.reload(all.as_deref()).await?;
    let inconsistent = workspace.inconsistent_objects();
    let mut answer = Map::new();
    answer.insert("message".to_owned(), json!("success"));
    answer.insert("is_consistent".to_owned(), Value::Bool(inconsistent.is_empty()));
    if !inconsistent.is_empty() {
        answer.insert("inconsistent_objects".to_owned(), Value::Array(inconsistent));
    }
    Ok(Value::Object(answer))
}

/// `get_inconsistent_metadata`
pub(crate) fn inconsistent(workspace: &Workspace<'_>) -> Value {
    let inconsistent = workspace.inconsistent_objects();
    json!({ "is_consistent": inconsistent.is_empty(), "inconsistent_objects": inconsistent })
}

/// `drop_inconsistent_metadata`
pub(crate) fn drop_inconsistent(workspace: &mut Workspace<'_>) -> Result<Value, ApiError> {
    workspace.drop_inconsistent()?;
    Ok(success())
}
