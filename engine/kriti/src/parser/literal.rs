//! JSON's own forms: strings, numbers, arrays and objects, with expressions inside.

use serde_json::{Number, Value};

use super::Parser;
use crate::{
    error::ParseError,
    expression::{Expression, ExpressionKind},
    token::{Symbol, TokenKind},
};

impl Parser<'_> {
    /// `"text {{ expression }} text"`
    pub(super) fn text(&mut self) -> Result<Expression, ParseError> {
        let start = self.expect(Symbol::StringBegin)?;
        let mut pieces = vec![];
        loop {
            let span = self.here();
            if let Some(TokenKind::Text(text)) = self.peek() {
                self.next += 1;
                pieces.push(Expression {
                    span,
                    kind: ExpressionKind::Literal(Value::from(text.as_str())),
                });
            } else if self.accept(Symbol::DoubleBraceOpen).is_some() {
                pieces.push(self.expression()?);
                self.expect(Symbol::DoubleBraceClose)?;
            } else {
                let span = start.to(self.expect(Symbol::StringEnd)?);
                return Ok(Expression {
                    span,
                    kind: ExpressionKind::Text(pieces),
                });
            }
        }
    }

    /// A number as written; leading zeros, which JSON has not, are dropped.
    pub(super) fn number(&mut self, text: &str) -> Result<Expression, ParseError> {
        let span = self.here();
        let (sign, digits) = text.strip_prefix('-').map_or(("", text), |digits| ("-", digits));
        let short = digits.trim_start_matches('0');
        let short = if short.starts_with(|first: char| first.is_ascii_digit()) {
            short
        } else {
            &digits[digits.len() - short.len() - 1..]
        };
        let number: Number = format!("{sign}{short}").parse().map_err(|_| self.unexpected())?;
        self.next += 1;
        Ok(Expression {
            span,
            kind: ExpressionKind::Literal(Value::Number(number)),
        })
    }

    /// `[a, b]`
    pub(super) fn array(&mut self) -> Result<Expression, ParseError> {
        let start = self.expect(Symbol::BracketOpen)?;
        let mut elements = vec![];
        if let Some(end) = self.accept(Symbol::BracketClose) {
            return Ok(Expression {
                span: start.to(end),
                kind: ExpressionKind::Array(elements),
            });
        }
        loop {
            elements.push(self.expression()?);
            if self.accept(Symbol::Comma).is_none() {
                let span = start.to(self.expect(Symbol::BracketClose)?);
                return Ok(Expression {
                    span,
                    kind: ExpressionKind::Array(elements),
                });
            }
        }
    }

    /// `{"a": b}`. Of equal keys the first counts, as in Hasura.
    pub(super) fn object(&mut self) -> Result<Expression, ParseError> {
        let start = self.expect(Symbol::BraceOpen)?;
        let mut fields = vec![];
        let mut seen = std::collections::BTreeSet::new();
        if let Some(end) = self.accept(Symbol::BraceClose) {
            return Ok(Expression {
                span: start.to(end),
                kind: ExpressionKind::Object(fields),
            });
        }
        loop {
            let key = self.key()?;
            self.expect(Symbol::Colon)?;
            let value = self.expression()?;
            if seen.insert(key.clone()) {
                fields.push((key, value));
            }
            if self.accept(Symbol::Comma).is_none() {
                let span = start.to(self.expect(Symbol::BraceClose)?);
                return Ok(Expression {
                    span,
                    kind: ExpressionKind::Object(fields),
                });
            }
        }
    }

    /// A key is a plain string.
    fn key(&mut self) -> Result<String, ParseError> {
        self.expect(Symbol::StringBegin)?;
        let mut key = String::new();
        while let Some(TokenKind::Text(text)) = self.peek() {
            key.push_str(text);
            self.next += 1;
        }
        self.expect(Symbol::StringEnd)?;
        Ok(key)
    }
}
