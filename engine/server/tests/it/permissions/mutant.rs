//! Engines that forget a rule: the world they are given lacks what the oracle still knows. If the test did not find
//! each of them, it would prove nothing.

use super::shrink::rules;
use super::world::{Permission, Predicate, Role, World};

/// A rule taken out of a world.
type Mutation = fn(&mut World);

/// What is forgotten, and how.
pub(crate) const ALL: [(&str, Mutation); 19] = [
    ("which rows may be read", |world| {
        each(world, |permission| {
            permission
                .select
                .iter_mut()
                .for_each(|select| select.filter = always());
        });
    }),
    ("which columns may be read", |world| {
        let counts = counts(world);
        each_of(world, |table, permission| {
            permission
                .select
                .iter_mut()
                .for_each(|select| select.columns = (0..counts[table]).collect());
        });
    }),
    ("how many rows may be read", |world| {
        each(world, |permission| {
            permission
                .select
                .iter_mut()
                .for_each(|select| select.limit = None);
        });
    }),
    ("who may count", |world| {
        each(world, |permission| {
            permission
                .select
                .iter_mut()
                .for_each(|select| select.aggregations = true);
        });
    }),
    ("what inserted rows must be like", |world| {
        each(world, |permission| {
            permission
                .insert
                .iter_mut()
                .for_each(|insert| insert.check = always());
        });
    }),
    ("which columns may be inserted", |world| {
        let counts = counts(world);
        each_of(world, |table, permission| {
            if let Some(insert) = &mut permission.insert {
                insert.columns = (0..counts[table])
                    .filter(|column| insert.set.iter().all(|(set, _)| set != column))
                    .collect();
            }
        });
    }),
    ("what inserts set", |world| {
        each(world, |permission| {
            permission.insert.iter_mut().for_each(|insert| insert.set.clear());
        });
    }),
    ("which rows may be updated", |world| {
        each(world, |permission| {
            permission
                .update
                .iter_mut()
                .for_each(|update| update.filter = always());
        });
    }),
    ("what updated rows must be like", |world| {
        each(world, |permission| {
            permission
                .update
                .iter_mut()
                .for_each(|update| update.check = None);
        });
    }),
    ("which columns may be updated", |world| {
        let counts = counts(world);
        each_of(world, |table, permission| {
            if let Some(update) = &mut permission.update {
                update.columns = (0..counts[table])
                    .filter(|column| update.set.iter().all(|(set, _)| set != column))
                    .collect();
            }
        });
    }),
    ("what updates set", |world| {
        each(world, |permission| {
            permission.update.iter_mut().for_each(|update| update.set.clear());
        });
    }),
    ("which rows may be deleted", |world| {
        each(world, |permission| {
            permission
                .delete
                .iter_mut()
                .for_each(|delete| delete.filter = always());
        });
    }),
    ("that some rights are for backends only", |world| {
        each(world, |permission| {
            permission
                .insert
                .iter_mut()
                .for_each(|insert| insert.backend_only = false);
            permission
                .update
                .iter_mut()
                .for_each(|update| update.backend_only = false);
        });
    }),
    ("all parents of a role but one", |world| {
        for role in &mut world.roles {
            if let Role::Inherited(parents) = role {
                parents.truncate(1);
            }
        }
    }),
    ("_not", |world| {
        rewrite(world, &|rule| match rule {
            Predicate::Not(inner) => *inner,
            other => other,
        });
    }),
    ("that _or is not _and", |world| {
        rewrite(world, &|rule| match rule {
            Predicate::Or(each) => Predicate::And(each),
            other => other,
        });
    }),
    ("relationships in rules", |world| {
        rewrite(world, &|rule| match rule {
            Predicate::Related(..) => always(),
            other => other,
        });
    }),
    ("_exists", |world| {
        rewrite(world, &|rule| match rule {
            Predicate::Exists(..) => always(),
            other => other,
        });
    }),
    ("lists in session variables", |world| {
        rewrite(world, &|rule| match rule {
            Predicate::AmongSession(_) => always(),
            other => other,
        });
    }),
];

fn always() -> Predicate {
    Predicate::And(Vec::new())
}

fn counts(world: &World) -> Vec<usize> {
    world.tables.iter().map(|table| table.columns.len()).collect()
}

fn each(world: &mut World, change: impl Fn(&mut Permission)) {
    each_of(world, |_, permission| change(permission));
}

fn each_of(world: &mut World, change: impl Fn(usize, &mut Permission)) {
    for role in &mut world.roles {
        if let Role::Plain(permissions) = role {
            for (table, permission) in permissions.iter_mut().enumerate() {
                change(table, permission);
            }
        }
    }
}

/// Changes all parts of all rules, the innermost first.
fn rewrite(world: &mut World, change: &impl Fn(Predicate) -> Predicate) {
    for rule in rules(world) {
        *rule = rewritten(rule.clone(), change);
    }
}

fn rewritten(rule: Predicate, change: &impl Fn(Predicate) -> Predicate) -> Predicate {
    let all = |each: Vec<Predicate>| each.into_iter().map(|one| rewritten(one, change)).collect();
    let boxed = |inner: Box<Predicate>| Box::new(rewritten(*inner, change));
    change(match rule {
        Predicate::And(each) => Predicate::And(all(each)),
        Predicate::Or(each) => Predicate::Or(all(each)),
        Predicate::Not(inner) => Predicate::Not(boxed(inner)),
        Predicate::Related(way, inner) => Predicate::Related(way, boxed(inner)),
        Predicate::Exists(table, inner) => Predicate::Exists(table, boxed(inner)),
        leaf => leaf,
    })
}
