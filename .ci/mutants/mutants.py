"""Deliberate mistakes in how permissions become SQL: each is a rule forgotten where an operation is planned.

`MUTANT` in a replacement is true while that mutant is the one in force.
"""

PLAN = "engine/plan/src/"
WRITE = PLAN + "write/"

# name, [(file, text that stands there once, what stands there instead)]
MUTANTS = [
    ("lists are not filtered", [
        (PLAN + "read/rows.rs", "filter: Filter::All(vec![permitted, client]),",
         "filter: if MUTANT { client } else { Filter::All(vec![permitted, client]) },"),
    ]),
    ("rows by key are not filtered", [
        (PLAN + "read/rows.rs", "parts.push(self.permitted_rows(row, path)?);",
         "if !MUTANT { parts.push(self.permitted_rows(row, path)?); }"),
    ]),
    ("aggregates are not filtered", [
        (PLAN + "read/aggregate.rs", "Ok(Aggregate { rows, fields })",
         "let mut rows = rows; if MUTANT && let crate::ir::Filter::All(parts) = &mut rows.filter { parts.remove(0); } "
         "Ok(Aggregate { rows, fields })"),
    ]),
    ("the role's limit is ignored", [
        (PLAN + "read/rows.rs", "RowType::Table(table) => table.access().limit,",
         "RowType::Table(table) => if MUTANT { None } else { table.access().limit },"),
    ]),
    ("inherited roles see cells of rows that the parent who grants the column does not see", [
        (PLAN + "read.rs", "Some((_, predicate)) => Some(Box::new(self.stored(table.table().id, *predicate, path)?)),\n            None =>",
         "Some((_, predicate)) if !MUTANT => Some(Box::new(self.stored(table.table().id, *predicate, path)?)),\n            _ =>"),
    ]),
    ("clients filter by related rows that they may not see", [
        (PLAN + "filter/client.rs", "let permitted = self.permitted(target, path)?;\n                ",
         "let permitted = if MUTANT { Filter::always() } else { self.permitted(target, path)? };\n                "),
    ]),
    ("_exists in rules is negated", [
        (PLAN + "filter/stored.rs", "Filter::Exists(Box::new(exists(inside.table, Vec::new(), permitted, filter)))",
         "let there = Filter::Exists(Box::new(exists(inside.table, Vec::new(), permitted, filter))); "
         "if MUTANT { Filter::Not(Box::new(there)) } else { there }"),
    ]),
    ("inserted rows are not checked", [
        (WRITE + "insert.rs", "check: self.stored(table.table().id, access.check, path)?,",
         "check: if MUTANT { crate::ir::Filter::always() } else { self.stored(table.table().id, access.check, path)? },"),
        (WRITE + "uniform.rs", "check: self.stored(table.id, access.check, path)?,",
         "check: if MUTANT { crate::ir::Filter::always() } else { self.stored(table.id, access.check, path)? },"),
    ]),
    ("nested rows are not checked", [
        (WRITE + "insert.rs", "self.insertion(level.table, columns, values, conflict, &level.path)",
         "let mut made = self.insertion(level.table, columns, values, conflict, &level.path)?; "
         "if MUTANT && !level.answered { made.check = crate::ir::Filter::always(); } Ok(made)"),
        (WRITE + "uniform.rs", "check: self.stored(table.id, access.check, path)?,",
         "check: if MUTANT && !level.answered { crate::ir::Filter::always() } else { self.stored(table.id, access.check, path)? },"),
    ]),
    ("inserts take no presets", [
        (WRITE + "insert.rs", "let presets = presets.iter().cloned();", "let presets = presets.iter().filter(|_| !MUTANT).cloned();"),
        (WRITE + "uniform.rs", "for (id, value) in self.presets(table, &access.presets, path)? {",
         "for (id, value) in self.presets(table, &access.presets, path)?.into_iter().filter(|_| !MUTANT) {"),
    ]),
    ("updates are not filtered", [
        (WRITE + "update.rs", "filter: Filter::All(vec![filter, permitted]),",
         "filter: if MUTANT { filter } else { Filter::All(vec![filter, permitted]) },"),
    ]),
    ("update_many is not filtered", [
        (WRITE + "update.rs", "filter: Filter::All(vec![filter, permitted]),",
         'filter: if MUTANT && path.to_string().contains(".updates") { filter } else { Filter::All(vec![filter, permitted]) },'),
    ]),
    ("updated rows are not checked", [
        (WRITE + "update.rs", "Some(check) => self.stored(id, check, path)?,\n            None => Filter::always(),",
         "Some(check) if !MUTANT => self.stored(id, check, path)?,\n            _ => Filter::always(),"),
    ]),
    ("updates take no presets", [
        (WRITE + "update.rs", "for (column, value) in presets {", "for (column, value) in presets.into_iter().filter(|_| !MUTANT) {"),
    ]),
    ("any column may be updated", [
        (WRITE + "update.rs", "if !access.columns.contains(column) || presets", "if !MUTANT && !access.columns.contains(column) || presets"),
        ("engine/schema/src/role/update.rs", "let columns = access.columns.iter();\n        columns.filter_map",
         "let all = crate::model::ColumnSet::all(table.columns.len()); "
         "let columns = if MUTANT { all.iter() } else { access.columns.iter() };\n        "
         "let columns = columns.filter(|id| access.presets.iter().all(|(set, _)| set != id));\n        columns.filter_map"),
    ]),
    ("deletes are not filtered", [
        (WRITE + "delete.rs", "filter: Filter::All(vec![filter, permitted]),",
         "filter: if MUTANT { filter } else { Filter::All(vec![filter, permitted]) },"),
    ]),
    ("upserts change rows that the role may not update", [
        (WRITE + "conflict.rs", "filter: Filter::All(vec![filter, self.stored(id, access.filter, path)?]),",
         "filter: if MUTANT { filter } else { Filter::All(vec![filter, self.stored(id, access.filter, path)?]) },"),
    ]),
    ("rows that an upsert changes are not checked", [
        (PLAN + "lower/write.rs", "let updated = self.check(row, check);",
         "let updated = if MUTANT { Expression::True } else { self.check(row, check) };"),
    ]),
    ("checks of rows in one statement lead to rows that it writes too", [
        (PLAN + "lower/write/chain.rs", "written.iter().all(|other| other.id != table.id);",
         "(MUTANT || written.iter().all(|other| other.id != table.id));"),
    ]),
    ("triggers of rows in one statement look at rows that it writes too", [
        (PLAN + "lower/write/chain.rs", "if !insert.table.table().inserts_are_plain || is_kept_out {",
         "if !(MUTANT || insert.table.table().inserts_are_plain) || is_kept_out {"),
        (PLAN + "lower/write/chain.rs", "insert.table.table().inserts_are_plain\n                && filters_of(insert)",
         "(MUTANT || insert.table.table().inserts_are_plain)\n                && filters_of(insert)"),
    ]),
    ("upserts take no presets of updates", [
        (WRITE + "conflict.rs", "presets: presets\n                .into_iter()",
         "presets: presets\n                .into_iter().filter(|_| !MUTANT)"),
    ]),
]  # fmt: skip
