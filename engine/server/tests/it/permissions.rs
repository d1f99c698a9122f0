//! Random worlds, random roles, random operations, against rules tried row by row in memory.
//!
//! A case is one request. `ROWLOCK_PERMISSION_CASES` says how many there are (10,000 by default) and
//! `ROWLOCK_PERMISSION_SEED` where they begin; a failure prints the seed of its world, which alone brings it back, and
//! the smallest world and requests found that still fail (with `ROWLOCK_PERMISSION_SHRINK=0` those it came with). See `docs/permissions.md`.

#[cfg(test)]
mod answer;
#[cfg(test)]
mod generate;
#[cfg(test)]
mod lane;
#[cfg(test)]
mod mutant;
#[cfg(test)]
mod operation;
#[cfg(test)]
mod oracle;
#[cfg(test)]
pub(crate) mod random;
#[cfg(test)]
mod read;
#[cfg(test)]
mod shrink;
#[cfg(test)]
mod world;
#[cfg(test)]
mod write;

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use lane::{Lane, Tally};
use operation::Request;
use random::Random;
use shrink::{Failing, shrink};
use world::World;

/// Requests to one world.
const REQUESTS: usize = 200;

fn number(variable: &str, default: u64) -> u64 {
    std::env::var(variable).map_or(default, |text| text.parse().unwrap())
}

/// The world and the requests of a seed.
fn made(seed: u64) -> (World, Vec<Request>) {
    let mut random = Random::new(seed);
    let world = generate::world(&mut random, format!("w{seed}"));
    let requests = (0..REQUESTS)
        .map(|_| generate::request(&mut random, &world))
        .collect();
    (world, requests)
}

#[test]
fn nobody_sees_or_writes_more_or_less_than_the_rules_say() {
    let cases = number("ROWLOCK_PERMISSION_CASES", 10_000);
    let first = number("ROWLOCK_PERMISSION_SEED", 1);
    let worlds = cases.div_ceil(REQUESTS as u64);
    let next = AtomicU64::new(first);
    let all = Mutex::new(Tally::default());
    let lanes = std::thread::available_parallelism().map_or(2, |cores| cores.get().min(8)) as u64;
    std::thread::scope(|scope| {
        for lane in 0..lanes.min(worlds) {
            let (next, all) = (&next, &all);
            scope.spawn(move || {
                let mut lane = Lane::new(&format!("permissions_{lane}"));
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= first + worlds {
                        return;
                    }
                    let (world, requests) = made(seed);
                    lane.enter(&world).unwrap();
                    match lane.judge(&world, &requests) {
                        Ok(tally) => all.lock().unwrap().add(tally),
                        Err(wrong) => {
                            next.store(first + worlds, Ordering::Relaxed);
                            let failing = Failing {
                                world,
                                requests,
                                wrong,
                            };
                            // Whoever only asks whether there is a failure need not wait for the smallest.
                            let smallest = number("ROWLOCK_PERMISSION_SHRINK", 1) > 0;
                            let failing = if smallest {
                                shrink(&mut lane, failing)
                            } else {
                                failing
                            };
                            report(seed, &failing);
                        }
                    }
                }
            });
        }
    });
    println!(
        "{worlds} worlds from seed {first}: {:?}",
        all.into_inner().unwrap()
    );
}

fn report(seed: u64, failing: &Failing) -> ! {
    let world = &failing.world;
    let before: Vec<String> = failing.requests[..failing.wrong.at]
        .iter()
        .map(|request| {
            let (text, variables) = request.text(world);
            format!("{:?}\n{text} {variables}", request.session)
        })
        .collect();
    panic!(
        "found with ROWLOCK_PERMISSION_SEED={seed} ROWLOCK_PERMISSION_CASES={REQUESTS}\n{}\n\n{}\n\n{}\n\n{}\n{}",
        world.sql(),
        world.metadata_tables(),
        world.metadata_inherited_roles(),
        before.join("\n"),
        failing.wrong.what,
    );
}

#[test]
fn an_engine_that_forgets_a_rule_is_found() {
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for lane in 0..2 {
            let next = &next;
            scope.spawn(move || {
                let mut lane = Lane::new(&format!("forgetful_{lane}"));
                while let Some((what, forget)) = mutant::ALL.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let found = (1..=20).any(|seed| {
                        let (world, requests) = made(seed);
                        let mut forgetful = world.clone();
                        forget(&mut forgetful);
                        lane.enter(&forgetful).unwrap();
                        lane.judge(&world, &requests).is_err()
                    });
                    assert!(found, "an engine that forgets {what} is not found");
                }
            });
        }
    });
}
