//! Commands about tracked functions and computed fields.

use metadata::function::{ComputedField, Function, FunctionConfiguration, FunctionPermission};
use metadata::object_id::MetadataObjectId;
use metadata::{Document, QualifiedName};
use serde_json::Value;

use super::arguments::{Arguments, read_value};
use super::dependency;
use super::error::ApiError;
use super::lookup;
use super::success;
use super::workspace::Workspace;

/// `track_function`: version 1 of the old API takes the function itself as its argument.
pub(crate) fn track(workspace: &mut Workspace<'_>, value: &Value) -> Result<Value, ApiError> {
    let bare = match value {
        Value::String(_) => true,
        Value::Object(object) => !object.contains_key("function"),
        _ => false,
    };
    let (source, name, function) = if bare {
        (
            "default".to_owned(),
            read_value::<QualifiedName>(value)?,
            Function::default(),
        )
    } else {
        let arguments = Arguments::new(value)?;
        let (name, function) = arguments.entry::<Function>()?;
        (arguments.source()?, name, function)
    };
    let tracked = lookup::source(workspace.document(), &source)?;
    if tracked.functions.contains_key(&name) {
        return Err(ApiError::new(
            "already-tracked",
            format!("function already tracked: \"{name}\""),
        ));
    }
    if tracked.tables.contains_key(&name) {
        return Err(ApiError::new(
            "not-supported",
            format!("table with name \"{name}\" already exists"),
        ));
    }
    if let Some(catalog) = workspace.catalog(&source)
        && catalog.functions_named(&name.schema, &name.name).next().is_none()
    {
        return Err(ApiError::new(
            "not-exists",
            format!("no such function exists in postgres source \"{source}\": \"{name}\""),
        ));
    }
    let object = MetadataObjectId::function(&source, name.clone());
    workspace.change(Some(&object), |document| {
        lookup::source_mut(document, &source)?
            .functions
            .insert(name.clone(), function);
        Ok(())
    })?;
    Ok(success())
}

/// `untrack_function`
pub(crate) fn untrack(workspace: &mut Workspace<'_>, value: &Value) -> Result<Value, ApiError> {
    let place = Place::read(value)?;
    place.check(workspace.document())?;
    workspace.remove(false, |document| {
        lookup::source_mut(document, &place.source)?
            .functions
            .shift_remove(&place.function);
        Ok(())
    })?;
    Ok(success())
}

/// `set_function_customization`
pub(crate) fn set_customization(
    workspace: &mut Workspace<'_>,
    arguments: Arguments<'_>,
) -> Result<Value, ApiError> {
    let place = Place::read(arguments.value())?;
    let configuration: FunctionConfiguration = arguments.required("configuration")?;
    place.check(workspace.document())?;
    let object = MetadataObjectId::function(&place.source, place.function.clone());
    workspace.change(Some(&object), |document| {
        place.function_mut(document)?.configuration = configuration;
        Ok(())
    })?;
    Ok(success())
}

/// `create_function_permission`
pub(crate) fn create_permission(
    workspace: &mut Workspace<'_>,
    arguments: Arguments<'_>,
) -> Result<Value, ApiError> {
    let place = Place::read(arguments.value())?;
    let role = arguments.name("role")?;
    let function = place.check(workspace.document())?;
    if function.permissions.contains_key(&role) {
        return Err(ApiError::new(
            "already-exists",
            format!(
                "permission of role \"{role}\" already exists for function \"{}\" in source: \"{}\"",
                place.function, place.source
            ),
        ));
    }
    if let Some(table) = workspace.function_table(&place.source, &place.function)
        && role != "admin"
        && !workspace.can_select(&place.source, &table, &role)
    {
        return Err(ApiError::new(
            "not-exists",
            format!(
                "function permission cannot be added as the function \"{}\" returns \"{table}\" and the role \
                 \"{role}\" does not have select permission on \"{table}\"",
                place.function
            ),
        ));
    }
    let object = dependency::function_permission(&place.source, &place.function, &role);
    workspace.change(Some(&object), |document| {
        place
            .function_mut(document)?
            .permissions
            .insert(role, FunctionPermission::default());
        Ok(())
    })?;
    Ok(success())
}

/// `drop_function_permission`
pub(crate) fn drop_permission(
    workspace: &mut Workspace<'_>,
    arguments: Arguments<'_>,
) -> Result<Value, ApiError> {
    let place = Place::read(arguments.value())?;
    let role = arguments.name("role")?;
    if !place.check(workspace.document())?.permissions.contains_key(&role) {
        return Err(ApiError::new(
            "not-exists",
            format!(
                "permission of role \"{role}\" does not exist for function \"{}\" in source: \"{}\"",
                place.function, place.source
            ),
        ));
    }
    workspace.change(None, |document| {
        place.function_mut(document)?.permissions.shift_remove(&role);
        Ok(())
    })?;
    Ok(success())
}

/// `add_computed_field`
pub(crate) fn add_computed_field(
    workspace: &mut Workspace<'_>,
    arguments: Arguments<'_>,
) -> Result<Value, ApiError> {
    let (name, field) = arguments.entry::<ComputedField>()?;
    let source = arguments.source()?;
    let table_name: QualifiedName = arguments.required("table")?;
    let table =
        lookup::table(workspace.document(), &source, &table_name).map_err(|e| e.at("$.args.table"))?;
    let taken = table.computed_fields.contains_key(&name)
        || table.object_relationships.contains_key(&name)
        || table.array_relationships.contains_key(&name)
        || table.remote_relationships.contains_key(&name);
    if taken {
        return Err(ApiError::new(
            "already-exists",
            format!("field with name \"{name}\" already exists in table \"{table_name}\""),
        ));
    }
    let object = dependency::computed_field(&source, &table_name, &name);
    workspace.change(Some(&object), |document| {
        lookup::table_mut(document, &source, &table_name)?
            .computed_fields
            .insert(name.clone(), field);
        Ok(())
    })?;
    Ok(success())
}

/// `drop_computed_field`
pub(crate) fn drop_computed_field(
    workspace: &mut Workspace<'_>,
    arguments: Arguments<'_>,
) -> Result<Value, ApiError> {
    let source = arguments.source()?;
    let table_name: QualifiedName = arguments.required("table")?;
    let name = arguments.name("name")?;
    let cascade = arguments.flag("cascade")?;
    let table =
        lookup::table(workspace.document(), &source, &table_name).map_err(|e| e.at("$.args.table"))?;
    if !table.computed_fields.contains_key(&name) {
        return Err(
            ApiError::new("not-exists", format!("computed field \"{name}\" does not exist"))
                .at("$.args.name"),
        );
    }
    workspace.remove(cascade, |document| {
        lookup::table_mut(document, &source, &table_name)?
            .computed_fields
            .shift_remove(&name);
        Ok(())
    })?;
    Ok(success())
}

struct Place {
    source: String,
    function: QualifiedName,
}

impl Place {
    fn read(value: &Value) -> Result<Self, ApiError> {
        let bare = match value {
            Value::String(_) => true,
            Value::Object(object) => !object.contains_key("function"),
            _ => false,
        };
        if bare {
            return Ok(Self {
                source: "default".to_owned(),
                function: read_value(value)?,
            });
        }
        let arguments = Arguments::new(value)?;
        Ok(Self {
            source: arguments.source()?,
            function: arguments.required("function")?,
        })
    }

    fn check<'a>(&self, document: &'a Document) -> Result<&'a Function, ApiError> {
        lookup::source(document, &self.source)?
            .functions
            .get(&self.function)
            .ok_or_else(|| {
                ApiError::new(
                    "not-exists",
                    format!(
                        "function \"{}\" not found in source: \"{}\"",
                        self.function, self.source
                    ),
                )
            })
    }

    fn function_mut<'a>(&self, document: &'a mut Document) -> Result<&'a mut Function, ApiError> {
        self.check(document)?;
        lookup::source_mut(document, &self.source)?
            .functions
            .get_mut(&self.function)
            .ok_or_else(|| ApiError::unexpected("the function vanished"))
    }
}
