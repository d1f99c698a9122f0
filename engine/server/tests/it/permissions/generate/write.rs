//! Random fields that write.

use super::super::operation::{Changes, Returning, Root, Write};
use super::super::random::Random;
use super::super::world::{Predicate, Type};
use super::super::write::{Going, going};
use super::{Asking, DEPTH};

/// Nested inserts that are made for one that is taken.
const ATTEMPTS: usize = 24;

impl Asking<'_, '_> {
    /// Tables that the role may write to in some way.
    fn written(&self, random: &mut Random, may: impl Fn(usize) -> bool) -> Option<usize> {
        let strays = self.strays(random);
        let tables: Vec<usize> = (0..self.oracle.world.tables.len())
            .filter(|table| strays || may(*table))
            .collect();
        (!tables.is_empty()).then(|| *random.pick(&tables))
    }

    pub(super) fn write_root(&self, random: &mut Random) -> Option<Root> {
        let oracle = self.oracle;
        let reads = |table: usize| oracle.reading(table).is_some();
        let keyed = |table: usize| oracle.reading(table).is_some_and(|reading| reading.column(0));
        Some(match random.below(17) {
            12 | 13 => self.upsert(random)?,
            14.. => self.nested(random)?,
            0..=3 => {
                let table = self.written(random, |table| oracle.inserting(table).is_some())?;
                let rows = self.new_rows(random, table, &[], (DEPTH, 3), None);
                let conflict = self.maybe_conflict(random, table);
                Root::Write(
                    table,
                    Write::Insert(rows, conflict, self.returning(random, table)),
                )
            }
            4 => {
                let table =
                    self.written(random, |table| oracle.inserting(table).is_some() && reads(table))?;
                let row = self.row_with(random, table, &[], DEPTH, None);
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

    /// An insert of rows with rows behind a relationship. By chance few would pass, and fewer still depend on what triggers
    /// and checks see of each other's rows: so several are made, and one is taken that does.
    fn nested(&self, random: &mut Random) -> Option<Root> {
        let oracle = self.oracle;
        let ways = (0..oracle.world.tables.len()).flat_map(|table| {
            let relationships = oracle.world.relationships(table).into_iter().enumerate();
            relationships.map(move |(way, relationship)| (table, way, relationship.target))
        });
        let may = |table: usize| oracle.inserting(table).is_some();
        let ways: Vec<(usize, usize)> = ways
            .filter(|(table, _, target)| may(*table) && may(*target))
            .map(|(table, way, _)| (table, way))
            .collect();
        if ways.is_empty() {
            return None;
        }
        let looking: Vec<(usize, usize)> = ways
            .iter()
            .copied()
            .filter(|(table, way)| self.looks_along(*table, *way))
            .collect();
        let ways = if looking.is_empty() || random.percent(40) {
            ways
        } else {
            looking
        };
        let mut found = None;
        for _ in 0..if random.percent(80) { ATTEMPTS } else { 1 } {
            let (table, way) = *random.pick(&ways);
            // Of few rows more pass.
            let size = if random.percent(60) { (1, 1) } else { (DEPTH, 2) };
            let mut rows = self.new_rows(random, table, &[], size, Some(way));
            for row in &mut rows {
                self.settle(random, table, row, &[]);
            }
            let returning = self.returning(random, table);
            let root = Root::Write(table, Write::Insert(rows, None, returning));
            match going(oracle.world, oracle.session, &root) {
                Going::Tells => return Some(root),
                Going::Passes => found = Some(root),
                Going::Fails => found = found.or(Some(root)),
            }
        }
        found
    }

    /// The check of rows on one side of a relationship looks at the other side.
    fn looks_along(&self, table: usize, way: usize) -> bool {
        let relationship = &self.oracle.world.relationships(table)[way];
        let (low, high) = if relationship.many {
            (relationship.target, table)
        } else {
            (table, relationship.target)
        };
        let right = self.oracle.inserting(low);
        right.is_some_and(|right| self.oracle.world.leads_to(low, &right.check, high))
    }

    /// An insert of a row with the key of one that is there, which so is updated by the role's rules: by chance that is rare.
    fn upsert(&self, random: &mut Random) -> Option<Root> {
        let oracle = self.oracle;
        let both = |table: usize| oracle.inserting(table).is_some() && oracle.updating(table).is_some();
        let table = self.written(random, both)?;
        let definition = &oracle.world.tables[table];
        let conflict = self.conflict(random, table);
        let mut row = self.row_with(random, table, &[], 0, None);
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
