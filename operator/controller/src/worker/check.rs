//! Asks a ready pod what it would leave out of a candidate, before it is published.

use std::collections::HashMap;
use std::time::Instant;

use compile::{ObjectKey, Objection, Serving};
use crd::status::Reason;
use delivery::{CheckRequest, ObjectProblem};
use serde_json::Value;

use super::Shared;
use super::candidate::Made;
use crate::follow::Followers;
use crate::observe::{Event, chain};
use crate::pod::Pod;

/// Checks of one change: what is hidden behind a fault is found by the next one.
pub(super) const ROUNDS: usize = 3;
/// Pods that are asked, one after the other, until one answers.
const PODS: usize = 2;
/// Answers that are remembered.
const REMEMBERED: usize = 4;

/// The answers to the latest questions.
#[derive(Debug, Default)]
pub(super) struct Checks {
    /// By candidate and databases, the latest last.
    answers: Vec<(String, Vec<ObjectProblem>)>,
}

impl Checks {
    /// What the databases have against objects of a candidate. Without a pod that answers: nothing; then pods say it
    /// when they have it.
    pub(super) async fn objections(
        &mut self,
        shared: &Shared,
        engine: &ObjectKey,
        pods: &[Pod],
        token: &str,
        followers: &Followers,
        made: &Made,
    ) -> Vec<Objection> {
        let question = format!("{} {} {}", made.generation, made.table, followers.fingerprints());
        if let Some((_, problems)) = self.answers.iter().find(|(known, _)| *known == question) {
            return objections(made, problems);
        }
        let Ok(objects) = serde_json::from_str::<Vec<Value>>(&made.objects) else {
            return Vec::new();
        };
        let request = CheckRequest {
            metadata: made.metadata.clone(),
            objects,
        };
        let observer = &shared.tables.observer;
        let ready = pods.iter().filter(|pod| pod.ready);
        let ready = ready.filter_map(|pod| Some((pod, pod.address?)));
        for (pod, address) in ready.take(PODS) {
            let begin = Instant::now();
            match shared.probe.check(address, token, &request).await {
                Ok(answer) => {
                    observer.emit(&Event::Checked {
                        engine,
                        pod: &pod.name,
                        problems: answer.problems.len(),
                        took: begin.elapsed(),
                    });
                    let found = objections(made, &answer.problems);
                    self.answers.push((question, answer.problems));
                    if self.answers.len() > REMEMBERED {
                        self.answers.remove(0);
                    }
                    return found;
                }
                Err(error) => observer.emit(&Event::PodFailed {
                    engine,
                    pod: &pod.name,
                    message: format!("checking a candidate: {}", chain(&error)),
                }),
            }
        }
        Vec::new()
    }
}

/// Problems of objects whose present form is in the candidate. A database that is down, or a feature that comes
/// later, is nothing against an object.
fn objections(made: &Made, problems: &[ObjectProblem]) -> Vec<Objection> {
    let present: HashMap<&str, i64> = made
        .compiled
        .verdicts
        .iter()
        .filter(|verdict| verdict.serving == Serving::Present)
        .map(|verdict| (verdict.uid.as_str(), verdict.generation))
        .collect();
    let real = problems
        .iter()
        .filter(|problem| !problem.unreachable && !problem.unsupported);
    real.filter_map(|problem| {
        Some(Objection {
            uid: problem.uid.clone(),
            generation: *present.get(problem.uid.as_str())?,
            reason: Reason::Refused,
            path: problem.path.clone(),
            message: problem.message.clone(),
        })
    })
    .collect()
}
