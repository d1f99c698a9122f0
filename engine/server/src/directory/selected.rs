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
    if engines.is_empty() && wanted.is_none() {
        return Ok((Snapshot::shared(manifests.objects.clone()), Vec::new()));
    }
    let engine = chosen(&engines, wanted)?;
    let snapshot = Snapshot::of_engine(engine, &manifests.objects, &manifests.namespaces);
    Ok((snapshot, unselected(manifests, &engines)))
}

/// The engine that is meant: by its name, or by namespace and name.
fn chosen<'e>(engines: &[&'e Arc<Object>], wanted: Option<&str>) -> Result<&'e Arc<Object>, String> {
    let is_meant = |engine: &Object| match wanted.map(|wanted| (wanted, wanted.split_once('/'))) {
        None => true,
        Some((_, Some((namespace, name)))) => engine.key.namespace == namespace && engine.key.name == name,
        Some((name, None)) => engine.key.name == name,
    };
    let meant: Vec<&Arc<Object>> = engines
        .iter()
        .copied()
        .filter(|engine| is_meant(engine))
        .collect();
    let names = |engines: &[&Arc<Object>]| {
        let names = engines.iter().map(|engine| &engine.key);
        let names: Vec<String> = names
            .map(|key| format!("{}/{}", key.namespace, key.name))
            .collect();
        names.join(", ")
    };
    match (wanted, meant.as_slice()) {
        (_, [engine]) => Ok(engine),
        (None, several) => Err(format!(
            "there are several objects of kind Engine ({}): choose one with --engine",
            names(several)
        )),
        (Some(wanted), []) if engines.is_empty() => {
            Err(format!("there is no Engine \"{wanted}\": there is none at all"))
        }
        (Some(wanted), []) => Err(format!(
            "there is no Engine \"{wanted}\", only {}",
            names(engines)
        )),
        (Some(wanted), several) => Err(format!(
            "there are several Engines \"{wanted}\" ({}): name the namespace too, as in --engine NAMESPACE/NAME",
            names(several)
        )),
    }
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
