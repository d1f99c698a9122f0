//! A parsed template.

use serde_json::Value;

use crate::{
    context::Context,
    error::{Error, ParseError},
    expression::Expression,
    lexer::lex,
    parser::Parser,
    render::render,
};

/// A template, parsed once and rendered any number of times.
#[derive(Clone, Debug, PartialEq)]
pub struct Template {
    expression: Expression,
}

impl Template {
    /// Parses a template: JSON in which `{{ … }}` may stand for any value and in any string.
    ///
    /// # Errors
    /// [`ParseError`], with the place at fault.
    pub fn parse(source: &str) -> Result<Self, ParseError> {
        let tokens = lex(source)?;
        Ok(Self {
            expression: Parser::parse(&tokens)?,
        })
    }

    /// Parses a template which is the inside of a string, such as that of a URL or a header: `{{$base_url}}/users`.
    /// As in Hasura the text is put between double quotes, so columns on the first line count one more.
    ///
    /// # Errors
    /// [`ParseError`], with the place at fault.
    pub fn parse_text(source: &str) -> Result<Self, ParseError> {
        Self::parse(&format!("\"{source}\""))
    }

    /// Renders the template.
    ///
    /// # Errors
    /// [`Error::Render`], with the place at fault.
    pub fn render(&self, context: &Context) -> Result<Value, Error> {
        render(&self.expression, context).map_err(Error::Render)
    }
}
