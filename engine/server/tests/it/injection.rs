//! Every string that a client or an author of metadata can give, with SQL in it, against a real Postgres: a table
//! that nobody names stays as it is, values come back byte for byte, and Postgres never finds a statement malformed.

#[cfg(test)]
mod names;
#[cfg(test)]
mod values;

use embedded::test::TestDatabase;
use serde_json::{Value, json};

use crate::process::Server;

/// Strings that mean something where text is pasted into SQL, into array or row literals, into patterns or paths.
const HOSTILE: [&str; 44] = [
    "'; drop table canary; --",
    "\"; drop table canary; --",
    "\\'; drop table canary; --",
    "\\\"; drop table canary; --",
    "'); delete from canary; --",
    "')) union select song from canary --",
    "' or '1'='1",
    "1; delete from canary",
    "*/; delete from canary; /*",
    "/* */",
    "/*",
    "--",
    "x -- y",
    "$1",
    "$2::text",
    "$$",
    "$$; delete from canary; $$",
    "$a$; delete from canary; $a$",
    "E'\\''; delete from canary; --",
    "U&'\\0027'; delete from canary; --",
    "'",
    "''",
    "\"",
    "\"\"",
    "\\",
    "\\\\",
    "\\N",
    "",
    " ",
    "{}",
    "{a,b}",
    "{\"a\",NULL}",
    "}, {",
    ",",
    "NULL",
    "null",
    "(1,2)",
    "[1,2)",
    "%_%s",
    "{\"a\": \"'\"}",
    "{{x}} :x ? @x %41",
    "é ñ 漢字 🦀 \u{202e}\u{feff}",
    "tab\tline\nreturn\r\u{1}\u{7f}",
    "select",
];

/// A server with a canary and the caller's objects.
struct Cage {
    server: Server,
    database: TestDatabase,
}

impl Cage {
    fn new(name: &str, sql: &str) -> Self {
        let database = TestDatabase::create(name);
        let server = Server::start(&database, &[]);
        let cage = Self { server, database };
        cage.run_sql("create table canary (song text); insert into canary values ('alive'), ('well')");
        cage.run_sql(sql);
        cage
    }

    fn run_sql(&self, sql: &str) -> Value {
        let command = json!({"type": "run_sql", "args": {"sql": sql, "check_metadata_consistency": false}});
        let (status, answer) = self.server.json("/v2/query", &[], &command);
        assert_eq!(status, 200, "{answer} to {sql}");
        answer
    }

    #[track_caller]
    fn canary_lives(&self) {
        let answer = self.run_sql("select song from canary");
        assert_eq!(answer["result"], json!([["song"], ["alive"], ["well"]]));
    }

    /// A request that may be refused, but by us or for its value.
    #[track_caller]
    fn ask(&self, path: &str, headers: &[(&str, &str)], body: &Value) -> (u16, Value) {
        let (status, answer) = self.server.json(path, headers, body);
        let text = answer.to_string();
        assert!(status < 500, "{status} {text} to {body}");
        for word in [
            "syntax error",
            "unterminated",
            "zero-length",
            "database query error",
            "postgres-error",
            "internal-error",
        ] {
            assert!(!text.contains(word), "{text} to {body}");
        }
        (status, answer)
    }

    #[track_caller]
    fn graphql(&self, headers: &[(&str, &str)], text: &str, variables: &Value) -> Value {
        self.ask(
            "/v1/graphql",
            headers,
            &json!({"query": text, "variables": variables}),
        )
        .1
    }

    #[track_caller]
    fn data(&self, kind: &str, arguments: &Value) -> (u16, Value) {
        self.ask("/v2/query", &[], &json!({"type": kind, "args": arguments}))
    }

    #[track_caller]
    fn metadata(&self, kind: &str, arguments: &Value) -> (u16, Value) {
        self.ask("/v1/metadata", &[], &json!({"type": kind, "args": arguments}))
    }

    #[track_caller]
    fn accepted(&self, kind: &str, arguments: &Value) -> Value {
        let (status, answer) = self.metadata(kind, arguments);
        assert_eq!(status, 200, "{answer} to {arguments}");
        answer
    }
}

/// What can stand in a header, where space around the value is not part of it.
fn fits_header(text: &str) -> bool {
    text.trim() == text && !text.chars().any(|c| c.is_control())
}
