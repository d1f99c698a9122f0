//! Splits a document into tokens, one at a time. Never recurses, never looks at grammar.

use std::borrow::Cow;

/// A token; texts are slices of the document unless they had escapes.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token<'t> {
    /// One of `! $ & ( ) : = @ [ ] { | }`.
    Punctuator(u8),
    /// `...`
    Spread,
    /// A name or keyword.
    Name(&'t str),
    /// A number without fraction and exponent.
    Int(&'t str),
    /// A number with a fraction or exponent.
    Float(&'t str),
    /// A string, unescaped.
    String(Cow<'t, str>),
}

/// The text is not made of GraphQL tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NotAToken;

#[derive(Debug, Clone)]
pub(super) struct Lexer<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Lexer<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { text, at: 0 }
    }

    fn peek(&self, offset: usize) -> Option<u8> {
        self.text.as_bytes().get(self.at + offset).copied()
    }

    /// `self.at` is always on a character boundary: it moves past ASCII bytes or whole characters.
    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or("")
    }

    fn slice(&self, from: usize) -> &'t str {
        self.text.get(from..self.at).unwrap_or("")
    }

    fn skip_ignored(&mut self) {
        loop {
            match self.peek(0) {
                Some(b' ' | b'\t' | b'\n' | b'\r' | b',') => self.at += 1,
                Some(b'#') => {
                    let rest = self.rest();
                    self.at += rest.find(['\n', '\r']).unwrap_or(rest.len());
                }
                Some(0xEF) if self.rest().starts_with('\u{feff}') => self.at += '\u{feff}'.len_utf8(),
                _ => return,
            }
        }
    }

    /// The next token, `None` at the end.
    pub(super) fn next(&mut self) -> Result<Option<Token<'t>>, NotAToken> {
        self.skip_ignored();
        let Some(byte) = self.peek(0) else { return Ok(None) };
        let start = self.at;
        match byte {
            b'!' | b'$' | b'&' | b'(' | b')' | b':' | b'=' | b'@' | b'[' | b']' | b'{' | b'|' | b'}' => {
                self.at += 1;
                Ok(Some(Token::Punctuator(byte)))
            }
            b'.' if self.rest().starts_with("...") => {
                self.at += 3;
                Ok(Some(Token::Spread))
            }
            b'_' | b'a'..=b'z' | b'A'..=b'Z' => {
                while self.peek(0).is_some_and(is_name_byte) {
                    self.at += 1;
                }
                Ok(Some(Token::Name(self.slice(start))))
            }
            b'-' | b'0'..=b'9' => self.number(start).map(Some),
            b'"' if self.rest().starts_with("\"\"\"") => self.block_string().map(Some),
            b'"' => self.string().map(Some),
            _ => Err(NotAToken),
        }
    }

    fn digits(&mut self) -> Result<(), NotAToken> {
        let start = self.at;
        while self.peek(0).is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        if self.at > start { Ok(()) } else { Err(NotAToken) }
    }

    fn number(&mut self, start: usize) -> Result<Token<'t>, NotAToken> {
        if self.peek(0) == Some(b'-') {
            self.at += 1;
        }
        let leading_zero = self.peek(0) == Some(b'0');
        let first = self.at;
        self.digits()?;
        if leading_zero && self.at - first > 1 {
            return Err(NotAToken);
        }
        let mut float = false;
        if self.peek(0) == Some(b'.') {
            float = true;
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.peek(0), Some(b'e' | b'E')) {
            float = true;
            self.at += 1;
            if matches!(self.peek(0), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        if self
            .peek(0)
            .is_some_and(|byte| is_name_byte(byte) || byte == b'.')
        {
            return Err(NotAToken);
        }
        let text = self.slice(start);
        Ok(if float {
            Token::Float(text)
        } else {
            Token::Int(text)
        })
    }

    fn string(&mut self) -> Result<Token<'t>, NotAToken> {
        self.at += 1;
        let start = self.at;
        let rest = self.rest();
        let end = rest.find(['"', '\\', '\n', '\r']).ok_or(NotAToken)?;
        self.at += end;
        if self.peek(0) == Some(b'"') {
            let text = self.slice(start);
            self.at += 1;
            return Ok(Token::String(Cow::Borrowed(text)));
        }
        let mut value = self.slice(start).to_owned();
        loop {
            let rest = self.rest();
            let plain = rest.find(['"', '\\', '\n', '\r']).ok_or(NotAToken)?;
            value.push_str(rest.get(..plain).unwrap_or(""));
            self.at += plain;
            match self.peek(0) {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(Token::String(Cow::Owned(value)));
                }
                Some(b'\\') => {
                    self.at += 1;
                    value.push(self.escape()?);
                }
                _ => return Err(NotAToken),
            }
        }
    }

    /// After the backslash.
    fn escape(&mut self) -> Result<char, NotAToken> {
        let byte = self.peek(0).ok_or(NotAToken)?;
        self.at += 1;
        Ok(match byte {
            b'"' => '"',
            b'\\' => '\\',
            b'/' => '/',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let unit = self.four_hex_digits()?;
                if (0xD800..0xDC00).contains(&unit) {
                    // Two escapes stand for one character beyond the basic plane, as in JSON.
                    if self.peek(0) != Some(b'\\') || self.peek(1) != Some(b'u') {
                        return Err(NotAToken);
                    }
                    self.at += 2;
                    let low = self.four_hex_digits()?;
                    if !(0xDC00..0xE000).contains(&low) {
                        return Err(NotAToken);
                    }
                    char::from_u32(0x10000 + (((unit - 0xD800) << 10) | (low - 0xDC00))).ok_or(NotAToken)?
                } else {
                    char::from_u32(unit).ok_or(NotAToken)?
                }
            }
            _ => return Err(NotAToken),
        })
    }

    fn four_hex_digits(&mut self) -> Result<u32, NotAToken> {
        let mut unit = 0;
        for _ in 0..4 {
            let digit = self
                .peek(0)
                .and_then(|byte| char::from(byte).to_digit(16))
                .ok_or(NotAToken)?;
            unit = unit * 16 + digit;
            self.at += 1;
        }
        Ok(unit)
    }

    fn block_string(&mut self) -> Result<Token<'t>, NotAToken> {
        self.at += 3;
        let mut raw = String::new();
        loop {
            let rest = self.rest();
            let end = rest.find("\"\"\"").ok_or(NotAToken)?;
            let before = rest.get(..end).unwrap_or("");
            self.at += end + 3;
            if let Some(before) = before.strip_suffix('\\') {
                raw.push_str(before);
                raw.push_str("\"\"\"");
            } else {
                raw.push_str(before);
                return Ok(Token::String(Cow::Owned(dedent(&raw))));
            }
        }
    }
}

pub(super) fn is_name_byte(byte: u8) -> bool {
    byte == b'_' || byte.is_ascii_alphanumeric()
}

/// The value of a block string: common indentation and blank first and last lines are taken away.
fn dedent(raw: &str) -> String {
    let raw = raw.replace("\r\n", "\n");
    let lines: Vec<&str> = raw.split(['\n', '\r']).collect();
    let indent_of = |line: &str| line.len() - line.trim_start_matches([' ', '\t']).len();
    let is_blank = |line: &str| indent_of(line) == line.len();
    let common = lines
        .iter()
        .skip(1)
        .filter(|line| !is_blank(line))
        .map(|line| indent_of(line))
        .min()
        .unwrap_or(0);
    let first = lines
        .iter()
        .position(|line| !is_blank(line))
        .unwrap_or(lines.len());
    let end = lines
        .iter()
        .rposition(|line| !is_blank(line))
        .map_or(0, |last| last + 1);
    let mut value = String::new();
    for (number, line) in lines.iter().enumerate().take(end).skip(first) {
        if number > first {
            value.push('\n');
        }
        let cut = if number == 0 { 0 } else { common.min(line.len()) };
        value.push_str(line.get(cut..).unwrap_or(line));
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str) -> Result<Vec<Token<'_>>, NotAToken> {
        let mut lexer = Lexer::new(text);
        let mut tokens = Vec::new();
        while let Some(token) = lexer.next()? {
            tokens.push(token);
        }
        Ok(tokens)
    }

    fn string(text: &str) -> Option<String> {
        match all(text).ok()?.as_slice() {
            [Token::String(value)] => Some(value.to_string()),
            _ => None,
        }
    }

    #[test]
    fn splits_names_numbers_and_punctuators() {
        assert_eq!(
            all("\u{feff}a,1 # not this }\n-2.5e3 ...$"),
            Ok(vec![
                Token::Name("a"),
                Token::Int("1"),
                Token::Float("-2.5e3"),
                Token::Spread,
                Token::Punctuator(b'$')
            ])
        );
    }

    #[test]
    fn refuses_what_is_no_token() {
        for text in [
            "01",
            "1a",
            "1.",
            "1.e1",
            "-",
            "..",
            "~",
            "\"",
            "\"a\nb\"",
            "\"\\x\"",
            "\"\\ud800\"",
            "é",
            "1.2.3",
            "\"\"\"a",
        ] {
            assert_eq!(all(text), Err(NotAToken), "{text}");
        }
    }

    #[test]
    fn unescapes_strings() {
        assert_eq!(
            string(r#""a\"\\\/\n\u00e9\uD83D\uDE00é""#).as_deref(),
            Some("a\"\\/\né😀é")
        );
        assert_eq!(string("\"\""), Some(String::new()));
    }

    #[test]
    fn dedents_block_strings() {
        assert_eq!(
            string("\"\"\"\n    a\n      b\\\"\"\"\n\n    c\r\n  \"\"\"").as_deref(),
            Some("a\n  b\"\"\"\n\nc")
        );
        assert_eq!(string("\"\"\"\"\"\"").as_deref(), Some(""));
        assert_eq!(string("\"\"\"x\n y\"\"\"").as_deref(), Some("x\ny"));
    }
}
