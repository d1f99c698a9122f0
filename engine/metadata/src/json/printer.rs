//! Printing one JSON object, key by key, in the order of the calls.

use indexmap::IndexMap;
use serde_json::{Map, Value};

use super::{Entry, Json, print_entries};
use crate::Extra;

/// An object being printed.
#[derive(Default)]
pub(crate) struct ObjectPrinter(Map<String, Value>);

impl ObjectPrinter {
    /// A key that is always there.
    pub(crate) fn put(&mut self, key: &str, value: &impl Json) {
        self.put_value(key, value.print());
    }

    /// A key that is always there, already printed.
    pub(crate) fn put_value(&mut self, key: &str, value: Value) {
        self.0.insert(key.to_owned(), value);
    }

    /// A key that is absent without a value.
    pub(crate) fn put_some<T: Json>(&mut self, key: &str, value: Option<&T>) {
        if let Some(value) = value {
            self.put(key, value);
        }
    }

    /// A key that is absent at its default.
    pub(crate) fn put_unless<T: Json + PartialEq>(&mut self, key: &str, value: &T, default: &T) {
        if value != default {
            self.put(key, value);
        }
    }

    /// A list of entries, absent when empty.
    pub(crate) fn put_entries<T: Entry>(&mut self, key: &str, entries: &IndexMap<T::Name, T>, sorted: bool) {
        if !entries.is_empty() {
            self.put_value(key, print_entries(entries, sorted));
        }
    }

    /// The end of an entry: with an order named, the known keys are sorted.
    pub(crate) fn finish_in(mut self, order: &[&str], extra: &Extra) -> Value {
        if !order.is_empty() {
            self.0.sort_keys();
        }
        self.finish(extra)
    }

    /// The end: unknown keys follow the known ones.
    pub(crate) fn finish(mut self, extra: &Extra) -> Value {
        for (key, value) in extra {
            self.0.entry(key.clone()).or_insert_with(|| value.clone());
        }
        Value::Object(self.0)
    }
}
