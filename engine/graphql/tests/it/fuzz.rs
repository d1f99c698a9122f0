//! Throws mangled operations and variables at the crate. Nothing may panic, overflow the stack or take long; and a
//! plan's guards must never let through variables that a fresh normalisation would read otherwise.
//!
//! `ROWLOCK_FUZZ_SECONDS` says for how long (2 by default), `ROWLOCK_FUZZ_SEED` where to begin.

use std::time::{Duration, Instant};

use graphql::operation::{Entry, Field, FieldTarget, Input};
use graphql::{Document, Limits, Normalized, Options, normalize};
use serde_json::{Map, Value, json};

use crate::schema::{TestSchema, normalized};

/// Operations and variables from which others are made.
fn corpus() -> Vec<(&'static str, Value)> {
    vec![
        (
            "query Q($w: author_bool_exp, $l: Int = 3, $i: [Int!]) @cached(ttl: 5) {
               author(where: $w, limit: $l, order_by: [{id: asc}, {name: desc}]) {
                 id ...F articles(where: {id: {_in: $i}, _or: [{name: {_eq: \"a\\u00e9\\n\"}}]}) @include(if: true) {name}
               }
             } fragment F on author {name friend {...G}} fragment G on author {id __typename}",
            json!({"w": {"_and": [{"id": {"_eq": 1}}, {"name": {"_in": ["a", "b"]}}], "color": {"_eq": "blue"}}, "i": [1, 2]}),
        ),
        (
            "mutation M($o: [author_insert_input!]!, $j: jsonb, $s: Boolean!) {
               insert_author(objects: $o, constraint: author_pkey) {id @skip(if: $s)}
               update_author(where: {}, _set: {id: 1, details: {a: [$j, 1.5e3, nullable]}, tags: [], matrix: [[1], 2]}) {id}
             }",
            json!({"o": [{"id": 1, "big": "9", "area": {"type": "Point", "coordinates": [1, 2]}, "path": "a.b", "money": 1.5,
                   "small": 3, "scan": "00", "rid": 5, "ratio": 2.5, "ok": true, "code": "x", "color": "green"}],
                   "j": {"k": null}, "s": false}),
        ),
        (
            "query($n: String!) {__schema {types {name fields(includeDeprecated: true) {name args {defaultValue} type {kind ofType {name}}}}
               directives {name locations}} __type(name: $n) {name possibleTypes {name}}
               search(ids: [1, null], words: \"\"\"block \\\"\"\" string\"\"\", floor: 2) {old}
               pets {... on cat {lives owner {id}} ... on Animal {id} __typename} animal {id ... on dog {barks @skip(if: false)}}}",
            json!({"n": "author"}),
        ),
    ]
}

const WORDS: [&str; 40] = [
    "{",
    "}",
    "(",
    ")",
    "[",
    "]",
    ":",
    "!",
    "$",
    "@",
    "...",
    "=",
    "\"",
    "\"\"\"",
    "\\",
    "#",
    "\n",
    "null",
    "true",
    "on",
    "query",
    "fragment",
    "subscription",
    "author",
    "id",
    "where",
    "_and",
    "_eq",
    "_in",
    "_not",
    "friend",
    "...F",
    "$w",
    "$l",
    "@skip(if: $s)",
    "1",
    "-1.5e400",
    "é",
    "\u{0}",
    "99999999999999999999",
];

/// A small generator (xorshift); the same numbers on every machine.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound.max(1) as u64).unwrap_or(0)
    }

    fn boundary(&mut self, text: &str) -> usize {
        let mut at = self.below(text.len() + 1);
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        at
    }

    fn mangle_text(&mut self, text: &mut String, others: &[String]) {
        let at = self.boundary(text);
        match self.below(6) {
            0 => text.insert_str(at, WORDS[self.below(WORDS.len())]),
            1 | 2 => {
                let end = self.boundary(text);
                let length = text[at.min(end)..]
                    .chars()
                    .take(12)
                    .map(char::len_utf8)
                    .sum::<usize>();
                let end = at.max(end).min(at.min(end) + length);
                text.replace_range(at.min(end)..end, "");
            }
            3 => {
                let end = self.boundary(text);
                let piece = text[at.min(end)..at.max(end)].to_owned();
                text.insert_str(at, &piece);
            }
            4 => {
                let other = &others[self.below(others.len())];
                let (from, to) = (self.boundary(other), self.boundary(other));
                text.insert_str(at, &other[from.min(to)..from.max(to)]);
            }
            _ => {
                let word = WORDS[self.below(WORDS.len())];
                text.insert_str(at, &word.repeat(1 + self.below(200)));
            }
        }
        while text.len() > 20_000 || !text.is_char_boundary(text.len()) {
            text.pop();
        }
    }

    fn value(&mut self) -> Value {
        match self.below(12) {
            0 => Value::Null,
            1 => json!(true),
            2 => json!(self.next()),
            3 => json!(-1.5),
            4 => json!([1, null, "x"]),
            5 => json!({"id": {"_eq": 3}}),
            6 => json!({"a b": 1}),
            7 => json!([]),
            8 => json!("blue"),
            9 => json!({}),
            10 => json!(["a", "b"]),
            _ => json!(7),
        }
    }

    fn mangle_value(&mut self, value: &mut Value) {
        let stop = self.below(3) == 0;
        match value {
            Value::Object(fields) if !stop && !fields.is_empty() => {
                let index = self.below(fields.len());
                if let Some((_, inner)) = fields.iter_mut().nth(index) {
                    self.mangle_value(inner);
                }
            }
            Value::Array(items) if !stop && !items.is_empty() => {
                let index = self.below(items.len());
                self.mangle_value(&mut items[index]);
            }
            Value::Object(fields) => {
                let key = ["id", "_and", "name", "w", "l", "_eq", "x"][self.below(7)];
                if self.below(2) == 0 {
                    fields.remove(key);
                } else {
                    let inner = self.value();
                    fields.insert(key.to_owned(), inner);
                }
            }
            other => *other = self.value(),
        }
    }
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

/// The shape of an operation, with the values of leaves as `coerce_again` gives them for these variables.
fn shape(fields: &[Field<usize, String>], variables: &Map<String, Value>) -> Result<String, String> {
    let mut text = String::new();
    for field in fields {
        text.push_str(&format!("{} ", field.response_key));
        match &field.target {
            FieldTarget::Schema(introspection) | FieldTarget::Type(introspection) => {
                text.push_str(&format!("{introspection:?}").len().to_string());
            }
            FieldTarget::Field { name, .. } => text.push_str(name),
            FieldTarget::Typename(name) => text.push_str(name),
        }
        text.push_str(&entries(&field.arguments, variables)?);
        text.push_str(&shape(&field.selection, variables)?);
        for possible in &field.possible {
            text.push_str(&format!(
                "... {} {}",
                possible.name,
                shape(&possible.selection, variables)?
            ));
        }
    }
    Ok(text)
}

fn entries(entries: &[Entry<String>], variables: &Map<String, Value>) -> Result<String, String> {
    let mut text = "(".to_owned();
    for entry in entries {
        text.push_str(&format!(
            "{} {}: {}",
            entry.name,
            entry.path,
            input(&entry.value, variables)?
        ));
    }
    Ok(text + ")")
}

fn input(value: &Input<String>, variables: &Map<String, Value>) -> Result<String, String> {
    Ok(match value {
        Input::Null => "null".to_owned(),
        Input::Leaf(leaf) | Input::LeafList(leaf) => {
            let again = leaf
                .coerce_again(variables)
                .map_err(|error| format!("{} {error}", error.path))?;
            again.map_or_else(|| leaf.value.to_string(), |value| value.to_string())
        }
        Input::Enum { name, .. } => name.to_string(),
        Input::List(items) => {
            let items: Result<Vec<_>, _> = items.iter().map(|item| input(item, variables)).collect();
            format!("[{}]", items?.join(" "))
        }
        // The schema of this test has no rows to insert.
        Input::Uniform(rows) => rows.place.to_string(),
        Input::Object(fields) => entries(fields, variables)?,
    })
}

/// What a plan made for `before` gives for `after`, against what a fresh normalisation gives.
fn check_reuse(
    schema: &TestSchema,
    document: &Document,
    options: &Options,
    before: &Normalized<usize, String>,
    after: &Map<String, Value>,
) {
    if before.variables.check(after).is_err() || !before.guards.iter().all(|guard| guard.holds(after)) {
        return;
    }
    let reused = shape(&before.operation.fields, after);
    let fresh = normalize(document, None, after, schema, options)
        .map_err(|error| format!("{} {error}", error.path))
        .and_then(|fresh| shape(&fresh.operation.fields, after));
    match (&reused, &fresh) {
        // Leaves are checked in another order, so that another one of several errors may come first.
        (Err(_), Err(_)) => {}
        _ => assert_eq!(reused, fresh, "{after:?}"),
    }
}

#[test]
fn the_corpus_is_understood() {
    for (text, variables) in corpus() {
        if let Err(error) = normalized(&TestSchema::new(), text, variables) {
            panic!("{}: {error} in {text}", error.path);
        }
    }
}

#[test]
fn mangled_requests_do_no_harm() {
    let number = |name: &str, default: u64| {
        std::env::var(name)
            .ok()
            .and_then(|text| text.parse().ok())
            .unwrap_or(default)
    };
    let seed = number("ROWLOCK_FUZZ_SEED", 0x5EED);
    let until = Instant::now() + Duration::from_secs(number("ROWLOCK_FUZZ_SECONDS", 2));
    println!("ROWLOCK_FUZZ_SEED={seed}");
    let schema = TestSchema::new();
    let corpus = corpus();
    let texts: Vec<String> = corpus.iter().map(|(text, _)| (*text).to_owned()).collect();
    let mut random = Random(seed.max(1));
    let (mut runs, mut understood, mut reused) = (0_u64, 0_u64, 0_u64);
    while Instant::now() < until {
        runs += 1;
        let (text, variables) = &corpus[random.below(corpus.len())];
        let (mut text, mut variables) = ((*text).to_owned(), variables.clone());
        for _ in 0..random.below(4) {
            random.mangle_text(&mut text, &texts);
        }
        for _ in 0..random.below(3) {
            random.mangle_value(&mut variables);
        }
        let options = Options {
            no_null_unbound_variable_default: random.below(4) == 0,
            null_in_nonnullable_variables: random.below(4) == 0,
            rows_apart: random.below(2) == 0,
        };
        let began = Instant::now();
        let Ok(document) = Document::parse(&text, &Limits::default()) else {
            continue;
        };
        let form = document.normal_form();
        if let Ok(again) = Document::parse(&form, &Limits::default()) {
            assert_eq!(again.normal_form(), form, "{text}");
        }
        let given = object(variables.clone());
        if let Ok(normalized) = normalize(&document, None, &given, &schema, &options) {
            understood += 1;
            for field in &normalized.operation.fields {
                if let FieldTarget::Schema(introspection) | FieldTarget::Type(introspection) = &field.target
                    && let Ok(answer) = introspection.answer(&schema, 1 << 20)
                {
                    let parsed: Result<Value, _> = serde_json::from_slice(&answer);
                    assert!(parsed.is_ok(), "{text}");
                }
            }
            check_reuse(&schema, &document, &options, &normalized, &given);
            for _ in 0..3 {
                random.mangle_value(&mut variables);
                reused += 1;
                check_reuse(
                    &schema,
                    &document,
                    &options,
                    &normalized,
                    &object(variables.clone()),
                );
            }
        }
        assert!(began.elapsed() < Duration::from_secs(5), "too slow: {text}");
    }
    println!("{runs} texts, {understood} understood, {reused} checks of reuse");
    assert!(understood > 0);
}
