//! What can go wrong with a template: it does not parse, or it cannot be rendered with this context.

use serde_json::{Value, json};

use crate::{function::FunctionError, span::Span};

/// The text is not a Kriti template.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ParseError {
    /// A character which begins no word, or a single-quoted key without its end.
    #[error("Invalid Lexeme: '{rest}'")]
    InvalidLexeme {
        /// From there to the end of the template.
        span: Span,
        /// The text from there on.
        rest: String,
    },
    /// A word where it makes no sense.
    #[error("Unexpected token '{token}'.")]
    UnexpectedToken {
        /// The word's place.
        span: Span,
        /// The word as written.
        token: String,
    },
    /// The template ends too early; also the empty template.
    #[error("ParseError: Empty token stream.")]
    UnexpectedEnd {
        /// The last word, or the start.
        span: Span,
    },
    /// Nesting beyond [`crate::limit::MAX_DEPTH`].
    #[error("Expressions are nested deeper than {limit} levels.")]
    TooDeep {
        /// The word which opens one level too many.
        span: Span,
        /// The limit.
        limit: usize,
    },
    /// A text beyond [`crate::limit::MAX_TEMPLATE_BYTES`].
    #[error("The template is longer than {limit} bytes.")]
    TooLong {
        /// The start of the template.
        span: Span,
        /// The limit.
        limit: usize,
    },
}

/// The template cannot be rendered with this context.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum RenderError {
    /// An object has no such key.
    #[error("'Object' has no attribute '{name}'.")]
    Attribute {
        /// The lookup.
        span: Span,
        /// The missing key.
        name: String,
    },
    /// No such variable or function.
    #[error("Variable '{name}' not in scope")]
    Name {
        /// The variable or call.
        span: Span,
        /// Its name.
        name: String,
    },
    /// A value of the wrong type.
    #[error("Couldn't match expected type '{expected}' with actual type '{actual}'.")]
    Type {
        /// The expression at fault.
        span: Span,
        /// `Object`, `Array`, `String`, `Integer`, `Boolean`
        expected: &'static str,
        /// The JSON type it has.
        actual: &'static str,
    },
    /// An array has no such element.
    #[error("Index out of range.")]
    Index {
        /// The lookup.
        span: Span,
    },
    /// A function refuses its argument.
    #[error("{reason}")]
    Function {
        /// The argument.
        span: Span,
        /// Why.
        reason: FunctionError,
    },
    /// Work beyond [`crate::limit::MAX_WORK`].
    #[error("The template does more work than is allowed.")]
    TooMuchWork {
        /// The expression reached by then.
        span: Span,
    },
}

/// Either of the two.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Error {
    /// See [`ParseError`].
    #[error(transparent)]
    Parse(#[from] ParseError),
    /// See [`RenderError`].
    #[error(transparent)]
    Render(#[from] RenderError),
}

impl Error {
    /// Hasura's `error_code`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Parse(ParseError::InvalidLexeme { .. }) => "Lex Error",
            Self::Parse(_) => "Parse Error",
            Self::Render(RenderError::Attribute { .. }) => "Attribute Error",
            Self::Render(RenderError::Name { .. }) => "Name Error",
            Self::Render(RenderError::Type { .. }) => "Type Error",
            Self::Render(RenderError::Index { .. }) => "Index Error",
            Self::Render(RenderError::Function { .. }) => "Function Error",
            Self::Render(RenderError::TooMuchWork { .. }) => "Limit Error",
        }
    }

    /// Where in the template.
    pub fn span(&self) -> Span {
        match self {
            Self::Parse(
                ParseError::InvalidLexeme { span, .. }
                | ParseError::UnexpectedToken { span, .. }
                | ParseError::UnexpectedEnd { span }
                | ParseError::TooDeep { span, .. }
                | ParseError::TooLong { span, .. },
            )
            | Self::Render(
                RenderError::Attribute { span, .. }
                | RenderError::Name { span, .. }
                | RenderError::Type { span, .. }
                | RenderError::Index { span }
                | RenderError::Function { span, .. }
                | RenderError::TooMuchWork { span },
            ) => *span,
        }
    }

    /// `{"error_code", "message", "source_position"}`, an element of `internal` in Hasura's error bodies.
    pub fn to_json(&self) -> Value {
        json!({
            "error_code": self.code(),
            "message": self.to_string(),
            "source_position": self.span().to_json(),
        })
    }
}
