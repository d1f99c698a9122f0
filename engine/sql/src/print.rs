//! The only writer of SQL text. Three verbs put something into it: syntax of ours (`&'static str`), a name
//! (quoted and escaped), a parameter (a number). No text from outside can get in any other way.

use std::collections::HashMap;

use crate::ast::{Call, Expression, From, Join, Operator, Order, Output, Select};
use crate::name::{Identifier, TypeName};
use crate::statement::Parameter;
use crate::write::Writing;

/// Prints a query: its text and what its parameters are. Equal values of equal type share one parameter.
pub(crate) fn select(select: &Select) -> (String, Vec<Parameter>) {
    let mut printer = Printer::default();
    printer.select(select);
    (printer.text, printer.parameters)
}

/// Prints a writing statement in the same way.
pub(crate) fn writing(writing: &Writing) -> (String, Vec<Parameter>) {
    let mut printer = Printer::default();
    printer.writing(writing);
    (printer.text, printer.parameters)
}

/// `select row(rows.*) from (…) as rows`: each row of a printed query as one record. The line breaks keep a comment at
/// the end of the text from swallowing what follows it.
pub(crate) fn records(text: &str) -> String {
    format!("select row(rows.*) from (\n{text}\n) as rows")
}

#[derive(Default)]
struct Printer<'a> {
    text: String,
    parameters: Vec<Parameter>,
    known: HashMap<(&'a Parameter, &'a TypeName), usize>,
}

impl<'a> Printer<'a> {
    fn syntax(&mut self, text: &'static str) {
        self.text.push_str(text);
    }

    fn number(&mut self, number: u64) {
        self.text.push_str(&number.to_string());
    }

    fn parameter(&mut self, value: &'a Parameter, type_: &'a TypeName) {
        let number = match self.known.get(&(value, type_)) {
            Some(number) => *number,
            None => {
                self.parameters.push(value.clone());
                let number = self.parameters.len();
                self.known.insert((value, type_), number);
                number
            }
        };
        self.syntax("($");
        self.number(number as u64);
        self.syntax(")::");
        type_.write(&mut self.text);
    }

    fn select(&mut self, select: &'a Select) {
        self.syntax("select");
        if !select.distinct_on.is_empty() {
            self.syntax(" distinct on (");
            self.list(&select.distinct_on);
            self.syntax(")");
        }
        for (at, Output { value, name }) in select.columns.iter().enumerate() {
            self.syntax(if at > 0 { ", " } else { " " });
            self.expression(value);
            if let Some(name) = name {
                self.syntax(" as ");
                name.write(&mut self.text);
            }
        }
        if let Some(from) = &select.from {
            self.syntax(" from ");
            self.from(from);
        }
        for Join { from, lateral, on } in &select.joins {
            self.syntax(if *lateral {
                " left join lateral "
            } else {
                " left join "
            });
            self.from(from);
            self.syntax(" on ");
            self.expression(on);
        }
        if select.condition != Expression::True {
            self.syntax(" where ");
            self.expression(&select.condition);
        }
        if select.having != Expression::True {
            self.syntax(" having ");
            self.expression(&select.having);
        }
        self.order(&select.order);
        if let Some(limit) = &select.limit {
            self.syntax(" limit ");
            self.expression(limit);
        }
        if let Some(offset) = &select.offset {
            self.syntax(" offset ");
            self.expression(offset);
        }
    }

    fn order(&mut self, order: &'a [Order]) {
        for (at, key) in order.iter().enumerate() {
            self.syntax(if at > 0 { ", " } else { " order by " });
            self.expression(&key.by);
            self.syntax(match (key.descending, key.nulls_first) {
                (false, false) => "",
                (false, true) => " nulls first",
                (true, true) => " desc",
                (true, false) => " desc nulls last",
            });
        }
    }

    fn from(&mut self, from: &'a From) {
        let alias = match from {
            From::Table { name, alias } => {
                name.write(&mut self.text);
                alias
            }
            From::Subquery { select, alias } => {
                self.syntax("(");
                self.select(select);
                self.syntax(")");
                alias
            }
            From::Function { call, alias } => {
                self.call(call);
                alias
            }
            From::Inserted { rows, alias } => {
                rows.write(&mut self.text);
                alias
            }
            From::Arrays {
                arrays,
                alias,
                columns,
            } => {
                self.syntax("unnest(");
                self.list(arrays);
                self.syntax(") with ordinality as ");
                alias.write(&mut self.text);
                self.syntax(" (");
                self.names(columns);
                return self.syntax(")");
            }
        };
        self.syntax(" as ");
        alias.write(&mut self.text);
    }

    fn call(&mut self, call: &'a Call) {
        call.function.write(&mut self.text);
        self.syntax("(");
        for (at, argument) in call.arguments.iter().enumerate() {
            if at > 0 {
                self.syntax(", ");
            }
            if let Some(name) = &argument.name {
                name.write(&mut self.text);
                self.syntax(" => ");
            }
            self.expression(&argument.value);
        }
        self.syntax(")");
    }

    fn names(&mut self, names: &'a [Identifier]) {
        for (at, name) in names.iter().enumerate() {
            if at > 0 {
                self.syntax(", ");
            }
            name.write(&mut self.text);
        }
    }

    fn list(&mut self, items: &'a [Expression]) {
        for (at, item) in items.iter().enumerate() {
            if at > 0 {
                self.syntax(", ");
            }
            self.expression(item);
        }
    }

    fn parts(&mut self, parts: &'a [Expression], between: &'static str, none: &'static str) {
        if parts.is_empty() {
            return self.syntax(none);
        }
        self.syntax("(");
        for (at, part) in parts.iter().enumerate() {
            if at > 0 {
                self.syntax(between);
            }
            self.expression(part);
        }
        self.syntax(")");
    }

    /// Appends an expression that can stand anywhere without further parentheses.
    fn expression(&mut self, expression: &'a Expression) {
        match expression {
            Expression::True => self.syntax("true"),
            Expression::False => self.syntax("false"),
            Expression::Null => self.syntax("null"),
            Expression::Integer(number) => self.number(*number),
            Expression::Text(text) => {
                // A constant of this program; doubled quotes keep it one whatever it is.
                self.syntax("'");
                for (at, part) in text.split('\'').enumerate() {
                    if at > 0 {
                        self.syntax("''");
                    }
                    self.text.push_str(part);
                }
                self.syntax("'");
            }
            Expression::Parameter { value, type_ } => self.parameter(value, type_),
            Expression::Column(alias, name) => {
                alias.write(&mut self.text);
                self.syntax(".");
                name.write(&mut self.text);
            }
            Expression::WholeRow(alias) => {
                alias.write(&mut self.text);
                self.syntax(".*");
            }
            Expression::And(parts) => self.parts(parts, " and ", "true"),
            Expression::Or(parts) => self.parts(parts, " or ", "false"),
            Expression::Not(inner) => {
                self.syntax("(not ");
                self.expression(inner);
                self.syntax(")");
            }
            Expression::Binary {
                left,
                operator,
                right,
            } => {
                self.syntax("(");
                self.expression(left);
                match operator {
                    Operator::Builtin(operator) => {
                        self.syntax(" ");
                        self.syntax(operator);
                        self.syntax(" ");
                    }
                    Operator::Qualified(schema, operator) => {
                        self.syntax(" operator(");
                        schema.write(&mut self.text);
                        self.syntax(".");
                        self.syntax(operator);
                        self.syntax(") ");
                    }
                }
                self.expression(right);
                self.syntax(")");
            }
            Expression::Quantified {
                left,
                operator,
                all,
                array,
            } => {
                self.syntax("(");
                self.expression(left);
                self.syntax(" ");
                self.syntax(operator);
                self.syntax(if *all { " all(" } else { " any(" });
                self.expression(array);
                self.syntax("))");
            }
            Expression::IsNull(inner) => {
                self.syntax("(");
                self.expression(inner);
                self.syntax(" is null)");
            }
            Expression::IsNotNull(inner) => {
                self.syntax("(");
                self.expression(inner);
                self.syntax(" is not null)");
            }
            Expression::Cast(inner, type_) => {
                self.syntax("(");
                self.expression(inner);
                self.syntax(")::");
                type_.write(&mut self.text);
            }
            Expression::Case { when, then } => {
                self.syntax("case when ");
                self.expression(when);
                self.syntax(" then ");
                self.expression(then);
                self.syntax(" end");
            }
            Expression::Choose {
                when,
                then,
                otherwise,
            } => {
                self.syntax("case when ");
                self.expression(when);
                self.syntax(" then ");
                self.expression(then);
                self.syntax(" else ");
                self.expression(otherwise);
                self.syntax(" end");
            }
            Expression::Excluded(name) => {
                self.syntax("excluded.");
                name.write(&mut self.text);
            }
            Expression::Element(array, position) => {
                self.syntax("(");
                self.expression(array);
                self.syntax(")[");
                self.expression(position);
                self.syntax("]");
            }
            Expression::Attribute(composite, name) => {
                self.syntax("(");
                self.expression(composite);
                self.syntax(").");
                name.write(&mut self.text);
            }
            Expression::RowNumber => self.syntax("\"pg_catalog\".row_number() over ()"),
            Expression::SettingName(name, number) => {
                self.syntax("'rowlock.");
                self.syntax(name);
                self.number(*number as u64);
                self.syntax("'");
            }
            Expression::Call(call) => self.call(call),
            Expression::Aggregate {
                function,
                arguments,
                distinct,
                order,
            } => {
                self.syntax("\"pg_catalog\".");
                self.syntax(function);
                self.syntax("(");
                if *distinct {
                    self.syntax("distinct ");
                }
                if arguments.is_empty() {
                    self.syntax("*");
                }
                self.list(arguments);
                self.order(order);
                self.syntax(")");
            }
            Expression::Coalesce(items) => {
                self.syntax("coalesce(");
                self.list(items);
                self.syntax(")");
            }
            Expression::Least(items) => {
                self.syntax("least(");
                self.list(items);
                self.syntax(")");
            }
            Expression::Row(items) => {
                self.syntax("row(");
                self.list(items);
                self.syntax(")");
            }
            Expression::ArrayOf(items) => {
                self.syntax("array[");
                self.list(items);
                self.syntax("]");
            }
            Expression::Array(inner) => {
                self.syntax("array(");
                self.select(inner);
                self.syntax(")");
            }
            Expression::Scalar(inner) => {
                self.syntax("(");
                self.select(inner);
                self.syntax(")");
            }
            Expression::Exists(inner) => {
                self.syntax("exists (");
                self.select(inner);
                self.syntax(")");
            }
        }
    }
}

#[cfg(test)]
mod tests;
mod write;
