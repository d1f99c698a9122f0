//! What the rules allow, said anew and plainly: rules are tried row by row over the data in memory. Shares nothing with
//! the engine.

use std::collections::BTreeSet;

use super::world::{
    Cell, Delete, Insert, Operand, Operator, Permission, Predicate, Relationship, Role, Row, Select, Session,
    Update, World,
};

/// Who asks of what.
pub(crate) struct Oracle<'w> {
    pub(crate) world: &'w World,
    pub(crate) session: &'w Session,
}

/// What a role may read of a table: all of its parents' permissions, or its own.
pub(crate) struct Reading<'w>(pub(crate) Vec<&'w Select>);

impl Reading<'_> {
    pub(crate) fn column(&self, column: usize) -> bool {
        self.0.iter().any(|select| select.columns.contains(&column))
    }

    pub(crate) fn columns(&self) -> BTreeSet<usize> {
        self.0
            .iter()
            .flat_map(|select| select.columns.iter().copied())
            .collect()
    }

    /// Every parent grants the column, so that it is never hidden within a row.
    pub(crate) fn is_whole(&self, column: usize) -> bool {
        self.0.iter().all(|select| select.columns.contains(&column))
    }

    pub(crate) fn aggregations(&self) -> bool {
        self.0.iter().any(|select| select.aggregations)
    }

    pub(crate) fn limit(&self) -> Option<usize> {
        self.0.iter().filter_map(|select| select.limit).max()
    }
}

/// A row of a table.
#[derive(Clone, Copy)]
pub(crate) struct At<'r> {
    pub(crate) table: usize,
    pub(crate) row: &'r Row,
}

impl<'w> Oracle<'w> {
    /// The plain roles whose permissions a role has.
    fn plain(&self, role: usize) -> Vec<&'w [Permission]> {
        match &self.world.roles[role] {
            Role::Plain(permissions) => vec![permissions],
            Role::Inherited(parents) => parents.iter().flat_map(|parent| self.plain(*parent)).collect(),
        }
    }

    /// The right to read a table.
    pub(crate) fn reading(&self, table: usize) -> Option<Reading<'w>> {
        let permissions = self.plain(self.session.role);
        let selects: Vec<&Select> = permissions
            .iter()
            .filter_map(|permissions| permissions[table].select.as_ref())
            .collect();
        (!selects.is_empty()).then_some(Reading(selects))
    }

    /// A right to write is inherited if all parents that have one have the same; two that differ leave none.
    fn right<T: PartialEq>(
        &self,
        role: usize,
        table: usize,
        of: &impl Fn(&'w Permission) -> Option<&'w T>,
    ) -> Option<&'w T> {
        match &self.world.roles[role] {
            Role::Plain(permissions) => of(&permissions[table]),
            Role::Inherited(parents) => {
                let all: Vec<&'w T> = parents
                    .iter()
                    .filter_map(|parent| self.right(*parent, table, of))
                    .collect();
                match all.as_slice() {
                    [first, rest @ ..] if rest.iter().all(|other| other == first) => Some(*first),
                    _ => None,
                }
            }
        }
    }

    pub(crate) fn inserting(&self, table: usize) -> Option<&'w Insert> {
        let insert = self.right(self.session.role, table, &|permission| permission.insert.as_ref())?;
        (self.session.backend || !insert.backend_only).then_some(insert)
    }

    pub(crate) fn updating(&self, table: usize) -> Option<&'w Update> {
        let update = self.right(self.session.role, table, &|permission| permission.update.as_ref())?;
        (self.session.backend || !update.backend_only).then_some(update)
    }

    pub(crate) fn deleting(&self, table: usize) -> Option<&'w Delete> {
        self.right(self.session.role, table, &|permission| permission.delete.as_ref())
    }

    /// Whether the role sees a row.
    pub(crate) fn sees(&self, reading: &Reading<'_>, at: At<'_>) -> bool {
        reading.0.iter().any(|select| self.holds(&select.filter, at))
    }

    /// A cell as the role sees it: null where no parent who sees the row grants the column.
    pub(crate) fn cell(&self, reading: &Reading<'_>, at: At<'_>, column: usize) -> Cell {
        let granted = reading.is_whole(column)
            || reading
                .0
                .iter()
                .any(|select| select.columns.contains(&column) && self.holds(&select.filter, at));
        if granted {
            at.row[column].clone()
        } else {
            Cell::Null
        }
    }

    /// Whether a rule holds for a row.
    pub(crate) fn holds(&self, predicate: &Predicate, at: At<'_>) -> bool {
        self.rule(predicate, at, at) == Some(true)
    }

    /// Three-valued, as in SQL. `root` is the row that the whole rule is about.
    fn rule(&self, predicate: &Predicate, at: At<'_>, root: At<'_>) -> Option<bool> {
        match predicate {
            Predicate::And(each) => and(each.iter().map(|one| self.rule(one, at, root))),
            Predicate::Or(each) => or(each.iter().map(|one| self.rule(one, at, root))),
            Predicate::Not(inner) => self.rule(inner, at, root).map(|holds| !holds),
            Predicate::Compare(column, operator, operand) => {
                let type_ = self.world.tables[at.table].columns[*column].type_;
                let right = match operand {
                    Operand::Literal(cell) => cell.clone(),
                    Operand::Session => self.session.value(type_),
                    Operand::Column(other) => at.row[*other].clone(),
                    Operand::RootColumn(other) => root.row[*other].clone(),
                };
                let left = &at.row[*column];
                let value = matches!(operand, Operand::Literal(_) | Operand::Session);
                if value && *operator == Operator::Neq && left.is_null() {
                    // In rules, though not in a client's filters, nothing is something else than a value.
                    return Some(true);
                }
                compare(left, *operator, &right)
            }
            Predicate::Among(column, within, cells) => among(&at.row[*column], *within, cells),
            Predicate::AmongSession(column) => {
                let ids: Vec<Cell> = self.session.ids.iter().map(|id| Cell::Int(*id)).collect();
                among(&at.row[*column], true, &ids)
            }
            Predicate::IsNull(column, is) => Some(at.row[*column].is_null() == *is),
            Predicate::Related(way, inner) => {
                let relationship = &self.world.relationships(at.table)[*way];
                // The rules of the related table do not apply within a rule.
                let mut rows = self.related(relationship, at.row);
                Some(rows.any(|row| {
                    let there = At {
                        table: relationship.target,
                        row,
                    };
                    self.rule(inner, there, root) == Some(true)
                }))
            }
            Predicate::Exists(table, inner) => {
                let mut rows = self.world.tables[*table].rows.iter();
                Some(rows.any(|row| self.rule(inner, At { table: *table, row }, root) == Some(true)))
            }
        }
    }

    /// The rows behind a relationship.
    pub(crate) fn related<'r>(
        &'r self,
        relationship: &'r Relationship,
        row: &'r Row,
    ) -> impl Iterator<Item = &'w Row> + 'r {
        let key = &row[relationship.own];
        let rows = self.world.tables[relationship.target].rows.iter();
        rows.filter(move |other| !key.is_null() && other[relationship.other] == *key)
    }

    /// Whether a client's filter holds: it sees what the role sees.
    pub(crate) fn client(&self, reading: &Reading<'_>, predicate: &Predicate, at: At<'_>) -> Option<bool> {
        match predicate {
            Predicate::And(each) => and(each.iter().map(|one| self.client(reading, one, at))),
            Predicate::Or(each) => or(each.iter().map(|one| self.client(reading, one, at))),
            Predicate::Not(inner) => self.client(reading, inner, at).map(|holds| !holds),
            Predicate::Compare(column, operator, Operand::Literal(cell)) => {
                compare(&self.cell(reading, at, *column), *operator, cell)
            }
            Predicate::Among(column, within, cells) => {
                among(&self.cell(reading, at, *column), *within, cells)
            }
            Predicate::IsNull(column, is) => Some(self.cell(reading, at, *column).is_null() == *is),
            Predicate::Related(way, inner) => {
                let relationship = &self.world.relationships(at.table)[*way];
                let target = self.reading(relationship.target)?;
                let mut rows = self.related(relationship, at.row);
                Some(rows.any(|row| {
                    let there = At {
                        table: relationship.target,
                        row,
                    };
                    self.sees(&target, there) && self.client(&target, inner, there) == Some(true)
                }))
            }
            other => panic!("a client's filter cannot be {other:?}"),
        }
    }

    /// Whether the role may write such a filter at all.
    pub(crate) fn may_filter(&self, table: usize, predicate: &Predicate) -> bool {
        let reading = self.reading(table);
        let column = |at: usize| reading.as_ref().is_some_and(|reading| reading.column(at));
        match predicate {
            Predicate::And(each) | Predicate::Or(each) => each.iter().all(|one| self.may_filter(table, one)),
            Predicate::Not(inner) => self.may_filter(table, inner),
            Predicate::Compare(at, ..) | Predicate::Among(at, ..) | Predicate::IsNull(at, _) => column(*at),
            Predicate::Related(way, inner) => {
                let target = self.world.relationships(table)[*way].target;
                reading.is_some() && self.reading(target).is_some() && self.may_filter(target, inner)
            }
            Predicate::AmongSession(_) | Predicate::Exists(..) => false,
        }
    }
}

fn and(mut each: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    each.try_fold(Some(true), |so_far, next| match (so_far, next) {
        (_, Some(false)) => Err(Some(false)),
        (Some(true), next) => Ok(next),
        (so_far, _) => Ok(so_far),
    })
    .unwrap_or_else(|ended| ended)
}

fn or(each: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    and(each.map(|one| one.map(|holds| !holds))).map(|holds| !holds)
}

fn compare(left: &Cell, operator: Operator, right: &Cell) -> Option<bool> {
    if left.is_null() || right.is_null() {
        return None;
    }
    Some(match operator {
        Operator::Eq => left == right,
        Operator::Neq => left != right,
        Operator::Gt => left > right,
        Operator::Lt => left < right,
        Operator::Gte => left >= right,
        Operator::Lte => left <= right,
    })
}

fn among(left: &Cell, within: bool, cells: &[Cell]) -> Option<bool> {
    if left.is_null() {
        return None;
    }
    Some(cells.contains(left) == within)
}
