//! Objects that cannot both be served, and such as are not served yet: what pods do, and whom they tell.

use compile::Object;
use delivery::Set;
use serde_json::{Value, json};

use crate::delivered::{World, albums, object, set_of};

fn table(name: &str, table: &str, custom_name: Option<&str>, day: u8) -> Object {
    let mut spec = json!({"sourceRef": {"name": "main"}, "table": {"name": table}});
    if let Some(name) = custom_name {
        spec["customName"] = name.into();
    }
    let mut table = object("Table", name, &spec);
    table.created = format!("2026-01-{day:02}T00:00:00Z");
    table
}

fn source() -> Object {
    let url = json!({"urlFrom": {"secretKeyRef": {"name": "database", "key": "uri"}}});
    object("Source", "main", &json!({"name": "default", "connection": url}))
}

/// Name, field and message of each problem.
fn problems(of: &Value) -> Vec<[String; 3]> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let problems = of["problems"].as_array().unwrap().iter();
    problems
        .map(|problem| ["name", "path", "message"].map(|key| text(&problem[key])))
        .collect()
}

/// The younger one is left out and told, whatever it is called, before and after it is published.
#[test]
fn a_clash_costs_only_the_younger() {
    let world = World::new("clashes");
    let pod = world.pod();
    let of = |counter: u64, old: u8, new: u8| -> Set {
        let tables = [
            table("z-old", "album", None, old),
            table("a-new", "song", Some("album"), new),
        ];
        set_of(counter, tables.into_iter().chain([source()]).collect())
    };
    world.publish_set(set_of(5, vec![source(), table("z-old", "album", None, 1)]));
    pod.served(5);
    let sql = "create table song (id int primary key, title text)";
    let run_sql = json!({"type": "run_sql", "args": {"source": "default", "sql": sql}});
    let headers = [("x-hasura-admin-secret", "first")];
    let (status, answer) = pod.server.json("/v2/query", &headers, &run_sql);
    assert_eq!(status, 200, "{answer}");

    let younger = [[
        "a-new",
        "spec.customName",
        "Table shop/z-old has the root field \"album\" already: give one of the two another name",
    ]
    .map(str::to_owned)];
    let both = of(6, 1, 2);
    assert_eq!(problems(&pod.check(&both)), younger);
    // Nobody was asked.
    world.publish_set(both.clone());
    assert_eq!(problems(&pod.served(6)), younger);
    assert_eq!(pod.ask("first", "admin"), albums());
    // The same document; the other one is older.
    let swapped = of(7, 2, 1);
    assert_eq!(swapped.metadata, both.metadata);
    world.publish_set(swapped);
    let older = "Table shop/a-new has the root field \"album\" already: give one of the two another name";
    assert_eq!(
        problems(&pod.served(7)),
        [["z-old", "spec.table", older].map(str::to_owned)]
    );
    assert_eq!(pod.ask("first", "admin"), json!({"data": {"album": []}}));
}

/// A function that is left out though compiling finds nothing in it is told as such.
#[test]
fn what_is_not_served_yet_is_told_as_such() {
    let world = World::new("unsupported");
    let pod = world.pod();
    let tables = || {
        [
            source(),
            table("album", "album", None, 1),
            table("song", "song", None, 1),
        ]
    };
    world.publish_set(set_of(5, tables().into()));
    pod.served(5);
    let sql = "create table song (id int primary key, title text);
        create function songs() returns setof song language sql stable as 'select * from song'";
    let run_sql = json!({"type": "run_sql", "args": {"source": "default", "sql": sql}});
    let headers = [("x-hasura-admin-secret", "first")];
    let (status, answer) = pod.server.json("/v2/query", &headers, &run_sql);
    assert_eq!(status, 200, "{answer}");
    let response = json!({"type": "Table", "table": {"name": "album"}});
    let spec = json!({"sourceRef": {"name": "main"}, "function": {"name": "songs"}, "response": response});
    let function = object("Function", "songs", &spec);
    world.publish_set(set_of(6, tables().into_iter().chain([function]).collect()));
    let report = pod.served(6);
    assert_eq!(
        problems(&report),
        [[
            "songs",
            "spec.function",
            "in function \"songs\": the function \"songs\" cannot be tracked because responses of another table \
             (\"album\") than the function returns are not supported yet"
        ]
        .map(str::to_owned)]
    );
    assert_eq!(report["problems"][0]["unsupported"], true);
}

/// What leaves nothing out says so: whoever publishes must not take the object out on account of it.
#[test]
fn what_leaves_nothing_out_is_told_as_such() {
    let world = World::new("served_all_the_same");
    let pod = world.pod();
    let permission = |role: &str, columns: &[&str]| {
        let insert = json!({"columns": columns, "check": {}});
        let spec = json!({"tableRef": {"name": "album"}, "role": role, "insert": insert});
        object("Permission", role, &spec)
    };
    let queries = json!([{"name": "one", "query": "{ gone { id } }"}]);
    let objects = vec![
        source(),
        table("album", "album", None, 1),
        permission("one", &["id"]),
        permission("two", &["title"]),
        object(
            "InheritedRole",
            "both",
            &json!({"role": "both", "parents": ["one", "two"]}),
        ),
        object("QueryCollection", "c", &json!({"name": "c", "queries": queries})),
    ];
    world.publish_set(set_of(5, objects));
    let report = pod.served(5);
    let told = problems(&report);
    let fields: Vec<&str> = told.iter().map(|[_, field, _]| field.as_str()).collect();
    assert_eq!(
        fields,
        ["spec.parents", "spec.queries[name=one].query"],
        "{told:?}"
    );
    for problem in report["problems"].as_array().unwrap() {
        assert_eq!(problem["served"], true, "{problem}");
    }
}

/// What has no effect is told, though the metadata API takes it without a word.
#[test]
fn what_has_no_effect_is_told() {
    let world = World::new("idle");
    let pod = world.pod();
    world.publish_set(set_of(5, vec![source(), table("album", "album", None, 1)]));
    pod.served(5);
    let sql = "create function albums() returns setof album language sql stable as 'select * from album'";
    let run_sql = json!({"type": "run_sql", "args": {"source": "default", "sql": sql}});
    let headers = [("x-hasura-admin-secret", "first")];
    let (status, answer) = pod.server.json("/v2/query", &headers, &run_sql);
    assert_eq!(status, 200, "{answer}");
    let mut album = table("album", "album", None, 1);
    album.spec.change(|spec| {
        spec["columns"] = json!([{"name": "title", "comment": "c"}, {"name": "titel", "customName": "name"}]);
    });
    let select = json!({"columns": ["id"], "filter": {}});
    let permission = json!({"tableRef": {"name": "album"}, "role": "reader", "select": select});
    let roles = json!([{"role": "reader"}, {"role": "other"}]);
    let function = json!({
        "sourceRef": {"name": "main"}, "function": {"name": "albums"}, "permissions": roles,
    });
    let objects = vec![
        source(),
        album,
        object("Permission", "reader", &permission),
        object("Function", "albums", &function),
    ];
    let set = set_of(6, objects);
    let expected = [
        [
            "album",
            "spec.columns[name=titel]",
            "in table \"album\": column \"titel\" does not exist",
        ],
        [
            "albums",
            "spec.permissions[role=other]",
            "the function \"albums\" returns \"album\" and the role \"other\" does not have select permission on \"album\", \
             so it may not call it",
        ],
    ]
    .map(|told| told.map(str::to_owned));
    let checked = pod.check(&set);
    assert_eq!(problems(&checked), expected);
    world.publish_set(set);
    let report = pod.served(6);
    assert_eq!(problems(&report), expected);
    for problem in report["problems"].as_array().unwrap() {
        assert_eq!(problem["served"], true, "{problem}");
    }
    let inconsistent = json!({"type": "get_inconsistent_metadata", "args": {}});
    let (_, answer) = pod.server.json("/v1/metadata", &headers, &inconsistent);
    assert_eq!(answer["is_consistent"], true, "{answer}");
}
