//! Random worlds and random operations.

mod rule;

use self::rule::{check, rule};
use super::operation::{
    Aggregate, Arguments, Changes, Conflict, Field, NewRow, Request, Returning, Root, Write,
};
use super::oracle::Oracle;
use super::random::Random;
use super::world::{
    Cell, Column, Delete, Insert, Operand, Operator, Permission, Predicate, Preset, Reference, Role, Row,
    Select, Session, Table, Type, Update, World,
};

const LETTERS: [&str; 4] = ["a", "b", "c", "d"];
/// Numbers are below this, so that they meet.
const NUMBERS: usize = 6;
/// How deep relationships are followed.
const DEPTH: usize = 2;

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
    Table {
        columns,
        references,
        unique,
        rows,
    }
}

fn cell(random: &mut Random, type_: Type) -> Cell {
    match type_ {
        Type::Int => Cell::Int(random.below(NUMBERS) as i64),
        Type::Text => Cell::Text((*random.pick(&LETTERS)).to_owned()),
        Type::Bool => Cell::Bool(random.percent(50)),
    }
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
    if random.percent(60) {
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

/// Who asks.
pub(crate) fn session(random: &mut Random, world: &World) -> Session {
    Session {
        role: random.below(world.roles.len()),
        user_id: random.below(NUMBERS) as i64,
        name: (*random.pick(&LETTERS)).to_owned(),
        ids: (0..1 + random.below(3))
            .map(|_| random.below(NUMBERS) as i64)
            .collect(),
        backend: random.percent(10),
    }
}

/// A request of one to three root fields. Few ask for what their role may not have.
pub(crate) fn request(random: &mut Random, world: &World) -> Request {
    let session = session(random, world);
    // Some ask for what another role may have, or what a backend may.
    let pretended = match random.below(100) {
        0..=5 => self::session(random, world),
        6..=9 => Session {
            backend: true,
            ..session.clone()
        },
        _ => session.clone(),
    };
    let oracle = Oracle {
        world,
        session: &pretended,
    };
    let asking = Asking {
        oracle: &oracle,
        trespass: random.percent(12),
    };
    let writes = random.percent(45);
    let count = 1 + random.below(if writes { 2 } else { 3 });
    let root = |random: &mut Random| {
        if writes {
            asking.write_root(random)
        } else {
            asking.root(random)
        }
    };
    let roots: Vec<Root> = (0..count).filter_map(|_| root(random)).collect();
    let roots = if roots.is_empty() {
        // Nothing can be read: ask all the same.
        vec![Root::List(
            random.below(world.tables.len()),
            Arguments::default(),
            vec![Field::Column(0)],
        )]
    } else {
        roots
    };
    let variables = random.percent(50);
    Request {
        session,
        roots,
        variables,
    }
}

/// Makes what a role may ask for, and sometimes more.
struct Asking<'o, 'w> {
    oracle: &'o Oracle<'w>,
    trespass: bool,
}

impl Asking<'_, '_> {
    fn strays(&self, random: &mut Random) -> bool {
        self.trespass && random.percent(15)
    }

    fn tables(&self, random: &mut Random) -> Vec<usize> {
        let all = 0..self.oracle.world.tables.len();
        if self.strays(random) {
            return all.collect();
        }
        all.filter(|table| self.oracle.reading(*table).is_some())
            .collect()
    }

    /// Columns to choose from.
    fn columns(&self, random: &mut Random, table: usize) -> Vec<usize> {
        let all = self.oracle.world.tables[table].columns.len();
        match self.oracle.reading(table) {
            Some(reading) if !self.strays(random) => reading.columns().into_iter().collect(),
            _ => (0..all).collect(),
        }
    }

    /// Relationships to choose from, by whether they lead to many.
    fn ways(&self, random: &mut Random, table: usize) -> Vec<usize> {
        let relationships = self.oracle.world.relationships(table);
        let strays = self.strays(random);
        (0..relationships.len())
            .filter(|way| strays || self.oracle.reading(relationships[*way].target).is_some())
            .collect()
    }

    fn root(&self, random: &mut Random) -> Option<Root> {
        let tables = self.tables(random);
        let table = *(!tables.is_empty()).then(|| random.pick(&tables))?;
        let reading = self.oracle.reading(table);
        let keyed = reading.as_ref().is_some_and(|reading| reading.column(0));
        let aggregates = reading.as_ref().is_some_and(|reading| reading.aggregations());
        let strays = self.strays(random);
        Some(match random.below(10) {
            0 | 1 if keyed || strays => Root::ByKey(
                table,
                1 + random.below(8) as i64,
                self.fields(random, table, DEPTH),
            ),
            2..=4 if aggregates || strays => {
                let arguments = self.arguments(random, table, true);
                Root::Aggregate(table, arguments, self.aggregate(random, table, DEPTH))
            }
            _ => {
                let arguments = self.arguments(random, table, false);
                Root::List(table, arguments, self.fields(random, table, DEPTH))
            }
        })
    }

    pub(crate) fn fields(&self, random: &mut Random, table: usize, depth: usize) -> Vec<Field> {
        let columns = self.columns(random, table);
        let mut fields: Vec<Field> = columns
            .iter()
            .filter(|_| random.percent(60))
            .map(|column| Field::Column(*column))
            .collect();
        let ways = if depth == 0 {
            Vec::new()
        } else {
            self.ways(random, table)
        };
        for way in ways
            .into_iter()
            .filter(|_| random.percent(45))
            .collect::<Vec<_>>()
        {
            let relationship = &self.oracle.world.relationships(table)[way];
            let target = relationship.target;
            if !relationship.many {
                fields.push(Field::Object(way, self.fields(random, target, depth - 1)));
                continue;
            }
            let aggregates = self
                .oracle
                .reading(target)
                .is_some_and(|reading| reading.aggregations())
                || self.strays(random);
            if aggregates && random.percent(40) {
                let arguments = self.arguments(random, target, true);
                fields.push(Field::ArrayAggregate(
                    way,
                    arguments,
                    self.aggregate(random, target, depth - 1),
                ));
            } else {
                let arguments = self.arguments(random, target, false);
                fields.push(Field::Array(
                    way,
                    arguments,
                    self.fields(random, target, depth - 1),
                ));
            }
        }
        if fields.is_empty() {
            fields.push(Field::Column(columns.first().copied().unwrap_or(0)));
        }
        fields
    }

    fn arguments(&self, random: &mut Random, table: usize, aggregate: bool) -> Arguments {
        let filter = random.percent(45).then(|| self.filter(random, table, 2));
        let reading = self.oracle.reading(table);
        let orders = reading.is_some_and(|reading| reading.is_whole(0));
        if !orders || random.percent(40) {
            return Arguments {
                filter,
                limit: (!aggregate && random.percent(20)).then(|| random.below(4)),
                ..Arguments::default()
            };
        }
        let mut order = Vec::new();
        let columns = self.columns(random, table);
        if random.percent(40) {
            order.push((*random.pick(&columns), random.percent(50)));
        }
        if order.iter().all(|(column, _)| *column != 0) {
            order.push((0, random.percent(50)));
        }
        Arguments {
            filter,
            order,
            limit: random.percent(30).then(|| random.below(5)),
            offset: random.percent(20).then(|| random.below(4)),
        }
    }

    /// A client's filter.
    pub(crate) fn filter(&self, random: &mut Random, table: usize, depth: usize) -> Predicate {
        let columns = self.columns(random, table);
        let inner = |random: &mut Random| self.filter(random, table, depth - 1);
        match random.below(if depth == 0 { 8 } else { 14 }) {
            8 => Predicate::And(vec![inner(random), inner(random)]),
            9 => Predicate::Or(vec![inner(random), inner(random)]),
            10 => Predicate::Not(Box::new(inner(random))),
            11..=13 => {
                let ways = self.ways(random, table);
                if ways.is_empty() {
                    return Predicate::And(Vec::new());
                }
                let way = *random.pick(&ways);
                let target = self.oracle.world.relationships(table)[way].target;
                Predicate::Related(way, Box::new(self.filter(random, target, depth - 1)))
            }
            choice => {
                let column = *random.pick(&columns);
                let type_ = self.oracle.world.tables[table].columns[column].type_;
                match choice {
                    0 => Predicate::IsNull(column, random.percent(50)),
                    1 | 2 => {
                        let cells = (0..1 + random.below(3)).map(|_| cell(random, type_)).collect();
                        Predicate::Among(column, random.percent(60), cells)
                    }
                    _ => {
                        let operator = *random.pick(&Operator::ALL);
                        Predicate::Compare(column, operator, Operand::Literal(cell(random, type_)))
                    }
                }
            }
        }
    }

    fn aggregate(&self, random: &mut Random, table: usize, depth: usize) -> Aggregate {
        let columns = self.columns(random, table);
        let mut counts = vec![(None, false)];
        if random.percent(50) {
            counts.push((Some(*random.pick(&columns)), random.percent(50)));
        }
        let mut operations = Vec::new();
        for column in &columns {
            if !random.percent(40) {
                continue;
            }
            let type_ = self.oracle.world.tables[table].columns[*column].type_;
            match type_ {
                Type::Int => operations.push((*random.pick(&["sum", "max", "min"]), *column)),
                Type::Text => operations.push((*random.pick(&["max", "min"]), *column)),
                Type::Bool => {}
            }
        }
        let nodes = random
            .percent(40)
            .then(|| self.fields(random, table, depth.saturating_sub(1)));
        Aggregate {
            counts,
            operations,
            nodes,
        }
    }

    /// Tables that the role may write to in some way.
    fn written(&self, random: &mut Random, may: impl Fn(usize) -> bool) -> Option<usize> {
        let strays = self.strays(random);
        let tables: Vec<usize> = (0..self.oracle.world.tables.len())
            .filter(|table| strays || may(*table))
            .collect();
        (!tables.is_empty()).then(|| *random.pick(&tables))
    }

    fn write_root(&self, random: &mut Random) -> Option<Root> {
        let oracle = self.oracle;
        let reads = |table: usize| oracle.reading(table).is_some();
        let keyed = |table: usize| oracle.reading(table).is_some_and(|reading| reading.column(0));
        Some(match random.below(14) {
            12.. => self.upsert(random)?,
            0..=3 => {
                let table = self.written(random, |table| oracle.inserting(table).is_some())?;
                let rows = (0..1 + random.below(3))
                    .map(|_| self.new_row(random, table, &[], DEPTH))
                    .collect();
                let conflict = self.maybe_conflict(random, table);
                Root::Write(
                    table,
                    Write::Insert(rows, conflict, self.returning(random, table)),
                )
            }
            4 => {
                let table =
                    self.written(random, |table| oracle.inserting(table).is_some() && reads(table))?;
                let row = self.new_row(random, table, &[], DEPTH);
                let conflict = self.maybe_conflict(random, table);
                Root::Write(
                    table,
                    Write::InsertOne(row, conflict, self.fields(random, table, 1)),
                )
            }
            5 | 6 => {
                let table = self.written(random, |table| oracle.updating(table).is_some())?;
                let filter = self.write_filter(random, table);
                let changes = self.changes(random, table);
                Root::Write(
                    table,
                    Write::Update(filter, changes, self.returning(random, table)),
                )
            }
            7 => {
                let table = self.written(random, |table| oracle.updating(table).is_some() && keyed(table))?;
                let changes = self.changes(random, table);
                let id = 1 + random.below(8) as i64;
                Root::Write(
                    table,
                    Write::UpdateByKey(id, changes, self.fields(random, table, 1)),
                )
            }
            8 => {
                let table = self.written(random, |table| oracle.updating(table).is_some())?;
                let updates = (0..1 + random.below(3))
                    .map(|_| (self.write_filter(random, table), self.changes(random, table)))
                    .collect();
                Root::Write(table, Write::UpdateMany(updates, self.returning(random, table)))
            }
            9 | 10 => {
                let table = self.written(random, |table| oracle.deleting(table).is_some())?;
                let filter = self.write_filter(random, table);
                Root::Write(table, Write::Delete(filter, self.returning(random, table)))
            }
            _ => {
                let table = self.written(random, |table| oracle.deleting(table).is_some() && keyed(table))?;
                let id = 1 + random.below(8) as i64;
                Root::Write(table, Write::DeleteByKey(id, self.fields(random, table, 1)))
            }
        })
    }

    fn returning(&self, random: &mut Random, table: usize) -> Returning {
        let reads = self.oracle.reading(table).is_some() || self.strays(random);
        (reads && random.percent(70)).then(|| self.fields(random, table, 1))
    }

    fn write_filter(&self, random: &mut Random, table: usize) -> Predicate {
        let reads = self.oracle.reading(table).is_some() || self.strays(random);
        if !reads || random.percent(20) {
            return Predicate::And(Vec::new());
        }
        self.filter(random, table, 2)
    }

    /// A value that a column can be given; few of them cannot be written.
    fn new_cell(&self, random: &mut Random, table: usize, column: usize) -> Cell {
        let definition = &self.oracle.world.tables[table];
        if column == 0 {
            return Cell::Int(if random.percent(75) {
                9 + random.below(40)
            } else {
                1 + random.below(8)
            } as i64);
        }
        if random.percent(if definition.columns[column].nullable {
            20
        } else {
            2
        }) {
            return Cell::Null;
        }
        let reference = definition
            .references
            .iter()
            .find(|reference| reference.column == column);
        match reference {
            Some(reference) if random.percent(90) => {
                let rows = &self.oracle.world.tables[reference.target].rows;
                if rows.is_empty() {
                    Cell::Int(1)
                } else {
                    random.pick(rows)[0].clone()
                }
            }
            _ => cell(random, definition.columns[column].type_),
        }
    }

    /// A row to be inserted, without the columns that others decide.
    fn new_row(&self, random: &mut Random, table: usize, decided: &[usize], depth: usize) -> NewRow {
        let world = self.oracle.world;
        let right = self.oracle.inserting(table);
        let mut decided = decided.to_vec();
        let mut related: Vec<(usize, Vec<NewRow>)> = Vec::new();
        let relationships = world.relationships(table);
        for (way, relationship) in relationships.iter().enumerate() {
            let may = self.oracle.inserting(relationship.target).is_some();
            if depth == 0 || !(may || self.strays(random)) || !random.percent(15) {
                continue;
            }
            if relationship.many {
                let rows = (0..1 + random.below(2))
                    .map(|_| self.new_row(random, relationship.target, &[relationship.other], depth - 1))
                    .collect();
                related.push((way, rows));
            } else if !decided.contains(&relationship.own) {
                decided.push(relationship.own);
                related.push((
                    way,
                    vec![self.new_row(random, relationship.target, &[], depth - 1)],
                ));
            }
        }
        let strays = self.strays(random);
        let cells = (0..world.tables[table].columns.len())
            .filter(|column| !decided.contains(column))
            .filter(|column| strays || right.is_some_and(|right| right.columns.contains(column)))
            .filter(|column| *column == 0 || random.percent(85))
            .collect::<Vec<_>>();
        let cells = cells
            .into_iter()
            .map(|column| (column, self.new_cell(random, table, column)))
            .collect();
        NewRow { cells, related }
    }

    fn maybe_conflict(&self, random: &mut Random, table: usize) -> Option<Conflict> {
        random.percent(40).then(|| self.conflict(random, table))
    }

    fn conflict(&self, random: &mut Random, table: usize) -> Conflict {
        let world = self.oracle.world;
        let right = self.oracle.updating(table);
        let strays = self.strays(random);
        let columns = (0..world.tables[table].columns.len())
            .filter(|column| strays || right.is_some_and(|right| right.columns.contains(column)))
            .collect::<Vec<_>>();
        let columns = columns.into_iter().filter(|_| random.percent(50)).collect();
        let reads = self.oracle.reading(table).is_some();
        Conflict {
            primary: world.tables[table].unique.is_none() || random.percent(60),
            columns,
            filter: (reads && random.percent(30)).then(|| self.filter(random, table, 1)),
        }
    }

    /// An insert of a row with the key of one that is there, which so is updated by the role's rules: by chance that is rare.
    fn upsert(&self, random: &mut Random) -> Option<Root> {
        let oracle = self.oracle;
        let both = |table: usize| oracle.inserting(table).is_some() && oracle.updating(table).is_some();
        let table = self.written(random, both)?;
        let definition = &oracle.world.tables[table];
        let conflict = self.conflict(random, table);
        let mut row = self.new_row(random, table, &[], 0);
        let key = match &definition.unique {
            Some(unique) if !conflict.primary => unique.as_slice(),
            _ => &[0],
        };
        if !definition.rows.is_empty() {
            let there = random.pick(&definition.rows);
            // What nothing else is wrong with, mostly.
            for column in oracle.inserting(table).map_or(&[][..], |right| &right.columns) {
                let given = row.cells.iter().position(|(known, _)| known == column);
                let cell = (*column, there[*column].clone());
                match given {
                    None => row.cells.push(cell),
                    Some(at) if key.contains(column) || random.percent(50) => row.cells[at] = cell,
                    Some(_) => {}
                }
            }
        }
        let returning = self.returning(random, table);
        Some(Root::Write(
            table,
            Write::Insert(vec![row], Some(conflict), returning),
        ))
    }

    fn changes(&self, random: &mut Random, table: usize) -> Changes {
        let definition = &self.oracle.world.tables[table];
        let right = self.oracle.updating(table);
        let strays = self.strays(random);
        let mut changes = Changes::default();
        for column in 0..definition.columns.len() {
            let may = strays || right.is_some_and(|right| right.columns.contains(&column));
            // Keys rarely, and never by steps, for whether these clash on the way depends on the order of rows.
            let key = column == 0
                || definition
                    .unique
                    .as_ref()
                    .is_some_and(|unique| unique.contains(&column));
            if !may || !random.percent(if key { 15 } else { 45 }) {
                continue;
            }
            if !key && definition.columns[column].type_ == Type::Int && random.percent(25) {
                changes.increment.push((column, random.below(3) as i64 - 1));
            } else {
                changes.set.push((column, self.new_cell(random, table, column)));
            }
        }
        changes
    }
}
