//! Which type of a role's schema is meant.

use graphql::OperationKind;

use crate::aggregate::AggregateFunction;
use crate::meaning::{AggregateOperation, UpdateOperator};
use crate::model::{ComputedFieldId, FunctionId, SourceId, TableId};
use crate::naming::NamingConvention;
use crate::scalar::ScalarId;

/// Names one type cheaply. Two keys may name the same GraphQL type (`Int`, `cursor_ordering`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TypeKey {
    /// `query_root`, `mutation_root`, `subscription_root`
    Root(OperationKind),
    /// `<namespace>_query`, …
    Namespace(SourceId, OperationKind),
    /// A scalar.
    Scalar(ScalarId),
    /// `Int`, not negative
    NonNegativeInt,
    /// `Int`, not negative, 64 bits
    NonNegativeBigInt,
    /// `T`
    Table(TableId),
    /// `T_bool_exp`
    BoolExp(TableId),
    /// `T_order_by`
    OrderBy(TableId),
    /// `T_select_column`
    SelectColumn(TableId),
    /// `T_aggregate`
    Aggregate(TableId),
    /// `T_aggregate_fields`
    AggregateFields(TableId),
    /// `T_<op>_fields`
    AggregateOperation(TableId, AggregateOperation),
    /// `T_aggregate_order_by`
    AggregateOrderBy(TableId),
    /// `T_<op>_order_by`
    AggregateOperationOrderBy(TableId, AggregateOperation),
    /// `T_aggregate_bool_exp`
    AggregateBoolExp(TableId),
    /// `T_aggregate_bool_exp_<fn>`
    AggregateBoolExpFunction(TableId, AggregateFunction),
    /// `T_aggregate_bool_exp_<fn>_arguments`
    AggregateBoolExpArguments(TableId, AggregateFunction),
    /// `T_select_column_T_aggregate_bool_exp_<fn>_arguments_columns`
    AggregateBoolExpColumns(TableId, AggregateFunction),
    /// `T_stream_cursor_input`
    StreamCursor(TableId),
    /// `T_stream_cursor_value_input`
    StreamCursorValue(TableId),
    /// `cursor_ordering` with the prefix and suffix of that source
    CursorOrdering(SourceId),
    /// `order_by`
    OrderDirection(NamingConvention),
    /// `<scalar>_comparison_exp`, `<scalar>_array_comparison_exp`
    Comparison(ScalarId, bool, NamingConvention),
    /// `T_enum`
    EnumTable(TableId),
    /// `T_enum_comparison_exp`
    EnumComparison(TableId),
    /// `jsonb_cast_exp`, `geometry_cast_exp`, `geography_cast_exp`
    Cast(ScalarId, NamingConvention),
    /// `st_d_within_input`, `st_d_within_geography_input`
    DWithin {
        /// The second of the two.
        geography: bool,
    },
    /// `st_intersects_nband_geom_input`, `st_intersects_geom_nband_input`
    RasterIntersects {
        /// The first of the two.
        band_first: bool,
    },
    /// `T_insert_input`
    InsertInput(TableId),
    /// `T_obj_rel_insert_input`
    ObjectInsertInput(TableId),
    /// `T_arr_rel_insert_input`
    ArrayInsertInput(TableId),
    /// `T_on_conflict`
    OnConflict(TableId),
    /// `T_constraint`
    Constraint(TableId),
    /// `T_update_column`
    UpdateColumn(TableId),
    /// `T_set_input`, `T_inc_input`, …
    UpdateInput(TableId, UpdateOperator),
    /// `T_pk_columns_input`
    KeyColumns(TableId),
    /// `T_updates`
    Updates(TableId),
    /// `T_mutation_response`
    MutationResponse(TableId),
    /// `fn_args`
    FunctionArguments(FunctionId),
    /// `<field>_T_args`
    ComputedArguments(TableId, ComputedFieldId),
    /// Rows of a function that returns no tracked table
    FunctionRow(FunctionId),
    /// Rows of a computed field that returns no tracked table
    ComputedRow(TableId, ComputedFieldId),
}
