//! The SQL of each kind of mutation, as it is read by a person.

use std::sync::Arc;

use plan::prepared::{AnswerPart, Mutation, RootContent};
use plan::{Plan, Request, Session, View};
use schema::RoleView;
use schema::model::Options;
use serde_json::{Value, json};

use crate::{readable, world};

fn planned(role: &str, text: &str, variables: &Value) -> Result<Plan, graphql::Error> {
    let view = RoleView::new(Arc::new(world::world(Options::default())), role, false);
    plan::plan(
        &View::of(&view),
        &Request {
            text,
            operation_name: None,
            variables: variables.as_object().expect("an object"),
            limits: &graphql::Limits::default(),
            options: &graphql::Options::default(),
        },
    )
}

fn mutation(plan: &Plan) -> &Mutation {
    match &plan.roots[0].content {
        RootContent::Mutation(mutation) => mutation,
        other => panic!("no mutation: {other:?}"),
    }
}

/// The statements, one a line.
fn texts(plan: &Plan) -> String {
    let all: Vec<String> = mutation(plan)
        .statements
        .iter()
        .map(|one| readable(&one.statement.text))
        .collect();
    all.join("\n")
}

#[track_caller]
fn becomes_as(role: &str, text: &str, variables: &Value, expected: &[&str]) {
    let text = format!("mutation {text}");
    let plan = planned(role, &text, variables).unwrap_or_else(|error| panic!("{error:?}"));
    let expected: Vec<String> = expected
        .iter()
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect();
    assert_eq!(texts(&plan), expected.join("\n"), "\n{text}");
}

#[track_caller]
fn becomes(text: &str, expected: &[&str]) {
    becomes_as("admin", text, &json!({}), expected);
}

const REFUSED: &str = "(concat('rowlock: check failed'))::bool";

#[test]
fn one_row_by_key_is_the_statement_alone() {
    becomes(
        "{ update_genre_by_pk(pk_columns: {genre_id: 1}, _set: {name: \"x\"}) { genre_id name __typename } }",
        &[
            "update genre as t0 set name = ($1)::varchar where (t0.genre_id = ($2)::int4) returning t0.genre_id, t0.name",
        ],
    );
    becomes(
        "{ delete_genre_by_pk(genre_id: 1) { name } }",
        &["delete from genre as t0 where (t0.genre_id = ($1)::int4) returning t0.name"],
    );
    becomes(
        "{ insert_genre_one(object: {name: \"x\"}) { genre_id } }",
        &["insert into genre as t0 (name) values (($1)::varchar) returning t0.genre_id"],
    );
}

#[test]
fn a_response_reads_the_written_rows() {
    becomes(
        "{ delete_genre(where: {genre_id: {_gt: 3}}) { affected_rows } }",
        &[
            "with t0 as (delete from genre as t1 where (t1.genre_id > ($1)::int4) returning true) select count(*) from t0 as t2",
        ],
    );
    becomes(
        "{ update_play_event(where: {}, _inc: {duration_ms: 5}, _delete_key: {meta: \"k\"}) {
             returning { play_event_id } n: affected_rows } }",
        &["with t0 as (update play_event as t1 set duration_ms = (t1.duration_ms + ($1)::int4), meta = (t1.meta - ($2)::text)
           returning t1.*) select array_agg(row(t2.play_event_id)), count(*) from t0 as t2"],
    );
}

#[test]
fn a_row_of_the_roles_own() {
    let check = format!("case when (t1.listener_id = ($2)::int4) then true else {REFUSED} end as #check");
    becomes_as(
        "listener",
        "{ update_play_event(where: {track_id: {_eq: 1}}, _set: {device: \"x\"}) { affected_rows } }",
        &json!({}),
        &[&format!(
            "with t0 as (update play_event as t1 set device = ($1)::text where ((t1.track_id = ($3)::int4) and
             (t1.listener_id = ($2)::int4)) returning {check}) select count(*) from t0 as t2"
        )
        .replace("($2)", "(%)")
        .replace("($3)", "($2)")
        .replace("(%)", "($3)")],
    );
    becomes_as(
        "listener",
        "{ insert_play_event(objects: [{track_id: 1}]) { affected_rows } }",
        &json!({}),
        &[&format!(
            "with t0 as (insert into play_event as t1 (listener_id, track_id) values (($1)::int4, ($2)::int4) returning
             case when (t1.listener_id = ($1)::int4) then true else {REFUSED} end as #check) select count(*) from t0 as t2"
        )],
    );
}

#[test]
fn an_upsert() {
    becomes_as(
        "listener",
        "{ insert_play_event(objects: [{track_id: 1}, {device: null}], on_conflict: {constraint: play_event_pkey,
             update_columns: [device], where: {rating: {_lt: 3}}}) { affected_rows } }",
        &json!({}),
        &[&format!(
            "with t0 as (insert into play_event as t1 (listener_id, track_id, device) values
             (($1)::int4, ($2)::int4, default), (($1)::int4, default, (null)::text)
             on conflict on constraint play_event_pkey do update set device = excluded.device
             where ((case when (t1.listener_id = ($1)::int4) then t1.rating end < ($3)::int2) and (t1.listener_id = ($1)::int4))
             returning case when (t1.listener_id = ($1)::int4) then true else {REFUSED} end as #check)
             select count(*) from t0 as t2"
        )],
    );
}

#[test]
fn what_is_related_is_read_afterwards() {
    becomes(
        "{ update_album_by_pk(pk_columns: {album_id: 1}, _set: {title: \"x\"}) { title artist { name } } }",
        &[
            "with t0 as (update album as t1 set title = ($1)::varchar where (t1.album_id = ($2)::int4) returning (t1.*)::album as row)
             select set_config('rowlock.rows0', coalesce((array_agg(t2.row))::text, '{}'), true),
             set_config('rowlock.count0', (count(*))::text, true) from t0 as t2",
            "select t0.title, (t2.artist_id is not null), t2.name from (select t1.title, t1.artist_id, row_number() over () as #order
             from unnest((current_setting('rowlock.rows0'))::album[]) as t1) as t0
             left join artist as t2 on (t2.artist_id = t0.artist_id) order by t0.#order",
        ],
    );
}

#[test]
fn rows_of_one_form_are_arrays() {
    let text = "mutation ($rows: [genre_insert_input!]!) { insert_genre(objects: $rows) { affected_rows } }";
    let variables = |count: usize| {
        let rows: Vec<Value> = (0..count)
            .map(|at| json!({"genre_id": at, "name": "a\"b"}))
            .collect();
        json!({ "rows": rows })
    };
    let plan = planned("admin", text, &variables(2)).expect("a plan");
    assert_eq!(
        texts(&plan),
        "with t0 as (insert into genre as t1 (genre_id, name) select t2.c0, t2.c1 from unnest(($1)::int4[], ($2)::varchar[]) \
         with ordinality as t2 (c0, c1, n) returning true) select count(*) from t0 as t3"
    );
    let session = Session {
        role: "admin".into(),
        variables: Vec::new(),
        backend: false,
    };
    // The same plan serves any number of rows of that form, and no other.
    for count in [1, 3, 1000] {
        let variables = variables(count);
        let variables = variables.as_object().expect("an object");
        assert!(plan.fits(variables));
        assert_eq!(plan.bind(variables, &session).expect("values").len(), 2);
    }
    let values = plan
        .bind(variables(2).as_object().expect("an object"), &session)
        .expect("values");
    assert_eq!(
        values,
        [
            Some("{0,1}".to_owned()),
            Some("{\"a\\\"b\",\"a\\\"b\"}".to_owned())
        ]
    );
    for other in [
        json!({"rows": []}),
        json!({"rows": [{"genre_id": 1}]}),
        json!({"rows": [{"name": "a", "genre_id": 1}]}),
        json!({"rows": [{"genre_id": 1, "name": "a"}, {"genre_id": 1}]}),
    ] {
        assert!(!plan.fits(other.as_object().expect("an object")), "{other}");
    }
    let wrong = json!({"rows": [{"genre_id": 1, "name": "a"}, {"genre_id": true, "name": "a"}]});
    let error = plan
        .bind(wrong.as_object().expect("an object"), &session)
        .expect_err("an error");
    assert_eq!(
        error.path.to_string(),
        "$.selectionSet.insert_genre.args.objects[1].genre_id"
    );
}

#[test]
fn levels_of_rows_hand_their_keys_on() {
    let variables = json!({"rows": [{"name": "n", "albums": {"data": [{"title": "t"}]}}]});
    let text = "($rows: [artist_insert_input!]!) { insert_artist(objects: $rows) { affected_rows } }";
    becomes_as(
        "admin",
        text,
        &variables,
        &[
            "with t0 as (insert into artist as t1 (name) select t3.c0 from unnest(($1)::varchar[]) with ordinality as t3 (c0, n)
             returning (t1.*)::artist as row) select set_config('rowlock.rows0', coalesce((array_agg(t2.row))::text, '{}'), true),
             set_config('rowlock.count0', (count(*))::text, true), case when (count(*) = ($2)::int8) then true else
             (concat('rowlock: rows missing'))::bool end from t0 as t2",
            "with t0 as (insert into album as t1 (title, artist_id) select t3.c0, t4.artist_id from unnest(($1)::varchar[], ($2)::int4[])
             with ordinality as t3 (c0, p1, n) left join (select row_number() over () as #n, t5.* from
             unnest((current_setting('rowlock.rows0'))::artist[]) as t5) as t4 on (t4.#n = t3.p1) order by t3.n returning true)
             select ((current_setting('rowlock.count0'))::int8 + count(*)) from t0 as t2",
        ],
    );
}

/// The statements that are tried first, one a line.
fn at_once(role: &str, text: &str, variables: &Value) -> String {
    let plan = planned(role, text, variables).unwrap_or_else(|error| panic!("{error:?}"));
    let all: Vec<String> = mutation(&plan)
        .at_once
        .iter()
        .map(|one| readable(&one.statement.text))
        .collect();
    all.join("\n")
}

#[test]
fn levels_that_nothing_looks_at_are_one_statement() {
    let words = |lines: &[&str]| -> String {
        let lines = lines.iter();
        let lines: Vec<String> = lines
            .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
            .collect();
        lines.join("\n")
    };
    let variables = json!({"rows": [{"name": "n", "albums": {"data": [{"title": "t"}]}}]});
    let insert = |selection: &str| {
        format!(
            "mutation ($rows: [artist_insert_input!]!) {{ insert_artist(objects: $rows) {{ {selection} }} }}"
        )
    };
    let album = "t3 as (insert into album as t4 (title, artist_id) select t5.c0, (array(select t6.artist_id from t0 as t6))[t5.p1] \
                 from unnest(($2)::varchar[], ($3)::int4[]) with ordinality as t5 (c0, p1, n) returning true)";
    let artist = "with t0 as (insert into artist as t1 (name) select t2.c0 from unnest(($1)::varchar[]) with ordinality as t2 (c0, n) \
                  returning";
    let all = |alias: &str| {
        format!(
            "case when ((select count(*) from t0 as {alias}) = ($4)::int8) then true else (concat('rowlock: rows missing'))::bool end"
        )
    };
    assert_eq!(
        at_once("admin", &insert("affected_rows"), &variables),
        words(&[&format!(
            "{artist} t1.artist_id), {album} select ((select count(*) from t0 as t7) + (select count(*) from t3 as t8)) where {}",
            all("t10")
        )]),
    );
    assert_eq!(
        at_once("admin", &insert("returning { name }"), &variables),
        words(&[&format!(
            "{artist} t1.*), {album} select array_agg(row(t9.name)) from t0 as t9 where {}",
            all("t10")
        )]),
    );
    // What is related to the rows is read afterwards.
    assert_eq!(
        at_once("admin", &insert("returning { albums { title } }"), &variables),
        words(&[
            &format!(
                "{artist} t1.artist_id, (t1.*)::artist as #row), {album} select set_config('rowlock.rows0',
                 coalesce(((select array_agg(t9.#row) from t0 as t9))::text, '{{}}'), true),
                 set_config('rowlock.count0', ((select count(*) from t0 as t10))::text, true),
                 set_config('rowlock.count1', ((select count(*) from t3 as t11))::text, true) where {}",
                all("t12")
            ),
            "select array_agg(row(array(select row(t2.title) from album as t2 where (t2.artist_id = t0.artist_id))) order by t0.#order)
             from (select t1.artist_id, row_number() over () as #order from
             unnest((current_setting('rowlock.rows0'))::artist[]) as t1) as t0",
        ]),
    );
    // Rows that may be kept out by a conflict, and that others depend on; a single level.
    for text in [
        "mutation { insert_artist(objects: [{name: \"n\", albums: {data: [{title: \"t\"}]}}],
           on_conflict: {constraint: artist_pkey, update_columns: []}) { affected_rows } }",
        "mutation { insert_artist(objects: [{name: \"n\"}]) { affected_rows } }",
    ] {
        assert_eq!(at_once("admin", text, &json!({})), "", "{text}");
    }
}

#[test]
fn nothing_to_write_is_no_statement() {
    for (text, answer) in [
        (
            "{ update_genre(where: {}) { affected_rows returning { name } } }",
            r#"{"affected_rows":0,"returning":[]}"#,
        ),
        (
            "{ update_genre_by_pk(pk_columns: {genre_id: 1}) { name } }",
            "null",
        ),
        (
            "{ insert_genre(objects: []) { affected_rows } }",
            r#"{"affected_rows":0}"#,
        ),
    ] {
        let plan = planned("admin", &format!("mutation {text}"), &json!({})).expect("a plan");
        let mutation = mutation(&plan);
        assert!(mutation.statements.is_empty());
        let [AnswerPart::Constant(json)] = mutation.answer.as_slice() else {
            panic!("{mutation:?}");
        };
        assert_eq!(std::str::from_utf8(json), Ok(answer));
    }
}
