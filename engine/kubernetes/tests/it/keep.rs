//! The set on disk.

use delivery::Set;
use kubernetes::{Keep, KeepError};

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
