//! A set as the ConfigMaps that carry it.

use std::collections::BTreeMap;
use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::index::Index;
use crate::name::{self, Half, INDEX_KEY, METADATA_KEY, MOST_PARTS, OBJECTS_KEY};
use crate::set::{Set, hash};

/// Bytes of one ConfigMap: Kubernetes takes 1 MiB.
const MOST_BYTES: usize = 900 * 1024;

/// Bytes of a set before compression.
pub(crate) const MOST_SET_BYTES: usize = 256 << 20;

/// Room for the index where it stands beside the document.
const INDEX_BYTES: usize = 1024;

/// What is to be written: first the parts, one by one, then the index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Publication {
    /// `data` of the ConfigMap with the index, whole.
    pub data: BTreeMap<String, String>,
    /// The parts, if the set is in parts.
    pub parts: Vec<Part>,
}

/// A part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// The name of its ConfigMap.
    pub name: String,
    /// The value of [`name::PART_KEY`] in its `binaryData`.
    pub content: Vec<u8>,
}

/// The set cannot be carried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the metadata has {bytes} bytes, {compressed} compressed; {most} compressed fit into {MOST_PARTS} ConfigMaps", most = MOST_BYTES * MOST_PARTS)]
pub struct TooLarge {
    /// Of document and table.
    pub bytes: usize,
    /// Compressed; 0 where it was not tried.
    pub compressed: usize,
}

/// Makes the ConfigMaps of a set. The same set gives the same bytes. `free` is the half that no published index
/// names ([`Index::free_half`] of the present one).
///
/// # Errors
/// It is too large.
pub fn publish(index_name: &str, set: &Set, free: Half) -> Result<Publication, TooLarge> {
    let bytes = set.metadata.len() + set.objects.len();
    let mut index = Index {
        format: Index::FORMAT,
        counter: set.counter,
        generation: set.generation(),
        objects: hash(set.objects.as_bytes()),
        metadata_bytes: set.metadata.len(),
        objects_bytes: set.objects.len(),
        half: None,
        parts: Vec::new(),
    };
    if bytes + INDEX_BYTES <= MOST_BYTES {
        let data = BTreeMap::from([
            (INDEX_KEY.to_owned(), text(&index)),
            (METADATA_KEY.to_owned(), set.metadata.clone()),
            (OBJECTS_KEY.to_owned(), set.objects.clone()),
        ]);
        return Ok(Publication {
            data,
            parts: Vec::new(),
        });
    }
    let too_large = |compressed| TooLarge { bytes, compressed };
    if bytes > MOST_SET_BYTES {
        return Err(too_large(0));
    }
    let compressed = compress(set).map_err(|_| too_large(0))?;
    if compressed.len() > MOST_BYTES * MOST_PARTS {
        return Err(too_large(compressed.len()));
    }
    index.half = Some(free);
    let mut parts = Vec::new();
    for (number, content) in compressed.chunks(MOST_BYTES).enumerate() {
        index.parts.push(hash(content));
        parts.push(Part {
            name: name::part(index_name, free, number),
            content: content.to_vec(),
        });
    }
    Ok(Publication {
        data: BTreeMap::from([(INDEX_KEY.to_owned(), text(&index))]),
        parts,
    })
}

fn compress(set: &Set) -> std::io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(set.metadata.as_bytes())?;
    encoder.write_all(set.objects.as_bytes())?;
    encoder.finish()
}

/// One key a line, so that a diff of the ConfigMap can be read.
fn text(index: &Index) -> String {
    serde_json::to_string_pretty(index).unwrap_or_default()
}

/// How far a counter may be ahead of the time: as far as clocks differ, and publishing more often than once a second leads.
const MOST_AHEAD: u64 = 24 * 60 * 60;

/// Whether a set may have this counter. One far ahead of the time was not made by [`next_counter`]: none would come after
/// the highest that there is.
pub fn is_plausible(counter: u64, unix_seconds: u64) -> bool {
    counter <= unix_seconds.saturating_add(MOST_AHEAD)
}

/// The counter of the set after one of counter `previous`. It is not below the time, in seconds, so that it also grows
/// where the index was lost.
pub fn next_counter(previous: Option<u64>, unix_seconds: u64) -> u64 {
    previous.map_or(unix_seconds, |previous| {
        previous.saturating_add(1).max(unix_seconds)
    })
}
