//! Tracked functions, their arguments and who may call them.

use std::sync::Arc;

use graphql::Name;
use metadata::function::{FunctionExposure, FunctionResponse};
use rustc_hash::FxHashSet;

use crate::catalog::{self, TypeKind, Volatility};
use crate::model::{Argument, Column, Exposure, Function, FunctionId, Returns};
use crate::naming::is_graphql_name;
use crate::problem::{Problem, object};
use crate::resolve::conflict::Names;
use crate::resolve::permission::ADMIN;
use crate::resolve::{Resolver, SourceRole, reasons, root_field};

/// Why a function cannot be made.
enum Wrong {
    /// It is wrong in itself.
    Definition(String),
    /// Nothing is wrong with it, but such functions are not served yet.
    Unsupported(String),
    /// Something it depends on is missing; upstream reports that without context.
    Dependency(String),
}

impl From<String> for Wrong {
    fn from(message: String) -> Self {
        Self::Definition(message)
    }
}

/// Where the fields of a function stand.
pub(crate) fn exposure(function: &metadata::function::Function, volatility: Volatility) -> Exposure {
    match (function.configuration.exposed_as, volatility) {
        (Some(FunctionExposure::Query), _) | (None, Volatility::Immutable | Volatility::Stable) => {
            Exposure::Query
        }
        (Some(FunctionExposure::Mutation), _) | (None, Volatility::Volatile) => Exposure::Mutation,
    }
}

impl<'a> Resolver<'a> {
    /// Makes `functions`.
    pub(crate) fn resolve_functions(&mut self, names: &Names) {
        let metadata = self.metadata;
        for (name, function) in &metadata.functions {
            if names.lost_functions.contains(name) {
                continue;
            }
            match self.resolve_function(name, function) {
                Ok(resolved) => {
                    if let Some(functions) = Arc::get_mut(&mut self.functions) {
                        functions.push(resolved);
                    }
                }
                Err(Wrong::Definition(message)) => {
                    let message = format!("in function \"{name}\": {message}");
                    self.refuse(object::function(self.name, name), message);
                }
                Err(Wrong::Unsupported(message)) => {
                    let message = format!("in function \"{name}\": {message}");
                    self.pass_over(object::function(self.name, name), message);
                }
                Err(Wrong::Dependency(message)) => {
                    self.refuse(object::function(self.name, name), message);
                }
            }
        }
    }

    /// The only function of that name.
    pub(crate) fn only_function(
        &self,
        name: &metadata::QualifiedName,
    ) -> Result<&'a catalog::Function, String> {
        let found = self
            .function_names
            .get(&(name.schema.as_str(), name.name.as_str()));
        match found.map(Vec::as_slice) {
            None | Some([]) => Err(format!("no such function exists: \"{name}\"")),
            Some([one]) => Ok(one),
            Some(_) => Err(format!(
                "function \"{name}\" is overloaded. Overloaded functions are not supported"
            )),
        }
    }

    fn resolve_function(
        &mut self,
        name: &metadata::QualifiedName,
        function: &metadata::function::Function,
    ) -> Result<Function, Wrong> {
        let found = self.only_function(name)?;
        let mut wrong = Vec::new();
        let identifier = root_field::function_identifier(name, function);
        if identifier.is_none() {
            wrong.push("function name is not a legal GraphQL identifier".to_owned());
        }
        if !found.is_plain {
            wrong.push("aggregates, window functions and procedures are not supported".to_owned());
        }
        if found.variadic {
            wrong.push("function with \"VARIADIC\" parameters are not supported".to_owned());
        }
        let target = row_type(&found.returns);
        let rows = target.is_none() && !found.returns_table.is_empty();
        if target.is_none() && !rows {
            if !matches!(found.returns.kind, TypeKind::Composite { .. }) {
                wrong.push("the function does not return a \"COMPOSITE\" type".to_owned());
            }
            wrong.push("the function does not return a table".to_owned());
        }
        if found.volatility != Volatility::Volatile
            && function.configuration.exposed_as == Some(FunctionExposure::Mutation)
        {
            wrong.push(
                "the function was requested to be exposed as a mutation, but is not marked VOLATILE. Maybe the \
                 function was given the wrong volatility when it was defined?"
                    .to_owned(),
            );
        }
        let illegal: Vec<&str> = found
            .arguments
            .iter()
            .filter_map(|argument| argument.name.as_deref())
            .filter(|name| !is_graphql_name(name))
            .collect();
        if !illegal.is_empty() {
            wrong.push(format!(
                "the function arguments {} are not in compliance with GraphQL spec",
                illegal.join(",")
            ));
        }
        let mut session_argument = None;
        if let Some(session) = &function.configuration.session_argument {
            let at = found
                .arguments
                .iter()
                .position(|argument| argument.name.as_ref() == Some(session));
            match at.and_then(|at| Some((at, found.arguments.get(at)?))) {
                None => wrong.push(format!(
                    "given session argument \"{session}\" not the input argument of the function"
                )),
                Some((_, argument)) if argument.type_.name != "json" => {
                    wrong.push(format!(
                        "given session argument \"{session}\" is not of type json"
                    ));
                }
                Some((at, _)) => session_argument = Some((at, Some(session.clone()))),
            }
        }
        let faults = wrong.len();
        match (&function.configuration.response, &target) {
            (Some(FunctionResponse::LogicalModel(_)), _) => {
                wrong.push("responses of logical models are not supported yet".to_owned());
            }
            (Some(FunctionResponse::Table(Some(response))), Some(target))
                if (response.schema.as_str(), response.name.as_str())
                    != (target.schema.as_str(), target.name.as_str()) =>
            {
                wrong.push(format!(
                    "responses of another table (\"{response}\") than the function returns are not supported yet"
                ));
            }
            _ => {}
        }
        let Some(identifier) = identifier.filter(|_| wrong.is_empty()) else {
            let message = format!("the function \"{name}\" cannot be tracked {}", reasons(&wrong));
            // What is not served hides no fault.
            return Err(match (faults, wrong.is_empty()) {
                (0, false) => Wrong::Unsupported(message),
                _ => Wrong::Definition(message),
            });
        };
        let returns = match target {
            Some(target) => {
                let key = (target.schema.as_str(), target.name.as_str());
                let id = self.catalog_ids.get(&key).copied();
                let shown = metadata::QualifiedName::new(&target.schema, &target.name);
                Returns::Table(
                    id.ok_or_else(|| Wrong::Dependency(format!("table \"{shown}\" is not tracked")))?,
                )
            }
            None => Returns::Rows {
                identifier: Name::from(identifier.text.as_str()),
                columns: self.row_columns(&found.returns_table)?,
            },
        };
        let skip = session_argument.as_ref().map(|(at, _)| *at);
        let arguments = self.arguments(found, &skip.into_iter().collect::<Vec<_>>())?;
        let root_fields = root_field::of_function(&identifier, function, &self.customization);
        if let [(_, one), (_, other)] = root_fields.as_slice()
            && one.name == other.name
        {
            return Err(Wrong::Definition(format!(
                "the function \"{name}\" cannot be tracked because its root fields have the same name \"{}\"",
                one.name
            )));
        }
        let index = u32::try_from(self.functions.len()).unwrap_or(u32::MAX);
        Ok(Function {
            id: FunctionId::new(self.id.0, index),
            name: found.name.clone(),
            identifier: Name::from(identifier.text.as_str()),
            identifier_is_custom: identifier.is_custom,
            arguments,
            session_argument,
            returns,
            returns_set: found.returns_set,
            exposure: exposure(function, found.volatility),
            volatility: found.volatility,
            root_fields: root_fields.into_iter().collect(),
            permitted_roles: function
                .permissions
                .keys()
                .map(|role| Name::from(role.as_str()))
                .collect(),
            comment: function.comment.clone().or_else(|| found.comment.clone()),
        })
    }

    /// Arguments that a client can give: all but the ones at `skip`.
    pub(crate) fn arguments(
        &mut self,
        function: &catalog::Function,
        skip: &[usize],
    ) -> Result<Vec<Argument>, String> {
        let mut arguments = Vec::new();
        let mut unnamed = 1;
        let total = function.arguments.len();
        for (position, argument) in function.arguments.iter().enumerate() {
            if skip.contains(&position) {
                continue;
            }
            let field = match &argument.name {
                Some(name) => self.customization.naming.column(name),
                None => {
                    unnamed += 1;
                    format!("arg_{}", unnamed - 1)
                }
            };
            let scalar = self.scalar(&argument.type_).ok_or_else(|| {
                format!(
                    "cannot use SQL type \"{}\" in the GraphQL schema because its name is not a valid GraphQL \
                     identifier",
                    argument.type_.name
                )
            })?;
            arguments.push(Argument {
                name: argument.name.clone(),
                field: Name::from(field),
                position,
                type_: argument.type_.clone(),
                scalar,
                has_default: position + function.default_arguments >= total,
            });
        }
        Ok(arguments)
    }

    /// Columns of `RETURNS TABLE (…)`. All may be null: Postgres promises nothing about them.
    pub(crate) fn row_columns(&mut self, columns: &[(String, catalog::Type)]) -> Result<Vec<Column>, String> {
        let mut resolved = Vec::with_capacity(columns.len());
        for (name, type_) in columns {
            let field = self.customization.naming.column(name);
            if !is_graphql_name(&field) {
                return Err(crate::resolve::table::not_a_name(&field));
            }
            let scalar = self
                .scalar(type_)
                .ok_or_else(|| crate::resolve::table::not_a_name(&type_.name))?;
            resolved.push(Column {
                name: name.clone(),
                field: Name::from(field),
                type_: type_.clone(),
                scalar,
                nullable: true,
                insertable: false,
                updatable: false,
                has_default: false,
                enum_table: None,
                description: None,
            });
        }
        Ok(resolved)
    }

    /// Who may call which function, but for inherited roles.
    pub(crate) fn resolve_function_permissions(&mut self) {
        let permitted: FxHashSet<Name> = self
            .functions
            .iter()
            .flat_map(|function| function.permitted_roles.iter().cloned())
            .collect();
        for role in &permitted {
            self.role(role);
        }
        let callable: Vec<(Name, Vec<FunctionId>)> = self
            .roles
            .iter()
            .map(|(name, role)| (name.clone(), self.callable(name, role)))
            .collect();
        for (name, functions) in callable {
            self.role(&name).functions.extend(functions);
        }
        for (name, function) in &self.metadata.functions {
            if function.permissions.contains_key(ADMIN) {
                let role = ADMIN.to_owned();
                let function = name.clone();
                let id = metadata::object_id::SourceObjectId::FunctionPermission { function, role };
                self.problems.push(Problem::inconsistent(
                    object::in_source(self.name, id),
                    format!("in function \"{name}\": cannot define permission for admin role"),
                ));
            }
        }
    }
}

impl Resolver<'_> {
    /// Functions that a role with that overlay may call by permissions of its own.
    pub(crate) fn callable(&self, name: &str, role: &SourceRole) -> Vec<FunctionId> {
        let infer = self.surroundings.options.infer_function_permissions;
        let functions = self.functions.iter().filter(|function| {
            let permitted = function.permitted_roles.iter().any(|role| **role == *name);
            match function.returns {
                Returns::Table(table) => {
                    let inferred = infer && function.exposure == Exposure::Query;
                    let readable = role
                        .tables
                        .get(&table)
                        .is_some_and(|access| access.select.is_some());
                    readable && (inferred || permitted)
                }
                // No permission of a table says what is in these rows, so a role must be named.
                _ => permitted,
            }
        });
        functions.map(|function| function.id).collect()
    }
}

/// The table whose row type a type is.
pub(crate) fn row_type(type_: &catalog::Type) -> Option<&catalog::QualifiedName> {
    match &type_.kind {
        TypeKind::Composite { table } => table.as_ref(),
        _ => None,
    }
}
