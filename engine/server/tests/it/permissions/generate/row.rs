//! Random rows to be inserted.

use super::super::operation::{Conflict, Nested, NewRow};
use super::super::random::Random;
use super::super::world::{Cell, Type};
use super::{Asking, cell};

impl Asking<'_, '_> {
    /// A value that a column can be given; few of them cannot be written.
    pub(super) fn new_cell(&self, random: &mut Random, table: usize, column: usize) -> Cell {
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
        self.row_with(random, table, decided, depth, None)
    }

    /// Some rows. Often they all look like the first.
    pub(super) fn new_rows(
        &self,
        random: &mut Random,
        table: usize,
        decided: &[usize],
        (depth, most): (usize, usize),
        way: Option<usize>,
    ) -> Vec<NewRow> {
        let mut rows = vec![self.row_with(random, table, decided, depth, way)];
        let alike = random.percent(50);
        for _ in 0..random.below(most) {
            rows.push(match rows.first() {
                Some(first) if alike => self.alike(random, table, first),
                _ => self.row_with(random, table, decided, depth, way),
            });
        }
        rows
    }

    /// A row with other values in the same places.
    fn alike(&self, random: &mut Random, table: usize, row: &NewRow) -> NewRow {
        let cells = row.cells.iter();
        let cells = cells.map(|(column, _)| (*column, self.new_cell(random, table, *column)));
        let cells = cells.collect();
        let relationships = self.oracle.world.relationships(table);
        let related = row.related.iter().map(|nested| {
            let target = relationships[nested.way].target;
            let rows = nested.rows.iter().map(|row| self.alike(random, target, row));
            Nested {
                way: nested.way,
                rows: rows.collect(),
                conflict: nested.conflict.clone(),
            }
        });
        let related = related.collect();
        NewRow { cells, related }
    }

    /// With something behind that relationship, if the role may and nothing else decides it.
    pub(super) fn row_with(
        &self,
        random: &mut Random,
        table: usize,
        decided: &[usize],
        depth: usize,
        wanted: Option<usize>,
    ) -> NewRow {
        let world = self.oracle.world;
        let right = self.oracle.inserting(table);
        let mut decided = decided.to_vec();
        let mut related: Vec<Nested> = Vec::new();
        let relationships = world.relationships(table);
        for (way, relationship) in relationships.iter().enumerate() {
            let target = relationship.target;
            let may = self.oracle.inserting(target).is_some();
            if depth == 0 || !(may || self.strays(random)) {
                continue;
            }
            if wanted != Some(way) && !random.percent(20) {
                continue;
            }
            let rows = if relationship.many {
                self.new_rows(random, target, &[relationship.other], (depth - 1, 2), None)
            } else if decided.contains(&relationship.own) {
                continue;
            } else {
                decided.push(relationship.own);
                vec![self.new_row(random, target, &[], depth - 1)]
            };
            let conflict = random.percent(15).then(|| self.conflict(random, target));
            related.push(Nested { way, rows, conflict });
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

    /// Takes away most of what constraints refuse, which leaves what rules refuse: of many rows together few would pass.
    pub(super) fn settle(&self, random: &mut Random, table: usize, row: &mut NewRow, decided: &[usize]) {
        let world = self.oracle.world;
        let definition = &world.tables[table];
        let relationships = world.relationships(table);
        let own = row
            .related
            .iter()
            .map(|nested| &relationships[nested.way])
            .filter(|relationship| !relationship.many)
            .map(|relationship| relationship.own);
        let decided: Vec<usize> = decided.iter().copied().chain(own).collect();
        let right = self.oracle.inserting(table);
        for column in right.map_or(&[][..], |right| &right.columns) {
            let reference = definition.references.iter().find(|key| key.column == *column);
            let is_key = *column == 0 || definition.unique.as_ref().is_some_and(|key| key.contains(column));
            let type_ = definition.columns[*column].type_;
            let cell = match reference.map(|key| &world.tables[key.target].rows) {
                Some(rows) if !rows.is_empty() => random.pick(rows)[0].clone(),
                None if is_key && type_ == Type::Int => Cell::Int(1000 + random.below(1_000_000) as i64),
                _ => cell(random, type_),
            };
            let given = row.cells.iter_mut().find(|(known, _)| known == column);
            match given {
                Some((_, given)) if reference.is_some() || is_key || given.is_null() => *given = cell,
                None if !decided.contains(column) && !definition.columns[*column].nullable => {
                    row.cells.push((*column, cell));
                }
                _ => {}
            }
        }
        for nested in &mut row.related {
            let relationship = &relationships[nested.way];
            let decided = relationship.many.then_some(relationship.other);
            for row in &mut nested.rows {
                self.settle(random, relationship.target, row, decided.as_slice());
            }
        }
    }

    pub(super) fn maybe_conflict(&self, random: &mut Random, table: usize) -> Option<Conflict> {
        random.percent(40).then(|| self.conflict(random, table))
    }

    pub(super) fn conflict(&self, random: &mut Random, table: usize) -> Conflict {
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
}
