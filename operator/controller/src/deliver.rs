//! How far each object has got: what was published against what each ready pod says that it serves. Pure.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use compile::{Delivery, Object, ObjectKey, Published, Serving, Verdict, object_conditions};
use crd::Kind;
use crd::status::{Condition, ConditionStatus, ConditionType, Reason};
use delivery::{ObjectEntry, Report, SourceState};

/// The hash of each object's part, by uid.
pub type Table = HashMap<String, String>;

/// What is known of a ready pod.
#[derive(Clone, Debug)]
pub struct Served {
    /// Its name.
    pub pod: String,
    /// Its last report; none: it does not answer.
    pub report: Option<Arc<Report>>,
    /// The objects that it serves; none: not known.
    pub table: Option<Arc<Table>>,
}

/// Reads a table.
pub fn table(entries: Vec<ObjectEntry>) -> Table {
    entries.into_iter().map(|entry| (entry.uid, entry.hash)).collect()
}

/// The Deployment, as far as it matters here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rollout {
    /// Pods that there should be.
    pub wanted: i32,
    /// Pods that there are.
    pub replicas: i32,
    /// Of them, pods of the present template.
    pub updated: i32,
    /// Pods that are ready.
    pub ready: i32,
    /// The Deployment's controller has seen the present form.
    pub observed: bool,
}

impl Rollout {
    /// Whether every pod that should be there is there, is of the present template and ready.
    pub fn complete(&self) -> bool {
        self.observed
            && self.updated == self.wanted
            && self.replicas == self.wanted
            && self.ready >= self.wanted
    }

    /// Whether no pod of an earlier template is there, but for those that end.
    pub fn replaced(&self) -> bool {
        self.observed && self.updated == self.replicas
    }
}

/// What is known of an engine's pods.
#[derive(Clone, Debug, Default)]
pub struct Ground {
    /// The ready pods, by name.
    pub pods: Vec<Served>,
    /// Why pods do not get ready, by name.
    pub trouble: BTreeMap<String, String>,
    /// The Deployment; none: there is none yet.
    pub rollout: Option<Rollout>,
    /// What keeps the engine from being what it should be, in words.
    pub obstacle: Option<String>,
}

/// What an engine makes of one object.
#[derive(Clone, Debug, PartialEq)]
pub struct Judged {
    /// `metadata.uid` of the object: another one of the same name and generation was not looked at yet.
    pub uid: String,
    /// Its conditions.
    pub conditions: Vec<Condition>,
}

/// The conditions of every object of an engine.
pub fn conditions(
    verdicts: &[Verdict],
    published: &[Published],
    ground: &Ground,
) -> Vec<(ObjectKey, Judged)> {
    let entries: HashMap<&ObjectKey, &Published> =
        published.iter().map(|entry| (&entry.object, entry)).collect();
    let problems = problems(ground);
    let refused: HashMap<(Kind, &[String]), &ObjectKey> = published
        .iter()
        .filter(|entry| {
            problems
                .get(entry.uid.as_str())
                .is_some_and(|found| !found.unreachable && !found.unsupported && !found.served)
        })
        .map(|entry| ((entry.object.kind, place(entry)), &entry.object))
        .collect();
    let mut made = Vec::with_capacity(verdicts.len());
    for verdict in verdicts {
        let entry = entries.get(&verdict.object).copied();
        let delivery = match entry {
            Some(entry) => delivery(entry, ground, &problems, &refused),
            None => Delivery::NoReadyPod,
        };
        let mut conditions = object_conditions(verdict, &delivery);
        if verdict.object.kind == Kind::Engine {
            of_engine(&mut conditions, ground);
        } else if let (Some(obstacle), Serving::Present) = (&ground.obstacle, verdict.serving) {
            hinder(&mut conditions, obstacle);
        }
        let judged = Judged {
            uid: verdict.uid.clone(),
            conditions,
        };
        made.push((verdict.object.clone(), judged));
    }
    made
}

/// The conditions of an object of which nothing is known yet, because something is in the way.
pub fn waiting(object: &Object, obstacle: &str) -> Judged {
    let condition = |kind| Condition {
        kind,
        status: ConditionStatus::Unknown,
        reason: Reason::Pending,
        message: obstacle.to_owned(),
        observed_generation: object.generation,
        last_transition_time: String::new(),
    };
    Judged {
        uid: object.uid.clone(),
        conditions: vec![
            condition(ConditionType::Accepted),
            condition(ConditionType::Programmed),
        ],
    }
}

#[derive(Clone)]
struct Found<'g> {
    message: String,
    unreachable: bool,
    unsupported: bool,
    served: bool,
    pod: &'g str,
}

impl Found<'_> {
    /// What leaves the object out comes first, then what is wrong with it otherwise, then what of it is not served.
    fn weight(&self) -> u8 {
        match (self.unsupported, self.served) {
            (true, _) => 0,
            (false, true) => 1,
            (false, false) => 2,
        }
    }
}

/// What ready pods find wrong with objects that they serve, by uid.
fn problems(ground: &Ground) -> HashMap<&str, Found<'_>> {
    let mut found = HashMap::new();
    for pod in &ground.pods {
        for problem in pod.report.iter().flat_map(|report| &report.problems) {
            if problem.uid.is_empty() {
                continue;
            }
            let message = if problem.path.is_empty() {
                problem.message.clone()
            } else {
                format!("{}: {}", problem.path, problem.message)
            };
            let new = Found {
                message,
                unreachable: problem.unreachable,
                unsupported: problem.unsupported,
                served: problem.served,
                pod: &pod.pod,
            };
            let known = found.entry(problem.uid.as_str());
            known
                .and_modify(|known: &mut Found<'_>| {
                    if new.weight() > known.weight() {
                        known.clone_from(&new);
                    }
                })
                .or_insert(new);
        }
    }
    found
}

fn delivery(
    entry: &Published,
    ground: &Ground,
    problems: &HashMap<&str, Found<'_>>,
    refused: &HashMap<(Kind, &[String]), &ObjectKey>,
) -> Delivery {
    let ready = ground.pods.len();
    if ready == 0 {
        return Delivery::NoReadyPod;
    }
    let serves = |pod: &&Served| {
        let table = pod.table.as_ref();
        table.is_some_and(|table| table.get(&entry.uid) == Some(&entry.hash))
    };
    let lagging: Vec<String> = ground
        .pods
        .iter()
        .filter(|pod| !serves(pod))
        .map(|pod| pod.pod.clone())
        .collect();
    if lagging.len() < ready {
        // A pod that has the present form says that it does not fit.
        if let Some(found) = problems
            .get(entry.uid.as_str())
            .filter(|found| !lagging.iter().any(|name| name == found.pod))
            .filter(|found| !found.served || lagging.is_empty())
        {
            let message = found.message.clone();
            return if found.unreachable {
                Delivery::Unreachable { message }
            } else if found.unsupported {
                Delivery::Unsupported { message }
            } else if found.served {
                Delivery::Questioned { pods: ready, message }
            } else {
                Delivery::Refused { message }
            };
        }
        if let Some(parent) = parents(entry).into_iter().find_map(|parent| refused.get(&parent)) {
            let message = format!("{parent} does not fit the database: see its status");
            return Delivery::Refused { message };
        }
        if let Some(message) = unreachable_source(entry, ground) {
            return Delivery::Unreachable { message };
        }
    }
    if lagging.is_empty() {
        return Delivery::Served { pods: ready };
    }
    Delivery::Pending {
        pods: ready - lagging.len(),
        ready,
        lagging,
    }
}

/// The names under which a part stands; those of types that an action brings along are left out.
pub(crate) fn place(entry: &Published) -> &[String] {
    match entry.object.kind {
        Kind::Action => entry.place.get(..1).unwrap_or(&entry.place),
        _ => &entry.place,
    }
}

/// What a part stands in: its table, its source.
pub(crate) fn parents(entry: &Published) -> Vec<(Kind, &[String])> {
    let first = |names: usize| entry.place.get(..names).unwrap_or_default();
    match entry.object.kind {
        Kind::Permission | Kind::EventTrigger => vec![(Kind::Table, first(3)), (Kind::Source, first(1))],
        Kind::Table | Kind::Function | Kind::NativeQuery | Kind::LogicalModel => {
            vec![(Kind::Source, first(1))]
        }
        Kind::RemoteSchemaPermission => vec![(Kind::RemoteSchema, first(1))],
        _ => Vec::new(),
    }
}

/// The source that a part stands in, or is.
pub(crate) fn source_of(entry: &Published) -> Option<&str> {
    let of_source = matches!(
        entry.object.kind,
        Kind::Source
            | Kind::Table
            | Kind::Permission
            | Kind::EventTrigger
            | Kind::Function
            | Kind::NativeQuery
            | Kind::LogicalModel
    );
    entry.place.first().filter(|_| of_source).map(String::as_str)
}

/// What stands in a database of which nothing was ever read is not served.
fn unreachable_source(entry: &Published, ground: &Ground) -> Option<String> {
    let name = source_of(entry)?;
    let reports = ground.pods.iter().filter_map(|pod| pod.report.as_ref());
    let sources = reports.flat_map(|report| &report.sources);
    let down = sources
        .filter(|source| source.name == name)
        .find(|source| source.state != SourceState::Up && source.fingerprint.is_none())?;
    let message = down.message.as_deref().unwrap_or("the database does not answer");
    Some(format!("source {name}: {message}"))
}

/// An engine is programmed when its pods are as they should be, too.
fn of_engine(conditions: &mut [Condition], ground: &Ground) {
    let Some(programmed) = conditions
        .iter_mut()
        .find(|condition| condition.kind == ConditionType::Programmed)
    else {
        return;
    };
    let trouble = ground
        .trouble
        .iter()
        .next()
        .map(|(pod, why)| format!("pod {pod}: {why}"));
    let refused = ground.pods.iter().find_map(|pod| {
        let refused = pod.report.as_ref()?.refused.as_ref()?;
        Some(format!(
            "pod {} did not take the latest set: {}",
            pod.pod, refused.message
        ))
    });
    // Pods go on with the last value: who rotated a secret is not to believe that the old one is of no use any more.
    let outdated = ground.pods.iter().find_map(|pod| {
        let setting = pod.report.as_ref()?.refused_settings.first()?;
        Some(format!(
            "pod {} does not take {}: {}; its last value stays in use",
            pod.pod, setting.variable, setting.message
        ))
    });
    if programmed.status == ConditionStatus::True {
        let complete = ground.rollout.is_some_and(|rollout| rollout.complete());
        if let Some(obstacle) = &ground.obstacle {
            set_pending(programmed, obstacle.clone());
        } else if !complete {
            let rollout = ground.rollout.unwrap_or_default();
            let progress = format!(
                "{} of {} pods are of the present form and ready",
                rollout.updated.min(rollout.ready).max(0),
                rollout.wanted
            );
            set_pending(
                programmed,
                trouble.map_or(progress.clone(), |trouble| format!("{progress}; {trouble}")),
            );
        } else if let Some(outdated) = outdated {
            set_pending(programmed, outdated);
        }
    } else if let Some(more) = ground.obstacle.clone().or(trouble).or(refused) {
        programmed.message = format!("{}; {more}", programmed.message);
    }
}

fn set_pending(programmed: &mut Condition, message: String) {
    programmed.status = ConditionStatus::False;
    programmed.reason = Reason::Pending;
    programmed.message = message;
}

/// An object that is accepted and not served: what is in the way.
fn hinder(conditions: &mut [Condition], obstacle: &str) {
    let programmed = conditions
        .iter_mut()
        .find(|condition| condition.kind == ConditionType::Programmed);
    let pending = |condition: &&mut Condition| {
        condition.status == ConditionStatus::False && condition.reason == Reason::Pending
    };
    if let Some(programmed) = programmed.filter(pending) {
        programmed.message = format!("{}; {obstacle}", programmed.message);
    }
}

#[cfg(test)]
mod tests;
