//! The finished plan of one operation: what runs where, how values are filled in, and when it may be reused.

use std::sync::Arc;

use graphql::guard::Guard;
use graphql::operation::{Cached, Leaf};
use graphql::{Name, Path, VariableCheck};
use schema::model::SourceId;
use sql::Statement;

use crate::basis::Basis;
use crate::cost::Cost;
use crate::rows::{Read, Rows, SingleRows};
use crate::validation::Validation;

/// A planned operation. Immutable, shared by all requests that it fits.
#[derive(Debug)]
pub struct Plan {
    /// query, mutation or subscription.
    pub kind: graphql::OperationKind,
    /// Name of the operation, if it has one.
    pub operation_name: Option<Name>,
    /// The response, in order.
    pub roots: Vec<Root>,
    /// Where the slots of all statements get their values.
    pub slots: Vec<Slot>,
    /// Webhooks that are asked, in order, before anything is executed.
    pub validations: Vec<Validation>,
    /// What must hold of the variables for this plan to be used.
    pub guards: Vec<Guard>,
    /// What is checked of the variables as a whole, before anything else.
    pub variables: VariableCheck,
    /// What of the model it was made from.
    pub basis: Basis,
    /// `@cached`
    pub cached: Option<Cached>,
    /// What API limits count.
    pub cost: Cost,
    /// SHA-1 hex of the normalised selection set, literals stripped (Hasura's `parameterized_query_hash`).
    pub parameterized_hash: String,
}

/// One key of the response.
#[derive(Debug)]
pub struct Root {
    /// The key, JSON-escaped, quoted, with a colon.
    pub key: Box<[u8]>,
    /// Field name in the schema, for explain, logs and query tags.
    pub field: Name,
    /// Its content.
    pub content: RootContent,
}

/// What makes a root field's value.
#[derive(Debug)]
pub enum RootContent {
    /// JSON that is the same at every execution: `__typename`, introspection.
    Constant(Arc<[u8]>),
    /// One statement on one source.
    Statement {
        /// Which source.
        source: SourceId,
        /// What to run.
        statement: Arc<Statement>,
    },
    /// Statements that write, in one transaction with those of the mutation's other fields of the source.
    Mutation(Mutation),
    /// A source's namespace: an object of further roots.
    Object(Vec<Root>),
}

/// What one field of a mutation runs, and how its answer is put together.
#[derive(Debug)]
pub struct Mutation {
    /// Which source.
    pub source: SourceId,
    /// To be run in order.
    pub statements: Vec<MutationStatement>,
    /// The same in fewer statements, to be tried first where all fields are [`Mutation::repeatable`]; empty if there is no such
    /// way. What of them is refused has to be tried with [`Mutation::statements`], which know what the refusal is about.
    pub at_once: Vec<MutationStatement>,
    /// The parts of the answer.
    pub answer: Vec<AnswerPart>,
    /// The answer is a list of its parts; else there is one part.
    pub many: bool,
    /// How much comes back is bounded by what the request holds, so that nothing can be wrong with the answer that
    /// would undo the writes.
    pub bounded: bool,
    /// An attempt that was undone left nothing behind but numbers taken from sequences: rows are inserted, and nothing runs
    /// for them that could do more.
    pub repeatable: bool,
}

/// One statement of a mutation.
#[derive(Debug)]
pub struct MutationStatement {
    /// What to run.
    pub statement: Arc<Statement>,
    /// Its JSON is a part of the answer; else it has none.
    pub answers: bool,
    /// Where an error of the database is reported.
    pub path: Path,
    /// Rows of a variable that it writes, where an error about the only one of them is reported at its own place.
    pub rows: Option<Rows>,
    /// Whether an error may be about one of several rows that the path does not tell apart.
    pub several: Several,
    /// What is said, and where, if it wrote fewer rows than others depend on (`not-supported`).
    pub missing: Option<(String, Path)>,
}

/// Whether an error of a statement may be about one of several rows that its path does not tell apart, while Hasura v2,
/// which writes row by row where there are rows below, does.
#[derive(Debug, Clone, Default)]
pub enum Several {
    /// The path is all that can be said.
    #[default]
    No,
    /// It may.
    Yes,
    /// It may unless there is just one of these rows of a variable.
    UnlessOne(Rows),
}

/// A part of a mutation field's answer.
#[derive(Debug, Clone)]
pub enum AnswerPart {
    /// What the next answering statement gives.
    Statement,
    /// Always the same: nothing was to be written.
    Constant(Arc<[u8]>),
}

/// Where one slot's value comes from.
#[derive(Debug, Clone)]
pub enum Slot {
    /// A leaf of the variables: coerced again at every execution, with the same errors as at planning.
    Variable(Box<Leaf>, Encoding),
    /// A session variable (lower case); missing is `not-found`, `missing session variable: "…"`.
    Session {
        /// Its name.
        name: Arc<str>,
        /// Where a missing one is reported.
        path: Path,
    },
    /// All session variables as one JSON object (a function's session argument).
    SessionJson,
    /// Something about rows that a variable holds.
    Rows(Box<(Rows, Read)>),
}

/// How a JSON value becomes Postgres text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Encoding {
    /// Strings as they are, numbers and booleans as JSON prints them.
    Plain,
    /// The JSON text itself (json, jsonb, GeoJSON).
    Json,
    /// A Postgres array literal of plain elements.
    Array,
    /// The same, and a string is an array literal already (columns of array type).
    ArrayOrText,
    /// A Postgres array literal of JSON texts.
    JsonArray,
    /// As [`Encoding::Plain`], numbers without an exponent, which money does not read.
    Decimal,
}

impl Mutation {
    /// What is run first.
    pub fn first(&self) -> &[MutationStatement] {
        if self.at_once.is_empty() {
            &self.statements
        } else {
            &self.at_once
        }
    }
}

impl MutationStatement {
    /// Where an error at one of the statement's places is reported for a request: of rows in a variable only the first
    /// can be told from the others, where there is no other.
    pub fn place(&self, path: &Path, single: &SingleRows<'_>) -> Path {
        match &self.rows {
            Some(rows) if single.contains(rows) => path.index(0),
            _ => path.clone(),
        }
    }

    /// Its error may be about one of several rows in this request.
    pub fn is_of_several(&self, single: &SingleRows<'_>) -> bool {
        match &self.several {
            Several::No => false,
            Several::Yes => true,
            Several::UnlessOne(rows) => !single.contains(rows),
        }
    }
}

impl Plan {
    /// Roughly how much memory the plan takes, for bounding a cache.
    pub fn bytes(&self) -> usize {
        const SLOT: usize = 400;
        const GUARD: usize = 200;
        size_of::<Self>()
            + self.slots.len() * SLOT
            + self.guards.len() * GUARD
            + self.validations.iter().map(Validation::bytes).sum::<usize>()
            + self.roots.iter().map(Root::bytes).sum::<usize>()
    }
}

impl Root {
    fn bytes(&self) -> usize {
        // A shape takes about as much as the text that it reads.
        size_of::<Self>()
            + self.key.len()
            + match &self.content {
                RootContent::Constant(json) => json.len(),
                RootContent::Statement { statement, .. } => {
                    statement.text.len() * 3 + statement.parameters.len() * 64
                }
                RootContent::Mutation(mutation) => mutation
                    .statements
                    .iter()
                    .chain(&mutation.at_once)
                    .map(|one| one.statement.text.len() * 3 + one.statement.parameters.len() * 64 + 256)
                    .sum(),
                RootContent::Object(roots) => roots.iter().map(Self::bytes).sum(),
            }
    }
}
