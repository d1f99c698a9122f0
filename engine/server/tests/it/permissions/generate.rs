//! Random worlds and random operations.

mod read;
mod row;
mod rule;
mod world;
mod write;

pub(crate) use self::world::world;
use super::operation::{Arguments, Field, Request, Root, Values};
use super::oracle::Oracle;
use super::random::Random;
use super::world::{Cell, Session, Type, World};

const LETTERS: [&str; 4] = ["a", "b", "c", "d"];
/// Numbers are below this, so that they meet.
const NUMBERS: usize = 6;
/// How deep relationships are followed.
const DEPTH: usize = 2;
fn cell(random: &mut Random, type_: Type) -> Cell {
    match type_ {
        Type::Int => Cell::Int(random.below(NUMBERS) as i64),
        Type::Text => Cell::Text((*random.pick(&LETTERS)).to_owned()),
        Type::Bool => Cell::Bool(random.percent(50)),
    }
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
    let values = *random.pick(&[Values::Text, Values::Variables, Values::Rows]);
    Request {
        session,
        roots,
        values,
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
}
