//! The statements of an SQL text, one by one: where Postgres's own lexer ends them.
//!
//! Needed because a text of several statements that is sent as one is one transaction. Never judges whether a statement
//! is right: text that ends within a quote or a comment is a statement too, and Postgres says what is wrong with it.

/// Cuts the first statement off a text: the statement with its semicolon, and the rest. Space and comments before it are
/// a part of it. `None` if there is nothing but those.
///
/// `standard_strings` is the session's `standard_conforming_strings`: where it is off, a backslash escapes in every `'…'`.
pub(super) fn first(text: &str, standard_strings: bool) -> Option<(&str, &str)> {
    let mut lexer = Lexer {
        text: text.as_bytes(),
        at: 0,
        standard_strings,
    };
    let mut nesting = Nesting::default();
    let mut any = false;
    while let Some(token) = lexer.token() {
        match token {
            Token::Semicolon if nesting.is_outside() => {
                if any {
                    // A semicolon is one byte, so the cut is between characters.
                    return text.split_at_checked(lexer.at);
                }
                continue;
            }
            Token::Open => nesting.parentheses += 1,
            Token::Close => nesting.parentheses = nesting.parentheses.saturating_sub(1),
            Token::Word(word) => nesting.word(word),
            Token::Semicolon | Token::Other => nesting.previous = Keyword::None,
        }
        any = true;
    }
    any.then_some((text, ""))
}

/// What a semicolon may be within.
#[derive(Default)]
struct Nesting {
    /// Open parentheses, as in `CREATE RULE … DO (…; …)`.
    parentheses: usize,
    /// How far the statement begins like `CREATE [OR REPLACE] {FUNCTION | PROCEDURE}`.
    routine: Routine,
    /// Open `BEGIN ATOMIC` and `CASE` of the body of such a routine.
    bodies: usize,
    previous: Keyword,
}

#[derive(Default, Clone, Copy, PartialEq, Eq)]
enum Routine {
    #[default]
    Start,
    Create,
    CreateOr,
    CreateOrReplace,
    /// It is one.
    Yes,
    No,
}

#[derive(Default, Clone, Copy, PartialEq, Eq)]
enum Keyword {
    #[default]
    None,
    As,
    Begin,
}

impl Nesting {
    fn is_outside(&self) -> bool {
        self.parentheses == 0 && self.bodies == 0
    }

    fn word(&mut self, word: &[u8]) {
        let is = |keyword: &str| word.eq_ignore_ascii_case(keyword.as_bytes());
        let previous = std::mem::take(&mut self.previous);
        self.routine = match self.routine {
            Routine::Start if is("create") => Routine::Create,
            Routine::Create if is("or") => Routine::CreateOr,
            Routine::CreateOr if is("replace") => Routine::CreateOrReplace,
            Routine::Create | Routine::CreateOrReplace if is("function") || is("procedure") => Routine::Yes,
            Routine::Yes => Routine::Yes,
            _ => Routine::No,
        };
        if self.routine != Routine::Yes {
            return;
        }
        if is("begin") {
            self.previous = Keyword::Begin;
        } else if is("as") {
            self.previous = Keyword::As;
        } else if previous == Keyword::Begin && is("atomic") && self.parentheses == 0 {
            self.bodies += 1;
        } else if self.bodies > 0 && previous != Keyword::As {
            // `AS end` names a column; elsewhere both words are reserved.
            if is("case") {
                self.bodies += 1;
            } else if is("end") {
                self.bodies -= 1;
            }
        }
    }
}

enum Token<'a> {
    Semicolon,
    Open,
    Close,
    /// A keyword or an identifier without quotes.
    Word(&'a [u8]),
    /// Strings, quoted identifiers, numbers, operators.
    Other,
}

struct Lexer<'a> {
    text: &'a [u8],
    at: usize,
    standard_strings: bool,
}

impl<'a> Lexer<'a> {
    fn peek(&self, ahead: usize) -> Option<u8> {
        self.text.get(self.at + ahead).copied()
    }

    /// The next token after space and comments; `None` at the end.
    fn token(&mut self) -> Option<Token<'a>> {
        self.skip_blank();
        let first = self.peek(0)?;
        Some(match first {
            b';' => self.single(Token::Semicolon),
            b'(' => self.single(Token::Open),
            b')' => self.single(Token::Close),
            b'\'' => {
                self.string(!self.standard_strings);
                Token::Other
            }
            b'"' => {
                self.quoted(b'"', false);
                Token::Other
            }
            b'$' => {
                self.dollar();
                Token::Other
            }
            b'e' | b'E' if self.peek(1) == Some(b'\'') => {
                self.at += 1;
                self.string(true);
                Token::Other
            }
            // Bits, bytes and escaped identifiers have no backslash escapes whatever the setting is.
            b'b' | b'B' | b'x' | b'X' if self.peek(1) == Some(b'\'') => {
                self.at += 1;
                self.string(false);
                Token::Other
            }
            b'u' | b'U' if self.peek(1) == Some(b'&') && matches!(self.peek(2), Some(b'\'' | b'"')) => {
                self.at += 2;
                if self.peek(0) == Some(b'"') {
                    self.quoted(b'"', false);
                } else {
                    self.string(false);
                }
                Token::Other
            }
            c if is_word_start(c) => {
                let start = self.at;
                self.skip_while(|c| is_word_start(c) || c.is_ascii_digit() || c == b'$');
                Token::Word(self.text.get(start..self.at).unwrap_or_default())
            }
            _ => self.single(Token::Other),
        })
    }

    fn single(&mut self, token: Token<'a>) -> Token<'a> {
        self.at += 1;
        token
    }

    fn skip_while(&mut self, holds: impl Fn(u8) -> bool) {
        while self.peek(0).is_some_and(&holds) {
            self.at += 1;
        }
    }

    fn skip_line(&mut self) {
        self.skip_while(|c| c != b'\n' && c != b'\r');
    }

    fn skip_blank(&mut self) {
        loop {
            self.skip_while(is_space);
            match (self.peek(0), self.peek(1)) {
                (Some(b'-'), Some(b'-')) => self.skip_line(),
                (Some(b'/'), Some(b'*')) => self.skip_block_comment(),
                _ => return,
            }
        }
    }

    /// Block comments nest.
    fn skip_block_comment(&mut self) {
        let mut depth = 0_usize;
        while let Some(c) = self.peek(0) {
            match (c, self.peek(1)) {
                (b'/', Some(b'*')) => {
                    depth += 1;
                    self.at += 2;
                }
                (b'*', Some(b'/')) => {
                    depth -= 1;
                    self.at += 2;
                    if depth == 0 {
                        return;
                    }
                }
                _ => self.at += 1,
            }
        }
    }

    /// `'…'`, which goes on in a further `'…'` if only space with a line's end is between: with the same escapes.
    fn string(&mut self, backslash: bool) {
        loop {
            self.quoted(b'\'', backslash);
            let end = self.at;
            let mut lines = false;
            loop {
                while let Some(c) = self.peek(0).filter(|c| is_space(*c)) {
                    lines |= matches!(c, b'\n' | b'\r');
                    self.at += 1;
                }
                if (self.peek(0), self.peek(1)) != (Some(b'-'), Some(b'-')) {
                    break;
                }
                self.skip_line();
            }
            if !lines || self.peek(0) != Some(b'\'') {
                self.at = end;
                return;
            }
        }
    }

    /// From a quote to the one that ends it; two of them are one of the text.
    fn quoted(&mut self, quote: u8, backslash: bool) {
        self.at += 1;
        while let Some(c) = self.peek(0) {
            self.at += 1;
            if c == quote {
                if self.peek(0) != Some(quote) {
                    return;
                }
                self.at += 1;
            } else if c == b'\\' && backslash && self.peek(0).is_some() {
                self.at += 1;
            }
        }
    }

    /// `$$…$$`, `$tag$…$tag$`, or a dollar that begins no string (`$1`).
    fn dollar(&mut self) {
        let start = self.at;
        self.at += 1;
        if self.peek(0).is_some_and(is_word_start) {
            self.skip_while(|c| is_word_start(c) || c.is_ascii_digit());
        }
        if self.peek(0) != Some(b'$') {
            self.at = start + 1;
            return;
        }
        self.at += 1;
        let tag = self.text.get(start..self.at).unwrap_or_default();
        let rest = self.text.get(self.at..).unwrap_or_default();
        self.at = match find(rest, tag) {
            Some(end) => self.at + end + tag.len(),
            None => self.text.len(),
        };
    }
}

/// Position of a tag (which begins and ends with a dollar, and has none between) in a text.
fn find(text: &[u8], tag: &[u8]) -> Option<usize> {
    let mut from = 0;
    loop {
        let at = from + text.get(from..)?.iter().position(|c| *c == b'$')?;
        if text.get(at..)?.starts_with(tag) {
            return Some(at);
        }
        from = at + 1;
    }
}

fn is_space(c: u8) -> bool {
    matches!(c, b' ' | b'\t' | b'\n' | b'\r' | b'\x0c' | b'\x0b')
}

fn is_word_start(c: u8) -> bool {
    c.is_ascii_alphabetic() || c == b'_' || c >= 0x80
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str, standard_strings: bool) -> Vec<&str> {
        let mut rest = text;
        let mut statements = Vec::new();
        while let Some((statement, after)) = first(rest, standard_strings) {
            statements.push(statement.trim());
            rest = after;
        }
        statements
    }

    fn one(text: &str) {
        assert_eq!(all(text, true), [text]);
        let twice = format!("{text} select 2");
        assert_eq!(all(&twice, true), [text, "select 2"]);
    }

    #[test]
    fn semicolons_end_statements() {
        assert_eq!(
            all(";; select 1;\n--a;b\n select 2 ; ;/* ; */", true),
            [";; select 1;", "--a;b\n select 2 ;"]
        );
        assert_eq!(all("  -- nothing;\n ; /* ; ", true), [""; 0]);
        assert_eq!(all("", true), [""; 0]);
    }

    #[test]
    fn quotes_and_comments_do_not() {
        one("select 'a;''b;';");
        one("select \"a;\"\"b;\";");
        one("select E'a\\';b', e'\\\\';");
        one("select 'a\\';");
        one("select U&'\\003B;', U&\"a;\\\", b'0;', x'1\\';");
        one("select $$a;$b$;$$, $tag$;$$;$tag2$;$tag$;");
        one("select a$b$, $1 from t$1;");
        one("select /* ; /* ; */ ; */ 1 -- it's;\n;");
        one("select E'a'\n  -- more;\n  'b\\';c';");
        one("create rule r as on insert to t do also (delete from a; delete from b);");
        one("select 'ä;ö', ä$ü$, $ä$;$ä$;");
    }

    #[test]
    fn backslashes_escape_where_the_session_says_so() {
        assert_eq!(
            all("select 'a\\';b'; select 2", false),
            ["select 'a\\';b';", "select 2"]
        );
        assert_eq!(all("select 'a\\'; select 2", true), ["select 'a\\';", "select 2"]);
    }

    #[test]
    fn bodies_are_a_part_of_their_routine() {
        one(
            "create function f(a int) returns int begin atomic select 1; select case when a > 1 then 2 end; end;",
        );
        one("CREATE OR REPLACE PROCEDURE p() BEGIN ATOMIC insert into t values (1); select 1 as end; END;");
        // No routine: a transaction, whose end is a statement too.
        assert_eq!(
            all("begin; select 1; end; select 2", true),
            ["begin;", "select 1;", "end;", "select 2"]
        );
        one("create function f() returns int language plpgsql as $$ begin return 1; end $$;");
        assert_eq!(
            all("create function begin() returns int return 1; select 2", true).len(),
            2
        );
    }

    #[test]
    fn unfinished_text_is_one_statement() {
        for text in [
            "select 'a;",
            "select \"a;",
            "select $$a;",
            "select E'a\\",
            "select 1 /* a; /* b */ ;",
            "select (a;",
            "create function f() begin atomic select 1;",
            "$",
            "$a",
            "select U&",
            "--",
            "e'",
            ")))",
        ] {
            assert!(all(text, true).len() <= 1, "{text}");
        }
    }
}
