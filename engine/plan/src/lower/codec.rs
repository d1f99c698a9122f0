//! In which form a value leaves Postgres: binary where we can write it as JSON ourselves, else JSON text.

use schema::catalog::{Type, TypeKind};
use schema::meaning::AggregateOperation;
use schema::scalar::{Scalar, ScalarClass};
use sql::ast::Expression;
use sql::name::{QualifiedName, TypeName};
use sql::shape::Codec;

use super::Lowerer;

impl Lowerer<'_> {
    /// A value of that type as an output column.
    pub(crate) fn output(&self, value: Expression, type_: &Type, class: &Scalar) -> (Expression, Codec) {
        if matches!(class.class, ScalarClass::Geometry | ScalarClass::Geography)
            && !matches!(type_.kind, TypeKind::Array(_))
        {
            // 15 decimals, 4: with the long form of the coordinate system, as Hasura v2.
            let call = Expression::call(
                QualifiedName::new(self.extensions, "st_asgeojson"),
                vec![value, Expression::Integer(15), Expression::Integer(4)],
            );
            return (call, Codec::JsonText);
        }
        match codec(type_) {
            Some(codec) if self.stringify && class.big => (value, Codec::Quoted(Box::new(codec))),
            Some(codec) => (value, codec),
            None => (json_text(value), Codec::JsonText),
        }
    }

    /// The result of an aggregate as an output column.
    pub(super) fn aggregate_output(
        &self,
        value: Expression,
        operation: AggregateOperation,
        type_: &Type,
        class: &Scalar,
    ) -> (Expression, Codec) {
        let codec = match operation {
            AggregateOperation::Max | AggregateOperation::Min => return self.output(value, type_, class),
            AggregateOperation::Sum => sum_result(base(type_)),
            _ => mean_result(base(type_)),
        };
        match codec {
            // As Hasura v2, by the type of the column and not of the result.
            Some(codec) if self.stringify && class.big => (value, Codec::Quoted(Box::new(codec))),
            Some(codec) => (value, codec),
            None => (json_text(value), Codec::JsonText),
        }
    }
}

/// `(to_json(value))::text`
fn json_text(value: Expression) -> Expression {
    Expression::call(QualifiedName::builtin("to_json"), vec![value]).cast(TypeName::builtin("text"))
}

/// The type that a domain is over.
fn base(type_: &Type) -> &Type {
    let mut type_ = type_;
    while let TypeKind::Domain(inner) = &type_.kind {
        type_ = inner;
    }
    type_
}

/// Result of `sum`, by Postgres's rules.
fn sum_result(type_: &Type) -> Option<Codec> {
    Some(match builtin_name(type_)? {
        "int2" | "int4" => Codec::Int8,
        "int8" | "numeric" => Codec::Numeric,
        "float4" => Codec::Float4,
        "float8" => Codec::Float8,
        _ => return None,
    })
}

/// Result of `avg`, `stddev`, `variance` and their kind.
fn mean_result(type_: &Type) -> Option<Codec> {
    Some(match builtin_name(type_)? {
        "int2" | "int4" | "int8" | "numeric" => Codec::Numeric,
        "float4" | "float8" => Codec::Float8,
        _ => return None,
    })
}

fn builtin_name(type_: &Type) -> Option<&str> {
    (type_.schema == "pg_catalog").then_some(type_.name.as_str())
}

/// The codec of a type, if it has one.
pub(super) fn codec(type_: &Type) -> Option<Codec> {
    let type_ = base(type_);
    match &type_.kind {
        TypeKind::Enum(_) => return Some(Codec::Text),
        TypeKind::Array(element) => {
            // An array of arrays of domains and the like is rare enough for to_json.
            return codec(element).map(|codec| Codec::Array(Box::new(codec)));
        }
        TypeKind::Base => {}
        _ => return None,
    }
    if type_.name == "citext" {
        return Some(Codec::Text);
    }
    Some(match builtin_name(type_)? {
        "bool" => Codec::Bool,
        "int2" => Codec::Int2,
        "int4" => Codec::Int4,
        "int8" => Codec::Int8,
        "float4" => Codec::Float4,
        "float8" => Codec::Float8,
        "numeric" => Codec::Numeric,
        "text" | "varchar" | "bpchar" | "name" => Codec::Text,
        "uuid" => Codec::Uuid,
        "date" => Codec::Date,
        "time" => Codec::Time,
        "timetz" => Codec::TimeTz,
        "timestamp" => Codec::Timestamp,
        "timestamptz" => Codec::TimestampTz,
        "bytea" => Codec::Bytea,
        "json" => Codec::Json,
        "jsonb" => Codec::Jsonb,
        "oid" => Codec::Oid,
        _ => return None,
    })
}
