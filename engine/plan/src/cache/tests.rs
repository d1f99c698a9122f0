use std::sync::Arc;

use graphql::VariableCheck;
use graphql::guard::{Expected, Guard};
use graphql::operation::VariablePath;
use serde_json::json;

use super::*;

fn plan(guards: Vec<Guard>) -> Arc<Plan> {
    Arc::new(Plan {
        kind: graphql::OperationKind::Query,
        operation_name: None,
        cached: None,
        roots: Vec::new(),
        slots: Vec::new(),
        guards,
        variables: VariableCheck::default(),
        parameterized_hash: String::new(),
    })
}

fn key(text: &str) -> Key<'_> {
    Key {
        endpoint: "v1",
        role: "user",
        backend: false,
        text,
        operation_name: None,
    }
}

fn variables(value: &Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap_or_default()
}

#[test]
fn finds_what_fits() {
    let cache = PlanCache::new(1 << 20);
    let none = Map::new();
    assert!(cache.get(&key("{a}"), &none).is_none());
    cache.insert(&key("{a}"), plan(Vec::new()));
    assert!(cache.get(&key("{a}"), &none).is_some());
    assert!(cache.get(&key("{b}"), &none).is_none());
    let other_role = Key {
        role: "admin",
        ..key("{a}")
    };
    assert!(cache.get(&other_role, &none).is_none());
    let statistics = cache.statistics();
    assert_eq!(
        (statistics.hits, statistics.misses, statistics.entries),
        (1, 3, 1)
    );
}

#[test]
fn variants_are_told_apart_by_guards() {
    let cache = PlanCache::new(1 << 20);
    for flag in [true, false] {
        let place = VariablePath {
            variable: "flag".into(),
            segments: Arc::new([]),
        };
        let expected = Expected::Exactly(json!(flag));
        cache.insert(&key("{a}"), plan(vec![Guard { place, expected }]));
    }
    assert!(
        cache
            .get(&key("{a}"), &variables(&json!({"flag": true})))
            .is_some()
    );
    assert!(
        cache
            .get(&key("{a}"), &variables(&json!({"flag": false})))
            .is_some()
    );
    assert!(cache.get(&key("{a}"), &Map::new()).is_none());
    assert_eq!(cache.statistics().entries, 1);
}

#[test]
fn stays_within_its_bytes() {
    let cache = PlanCache::new(1 << 16);
    for number in 0..10_000 {
        cache.insert(&key(&format!("{{a{number}}}")), plan(Vec::new()));
    }
    let statistics = cache.statistics();
    assert!(statistics.bytes <= 1 << 16, "{statistics:?}");
    assert!(statistics.entries > 16, "{statistics:?}");
    cache.clear();
    assert_eq!(cache.statistics().entries, 0);
}

#[test]
fn what_is_used_stays() {
    let cache = PlanCache::new(1 << 16);
    cache.insert(&key("{often}"), plan(Vec::new()));
    for number in 0..1_000 {
        assert!(
            cache.get(&key("{often}"), &Map::new()).is_some(),
            "after {number}"
        );
        cache.insert(&key(&format!("{{a{number}}}")), plan(Vec::new()));
    }
}
