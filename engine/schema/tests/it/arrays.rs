//! Types beyond plain scalars: arrays, JSON, PostGIS, ltree.

use serde_json::json;

use crate::world::{World, names, tracked};

fn build(columns: &[&str], features: &[&str]) -> crate::world::Built {
    let mut world = World::default().table("t", columns, &[]);
    world.options.experimental_features = features.iter().map(|feature| (*feature).into()).collect();
    let built = world.build(json!([tracked("t", json!({}))]), json!([]));
    assert_eq!(built.reasons(), Vec::<String>::new());
    built
}

#[test]
fn lists() {
    let built = build(&["tags text[]!", "ids int4[]"], &[]);
    assert_eq!(built.members("admin", "t"), ["ids: [Int!]", "tags: [String!]!"]);
    let filter = built.members("admin", "t_bool_exp");
    assert!(
        filter.contains(&"tags: String_array_comparison_exp".to_owned()),
        "{filter:?}"
    );
    assert_eq!(
        built.members("admin", "Int_array_comparison_exp"),
        [
            "_contained_in: [Int!]",
            "_contains: [Int!]",
            "_eq: [Int!]",
            "_gt: [Int!]",
            "_gte: [Int!]",
            "_in: [[Int!]!]",
            "_is_null: Boolean",
            "_lt: [Int!]",
            "_lte: [Int!]",
            "_neq: [Int!]",
            "_nin: [[Int!]!]",
        ]
    );
}

#[test]
fn arrays_can_be_scalars() {
    let built = build(&["tags text[]!"], &["disable_postgres_arrays"]);
    assert_eq!(built.members("admin", "t"), ["tags: _text!"]);
    let filter = built.members("admin", "t_bool_exp");
    assert!(
        filter.contains(&"tags: _text_comparison_exp".to_owned()),
        "{filter:?}"
    );
    assert!(
        built
            .members("admin", "_text_comparison_exp")
            .contains(&"_contains: _text".to_owned())
    );
}

#[test]
fn json() {
    let built = build(&["a jsonb", "b json"], &[]);
    assert_eq!(
        built.members("admin", "t"),
        ["a(path: String): jsonb", "b(path: String): json"]
    );
    assert_eq!(
        built.members("admin", "jsonb_cast_exp"),
        ["String: String_comparison_exp"]
    );
    let keys = built.members("admin", "jsonb_comparison_exp");
    for key in [
        "_cast: jsonb_cast_exp",
        "_has_key: String",
        "_has_keys_any: [String!]",
        "_contains: jsonb",
    ] {
        assert!(keys.contains(&key.to_owned()), "{key} in {keys:?}");
    }
    assert!(!names(&built.members("admin", "json_comparison_exp")).contains(&"_contains".to_owned()));
    assert_eq!(names(&built.members("admin", "t_aggregate_fields")), ["count"]);
}

#[test]
fn postgis() {
    let built = build(&["a geometry", "b geography", "c raster"], &[]);
    let geometry = built.members("admin", "geometry_comparison_exp");
    for key in [
        "_st_d_within: st_d_within_input",
        "_cast: geometry_cast_exp",
        "_st_3d_d_within: st_d_within_input",
    ] {
        assert!(geometry.contains(&key.to_owned()), "{key} in {geometry:?}");
    }
    assert_eq!(
        built.members("admin", "st_d_within_input"),
        ["distance: Float!", "from: geometry!"]
    );
    assert_eq!(
        built.members("admin", "st_d_within_geography_input"),
        ["distance: Float!", "from: geography!", "use_spheroid: Boolean"]
    );
    assert_eq!(
        built.members("admin", "geography_cast_exp"),
        ["geometry: geometry_comparison_exp"]
    );
    assert_eq!(
        built.members("admin", "raster_comparison_exp"),
        [
            "_eq: raster",
            "_in: [raster!]",
            "_is_null: Boolean",
            "_neq: raster",
            "_nin: [raster!]",
            "_st_intersects_geom_nband: st_intersects_geom_nband_input",
            "_st_intersects_nband_geom: st_intersects_nband_geom_input",
            "_st_intersects_rast: raster",
        ]
    );
    assert_eq!(
        built.members("admin", "st_intersects_nband_geom_input"),
        ["geommin: geometry!", "nband: Int!"]
    );
    assert_eq!(
        built.members("admin", "st_intersects_geom_nband_input"),
        ["geommin: geometry!", "nband: Int"]
    );
}

#[test]
fn ltree() {
    let built = build(&["path ltree"], &[]);
    let keys = built.members("admin", "ltree_comparison_exp");
    for key in [
        "_ancestor_any: [ltree!]",
        "_matches: lquery",
        "_matches_any: [String!]",
        "_matches_fulltext: ltxtquery",
    ] {
        assert!(keys.contains(&key.to_owned()), "{key} in {keys:?}");
    }
}

#[test]
fn enums_of_postgres_are_scalars() {
    let built = build(&["mood enum:mood!"], &[]);
    assert_eq!(built.members("admin", "t"), ["mood: mood!"]);
    assert_eq!(built.members("admin", "t_max_fields"), ["mood: mood"]);
}

#[test]
fn hidden_features() {
    let columns = ["id int4!"];
    let built = build(&columns, &["hide_stream_fields"]);
    assert_eq!(
        names(&built.members("admin", "subscription_root")),
        ["t", "t_aggregate"]
    );
}

#[test]
fn labels_in_requests_are_checked() {
    let built = build(&["path ltree"], &[]);
    let table = built.model.sources[0].tables[0].id;
    let steps = |filter: serde_json::Value| {
        let filter = filter.as_object().cloned().unwrap_or_default();
        let refusal = schema::request_filter(&built.model, table, &filter).err()?;
        assert!(refusal.message.starts_with("Expecting label path: "), "{refusal}");
        Some(format!("{:?}", refusal.steps))
    };
    for key in ["$ancestor", "_descendant"] {
        assert_eq!(steps(json!({"path": {key: "a.b"}})), None);
        let wrong = steps(json!({"path": {key: "a.b."}}));
        assert_eq!(wrong, Some(format!("[Key(\"path\"), Key({key:?})]")));
    }
    for key in ["$ancestor_any", "_descendant_any"] {
        assert_eq!(steps(json!({"path": {key: ["a.b", "c"]}})), None);
        let wrong = steps(json!({"path": {key: ["a.b", "c."]}}));
        assert_eq!(wrong, Some(format!("[Key(\"path\"), Key({key:?}), Index(1)]")));
    }
    // A query is no label path.
    assert_eq!(
        steps(json!({"path": {"$matches": "a.*.", "$matches_fulltext": "a."}})),
        None
    );
}
