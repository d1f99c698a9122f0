//! Chains of lookups.
//!
//! A `?` makes the whole chain after it optional: what is missing gives null at once, and so does any failure before
//! it. A plain lookup in something which is no object or array is an error.

use std::borrow::Cow;

use serde_json::{Number, Value};

use super::{Binding, Found, Renderer, mismatch};
use crate::{
    error::RenderError,
    expression::{Key, Lookup, Path},
    limit::VALUE_WORK,
    order::as_integer,
    span::Span,
};

impl<'c> Renderer<'c> {
    pub(super) fn path<'v>(&mut self, path: &'v Path, scope: Option<&'v Binding<'v>>) -> Found<'v>
    where
        'c: 'v,
    {
        let mut found = self.evaluate(&path.base, scope);
        let mut before = path.base.span;
        let mut rest = path.lookups.as_slice();
        while let Some((first, tail)) = rest.split_first() {
            if first.optional {
                let length = 1 + tail.iter().take_while(|lookup| !lookup.optional).count();
                let (chain, after) = rest.split_at(length);
                found = self.optional(found, chain, before, scope);
                before = chain.last().map_or(before, |lookup| lookup.span);
                rest = after;
            } else {
                // A failure is kept, not returned: a `?` further on may make it null.
                found = match found {
                    Ok(value) => self.required(value, first, before, scope),
                    Err(error) => Err(error),
                };
                before = first.span;
                rest = tail;
            }
        }
        found
    }

    fn required<'v>(
        &mut self,
        value: Cow<'v, Value>,
        lookup: &'v Lookup,
        before: Span,
        scope: Option<&'v Binding<'v>>,
    ) -> Found<'v>
    where
        'c: 'v,
    {
        let span = lookup.span;
        match &*value {
            Value::Object(_) => {
                let name = match &lookup.key {
                    Key::Attribute(name) => Cow::Borrowed(name.as_str()),
                    Key::Element(key) => match self.evaluate(key, scope)?.into_owned() {
                        Value::String(name) => Cow::Owned(name),
                        other => {
                            return Err(mismatch(before, "String", &other));
                        }
                    },
                };
                self.field(value, &name, span)?
                    .ok_or_else(|| RenderError::Attribute {
                        span,
                        name: name.into_owned(),
                    })
            }
            Value::Array(_) => {
                let Key::Element(key) = &lookup.key else {
                    return Err(mismatch(before, "Object", &value));
                };
                let index = self.evaluate(key, scope)?;
                let Value::Number(number) = &*index else {
                    return Err(mismatch(span, "Integer", &index));
                };
                let number = self
                    .integer(number, span)?
                    .ok_or_else(|| mismatch(span, "Integer", &index))?;
                element(value, number).ok_or(RenderError::Index { span })
            }
            other => Err(mismatch(before, "Object", other)),
        }
    }

    fn optional<'v>(
        &mut self,
        found: Found<'v>,
        chain: &'v [Lookup],
        before: Span,
        scope: Option<&'v Binding<'v>>,
    ) -> Found<'v>
    where
        'c: 'v,
    {
        let mut value = match found {
            Ok(value) => value,
            Err(error @ RenderError::TooMuchWork { .. }) => return Err(error),
            Err(_) => return Ok(Cow::Owned(Value::Null)),
        };
        match &*value {
            Value::Null => return Ok(value),
            Value::Object(_) | Value::Array(_) => {}
            other => {
                return Err(mismatch(before, "Object", other));
            }
        }
        for lookup in chain {
            self.spend(VALUE_WORK, lookup.span)?;
            let key = match &lookup.key {
                Key::Attribute(name) => {
                    self.spend(name.len(), lookup.span)?;
                    Cow::Owned(Value::from(name.as_str()))
                }
                Key::Element(key) => self.evaluate(key, scope)?,
            };
            let next = match (&*value, &*key) {
                (Value::Object(_), Value::String(name)) => self.field(value, name, lookup.span)?,
                (Value::Array(_), Value::Number(number)) => match self.integer(number, lookup.span)? {
                    Some(index) => element(value, index),
                    None => None,
                },
                _ => None,
            };
            match next {
                Some(next) => value = next,
                None => return Ok(Cow::Owned(Value::Null)),
            }
        }
        Ok(value)
    }

    /// The field of an object. Taken out of an owned object, borrowed from a borrowed one.
    fn field<'v>(
        &mut self,
        object: Cow<'v, Value>,
        name: &str,
        span: Span,
    ) -> Result<Option<Cow<'v, Value>>, RenderError> {
        self.spend(name.len(), span)?;
        Ok(match object {
            Cow::Borrowed(object) => object.get(name).map(Cow::Borrowed),
            Cow::Owned(mut object) => object.get_mut(name).map(|field| Cow::Owned(field.take())),
        })
    }

    /// The integer a number is. It may have been written with any number of digits, so this is work.
    fn integer(&mut self, number: &Number, span: Span) -> Result<Option<i64>, RenderError> {
        self.spend(number.as_str().len(), span)?;
        Ok(as_integer(number))
    }
}

/// The element of an array, likewise.
fn element(array: Cow<'_, Value>, index: i64) -> Option<Cow<'_, Value>> {
    let index = usize::try_from(index).ok()?;
    match array {
        Cow::Borrowed(array) => array.get(index).map(Cow::Borrowed),
        Cow::Owned(mut array) => array.get_mut(index).map(|element| Cow::Owned(element.take())),
    }
}
