//! Names as Postgres knows them. Quoting and escaping happen in one place, when a name is printed.

use std::sync::Arc;

/// A column, table, schema, type or function name, unquoted and unescaped.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Identifier(Arc<str>);

impl Identifier {
    /// Any text is a name: printing quotes it.
    pub fn new(name: impl Into<Arc<str>>) -> Self {
        Self(name.into())
    }

    /// The bare name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Appends `"name"`, inner quotes doubled. A NUL cannot be part of a Postgres name and is left out.
    pub fn write(&self, out: &mut String) {
        out.push('"');
        for character in self.0.chars() {
            match character {
                '"' => out.push_str("\"\""),
                '\0' => {}
                other => out.push(other),
            }
        }
        out.push('"');
    }
}

impl From<&str> for Identifier {
    fn from(name: &str) -> Self {
        Self::new(name)
    }
}

impl From<&String> for Identifier {
    fn from(name: &String) -> Self {
        Self::new(name.as_str())
    }
}

/// `"schema"."name"`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct QualifiedName {
    /// The schema; without one the name is looked up along the search path (only for Postgres's own functions
    /// whose syntax allows no schema).
    pub schema: Option<Identifier>,
    /// The name.
    pub name: Identifier,
}

impl QualifiedName {
    /// A name in a schema.
    pub fn new(schema: impl Into<Identifier>, name: impl Into<Identifier>) -> Self {
        Self {
            schema: Some(schema.into()),
            name: name.into(),
        }
    }

    /// Something of Postgres itself.
    pub fn builtin(name: &'static str) -> Self {
        Self::new("pg_catalog", name)
    }

    /// Appends the quoted name.
    pub fn write(&self, out: &mut String) {
        if let Some(schema) = &self.schema {
            schema.write(out);
            out.push('.');
        }
        self.name.write(out);
    }
}

/// A type as written in a cast.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TypeName {
    /// The type.
    pub name: QualifiedName,
    /// `[]` behind it.
    pub array: bool,
}

impl TypeName {
    /// A type of Postgres itself.
    pub fn builtin(name: &'static str) -> Self {
        Self {
            name: QualifiedName::builtin(name),
            array: false,
        }
    }

    /// A type in a schema.
    pub fn new(schema: &str, name: &str) -> Self {
        Self {
            name: QualifiedName::new(schema, name),
            array: false,
        }
    }

    /// An array of this type.
    #[must_use]
    pub fn array_of(mut self) -> Self {
        self.array = true;
        self
    }

    /// Appends the type.
    pub fn write(&self, out: &mut String) {
        self.name.write(out);
        if self.array {
            out.push_str("[]");
        }
    }
}

/// The name of a row source within one statement: `t0`, `t1`, … in order of appearance, so that the same
/// operation always gives the same text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Alias(u32);

impl Alias {
    /// Appends `"t<n>"`.
    pub fn write(self, out: &mut String) {
        out.push_str("\"t");
        out.push_str(&self.0.to_string());
        out.push('"');
    }
}

/// Hands out aliases.
#[derive(Debug, Default)]
pub struct Aliases {
    next: u32,
}

impl Aliases {
    /// One that was not given before.
    pub fn fresh(&mut self) -> Alias {
        let alias = Alias(self.next);
        self.next = self.next.saturating_add(1);
        alias
    }
}
