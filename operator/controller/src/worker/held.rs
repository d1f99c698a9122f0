//! What pods have said against objects, until a pod says otherwise. While nobody can be asked, an object that was refused
//! goes on in its last form: silence is no consent.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use compile::{ObjectKey, Objection, Published, Serving, Verdict};
use crd::Kind;
use crd::status::{Condition, ConditionStatus, ConditionType, Reason};
use delivery::{CheckAnswer, ObjectProblem};

use crate::deliver::{parents, place, source_of};
use crate::world::Status;

/// Objections of pods, by uid of the object. Each is about one form of it.
#[derive(Debug, Default)]
pub(super) struct Held {
    all: BTreeMap<String, (ObjectKey, Objection)>,
}

impl Held {
    /// Whether nothing is held against any object.
    pub(super) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Forgets what is about objects, or forms of them, that are not there any more: `form` has uid and generation. One that
    /// only does not belong to the engine for a while may come back as it was.
    pub(super) fn keep(&mut self, form: impl Fn(&ObjectKey) -> Option<(String, i64)>) {
        self.all.retain(|uid, (object, objection)| {
            form(object)
                .is_some_and(|(present, generation)| present == *uid && generation == objection.generation)
        });
    }

    /// What is held against forms that a candidate has.
    pub(super) fn against(&self, verdicts: &[Verdict]) -> Vec<Objection> {
        let present = verdicts
            .iter()
            .filter(|verdict| verdict.serving == Serving::Present);
        present
            .filter_map(|verdict| {
                let (_, objection) = self.all.get(&verdict.uid)?;
                (objection.generation == verdict.generation).then(|| objection.clone())
            })
            .collect()
    }

    /// What is to be left out of the next candidate: what the pod `said`, if it said anything new, as the last forms of
    /// those may be all that others lacked. Else, and the last time, whatever is held.
    pub(super) fn next(
        &self,
        verdicts: &[Verdict],
        said: &BTreeSet<String>,
        is_last: bool,
    ) -> Vec<Objection> {
        let against = self.against(verdicts);
        if is_last || !against.iter().any(|objection| said.contains(&objection.uid)) {
            return against;
        }
        let said = against
            .into_iter()
            .filter(|objection| said.contains(&objection.uid));
        said.collect()
    }

    /// Takes what a pod says of a candidate, and gives whom that is against. What it says nothing against is free, if it could have: it knows the database,
    /// and what the object stands in fits.
    pub(super) fn take(
        &mut self,
        verdicts: &[Verdict],
        published: &[Published],
        answer: &CheckAnswer,
    ) -> BTreeSet<String> {
        let mut problems: HashMap<&str, &ObjectProblem> = HashMap::new();
        for problem in answer.problems.iter().filter(|problem| is_against(problem)) {
            let known = problems.entry(&problem.uid).or_insert(problem);
            if known.unreachable {
                *known = problem;
            }
        }
        let entries: HashMap<&str, &Published> = published
            .iter()
            .map(|entry| (entry.uid.as_str(), entry))
            .collect();
        let faulty: BTreeSet<(Kind, &[String])> = published
            .iter()
            .filter(|entry| {
                problems
                    .get(entry.uid.as_str())
                    .is_some_and(|problem| !problem.unreachable)
            })
            .map(|entry| (entry.object.kind, place(entry)))
            .collect();
        let is_known = |entry: &Published| {
            source_of(entry).is_none_or(|name| {
                let mut sources = answer.sources.iter();
                sources.any(|source| source.name == name && source.fingerprint.is_some())
            })
        };
        for verdict in verdicts
            .iter()
            .filter(|verdict| verdict.serving == Serving::Present)
        {
            match problems.get(verdict.uid.as_str()) {
                Some(problem) if !problem.unreachable => {
                    let objection = Objection {
                        uid: verdict.uid.clone(),
                        generation: verdict.generation,
                        reason: Reason::Refused,
                        path: problem.path.clone(),
                        message: problem.message.clone(),
                    };
                    self.all
                        .insert(verdict.uid.clone(), (verdict.object.clone(), objection));
                }
                Some(_) => {}
                None => {
                    let entry = entries.get(verdict.uid.as_str());
                    let is_judged = entry.is_some_and(|entry| {
                        is_known(entry) && !parents(entry).iter().any(|parent| faulty.contains(parent))
                    });
                    if is_judged {
                        self.all.remove(&verdict.uid);
                    }
                }
            }
        }
        let against = problems.values().filter(|problem| !problem.unreachable);
        against.map(|problem| problem.uid.clone()).collect()
    }

    /// Takes up what an operator before this one told of an object, if what it refused is not what is published.
    pub(super) fn resume(
        &mut self,
        engine: &ObjectKey,
        verdict: &Verdict,
        status: &Status,
        published: Option<i64>,
    ) {
        let conditions = match status {
            Status::None => return,
            Status::Engine(status) => status.conditions.as_deref(),
            Status::Object(status) => status
                .engines
                .iter()
                .flatten()
                .find(|said| said.namespace == engine.namespace && said.name == engine.name)
                .map(|said| said.conditions.as_slice()),
        };
        let mut conditions = conditions.into_iter().flatten();
        let refused = conditions.find(|condition| {
            condition.kind == ConditionType::Accepted
                && condition.status == ConditionStatus::False
                && condition.reason == Reason::Refused
                && condition.observed_generation == verdict.generation
        });
        if let Some(condition) = refused.filter(|_| published != Some(verdict.generation)) {
            let (path, message) = words(condition);
            let objection = Objection {
                uid: verdict.uid.clone(),
                generation: verdict.generation,
                reason: Reason::Refused,
                path,
                message,
            };
            self.all
                .insert(verdict.uid.clone(), (verdict.object.clone(), objection));
        }
    }
}

/// Whether the object is left out on account of it, though it could be served.
fn is_against(problem: &ObjectProblem) -> bool {
    !problem.unsupported && !problem.served
}

/// Field and message out of a condition.
fn words(condition: &Condition) -> (String, String) {
    let text = compile::fault(&condition.message).trim_end_matches('.');
    match text.split_once(": ") {
        Some((path, message)) if path.starts_with("spec") && !path.contains(' ') => {
            (path.to_owned(), message.to_owned())
        }
        _ => ("spec".to_owned(), text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use compile::{Compiled, Delivery, LastAccepted, Object, Snapshot, compile_against, object_conditions};
    use crd::status::{EngineVerdict, ObjectStatus};
    use serde_json::{Value, json};

    fn object(kind: &str, name: &str, generation: i64, spec: &Value) -> Object {
        let value = json!({
            "apiVersion": crd::API_VERSION, "kind": kind,
            "metadata": {"name": name, "namespace": "n", "uid": name, "generation": generation},
            "spec": spec,
        });
        Object::from_json(&value, "n").expect("an object")
    }

    fn world(generation: i64) -> Snapshot {
        let source = json!({"name": "s", "connection": {"url": "postgres://x/y"}});
        let table = json!({"sourceRef": {"name": "s"}, "table": {"name": "t"}});
        let permission = json!({
            "tableRef": {"name": "t"}, "role": "r", "select": {"columns": ["a"], "filter": {}},
        });
        Snapshot::new(vec![
            object("Engine", "e", 1, &json!({})),
            object("Source", "s", 1, &source),
            object("Table", "t", 1, &table),
            object("Permission", "p", generation, &permission),
        ])
    }

    fn compiled(generation: i64, objections: &[Objection]) -> Compiled {
        let made = compile_against(&world(generation), &LastAccepted::nothing(), objections);
        let verdict = made.verdicts.iter().find(|verdict| verdict.uid == "s");
        assert_eq!(verdict.map(|verdict| verdict.refusal.clone()), Some(None));
        made
    }

    fn answer(problems: &[(&str, bool)], fingerprint: Option<&str>) -> CheckAnswer {
        let problem = |(uid, unreachable): &(&str, bool)| {
            json!({
                "uid": uid, "kind": "", "namespace": "", "name": "", "path": "spec.select", "message": "no",
                "unreachable": unreachable,
            })
        };
        let problems: Vec<Value> = problems.iter().map(problem).collect();
        let answer = json!({
            "generation": "g", "problems": problems,
            "sources": [{"name": "s", "state": "Up", "fingerprint": fingerprint}],
        });
        serde_json::from_value(answer).expect("an answer")
    }

    fn held(held: &Held, made: &Compiled) -> Vec<String> {
        let against = held.against(&made.verdicts);
        against.into_iter().map(|objection| objection.uid).collect()
    }

    /// What sets an object free is a pod that knows its database and says nothing against it, and nothing else.
    #[test]
    fn an_objection_holds_until_a_pod_could_have_repeated_it() {
        let made = compiled(2, &[]);
        let mut all = Held::default();
        let take = |all: &mut Held, problems: &[(&str, bool)], fingerprint| {
            let answer = answer(problems, fingerprint);
            all.take(&made.verdicts, &made.published, &answer);
            held(all, &made)
        };
        assert_eq!(take(&mut all, &[("p", false)], Some("f")), ["p"]);
        assert_eq!(
            take(&mut all, &[], None),
            ["p"],
            "the pod knows nothing of the database"
        );
        assert_eq!(
            take(&mut all, &[("p", true)], Some("f")),
            ["p"],
            "or cannot reach it"
        );
        assert_eq!(
            take(&mut all, &[("t", false)], Some("f")),
            ["t", "p"],
            "the table hides it"
        );
        assert_eq!(take(&mut all, &[], Some("f")), [""; 0]);
    }

    /// What is said of something that is served all the same is no reason to leave it out, and sets it free.
    #[test]
    fn what_is_served_all_the_same_is_not_held() {
        let made = compiled(2, &[]);
        let mut all = Held::default();
        let mut said = answer(&[("p", false)], Some("f"));
        all.take(&made.verdicts, &made.published, &said);
        assert_eq!(held(&all, &made), ["p"]);
        for problem in &mut said.problems {
            problem.served = true;
        }
        let against = all.take(&made.verdicts, &made.published, &said);
        assert!(against.is_empty(), "{against:?}");
        assert_eq!(held(&all, &made), [""; 0]);
        // What stands in it is judged as if nothing had been said.
        all.take(
            &made.verdicts,
            &made.published,
            &answer(&[("p", false)], Some("f")),
        );
        let mut of_table = answer(&[("t", false)], Some("f"));
        of_table.problems[0].served = true;
        all.take(&made.verdicts, &made.published, &of_table);
        assert_eq!(held(&all, &made), [""; 0]);
    }

    /// The last form of what it stands in may be all that it lacked.
    #[test]
    fn what_is_hidden_is_judged_behind_a_last_form() {
        let made = compiled(2, &[]);
        let mut all = Held::default();
        let fingerprint = Some("f");
        all.take(
            &made.verdicts,
            &made.published,
            &answer(&[("p", false)], fingerprint),
        );
        let said = all.take(
            &made.verdicts,
            &made.published,
            &answer(&[("t", false)], fingerprint),
        );
        let uids = |all: &Held, said: &BTreeSet<String>, is_last: bool| {
            let next = all.next(&made.verdicts, said, is_last);
            next.into_iter()
                .map(|objection| objection.uid)
                .collect::<Vec<_>>()
        };
        assert_eq!(uids(&all, &said, false), ["t"]);
        assert_eq!(uids(&all, &said, true), ["t", "p"], "nothing unjudged goes out");
        assert_eq!(
            uids(&all, &BTreeSet::new(), false),
            ["t", "p"],
            "nobody said anything"
        );
    }

    #[test]
    fn another_form_is_judged_anew() {
        let made = compiled(2, &[]);
        let mut all = Held::default();
        all.take(
            &made.verdicts,
            &made.published,
            &answer(&[("p", false)], Some("f")),
        );
        let refused = compiled(2, &all.against(&made.verdicts));
        assert!(held(&all, &refused).is_empty(), "it is not in the candidate");
        let form = |_: &ObjectKey| Some(("p".to_owned(), 2));
        all.keep(form);
        assert_eq!(held(&all, &made), ["p"], "and not forgotten");
        let later = compiled(3, &[]);
        assert!(held(&all, &later).is_empty());
        for other in [Some(("p".to_owned(), 3)), Some(("q".to_owned(), 2)), None] {
            let mut all = Held { all: all.all.clone() };
            all.keep(|_| other.clone());
            assert!(all.is_empty(), "{other:?}");
        }
    }

    /// A new operator knows what the one before refused, unless that is served already.
    #[test]
    fn what_was_refused_before_a_restart_is_refused_after_it() {
        let made = compiled(2, &[]);
        let objection = Objection {
            uid: "p".to_owned(),
            generation: 2,
            reason: Reason::Refused,
            path: "spec.select.columns".to_owned(),
            message: "column \"a\" does not exist".to_owned(),
        };
        let refused = compiled(2, std::slice::from_ref(&objection));
        let verdict = refused.verdicts.iter().find(|verdict| verdict.uid == "p");
        let verdict = verdict.expect("of the permission");
        let said = EngineVerdict {
            namespace: "n".to_owned(),
            name: "e".to_owned(),
            conditions: object_conditions(verdict, &Delivery::NoReadyPod),
        };
        let status = Status::Object(Box::new(ObjectStatus {
            observed_generation: Some(2),
            conditions: None,
            engines: Some(vec![said]),
        }));
        let engine = ObjectKey {
            kind: Kind::Engine,
            namespace: "n".to_owned(),
            name: "e".to_owned(),
        };
        let resumed = |engine: &ObjectKey, status: &Status, published| {
            let mut all = Held::default();
            all.resume(engine, verdict, status, published);
            all.against(&made.verdicts)
        };
        assert_eq!(
            resumed(&engine, &status, Some(1)),
            std::slice::from_ref(&objection)
        );
        assert_eq!(resumed(&engine, &status, None), [objection]);
        assert_eq!(resumed(&engine, &status, Some(2)), []);
        assert_eq!(resumed(&engine, &Status::None, Some(1)), []);
        let other = ObjectKey {
            name: "other".to_owned(),
            ..engine
        };
        assert_eq!(resumed(&other, &status, Some(1)), []);
    }
}
