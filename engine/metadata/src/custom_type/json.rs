//! Custom types as JSON.

use super::{
    CustomTypes, EnumType, EnumValue, InputObjectField, InputObjectType, ObjectField, ObjectType,
    ObjectTypeRelationship, ScalarType,
};
use crate::json::json_object;

json_object! { CustomTypes, "CustomTypes" {
    ordered input_objects ("input objects");
    ordered objects ("objects");
    ordered scalars ("scalars");
    ordered enums ("enums");
} }

json_object! { entry InputObjectType as "name": String, "InputObjectTypeDefinition" {
    required_entries fields ("fields");
    optional description;
} }

json_object! { entry InputObjectField as "name": String, "InputObjectFieldDefinition" {
    required type_name: "type";
    optional description;
} }

json_object! { entry ObjectType as "name": String, "ObjectTypeDefinition" {
    required_entries fields ("fields");
    optional description;
    ordered relationships ("relationships");
} }

json_object! { entry ObjectField as "name": String, "ObjectFieldDefinition" {
    required type_name: "type";
    optional arguments;
    optional description;
} }

json_object! { entry ObjectTypeRelationship as "name": String, "TypeRelationshipDefinition" in alphabet {
    required field_mapping;
    required remote_table;
    shown source ("default".to_owned());
    required relationship_type: "type";
} }

json_object! { entry ScalarType as "name": String, "ScalarTypeDefinition" {
    optional description;
} }

json_object! { entry EnumType as "name": String, "EnumTypeDefinition" {
    required_entries values ("values");
    optional description;
} }

json_object! { entry EnumValue as "value": String, "EnumValueDefinition" in alphabet {
    optional description;
    optional is_deprecated;
} }
