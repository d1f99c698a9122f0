//! How a statement refuses: Postgres has no expression that raises an error of one's own without a function, so the
//! statement casts a text to boolean that is none. The text is in the error's message, whatever its language.

use crate::ast::Expression;
use crate::name::{QualifiedName, TypeName};

/// Why a statement refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// A written row does not pass the check of the permission that it was written by.
    Check,
    /// Fewer rows were written than other rows of the mutation depend on.
    MissingRows,
}

impl Refusal {
    const ALL: [Self; 2] = [Self::Check, Self::MissingRows];

    fn text(self) -> &'static str {
        match self {
            Self::Check => "rowlock: check failed",
            Self::MissingRows => "rowlock: rows missing",
        }
    }

    /// SQLSTATE of the error that it becomes: invalid text representation.
    pub const SQLSTATE: &str = "22P02";

    /// The refusal that an error's message is about, for errors of [`Refusal::SQLSTATE`].
    pub fn in_message(message: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|refusal| message.contains(refusal.text()))
    }

    /// `(concat('…'))::bool`: fails when it is evaluated. `concat` is stable, so it is not evaluated ahead.
    pub fn expression(self) -> Expression {
        Expression::call(
            QualifiedName::builtin("concat"),
            vec![Expression::Text(self.text())],
        )
        .cast(TypeName::builtin("bool"))
    }

    /// `case when condition then true else … end`; null counts as false.
    pub fn unless(self, condition: Expression) -> Expression {
        match condition {
            Expression::True => Expression::True,
            condition => Expression::Choose {
                when: Box::new(condition),
                then: Box::new(Expression::True),
                otherwise: Box::new(self.expression()),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_found_in_messages_of_any_language() {
        for message in [
            "invalid input syntax for type boolean: \"rowlock: check failed\"",
            "ungültige Eingabesyntax für Typ boolean: »rowlock: check failed«",
        ] {
            assert_eq!(Refusal::in_message(message), Some(Refusal::Check));
        }
        assert_eq!(
            Refusal::in_message("invalid input syntax for type boolean: \"x\""),
            None
        );
    }
}
