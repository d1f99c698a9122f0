//! Random rules: filters and checks of permissions.

use super::super::random::Random;
use super::super::world::{Operand, Operator, Predicate, Type, World};
use super::cell;

/// A rule of a permission.
pub(super) fn rule(random: &mut Random, world: &World, table: usize) -> Predicate {
    if random.percent(20) {
        return Predicate::And(Vec::new());
    }
    Rules {
        world,
        root: table,
        stays: None,
    }
    .predicate(random, table, 3)
}

/// A rule for rows being written.
pub(super) fn check(random: &mut Random, world: &World, table: usize) -> Predicate {
    if random.percent(35) {
        return Predicate::And(Vec::new());
    }
    let rules = Rules::staying(world, table);
    let above = if random.percent(50) {
        rules.above(random, table)
    } else {
        None
    };
    match above {
        Some(above) if random.percent(70) => above,
        Some(above) => Predicate::And(vec![above, rules.predicate(random, table, 2)]),
        None => rules.predicate(random, table, 2),
    }
}

/// A rule for rows being written that lets many pass: it says no more than something of the rows above, if there are any.
pub(super) fn loose_check(random: &mut Random, world: &World, table: usize) -> Predicate {
    let above = Rules::staying(world, table).above(random, table);
    above.unwrap_or(Predicate::And(Vec::new()))
}

struct Rules<'w> {
    world: &'w World,
    root: usize,
    /// A table that must not be looked into from elsewhere.
    stays: Option<usize>,
}

impl<'w> Rules<'w> {
    /// Of rows of a table that nothing looks into from elsewhere.
    fn staying(world: &'w World, table: usize) -> Self {
        Self {
            world,
            root: table,
            stays: Some(table),
        }
    }

    fn predicate(&self, random: &mut Random, table: usize, depth: usize) -> Predicate {
        let inner = |random: &mut Random| self.predicate(random, table, depth - 1);
        match random.below(if depth == 0 { 10 } else { 20 }) {
            10 | 11 => Predicate::And(vec![inner(random), inner(random)]),
            12 | 13 => Predicate::Or(vec![inner(random), inner(random)]),
            14 => Predicate::Not(Box::new(inner(random))),
            15..=18 => {
                let relationships = self.world.relationships(table);
                let ways: Vec<usize> = (0..relationships.len())
                    .filter(|way| Some(relationships[*way].target) != self.stays)
                    .collect();
                if ways.is_empty() {
                    return self.leaf(random, table);
                }
                let way = *random.pick(&ways);
                let inner = self.predicate(random, relationships[way].target, depth - 1);
                Predicate::Related(way, Box::new(inner))
            }
            19 => {
                let other = random.below(self.world.tables.len());
                if Some(other) == self.stays {
                    return self.leaf(random, table);
                }
                Predicate::Exists(other, Box::new(self.predicate(random, other, depth - 1)))
            }
            _ => self.leaf(random, table),
        }
    }

    /// What says something of the row that a row refers to or of rows next to it: mostly, that there is no such.
    fn above(&self, random: &mut Random, table: usize) -> Option<Predicate> {
        let ways = |table: usize, many: Option<bool>| {
            let relationships = self.world.relationships(table).into_iter().enumerate();
            relationships
                .filter(|(_, one)| many.is_none_or(|many| one.many == many) && Some(one.target) != self.stays)
                .map(|(way, one)| (way, one.target))
                .collect::<Vec<_>>()
        };
        let up = ways(table, Some(false));
        if up.is_empty() {
            return None;
        }
        let (way, target) = *random.pick(&up);
        let on = ways(target, None);
        let inner = if on.is_empty() || random.percent(65) {
            self.leaf(random, target)
        } else {
            let (way, target) = *random.pick(&on);
            Predicate::Related(way, Box::new(self.leaf(random, target)))
        };
        let there = if random.percent(25) {
            Predicate::Exists(target, Box::new(inner))
        } else {
            Predicate::Related(way, Box::new(inner))
        };
        Some(if random.percent(65) {
            Predicate::Not(Box::new(there))
        } else {
            there
        })
    }

    fn leaf(&self, random: &mut Random, table: usize) -> Predicate {
        let columns = &self.world.tables[table].columns;
        let column = random.below(columns.len());
        let type_ = columns[column].type_;
        let same = |random: &mut Random, table: usize| {
            let columns = &self.world.tables[table].columns;
            let same: Vec<usize> = (0..columns.len())
                .filter(|at| columns[*at].type_ == type_)
                .collect();
            (!same.is_empty()).then(|| *random.pick(&same))
        };
        let operator = *random.pick(&Operator::ALL);
        match random.below(10) {
            0..=2 => Predicate::Compare(column, operator, Operand::Literal(cell(random, type_))),
            3..=5 => Predicate::Compare(column, operator, Operand::Session),
            6 => match same(random, table) {
                Some(other) => Predicate::Compare(column, operator, Operand::Column(other)),
                None => Predicate::IsNull(column, false),
            },
            7 => match same(random, self.root) {
                Some(other) => Predicate::Compare(column, operator, Operand::RootColumn(other)),
                None => Predicate::IsNull(column, true),
            },
            8 if type_ == Type::Int => Predicate::AmongSession(column),
            8 => Predicate::IsNull(column, random.percent(50)),
            _ => {
                let cells = (0..1 + random.below(3)).map(|_| cell(random, type_)).collect();
                Predicate::Among(column, random.percent(60), cells)
            }
        }
    }
}
