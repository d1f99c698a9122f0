//! Throws mangled paths of json columns and mangled arguments of the old data API at the crate. Nothing may panic
//! or take long, no string of a request may become text of a statement but as a quoted name, and a path is bound as
//! the keys it was written with.
//!
//! `ROWLOCK_FUZZ_SECONDS` says for how long (2 by default), `ROWLOCK_FUZZ_SEED` where to begin.

use std::sync::Arc;
use std::time::{Duration, Instant};

use plan::dml::{self, Command};
use plan::prepared::RootContent;
use plan::{Plan, Session};
use schema::model::Options;
use serde_json::{Map, Value, json};
use sql::Parameter;

use crate::{plan_with, world};

/// Must be seen nowhere in SQL outside a quoted name.
const MARK: &str = "zzmark";

const WORDS: [&str; 44] = [
    MARK,
    "zzmark'--",
    "\"zzmark\"",
    "$",
    ".",
    "[",
    "]",
    "['",
    "']",
    "[\"",
    "\"]",
    "[0]",
    "[99999999999999999999]",
    "\\",
    "'",
    "a",
    "-",
    "_",
    " ",
    "",
    "\u{0}",
    "é🦀",
    "*",
    "*.*",
    "*.*.*.*.*.*",
    "{}",
    "{a,NULL}",
    "NULL",
    "name",
    "artist",
    "albums",
    "album",
    "track_id",
    "$and",
    "_or",
    "$not",
    "_exists",
    "$eq",
    "_in",
    "$cast",
    "_has_key",
    "-name",
    "+name",
    "X-Hasura-User-Id",
];

/// Arguments from which others are made.
fn corpus() -> Vec<Value> {
    vec![
        json!({"table": "artist", "columns": ["*", {"name": "albums", "alias": "a", "columns": ["title", "*.*"],
            "where": {"title": "x"}, "order_by": "-title", "limit": 2, "offset": 1}],
            "where": {"$not": {"name": {"$neq": "x"}}}, "limit": 5, "offset": 0}),
        json!({"table": {"schema": "public", "name": "track"}, "source": "default",
            "columns": ["name", {"name": "album", "columns": ["*"]}],
            "where": {"$and": [{"name": {"$like": "a%"}}, {"_or": [{"album": {"title": {"_in": ["x", "y"]}}}, {}]}]},
            "order_by": [{"column": {"album": "title"}, "type": "desc", "nulls": "last"}, "+name"]}),
        json!({"table": "play_event", "columns": ["rating", "meta"],
            "where": {"meta": {"$contains": {"a": [1, null]}, "_has_keys_any": ["a", "b"]}, "rating": {"$gte": 1},
                "_exists": {"_table": "artist", "_where": {"name": {"$is_null": false}}}}}),
        json!({"table": "album", "distinct": ["artist_id"], "columns": ["title"], "where": {"artist": {"name": "x"}}}),
        json!({"table": "album", "objects": [{"title": "x", "artist_id": 1}, {"title": null}], "returning": ["*"],
            "columns": ["title"], "on_conflict": {"action": "ignore", "constraint_on": ["title"]}}),
        json!({"table": "play_event", "objects": [{"meta": {"a": [1]}, "rating": 3}], "returning": ["rating"],
            "columns": ["rating"], "on_conflict": {"action": "ignore", "constraint": "zzmark"}}),
        json!({"table": "place", "objects": [{"tags": ["a", "b"], "point": {"type": "Point", "coordinates": [1, 2]}}],
            "columns": ["tags"]}),
    ]
}

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

    fn text(&mut self, words: usize) -> String {
        (0..self.below(words + 1)).map(|_| self.word()).collect()
    }

    fn value(&mut self) -> Value {
        match self.below(12) {
            0 => Value::Null,
            1 => json!(true),
            2 => json!(self.next()),
            3 => json!(-1),
            4 => json!(1.5e300),
            5 => json!([self.word(), null, 1]),
            6 => json!({self.word(): {self.word(): self.word()}}),
            7 => json!([{self.word(): self.word()}]),
            8 => json!({}),
            9 => {
                let word = self.word();
                (0..self.below(100)).fold(json!({}), |inner, _| json!({word.as_str(): inner}))
            }
            _ => Value::String(self.text(3)),
        }
    }

    fn mangle(&mut self, value: &mut Value) {
        let stop = self.below(4) == 0;
        match value {
            Value::Object(fields) if !stop && !fields.is_empty() => {
                let at = self.below(fields.len());
                if let Some((_, inner)) = fields.iter_mut().nth(at) {
                    self.mangle(inner);
                }
            }
            Value::Array(items) if !stop && !items.is_empty() => {
                let at = self.below(items.len());
                self.mangle(&mut items[at]);
            }
            Value::Object(fields) => {
                let at = self.below(fields.len());
                let key = fields.keys().nth(at).cloned().unwrap_or_default();
                let moved = if self.below(2) == 0 {
                    fields.remove(&key).unwrap_or_default()
                } else {
                    self.value()
                };
                fields.insert(self.word(), moved);
            }
            Value::Array(items) => items.push(self.value()),
            leaf => *leaf = self.value(),
        }
    }
}

/// Calls it until the time is up.
fn run(mut once: impl FnMut(&mut Random)) {
    let number = |name: &str, default: u64| {
        std::env::var(name)
            .ok()
            .and_then(|text| text.parse().ok())
            .unwrap_or(default)
    };
    let seed = number("ROWLOCK_FUZZ_SEED", 0x5EED);
    let until = Instant::now() + Duration::from_secs(number("ROWLOCK_FUZZ_SECONDS", 2));
    println!("ROWLOCK_FUZZ_SEED={seed}");
    let mut random = Random(seed.max(1));
    let mut runs = 0_u64;
    while Instant::now() < until {
        runs += 1;
        let began = Instant::now();
        once(&mut random);
        assert!(began.elapsed() < Duration::from_secs(5), "run {runs} is too slow");
    }
    println!("{runs} runs");
}

fn statements(plan: &Plan) -> impl Iterator<Item = &sql::Statement> {
    plan.roots.iter().flat_map(|root| match &root.content {
        RootContent::Statement { statement, .. } => vec![&**statement],
        RootContent::Mutation(mutation) => mutation.statements.iter().map(|one| &*one.statement).collect(),
        _ => Vec::new(),
    })
}

/// What is left of SQL without its quoted names.
fn unquoted(text: &str) -> String {
    text.split('"').step_by(2).collect::<Vec<_>>().join(" ")
}

#[track_caller]
fn no_mark(text: &str, arguments: &dyn std::fmt::Debug) {
    assert!(
        text.matches('"').count().is_multiple_of(2),
        "{text} for {arguments:?}"
    );
    assert!(!unquoted(text).contains(MARK), "{text} for {arguments:?}");
}

#[test]
fn mangled_arguments_of_the_data_api_do_no_harm() {
    let model = world::world(Options::default());
    let sessions = ["admin", "listener", "stranger"].map(|role| Session {
        role: Arc::from(role),
        variables: vec![(Arc::from("x-hasura-user-id"), Arc::from("1"))],
        backend: false,
    });
    let corpus = corpus();
    let (mut planned, mut written) = (0, 0);
    run(|random| {
        let mut arguments = corpus[random.below(corpus.len())].clone();
        for _ in 0..random.below(4) {
            random.mangle(&mut arguments);
        }
        let Value::Object(arguments) = arguments else {
            return;
        };
        let session = &sessions[random.below(4).saturating_sub(1)];
        for command in [
            Command::Select,
            Command::Count,
            Command::Insert,
            Command::Update,
            Command::Delete,
        ] {
            if let Ok(plan) = dml::plan(&model, session, command, &arguments) {
                let reads = matches!(command, Command::Select | Command::Count);
                if reads {
                    planned += 1;
                } else {
                    written += 1;
                }
                statements(&plan).for_each(|statement| no_mark(&statement.text, &arguments));
                let _bound = plan.bind(&Map::new(), session);
            }
        }
    });
    println!("{planned} read, {written} written");
    assert!(planned > 0 && written > 0);
}

/// What is bound for a path, and the SQL.
fn path(text: &str) -> Option<(Option<String>, String)> {
    let query = "query ($p: String!) { play_event { meta(path: $p) } }";
    let plan = plan_with(Options::default(), "admin", query, &json!({"p": text})).ok()?;
    let statement = statements(&plan).next()?;
    let bound = statement.parameters.iter().find_map(|parameter| match parameter {
        Parameter::Constant(value) => value.as_deref().map(str::to_owned),
        Parameter::Slot(_) => None,
    });
    Some((bound, statement.text.to_string()))
}

/// `{"a","b"}`, as Postgres reads it.
fn array(keys: &[String]) -> String {
    let quoted = |key: &String| format!("\"{}\"", key.replace('\\', "\\\\").replace('"', "\\\""));
    format!("{{{}}}", keys.iter().map(quoted).collect::<Vec<_>>().join(","))
}

#[test]
fn paths_of_json_columns_are_bound_as_their_keys() {
    let (mut understood, mut refused) = (0, 0);
    run(|random| {
        let any = random.text(8);
        match path(&any) {
            Some((_, text)) => {
                understood += 1;
                no_mark(&text, &any);
            }
            None => refused += 1,
        }
        let keys: Vec<String> = (0..1 + random.below(4)).map(|_| random.text(3)).collect();
        let quote = ['\'', '"'][random.below(2)];
        let mut written = "$".to_owned();
        for key in &keys {
            let escaped = key.replace('\\', "\\\\").replace(quote, &format!("\\{quote}"));
            written.push_str(&format!("[{quote}{escaped}{quote}]"));
        }
        let (bound, text) = path(&written).unwrap_or_else(|| panic!("{written} is refused"));
        assert_eq!(bound, Some(array(&keys)), "{written}");
        no_mark(&text, &written);
    });
    assert!(
        understood > 0 && refused > 0,
        "{understood} understood, {refused} refused"
    );
}
