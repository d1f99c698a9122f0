//! Functions as root fields, arguments of functions and computed fields, and their anonymous rows.

use super::root::{comment, shown};
use super::select::page_arguments;
use super::{Field, Input, RoleView, TypeKey, described, field, input, list, named, sorted};
use crate::meaning::{ArgumentRole, Meaning};
use crate::model::{
    Argument, Column, ColumnId, ComputedFieldId, Exposure, Function, FunctionId, Returns, RootField,
    RootFieldName, RootVerb, TableId,
};

impl RoleView {
    pub(super) fn function_root_field(
        &self,
        function: &Function,
        root: RootField,
        name: &RootFieldName,
    ) -> Option<Field> {
        let naming = self.customization(function.id.source())?.naming;
        let shown_function = shown(&function.name);
        let execute = match function.exposure {
            Exposure::Query => "execute function",
            Exposure::Mutation => "execute VOLATILE function",
        };
        let mut arguments: Vec<Input> = Vec::new();
        if !function.arguments.is_empty() {
            let optional = function.arguments.iter().all(|argument| argument.has_default);
            arguments.push(described(
                naming.word("args"),
                &format!("input parameters for function \"{shown_function}\""),
                named(TypeKey::FunctionArguments(function.id), optional),
                Meaning::Argument(ArgumentRole::Arguments),
            ));
        }
        let meaning = Meaning::Root(root);
        let (default, type_) = match &function.returns {
            Returns::Table(id) => {
                let target = shown(&self.model.table(*id)?.name);
                let aggregate = root.verb == RootVerb::SelectAggregate;
                if function.returns_set || aggregate {
                    arguments.extend(self.list_arguments(*id));
                }
                if aggregate {
                    let default = format!(
                        "execute function \"{shown_function}\" and query aggregates on result of table type \"{target}\""
                    );
                    let type_ = named(TypeKey::Aggregate(*id), false);
                    // The function's own comment describes the rows, not the aggregate.
                    let description = comment(name.comment.as_ref(), default);
                    return Some(Field {
                        arguments: sorted(arguments),
                        ..field(name.name.clone(), description, type_, true, meaning)
                    });
                }
                let default = format!("{execute} \"{shown_function}\" which returns \"{target}\"");
                let row = TypeKey::Table(*id);
                (
                    default,
                    if function.returns_set {
                        list(row, false)
                    } else {
                        named(row, true)
                    },
                )
            }
            Returns::Rows { .. } => {
                let row = TypeKey::FunctionRow(function.id);
                if function.returns_set {
                    arguments.extend(page_arguments(naming));
                }
                let type_ = if function.returns_set {
                    list(row, false)
                } else {
                    named(row, true)
                };
                (format!("{execute} \"{shown_function}\""), type_)
            }
            Returns::Scalar { .. } => return None,
        };
        let given = name.comment.as_ref().or(function.comment.as_ref());
        Some(Field {
            arguments: sorted(arguments),
            ..field(name.name.clone(), comment(given, default), type_, true, meaning)
        })
    }

    pub(super) fn function_arguments(&self, id: FunctionId) -> Vec<Input> {
        let function = self.model.function(id);
        function.map_or_else(Vec::new, |function| self.argument_inputs(&function.arguments))
    }

    pub(super) fn computed_arguments(&self, table: TableId, field: ComputedFieldId) -> Vec<Input> {
        let field = self
            .model
            .table(table)
            .and_then(|table| table.computed_field(field));
        field.map_or_else(Vec::new, |field| self.argument_inputs(&field.arguments))
    }

    /// Arguments are nullable even without a default: null is handed to the function.
    fn argument_inputs(&self, arguments: &[Argument]) -> Vec<Input> {
        (0u16..)
            .zip(arguments)
            .map(|(at, argument)| {
                let type_ = self.argument_type(argument);
                input(argument.field.clone(), type_, Meaning::FunctionArgument(at))
            })
            .collect()
    }

    pub(super) fn function_row_description(&self, id: FunctionId) -> Option<String> {
        let function = self.model.function(id)?;
        Some(format!("rows of function \"{}\"", shown(&function.name)))
    }

    pub(super) fn function_row_fields(&self, id: FunctionId) -> Vec<Field> {
        let returns = self.model.function(id).map(|function| &function.returns);
        self.row_fields(returns)
    }

    pub(super) fn computed_row_description(&self, table: TableId, field: ComputedFieldId) -> Option<String> {
        let field = self.model.table(table)?.computed_field(field)?;
        Some(format!("rows of function \"{}\"", shown(&field.function)))
    }

    pub(super) fn computed_row_fields(&self, table: TableId, field: ComputedFieldId) -> Vec<Field> {
        let field = self
            .model
            .table(table)
            .and_then(|table| table.computed_field(field));
        self.row_fields(field.map(|field| &field.returns))
    }

    fn row_fields(&self, returns: Option<&Returns>) -> Vec<Field> {
        let Some(Returns::Rows { columns, .. }) = returns else {
            return Vec::new();
        };
        let columns: &[Column] = columns;
        (0u16..)
            .zip(columns)
            .map(|(at, column)| self.column_field(ColumnId(at), column, column.nullable))
            .collect()
    }
}
