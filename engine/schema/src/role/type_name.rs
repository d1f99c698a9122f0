//! Names of types (Appendix C).

use graphql::{Name, OperationKind};

use super::{RoleView, TypeKey};
use crate::aggregate::AggregateFunction;
use crate::model::{Customization, Returns, SourceId, TableId};
use crate::naming::{NamingConvention, Piece, custom, generated};
use crate::scalar::ScalarId;

impl RoleView {
    /// Name of a type.
    pub(super) fn name_of(&self, id: TypeKey) -> Name {
        match id {
            TypeKey::Root(OperationKind::Query) => Name::from("query_root"),
            TypeKey::Root(OperationKind::Mutation) => Name::from("mutation_root"),
            TypeKey::Root(OperationKind::Subscription) => Name::from("subscription_root"),
            TypeKey::Namespace(source, kind) => self.namespace_name(source, kind),
            TypeKey::Scalar(scalar) => self.scalar_name(scalar),
            TypeKey::NonNegativeInt | TypeKey::NonNegativeBigInt => Name::from("Int"),
            TypeKey::Table(table) => self.table_type(table, &[]),
            TypeKey::BoolExp(table) => self.table_type(table, &["bool_exp"]),
            TypeKey::OrderBy(table) => self.table_type(table, &["order_by"]),
            TypeKey::SelectColumn(table) => self.table_type(table, &["select_column"]),
            TypeKey::Aggregate(table) => self.table_type(table, &["aggregate"]),
            TypeKey::AggregateFields(table) => self.table_type(table, &["aggregate_fields"]),
            TypeKey::AggregateOperation(table, operation) => {
                self.table_type(table, &[operation.name(), "fields"])
            }
            TypeKey::AggregateOrderBy(table) => self.table_type(table, &["aggregate_order_by"]),
            TypeKey::AggregateOperationOrderBy(table, operation) => {
                self.table_type(table, &[operation.name(), "order_by"])
            }
            TypeKey::AggregateBoolExp(table) => {
                self.convention(table).map_or_else(nameless, |(naming, piece)| {
                    Name::from(naming.type_(&[piece, generated("aggregate_bool_exp")]))
                })
            }
            TypeKey::AggregateBoolExpFunction(table, function) => self.predicate_type(table, function, &[]),
            TypeKey::AggregateBoolExpArguments(table, function) => {
                self.predicate_type(table, function, &["arguments"])
            }
            TypeKey::AggregateBoolExpColumns(table, function) => {
                let customization = self.customization(table.source());
                let piece = self.model.table(table).map(|table| table.piece());
                piece
                    .zip(customization)
                    .map_or_else(nameless, |(piece, customization)| {
                        let columns = predicate_columns(NamingConvention::HasuraDefault, piece, function);
                        let pieces = [piece, generated("select_column"), generated(&columns)];
                        customization.type_name(&pieces)
                    })
            }
            TypeKey::InsertInput(table) => self.table_type(table, &["insert_input"]),
            TypeKey::ObjectInsertInput(table) => self.table_type(table, &["obj_rel_insert_input"]),
            TypeKey::ArrayInsertInput(table) => self.table_type(table, &["arr_rel_insert_input"]),
            TypeKey::OnConflict(table) => self.table_type(table, &["on_conflict"]),
            TypeKey::Constraint(table) => self.table_type(table, &["constraint"]),
            TypeKey::UpdateColumn(table) => self.table_type(table, &["update_column"]),
            TypeKey::UpdateInput(table, operator) => {
                self.table_type(table, &[operator.name().trim_start_matches('_'), "input"])
            }
            TypeKey::KeyColumns(table) => self.table_type(table, &["pk_columns_input"]),
            TypeKey::Updates(table) => self.table_type(table, &["updates"]),
            TypeKey::MutationResponse(table) => self.table_type(table, &["mutation_response"]),
            TypeKey::StreamCursor(table) => self.table_type(table, &["stream_cursor_input"]),
            TypeKey::StreamCursorValue(table) => self.table_type(table, &["stream_cursor_value_input"]),
            TypeKey::CursorOrdering(source) => self
                .customization(source)
                .map_or_else(nameless, |all| all.type_name(&[generated("cursor_ordering")])),
            TypeKey::OrderDirection(naming) => Name::from(naming.type_(&[generated("order_by")])),
            TypeKey::Comparison(scalar, array, naming) => {
                let name = self.scalar_name(scalar);
                let suffix = if array && !self.arrays_are_scalars() {
                    "array_comparison_exp"
                } else {
                    "comparison_exp"
                };
                Name::from(naming.type_(&[generated(&name), generated(suffix)]))
            }
            TypeKey::EnumTable(table) => self.table_type(table, &["enum"]),
            TypeKey::EnumComparison(table) => {
                let naming = self.naming(table);
                let name = self.table_type(table, &["enum"]);
                Name::from(naming.type_(&[custom(&name), generated("comparison_exp")]))
            }
            TypeKey::Cast(scalar, naming) => {
                let name = self.scalar_name(scalar);
                Name::from(naming.type_(&[generated(&name), generated("cast_exp")]))
            }
            TypeKey::DWithin { geography: false } => Name::from("st_d_within_input"),
            TypeKey::DWithin { geography: true } => Name::from("st_d_within_geography_input"),
            TypeKey::RasterIntersects { band_first: true } => Name::from("st_intersects_nband_geom_input"),
            TypeKey::RasterIntersects { band_first: false } => Name::from("st_intersects_geom_nband_input"),
            TypeKey::FunctionArguments(id) => {
                let function = self.model.function(id);
                function
                    .zip(self.customization(id.source()))
                    .map_or_else(nameless, |(function, all)| {
                        all.type_name(&[function.piece(), generated("args")])
                    })
            }
            TypeKey::ComputedArguments(id, field) => {
                let table = self.model.table(id);
                let customization = self.customization(id.source());
                let all = table.and_then(|table| Some((table, table.computed_field(field)?, customization?)));
                all.map_or_else(nameless, |(table, field, customization)| {
                    customization.type_name(&[generated(&field.field), table.piece(), generated("args")])
                })
            }
            TypeKey::FunctionRow(id) => {
                let function = self.model.function(id);
                function
                    .zip(self.customization(id.source()))
                    .map_or_else(nameless, |(function, all)| all.type_name(&[function.piece()]))
            }
            TypeKey::ComputedRow(id, field) => {
                let field = self.model.table(id).and_then(|table| table.computed_field(field));
                let identifier = field.and_then(|field| match &field.returns {
                    Returns::Rows { identifier, .. } => Some(identifier),
                    _ => None,
                });
                identifier
                    .zip(self.customization(id.source()))
                    .map_or_else(nameless, |(identifier, all)| {
                        all.type_name(&[generated(identifier)])
                    })
            }
        }
    }

    /// The convention of a table's source.
    pub(super) fn naming(&self, table: TableId) -> NamingConvention {
        self.customization(table.source())
            .map(|all| all.naming)
            .unwrap_or_default()
    }

    pub(super) fn customization(&self, source: SourceId) -> Option<&Customization> {
        self.model.source(source).map(|source| &source.customization)
    }

    pub(super) fn scalar_name(&self, id: ScalarId) -> Name {
        self.model
            .scalars
            .get(id)
            .map_or_else(nameless, |scalar| scalar.name.clone())
    }

    fn convention(&self, table: TableId) -> Option<(NamingConvention, Piece<'_>)> {
        Some((self.naming(table), self.model.table(table)?.piece()))
    }

    fn table_type(&self, id: TableId, suffixes: &[&str]) -> Name {
        let (Some(table), Some(customization)) = (self.model.table(id), self.customization(id.source()))
        else {
            return nameless();
        };
        let mut pieces = vec![table.piece()];
        pieces.extend(suffixes.iter().copied().map(generated));
        customization.type_name(&pieces)
    }

    /// Upstream spells these types as it spells fields, and adds no prefix or suffix.
    fn predicate_type(&self, table: TableId, function: AggregateFunction, suffixes: &[&str]) -> Name {
        self.convention(table).map_or_else(nameless, |(naming, piece)| {
            let mut pieces = vec![piece, generated("aggregate_bool_exp"), generated(function.name())];
            pieces.extend(suffixes.iter().copied().map(generated));
            Name::from(naming.field(&pieces))
        })
    }

    fn namespace_name(&self, source: SourceId, kind: OperationKind) -> Name {
        let Some((all, namespace)) = self
            .customization(source)
            .and_then(|all| Some((all, all.namespace.as_ref()?)))
        else {
            return nameless();
        };
        let name = match kind {
            OperationKind::Query => format!("{namespace}_query"),
            OperationKind::Mutation if self.backend => format!("{namespace}_mutation_backend"),
            OperationKind::Mutation => format!("{namespace}_mutation_frontend"),
            OperationKind::Subscription => format!("{namespace}_subscription"),
        };
        all.type_name(&[custom(&name)])
    }
}

/// `T_aggregate_bool_exp_<fn>_arguments_columns`
pub(super) fn predicate_columns(
    naming: NamingConvention,
    piece: Piece<'_>,
    function: AggregateFunction,
) -> String {
    naming.field(&[
        piece,
        generated("aggregate_bool_exp"),
        generated(function.name()),
        generated("arguments_columns"),
    ])
}

/// Keys come from the same model, so this is never seen.
fn nameless() -> Name {
    Name::from("_")
}
