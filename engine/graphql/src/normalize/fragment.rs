//! Checks the fragments that an operation uses, and finds the variables that it uses.

use std::collections::HashSet;

use crate::document::Document;
use crate::error::Error;
use crate::path::Path;
use crate::syntax::{Directive, Literal, Named, OperationDefinition, Selection};
use crate::type_system::Name;

/// Looks at the operation and every fragment it leads to, each once.
///
/// Gives the names of the variables used, in order of first use.
///
/// # Errors
/// `reference to undefined fragment "F"`, `the fragment definition(s) "A" and "B" form a cycle`.
pub(crate) fn check<'a>(
    document: &'a Document,
    definition: &'a OperationDefinition,
) -> Result<Vec<&'a Name>, Error> {
    let mut walk = Walk {
        document,
        open: Vec::new(),
        done: HashSet::default(),
        used: Vec::new(),
        known: HashSet::default(),
    };
    walk.directives(&definition.directives);
    walk.selections(&definition.selections, &Path::root(), 0)?;
    Ok(walk.used)
}

struct Walk<'a> {
    document: &'a Document,
    /// Fragments that are being looked at, outermost first.
    open: Vec<&'a str>,
    done: HashSet<&'a str>,
    used: Vec<&'a Name>,
    known: HashSet<&'a str>,
}

impl<'a> Walk<'a> {
    fn selections(&mut self, selections: &'a [Selection], path: &Path, depth: usize) -> Result<(), Error> {
        let limit = self.document.limits().depth;
        if depth > limit {
            return Err(Error::validation(
                path,
                format!("the query is nested deeper than {limit} levels"),
            ));
        }
        for selection in selections {
            match selection {
                Selection::Field(field) => {
                    self.values(&field.arguments);
                    self.directives(&field.directives);
                    if !field.selections.is_empty() {
                        let path = path.key("selectionSet").key(field.name.clone());
                        self.selections(&field.selections, &path, depth + 1)?;
                    }
                }
                Selection::Inline {
                    directives,
                    selections,
                    ..
                } => {
                    self.directives(directives);
                    self.selections(selections, path, depth + 1)?;
                }
                Selection::Spread { fragment, directives } => {
                    self.directives(directives);
                    self.spread(fragment, &path.key("selectionSet"), depth + 1)?;
                }
            }
        }
        Ok(())
    }

    fn spread(&mut self, name: &'a Name, path: &Path, depth: usize) -> Result<(), Error> {
        if self.done.contains(&**name) {
            return Ok(());
        }
        if let Some(start) = self.open.iter().position(|open| **open == **name) {
            let cycle: Vec<String> = self
                .open
                .iter()
                .skip(start)
                .map(|open| format!("\"{open}\""))
                .collect();
            let message = format!("the fragment definition(s) {} form a cycle", listed(&cycle));
            return Err(Error::validation(path, message));
        }
        let Some(fragment) = self.document.fragment(name) else {
            return Err(Error::validation(
                path,
                format!("reference to undefined fragment \"{name}\""),
            ));
        };
        self.open.push(&fragment.name);
        self.selections(&fragment.selections, &path.key(name.clone()), depth)?;
        self.open.pop();
        self.done.insert(&fragment.name);
        Ok(())
    }

    fn directives(&mut self, directives: &'a [Directive]) {
        for directive in directives {
            self.values(&directive.arguments);
        }
    }

    fn values(&mut self, values: &'a Named) {
        let mut open: Vec<&Literal> = values.values().rev().collect();
        while let Some(literal) = open.pop() {
            match literal {
                Literal::Variable(name) if self.known.insert(name) => self.used.push(name),
                Literal::List(items) => open.extend(items.iter().rev()),
                Literal::Object(fields) => open.extend(fields.values().rev()),
                _ => {}
            }
        }
    }
}

/// `"A"`, `"A" and "B"`, `"A", "B", and "C"`
fn listed(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [one, two] => format!("{one} and {two}"),
        [most @ .., last] => format!("{}, and {last}", most.join(", ")),
    }
}
