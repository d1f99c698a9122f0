//! Computed fields: functions of a row that appear as fields of the table.

use graphql::Name;
use metadata::function::ComputedField as Definition;

use crate::catalog::{self, TypeKind, Volatility};
use crate::model::{ComputedField, Returns};
use crate::naming::is_graphql_name;
use crate::problem::object;
use crate::resolve::function::row_type;
use crate::resolve::operand::type_name;
use crate::resolve::permission::shown;
use crate::resolve::{Resolver, reasons};

impl Resolver<'_> {
    /// Fills `computed_fields` of all tables. Names that clash with other fields are judged later.
    pub(crate) fn resolve_computed_fields(&mut self) {
        for at in 0..self.tables.len() {
            let Some(entry) = self.entries.get(at) else {
                continue;
            };
            let (name, metadata, table) = (entry.name, entry.metadata, entry.catalog);
            let mut found = Vec::new();
            for (field, definition) in &metadata.computed_fields {
                match self.computed_field(name, table, field, definition) {
                    Ok(resolved) => found.push(resolved),
                    Err(message) => {
                        let message =
                            format!("in table \"{name}\": in computed field \"{field}\": {message}");
                        self.refuse(object::computed_field(self.name, name, field), message);
                    }
                }
            }
            if let Some(table) = self.tables_mut().get_mut(at) {
                table.computed_fields = found;
            }
        }
    }

    fn computed_field(
        &mut self,
        table: &metadata::QualifiedName,
        catalog: &catalog::Table,
        name: &str,
        definition: &Definition,
    ) -> Result<ComputedField, String> {
        let function_name = &definition.definition.function;
        let function = self.only_function(function_name)?;
        let mut wrong = Vec::new();
        if !is_graphql_name(name) {
            wrong.push(format!("\"{name}\" is not valid GraphQL name"));
        }
        if function.volatility == Volatility::Volatile {
            wrong.push(format!(
                "the function \"{function_name}\" is of type VOLATILE; cannot be added as a computed field"
            ));
        }
        let returns = self.computed_returns(function, function_name);
        if let Err(message) = &returns {
            wrong.push(message.clone());
        }
        let position = |wanted: &str| {
            function
                .arguments
                .iter()
                .position(|argument| argument.name.as_deref() == Some(wanted))
        };
        let table_argument = match &definition.definition.table_argument {
            Some(wanted) => match position(wanted) {
                Some(at) => Some((
                    at,
                    format!("\"{wanted}\" argument of the function \"{function_name}\""),
                )),
                None => {
                    wrong.push(format!(
                        "\"{wanted}\" is not an input argument of the function \"{function_name}\""
                    ));
                    None
                }
            },
            None if function.arguments.is_empty() => {
                wrong.push(format!("the function \"{function_name}\" has no input arguments"));
                None
            }
            None => Some((0, format!("first argument of the function \"{function_name}\""))),
        };
        if let Some((at, shown_argument)) = &table_argument
            && let Some(argument) = function.arguments.get(*at)
        {
            let row = row_type(&argument.type_);
            if !matches!(argument.type_.kind, TypeKind::Composite { .. }) {
                wrong.push(format!("{shown_argument} is not COMPOSITE type"));
            }
            if row != Some(&catalog.name) {
                let type_ = metadata::QualifiedName::new(&argument.type_.schema, &argument.type_.name);
                let shown_type = row.map_or(type_, shown);
                wrong.push(format!(
                    "{shown_argument} of type \"{shown_type}\" is not the table to which the computed field is being \
                     added"
                ));
            }
        }
        let mut session_argument = None;
        if let Some(wanted) = &definition.definition.session_argument {
            match position(wanted).and_then(|at| Some((at, function.arguments.get(at)?))) {
                None => wrong.push(format!(
                    "\"{wanted}\" is not an input argument of the function \"{function_name}\""
                )),
                Some((_, argument)) if !matches!(argument.type_.name.as_str(), "json" | "jsonb") => {
                    wrong.push(format!(
                        "\"{wanted}\" argument of the function \"{function_name}\" is not of type JSON"
                    ));
                }
                Some((at, _)) => session_argument = Some((at, Some(wanted.clone()))),
            }
        }
        let (Ok(returns), Some((table_at, _)), true) = (returns, table_argument, wrong.is_empty()) else {
            return Err(format!(
                "the computed field \"{name}\" cannot be added to table \"{table}\" {}",
                reasons(&wrong)
            ));
        };
        let skip: Vec<usize> = session_argument
            .iter()
            .map(|(at, _)| *at)
            .chain([table_at])
            .collect();
        let arguments = self.arguments(function, &skip)?;
        let argument_name = |at: usize| {
            function
                .arguments
                .get(at)
                .and_then(|argument| argument.name.clone())
        };
        let comment = definition.comment.clone().or_else(|| function.comment.clone());
        Ok(ComputedField {
            name: name.to_owned(),
            field: Name::from(name),
            function: function.name.clone(),
            arguments,
            table_argument: (table_at, argument_name(table_at)),
            session_argument,
            returns,
            returns_set: function.returns_set,
            comment,
        })
    }

    fn computed_returns(
        &mut self,
        function: &catalog::Function,
        function_name: &metadata::QualifiedName,
    ) -> Result<Returns, String> {
        if let Some(target) = row_type(&function.returns) {
            let key = (target.schema.as_str(), target.name.as_str());
            return self.catalog_ids.get(&key).copied().map(Returns::Table).ok_or_else(|| {
                format!(
                    "the function \"{function_name}\" returning set of table \"{}\" is not tracked or not found in \
                     database",
                    shown(target)
                )
            });
        }
        if !function.returns_table.is_empty() {
            return Ok(Returns::Rows {
                identifier: Name::from(function_name.snake_case()),
                columns: self.row_columns(&function.returns_table)?,
            });
        }
        let type_ = &function.returns;
        let scalar = match type_.kind {
            TypeKind::Base
            | TypeKind::Enum(_)
            | TypeKind::Domain(_)
            | TypeKind::Array(_)
            | TypeKind::Range
                if !function.returns_set =>
            {
                self.scalar(type_)
            }
            _ => None,
        };
        let scalar = scalar.ok_or_else(|| {
            format!(
                "the function \"{function_name}\" returning type {} is not a BASE type",
                type_name(type_)
            )
        })?;
        Ok(Returns::Scalar {
            type_: type_.clone(),
            scalar,
        })
    }
}
