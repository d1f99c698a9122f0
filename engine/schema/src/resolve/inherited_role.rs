//! Inherited roles: their overlays are made from those of their parents, parents first.

use std::collections::BTreeMap;

use graphql::Name;
use metadata::object_id::MetadataObjectId;
use metadata::permission::PermissionType;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::access::{QueryRootFields, SelectAccess, SubscriptionRootFields, TableAccess};
use crate::model::{ColumnId, ComputedFieldId, PredicateId};
use crate::problem::{InheritedEntity, Problem};
use crate::resolve::permission::ADMIN;
use crate::resolve::predicates::Predicates;
use crate::resolve::{Resolver, SourceRole};

/// Inherited roles that can be made, each after its parents.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(crate) struct Order {
    pub(crate) roles: Vec<(String, Vec<String>)>,
}

/// Orders the inherited roles of a document. `plain` are the roles that permissions name.
pub(crate) fn order(document: &metadata::Document, plain: &FxHashSet<&str>) -> (Order, Vec<Problem>) {
    let mut problems = Vec::new();
    let mut waiting: BTreeMap<&str, &[String]> = BTreeMap::new();
    let refuse = |role: &str, message: String| {
        Problem::inconsistent(MetadataObjectId::InheritedRole(role.to_owned()), message)
    };
    for (role, definition) in &document.inherited_roles {
        if role == ADMIN {
            problems.push(refuse(
                role,
                "role name \"admin\" cannot be an inherited role".to_owned(),
            ));
        } else if definition.role_set.contains(role) {
            let message = "an inherited role name cannot be in the role combination".to_owned();
            problems.push(refuse(role, message));
        } else {
            waiting.insert(role, &definition.role_set);
        }
    }
    // Removing a role can leave its heirs without a parent, so look again until nothing changes.
    loop {
        let missing: Vec<(&str, Vec<&str>)> = waiting
            .iter()
            .map(|(role, parents)| {
                let known = |parent: &&str| plain.contains(*parent) || waiting.contains_key(*parent);
                let parents = parents.iter().map(String::as_str);
                (*role, parents.filter(|parent| !known(parent)).collect::<Vec<_>>())
            })
            .filter(|(_, missing)| !missing.is_empty())
            .collect();
        if missing.is_empty() {
            break;
        }
        for (role, missing) in missing {
            waiting.remove(role);
            let message = format!(
                "the following parent role(s) are not found: {} which are required to construct the inherited role: \
                 \"{role}\"",
                missing.join(", ")
            );
            problems.push(refuse(role, message));
        }
    }
    let mut order = Order::default();
    let mut done: FxHashSet<&str> = FxHashSet::default();
    loop {
        let ready: Vec<&str> = waiting
            .iter()
            .filter(|(_, parents)| {
                parents
                    .iter()
                    .all(|parent| !waiting.contains_key(parent.as_str()))
            })
            .map(|(role, _)| *role)
            .collect();
        if ready.is_empty() {
            break;
        }
        for role in ready {
            if let Some(parents) = waiting.remove(role) {
                done.insert(role);
                order.roles.push((role.to_owned(), parents.to_vec()));
            }
        }
    }
    for role in waiting.keys() {
        let cycle = find_cycle(role, &waiting);
        let quoted: Vec<String> = cycle.iter().map(|role| format!("\"{role}\"")).collect();
        let message = format!("found cycle(s) in roles: [{}]", quoted.join(","));
        problems.push(refuse(role, message));
    }
    (order, problems)
}

/// A way from a role along unfinished parents back to a role already passed.
fn find_cycle<'r>(start: &'r str, waiting: &BTreeMap<&'r str, &'r [String]>) -> Vec<&'r str> {
    let mut way = vec![start];
    let mut at = start;
    loop {
        let parents = waiting.get(at).copied().unwrap_or_default();
        let next = parents
            .iter()
            .map(String::as_str)
            .find_map(|parent| waiting.get_key_value(parent).map(|(role, _)| *role));
        let Some(next) = next else { return way };
        if let Some(seen) = way.iter().position(|role| *role == next) {
            let mut cycle = way.split_off(seen);
            cycle.push(next);
            return cycle;
        }
        way.push(next);
        at = next;
    }
}

impl Resolver<'_> {
    /// Adds the overlays of all inherited roles. What a role has of its own stands.
    pub(crate) fn inherit_roles(&mut self) {
        let order = self.surroundings.inherited_roles;
        for (name, parents) in &order.roles {
            let own = self.roles.remove(name.as_str()).unwrap_or_default();
            let parents: Vec<&SourceRole> = parents
                .iter()
                .filter_map(|parent| self.roles.get(parent.as_str()))
                .collect();
            let mut role = own;
            for parent in &parents {
                role.functions.extend(&parent.functions);
            }
            let mut tables: Vec<_> = parents
                .iter()
                .flat_map(|parent| parent.tables.keys().copied())
                .collect();
            tables.sort_unstable();
            tables.dedup();
            for table in tables {
                let all: Vec<&TableAccess> = parents
                    .iter()
                    .filter_map(|parent| parent.tables.get(&table))
                    .collect();
                let access = role.tables.entry(table).or_default();
                if access.select.is_none() {
                    let selects = all
                        .iter()
                        .filter_map(|access| access.select.as_ref())
                        .collect::<Vec<_>>();
                    access.select = combine_selects(&selects, &mut self.predicates);
                }
                let mut conflicts = Vec::new();
                let mut conflict = |permission_type| conflicts.push(permission_type);
                if access.insert.is_none() {
                    access.insert = same(all.iter().filter_map(|access| access.insert.as_ref()))
                        .unwrap_or_else(|()| {
                            conflict(PermissionType::Insert);
                            None
                        });
                }
                if access.update.is_none() {
                    access.update = same(all.iter().filter_map(|access| access.update.as_ref()))
                        .unwrap_or_else(|()| {
                            conflict(PermissionType::Update);
                            None
                        });
                }
                if access.delete.is_none() {
                    access.delete = same(all.iter().filter_map(|access| access.delete.as_ref()))
                        .unwrap_or_else(|()| {
                            conflict(PermissionType::Delete);
                            None
                        });
                }
                let entity = self.entries.get(table.index()).map(|entry| entry.name);
                for permission_type in conflicts {
                    if let Some(name_of_table) = entity {
                        self.problems.push(Problem::RoleInheritance {
                            role: name.clone(),
                            entity: InheritedEntity {
                                source: self.name.to_owned(),
                                table: name_of_table.clone(),
                                permission_type,
                            },
                        });
                    }
                }
            }
            let callable = self.callable(name, &role);
            role.functions.extend(callable);
            self.roles.insert(Name::from(name.as_str()), role);
        }
    }
}

/// A write permission is inherited if all parents that have one have the same.
fn same<'p, T: PartialEq + Clone + 'p>(mut all: impl Iterator<Item = &'p T>) -> Result<Option<T>, ()> {
    let Some(first) = all.next() else { return Ok(None) };
    if all.all(|other| other == first) {
        Ok(Some(first.clone()))
    } else {
        Err(())
    }
}

/// Reading is combined: the role sees every row that a parent sees, and of each row the cells that a parent who
/// sees the row sees of it.
fn combine_selects(parents: &[&SelectAccess], predicates: &mut Predicates) -> Option<SelectAccess> {
    let (first, rest) = parents.split_first()?;
    if rest.is_empty() {
        return Some((*first).clone());
    }
    let mut columns: BTreeMap<ColumnId, Vec<(PredicateId, bool)>> = BTreeMap::new();
    let mut computed: BTreeMap<ComputedFieldId, Vec<(PredicateId, bool)>> = BTreeMap::new();
    for parent in parents {
        let known: FxHashMap<ColumnId, PredicateId> = parent.redacted_columns.iter().copied().collect();
        for column in parent.columns.iter() {
            let grant = grant(parent.filter, known.get(&column).copied(), predicates);
            columns.entry(column).or_default().push(grant);
        }
        for field in &parent.computed_fields {
            let redaction = parent.redacted_computed_fields.iter().find(|(of, _)| of == field);
            let grant = grant(
                parent.filter,
                redaction.map(|(_, predicate)| *predicate),
                predicates,
            );
            computed.entry(*field).or_default().push(grant);
        }
    }
    let count = parents.len();
    let redacted_columns = redactions(&columns, count, predicates);
    let redacted_computed_fields = redactions(&computed, count, predicates);
    let filters: Vec<PredicateId> = parents.iter().map(|parent| parent.filter).collect();
    Some(SelectAccess {
        filter: predicates.any_of(&filters),
        columns: columns.keys().copied().collect(),
        redacted_columns,
        computed_fields: computed.keys().copied().collect(),
        redacted_computed_fields,
        limit: parents.iter().filter_map(|parent| parent.limit).max(),
        aggregations: parents.iter().any(|parent| parent.aggregations),
        query_root_fields: union(
            parents.iter().map(|parent| parent.query_root_fields),
            |one, other| QueryRootFields {
                select: one.select || other.select,
                select_by_pk: one.select_by_pk || other.select_by_pk,
                select_aggregate: one.select_aggregate || other.select_aggregate,
            },
        ),
        subscription_root_fields: union(
            parents.iter().map(|parent| parent.subscription_root_fields),
            |one, other| SubscriptionRootFields {
                select: one.select || other.select,
                select_by_pk: one.select_by_pk || other.select_by_pk,
                select_aggregate: one.select_aggregate || other.select_aggregate,
                select_stream: one.select_stream || other.select_stream,
            },
        ),
    })
}

/// When a parent grants a cell: in its rows, and there only where it is not redacted itself.
fn grant(
    filter: PredicateId,
    redaction: Option<PredicateId>,
    predicates: &mut Predicates,
) -> (PredicateId, bool) {
    match redaction {
        None => (filter, false),
        Some(redaction) => (predicates.all_of(&[filter, redaction]), true),
    }
}

/// Which of the granted things are not granted in every row.
fn redactions<K: Copy + Ord>(
    granted: &BTreeMap<K, Vec<(PredicateId, bool)>>,
    parents: usize,
    predicates: &mut Predicates,
) -> Vec<(K, PredicateId)> {
    let partly = granted
        .iter()
        .filter(|(_, grants)| grants.len() < parents || grants.iter().any(|(_, redacted)| *redacted));
    let partly: Vec<(K, Vec<PredicateId>)> = partly
        .map(|(key, grants)| (*key, grants.iter().map(|(predicate, _)| *predicate).collect()))
        .collect();
    partly
        .into_iter()
        .map(|(key, grants)| (key, predicates.any_of(&grants)))
        .collect()
}

/// `None` means all root fields, which no union can exceed.
fn union<T>(mut all: impl Iterator<Item = Option<T>>, join: impl Fn(T, T) -> T) -> Option<T> {
    let first = all.next()??;
    all.try_fold(first, |sum, next| next.map(|next| join(sum, next)))
}
