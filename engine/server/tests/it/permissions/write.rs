//! What writing must do to the rows and answer, and whether it may be asked.

use serde_json::json;

use super::answer::Expected;
use super::operation::{Changes, Conflict, Field, Nested, NewRow, Returning, Root, Write};
use super::oracle::{At, Oracle};
use super::world::{Cell, Predicate, Preset, Relationship, Row, Session, World};

/// Why a statement fails, for people.
type Failed = String;

/// Applies the root fields of a mutation in order; an error leaves the world unusable. Gives the answers and how many
/// rows were written.
pub(crate) fn all(
    world: &mut World,
    session: &Session,
    roots: &[Root],
) -> Result<(Vec<Expected>, usize), Failed> {
    let mut writer = Writer {
        world,
        session,
        seen: None,
        rows: 0,
    };
    let mut answers = Vec::with_capacity(roots.len());
    for root in roots {
        if let Root::Write(table, write) = root {
            answers.push(writer.write(*table, write)?);
        }
    }
    Ok((answers, writer.rows))
}

/// How a mutation goes.
pub(crate) enum Going {
    /// It fails.
    Fails,
    Passes,
    /// It would go in another way if triggers and checks did not see what the mutation writes.
    Tells,
}

pub(crate) fn going(world: &World, session: &Session, root: &Root) -> Going {
    let Root::Write(table, write) = root else {
        return Going::Passes;
    };
    let left = |seen: Option<&World>| {
        let mut world = world.clone();
        let mut writer = Writer {
            world: &mut world,
            session,
            seen,
            rows: 0,
        };
        let written = writer.write(*table, write).is_ok();
        written.then(|| {
            world
                .tables
                .into_iter()
                .map(|table| table.rows)
                .collect::<Vec<_>>()
        })
    };
    let rows = left(None);
    if left(Some(world)) != rows {
        Going::Tells
    } else if rows.is_some() {
        Going::Passes
    } else {
        Going::Fails
    }
}

struct Writer<'w> {
    world: &'w mut World,
    session: &'w Session,
    /// What triggers and checks of inserts see in place of the world.
    seen: Option<&'w World>,
    rows: usize,
}

/// What the rows of a statement look like afterwards.
type Touched = Vec<Row>;

impl Writer<'_> {
    fn write(&mut self, table: usize, write: &Write) -> Result<Expected, Failed> {
        match write {
            Write::Insert(rows, conflict, returning) => {
                let mut count = 0;
                let touched = self.insert(table, rows, &[], conflict.as_ref(), &mut count)?;
                Ok(self.response(table, &touched, count, returning))
            }
            Write::InsertOne(row, conflict, fields) => {
                let rows = std::slice::from_ref(row);
                let touched = self.insert(table, rows, &[], conflict.as_ref(), &mut 0)?;
                Ok(self.one(table, &touched, fields))
            }
            Write::Update(filter, changes, returning) => {
                let touched = self.update(table, changes, |oracle, at| client(oracle, filter, at))?;
                Ok(self.response(table, &touched, touched.len(), returning))
            }
            Write::UpdateByKey(id, changes, fields) => {
                let touched = self.update(table, changes, |oracle, at| by_key(oracle, *id, at))?;
                Ok(self.one(table, &touched, fields))
            }
            Write::UpdateMany(updates, returning) => {
                let mut parts = Vec::with_capacity(updates.len());
                for (filter, changes) in updates {
                    let touched = self.update(table, changes, |oracle, at| client(oracle, filter, at))?;
                    parts.push(self.response(table, &touched, touched.len(), returning));
                }
                Ok(Expected::List {
                    take: parts.len(),
                    rows: parts,
                    ordered: true,
                })
            }
            Write::Delete(filter, returning) => {
                let touched = self.delete(table, |oracle, at| client(oracle, filter, at))?;
                Ok(self.response(table, &touched, touched.len(), returning))
            }
            Write::DeleteByKey(id, fields) => {
                let touched = self.delete(table, |oracle, at| by_key(oracle, *id, at))?;
                Ok(self.one(table, &touched, fields))
            }
        }
    }

    fn oracle(&self) -> Oracle<'_> {
        Oracle {
            world: self.world,
            session: self.session,
        }
    }

    /// Inserts rows with what hangs on them; `given` are values that other rows decide.
    fn insert(
        &mut self,
        table: usize,
        rows: &[NewRow],
        given: &[Vec<(usize, Cell)>],
        conflict: Option<&Conflict>,
        count: &mut usize,
    ) -> Result<Touched, Failed> {
        let relationships = self.world.relationships(table);
        let mut decided: Vec<Vec<(usize, Cell)>> = vec![Vec::new(); rows.len()];
        for (at, given) in given.iter().enumerate() {
            decided[at].extend(given.iter().cloned());
        }
        // First what the rows refer to, one relationship after the other as they come.
        for way in ways(rows, &relationships, false) {
            let relationship = &relationships[way];
            for group in groups(rows, way) {
                let parents: Vec<NewRow> = group
                    .iter()
                    .flat_map(|(_, nested)| nested.rows.iter().cloned())
                    .collect();
                let conflict = group.first().and_then(|(_, nested)| nested.conflict.as_ref());
                let touched = self.insert(relationship.target, &parents, &[], conflict, count)?;
                if touched.len() != parents.len() {
                    return Err("a row that another refers to is not written".to_owned());
                }
                for ((owner, _), parent) in group.iter().zip(touched) {
                    decided[*owner].push((relationship.own, parent[relationship.other].clone()));
                }
            }
        }
        let has_children = |row: &NewRow| row.related.iter().any(|nested| relationships[nested.way].many);
        let written: Vec<Option<Row>> = if conflict.is_some() && rows.iter().any(has_children) {
            // A conflict may keep any row from being written, and others depend on it: a statement for each.
            let mut written = Vec::with_capacity(rows.len());
            for (row, decided) in rows.iter().zip(decided) {
                let touched = self.insert_level(table, std::slice::from_ref(row), &[decided], conflict)?;
                if touched.is_empty() && has_children(row) {
                    return Err("a row that others depend on is not written".to_owned());
                }
                written.push(touched.into_iter().next());
            }
            written
        } else {
            self.insert_level(table, rows, &decided, conflict)?
                .into_iter()
                .map(Some)
                .collect()
        };
        *count += written.iter().flatten().count();
        for way in ways(rows, &relationships, true) {
            let relationship = &relationships[way];
            for group in groups(rows, way) {
                let mut children = Vec::new();
                let mut keys = Vec::new();
                for (at, nested) in &group {
                    for child in &nested.rows {
                        let Some(Some(parent)) = written.get(*at) else {
                            return Err("a row that others depend on is not written".to_owned());
                        };
                        children.push(child.clone());
                        keys.push(vec![(relationship.other, parent[relationship.own].clone())]);
                    }
                }
                let conflict = group.first().and_then(|(_, nested)| nested.conflict.as_ref());
                self.insert(relationship.target, &children, &keys, conflict, count)?;
            }
        }
        Ok(written.into_iter().flatten().collect())
    }

    /// One statement.
    fn insert_level(
        &mut self,
        table: usize,
        rows: &[NewRow],
        decided: &[Vec<(usize, Cell)>],
        conflict: Option<&Conflict>,
    ) -> Result<Touched, Failed> {
        let before = self.world.clone();
        let old = Oracle {
            world: &before,
            session: self.session,
        };
        let right = old.inserting(table).ok_or("no right to insert")?;
        let updating = old.updating(table);
        let definition = &before.tables[table];
        let mut touched: Vec<(Row, bool)> = Vec::new();
        for (row, decided) in rows.iter().zip(decided) {
            let mut new: Row = definition
                .columns
                .iter()
                .map(|column| column.default.clone().unwrap_or(Cell::Null))
                .collect();
            for (column, cell) in decided.iter().chain(&row.cells) {
                new[*column] = cell.clone();
            }
            for (column, preset) in &right.set {
                new[*column] = self.preset(table, *column, preset);
            }
            if let Some(copy) = &definition.copy {
                let there = &self.seen.unwrap_or(&before).tables[copy.reference.target].rows;
                let there = there.iter().find(|row| row[0] == new[copy.reference.column]);
                new[copy.column] = there.map_or(Cell::Null, |row| row[copy.from].clone());
            }
            not_null(&before, table, &new)?;
            let clash = |unique: &[usize], rows: &[Row]| {
                unique.iter().all(|column| !new[*column].is_null()).then(|| {
                    rows.iter()
                        .position(|other| unique.iter().all(|column| other[*column] == new[*column]))
                })?
            };
            let rows = &self.world.tables[table].rows;
            let primary = clash(&[0], rows);
            let unique = definition.unique.as_ref().and_then(|unique| clash(unique, rows));
            let (arbiter, other) = match conflict {
                Some(conflict) if conflict.primary => (primary, unique),
                Some(_) => (unique, primary),
                None => (None, primary.or(unique)),
            };
            let Some(hit) = arbiter else {
                if other.is_some() {
                    return Err("a key is taken".to_owned());
                }
                self.world.tables[table].rows.push(new.clone());
                touched.push((new, true));
                continue;
            };
            let conflict = conflict.ok_or("no conflict clause")?;
            let existing = self.world.tables[table].rows[hit].clone();
            if conflict.columns.is_empty() {
                continue;
            }
            if touched.iter().any(|(row, _)| *row == existing) {
                return Err("a row is met twice".to_owned());
            }
            let right = updating.ok_or("no right to update")?;
            let at = At {
                table,
                row: &existing,
            };
            let wanted = conflict
                .filter
                .as_ref()
                .is_none_or(|filter| client(&old, filter, at));
            if !wanted || !old.holds(&right.filter, at) {
                continue;
            }
            let mut changed = existing.clone();
            for column in &conflict.columns {
                changed[*column] = new[*column].clone();
            }
            for (column, preset) in &right.set {
                changed[*column] = self.preset(table, *column, preset);
            }
            not_null(&before, table, &changed)?;
            self.world.tables[table].rows[hit] = changed.clone();
            touched.push((changed, false));
        }
        self.whole()?;
        for (row, inserted) in &touched {
            let at = At { table, row };
            let check = match updating.and_then(|right| right.check.as_ref()) {
                Some(check) if !inserted => check,
                _ => &right.check,
            };
            let oracle = Oracle {
                world: self.seen.unwrap_or(self.world),
                session: self.session,
            };
            if !oracle.holds(check, at) {
                return Err("a row does not pass the check".to_owned());
            }
        }
        self.rows += touched.len();
        Ok(touched.into_iter().map(|(row, _)| row).collect())
    }

    fn update(
        &mut self,
        table: usize,
        changes: &Changes,
        wanted: impl Fn(&Oracle<'_>, At<'_>) -> bool,
    ) -> Result<Touched, Failed> {
        let before = self.world.clone();
        let old = Oracle {
            world: &before,
            session: self.session,
        };
        let right = old.updating(table).ok_or("no right to update")?;
        if changes.set.is_empty() && changes.increment.is_empty() && right.set.is_empty() {
            return Ok(Vec::new());
        }
        let mut touched = Vec::new();
        for (position, row) in before.tables[table].rows.iter().enumerate() {
            let at = At { table, row };
            if !wanted(&old, at) || !old.holds(&right.filter, at) {
                continue;
            }
            let mut new = row.clone();
            for (column, cell) in &changes.set {
                new[*column] = cell.clone();
            }
            for (column, by) in &changes.increment {
                if let Cell::Int(value) = &new[*column] {
                    new[*column] = Cell::Int(value + by);
                }
            }
            for (column, preset) in &right.set {
                new[*column] = self.preset(table, *column, preset);
            }
            not_null(&before, table, &new)?;
            self.world.tables[table].rows[position] = new.clone();
            touched.push(new);
        }
        self.whole()?;
        for row in &touched {
            let passes = right
                .check
                .as_ref()
                .is_none_or(|check| self.oracle().holds(check, At { table, row }));
            if !passes {
                return Err("a row does not pass the check".to_owned());
            }
        }
        self.rows += touched.len();
        Ok(touched)
    }

    fn delete(
        &mut self,
        table: usize,
        wanted: impl Fn(&Oracle<'_>, At<'_>) -> bool,
    ) -> Result<Touched, Failed> {
        let before = self.world.clone();
        let old = Oracle {
            world: &before,
            session: self.session,
        };
        let right = old.deleting(table).ok_or("no right to delete")?;
        let (gone, kept): (Vec<Row>, Vec<Row>) = before.tables[table].rows.iter().cloned().partition(|row| {
            let at = At { table, row };
            wanted(&old, at) && old.holds(&right.filter, at)
        });
        self.world.tables[table].rows = kept;
        self.whole()?;
        self.rows += gone.len();
        Ok(gone)
    }

    fn preset(&self, table: usize, column: usize, preset: &Preset) -> Cell {
        match preset {
            Preset::Literal(cell) => cell.clone(),
            Preset::Session => self.session.value(self.world.tables[table].columns[column].type_),
        }
    }

    /// What the constraints say at the end of a statement.
    fn whole(&self) -> Result<(), Failed> {
        constraints(self.world)
    }

    fn response(&self, table: usize, rows: &[Row], count: usize, returning: &Returning) -> Expected {
        let mut fields = vec![("affected_rows".to_owned(), Expected::Exactly(json!(count)))];
        if let Some(returning) = returning {
            let rows: Vec<Expected> = rows
                .iter()
                .map(|row| self.returned(table, row, returning))
                .collect();
            let list = Expected::List {
                take: rows.len(),
                rows,
                ordered: false,
            };
            fields.push(("returning".to_owned(), list));
        }
        Expected::Object(fields)
    }

    fn one(&self, table: usize, rows: &[Row], fields: &[Field]) -> Expected {
        match rows.first() {
            Some(row) => self.returned(table, row, fields),
            None => Expected::Exactly(json!(null)),
        }
    }

    /// A written row: its columns are as for reading, whether or not the role would find the row.
    fn returned(&self, table: usize, row: &Row, fields: &[Field]) -> Expected {
        let oracle = self.oracle();
        match oracle.reading(table) {
            Some(reading) => oracle.object(&reading, At { table, row }, fields),
            None => Expected::Exactly(json!(null)),
        }
    }
}

/// The relationships behind which rows are inserted, as they come.
fn ways(rows: &[NewRow], relationships: &[Relationship], many: bool) -> Vec<usize> {
    let mut ways = Vec::new();
    for nested in rows.iter().flat_map(|row| &row.related) {
        if relationships[nested.way].many == many && !ways.contains(&nested.way) {
            ways.push(nested.way);
        }
    }
    ways
}

/// What one statement can insert behind a relationship, with the positions of the rows it belongs to: what has a conflict
/// clause alone, the rest together.
fn groups(rows: &[NewRow], way: usize) -> Vec<Vec<(usize, &Nested)>> {
    let mut groups: Vec<Vec<(usize, &Nested)>> = Vec::new();
    for (at, row) in rows.iter().enumerate() {
        for nested in row.related.iter().filter(|nested| nested.way == way) {
            match groups.last_mut() {
                Some(last)
                    if nested.conflict.is_none() && last.iter().all(|(_, one)| one.conflict.is_none()) =>
                {
                    last.push((at, nested));
                }
                _ => groups.push(vec![(at, nested)]),
            }
        }
    }
    groups
}

fn not_null(world: &World, table: usize, row: &Row) -> Result<(), Failed> {
    let columns = world.tables[table].columns.iter().enumerate();
    for (at, column) in columns {
        if !column.nullable && row[at].is_null() {
            return Err(format!("t{table}.c{at} is null"));
        }
    }
    Ok(())
}

/// A client's filter over rows to be written, of which a role that reads nothing can say nothing.
fn client(oracle: &Oracle<'_>, filter: &Predicate, at: At<'_>) -> bool {
    let nothing = super::oracle::Reading(Vec::new());
    oracle.client(&oracle.reading(at.table).unwrap_or(nothing), filter, at) == Some(true)
}

fn by_key(oracle: &Oracle<'_>, id: i64, at: At<'_>) -> bool {
    oracle
        .reading(at.table)
        .is_some_and(|reading| oracle.cell(&reading, at, 0) == Cell::Int(id))
}

impl Oracle<'_> {
    /// Whether the role may ask for that mutation.
    pub(crate) fn may_write(&self, table: usize, write: &Write) -> bool {
        let returning = |returning: &Returning| {
            returning
                .as_ref()
                .is_none_or(|fields| self.may_select(table, fields))
        };
        let keyed = || self.reading(table).is_some_and(|reading| reading.column(0));
        match write {
            Write::Insert(rows, conflict, fields) => {
                rows.iter().all(|row| self.may_insert(table, row))
                    && self.inserting(table).is_some()
                    && self.may_resolve(table, conflict.as_ref())
                    && returning(fields)
            }
            Write::InsertOne(row, conflict, fields) => {
                self.may_insert(table, row)
                    && self.may_resolve(table, conflict.as_ref())
                    && self.may_select(table, fields)
            }
            Write::Update(filter, changes, fields) => {
                self.may_change(table, changes) && self.may_filter(table, filter) && returning(fields)
            }
            Write::UpdateByKey(_, changes, fields) => {
                self.may_change(table, changes) && keyed() && self.may_select(table, fields)
            }
            Write::UpdateMany(updates, fields) => {
                self.updating(table).is_some()
                    && updates.iter().all(|(filter, changes)| {
                        self.may_change(table, changes) && self.may_filter(table, filter)
                    })
                    && returning(fields)
            }
            Write::Delete(filter, fields) => {
                self.deleting(table).is_some() && self.may_filter(table, filter) && returning(fields)
            }
            Write::DeleteByKey(_, fields) => {
                self.deleting(table).is_some() && keyed() && self.may_select(table, fields)
            }
        }
    }

    fn may_insert(&self, table: usize, row: &NewRow) -> bool {
        let Some(right) = self.inserting(table) else {
            return false;
        };
        let columns = &self.world.tables[table].columns;
        let relationships = self.world.relationships(table);
        row.cells.iter().all(|(column, cell)| {
            // A null where there can be none is refused before Postgres is asked.
            right.columns.contains(column) && (columns[*column].nullable || !cell.is_null())
        }) && row.related.iter().all(|nested| {
            let target = relationships[nested.way].target;
            nested.rows.iter().all(|row| self.may_insert(target, row))
                && self.may_resolve(target, nested.conflict.as_ref())
        })
    }

    fn may_resolve(&self, table: usize, conflict: Option<&Conflict>) -> bool {
        conflict.is_none_or(|conflict| {
            let right = self.updating(table);
            conflict
                .columns
                .iter()
                .all(|column| right.is_some_and(|right| right.columns.contains(column)))
                && (conflict.primary || self.world.tables[table].unique.is_some())
                && conflict
                    .filter
                    .as_ref()
                    .is_none_or(|filter| self.may_filter(table, filter))
        })
    }

    fn may_change(&self, table: usize, changes: &Changes) -> bool {
        let columns = &self.world.tables[table].columns;
        self.updating(table).is_some_and(|right| {
            changes.set.iter().all(|(column, cell)| {
                right.columns.contains(column) && (columns[*column].nullable || !cell.is_null())
            }) && changes
                .increment
                .iter()
                .all(|(column, _)| right.columns.contains(column))
        })
    }
}

/// What the constraints say at the end of a statement.
fn constraints(world: &World) -> Result<(), Failed> {
    for (at, table) in world.tables.iter().enumerate() {
        for key in &table.references {
            let there = &world.tables[key.target].rows;
            let lost = table.rows.iter().any(|row| {
                let cell = &row[key.column];
                !cell.is_null() && there.iter().all(|other| other[0] != *cell)
            });
            if lost {
                return Err(format!("t{at} refers to what is not there"));
            }
        }
        for unique in [Some(vec![0]), table.unique.clone()].into_iter().flatten() {
            for (position, row) in table.rows.iter().enumerate() {
                let twice = table.rows[..position]
                    .iter()
                    .any(|other| unique.iter().all(|column| other[*column] == row[*column]));
                if twice && unique.iter().all(|column| !row[*column].is_null()) {
                    return Err(format!("t{at} has a key twice"));
                }
            }
        }
    }
    Ok(())
}

/// No constraint is broken.
pub(crate) fn is_whole(world: &World) -> bool {
    constraints(world).is_ok()
}
