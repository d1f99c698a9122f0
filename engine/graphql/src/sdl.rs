//! Prints a role's whole schema in the schema definition language, types in order of their names. For tests and tools;
//! derives every type at once.

use std::fmt::Write;

use crate::introspect::whole::{self, Any, AnyDefinition, Whole};
use crate::type_system::{InputField, OperationKind, TypeKind, TypeReference, TypeSystem};

/// The schema as text. Introspection's own types, GraphQL's own scalars and the directives are left out.
pub fn print<T: TypeSystem>(types: &T) -> String {
    let mut printer = Printer {
        whole: Whole::keeping(types, whole::KEPT),
        out: String::new(),
    };
    printer.schema();
    for (name, id) in printer.whole.all() {
        if matches!(id, Any::Role(_)) && !matches!(&*name, "String" | "Int" | "Float" | "Boolean" | "ID") {
            let definition = printer.whole.definition(id);
            printer.definition(id, &definition);
        }
    }
    printer.out
}

struct Printer<'t, T: TypeSystem> {
    whole: Whole<'t, T>,
    out: String,
}

impl<T: TypeSystem> Printer<'_, T> {
    fn text(&mut self, text: std::fmt::Arguments<'_>) {
        // Writing to a string can't fail.
        let _ = self.out.write_fmt(text);
    }

    fn schema(&mut self) {
        self.text(format_args!("schema {{\n"));
        for (word, kind) in [
            ("query", OperationKind::Query),
            ("mutation", OperationKind::Mutation),
            ("subscription", OperationKind::Subscription),
        ] {
            if let Some(root) = self.whole.root(kind) {
                let name = self.whole.name(root);
                self.text(format_args!("  {word}: {name}\n"));
            }
        }
        self.text(format_args!("}}\n"));
    }

    fn description(&mut self, indent: &str, description: Option<&str>) {
        if let Some(description) = description {
            let escaped = description.replace("\"\"\"", "\\\"\"\"");
            self.text(format_args!("{indent}\"\"\"\n"));
            for line in escaped.lines() {
                self.text(format_args!("{indent}{line}\n"));
            }
            self.text(format_args!("{indent}\"\"\"\n"));
        }
    }

    fn reference(&mut self, type_: &TypeReference<Any<T::Id>>) -> String {
        let (text, nullable) = match type_ {
            TypeReference::Named { id, nullable } => (self.whole.name(*id).to_string(), nullable),
            TypeReference::List { item, nullable } => (format!("[{}]", self.reference(item)), nullable),
        };
        if *nullable { text } else { text + "!" }
    }

    fn input(&mut self, input: &InputField<Any<T::Id>, ()>) -> String {
        let type_ = self.reference(&input.type_);
        match &input.default {
            Some(default) => format!("{}: {type_} = {default}", input.name),
            None => format!("{}: {type_}", input.name),
        }
    }

    fn definition(&mut self, id: Any<T::Id>, definition: &AnyDefinition<T::Id>) {
        self.out.push('\n');
        self.description("", definition.description.as_deref());
        let name = &definition.name;
        match &definition.kind {
            TypeKind::Scalar(_) => {
                self.text(format_args!("scalar {name}\n"));
                return;
            }
            TypeKind::Enum(values) => {
                self.text(format_args!("enum {name} {{\n"));
                for value in values {
                    self.description("  ", value.description.as_deref());
                    self.text(format_args!("  {}\n", value.name));
                }
            }
            TypeKind::InputObject(fields) => {
                self.text(format_args!("input {name} {{\n"));
                for field in fields {
                    self.description("  ", field.description.as_deref());
                    let field = self.input(field);
                    self.text(format_args!("  {field}\n"));
                }
            }
            TypeKind::Union => {
                let members = self.whole.possible_types(id).unwrap_or_default();
                let members = self.joined(members, " | ");
                self.text(format_args!("union {name} = {members}\n"));
                return;
            }
            TypeKind::Object(fields) | TypeKind::Interface(fields) => {
                let word = if matches!(definition.kind, TypeKind::Object(_)) {
                    "type"
                } else {
                    "interface"
                };
                self.text(format_args!("{word} {name} "));
                let interfaces = self.whole.interfaces(id);
                if !interfaces.is_empty() {
                    let interfaces = self.joined(interfaces, " & ");
                    self.text(format_args!("implements {interfaces} "));
                }
                self.text(format_args!("{{\n"));
                for field in fields {
                    self.description("  ", field.description.as_deref());
                    self.text(format_args!("  {}", field.name));
                    self.arguments(&field.arguments);
                    let type_ = self.reference(&field.type_);
                    self.text(format_args!(": {type_}"));
                    if let Some(reason) = &field.deprecated {
                        let reason = serde_json::Value::from(reason.as_str());
                        self.text(format_args!(" @deprecated(reason: {reason})"));
                    }
                    self.out.push('\n');
                }
            }
        }
        self.text(format_args!("}}\n"));
    }

    fn joined(&self, types: Vec<Any<T::Id>>, separator: &str) -> String {
        let names: Vec<_> = types.into_iter().map(|id| self.whole.name(id)).collect();
        names.join(separator)
    }

    fn arguments(&mut self, arguments: &[InputField<Any<T::Id>, ()>]) {
        if arguments.is_empty() {
            return;
        }
        if arguments.iter().all(|argument| argument.description.is_none()) {
            let printed: Vec<String> = arguments.iter().map(|argument| self.input(argument)).collect();
            self.text(format_args!("({})", printed.join(", ")));
            return;
        }
        self.text(format_args!("(\n"));
        for argument in arguments {
            self.description("    ", argument.description.as_deref());
            let argument = self.input(argument);
            self.text(format_args!("    {argument}\n"));
        }
        self.text(format_args!("  )"));
    }
}

#[cfg(test)]
mod tests {
    use crate::test_schema::TestSchema;

    #[test]
    fn prints_a_schema() {
        let text = super::print(&TestSchema::new());
        for part in [
            "schema {\n  query: query_root\n  mutation: mutation_root\n  subscription: subscription_root\n}\n",
            "\nscalar jsonb\n",
            "\n\"\"\"\ncolumns and relationships of \"author\"\n\"\"\"\ntype author {\n",
            "  articles(\n    distinct_on: [author_select_column!]\n    \"\"\"\n    limit the number of rows returned\n    \"\"\"\n    limit: Int\n    offset: Int\n",
            "\nenum order_by {\n",
            "\ntype cat implements Animal {\n",
            "\ninterface Animal {\n  id: Int!\n}\n",
            "\nunion Pet = cat | dog\n",
            "  old: String @deprecated(reason: \"a \\\"reason\\\"\")\n",
            "  tags: [String!] = []\n",
        ] {
            assert!(text.contains(part), "{part} in {text}");
        }
        assert!(!text.contains("__Type") && !text.contains("scalar Int"));
    }
}
