//! `Table`: a tracked table or view.

use crate::relationship::{ArrayRelationship, ObjectRelationship, RemoteRelationship};
use crate::shape::{choice, kind, part};
use crate::value::{GraphqlName, ObjectRef, OnInvalid, QualifiedName};

kind! {
    "Table", "tables", "rtbl",
    /// A tracked table or view, how it appears in the API, and its relationships.
    pub struct TableSpec {
        /// The source the table is in: its place below metadata key `sources[].tables`.
        pub source_ref: ObjectRef,
        /// Metadata key `sources[].tables[].table`.
        #[schemars(extend("x-kubernetes-validations" = [{
            "rule": "self == oldSelf",
            "message": "cannot be changed; delete the object and create another",
        }]))]
        pub table: QualifiedName,
        /// Metadata key `sources[].tables[].is_enum`.
        pub is_enum: Option<bool>,
        /// Metadata key `sources[].tables[].configuration.custom_name`.
        pub custom_name: Option<GraphqlName>,
        /// Metadata key `sources[].tables[].configuration.comment`: the description of the type.
        pub comment: Option<String>,
        /// Metadata key `sources[].tables[].configuration.column_config`.
        pub columns: Option<Vec<Column>>,
        /// Metadata key `sources[].tables[].configuration.custom_root_fields`.
        pub root_fields: Option<TableRootFields>,
        /// Metadata key `sources[].tables[].object_relationships`.
        #[schemars(length(max = 500))]
        pub object_relationships: Option<Vec<ObjectRelationship>>,
        /// Metadata key `sources[].tables[].array_relationships`.
        #[schemars(length(max = 500))]
        pub array_relationships: Option<Vec<ArrayRelationship>>,
        /// Metadata key `sources[].tables[].computed_fields`.
        pub computed_fields: Option<Vec<ComputedField>>,
        /// Metadata key `sources[].tables[].remote_relationships`.
        #[schemars(length(max = 500))]
        pub remote_relationships: Option<Vec<RemoteRelationship>>,
        /// Metadata key `sources[].tables[].apollo_federation_config.enable`.
        pub apollo_federation: Option<ApolloFederation>,
        /// Metadata key `sources[].tables[].logical_model`.
        pub logical_model: Option<String>,
        /// What is served while this object is not acceptable; absent means what the engine says.
        pub on_invalid: Option<OnInvalid>,
    }
}

part! {
    /// How a column appears in the API.
    pub struct Column {
        /// The column: the key in `column_config`.
        pub name: String,
        /// Metadata key `custom_name`.
        pub custom_name: Option<GraphqlName>,
        /// Metadata key `comment`.
        pub comment: Option<String>,
    }
}

part! {
    /// Names of the root fields of a table.
    pub struct TableRootFields {
        /// Metadata key `select`.
        pub select: Option<RootField>,
        /// Metadata key `select_by_pk`.
        pub select_by_pk: Option<RootField>,
        /// Metadata key `select_aggregate`.
        pub select_aggregate: Option<RootField>,
        /// Metadata key `select_stream`.
        pub select_stream: Option<RootField>,
        /// Metadata key `insert`.
        pub insert: Option<RootField>,
        /// Metadata key `insert_one`.
        pub insert_one: Option<RootField>,
        /// Metadata key `update`.
        pub update: Option<RootField>,
        /// Metadata key `update_by_pk`.
        pub update_by_pk: Option<RootField>,
        /// Metadata key `update_many`.
        pub update_many: Option<RootField>,
        /// Metadata key `delete`.
        pub delete: Option<RootField>,
        /// Metadata key `delete_by_pk`.
        pub delete_by_pk: Option<RootField>,
    }
}

part! {
    /// The name and the description of one root field.
    pub struct RootField {
        /// Metadata key `name`.
        pub name: Option<GraphqlName>,
        /// Metadata key `comment`.
        pub comment: Option<String>,
    }
}

part! {
    /// A field computed by a function of the database.
    pub struct ComputedField {
        /// Metadata key `name`.
        pub name: GraphqlName,
        /// Metadata key `definition.function`.
        pub function: QualifiedName,
        /// Metadata key `definition.table_argument`.
        pub table_argument: Option<String>,
        /// Metadata key `definition.session_argument`.
        pub session_argument: Option<String>,
        /// Metadata key `comment`.
        pub comment: Option<String>,
    }
}

choice! {
    /// Metadata key `enable`.
    pub enum ApolloFederation {
        /// `v1`
        V1,
    }
}
