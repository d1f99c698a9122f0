//! Tokens, the words of a template.

use std::fmt;

use crate::span::Span;

/// A word and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Token {
    pub(crate) kind: TokenKind,
    pub(crate) span: Span,
}

/// The kinds of words.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum TokenKind {
    /// Punctuation or an operator.
    Symbol(Symbol),
    /// A piece of a string between `StringBegin` and `StringEnd`, escapes resolved.
    Text(String),
    /// A key in single quotes, escapes resolved.
    Quoted(String),
    /// A variable, a function or a keyword: `$body`, `toUpper`, `if`.
    Identifier(String),
    /// A number as written.
    Number(String),
    /// `true` or `false`.
    Boolean(bool),
}

/// Punctuation and operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Symbol {
    Colon,
    Dot,
    Comma,
    Question,
    DoubleQuestion,
    Equal,
    NotEqual,
    Greater,
    GreaterEqual,
    Less,
    LessEqual,
    And,
    Or,
    Underscore,
    Assign,
    BraceOpen,
    BraceClose,
    DoubleBraceOpen,
    DoubleBraceClose,
    BracketOpen,
    BracketClose,
    ParenOpen,
    ParenClose,
    StringBegin,
    StringEnd,
}

impl Symbol {
    /// As it is written.
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::Colon => ":",
            Self::Dot => ".",
            Self::Comma => ",",
            Self::Question => "?",
            Self::DoubleQuestion => "??",
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Greater => ">",
            Self::GreaterEqual => ">=",
            Self::Less => "<",
            Self::LessEqual => "<=",
            Self::And => "&&",
            Self::Or => "||",
            Self::Underscore => "_",
            Self::Assign => ":=",
            Self::BraceOpen => "{",
            Self::BraceClose => "}",
            Self::DoubleBraceOpen => "{{",
            Self::DoubleBraceClose => "}}",
            Self::BracketOpen => "[",
            Self::BracketClose => "]",
            Self::ParenOpen => "(",
            Self::ParenClose => ")",
            Self::StringBegin | Self::StringEnd => "\"",
        }
    }
}

impl fmt::Display for TokenKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Symbol(symbol) => formatter.write_str(symbol.text()),
            Self::Text(text) => write!(formatter, "\"{text}\""),
            Self::Quoted(text) => write!(formatter, "'{text}'"),
            Self::Identifier(text) | Self::Number(text) => formatter.write_str(text),
            Self::Boolean(value) => write!(formatter, "{value}"),
        }
    }
}
