//! The values of an engine's Secret: read where objects refer to them, kept where they were and are missing now.

mod keep;
mod read;
mod room;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use compile::{Compiled, ObjectKey, Objection, Published, SecretKey, Serving};
use crd::Kind;
use crd::engine::EngineSpec;
use crd::status::Reason;
use delivery::{name, secret};
use futures_util::future::join_all;
use serde_json::Value;
use uuid::Uuid;

use super::Error;
use super::candidate::Made;
use crate::environment::{Environment, Part, Piece};
use crate::render::Values;
use crate::retry;
use crate::secrets::{Hidden, SecretName, Secrets, Standing};
use crate::world::World;

pub(super) use keep::{Keep, KeptSettings};
use read::Read;
use room::{MOST_BYTES, unfit};

/// What an admin has to show, where the Engine does not say where it is.
const ADMIN_SECRET: &str = "HASURA_GRAPHQL_ADMIN_SECRET";

/// Says that the admin secret is one made up, and which: one of the user's is not taken up again when nothing names it.
const MADE_ADMIN_SECRET: &str = "ROWLOCK_MADE_ADMIN_SECRET";

fn made_up() -> String {
    format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple())
}

/// Why a key has no value, by key.
pub(super) type Missing = BTreeMap<SecretKey, String>;

/// The values of one engine.
#[derive(Debug, Default)]
pub(super) struct SecretValues {
    loaded: bool,
    token: String,
    admin: Hidden,
    /// What there is no room for.
    unfit: BTreeSet<SecretKey>,
    /// The keys that the candidates of this pass refer to, and whose they are.
    named: BTreeSet<(ObjectKey, SecretKey)>,
    /// Those of the last pass that came to its end.
    before: BTreeSet<(ObjectKey, SecretKey)>,
    /// The variables that the published set names, and those before it that pods may still serve; none: that is not known
    /// until every pod serves one set, and whatever is there may be needed. What another operator published says nothing of
    /// what pods serve.
    served: Option<HashSet<String>>,
    read: HashMap<SecretName, Read>,
    wanted: Values,
    /// Settings that the pod template gives now are still among them.
    lingers: bool,
    start_hash: String,
}

impl SecretValues {
    /// Reads the engine's Secret, once: the token, and values that may be missing elsewhere now.
    pub(super) async fn load(&mut self, secrets: &Secrets, engine: &ObjectKey) -> Result<(), Error> {
        if self.loaded {
            return Ok(());
        }
        let own = name::secrets(&engine.name);
        let found = secrets.read(&engine.namespace, &own).await;
        let found = found.map_err(|error| Error::read_secret(&own, &error, secrets.role()))?;
        self.wanted = found.unwrap_or_default();
        let token = self.wanted.get(secret::ADMIN_TOKEN);
        let token = token.and_then(|token| String::from_utf8(token.0.clone()).ok());
        self.token = token.filter(|token| token.len() >= 32).unwrap_or_else(made_up);
        let admin = self
            .wanted
            .get(MADE_ADMIN_SECRET)
            .filter(|admin| !admin.0.is_empty());
        self.admin = admin.cloned().unwrap_or_else(|| Hidden(made_up().into_bytes()));
        self.loaded = true;
        Ok(())
    }

    /// The bearer token of the admin port.
    pub(super) fn token(&self) -> &str {
        &self.token
    }

    /// What the engine's Secret should hold.
    pub(super) fn wanted(&self) -> &Values {
        &self.wanted
    }

    /// Of the values that pods read at the start only. It tells nothing of them without the token.
    pub(super) fn start_hash(&self) -> String {
        self.start_hash.clone()
    }

    /// Of all values. It tells nothing of them without the token, which is one of them.
    pub(super) fn hash(&self) -> String {
        let mut text = Vec::new();
        for (variable, value) in &self.wanted {
            text.extend_from_slice(variable.as_bytes());
            text.push(0);
            text.extend_from_slice(value.0.len().to_string().as_bytes());
            text.push(0);
            text.extend_from_slice(&value.0);
        }
        delivery::hash(&text).get(..16).unwrap_or_default().to_owned()
    }

    /// Whether somebody changed or deleted the engine's Secret after `version` of it was written, and which version of it
    /// is there then.
    pub(super) async fn is_behind(
        &self,
        secrets: &Secrets,
        engine: &ObjectKey,
        version: Option<u64>,
    ) -> Option<Option<u64>> {
        let version = version?;
        let own = (engine.namespace.clone(), name::secrets(&engine.name));
        match secrets.standing(&own).await {
            Standing::Absent => Some(None),
            Standing::Present(now) => now.parse::<u64>().ok().filter(|now| *now > version).map(Some),
            Standing::Unknown | Standing::Denied(_) => None,
        }
    }

    /// Nothing is known of what the candidates of the next pass refer to.
    pub(super) fn begin(&mut self) {
        self.named.clear();
        self.unfit.clear();
    }

    /// Reads what the candidates of this pass refer to, where it changed, and what those of the last pass did: objects may
    /// go on in the form that they had then. Gives what is missing.
    pub(super) async fn refresh(
        &mut self,
        secrets: &Secrets,
        engine: &ObjectKey,
        compiled: &Compiled,
        world: &World,
    ) -> Result<Missing, Error> {
        let readable = self.readable(engine, compiled, world);
        self.named.extend(readable);
        let wanted = by_secret(self.named.union(&self.before));
        self.want(secrets, engine, &wanted);
        let mut missing = Missing::new();
        // All are waited for at the same time.
        let standings = join_all(wanted.keys().map(|name| secrets.standing(name))).await;
        for ((name, keys), standing) in wanted.iter().zip(standings) {
            if standing == Standing::Unknown {
                self.goes_on(name, keys)?;
                continue;
            }
            if let Some(why) = self.refresh_one(secrets, name, keys, standing).await? {
                missing.extend(keys.iter().map(|key| (secret_key(name, key), why.clone())));
                continue;
            }
            for key in keys {
                let why = self.read.get(name).and_then(|read| read.lacks(name, key));
                missing.extend(why.map(|why| (secret_key(name, key), why)));
            }
        }
        Ok(missing)
    }

    /// Nothing was heard of a Secret: what is there of it goes on. Without that nothing can be said against who refers to
    /// it, nor can it be published.
    fn goes_on(&self, name: &SecretName, keys: &BTreeSet<String>) -> Result<(), Error> {
        let is_there = |key: &String| {
            let key = secret_key(name, key);
            self.value(&key).is_some() || self.wanted.contains_key(&key.variable())
        };
        if keys.iter().all(is_there) {
            return Ok(());
        }
        Err(Error::Read {
            what: format!("Secret {}/{}", name.0, name.1),
            message: "the API server has not told yet whether it is there".to_owned(),
            again: true,
        })
    }

    /// There is no further candidate: what none of them refers to is neither watched nor kept.
    pub(super) fn end(&mut self, secrets: &Secrets, engine: &ObjectKey) {
        self.before = std::mem::take(&mut self.named);
        let wanted = by_secret(&self.before);
        self.want(secrets, engine, &wanted);
    }

    fn want(&mut self, secrets: &Secrets, engine: &ObjectKey, wanted: &Wanted) {
        let mut names: BTreeSet<SecretName> = wanted.keys().cloned().collect();
        names.insert((engine.namespace.clone(), name::secrets(&engine.name)));
        secrets.want(engine, &names);
        self.read.retain(|name, _| wanted.contains_key(name));
    }

    /// The keys that objects refer to. Earlier forms that were there when this operator began stand in a ConfigMap of the
    /// engine's namespace, and whoever writes there could have added any Secret of another one: of those only what the
    /// object refers to now counts, and what it was seen to refer to. For the rest, what pods have stays as it is.
    fn readable(
        &self,
        engine: &ObjectKey,
        compiled: &Compiled,
        world: &World,
    ) -> BTreeSet<(ObjectKey, SecretKey)> {
        let verdicts = compiled.verdicts.iter();
        let earlier: HashSet<&ObjectKey> = verdicts
            .filter(|verdict| verdict.object.namespace != engine.namespace)
            .filter(|verdict| matches!(verdict.serving, Serving::Last(_)))
            .map(|verdict| &verdict.object)
            .collect();
        let all = compiled.published.iter().flat_map(|entry| {
            let named = entry.secrets.iter();
            named.map(|key| (entry.object.clone(), key.clone()))
        });
        let refers_now = |object: &ObjectKey, key: &SecretKey| {
            let found = world.get(object);
            found.is_some_and(|(object, _)| path_of(&object.spec.value(), key, "spec").is_some())
        };
        all.filter(|reference| {
            let (object, key) = reference;
            !earlier.contains(object)
                || self.named.contains(reference)
                || self.before.contains(reference)
                || refers_now(object, key)
        })
        .collect()
    }

    /// Adds what does not fit into the engine's Secret: what older objects refer to comes first, and the engine's own
    /// before all. One value too many must not keep everything else from being published.
    pub(super) fn fit(&mut self, compiled: &Compiled, world: &World, missing: &mut Missing) {
        let age = |entry: &Published| {
            let created = world.get(&entry.object).map(|(object, _)| object.created.clone());
            (entry.object.kind != Kind::Engine, created, entry.object.clone())
        };
        let mut entries: Vec<_> = compiled
            .published
            .iter()
            .filter(|entry| !entry.secrets.is_empty())
            .map(|entry| (age(entry), entry))
            .collect();
        entries.sort_by(|one, two| one.0.cmp(&two.0));
        let keys: Vec<&SecretKey> = entries.iter().flat_map(|(_, entry)| &entry.secrets).collect();
        let before = |key: &SecretKey| self.wanted.get(&key.variable()).map_or(0, |value| value.0.len());
        let now = |key: &SecretKey| self.value(key).map_or_else(|| before(key), |value| value.0.len());
        let room = MOST_BYTES.saturating_sub(self.needed(&keys));
        let unfit = unfit(&keys, now, before, room);
        self.unfit.extend(unfit.keys().cloned());
        missing.extend(unfit);
    }

    /// Bytes of what pods need until they serve another set, beside these keys.
    fn needed(&self, keys: &[&SecretKey]) -> usize {
        let named: HashSet<String> = keys.iter().map(|key| key.variable()).collect();
        let needed = self.wanted.iter().filter(|(variable, _)| {
            secret::is_reference(variable) && self.is_served(variable) && !named.contains(*variable)
        });
        needed
            .map(|(variable, value)| variable.len() + value.0.len())
            .sum()
    }

    fn is_served(&self, variable: &str) -> bool {
        let served = self.served.as_ref();
        served.is_none_or(|served| served.contains(variable))
    }

    /// This is published now: pods follow one by one.
    pub(super) fn published(&mut self, metadata: &str) {
        if let Some(served) = &mut self.served {
            served.retain(|variable| self.wanted.contains_key(variable));
            served.extend(references(metadata).into_iter().map(str::to_owned));
        }
    }

    /// No pod serves anything else any more. Gives whether there may be room now for something that did not fit.
    pub(super) fn settled(&mut self, metadata: &str) -> bool {
        let named = references(metadata);
        let mut variables = self
            .wanted
            .keys()
            .filter(|variable| secret::is_reference(variable));
        let shrinks =
            variables.any(|variable| self.is_served(variable) && !named.contains(variable.as_str()));
        self.served = Some(named.into_iter().map(str::to_owned).collect());
        shrinks && !self.unfit.is_empty()
    }

    /// Whether settings stay for pods of an earlier template, which they have from nowhere else.
    pub(super) fn lingers(&self) -> bool {
        self.lingers
    }

    /// The variables in the engine's Secret that are settings, of what runs too.
    pub(super) fn settings(&self) -> BTreeSet<String> {
        let variables = self.wanted.keys();
        let settings = variables.filter(|variable| !secret::is_reference(variable));
        settings.cloned().collect()
    }

    /// Why nothing of a Secret can be had.
    async fn refresh_one(
        &mut self,
        secrets: &Secrets,
        name: &SecretName,
        keys: &BTreeSet<String>,
        standing: Standing,
    ) -> Result<Option<String>, Error> {
        let absent = || format!("Secret {} is not there: create it, or correct the name", name.1);
        let version = match standing {
            Standing::Present(version) => version,
            Standing::Absent | Standing::Unknown => {
                self.read.remove(name);
                return Ok(Some(absent()));
            }
            Standing::Denied(why) => return Ok(Some(format!("Secret {}: {why}", name.1))),
        };
        let known = self.read.get(name);
        if known.is_some_and(|known| known.version == version && keys.is_subset(&known.asked)) {
            return Ok(None);
        }
        match secrets.read(&name.0, &name.1).await {
            Ok(Some(found)) => {
                self.read.insert(name.clone(), Read::of(version, keys, found));
                Ok(None)
            }
            Ok(None) => Ok(Some(absent())),
            Err(error) if retry::code(&error) == 403 => Ok(Some(format!(
                "Secret {}: the operator may watch it and not read it",
                name.1
            ))),
            Err(error) => {
                let name = format!("{}/{}", name.0, name.1);
                Err(Error::read_secret(&name, &error, secrets.role()))
            }
        }
    }

    /// Puts together what the engine's Secret should hold, and of what it held before what pods may still need.
    pub(super) fn gather(&mut self, made: &Made, keep: Keep) {
        let mut wanted = Values::new();
        wanted.insert(
            secret::ADMIN_TOKEN.to_owned(),
            Hidden(self.token.clone().into_bytes()),
        );
        let named = references(&made.metadata);
        for key in &made.compiled.secrets {
            let variable = key.variable();
            // Settings of the engine have keys of their own below.
            if named.contains(variable.as_str()) {
                // What does not fit goes on as it was.
                let value = self.value(key).filter(|_| !self.unfit.contains(key));
                let value = value.or_else(|| self.wanted.get(&variable).cloned());
                wanted.extend(value.map(|value| (variable, value)));
            }
        }
        let nothing = Environment::default();
        let environment = made
            .settings
            .as_ref()
            .map_or(&nothing, |(_, environment)| environment);
        self.add_settings(environment, &mut wanted);
        if let Some((spec, environment)) = &made.settings {
            add_instances(spec, environment, &mut wanted);
        }
        self.start_hash = start_hash(&self.token, environment, &wanted);
        self.lingers = false;
        let mut room = MOST_BYTES.saturating_sub(size(&wanted));
        for (variable, value) in std::mem::take(&mut self.wanted) {
            if wanted.contains_key(&variable) {
                continue;
            }
            let is_moved = secret::CHANGES_AT_RUN_TIME.contains(&variable.as_str())
                && environment.variables.contains_key(&variable);
            let is_reference = secret::is_reference(&variable);
            let is_kept = if is_reference {
                keep.references
            } else {
                match keep.settings {
                    KeptSettings::All => true,
                    KeptSettings::Moved => is_moved,
                    KeptSettings::Gone => false,
                }
            };
            // Settings that are kept stay in any case: a pod that starts without its admin secret would be open. So does
            // what pods use until they serve another set; there is room for it.
            let bytes = variable.len() + value.0.len();
            let stays = !is_reference || self.is_served(&variable);
            if is_kept && (bytes <= room || stays) {
                self.lingers |= is_moved;
                room = room.saturating_sub(bytes);
                wanted.insert(variable, value);
            }
        }
        self.wanted = wanted;
    }

    fn add_settings(&self, environment: &Environment, wanted: &mut Values) {
        // A field that is left out, or misspelt where nobody checks it, makes nobody an admin.
        if environment.is_open {
            wanted.insert(ADMIN_SECRET.to_owned(), self.admin.clone());
            wanted.insert(MADE_ADMIN_SECRET.to_owned(), self.admin.clone());
        }
        for (variable, part) in &environment.secret {
            let value = self.part(part).or_else(|| self.wanted.get(variable).cloned());
            wanted.extend(value.map(|value| (variable.clone(), value)));
        }
    }

    /// Whether every setting that comes from a Secret has a value. Without its admin secret an engine would be open
    /// to everybody.
    pub(super) fn has_all(&self, environment: &Environment) -> bool {
        environment
            .secret
            .keys()
            .all(|variable| self.wanted.contains_key(variable))
    }

    fn value(&self, key: &SecretKey) -> Option<Hidden> {
        let read = self.read.get(&(key.namespace.clone(), key.name.clone()))?;
        read.values.get(&key.key).cloned()
    }

    fn part(&self, part: &Part) -> Option<Hidden> {
        match part {
            Part::One(key) => self.value(key),
            Part::Text(pieces) => {
                let text = |piece: &Piece| match piece {
                    Piece::Text(text) => Some(text.clone()),
                    Piece::Key(key) => String::from_utf8(self.value(key)?.0).ok(),
                };
                let whole: String = pieces.iter().map(text).collect::<Option<_>>()?;
                Some(Hidden(whole.into_bytes()))
            }
        }
    }
}

/// Pods share what a source allows all of them together. It stands here because it changes while they run; who says it in
/// `spec.env` knows better.
fn add_instances(spec: &EngineSpec, environment: &Environment, wanted: &mut Values) {
    let is_given = environment.variables.contains_key(secret::INSTANCES)
        || environment.secret.contains_key(secret::INSTANCES);
    if !is_given {
        let replicas = spec.replicas.unwrap_or(1).max(1);
        wanted.insert(
            secret::INSTANCES.to_owned(),
            Hidden(replicas.to_string().into_bytes()),
        );
    }
}

/// Keys, by Secret.
type Wanted = BTreeMap<SecretName, BTreeSet<String>>;

fn by_secret<'k>(named: impl IntoIterator<Item = &'k (ObjectKey, SecretKey)>) -> Wanted {
    let mut wanted = Wanted::new();
    for (_, key) in named {
        let name = (key.namespace.clone(), key.name.clone());
        wanted.entry(name).or_default().insert(key.key.clone());
    }
    wanted
}

fn size(values: &Values) -> usize {
    values
        .iter()
        .map(|(variable, value)| variable.len() + value.0.len())
        .sum()
}

/// The variables in a document that stand for keys of Secrets.
fn references(metadata: &str) -> HashSet<&str> {
    let length = secret::PREFIX.len() + 16;
    metadata
        .match_indices(secret::PREFIX)
        .filter_map(|(at, _)| metadata.get(at..at + length))
        .filter(|variable| secret::is_reference(variable))
        .collect()
}

fn secret_key(name: &SecretName, key: &str) -> SecretKey {
    SecretKey {
        namespace: name.0.clone(),
        name: name.1.clone(),
        key: key.to_owned(),
    }
}

fn start_hash(token: &str, environment: &Environment, values: &Values) -> String {
    let mut text = token.as_bytes().to_vec();
    let at_start = environment
        .secret
        .keys()
        .filter(|variable| !secret::CHANGES_AT_RUN_TIME.contains(&variable.as_str()));
    for variable in at_start {
        text.extend_from_slice(variable.as_bytes());
        text.push(0);
        text.extend_from_slice(
            values
                .get(variable)
                .map(|value| value.0.as_slice())
                .unwrap_or_default(),
        );
        text.push(0);
    }
    delivery::hash(&text).get(..16).unwrap_or_default().to_owned()
}

/// What objects lack, as objections to their present forms.
pub(super) fn objections(compiled: &Compiled, world: &World, missing: &Missing) -> Vec<Objection> {
    if missing.is_empty() {
        return Vec::new();
    }
    let present: BTreeMap<&ObjectKey, i64> = compiled
        .verdicts
        .iter()
        .filter(|verdict| verdict.serving == Serving::Present)
        .map(|verdict| (&verdict.object, verdict.generation))
        .collect();
    let mut made = Vec::new();
    for entry in &compiled.published {
        let lacking = entry
            .secrets
            .iter()
            .find_map(|key| Some((key, missing.get(key)?)));
        let (Some((key, why)), Some(generation)) = (lacking, present.get(&entry.object)) else {
            continue;
        };
        let object = world.get(&entry.object).map(|(object, _)| object);
        let path = object.and_then(|object| path_of(&object.spec.value(), key, "spec"));
        made.push(Objection {
            uid: entry.uid.clone(),
            generation: *generation,
            reason: Reason::RefNotResolved,
            path: path.unwrap_or_else(|| "spec".to_owned()),
            message: why.clone(),
        });
    }
    made
}

/// Where a spec refers to a key. Recurses as deep as a spec may nest.
fn path_of(value: &Value, key: &SecretKey, path: &str) -> Option<String> {
    match value {
        Value::Array(items) => {
            let mut items = items.iter().enumerate();
            items.find_map(|(number, item)| path_of(item, key, &format!("{path}[{number}]")))
        }
        Value::Object(object) => {
            if let Some(reference) = object.get("secretKeyRef") {
                let text = |field: &str| reference.get(field).and_then(Value::as_str);
                if text("name") == Some(&key.name) && text("key") == Some(&key.key) {
                    return Some(format!("{path}.secretKeyRef"));
                }
            }
            let mut fields = object.iter();
            fields.find_map(|(name, inner)| path_of(inner, key, &format!("{path}.{name}")))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests;
