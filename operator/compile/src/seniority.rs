//! Who was there first, of objects whose names in the API may clash: what compiling cannot see, as it knows no database.

use crd::Kind;
use metadata::{MetadataObjectId, QualifiedName, Seniority};

use crate::compile::Published;
use crate::object::ObjectKey;

/// Whether objects of this kind claim names, or paths, of the API that others may claim too.
pub(crate) fn claims_names(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Source | Kind::Table | Kind::Function | Kind::RestEndpoint
    )
}

/// The order of age of what was published, by the same rule as for `Duplicate`: by `metadata.creationTimestamp`, then by
/// namespace and name. Objects without one, as from files, are not in it.
pub fn seniority<'a>(published: impl IntoIterator<Item = &'a Published>) -> Seniority {
    let mut aged: Vec<(&str, &ObjectKey, MetadataObjectId)> = published
        .into_iter()
        .filter(|entry| !entry.created.is_empty())
        .filter_map(|entry| Some((entry.created.as_str(), &entry.object, id(entry)?)))
        .collect();
    aged.sort_by_key(|(created, key, _)| (*created, &key.namespace, &key.name, key.kind));
    Seniority::of(aged.into_iter().map(|(_, _, id)| id))
}

fn id(entry: &Published) -> Option<MetadataObjectId> {
    Some(match (entry.object.kind, entry.place.as_slice()) {
        (Kind::Source, [source]) => MetadataObjectId::Source(source.clone()),
        (Kind::Table, [source, schema, name]) => {
            MetadataObjectId::table(source, QualifiedName::new(schema, name))
        }
        (Kind::Function, [source, schema, name]) => MetadataObjectId::InSource {
            source: source.clone(),
            object: metadata::object_id::SourceObjectId::Function(QualifiedName::new(schema, name)),
        },
        (Kind::RestEndpoint, [name]) => MetadataObjectId::RestEndpoint(name.clone()),
        _ => return None,
    })
}
