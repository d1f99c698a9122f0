//! Verdicts and deliveries to conditions. Times come from outside, and stay where nothing changed.

use crd::status::{Condition, ConditionStatus, ConditionType, Reason};

use crate::compile::{Serving, Verdict};

/// How far the object's part has got.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// Every ready pod serves it.
    Served {
        /// How many.
        pods: usize,
    },
    /// Some ready pods do not serve it yet.
    Pending {
        /// How many do.
        pods: usize,
        /// How many pods are ready.
        ready: usize,
        /// The ones that do not.
        lagging: Vec<String>,
    },
    /// No pod is ready.
    NoReadyPod,
    /// Pods have it, and the database that it is about never answered.
    Unreachable {
        /// In the words of the engine.
        message: String,
    },
    /// Pods have it and say that it does not fit the database.
    Refused {
        /// In the words of the engine.
        message: String,
    },
    /// Every ready pod serves it, and they say that something in it does not fit.
    Questioned {
        /// How many.
        pods: usize,
        /// In the words of the engine.
        message: String,
    },
    /// Pods have it and say that they do not serve such things yet.
    Unsupported {
        /// In the words of the engine.
        message: String,
    },
}

/// How many names a message lists.
const MOST_NAMES: usize = 3;

/// `Accepted` and `Programmed` of an object for one engine. Transition times are empty; see [`merge_conditions`].
pub fn object_conditions(verdict: &Verdict, delivery: &Delivery) -> Vec<Condition> {
    let refused_by_engine = match (&verdict.refusal, delivery) {
        (None, Delivery::Refused { message } | Delivery::Questioned { message, .. })
            if verdict.unsupported.is_empty() =>
        {
            Some(message)
        }
        _ => None,
    };
    let accepted = match (&verdict.refusal, refused_by_engine) {
        (Some(refusal), _) => {
            let kept = meanwhile(verdict, refusal.reason, delivery);
            draft(
                verdict,
                ConditionType::Accepted,
                false,
                refusal.reason,
                format!("{refusal}.{kept}"),
            )
        }
        (None, Some(message)) => draft(
            verdict,
            ConditionType::Accepted,
            false,
            Reason::Refused,
            message.clone(),
        ),
        (None, None) => {
            let message = "valid, and its references resolve".to_owned();
            draft(verdict, ConditionType::Accepted, true, Reason::Accepted, message)
        }
    };
    let is_served = matches!((&verdict.refusal, delivery), (None, Delivery::Questioned { .. }));
    let programmed = if accepted.status == ConditionStatus::False && !is_served {
        let message = "the present form is not accepted".to_owned();
        draft(
            verdict,
            ConditionType::Programmed,
            false,
            Reason::NotAccepted,
            message,
        )
    } else if !verdict.unsupported.is_empty() {
        let message = not_supported(&verdict.unsupported);
        draft(
            verdict,
            ConditionType::Programmed,
            false,
            Reason::NotSupported,
            message,
        )
    } else {
        delivered(verdict, delivery)
    };
    vec![accepted, programmed]
}

/// Begins what is said of the last form of an object whose present form is refused.
const MEANWHILE: &str = " The form of generation ";

/// What is wrong with an object, out of the message of a condition: what becomes of its last form comes and goes with pods.
pub fn fault(message: &str) -> &str {
    message.split(MEANWHILE).next().unwrap_or_default()
}

/// What becomes of the last form of an object whose present form is refused: only what pods serve is said to be served.
fn meanwhile(verdict: &Verdict, reason: Reason, delivery: &Delivery) -> String {
    let Serving::Last(generation) = verdict.serving else {
        return String::new();
    };
    match delivery {
        // What pods refuse is the last form: it fitted the database once.
        _ if generation == verdict.generation && reason == Reason::Refused => String::new(),
        Delivery::Served { .. } | Delivery::Questioned { .. } | Delivery::Pending { pods: 1.., .. } => {
            format!("{MEANWHILE}{generation} goes on being served.")
        }
        Delivery::Refused { .. } | Delivery::Unsupported { .. } => {
            format!("{MEANWHILE}{generation} is not served either.")
        }
        Delivery::Pending { .. } | Delivery::NoReadyPod | Delivery::Unreachable { .. } => String::new(),
    }
}

fn not_supported(fields: &[String]) -> String {
    match fields {
        [whole] if whole == "spec" => {
            "the engine does not serve this kind yet; it is kept in the document".to_owned()
        }
        fields => format!(
            "the engine does not serve {} yet; kept in the document",
            list(fields)
        ),
    }
}

fn delivered(verdict: &Verdict, delivery: &Delivery) -> Condition {
    let (holds, reason, message) = match delivery {
        Delivery::Served { pods } | Delivery::Questioned { pods, .. } => (
            true,
            Reason::Programmed,
            format!("served by {pods} of {pods} ready pods"),
        ),
        Delivery::Pending { pods, ready, lagging } => (
            false,
            Reason::Pending,
            format!(
                "served by {pods} of {ready} ready pods; waiting for {}",
                list(lagging)
            ),
        ),
        Delivery::NoReadyPod => (
            false,
            Reason::NoReadyPod,
            "the engine has no ready pod".to_owned(),
        ),
        Delivery::Unreachable { message } => (false, Reason::Pending, message.clone()),
        Delivery::Refused { message } => (false, Reason::NotAccepted, message.clone()),
        Delivery::Unsupported { message } => (false, Reason::NotSupported, message.clone()),
    };
    draft(verdict, ConditionType::Programmed, holds, reason, message)
}

fn list(names: &[String]) -> String {
    let shown = names.get(..MOST_NAMES).unwrap_or(names).join(", ");
    match names.len().saturating_sub(MOST_NAMES) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

fn draft(verdict: &Verdict, kind: ConditionType, holds: bool, reason: Reason, message: String) -> Condition {
    Condition {
        kind,
        status: if holds {
            ConditionStatus::True
        } else {
            ConditionStatus::False
        },
        reason,
        message,
        observed_generation: verdict.generation,
        last_transition_time: String::new(),
    }
}

/// `Ready` of an object of `generation`: every condition of every engine holds. The first that does not gives reason
/// and message.
pub fn ready(generation: i64, conditions_by_engine: &[(String, Vec<Condition>)]) -> Condition {
    let made = |holds: bool, reason, message| Condition {
        kind: ConditionType::Ready,
        status: if holds {
            ConditionStatus::True
        } else {
            ConditionStatus::False
        },
        reason,
        message,
        observed_generation: generation,
        last_transition_time: String::new(),
    };
    if conditions_by_engine.is_empty() {
        let message =
            "no engine selects this object: compare its labels with the engine's objectSelector (an engine of another namespace needs a ReferenceGrant from Engine here)"
                .to_owned();
        return made(false, Reason::NotSelected, message);
    }
    let failing = conditions_by_engine.iter().find_map(|(engine, conditions)| {
        let condition = conditions
            .iter()
            .find(|condition| condition.status != ConditionStatus::True)?;
        Some((engine, condition))
    });
    match failing {
        Some((engine, condition)) => made(
            false,
            condition.reason,
            format!("{engine}: {}", condition.message),
        ),
        None => {
            let engines: Vec<String> = conditions_by_engine
                .iter()
                .map(|(engine, _)| engine.clone())
                .collect();
            made(true, Reason::Ready, format!("served by {}", list(&engines)))
        }
    }
}

/// New conditions with the transition times of the previous ones where the status is the same, and `now` elsewhere.
pub fn merge_conditions(previous: &[Condition], new: Vec<Condition>, now: &str) -> Vec<Condition> {
    new.into_iter()
        .map(|mut condition| {
            let same = previous
                .iter()
                .find(|before| before.kind == condition.kind && before.status == condition.status);
            condition.last_transition_time = match same {
                Some(before) => before.last_transition_time.clone(),
                None => now.to_owned(),
            };
            condition
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compile::Refusal;
    use crate::object::ObjectKey;
    use crd::Kind;

    fn verdict(refusal: Option<Refusal>, serving: Serving, unsupported: &[&str]) -> Verdict {
        Verdict {
            object: ObjectKey {
                kind: Kind::Table,
                namespace: "n".to_owned(),
                name: "t".to_owned(),
            },
            uid: "u".to_owned(),
            generation: 4,
            refusal,
            serving,
            unsupported: unsupported.iter().map(|field| (*field).to_owned()).collect(),
        }
    }

    fn words(conditions: &[Condition]) -> Vec<String> {
        conditions
            .iter()
            .map(|condition| {
                format!(
                    "{:?} {:?} {:?}: {}",
                    condition.kind, condition.status, condition.reason, condition.message
                )
            })
            .collect()
    }

    #[test]
    fn served_pending_and_refused() {
        let good = verdict(None, Serving::Present, &[]);
        assert_eq!(
            words(&object_conditions(&good, &Delivery::Served { pods: 3 })),
            [
                "Accepted True Accepted: valid, and its references resolve",
                "Programmed True Programmed: served by 3 of 3 ready pods"
            ]
        );
        let lagging = ["a", "b", "c", "d"].map(str::to_owned).to_vec();
        let pending = Delivery::Pending {
            pods: 1,
            ready: 5,
            lagging,
        };
        assert_eq!(
            words(&object_conditions(&good, &pending))[1],
            "Programmed False Pending: served by 1 of 5 ready pods; waiting for a, b, c and 1 more"
        );
        let refused = Delivery::Refused {
            message: "no such column".to_owned(),
        };
        assert_eq!(
            words(&object_conditions(&good, &refused)),
            [
                "Accepted False Refused: no such column",
                "Programmed False NotAccepted: the present form is not accepted"
            ]
        );
    }

    /// A stale query of a collection, say.
    #[test]
    fn what_is_served_all_the_same_is_programmed() {
        let good = verdict(None, Serving::Present, &[]);
        let questioned = Delivery::Questioned {
            pods: 2,
            message: "spec.queries[name=q].query: no such field".to_owned(),
        };
        assert_eq!(
            words(&object_conditions(&good, &questioned)),
            [
                "Accepted False Refused: spec.queries[name=q].query: no such field",
                "Programmed True Programmed: served by 2 of 2 ready pods"
            ]
        );
    }

    /// A pod may leave out what compiling finds nothing in.
    #[test]
    fn what_pods_do_not_serve_is_not_ready() {
        let good = verdict(None, Serving::Present, &[]);
        let message = "spec.function: responses of another table are not supported yet".to_owned();
        assert_eq!(
            words(&object_conditions(&good, &Delivery::Unsupported { message })),
            [
                "Accepted True Accepted: valid, and its references resolve",
                "Programmed False NotSupported: spec.function: responses of another table are not supported yet"
            ]
        );
    }

    #[test]
    fn only_what_is_served_is_said_to_be_served() {
        let said = |generation, delivery: &Delivery| {
            let refusal = Refusal {
                reason: Reason::Refused,
                ..Refusal::invalid("spec.x", "wrong")
            };
            let kept = verdict(Some(refusal), Serving::Last(generation), &[]);
            object_conditions(&kept, delivery)[0].message.clone()
        };
        let served = Delivery::Served { pods: 1 };
        let message = "no such column".to_owned();
        let refused = Delivery::Refused { message };
        assert_eq!(
            said(3, &served),
            "spec.x: wrong. The form of generation 3 goes on being served."
        );
        assert_eq!(
            said(3, &refused),
            "spec.x: wrong. The form of generation 3 is not served either."
        );
        assert_eq!(said(3, &Delivery::NoReadyPod), "spec.x: wrong.");
        // The database changed: the last form is what is refused.
        assert_eq!(said(4, &served), "spec.x: wrong.");
        assert_eq!(said(4, &refused), "spec.x: wrong.");
    }

    #[test]
    fn kept_forms_and_fields_that_are_not_served() {
        let kept = verdict(Some(Refusal::invalid("spec.x", "wrong")), Serving::Last(3), &[]);
        assert_eq!(
            words(&object_conditions(&kept, &Delivery::Served { pods: 1 }))[0],
            "Accepted False Invalid: spec.x: wrong. The form of generation 3 goes on being served."
        );
        let partly = verdict(None, Serving::Present, &["spec.remoteRelationships"]);
        assert_eq!(
            words(&object_conditions(&partly, &Delivery::Served { pods: 1 })),
            [
                "Accepted True Accepted: valid, and its references resolve",
                "Programmed False NotSupported: the engine does not serve spec.remoteRelationships yet; kept in the document"
            ]
        );
    }

    #[test]
    fn ready_is_all_of_all_engines() {
        let good = object_conditions(
            &verdict(None, Serving::Present, &[]),
            &Delivery::Served { pods: 1 },
        );
        let bad = object_conditions(&verdict(None, Serving::Present, &[]), &Delivery::NoReadyPod);
        let engines = |list: &[(&str, &Vec<Condition>)]| -> Vec<(String, Vec<Condition>)> {
            list.iter()
                .map(|(name, conditions)| ((*name).to_owned(), (*conditions).clone()))
                .collect()
        };
        assert_eq!(ready(4, &[]).reason, Reason::NotSelected);
        assert_eq!(ready(4, &engines(&[("n/a", &good)])).reason, Reason::Ready);
        let failing = ready(4, &engines(&[("n/a", &good), ("n/b", &bad)]));
        assert_eq!(failing.reason, Reason::NoReadyPod);
        assert_eq!(failing.message, "n/b: the engine has no ready pod");
        assert_eq!(failing.observed_generation, 4);
    }

    #[test]
    fn times_stay_where_nothing_changed() {
        let good = verdict(None, Serving::Present, &[]);
        let first = merge_conditions(&[], object_conditions(&good, &Delivery::NoReadyPod), "1");
        let second = merge_conditions(
            &first,
            object_conditions(&good, &Delivery::Served { pods: 1 }),
            "2",
        );
        assert_eq!(second[0].last_transition_time, "1");
        assert_eq!(second[1].last_transition_time, "2");
    }
}
