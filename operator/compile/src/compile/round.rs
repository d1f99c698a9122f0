//! The objects of some kinds, of which those that are needed were decided before.

use std::collections::{HashMap, HashSet};

use crd::Kind;

use super::verdict::Refusal;
use super::{Part, Run};
use crate::object::{Object, ObjectKey};

/// What belongs to nothing and mentions nothing; remote schemas, which mention those and each other; what belongs to either or
/// mentions them; and what belongs to tables.
pub(super) const ROUNDS: [&[Kind]; 4] = [
    &[
        Kind::Engine,
        Kind::Source,
        Kind::CronTrigger,
        Kind::InheritedRole,
        Kind::QueryCollection,
        Kind::APILimits,
    ],
    &[Kind::RemoteSchema],
    &[
        Kind::Action,
        Kind::ActionTypes,
        Kind::Table,
        Kind::Function,
        Kind::NativeQuery,
        Kind::LogicalModel,
        Kind::RemoteSchemaPermission,
        Kind::RestEndpoint,
    ],
    &[Kind::Permission, Kind::EventTrigger],
];

/// How often it is tried who else may have a name that somebody leaves. Nobody has so many of these that it matters, unless
/// to keep the operator busy.
const MOST_TURNS: usize = 32;

/// Forms of objects that mention what is not there.
#[derive(Default)]
struct Barred<'a> {
    present: HashMap<&'a ObjectKey, Refusal>,
    last: HashSet<&'a ObjectKey>,
}

impl<'a> Run<'a> {
    pub(super) fn round(&mut self, kinds: &[Kind]) {
        let mut objects: Vec<&'a Object> = self.snapshot.objects().iter().map(AsRef::as_ref).collect();
        objects.retain(|object| kinds.contains(&object.key.kind));
        objects.sort_by(|one, two| one.age().cmp(&two.age()));
        if kinds == [Kind::RemoteSchema] {
            self.settle(&objects);
            return;
        }
        for object in objects {
            let part = self.read(object).and_then(|part| self.consented(object, part));
            let part = part.and_then(|part| self.free(object, part));
            let part = part.and_then(|part| match self.first_unresolved(object, &part) {
                Some(refusal) => Err(refusal),
                None => Ok(part),
            });
            // What is withdrawn is withdrawn from last forms too.
            let last = self.last.part(object);
            let refusal = last.and_then(|last| self.first_unresolved(object, last));
            self.decide(object, part, refusal.is_none_or(|refusal| refusal.keeps));
        }
    }

    /// Whether nobody else declares what the object does, and nothing is known against it.
    fn free(&self, object: &Object, part: Part) -> Result<Part, Refusal> {
        let part = self.unclaimed(object, part)?;
        self.unopposed(object, part)
    }

    /// Objects that may mention each other: all of them is tried, and then again without what mentions something that is not
    /// there, until that is nothing. Each turn leaves a form out for good; what is not settled after so many goes all at once.
    fn settle(&mut self, objects: &[&'a Object]) {
        let read: Vec<Result<Part, Refusal>> = objects
            .iter()
            .map(|object| self.read(object).and_then(|part| self.consented(object, part)))
            .collect();
        let mut barred = Barred::default();
        for turn in 1.. {
            for (object, read) in objects.iter().zip(&read) {
                let part = read.clone().and_then(|part| self.free(object, part));
                let part = part.and_then(|part| match barred.present.get(&object.key) {
                    Some(refusal) => Err(refusal.clone()),
                    None => Ok(part),
                });
                self.decide(object, part, !barred.last.contains(&object.key));
            }
            let failing = self.failing(objects);
            if failing.is_empty() {
                return;
            }
            if turn == MOST_TURNS {
                return self.give_up(objects);
            }
            for (key, refusal) in failing {
                if self.refusals.contains_key(key) {
                    barred.last.insert(key);
                } else {
                    barred.present.insert(key, refusal);
                }
            }
            for object in objects {
                self.withdraw(object);
                self.refusals.remove(&object.key);
            }
        }
    }

    /// What mentions something that is not there goes, and what mentions that. Nobody else takes the names.
    fn give_up(&mut self, objects: &[&'a Object]) {
        let mut dependents: HashMap<&ObjectKey, Vec<&'a Object>> = HashMap::new();
        for object in objects {
            let mentions = self.parts.get(&object.key).map(|part| part.fragment.mentions());
            let targets = mentions
                .iter()
                .flatten()
                .filter_map(|mention| self.target(mention));
            for target in targets {
                dependents.entry(target).or_default().push(object);
            }
        }
        let mut left = objects.to_vec();
        while let Some(object) = left.pop() {
            let part = self.parts.get(&object.key);
            let Some(refusal) = part.and_then(|part| self.first_unresolved(object, part)) else {
                continue;
            };
            // A last form goes on without what is missing.
            if self.refusals.contains_key(&object.key) && refusal.keeps {
                continue;
            }
            self.withdraw(object);
            self.refusals.entry(&object.key).or_insert(refusal);
            left.extend(dependents.remove(&object.key).unwrap_or_default());
        }
    }

    /// Forms that mention what is not there: those alone that would so whatever becomes of the others, if there are any, as
    /// somebody else may declare what those leave.
    fn failing(&self, objects: &[&'a Object]) -> Vec<(&'a ObjectKey, Refusal)> {
        let failing: Vec<(&'a Object, Refusal)> = objects
            .iter()
            .filter_map(|object| {
                let part = self.parts.get(&object.key)?;
                let refusal = self.first_unresolved(object, part)?;
                // A last form goes on without what is missing.
                let holds = !self.refusals.contains_key(&object.key) || !refusal.keeps;
                holds.then_some((*object, refusal))
            })
            .collect();
        let keys: HashSet<&ObjectKey> = failing.iter().map(|(object, _)| &object.key).collect();
        let by_themselves = |object: &Object| {
            let part = self.parts.get(&object.key);
            let mentions = part.map(|part| part.fragment.mentions()).unwrap_or_default();
            let mut refused = mentions
                .iter()
                .filter(|mention| self.unresolved(object, mention).is_some());
            refused.any(|mention| self.target(mention).is_none_or(|target| !keys.contains(target)))
        };
        let alone = failing.iter().any(|(object, _)| by_themselves(object));
        let chosen = failing
            .iter()
            .filter(|(object, _)| !alone || by_themselves(object));
        chosen
            .map(|(object, refusal)| (&object.key, refusal.clone()))
            .collect()
    }
}
