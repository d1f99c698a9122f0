//! How much a published set may take that is read. Whoever may write ConfigMaps in an engine's namespace could put anything
//! there, made so that it is small where it lies and fills the memory of the operator of all namespaces.

use std::sync::{Mutex, MutexGuard, PoisonError};

use delivery::{Index, Set};
use serde_json::Value;

/// Bytes of memory for each JSON object of a document at most while it is read, the copy included that its typed form may
/// have. What a list of the document holds takes more: up to 5 KB, see [`Allowance::may_type`].
const MEMORY_OF_OBJECT: usize = 700;
/// And for each other value.
const MEMORY_OF_VALUE: usize = 200;
/// Copies of a set's text at most, compressed and not, while it is read and made ready to be published again.
const COPIES: usize = 8;
/// What is always allowed: a set beside its index is read also where memory is scarce.
const LEAST: u64 = 8 << 20;
/// Bytes of memory for each entry of the table of objects at most, while its places in the text are looked for.
const MEMORY_OF_PLACE: usize = 48;
/// The same for the values of one entry. Each reference to a key of a Secret takes a kilobyte.
const MEMORY_OF_ENTRY: usize = 2 << 20;

/// What there is room for.
#[derive(Debug)]
pub struct Allowance {
    memory: usize,
    elements: usize,
    turn: tokio::sync::Mutex<()>,
    reading: Mutex<()>,
}

impl Allowance {
    /// Of so many bytes of memory, where there are so many custom resources at most; none: without a limit.
    pub fn new(memory: Option<u64>, most_objects: usize) -> Self {
        let limit = memory.map(|memory| usize::try_from(memory.max(LEAST)).unwrap_or(usize::MAX));
        Self {
            memory: limit.unwrap_or(usize::MAX),
            elements: limit.map_or(usize::MAX, |_| most_objects),
            turn: tokio::sync::Mutex::default(),
            reading: Mutex::default(),
        }
    }

    /// One engine after the other gets at what is published: each may need all the room.
    pub(super) async fn turn(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.turn.lock().await
    }

    /// The same, of who makes values of it.
    pub(super) fn reading(&self) -> MutexGuard<'_, ()> {
        self.reading.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a set may be decompressed.
    pub(super) fn may_hold(&self, index: &Index) -> bool {
        index.bytes() <= self.memory / COPIES
    }

    /// Whether it may be read.
    pub(super) fn may_read(&self, set: &Set) -> bool {
        let places = set.objects.bytes().filter(|byte| *byte == b',').count();
        memory(&set.metadata) + places * MEMORY_OF_PLACE <= self.memory
    }

    /// Whether an entry of the table may be read.
    pub(super) fn may_read_entry(entry: &str) -> bool {
        memory(entry) <= MEMORY_OF_ENTRY
    }

    /// Whether a document may be made of its JSON: no list of ours holds more than there are custom resources.
    pub(super) fn may_type(&self, document: &Value) -> bool {
        elements(document) <= self.elements
    }
}

/// How much memory a JSON text takes at most as values. What stands in texts is no more than it is there.
fn memory(json: &str) -> usize {
    let (mut is_text, mut is_escaped, mut memory) = (false, false, 0_usize);
    for byte in json.bytes() {
        if is_text {
            is_text = is_escaped || byte != b'"';
            is_escaped = !is_escaped && byte == b'\\';
            continue;
        }
        memory = memory.saturating_add(match byte {
            b'"' => {
                is_text = true;
                0
            }
            b'{' => MEMORY_OF_OBJECT,
            b',' | b':' | b'[' => MEMORY_OF_VALUE,
            _ => 0,
        });
    }
    memory
}

/// What the lists of a document hold, and those of its sources: each of it one custom resource, but for the allowlist.
fn elements(document: &Value) -> usize {
    let lists = |value: &Value| -> usize {
        let fields = value.as_object().into_iter().flatten();
        let own = fields.filter(|(name, _)| *name != "allowlist");
        own.filter_map(|(_, field)| field.as_array()).map(Vec::len).sum()
    };
    let sources = document.get("sources").and_then(Value::as_array);
    let of_sources: usize = sources.into_iter().flatten().map(lists).sum();
    lists(document) + of_sources
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// As `bench/operator` has them.
    const PERMISSION: &str = r#"{"role":"role1","permission":{"check":{},"columns":["id","parent_id","name"],"set":{"owner_id":"X-Hasura-User-Id"}}},{"role":"role1","permission":{"columns":["id","parent_id","name","created_at"],"filter":{"_or":[{"owner_id":{"_eq":"X-Hasura-User-Id"}},{"parent":{"owner_id":{"_eq":"X-Hasura-User-Id"}}}]},"limit":100}}"#;
    const ENTRY: &str = r#"{"uid":"00000000-0000-0000-0000-000000000000","kind":"Permission","namespace":"bench","name":"t100-r1","generation":1,"hash":"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef","place":["default","public","t100","role1"]}"#;

    fn set(metadata: String, objects: String) -> (Index, Set) {
        let set = Set {
            counter: 1,
            metadata,
            objects,
        };
        let index = Index {
            format: Index::FORMAT,
            counter: 1,
            generation: String::new(),
            objects: String::new(),
            metadata_bytes: set.metadata.len(),
            objects_bytes: set.objects.len(),
            half: None,
            parts: Vec::new(),
        };
        (index, set)
    }

    /// As many objects as a memory limit takes can be read again; what fills the memory with less is not.
    #[test]
    fn what_the_operator_publishes_it_reads_again() {
        let objects = 2_000;
        let of_objects = u64::try_from(objects).unwrap() * crate::settings::MEMORY_OF_OBJECT;
        let allowance = Allowance::new(Some(of_objects), objects);
        let repeated = |item: &str| format!("[{}]", vec![item; objects].join(","));
        let (index, ours) = set(repeated(PERMISSION), repeated(ENTRY));
        assert!(allowance.may_hold(&index) && allowance.may_read(&ours));
        assert!(Allowance::may_read_entry(ENTRY));
        for hostile in [
            ["0"; 120].join(","),
            format!("{}0{}", "{\"a\":".repeat(25), "}".repeat(25)),
        ] {
            let (index, hostile) = set(repeated(&hostile), "[]".to_owned());
            assert!(allowance.may_hold(&index) && !allowance.may_read(&hostile));
        }
        let (index, zeros) = set("{}".to_owned(), repeated(&["0"; 900].join(",")));
        assert!(allowance.may_hold(&index) && !allowance.may_read(&zeros));
        // A schema, a saved query.
        let query = format!("{:?}", "{a(x: [1, 2]) { b: \"c\\\\\" }},".repeat(30));
        let (_, queries) = set(repeated(&query), "[]".to_owned());
        assert!(allowance.may_read(&queries));
        assert_eq!(
            memory(r#"["a\"[{,:\\",{}]"#),
            2 * MEMORY_OF_VALUE + MEMORY_OF_OBJECT
        );
        let (index, _) = set(repeated(&"x".repeat(3 << 10)), "[]".to_owned());
        assert!(!allowance.may_hold(&index));
        assert!(!Allowance::may_read_entry(&repeated(&["0"; 6].join(","))));
    }

    #[test]
    fn no_list_holds_more_than_there_are_objects() {
        let two = json!({"version": 3, "sources": [{"name": "a", "tables": [{"table": "b"}]}], "allowlist": [{}, {}]});
        assert!(Allowance::new(Some(0), 2).may_type(&two));
        assert!(!Allowance::new(Some(0), 1).may_type(&two));
        assert!(Allowance::new(None, 1).may_type(&two));
    }

    #[test]
    fn a_small_set_is_read_in_any_case() {
        let (index, small) = set("x".repeat(900 << 10), "[]".to_owned());
        for memory in [None, Some(0), Some(u64::MAX)] {
            let allowance = Allowance::new(memory, 1);
            assert!(
                allowance.may_hold(&index) && allowance.may_read(&small),
                "{memory:?}"
            );
        }
    }
}
