//! Throws random paths at random sets of REST endpoints. What is found is what comparing each endpoint on its own finds, and
//! no path takes long.
//!
//! `ROWLOCK_FUZZ_SECONDS` says for how long (2 by default), `ROWLOCK_FUZZ_SEED` where to begin.

use std::time::{Duration, Instant};

use metadata::Document;
use metadata::rest::RestMethod;
use schema::rest_endpoint::{Match, RestEndpoints};
use serde_json::{Value, json};

const METHODS: [(&str, RestMethod); 5] = [
    ("GET", RestMethod::Get),
    ("POST", RestMethod::Post),
    ("PUT", RestMethod::Put),
    ("PATCH", RestMethod::Patch),
    ("DELETE", RestMethod::Delete),
];

/// A small generator (xorshift); the same numbers on every machine.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % 1_000_003).expect("small") % bound
    }

    fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.below(of.len())]
    }

    /// A few segments with slashes between.
    fn path(&mut self, segments: &[&str], most: usize) -> String {
        let parts: Vec<&str> = (0..=self.below(most)).map(|_| self.one(segments)).collect();
        parts.join("/")
    }
}

fn setting(name: &str, default: u64) -> u64 {
    let text = std::env::var(name).ok();
    text.and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// An endpoint as the test knows it.
struct Known {
    name: String,
    url: String,
    methods: Vec<RestMethod>,
}

impl Known {
    fn answers(&self, path: &str) -> bool {
        let (own, asked): (Vec<&str>, Vec<&str>) = (self.url.split('/').collect(), path.split('/').collect());
        own.len() == asked.len()
            && own
                .iter()
                .zip(&asked)
                .all(|(own, asked)| own.starts_with(':') || own == asked)
    }
}

fn random_endpoints(random: &mut Random) -> (RestEndpoints, Vec<Known>) {
    let mut listed: Vec<Value> = Vec::new();
    let mut known = Vec::new();
    for number in 0..random.below(12) {
        let name = format!("e{number}");
        // Empty segments are no reason to refuse a document, an empty path is.
        let url = random.path(&["a", "b", "%61", "é", ":x", ":y", ":", "a:b", ""], 5)
            + random.one(&["a", "/a", ":x"]);
        let first = random.below(METHODS.len());
        let picked = &METHODS[first..=first + random.below(METHODS.len() - first)];
        let names: Vec<&str> = picked.iter().map(|(name, _)| *name).collect();
        listed.push(
            json!({"name": name, "url": url, "methods": names, "comment": null,
            "definition": {"query": {"collection_name": "c", "query_name": "q"}}}),
        );
        known.push(Known {
            name,
            url,
            methods: picked.iter().map(|(_, method)| *method).collect(),
        });
    }
    let document = json!({"version": 3, "sources": [], "rest_endpoints": listed, "query_collections": [
        {"name": "c", "definition": {"queries": [{"name": "q", "query": "{ author { id } }"}]}}]});
    let (document, _) = Document::parse(&document).expect("a legal document");
    known.retain(|known| document.rest_endpoints.contains_key(&known.name));
    (RestEndpoints::new(&document).0, known)
}

#[test]
fn random_paths() {
    let mut random = Random(setting("ROWLOCK_FUZZ_SEED", 7) | 1);
    let until = Instant::now() + Duration::from_secs(setting("ROWLOCK_FUZZ_SECONDS", 2));
    let (mut found, mut rounds) = (0, 0);
    while Instant::now() < until || rounds < 20 {
        rounds += 1;
        let (endpoints, known) = random_endpoints(&mut random);
        for _ in 0..200 {
            let path = random.path(&["a", "b", "%61", "é", "", ":x", "a:b", "..", "\0", "x y"], 6);
            let (_, method) = METHODS[random.below(METHODS.len())];
            let answering: Vec<&Known> = known.iter().filter(|known| known.answers(&path)).collect();
            let of_method: Vec<&str> = answering
                .iter()
                .filter(|known| known.methods.contains(&method))
                .map(|known| known.name.as_str())
                .collect();
            let told = endpoints.find(Some(method), &path.split('/').collect::<Vec<_>>());
            let right = match (&told, of_method.as_slice()) {
                (Match::Found(name), [only]) => name == only,
                (Match::Ambiguous, [_, _, ..]) => true,
                (Match::WrongMethod(methods), []) => {
                    !answering.is_empty()
                        && answering
                            .iter()
                            .all(|known| known.methods.iter().all(|one| methods.contains(one)))
                }
                (Match::NotFound, []) => answering.is_empty(),
                _ => false,
            };
            assert!(right, "{path:?} {method:?}: {told:?}, but {of_method:?}");
            found += usize::from(!of_method.is_empty());
        }
        // As many choices as there can be, and none of them leads anywhere.
        let long = "a/".repeat(random.below(40_000));
        assert!(!matches!(
            endpoints.find(None, &long.split('/').collect::<Vec<_>>()),
            Match::Found(_)
        ));
    }
    assert!(found > 0, "no path led anywhere");
}
