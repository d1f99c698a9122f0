use super::*;
use compile::ObjectKey;
use delivery::{ObjectProblem, RefusedSetting, SourceReport};

fn entry(kind: Kind, name: &str, place: &[&str]) -> (Verdict, Published) {
    let object = ObjectKey {
        kind,
        namespace: "n".to_owned(),
        name: name.to_owned(),
    };
    let verdict = Verdict {
        object: object.clone(),
        uid: name.to_owned(),
        generation: 1,
        refusal: None,
        serving: Serving::Present,
        unsupported: Vec::new(),
    };
    let published = Published {
        object,
        uid: name.to_owned(),
        observed_generation: 1,
        hash: format!("hash of {name}"),
        place: place.iter().map(|part| (*part).to_owned()).collect(),
        secrets: Vec::new(),
        created: String::new(),
    };
    (verdict, published)
}

fn world() -> (Vec<Verdict>, Vec<Published>) {
    [
        entry(Kind::Engine, "e", &[]),
        entry(Kind::Source, "s", &["default"]),
        entry(Kind::Table, "t", &["default", "public", "album"]),
        entry(Kind::Permission, "p", &["default", "public", "album", "user"]),
    ]
    .into_iter()
    .unzip()
}

fn report(problems: Vec<ObjectProblem>, sources: Vec<SourceReport>) -> Report {
    Report {
        revision: "1".to_owned(),
        pod: String::new(),
        version: String::new(),
        counter: Some(1),
        generation: String::new(),
        objects: String::new(),
        ready: true,
        held: false,
        refused: None,
        problems,
        sources,
        secrets: None,
        refused_settings: Vec::new(),
        unkept: None,
    }
}

fn pod(name: &str, uids: &[&str], report: Report) -> Served {
    let table = uids
        .iter()
        .map(|uid| ((*uid).to_owned(), format!("hash of {uid}")));
    Served {
        pod: name.to_owned(),
        report: Some(Arc::new(report)),
        table: Some(Arc::new(table.collect())),
    }
}

fn ground(pods: Vec<Served>) -> Ground {
    let count = i32::try_from(pods.len()).unwrap_or_default();
    Ground {
        pods,
        rollout: Some(Rollout {
            wanted: count,
            replicas: count,
            updated: count,
            ready: count,
            observed: true,
        }),
        ..Ground::default()
    }
}

const ALL: &[&str] = &["e", "s", "t", "p"];

/// Name, and reason and message of `Programmed`.
fn programmed(ground: &Ground) -> Vec<(String, Reason, String)> {
    let (verdicts, published) = world();
    conditions(&verdicts, &published, ground)
        .into_iter()
        .map(|(key, judged)| {
            let found = judged
                .conditions
                .into_iter()
                .find(|condition| condition.kind == ConditionType::Programmed);
            let found = found.expect("a condition");
            (key.name, found.reason, found.message)
        })
        .collect()
}

#[test]
fn a_lagging_pod_touches_only_what_changed() {
    let good = || report(Vec::new(), Vec::new());
    let all = programmed(&ground(vec![pod("a", ALL, good()), pod("b", ALL, good())]));
    assert!(
        all.iter().all(|(_, reason, _)| *reason == Reason::Programmed),
        "{all:?}"
    );
    let some = programmed(&ground(vec![
        pod("a", ALL, good()),
        pod("b", &["e", "s", "t"], good()),
    ]));
    let pending: Vec<_> = some
        .iter()
        .filter(|(_, reason, _)| *reason == Reason::Pending)
        .collect();
    assert_eq!(pending.len(), 1);
    assert_eq!(pending[0].0, "p");
    assert_eq!(pending[0].2, "served by 1 of 2 ready pods; waiting for b");
    let none = programmed(&ground(Vec::new()));
    assert!(none.iter().all(|(_, reason, _)| *reason == Reason::NoReadyPod));
}

#[test]
fn what_does_not_fit_takes_what_stands_in_it_along() {
    let problem = |unreachable: bool| ObjectProblem {
        uid: "t".to_owned(),
        kind: "Table".to_owned(),
        namespace: "n".to_owned(),
        name: "t".to_owned(),
        path: "spec.table".to_owned(),
        message: "no such table".to_owned(),
        unreachable,
        unsupported: false,
        served: false,
    };
    let all = programmed(&ground(vec![pod(
        "a",
        ALL,
        report(vec![problem(false)], Vec::new()),
    )]));
    let reasons: Vec<Reason> = all.iter().map(|(_, reason, _)| *reason).collect();
    assert_eq!(
        reasons,
        [
            Reason::Programmed,
            Reason::Programmed,
            Reason::NotAccepted,
            Reason::NotAccepted
        ]
    );
    let (verdicts, published) = world();
    let ground_of = ground(vec![pod("a", ALL, report(vec![problem(false)], Vec::new()))]);
    let made = conditions(&verdicts, &published, &ground_of);
    assert_eq!(made[2].1.conditions[0].message, "spec.table: no such table");
    assert_eq!(
        made[3].1.conditions[0].message,
        "Table n/t does not fit the database: see its status"
    );
    let unknown = programmed(&ground(vec![pod(
        "a",
        ALL,
        report(vec![problem(true)], Vec::new()),
    )]));
    assert_eq!(unknown[2].1, Reason::Pending);
    assert_eq!(unknown[3].1, Reason::Programmed);
}

/// What pods leave out is not ready, though compiling finds nothing that is not served.
#[test]
fn what_pods_do_not_serve_yet_is_told() {
    let problem = |message: &str, unsupported: bool| ObjectProblem {
        uid: "t".to_owned(),
        kind: "Table".to_owned(),
        namespace: "n".to_owned(),
        name: "t".to_owned(),
        path: "spec.table".to_owned(),
        message: message.to_owned(),
        unreachable: false,
        unsupported,
        served: false,
    };
    let told = |problems: Vec<ObjectProblem>| {
        let all = programmed(&ground(vec![pod("a", ALL, report(problems, Vec::new()))]));
        assert_eq!(all[3].1 == Reason::Programmed, all[2].1 == Reason::NotSupported);
        (all[2].1, all[2].2.clone())
    };
    assert_eq!(
        told(vec![problem("not yet", true)]),
        (Reason::NotSupported, "spec.table: not yet".to_owned())
    );
    // A fault is not hidden behind it.
    let faulty = (Reason::NotAccepted, "the present form is not accepted".to_owned());
    assert_eq!(
        told(vec![problem("not yet", true), problem("wrong", false)]),
        faulty
    );
    assert_eq!(
        told(vec![problem("wrong", false), problem("not yet", true)]),
        faulty
    );
}

/// What stands in it is served too, and a fault is not hidden behind it.
#[test]
fn what_is_served_all_the_same_costs_nothing() {
    let problem = |served: bool| ObjectProblem {
        uid: "t".to_owned(),
        kind: "Table".to_owned(),
        namespace: "n".to_owned(),
        name: "t".to_owned(),
        path: "spec.table".to_owned(),
        message: if served { "odd" } else { "wrong" }.to_owned(),
        unreachable: false,
        unsupported: false,
        served,
    };
    let told = |problems: Vec<ObjectProblem>, pods: &[&[&str]]| {
        let pods = pods
            .iter()
            .map(|uids| pod("a", uids, report(problems.clone(), Vec::new())));
        let (verdicts, published) = world();
        let made = conditions(&verdicts, &published, &ground(pods.collect()));
        let words = |at: usize| {
            let conditions = made[at].1.conditions.iter();
            conditions
                .map(|one| (one.reason, one.message.clone()))
                .collect::<Vec<_>>()
        };
        (words(2), words(3))
    };
    let (table, permission) = told(vec![problem(true)], &[ALL]);
    let served = (Reason::Programmed, "served by 1 of 1 ready pods".to_owned());
    assert_eq!(
        table,
        [(Reason::Refused, "spec.table: odd".to_owned()), served.clone()]
    );
    assert_eq!(permission[1], served);
    for both in [[problem(true), problem(false)], [problem(false), problem(true)]] {
        let (table, permission) = told(both.into(), &[ALL]);
        assert_eq!(table[0], (Reason::Refused, "spec.table: wrong".to_owned()));
        assert_eq!(permission[0].0, Reason::Refused);
    }
}

#[test]
fn a_database_that_never_answered_serves_nothing() {
    let source = |fingerprint: Option<&str>| SourceReport {
        name: "default".to_owned(),
        state: SourceState::Down,
        message: Some("connection refused".to_owned()),
        fingerprint: fingerprint.map(str::to_owned),
    };
    let never = programmed(&ground(vec![pod(
        "a",
        ALL,
        report(Vec::new(), vec![source(None)]),
    )]));
    assert_eq!(never[0].1, Reason::Programmed);
    assert_eq!(
        (never[2].1, never[2].2.as_str()),
        (Reason::Pending, "source default: connection refused")
    );
    let once = programmed(&ground(vec![pod(
        "a",
        ALL,
        report(Vec::new(), vec![source(Some("x"))]),
    )]));
    assert!(once.iter().all(|(_, reason, _)| *reason == Reason::Programmed));
}

#[test]
fn an_engine_is_programmed_when_its_pods_are_all_there() {
    let mut ground = ground(vec![pod("a", ALL, report(Vec::new(), Vec::new()))]);
    ground.rollout = Some(Rollout {
        wanted: 2,
        replicas: 2,
        updated: 1,
        ready: 1,
        observed: true,
    });
    ground
        .trouble
        .insert("b".to_owned(), "ImagePullBackOff: no such image".to_owned());
    let all = programmed(&ground);
    assert_eq!(all[0].1, Reason::Pending);
    assert_eq!(
        all[0].2,
        "1 of 2 pods are of the present form and ready; pod b: ImagePullBackOff: no such image"
    );
    assert_eq!(all[1].1, Reason::Programmed, "objects are served");
    ground.pods.clear();
    assert_eq!(
        programmed(&ground)[0].2,
        "the engine has no ready pod; pod b: ImagePullBackOff: no such image"
    );
}

#[test]
fn an_engine_whose_pods_do_not_take_a_rotated_secret_says_so() {
    let mut told = report(Vec::new(), Vec::new());
    told.refused_settings = vec![RefusedSetting {
        variable: "HASURA_GRAPHQL_JWT_SECRET".to_owned(),
        message: "Key size too small".to_owned(),
    }];
    let all = programmed(&ground(vec![
        pod("a", ALL, report(Vec::new(), Vec::new())),
        pod("b", ALL, told),
    ]));
    assert_eq!(
        (all[0].1, all[0].2.as_str()),
        (
            Reason::Pending,
            "pod b does not take HASURA_GRAPHQL_JWT_SECRET: Key size too small; its last value stays in use"
        )
    );
    assert_eq!(all[1].1, Reason::Programmed, "objects are served");
}
