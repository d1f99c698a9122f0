//! GraphQL types as the validator and introspection ask for them: derived on demand, never held per role.
//!
//! A [`TypeSystem`] is implemented by `schema::role`. Its types have opaque ids; its fields, arguments and
//! enum values carry an opaque *meaning* that the planner reads, so that no name is looked up twice.

use std::fmt::Debug;
use std::hash::Hash;
use std::sync::Arc;

/// A GraphQL name.
pub type Name = Arc<str>;

/// query, mutation or subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OperationKind {
    /// `query`
    Query,
    /// `mutation`
    Mutation,
    /// `subscription`
    Subscription,
}

/// The schema of one role.
pub trait TypeSystem {
    /// Names one type cheaply.
    type Id: Copy + Eq + Hash + Debug;
    /// What a field, argument or enum value is about.
    type Meaning: Clone + Debug;

    /// The root type of an operation kind; `None` if the role has no such operation.
    fn root(&self, kind: OperationKind) -> Option<Self::Id>;

    /// Name of a type.
    fn type_name(&self, id: Self::Id) -> Name;

    /// One field of an object type, without deriving its siblings: costs nothing that grows with the schema.
    fn object_field(&self, object: Self::Id, name: &str)
    -> Option<Arc<OutputField<Self::Id, Self::Meaning>>>;

    /// The whole type. For a root type this grows with the schema: introspection only.
    fn definition(&self, id: Self::Id) -> Arc<TypeDefinition<Self::Id, Self::Meaning>>;

    /// The type of that name as introspection shows it.
    fn type_by_name(&self, name: &str) -> Option<Self::Id>;

    /// Types that introspection lists although no field leads to them.
    fn extra_types(&self) -> Vec<Self::Id>;

    /// The objects that an interface or union may turn out to be; `None` for every other type.
    fn possible_types(&self, _id: Self::Id) -> Option<Vec<Self::Id>> {
        None
    }

    /// Whether a value of that meaning is a list of rows, which may come as [`Input::Uniform`](crate::operation::Input).
    fn takes_rows(&self, _meaning: &Self::Meaning) -> bool {
        false
    }

    /// The interfaces that an object implements; fragments on them apply to it.
    fn interfaces(&self, _object: Self::Id) -> Vec<Self::Id> {
        Vec::new()
    }
}

/// A reference to a type with its wrappers.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum TypeReference<I> {
    /// A named type; `nullable` false prints as `T!`.
    Named {
        /// The type.
        id: I,
        /// May be null.
        nullable: bool,
    },
    /// A list.
    List {
        /// Type of the items.
        item: Box<TypeReference<I>>,
        /// The list itself may be null.
        nullable: bool,
    },
}

/// A type.
#[derive(Debug, Clone)]
pub struct TypeDefinition<I, M> {
    /// Its name.
    pub name: Name,
    /// Its description.
    pub description: Option<String>,
    /// Its content.
    pub kind: TypeKind<I, M>,
}

/// What a type is. Fields, values and arguments are in the order that introspection prints.
#[derive(Debug, Clone)]
pub enum TypeKind<I, M> {
    /// A scalar and the input it takes.
    Scalar(InputClass),
    /// An enum.
    Enum(Vec<EnumValue<M>>),
    /// An object.
    Object(Vec<Arc<OutputField<I, M>>>),
    /// An input object.
    InputObject(Vec<InputField<I, M>>),
    /// An interface; [`TypeSystem::possible_types`] are its implementations.
    Interface(Vec<Arc<OutputField<I, M>>>),
    /// A union; [`TypeSystem::possible_types`] are its members.
    Union,
}

/// A value of an enum.
#[derive(Debug, Clone)]
pub struct EnumValue<M> {
    /// Name.
    pub name: Name,
    /// Description.
    pub description: Option<String>,
    /// Meaning.
    pub meaning: M,
}

/// A field of an object.
#[derive(Debug, Clone)]
pub struct OutputField<I, M> {
    /// Name.
    pub name: Name,
    /// Description.
    pub description: Option<String>,
    /// Arguments.
    pub arguments: Vec<InputField<I, M>>,
    /// Type.
    pub type_: TypeReference<I>,
    /// Whether `type_`'s named type has fields, so that a selection set is needed.
    pub composite: bool,
    /// Meaning.
    pub meaning: M,
    /// `isDeprecated` with its reason.
    pub deprecated: Option<String>,
}

/// An argument, or a field of an input object.
#[derive(Debug, Clone)]
pub struct InputField<I, M> {
    /// Name.
    pub name: Name,
    /// Description.
    pub description: Option<String>,
    /// Type.
    pub type_: TypeReference<I>,
    /// Default value as GraphQL literal text, for instance `[]`; it is what introspection prints.
    pub default: Option<String>,
    /// It may be left out but not be null, although its type takes null: Hasura v2's optional keys over columns
    /// that are not nullable.
    pub refuses_null: bool,
    /// Meaning.
    pub meaning: M,
}

/// Which JSON values (or literals) a scalar takes, and what is said about others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum InputClass {
    /// GraphQL `Int`: 32 bits, or a string handed to Postgres.
    Int,
    /// `Int` that may not be negative (`limit`, `batch_size`).
    NonNegativeInt,
    /// `Int` that may not be negative, 64 bits, also given as a string (`offset`).
    NonNegativeBigInt,
    /// GraphQL `Float`: a number that a double can hold, or a string handed to Postgres.
    Float,
    /// GraphQL `String`.
    String,
    /// GraphQL `Boolean`.
    Boolean,
    /// GraphQL `ID`.
    Id,
    /// smallint: a 16-bit number or a string handed to Postgres.
    SmallInt,
    /// bigint: a 64-bit number or a string handed to Postgres.
    BigInt,
    /// numeric, money, float8: any number or a string handed to Postgres.
    Number,
    /// A string handed to Postgres (dates, uuid, and every type not listed elsewhere).
    Text,
    /// json and jsonb: any literal or JSON value.
    Json,
    /// geometry and geography: a GeoJSON object.
    GeoJson,
    /// raster: hexadecimal well-known binary.
    Raster,
    /// ltree label path.
    Ltree,
}
