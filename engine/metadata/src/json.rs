//! Reading and printing the document, without derive: every object declares its keys once, in print order, and
//! reading, printing, the warning about unknown keys and the coverage table all follow from that.
//!
//! Reading is strict about types and reports a JSONPath and a message in Hasura's words. Nothing here recurses
//! deeper than [`MAX_DEPTH`].

mod difference;
mod list;
mod macros;
mod object;
mod path;
mod printer;
mod scalar;
mod shape;
mod shared;

use serde_json::Value;

pub use difference::differences;
pub(crate) use list::{print_entries, read_entries};
pub(crate) use macros::{json_object, json_words};
pub use object::ObjectReader;
pub use path::{JsonPath, Segment};
pub(crate) use printer::ObjectPrinter;
pub(crate) use scalar::{non_empty, read_graphql_name, type_mismatch};
pub use shape::{Content, Shape};
pub(crate) use shape::{entries_content, field_content};
pub(crate) use shared::Shared;

/// How deeply a document may nest. Deeper ones are refused before anything else is read.
pub const MAX_DEPTH: usize = 128;

/// Why a document or a part of it could not be read. `Display` is the message alone, without the path.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ParseError {
    /// Where, beginning at the reader's root.
    pub path: JsonPath,
    /// What is wrong, in Hasura's words.
    pub message: String,
    /// Hasura's code for it.
    pub code: ParseCode,
}

/// Hasura's code for what a reader refuses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ParseCode {
    /// `parse-failed`
    #[default]
    ParseFailed,
    /// `not-supported`: a number that must not be negative is.
    NotSupported,
}

impl ParseCode {
    /// As error bodies have it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ParseFailed => "parse-failed",
            Self::NotSupported => "not-supported",
        }
    }
}

/// Something in a document that changes nothing and that its author should know about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// Where.
    pub path: JsonPath,
    /// What.
    pub message: String,
}

/// A part of the document that can be read from JSON and printed as JSON.
pub trait Json: Sized {
    /// Reads a value. `reader` knows where the value stands.
    fn read(value: &Value, reader: &mut Reader) -> Result<Self, ParseError>;

    /// The canonical form.
    fn print(&self) -> Value;

    /// Which keys it has, if it is an object or a list of objects.
    fn content() -> Content {
        Content::Leaf
    }
}

/// A part of the document that stands in a list and is told from its neighbours by a name, which is one of its
/// keys but no field of the struct.
pub trait Entry: Sized {
    /// The name.
    type Name: Json + Clone + Ord + std::hash::Hash + std::fmt::Display;

    /// Reads an entry and its name.
    fn read_entry(value: &Value, reader: &mut Reader) -> Result<(Self::Name, Self), ParseError>;

    /// The canonical form.
    fn print_entry(&self, name: &Self::Name) -> Value;

    /// Its keys, with the one of the name.
    fn shape() -> Shape;
}

/// Where reading has got to, and the warnings so far.
#[derive(Debug)]
pub struct Reader {
    path: JsonPath,
    warnings: Vec<Warning>,
    /// Whether the next object is the argument object of a command, whose unknown keys belong to the command.
    arguments: bool,
    /// Parts read so far that may be shared.
    shared: Shared,
}

impl Default for Reader {
    fn default() -> Self {
        Self::new()
    }
}

impl Reader {
    /// A reader of a document; paths begin with `$`.
    pub fn new() -> Self {
        Self::at(JsonPath::default())
    }

    /// A reader of a part of something larger; paths begin with `path`.
    pub fn at(path: JsonPath) -> Self {
        Self {
            path,
            warnings: Vec::new(),
            arguments: false,
            shared: Shared::default(),
        }
    }

    /// A reader of a command's arguments, for entries whose keys stand beside those of the command (`source`,
    /// `table`, …): keys that the entry does not know are passed over in the outermost object, neither kept nor
    /// warned about.
    pub fn arguments(path: JsonPath) -> Self {
        Self {
            path,
            warnings: Vec::new(),
            arguments: true,
            shared: Shared::default(),
        }
    }

    /// A reader of a document that knows parts of others.
    pub(crate) fn knowing(shared: Shared) -> Self {
        Self {
            shared,
            ..Self::new()
        }
    }

    /// What it knows at the end.
    pub(crate) fn into_shared(self) -> Shared {
        self.shared
    }

    /// Reads a value, after checking that it does not nest too deeply.
    pub fn read<T: Json>(&mut self, value: &Value) -> Result<T, ParseError> {
        self.check_depth(value)?;
        T::read(value, self)
    }

    /// Reads an entry of a list, after checking that it does not nest too deeply.
    pub fn read_entry<T: Entry>(&mut self, value: &Value) -> Result<(T::Name, T), ParseError> {
        self.check_depth(value)?;
        T::read_entry(value, self)
    }

    /// The warnings collected so far.
    pub fn into_warnings(self) -> Vec<Warning> {
        self.warnings
    }

    /// An error at the present place.
    pub fn error(&self, message: impl Into<String>) -> ParseError {
        ParseError {
            path: self.path.clone(),
            message: message.into(),
            code: ParseCode::default(),
        }
    }

    /// A warning at the present place.
    pub fn warn(&mut self, message: impl Into<String>) {
        self.warnings.push(Warning {
            path: self.path.clone(),
            message: message.into(),
        });
    }

    /// Runs `read` one step further down.
    pub fn within<T>(
        &mut self,
        segment: impl Into<Segment>,
        read: impl FnOnce(&mut Self) -> Result<T, ParseError>,
    ) -> Result<T, ParseError> {
        self.path.push(segment.into());
        let result = read(self);
        self.path.pop();
        result
    }

    fn check_depth(&self, value: &Value) -> Result<(), ParseError> {
        if fits(value, MAX_DEPTH) {
            Ok(())
        } else {
            Err(self.error(format!("nested more than {MAX_DEPTH} levels deep")))
        }
    }
}

/// Whether a value nests at most `levels` deep. Recurses at most that deep itself.
pub(crate) fn fits(value: &Value, levels: usize) -> bool {
    match (value, levels.checked_sub(1)) {
        (Value::Array(items), Some(rest)) => items.iter().all(|item| fits(item, rest)),
        (Value::Object(object), Some(rest)) => object.values().all(|item| fits(item, rest)),
        (Value::Array(_) | Value::Object(_), None) => false,
        _ => true,
    }
}
