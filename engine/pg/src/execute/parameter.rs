//! Parameters in text form.

use bytes::BytesMut;
use sql::Parameter;
use tokio_postgres::types::{Format, IsNull, ToSql, Type};

use crate::error::Error;

/// One parameter, whose type the statement's text says.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Text<'a>(pub(crate) Option<&'a str>);

impl ToSql for Text<'_> {
    fn to_sql(
        &self,
        _type: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match self.0 {
            Some(text) => {
                out.extend_from_slice(text.as_bytes());
                Ok(IsNull::No)
            }
            None => Ok(IsNull::Yes),
        }
    }

    fn accepts(_type: &Type) -> bool {
        true
    }

    fn to_sql_checked(
        &self,
        type_: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        self.to_sql(type_, out)
    }

    fn encode_format(&self, _type: &Type) -> Format {
        Format::Text
    }
}

/// The parameters of one execution.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Values<'a> {
    parameters: &'a [Parameter],
    slots: &'a [Option<String>],
}

impl<'a> Values<'a> {
    /// Fails if a parameter's slot has no value.
    pub(crate) fn new(parameters: &'a [Parameter], slots: &'a [Option<String>]) -> Result<Values<'a>, Error> {
        let missing = parameters.iter().find_map(|parameter| match parameter {
            Parameter::Slot(slot) if slots.get(*slot as usize).is_none() => Some(*slot),
            _ => None,
        });
        match missing {
            Some(slot) => Err(Error::MissingSlot(slot)),
            None => Ok(Values { parameters, slots }),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.parameters.len()
    }

    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = Text<'a>> + use<'a> {
        let slots = self.slots;
        self.parameters.iter().map(move |parameter| match parameter {
            Parameter::Constant(value) => Text(value.as_deref()),
            Parameter::Slot(slot) => Text(slots.get(*slot as usize).and_then(Option::as_deref)),
        })
    }

    /// With the type that lets Postgres infer it.
    pub(crate) fn typed(&self) -> impl ExactSizeIterator<Item = (Text<'a>, Type)> + use<'a> {
        self.iter().map(|value| (value, Type::UNKNOWN))
    }
}
