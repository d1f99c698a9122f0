//! What begins with `{{`: conditions, loops, and plain interpolation.

use super::Parser;
use crate::{
    error::ParseError,
    expression::{Expression, ExpressionKind, Range},
    token::Symbol,
};

impl Parser<'_> {
    /// `{{ if`, `{{ range` or `{{ expression }}`.
    pub(super) fn block(&mut self) -> Result<Expression, ParseError> {
        if self.at_word(1, "if") {
            return self.condition();
        }
        if self.at_word(1, "range") {
            return self.range();
        }
        self.expect(Symbol::DoubleBraceOpen)?;
        let inner = self.expression()?;
        self.expect(Symbol::DoubleBraceClose)?;
        Ok(inner)
    }

    /// `{{ if a }} b {{ elif c }} d {{ else }} e {{ end }}`
    fn condition(&mut self) -> Result<Expression, ParseError> {
        let start = self.expect(Symbol::DoubleBraceOpen)?;
        self.expect_word("if")?;
        let mut branches = vec![];
        loop {
            let condition = self.expression()?;
            self.expect(Symbol::DoubleBraceClose)?;
            branches.push((condition, self.expression()?));
            self.expect(Symbol::DoubleBraceOpen)?;
            if !self.at_word(0, "elif") {
                break;
            }
            self.expect_word("elif")?;
        }
        self.expect_word("else")?;
        self.expect(Symbol::DoubleBraceClose)?;
        let otherwise = Box::new(self.expression()?);
        let span = start.to(self.end()?);
        Ok(Expression {
            span,
            kind: ExpressionKind::If { branches, otherwise },
        })
    }

    /// `{{ range index, item := list }} body {{ end }}`
    fn range(&mut self) -> Result<Expression, ParseError> {
        let start = self.expect(Symbol::DoubleBraceOpen)?;
        self.expect_word("range")?;
        let index = match self.accept(Symbol::Underscore) {
            Some(_) => None,
            None => Some(self.expect_identifier()?.0),
        };
        self.expect(Symbol::Comma)?;
        let (item, _) = self.expect_identifier()?;
        self.expect(Symbol::Assign)?;
        let list = self.expression()?;
        self.expect(Symbol::DoubleBraceClose)?;
        let body = self.expression()?;
        let span = start.to(self.end()?);
        Ok(Expression {
            span,
            kind: ExpressionKind::Range(Box::new(Range {
                index,
                item,
                list,
                body,
            })),
        })
    }

    /// `{{ end }}`
    fn end(&mut self) -> Result<crate::span::Span, ParseError> {
        self.expect(Symbol::DoubleBraceOpen)?;
        self.expect_word("end")?;
        self.expect(Symbol::DoubleBraceClose)
    }
}
