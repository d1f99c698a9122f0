//! Which objects of a folder the engine is made of that is served, and which nobody serves.

use std::sync::Arc;

use compile::{Grants, Object, Selection, Snapshot};
use crd::Kind;

use super::manifest::Manifests;
use super::verdict::{self, Finding};

/// Everything that one engine is made of; without an `Engine` among the files, all of them. What no `Engine` among them
/// selects is told; what another one selects is that one's.
///
/// # Errors
/// It is not clear which engine is meant.
pub(super) fn snapshot(
    manifests: &Manifests,
    wanted: Option<&str>,
) -> Result<(Snapshot, Vec<Finding>), String> {
    let engines: Vec<&Arc<Object>> = manifests
        .objects
        .iter()
        .filter(|object| object.key.kind == Kind::Engine)
        .collect();
    let engine = match (wanted, engines.as_slice()) {
        (None, []) => return Ok((Snapshot::shared(manifests.objects.clone()), Vec::new())),
        (None, [engine]) => engine,
        (None, several) => {
            let names: Vec<&str> = several.iter().map(|engine| engine.key.name.as_str()).collect();
            return Err(format!(
                "there are several objects of kind Engine ({}): choose one with --engine",
                names.join(", ")
            ));
        }
        (Some(name), engines) => engines
            .iter()
            .find(|engine| engine.key.name == name)
            .ok_or_else(|| format!("there is no Engine \"{name}\""))?,
    };
    let snapshot = Snapshot::of_engine(engine, &manifests.objects, &manifests.namespaces);
    Ok((snapshot, unselected(manifests, &engines)))
}

/// A finding for each object that none of the engines is made of.
fn unselected(manifests: &Manifests, engines: &[&Arc<Object>]) -> Vec<Finding> {
    let grants = Grants::of(manifests.objects.iter().map(AsRef::as_ref));
    let selections: Vec<Selection<'_>> = engines.iter().map(|engine| Selection::of(engine)).collect();
    let is_taken = |object: &Object| {
        let labels = manifests.namespaces.get(&object.key.namespace);
        labels.is_some_and(|labels| {
            selections
                .iter()
                .any(|selection| selection.takes(object, labels, &grants))
        })
    };
    let left_out = manifests.objects.iter().filter(|object| !is_taken(object));
    left_out
        .filter_map(|object| {
            let place = manifests.places.get(&object.key)?;
            Some(verdict::of_unselected(place, object))
        })
        .collect()
}
