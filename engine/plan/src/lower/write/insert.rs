//! Rows that are inserted: as values, or as arrays with one item per row.

use schema::model::Column;
use sql::ast::{Expression, From, Join, Order, Output, Select};
use sql::name::{Alias, Identifier, QualifiedName, TypeName};
use sql::write::{Change as SqlChange, Conflict as SqlConflict, Resolution, Rows as SqlRows, Target};

use super::carried_rows;
use crate::ir::write::{
    ArrayValue, Conflict, ConflictTarget, Insert, InsertRows, InsertValue, ItemForm, Place,
};
use crate::lower::{Lowerer, Row, free_name};

impl<'m> Lowerer<'m> {
    /// `insert into t as "t0" (a, b) values (…), (…) on conflict …`
    pub(super) fn insert(&mut self, row: &Row, insert: &Insert<'m>) -> SqlChange {
        let mut columns: Vec<Identifier> = insert
            .columns
            .iter()
            .map(|column| Identifier::from(&column.name))
            .collect();
        let rows = match &insert.rows {
            InsertRows::Values(rows) if columns.is_empty() => {
                match (rows.len(), insert.table.table().columns.first()) {
                    (0 | 1, _) | (_, None) => SqlRows::Defaults,
                    // Postgres has no list of empty rows: one default in each says the same.
                    (many, Some(first)) => {
                        columns.push(Identifier::from(&first.name));
                        SqlRows::Values(vec![vec![None]; many])
                    }
                }
            }
            InsertRows::Values(rows) => SqlRows::Values(
                rows.iter()
                    .map(|row| {
                        row.iter()
                            .map(|value| value.as_ref().map(|value| self.inserted(value)))
                            .collect()
                    })
                    .collect(),
            ),
            InsertRows::Arrays {
                columns: values,
                places,
                numbers,
            } => SqlRows::Select(Box::new(self.arrays(values, places, numbers.as_ref()))),
        };
        let conflict = insert
            .conflict
            .as_ref()
            .map(|conflict| self.conflict(row, conflict));
        SqlChange::Insert {
            columns,
            rows,
            conflict,
        }
    }

    fn conflict(&mut self, row: &Row, conflict: &Conflict<'m>) -> SqlConflict {
        let resolution = match &conflict.update {
            None => Resolution::Nothing,
            Some(update) => {
                let taken = update.columns.iter().map(|column| {
                    let name = Identifier::from(&column.name);
                    (name.clone(), Expression::Excluded(name))
                });
                let presets = update
                    .presets
                    .iter()
                    .map(|(column, value)| (Identifier::from(&column.name), value.clone()));
                Resolution::Update {
                    set: taken.chain(presets).collect(),
                    condition: self.filter(row, row, &update.filter),
                }
            }
        };
        SqlConflict {
            target: conflict.target.as_ref().map(|target| match target {
                ConflictTarget::Constraint(name) => Target::Constraint(Identifier::new(*name)),
                ConflictTarget::Columns(columns) => {
                    let names = columns.iter().map(|column| Identifier::from(&column.name));
                    Target::Columns(names.collect())
                }
            }),
            resolution,
        }
    }

    /// `select "t1"."c0", "t2"."id" from unnest($1, $2) with ordinality as "t1" ("c0", "p0", "n") left join (select
    /// row_number() over () as "#n", "t3".* from unnest(<rows of an earlier write>) as "t3") as "t2" on "t2"."#n" =
    /// "t1"."p0" order by "t1"."n"`
    ///
    /// Within one statement the rows of an earlier write are `"t0" as "t3"`, and where an array of the values is read by
    /// number in no time there is no join: `(array(select "t3"."id" from "t0" as "t3"))["t1"."p0"]`
    fn arrays(
        &mut self,
        values: &[ArrayValue<'m>],
        places: &[Place<'m>],
        numbers: Option<&Expression>,
    ) -> Select {
        let items = self.aliases.fresh();
        let (mut arrays, mut names) = (Vec::new(), Vec::new());
        for value in values {
            if let ArrayValue::Array(array, _) = value {
                names.push(numbered("c", names.len()));
                arrays.push(array.clone());
            }
        }
        let mut items_of_arrays = names.clone().into_iter();
        let mut numbers_of_places: Vec<Option<Identifier>> = vec![None; places.len()];
        for (at, (place, number)) in places.iter().zip(&mut numbers_of_places).enumerate() {
            let is_read =
                |value: &ArrayValue<'m>| matches!(value, ArrayValue::Written { place, .. } if *place == at);
            if values.iter().any(is_read) {
                let name = numbered("p", names.len());
                *number = Some(name.clone());
                arrays.push(place.rows.clone());
                names.push(name);
            }
        }
        let mut outputs = Vec::with_capacity(values.len());
        let mut joined: Vec<Option<Alias>> = vec![None; places.len()];
        for value in values {
            outputs.push(Output::unnamed(match value {
                ArrayValue::Same(value) => value.clone(),
                ArrayValue::Array(_, form) => {
                    let name = items_of_arrays.next().unwrap_or_else(|| numbered("c", 0));
                    self.item(Expression::Column(items, name), *form)
                }
                ArrayValue::Written { place: at, column } => {
                    let place = places.get(*at);
                    let number = numbers_of_places.get(*at).and_then(Option::as_ref);
                    if let (Some(place), Some(number)) = (place, number)
                        && let Some(rows) = self.chain.get(place.write).copied()
                        && is_of_fixed_length(column)
                    {
                        let number = Expression::Column(items, number.clone());
                        self.element_of(rows, column, number)
                    } else {
                        let alias = match joined.get(*at).copied().flatten() {
                            Some(alias) => alias,
                            None => self.aliases.fresh(),
                        };
                        if let Some(known) = joined.get_mut(*at) {
                            *known = Some(alias);
                        }
                        Expression::Column(alias, Identifier::from(&column.name))
                    }
                }
            }));
        }
        let mut joins = Vec::new();
        for ((place, name), known) in places.iter().zip(numbers_of_places).zip(joined) {
            let (Some(alias), Some(name)) = (known, name) else {
                continue;
            };
            let inner = self.aliases.fresh();
            let number = free_name("n", &place.table.columns);
            let rows = Select {
                columns: vec![
                    Output::named(Expression::RowNumber, number.clone()),
                    Output::unnamed(Expression::WholeRow(inner)),
                ],
                from: Some(match self.chain.get(place.write) {
                    Some(rows) => From::Inserted {
                        rows: *rows,
                        alias: inner,
                    },
                    None => From::Function {
                        call: sql::ast::Call {
                            function: QualifiedName::builtin("unnest"),
                            arguments: vec![sql::ast::Argument {
                                name: None,
                                value: carried_rows(place.write, place.table),
                            }],
                        },
                        alias: inner,
                    },
                }),
                ..Select::default()
            };
            joins.push(Join {
                from: From::Subquery {
                    select: Box::new(rows),
                    alias,
                },
                lateral: false,
                on: Expression::equal(Expression::Column(alias, number), Expression::Column(items, name)),
            });
        }
        let order = if joins.is_empty() {
            Vec::new()
        } else {
            vec![Order {
                by: Expression::Column(items, Identifier::from("n")),
                descending: false,
                nulls_first: false,
            }]
        };
        if arrays.is_empty() {
            names.push(numbered("c", 0));
            arrays.extend(numbers.cloned());
        }
        names.push(Identifier::from("n"));
        Select {
            columns: outputs,
            from: Some(From::Arrays {
                arrays,
                alias: items,
                columns: names,
            }),
            joins,
            order,
            ..Select::default()
        }
    }

    /// `(array(select "t3"."id" from "t0" as "t3"))[number]`: a value of a row that a write of the same statement gave.
    fn element_of(&mut self, rows: Alias, column: &Column, number: Expression) -> Expression {
        let alias = self.aliases.fresh();
        let all = Select {
            columns: vec![Output::unnamed(Expression::Column(
                alias,
                Identifier::from(&column.name),
            ))],
            from: Some(From::Inserted { rows, alias }),
            ..Select::default()
        };
        Expression::Element(Box::new(Expression::Array(Box::new(all))), Box::new(number))
    }

    /// A value, or `(((current_setting('rowlock.rows0'))::t[])[1])."id"`
    fn inserted(&mut self, value: &InsertValue<'_>) -> Expression {
        match value {
            InsertValue::Value(value) => value.clone(),
            InsertValue::Written {
                write,
                row,
                table,
                column,
            } => {
                let number = Expression::Integer(*row as u64);
                if let Some(rows) = self.chain.get(*write).copied() {
                    return self.element_of(rows, column, number);
                }
                let row = Expression::Element(Box::new(carried_rows(*write, table)), Box::new(number));
                Expression::Attribute(Box::new(row), Identifier::from(&column.name))
            }
        }
    }

    fn item(&self, item: Expression, form: ItemForm<'m>) -> Expression {
        let type_of = |column: &Column| TypeName::new(&column.type_.schema, &column.type_.name);
        let call = |function: &'static str, item| {
            Expression::call(QualifiedName::new(self.extensions, function), vec![item])
        };
        match form {
            ItemForm::Plain => item,
            ItemForm::Cast(column) => item.cast(type_of(column)),
            ItemForm::GeoJson(column) => call("st_geomfromgeojson", item).cast(type_of(column)),
            ItemForm::Raster => call("st_rastfromhexwkb", item),
        }
    }
}

fn numbered(letter: &str, number: usize) -> Identifier {
    Identifier::new(format!("{letter}{number}"))
}

/// Any item of an array of these is found at once.
fn is_of_fixed_length(column: &Column) -> bool {
    const NAMES: [&str; 11] = [
        "int2",
        "int4",
        "int8",
        "uuid",
        "oid",
        "date",
        "timestamp",
        "timestamptz",
        "bool",
        "float4",
        "float8",
    ];
    column.type_.schema == "pg_catalog" && NAMES.contains(&column.type_.name.as_str())
}
