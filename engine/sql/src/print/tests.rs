use super::*;
use crate::name::{Alias, Aliases, Identifier, QualifiedName};
use crate::write::{Change, Conflict, Resolution, Rows, Target, Write};

fn column(alias: Alias, name: &str) -> Expression {
    Expression::Column(alias, Identifier::new(name))
}

fn text(value: &str) -> Expression {
    Expression::Parameter {
        value: Parameter::Constant(Some(value.into())),
        type_: TypeName::builtin("text"),
    }
}

#[test]
fn a_query() {
    let mut aliases = Aliases::default();
    let (track, album) = (aliases.fresh(), aliases.fresh());
    let query = Select {
        columns: vec![
            Output::unnamed(column(track, "name")),
            Output::unnamed(column(album, "title")),
        ],
        from: Some(From::Table {
            name: QualifiedName::new("public", "track"),
            alias: track,
        }),
        joins: vec![Join {
            from: From::Table {
                name: QualifiedName::new("public", "album"),
                alias: album,
            },
            lateral: false,
            on: Expression::equal(column(track, "album_id"), column(album, "album_id")),
        }],
        condition: Expression::equal(column(track, "name"), text("x")),
        order: vec![Order {
            by: column(track, "name"),
            descending: true,
            nulls_first: true,
        }],
        limit: Some(Expression::Integer(20)),
        ..Select::default()
    };
    let (printed, parameters) = select(&query);
    assert_eq!(
        printed,
        "select \"t0\".\"name\", \"t1\".\"title\" from \"public\".\"track\" as \"t0\" left join \
         \"public\".\"album\" as \"t1\" on (\"t0\".\"album_id\" = \"t1\".\"album_id\") where (\"t0\".\"name\" = \
         ($1)::\"pg_catalog\".\"text\") order by \"t0\".\"name\" desc limit 20"
    );
    assert_eq!(parameters, [Parameter::Constant(Some("x".into()))]);
}

#[test]
fn equal_values_of_equal_type_share_a_parameter() {
    let slot = |type_| Expression::Parameter {
        value: Parameter::Slot(3),
        type_: TypeName::builtin(type_),
    };
    let query = Select {
        columns: [slot("int4"), slot("int4"), slot("int8")]
            .map(Output::unnamed)
            .to_vec(),
        ..Select::default()
    };
    let (printed, parameters) = select(&query);
    assert_eq!(
        printed,
        "select ($1)::\"pg_catalog\".\"int4\", ($1)::\"pg_catalog\".\"int4\", ($2)::\"pg_catalog\".\"int8\""
    );
    assert_eq!(parameters, [Parameter::Slot(3), Parameter::Slot(3)]);
}

/// Texts that have broken other programs, as names and as values.
const HOSTILE: &[&str] = &[
    "\"; drop table x; --",
    "a\"b",
    "\"\"",
    "'; select 1; --",
    "x' or '1'='1",
    "\\'; --",
    "$1",
    "$$",
    "/*",
    "*/",
    "--",
    "\u{0}",
    "a\u{0}\"b",
    "\u{2019}",
    "\u{ff02}",
    "{1,2}",
    "$tag$",
    "E'\\x27'",
    "\n",
    ";",
];

#[test]
fn no_value_reaches_the_text() {
    for hostile in HOSTILE {
        let query = Select {
            columns: vec![Output::unnamed(text(hostile))],
            ..Select::default()
        };
        let (printed, parameters) = select(&query);
        assert_eq!(printed, "select ($1)::\"pg_catalog\".\"text\"");
        assert_eq!(parameters, [Parameter::Constant(Some((*hostile).into()))]);
    }
}

#[test]
fn no_name_leaves_its_quotes() {
    let mut aliases = Aliases::default();
    let alias = aliases.fresh();
    for hostile in HOSTILE {
        let query = Select {
            columns: vec![Output::named(column(alias, hostile), Identifier::new(*hostile))],
            from: Some(From::Table {
                name: QualifiedName::new(*hostile, *hostile),
                alias,
            }),
            ..Select::default()
        };
        let (printed, _) = select(&query);
        // Between quotes everything is a name; what is left must be our own syntax.
        let mut outside = String::new();
        let mut quoted = false;
        let mut characters = printed.chars().peekable();
        while let Some(character) = characters.next() {
            match (quoted, character) {
                (true, '"') if characters.peek() == Some(&'"') => {
                    characters.next();
                }
                (_, '"') => quoted = !quoted,
                (false, other) => outside.push(other),
                (true, _) => {}
            }
        }
        assert!(!quoted, "{printed}");
        assert_eq!(outside, "select . as  from . as ", "{printed}");
    }
}

#[test]
fn an_insert_with_defaults_counts_its_rows() {
    let mut aliases = Aliases::default();
    let (rows, inserted, counted) = (aliases.fresh(), aliases.fresh(), aliases.fresh());
    let insert = Write {
        table: QualifiedName::new("public", "no\"te"),
        alias: inserted,
        change: Change::Insert {
            columns: vec![Identifier::new("id"), Identifier::new("body")],
            rows: Rows::Values(vec![
                vec![None, Some(text("a'; drop table x"))],
                vec![Some(Expression::Integer(2)), None],
            ]),
            conflict: Some(Conflict {
                target: Some(Target::Constraint(Identifier::new("p\"k"))),
                resolution: Resolution::Nothing,
            }),
        },
        returning: vec![Output::unnamed(Expression::True)],
    };
    let insert = Writing::Read {
        writes: vec![(rows, insert)],
        select: Box::new(Select {
            columns: vec![Output::unnamed(Expression::Aggregate {
                function: "count",
                arguments: Vec::new(),
                distinct: false,
                order: Vec::new(),
            })],
            from: Some(From::Inserted { rows, alias: counted }),
            ..Select::default()
        }),
    };
    let (printed, parameters) = writing(&insert);
    assert_eq!(
        printed,
        "with \"t0\" as (insert into \"public\".\"no\"\"te\" as \"t1\" (\"id\", \"body\") values (default, \
         ($1)::\"pg_catalog\".\"text\"), (2, default) on conflict on constraint \"p\"\"k\" do nothing returning true) \
         select \"pg_catalog\".count(*) from \"t0\" as \"t2\""
    );
    assert_eq!(parameters, [Parameter::Constant(Some("a'; drop table x".into()))]);
}

#[test]
fn columns_as_a_target_and_defaults_as_new_values() {
    let mut aliases = Aliases::default();
    let row = aliases.fresh();
    let table = || QualifiedName::new("public", "t");
    let alone = |change| {
        writing(&Writing::Alone(Write {
            table: table(),
            alias: row,
            change,
            returning: vec![Output::unnamed(Expression::True)],
        }))
        .0
    };
    let name = || Identifier::new("na\"me");
    assert_eq!(
        alone(Change::Insert {
            columns: vec![name()],
            rows: Rows::Values(vec![vec![None]]),
            conflict: Some(Conflict {
                target: Some(Target::Columns(vec![Identifier::new("id"), name()])),
                resolution: Resolution::Update {
                    set: vec![(name(), Expression::Excluded(name()))],
                    condition: Expression::True,
                },
            }),
        }),
        "insert into \"public\".\"t\" as \"t0\" (\"na\"\"me\") values (default) on conflict (\"id\", \"na\"\"me\") \
         do update set \"na\"\"me\" = excluded.\"na\"\"me\" returning true"
    );
    assert_eq!(
        alone(Change::Update {
            set: vec![(name(), None)],
            condition: Expression::True,
        }),
        "update \"public\".\"t\" as \"t0\" set \"na\"\"me\" = default returning true"
    );
}
