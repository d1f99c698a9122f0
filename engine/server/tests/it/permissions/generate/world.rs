//! Random worlds: tables with rows, and what roles may do with them.

use super::super::random::Random;
use super::super::world::{
    Cell, Column, Copy, Delete, Insert, Permission, Preset, Reference, Role, Row, Select, Table, Type,
    Update, World,
};
use super::cell;
use super::rule::{check, loose_check, rule};

/// A world from a seed.
pub(crate) fn world(random: &mut Random, schema: String) -> World {
    let count = 2 + random.below(3);
    let mut tables: Vec<Table> = Vec::with_capacity(count);
    for at in 0..count {
        let made = table(random, at, &tables);
        tables.push(made);
    }
    let mut world = World {
        schema,
        tables,
        roles: Vec::new(),
    };
    for _ in 0..3 {
        let permissions = (0..count)
            .map(|table| permission(random, &world, table))
            .collect();
        world.roles.push(Role::Plain(permissions));
    }
    world.roles.push(Role::Inherited(vec![0, 1]));
    world.roles.push(Role::Inherited(vec![3, 2]));
    world
}

fn table(random: &mut Random, at: usize, before: &[Table]) -> Table {
    let mut columns = vec![Column {
        type_: Type::Int,
        nullable: false,
        default: None,
    }];
    let mut references = Vec::new();
    for column in 1..3 + random.below(4) {
        let refers = random.percent(if references.is_empty() { 45 } else { 15 });
        // The first table can only refer to itself.
        let target = if at == 0 || random.percent(10) {
            at
        } else {
            random.below(at)
        };
        if refers && (at > 0 || random.percent(40)) {
            let nullable = target == at || random.percent(50);
            columns.push(Column {
                type_: Type::Int,
                nullable,
                default: None,
            });
            references.push(Reference { column, target });
            continue;
        }
        let type_ = *random.pick(&[Type::Int, Type::Int, Type::Text, Type::Bool]);
        let nullable = random.percent(60);
        let default = random
            .percent(if nullable { 30 } else { 70 })
            .then(|| cell(random, type_));
        columns.push(Column {
            type_,
            nullable,
            default,
        });
    }
    let plain: Vec<usize> = (1..columns.len())
        .filter(|column| references.iter().all(|reference| reference.column != *column))
        .collect();
    let unique = (random.percent(50) && !plain.is_empty()).then(|| {
        let mut unique = vec![*random.pick(&plain)];
        unique.extend(references.first().map(|reference| reference.column));
        unique
    });
    let mut rows: Vec<Row> = Vec::new();
    for id in 1..4 + random.below(6) {
        let mut row = vec![Cell::Int(id as i64)];
        for (position, column) in columns.iter().enumerate().skip(1) {
            let reference = references.iter().find(|reference| reference.column == position);
            let made = match reference {
                _ if column.nullable && random.percent(25) => Cell::Null,
                Some(reference) if reference.target == at => {
                    // Itself or an earlier row.
                    Cell::Int(1 + random.below(id) as i64)
                }
                Some(reference) => random.pick(&before[reference.target].rows)[0].clone(),
                None => cell(random, column.type_),
            };
            row.push(made);
        }
        let clashes = unique.as_ref().is_some_and(|unique: &Vec<usize>| {
            unique.iter().all(|column| !row[*column].is_null())
                && rows
                    .iter()
                    .any(|other| unique.iter().all(|column| other[*column] == row[*column]))
        });
        // The first row stays: others refer to it.
        if !clashes {
            rows.push(row);
        }
    }
    let ids: Vec<Cell> = rows.iter().map(|row| row[0].clone()).collect();
    for reference in references.iter().filter(|reference| reference.target == at) {
        for row in &mut rows {
            if !ids.contains(&row[reference.column]) {
                row[reference.column] = Cell::Null;
            }
        }
    }
    let copy = copy(random, at, &columns, &references, before);
    Table {
        columns,
        references,
        unique,
        copy,
        rows,
    }
}

/// A trigger that takes a value from the row of another table that a new row refers to.
fn copy(
    random: &mut Random,
    at: usize,
    columns: &[Column],
    references: &[Reference],
    before: &[Table],
) -> Option<Copy> {
    let is_set = |column: &usize, type_: Type| {
        columns[*column].type_ == type_
            && columns[*column].nullable
            && references.iter().all(|key| key.column != *column)
    };
    let mut ways = Vec::new();
    for reference in references.iter().filter(|key| key.target != at) {
        for (from, there) in before[reference.target].columns.iter().enumerate().skip(1) {
            let set = (1..columns.len()).filter(|column| is_set(column, there.type_));
            ways.extend(set.map(|column| Copy {
                column,
                reference: reference.clone(),
                from,
            }));
        }
    }
    (!ways.is_empty() && random.percent(30)).then(|| random.pick(&ways).clone())
}

fn permission(random: &mut Random, world: &World, table: usize) -> Permission {
    let count = world.tables[table].columns.len();
    let mut permission = Permission::default();
    if random.percent(80) {
        let mut columns = random.some(count, 65);
        if columns.is_empty() {
            columns.push(random.below(count));
        }
        permission.select = Some(Select {
            columns,
            filter: rule(random, world, table),
            limit: random.percent(15).then(|| random.below(4)),
            aggregations: random.percent(60),
        });
    }
    // A column is given or set, not both; a check says nothing about other rows of the table being written, whose
    // state in the middle of a statement is Postgres's own affair.
    let written = |random: &mut Random| {
        let set: Vec<usize> = random
            .some(count, 12)
            .into_iter()
            .filter(|column| *column > 0)
            .collect();
        let columns: Vec<usize> = random
            .some(count, 80)
            .into_iter()
            .filter(|column| !set.contains(column))
            .collect();
        let set: Vec<(usize, Preset)> = set
            .into_iter()
            .map(|column| {
                let type_ = world.tables[table].columns[column].type_;
                let preset = if random.percent(50) {
                    Preset::Session
                } else {
                    Preset::Literal(cell(random, type_))
                };
                (column, preset)
            })
            .collect();
        (columns, set)
    };
    if random.percent(35) {
        // Under strict rules few rows are written together.
        permission.insert = Some(Insert {
            columns: (0..count).collect(),
            check: loose_check(random, world, table),
            set: Vec::new(),
            backend_only: false,
        });
    } else if random.percent(50) {
        let (mut columns, set) = written(random);
        if !columns.contains(&0) && random.percent(90) {
            columns.insert(0, 0);
        }
        permission.insert = Some(Insert {
            columns,
            check: check(random, world, table),
            set,
            backend_only: random.percent(20),
        });
    }
    if random.percent(60) {
        let (columns, set) = written(random);
        permission.update = Some(Update {
            columns,
            filter: rule(random, world, table),
            check: random.percent(50).then(|| check(random, world, table)),
            set,
            backend_only: random.percent(20),
        });
    }
    if random.percent(60) {
        permission.delete = Some(Delete {
            filter: rule(random, world, table),
        });
    }
    permission
}
