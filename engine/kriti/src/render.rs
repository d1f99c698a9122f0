//! Rendering: from an expression and a context to a JSON value. Values are borrowed from the context as long as
//! possible, so that `$body.a.b` copies only what it finds.

mod lookup;
mod operator;

use std::borrow::Cow;

use serde_json::{Map, Value};

use crate::{
    context::Context,
    error::RenderError,
    expression::{Expression, ExpressionKind, Range},
    function,
    limit::{MAX_WORK, VALUE_WORK},
    span::Span,
};

/// Renders `expression`.
///
/// # Errors
/// [`RenderError`], with the place at fault.
pub(crate) fn render(expression: &Expression, context: &Context) -> Result<Value, RenderError> {
    let mut renderer = Renderer {
        context,
        work: MAX_WORK,
    };
    let value = renderer.evaluate(expression, None)?;
    renderer.own(value, expression.span)
}

/// The JSON type of a value, as error messages name it.
pub(crate) fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "Null",
        Value::Bool(_) => "Boolean",
        Value::Number(_) => "Number",
        Value::String(_) => "String",
        Value::Array(_) => "Array",
        Value::Object(_) => "Object",
    }
}

/// The error of a value which should be of another type.
fn mismatch(span: Span, expected: &'static str, value: &Value) -> RenderError {
    RenderError::Type {
        span,
        expected,
        actual: type_name(value),
    }
}

/// A variable of a loop, and those around it.
#[derive(Clone, Copy)]
struct Binding<'v> {
    name: &'v str,
    value: &'v Value,
    outer: Option<&'v Binding<'v>>,
}

/// A value, borrowed from the context, the template or a loop where possible.
type Found<'v> = Result<Cow<'v, Value>, RenderError>;

struct Renderer<'c> {
    context: &'c Context,
    /// How much work is left.
    work: usize,
}

impl<'c> Renderer<'c> {
    fn evaluate<'v>(&mut self, expression: &'v Expression, scope: Option<&'v Binding<'v>>) -> Found<'v>
    where
        'c: 'v,
    {
        let span = expression.span;
        self.spend(VALUE_WORK, span)?;
        match &expression.kind {
            ExpressionKind::Literal(value) => Ok(Cow::Borrowed(value)),
            ExpressionKind::Variable(name) => self.variable(name, scope, span),
            ExpressionKind::Text(pieces) => self.text(pieces, scope),
            ExpressionKind::Array(elements) => self.array(elements, scope),
            ExpressionKind::Object(fields) => self.object(fields, scope),
            ExpressionKind::Path(path) => self.path(path, scope),
            ExpressionKind::Call { name, argument } => self.call(name, argument, scope, span),
            ExpressionKind::Operation { first, rest } => self.operation(first, rest, scope),
            ExpressionKind::If { branches, otherwise } => self.condition(branches, otherwise, scope, span),
            ExpressionKind::Range(range) => self.range(range, scope, span),
        }
    }

    /// Counts `amount` of work.
    fn spend(&mut self, amount: usize, span: Span) -> Result<(), RenderError> {
        self.work = self
            .work
            .checked_sub(amount)
            .ok_or(RenderError::TooMuchWork { span })?;
        Ok(())
    }

    /// Counts the work of going through all of `value`.
    fn spend_on(&mut self, value: &Value, span: Span) -> Result<(), RenderError> {
        match value {
            Value::Null | Value::Bool(_) => self.spend(VALUE_WORK, span),
            // A number may be written with any number of digits.
            Value::Number(number) => self.spend(VALUE_WORK + number.as_str().len(), span),
            Value::String(text) => self.spend(VALUE_WORK + text.len(), span),
            Value::Array(elements) => {
                self.spend(VALUE_WORK, span)?;
                elements
                    .iter()
                    .try_for_each(|element| self.spend_on(element, span))
            }
            Value::Object(fields) => {
                self.spend(VALUE_WORK, span)?;
                fields.iter().try_for_each(|(key, field)| {
                    self.spend(VALUE_WORK + key.len(), span)?;
                    self.spend_on(field, span)
                })
            }
        }
    }

    /// A copy of a borrowed value, if the work allows it.
    fn own(&mut self, value: Cow<'_, Value>, span: Span) -> Result<Value, RenderError> {
        if let Cow::Borrowed(value) = &value {
            self.spend_on(value, span)?;
        }
        Ok(value.into_owned())
    }

    fn variable<'v>(&mut self, name: &str, scope: Option<&'v Binding<'v>>, span: Span) -> Found<'v>
    where
        'c: 'v,
    {
        self.spend(name.len(), span)?;
        let mut binding = scope;
        while let Some(found) = binding {
            if found.name == name {
                return Ok(Cow::Borrowed(found.value));
            }
            binding = found.outer;
        }
        let value = self.context.variable(name);
        value.map(Cow::Borrowed).ok_or_else(|| RenderError::Name {
            span,
            name: name.to_owned(),
        })
    }

    /// Strings are put in as they are, everything else as JSON.
    fn text<'v>(&mut self, pieces: &'v [Expression], scope: Option<&'v Binding<'v>>) -> Found<'v>
    where
        'c: 'v,
    {
        let mut text = String::new();
        for piece in pieces {
            let value = self.evaluate(piece, scope)?;
            self.spend_on(&value, piece.span)?;
            match &*value {
                Value::String(string) => text.push_str(string),
                other => text.push_str(&other.to_string()),
            }
        }
        Ok(Cow::Owned(Value::String(text)))
    }

    fn array<'v>(&mut self, elements: &'v [Expression], scope: Option<&'v Binding<'v>>) -> Found<'v>
    where
        'c: 'v,
    {
        let mut array = Vec::with_capacity(elements.len());
        for element in elements {
            let value = self.evaluate(element, scope)?;
            array.push(self.own(value, element.span)?);
        }
        Ok(Cow::Owned(Value::Array(array)))
    }

    fn object<'v>(&mut self, fields: &'v [(String, Expression)], scope: Option<&'v Binding<'v>>) -> Found<'v>
    where
        'c: 'v,
    {
        let mut object = Map::new();
        for (key, field) in fields {
            self.spend(VALUE_WORK + key.len(), field.span)?;
            let value = self.evaluate(field, scope)?;
            object.insert(key.clone(), self.own(value, field.span)?);
        }
        Ok(Cow::Owned(Value::Object(object)))
    }

    /// The argument is evaluated before the function is looked for, so that its errors come first.
    fn call<'v>(
        &mut self,
        name: &str,
        argument: &'v Expression,
        scope: Option<&'v Binding<'v>>,
        span: Span,
    ) -> Found<'v>
    where
        'c: 'v,
    {
        let value = self.evaluate(argument, scope)?;
        self.spend_on(&value, argument.span)?;
        let result = function::call(name, &value, self.context);
        let result = result.ok_or_else(|| RenderError::Name {
            span,
            name: name.to_owned(),
        })?;
        result.map(Cow::Owned).map_err(|reason| RenderError::Function {
            span: argument.span,
            reason,
        })
    }

    fn condition<'v>(
        &mut self,
        branches: &'v [(Expression, Expression)],
        otherwise: &'v Expression,
        scope: Option<&'v Binding<'v>>,
        span: Span,
    ) -> Found<'v>
    where
        'c: 'v,
    {
        for (condition, branch) in branches {
            match &*self.evaluate(condition, scope)? {
                Value::Bool(true) => return self.evaluate(branch, scope),
                Value::Bool(false) => {}
                other => {
                    return Err(mismatch(span, "Boolean", other));
                }
            }
        }
        self.evaluate(otherwise, scope)
    }

    fn range<'v>(&mut self, range: &'v Range, scope: Option<&'v Binding<'v>>, span: Span) -> Found<'v>
    where
        'c: 'v,
    {
        let list = self.evaluate(&range.list, scope)?;
        let Value::Array(elements) = &*list else {
            return Err(mismatch(span, "Array", &list));
        };
        let mut results = vec![];
        for (number, element) in elements.iter().enumerate() {
            let position = Value::from(number);
            let item = Binding {
                name: &range.item,
                value: element,
                outer: scope,
            };
            let index = range.index.as_deref().map(|name| Binding {
                name,
                value: &position,
                outer: Some(&item),
            });
            let value = self.evaluate(&range.body, Some(index.as_ref().unwrap_or(&item)))?;
            results.push(self.own(value, range.body.span)?);
        }
        Ok(Cow::Owned(Value::Array(results)))
    }
}
