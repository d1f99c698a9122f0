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

use crate::model::{Model, Options, Role, Source, SourceId, TableHashes};
use crate::problem::Problem;
use crate::resolve::conflict::{self, Names};
use crate::resolve::permission::ADMIN;
use crate::resolve::{CatalogState, MadeOf, Resolver, SourceRole, Surroundings, inherited_role, unsupported};
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
/// depends on are unchanged; so is a role whose overlay is the same. Where nothing but permissions changed, they alone are
/// resolved anew.
///
/// Nothing here fails: what cannot be resolved is left out and reported, together with what depends on it.
pub fn build(
    document: &Document,
    catalogs: &BTreeMap<String, CatalogState>,
    options: &Options,
    previous: Option<Previous<'_>>,
) -> (Model, Vec<Problem>) {
    let (model, problems) = build_upon(document, catalogs, options, previous);
    // A type that became something else under its name would stay what it was.
    if previous.is_some() && model.scalars.is_mistaken() {
        return build_upon(document, catalogs, options, None);
    }
    (model, problems)
}

fn build_upon(
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
    let surroundings = Surroundings {
        options,
        inherited_roles: &inherited_roles,
    };
    let mut planned: Vec<(&String, &metadata::Source, &CatalogState)> = Vec::new();
    for (name, source) in &document.sources {
        let refuse = |message: String| Problem::inconsistent(MetadataObjectId::Source(name.clone()), message);
        if let SourceKind::Other(kind) = &source.kind {
            problems.push(refuse(format!("sources of kind \"{kind}\" are not supported")));
        } else if planned.len() >= MAX_SOURCES {
            problems.push(refuse(format!(
                "too many sources: at most {MAX_SOURCES} can be served"
            )));
        } else if let Some(state) = catalogs.get(name) {
            planned.push((name, source, state));
        } else {
            problems.push(refuse(
                "the database cannot be reached, and was never introspected".to_owned(),
            ));
        }
    }
    let mut origins = origins(document, &planned, previous, &surroundings);
    let previous = previous.map(|previous| previous.model);
    let before = |at: usize| -> Option<&Arc<Source>> { previous?.sources.get(at) };
    let reusable = |at: usize, origin: &MadeOf| before(at).filter(|source| source.origin.hash == origin.hash);
    let resembling =
        |at: usize, origin: &MadeOf| before(at).filter(|source| source.origin.structure == origin.structure);
    let reuses_any = origins
        .iter()
        .enumerate()
        .any(|(at, origin)| reusable(at, origin).or(resembling(at, origin)).is_some());
    // Ids of scalars are kept while something refers to them, and start anew otherwise.
    let mut scalars = match previous {
        Some(previous) if reuses_any => previous.scalars.again(),
        _ => Scalars::default(),
    };
    let mut sources = Vec::with_capacity(planned.len());
    let mut roles: BTreeMap<Name, Role> = BTreeMap::new();
    for (at, ((name, metadata, state), origin)) in planned.iter().zip(origins.drain(..)).enumerate() {
        let id = SourceId(u8::try_from(at).unwrap_or(u8::MAX));
        if let (Some(source), Some(previous)) = (reusable(at, &origin), previous) {
            problems.extend(source.origin.problems.iter().cloned());
            sources.push(source.clone());
            for (role, overlay) in &previous.roles {
                add(&mut roles, role, part_of(overlay, id));
            }
            continue;
        }
        let resolver = Resolver::new(id, name, metadata, state, &surroundings, &mut scalars);
        let known = resembling(at, &origin).map(Arc::as_ref);
        let resolved = resolver.run(origin, known);
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

/// What each source is made of, and which names are left to it.
fn origins(
    document: &Document,
    planned: &[(&String, &metadata::Source, &CatalogState)],
    previous: Option<Previous<'_>>,
    surroundings: &Surroundings<'_>,
) -> Vec<MadeOf> {
    let known = |name: &str| previous.and_then(|previous| previous.source(name));
    let declared: Vec<(Box<[TableHashes]>, u128)> = planned
        .iter()
        .map(|(name, source, state)| {
            let tables = hashes_of_tables(source, known(name));
            let declared = declared_hash(name, source, &tables, state);
            (tables, declared)
        })
        .collect();
    // Names are claimed across sources: they are known where all sources declare what they declared before, and nobody
    // is older or younger than before.
    let before = previous
        .filter(|previous| previous.document.seniority == document.seniority)
        .map(|previous| previous.model.sources.as_slice())
        .filter(|sources| {
            let hashes = sources.iter().map(|source| source.origin.declared);
            hashes.eq(declared.iter().map(|(_, hash)| *hash))
        });
    let claimed = match before {
        Some(sources) => sources
            .iter()
            .map(|source| Arc::clone(&source.origin.names))
            .collect(),
        None => conflict::names(planned, &document.seniority, surroundings.options),
    };
    let mut origins = Vec::with_capacity(planned.len());
    for ((tables, declared), names) in declared.into_iter().zip(claimed) {
        let structure = structure_hash(declared, &names);
        let mut whole = HashText::new();
        whole.feed(&(structure, &tables, surroundings.inherited_roles));
        origins.push(MadeOf {
            hash: whole.finish(),
            declared,
            structure,
            tables,
            names,
        });
    }
    origins
}

/// Hashes of the tables' metadata; those of tables that the document before has as well are known.
fn hashes_of_tables(
    metadata: &metadata::Source,
    previous: Option<(&metadata::Source, &Source)>,
) -> Box<[TableHashes]> {
    let known = |name: &metadata::QualifiedName, table: &Arc<metadata::Table>| {
        let (metadata, source) = previous?;
        let (at, _, known) = metadata.tables.get_full(name)?;
        let hashes = source.origin.tables.get(at)?;
        Arc::ptr_eq(known, table).then_some(*hashes)
    };
    metadata
        .tables
        .iter()
        .map(|(name, table)| known(name, table).unwrap_or_else(|| hashes_of_table(name, table)))
        .collect()
}

fn hashes_of_table(name: &metadata::QualifiedName, table: &metadata::Table) -> TableHashes {
    // Whoever adds a field has to think of it here.
    let metadata::Table {
        is_enum,
        configuration,
        object_relationships,
        array_relationships,
        computed_fields,
        remote_relationships,
        insert_permissions,
        select_permissions,
        update_permissions,
        delete_permissions,
        event_triggers,
        apollo_federation_config,
        logical_model,
    } = table;
    let (mut structure, mut permissions) = (HashText::new(), HashText::new());
    // The debug form names every field; writing to a hasher cannot fail.
    let _ = write!(
        structure,
        "{name:?}{is_enum:?}{configuration:?}{object_relationships:?}{array_relationships:?}{computed_fields:?}\
         {remote_relationships:?}{event_triggers:?}{apollo_federation_config:?}{logical_model:?}"
    );
    let _ = write!(
        permissions,
        "{insert_permissions:?}{select_permissions:?}{update_permissions:?}{delete_permissions:?}"
    );
    TableHashes {
        structure: structure.finish(),
        permissions: permissions.finish(),
    }
}

/// Hash over everything that a source is resolved from, without permissions and what it shares with other sources.
fn declared_hash(
    name: &str,
    metadata: &metadata::Source,
    tables: &[TableHashes],
    state: &CatalogState,
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
    text.feed(&(name, &state.catalog.fingerprint, &state.enum_values));
    for table in tables {
        text.feed(&table.structure);
    }
    let _ = write!(
        text,
        "{kind:?}{functions:?}{native_queries:?}{stored_procedures:?}{logical_models:?}{configuration:?}\
         {query_tags:?}{customization:?}{health_check:?}{extra:?}"
    );
    text.finish()
}

/// The same with the names that a source lost to others.
fn structure_hash(declared: u128, names: &Names) -> u128 {
    let mut lost: Vec<_> = names.lost_tables.iter().chain(&names.lost_functions).collect();
    lost.sort();
    let mut text = HashText::new();
    text.feed(&(declared, lost));
    let _ = write!(text, "{:?}", names.problems);
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

    fn feed(&mut self, value: &impl Hash) {
        for hasher in &mut self.0 {
            value.hash(hasher);
        }
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
