//! `NativeQuery` and `LogicalModel`: SQL of the author's, and the shape of its rows.

use crate::permission::SelectPermission;
use crate::relationship::ManualRelationship;
use crate::shape::{kind, part};
use crate::value::{GraphqlIdentity, GraphqlName, ObjectRef, OnInvalid};

kind! {
    "NativeQuery", "nativequeries", "rnq",
    /// A root field answered by SQL of the author's.
    pub struct NativeQuerySpec {
        /// The source: its place below metadata key `sources[].native_queries`.
        pub source_ref: ObjectRef,
        /// Metadata key `sources[].native_queries[].root_field_name`.
        pub root_field_name: GraphqlIdentity,
        /// Metadata key `sources[].native_queries[].code`: SQL in which `{{name}}` stands for an argument.
        pub code: String,
        /// Metadata key `sources[].native_queries[].returns`.
        pub returns: Returns,
        /// Metadata key `sources[].native_queries[].arguments`.
        pub arguments: Option<Vec<NativeQueryArgument>>,
        /// Metadata key `sources[].native_queries[].object_relationships`.
        #[schemars(length(max = 500))]
        pub object_relationships: Option<Vec<NativeQueryRelationship>>,
        /// Metadata key `sources[].native_queries[].array_relationships`.
        #[schemars(length(max = 500))]
        pub array_relationships: Option<Vec<NativeQueryRelationship>>,
        /// Metadata key `sources[].native_queries[].description`.
        pub description: Option<String>,
        /// What is served while this object is not acceptable; absent means what the engine says.
        pub on_invalid: Option<OnInvalid>,
    }
}

part! {
    /// The shape of the rows. Exactly one of `logicalModel` and `inline`.
    #[schemars(extend("x-kubernetes-validations" = [{
        "rule": "has(self.logicalModel) != has(self.inline)",
        "message": "exactly one of logicalModel and inline",
    }]))]
    pub struct Returns {
        /// Metadata key `returns`: the name of a logical model of the source.
        pub logical_model: Option<String>,
        /// Metadata key `returns`: a logical model in place.
        pub inline: Option<InlineLogicalModel>,
    }
}

part! {
    /// A logical model in place.
    pub struct InlineLogicalModel {
        /// Metadata key `fields`.
        #[schemars(length(max = 1600))]
        pub fields: Vec<LogicalModelField>,
        /// Metadata key `select_permissions`.
        #[schemars(length(max = 250))]
        pub select_permissions: Option<Vec<LogicalModelPermission>>,
    }
}

part! {
    /// An argument of a native query.
    pub struct NativeQueryArgument {
        /// The argument: the key in `arguments`.
        pub name: GraphqlName,
        /// Metadata key `type`: a type of the database.
        #[serde(rename = "type")]
        #[schemars(rename = "type")]
        pub type_name: String,
        /// Metadata key `nullable`.
        pub nullable: Option<bool>,
        /// Metadata key `description`.
        pub description: Option<String>,
    }
}

part! {
    /// A relationship of a native query.
    pub struct NativeQueryRelationship {
        /// Metadata key `name`.
        pub name: GraphqlName,
        /// Metadata key `using`.
        pub manual: ManualRelationship,
        /// Metadata key `comment`.
        pub comment: Option<String>,
    }
}

kind! {
    "LogicalModel", "logicalmodels", "rlm",
    /// The shape of the rows of native queries, and who may read them.
    pub struct LogicalModelSpec {
        /// The source: its place below metadata key `sources[].logical_models`.
        pub source_ref: ObjectRef,
        /// Metadata key `sources[].logical_models[].name`.
        pub name: GraphqlIdentity,
        /// Metadata key `sources[].logical_models[].description`.
        pub description: Option<String>,
        /// Metadata key `sources[].logical_models[].fields`.
        #[schemars(length(max = 1600))]
        pub fields: Vec<LogicalModelField>,
        /// Metadata key `sources[].logical_models[].select_permissions`.
        #[schemars(length(max = 250))]
        pub select_permissions: Option<Vec<LogicalModelPermission>>,
        /// What is served while this object is not acceptable; absent means what the engine says.
        pub on_invalid: Option<OnInvalid>,
    }
}

part! {
    /// What a role may read of a logical model.
    pub struct LogicalModelPermission {
        /// Metadata key `role`.
        pub role: String,
        /// What it selects: metadata keys `permission` and `comment`.
        pub select: SelectPermission,
    }
}

part! {
    /// A field of a logical model.
    pub struct LogicalModelField {
        /// Metadata key `name`.
        pub name: String,
        /// Metadata key `type`.
        #[serde(rename = "type")]
        #[schemars(rename = "type")]
        pub field_type: LogicalModelType,
        /// Metadata key `description`.
        pub description: Option<String>,
    }
}

part! {
    /// The type of a field of a logical model. Exactly one of `scalar` and `logicalModel`.
    #[schemars(extend("x-kubernetes-validations" = [{
        "rule": "has(self.scalar) != has(self.logicalModel)",
        "message": "exactly one of scalar and logicalModel",
    }]))]
    pub struct LogicalModelType {
        /// Metadata key `scalar`: a type of the database.
        pub scalar: Option<String>,
        /// Metadata key `logical_model`: its name.
        pub logical_model: Option<String>,
        /// Metadata key `nullable`, of the scalar or the logical model.
        pub nullable: Option<bool>,
        /// Metadata key `array`: the lists around it, outermost first.
        #[schemars(length(max = 16))]
        pub arrays: Option<Vec<ArrayLevel>>,
    }
}

part! {
    /// One list around a type.
    pub struct ArrayLevel {
        /// Metadata key `nullable`, of the list.
        pub nullable: Option<bool>,
    }
}
