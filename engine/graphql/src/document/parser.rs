//! Tokens to a syntax tree: the executable part of the GraphQL grammar (October 2021).
//!
//! Recursive; every recursion passes an opening bracket, and `document::check_brackets` has bounded those.

use indexmap::IndexMap;
use serde_json::Number;

use super::lexer::{Lexer, NotAToken, Token};
use crate::syntax::{
    Directive, Fragment, Literal, Named, OperationDefinition, SelectedField, Selection, VariableDefinition,
};
use crate::type_system::{Name, OperationKind, TypeReference};

/// The text is not a document. Hasura tells no more than that.
#[derive(Debug)]
pub(super) struct NotADocument;

impl From<NotAToken> for NotADocument {
    fn from(_: NotAToken) -> Self {
        Self
    }
}

type Parsed<T> = Result<T, NotADocument>;

/// What a document defines, in order.
pub(super) struct Definitions {
    pub(super) operations: Vec<OperationDefinition>,
    pub(super) fragments: Vec<Fragment>,
}

pub(super) fn document(text: &str) -> Parsed<Definitions> {
    let mut parser = Parser::new(text)?;
    let mut operations = Vec::new();
    let mut fragments = Vec::new();
    while let Some(token) = &parser.ahead {
        match token {
            Token::Name("fragment") => fragments.push(parser.fragment()?),
            _ => operations.push(parser.operation()?),
        }
    }
    if operations.is_empty() && fragments.is_empty() {
        return Err(NotADocument);
    }
    Ok(Definitions {
        operations,
        fragments,
    })
}

pub(super) fn constant(text: &str) -> Parsed<Literal> {
    let mut parser = Parser::new(text)?;
    let literal = parser.value(false)?;
    match parser.ahead {
        None => Ok(literal),
        Some(_) => Err(NotADocument),
    }
}

struct Parser<'t> {
    lexer: Lexer<'t>,
    ahead: Option<Token<'t>>,
}

impl<'t> Parser<'t> {
    fn new(text: &'t str) -> Parsed<Self> {
        let mut lexer = Lexer::new(text);
        let ahead = lexer.next()?;
        Ok(Self { lexer, ahead })
    }

    fn take(&mut self) -> Parsed<Token<'t>> {
        let next = self.lexer.next()?;
        std::mem::replace(&mut self.ahead, next).ok_or(NotADocument)
    }

    fn is(&self, punctuator: u8) -> bool {
        self.ahead == Some(Token::Punctuator(punctuator))
    }

    /// Takes the punctuator if it is next.
    fn skip(&mut self, punctuator: u8) -> Parsed<bool> {
        let found = self.is(punctuator);
        if found {
            self.take()?;
        }
        Ok(found)
    }

    fn expect(&mut self, punctuator: u8) -> Parsed<()> {
        if self.skip(punctuator)? {
            Ok(())
        } else {
            Err(NotADocument)
        }
    }

    fn word(&mut self) -> Parsed<&'t str> {
        match self.take()? {
            Token::Name(word) => Ok(word),
            _ => Err(NotADocument),
        }
    }

    fn name(&mut self) -> Parsed<Name> {
        Ok(self.word()?.into())
    }

    fn operation(&mut self) -> Parsed<OperationDefinition> {
        if self.is(b'{') {
            return Ok(OperationDefinition {
                kind: OperationKind::Query,
                name: None,
                shorthand: true,
                variables: Vec::new(),
                directives: Vec::new(),
                selections: self.selection_set()?,
            });
        }
        let kind = match self.word()? {
            "query" => OperationKind::Query,
            "mutation" => OperationKind::Mutation,
            "subscription" => OperationKind::Subscription,
            _ => return Err(NotADocument),
        };
        let name = match self.ahead {
            Some(Token::Name(_)) => Some(self.name()?),
            _ => None,
        };
        Ok(OperationDefinition {
            kind,
            name,
            shorthand: false,
            variables: self.variable_definitions()?,
            directives: self.directives(true)?,
            selections: self.selection_set()?,
        })
    }

    fn fragment(&mut self) -> Parsed<Fragment> {
        self.take()?;
        let name = self.name()?;
        if &*name == "on" || self.word()? != "on" {
            return Err(NotADocument);
        }
        let condition = self.name()?;
        // Directives of a fragment definition mean nothing to Hasura.
        self.directives(true)?;
        Ok(Fragment {
            name,
            condition,
            selections: self.selection_set()?,
        })
    }

    fn variable_definitions(&mut self) -> Parsed<Vec<VariableDefinition>> {
        let mut definitions = Vec::new();
        if !self.skip(b'(')? {
            return Ok(definitions);
        }
        loop {
            self.expect(b'$')?;
            let name = self.name()?;
            self.expect(b':')?;
            let type_ = self.type_reference()?;
            let default = if self.skip(b'=')? {
                Some(self.value(false)?)
            } else {
                None
            };
            self.directives(false)?;
            definitions.push(VariableDefinition { name, type_, default });
            if self.skip(b')')? {
                return Ok(definitions);
            }
        }
    }

    fn type_reference(&mut self) -> Parsed<TypeReference<Name>> {
        if self.skip(b'[')? {
            let item = Box::new(self.type_reference()?);
            self.expect(b']')?;
            let nullable = !self.skip(b'!')?;
            return Ok(TypeReference::List { item, nullable });
        }
        let id = self.name()?;
        let nullable = !self.skip(b'!')?;
        Ok(TypeReference::Named { id, nullable })
    }

    fn directives(&mut self, variables: bool) -> Parsed<Vec<Directive>> {
        let mut directives = Vec::new();
        while self.skip(b'@')? {
            let name = self.name()?;
            let arguments = self.arguments(variables)?;
            directives.push(Directive { name, arguments });
        }
        Ok(directives)
    }

    fn arguments(&mut self, variables: bool) -> Parsed<Named> {
        let mut arguments = IndexMap::new();
        if self.skip(b'(')? {
            loop {
                let name = self.name()?;
                self.expect(b':')?;
                arguments.insert(name, self.value(variables)?);
                if self.skip(b')')? {
                    break;
                }
            }
        }
        Ok(arguments)
    }

    fn selection_set(&mut self) -> Parsed<Vec<Selection>> {
        self.expect(b'{')?;
        let mut selections = Vec::new();
        loop {
            selections.push(self.selection()?);
            if self.skip(b'}')? {
                return Ok(selections);
            }
        }
    }

    fn selection(&mut self) -> Parsed<Selection> {
        if self.ahead != Some(Token::Spread) {
            return self.field();
        }
        self.take()?;
        let condition = match self.ahead {
            Some(Token::Name("on")) => {
                self.take()?;
                Some(self.name()?)
            }
            Some(Token::Name(_)) => {
                return Ok(Selection::Spread {
                    fragment: self.name()?,
                    directives: self.directives(true)?,
                });
            }
            _ => None,
        };
        Ok(Selection::Inline {
            condition,
            directives: self.directives(true)?,
            selections: self.selection_set()?,
        })
    }

    fn field(&mut self) -> Parsed<Selection> {
        let first = self.name()?;
        let (alias, name) = if self.skip(b':')? {
            (Some(first), self.name()?)
        } else {
            (None, first)
        };
        let arguments = self.arguments(true)?;
        let directives = self.directives(true)?;
        let selections = if self.is(b'{') {
            self.selection_set()?
        } else {
            Vec::new()
        };
        Ok(Selection::Field(SelectedField {
            alias,
            name,
            arguments,
            directives,
            selections,
        }))
    }

    fn value(&mut self, variables: bool) -> Parsed<Literal> {
        Ok(match self.take()? {
            Token::Punctuator(b'$') if variables => Literal::Variable(self.name()?),
            Token::Punctuator(b'[') => {
                let mut items = Vec::new();
                while !self.skip(b']')? {
                    items.push(self.value(variables)?);
                }
                Literal::List(items)
            }
            Token::Punctuator(b'{') => {
                let mut fields = IndexMap::new();
                while !self.skip(b'}')? {
                    let name = self.name()?;
                    self.expect(b':')?;
                    fields.insert(name, self.value(variables)?);
                }
                Literal::Object(fields)
            }
            Token::Int(text) => Literal::Int(number(text)?),
            Token::Float(text) => Literal::Float(number(text)?),
            Token::String(text) => Literal::String(text.into_owned()),
            Token::Name("true") => Literal::Boolean(true),
            Token::Name("false") => Literal::Boolean(false),
            Token::Name("null") => Literal::Null,
            Token::Name(name) => Literal::Enum(name.into()),
            Token::Punctuator(_) | Token::Spread => return Err(NotADocument),
        })
    }
}

/// Every GraphQL number is a JSON number; its digits are kept as written.
fn number(text: &str) -> Parsed<Number> {
    text.parse().map_err(|_| NotADocument)
}
