//! The syntax tree of an executable document, as written: nothing is resolved here.

use std::fmt;

use indexmap::IndexMap;
use serde_json::Number;

use crate::type_system::{Name, OperationKind, TypeReference};

/// Arguments or the fields of an input object, in the order they were written. As in Hasura, the last of
/// several with one name holds. Equality does not depend on the order.
pub type Named = IndexMap<Name, Literal>;

/// A value as written in a document.
#[derive(Debug, Clone, PartialEq)]
pub enum Literal {
    /// `$name`
    Variable(Name),
    /// `null`
    Null,
    /// `true`, `false`
    Boolean(bool),
    /// A number without fraction and exponent, of any size.
    Int(Number),
    /// A number with a fraction or an exponent.
    Float(Number),
    /// A string or block string, unescaped.
    String(String),
    /// Any other bare name.
    Enum(Name),
    /// `[…]`
    List(Vec<Literal>),
    /// `{…}`
    Object(Named),
}

impl Literal {
    /// Whether a variable stands anywhere in it.
    pub fn has_variables(&self) -> bool {
        let mut open = vec![self];
        while let Some(literal) = open.pop() {
            match literal {
                Self::Variable(_) => return true,
                Self::List(items) => open.extend(items),
                Self::Object(fields) => open.extend(fields.values()),
                _ => {}
            }
        }
        false
    }
}

/// `@name(arguments)`
#[derive(Debug, Clone, PartialEq)]
pub struct Directive {
    /// Without the `@`.
    pub name: Name,
    /// Its arguments.
    pub arguments: Named,
}

/// One entry of a selection set.
#[derive(Debug, Clone)]
pub enum Selection {
    /// A field.
    Field(SelectedField),
    /// `...Name`
    Spread {
        /// The fragment's name.
        fragment: Name,
        /// Directives of the spread.
        directives: Vec<Directive>,
    },
    /// `... on T { … }`
    Inline {
        /// The type it applies to; always if there is none.
        condition: Option<Name>,
        /// Its directives.
        directives: Vec<Directive>,
        /// Its selection set.
        selections: Vec<Selection>,
    },
}

/// A field as selected.
#[derive(Debug, Clone)]
pub struct SelectedField {
    /// The alias, if there is one.
    pub alias: Option<Name>,
    /// The field's name.
    pub name: Name,
    /// Its arguments.
    pub arguments: Named,
    /// Its directives.
    pub directives: Vec<Directive>,
    /// Its selection set; empty if it has none.
    pub selections: Vec<Selection>,
}

impl SelectedField {
    /// The key in the response.
    pub fn response_key(&self) -> &Name {
        self.alias.as_ref().unwrap_or(&self.name)
    }
}

/// A fragment definition.
#[derive(Debug, Clone)]
pub struct Fragment {
    /// Its name.
    pub name: Name,
    /// The type it applies to.
    pub condition: Name,
    /// Its selection set.
    pub selections: Vec<Selection>,
}

/// `$name: type = default`
#[derive(Debug, Clone)]
pub struct VariableDefinition {
    /// Without the `$`.
    pub name: Name,
    /// Its declared type.
    pub type_: TypeReference<Name>,
    /// Its default value, free of variables.
    pub default: Option<Literal>,
}

/// An operation definition.
#[derive(Debug, Clone)]
pub struct OperationDefinition {
    /// Its kind.
    pub kind: OperationKind,
    /// Its name.
    pub name: Option<Name>,
    /// Written as a bare selection set, without the word `query`.
    pub shorthand: bool,
    /// Its variables.
    pub variables: Vec<VariableDefinition>,
    /// Its directives.
    pub directives: Vec<Directive>,
    /// Its selection set.
    pub selections: Vec<Selection>,
}

impl fmt::Display for TypeReference<Name> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Nesting is bounded by the document's limit on brackets.
        let (nullable, written) = match self {
            Self::Named { id, nullable } => (*nullable, write!(out, "{id}")),
            Self::List { item, nullable } => (*nullable, write!(out, "[{item}]")),
        };
        written?;
        if nullable { Ok(()) } else { out.write_str("!") }
    }
}
