//! The subset of Postgres's SELECT that the engine emits. Plain data: building it checks nothing and prints
//! nothing. Values from outside can only be in it as [`Expression::Parameter`].

use crate::name::{Alias, Identifier, QualifiedName, TypeName};
use crate::statement::Parameter;

/// A SELECT.
#[derive(Debug, Clone, PartialEq)]
pub struct Select {
    /// `distinct on (…)`; empty for none.
    pub distinct_on: Vec<Expression>,
    /// The output columns, each with a name where an outer query reads it.
    pub columns: Vec<Output>,
    /// `from`; none makes one row.
    pub from: Option<From>,
    /// Joined in order.
    pub joins: Vec<Join>,
    /// `where`; `True` is not printed.
    pub condition: Expression,
    /// `having` without `group by`: over all rows as one group.
    pub having: Expression,
    /// `order by`.
    pub order: Vec<Order>,
    /// `limit`.
    pub limit: Option<Expression>,
    /// `offset`.
    pub offset: Option<Expression>,
}

impl Default for Select {
    fn default() -> Self {
        Self {
            distinct_on: Vec::new(),
            columns: Vec::new(),
            from: None,
            joins: Vec::new(),
            condition: Expression::True,
            having: Expression::True,
            order: Vec::new(),
            limit: None,
            offset: None,
        }
    }
}

/// One output column.
#[derive(Debug, Clone, PartialEq)]
pub struct Output {
    /// Its value.
    pub value: Expression,
    /// `as "name"`.
    pub name: Option<Identifier>,
}

impl Output {
    /// A column that nobody reads by name.
    pub fn unnamed(value: Expression) -> Self {
        Self { value, name: None }
    }

    /// `value as "name"`.
    pub fn named(value: Expression, name: Identifier) -> Self {
        Self {
            value,
            name: Some(name),
        }
    }
}

/// A source of rows.
#[derive(Debug, Clone, PartialEq)]
pub enum From {
    /// `"schema"."table" as "t0"`
    Table {
        /// The table.
        name: QualifiedName,
        /// Its alias.
        alias: Alias,
    },
    /// `(select …) as "t0"`
    Subquery {
        /// The query.
        select: Box<Select>,
        /// Its alias.
        alias: Alias,
    },
    /// `"schema"."function"(…) as "t0"`
    Function {
        /// The call.
        call: Call,
        /// Its alias.
        alias: Alias,
    },
    /// `<rows> as <alias>`: the rows that a written part of the statement gave back under that name.
    Inserted {
        /// Name of the insert.
        rows: Alias,
        /// Name within the statement.
        alias: Alias,
    },
    /// `unnest(a, b) with ordinality as "t0" ("c0", "c1", "n")`: arrays of equal length as columns, and a number.
    Arrays {
        /// The arrays.
        arrays: Vec<Expression>,
        /// Its alias.
        alias: Alias,
        /// Names of the columns, and of the number.
        columns: Vec<Identifier>,
    },
}

/// `left join [lateral] … on …`
#[derive(Debug, Clone, PartialEq)]
pub struct Join {
    /// What is joined.
    pub from: From,
    /// It may refer to earlier sources.
    pub lateral: bool,
    /// The condition.
    pub on: Expression,
}

/// One key of `order by`.
#[derive(Debug, Clone, PartialEq)]
pub struct Order {
    /// What is compared.
    pub by: Expression,
    /// `desc`
    pub descending: bool,
    /// `nulls first`, else `nulls last`
    pub nulls_first: bool,
}

/// A function call.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// The function.
    pub function: QualifiedName,
    /// Its arguments; positional ones first.
    pub arguments: Vec<Argument>,
}

/// An argument of a call.
#[derive(Debug, Clone, PartialEq)]
pub struct Argument {
    /// `"name" => value`
    pub name: Option<Identifier>,
    /// The value.
    pub value: Expression,
}

/// A binary operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operator {
    /// One of Postgres's own, or a keyword operator such as `like` or `is distinct from`.
    Builtin(&'static str),
    /// `operator("schema".@>)`: an extension's, which may be off the search path.
    Qualified(Identifier, &'static str),
}

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub enum Expression {
    /// `true`
    True,
    /// `false`
    False,
    /// `null`
    Null,
    /// An integer that is part of the operation's text or of a permission.
    Integer(u64),
    /// A text that is a constant of this program.
    Text(&'static str),
    /// `($1)::type`
    Parameter {
        /// Where its value comes from.
        value: Parameter,
        /// Its type.
        type_: TypeName,
    },
    /// `"t0"."column"`
    Column(Alias, Identifier),
    /// `"t0".*` as one value: the whole row, only as an argument or under a cast.
    WholeRow(Alias),
    /// All hold.
    And(Vec<Expression>),
    /// At least one holds.
    Or(Vec<Expression>),
    /// `not (…)`
    Not(Box<Expression>),
    /// `(left) operator (right)`
    Binary {
        /// Left side.
        left: Box<Expression>,
        /// Operator.
        operator: Operator,
        /// Right side.
        right: Box<Expression>,
    },
    /// `(left) operator any (array)` or `all`
    Quantified {
        /// Left side.
        left: Box<Expression>,
        /// Operator.
        operator: &'static str,
        /// `all` instead of `any`.
        all: bool,
        /// An array.
        array: Box<Expression>,
    },
    /// `(…) is null`
    IsNull(Box<Expression>),
    /// `(…) is not null`
    IsNotNull(Box<Expression>),
    /// `(…)::type`
    Cast(Box<Expression>, TypeName),
    /// `case when … then … end`
    Case {
        /// The condition.
        when: Box<Expression>,
        /// The value; otherwise null.
        then: Box<Expression>,
    },
    /// `case when … then … else … end`
    Choose {
        /// The condition.
        when: Box<Expression>,
        /// The value where it holds.
        then: Box<Expression>,
        /// The value where it does not, or is null.
        otherwise: Box<Expression>,
    },
    /// `excluded."column"`: the row that was to be inserted, within `on conflict do update`.
    Excluded(Identifier),
    /// `(array)[n]`
    Element(Box<Expression>, Box<Expression>),
    /// `(composite)."column"`
    Attribute(Box<Expression>, Identifier),
    /// `row_number() over ()`
    RowNumber,
    /// `'rowlock.<name><number>'`: a setting by which statements of one transaction hand rows on.
    SettingName(&'static str, usize),
    /// `"schema"."function"(…)`
    Call(Call),
    /// An aggregate.
    Aggregate {
        /// Name of one of Postgres's own aggregates.
        function: &'static str,
        /// Arguments; none is `*`.
        arguments: Vec<Expression>,
        /// `distinct`
        distinct: bool,
        /// `order by` within the call.
        order: Vec<Order>,
    },
    /// `coalesce(…)`
    Coalesce(Vec<Expression>),
    /// `least(…)`
    Least(Vec<Expression>),
    /// `row(…)`
    Row(Vec<Expression>),
    /// `array[…]`
    ArrayOf(Vec<Expression>),
    /// `array(select …)`
    Array(Box<Select>),
    /// `(select …)`
    Scalar(Box<Select>),
    /// `exists (select …)`
    Exists(Box<Select>),
}

impl Expression {
    /// `(left) operator (right)` with one of Postgres's own operators.
    pub fn binary(left: Self, operator: &'static str, right: Self) -> Self {
        Self::Binary {
            left: Box::new(left),
            operator: Operator::Builtin(operator),
            right: Box::new(right),
        }
    }

    /// `(left) = (right)`
    pub fn equal(left: Self, right: Self) -> Self {
        Self::binary(left, "=", right)
    }

    /// A call with positional arguments.
    pub fn call(function: QualifiedName, arguments: Vec<Self>) -> Self {
        Self::Call(Call {
            function,
            arguments: arguments
                .into_iter()
                .map(|value| Argument { name: None, value })
                .collect(),
        })
    }

    /// `(self)::type`
    #[must_use]
    pub fn cast(self, type_: TypeName) -> Self {
        Self::Cast(Box::new(self), type_)
    }
}
