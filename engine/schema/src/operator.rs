//! Comparison operators, shared by client filters and permission predicates.

use crate::scalar::ScalarClass;

use OperandKind as K;
use Operator as O;

/// An operator of Appendix B; how it is written depends on naming convention, what it means does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operator {
    /// `_eq`
    Equal,
    /// `_neq`
    NotEqual,
    /// `_in`
    In,
    /// `_nin`
    NotIn,
    /// `_gt`
    Greater,
    /// `_lt`
    Less,
    /// `_gte`
    GreaterOrEqual,
    /// `_lte`
    LessOrEqual,
    /// `_is_null`
    IsNull,
    /// `_like`
    Like,
    /// `_nlike`
    NotLike,
    /// `_ilike`
    ILike,
    /// `_nilike`
    NotILike,
    /// `_similar`
    Similar,
    /// `_nsimilar`
    NotSimilar,
    /// `_regex`
    Regex,
    /// `_iregex`
    IRegex,
    /// `_nregex`
    NotRegex,
    /// `_niregex`
    NotIRegex,
    /// `_contains` (jsonb, arrays)
    Contains,
    /// `_contained_in` (jsonb, arrays)
    ContainedIn,
    /// `_has_key`
    HasKey,
    /// `_has_keys_any`
    HasKeysAny,
    /// `_has_keys_all`
    HasKeysAll,
    /// `_st_contains`
    StContains,
    /// `_st_crosses`
    StCrosses,
    /// `_st_equals`
    StEquals,
    /// `_st_overlaps`
    StOverlaps,
    /// `_st_touches`
    StTouches,
    /// `_st_within`
    StWithin,
    /// `_st_intersects`
    StIntersects,
    /// `_st_3d_intersects`
    St3dIntersects,
    /// `_st_d_within`
    StDWithin,
    /// `_st_3d_d_within`
    St3dDWithin,
    /// `_st_intersects_rast`
    StIntersectsRast,
    /// `_st_intersects_nband_geom`
    StIntersectsNbandGeom,
    /// `_st_intersects_geom_nband`
    StIntersectsGeomNband,
    /// `_ancestor`
    Ancestor,
    /// `_ancestor_any`
    AncestorAny,
    /// `_descendant`
    Descendant,
    /// `_descendant_any`
    DescendantAny,
    /// `_matches`
    Matches,
    /// `_matches_any`
    MatchesAny,
    /// `_matches_fulltext`
    MatchesFulltext,
    /// `_ceq`
    ColumnEqual,
    /// `_cneq`
    ColumnNotEqual,
    /// `_cgt`
    ColumnGreater,
    /// `_clt`
    ColumnLess,
    /// `_cgte`
    ColumnGreaterOrEqual,
    /// `_clte`
    ColumnLessOrEqual,
}

/// What an operator wants on its right-hand side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OperandKind {
    /// A value of the left-hand side's own type.
    Same,
    /// A list of such values.
    SameList,
    /// `true` or `false`.
    Boolean,
    /// A text.
    Text,
    /// A list of texts.
    TextList,
    /// An lquery.
    Lquery,
    /// An ltxtquery.
    Ltxtquery,
    /// `{distance, from}`.
    DWithinGeometry,
    /// `{distance, from, use_spheroid}`.
    DWithinGeography,
    /// `{nband, geommin}`, the number first.
    NbandGeom,
    /// `{geommin, nband}`, the number optional.
    GeomNband,
}

/// An operator as a client finds it in a comparison input.
#[derive(Debug, Clone, Copy)]
pub struct OperatorEntry {
    /// What it means.
    pub operator: Operator,
    /// Its name in `hasura-default`.
    pub name: &'static str,
    /// Its description.
    pub description: Option<&'static str>,
    /// Its right-hand side.
    pub operand: OperandKind,
}

const fn entry(
    operator: Operator,
    name: &'static str,
    description: &'static str,
    operand: OperandKind,
) -> OperatorEntry {
    OperatorEntry {
        operator,
        name,
        description: Some(description),
        operand,
    }
}

const fn plain(operator: Operator, name: &'static str, operand: OperandKind) -> OperatorEntry {
    OperatorEntry {
        operator,
        name,
        description: None,
        operand,
    }
}

const EQUALITY: &[OperatorEntry] = &[
    plain(O::Equal, "_eq", K::Same),
    plain(O::NotEqual, "_neq", K::Same),
    plain(O::In, "_in", K::SameList),
    plain(O::NotIn, "_nin", K::SameList),
    plain(O::IsNull, "_is_null", K::Boolean),
];

const ORDERING: &[OperatorEntry] = &[
    plain(O::Greater, "_gt", K::Same),
    plain(O::Less, "_lt", K::Same),
    plain(O::GreaterOrEqual, "_gte", K::Same),
    plain(O::LessOrEqual, "_lte", K::Same),
];

const TEXT: &[OperatorEntry] = &[
    entry(
        O::Like,
        "_like",
        "does the column match the given pattern",
        K::Same,
    ),
    entry(
        O::NotLike,
        "_nlike",
        "does the column NOT match the given pattern",
        K::Same,
    ),
    entry(
        O::ILike,
        "_ilike",
        "does the column match the given case-insensitive pattern",
        K::Same,
    ),
    entry(
        O::NotILike,
        "_nilike",
        "does the column NOT match the given case-insensitive pattern",
        K::Same,
    ),
    entry(
        O::Similar,
        "_similar",
        "does the column match the given SQL regular expression",
        K::Same,
    ),
    entry(
        O::NotSimilar,
        "_nsimilar",
        "does the column NOT match the given SQL regular expression",
        K::Same,
    ),
    entry(
        O::Regex,
        "_regex",
        "does the column match the given POSIX regular expression, case sensitive",
        K::Same,
    ),
    entry(
        O::IRegex,
        "_iregex",
        "does the column match the given POSIX regular expression, case insensitive",
        K::Same,
    ),
    entry(
        O::NotRegex,
        "_nregex",
        "does the column NOT match the given POSIX regular expression, case sensitive",
        K::Same,
    ),
    entry(
        O::NotIRegex,
        "_niregex",
        "does the column NOT match the given POSIX regular expression, case insensitive",
        K::Same,
    ),
];

const ARRAY: &[OperatorEntry] = &[
    entry(
        O::Contains,
        "_contains",
        "does the array contain the given value",
        K::Same,
    ),
    entry(
        O::ContainedIn,
        "_contained_in",
        "is the array contained in the given array value",
        K::Same,
    ),
];

const JSONB: &[OperatorEntry] = &[
    entry(
        O::Contains,
        "_contains",
        "does the column contain the given json value at the top level",
        K::Same,
    ),
    entry(
        O::ContainedIn,
        "_contained_in",
        "is the column contained in the given json value",
        K::Same,
    ),
    entry(
        O::HasKey,
        "_has_key",
        "does the string exist as a top-level key in the column",
        K::Text,
    ),
    entry(
        O::HasKeysAny,
        "_has_keys_any",
        "do any of these strings exist as top-level keys in the column",
        K::TextList,
    ),
    entry(
        O::HasKeysAll,
        "_has_keys_all",
        "do all of these strings exist as top-level keys in the column",
        K::TextList,
    ),
];

const GEOGRAPHY: &[OperatorEntry] = &[
    entry(
        O::StIntersects,
        "_st_intersects",
        "does the column spatially intersect the given geography value",
        K::Same,
    ),
    entry(
        O::StDWithin,
        "_st_d_within",
        "is the column within a given distance from the given geography value",
        K::DWithinGeography,
    ),
];

const GEOMETRY: &[OperatorEntry] = &[
    entry(
        O::StContains,
        "_st_contains",
        "does the column contain the given geometry value",
        K::Same,
    ),
    entry(
        O::StCrosses,
        "_st_crosses",
        "does the column cross the given geometry value",
        K::Same,
    ),
    entry(
        O::StEquals,
        "_st_equals",
        "is the column equal to given geometry value (directionality is ignored)",
        K::Same,
    ),
    entry(
        O::StOverlaps,
        "_st_overlaps",
        "does the column 'spatially overlap' (intersect but not completely contain) the given geometry value",
        K::Same,
    ),
    entry(
        O::StTouches,
        "_st_touches",
        "does the column have atleast one point in common with the given geometry value",
        K::Same,
    ),
    entry(
        O::StWithin,
        "_st_within",
        "is the column contained in the given geometry value",
        K::Same,
    ),
    entry(
        O::StIntersects,
        "_st_intersects",
        "does the column spatially intersect the given geometry value",
        K::Same,
    ),
    entry(
        O::St3dIntersects,
        "_st_3d_intersects",
        "does the column spatially intersect the given geometry value in 3D",
        K::Same,
    ),
    entry(
        O::StDWithin,
        "_st_d_within",
        "is the column within a given distance from the given geometry value",
        K::DWithinGeometry,
    ),
    entry(
        O::St3dDWithin,
        "_st_3d_d_within",
        "is the column within a given 3D distance from the given geometry value",
        K::DWithinGeometry,
    ),
];

const RASTER: &[OperatorEntry] = &[
    plain(O::StIntersectsRast, "_st_intersects_rast", K::Same),
    plain(
        O::StIntersectsNbandGeom,
        "_st_intersects_nband_geom",
        K::NbandGeom,
    ),
    plain(
        O::StIntersectsGeomNband,
        "_st_intersects_geom_nband",
        K::GeomNband,
    ),
];

const LTREE: &[OperatorEntry] = &[
    entry(
        O::Ancestor,
        "_ancestor",
        "is the left argument an ancestor of right (or equal)?",
        K::Same,
    ),
    entry(
        O::AncestorAny,
        "_ancestor_any",
        "does array contain an ancestor of `ltree`?",
        K::SameList,
    ),
    entry(
        O::Descendant,
        "_descendant",
        "is the left argument a descendant of right (or equal)?",
        K::Same,
    ),
    entry(
        O::DescendantAny,
        "_descendant_any",
        "does array contain a descendant of `ltree`?",
        K::SameList,
    ),
    entry(O::Matches, "_matches", "does `ltree` match `lquery`?", K::Lquery),
    entry(
        O::MatchesAny,
        "_matches_any",
        "does `ltree` match any `lquery` in array?",
        K::TextList,
    ),
    entry(
        O::MatchesFulltext,
        "_matches_fulltext",
        "does `ltree` match `ltxtquery`?",
        K::Ltxtquery,
    ),
];

/// Operators of the comparison input of a type (Appendix B). `array` wins over the element's class.
pub fn operators_of(class: ScalarClass, array: bool) -> impl Iterator<Item = &'static OperatorEntry> {
    let ordering: &[OperatorEntry] = if class == ScalarClass::Raster && !array {
        &[]
    } else {
        ORDERING
    };
    let special: &[OperatorEntry] = match class {
        _ if array => ARRAY,
        ScalarClass::Text => TEXT,
        ScalarClass::Jsonb => JSONB,
        ScalarClass::Geometry => GEOMETRY,
        ScalarClass::Geography => GEOGRAPHY,
        ScalarClass::Raster => RASTER,
        ScalarClass::Ltree => LTREE,
        _ => &[],
    };
    EQUALITY.iter().chain(ordering).chain(special)
}

impl Operator {
    /// The operator that a permission expression names, with `_` or `$` in front.
    pub fn of_metadata_key(key: &str) -> Option<Self> {
        let word = key.strip_prefix(['_', '$'])?;
        Some(match word {
            "ne" => Self::NotEqual,
            "ceq" => Self::ColumnEqual,
            "cne" | "cneq" => Self::ColumnNotEqual,
            "cgt" => Self::ColumnGreater,
            "clt" => Self::ColumnLess,
            "cgte" => Self::ColumnGreaterOrEqual,
            "clte" => Self::ColumnLessOrEqual,
            _ => {
                let all = [EQUALITY, ORDERING, TEXT, JSONB, GEOMETRY, LTREE];
                return all
                    .into_iter()
                    .flatten()
                    .find(|entry| &entry.name[1..] == word)
                    .map(|entry| entry.operator);
            }
        })
    }

    /// It compares two columns.
    pub fn compares_columns(self) -> bool {
        matches!(
            self,
            Self::ColumnEqual
                | Self::ColumnNotEqual
                | Self::ColumnGreater
                | Self::ColumnLess
                | Self::ColumnGreaterOrEqual
                | Self::ColumnLessOrEqual
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_keys() {
        for (key, operator) in [
            ("_eq", O::Equal),
            ("$eq", O::Equal),
            ("_ne", O::NotEqual),
            ("$nin", O::NotIn),
            ("_cneq", O::ColumnNotEqual),
            ("$is_null", O::IsNull),
            ("_st_d_within", O::StDWithin),
            ("_has_keys_all", O::HasKeysAll),
        ] {
            assert_eq!(Operator::of_metadata_key(key), Some(operator), "{key}");
        }
        for bad in ["eq", "_equals", "__eq", "_st_intersects_rast"] {
            assert_eq!(Operator::of_metadata_key(bad), None, "{bad}");
        }
    }

    #[test]
    fn by_class() {
        let names = |class, array| {
            operators_of(class, array)
                .map(|entry| entry.name)
                .collect::<Vec<_>>()
        };
        assert_eq!(names(ScalarClass::Boolean, false).len(), 9);
        assert_eq!(names(ScalarClass::Text, false).len(), 19);
        assert!(names(ScalarClass::Text, true).contains(&"_contains"));
        assert!(!names(ScalarClass::Raster, false).contains(&"_gt"));
    }
}
