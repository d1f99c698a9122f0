//! The set on disk.

use std::collections::BTreeSet;
use std::os::unix::fs::MetadataExt;

use delivery::{Set, hash};
use kubernetes::{Keep, KeepError};
use serde_json::json;

fn set(counter: u64) -> Set {
    Set {
        counter,
        metadata: "{\"a\":\"\u{e4}\\n\"}".to_owned(),
        objects: "[]".to_owned(),
    }
}

#[test]
fn the_last_one_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let keep = Keep::new(&folder.path().join("deep/below")).unwrap();
    assert_eq!(keep.read().unwrap(), None);
    for counter in [1, 2] {
        let before = keep.read().unwrap();
        let prepared = keep.prepare(&set(counter), &set(counter).mark()).unwrap();
        assert_eq!(keep.read().unwrap(), before, "not kept yet");
        prepared.keep().unwrap();
        assert_eq!(keep.read().unwrap(), Some(set(counter)));
    }
}

/// However many are kept, and however long they are, they are in the same two files.
#[test]
fn sets_take_the_same_files_in_turn() {
    let folder = tempfile::tempdir().unwrap();
    let keep = Keep::new(folder.path()).unwrap();
    let file_number = |name: &str| std::fs::metadata(folder.path().join(name)).unwrap().ino();
    let mut numbers = BTreeSet::new();
    for counter in 1..=20 {
        let mut set = set(counter);
        set.objects = format!("[{}]", "0,".repeat(usize::try_from(counter * 7 % 5).unwrap()));
        let prepared = keep.prepare(&set, &set.mark()).unwrap();
        let next = file_number("accepted-set.next");
        prepared.keep().unwrap();
        assert_eq!(keep.read().unwrap(), Some(set), "{counter}");
        assert_eq!(file_number("accepted-set"), next);
        numbers.insert(next);
    }
    assert_eq!(numbers.len(), 2);
}

#[test]
fn a_damaged_one_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let keep = Keep::new(folder.path()).unwrap();
    keep.prepare(&set(1), &set(1).mark()).unwrap().keep().unwrap();
    let file = folder.path().join("accepted-set");
    let text = std::fs::read_to_string(&file).unwrap();
    for damaged in [
        &text[..text.len() - 1],
        &text[1..],
        &format!("{text} "),
        &text.replace("\"counter\":1", "\"counter\":7"),
        &text.replace("\"a\"", "\"b\""),
        "",
        "\n\n",
    ] {
        std::fs::write(&file, damaged).unwrap();
        assert!(matches!(keep.read(), Err(KeepError::Damaged(_))), "{damaged}");
    }
    // A write that was interrupted leaves the one before.
    std::fs::write(&file, &text).unwrap();
    std::fs::write(folder.path().join("accepted-set.next"), "{").unwrap();
    assert_eq!(keep.read().unwrap(), Some(set(1)));
    assert!(Keep::new(&file).is_err(), "a file is no folder");
}

/// A pod whose image changes in place starts with what the program before it had accepted.
#[test]
fn one_of_an_earlier_version_is_read_once() {
    let folder = tempfile::tempdir().unwrap();
    let keep = Keep::new(folder.path()).unwrap();
    let (file, set) = (folder.path().join("accepted-set.json"), set);
    let of_texts = format!("5/{}/{}", set(5).generation(), hash(b"[]"));
    let earlier = json!({"counter": 5, "metadata": set(5).metadata, "objects": "[]",
        "hash": hash(of_texts.as_bytes())});
    std::fs::write(&file, earlier.to_string().replace(":5,", ":6,")).unwrap();
    assert!(matches!(keep.read(), Err(KeepError::Damaged(_))));
    std::fs::write(&file, earlier.to_string()).unwrap();
    assert_eq!(keep.read().unwrap(), Some(set(5)));
    keep.prepare(&set(6), &set(6).mark()).unwrap().keep().unwrap();
    assert_eq!(keep.read().unwrap(), Some(set(6)));
    assert!(!file.exists());
}

/// The folder at every step of a switch, each byte that is written a step: the set is the one before or the one after.
#[test]
fn a_process_that_ends_at_any_step_leaves_a_whole_set() {
    let folder = tempfile::tempdir().unwrap();
    let keep = Keep::new(folder.path()).unwrap();
    keep.prepare(&set(1), &set(1).mark()).unwrap().keep().unwrap();
    let (file, next) = (
        folder.path().join("accepted-set"),
        folder.path().join("accepted-set.next"),
    );
    let before = std::fs::read(&file).unwrap();
    let prepared = keep.prepare(&set(2), &set(2).mark()).unwrap();
    let written = std::fs::read(&next).unwrap();
    for end in 0..=written.len() {
        std::fs::write(&next, &written[..end]).unwrap();
        assert_eq!(keep.read().unwrap(), Some(set(1)), "{end}");
        // The next switch begins from there.
        if end % 16 == 0 {
            keep.prepare(&set(3), &set(3).mark()).unwrap().keep().unwrap();
            assert_eq!(keep.read().unwrap(), Some(set(3)), "{end}");
            std::fs::write(&file, &before).unwrap();
        }
    }
    std::fs::write(&next, &written).unwrap();
    prepared.keep().unwrap();
    assert_eq!(keep.read().unwrap(), Some(set(2)));
    // A file that lost its end, or a piece, with the power of the machine is no set.
    let whole = std::fs::read(&file).unwrap();
    for end in 0..whole.len() {
        std::fs::write(&file, &whole[..end]).unwrap();
        assert!(matches!(keep.read(), Err(KeepError::Damaged(_))), "{end}");
        let mut holed = whole.clone();
        holed[end] ^= 1;
        std::fs::write(&file, &holed).unwrap();
        assert!(matches!(keep.read(), Err(KeepError::Damaged(_))), "{end}");
    }
}
