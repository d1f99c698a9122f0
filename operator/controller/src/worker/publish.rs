//! What is published: read once, then remembered. A set whose content is published already is not written again.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use compile::{LastAccepted, ObjectKey, Published};
use delivery::{Half, Index, Publication, Set, assemble, is_plausible, name, next_counter, publish};
use k8s_openapi::ByteString;
use metadata::Document;
use serde_json::Value;
use serde_json::value::RawValue;

use super::allowance::Allowance;
use super::candidate::Made;
use super::{Error, Shared};
use crate::deliver::Served;
use crate::observe::{Event, unix_seconds};
use crate::resource::{Native, Resource};

/// How often a set is published again at most because pods have a later one. Two operators that publish for one engine
/// would overtake each other without end; what they write in between they put back with pauses.
const APART: Duration = Duration::from_secs(60);

/// Why a set of the engine's own cannot be read. Without it objects would be withdrawn that go on in an earlier form.
const TOO_LARGE: &str = "it holds a set that takes more memory than the operator has: raise its memory limit, or delete the ConfigMap (what is refused now then has no earlier form)";

/// What is told of one that is damaged.
const DAMAGED: &str = "holds a set that is damaged: of it only the counter counts";

/// Why a set was not read.
enum Unread {
    Damaged,
    TooLarge,
}

/// A set and the ConfigMaps that carry it.
#[derive(Clone, Debug)]
struct Carried {
    index: Index,
    publication: Arc<Publication>,
    /// It was there when this operator began, and may be anybody's.
    is_found: bool,
}

impl Carried {
    /// The set, out of what carries it: it is kept in this form alone.
    fn set(&self) -> Option<Set> {
        let parts = self.publication.parts.iter().map(|part| part.content.clone());
        assemble(&self.index, &self.publication.data, &parts.collect::<Vec<_>>()).ok()
    }
}

/// The last accepted forms of some objects.
#[derive(Debug, Default)]
struct Remembered {
    /// The table that they are from.
    table: String,
    uids: BTreeSet<String>,
    last: Arc<LastAccepted>,
}

/// The generations of the objects, by uid, and their namespaces, in the set that another operator published.
#[derive(Debug, Default)]
struct Found {
    generations: HashMap<String, i64>,
    namespaces: BTreeSet<String>,
}

/// What is told of a set that was just published.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) counter: u64,
    pub(super) generation: String,
    pub(super) objects: String,
    pub(super) parts: usize,
}

/// The sets of one engine.
#[derive(Debug, Default)]
pub(super) struct Shelf {
    loaded: bool,
    present: Option<Carried>,
    /// Being written; what failed half-way is written again with the same counter.
    next: Option<Carried>,
    remembered: Remembered,
    /// What was there when this operator began.
    found: Found,
    /// The counter that was read; also where the set could not be.
    floor: u64,
    /// When a set was last published again because pods had a later one.
    overtaken: Option<Instant>,
    since: Option<Instant>,
    served: bool,
}

impl Shelf {
    /// Reads what is published, once. What is damaged counts as nothing, but for its counter; so does what is not of the
    /// engine with this uid: somebody wrote it, or it was of an engine of the same name.
    ///
    /// # Errors
    /// The API server refuses, or it takes more memory than there is.
    pub(super) async fn load(&mut self, shared: &Shared, engine: &ObjectKey, uid: &str) -> Result<(), Error> {
        if self.loaded {
            return Ok(());
        }
        let maps = Native::ConfigMap.api(&shared.client, Some(&engine.namespace));
        let get = async |name: String| {
            let found = maps.get_opt(&name).await;
            found.map_err(|error| Error::read(&format!("ConfigMap {name}"), &error))
        };
        let index_name = name::index(&engine.name);
        let too_large = || Error::Read {
            what: format!("ConfigMap {index_name}"),
            message: TOO_LARGE.to_owned(),
            again: false,
        };
        let doubt = |why: &str| {
            let message = format!("ConfigMap {index_name} {why}");
            shared.tables.observer.emit(&Event::Doubted { engine, message });
        };
        let _turn = shared.allowance.turn().await;
        if let Some(found) = get(index_name.clone()).await? {
            let is_own = is_of_engine(&found, uid);
            let data: BTreeMap<String, String> = serde_json::from_value(found.data).unwrap_or_default();
            match Index::read(&data) {
                Err(_) => doubt("holds no set that can be read"),
                Ok(index) if !is_plausible(index.counter, unix_seconds()) => {
                    let counter = index.counter;
                    doubt(&format!(
                        "has counter {counter}, far ahead of the time: it counts as nothing; pods that accepted it take no other set before they are replaced"
                    ));
                }
                Ok(index) => {
                    self.floor = index.counter;
                    if !is_own {
                        doubt("is not of this Engine: of what it holds only the counter counts");
                    } else if !shared.allowance.may_hold(&index) {
                        return Err(too_large());
                    } else {
                        let mut parts = Vec::new();
                        for part in index.part_names(&index_name) {
                            parts.push(get(part).await?.as_ref().map(content).unwrap_or_default());
                        }
                        match self.take(&index_name, index, &data, &parts, &shared.allowance) {
                            Ok(()) => {}
                            Err(Unread::Damaged) => doubt(DAMAGED),
                            Err(Unread::TooLarge) => return Err(too_large()),
                        }
                    }
                }
            }
        }
        self.loaded = true;
        Ok(())
    }

    /// Takes what was found, or says why not.
    fn take(
        &mut self,
        index_name: &str,
        index: Index,
        data: &BTreeMap<String, String>,
        parts: &[Vec<u8>],
        allowance: &Allowance,
    ) -> Result<(), Unread> {
        let set = assemble(&index, data, parts).map_err(|_| Unread::Damaged)?;
        if !allowance.may_read(&set) {
            return Err(Unread::TooLarge);
        }
        let half = index.half.unwrap_or(Half::A);
        let publication = publish(index_name, &set, half).map_err(|_| Unread::Damaged)?;
        let mut found = Found::default();
        for entry in entries(&set.objects).ok_or(Unread::Damaged)? {
            found.namespaces.insert(entry.object.namespace);
            found.generations.insert(entry.uid, entry.observed_generation);
        }
        self.found = found;
        self.present = Some(Carried {
            index,
            publication: Arc::new(publication),
            is_found: true,
        });
        Ok(())
    }

    /// The forms in which these objects, by uid, were published last. Of all others nothing is needed: only objects
    /// that are refused go on in an earlier form.
    pub(super) fn last(&mut self, uids: &BTreeSet<String>, allowance: &Allowance) -> Arc<LastAccepted> {
        let Some(present) = self.present.as_ref().filter(|_| !uids.is_empty()) else {
            return Arc::default();
        };
        let table = &present.index.objects;
        if self.remembered.table != *table || self.remembered.uids != *uids {
            let reading = allowance.reading();
            let limit = present.is_found.then_some(allowance);
            let found = present.set().and_then(|set| read(&set, uids, limit));
            drop(reading);
            let last = found.map(|(document, published)| LastAccepted::read(&document, &published));
            self.remembered = Remembered {
                table: table.clone(),
                uids: uids.clone(),
                last: Arc::new(last.unwrap_or_default()),
            };
        }
        Arc::clone(&self.remembered.last)
    }

    /// The namespaces of the objects that were published when this operator began.
    pub(super) fn found_namespaces(&self) -> &BTreeSet<String> {
        &self.found.namespaces
    }

    /// The generations of those objects, once.
    pub(super) fn take_generations(&mut self) -> HashMap<String, i64> {
        std::mem::take(&mut self.found.generations)
    }

    /// Whether this is what is published.
    pub(super) fn has(&self, made: &Made) -> bool {
        self.present
            .as_ref()
            .is_some_and(|present| is_of(&present.index, made))
    }

    /// The hash of what is published.
    pub(super) fn generation(&self) -> Option<String> {
        self.present
            .as_ref()
            .map(|present| present.index.generation.clone())
    }

    /// Whether a pod has accepted a later set than what is published: it would never take that. The cluster may be as it
    /// was some time ago, with pods that went on. It holds once in [`APART`]: somebody else may publish as well.
    pub(super) fn is_behind(&self, pods: u64) -> bool {
        let is_due = self.overtaken.is_none_or(|at| at.elapsed() >= APART);
        let present = self.present.as_ref();
        is_due && present.is_some_and(|present| present.index.counter < pods)
    }

    /// The ConfigMaps that should be there. `pods` is the highest counter that pods have accepted.
    pub(super) fn prepare(
        &mut self,
        engine: &ObjectKey,
        made: &Made,
        pods: u64,
    ) -> Result<Arc<Publication>, Error> {
        // Where the writing of another set failed it may be there nevertheless, and pods have it: what was there before
        // it is published again, but as a later set. So is what is earlier than what pods have.
        let last = self.next.as_ref().or(self.present.as_ref());
        if let Some(last) = last.filter(|last| is_of(&last.index, made)) {
            if self.next.is_some() || !self.is_behind(pods) {
                return Ok(Arc::clone(&last.publication));
            }
            self.overtaken = Some(Instant::now());
        }
        let known = self
            .next
            .iter()
            .chain(&self.present)
            .map(|carried| carried.index.counter);
        let before = known.chain([self.floor, pods]).max();
        let set = Set {
            counter: next_counter(before, unix_seconds()),
            metadata: made.metadata.clone(),
            objects: made.objects.clone(),
        };
        let free = self
            .present
            .as_ref()
            .map_or(Half::A, |present| present.index.free_half());
        let publication = Arc::new(publish(&name::index(&engine.name), &set, free)?);
        self.next = Index::read(&publication.data).ok().map(|index| Carried {
            index,
            publication: Arc::clone(&publication),
            is_found: false,
        });
        Ok(publication)
    }

    /// What was prepared is written. Gives it, if it was not there before.
    pub(super) fn published(&mut self) -> Option<Told> {
        let next = self.next.take()?;
        self.since = Some(Instant::now());
        self.served = false;
        let told = Told {
            counter: next.index.counter,
            generation: next.index.generation.clone(),
            objects: next.index.objects.clone(),
            parts: next.publication.parts.len(),
        };
        self.present = Some(next);
        Some(told)
    }

    /// Once per set: its counter, and how long it took, when all ready pods serve it.
    pub(super) fn served_by(&mut self, pods: &[Served]) -> Option<(u64, Duration)> {
        let counter = self.present.as_ref()?.index.counter;
        let serves = |pod: &Served| {
            pod.report
                .as_ref()
                .is_some_and(|report| report.counter == Some(counter))
        };
        if self.served || pods.is_empty() || !pods.iter().all(serves) {
            return None;
        }
        self.served = true;
        Some((
            counter,
            self.since.map(|since| since.elapsed()).unwrap_or_default(),
        ))
    }

    /// Whether no pod needs what was published before.
    pub(super) fn is_served(&self) -> bool {
        self.served
    }
}

fn is_of(index: &Index, made: &Made) -> bool {
    index.generation == made.generation && index.objects == made.table
}

fn content(part: &Resource) -> Vec<u8> {
    let content = part.binary_data.get(name::PART_KEY).cloned().unwrap_or_default();
    serde_json::from_value::<ByteString>(content)
        .map(|bytes| bytes.0)
        .unwrap_or_default()
}

/// Whether an Engine of this uid made it.
fn is_of_engine(found: &Resource, uid: &str) -> bool {
    let owners = found.metadata.owner_references.iter().flatten();
    let mut controllers = owners.filter(|owner| owner.controller == Some(true));
    controllers.any(|owner| owner.uid == uid)
}

/// The document, and of the table the objects that are wanted, if there are any.
fn read(set: &Set, uids: &BTreeSet<String>, limit: Option<&Allowance>) -> Option<(Document, Vec<Published>)> {
    let wanted = entries(&set.objects)?.filter(|entry| uids.contains(&entry.uid));
    let wanted: Vec<Published> = wanted.collect();
    if wanted.is_empty() {
        return None;
    }
    let value: Value = serde_json::from_str(&set.metadata).ok()?;
    if !limit.is_none_or(|limit| limit.may_type(&value)) {
        return None;
    }
    let (document, _) = Document::parse(&value).ok()?;
    Some((document, wanted))
}

/// The entries of a table, one by one.
fn entries(objects: &str) -> Option<impl Iterator<Item = Published>> {
    let entries: Vec<&RawValue> = serde_json::from_str(objects).ok()?;
    let entries = entries.into_iter().map(RawValue::get);
    let small = entries.filter(|entry| Allowance::may_read_entry(entry));
    Some(small.filter_map(|entry| Published::from_json(&serde_json::from_str(entry).ok()?)))
}
