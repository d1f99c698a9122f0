//! Asks a pod what it would leave out of a candidate, before it is published.

mod again;

use std::collections::BTreeSet;
use std::time::Instant;

use compile::{ObjectKey, Objection, Verdict};
use delivery::{CheckAnswer, CheckRequest};
use serde_json::Value;

use super::Shared;
use super::candidate::Made;
use super::held::Held;
use super::values::SecretValues;
use crate::deliver::source_of;
use crate::follow::Followers;
use crate::observe::{Event, chain};
use crate::pod::Pod;
use crate::world::Status;

use again::Again;

/// Checks of one change: what is hidden behind a fault is found by the next one.
pub(super) const ROUNDS: usize = 3;
/// Pods that are asked, one after the other, until one answers that knows all that any of them knows.
const PODS: usize = 2;
/// Answers that are remembered.
const REMEMBERED: usize = 4;

/// The answers to the latest questions, and what is held against objects.
#[derive(Debug, Default)]
pub(super) struct Checks {
    /// By candidate and databases, the latest last.
    answers: Vec<(String, CheckAnswer)>,
    held: Held,
    resumed: bool,
    /// The pods there were when nobody answered, until one does.
    unanswered: Option<BTreeSet<String>>,
    /// And why none of them will.
    lasting: bool,
    /// When to ask again what is held.
    pub(super) again: Again,
}

/// Who may be asked, the best first: pods that are ready, and others that talk.
fn askable<'p>(pods: &'p [Pod], followers: &Followers) -> Vec<&'p Pod> {
    let talks = |pod: &&Pod| !pod.ready && !pod.ending && followers.talks(pod);
    let ready = pods.iter().filter(|pod| pod.ready);
    let all = ready.chain(pods.iter().filter(talks));
    all.filter(|pod| pod.address.is_some()).collect()
}

/// Which of these databases a pod does not know.
fn unknown<'s>(answer: &CheckAnswer, sources: &BTreeSet<&'s str>) -> BTreeSet<&'s str> {
    let is_known = |name: &&str| {
        let mut all = answer.sources.iter();
        all.any(|source| source.name == *name && source.fingerprint.is_some())
    };
    sources.iter().filter(|name| !is_known(name)).copied().collect()
}

impl Checks {
    /// Takes up, once, what an operator before this one told of objects: `status` has the status of an object, and
    /// `published` the generation of which the form is published.
    pub(super) fn resume(
        &mut self,
        engine: &ObjectKey,
        verdicts: &[Verdict],
        status: impl Fn(&ObjectKey) -> Option<std::sync::Arc<Status>>,
        published: impl Fn(&str) -> Option<i64>,
    ) {
        if std::mem::replace(&mut self.resumed, true) {
            return;
        }
        for verdict in verdicts {
            if let Some(status) = status(&verdict.object) {
                self.held
                    .resume(engine, verdict, &status, published(&verdict.uid));
            }
        }
    }

    /// Forgets what is about other forms of objects than those that are there.
    pub(super) fn keep(&mut self, form: impl Fn(&ObjectKey) -> Option<(String, i64)>) {
        self.held.keep(form);
    }

    /// What is to be left out of the next candidate, after a pod `said` something of this one.
    pub(super) fn next(&self, made: &Made, said: &BTreeSet<String>, is_last: bool) -> Vec<Objection> {
        self.held.next(&made.compiled.verdicts, said, is_last)
    }

    /// A candidate was made; `open`: something is left out of it that a pod may have nothing against later.
    pub(super) fn made(&mut self, open: bool) {
        let nobody = self.unanswered.as_ref().is_some_and(BTreeSet::is_empty);
        let nobody = nobody || (self.unanswered.is_some() && self.lasting);
        self.again
            .made(open && !nobody, self.unanswered.is_none(), Instant::now());
    }

    /// Whether a question is open that other pods than those of then may answer.
    pub(super) fn may_be_answered(&self, pods: &[Pod], followers: &Followers) -> bool {
        let Some(then) = self.unanswered.as_ref().filter(|_| !self.held.is_empty()) else {
            return false;
        };
        let now = askable(pods, followers);
        now.iter().any(|pod| !then.contains(&pod.uid))
    }

    /// Learns what the databases have against objects of a candidate. Gives against whom a pod has something, if one
    /// answered: without one nothing is learned, and nothing forgotten.
    pub(super) async fn ask(
        &mut self,
        shared: &Shared,
        engine: &ObjectKey,
        pods: &[Pod],
        values: &SecretValues,
        followers: &Followers,
        made: &Made,
    ) -> Option<BTreeSet<String>> {
        // What a pod said with other values, or long ago, it may not say again.
        let question = format!(
            "{} {} {} {}",
            made.generation,
            made.table,
            values.hash(),
            followers.fingerprints()
        );
        let known = self.answers.iter().any(|(known, _)| *known == question);
        if !known || self.again.is_due() {
            self.again.asked();
            let answer = self.answer(shared, engine, pods, values.token(), followers, made);
            let answer = answer.await?;
            self.answers.retain(|(known, _)| *known != question);
            self.answers.push((question.clone(), answer));
            if self.answers.len() > REMEMBERED {
                self.answers.remove(0);
            }
        }
        self.unanswered = None;
        let (_, answer) = self.answers.iter().find(|(known, _)| *known == question)?;
        let compiled = &made.compiled;
        Some(self.held.take(&compiled.verdicts, &compiled.published, answer))
    }

    async fn answer(
        &mut self,
        shared: &Shared,
        engine: &ObjectKey,
        pods: &[Pod],
        token: &str,
        followers: &Followers,
        made: &Made,
    ) -> Option<CheckAnswer> {
        let request = CheckRequest {
            metadata: made.metadata.clone(),
            objects: serde_json::from_str::<Vec<Value>>(&made.objects).ok()?,
        };
        let observer = &shared.tables.observer;
        let askable = askable(pods, followers);
        let sources: BTreeSet<&str> = made.compiled.published.iter().filter_map(source_of).collect();
        // Of a pod that has just begun, and of one that cannot reach a database, others know more: the best answer is the one
        // that lacks least. A database that nobody knows is no reason to ask another pod.
        let mut best: Option<(BTreeSet<&str>, CheckAnswer)> = None;
        let mut lasting = true;
        let mut asked = 0;
        for pod in &askable {
            let Some(address) = pod.address else {
                continue;
            };
            let lacking = best.as_ref().map(|(lacking, _)| lacking);
            if lacking.is_some_and(|lacking| !followers.may_know(pod, lacking)) {
                continue;
            }
            if asked == PODS {
                break;
            }
            asked += 1;
            let begin = Instant::now();
            match shared.probe.check(address, token, &request).await {
                Ok(answer) => {
                    observer.emit(&Event::Checked {
                        engine,
                        pod: &pod.name,
                        problems: answer.problems.len(),
                        took: begin.elapsed(),
                    });
                    let lacking = unknown(&answer, &sources);
                    if lacking.is_empty() {
                        return Some(answer);
                    }
                    if best
                        .as_ref()
                        .is_none_or(|(before, _)| lacking.len() < before.len())
                    {
                        best = Some((lacking, answer));
                    }
                }
                Err(error) => {
                    lasting &= error.is_lasting();
                    observer.emit(&Event::PodFailed {
                        engine,
                        pod: &pod.name,
                        message: format!("checking a candidate: {}", chain(&error)),
                    });
                }
            }
        }
        if let Some((_, answer)) = best {
            return Some(answer);
        }
        self.lasting = lasting;
        self.unanswered = Some(askable.iter().map(|pod| pod.uid.clone()).collect());
        None
    }
}
