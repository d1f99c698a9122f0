//! The SQL of each feature, as it is read by a person.

use schema::model::Options;
use serde_json::Value;

use crate::{plan_with, readable, sql, sql_as, text_of};

#[track_caller]
fn becomes(query: &str, expected: &str) {
    let expected = expected.split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(sql(query), expected, "\n{query}");
}

#[test]
fn lists() {
    becomes(
        "{ track { track_id name } }",
        "select t0.track_id, t0.name from track as t0",
    );
    becomes(
        "{ track(where: {track_id: {_gt: 3}}, order_by: {track_id: asc}, limit: 20, offset: 5) { name } }",
        "select t0.name from track as t0 where (t0.track_id > ($1)::int4) order by t0.track_id limit 20 offset 5",
    );
    becomes(
        "{ track(distinct_on: [name], order_by: [{name: desc}, {track_id: asc_nulls_first}]) { track_id } }",
        "select distinct on (t0.name) t0.track_id from track as t0 order by t0.name desc, t0.track_id nulls first",
    );
}

#[test]
fn by_key() {
    becomes(
        "{ track_by_pk(track_id: 1) { name __typename } }",
        "select t0.name from track as t0 where (t0.track_id = ($1)::int4)",
    );
}

#[test]
fn a_page_is_drawn_before_objects_are_joined() {
    becomes(
        "{ track(limit: 20, order_by: {name: asc}) { track_id album { title artist { name } } } }",
        "select t0.track_id, (t2.album_id is not null), t2.title, (t3.artist_id is not null), t3.name
         from (select t1.name, t1.track_id, t1.album_id from track as t1 order by t1.name limit 20) as t0
         left join album as t2 on (t2.album_id = t0.album_id)
         left join artist as t3 on (t3.artist_id = t2.artist_id) order by t0.name",
    );
}

#[test]
fn objects_without_a_page_are_joined_at_once() {
    becomes(
        "{ track(order_by: {album: {title: asc}}) { album { title } } }",
        "select (t1.album_id is not null), t1.title from track as t0
         left join album as t1 on (t1.album_id = t0.album_id) order by t1.title",
    );
}

#[test]
fn an_object_that_is_not_unique_is_limited() {
    becomes(
        "{ track { some_event { device } } }",
        "select (t1.track_id is not null), t1.device from track as t0 left join lateral
         (select t2.* from play_event as t2 where (t2.track_id = t0.track_id) limit 1) as t1 on true",
    );
}

#[test]
fn lists_within_lists() {
    becomes(
        "{ artist(limit: 2) { albums(order_by: {album_id: asc}, limit: 5) { title tracks { name } } } }",
        "select array(select row(t1.title, array(select row(t2.name) from track as t2
         where (t2.album_id = t1.album_id))) from album as t1 where (t1.artist_id = t0.artist_id)
         order by t1.album_id limit 5) from artist as t0 limit 2",
    );
}

#[test]
fn aggregates() {
    becomes(
        "{ play_event_aggregate { aggregate { count avg { duration_ms } max { played_at } } } }",
        "select count(*), avg(t0.duration_ms), max(t0.played_at) from play_event as t0",
    );
    becomes(
        "{ track_aggregate(limit: 3, order_by: {name: asc}) {
             aggregate { count(columns: [name, album_id], distinct: true) } nodes { name album { title } } } }",
        "select count(distinct row(t0.name, t0.album_id)),
         array_agg(row(t0.name, (t2.album_id is not null), t2.title) order by t0.name)
         from (select t1.name, t1.album_id from track as t1 order by t1.name limit 3) as t0
         left join album as t2 on (t2.album_id = t0.album_id)",
    );
    becomes(
        "{ artist { albums_aggregate(where: {title: {_ilike: \"a%\"}}) { aggregate { count } nodes { title } } } }",
        "select (select row(count(*), array_agg(row(t1.title))) from album as t1
         where ((t1.artist_id = t0.artist_id) and (t1.title ilike ($1)::text))) from artist as t0",
    );
}

#[test]
fn filters() {
    let filter = |filter: &str| {
        let text = sql(&format!("{{ track(where: {filter}) {{ name }} }}"));
        let start = "select t0.name from track as t0";
        let rest = text.strip_prefix(start).unwrap_or(&text);
        rest.strip_prefix(" where ").unwrap_or(rest).to_owned()
    };
    assert_eq!(filter("{}"), "");
    assert_eq!(filter("{_or: []}"), "false");
    assert_eq!(filter("{_not: {_or: []}}"), "");
    assert_eq!(filter("{_and: [{}, {_and: []}]}"), "");
    assert_eq!(filter("{name: {_in: []}}"), "false");
    assert_eq!(filter("{name: {_nin: []}}"), "");
    assert_eq!(
        filter("{name: {_in: [\"a\", \"b\"]}}"),
        "(t0.name = any(($1)::varchar[]))"
    );
    assert_eq!(
        filter("{name: {_nin: [\"a\"]}}"),
        "(t0.name <> all(($1)::varchar[]))"
    );
    assert_eq!(filter("{name: {_is_null: true}}"), "(t0.name is null)");
    assert_eq!(
        filter("{name: {_is_null: false, _neq: \"a\"}}"),
        "((t0.name is not null) and (t0.name <> ($1)::varchar))"
    );
    assert_eq!(
        filter("{_or: [{track_id: {_eq: 1}}, {_not: {name: {_eq: \"a\"}}}]}"),
        "((t0.track_id = ($1)::int4) or (not (t0.name = ($2)::varchar)))"
    );
    assert_eq!(
        filter("{album: {artist: {name: {_eq: \"a\"}}}}"),
        "exists (select 1 from album as t1 where ((t1.album_id = t0.album_id) and exists (select 1 from artist as t2 \
         where ((t2.artist_id = t1.artist_id) and (t2.name = ($1)::varchar)))))"
    );
}

#[test]
fn filters_over_aggregates() {
    becomes(
        "{ artist(where: {albums_aggregate: {count: {predicate: {_gt: 3}, distinct: true, arguments: [title],
             filter: {title: {_neq: \"x\"}}}}}) { name } }",
        "select t0.name from artist as t0 where exists (select 1 from album as t1 where ((t1.artist_id = t0.artist_id)
         and (t1.title <> ($1)::varchar)) having (count(distinct t1.title) > ($2)::int4))",
    );
}

#[test]
fn filters_over_json_arrays_and_shapes() {
    becomes(
        "{ play_event(where: {meta: {_contains: {a: 1}, _has_key: \"a\", _has_keys_any: [\"a\", \"b\"]}}) { rating } }",
        "select t0.rating from play_event as t0 where ((t0.meta @> ($1)::jsonb) and (t0.meta ? ($2)::text)
         and (t0.meta ?| ($3)::text[]))",
    );
    becomes(
        "{ place(where: {tags: {_contains: [\"a\"], _in: [[\"b\"], [\"c\"]]}}) { id } }",
        "select t0.id from place as t0 where ((t0.tags @> ($1)::_text)
         and ((t0.tags = ($2)::_text) or (t0.tags = ($3)::_text)))",
    );
    becomes(
        "{ place(where: {point: {_st_within: {type: \"Point\", coordinates: [1, 2]}}}) { point } }",
        "select st_asgeojson(t0.point, 15, 4) from place as t0
         where st_within(t0.point, st_geomfromgeojson(($1)::text))",
    );
}

#[test]
fn orders() {
    becomes(
        "{ artist(order_by: [{albums_aggregate: {count: desc, max: {title: asc}}}, {label: asc}], limit: 3) { name } }",
        "select t0.name from artist as t0 order by
         (select count(*) from album as t1 where (t1.artist_id = t0.artist_id)) desc,
         (select max(t2.title) from album as t2 where (t2.artist_id = t0.artist_id)), label(t0.*) limit 3",
    );
    becomes(
        "{ track(order_by: {album: {artist: {name: desc}}}, limit: 3) { album { title } } }",
        "select (t4.album_id is not null), t4.title from (select t1.album_id, t3.name as #0 from track as t1
         left join album as t2 on (t2.album_id = t1.album_id)
         left join artist as t3 on (t3.artist_id = t2.artist_id) order by t3.name desc limit 3) as t0
         left join album as t4 on (t4.album_id = t0.album_id) order by t0.#0 desc",
    );
}

#[test]
fn computed_fields() {
    becomes(
        "{ artist { label(args: {times: 2}) search_tracks(args: {search: \"a\"}, limit: 2) { name } } }",
        "select label(t0.*, times => ($1)::int4),
         array(select row(t1.name) from search_tracks(t0.*, ($2)::text) as t1 limit 2) from artist as t0",
    );
    becomes(
        "{ artist(where: {label: {_eq: \"x\"}, search_tracks: {name: {_eq: \"y\"}}}) { name } }",
        "select t0.name from artist as t0 where ((label(t0.*) = ($1)::text) and exists (select 1 from
         search_tracks(t0.*) as t1 where (t1.name = ($2)::varchar)))",
    );
    becomes(
        "{ artist(limit: 1, offset: 1) { label search_tracks { name } } }",
        "select label(t0.#row), array(select row(t2.name) from search_tracks(t0.#row) as t2) from
         (select (t1.*)::artist as #row from artist as t1 limit 1 offset 1) as t0",
    );
    becomes(
        "{ album(limit: 1) { artist { label } } }",
        "select (t2.artist_id is not null), label(t2.*) from (select t1.artist_id from album as t1 limit 1) as t0
         left join artist as t2 on (t2.artist_id = t0.artist_id)",
    );
}

#[test]
fn functions() {
    becomes(
        "{ find_tracks(args: {least: 3}, where: {name: {_eq: \"x\"}}, limit: 2) { name } }",
        "select t0.name from find_tracks(least => ($1)::int4, hasura_session => ($2)::json) as t0
         where (t0.name = ($3)::varchar) limit 2",
    );
    becomes(
        "{ find_tracks_aggregate(args: {search: \"x\"}) { aggregate { count } } }",
        "select count(*) from find_tracks(($1)::text, hasura_session => ($2)::json) as t0",
    );
}

#[test]
fn json_paths() {
    becomes(
        "{ play_event { a: meta(path: \"$.a[0]\") b: meta(path: \"$\") } }",
        "select (t0.meta #> ($1)::text[]), t0.meta from play_event as t0",
    );
}

#[test]
fn permissions_are_woven_in() {
    // Own rows, the least of both limits, and a redacted column wherever it is used.
    assert_eq!(
        sql_as(
            "listener",
            "{ play_event(where: {rating: {_gt: 1}}, order_by: {rating: asc}, limit: 200) { rating } }"
        ),
        "select case when (t0.listener_id = ($1)::int4) then t0.rating end from play_event as t0 \
         where ((t0.listener_id = ($1)::int4) and (case when (t0.listener_id = ($1)::int4) then t0.rating end > \
         ($2)::int2)) order by case when (t0.listener_id = ($1)::int4) then t0.rating end limit 100"
    );
    // The target's filter applies to a client's way through a relationship, and to what is joined.
    let album_filter = |album: &str, track: &str, artist: &str| {
        format!(
            "(exists (select 1 from track as {track} where (({track}.album_id = {album}.album_id) and \
             ({track}.unit_price = ($1)::numeric))) or exists (select 1 from artist as {artist} where \
             ({artist}.artist_id = {album}.album_id)))"
        )
    };
    assert_eq!(
        sql_as("listener", "{ track(where: {album: {}}) { album { title } } }"),
        format!(
            "select (t1.album_id is not null), t1.title from track as t0 left join album as t1 on \
             ((t1.album_id = t0.album_id) and {}) where exists (select 1 from album as t4 where \
             ((t4.album_id = t0.album_id) and {}))",
            album_filter("t1", "t2", "t3"),
            album_filter("t4", "t5", "t6"),
        )
    );
    // A permission's limit caps the nodes, not what is counted.
    assert_eq!(
        sql_as(
            "listener",
            "{ play_event_aggregate(limit: 200) { aggregate { count } nodes { device } } }"
        ),
        "select count(*), array(select row(t2.device) from play_event as t2 where (t2.listener_id = ($1)::int4) \
         limit 100) from (select from play_event as t1 where (t1.listener_id = ($1)::int4) limit 200) as t0"
    );
    assert_eq!(
        sql_as("listener", "{ play_event_aggregate { aggregate { count } } }"),
        "select count(*) from play_event as t0 where (t0.listener_id = ($1)::int4)"
    );
}

#[test]
fn limits_of_variables_are_capped_when_run() {
    let plan = plan_with(
        Options::default(),
        "listener",
        "query ($n: Int) { play_event(limit: $n) { device } }",
        &serde_json::json!({"n": 5}),
    );
    let text = plan.map(|plan| readable(&text_of(&plan))).unwrap_or_default();
    assert!(text.ends_with("limit least(($2)::int8, 100)"), "{text}");
}

#[test]
fn the_same_operation_is_the_same_text() {
    let query =
        "{ track(where: {album: {title: {_eq: \"x\"}}}, limit: 2) { name album { title } genre { name } } }";
    let first = plan_with(Options::default(), "admin", query, &Value::Null).map(|plan| text_of(&plan));
    let second = plan_with(Options::default(), "admin", query, &Value::Null).map(|plan| text_of(&plan));
    assert_eq!(first, second);
}

#[test]
fn numerics_are_stringified_by_the_column() {
    let options = Options {
        stringify_numeric_types: true,
        ..Options::default()
    };
    let query = "{ track_aggregate { aggregate { count sum { milliseconds unit_price } avg { milliseconds unit_price } } } }";
    let shapes = plan_with(options, "admin", query, &Value::Null).map(|plan| format!("{:?}", plan.roots));
    let shapes = shapes.unwrap_or_default();
    assert!(shapes.contains("index: 1, codec: Int8"), "{shapes}");
    assert!(shapes.contains("index: 2, codec: Quoted(Numeric)"), "{shapes}");
    assert!(shapes.contains("index: 3, codec: Numeric"), "{shapes}");
    assert!(shapes.contains("index: 4, codec: Quoted(Numeric)"), "{shapes}");
}
