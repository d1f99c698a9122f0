//! The text by which operations are told apart in allow lists: layout, comments, the order of arguments and
//! `__typename` do not matter.

use std::collections::BTreeMap;

use super::Document;
use crate::syntax::{Directive, Fragment, Literal, Named, OperationDefinition, Selection};
use crate::type_system::OperationKind;

impl Document {
    /// Two documents ask for the same if their normal forms are equal, as Hasura compares operations with those of
    /// an allow list: fields named `__typename` are left out, everything else counts.
    pub fn normal_form(&self) -> String {
        let mut printer = Printer { out: String::new() };
        for operation in &self.operations {
            printer.operation(operation);
        }
        let fragments: BTreeMap<&str, &Fragment> = self
            .fragments
            .iter()
            .map(|(name, fragment)| (&**name, fragment))
            .collect();
        for (name, fragment) in fragments {
            printer.words(&["fragment ", name, " on ", &fragment.condition]);
            printer.selections(&fragment.selections);
        }
        printer.out
    }
}

/// Recursion is bounded by the document's limit on brackets.
struct Printer {
    out: String,
}

impl Printer {
    fn words(&mut self, words: &[&str]) {
        for word in words {
            self.out.push_str(word);
        }
    }

    fn operation(&mut self, operation: &OperationDefinition) {
        self.out.push_str(match operation.kind {
            OperationKind::Query => "query",
            OperationKind::Mutation => "mutation",
            OperationKind::Subscription => "subscription",
        });
        if let Some(name) = &operation.name {
            self.words(&[" ", name]);
        }
        if !operation.variables.is_empty() {
            self.out.push('(');
            for variable in &operation.variables {
                self.words(&["$", &variable.name, ":", &variable.type_.to_string()]);
                if let Some(default) = &variable.default {
                    self.out.push('=');
                    self.literal(default);
                }
                self.out.push(' ');
            }
            self.out.push(')');
        }
        self.directives(&operation.directives);
        self.selections(&operation.selections);
    }

    fn selections(&mut self, selections: &[Selection]) {
        self.out.push('{');
        for selection in selections {
            match selection {
                Selection::Field(field) if &*field.name == "__typename" => continue,
                Selection::Field(field) => {
                    if let Some(alias) = &field.alias {
                        self.words(&[alias, ":"]);
                    }
                    self.out.push_str(&field.name);
                    self.named('(', &field.arguments, ')');
                    self.directives(&field.directives);
                    if !field.selections.is_empty() {
                        self.selections(&field.selections);
                    }
                }
                Selection::Spread { fragment, directives } => {
                    self.words(&["...", fragment]);
                    self.directives(directives);
                }
                Selection::Inline {
                    condition,
                    directives,
                    selections,
                } => {
                    self.out.push_str("...");
                    if let Some(condition) = condition {
                        self.words(&["on ", condition]);
                    }
                    self.directives(directives);
                    self.selections(selections);
                }
            }
            self.out.push(' ');
        }
        self.out.push('}');
    }

    fn directives(&mut self, directives: &[Directive]) {
        for directive in directives {
            self.words(&["@", &directive.name]);
            self.named('(', &directive.arguments, ')');
        }
    }

    /// Arguments or fields, by name; no brackets if there are none, but for an object.
    fn named(&mut self, open: char, values: &Named, close: char) {
        if values.is_empty() && open != '{' {
            return;
        }
        self.out.push(open);
        let sorted: BTreeMap<&str, &Literal> = values.iter().map(|(name, value)| (&**name, value)).collect();
        for (name, value) in sorted {
            self.words(&[name, ":"]);
            self.literal(value);
            self.out.push(' ');
        }
        self.out.push(close);
    }

    fn literal(&mut self, literal: &Literal) {
        match literal {
            Literal::Variable(name) => self.words(&["$", name]),
            Literal::Null => self.out.push_str("null"),
            Literal::Boolean(value) => self.out.push_str(if *value { "true" } else { "false" }),
            Literal::Int(number) | Literal::Float(number) => self.out.push_str(&number.to_string()),
            Literal::String(text) => self
                .out
                .push_str(&serde_json::Value::from(text.as_str()).to_string()),
            Literal::Enum(name) => self.out.push_str(name),
            Literal::List(items) => {
                self.out.push('[');
                for item in items {
                    self.literal(item);
                    self.out.push(' ');
                }
                self.out.push(']');
            }
            Literal::Object(fields) => self.named('{', fields, '}'),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::document::{Document, Limits};

    fn form(text: &str) -> String {
        Document::parse(text, &Limits::default())
            .expect("a document")
            .normal_form()
    }

    #[test]
    fn sees_through_layout_and_typename() {
        let first =
            form("query {user(where: {a: 1, b: [\"x\"]}, limit: 2) {id name ...F}} fragment F on user {a}");
        for text in [
            "{user(limit: 2 where: {b: [\"\"\"x\"\"\"] a: 1}) {id, __typename, name # all\n ...F}} fragment F on user {a}",
            "fragment F on user {__typename a x: __typename} query {user(limit: 2, where: {a: 1, b: [\"x\"]}) {id name ...F}}",
        ] {
            assert_eq!(form(text), first, "{text}");
        }
        for text in [
            "query {user(where: {a: 1, b: [\"x\"]}, limit: 3) {id name ...F}} fragment F on user {a}",
            "query {user(where: {a: 1, b: [\"x\"]}, limit: 2) {name id ...F}} fragment F on user {a}",
            "query Q {user(where: {a: 1, b: [\"x\"]}, limit: 2) {id name ...F}} fragment F on user {a}",
            "query {user(where: {a: 1, b: [x]}, limit: 2) {id name ...F}} fragment F on user {a}",
        ] {
            assert_ne!(form(text), first, "{text}");
        }
    }

    #[test]
    fn is_itself_a_document() {
        let text = "query Q($a: [Int!]! = [1, 2.50] $b: T) @cached(ttl: 5) {a: f(x: {}, y: null, z: $a) @skip(if: true) {...on T @include(if: $b) {k} ... {l}}}
                    mutation {m(e: RED s: \"\\n\\u0001\")} subscription S {s}";
        assert_eq!(form(&form(text)), form(text));
    }
}
