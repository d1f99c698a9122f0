//! `rel_aggregate: {count: {arguments, distinct, filter, predicate}}` in permissions.

use serde_json::{Map, Value};

use super::{Refusal, Scope, Subject, conjunction, object, unknown};
use crate::aggregate::{AggregateFunction, Arguments};
use crate::catalog::{Type, TypeKind};
use crate::model::{ColumnId, RelationshipId, TableId};
use crate::predicate::{AggregatePredicate, Predicate};

impl<'s> Scope<'s> {
    pub(super) fn aggregate(
        self,
        root: TableId,
        relationship: (RelationshipId, TableId),
        value: &Value,
        depth: usize,
    ) -> Result<Predicate, Refusal> {
        let map = object(value)?;
        let mut entries = map.iter();
        let (Some((name, definition)), None) = (entries.next(), entries.next()) else {
            return Err(Refusal::new("exactly one predicate should be specified"));
        };
        let function = AggregateFunction::of_name(name)
            .ok_or_else(|| Refusal::new(format!("unknown aggregate function \"{name}\"")))?;
        self.aggregate_function(root, relationship, function, object(definition)?, depth)
            .map_err(|refusal| refusal.at_key(name))
    }

    fn aggregate_function(
        self,
        root: TableId,
        (relationship, target): (RelationshipId, TableId),
        function: AggregateFunction,
        definition: &Map<String, Value>,
        depth: usize,
    ) -> Result<Predicate, Refusal> {
        for key in definition.keys() {
            if !matches!(key.as_str(), "arguments" | "distinct" | "filter" | "predicate") {
                return Err(Refusal::new(format!("unexpected key \"{key}\"")).at_key(key));
            }
        }
        let columns = self
            .aggregate_arguments(target, function, definition.get("arguments"))
            .map_err(|refusal| refusal.at_key("arguments"))?;
        let distinct = match definition.get("distinct") {
            None | Some(Value::Null) => false,
            Some(Value::Bool(distinct)) => *distinct,
            Some(_) => return Err(Refusal::new("expected a boolean").at_key("distinct")),
        };
        let filter = match definition.get("filter") {
            None | Some(Value::Null) => None,
            Some(filter) => {
                let filter = object(filter).and_then(|map| self.expression(root, target, map, depth + 1));
                Some(filter.map_err(|refusal| refusal.at_key("filter"))?)
            }
        };
        let predicate = definition
            .get("predicate")
            .ok_or_else(|| Refusal::new("key \"predicate\" not found"))?;
        let scalar = self
            .scalars
            .get(function.result())
            .ok_or_else(|| unknown(function.name()))?;
        let type_ = Type {
            schema: "pg_catalog".to_owned(),
            name: function.result_type().to_owned(),
            oid: 0,
            kind: TypeKind::Base,
        };
        let left = Subject {
            scalar,
            array: false,
            type_: &type_,
            name: function.name(),
            cast: None,
        };
        // Each operator asks about an aggregate of its own; Postgres computes equal ones once per row anyway.
        let mut parts = Vec::new();
        for (key, value) in object(predicate).map_err(|refusal| refusal.at_key("predicate"))? {
            let comparison = self.comparison(root, target, left, key, value);
            let comparison = comparison.map_err(|refusal| refusal.at_key(key).at_key("predicate"))?;
            let aggregate = AggregatePredicate {
                function: function.name(),
                columns: columns.clone(),
                distinct,
                filter: filter.clone(),
                comparison,
            };
            parts.push(Predicate::Aggregate(relationship, Box::new(aggregate)));
        }
        Ok(conjunction(parts))
    }

    fn aggregate_arguments(
        self,
        target: TableId,
        function: AggregateFunction,
        value: Option<&Value>,
    ) -> Result<Vec<ColumnId>, Refusal> {
        let table = self.table(target)?;
        let column = |value: &Value| -> Result<ColumnId, Refusal> {
            let name = value
                .as_str()
                .ok_or_else(|| Refusal::new("expected a column name"))?;
            let id = self.column(table, name).ok_or_else(|| unknown(name))?;
            let found = table.column(id).ok_or_else(|| unknown(name))?;
            if function.accepts(found) {
                Ok(id)
            } else {
                Err(Refusal::new(format!(
                    "column \"{name}\" cannot be an argument of \"{}\"",
                    function.name()
                )))
            }
        };
        match (function.arguments(), value) {
            (Arguments::Any, None | Some(Value::Null)) => Ok(Vec::new()),
            (Arguments::Any, Some(Value::Array(items))) => items.iter().map(column).collect(),
            (Arguments::Any | Arguments::One, Some(one @ Value::String(_))) => Ok(vec![column(one)?]),
            (Arguments::One, Some(Value::Array(items))) if items.len() == 1 => {
                items.iter().map(column).collect()
            }
            (Arguments::Pair, Some(Value::Object(map))) => ["X", "Y"]
                .into_iter()
                .map(|name| {
                    let value = map.get(name);
                    column(value.ok_or_else(|| Refusal::new(format!("key \"{name}\" not found")))?)
                })
                .collect(),
            _ => Err(Refusal::new(format!(
                "wrong arguments for \"{}\"",
                function.name()
            ))),
        }
    }
}
