//! The predicates of one source, each stored once: roles with the same filter share it.

use rustc_hash::FxHashMap;

use crate::model::{PredicateId, SourceId, TableId};
use crate::predicate::Predicate;

/// Interned predicates. Number 0 is always true.
pub(crate) struct Predicates {
    source: SourceId,
    all: Vec<Predicate>,
    known: FxHashMap<Key, PredicateId>,
}

#[derive(PartialEq, Eq, Hash)]
enum Key {
    /// As written, on that table.
    Written(TableId, String),
    All(Vec<PredicateId>),
    Any(Vec<PredicateId>),
}

impl Predicates {
    pub(crate) fn new(source: SourceId) -> Self {
        Self {
            source,
            all: vec![Predicate::And(Vec::new())],
            known: FxHashMap::default(),
        }
    }

    /// Always true.
    pub(crate) fn always(&self) -> PredicateId {
        PredicateId::new(self.source.0, 0)
    }

    /// The predicate of an expression, resolved at most once per table.
    pub(crate) fn written<E>(
        &mut self,
        table: TableId,
        expression: &metadata::BoolExp,
        resolve: impl FnOnce() -> Result<Predicate, E>,
    ) -> Result<PredicateId, E> {
        if expression.is_always_true() {
            return Ok(self.always());
        }
        let text = serde_json::to_string(&expression.0).unwrap_or_default();
        let key = Key::Written(table, text);
        if let Some(known) = self.known.get(&key) {
            return Ok(*known);
        }
        let predicate = resolve()?;
        if predicate == Predicate::And(Vec::new()) {
            return Ok(self.always());
        }
        Ok(self.insert(key, predicate))
    }

    /// All of them hold.
    pub(crate) fn all_of(&mut self, parts: &[PredicateId]) -> PredicateId {
        let always = self.always();
        let mut parts: Vec<PredicateId> = parts.iter().copied().filter(|part| *part != always).collect();
        parts.sort_unstable();
        parts.dedup();
        match parts.as_slice() {
            [] => always,
            [one] => *one,
            _ => self.combine(Key::All(parts.clone()), &parts, Predicate::And),
        }
    }

    /// At least one of them holds.
    pub(crate) fn any_of(&mut self, parts: &[PredicateId]) -> PredicateId {
        let always = self.always();
        let mut parts = parts.to_vec();
        parts.sort_unstable();
        parts.dedup();
        match parts.as_slice() {
            [one] => *one,
            many if many.contains(&always) => always,
            _ => self.combine(Key::Any(parts.clone()), &parts, Predicate::Or),
        }
    }

    pub(crate) fn into_vec(self) -> Vec<Predicate> {
        self.all
    }

    fn combine(
        &mut self,
        key: Key,
        parts: &[PredicateId],
        make: fn(Vec<Predicate>) -> Predicate,
    ) -> PredicateId {
        if let Some(known) = self.known.get(&key) {
            return *known;
        }
        let parts = parts
            .iter()
            .filter_map(|part| self.all.get(part.index()).cloned());
        let predicate = make(parts.collect());
        self.insert(key, predicate)
    }

    fn insert(&mut self, key: Key, predicate: Predicate) -> PredicateId {
        let id = PredicateId::new(self.source.0, u32::try_from(self.all.len()).unwrap_or(u32::MAX));
        self.all.push(predicate);
        self.known.insert(key, id);
        id
    }
}
