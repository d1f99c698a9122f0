//! Constant folding of boolean expressions, under three-valued logic: what is removed never changes a result.

use crate::ast::Expression;

/// `a and b and …`: flattened, without `true`; `false` if any is.
pub fn and(parts: impl IntoIterator<Item = Expression>) -> Expression {
    let mut kept = Vec::new();
    for part in parts {
        match part {
            Expression::True => {}
            Expression::False => return Expression::False,
            Expression::And(inner) => {
                for part in inner {
                    push_new(&mut kept, part);
                }
            }
            other => push_new(&mut kept, other),
        }
    }
    match kept.len() {
        0 => Expression::True,
        1 => kept.swap_remove(0),
        _ => Expression::And(kept),
    }
}

/// `a or b or …`: flattened, without `false`; `true` if any is.
pub fn or(parts: impl IntoIterator<Item = Expression>) -> Expression {
    let mut kept = Vec::new();
    for part in parts {
        match part {
            Expression::False => {}
            Expression::True => return Expression::True,
            Expression::Or(inner) => {
                for part in inner {
                    push_new(&mut kept, part);
                }
            }
            other => push_new(&mut kept, other),
        }
    }
    match kept.len() {
        0 => Expression::False,
        1 => kept.swap_remove(0),
        _ => Expression::Or(kept),
    }
}

/// `not a`: constants flipped, a double negation removed.
pub fn not(part: Expression) -> Expression {
    match part {
        Expression::True => Expression::False,
        Expression::False => Expression::True,
        Expression::Not(inner) => *inner,
        other => Expression::Not(Box::new(other)),
    }
}

/// `case when condition then value end`, or just the value.
pub fn case(when: Expression, then: Expression) -> Expression {
    match when {
        Expression::True => then,
        Expression::False => Expression::Null,
        when => Expression::Case {
            when: Box::new(when),
            then: Box::new(then),
        },
    }
}

/// Repeating a condition says nothing new; long lists are not searched.
fn push_new(kept: &mut Vec<Expression>, part: Expression) {
    if kept.len() > 16 || !kept.contains(&part) {
        kept.push(part);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constants_fold() {
        assert_eq!(and([]), Expression::True);
        assert_eq!(or([]), Expression::False);
        assert_eq!(and([Expression::True, Expression::Null]), Expression::Null);
        assert_eq!(and([Expression::Null, Expression::False]), Expression::False);
        assert_eq!(or([Expression::Null, Expression::True]), Expression::True);
        assert_eq!(not(not(Expression::Null)), Expression::Null);
        assert_eq!(not(and([])), Expression::False);
    }

    #[test]
    fn nesting_is_flattened_and_repeats_dropped() {
        let column = |n: u64| Expression::IsNull(Box::new(Expression::Integer(n)));
        assert_eq!(
            and([column(1), and([column(2), column(1)])]),
            Expression::And(vec![column(1), column(2)])
        );
    }
}
