//! Types that belong to no table: directions, casts, operand objects.

use graphql::Name;
use graphql::type_system::EnumValue;

use super::{Input, TypeKey, input, named};
use crate::meaning::{ArgumentRole, Meaning, OrderDirection};
use crate::naming::NamingConvention;
use crate::scalar::ScalarId;

/// Values of `order_by`.
pub(super) fn order_directions(naming: NamingConvention) -> Vec<EnumValue<Meaning>> {
    let value = |name: &str, descending: bool, nulls_first: bool| EnumValue {
        name: naming.enum_value(name),
        description: Some(format!(
            "in {} order, nulls {}",
            if descending { "descending" } else { "ascending" },
            if nulls_first { "first" } else { "last" }
        )),
        meaning: Meaning::Order(OrderDirection {
            descending,
            nulls_first,
        }),
    };
    vec![
        value("asc", false, false),
        value("asc_nulls_first", false, true),
        value("asc_nulls_last", false, false),
        value("desc", true, true),
        value("desc_nulls_first", true, true),
        value("desc_nulls_last", true, false),
    ]
}

/// Values of `cursor_ordering`.
pub(super) fn cursor_ordering() -> Vec<EnumValue<Meaning>> {
    [("ASC", true), ("DESC", false)]
        .into_iter()
        .map(|(name, ascending)| EnumValue {
            name: Name::from(name),
            description: Some(format!(
                "{} ordering of the cursor",
                if ascending { "ascending" } else { "descending" }
            )),
            meaning: Meaning::CursorOrder { ascending },
        })
        .collect()
}

/// The one target of a cast.
pub(super) fn cast(from: ScalarId, naming: NamingConvention) -> Vec<Input> {
    let (name, to) = match from {
        ScalarId::GEOMETRY => ("geography", ScalarId::GEOGRAPHY),
        ScalarId::GEOGRAPHY => ("geometry", ScalarId::GEOMETRY),
        _ => ("String", ScalarId::STRING),
    };
    let type_ = named(TypeKey::Comparison(to, false, naming), true);
    vec![input(Name::from(name), type_, Meaning::CastTo(name))]
}

fn part(name: &'static str, id: ScalarId, nullable: bool) -> Input {
    let meaning = Meaning::Argument(ArgumentRole::OperandPart(name));
    input(Name::from(name), named(TypeKey::Scalar(id), nullable), meaning)
}

/// `{distance, from}`, for geography with `use_spheroid`.
pub(super) fn d_within(geography: bool) -> Vec<Input> {
    let from = if geography {
        ScalarId::GEOGRAPHY
    } else {
        ScalarId::GEOMETRY
    };
    let mut keys = vec![
        part("distance", ScalarId::FLOAT, false),
        part("from", from, false),
    ];
    if geography {
        keys.push(Input {
            default: Some("true".to_owned()),
            ..part("use_spheroid", ScalarId::BOOLEAN, true)
        });
    }
    keys
}

/// `{nband!, geommin!}` or `{geommin!, nband}`
pub(super) fn raster_intersects(band_first: bool) -> Vec<Input> {
    vec![
        part("geommin", ScalarId::GEOMETRY, false),
        part("nband", ScalarId::INT, !band_first),
    ]
}
