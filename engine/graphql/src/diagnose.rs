//! What is wrong with an operation that nobody runs yet: a saved query, held against a schema without variables.
//!
//! Says everything it finds, where [`normalize`](crate::normalize()) says the first thing. Looks at fields and selection
//! sets only: arguments depend on values that are not there.

use std::collections::HashSet;

use crate::document::Document;
use crate::normalize::fragment;
use crate::syntax::{SelectedField, Selection};
use crate::type_system::{OperationKind, TypeReference, TypeSystem};

/// How many findings are worth saying of one operation.
const MOST: usize = 100;

/// Everything wrong with the one operation of a document, in the order of its text, each with the path of the field
/// it is about: `$.author: field 'author' not found in object 'query_root'`. Empty if nothing is.
pub fn diagnose<T: TypeSystem>(document: &Document, types: &T) -> Vec<String> {
    let definition = match document.operation(None) {
        Ok(definition) => definition,
        Err(error) => return vec![error.message],
    };
    if let Err(error) = fragment::check(document, definition) {
        return vec![error.message];
    }
    let Some(root) = types.root(definition.kind) else {
        let kind = match definition.kind {
            OperationKind::Query => "queries",
            OperationKind::Mutation => "mutations",
            OperationKind::Subscription => "subscriptions",
        };
        return vec![format!("$: no {kind} exist")];
    };
    let mut diagnosis = Diagnosis {
        document,
        types,
        path: Vec::new(),
        selections_left: document.limits().selections,
        found: Vec::new(),
    };
    diagnosis.object(
        root,
        &definition.selections,
        definition.kind == OperationKind::Query,
    );
    diagnosis.found
}

struct Diagnosis<'a, T> {
    document: &'a Document,
    types: &'a T,
    path: Vec<&'a str>,
    selections_left: usize,
    found: Vec<String>,
}

impl<'a, T: TypeSystem> Diagnosis<'a, T> {
    fn say(&mut self, message: &str) {
        let mut path = "$".to_owned();
        for step in &self.path {
            path.push('.');
            path.push_str(step);
        }
        let finding = format!("{path}: {message}");
        // What interfaces may turn out to be is looked at one by one, and may lack the same field.
        if self.found.len() < MOST && !self.found.contains(&finding) {
            self.found.push(finding);
        }
    }

    /// The fields selected of an object. Fragments were checked: they exist, have no cycles and are not too deep.
    fn object(&mut self, object: T::Id, selections: &'a [Selection], introspection: bool) {
        if self.path.len() >= self.document.limits().depth {
            return self.say("nested too deeply");
        }
        let mut names = vec![self.types.type_name(object)];
        names.extend(
            self.types
                .interfaces(object)
                .into_iter()
                .map(|id| self.types.type_name(id)),
        );
        let mut seen: HashSet<&str> = HashSet::new();
        let mut open: Vec<&'a Selection> = selections.iter().rev().collect();
        while let Some(selection) = open.pop() {
            let Some(left) = self.selections_left.checked_sub(1) else {
                return;
            };
            self.selections_left = left;
            let (condition, inner) = match selection {
                Selection::Field(field) => {
                    let known = &*field.name == "__typename"
                        || introspection && matches!(&*field.name, "__schema" | "__type");
                    if !known {
                        self.path.push(&field.name);
                        self.field(object, field);
                        self.path.pop();
                    }
                    continue;
                }
                Selection::Inline {
                    condition,
                    selections,
                    ..
                } => (condition.as_ref(), selections),
                Selection::Spread { fragment, .. } => match self.document.fragment(fragment) {
                    Some(fragment) if seen.insert(&fragment.name) => {
                        (Some(&fragment.condition), &fragment.selections)
                    }
                    _ => continue,
                },
            };
            if condition.is_none_or(|condition| names.contains(condition)) {
                open.extend(inner.iter().rev());
            }
        }
    }

    fn field(&mut self, object: T::Id, selected: &'a SelectedField) {
        let Some(definition) = self.types.object_field(object, &selected.name) else {
            let object = self.types.type_name(object);
            return self.say(&format!(
                "field '{}' not found in object '{object}'",
                selected.name
            ));
        };
        let mut result = &definition.type_;
        let type_ = loop {
            match result {
                TypeReference::Named { id, .. } => break *id,
                TypeReference::List { item, .. } => result = item,
            }
        };
        match (definition.composite, selected.selections.is_empty()) {
            (true, true) => {
                let name = self.types.type_name(type_);
                self.say(&format!("missing selection set for '{name}'"));
            }
            (false, false) => self.say("unexpected subselection set for non-object field"),
            (false, true) => {}
            (true, false) => match self.types.possible_types(type_) {
                None => self.object(type_, &selected.selections, false),
                Some(objects) => {
                    for object in objects {
                        self.object(object, &selected.selections, false);
                    }
                }
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Limits;
    use crate::test_schema::TestSchema;

    fn said(text: &str) -> Vec<String> {
        match Document::parse(text, &Limits::default()) {
            Ok(document) => diagnose(&document, &TestSchema::new()),
            Err(error) => panic!("{error} in {text}"),
        }
    }

    #[test]
    fn nothing_is_wrong() {
        for text in [
            "query ($n: Int!) { __typename __schema { types { name } } author(limit: $n) { id friend { ...f } } }
             fragment f on author { __typename id ... on author { name } }",
            "mutation { insert_author(objects: []) { id } }",
            "{ pets { ... on cat { lives } __typename } }",
        ] {
            assert_eq!(said(text), Vec::<String>::new(), "{text}");
        }
    }

    #[test]
    fn everything_wrong_is_said_with_its_path() {
        assert_eq!(
            said(
                "{ authors { id } author { nothing friend { ...f name { id } } } a: author }
                  fragment f on author { nobody }"
            ),
            [
                "$.authors: field 'authors' not found in object 'query_root'",
                "$.author.nothing: field 'nothing' not found in object 'author'",
                "$.author.friend.nobody: field 'nobody' not found in object 'author'",
                "$.author.friend.name: unexpected subselection set for non-object field",
                "$.author: missing selection set for 'author'",
            ]
        );
    }

    #[test]
    fn what_is_no_single_operation() {
        assert_eq!(
            said("query a { author { id } } query b { author { id } }"),
            ["exactly one operation has to be present in the document when operationName is not specified"]
        );
        assert_eq!(
            said("{ author { ...f } }"),
            ["reference to undefined fragment \"f\""]
        );
    }

    #[test]
    fn fragments_that_multiply_end() {
        let mut text = "{ author { ...f0 } }".to_owned();
        for level in 0..40 {
            let next = level + 1;
            text.push_str(&format!(
                " fragment f{level} on author {{ a: friend {{ ...f{next} }} b: friend {{ ...f{next} }} }}"
            ));
        }
        text.push_str(" fragment f40 on author { nothing }");
        assert!(said(&text).len() <= MOST);
    }
}
