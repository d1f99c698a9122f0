//! An executable document: its text parsed, its limits kept, one of its operations chosen.
//!
//! Never looks at a schema. Hasura's words for what can be wrong with a text and an `operationName`.

mod lexer;
mod normal_form;
mod parser;

use std::collections::HashMap;

use crate::error::{Code, Error};
use crate::path::Path;
use crate::syntax::{Fragment, Literal, OperationDefinition};
use crate::type_system::Name;

/// What a document may cost at most. Beyond a limit the request is refused, whatever the role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Length of the text in bytes.
    pub bytes: usize,
    /// Number of tokens.
    pub tokens: usize,
    /// How deep brackets may be nested in the text, selection sets after fragments are put in their places, and
    /// input values after variables are. This bounds the stack of everything that walks an operation.
    pub depth: usize,
    /// Number of selected fields and fragments visited while an operation is normalised; bounds fragments that
    /// multiply.
    pub selections: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            bytes: 16 << 20,
            tokens: 500_000,
            depth: 128,
            selections: 50_000,
        }
    }
}

/// A parsed document.
#[derive(Debug, Clone)]
pub struct Document {
    operations: Vec<OperationDefinition>,
    fragments: HashMap<Name, Fragment>,
    /// The first name that several fragments have.
    twice: Option<Name>,
    limits: Limits,
}

impl Document {
    /// Parses a text.
    ///
    /// # Errors
    /// `validation-failed` at `$.query`: `not a valid graphql query`, or which limit was exceeded.
    pub fn parse(text: &str, limits: &Limits) -> Result<Self, Error> {
        let refused = |message: String| Error::validation(&Path::root().key("query"), message);
        if text.len() > limits.bytes {
            return Err(refused(format!(
                "the query is longer than {} bytes",
                limits.bytes
            )));
        }
        check_brackets(text, limits).map_err(refused)?;
        let parsed = parser::document(text).map_err(|_| refused("not a valid graphql query".to_owned()))?;
        let mut fragments = HashMap::new();
        let mut twice = None;
        for fragment in parsed.fragments {
            if let Some(before) = fragments.insert(fragment.name.clone(), fragment) {
                twice.get_or_insert(before.name);
            }
        }
        Ok(Self {
            operations: parsed.operations,
            fragments,
            twice,
            limits: *limits,
        })
    }

    /// Its limits.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Its operations, as written.
    pub fn operations(&self) -> &[OperationDefinition] {
        &self.operations
    }

    /// How many operations and fragments it defines. Fragments of one name count once.
    pub fn definitions(&self) -> usize {
        self.operations.len() + self.fragments.len()
    }

    /// The fragment of that name.
    pub fn fragment(&self, name: &str) -> Option<&Fragment> {
        self.fragments.get(name)
    }

    /// Chooses the operation to run. An `operation_name` is `None` if the request has none.
    ///
    /// # Errors
    /// `validation-failed` at `$`, as Hasura has it; `parse-failed` for several fragments of one name.
    pub fn operation(&self, operation_name: Option<&str>) -> Result<&OperationDefinition, Error> {
        let refused = |message: String| Err(Error::validation(&Path::root(), message));
        let chosen = match operation_name {
            Some(_) if self.operations.iter().any(|operation| operation.shorthand) => {
                return refused(
                    "operationName cannot be used when an anonymous operation exists in the document"
                        .to_owned(),
                );
            }
            Some(wanted) => {
                let found = self
                    .operations
                    .iter()
                    .find(|operation| operation.name.as_deref() == Some(wanted));
                match found {
                    Some(operation) => operation,
                    None => return refused(format!("no such operation found in the document: \"{wanted}\"")),
                }
            }
            None => match self.operations.as_slice() {
                [operation] => operation,
                _ => {
                    return refused(
                        "exactly one operation has to be present in the document when operationName is not specified"
                            .to_owned(),
                    );
                }
            },
        };
        match &self.twice {
            Some(name) => Err(Error {
                code: Code::ParseFailed,
                path: Path::root(),
                message: format!("multiple definitions for fragment \"{name}\""),
            }),
            None => Ok(chosen),
        }
    }
}

/// Parses one value that has no variables, such as the text of a default value.
///
/// `None` if the text is not such a value or is nested deeper than the default limit.
pub fn parse_literal(text: &str) -> Option<Literal> {
    check_brackets(text, &Limits::default()).ok()?;
    parser::constant(text).ok()
}

/// Counts tokens and nesting without recursion, so that the parser, which does recurse, meets neither.
/// The error is the message.
fn check_brackets(text: &str, limits: &Limits) -> Result<(), String> {
    let mut lexer = lexer::Lexer::new(text);
    let mut depth = 0_usize;
    let mut tokens = 0_usize;
    loop {
        let token = match lexer.next() {
            Ok(Some(token)) => token,
            Ok(None) => return Ok(()),
            Err(lexer::NotAToken) => return Err("not a valid graphql query".to_owned()),
        };
        tokens += 1;
        if tokens > limits.tokens {
            return Err(format!("the query has more than {} tokens", limits.tokens));
        }
        match token {
            lexer::Token::Punctuator(b'{' | b'(' | b'[') => {
                depth += 1;
                if depth > limits.depth {
                    return Err(format!("the query is nested deeper than {} levels", limits.depth));
                }
            }
            lexer::Token::Punctuator(b'}' | b')' | b']') => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests;
