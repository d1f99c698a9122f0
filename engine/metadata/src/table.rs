//! Tracked tables and their configuration.

mod json;

use indexmap::IndexMap;

use crate::Extra;
use crate::event_trigger::EventTrigger;
use crate::function::ComputedField;
use crate::permission::{DeletePermission, InsertPermission, Permission, SelectPermission, UpdatePermission};
use crate::relationship::{ArrayRelationship, ObjectRelationship};
use crate::remote_relationship::RemoteRelationship;

/// A tracked table or view. Unknown keys are refused, so there is no `extra`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    /// `is_enum`: the rows are the values of a GraphQL enum. Default false.
    pub is_enum: bool,
    /// `configuration`.
    pub configuration: TableConfiguration,
    /// `object_relationships`, by name.
    pub object_relationships: IndexMap<String, ObjectRelationship>,
    /// `array_relationships`, by name.
    pub array_relationships: IndexMap<String, ArrayRelationship>,
    /// `computed_fields`, by name.
    pub computed_fields: IndexMap<String, ComputedField>,
    /// `remote_relationships`, by name.
    pub remote_relationships: IndexMap<String, RemoteRelationship>,
    /// `insert_permissions`, by role.
    pub insert_permissions: IndexMap<String, Permission<InsertPermission>>,
    /// `select_permissions`, by role.
    pub select_permissions: IndexMap<String, Permission<SelectPermission>>,
    /// `update_permissions`, by role.
    pub update_permissions: IndexMap<String, Permission<UpdatePermission>>,
    /// `delete_permissions`, by role.
    pub delete_permissions: IndexMap<String, Permission<DeletePermission>>,
    /// `event_triggers`, by name.
    pub event_triggers: IndexMap<String, EventTrigger>,
    /// `apollo_federation_config`.
    pub apollo_federation_config: Option<ApolloFederationConfig>,
    /// `logical_model`: the logical model that describes the rows (not used by Postgres tables).
    pub logical_model: Option<String>,
}

/// `configuration` of a table: how it appears in the GraphQL schema.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TableConfiguration {
    /// `custom_name`: the name of the table in the schema.
    pub custom_name: Option<String>,
    /// `custom_root_fields`.
    pub custom_root_fields: TableRootFields,
    /// `column_config`, by column. Names given under the legacy key `custom_column_names` are merged into it,
    /// and printed again under both keys.
    pub column_config: IndexMap<String, ColumnConfig>,
    /// `comment`: the description of the type; absent means the comment in the database, `""` means none.
    pub comment: Option<String>,
    /// Unknown keys.
    pub extra: Extra,
}

/// `custom_root_fields` of a table.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TableRootFields {
    /// `select`
    pub select: CustomRootField,
    /// `select_by_pk`
    pub select_by_pk: CustomRootField,
    /// `select_aggregate`
    pub select_aggregate: CustomRootField,
    /// `select_stream`
    pub select_stream: CustomRootField,
    /// `insert`
    pub insert: CustomRootField,
    /// `insert_one`
    pub insert_one: CustomRootField,
    /// `update`
    pub update: CustomRootField,
    /// `update_by_pk`
    pub update_by_pk: CustomRootField,
    /// `update_many`
    pub update_many: CustomRootField,
    /// `delete`
    pub delete: CustomRootField,
    /// `delete_by_pk`
    pub delete_by_pk: CustomRootField,
    /// Unknown keys.
    pub extra: Extra,
}

/// The name and comment of one root field: absent, a bare name, or `{name?, comment?}`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CustomRootField {
    /// The name instead of the default one.
    pub name: Option<String>,
    /// The description; absent means the generated one, `""` means none.
    pub comment: Option<String>,
}

/// One column in `column_config`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ColumnConfig {
    /// `custom_name`: the field's name in the schema.
    pub custom_name: Option<String>,
    /// `comment`: the description; absent means the comment in the database, `""` means none.
    pub comment: Option<String>,
    /// Unknown keys.
    pub extra: Extra,
}

/// `apollo_federation_config`.
#[derive(Clone, Debug, PartialEq)]
pub struct ApolloFederationConfig {
    /// `enable`; the only value that exists is `v1`.
    pub enable: ApolloFederationVersion,
    /// Unknown keys.
    pub extra: Extra,
}

/// The version of Apollo Federation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ApolloFederationVersion {
    /// `v1`
    V1,
}
