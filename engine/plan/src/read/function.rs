//! Calls of functions: which arguments are given, and in which notation.

use graphql::operation::{Entry, Input};
use graphql::{Code, Error, Path};
use schema::meaning::Meaning;
use schema::model::{Argument, Function};
use sql::ast::Expression;
use sql::name::TypeName;

use super::Reader;
use crate::filter::{Given, Subject, in_call_order, qualified};
use crate::ir::{Call, CallArgument};

impl<'m> Reader<'m> {
    /// The call of a tracked function.
    pub(crate) fn function_call(
        &mut self,
        function: &'m Function,
        arguments: &[Entry<Meaning>],
        path: &Path,
    ) -> Result<Call<'m>, Error> {
        let mut places = Vec::new();
        if let Some((position, name)) = &function.session_argument {
            places.push((*position, name.as_deref(), self.session_argument()));
        }
        self.client_arguments(&function.arguments, arguments, &mut places, path)?;
        Ok(Call {
            function: qualified(&function.name),
            arguments: in_call_order(places),
        })
    }

    /// All session variables, as `json`.
    pub(crate) fn session_argument(&mut self) -> CallArgument {
        CallArgument::Value(Expression::Parameter {
            value: self.slots.session_json(),
            type_: TypeName::builtin("json"),
        })
    }

    /// The arguments that a client gave; one that is absent has a default and is left out of the call.
    pub(crate) fn client_arguments(
        &mut self,
        known: &'m [Argument],
        given: &[Entry<Meaning>],
        places: &mut Vec<(usize, Option<&'m str>, CallArgument)>,
        path: &Path,
    ) -> Result<(), Error> {
        for (at, argument) in known.iter().enumerate() {
            let entry = given
                .iter()
                .find(|entry| entry.meaning == Meaning::FunctionArgument(at as u16));
            let Some(entry) = entry else {
                if argument.has_default {
                    continue;
                }
                return Err(not_supported(path, "Non default arguments cannot be omitted"));
            };
            let subject = Subject::of(&argument.type_, &argument.scalar);
            let value = match &entry.value {
                Input::Null => Expression::Null.cast(subject.type_.clone()),
                value => self.value(Given::Client(value), &subject, &entry.path)?,
            };
            if argument.name.is_none()
                && places.iter().filter(|(p, ..)| *p < argument.position).count() < argument.position
            {
                // An unnamed argument behind one that was left out cannot be written.
                return Err(not_supported(
                    path,
                    "Only last set of positional arguments can be omitted",
                ));
            }
            places.push((
                argument.position,
                argument.name.as_deref(),
                CallArgument::Value(value),
            ));
        }
        Ok(())
    }
}

/// What Hasura v2 says of arguments that are left out, at the place of those that are given.
fn not_supported(path: &Path, message: &str) -> Error {
    Error {
        code: Code::NotSupported,
        path: path.key("args").key("args"),
        message: message.to_owned(),
    }
}
