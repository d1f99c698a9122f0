//! Operators. Both sides are always evaluated, but for `??`, whose right side is needed only for null.

use std::borrow::Cow;

use serde_json::Value;

use super::{Binding, Found, Renderer, mismatch};
use crate::{
    error::RenderError,
    expression::{Expression, Operator},
    order::compare,
    span::Span,
};

impl<'c> Renderer<'c> {
    pub(super) fn operation<'v>(
        &mut self,
        first: &'v Expression,
        rest: &'v [(Operator, Expression)],
        scope: Option<&'v Binding<'v>>,
    ) -> Found<'v>
    where
        'c: 'v,
    {
        let mut left = self.evaluate(first, scope)?;
        for (operator, operand) in rest {
            if *operator == Operator::Default {
                if left.is_null() {
                    left = self.evaluate(operand, scope)?;
                }
                continue;
            }
            let right = self.evaluate(operand, scope)?;
            let result = self.apply(*operator, &left, &right, first.span.to(operand.span))?;
            left = Cow::Owned(Value::Bool(result));
        }
        Ok(left)
    }

    fn apply(
        &mut self,
        operator: Operator,
        left: &Value,
        right: &Value,
        span: Span,
    ) -> Result<bool, RenderError> {
        if matches!(operator, Operator::And | Operator::Or) {
            return match (left, right) {
                (Value::Bool(left), Value::Bool(right)) if operator == Operator::And => Ok(*left && *right),
                (Value::Bool(left), Value::Bool(right)) => Ok(*left || *right),
                (other, Value::Bool(_)) | (_, other) => Err(mismatch(span, "Boolean", other)),
            };
        }
        self.spend_on(left, span)?;
        self.spend_on(right, span)?;
        match operator {
            Operator::Equal => Ok(compare(left, right).is_eq()),
            Operator::NotEqual => Ok(compare(left, right).is_ne()),
            Operator::Greater => Ok(compare(left, right).is_gt()),
            Operator::GreaterEqual => Ok(compare(left, right).is_ge()),
            Operator::Less => Ok(compare(left, right).is_lt()),
            Operator::LessEqual => Ok(compare(left, right).is_le()),
            Operator::In | Operator::And | Operator::Or | Operator::Default => {
                self.contains(left, right, span)
            }
        }
    }

    /// `"key" in object`, `value in array`
    fn contains(&mut self, left: &Value, right: &Value, span: Span) -> Result<bool, RenderError> {
        match (left, right) {
            (Value::String(key), Value::Object(fields)) => Ok(fields.contains_key(key)),
            (other, Value::Object(_)) => Err(mismatch(span, "String", other)),
            (_, Value::Array(elements)) => {
                for element in elements {
                    self.spend_on(left, span)?;
                    if compare(left, element).is_eq() {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            (_, other) => Err(mismatch(span, "Array", other)),
        }
    }
}
