//! Postgres types as GraphQL scalars (Appendix A): the name, what input is accepted, what can be compared.

use std::sync::Arc;

use graphql::{InputClass, Name};
use rustc_hash::FxHashMap;

use crate::catalog::{Type, TypeKind};
use crate::naming::is_graphql_name;

/// A GraphQL scalar made from a Postgres type. Arrays share the scalar of their element.
#[derive(Debug, Clone, PartialEq)]
pub struct Scalar {
    /// GraphQL name, for instance `Int`, `timestamptz`, `mood`.
    pub name: Name,
    /// Which operators and aggregates it has.
    pub class: ScalarClass,
    /// Which JSON values are accepted as input.
    pub input: InputClass,
    /// Rendered as a string when numerics are stringified (bigint, numeric, double precision, money).
    pub big: bool,
}

/// Groups of types that share operators (Appendix B).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ScalarClass {
    /// Numbers: aggregates, `_inc`.
    Numeric,
    /// text, varchar, bpchar, citext: pattern operators.
    Text,
    /// Ordered, usable in max and min: dates, times, uuid, …
    Comparable,
    /// boolean
    Boolean,
    /// json
    Json,
    /// jsonb
    Jsonb,
    /// PostGIS geometry
    Geometry,
    /// PostGIS geography
    Geography,
    /// PostGIS raster
    Raster,
    /// ltree
    Ltree,
    /// Anything else, enums and domains included.
    Other,
}

/// `sum`, `avg` and the like apply to values of the type.
pub fn is_numeric(type_: &Type, scalar: &Scalar) -> bool {
    scalar.class == ScalarClass::Numeric && !matches!(type_.kind, TypeKind::Array(_))
}

/// `max` and `min` apply to values of the type: it is ordered, and Postgres has the aggregates for it.
pub fn is_comparable(type_: &Type, scalar: &Scalar) -> bool {
    if matches!(&type_.kind, TypeKind::Array(element) if matches!(element.kind, TypeKind::Enum(_))) {
        return true;
    }
    match scalar.class {
        ScalarClass::Numeric | ScalarClass::Text => true,
        // Postgres 15 has no max(uuid) of its own, yet compatible servers list the field.
        ScalarClass::Comparable => true,
        ScalarClass::Other => matches!(type_.kind, TypeKind::Enum(_)),
        _ => false,
    }
}

/// Position of a scalar in [`Scalars`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ScalarId(pub u16);

/// All scalars of a model, each once, by GraphQL name.
#[derive(Debug, Clone)]
pub struct Scalars {
    all: Vec<Arc<Scalar>>,
    by_name: FxHashMap<Name, ScalarId>,
    /// A type was asked for that has the name of one that is there, and is something else.
    mistaken: bool,
}

/// The scalars that the schema itself refers to, whether or not a column has such a type. Their ids are fixed.
const WELL_KNOWN: [&str; 12] = [
    "String",
    "Int",
    "Float",
    "Boolean",
    "float8",
    "geometry",
    "geography",
    "jsonb",
    "lquery",
    "ltxtquery",
    "ltree",
    "ID",
];

impl ScalarId {
    /// `String`
    pub const STRING: Self = Self(0);
    /// `Int`
    pub const INT: Self = Self(1);
    /// `Float`
    pub const FLOAT: Self = Self(2);
    /// `Boolean`
    pub const BOOLEAN: Self = Self(3);
    /// `float8`
    pub const FLOAT8: Self = Self(4);
    /// `geometry`
    pub const GEOMETRY: Self = Self(5);
    /// `geography`
    pub const GEOGRAPHY: Self = Self(6);
    /// `jsonb`
    pub const JSONB: Self = Self(7);
    /// `lquery`
    pub const LQUERY: Self = Self(8);
    /// `ltxtquery`
    pub const LTXTQUERY: Self = Self(9);
}

impl Default for Scalars {
    fn default() -> Self {
        let mut scalars = Self {
            all: Vec::new(),
            by_name: FxHashMap::default(),
            mistaken: false,
        };
        for name in WELL_KNOWN {
            let scalar = match name {
                "String" => scalar(name, ScalarClass::Text, InputClass::String, false),
                "Int" => scalar(name, ScalarClass::Numeric, InputClass::Int, false),
                "Float" => scalar(name, ScalarClass::Numeric, InputClass::Float, false),
                "Boolean" => scalar(name, ScalarClass::Boolean, InputClass::Boolean, false),
                "ID" => scalar(name, ScalarClass::Other, InputClass::Id, false),
                postgres => base_scalar(postgres),
            };
            scalars.insert(scalar);
        }
        scalars
    }
}

impl Scalars {
    /// The scalar of a Postgres type, the same `Arc` for the same GraphQL name. `None` if the type's name
    /// cannot be a GraphQL name, or if there are too many types.
    pub fn of_type(&mut self, type_: &Type) -> Option<Arc<Scalar>> {
        let scalar = scalar_of(type_);
        if let Some(known) = self.by_name.get(&scalar.name) {
            let known = self.get(*known).cloned();
            self.mistaken |= known.as_deref().is_some_and(|known| *known != scalar);
            return known;
        }
        if !is_graphql_name(&scalar.name) {
            return None;
        }
        let id = self.insert(scalar)?;
        self.get(id).cloned()
    }

    /// Whether a type since [`Scalars::again`] had the name of one that was there and is something else: the first has the
    /// name.
    pub(crate) fn is_mistaken(&self) -> bool {
        self.mistaken
    }

    /// The same scalars, for another build.
    pub(crate) fn again(&self) -> Self {
        Self {
            mistaken: false,
            ..self.clone()
        }
    }

    /// The scalar that stands for a whole array where arrays are disabled: `_text`.
    pub fn of_array_name(&mut self, type_: &Type) -> Option<Arc<Scalar>> {
        if let Some(known) = self.by_name.get(type_.name.as_str()) {
            return self.get(*known).cloned();
        }
        if !is_graphql_name(&type_.name) {
            return None;
        }
        let id = self.insert(scalar(&type_.name, ScalarClass::Other, InputClass::Text, false))?;
        self.get(id).cloned()
    }

    /// The scalar of that id.
    pub fn get(&self, id: ScalarId) -> Option<&Arc<Scalar>> {
        self.all.get(usize::from(id.0))
    }

    /// The id of the scalar of that GraphQL name.
    pub fn id(&self, name: &str) -> Option<ScalarId> {
        self.by_name.get(name).copied()
    }

    /// All ids.
    pub fn ids(&self) -> impl Iterator<Item = ScalarId> + '_ {
        (0..self.all.len()).filter_map(|at| u16::try_from(at).ok().map(ScalarId))
    }

    fn insert(&mut self, scalar: Scalar) -> Option<ScalarId> {
        let id = ScalarId(u16::try_from(self.all.len()).ok()?);
        self.by_name.insert(scalar.name.clone(), id);
        self.all.push(Arc::new(scalar));
        Some(id)
    }
}

fn scalar(name: &str, class: ScalarClass, input: InputClass, big: bool) -> Scalar {
    Scalar {
        name: Name::from(name),
        class,
        input,
        big,
    }
}

/// The scalar of a type; of the element for arrays.
pub(crate) fn scalar_of(type_: &Type) -> Scalar {
    match &type_.kind {
        TypeKind::Array(element) => scalar_of(element),
        TypeKind::Enum(_) | TypeKind::Domain(_) | TypeKind::Range | TypeKind::Pseudo => {
            scalar(&type_.name, ScalarClass::Other, InputClass::Text, false)
        }
        TypeKind::Composite { .. } => scalar(
            &format!("{}_scalar", type_.name),
            ScalarClass::Other,
            InputClass::Text,
            false,
        ),
        TypeKind::Base => base_scalar(&type_.name),
    }
}

fn base_scalar(name: &str) -> Scalar {
    use ScalarClass as C;
    match name {
        "int4" => scalar("Int", C::Numeric, InputClass::Int, false),
        "int2" => scalar("smallint", C::Numeric, InputClass::SmallInt, false),
        "int8" => scalar("bigint", C::Numeric, InputClass::BigInt, true),
        "float4" => scalar("Float", C::Numeric, InputClass::Float, false),
        "float8" | "numeric" | "money" => scalar(name, C::Numeric, InputClass::Number, true),
        "bool" => scalar("Boolean", C::Boolean, InputClass::Boolean, false),
        "text" | "varchar" => scalar("String", C::Text, InputClass::String, false),
        "bpchar" | "citext" => scalar(name, C::Text, InputClass::Text, false),
        "date" | "timestamp" | "timestamptz" | "timetz" | "uuid" => {
            scalar(name, C::Comparable, InputClass::Text, false)
        }
        "json" => scalar(name, C::Json, InputClass::Json, false),
        "jsonb" => scalar(name, C::Jsonb, InputClass::Json, false),
        "geometry" => scalar(name, C::Geometry, InputClass::GeoJson, false),
        "geography" => scalar(name, C::Geography, InputClass::GeoJson, false),
        "raster" => scalar(name, C::Raster, InputClass::Raster, false),
        "ltree" => scalar(name, C::Ltree, InputClass::Ltree, false),
        _ => scalar(name, C::Other, InputClass::Text, false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base(name: &str) -> Type {
        Type {
            schema: "pg_catalog".into(),
            name: name.into(),
            oid: 0,
            kind: TypeKind::Base,
        }
    }

    #[test]
    fn well_known_ids() {
        let scalars = Scalars::default();
        for (id, name) in [
            (ScalarId::STRING, "String"),
            (ScalarId::INT, "Int"),
            (ScalarId::FLOAT, "Float"),
            (ScalarId::BOOLEAN, "Boolean"),
            (ScalarId::FLOAT8, "float8"),
            (ScalarId::GEOMETRY, "geometry"),
            (ScalarId::GEOGRAPHY, "geography"),
            (ScalarId::JSONB, "jsonb"),
            (ScalarId::LQUERY, "lquery"),
            (ScalarId::LTXTQUERY, "ltxtquery"),
        ] {
            assert_eq!(scalars.get(id).map(|scalar| &*scalar.name), Some(name));
        }
    }

    #[test]
    fn postgres_types() {
        let mut scalars = Scalars::default();
        for (postgres, graphql) in [
            ("int4", "Int"),
            ("int2", "smallint"),
            ("int8", "bigint"),
            ("float4", "Float"),
            ("varchar", "String"),
            ("bool", "Boolean"),
            ("interval", "interval"),
        ] {
            let name = scalars.of_type(&base(postgres)).map(|scalar| scalar.name.clone());
            assert_eq!(name.as_deref(), Some(graphql), "{postgres}");
        }
        let array = Type {
            name: "_int4".into(),
            kind: TypeKind::Array(Box::new(base("int4"))),
            ..base("")
        };
        let (Some(array), Some(element)) = (scalars.of_type(&array), scalars.of_type(&base("int4"))) else {
            panic!("known types");
        };
        assert!(Arc::ptr_eq(&array, &element));
        assert!(scalars.of_type(&base("my type")).is_none());
    }
}
