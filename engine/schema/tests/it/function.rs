//! Functions and computed fields: their fields, their arguments, their refusals, who may call them.

use schema::catalog::Volatility;
use serde_json::{Value, json};

use crate::world::{World, blog, blog_tables, names, select, tracked};

fn search() -> World {
    blog()
        .function(
            "search",
            &["word text", "hasura_session json", "int4"],
            "setof row:article",
        )
        .with_function(|function| function.default_arguments = 1)
}

fn track(function: &str, configuration: Value) -> Value {
    json!([{"function": {"schema": "public", "name": function}, "configuration": configuration}])
}

#[test]
fn root_fields_and_arguments() {
    let built = search().build(
        blog_tables(json!({}), json!({})),
        track("search", json!({"session_argument": "hasura_session"})),
    );
    assert_eq!(built.reasons(), Vec::<String>::new());
    let queries = built.members("admin", "query_root");
    let of = |name: &str| {
        queries
            .iter()
            .find(|field| field.starts_with(name))
            .cloned()
            .unwrap_or_default()
    };
    assert_eq!(
        of("search("),
        "search(args: search_args!, distinct_on: [article_select_column!], limit: Int, offset: Int, order_by: \
         [article_order_by!], where: article_bool_exp): [article!]!"
    );
    assert!(of("search_aggregate(").ends_with("article_aggregate!"));
    assert_eq!(
        built.members("admin", "search_args"),
        ["arg_1: Int", "word: String"]
    );
    let subscription = names(&built.members("admin", "subscription_root"));
    assert!(
        subscription.contains(&"search".to_owned()) && subscription.contains(&"search_aggregate".to_owned())
    );
}

#[test]
fn single_rows_take_no_list_arguments() {
    let built = blog()
        .function("one", &[], "row:article")
        .build(blog_tables(json!({}), json!({})), track("one", json!({})));
    assert!(
        built
            .members("admin", "query_root")
            .contains(&"one: article".to_owned())
    );
    assert!(built.queries("admin").contains(&"one_aggregate".to_owned()));
}

#[test]
fn volatile_functions_are_no_queries() {
    let world = blog()
        .function("write", &[], "setof row:article")
        .with_function(|function| function.volatility = Volatility::Volatile);
    let tables = || blog_tables(json!({}), json!({}));
    let built = world.build(tables(), track("write", json!({})));
    assert_eq!(built.reasons(), Vec::<String>::new());
    assert!(!built.queries("admin").contains(&"write".to_owned()));
    let built = world.build(tables(), track("write", json!({"exposed_as": "query"})));
    assert!(built.queries("admin").contains(&"write".to_owned()));
}

#[test]
fn custom_names() {
    let configuration = json!({
        "custom_name": "find",
        "custom_root_fields": {"function_aggregate": "count_found"},
    });
    let built = search().build(blog_tables(json!({}), json!({})), track("search", configuration));
    let queries = built.queries("admin");
    assert!(queries.contains(&"find".to_owned()) && queries.contains(&"count_found".to_owned()));
    assert!(!built.members("admin", "find_args").is_empty());
    let configuration = json!({"custom_root_fields": {"function": "a", "function_aggregate": "a"}});
    let built = search().build(blog_tables(json!({}), json!({})), track("search", configuration));
    assert_eq!(built.problems.len(), 1);
}

#[test]
fn refused_functions() {
    let reason = |world: World, configuration: Value| {
        let name = world.functions[0].name.name.clone();
        let built = world.build(json!([tracked("author", json!({}))]), track(&name, configuration));
        let reasons = built.reasons();
        assert_eq!(reasons.len(), 1, "{reasons:?}");
        let prefix = format!("Inconsistent object: in function \"{name}\": ");
        reasons[0].strip_prefix(&prefix).unwrap_or(&reasons[0]).to_owned()
    };
    assert_eq!(
        reason(blog().function("f", &[], "text"), json!({})),
        "the function \"f\" cannot be tracked for the following reasons:\n  • the function does not return a \
         \"COMPOSITE\" type\n  • the function does not return a table\n"
    );
    assert_eq!(
        reason(blog().function("f", &[], "setof row:article"), json!({})),
        "Inconsistent object: table \"article\" is not tracked"
    );
    let author = || blog().function("f", &["a json", "b text"], "setof row:author");
    assert_eq!(
        reason(
            author().with_function(|function| function.variadic = true),
            json!({})
        ),
        "the function \"f\" cannot be tracked because function with \"VARIADIC\" parameters are not supported"
    );
    assert_eq!(
        reason(author(), json!({"exposed_as": "mutation"})),
        "the function \"f\" cannot be tracked because the function was requested to be exposed as a mutation, but \
         is not marked VOLATILE. Maybe the function was given the wrong volatility when it was defined?"
    );
    assert_eq!(
        reason(author(), json!({"session_argument": "c"})),
        "the function \"f\" cannot be tracked because given session argument \"c\" not the input argument of the \
         function"
    );
    assert_eq!(
        reason(author(), json!({"session_argument": "b"})),
        "the function \"f\" cannot be tracked because given session argument \"b\" is not of type json"
    );
    assert_eq!(
        reason(author().function("f", &[], "setof row:author"), json!({})),
        "function \"f\" is overloaded. Overloaded functions are not supported"
    );
    assert_eq!(
        reason(
            author(),
            json!({"response": {"type": "table", "table": "article"}})
        ),
        "the function \"f\" cannot be tracked because responses of another table (\"article\") than the function returns \
         are not supported yet"
    );
    // Nothing is wrong with that; with this there is, and it is not hidden behind what is not served.
    let of_another = json!({"type": "table", "table": "article"});
    let is_unsupported = |configuration: Value| {
        let built = author().build(json!([tracked("author", json!({}))]), track("f", configuration));
        assert_eq!(built.problems.len(), 1);
        built.problems[0].is_unsupported()
    };
    assert!(is_unsupported(json!({"response": of_another})));
    assert!(!is_unsupported(
        json!({"response": of_another, "session_argument": "c"})
    ));
    assert!(!is_unsupported(json!({"session_argument": "not supported yet"})));
    // The table that it returns may be named.
    let named = json!({"response": {"type": "table", "table": "author"}});
    let built = author().build(json!([tracked("author", json!({}))]), track("f", named));
    assert_eq!(built.reasons(), Vec::<String>::new());
    let mut of_admin = track("f", json!({}));
    of_admin[0]["permissions"] = json!([{"role": "admin"}]);
    let built = author().build(json!([tracked("author", json!({}))]), of_admin);
    assert_eq!(
        built.reasons(),
        ["Inconsistent object: in function \"f\": cannot define permission for admin role"]
    );
    let missing = blog().build(json!([]), track("nope", json!({})));
    assert_eq!(
        missing.reasons(),
        ["Inconsistent object: in function \"nope\": no such function exists: \"nope\""]
    );
    assert_eq!(
        missing.problems[0].objects()[0].name(),
        "function nope in source default"
    );
}

#[test]
fn who_may_call() {
    let article = select(
        "user",
        json!({"columns": ["id"], "filter": {}, "allow_aggregations": true}),
    );
    let mut functions = track("search", json!({}));
    functions[0]["permissions"] = json!([{"role": "caller"}]);
    let mut world = search();
    let built = world.build(blog_tables(json!({}), article.clone()), functions.clone());
    assert!(!built.queries("user").contains(&"search".to_owned()));
    assert_eq!(
        built.queries("caller"),
        ["no_queries_available"],
        "no select permission on the rows"
    );
    world.options.infer_function_permissions = true;
    let built = world.build(blog_tables(json!({}), article), functions);
    assert!(built.queries("user").contains(&"search_aggregate".to_owned()));
}

#[test]
fn computed_fields() {
    let world = blog()
        .function("initials", &["row row:author"], "text")
        .function("older", &["row row:author", "years int4"], "int4")
        .function("texts", &["row row:author"], "setof row:article")
        .function("extra", &["row row:author"], "jsonb")
        .function("stats", &["row row:author"], "table total int8, latest text");
    let mut author = select(
        "user",
        json!({"columns": ["id"], "computed_fields": ["initials", "stats"], "filter": {}}),
    );
    author["computed_fields"] = ["initials", "older", "texts", "extra", "stats"]
        .into_iter()
        .map(|name| json!({"name": name, "definition": {"function": name}}))
        .collect();
    let built = world.build(blog_tables(author, json!({})), json!([]));
    assert_eq!(built.reasons(), Vec::<String>::new());
    let fields = built.members("admin", "author");
    for field in [
        "extra(path: String): jsonb",
        "initials: String",
        "older(args: older_author_args!): Int",
        "stats: [stats!]",
    ] {
        assert!(fields.contains(&field.to_owned()), "{field} in {fields:?}");
    }
    assert!(
        fields
            .iter()
            .any(|field| field.starts_with("texts(") && field.ends_with(": [article!]"))
    );
    assert_eq!(
        built.members("admin", "stats"),
        ["latest: String", "total: bigint"]
    );
    assert_eq!(built.members("admin", "older_author_args"), ["years: Int"]);
    let filter = built.members("admin", "author_bool_exp");
    for key in [
        "initials: String_comparison_exp",
        "texts: article_bool_exp",
        "extra: jsonb_comparison_exp",
    ] {
        assert!(filter.contains(&key.to_owned()), "{key} in {filter:?}");
    }
    assert!(!names(&filter).contains(&"older".to_owned()));
    let order = built.members("admin", "author_order_by");
    assert!(order.contains(&"initials: order_by".to_owned()));
    assert!(order.contains(&"texts_aggregate: article_aggregate_order_by".to_owned()));
    let max = built.members("admin", "author_max_fields");
    assert!(
        max.contains(&"older(args: older_author_args!): Int".to_owned()),
        "{max:?}"
    );
    assert!(names(&built.members("admin", "author_sum_fields")).contains(&"older".to_owned()));
    // The user sees listed scalars and rows, and `texts` only with a permission on `article`.
    assert_eq!(
        names(&built.members("user", "author")),
        ["id", "initials", "stats"]
    );
}

#[test]
fn refused_computed_fields() {
    let reason = |world: World, definition: Value| {
        let author = json!({"computed_fields": [{"name": "c", "definition": definition}]});
        let reasons = world
            .build(json!([tracked("author", author)]), json!([]))
            .reasons();
        let prefix = "Inconsistent object: in table \"author\": in computed field \"c\": ";
        reasons
            .first()
            .and_then(|reason| reason.strip_prefix(prefix))
            .unwrap_or_default()
            .to_owned()
    };
    let cannot =
        |why: &str| format!("the computed field \"c\" cannot be added to table \"author\" because {why}");
    let f = |arguments: &[&str], returns: &str| blog().function("f", arguments, returns);
    let plain = || json!({"function": "f"});
    assert_eq!(reason(blog(), plain()), "no such function exists: \"f\"");
    assert_eq!(
        reason(f(&[], "text"), plain()),
        cannot("the function \"f\" has no input arguments")
    );
    assert_eq!(
        reason(f(&["row row:article"], "text"), plain()),
        cannot(
            "first argument of the function \"f\" of type \"article\" is not the table to which the computed field \
             is being added"
        )
    );
    assert_eq!(
        reason(f(&["row row:author"], "setof row:article"), plain()),
        cannot(
            "the function \"f\" returning set of table \"article\" is not tracked or not found in database"
        )
    );
    assert_eq!(
        reason(f(&["row row:author"], "record"), plain()),
        cannot("the function \"f\" returning type record is not a BASE type")
    );
    assert_eq!(
        reason(
            f(&["row row:author"], "text"),
            json!({"function": "f", "table_argument": "x"})
        ),
        cannot("\"x\" is not an input argument of the function \"f\"")
    );
    assert_eq!(
        reason(
            f(&["row row:author", "s text"], "text"),
            json!({"function": "f", "session_argument": "s"})
        ),
        cannot("\"s\" argument of the function \"f\" is not of type JSON")
    );
    assert_eq!(
        reason(
            f(&["row row:author"], "text")
                .with_function(|function| function.volatility = Volatility::Volatile),
            plain()
        ),
        cannot("the function \"f\" is of type VOLATILE; cannot be added as a computed field")
    );
}

#[test]
fn rows_of_no_table_need_a_named_role() {
    let world = blog().function("totals", &["since date"], "table total int8, name text");
    let mut functions = track("totals", json!({}));
    functions[0]["permissions"] = json!([{"role": "user"}]);
    let built = world.build(blog_tables(json!({}), json!({})), functions);
    assert_eq!(built.reasons(), Vec::<String>::new());
    let query = "totals(args: totals_args!, limit: Int, offset: Int): [totals!]!".to_owned();
    assert!(built.members("admin", "query_root").contains(&query));
    assert_eq!(built.members("user", "query_root"), [query]);
    assert_eq!(built.members("user", "totals"), ["name: String", "total: bigint"]);
}
