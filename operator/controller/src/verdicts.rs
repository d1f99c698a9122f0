//! What each engine makes of each object, put together to statuses. Pure; the clock is given.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use compile::{Object, ObjectKey, merge_conditions, ready};
use crd::Kind;
use crd::status::{
    Condition, ConditionStatus, ConditionType, EngineStatus, EngineVerdict, ObjectStatus, Reason,
};

use crate::deliver::Judged;
use crate::world::Status;

/// What is told of an engine besides its conditions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// The number of pods.
    pub replicas: i32,
    /// The number of ready pods.
    pub ready_replicas: i32,
    /// The label selector of the pods.
    pub selector: String,
    /// The hash of the generation that was published last.
    pub generation_hash: Option<String>,
    /// The number of objects that it is made of.
    pub objects: usize,
}

/// All verdicts.
#[derive(Debug, Default)]
pub struct Verdicts {
    by_object: HashMap<ObjectKey, BTreeMap<ObjectKey, Judged>>,
    by_engine: HashMap<ObjectKey, BTreeSet<ObjectKey>>,
    facts: HashMap<ObjectKey, Facts>,
}

impl Verdicts {
    /// Takes what an engine makes of all its objects; gives those of which the status may be another now.
    pub fn set(
        &mut self,
        engine: &ObjectKey,
        judged: Vec<(ObjectKey, Judged)>,
        facts: Option<Facts>,
    ) -> Vec<ObjectKey> {
        let mut changed = Vec::new();
        let keys: BTreeSet<ObjectKey> = judged.iter().map(|(key, _)| key.clone()).collect();
        for (key, judged) in judged {
            let engines = self.by_object.entry(key.clone()).or_default();
            if engines.get(engine) != Some(&judged) {
                engines.insert(engine.clone(), judged);
                changed.push(key);
            }
        }
        let before = self.by_engine.insert(engine.clone(), keys).unwrap_or_default();
        let now = self.by_engine.get(engine);
        for key in before {
            if now.is_some_and(|now| now.contains(&key)) {
                continue;
            }
            if let Some(engines) = self.by_object.get_mut(&key) {
                engines.remove(engine);
                if engines.is_empty() {
                    self.by_object.remove(&key);
                }
            }
            changed.push(key);
        }
        let same = self.facts.get(engine) == facts.as_ref();
        match facts {
            Some(facts) => self.facts.insert(engine.clone(), facts),
            None => self.facts.remove(engine),
        };
        if !same && !changed.contains(engine) {
            changed.push(engine.clone());
        }
        changed
    }

    /// The engine is gone.
    pub fn forget(&mut self, engine: &ObjectKey) -> Vec<ObjectKey> {
        let changed = self.set(engine, Vec::new(), None);
        self.by_engine.remove(engine);
        changed
    }

    /// Why the object is not served, where it is not for pods to come or to take it. `selected` are the engines that are
    /// made of it.
    pub fn refusal(&self, object: &Object, selected: &[ObjectKey]) -> Option<Reason> {
        if selected.is_empty() && object.key.kind != Kind::ReferenceGrant {
            return Some(Reason::NotSelected);
        }
        let engines = self.by_object.get(&object.key)?.values();
        let of_this = engines.filter(|judged| judged.uid == object.uid);
        let against = of_this.filter_map(|judged| against(&judged.conditions, object.generation));
        against.map(|condition| condition.reason).next()
    }

    /// The status that the object should have; nothing: that is not known yet, or it is right. `selected` are the
    /// engines that are made of it; `stalled`: its refusal stands.
    pub fn status(
        &self,
        object: &Object,
        known: &Status,
        selected: &[ObjectKey],
        stalled: bool,
        now: &str,
    ) -> Option<Status> {
        let nothing = BTreeMap::new();
        let engines = self.by_object.get(&object.key).unwrap_or(&nothing);
        let waits = selected.iter().any(|engine| !engines.contains_key(engine));
        let of_another = engines.values().any(|judged| {
            let mut conditions = judged.conditions.iter();
            judged.uid != object.uid
                || conditions.any(|condition| condition.observed_generation != object.generation)
        });
        if waits || of_another {
            return None;
        }
        let made = match object.key.kind {
            Kind::ReferenceGrant => return None,
            Kind::Engine => {
                let own = &engines.get(&object.key)?.conditions;
                self.engine(object, own, known, stalled, now)
            }
            _ => of_object(object, engines, known, stalled, now),
        };
        (made != *known).then_some(made)
    }

    fn engine(
        &self,
        object: &Object,
        conditions: &[Condition],
        known: &Status,
        stalled: bool,
        now: &str,
    ) -> Status {
        let before = match known {
            Status::Engine(status) => status.conditions.clone().unwrap_or_default(),
            _ => Vec::new(),
        };
        let mut all = conditions.to_vec();
        let mut top = ready(object.generation, &[(name(&object.key), conditions.to_vec())]);
        // It is its own and only engine: its name says nothing.
        let prefix = format!("{}: ", name(&object.key));
        top.message = top
            .message
            .strip_prefix(&prefix)
            .map(str::to_owned)
            .unwrap_or(top.message);
        let cause = against(conditions, object.generation).cloned();
        all.extend(stalled.then(|| stalled_for(cause.unwrap_or_else(|| top.clone()))));
        all.push(top);
        let facts = self.facts.get(&object.key).cloned().unwrap_or_default();
        Status::Engine(Box::new(EngineStatus {
            observed_generation: Some(object.generation),
            conditions: Some(merge_conditions(&before, all, now)),
            replicas: Some(facts.replicas),
            ready_replicas: Some(facts.ready_replicas),
            selector: Some(facts.selector),
            generation_hash: facts.generation_hash,
            objects: Some(i32::try_from(facts.objects).unwrap_or(i32::MAX)),
        }))
    }
}

fn of_object(
    object: &Object,
    engines: &BTreeMap<ObjectKey, Judged>,
    known: &Status,
    stalled: bool,
    now: &str,
) -> Status {
    let (before, before_engines) = match known {
        Status::Object(status) => (
            status.conditions.clone().unwrap_or_default(),
            status.engines.clone().unwrap_or_default(),
        ),
        _ => (Vec::new(), Vec::new()),
    };
    let list: Vec<(String, Vec<Condition>)> = engines
        .iter()
        .map(|(engine, judged)| (name(engine), judged.conditions.clone()))
        .collect();
    let top = ready(object.generation, &list);
    let cause = list.iter().find_map(|(engine, conditions)| {
        let cause = against(conditions, object.generation)?;
        Some(Condition {
            message: format!("{engine}: {}", cause.message),
            ..cause.clone()
        })
    });
    let stalled = stalled.then(|| stalled_for(cause.unwrap_or_else(|| top.clone())));
    let verdicts = engines.iter().map(|(engine, judged)| {
        let before = before_engines
            .iter()
            .find(|before| before.namespace == engine.namespace && before.name == engine.name);
        let before = before
            .map(|before| before.conditions.as_slice())
            .unwrap_or_default();
        EngineVerdict {
            namespace: engine.namespace.clone(),
            name: engine.name.clone(),
            conditions: merge_conditions(before, judged.conditions.clone(), now),
        }
    });
    Status::Object(Box::new(ObjectStatus {
        observed_generation: Some(object.generation),
        conditions: Some(merge_conditions(
            &before,
            stalled.into_iter().chain([top]).collect(),
            now,
        )),
        engines: Some(verdicts.collect()),
    }))
}

/// What an engine has against this form of an object, other than that it waits for pods.
fn against(conditions: &[Condition], generation: i64) -> Option<&Condition> {
    conditions.iter().find(|condition| {
        condition.status == ConditionStatus::False
            && condition.observed_generation == generation
            && matches!(
                condition.reason,
                Reason::Invalid
                    | Reason::NotSupported
                    | Reason::Refused
                    | Reason::Duplicate
                    | Reason::RefNotResolved
                    | Reason::DependencyFailed
            )
    })
}

fn stalled_for(cause: Condition) -> Condition {
    Condition {
        kind: ConditionType::Stalled,
        status: ConditionStatus::True,
        ..cause
    }
}

/// Why, in a status, waiting does not help this form of the object, if it says so.
pub fn stalled_by(status: &Status, generation: i64) -> Option<Reason> {
    let conditions = match status {
        Status::None => return None,
        Status::Engine(status) => &status.conditions,
        Status::Object(status) => &status.conditions,
    };
    let mut conditions = conditions.iter().flatten();
    let stalled =
        conditions.find(|one| one.kind == ConditionType::Stalled && one.observed_generation == generation)?;
    Some(stalled.reason)
}

fn name(engine: &ObjectKey) -> String {
    format!("{}/{}", engine.namespace, engine.name)
}

#[cfg(test)]
mod tests;
