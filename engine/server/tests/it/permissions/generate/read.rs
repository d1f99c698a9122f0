//! Random fields that read.

use super::super::operation::{Aggregate, Arguments, Field, Root};
use super::super::random::Random;
use super::super::world::{Operand, Operator, Predicate, Type};
use super::{Asking, DEPTH, cell};

impl Asking<'_, '_> {
    pub(super) fn root(&self, random: &mut Random) -> Option<Root> {
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
}
