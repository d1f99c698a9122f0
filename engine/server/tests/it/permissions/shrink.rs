//! From a world and requests that fail to the smallest found that fail too.

use super::lane::{Lane, Wrong};
use super::operation::{Request, Root, Write};
use super::world::{Predicate, Role, World};
use super::write;

/// How many smaller worlds are tried.
const ATTEMPTS: usize = 400;

/// Something that fails.
pub(crate) struct Failing {
    pub(crate) world: World,
    pub(crate) requests: Vec<Request>,
    pub(crate) wrong: Wrong,
}

/// Takes away whatever can be taken away.
pub(crate) fn shrink(lane: &mut Lane, mut failing: Failing) -> Failing {
    failing.requests.truncate(failing.wrong.at + 1);
    let schema = failing.world.schema.clone();
    let mut attempts = 0;
    let mut try_out = |world: World, requests: Vec<Request>| {
        attempts += 1;
        if attempts > ATTEMPTS || !write::is_whole(&world) {
            return None;
        }
        let world = World {
            schema: format!("{schema}_{attempts}"),
            ..world
        };
        // Less may not be a world any more: an inherited role whose parent has no rule left.
        lane.enter(&world).ok()?;
        let wrong = lane.judge(&world, &requests).err()?;
        let mut requests = requests;
        requests.truncate(wrong.at + 1);
        Some(Failing {
            world,
            requests,
            wrong,
        })
    };
    // Requests before the last, in blocks that get smaller.
    let mut block = failing.requests.len() / 2;
    while block > 0 {
        let mut from = 0;
        while from + block < failing.requests.len() {
            let mut requests = failing.requests.clone();
            requests.drain(from..from + block);
            match try_out(failing.world.clone(), requests) {
                Some(smaller) => failing = smaller,
                None => from += block,
            }
        }
        block /= 2;
    }
    loop {
        let mut smaller = None;
        for (world, requests) in candidates(&failing) {
            smaller = try_out(world, requests);
            if smaller.is_some() {
                break;
            }
        }
        match smaller {
            Some(smaller) => failing = smaller,
            None => return failing,
        }
    }
}

/// Everything that is smaller by one thing.
fn candidates(failing: &Failing) -> Vec<(World, Vec<Request>)> {
    let mut all = Vec::new();
    let Failing { world, requests, .. } = failing;
    for (at, request) in requests.iter().enumerate() {
        for root in 0..request.roots.len() {
            let mut fewer = requests.clone();
            if request.roots.len() > 1 {
                fewer[at].roots.remove(root);
                all.push((world.clone(), fewer.clone()));
                fewer = requests.clone();
            }
            if lessen(&mut fewer[at].roots[root]) {
                all.push((world.clone(), fewer));
            }
        }
    }
    for role in 0..world.roles.len() {
        let Role::Plain(permissions) = &world.roles[role] else {
            continue;
        };
        for table in 0..permissions.len() {
            for verb in 0..4 {
                let mut fewer = world.clone();
                let Role::Plain(permissions) = &mut fewer.roles[role] else {
                    continue;
                };
                let permission = &mut permissions[table];
                let taken = match verb {
                    0 => permission.select.take().is_some(),
                    1 => permission.insert.take().is_some(),
                    2 => permission.update.take().is_some(),
                    _ => permission.delete.take().is_some(),
                };
                if taken {
                    all.push((fewer, requests.clone()));
                }
            }
        }
    }
    let places = rules(&mut world.clone()).len();
    for place in 0..places {
        for simpler in simpler(rules(&mut world.clone())[place]) {
            let mut fewer = world.clone();
            *rules(&mut fewer)[place] = simpler;
            all.push((fewer, requests.clone()));
        }
    }
    for table in 0..world.tables.len() {
        for row in 0..world.tables[table].rows.len() {
            let mut fewer = world.clone();
            fewer.tables[table].rows.remove(row);
            all.push((fewer, requests.clone()));
        }
    }
    all
}

/// All rules of all permissions.
pub(crate) fn rules(world: &mut World) -> Vec<&mut Predicate> {
    let mut all = Vec::new();
    for role in &mut world.roles {
        let Role::Plain(permissions) = role else { continue };
        for permission in permissions {
            all.extend(permission.select.as_mut().map(|select| &mut select.filter));
            all.extend(permission.insert.as_mut().map(|insert| &mut insert.check));
            if let Some(update) = &mut permission.update {
                all.push(&mut update.filter);
                all.extend(update.check.as_mut());
            }
            all.extend(permission.delete.as_mut().map(|delete| &mut delete.filter));
        }
    }
    all
}

fn simpler(rule: &Predicate) -> Vec<Predicate> {
    let nothing = Predicate::And(Vec::new());
    let mut simpler = match rule {
        Predicate::And(each) | Predicate::Or(each) => each.clone(),
        Predicate::Not(inner) => vec![(**inner).clone()],
        _ => Vec::new(),
    };
    if *rule != nothing {
        simpler.push(nothing);
    }
    simpler
}

/// Takes a field, a row or a filter away.
fn lessen(root: &mut Root) -> bool {
    let (fields, filter) = match root {
        Root::List(_, arguments, fields) => (fields, arguments.filter.take().is_some()),
        Root::Aggregate(_, arguments, _) => return arguments.filter.take().is_some(),
        Root::ByKey(_, _, fields)
        | Root::Write(
            _,
            Write::InsertOne(_, _, fields) | Write::UpdateByKey(_, _, fields) | Write::DeleteByKey(_, fields),
        ) => (fields, false),
        Root::Write(_, Write::Insert(rows, _, returning)) => {
            if rows.len() > 1 {
                rows.pop();
                return true;
            }
            let nested = rows.iter_mut().any(|row| row.related.pop().is_some());
            return nested || returning.take().is_some();
        }
        Root::Write(_, Write::UpdateMany(updates, returning)) => {
            if updates.len() > 1 {
                updates.pop();
                return true;
            }
            return returning.take().is_some();
        }
        Root::Write(_, Write::Update(_, _, returning) | Write::Delete(_, returning)) => {
            return returning.take().is_some();
        }
    };
    if filter {
        return true;
    }
    if fields.len() > 1 {
        fields.pop();
        return true;
    }
    false
}
