//! Throws mangled metadata documents at the crate. Nothing may panic or take long; a document that is accepted is
//! printed in a form that reads as the same document and prints the same again.
//!
//! `ROWLOCK_FUZZ_SECONDS` says for how long (2 by default), `ROWLOCK_FUZZ_SEED` where to begin.

use std::time::{Duration, Instant};

use metadata::{AnyDocument, Json};
use serde_json::{Map, Value, json};

use crate::full;

/// Strings that mean something somewhere in a document, and strings that mean nothing anywhere.
const WORDS: [&str; 32] = [
    "",
    " ",
    "*",
    "x",
    "name",
    "schema",
    "default",
    "postgres",
    "mssql",
    "id",
    "_and",
    "_or",
    "_not",
    "_exists",
    "_eq",
    "$eq",
    "X-Hasura-User-Id",
    "x-hasura-",
    "{{X}}",
    "$URL",
    "mutation { a }",
    "query",
    "0 0 * * *",
    "* * * * * *",
    "99999999999999999999",
    "graphql-default",
    "hasura-default",
    "é🦀",
    "\u{0}",
    "'\"\\",
    "http://[::1",
    "{\"a\":1}",
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

    fn word(&mut self) -> String {
        WORDS[self.below(WORDS.len())].to_owned()
    }

    fn value(&mut self) -> Value {
        match self.below(12) {
            0 => Value::Null,
            1 => json!(self.below(2) == 0),
            2 => json!(self.below(4)),
            3 => json!(self.next()),
            4 => json!(-1),
            5 => json!(1.5e300),
            6 => json!([]),
            7 => json!({}),
            8 => json!([self.word(), self.word()]),
            9 => json!({self.word(): self.word()}),
            _ => Value::String(self.word()),
        }
    }

    /// A piece of a document.
    fn piece<'a>(&mut self, mut value: &'a Value) -> &'a Value {
        loop {
            let inner = match value {
                Value::Object(fields) => {
                    let at = self.below(fields.len());
                    fields.values().nth(at)
                }
                Value::Array(items) => items.get(self.below(items.len())),
                _ => None,
            };
            match inner {
                Some(inner) if self.below(5) > 0 => value = inner,
                _ => return value,
            }
        }
    }

    fn mangle(&mut self, value: &mut Value, other: &Value) {
        let stop = self.below(6) == 0;
        match value {
            Value::Object(fields) if !stop && !fields.is_empty() => {
                let at = self.below(fields.len());
                if let Some((_, inner)) = fields.iter_mut().nth(at) {
                    self.mangle(inner, other);
                }
            }
            Value::Array(items) if !stop && !items.is_empty() => {
                let at = self.below(items.len());
                self.mangle(&mut items[at], other);
            }
            Value::Object(fields) => self.mangle_object(fields, other),
            Value::Array(items) => match self.below(4) {
                0 => items.clear(),
                1 => {
                    let at = self.below(items.len());
                    if let Some(again) = items.get(at).cloned() {
                        items.push(again);
                    }
                }
                2 => items.reverse(),
                _ => items.push(self.piece(other).clone()),
            },
            Value::String(text) if self.below(3) > 0 => match self.below(4) {
                0 => text.push_str(&self.word()),
                1 => text.insert_str(0, &self.word()),
                2 => *text = text.repeat(1 + self.below(100)),
                _ => drop(text.pop()),
            },
            other_leaf => {
                *other_leaf = match self.below(4) {
                    0 => self.piece(other).clone(),
                    1 => deep(self.below(60), other_leaf.take()),
                    _ => self.value(),
                }
            }
        }
    }

    fn mangle_object(&mut self, fields: &mut Map<String, Value>, other: &Value) {
        let at = self.below(fields.len());
        let key = fields.keys().nth(at).cloned().unwrap_or_else(|| self.word());
        match self.below(4) {
            0 => drop(fields.remove(&key)),
            1 => drop(fields.insert(self.word(), self.value())),
            2 => {
                let moved = fields.remove(&key).unwrap_or_default();
                fields.insert(self.word(), moved);
            }
            _ => drop(fields.insert(key, self.piece(other).clone())),
        }
    }
}

/// As deep as a reader of JSON text lets anything be.
fn deep(levels: usize, inner: Value) -> Value {
    (0..levels).fold(inner, |inner, level| match level % 3 {
        0 => json!([inner]),
        1 => json!({"_and": [inner]}),
        _ => json!({"_not": inner}),
    })
}

/// Documents that are read in less time than the full one: one list of it each, with one item.
fn corpus() -> Vec<Value> {
    let full = full();
    let mut corpus = vec![full.clone()];
    for (key, list) in full.as_object().into_iter().flatten() {
        for item in list.as_array().into_iter().flatten() {
            let mut one = json!({"version": 3, "sources": []});
            one[key] = json!([item]);
            corpus.push(one);
        }
        if list.is_object() {
            let mut one = json!({"version": 3, "sources": []});
            one[key] = list.clone();
            corpus.push(one);
        }
    }
    corpus.retain(|document| AnyDocument::parse(document).is_ok());
    corpus
}

#[test]
fn mangled_documents_do_no_harm() {
    let number = |name: &str, default: u64| {
        std::env::var(name)
            .ok()
            .and_then(|text| text.parse().ok())
            .unwrap_or(default)
    };
    let seed = number("ROWLOCK_FUZZ_SEED", 0x5EED);
    let until = Instant::now() + Duration::from_secs(number("ROWLOCK_FUZZ_SECONDS", 2));
    println!("ROWLOCK_FUZZ_SEED={seed}");
    let corpus = corpus();
    assert!(corpus.len() > 5, "only {} documents", corpus.len());
    let mut random = Random(seed.max(1));
    let (mut runs, mut accepted) = (0_u64, 0_u64);
    while Instant::now() < until {
        runs += 1;
        let mut document = corpus[random.below(corpus.len())].clone();
        for _ in 0..1 + random.below(4) {
            random.mangle(&mut document, &corpus[0]);
        }
        let began = Instant::now();
        if let Ok((read, _)) = AnyDocument::parse(&document) {
            accepted += 1;
            let printed = read.print();
            let (again, _) = AnyDocument::parse(&printed)
                .unwrap_or_else(|error| panic!("{}: {error}: {printed} printed for {document}", error.path));
            assert_eq!(again, read, "{document}");
            assert_eq!(again.print().to_string(), printed.to_string(), "{document}");
        }
        assert!(began.elapsed() < Duration::from_secs(5), "too slow: {document}");
    }
    println!("{runs} documents, {accepted} accepted");
    assert!(accepted > 0);
}
