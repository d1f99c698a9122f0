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
                    .map(|row| row.iter().map(|value| value.as_ref().map(inserted)).collect())
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
    fn arrays(
        &mut self,
        values: &[ArrayValue<'m>],
        places: &[Place<'m>],
        numbers: Option<&Expression>,
    ) -> Select {
        let items = self.aliases.fresh();
        let (mut arrays, mut names) = (Vec::new(), Vec::new());
        let mut outputs = Vec::with_capacity(values.len());
        let mut joined: Vec<Option<Alias>> = vec![None; places.len()];
        for value in values {
            outputs.push(Output::unnamed(match value {
                ArrayValue::Same(value) => value.clone(),
                ArrayValue::Array(array, form) => {
                    let name = numbered("c", names.len());
                    arrays.push(array.clone());
                    names.push(name.clone());
                    self.item(Expression::Column(items, name), *form)
                }
                ArrayValue::Written { place, column } => {
                    let alias = match joined.get(*place).copied().flatten() {
                        Some(alias) => alias,
                        None => self.aliases.fresh(),
                    };
                    if let Some(known) = joined.get_mut(*place) {
                        *known = Some(alias);
                    }
                    Expression::Column(alias, Identifier::from(&column.name))
                }
            }));
        }
        let mut joins = Vec::new();
        for (place, known) in places.iter().zip(joined) {
            let Some(alias) = known else { continue };
            let name = numbered("p", names.len());
            arrays.push(place.rows.clone());
            names.push(name.clone());
            let inner = self.aliases.fresh();
            let number = free_name("n", &place.table.columns);
            let rows = Select {
                columns: vec![
                    Output::named(Expression::RowNumber, number.clone()),
                    Output::unnamed(Expression::WholeRow(inner)),
                ],
                from: Some(From::Function {
                    call: sql::ast::Call {
                        function: QualifiedName::builtin("unnest"),
                        arguments: vec![sql::ast::Argument {
                            name: None,
                            value: carried_rows(place.write, place.table),
                        }],
                    },
                    alias: inner,
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

/// A value, or `(((current_setting('rowlock.rows0'))::t[])[1])."id"`
fn inserted(value: &InsertValue<'_>) -> Expression {
    match value {
        InsertValue::Value(value) => value.clone(),
        InsertValue::Written {
            write,
            row,
            table,
            column,
        } => {
            let row = Expression::Element(
                Box::new(carried_rows(*write, table)),
                Box::new(Expression::Integer(*row as u64)),
            );
            Expression::Attribute(Box::new(row), Identifier::from(&column.name))
        }
    }
}
