//! Document and catalogs → model and problems, reusing what has not changed.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use graphql::Name;
use metadata::Document;
use metadata::object_id::MetadataObjectId;
use metadata::source::SourceKind;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::model::{Model, Options, Role, Source, SourceId};
use crate::problem::Problem;
use crate::resolve::conflict::{Claims, Names};
use crate::resolve::permission::ADMIN;
use crate::resolve::{CatalogState, Resolver, SourceRole, Surroundings, inherited_role, unsupported};
use crate::scalar::Scalars;

/// Sources that one model can have at most (ids hold 8 bits).
const MAX_SOURCES: usize = 255;

/// What was built before: a model and the document that it was built from.
#[derive(Debug, Clone, Copy)]
pub struct Previous<'a> {
    /// The document. Tables that it shares with the next one are known to be the same.
    pub document: &'a Document,
    /// The model.
    pub model: &'a Model,
}

impl<'a> Previous<'a> {
    fn source(&self, name: &str) -> Option<(&'a metadata::Source, &'a Source)> {
        let metadata = self.document.sources.get(name)?;
        let source = self.model.sources.iter().find(|source| &*source.name == name)?;
        Some((metadata, source))
    }
}

/// Builds the model of a document. Sources without an entry in `catalogs` are reported as unavailable.
///
/// A source of `previous` is reused, pointer and all, if its metadata, its catalog and everything else it
/// depends on are unchanged; so is a role whose overlay is the same.
///
/// Nothing here fails: what cannot be resolved is left out and reported, together with what depends on it.
pub fn build(
    document: &Document,
    catalogs: &BTreeMap<String, CatalogState>,
    options: &Options,
    previous: Option<Previous<'_>>,
) -> (Model, Vec<Problem>) {
    let mut problems = unsupported::of_document(document);
    let plain = roles_of(document);
    let (inherited_roles, role_problems) = inherited_role::order(document, &plain);
    problems.extend(role_problems);
    let previous = previous.filter(|previous| previous.model.options == *options);
    let known = |name: &str| previous.and_then(|previous| previous.source(name));
    let surroundings = Surroundings {
        options,
        inherited_roles: &inherited_roles,
    };
    let mut claims = Claims::default();
    let mut planned: Vec<(&String, &metadata::Source, &CatalogState, Names)> = Vec::new();
    for (name, source) in &document.sources {
        let refuse = |message: String| Problem::inconsistent(MetadataObjectId::Source(name.clone()), message);
        if let SourceKind::Other(kind) = &source.kind {
            problems.push(refuse(format!("sources of kind \"{kind}\" are not supported")));
        } else if planned.len() >= MAX_SOURCES {
            problems.push(refuse(format!(
                "too many sources: at most {MAX_SOURCES} can be served"
            )));
        } else if let Some(state) = catalogs.get(name) {
            let customization = crate::resolve::customization(source, options);
            let names = claims.claim(name, source, state, &customization);
            planned.push((name, source, state, names));
        } else {
            problems.push(refuse(
                "the database cannot be reached, and was never introspected".to_owned(),
            ));
        }
    }
    let mut table_hashes: Vec<Box<[u128]>> = planned
        .iter()
        .map(|(name, source, ..)| hashes_of_tables(source, known(name)))
        .collect();
    let hashes: Vec<u128> = planned
        .iter()
        .zip(&table_hashes)
        .map(|((name, source, state, names), tables)| {
            origin_hash(name, source, tables, state, names, &surroundings)
        })
        .collect();
    let previous = previous.map(|previous| previous.model);
    let reusable = |at: usize| -> Option<&Arc<Source>> {
        let source = previous?.sources.get(at)?;
        (Some(&source.origin.hash) == hashes.get(at)).then_some(source)
    };
    let reuses_any = (0..planned.len()).any(|at| reusable(at).is_some());
    // Ids of scalars are kept while something refers to them, and start anew otherwise.
    let mut scalars = match previous {
        Some(previous) if reuses_any => previous.scalars.clone(),
        _ => Scalars::default(),
    };
    let mut sources = Vec::with_capacity(planned.len());
    let mut roles: BTreeMap<Name, Role> = BTreeMap::new();
    for (at, (name, metadata, state, names)) in planned.iter().enumerate() {
        let id = SourceId(u8::try_from(at).unwrap_or(u8::MAX));
        let hash = hashes.get(at).copied().unwrap_or_default();
        if let (Some(source), Some(previous)) = (reusable(at), previous) {
            problems.extend(source.origin.problems.iter().cloned());
            sources.push(source.clone());
            for (role, overlay) in &previous.roles {
                add(&mut roles, role, part_of(overlay, id));
            }
            continue;
        }
        let resolver = Resolver::new(id, name, metadata, state, &surroundings, &mut scalars);
        let tables = table_hashes.get_mut(at).map(std::mem::take).unwrap_or_default();
        let resolved = resolver.run(names, hash, tables);
        problems.extend(resolved.source.origin.problems.iter().cloned());
        for (role, overlay) in resolved.roles {
            add(&mut roles, &role, overlay);
        }
        sources.push(Arc::new(resolved.source));
    }
    // Roles of a reused source may since have vanished from the document.
    let inherited: FxHashSet<&str> = inherited_roles
        .roles
        .iter()
        .map(|(role, _)| role.as_str())
        .collect();
    for role in plain.iter().chain(&inherited).chain([&ADMIN]) {
        if !roles.contains_key(*role) {
            add(&mut roles, &Name::from(*role), SourceRole::default());
        }
    }
    let exists = |role: &str| role == ADMIN || plain.contains(role) || inherited.contains(role);
    let roles = roles
        .into_iter()
        .filter(|(name, _)| exists(name))
        .map(|(name, role)| {
            let kept = previous.and_then(|previous| previous.roles.get(&name));
            let role = match kept {
                Some(kept) if **kept == role => kept.clone(),
                _ => Arc::new(role),
            };
            (name, role)
        })
        .collect();
    let introspection = &document.graphql_schema_introspection.disabled_for_roles;
    let model = Model {
        sources,
        roles,
        options: options.clone(),
        introspection_disabled: introspection
            .iter()
            .map(|role| Name::from(role.as_str()))
            .collect(),
        scalars,
    };
    (model, problems)
}

/// All roles that some permission names.
fn roles_of(document: &Document) -> FxHashSet<&str> {
    let mut roles = FxHashSet::default();
    for source in document.sources.values() {
        for table in source.tables.values() {
            roles.extend(table.select_permissions.keys().map(String::as_str));
            roles.extend(table.insert_permissions.keys().map(String::as_str));
            roles.extend(table.update_permissions.keys().map(String::as_str));
            roles.extend(table.delete_permissions.keys().map(String::as_str));
        }
        for function in source.functions.values() {
            roles.extend(function.permissions.keys().map(String::as_str));
        }
    }
    for action in document.actions.values() {
        roles.extend(action.permissions.keys().map(String::as_str));
    }
    for schema in document.remote_schemas.values() {
        roles.extend(schema.permissions.keys().map(String::as_str));
    }
    roles
}

fn add(roles: &mut BTreeMap<Name, Role>, name: &Name, overlay: SourceRole) {
    let role = roles.entry(name.clone()).or_insert_with(|| Role {
        name: name.clone(),
        ..Role::default()
    });
    if role.tables.is_empty() {
        role.tables = overlay.tables;
    } else {
        role.tables.extend(overlay.tables);
    }
    role.functions.extend(overlay.functions);
}

/// What a role may do with one source.
fn part_of(role: &Role, source: SourceId) -> SourceRole {
    let tables: FxHashMap<_, _> = role
        .tables
        .iter()
        .filter(|(table, _)| table.source() == source)
        .map(|(table, access)| (*table, access.clone()))
        .collect();
    let functions = role
        .functions
        .iter()
        .filter(|function| function.source() == source)
        .copied()
        .collect();
    SourceRole { tables, functions }
}

/// Hashes of the tables' metadata; those of tables that the document before has as well are known.
fn hashes_of_tables(
    metadata: &metadata::Source,
    previous: Option<(&metadata::Source, &Source)>,
) -> Box<[u128]> {
    let known = |name: &metadata::QualifiedName, table: &Arc<metadata::Table>| {
        let (metadata, source) = previous?;
        let (at, _, known) = metadata.tables.get_full(name)?;
        let hash = source.origin.tables.get(at)?;
        Arc::ptr_eq(known, table).then_some(*hash)
    };
    metadata
        .tables
        .iter()
        .map(|(name, table)| {
            known(name, table).unwrap_or_else(|| {
                let mut text = HashText::new();
                // The debug form names every field; writing to a hasher cannot fail.
                let _ = write!(text, "{name:?}{table:?}");
                text.finish()
            })
        })
        .collect()
}

/// Hash over everything that a resolved source depends on.
fn origin_hash(
    name: &str,
    metadata: &metadata::Source,
    tables: &[u128],
    state: &CatalogState,
    names: &Names,
    surroundings: &Surroundings<'_>,
) -> u128 {
    // Whoever adds a field has to think of it here.
    let metadata::Source {
        kind,
        tables: _,
        functions,
        native_queries,
        stored_procedures,
        logical_models,
        configuration,
        query_tags,
        customization,
        health_check,
        extra,
    } = metadata;
    let mut text = HashText::new();
    for hasher in &mut text.0 {
        name.hash(hasher);
        tables.hash(hasher);
        state.catalog.fingerprint.hash(hasher);
        state.enum_values.hash(hasher);
        surroundings.inherited_roles.hash(hasher);
        let mut lost: Vec<_> = names.lost_tables.iter().chain(&names.lost_functions).collect();
        lost.sort();
        lost.hash(hasher);
    }
    let _ = write!(
        text,
        "{kind:?}{functions:?}{native_queries:?}{stored_procedures:?}{logical_models:?}{configuration:?}\
         {query_tags:?}{customization:?}{health_check:?}{extra:?}{:?}",
        names.problems
    );
    text.finish()
}

/// Two hashes of the same text that start differently: together wide enough never to meet by chance.
struct HashText([DefaultHasher; 2]);

impl HashText {
    fn new() -> Self {
        let mut hashers = [DefaultHasher::new(), DefaultHasher::new()];
        1u8.hash(&mut hashers[1]);
        Self(hashers)
    }

    fn finish(self) -> u128 {
        let [high, low] = self.0.map(|hasher| u128::from(hasher.finish()));
        (high << 64) | low
    }
}

impl std::fmt::Write for HashText {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        for hasher in &mut self.0 {
            hasher.write(text.as_bytes());
        }
        Ok(())
    }
}
