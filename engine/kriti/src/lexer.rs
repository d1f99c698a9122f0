//! From characters to tokens. What a character means depends on where it stands: in JSON, in an expression between
//! `{{` and `}}`, or in a string, which may again hold expressions.

use crate::{
    error::ParseError,
    limit::MAX_TEMPLATE_BYTES,
    percent::hex,
    span::{Position, Span},
    token::{Symbol, Token, TokenKind},
};

/// Splits a template into tokens.
///
/// # Errors
/// [`ParseError::TooLong`] and [`ParseError::InvalidLexeme`]. A string without its end is left to the parser.
pub(crate) fn lex(source: &str) -> Result<Vec<Token>, ParseError> {
    if source.len() > MAX_TEMPLATE_BYTES {
        let span = Span {
            start: Position::START,
            end: Position::START,
        };
        return Err(ParseError::TooLong {
            span,
            limit: MAX_TEMPLATE_BYTES,
        });
    }
    let mut lexer = Lexer {
        rest: source,
        position: Position::START,
        modes: vec![],
        tokens: vec![],
    };
    while !lexer.rest.is_empty() {
        lexer.step()?;
    }
    Ok(lexer.tokens)
}

/// Where the lexer is. Outside of all modes it is in plain JSON, where `}}` closes two objects.
#[derive(Clone, Copy)]
enum Mode {
    /// Between `{{` and `}}`, within so many object literals.
    Expression { braces: usize },
    /// Between double quotes.
    Text,
}

struct Lexer<'s> {
    rest: &'s str,
    position: Position,
    modes: Vec<Mode>,
    tokens: Vec<Token>,
}

/// Longest first, so that `==` is found before `=` would be.
const SYMBOLS: [(&str, Symbol); 21] = [
    ("{{", Symbol::DoubleBraceOpen),
    ("??", Symbol::DoubleQuestion),
    ("==", Symbol::Equal),
    ("!=", Symbol::NotEqual),
    (">=", Symbol::GreaterEqual),
    ("<=", Symbol::LessEqual),
    ("&&", Symbol::And),
    ("||", Symbol::Or),
    (":=", Symbol::Assign),
    (">", Symbol::Greater),
    ("<", Symbol::Less),
    (":", Symbol::Colon),
    (".", Symbol::Dot),
    (",", Symbol::Comma),
    ("?", Symbol::Question),
    ("_", Symbol::Underscore),
    ("{", Symbol::BraceOpen),
    ("[", Symbol::BracketOpen),
    ("]", Symbol::BracketClose),
    ("(", Symbol::ParenOpen),
    (")", Symbol::ParenClose),
];

impl<'s> Lexer<'s> {
    fn step(&mut self) -> Result<(), ParseError> {
        if matches!(self.modes.last(), Some(Mode::Text)) {
            self.text();
            return Ok(());
        }
        match self.rest.bytes().next() {
            Some(b' ' | b'\t' | b'\n' | b'\r' | b'\x0b' | b'\x0c') => {
                self.take(1);
            }
            Some(b'#') => {
                self.take(self.rest.find('\n').unwrap_or(self.rest.len()));
            }
            Some(b'"') => {
                self.modes.push(Mode::Text);
                self.symbol(1, Symbol::StringBegin);
            }
            Some(b'\'') if !self.modes.is_empty() => self.quoted()?,
            Some(b'}') => self.close(),
            Some(b'$' | b'a'..=b'z' | b'A'..=b'Z') => self.identifier(),
            Some(b'-' | b'0'..=b'9') => self.number()?,
            _ => {
                let Some((text, symbol)) = SYMBOLS.iter().find(|(text, _)| self.rest.starts_with(text))
                else {
                    return Err(self.invalid());
                };
                match (symbol, self.modes.last_mut()) {
                    (Symbol::DoubleBraceOpen, _) => self.modes.push(Mode::Expression { braces: 0 }),
                    (Symbol::BraceOpen, Some(Mode::Expression { braces })) => *braces += 1,
                    _ => {}
                }
                self.symbol(text.len(), *symbol);
            }
        }
        Ok(())
    }

    /// Moves over `length` bytes and gives them with their place.
    fn take(&mut self, length: usize) -> (&'s str, Span) {
        let (taken, rest) = self.rest.split_at(length);
        let start = self.position;
        self.position = taken.chars().fold(start, Position::after);
        self.rest = rest;
        (
            taken,
            Span {
                start,
                end: self.position,
            },
        )
    }

    fn symbol(&mut self, length: usize, symbol: Symbol) {
        let (_, span) = self.take(length);
        self.tokens.push(Token {
            kind: TokenKind::Symbol(symbol),
            span,
        });
    }

    fn invalid(&self) -> ParseError {
        let end = self.rest.chars().fold(self.position, Position::after);
        ParseError::InvalidLexeme {
            span: Span {
                start: self.position,
                end,
            },
            rest: self.rest.to_owned(),
        }
    }

    /// `}` closes an object literal, `}}` the expression when no object literal is open in it.
    fn close(&mut self) {
        match self.modes.last_mut() {
            Some(Mode::Expression { braces: 0 }) if self.rest.starts_with("}}") => {
                self.modes.pop();
                self.symbol(2, Symbol::DoubleBraceClose);
            }
            Some(Mode::Expression { braces }) => {
                *braces = braces.saturating_sub(1);
                self.symbol(1, Symbol::BraceClose);
            }
            _ => self.symbol(1, Symbol::BraceClose),
        }
    }

    /// A letter or `$`, then letters, digits and `$_-`. A bare `$` is a variable too.
    fn identifier(&mut self) {
        let bytes = self.rest.as_bytes();
        let head = usize::from(bytes.first() == Some(&b'$'));
        let length = match bytes.get(head) {
            Some(byte) if byte.is_ascii_alphabetic() => bytes
                .iter()
                .position(|byte| !byte.is_ascii_alphanumeric() && !b"$_-".contains(byte))
                .unwrap_or(bytes.len()),
            _ => 1,
        };
        let (text, span) = self.take(length);
        let kind = match text {
            "true" => TokenKind::Boolean(true),
            "false" => TokenKind::Boolean(false),
            _ => TokenKind::Identifier(text.to_owned()),
        };
        self.tokens.push(Token { kind, span });
    }

    /// `-1`, `007` (which is 7), `1.5e-3`. A fraction or exponent needs a digit, or is not one.
    fn number(&mut self) -> Result<(), ParseError> {
        let bytes = self.rest.as_bytes();
        let digits = |from: usize| {
            bytes.get(from..).map_or(0, |rest| {
                rest.iter().take_while(|byte| byte.is_ascii_digit()).count()
            })
        };
        let sign = usize::from(bytes.first() == Some(&b'-'));
        let whole = digits(sign);
        if whole == 0 {
            return Err(self.invalid());
        }
        let mut length = sign + whole;
        if whole == 1 || bytes.get(sign) != Some(&b'0') {
            let fraction = digits(length + 1);
            if bytes.get(length) == Some(&b'.') && fraction > 0 {
                length += 1 + fraction;
            }
            let signed = usize::from(matches!(bytes.get(length + 1), Some(b'+' | b'-')));
            let exponent = digits(length + 1 + signed);
            if matches!(bytes.get(length), Some(b'e' | b'E')) && exponent > 0 {
                length += 1 + signed + exponent;
            }
        }
        let (text, span) = self.take(length);
        self.tokens.push(Token {
            kind: TokenKind::Number(text.to_owned()),
            span,
        });
        Ok(())
    }

    /// The next piece of a string: a text, the start of an expression, or the end.
    fn text(&mut self) {
        if self.rest.starts_with('"') {
            self.modes.pop();
            self.symbol(1, Symbol::StringEnd);
        } else if self.rest.starts_with("{{") {
            self.modes.push(Mode::Expression { braces: 0 });
            self.symbol(2, Symbol::DoubleBraceOpen);
        } else {
            let bytes = self.rest.as_bytes();
            let mut length = 0;
            while let Some(byte) = bytes.get(length) {
                match (byte, bytes.get(length + 1)) {
                    (b'"', _) | (b'{', Some(b'{')) => break,
                    // Either is one byte, so this stays between characters.
                    (b'\\', Some(b'"' | b'\\')) => length += 2,
                    _ => length += 1,
                }
            }
            let (text, span) = self.take(length);
            self.tokens.push(Token {
                kind: TokenKind::Text(unescape(text, '"')),
                span,
            });
        }
    }

    /// A key in single quotes.
    fn quoted(&mut self) -> Result<(), ParseError> {
        let bytes = self.rest.as_bytes();
        let mut length = 1;
        loop {
            match (bytes.get(length), bytes.get(length + 1)) {
                (None, _) => return Err(self.invalid()),
                (Some(b'\''), _) => break,
                (Some(b'\\'), Some(b'\'' | b'\\')) => length += 2,
                _ => length += 1,
            }
        }
        let (text, span) = self.take(length + 1);
        let text = unescape(text.get(1..length).unwrap_or_default(), '\'');
        self.tokens.push(Token {
            kind: TokenKind::Quoted(text),
            span,
        });
        Ok(())
    }
}

/// Resolves JSON's escapes and that of the quote. A backslash before anything else is itself, as in Kriti.
fn unescape(text: &str, quote: char) -> String {
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        result.push_str(before);
        let mut characters = after.chars();
        let plain = match characters.next() {
            Some('b') => Some('\u{8}'),
            Some('f') => Some('\u{c}'),
            Some('n') => Some('\n'),
            Some('r') => Some('\r'),
            Some('t') => Some('\t'),
            Some(character) if character == quote || character == '\\' || character == '/' => Some(character),
            _ => None,
        };
        rest = if let Some(character) = plain {
            result.push(character);
            characters.as_str()
        } else if let Some((character, length)) = unicode_escape(after.as_bytes()) {
            result.push(character);
            after.get(length..).unwrap_or_default()
        } else {
            result.push('\\');
            after
        };
    }
    result.push_str(rest);
    result
}

/// `uXXXX` or `uXXXX\uXXXX`, with its length. Half a surrogate pair is U+FFFD, since a text cannot hold it.
fn unicode_escape(bytes: &[u8]) -> Option<(char, usize)> {
    let unit = |from: usize| {
        let digits = bytes.get(from..from + 5)?.strip_prefix(b"u")?;
        digits
            .iter()
            .try_fold(0_u32, |value, digit| Some(value << 4 | u32::from(hex(*digit)?)))
    };
    let first = unit(0)?;
    if (0xd800..0xdc00).contains(&first)
        && bytes.get(5) == Some(&b'\\')
        && let Some(second @ 0xdc00..0xe000) = unit(6)
    {
        let combined = 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
        return Some((char::from_u32(combined)?, 11));
    }
    Some((char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER), 5))
}

#[cfg(test)]
mod tests;
