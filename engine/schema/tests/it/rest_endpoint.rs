//! REST endpoints: paths that clash, paths that are none, queries that are not there, and which endpoint a path finds.

use metadata::rest::RestMethod;
use metadata::rest::RestMethod::{Delete, Get, Post};
use metadata::{Document, MetadataObjectId, Seniority};
use schema::rest_endpoint::{Match, RestEndpoints};
use serde_json::{Value, json};

fn find(endpoints: &RestEndpoints, method: Option<RestMethod>, path: &str) -> Match {
    endpoints.find(method, &path.split('/').collect::<Vec<_>>())
}

/// Endpoints `(name, url, methods, query)`.
fn endpoints(of: &[(&str, &str, &[&str], &str)]) -> (RestEndpoints, Vec<Value>) {
    let listed: Vec<Value> = of
        .iter()
        .map(|(name, url, methods, query)| {
            json!({"name": name, "url": url, "methods": methods, "comment": null,
                   "definition": {"query": {"collection_name": "c", "query_name": query}}})
        })
        .collect();
    let document = json!({"version": 3, "sources": [], "rest_endpoints": listed, "query_collections": [
        {"name": "c", "definition": {"queries": [
            {"name": "q", "query": "{ author { id } }"},
            {"name": "live", "query": "subscription { author { id } }"},
            {"name": "with_fragment", "query": "{ author { ...f } } fragment f on author { id }"},
            {"name": "two", "query": "query a { author { id } } query b { author { id } }"},
            {"name": "broken", "query": "{ author {"},
        ]}},
    ]});
    let (document, _) = Document::parse(&document).expect("a legal document");
    let (endpoints, problems) = RestEndpoints::new(&document);
    (
        endpoints,
        problems
            .iter()
            .map(|problem| problem.to_json(&document))
            .collect(),
    )
}

fn reasons(of: &[(&str, &str, &[&str], &str)]) -> Vec<String> {
    let (_, problems) = endpoints(of);
    problems
        .iter()
        .filter_map(|problem| problem["reason"].as_str().map(str::to_owned))
        .collect()
}

#[test]
fn paths_that_match_together_are_ambiguous() {
    let (found, problems) = endpoints(&[
        ("users", "users", &["GET", "POST"], "q"),
        ("any", ":any", &["GET"], "q"),
        ("artists", "artists", &["GET"], "q"),
        ("posted", ":posted", &["DELETE"], "q"),
        ("deep", "users/:id", &["GET"], "q"),
    ]);
    let conflict = |name: &str, url: &str, methods: &[&str]| {
        json!({"name": name, "url": url, "methods": methods, "comment": null,
               "definition": {"query": "{ author { id } }"}})
    };
    assert_eq!(
        problems,
        [json!({
            "reason": "Ambiguous URL paths: :any, artists, users",
            "conflicts": [
                conflict("any", ":any", &["GET"]),
                conflict("artists", "artists", &["GET"]),
                conflict("users", "users", &["GET", "POST"]),
            ],
        })]
    );
    assert_eq!(find(&found, Some(Get), "users"), Match::Ambiguous);
    assert_eq!(find(&found, Some(Get), "else"), Match::Found("any".into()));
    assert_eq!(find(&found, Some(Post), "users"), Match::Found("users".into()));
    assert_eq!(find(&found, Some(Delete), "users"), Match::Found("posted".into()));
    assert_eq!(find(&found, Some(Get), "users/7"), Match::Found("deep".into()));
    assert_eq!(find(&found, Some(Post), "users/7"), Match::WrongMethod(vec![Get]));
    assert_eq!(
        find(&found, None, "artists"),
        Match::WrongMethod(vec![Get, Delete])
    );
    assert_eq!(find(&found, Some(Get), "users/7/more"), Match::NotFound);
}

/// Of a group only those are left out that an older one, which is not left out itself, answers for.
#[test]
fn where_ages_are_known_the_oldest_answers() {
    let listed = [
        ("any", ":any", "GET"),
        ("artists", "artists", "GET"),
        ("users", "users", "GET"),
        ("posted", "users", "POST"),
    ];
    let listed = listed.map(|(name, url, method)| {
        json!({"name": name, "url": url, "methods": [method], "comment": null,
               "definition": {"query": {"collection_name": "c", "query_name": "q"}}})
    });
    let document = json!({"version": 3, "sources": [], "rest_endpoints": listed, "query_collections": [
        {"name": "c", "definition": {"queries": [{"name": "q", "query": "{ author { id } }"}]}},
    ]});
    let answers = |oldest_first: &[&str]| {
        let (mut document, _) = Document::parse(&document).expect("a legal document");
        let names = oldest_first.iter();
        document.seniority =
            Seniority::of(names.map(|name| MetadataObjectId::RestEndpoint((*name).to_owned())));
        let (endpoints, problems) = RestEndpoints::new(&document);
        let clashes: Vec<String> = problems
            .iter()
            .map(|problem| {
                let [left_out] = problem.left_out() else {
                    panic!("{problem:?}")
                };
                format!(
                    "{:?} before {}",
                    problem.stays().map(MetadataObjectId::name),
                    left_out.name()
                )
            })
            .collect();
        (endpoints, clashes)
    };
    let (found, clashes) = answers(&["users", "any", "artists", "posted"]);
    assert_eq!(
        clashes,
        ["Some(\"rest_endpoint users\") before rest_endpoint any"]
    );
    assert_eq!(find(&found, Some(Get), "users"), Match::Found("users".into()));
    assert_eq!(find(&found, Some(Get), "artists"), Match::Found("artists".into()));
    assert_eq!(find(&found, Some(Post), "users"), Match::Found("posted".into()));
    assert_eq!(find(&found, Some(Get), "else"), Match::NotFound);
    let (found, clashes) = answers(&["any", "users", "artists", "posted"]);
    assert_eq!(clashes.len(), 2, "{clashes:?}");
    assert_eq!(find(&found, Some(Get), "users"), Match::Found("any".into()));
}

#[test]
fn variables_at_different_places_meet_in_a_path() {
    let both = [("a", ":x/b", &["GET"][..], "q"), ("b", "a/:y", &["GET"][..], "q")];
    assert_eq!(reasons(&both), ["Ambiguous URL paths: :x/b, a/:y"]);
    let apart = [("a", ":x/b", &["GET"][..], "q"), ("b", ":x/c", &["GET"][..], "q")];
    assert_eq!(reasons(&apart), Vec::<String>::new());
    let groups = [
        ("a", "x", &["GET"][..], "q"),
        ("b", "x", &["GET"][..], "q"),
        ("c", "y/z", &["GET"][..], "q"),
        ("d", "y/z", &["GET", "POST"][..], "q"),
        ("e", "y/z", &["PUT"][..], "q"),
    ];
    assert_eq!(
        reasons(&groups),
        ["Ambiguous URL paths: x, x", "Ambiguous URL paths: y/z, y/z"]
    );
}

#[test]
fn paths_that_are_none() {
    for url in ["foo/", "foo//bar", "foo/:/bar", "/foo"] {
        let (_, problems) = endpoints(&[("foo", url, &["GET"], "q")]);
        assert_eq!(
            problems,
            [json!({
                "reason": format!("Empty segments or unnamed variables are not allowed: {url}"),
                "name": "rest_endpoint foo",
                "type": "rest_endpoint",
                "definition": {"name": "foo", "url": url, "methods": ["GET"], "comment": null,
                               "definition": {"query": {"collection_name": "c", "query_name": "q"}}},
            })]
        );
    }
    assert_eq!(
        reasons(&[("foo", "foo/:id/of/:id", &["GET"], "q")]),
        ["Duplicate variables found in endpoint path: foo/:id/of/:id"]
    );
    let long = "a/".repeat(100_000);
    assert_eq!(
        reasons(&[("long", &long, &["GET"], "q")]),
        ["Inconsistent object: in endpoint long: the url has more than 128 segments"]
    );
}

#[test]
fn the_query_must_be_there_and_be_one_operation() {
    let of_query = |query: &str| reasons(&[("e", "e", &["GET"], query)]).concat();
    let said = |message: &str| format!("Inconsistent object: in endpoint e: {message}");
    assert_eq!(of_query("q"), "");
    assert_eq!(
        of_query("gone"),
        said("query with name gone does not exist in collection c")
    );
    assert_eq!(of_query("live"), said("query with name live is a subscription"));
    assert_eq!(
        of_query("with_fragment"),
        said("query with name with_fragment has multiple definitions.")
    );
    assert_eq!(
        of_query("two"),
        said("query with name two has multiple definitions.")
    );
    assert_eq!(
        of_query("broken"),
        said("query with name broken: not a valid graphql query")
    );
    let document = json!({"version": 3, "sources": [], "rest_endpoints": [
        {"name": "e", "url": "e", "methods": ["GET"],
         "definition": {"query": {"collection_name": "gone", "query_name": "q"}}},
    ]});
    let (document, _) = Document::parse(&document).expect("a legal document");
    let (found, problems) = RestEndpoints::new(&document);
    assert_eq!(problems.len(), 1);
    assert_eq!(
        problems[0].reason(),
        said("collection with name gone does not exist")
    );
    assert_eq!(find(&found, Some(Get), "e"), Match::NotFound);
}

#[test]
fn many_endpoints_take_little_time() {
    let named: Vec<(String, String)> = (0..64)
        .map(|at| {
            let segments: Vec<String> = (0..64)
                .map(|place| {
                    if place == at {
                        "x".to_owned()
                    } else {
                        format!(":v{place}")
                    }
                })
                .collect();
            (format!("e{at:02}"), segments.join("/"))
        })
        .collect();
    let of: Vec<(&str, &str, &[&str], &str)> = named
        .iter()
        .map(|(name, url)| (name.as_str(), url.as_str(), &["GET"][..], "q"))
        .collect();
    let (found, problems) = endpoints(&of);
    assert_eq!(problems.len(), 1);
    let path = vec!["x"; 64].join("/");
    assert_eq!(find(&found, Some(Get), &path), Match::Ambiguous);
}
