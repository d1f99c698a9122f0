//! A small record shop, as the schema crate would resolve it.

use std::sync::Arc;

use indexmap::IndexMap;
use rustc_hash::FxHashMap;
use schema::access::{DeleteAccess, InsertAccess, Preset, SelectAccess, TableAccess, UpdateAccess};
use schema::catalog::{Mutability, QualifiedName, TableKind, Type, TypeKind};
use schema::model::*;
use schema::operator::Operator;
use schema::predicate::{Comparison, Operand, Predicate};
use schema::scalar::{Scalar, ScalarClass};

pub(crate) fn builtin(name: &str) -> Type {
    Type {
        schema: "pg_catalog".into(),
        name: name.into(),
        oid: 0,
        kind: match name.strip_prefix('_') {
            Some(element) => TypeKind::Array(Box::new(builtin(element))),
            None => TypeKind::Base,
        },
    }
}

pub(crate) fn scalar(type_: &str) -> Arc<Scalar> {
    use graphql::InputClass as Input;
    let (name, class, input, big) = match type_.trim_start_matches('_') {
        "int4" => ("Int", ScalarClass::Numeric, Input::Int, false),
        "int2" => ("smallint", ScalarClass::Numeric, Input::SmallInt, false),
        "int8" => ("bigint", ScalarClass::Numeric, Input::BigInt, true),
        "numeric" => ("numeric", ScalarClass::Numeric, Input::Number, true),
        "text" | "varchar" => ("String", ScalarClass::Text, Input::String, false),
        "bool" => ("Boolean", ScalarClass::Boolean, Input::Boolean, false),
        "jsonb" => ("jsonb", ScalarClass::Jsonb, Input::Json, false),
        "geometry" => ("geometry", ScalarClass::Geometry, Input::GeoJson, false),
        "timestamptz" => ("timestamptz", ScalarClass::Comparable, Input::Text, false),
        other => panic!("no scalar for {other}"),
    };
    Arc::new(Scalar {
        name: name.into(),
        class,
        input,
        big,
    })
}

fn column((name, type_): &(&str, &str)) -> Column {
    Column {
        name: (*name).into(),
        field: (*name).into(),
        type_: match *type_ {
            "geometry" => Type {
                schema: "public".into(),
                ..builtin("geometry")
            },
            other => builtin(other),
        },
        scalar: scalar(type_),
        nullable: true,
        insertable: true,
        updatable: true,
        has_default: false,
        enum_table: None,
        description: None,
    }
}

fn table(number: u32, name: &str, columns: &[(&str, &str)], key: &[u16]) -> Table {
    let columns: Vec<_> = columns.iter().map(column).collect();
    let mut fields: IndexMap<_, _> = columns
        .iter()
        .enumerate()
        .map(|(at, column)| (column.field.clone(), TableField::Column(ColumnId(at as u16))))
        .collect();
    fields.shrink_to_fit();
    Table {
        id: TableId::new(0, number),
        name: QualifiedName {
            schema: "public".into(),
            name: name.into(),
        },
        kind: TableKind::Table,
        identifier: name.into(),
        identifier_is_custom: false,
        columns,
        relationships: Vec::new(),
        computed_fields: Vec::new(),
        fields,
        primary_key: key.iter().copied().map(ColumnId).collect(),
        unique_constraints: Vec::new(),
        foreign_keys: Vec::new(),
        root_fields: FxHashMap::default(),
        comment: None,
        enum_values: None,
        mutability: Mutability {
            insertable: true,
            updatable: true,
            deletable: true,
        },
        inserts_are_plain: true,
    }
}

fn relate(table: &mut Table, name: &str, kind: RelationshipKind, target: u32, own: u16, other: u16) {
    let id = RelationshipId(table.relationships.len() as u16);
    table.relationships.push(Relationship {
        name: name.into(),
        field: name.into(),
        kind,
        target: TableId::new(0, target),
        columns: vec![(ColumnId(own), ColumnId(other))],
        nullable: true,
        insert_after_parent: false,
        comment: None,
    });
    table.fields.insert(name.into(), TableField::Relationship(id));
    if kind == RelationshipKind::Array {
        table.fields.insert(
            format!("{name}_aggregate").into(),
            TableField::RelationshipAggregate(id),
        );
    }
}

fn compute(table: &mut Table, name: &str, arguments: Vec<Argument>, returns: Returns, set: bool) {
    let id = ComputedFieldId(table.computed_fields.len() as u16);
    table.computed_fields.push(ComputedField {
        name: name.into(),
        field: name.into(),
        function: QualifiedName {
            schema: "public".into(),
            name: name.into(),
        },
        arguments,
        table_argument: (0, Some("row_of".into())),
        session_argument: None,
        returns,
        returns_set: set,
        comment: None,
    });
    table.fields.insert(name.into(), TableField::ComputedField(id));
}

pub(crate) fn argument(name: &str, position: usize, type_: &str, has_default: bool) -> Argument {
    Argument {
        name: Some(name.into()),
        field: name.into(),
        position,
        type_: builtin(type_),
        scalar: scalar(type_),
        has_default,
    }
}

pub(crate) fn select(table: &Table, filter: u32) -> SelectAccess {
    SelectAccess {
        filter: PredicateId::new(0, filter),
        columns: ColumnSet::all(table.columns.len()),
        redacted_columns: Vec::new(),
        computed_fields: (0..table.computed_fields.len() as u16)
            .map(ComputedFieldId)
            .collect(),
        redacted_computed_fields: Vec::new(),
        limit: None,
        aggregations: true,
        query_root_fields: None,
        subscription_root_fields: None,
    }
}

fn tables() -> Vec<Table> {
    use RelationshipKind::{Array, Object};
    let mut artist = table(0, "artist", &[("artist_id", "int4"), ("name", "varchar")], &[0]);
    let mut album = table(
        1,
        "album",
        &[("album_id", "int4"), ("title", "varchar"), ("artist_id", "int4")],
        &[0],
    );
    let genre = table(2, "genre", &[("genre_id", "int4"), ("name", "varchar")], &[0]);
    let mut track = table(
        3,
        "track",
        &[
            ("track_id", "int4"),
            ("name", "varchar"),
            ("album_id", "int4"),
            ("genre_id", "int4"),
            ("milliseconds", "int4"),
            ("unit_price", "numeric"),
        ],
        &[0],
    );
    let mut event = table(
        4,
        "play_event",
        &[
            ("play_event_id", "int8"),
            ("listener_id", "int4"),
            ("track_id", "int4"),
            ("played_at", "timestamptz"),
            ("duration_ms", "int4"),
            ("device", "text"),
            ("rating", "int2"),
            ("meta", "jsonb"),
        ],
        &[0],
    );
    let place = table(
        5,
        "place",
        &[
            ("id", "int4"),
            ("point", "geometry"),
            ("tags", "_text"),
            ("open", "bool"),
        ],
        &[0],
    );
    relate(&mut artist, "albums", Array, 1, 0, 2);
    relate(&mut album, "artist", Object, 0, 2, 0);
    relate(&mut album, "tracks", Array, 3, 0, 2);
    relate(&mut track, "album", Object, 1, 2, 0);
    relate(&mut track, "genre", Object, 2, 3, 0);
    // Not by a key: several events per track.
    relate(&mut track, "some_event", Object, 4, 0, 2);
    relate(&mut event, "track", Object, 3, 2, 0);
    compute(
        &mut artist,
        "label",
        vec![
            argument("suffix", 1, "text", true),
            argument("times", 2, "int4", true),
        ],
        Returns::Scalar {
            type_: builtin("text"),
            scalar: scalar("text"),
        },
        false,
    );
    compute(
        &mut artist,
        "search_tracks",
        vec![argument("search", 1, "text", true)],
        Returns::Table(TableId::new(0, 3)),
        true,
    );
    vec![artist, album, genre, track, event, place]
}

/// All rights, on rows that pass the filter.
fn write(table: &Table, filter: u32) -> TableAccess {
    let filter_id = PredicateId::new(0, filter);
    let columns = ColumnSet::all(table.columns.len());
    TableAccess {
        select: Some(select(table, filter)),
        insert: Some(InsertAccess {
            check: filter_id,
            columns: columns.clone(),
            presets: Vec::new(),
            backend_only: false,
            validation: None,
        }),
        update: Some(UpdateAccess {
            filter: filter_id,
            check: Some(filter_id),
            columns,
            presets: Vec::new(),
            backend_only: false,
            validation: None,
        }),
        delete: Some(DeleteAccess {
            filter: filter_id,
            backend_only: false,
            validation: None,
        }),
    }
}

/// Names of all mutation fields; every key is a constraint too.
fn mutation_fields(tables: &mut [Table]) -> IndexMap<graphql::Name, RootField> {
    let mut fields = IndexMap::default();
    for table in tables {
        let identifier = table.identifier.clone();
        table.unique_constraints = vec![(format!("{identifier}_pkey").into(), table.primary_key.clone())];
        for (verb, name) in [
            (RootVerb::Insert, format!("insert_{identifier}")),
            (RootVerb::InsertOne, format!("insert_{identifier}_one")),
            (RootVerb::Update, format!("update_{identifier}")),
            (RootVerb::UpdateByPk, format!("update_{identifier}_by_pk")),
            (RootVerb::UpdateMany, format!("update_{identifier}_many")),
            (RootVerb::Delete, format!("delete_{identifier}")),
            (RootVerb::DeleteByPk, format!("delete_{identifier}_by_pk")),
        ] {
            let name: graphql::Name = name.into();
            let target = RootTarget::Table(table.id);
            fields.insert(name.clone(), RootField { verb, target });
            let named = RootFieldName { name, comment: None };
            table.root_fields.insert(verb, named);
        }
    }
    fields
}

fn equals(column: u16, operand: Operand) -> Predicate {
    Predicate::Column(
        ColumnId(column),
        Comparison {
            operator: Operator::Equal,
            operand,
            cast: None,
        },
    )
}

/// The world; `listener` sees own play events (at most 100) and of albums only those with an own event.
pub(crate) fn world(options: Options) -> Model {
    let mut tables = tables();
    let mutation_fields = mutation_fields(&mut tables);
    let predicates = vec![
        Predicate::And(Vec::new()),
        equals(1, Operand::Session("x-hasura-listener-id".into())),
        // Albums with a track that costs nothing, or of an artist with the same id (root column).
        Predicate::Or(vec![
            Predicate::Relationship(RelationshipId(1), Box::new(equals(5, Operand::Literal(0.into())))),
            Predicate::Exists(
                TableId::new(0, 0),
                Box::new(Predicate::Column(
                    ColumnId(0),
                    Comparison {
                        operator: Operator::ColumnEqual,
                        operand: Operand::RootColumn {
                            path: Vec::new(),
                            column: ColumnId(0),
                        },
                        cast: None,
                    },
                )),
            ),
        ]),
    ];
    let mut admin = Role {
        name: "admin".into(),
        ..Role::default()
    };
    let mut listener = Role {
        name: "listener".into(),
        ..Role::default()
    };
    for table in &tables {
        let filter = match &*table.identifier {
            "play_event" => 1,
            "album" => 2,
            _ => 0,
        };
        admin.tables.insert(table.id, write(table, 0));
        let mut own = write(table, filter);
        if filter == 1 {
            let preset = vec![(ColumnId(1), Preset::Session("x-hasura-listener-id".into()))];
            let columns: ColumnSet = (2..7).map(ColumnId).collect();
            if let Some(insert) = own.insert.as_mut() {
                insert.presets.clone_from(&preset);
                insert.columns = columns.clone();
            }
            if let Some(update) = own.update.as_mut() {
                update.columns = columns;
            }
        }
        if let Some(own) = own.select.as_mut().filter(|_| filter == 1) {
            own.limit = Some(100);
            own.redacted_columns = vec![(ColumnId(6), PredicateId::new(0, 1))];
        }
        listener.tables.insert(table.id, own);
    }
    let function = Function {
        id: FunctionId::new(0, 0),
        name: QualifiedName {
            schema: "public".into(),
            name: "find_tracks".into(),
        },
        identifier: "find_tracks".into(),
        identifier_is_custom: false,
        arguments: vec![
            argument("search", 0, "text", true),
            argument("least", 1, "int4", true),
        ],
        session_argument: Some((2, Some("hasura_session".into()))),
        returns: Returns::Table(TableId::new(0, 3)),
        returns_set: true,
        exposure: Exposure::Query,
        volatility: schema::catalog::Volatility::Stable,
        root_fields: FxHashMap::default(),
        permitted_roles: Vec::new(),
        comment: None,
    };
    admin.functions.insert(function.id);
    let source = Source {
        id: SourceId(0),
        name: "default".into(),
        tables: Arc::new(tables),
        functions: Arc::new(vec![function]),
        predicates,
        query_fields: Arc::default(),
        mutation_fields: Arc::new(mutation_fields),
        subscription_fields: Arc::default(),
        customization: Customization::default(),
        query_tags: QueryTags {
            disabled: true,
            format: QueryTagFormat::Standard,
            omit_request_id: true,
        },
        extensions_schema: "public".into(),
        origin: Origin::default(),
    };
    let mut scalars = schema::scalar::Scalars::default();
    for column in source.tables.iter().flat_map(|table| &table.columns) {
        scalars.of_type(&column.type_);
    }
    Model {
        scalars,
        sources: vec![Arc::new(source)],
        roles: [admin, listener]
            .into_iter()
            .map(|role| (role.name.clone(), Arc::new(role)))
            .collect(),
        options,
        ..Model::default()
    }
}
