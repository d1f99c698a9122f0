//! The normalised operation: one document's chosen operation with fragments merged, `@skip` and `@include`
//! applied, every field and argument resolved against the role's types and every value coerced.

use std::fmt;
use std::sync::Arc;

use serde_json::{Map, Value};

use crate::introspect::Introspection;
use crate::path::Path;
use crate::type_system::{InputClass, Name, OperationKind};
use crate::uniform::Uniform;

/// An operation over meanings `M` and type ids `I`.
#[derive(Debug, Clone)]
pub struct Operation<I, M> {
    /// Its kind.
    pub kind: OperationKind,
    /// Its name.
    pub name: Option<Name>,
    /// Its root fields, merged by response key, in order of first appearance.
    pub fields: Vec<Field<I, M>>,
    /// `@cached(ttl, refresh)` on the operation.
    pub cached: Option<Cached>,
    /// `@_multiple_top_level_fields` on a subscription.
    pub multiple_top_level_fields: bool,
}

/// `@cached`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cached {
    /// Seconds.
    pub ttl: u32,
    /// Fill the cache anew.
    pub refresh: bool,
}

/// A selected field.
#[derive(Debug, Clone)]
pub struct Field<I, M> {
    /// Alias or name: the key in the response.
    pub response_key: Name,
    /// What it selects.
    pub target: FieldTarget<I, M>,
    /// Arguments that were given (also by a variable that has a value or a default); others are absent.
    pub arguments: Vec<Entry<M>>,
    /// Its selection set, merged and in order; empty for an interface or union.
    pub selection: Vec<Field<I, M>>,
    /// If it gives an interface or union: what is selected of each object that it may turn out to be.
    pub possible: Vec<Possible<I, M>>,
    /// Where it stands, for errors: `$.selectionSet.author.selectionSet.articles`.
    pub path: Path,
}

/// What is selected of one of the objects that an interface or union may turn out to be.
#[derive(Debug, Clone)]
pub struct Possible<I, M> {
    /// The object.
    pub type_: I,
    /// Its name.
    pub name: Name,
    /// Its selection set, merged and in order.
    pub selection: Vec<Field<I, M>>,
}

/// What a field selects.
#[derive(Debug, Clone)]
pub enum FieldTarget<I, M> {
    /// A field of the type system.
    Field {
        /// Its name in the schema.
        name: Name,
        /// Its meaning.
        meaning: M,
        /// The named type of its result.
        type_: I,
    },
    /// `__typename` on a type of that name.
    Typename(Name),
    /// `__schema` with its selection, answered by [`Introspection::answer`].
    Schema(Introspection),
    /// `__type(name:)` with its selection, answered by [`Introspection::answer`].
    Type(Introspection),
}

/// A named value: an argument, or a field of an input object.
#[derive(Debug, Clone)]
pub struct Entry<M> {
    /// Its name in the schema.
    pub name: Name,
    /// Its meaning.
    pub meaning: M,
    /// Its value.
    pub value: Input<M>,
    /// Where it stands: `$.selectionSet.author.args.where`.
    pub path: Path,
}

/// A coerced value. Structure that came from a variable has been guarded by the normaliser: a later request
/// with the same guards has the same structure, so only leaves may differ.
#[derive(Debug, Clone)]
pub enum Input<M> {
    /// An explicit null.
    Null,
    /// A scalar.
    Leaf(Leaf),
    /// An enum value.
    Enum {
        /// Its name.
        name: Name,
        /// Its meaning.
        meaning: M,
    },
    /// A list whose length is fixed by the text or by a guard.
    List(Vec<Input<M>>),
    /// A list of scalars that is one variable's (or literal's) whole value: its length is not guarded, so it
    /// must be bound as one array. A single value that was given in place of a list is still single here: it
    /// stands for a list of one, or, as a string for an array column, for Postgres's own text of an array.
    LeafList(Leaf),
    /// A list of rows ([`TypeSystem::takes_rows`](crate::TypeSystem::takes_rows)) that is one place of the variables and
    /// whose objects all look the same: only that is guarded, not how many there are.
    Uniform(Uniform<M>),
    /// An input object with its given fields.
    Object(Vec<Entry<M>>),
}

/// A scalar value, or a whole list of them.
#[derive(Debug, Clone)]
pub struct Leaf {
    /// Its present value, already checked against `class`; never null itself, lists may hold nulls if `items_nullable`.
    pub value: Value,
    /// Where it came from.
    pub origin: Origin,
    /// How it is checked; the same check runs on every plan-cache hit.
    pub class: InputClass,
    /// The value is a whole list of such scalars ([`Input::LeafList`]).
    pub list: bool,
    /// For lists: items may be null.
    pub items_nullable: bool,
    /// Name of the expected type, for messages.
    pub type_name: Name,
    /// Where it stands, for messages.
    pub path: Path,
}

/// Where a leaf's value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// The operation's text: the same on every hit.
    Literal,
    /// This place of the variables.
    Variable(VariablePath),
}

/// A place within the variables: `$where._and[0].id._eq`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct VariablePath {
    /// Name of the variable.
    pub variable: Name,
    /// Keys and positions below it.
    pub segments: Arc<[Segment]>,
}

/// One step into a JSON value.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Segment {
    /// Into an object.
    Key(Name),
    /// Into a list. If the value there is not a list, a single value stands for a list of one, as GraphQL
    /// coercion has it: position 0 is the value itself.
    Index(usize),
}

/// As in `$where._and[0].id._eq`.
impl fmt::Display for VariablePath {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "${}", self.variable)?;
        for segment in &*self.segments {
            match segment {
                Segment::Key(key) => write!(out, ".{key}")?,
                Segment::Index(index) => write!(out, "[{index}]")?,
            }
        }
        Ok(())
    }
}

impl VariablePath {
    /// The value at this place of a request's variables; `None` if there is no such place.
    pub fn find<'v>(&self, variables: &'v Map<String, Value>) -> Option<&'v Value> {
        let mut value = variables.get(&*self.variable)?;
        for segment in &*self.segments {
            value = match (segment, value) {
                (Segment::Key(key), Value::Object(fields)) => fields.get(&**key)?,
                (Segment::Key(_), _) => return None,
                (Segment::Index(index), Value::Array(items)) => items.get(*index)?,
                (Segment::Index(0), single) => single,
                (Segment::Index(_), _) => return None,
            };
        }
        Some(value)
    }
}
