//! Short ways to name an object of a source.

use metadata::QualifiedName;
use metadata::object_id::{MetadataObjectId, SourceObjectId, TableObjectId};
use metadata::permission::PermissionType;
use metadata::remote_relationship::RelationshipType;

pub(crate) fn table(source: &str, table: &QualifiedName) -> MetadataObjectId {
    MetadataObjectId::table(source, table.clone())
}

pub(crate) fn relationship(
    source: &str,
    table: &QualifiedName,
    name: &str,
    relationship_type: RelationshipType,
) -> MetadataObjectId {
    let name = name.to_owned();
    let object = TableObjectId::Relationship {
        name,
        relationship_type,
    };
    MetadataObjectId::of_table(source, table.clone(), object)
}

pub(crate) fn computed_field(source: &str, table: &QualifiedName, name: &str) -> MetadataObjectId {
    MetadataObjectId::of_table(
        source,
        table.clone(),
        TableObjectId::ComputedField(name.to_owned()),
    )
}

pub(crate) fn permission(
    source: &str,
    table: &QualifiedName,
    role: &str,
    permission_type: PermissionType,
) -> MetadataObjectId {
    let role = role.to_owned();
    let object = TableObjectId::Permission {
        role,
        permission_type,
    };
    MetadataObjectId::of_table(source, table.clone(), object)
}

pub(crate) fn function(source: &str, function: &QualifiedName) -> MetadataObjectId {
    MetadataObjectId::function(source, function.clone())
}

pub(crate) fn in_source(source: &str, object: SourceObjectId) -> MetadataObjectId {
    let source = source.to_owned();
    MetadataObjectId::InSource { source, object }
}
