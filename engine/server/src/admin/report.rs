//! The report of this pod: what it serves, and what is wrong with it, by custom resource.

use std::collections::BTreeMap;

use delivery::{ObjectProblem, Report, SourceReport, SourceState as How, hash};
use metadata::object_id::MetadataObjectId;
use schema::problem::Problem;

use super::{clash, place};
use crate::generation::provenance::Blame;
use crate::generation::source_state;
use crate::generation::{Generation, SourceState};
use crate::state::{Readiness, State};

/// What this pod says of itself.
pub fn report(state: &State) -> Report {
    let generation = state.current();
    let provenance = &generation.provenance;
    let mut report = Report {
        revision: String::new(),
        pod: state.environment().get("HOSTNAME").unwrap_or_default().to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        counter: provenance.counter,
        generation: generation.hash().to_owned(),
        objects: provenance.objects_hash.clone(),
        ready: state.readiness() == Readiness::Ready,
        held: state.is_held(),
        refused: state.refused_after(&generation),
        problems: generation.report_problems(problems_of).to_vec(),
        sources: sources(&generation.sources, |name| state.trouble_of(name)),
        secrets: state.secrets_version(),
        refused_settings: state.refused_settings(),
        unkept: state.unkept(),
    };
    // The same report has the same revision, one of another process never.
    let text = serde_json::to_string(&report).unwrap_or_default();
    let of_all = hash(format!("{}{text}", state.instance_id).as_bytes());
    report.revision = of_all.get(..32).unwrap_or_default().to_owned();
    report
}

/// What a generation leaves out, by the custom resources it was made of.
pub fn problems_of(generation: &Generation) -> Vec<ObjectProblem> {
    if is_flawless(generation) {
        return Vec::new();
    }
    problems(generation, &generation.provenance.blame())
}

/// Whether there is nothing to tell of a generation.
pub(super) fn is_flawless(generation: &Generation) -> bool {
    generation.is_consistent() && idle(generation).is_empty()
}

/// What has no effect, which is told of custom resources alone: the metadata API takes it without a word, as upstream.
fn idle(generation: &Generation) -> Vec<Problem> {
    let catalogs = source_state::catalogs(&generation.sources);
    schema::idle::check(&generation.document, &catalogs, &generation.model)
}

/// What a generation leaves out, once for each custom resource to blame.
pub(super) fn problems(generation: &Generation, blame: &Blame) -> Vec<ObjectProblem> {
    let mut told = Vec::new();
    let idle = idle(generation);
    let all = generation.problems.iter().map(|problem| (problem, false));
    for (problem, is_idle) in all.chain(idle.iter().map(|problem| (problem, true))) {
        let (ids, written) = match problem {
            Problem::RoleInheritance { role, entity } => {
                let table = MetadataObjectId::table(&entity.source, entity.table.clone());
                let role = MetadataObjectId::InheritedRole(role.clone());
                (vec![role], blame.fields(&table).into_iter().next())
            }
            _ => (problem.left_out().to_vec(), None),
        };
        let stays = problem.stays().and_then(|id| blame.fields(id).into_iter().next());
        let template = ObjectProblem {
            uid: String::new(),
            kind: String::new(),
            namespace: String::new(),
            name: String::new(),
            path: String::new(),
            message: problem.message(),
            unreachable: is_unreachable(problem, &generation.sources),
            unsupported: problem.is_unsupported(),
            served: is_idle || problem.leaves_nothing_out(),
        };
        let origins: Vec<_> = ids.iter().flat_map(|id| blame.fields(id)).collect();
        if origins.is_empty() && !is_idle {
            told.push(template.clone());
        }
        told.extend(origins.into_iter().map(|origin| {
            let clash = stays
                .as_ref()
                .and_then(|stays| clash::told(problem, &stays.field.object, &origin.field.object));
            let table = written.as_ref().map(|table| &table.field.object);
            let of_parents = table.and_then(|table| clash::of_parents(table, &origin.field.object));
            let path = place::field(problem, origin.field.object.kind);
            ObjectProblem {
                uid: origin.uid,
                kind: origin.field.object.kind.to_string(),
                namespace: origin.field.object.namespace,
                name: origin.field.object.name,
                path: path.unwrap_or(origin.field.path),
                message: clash.or(of_parents).unwrap_or_else(|| template.message.clone()),
                ..template.clone()
            }
        }));
    }
    told
}

/// What speaks against the present forms of custom resources: what leaves them, or a part of them, out. Nothing is known of
/// what belongs to a database that does not answer, and what is not served yet is no fault.
pub fn objecting(generation: &Generation) -> Vec<ObjectProblem> {
    let problems = problems_of(generation).into_iter();
    problems
        .filter(|problem| !problem.served && !problem.unsupported && !problem.unreachable)
        .collect()
}

/// The database does not answer, so that nothing is known of it.
pub fn is_unreachable(problem: &Problem, sources: &BTreeMap<String, SourceState>) -> bool {
    match problem {
        Problem::Inconsistent {
            object: MetadataObjectId::Source(name),
            ..
        } => sources
            .get(name)
            .is_some_and(|source| source.catalog.is_none() && source.database.is_some()),
        _ => false,
    }
}

/// How the databases are. `trouble` has what was found out after the generation was made.
pub(super) fn sources(
    sources: &BTreeMap<String, SourceState>,
    trouble: impl Fn(&str) -> Option<String>,
) -> Vec<SourceReport> {
    sources
        .iter()
        .map(|(name, source)| {
            let message = source.trouble.clone().or_else(|| trouble(name));
            SourceReport {
                name: name.clone(),
                state: match (&source.database, &message) {
                    (None, _) => How::Invalid,
                    (Some(_), Some(_)) => How::Down,
                    (Some(_), None) => How::Up,
                },
                message,
                fingerprint: source
                    .catalog
                    .as_ref()
                    .map(|known| known.catalog.fingerprint.clone()),
            }
        })
        .collect()
}
