//! What is published: read once, then remembered. A set whose content is published already is not written again.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use compile::{LastAccepted, ObjectKey, Published};
use delivery::{Half, Index, Publication, Set, assemble, name, next_counter, publish};
use k8s_openapi::ByteString;
use kube::Client;
use metadata::Document;
use serde_json::Value;

use super::Error;
use super::candidate::Made;
use crate::deliver::Served;
use crate::resource::{Native, Resource};

/// How often a set is published again at most because pods have a later one. Two operators that publish for one engine
/// would overtake each other without end; what they write in between they put back with pauses.
const APART: Duration = Duration::from_secs(60);

/// A set and the ConfigMaps that carry it.
#[derive(Clone, Debug)]
struct Carried {
    index: Index,
    publication: Arc<Publication>,
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
    /// Reads what is published, once. What is damaged counts as nothing, but for its counter.
    pub(super) async fn load(&mut self, client: &Client, engine: &ObjectKey) -> Result<(), Error> {
        if self.loaded {
            return Ok(());
        }
        let maps = Native::ConfigMap.api(client, Some(&engine.namespace));
        let get = async |name: String| {
            let found = maps.get_opt(&name).await;
            found.map_err(|error| Error::read(&format!("ConfigMap {name}"), &error))
        };
        let index_name = name::index(&engine.name);
        if let Some(found) = get(index_name.clone()).await? {
            let data: BTreeMap<String, String> = serde_json::from_value(found.data).unwrap_or_default();
            if let Ok(index) = Index::read(&data) {
                let mut parts = Vec::new();
                for part in index.part_names(&index_name) {
                    parts.push(get(part).await?.as_ref().map(content).unwrap_or_default());
                }
                self.take(&index_name, index, &data, &parts);
            }
        }
        self.loaded = true;
        Ok(())
    }

    fn take(&mut self, index_name: &str, index: Index, data: &BTreeMap<String, String>, parts: &[Vec<u8>]) {
        self.floor = index.counter;
        let set = assemble(&index, data, parts).ok();
        let content = set.as_ref().and_then(|set| read(set, None));
        let whole = content.is_some();
        for entry in content.into_iter().flat_map(|(_, published)| published) {
            self.found.namespaces.insert(entry.object.namespace);
            let generations = &mut self.found.generations;
            generations.insert(entry.uid, entry.observed_generation);
        }
        let half = index.half.unwrap_or(Half::A);
        let publication = set.and_then(|set| publish(index_name, &set, half).ok());
        if let (true, Some(publication)) = (whole, publication) {
            self.present = Some(Carried {
                index,
                publication: Arc::new(publication),
            });
        }
    }

    /// The forms in which these objects, by uid, were published last. Of all others nothing is needed: only objects
    /// that are refused go on in an earlier form.
    pub(super) fn last(&mut self, uids: &BTreeSet<String>) -> Arc<LastAccepted> {
        let Some(present) = self.present.as_ref().filter(|_| !uids.is_empty()) else {
            return Arc::default();
        };
        let table = &present.index.objects;
        if self.remembered.table != *table || self.remembered.uids != *uids {
            let found = present.set().and_then(|set| read(&set, Some(uids)));
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

/// The document and the table, of which only some objects may be wanted.
fn read(set: &Set, uids: Option<&BTreeSet<String>>) -> Option<(Document, Vec<Published>)> {
    let value: Value = serde_json::from_str(&set.metadata).ok()?;
    let (document, _) = Document::parse(&value).ok()?;
    let entries: Vec<Value> = serde_json::from_str(&set.objects).ok()?;
    let published = entries.iter().filter_map(Published::from_json);
    let wanted = published.filter(|entry| uids.is_none_or(|uids| uids.contains(&entry.uid)));
    Some((document, wanted.collect()))
}

fn unix_seconds() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map(|since| since.as_secs()).unwrap_or_default()
}
