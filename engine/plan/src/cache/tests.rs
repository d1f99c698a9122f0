use std::sync::Arc;

use graphql::VariableCheck;
use graphql::guard::{Expected, Guard};
use graphql::operation::VariablePath;
use serde_json::json;

use super::*;
use crate::basis::Basis;

fn plan(guards: Vec<Guard>) -> Arc<Plan> {
    Arc::new(Plan {
        cost: crate::cost::Cost::default(),
        kind: graphql::OperationKind::Query,
        operation_name: None,
        basis: Basis::default(),
        cached: None,
        roots: Vec::new(),
        slots: Vec::new(),
        validations: Vec::new(),
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
    assert!(cache.get(&key("{a}"), &Model::default(), &none).is_none());
    cache.insert(&key("{a}"), plan(Vec::new()));
    assert!(cache.get(&key("{a}"), &Model::default(), &none).is_some());
    assert!(cache.get(&key("{b}"), &Model::default(), &none).is_none());
    let other_role = Key {
        role: "admin",
        ..key("{a}")
    };
    assert!(cache.get(&other_role, &Model::default(), &none).is_none());
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
            .get(&key("{a}"), &Model::default(), &variables(&json!({"flag": true})))
            .is_some()
    );
    assert!(
        cache
            .get(
                &key("{a}"),
                &Model::default(),
                &variables(&json!({"flag": false}))
            )
            .is_some()
    );
    assert!(cache.get(&key("{a}"), &Model::default(), &Map::new()).is_none());
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
            cache
                .get(&key("{often}"), &Model::default(), &Map::new())
                .is_some(),
            "after {number}"
        );
        cache.insert(&key(&format!("{{a{number}}}")), plan(Vec::new()));
    }
}

#[test]
fn a_plan_of_parts_that_are_gone_is_not_found() {
    let role = Arc::new(schema::model::Role {
        name: "user".into(),
        ..Default::default()
    });
    let model = |role: &Arc<_>| Model {
        roles: [("user".into(), Arc::clone(role))].into(),
        ..Model::default()
    };
    let before = model(&role);
    let cache = PlanCache::new(1 << 20);
    let mut stale = Arc::try_unwrap(plan(Vec::new())).unwrap();
    stale.basis = Basis::of(&before, &role, &[]);
    cache.insert(&key("{a}"), Arc::new(stale));
    assert!(cache.get(&key("{a}"), &before, &Map::new()).is_some());
    let after = model(&Arc::new(schema::model::Role {
        name: "user".into(),
        ..Default::default()
    }));
    assert!(cache.get(&key("{a}"), &after, &Map::new()).is_none());
}
