//! What a document says that has no effect, and that Hasura takes without a word: names of columns that a table does not have,
//! and permissions to call a function whose rows the role may not read. Nothing is left out on account of it.

use std::collections::BTreeMap;

use metadata::object_id::SourceObjectId;
use metadata::{Document, JsonPath, QualifiedName, Source};

use crate::catalog::Catalog;
use crate::model::{self, Model, Returns};
use crate::problem::{Problem, object};
use crate::resolve::CatalogState;
use crate::resolve::permission::ADMIN;

/// What has no effect in a document, given the databases and the model that it makes of them. Of what is left out anyway
/// nothing is said.
pub fn check(document: &Document, catalogs: &BTreeMap<String, CatalogState>, model: &Model) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (name, source) in &document.sources {
        let (Some(state), Some(resolved)) = (
            catalogs.get(name),
            model.sources.iter().find(|source| *source.name == **name),
        ) else {
            continue;
        };
        columns(name, source, &state.catalog, &mut problems);
        functions(name, source, resolved, model, &mut problems);
    }
    problems
}

fn columns(name: &str, source: &Source, catalog: &Catalog, problems: &mut Vec<Problem>) {
    for (table, definition) in &source.tables {
        let configured = definition.configuration.column_config.keys();
        let Some(found) = catalog.table(&table.schema, &table.name) else {
            continue;
        };
        let missing = configured.filter(|column| !found.columns.iter().any(|known| known.name == **column));
        problems.extend(missing.map(|column| {
            let path = JsonPath::root().join("configuration").join("column_config");
            Problem::Inconsistent {
                object: object::table(name, table),
                message: format!("in table \"{table}\": column \"{column}\" does not exist"),
                path: Some(path.join(column.as_str()).to_string()),
                unsupported: false,
            }
        }));
    }
}

fn functions(
    name: &str,
    source: &Source,
    resolved: &model::Source,
    model: &Model,
    problems: &mut Vec<Problem>,
) {
    for (function, definition) in &source.functions {
        if definition.permissions.is_empty() {
            continue;
        }
        let is_it =
            |one: &&model::Function| one.name.schema == function.schema && one.name.name == function.name;
        let Some(found) = resolved.functions.iter().find(is_it) else {
            continue;
        };
        let Returns::Table(table) = found.returns else {
            continue;
        };
        let Some(table) = resolved.tables.iter().find(|one| one.id == table) else {
            continue;
        };
        let table = QualifiedName::new(table.name.schema.clone(), table.name.name.clone());
        let may_call = |role: &str| {
            let role = model.roles.get(role);
            role.is_some_and(|role| role.functions.contains(&found.id))
        };
        let roles = definition.permissions.keys();
        problems.extend(roles.filter(|role| *role != ADMIN && !may_call(role)).map(|role| {
            let id = SourceObjectId::FunctionPermission {
                function: function.clone(),
                role: role.clone(),
            };
            Problem::inconsistent(
                object::in_source(name, id),
                format!(
                    "the function \"{function}\" returns \"{table}\" and the role \"{role}\" does not have select \
                     permission on \"{table}\", so it may not call it"
                ),
            )
        }));
    }
}
