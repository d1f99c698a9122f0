//! Relationships of tables: by foreign keys, by columns, and out of the source.

use std::collections::BTreeMap;

use crate::shape::{choice, part};
use crate::value::{GraphqlName, JsonObject, QualifiedName};

part! {
    /// A relationship to one row. Exactly one of `foreignKey`, `remoteForeignKey` and `manual`.
    #[schemars(extend("x-kubernetes-validations" = [{
        "rule": "[has(self.foreignKey), has(self.remoteForeignKey), has(self.manual)].filter(x, x).size() == 1",
        "message": "exactly one of foreignKey, remoteForeignKey and manual",
    }]))]
    pub struct ObjectRelationship {
        /// Metadata key `name`.
        pub name: GraphqlName,
        /// Metadata key `using.foreign_key_constraint_on`: columns of this table.
        pub foreign_key: Option<ForeignKey>,
        /// Metadata key `using.foreign_key_constraint_on`: columns of another table.
        pub remote_foreign_key: Option<RemoteForeignKey>,
        /// Metadata key `using.manual_configuration`.
        pub manual: Option<ManualRelationship>,
        /// Metadata key `comment`.
        pub comment: Option<String>,
    }
}

part! {
    /// A relationship to many rows. Exactly one of `remoteForeignKey` and `manual`.
    #[schemars(extend("x-kubernetes-validations" = [{
        "rule": "has(self.remoteForeignKey) != has(self.manual)",
        "message": "exactly one of remoteForeignKey and manual",
    }]))]
    pub struct ArrayRelationship {
        /// Metadata key `name`.
        pub name: GraphqlName,
        /// Metadata key `using.foreign_key_constraint_on`: columns of another table.
        pub remote_foreign_key: Option<RemoteForeignKey>,
        /// Metadata key `using.manual_configuration`.
        pub manual: Option<ManualRelationship>,
        /// Metadata key `comment`.
        pub comment: Option<String>,
    }
}

part! {
    /// A foreign key of this table.
    pub struct ForeignKey {
        /// Its columns: metadata key `foreign_key_constraint_on`.
        #[schemars(length(min = 1, max = 32))]
        pub columns: Vec<String>,
    }
}

part! {
    /// A foreign key of another table that refers to this one.
    pub struct RemoteForeignKey {
        /// Metadata key `table`.
        pub table: QualifiedName,
        /// Metadata keys `column` (one) and `columns` (several).
        #[schemars(length(min = 1, max = 32))]
        pub columns: Vec<String>,
    }
}

part! {
    /// A relationship without a foreign key. Exactly one of `table` and `nativeQuery`.
    #[schemars(extend("x-kubernetes-validations" = [{
        "rule": "has(self.table) != has(self.nativeQuery)",
        "message": "exactly one of table and nativeQuery",
    }]))]
    pub struct ManualRelationship {
        /// Metadata key `remote_table`.
        pub table: Option<QualifiedName>,
        /// Metadata key `remote_native_query` (older: `native_query`): its root field.
        pub native_query: Option<String>,
        /// Metadata key `column_mapping`: column there, by column here.
        pub column_mapping: BTreeMap<String, String>,
        /// Metadata key `insertion_order`.
        pub insertion_order: Option<InsertionOrder>,
    }
}

choice! {
    /// Metadata key `insertion_order`.
    pub enum InsertionOrder {
        /// `before_parent`
        BeforeParent,
        /// `after_parent`
        AfterParent,
    }
}

part! {
    /// A relationship that leaves the source. Exactly one of `toSource`, `toRemoteSchema` and
    /// `legacyToRemoteSchema`.
    #[schemars(extend("x-kubernetes-validations" = [{
        "rule": "[has(self.toSource), has(self.toRemoteSchema), has(self.legacyToRemoteSchema)].filter(x, x).size() == 1",
        "message": "exactly one of toSource, toRemoteSchema and legacyToRemoteSchema",
    }]))]
    pub struct RemoteRelationship {
        /// Metadata key `name`.
        pub name: GraphqlName,
        /// Metadata key `definition.to_source`.
        pub to_source: Option<ToSource>,
        /// Metadata key `definition.to_remote_schema`.
        pub to_remote_schema: Option<ToRemoteSchema>,
        /// Metadata keys `definition.remote_schema`, `definition.hasura_fields` and `definition.remote_field`: the
        /// older form of `toRemoteSchema`, with the same meaning.
        pub legacy_to_remote_schema: Option<ToRemoteSchema>,
    }
}

part! {
    /// A relationship to a table of another source.
    pub struct ToSource {
        /// Metadata key `source`: its name in the document. A source of another namespace needs a `ReferenceGrant`.
        pub source: String,
        /// Metadata key `table`.
        pub table: QualifiedName,
        /// Metadata key `relationship_type`.
        pub relationship_type: RelationshipType,
        /// Metadata key `field_mapping`: column there, by field here.
        pub field_mapping: BTreeMap<String, String>,
    }
}

choice! {
    /// Metadata key `relationship_type`, or `type`.
    pub enum RelationshipType {
        /// `object`: one row.
        Object,
        /// `array`: many rows.
        Array,
    }
}

part! {
    /// A relationship to fields of a remote schema.
    pub struct ToRemoteSchema {
        /// Metadata key `remote_schema`: its name in the document. A remote schema of another namespace needs a
        /// `ReferenceGrant`.
        pub remote_schema: String,
        /// Metadata key `lhs_fields` (older: `hasura_fields`).
        pub lhs_fields: Vec<String>,
        /// Metadata key `remote_field`: the calls, outermost first.
        #[schemars(length(min = 1, max = 32))]
        pub remote_field: Vec<RemoteFieldCall>,
    }
}

part! {
    /// One level of `remote_field`.
    pub struct RemoteFieldCall {
        /// The field: the key in `remote_field`.
        pub field: GraphqlName,
        /// Metadata key `arguments`; a text `$name` refers to a field here.
        pub arguments: Option<JsonObject>,
    }
}
