//! Answers `__schema` and `__type` from a role's types, as JSON text in selection order.
//!
//! Derives types only while it answers; keeps nothing per role.

pub(crate) mod meta;
pub(crate) mod whole;

use std::sync::Arc;

use crate::error::Error;
use crate::introspect::meta::{DirectiveDefinition, MetaType};
use crate::introspect::whole::{Any, Whole};
use crate::operation::{Field, FieldTarget, Input};
use crate::type_system::{
    EnumValue, InputField, Name, OperationKind, OutputField, TypeKind, TypeReference, TypeSystem,
};

/// How large an answer may be at most, in bytes, unless the caller knows better. A selection that follows fields to
/// their types again and again multiplies.
pub const MAXIMUM_BYTES: usize = 256 << 20;

/// A `__schema` or `__type` field with everything selected below it.
#[derive(Debug, Clone)]
pub struct Introspection(Arc<Selected>);

type Selected = Field<MetaType, ()>;

impl Introspection {
    pub(crate) fn new(field: Selected) -> Self {
        Self(Arc::new(field))
    }

    pub(crate) fn field(&self) -> &Selected {
        &self.0
    }

    /// The value of the field as JSON text.
    ///
    /// # Errors
    /// If the answer were larger than `maximum` bytes.
    pub fn answer<T: TypeSystem>(&self, types: &T, maximum: usize) -> Result<Vec<u8>, Error> {
        self.answer_keeping(types, maximum, whole::KEPT)
    }

    /// As [`answer`](Self::answer), with `kept` derived types at a time in memory.
    fn answer_keeping<T: TypeSystem>(
        &self,
        types: &T,
        maximum: usize,
        kept: usize,
    ) -> Result<Vec<u8>, Error> {
        let field = &*self.0;
        let mut writer = Writer {
            whole: Whole::keeping(types, kept),
            out: Vec::new(),
            maximum,
        };
        let wanted = field.arguments.iter().find_map(|entry| match &entry.value {
            Input::Leaf(leaf) => leaf.value.as_str(),
            _ => None,
        });
        match wanted {
            None => writer.object(&field.selection, &Subject::Schema)?,
            Some(name) => match writer.whole.by_name(name) {
                Some(id) => writer.object(&field.selection, &Subject::Type(Shown::bare(id)))?,
                None => writer.null(),
            },
        }
        Ok(writer.out)
    }
}

/// Whether `includeDeprecated` was given as true.
fn include_deprecated(field: &Selected) -> bool {
    field
        .arguments
        .iter()
        .any(|entry| matches!(&entry.value, Input::Leaf(leaf) if leaf.value == true))
}

/// What an object of the answer is about.
enum Subject<'x, I> {
    Schema,
    Type(Shown<'x, I>),
    Field(&'x OutputField<Any<I>, ()>),
    Input(&'x InputField<Any<I>, ()>),
    Value(&'x EnumValue<()>),
    Directive(&'static DirectiveDefinition, &'x [InputField<Any<I>, ()>]),
}

/// A type with those wrappers that have not been taken off by `ofType`.
enum Shown<'x, I> {
    Bare(Any<I>),
    Reference {
        reference: &'x TypeReference<Any<I>>,
        /// `ofType` has taken the non-null off.
        nullable: bool,
    },
}

impl<'x, I: Copy> Shown<'x, I> {
    fn bare(id: Any<I>) -> Self {
        Self::Bare(id)
    }

    fn new(reference: &'x TypeReference<Any<I>>) -> Self {
        match reference {
            TypeReference::Named { id, nullable: true } => Self::Bare(*id),
            TypeReference::Named { nullable, .. } | TypeReference::List { nullable, .. } => Self::Reference {
                reference,
                nullable: *nullable,
            },
        }
    }

    fn of_type(&self) -> Option<Self> {
        match self {
            Self::Bare(_) => None,
            Self::Reference {
                reference,
                nullable: false,
            } => Some(match reference {
                TypeReference::Named { id, .. } => Self::Bare(*id),
                TypeReference::List { .. } => Self::Reference {
                    reference,
                    nullable: true,
                },
            }),
            Self::Reference {
                reference,
                nullable: true,
            } => match reference {
                TypeReference::List { item, .. } => Some(Self::new(item)),
                TypeReference::Named { .. } => None,
            },
        }
    }

    /// The named type, if no wrapper is left.
    fn named(&self) -> Option<Any<I>> {
        match self {
            Self::Bare(id) => Some(*id),
            Self::Reference { .. } => None,
        }
    }
}

struct Writer<'t, T: TypeSystem> {
    whole: Whole<'t, T>,
    out: Vec<u8>,
    maximum: usize,
}

impl<T: TypeSystem> Writer<'_, T> {
    fn null(&mut self) {
        self.out.extend_from_slice(b"null");
    }

    fn boolean(&mut self, value: bool) {
        self.out.extend_from_slice(if value { b"true" } else { b"false" });
    }

    fn string(&mut self, text: &str) {
        self.out.push(b'"');
        for byte in text.bytes() {
            match byte {
                b'"' => self.out.extend_from_slice(b"\\\""),
                b'\\' => self.out.extend_from_slice(b"\\\\"),
                b'\n' => self.out.extend_from_slice(b"\\n"),
                b'\r' => self.out.extend_from_slice(b"\\r"),
                b'\t' => self.out.extend_from_slice(b"\\t"),
                0..0x20 => self.out.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
                byte => self.out.push(byte),
            }
        }
        self.out.push(b'"');
    }

    fn optional(&mut self, text: Option<&str>) {
        match text {
            Some(text) => self.string(text),
            None => self.null(),
        }
    }

    fn list<I>(
        &mut self,
        items: impl Iterator<Item = I>,
        mut write: impl FnMut(&mut Self, I) -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.out.push(b'[');
        for (index, item) in items.enumerate() {
            if index > 0 {
                self.out.push(b',');
            }
            write(self, item)?;
        }
        self.out.push(b']');
        Ok(())
    }

    /// Recursion is as deep as the selection, which the document's limits bound.
    fn object(&mut self, selection: &[Selected], subject: &Subject<'_, T::Id>) -> Result<(), Error> {
        self.out.push(b'{');
        for (index, field) in selection.iter().enumerate() {
            if self.out.len() > self.maximum {
                let message = format!(
                    "the answer to the introspection is larger than {} bytes",
                    self.maximum
                );
                return Err(Error::validation(&field.path, message));
            }
            if index > 0 {
                self.out.push(b',');
            }
            self.string(&field.response_key);
            self.out.push(b':');
            match &field.target {
                FieldTarget::Typename(name) => self.string(name),
                FieldTarget::Field { name, .. } => match subject {
                    Subject::Schema => self.schema_field(field, name)?,
                    Subject::Type(shown) => self.type_field(field, name, shown)?,
                    Subject::Field(of) => self.field_field(field, name, of)?,
                    Subject::Input(of) => self.input_field(field, name, of)?,
                    Subject::Value(of) => self.value_field(name, of),
                    Subject::Directive(of, arguments) => self.directive_field(field, name, of, arguments)?,
                },
                // These are fields of the query root only.
                FieldTarget::Schema(_) | FieldTarget::Type(_) => self.null(),
            }
        }
        self.out.push(b'}');
        Ok(())
    }

    fn schema_field(&mut self, field: &Selected, name: &Name) -> Result<(), Error> {
        let kind = match &**name {
            "queryType" => OperationKind::Query,
            "mutationType" => OperationKind::Mutation,
            "subscriptionType" => OperationKind::Subscription,
            "types" => {
                let all = self.whole.all();
                return self.list(all.into_iter(), |writer, (_, id)| {
                    writer.object(&field.selection, &Subject::Type(Shown::bare(id)))
                });
            }
            "directives" => {
                let directives = whole::directives();
                return self.list(directives.iter(), |writer, (directive, arguments)| {
                    writer.object(&field.selection, &Subject::Directive(directive, arguments))
                });
            }
            _ => {
                self.null();
                return Ok(());
            }
        };
        match self.whole.root(kind) {
            Some(id) => self.object(&field.selection, &Subject::Type(Shown::bare(id))),
            None => {
                self.null();
                Ok(())
            }
        }
    }

    fn types(&mut self, selection: &[Selected], types: Vec<Any<T::Id>>) -> Result<(), Error> {
        self.list(types.into_iter(), |writer, id| {
            writer.object(selection, &Subject::Type(Shown::bare(id)))
        })
    }

    fn type_field(&mut self, field: &Selected, name: &Name, shown: &Shown<'_, T::Id>) -> Result<(), Error> {
        let selection = &field.selection;
        let named = shown.named();
        match (&**name, named) {
            ("kind", None) => {
                let list = matches!(shown, Shown::Reference { nullable: true, .. });
                self.string(if list { "LIST" } else { "NON_NULL" });
            }
            ("kind", Some(id)) => {
                let kind = self.whole.kind(id);
                self.string(kind);
            }
            ("ofType", _) => match shown.of_type() {
                Some(inner) => self.object(selection, &Subject::Type(inner))?,
                None => self.null(),
            },
            ("name", Some(id)) => {
                let name = self.whole.name(id);
                self.string(&name);
            }
            ("description", Some(id)) => {
                let definition = self.whole.definition(id);
                self.optional(definition.description.as_deref());
            }
            ("fields", Some(id)) => match &self.whole.definition(id).kind {
                TypeKind::Object(fields) | TypeKind::Interface(fields) => {
                    let all = include_deprecated(field);
                    let fields = fields.iter().filter(|field| all || field.deprecated.is_none());
                    self.list(fields, |writer, field| {
                        writer.object(selection, &Subject::Field(field))
                    })?;
                }
                _ => self.null(),
            },
            ("interfaces", Some(id)) => match &self.whole.definition(id).kind {
                TypeKind::Object(_) | TypeKind::Interface(_) => {
                    let interfaces = self.whole.interfaces(id);
                    self.types(selection, interfaces)?;
                }
                _ => self.null(),
            },
            ("possibleTypes", Some(id)) => match self.whole.possible_types(id) {
                Some(possible) => self.types(selection, possible)?,
                None => self.null(),
            },
            ("enumValues", Some(id)) => match &self.whole.definition(id).kind {
                TypeKind::Enum(values) => {
                    self.list(values.iter(), |writer, value| {
                        writer.object(selection, &Subject::Value(value))
                    })?;
                }
                _ => self.null(),
            },
            ("inputFields", Some(id)) => match &self.whole.definition(id).kind {
                TypeKind::InputObject(fields) => {
                    self.list(fields.iter(), |writer, field| {
                        writer.object(selection, &Subject::Input(field))
                    })?;
                }
                _ => self.null(),
            },
            ("isOneOf", Some(id)) => match &self.whole.definition(id).kind {
                TypeKind::InputObject(_) => self.boolean(false),
                _ => self.null(),
            },
            _ => self.null(),
        }
        Ok(())
    }

    fn field_field(
        &mut self,
        field: &Selected,
        name: &Name,
        of: &OutputField<Any<T::Id>, ()>,
    ) -> Result<(), Error> {
        match &**name {
            "name" => self.string(&of.name),
            "description" => self.optional(of.description.as_deref()),
            "args" => self.list(of.arguments.iter(), |writer, argument| {
                writer.object(&field.selection, &Subject::Input(argument))
            })?,
            "type" => self.object(&field.selection, &Subject::Type(Shown::new(&of.type_)))?,
            "isDeprecated" => self.boolean(of.deprecated.is_some()),
            "deprecationReason" => self.optional(of.deprecated.as_deref()),
            _ => self.null(),
        }
        Ok(())
    }

    fn input_field(
        &mut self,
        field: &Selected,
        name: &Name,
        of: &InputField<Any<T::Id>, ()>,
    ) -> Result<(), Error> {
        match &**name {
            "name" => self.string(&of.name),
            "description" => self.optional(of.description.as_deref()),
            "type" => self.object(&field.selection, &Subject::Type(Shown::new(&of.type_)))?,
            "defaultValue" => self.optional(of.default.as_deref()),
            "isDeprecated" => self.boolean(false),
            _ => self.null(),
        }
        Ok(())
    }

    fn value_field(&mut self, name: &Name, of: &EnumValue<()>) {
        match &**name {
            "name" => self.string(&of.name),
            "description" => self.optional(of.description.as_deref()),
            "isDeprecated" => self.boolean(false),
            _ => self.null(),
        }
    }

    fn directive_field(
        &mut self,
        field: &Selected,
        name: &Name,
        of: &DirectiveDefinition,
        arguments: &[InputField<Any<T::Id>, ()>],
    ) -> Result<(), Error> {
        match &**name {
            "name" => self.string(&of.name),
            "description" => self.string(of.description),
            "args" => self.list(arguments.iter(), |writer, argument| {
                writer.object(&field.selection, &Subject::Input(argument))
            })?,
            "locations" => self.list(of.locations.iter(), |writer, location| {
                writer.string(location.name());
                Ok(())
            })?,
            "isRepeatable" => self.boolean(false),
            _ => self.null(),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
