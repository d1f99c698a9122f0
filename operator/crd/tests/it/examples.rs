//! The examples of the reference pages are objects of their kind.

use crd::{Kind, reference, spec};
use serde_json::Value;

#[test]
fn examples_are_of_their_kind() {
    for &kind in Kind::ALL {
        let object: Value = serde_norway::from_str(reference::example(kind)).expect("YAML");
        assert_eq!(object["apiVersion"], crd::API_VERSION, "{kind}");
        assert_eq!(object["kind"], kind.as_str());
        if let Err(error) = spec::check(kind, &object["spec"]) {
            panic!("{kind}: {error}");
        }
    }
}

#[test]
fn a_typo_is_refused_everywhere() {
    for &kind in Kind::ALL {
        let mut object: Value = serde_norway::from_str(reference::example(kind)).expect("YAML");
        object["spec"]["typo"] = true.into();
        let error = spec::check(kind, &object["spec"]).expect_err("an unknown field");
        assert!(error.to_string().contains("unknown field `typo`"), "{error}");
    }
}
