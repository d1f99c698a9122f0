//! ConfigMaps to the set they carry, or why they carry none.

use std::collections::BTreeMap;
use std::io::Read;

use flate2::read::GzDecoder;

use crate::index::Index;
use crate::name::{INDEX_KEY, METADATA_KEY, MOST_PARTS, OBJECTS_KEY};
use crate::publish::MOST_SET_BYTES;
use crate::set::{Set, hash};

/// Why there is no set. What was accepted before stays.
#[derive(Debug, thiserror::Error)]
pub enum Damage {
    /// A key is not there.
    #[error("the key {0} is missing")]
    Missing(&'static str),
    /// The index cannot be read.
    #[error("{INDEX_KEY} cannot be read")]
    Index(#[source] serde_json::Error),
    /// Of a later version.
    #[error("the set has format {0}, this program reads {current}", current = Index::FORMAT)]
    Format(u32),
    /// More than a set may have.
    #[error("the index tells of more than a set may have")]
    Size,
    /// The parts are not as many as the index says.
    #[error("the index names {expected} parts, there are {found}")]
    Parts {
        /// Named.
        expected: usize,
        /// Found.
        found: usize,
    },
    /// Something is not what the index names: changed by hand, or of another write.
    #[error("{0} is not what the index names")]
    Hash(String),
    /// The parts do not decompress to what the index says.
    #[error("the parts cannot be decompressed")]
    Compression(#[source] std::io::Error),
    /// Not text.
    #[error("{0} is not UTF-8")]
    Text(&'static str),
}

impl Index {
    /// Reads the index out of a ConfigMap's `data`.
    ///
    /// # Errors
    /// There is none that this program can read.
    pub fn read(data: &BTreeMap<String, String>) -> Result<Self, Damage> {
        let text = data.get(INDEX_KEY).ok_or(Damage::Missing(INDEX_KEY))?;
        // The format first: what follows may be different in another one.
        #[derive(serde::Deserialize)]
        struct Format {
            format: u32,
        }
        let Format { format } = serde_json::from_str(text).map_err(Damage::Index)?;
        if format != Self::FORMAT {
            return Err(Damage::Format(format));
        }
        let index: Self = serde_json::from_str(text).map_err(Damage::Index)?;
        let size = index.metadata_bytes.checked_add(index.objects_bytes);
        if index.parts.len() > MOST_PARTS || size.is_none_or(|size| size > MOST_SET_BYTES) {
            return Err(Damage::Size);
        }
        Ok(index)
    }
}

/// Puts a set together. `data` is that of the ConfigMap with the index, `parts` are the contents of those that
/// [`Index::part_names`] gives, in that order.
///
/// # Errors
/// It is torn or damaged.
pub fn assemble(index: &Index, data: &BTreeMap<String, String>, parts: &[Vec<u8>]) -> Result<Set, Damage> {
    let (metadata, objects) = if index.half.is_some() {
        decompress(index, parts)?
    } else {
        let beside = |key| data.get(key).cloned().ok_or(Damage::Missing(key));
        (beside(METADATA_KEY)?, beside(OBJECTS_KEY)?)
    };
    for (key, text, expected) in [
        (METADATA_KEY, &metadata, &index.generation),
        (OBJECTS_KEY, &objects, &index.objects),
    ] {
        if hash(text.as_bytes()) != *expected {
            return Err(Damage::Hash(key.to_owned()));
        }
    }
    Ok(Set {
        counter: index.counter,
        metadata,
        objects,
    })
}

fn decompress(index: &Index, parts: &[Vec<u8>]) -> Result<(String, String), Damage> {
    if parts.len() != index.parts.len() {
        return Err(Damage::Parts {
            expected: index.parts.len(),
            found: parts.len(),
        });
    }
    let mut compressed = Vec::new();
    for (number, (part, expected)) in parts.iter().zip(&index.parts).enumerate() {
        if hash(part) != *expected {
            return Err(Damage::Hash(format!("part {number}")));
        }
        compressed.extend_from_slice(part);
    }
    let size = index.bytes();
    let most = u64::try_from(size).unwrap_or(u64::MAX).saturating_add(1);
    let mut bytes = Vec::with_capacity(size);
    GzDecoder::new(compressed.as_slice())
        .take(most)
        .read_to_end(&mut bytes)
        .map_err(Damage::Compression)?;
    if bytes.len() != size {
        return Err(Damage::Hash("the length of the set".to_owned()));
    }
    let objects = bytes.split_off(index.metadata_bytes);
    Ok((
        String::from_utf8(bytes).map_err(|_| Damage::Text(METADATA_KEY))?,
        String::from_utf8(objects).map_err(|_| Damage::Text(OBJECTS_KEY))?,
    ))
}
