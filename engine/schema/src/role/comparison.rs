//! Comparison inputs: `<scalar>_comparison_exp`, arrays and enum tables included.

use graphql::Name;
use graphql::type_system::{EnumValue, TypeReference};

use super::{Input, Reference, RoleView, TypeKey, input, list, named};
use crate::meaning::Meaning;
use crate::model::TableId;
use crate::naming::NamingConvention;
use crate::operator::{OperandKind, OperatorEntry, operators_of};
use crate::scalar::{ScalarClass, ScalarId};

fn description(name: &str) -> Option<String> {
    Some(format!(
        "Boolean expression to compare columns of type \"{name}\". All fields are combined with logical 'AND'."
    ))
}

impl RoleView {
    pub(super) fn comparison_description(&self, scalar: ScalarId) -> Option<String> {
        description(&self.scalar_name(scalar))
    }

    /// Operators on a scalar, or on an array of it.
    pub(super) fn comparison(&self, id: ScalarId, array: bool, naming: NamingConvention) -> Vec<Input> {
        let class = self
            .model
            .scalars
            .get(id)
            .map_or(ScalarClass::Other, |scalar| scalar.class);
        let own = |nullable| {
            if array && !self.arrays_are_scalars() {
                list(TypeKey::Scalar(id), nullable)
            } else {
                named(TypeKey::Scalar(id), nullable)
            }
        };
        let mut keys: Vec<Input> = operators_of(class, array)
            .map(|entry| operator(entry, naming, &own))
            .collect();
        if !array
            && matches!(
                class,
                ScalarClass::Jsonb | ScalarClass::Geometry | ScalarClass::Geography
            )
        {
            let type_ = named(TypeKey::Cast(id, naming), true);
            keys.push(input(Name::from("_cast"), type_, Meaning::Cast));
        }
        keys
    }

    pub(super) fn enum_comparison_description(&self, table: TableId) -> Option<String> {
        description(&self.name_of(TypeKey::EnumTable(table)))
    }

    /// Operators on a column that refers to an enum table.
    pub(super) fn enum_comparison(&self, table: TableId) -> Vec<Input> {
        let naming = self.naming(table);
        let own = |nullable| named(TypeKey::EnumTable(table), nullable);
        operators_of(ScalarClass::Other, false)
            .map(|entry| operator(entry, naming, &own))
            .collect()
    }

    /// Values of an enum table.
    pub(super) fn enum_values(&self, id: TableId) -> Vec<EnumValue<Meaning>> {
        let naming = self.naming(id);
        let values = self.model.table(id).and_then(|table| table.enum_values.as_ref());
        let values = values.into_iter().flatten();
        values
            .map(|(value, description)| EnumValue {
                name: naming.enum_value(value),
                description: description.clone(),
                meaning: Meaning::EnumTableValue(id),
            })
            .collect()
    }
}

fn operator(entry: &OperatorEntry, naming: NamingConvention, own: &dyn Fn(bool) -> Reference) -> Input {
    let list_of = |item: Reference| TypeReference::List {
        item: Box::new(item),
        nullable: true,
    };
    let scalar = |id: ScalarId, nullable| named(TypeKey::Scalar(id), nullable);
    let type_ = match entry.operand {
        OperandKind::Same => own(true),
        OperandKind::SameList => list_of(own(false)),
        OperandKind::Boolean => scalar(ScalarId::BOOLEAN, true),
        OperandKind::Text => scalar(ScalarId::STRING, true),
        OperandKind::TextList => list_of(scalar(ScalarId::STRING, false)),
        OperandKind::Lquery => scalar(ScalarId::LQUERY, true),
        OperandKind::Ltxtquery => scalar(ScalarId::LTXTQUERY, true),
        OperandKind::DWithinGeometry => named(TypeKey::DWithin { geography: false }, true),
        OperandKind::DWithinGeography => named(TypeKey::DWithin { geography: true }, true),
        OperandKind::NbandGeom => named(TypeKey::RasterIntersects { band_first: true }, true),
        OperandKind::GeomNband => named(TypeKey::RasterIntersects { band_first: false }, true),
    };
    Input {
        description: entry.description.map(str::to_owned),
        ..input(naming.word(entry.name), type_, Meaning::Operator(entry.operator))
    }
}
