//! The custom resources as they are now, with the statuses they have. One writer per kind and namespace (its watch),
//! many readers.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use compile::{Grants, Object, ObjectKey, Selection, Snapshot};
use crd::Kind;
use crd::status::{EngineStatus, ObjectStatus};
use serde_json::Value;
use tokio::sync::watch;

use crate::denial::Denials;
use crate::resource::Resource;

/// Labels by namespace.
pub type Namespaces = BTreeMap<String, BTreeMap<String, String>>;

/// The status that an object has.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Status {
    /// None, or one that is not ours.
    #[default]
    None,
    /// Of any kind but `Engine`.
    Object(Box<ObjectStatus>),
    /// Of an engine.
    Engine(Box<EngineStatus>),
}

#[derive(Debug)]
struct Stored {
    /// With its spec packed, unless it is an engine.
    object: Arc<Object>,
    status: Arc<Status>,
}

impl Stored {
    fn new(mut object: Object, status: Status) -> Self {
        if object.key.kind != Kind::Engine {
            object.spec = std::mem::take(&mut object.spec).packed();
        }
        Self {
            object: Arc::new(object),
            status: Arc::new(status),
        }
    }
}

#[derive(Debug, Default)]
struct State {
    objects: BTreeMap<ObjectKey, Stored>,
    namespaces: Namespaces,
    /// What all `ReferenceGrant`s grant.
    grants: Grants,
    overflow: BTreeSet<ObjectKey>,
    /// There is room for all that was left out.
    fits: bool,
}

impl State {
    /// The engines: the first kind in the order of keys.
    fn engines(&self) -> impl Iterator<Item = &Arc<Object>> {
        let objects = self.objects.values().map(|stored| &stored.object);
        objects.take_while(|object| object.key.kind == Kind::Engine)
    }

    /// An object of this kind is another now.
    fn changed(&mut self, kind: Kind) {
        if kind == Kind::ReferenceGrant {
            self.grants = Grants::of(self.objects.values().map(|stored| &*stored.object));
        }
    }

    fn takes(&self, selection: &Selection<'_>, object: &Object) -> bool {
        let nothing = BTreeMap::new();
        let labels = self.namespaces.get(&object.key.namespace).unwrap_or(&nothing);
        selection.takes(object, labels, &self.grants)
    }
}

/// The custom resources and namespaces.
#[derive(Debug)]
pub struct World {
    state: RwLock<State>,
    most: usize,
    room: watch::Sender<()>,
    /// What of it cannot be known.
    pub denials: Denials,
}

/// What an event changed.
#[derive(Clone, Debug, Default)]
pub struct Change {
    /// The form before.
    pub before: Option<Arc<Object>>,
    /// The form now.
    pub after: Option<Arc<Object>>,
    /// What compiling sees is another.
    pub object: bool,
    /// The status is not the one that was known.
    pub status: bool,
}

impl World {
    /// Nothing yet; `most` objects at most.
    pub fn new(most: usize) -> Self {
        Self {
            state: RwLock::default(),
            most,
            room: watch::Sender::new(()),
            denials: Denials::default(),
        }
    }

    fn read(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn look_for_room(&self, state: &mut State) {
        let all = state.objects.len() + state.overflow.len();
        let fits = !state.overflow.is_empty() && all <= self.most;
        if fits && !state.fits {
            self.room.send_replace(());
        }
        state.fits = fits;
    }

    /// Changes when there is room for all that was left out: only who lists it again has it.
    pub fn room(&self) -> watch::Receiver<()> {
        self.room.subscribe()
    }

    /// Whether objects of a kind, in a namespace or in all, were left out.
    pub fn left_out(&self, kind: Kind, namespace: Option<&str>) -> bool {
        let state = self.read();
        let mut left_out = state.overflow.iter();
        left_out.any(|key| key.kind == kind && namespace.is_none_or(|namespace| key.namespace == namespace))
    }

    /// Takes an object as it is now. One that is being deleted is gone.
    pub fn apply(&self, kind: Kind, resource: Resource) -> Change {
        let Some((object, status, deleted)) = parts(kind, resource) else {
            return Change::default();
        };
        if deleted {
            return self.remove(&object.key);
        }
        let mut state = self.write();
        let key = object.key.clone();
        let is_full = state.objects.len() >= self.most && !state.objects.contains_key(&key);
        // Whoever is to be told has to be known.
        if is_full && kind != Kind::Engine {
            state.overflow.insert(key);
            self.look_for_room(&mut state);
            return Change::default();
        }
        let now = Stored::new(object, status);
        let after = Arc::clone(&now.object);
        let status = state
            .objects
            .get(&key)
            .is_none_or(|before| before.status != now.status);
        let object = state
            .objects
            .get(&key)
            .is_none_or(|before| before.object != now.object);
        state.overflow.remove(&key);
        let before = state.objects.insert(key, now);
        self.look_for_room(&mut state);
        if object {
            state.changed(kind);
        }
        Change {
            before: before.map(|before| before.object),
            after: Some(after),
            object,
            status,
        }
    }

    /// The object is gone.
    pub fn remove(&self, key: &ObjectKey) -> Change {
        let mut state = self.write();
        state.overflow.remove(key);
        let before = state.objects.remove(key).map(|stored| stored.object);
        self.look_for_room(&mut state);
        state.changed(key.kind);
        Change {
            object: before.is_some(),
            before,
            after: None,
            status: false,
        }
    }

    /// The objects of a kind, in a namespace or in all, that are not among `seen`.
    pub fn others(&self, kind: Kind, namespace: Option<&str>, seen: &BTreeSet<ObjectKey>) -> Vec<ObjectKey> {
        let state = self.read();
        let here = |key: &&ObjectKey| {
            key.kind == kind
                && namespace.is_none_or(|namespace| key.namespace == namespace)
                && !seen.contains(*key)
        };
        state
            .objects
            .keys()
            .chain(&state.overflow)
            .filter(here)
            .cloned()
            .collect()
    }

    /// How many objects there are.
    pub fn len(&self) -> usize {
        self.read().objects.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether objects had to be left out; then nothing may be published.
    pub fn overflows(&self) -> bool {
        !self.read().overflow.is_empty()
    }

    /// An object and its status.
    pub fn get(&self, key: &ObjectKey) -> Option<(Arc<Object>, Arc<Status>)> {
        let state = self.read();
        let stored = state.objects.get(key)?;
        Some((Arc::clone(&stored.object), Arc::clone(&stored.status)))
    }

    /// All objects.
    pub fn keys(&self) -> Vec<ObjectKey> {
        self.read().objects.keys().cloned().collect()
    }

    /// All engines.
    pub fn engines(&self) -> Vec<Arc<Object>> {
        self.read().engines().map(Arc::clone).collect()
    }

    /// The objects that an engine is made of, but for itself and grants.
    pub fn taken_by(&self, engine: &Object) -> Vec<Arc<Object>> {
        let state = self.read();
        let selection = Selection::of(engine);
        let objects = state.objects.values().map(|stored| &stored.object);
        objects
            .filter(|object| !matches!(object.key.kind, Kind::Engine | Kind::ReferenceGrant))
            .filter(|object| state.takes(&selection, object))
            .map(Arc::clone)
            .collect()
    }

    /// What an engine is made of.
    pub fn snapshot(&self, engine: &Arc<Object>) -> Snapshot {
        let state = self.read();
        let selection = Selection::of(engine);
        let objects = state.objects.values().map(|stored| &stored.object);
        let taken = objects.filter(|object| state.takes(&selection, object));
        Snapshot::shared(taken.map(Arc::clone).collect())
    }

    /// The engines that are made of one of these forms.
    pub fn engines_of(&self, forms: &[&Arc<Object>]) -> Vec<ObjectKey> {
        let state = self.read();
        let takes = |engine: &Object| {
            let selection = Selection::of(engine);
            forms.iter().any(|form| state.takes(&selection, form))
        };
        let engines = state.engines().filter(|engine| takes(engine));
        engines.map(|engine| engine.key.clone()).collect()
    }

    /// Takes the labels of a namespace; nothing: it is gone. Gives the engines that look at labels of namespaces, if
    /// there is a change.
    pub fn set_namespace(&self, name: &str, labels: Option<BTreeMap<String, String>>) -> Vec<ObjectKey> {
        let mut state = self.write();
        if state.namespaces.get(name) == labels.as_ref() {
            return Vec::new();
        }
        match labels {
            Some(labels) => state.namespaces.insert(name.to_owned(), labels),
            None => state.namespaces.remove(name),
        };
        let engines = state
            .engines()
            .filter(|engine| Selection::of(engine).looks_at_namespaces());
        engines.map(|engine| engine.key.clone()).collect()
    }

    /// The namespaces that are known and not among `seen`.
    pub fn other_namespaces(&self, seen: &BTreeSet<String>) -> Vec<String> {
        let state = self.read();
        state
            .namespaces
            .keys()
            .filter(|name| !seen.contains(*name))
            .cloned()
            .collect()
    }

    /// Remembers the status that was just written of an object, if it is still there.
    pub fn set_status(&self, object: &Object, status: Status) {
        let mut state = self.write();
        let stored = state.objects.get_mut(&object.key);
        if let Some(stored) = stored.filter(|stored| stored.object.uid == object.uid) {
            stored.status = Arc::new(status);
        }
    }
}

/// Object, status, and whether it is being deleted.
fn parts(kind: Kind, resource: Resource) -> Option<(Object, Status, bool)> {
    let Resource {
        metadata,
        spec,
        status,
        ..
    } = resource;
    let object = Object {
        key: ObjectKey {
            kind,
            namespace: metadata.namespace?,
            name: metadata.name?,
        },
        uid: metadata.uid?,
        generation: metadata.generation.unwrap_or(1),
        created: metadata
            .creation_timestamp
            .map(|time| time.0.to_string())
            .unwrap_or_default(),
        labels: metadata.labels.unwrap_or_default(),
        spec: spec.into(),
    };
    let status = match (kind, status) {
        (_, Value::Null) => Status::None,
        (Kind::Engine, status) => serde_json::from_value(status).map_or(Status::None, Status::Engine),
        (_, status) => serde_json::from_value(status).map_or(Status::None, Status::Object),
    };
    Some((object, status, metadata.deletion_timestamp.is_some()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn resource(name: &str, labels: &Value, spec: &Value) -> Resource {
        let value = json!({
            "metadata": {"name": name, "namespace": "n", "uid": name, "generation": 1, "labels": labels},
            "spec": spec,
        });
        serde_json::from_value(value).expect("a resource")
    }

    #[test]
    fn changes_are_told_once_and_to_engines_that_take_them() {
        let world = World::new(10);
        world.apply(
            Kind::Engine,
            resource(
                "e",
                &json!({}),
                &json!({"objectSelector": {"matchLabels": {"a": "1"}}}),
            ),
        );
        let change = world.apply(Kind::Source, resource("s", &json!({"a": "1"}), &json!({})));
        assert!(change.object);
        let engines = |change: &Change| {
            let forms: Vec<_> = change.before.iter().chain(&change.after).collect();
            world.engines_of(&forms).len()
        };
        assert_eq!(engines(&change), 1);
        assert!(
            !world
                .apply(Kind::Source, resource("s", &json!({"a": "1"}), &json!({})))
                .object
        );
        let left = world.apply(Kind::Source, resource("s", &json!({"a": "2"}), &json!({})));
        assert_eq!(engines(&left), 1, "an engine that took it before");
        let still_out = world.apply(Kind::Source, resource("s", &json!({"a": "3"}), &json!({})));
        assert_eq!(engines(&still_out), 0);
        let engine = &world.engines()[0];
        assert_eq!(world.snapshot(engine).objects().len(), 1);
    }

    /// Who gives or takes back consent is heard of by engines, and the object counts at once.
    #[test]
    fn grants_open_a_namespace() {
        let world = World::new(10);
        let spec = json!({"namespaceSelector": {}});
        world.apply(Kind::Engine, resource("e", &json!({}), &spec));
        let mut foreign = resource("s", &json!({}), &json!({}));
        foreign.metadata.namespace = Some("other".to_owned());
        let change = world.apply(Kind::Source, foreign);
        let source = change.after.expect("the source");
        assert!(world.engines_of(&[&source]).is_empty());
        let spec = json!({"from": [{"kind": "Engine", "namespace": "n"}], "to": [{"kind": "Source"}]});
        let mut grant = resource("g", &json!({}), &spec);
        grant.metadata.namespace = Some("other".to_owned());
        let granted = world.apply(Kind::ReferenceGrant, grant).after.expect("the grant");
        assert_eq!(world.engines_of(&[&granted]).len(), 1, "it is told");
        assert_eq!(world.engines_of(&[&source]).len(), 1);
        assert_eq!(world.taken_by(&world.engines()[0]).len(), 1);
        world.remove(&granted.key);
        assert!(world.engines_of(&[&source]).is_empty());
    }

    #[test]
    fn one_object_too_many_is_known_to_be_missing() {
        let world = World::new(1);
        world.apply(Kind::Source, resource("a", &json!({}), &json!({})));
        world.apply(Kind::Source, resource("b", &json!({}), &json!({})));
        assert!(world.overflows() && world.len() == 1);
        world.apply(Kind::Engine, resource("e", &json!({}), &json!({})));
        assert_eq!(world.engines().len(), 1, "somebody has to say so");
        world.remove(&world.engines()[0].key);
        let gone = world.others(Kind::Source, None, &BTreeSet::new());
        assert_eq!(gone.len(), 2);
        for key in gone {
            world.remove(&key);
        }
        assert!(!world.overflows() && world.is_empty());
    }

    #[test]
    fn what_was_left_out_is_wanted_when_there_is_room() {
        let world = World::new(2);
        let mut room = world.room();
        let apply = |name: &str| world.apply(Kind::Source, resource(name, &json!({}), &json!({})));
        let key = |name: &str| apply(name).after.expect("there").key.clone();
        let (a, b) = (key("a"), key("b"));
        apply("c");
        apply("d");
        assert!(world.overflows() && world.left_out(Kind::Source, Some("n")));
        assert!(!world.left_out(Kind::Table, None) && !world.left_out(Kind::Source, Some("m")));
        world.remove(&a);
        assert!(
            !room.has_changed().expect("a world"),
            "there is room for one of two"
        );
        world.remove(&b);
        assert!(room.has_changed().expect("a world"));
        room.mark_unchanged();
        // As the new list has them.
        apply("c");
        assert!(world.overflows() && !room.has_changed().expect("a world"));
        apply("d");
        assert!(!world.overflows() && world.len() == 2);
    }

    #[test]
    fn namespaces_matter_to_engines_that_look_at_them() {
        let world = World::new(10);
        world.apply(
            Kind::Engine,
            resource("e", &json!({}), &json!({"namespaceSelector": {}})),
        );
        world.apply(Kind::Engine, resource("f", &json!({}), &json!({})));
        assert_eq!(world.set_namespace("n", Some(BTreeMap::new())).len(), 1);
        assert_eq!(world.set_namespace("n", Some(BTreeMap::new())).len(), 0);
        assert_eq!(world.set_namespace("n", None).len(), 1);
    }
}
