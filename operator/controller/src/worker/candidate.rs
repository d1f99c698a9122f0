//! What would be published: compiled, and asked of Secrets and of a pod.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Instant;

use compile::{Compiled, Object, Objection, compile_against};
use crd::engine::EngineSpec;
use crd::status::Reason;
use serde::Deserialize;

use super::values::{self, Keep, KeptSettings, Missing};
use super::{Error, Shared, Worker, check, is_paused};
use crate::environment::{Environment, environment};
use crate::observe::Event;
use crate::render;
use crate::resource::Native;

/// The spec of an engine, and the settings in it.
pub(super) type Settings = (EngineSpec, Environment);

/// Looks until no further object turns out to need its earlier form.
const ROUNDS: usize = 3;

/// What was made of the objects; its document is there as text only.
#[derive(Debug)]
pub(super) struct Made {
    pub(super) compiled: Compiled,
    /// The settings; none: the engine's own form is refused.
    pub(super) settings: Option<Settings>,
    pub(super) metadata: String,
    pub(super) objects: String,
    /// Hash of `metadata`.
    pub(super) generation: String,
    /// Hash of `objects`.
    pub(super) table: String,
}

impl Worker {
    /// Compiles, and asks Secrets and a pod what they have against it.
    pub(super) async fn make(&mut self, engine: &Arc<Object>) -> Result<(), Error> {
        self.catalog = self.followers.fingerprints();
        let (settings, mut objections) = settings(engine);
        let mut made = self.compile(engine, settings.as_ref(), &objections).await?;
        self.values.begin();
        let missing = self.read_values(&made).await?;
        let lacking = values::objections(&made.compiled, &self.shared.tables.world, &missing);
        if !lacking.is_empty() {
            objections.extend(lacking);
            made = self.compile(engine, settings.as_ref(), &objections).await?;
            self.read_values(&made).await?;
        }
        self.values.gather(&made, Keep::ALL);
        let pods = self.shared.tables.pods.of(&self.key);
        let has_all = |settings: &Settings| self.values.has_all(&settings.1);
        if made.settings.as_ref().is_some_and(has_all) && !pods.iter().any(|pod| pod.ready) {
            // Nothing runs that could go on: a setting that keeps pods from starting can be taken out.
            let keep = Keep {
                settings: KeptSettings::Gone,
                references: true,
            };
            self.values.gather(&made, keep);
        }
        if !is_paused(engine) && render::name_problem(&self.key.name).is_none() {
            let secret = render::secret(engine, self.values.wanted());
            self.apply(Native::Secret, &secret).await?;
        }
        let world = &self.shared.tables.world;
        let published = self.shelf.take_generations();
        self.checks.resume(
            &self.key,
            &made.compiled.verdicts,
            |key| world.get(key).map(|(_, status)| status),
            |uid| published.get(uid).copied(),
        );
        self.checks.keep(|key| {
            let (object, _) = world.get(key)?;
            Some((object.uid.clone(), object.generation))
        });
        let (mut answered, mut open) = (true, false);
        // A candidate without what a pod has against it may have other faults: what was hidden behind them.
        for round in 1..=check::ROUNDS {
            if self.shelf.has(&made) {
                break;
            }
            let said = if answered { self.ask(&made).await } else { None };
            answered = said.is_some();
            let said = said.unwrap_or_default();
            let against = self.checks.next(&made, &said, round == check::ROUNDS);
            if against.is_empty() {
                break;
            }
            open = true;
            objections.extend(against);
            made = self.compile(engine, settings.as_ref(), &objections).await?;
            self.read_values(&made).await?;
            self.values.gather(&made, Keep::ALL);
        }
        self.values.end(&self.shared.secrets, &self.key);
        self.checks.made(open);
        // A setting without a value: what runs goes on as it is.
        let complete = |settings: &(EngineSpec, Environment)| self.values.has_all(&settings.1);
        made.settings = made.settings.filter(complete);
        self.refused = refused(&made.compiled);
        self.made = Some(made);
        Ok(())
    }

    /// Reads what a candidate refers to, in its present forms and in earlier ones. Gives what is missing, and what there is
    /// no room for.
    async fn read_values(&mut self, made: &Made) -> Result<Missing, Error> {
        let Shared { secrets, tables, .. } = self.shared.as_ref();
        let read = self
            .values
            .refresh(secrets, &self.key, &made.compiled, &tables.world);
        let mut missing = read.await?;
        self.values.fit(&made.compiled, &tables.world, &mut missing);
        Ok(missing)
    }

    /// Compiles. Earlier forms are read only of objects that need them, which the first look tells.
    async fn compile(
        &mut self,
        engine: &Arc<Object>,
        settings: Option<&Settings>,
        objections: &[Objection],
    ) -> Result<Made, Error> {
        let begin = Instant::now();
        let mut needed = self.refused.clone();
        needed.extend(objections.iter().map(|objection| objection.uid.clone()));
        let mut made = self.compile_with(engine, &needed, objections).await?;
        for _ in 0..ROUNDS {
            let refused = refused(&made.compiled);
            if refused.is_subset(&needed) {
                break;
            }
            needed.extend(refused);
            made = self.compile_with(engine, &needed, objections).await?;
        }
        made.settings = settings.cloned();
        self.shared.tables.observer.emit(&Event::Compiled {
            engine: &self.key,
            objects: made.compiled.verdicts.len(),
            refused: refused(&made.compiled).len(),
            took: begin.elapsed(),
        });
        Ok(made)
    }

    /// One look, in a thread of its own. What is large does not outlive it.
    async fn compile_with(
        &mut self,
        engine: &Arc<Object>,
        needed: &BTreeSet<String>,
        objections: &[Objection],
    ) -> Result<Made, Error> {
        let (world, engine) = (Arc::clone(&self.shared.tables.world), Arc::clone(engine));
        let (last, objections) = (
            self.shelf.last(needed, &self.shared.allowance),
            objections.to_vec(),
        );
        let settings = self.values.settings();
        let work = tokio::task::spawn_blocking(move || {
            let snapshot = world.snapshot(&engine).guarding(settings);
            let compiled = compile_against(&snapshot, &last, &objections);
            drop(snapshot);
            Made::of(compiled)
        });
        work.await.map_err(|_| Error::Interrupted)
    }

    async fn ask(&mut self, made: &Made) -> Option<BTreeSet<String>> {
        let pods = self.shared.tables.pods.of(&self.key);
        self.checks
            .ask(
                &self.shared,
                &self.key,
                &pods,
                &self.values,
                &self.followers,
                made,
            )
            .await
    }
}

impl Made {
    fn of(mut compiled: Compiled) -> Self {
        let metadata = std::mem::take(&mut compiled.document).to_text();
        let mut objects = String::from("[");
        for (at, entry) in compiled.published.iter().enumerate() {
            if at > 0 {
                objects.push(',');
            }
            objects.push_str(&entry.to_json().to_string());
        }
        objects.push(']');
        Self {
            generation: delivery::hash(metadata.as_bytes()),
            table: delivery::hash(objects.as_bytes()),
            metadata,
            objects,
            compiled,
            settings: None,
        }
    }
}

/// The objects that are not accepted, by uid.
fn refused(compiled: &Compiled) -> BTreeSet<String> {
    let refused = compiled
        .verdicts
        .iter()
        .filter(|verdict| verdict.refusal.is_some());
    refused.map(|verdict| verdict.uid.clone()).collect()
}

/// The settings of an engine, and what is wrong with them.
fn settings(engine: &Object) -> (Option<Settings>, Vec<Objection>) {
    // A spec of another form is refused by compiling.
    let Ok(spec) = EngineSpec::deserialize(&*engine.spec.value()) else {
        return (None, Vec::new());
    };
    let (environment, problems) = environment(&spec, &engine.key.namespace);
    let objection = |path: String, message: String| Objection {
        uid: engine.uid.clone(),
        generation: engine.generation,
        reason: Reason::Invalid,
        path,
        message,
    };
    let name =
        render::name_problem(&engine.key.name).map(|message| objection("metadata.name".to_owned(), message));
    let problems = problems
        .into_iter()
        .map(|problem| objection(problem.path, problem.message));
    let objections: Vec<Objection> = name.into_iter().chain(problems).collect();
    let settings = objections.is_empty().then_some((spec, environment));
    (settings, objections)
}
