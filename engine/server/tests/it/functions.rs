//! Functions as queries and mutations, and computed fields, also of what a mutation wrote.

use embedded::test::TestDatabase;
use serde_json::{Value, json};

use crate::process::Server;

const TABLES: &str = "create table author (id serial primary key, name text not null); \
    create table book (id serial primary key, title text not null, author_id int references author, price int default 10); \
    insert into author (name) values ('A'), ('B'); \
    insert into book (title, author_id, price) values ('one', 1, 5), ('two', 1, 20), ('three', 2, 30); \
    create function find_books(search text, cheapest int default 0, dearest int default 1000) returns setof book \
      language sql stable as $$ select * from book where title like '%' || search || '%' and price between cheapest and dearest \
      order by id $$; \
    create function add_book(title text, hasura_session json, price int default 7) returns book language sql volatile as $$ \
      insert into book (title, author_id, price) values (title, (hasura_session ->> 'x-hasura-author-id')::int, price) \
      returning * $$; \
    create function raise_prices(int, int default 1) returns setof book language sql volatile as $$ \
      update book set price = price + $1 * $2 where author_id = 1 returning * $$; \
    create function touch_books() returns setof book language plpgsql volatile as $$ begin \
      return query select * from book order by id; end $$; \
    create function label(book book, prefix text default 'no. ', session json default '{}') returns text \
      language sql stable as $$ select prefix || book.id || coalesce(' for ' || (session ->> 'x-hasura-author-id'), '') $$; \
    create function tag(book book) returns text language sql stable as $$ select '<' || book.title || '>' $$; \
    create function every_book(author author) returns setof book language sql stable as $$ \
      select * from book where author_id = author.id $$; \
    create function books_of(author author, dearer_than int default 0) returns setof book language sql stable as $$ \
      select * from book where author_id = author.id and price > dearer_than order by id $$; \
    create function statistics(author author) returns table (books bigint, spent bigint) language sql stable as $$ \
      select count(*), sum(price) from book where author_id = author.id $$;";

fn world(database: &TestDatabase, arguments: &[&str]) -> Server {
    let server = Server::start(database, arguments);
    let command = json!({"type": "run_sql", "args": {"sql": TABLES}});
    assert_eq!(server.json("/v2/query", &[], &command).0, 200);
    let function = |name: &str, configuration: Value| json!({"type": "pg_track_function", "args": {"function": name, "configuration": configuration}});
    let computed = |table: &str, name: &str, definition: Value| json!({"type": "pg_add_computed_field", "args": {"table": table, "name": name, "definition": definition}});
    let permission = |table: &str, permission: Value| json!({"type": "pg_create_select_permission", "args": {"table": table, "role": "user", "permission": permission}});
    metadata(
        &server,
        "bulk",
        &json!([
            {"type": "pg_track_tables", "args": {"tables": [{"table": "author"}, {"table": "book"}]}},
            {"type": "pg_create_object_relationship", "args": {"table": "book", "name": "author",
                "using": {"foreign_key_constraint_on": "author_id"}}},
            function("find_books", json!({"custom_root_fields": {"function": "search", "function_aggregate": "search_total"}})),
            function("add_book", json!({"session_argument": "hasura_session"})),
            function("raise_prices", json!({"custom_name": "dearer"})),
            function("touch_books", json!({"exposed_as": "query"})),
            computed("book", "label", json!({"function": "label", "session_argument": "session"})),
            computed("book", "tag", json!({"function": "tag"})),
            computed("author", "books", json!({"function": "every_book"})),
            computed("author", "shelf", json!({"function": "books_of", "table_argument": "author"})),
            computed("author", "figures", json!({"function": "statistics"})),
            permission("book", json!({"columns": ["id", "title", "author_id"], "computed_fields": ["label"],
                "filter": {"author_id": "x-hasura-author-id"}, "allow_aggregations": true})),
            permission("author", json!({"columns": "*", "filter": {}})),
            {"type": "pg_create_function_permission", "args": {"function": "add_book", "role": "user"}},
        ]),
    );
    server
}

fn metadata(server: &Server, kind: &str, arguments: &Value) {
    let (status, answer) = server.json("/v1/metadata", &[], &json!({"type": kind, "args": arguments}));
    assert_eq!(status, 200, "{answer}");
}

fn ask(server: &Server, headers: &[(&str, &str)], text: &str) -> Value {
    server.json("/v1/graphql", headers, &json!({"query": text})).1
}

const USER: [(&str, &str); 2] = [("x-hasura-role", "user"), ("x-hasura-author-id", "2")];

#[track_caller]
fn answers(server: &Server, headers: &[(&str, &str)], text: &str, expected: &Value) {
    assert_eq!(ask(server, headers, text), json!({"data": expected}));
}

#[track_caller]
fn refuses(server: &Server, headers: &[(&str, &str)], text: &str, message: &str) {
    let answer = ask(server, headers, text);
    assert_eq!(answer["errors"][0]["message"], json!(message), "{answer}");
}

#[test]
fn functions_are_queries_and_mutations() {
    let database = TestDatabase::create("functions_roots");
    let server = world(&database, &[]);
    answers(
        &server,
        &[],
        r#"{ search(args: {search: "o", dearest: 10}, where: {price: {_gt: 1}}) { title author { name } }
             search_total(args: {search: "e", cheapest: 6}) { aggregate { count } nodes { title } }
             touch_books(limit: 1, order_by: {id: desc}) { title } }"#,
        &json!({"search": [{"title": "one", "author": {"name": "A"}}],
            "search_total": {"aggregate": {"count": 1}, "nodes": [{"title": "three"}]},
            "touch_books": [{"title": "three"}]}),
    );
    // Named notation after what is left out, unnamed arguments by their position, null as null.
    answers(
        &server,
        &[("x-hasura-author-id", "1")],
        r#"mutation { a: add_book(args: {title: "x"}) { title price author_id label }
             b: add_book(args: {title: "y", price: null}) { price label(args: {prefix: "nr "}) }
             dearer(args: {arg_1: 2}, where: {title: {_in: ["one", "x"]}}, order_by: {id: asc}) { title price }
             twice: dearer(args: {arg_1: 2, arg_2: 10}, limit: 1, order_by: {id: asc}) { price } }"#,
        &json!({
            "a": {"title": "x", "price": 7, "author_id": 1, "label": "no. 4 for 1"},
            "b": {"price": null, "label": "nr 5 for 1"},
            "dearer": [{"title": "one", "price": 7}, {"title": "x", "price": 9}],
            "twice": [{"price": 27}],
        }),
    );
    refuses(
        &server,
        &[],
        r#"{ search(args: {cheapest: 1}) { title } }"#,
        "Non default arguments cannot be omitted",
    );
    assert_eq!(
        ask(&server, &[], r#"{ search(args: {cheapest: 1}) { title } }"#)["errors"][0]["extensions"],
        json!({"code": "not-supported", "path": "$.selectionSet.search.args.args"})
    );
    refuses(
        &server,
        &[],
        r#"mutation { add_book(args: {title: "x", hasura_session: "{}"}) { id } }"#,
        "field 'hasura_session' not found in type: 'add_book_args'",
    );
    // A mutation's function and a table's write are one transaction.
    refuses(
        &server,
        &[("x-hasura-author-id", "9")],
        r#"mutation { insert_author_one(object: {name: "kept?"}) { id } add_book(args: {title: "z"}) { id } }"#,
        "Foreign key violation. insert or update on table \"book\" violates foreign key constraint \"book_author_id_fkey\"",
    );
    answers(
        &server,
        &[],
        r#"{ author(where: {name: {_eq: "kept?"}}) { id } }"#,
        &json!({"author": []}),
    );
}

#[test]
fn roles_call_what_they_may() {
    let database = TestDatabase::create("functions_roles");
    let server = world(&database, &[]);
    // The target's permission filters and masks; a mutation needs one of its own.
    answers(
        &server,
        &USER,
        r#"{ search(args: {search: ""}) { title label } }"#,
        &json!({"search": [{"title": "three", "label": "no. 3 for 2"}]}),
    );
    refuses(
        &server,
        &USER,
        r#"{ search(args: {search: ""}) { price } }"#,
        "field 'price' not found in type: 'book'",
    );
    answers(
        &server,
        &USER,
        r#"mutation { add_book(args: {title: "mine"}) { title author_id } }"#,
        &json!({"add_book": {"title": "mine", "author_id": 2}}),
    );
    refuses(
        &server,
        &USER,
        "mutation { dearer(args: {arg_1: 1}) { id } }",
        "field 'dearer' not found in type: 'mutation_root'",
    );
    // What one adds for somebody else is written, and not seen.
    let command = json!({"type": "run_sql", "args": {"sql":
        "create or replace function add_book(title text, hasura_session json, price int default 7) returns book \
         language sql volatile as $$ insert into book (title, author_id) values (title, 1) returning * $$"}});
    assert_eq!(server.json("/v2/query", &[], &command).0, 200);
    answers(
        &server,
        &USER,
        r#"mutation { add_book(args: {title: "theirs"}) { title } }"#,
        &json!({"add_book": null}),
    );
    answers(
        &server,
        &[],
        r#"{ book(where: {title: {_eq: "theirs"}}) { author_id } }"#,
        &json!({"book": [{"author_id": 1}]}),
    );
    drop(server);
    let database = TestDatabase::create("functions_not_inferred");
    let server = world(&database, &["--infer-function-permissions", "false"]);
    refuses(
        &server,
        &USER,
        r#"{ search(args: {search: ""}) { title } }"#,
        "field 'search' not found in type: 'query_root'",
    );
    metadata(
        &server,
        "pg_create_function_permission",
        &json!({"function": "find_books", "role": "user"}),
    );
    answers(
        &server,
        &USER,
        r#"{ search(args: {search: "t"}) { title } }"#,
        &json!({"search": [{"title": "three"}]}),
    );
}

#[test]
fn computed_fields_of_what_was_written() {
    let database = TestDatabase::create("functions_computed");
    let server = world(&database, &[]);
    answers(
        &server,
        &[("x-hasura-author-id", "1")],
        r#"mutation {
             insert_author_one(object: {name: "C"}) { name shelf { title } figures { books spent } }
             insert_book(objects: [{title: "four", author_id: 1, price: 40}]) { returning { label
               author { shelf(args: {dearer_than: 15}, order_by: {price: desc}) { title } figures { books spent } } } }
             update_author(where: {books: {title: {_eq: "three"}}}, _set: {name: "BB"}) { returning { name figures { spent } } }
             delete_book(where: {tag: {_eq: "<two>"}}) { returning { label(args: {prefix: "was "}) } } }"#,
        &json!({
            "insert_author_one": {"name": "C", "shelf": [], "figures": [{"books": 0, "spent": null}]},
            "insert_book": {"returning": [{"label": "no. 4 for 1", "author": {
                "shelf": [{"title": "four"}, {"title": "two"}], "figures": [{"books": 3, "spent": 65}]}}]},
            "update_author": {"returning": [{"name": "BB", "figures": [{"spent": 30}]}]},
            "delete_book": {"returning": [{"label": "was 2 for 1"}]},
        }),
    );
    // Filters, orders and aggregates take scalar ones; table ones follow the permission of the table.
    answers(
        &server,
        &[],
        r#"{ book(where: {tag: {_like: "<%"}}, order_by: {tag: desc}, limit: 1) { id } book_aggregate { aggregate { max { tag label } } } }"#,
        &json!({"book": [{"id": 3}], "book_aggregate": {"aggregate": {"max": {"tag": "<three>", "label": "no. 4"}}}}),
    );
    answers(
        &server,
        &USER,
        "{ author(order_by: {id: asc}) { name shelf { title } } }",
        &json!({"author": [{"name": "A", "shelf": []}, {"name": "BB", "shelf": [{"title": "three"}]}, {"name": "C", "shelf": []}]}),
    );
    let drop = |cascade: bool| {
        let arguments = json!({"table": "book", "name": "label", "cascade": cascade});
        let command = json!({"type": "pg_drop_computed_field", "args": arguments});
        server.json("/v1/metadata", &[], &command)
    };
    let (status, answer) = drop(false);
    assert_eq!(
        (status, &answer["code"]),
        (400, &json!("dependency-error")),
        "{answer}"
    );
    // Permissions that list it go with it, as in Hasura v2.
    let (status, answer) = drop(true);
    assert_eq!(status, 200, "{answer}");
    refuses(
        &server,
        &USER,
        "{ book { title } }",
        "field 'book' not found in type: 'query_root'",
    );
}
