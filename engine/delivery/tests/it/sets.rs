//! What is published is what is read, and nothing else is.

use std::collections::BTreeMap;

use delivery::name::{self, Half, INDEX_KEY, METADATA_KEY, OBJECTS_KEY};
use delivery::{
    Damage, Index, Publication, Set, Standing, assemble, hash, is_plausible, next_counter, publish,
};
use proptest::prelude::*;

fn small(counter: u64) -> Set {
    Set {
        counter,
        metadata: r#"{"version":3,"sources":[]}"#.to_owned(),
        objects: "[]".to_owned(),
    }
}

/// A set that does not compress, of about so many bytes.
fn large(counter: u64, bytes: usize) -> Set {
    let mut metadata = String::new();
    let mut number = counter;
    while metadata.len() < bytes {
        metadata.push_str(&hash(&number.to_be_bytes()));
        number += 1;
    }
    Set {
        counter,
        metadata,
        objects: format!(r#"[{{"uid":"{counter}"}}]"#),
    }
}

#[expect(clippy::expect_used, reason = "a test may fail")]
fn published(set: &Set, half: Half) -> Publication {
    publish("shop-metadata", set, half).expect("it fits")
}

fn contents(publication: &Publication) -> Vec<Vec<u8>> {
    publication
        .parts
        .iter()
        .map(|part| part.content.clone())
        .collect()
}

fn read(publication: &Publication, parts: &[Vec<u8>]) -> Result<Set, Damage> {
    let index = Index::read(&publication.data)?;
    assemble(&index, &publication.data, parts)
}

#[test]
fn a_small_set_is_one_config_map() {
    let set = small(7);
    let publication = published(&set, Half::A);
    assert!(publication.parts.is_empty());
    assert_eq!(
        publication.data.keys().collect::<Vec<_>>(),
        [INDEX_KEY, METADATA_KEY, OBJECTS_KEY]
    );
    assert_eq!(publication.data[METADATA_KEY], set.metadata);
    assert_eq!(read(&publication, &[]).expect("whole"), set);
    let index = Index::read(&publication.data).expect("an index");
    assert_eq!(index.generation, set.generation());
    assert_eq!(index.part_names("shop-metadata"), Vec::<String>::new());
    assert_eq!(index.free_half(), Half::A);
}

#[test]
fn more_than_900_kib_goes_into_parts() {
    let set = large(1, 5 << 20);
    let publication = published(&set, Half::B);
    assert!(publication.parts.len() > 2, "{}", publication.parts.len());
    assert_eq!(publication.data.keys().collect::<Vec<_>>(), [INDEX_KEY]);
    for part in &publication.parts {
        assert!(part.content.len() <= 900 * 1024);
    }
    let index = Index::read(&publication.data).expect("an index");
    let names: Vec<String> = publication.parts.iter().map(|part| part.name.clone()).collect();
    assert_eq!(index.part_names("shop-metadata"), names);
    assert_eq!(names[1], "shop-metadata-b-1");
    assert_eq!(index.free_half(), Half::A);
    let allowed = name::every("shop-metadata");
    assert_eq!(allowed.len(), 33);
    assert!(names.iter().all(|name| allowed.contains(name)));
    assert_eq!(read(&publication, &contents(&publication)).expect("whole"), set);
    // The same set, the same bytes.
    assert_eq!(published(&set, Half::B), publication);
}

#[test]
fn the_border_between_one_and_many() {
    for bytes in [890 * 1024, 900 * 1024 - 1100, 900 * 1024, 910 * 1024] {
        let publication = published(&large(1, bytes), Half::A);
        let total: usize = publication.data.values().map(String::len).sum();
        assert!(total <= 900 * 1024, "{bytes} gives {total}");
    }
}

#[test]
fn what_does_not_fit_is_refused() {
    let refused = publish("m", &large(1, 32 << 20), Half::A).expect_err("too large");
    assert!(refused.to_string().contains("16 ConfigMaps"), "{refused}");
}

#[test]
fn parts_of_another_write_are_not_taken() {
    let first = published(&large(1, 2 << 20), Half::A);
    let second = published(&large(2, 2 << 20), Half::A);
    for torn_at in 0..first.parts.len() {
        let mut parts = contents(&first);
        parts[torn_at] = second.parts[torn_at].content.clone();
        assert!(matches!(read(&first, &parts), Err(Damage::Hash(_))), "{torn_at}");
    }
    let mut parts = contents(&first);
    parts.pop();
    assert!(matches!(read(&first, &parts), Err(Damage::Parts { .. })));
    assert!(matches!(read(&first, &[]), Err(Damage::Parts { .. })));
}

#[test]
fn no_flipped_bit_is_taken() {
    let publication = published(&large(3, 1 << 20), Half::A);
    for (part, content) in contents(&publication).iter().enumerate() {
        for at in [0, 9, content.len() / 2, content.len() - 1] {
            let mut parts = contents(&publication);
            parts[part][at] ^= 4;
            assert!(
                matches!(read(&publication, &parts), Err(Damage::Hash(_))),
                "byte {at} of part {part}"
            );
        }
    }
}

#[test]
fn what_was_edited_is_not_taken() {
    for key in [METADATA_KEY, OBJECTS_KEY] {
        let mut publication = published(&small(1), Half::A);
        publication.data.get_mut(key).expect("a key").push(' ');
        assert!(matches!(read(&publication, &[]), Err(Damage::Hash(_))), "{key}");
        publication.data.remove(key);
        assert!(
            matches!(read(&publication, &[]), Err(Damage::Missing(_))),
            "{key}"
        );
    }
    let with_index = |text: &str| BTreeMap::from([(INDEX_KEY.to_owned(), text.to_owned())]);
    assert!(matches!(Index::read(&BTreeMap::new()), Err(Damage::Missing(_))));
    assert!(matches!(Index::read(&with_index("{")), Err(Damage::Index(_))));
    assert!(matches!(
        Index::read(&with_index(r#"{"format":2}"#)),
        Err(Damage::Format(2))
    ));
    let bomb = r#"{"format":1,"counter":1,"generation":"","objects":"","metadataBytes":18446744073709551615,"objectsBytes":1}"#;
    assert!(matches!(Index::read(&with_index(bomb)), Err(Damage::Size)));
}

#[test]
fn what_decompresses_to_more_than_told_is_not_taken() {
    let set = large(1, 2 << 20);
    let mut publication = published(&set, Half::A);
    let mut index = Index::read(&publication.data).expect("an index");
    index.metadata_bytes -= 1;
    let text = serde_json::to_string(&index).expect("JSON");
    publication.data.insert(INDEX_KEY.to_owned(), text);
    assert!(read(&publication, &contents(&publication)).is_err());
}

#[test]
fn counters_only_grow() {
    let index = |counter, metadata: &str| {
        let set = Set {
            counter,
            metadata: metadata.to_owned(),
            objects: "[]".to_owned(),
        };
        Index::read(&published(&set, Half::A).data).expect("an index")
    };
    let accepted = index(5, "x").mark();
    assert_eq!(index(1, "x").standing(None), Standing::Later);
    assert_eq!(index(6, "x").standing(Some(&accepted)), Standing::Later);
    assert_eq!(index(5, "x").standing(Some(&accepted)), Standing::Same);
    assert_eq!(index(5, "y").standing(Some(&accepted)), Standing::Contradiction);
    assert_eq!(index(4, "y").standing(Some(&accepted)), Standing::Earlier);
    assert_eq!(next_counter(Some(7), 3), 8);
    assert_eq!(next_counter(Some(7), 30), 30);
    assert_eq!(next_counter(None, 30), 30);
    assert!(is_plausible(30, 30) && is_plausible(30 + 86_400, 30));
    assert!(!is_plausible(31 + 86_400, 30) && !is_plausible(u64::MAX, 30));
    assert!(is_plausible(u64::MAX, u64::MAX - 1));
}

#[test]
fn tables_of_objects_are_read_without_the_operators_own_keys() {
    let text = r#"[{"uid":"u","kind":"Table","namespace":"n","name":"t","generation":3,"hash":"h","place":["default"]}]"#;
    let entries = delivery::read_objects(text).expect("a table");
    assert_eq!(entries[0].generation, 3);
    assert!(delivery::read_objects("{}").is_err());
}

proptest! {
    #[test]
    fn any_set_survives(metadata in "\\PC*", objects in "\\PC*", counter: u64) {
        let set = Set { counter, metadata, objects };
        let publication = published(&set, Half::A);
        prop_assert_eq!(read(&publication, &contents(&publication)).expect("whole"), set);
    }
}
