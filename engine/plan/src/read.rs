//! Query fields → what they ask of a source. Names are resolved already; here a role's filters, limits and
//! redactions join the client's wishes.

mod aggregate;
mod field;
mod function;
mod json_path;
mod order;
mod rows;

use graphql::guard::{Expected, Guards};
use graphql::operation::{Entry, Input, Leaf, Origin};
use graphql::{Code, Error, Path};
use schema::meaning::{ArgumentRole, Meaning};
use schema::model::{ColumnId, Model, Relationship, RelationshipId, Role, Source, Table, TableId};
use schema::naming::NamingConvention;
use serde_json::Value;

use crate::ir::{Filter, RowType, Scalar, SelectTable};
use crate::validation::Validation;
use crate::value::Slots;

pub(crate) use order::function_name;
pub(crate) use rows::Wanted;

/// Deeper nesting of selections or filters is refused: Postgres's own parser and ours recurse.
const MAX_DEPTH: u32 = 100;

/// Reads the fields of one operation for one role.
pub(crate) struct Reader<'m> {
    pub(crate) model: &'m Model,
    pub(crate) role: &'m Role,
    /// The source that is read, once it is known.
    source: Option<&'m Source>,
    pub(crate) slots: Slots,
    pub(crate) guards: Guards,
    /// What webhooks are to be asked, in order.
    pub(crate) validations: Vec<Validation>,
    depth: u32,
    /// The request has backend privileges.
    pub(crate) backend: bool,
    /// Rows with rows below or above them are inserted one by one, as Hasura v2 does, by so many further statements at most.
    pub(crate) apart: Option<usize>,
}

impl<'m> Reader<'m> {
    pub(crate) fn new(model: &'m Model, role: &'m Role, backend: bool) -> Self {
        Self {
            model,
            role,
            source: None,
            slots: Slots::default(),
            guards: Guards::default(),
            validations: Vec::new(),
            depth: 0,
            backend,
            apart: None,
        }
    }

    /// Which source the next fields are of.
    pub(crate) fn turn_to(&mut self, source: Option<&'m Source>) {
        self.source = source;
    }

    /// The source at hand.
    pub(crate) fn source(&self, path: &Path) -> Result<&'m Source, Error> {
        self.source.ok_or_else(|| lost(path, "source"))
    }

    /// Schema of PostGIS and the like.
    pub(crate) fn extensions(&self) -> &'m str {
        self.source.map_or("public", |source| &source.extensions_schema)
    }

    /// How the source spells generated names.
    pub(crate) fn naming(&self) -> NamingConvention {
        self.source
            .map_or_else(NamingConvention::default, |source| source.customization.naming)
    }

    /// One level deeper; every `enter` has its `leave` unless planning fails.
    pub(crate) fn enter(&mut self, path: &Path) -> Result<(), Error> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(Error::validation(
                path,
                format!("nesting deeper than {MAX_DEPTH} levels is not supported"),
            ));
        }
        Ok(())
    }

    /// One level up.
    pub(crate) fn leave(&mut self) {
        self.depth = self.depth.saturating_sub(1);
    }

    /// A table that the role may read.
    pub(crate) fn table(&self, id: TableId, path: &Path) -> Result<SelectTable<'m>, Error> {
        SelectTable::of_role(self.model, self.role, id).ok_or_else(|| lost(path, "table"))
    }

    /// A column's value as the role sees it.
    pub(crate) fn column(
        &mut self,
        row: RowType<'m>,
        id: ColumnId,
        path: &Path,
    ) -> Result<Scalar<'m>, Error> {
        let column = row
            .columns()
            .get(usize::from(id.0))
            .ok_or_else(|| lost(path, "column"))?;
        let RowType::Table(table) = row else {
            return Ok(Scalar::Column(column, None));
        };
        let access = table.access();
        if !access.columns.contains(id) {
            return Err(lost(path, "column"));
        }
        let redaction = match access.redacted_columns.iter().find(|(other, _)| *other == id) {
            Some((_, predicate)) => Some(Box::new(self.stored(table.table().id, *predicate, path)?)),
            None => None,
        };
        Ok(Scalar::Column(column, redaction))
    }

    /// A relationship of a table.
    pub(crate) fn relationship(
        &self,
        table: &'m Table,
        id: RelationshipId,
        path: &Path,
    ) -> Result<&'m Relationship, Error> {
        table
            .relationships
            .get(usize::from(id.0))
            .ok_or_else(|| lost(path, "relationship"))
    }

    /// The columns that a relationship equates: (own, related).
    pub(crate) fn pairs(
        &self,
        own: &'m Table,
        relationship: &'m Relationship,
        path: &Path,
    ) -> Result<Vec<(&'m schema::model::Column, &'m schema::model::Column)>, Error> {
        let target = self
            .model
            .table(relationship.target)
            .ok_or_else(|| lost(path, "table"))?;
        relationship
            .columns
            .iter()
            .map(|(from, to)| {
                let from = own.columns.get(usize::from(from.0));
                let to = target.columns.get(usize::from(to.0));
                from.zip(to).ok_or_else(|| lost(path, "column"))
            })
            .collect()
    }

    /// The rows of a table that exist for the role.
    pub(crate) fn permitted(&mut self, table: SelectTable<'m>, path: &Path) -> Result<Filter<'m>, Error> {
        self.stored(table.table().id, table.access().filter, path)
    }

    /// The rows of such a row type that exist for the role.
    pub(crate) fn permitted_rows(&mut self, row: RowType<'m>, path: &Path) -> Result<Filter<'m>, Error> {
        match row {
            RowType::Table(table) => self.permitted(table, path),
            RowType::Columns(_) => Ok(Filter::always()),
        }
    }

    /// A boolean that decides the SQL: guarded if a variable gave it.
    pub(crate) fn fixed_bool(&mut self, leaf: &Leaf) -> bool {
        self.fixed(leaf);
        leaf.value == Value::Bool(true)
    }

    /// The keys of `args`.
    pub(crate) fn call_arguments<'a>(&self, arguments: &'a [Entry<Meaning>]) -> &'a [Entry<Meaning>] {
        match argument(arguments, ArgumentRole::Arguments).map(|entry| &entry.value) {
            Some(Input::Object(entries)) => entries,
            _ => &[],
        }
    }

    /// Marks a leaf as one that decides the SQL.
    pub(crate) fn fixed(&mut self, leaf: &Leaf) {
        if let Origin::Variable(place) = &leaf.origin {
            self.guards
                .expect(place.clone(), Expected::Exactly(leaf.value.clone()));
        }
    }
}

/// The model and the operation do not belong together: planned against another generation.
pub(crate) fn lost(path: &Path, what: &str) -> Error {
    Error {
        code: Code::Unexpected,
        path: path.clone(),
        message: format!("internal error: a {what} of the operation is not in the schema"),
    }
}

/// The argument of that role, unless it is absent or null.
pub(crate) fn argument(arguments: &[Entry<Meaning>], role: ArgumentRole) -> Option<&Entry<Meaning>> {
    arguments
        .iter()
        .find(|entry| entry.meaning == Meaning::Argument(role))
        .filter(|entry| !matches!(entry.value, Input::Null))
}

/// A JSON string.
pub(crate) fn json_string(text: &str) -> String {
    Value::String(text.to_owned()).to_string()
}

/// `"key":`
pub(crate) fn json_key(key: &str) -> Box<[u8]> {
    let mut text = json_string(key);
    text.push(':');
    text.into_bytes().into_boxed_slice()
}
