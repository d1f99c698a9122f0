//! Comparison operators, shared by client filters and permission predicates.

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
