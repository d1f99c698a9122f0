//! Expressions, the parsed form of a template. Chains of operators and of lookups are flat, so that the tree is never
//! deeper than the nesting the parser has counted.

use serde_json::Value;

use crate::span::Span;

/// An expression and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Expression {
    pub(crate) span: Span,
    pub(crate) kind: ExpressionKind,
}

/// The kinds of expressions.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum ExpressionKind {
    /// `null`, `true`, `1.5`, and the plain pieces of strings.
    Literal(Value),
    /// `"a {{ b }} c"`
    Text(Vec<Expression>),
    /// `[…]`
    Array(Vec<Expression>),
    /// `{"key": …}`, each key once.
    Object(Vec<(String, Expression)>),
    /// `$body`
    Variable(String),
    /// `base.a?.b['c'][0]`
    Path(Box<Path>),
    /// `name(argument)`
    Call { name: String, argument: Box<Expression> },
    /// `a || b || c`: operators of one precedence, from left to right.
    Operation {
        first: Box<Expression>,
        rest: Vec<(Operator, Expression)>,
    },
    /// `{{ if … }} … {{ elif … }} … {{ else }} … {{ end }}`
    If {
        branches: Vec<(Expression, Expression)>,
        otherwise: Box<Expression>,
    },
    /// `{{ range index, item := list }} body {{ end }}`
    Range(Box<Range>),
}

/// A chain of lookups.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Path {
    pub(crate) base: Expression,
    pub(crate) lookups: Vec<Lookup>,
}

/// One lookup of a chain.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Lookup {
    /// Written with `?`: what is missing from here on is null.
    pub(crate) optional: bool,
    pub(crate) key: Key,
    /// From the start of the chain to the end of this lookup.
    pub(crate) span: Span,
}

/// What is looked up.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Key {
    /// `.name`
    Attribute(String),
    /// `['name']`, `[0]`, `[$x]`
    Element(Expression),
}

/// A loop.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Range {
    /// `None` is `_`.
    pub(crate) index: Option<String>,
    pub(crate) item: String,
    pub(crate) list: Expression,
    pub(crate) body: Expression,
}

/// Operators between two expressions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operator {
    Or,
    And,
    Equal,
    NotEqual,
    Greater,
    GreaterEqual,
    Less,
    LessEqual,
    In,
    Default,
}

impl Operator {
    /// Binding strength: a greater one binds tighter.
    pub(crate) fn precedence(self) -> usize {
        match self {
            Self::Or => 0,
            Self::And => 1,
            Self::Equal
            | Self::NotEqual
            | Self::Greater
            | Self::GreaterEqual
            | Self::Less
            | Self::LessEqual
            | Self::In => 2,
            Self::Default => 3,
        }
    }
}
