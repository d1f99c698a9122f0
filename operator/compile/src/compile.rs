//! A snapshot to a document and a verdict per object.
//!
//! Kinds come in rounds, what others need first. In each round older objects come first, so that the older of two that declare
//! the same thing wins in any order of reading.

mod last;
mod read;
mod round;
mod verdict;

use std::collections::HashMap;

use crd::Kind;
use metadata::Document;

use crate::fragment::{Fragment, Mention, Place};
use crate::grant::Grants;
use crate::guarded::Guard;
use crate::object::{Object, ObjectKey, Snapshot, Spec};
use crate::secret::SecretKey;

pub use last::{LastAccepted, Published};
pub use verdict::{Objection, Refusal, Serving, Verdict};

/// What became of a snapshot.
#[derive(Clone, Debug, PartialEq)]
pub struct Compiled {
    /// The document, canonical when printed.
    pub document: Document,
    /// What became of each object but `ReferenceGrant`s, by kind, namespace and name.
    pub verdicts: Vec<Verdict>,
    /// The objects that are a part of the document, by kind, namespace and name.
    pub published: Vec<Published>,
    /// The keys of Secrets that the document refers to, each once, in order.
    pub secrets: Vec<SecretKey>,
}

/// The part of the document that an object is, and what it needs.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    pub(crate) fragment: Fragment,
    pub(crate) secrets: Vec<SecretKey>,
    /// The generation of the object that this is the form of.
    pub(crate) generation: i64,
    /// The fields of that form that are not served.
    pub(crate) unsupported: Vec<String>,
}

/// Compiles a snapshot. `last` is what was published before: objects whose present form is not acceptable go on in
/// their form there.
pub fn compile(snapshot: &Snapshot, last: &LastAccepted) -> Compiled {
    compile_against(snapshot, last, &[])
}

/// The same, where something is known against some objects that cannot be seen in them.
pub fn compile_against<'a>(
    snapshot: &'a Snapshot,
    last: &'a LastAccepted,
    objections: &'a [Objection],
) -> Compiled {
    let mut run = Run {
        objections: objections
            .iter()
            .rev()
            .map(|objection| (objection.uid.as_str(), objection))
            .collect(),
        snapshot,
        last,
        engine: engine(snapshot).map(|engine| &engine.key),
        grants: Grants::of(snapshot.objects().iter().map(AsRef::as_ref)),
        guard: Guard::of(snapshot),
        keeps: keeps_by_default(snapshot),
        claimed: HashMap::new(),
        places: HashMap::new(),
        parts: HashMap::new(),
        refusals: HashMap::new(),
    };
    for round in round::ROUNDS {
        run.round(round);
    }
    run.finish()
}

struct Run<'a> {
    snapshot: &'a Snapshot,
    last: &'a LastAccepted,
    /// The engine that this is for; none: files without one, which are all one owner's.
    engine: Option<&'a ObjectKey>,
    grants: Grants,
    guard: Guard,
    /// Whether objects that say nothing go on in their last form.
    keeps: bool,
    /// Who declares what.
    claimed: HashMap<String, &'a ObjectKey>,
    /// Who stands at a place; of sources, tables, remote schemas and query collections.
    places: HashMap<(Kind, Place), &'a ObjectKey>,
    parts: HashMap<&'a ObjectKey, Part>,
    refusals: HashMap<&'a ObjectKey, Refusal>,
    /// By uid.
    objections: HashMap<&'a str, &'a Objection>,
}

impl<'a> Run<'a> {
    /// Takes the part, or what goes on instead.
    fn decide(&mut self, object: &'a Object, part: Result<Part, Refusal>, last_may_stay: bool) {
        let part = match part {
            Ok(part) => part,
            Err(refusal) => {
                let kept = if last_may_stay && refusal.keeps && self.keeps(object) {
                    self.last.part(object).filter(|part| self.may_stay(object, part))
                } else {
                    None
                };
                self.refusals.insert(&object.key, refusal);
                match kept {
                    Some(part) => part.clone(),
                    None => return,
                }
            }
        };
        for claim in part.fragment.claims() {
            self.claimed.insert(claim, &object.key);
        }
        self.places
            .insert((object.key.kind, head(&part.fragment)), &object.key);
        self.parts.insert(&object.key, part);
    }

    fn withdraw(&mut self, object: &'a Object) {
        if let Some(part) = self.parts.remove(&object.key) {
            for claim in part.fragment.claims() {
                self.claimed.remove(&claim);
            }
            self.places.remove(&(object.key.kind, head(&part.fragment)));
        }
    }

    /// Whether nothing is known against the present form.
    fn unopposed(&self, object: &Object, part: Part) -> Result<Part, Refusal> {
        match self.objections.get(object.uid.as_str()) {
            Some(objection) if objection.generation == object.generation => Err(Refusal::opposed(objection)),
            _ => Ok(part),
        }
    }

    /// Whether what holds for all of the engine may be said from this namespace.
    fn consented(&self, object: &Object, part: Part) -> Result<Part, Refusal> {
        match (self.engine, part.fragment.governs()) {
            (Some(engine), Some(path)) if !self.grants.permit(&object.key, engine) => {
                Err(Refusal::unpermitted(path, engine))
            }
            _ => Ok(part),
        }
    }

    /// Whether what the object declares is still free.
    fn unclaimed(&self, object: &Object, part: Part) -> Result<Part, Refusal> {
        let taken = part
            .fragment
            .claims()
            .into_iter()
            .find(|claim| self.claimed.contains_key(claim));
        match taken {
            None => Ok(part),
            Some(claim) => {
                let owner = self
                    .claimed
                    .get(&claim)
                    .filter(|owner| owner.namespace == object.key.namespace);
                Err(Refusal::duplicate(
                    part.fragment.claimed_at(&claim),
                    &claim,
                    owner.copied(),
                ))
            }
        }
    }

    /// Whether a last accepted form can go on: nobody else declares the same, what it belongs to is there and
    /// may still be referred to, what holds for all of the engine may still be said, and so may the variables that it names.
    fn may_stay(&self, object: &Object, part: &Part) -> bool {
        let free = part
            .fragment
            .claims()
            .iter()
            .all(|claim| !self.claimed.contains_key(claim));
        let belongs = parent_place(&part.fragment).is_none_or(|parent| {
            self.places
                .get(&parent)
                .is_some_and(|owner| self.grants.permit(&object.key, owner))
        });
        let governs = part.fragment.governs().is_some();
        let consented = !governs
            || self
                .engine
                .is_none_or(|engine| self.grants.permit(&object.key, engine));
        free && belongs && consented && self.may_still_name(object, part)
    }

    /// Whether the variables that a last accepted form names may be named now.
    fn may_still_name(&self, object: &Object, part: &Part) -> bool {
        let own = part.secrets.iter().map(SecretKey::variable).collect();
        object.key.kind == Kind::Engine || !self.guard.is_in(object, &part.fragment.print(), &own)
    }

    fn keeps(&self, object: &Object) -> bool {
        keeps(&object.spec).unwrap_or(self.keeps)
    }

    /// Why something a form of an object mentions cannot be mentioned: what is withdrawn comes before what is missing.
    fn first_unresolved(&self, object: &Object, part: &Part) -> Option<Refusal> {
        let mentions = part.fragment.mentions();
        let refusals = mentions
            .iter()
            .filter_map(|mention| self.unresolved(object, mention));
        let refusals: Vec<Refusal> = refusals.collect();
        let withdrawn = refusals.iter().find(|refusal| !refusal.keeps);
        withdrawn.or(refusals.first()).cloned()
    }

    /// Why something an object mentions cannot be mentioned. Of what its last form does not mention, what follows is the same
    /// whether another namespace has it or nobody.
    fn unresolved(&self, object: &Object, mention: &Mention) -> Option<Refusal> {
        match self.target(mention) {
            Some(target) if self.grants.permit(&object.key, target) => None,
            found => {
                let missing = found.is_none() || !self.last_mentions(object, mention);
                let target = format!("{} {}", mention.kind, mention.name);
                Some(Refusal::unresolved(&mention.path, &target, missing))
            }
        }
    }

    /// What declares what is mentioned.
    fn target(&self, mention: &Mention) -> Option<&'a ObjectKey> {
        let place = (mention.kind, Place(vec![mention.name.clone()]));
        self.places.get(&place).copied()
    }

    /// Whether the last form mentions the same.
    fn last_mentions(&self, object: &Object, mention: &Mention) -> bool {
        let Some(last) = self.last.part(object) else {
            return false;
        };
        let mut mentions = last.fragment.mentions().into_iter();
        mentions.any(|known| known.kind == mention.kind && known.name == mention.name)
    }

    fn finish(mut self) -> Compiled {
        let mut compiled = Compiled {
            document: Document::default(),
            verdicts: Vec::new(),
            published: Vec::new(),
            secrets: Vec::new(),
        };
        let mut parts = Vec::new();
        for object in self.snapshot.objects() {
            if object.key.kind == Kind::ReferenceGrant {
                continue;
            }
            let refusal = self.refusals.remove(&object.key);
            let mut part = self.parts.remove(&object.key);
            let serving = match (&part, &refusal) {
                (None, _) => Serving::Nothing,
                (Some(_), None) => Serving::Present,
                (Some(part), Some(_)) => Serving::Last(part.generation),
            };
            let unsupported = part.as_mut().filter(|_| refusal.is_none());
            let unsupported = unsupported.map(|part| std::mem::take(&mut part.unsupported));
            compiled.verdicts.push(Verdict {
                object: object.key.clone(),
                uid: object.uid.clone(),
                generation: object.generation,
                refusal,
                serving,
                unsupported: unsupported.unwrap_or_default(),
            });
            if let Some(part) = part {
                compiled.published.push(Published::of(object, &part));
                compiled.secrets.extend(part.secrets);
                parts.push(part.fragment);
            }
        }
        compiled.secrets.sort();
        compiled.secrets.dedup();
        // By kind, namespace and name already; where lists keep their order, this is it.
        parts.sort_by_key(list_order);
        for fragment in parts {
            fragment.add_to(&mut compiled.document);
        }
        compiled
    }
}

/// What parts belong to comes before them; shared types before those of actions; permissions on remote schemas by
/// position and role.
fn list_order(fragment: &Fragment) -> (u8, u64, String) {
    match fragment {
        Fragment::Settings(_) | Fragment::Source(..) | Fragment::RemoteSchema(..) => (0, 0, String::new()),
        Fragment::ActionTypes(_) => (1, 0, String::new()),
        Fragment::Permission(..) | Fragment::EventTrigger(..) => (3, 0, String::new()),
        Fragment::RemoteSchemaPermission(_, role, position, _) => {
            (2, position.unwrap_or(u64::MAX), role.clone())
        }
        _ => (2, 0, String::new()),
    }
}

/// The place by which others find the fragment: of an action without its types.
fn head(fragment: &Fragment) -> Place {
    let mut place = fragment.place();
    if let Fragment::Action(..) = fragment {
        place.0.truncate(1);
    }
    place
}

/// The place of what a fragment belongs to.
fn parent_place(fragment: &Fragment) -> Option<(Kind, Place)> {
    let first = |names: &[&str]| Place(names.iter().map(|name| (*name).to_owned()).collect());
    Some(match fragment {
        Fragment::Table(source, ..)
        | Fragment::Function(source, ..)
        | Fragment::NativeQuery(source, ..)
        | Fragment::LogicalModel(source, ..) => (Kind::Source, first(&[source])),
        Fragment::Permission(source, table, ..) | Fragment::EventTrigger(source, table, ..) => {
            (Kind::Table, first(&[source, &table.schema, &table.name]))
        }
        Fragment::RemoteSchemaPermission(schema, ..) => (Kind::RemoteSchema, first(&[schema])),
        Fragment::RestEndpoint(_, endpoint) => (
            Kind::QueryCollection,
            first(&[&endpoint.definition.query.collection_name]),
        ),
        _ => return None,
    })
}

fn keeps(spec: &Spec) -> Option<bool> {
    match spec.get("onInvalid")?.as_str() {
        Some("KeepLast") => Some(true),
        Some("Remove") => Some(false),
        _ => None,
    }
}

fn engine(snapshot: &Snapshot) -> Option<&Object> {
    let mut objects = snapshot.objects().iter().map(AsRef::as_ref);
    objects.find(|object: &&Object| object.key.kind == Kind::Engine)
}

fn keeps_by_default(snapshot: &Snapshot) -> bool {
    engine(snapshot)
        .and_then(|engine| keeps(&engine.spec))
        .unwrap_or(true)
}
