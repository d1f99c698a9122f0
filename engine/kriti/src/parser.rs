//! From tokens to expressions: recursive descent, at most [`MAX_DEPTH`] deep.
//!
//! The published grammar takes one operator per pair of parentheses. This one also takes `a && b || c`, with the
//! usual precedence: `??` binds tightest, then comparisons and `in`, then `&&`, then `||`.

mod block;
mod literal;

use serde_json::Value;

use crate::{
    error::ParseError,
    expression::{Expression, ExpressionKind, Key, Lookup, Operator, Path},
    limit::MAX_DEPTH,
    span::{Position, Span},
    token::{Symbol, Token, TokenKind},
};

/// Words which are neither variables nor functions.
const KEYWORDS: [&str; 7] = ["if", "elif", "else", "end", "range", "in", "not"];

/// A place in the list of tokens.
pub(crate) struct Parser<'t> {
    tokens: &'t [Token],
    next: usize,
    depth: usize,
}

impl<'t> Parser<'t> {
    /// Parses all tokens as one expression.
    ///
    /// # Errors
    /// [`ParseError`], with the place at fault.
    pub(crate) fn parse(tokens: &'t [Token]) -> Result<Expression, ParseError> {
        let mut parser = Self {
            tokens,
            next: 0,
            depth: 0,
        };
        let expression = parser.expression()?;
        match parser.peek() {
            None => Ok(expression),
            Some(_) => Err(parser.unexpected()),
        }
    }

    fn peek(&self) -> Option<&'t TokenKind> {
        self.peek_at(0)
    }

    fn peek_at(&self, ahead: usize) -> Option<&'t TokenKind> {
        self.tokens.get(self.next + ahead).map(|token| &token.kind)
    }

    /// The place of the next token, or of the last one at the end.
    fn here(&self) -> Span {
        let start = Span {
            start: Position::START,
            end: Position::START,
        };
        self.tokens
            .get(self.next)
            .or(self.tokens.last())
            .map_or(start, |token| token.span)
    }

    /// The error of the next token, or of its absence.
    fn unexpected(&self) -> ParseError {
        let span = self.here();
        match self.peek() {
            Some(token) => ParseError::UnexpectedToken {
                span,
                token: token.to_string(),
            },
            None => ParseError::UnexpectedEnd { span },
        }
    }

    fn at(&self, symbol: Symbol) -> bool {
        self.peek() == Some(&TokenKind::Symbol(symbol))
    }

    fn at_word(&self, ahead: usize, word: &str) -> bool {
        matches!(self.peek_at(ahead), Some(TokenKind::Identifier(name)) if name == word)
    }

    /// Takes `symbol` if it is next.
    fn accept(&mut self, symbol: Symbol) -> Option<Span> {
        let span = self.here();
        self.at(symbol).then(|| {
            self.next += 1;
            span
        })
    }

    fn expect(&mut self, symbol: Symbol) -> Result<Span, ParseError> {
        self.accept(symbol).ok_or_else(|| self.unexpected())
    }

    fn expect_word(&mut self, word: &str) -> Result<Span, ParseError> {
        if !self.at_word(0, word) {
            return Err(self.unexpected());
        }
        let span = self.here();
        self.next += 1;
        Ok(span)
    }

    /// Any identifier, keywords too: after a dot they are names.
    fn expect_identifier(&mut self) -> Result<(String, Span), ParseError> {
        let Some(TokenKind::Identifier(name)) = self.peek() else {
            return Err(self.unexpected());
        };
        let span = self.here();
        self.next += 1;
        Ok((name.clone(), span))
    }

    /// An expression, one level deeper.
    fn expression(&mut self) -> Result<Expression, ParseError> {
        if self.depth >= MAX_DEPTH {
            return Err(ParseError::TooDeep {
                span: self.here(),
                limit: MAX_DEPTH,
            });
        }
        self.depth += 1;
        let expression = self.operation(0);
        self.depth -= 1;
        expression
    }

    /// Operands with operators of at least `precedence` between them.
    fn operation(&mut self, precedence: usize) -> Result<Expression, ParseError> {
        let mut left = self.operand()?;
        while let Some(operator) = self
            .operator()
            .filter(|operator| operator.precedence() >= precedence)
        {
            let mut rest = vec![];
            let mut span = left.span;
            while let Some(next) = self
                .operator()
                .filter(|next| next.precedence() == operator.precedence())
            {
                self.next += 1;
                let right = self.operation(operator.precedence() + 1)?;
                span = span.to(right.span);
                rest.push((next, right));
            }
            left = Expression {
                span,
                kind: ExpressionKind::Operation {
                    first: Box::new(left),
                    rest,
                },
            };
        }
        Ok(left)
    }

    /// The operator which is next, not taken.
    fn operator(&self) -> Option<Operator> {
        match self.peek()? {
            TokenKind::Symbol(symbol) => match symbol {
                Symbol::Or => Some(Operator::Or),
                Symbol::And => Some(Operator::And),
                Symbol::Equal => Some(Operator::Equal),
                Symbol::NotEqual => Some(Operator::NotEqual),
                Symbol::Greater => Some(Operator::Greater),
                Symbol::GreaterEqual => Some(Operator::GreaterEqual),
                Symbol::Less => Some(Operator::Less),
                Symbol::LessEqual => Some(Operator::LessEqual),
                Symbol::DoubleQuestion => Some(Operator::Default),
                _ => None,
            },
            TokenKind::Identifier(name) if name == "in" => Some(Operator::In),
            _ => None,
        }
    }

    /// An atom and the lookups after it; or `not` and all that follows, as in the published grammar.
    fn operand(&mut self) -> Result<Expression, ParseError> {
        if self.at_word(0, "not") {
            let start = self.expect_word("not")?;
            let argument = self.expression()?;
            let span = start.to(argument.span);
            let kind = ExpressionKind::Call {
                name: "not".to_owned(),
                argument: Box::new(argument),
            };
            return Ok(Expression { span, kind });
        }
        let base = self.atom()?;
        let mut lookups: Vec<Lookup> = vec![];
        let mut span = base.span;
        loop {
            let question = self.accept(Symbol::Question);
            let dot = self.accept(Symbol::Dot);
            let key = if let Some(open) = self.accept(Symbol::BracketOpen) {
                // `?.[x]` is an older way to write `?[x]`; `.[x]` never was one.
                if dot.is_some() && question.is_none() {
                    return Err(ParseError::UnexpectedToken {
                        span: open,
                        token: "[".to_owned(),
                    });
                }
                let key = self.element()?;
                span = span.to(self.expect(Symbol::BracketClose)?);
                key
            } else if dot.is_some() {
                let (name, end) = self.expect_identifier()?;
                span = span.to(end);
                Key::Attribute(name)
            } else if question.is_some() {
                return Err(self.unexpected());
            } else {
                break;
            };
            lookups.push(Lookup {
                optional: question.is_some(),
                key,
                span,
            });
        }
        if lookups.is_empty() {
            return Ok(base);
        }
        Ok(Expression {
            span,
            kind: ExpressionKind::Path(Box::new(Path { base, lookups })),
        })
    }

    /// What stands between brackets.
    fn element(&mut self) -> Result<Key, ParseError> {
        if let Some(TokenKind::Quoted(name)) = self.peek() {
            let span = self.here();
            self.next += 1;
            return Ok(Key::Element(Expression {
                span,
                kind: ExpressionKind::Literal(Value::from(name.as_str())),
            }));
        }
        Ok(Key::Element(self.expression()?))
    }

    fn atom(&mut self) -> Result<Expression, ParseError> {
        let span = self.here();
        match self.peek() {
            Some(TokenKind::Symbol(Symbol::StringBegin)) => self.text(),
            Some(TokenKind::Symbol(Symbol::BracketOpen)) => self.array(),
            Some(TokenKind::Symbol(Symbol::BraceOpen)) => self.object(),
            Some(TokenKind::Symbol(Symbol::DoubleBraceOpen)) => self.block(),
            Some(TokenKind::Symbol(Symbol::ParenOpen)) => {
                self.next += 1;
                let inner = self.expression()?;
                self.expect(Symbol::ParenClose)?;
                Ok(inner)
            }
            Some(TokenKind::Number(text)) => self.number(text),
            Some(TokenKind::Boolean(value)) => {
                self.next += 1;
                Ok(Expression {
                    span,
                    kind: ExpressionKind::Literal(Value::Bool(*value)),
                })
            }
            Some(TokenKind::Identifier(name)) if !KEYWORDS.contains(&name.as_str()) => self.name(name, span),
            _ => Err(self.unexpected()),
        }
    }

    /// `null`, a call or a variable.
    fn name(&mut self, name: &str, span: Span) -> Result<Expression, ParseError> {
        self.next += 1;
        if name == "null" {
            return Ok(Expression {
                span,
                kind: ExpressionKind::Literal(Value::Null),
            });
        }
        if self.accept(Symbol::ParenOpen).is_some() {
            let argument = Box::new(self.expression()?);
            let span = span.to(self.expect(Symbol::ParenClose)?);
            return Ok(Expression {
                span,
                kind: ExpressionKind::Call {
                    name: name.to_owned(),
                    argument,
                },
            });
        }
        // Early versions wrote `escapeUri $body.x`, and templates of that time are still about.
        if name == "escapeUri"
            && matches!(
                self.peek(),
                Some(TokenKind::Identifier(_) | TokenKind::Symbol(Symbol::StringBegin))
            )
        {
            let argument = Box::new(self.nested_operand()?);
            let span = span.to(argument.span);
            return Ok(Expression {
                span,
                kind: ExpressionKind::Call {
                    name: name.to_owned(),
                    argument,
                },
            });
        }
        Ok(Expression {
            span,
            kind: ExpressionKind::Variable(name.to_owned()),
        })
    }

    /// An operand, one level deeper: `escapeUri escapeUri …` recurses without brackets.
    fn nested_operand(&mut self) -> Result<Expression, ParseError> {
        if self.depth >= MAX_DEPTH {
            return Err(ParseError::TooDeep {
                span: self.here(),
                limit: MAX_DEPTH,
            });
        }
        self.depth += 1;
        let operand = self.operand();
        self.depth -= 1;
        operand
    }
}
