//! How the fields of a spec and the keys of the metadata document belong together, as tables that are read in both
//! directions: forward (compile), backward (import), and for the proofs that no field and no key is left out.
//!
//! The tables know shapes and words only. What a value must be is for the metadata crate's readers to say.

pub(crate) mod adjust;
mod backward;
mod cover;
mod exact;
mod forward;
pub(crate) mod kind;
mod locate;
mod outside;
mod shared;
mod source;
mod table;

use serde_json::Value;

pub(crate) use backward::backward;
pub(crate) use cover::{covered, keys, resource_paths, used};
pub(crate) use forward::{Forward, forward};
pub use locate::field_at;
pub(crate) use locate::locate;

/// One field of an object and the metadata key it belongs to.
pub(crate) struct Field {
    /// The field's name in the resource; empty: the key follows from others and has no field.
    pub(crate) resource: &'static str,
    /// The key, with dots into objects, `[]` behind a list of which this is one item, and a leading `/` where it is
    /// counted from the top of the document. Empty: the field is no part of the document.
    pub(crate) metadata: &'static str,
    /// How the value is written on both sides.
    pub(crate) lens: &'static Lens,
}

/// How a value is written on both sides.
pub(crate) enum Lens {
    /// The same: texts, whole numbers, switches, lists of texts, texts by name.
    Same,
    /// JSON of the author's, exact.
    Json,
    /// The same, where null is a value.
    NullableJson,
    /// A number that may have a fraction.
    Decimal,
    /// Words: in the resource, in metadata.
    Words(&'static [(&'static str, &'static str)]),
    /// Fields.
    Object(&'static [Field]),
    /// A list.
    List(&'static Lens),
    /// A list of objects, in metadata an object by the value of `key`.
    Keyed {
        /// The field that is the key in metadata.
        key: &'static str,
        /// The field that is the value in metadata; absent: the other fields.
        value: Option<&'static str>,
        /// How that value is written; of the whole item where `value` is absent.
        lens: &'static Lens,
    },
    /// A text, where metadata may have an object instead.
    Text,
    /// `{env}` or `{secretKeyRef}`; in metadata `{"from_env": NAME}`.
    FromEnv,
    /// The same; in metadata the name alone.
    EnvName,
    /// Shown in metadata even at its default: nothing, when empty.
    Shown(&'static Lens),
    /// An object that stands in many places, under its name in the coverage table.
    Shared(&'static str, &'static Lens),
    /// Another form in metadata than tables can say.
    Adjusted(&'static Adjusted),
}

/// A lens, and functions that change the metadata form after (forward) or before it (backward).
pub(crate) struct Adjusted {
    /// How the value is written but for the change.
    pub(crate) inner: &'static Lens,
    /// What the coverage table has at this place.
    pub(crate) covers: &'static Lens,
    /// Changes what `inner` made.
    pub(crate) forward: fn(Value) -> Result<Value, String>,
    /// Makes what `inner` reads; nothing: the value has another form, which another field reads.
    pub(crate) backward: fn(&Value) -> Option<Value>,
}

/// The parts of a metadata path, without marks.
pub(crate) fn steps(metadata: &str) -> impl Iterator<Item = &str> {
    metadata
        .trim_start_matches('/')
        .split('.')
        .map(|step| step.trim_end_matches("[]"))
}

/// Writes a table of fields.
macro_rules! fields {
    ($($resource:literal => $metadata:literal $lens:expr),* $(,)?) => {
        &[$($crate::mapping::Field { resource: $resource, metadata: $metadata, lens: &$lens }),*]
    };
}

pub(crate) use fields;
