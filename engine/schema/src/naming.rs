//! How generated names are spelled: `hasura-default` or `graphql-default`.
//!
//! A generated name is made of *pieces*: words that the engine or the database gave, which a convention may
//! recase, and names that a person chose, which are never recased.

use graphql::Name;

use crate::model::Customization;

/// `naming_convention`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum NamingConvention {
    /// Names as they are in Postgres, `snake_case` for generated parts.
    #[default]
    HasuraDefault,
    /// camelCase fields and arguments, PascalCase types, UPPER_CASE enum values.
    GraphqlDefault,
}

/// Whether a text is a GraphQL name: `[_A-Za-z][_0-9A-Za-z]*`.
pub fn is_graphql_name(text: &str) -> bool {
    let mut characters = text.bytes();
    characters
        .next()
        .is_some_and(|c| c.is_ascii_alphabetic() || c == b'_')
        && characters.all(|c| c.is_ascii_alphanumeric() || c == b'_')
}

/// A part of a name: `(text, chosen by a person)`.
pub type Piece<'a> = (&'a str, bool);

/// A piece that may be recased.
pub fn generated(text: &str) -> Piece<'_> {
    (text, false)
}

/// A piece that is kept as written.
pub fn custom(text: &str) -> Piece<'_> {
    (text, true)
}

impl NamingConvention {
    /// A field or argument name: `author_by_pk`, `authorByPk`.
    pub fn field(self, pieces: &[Piece<'_>]) -> String {
        match self {
            Self::HasuraDefault => join(pieces),
            Self::GraphqlDefault => concatenate(pieces, camel),
        }
    }

    /// A type name: `author_bool_exp`, `AuthorBoolExp`.
    pub fn type_(self, pieces: &[Piece<'_>]) -> String {
        match self {
            Self::HasuraDefault => join(pieces),
            Self::GraphqlDefault => concatenate(pieces, pascal),
        }
    }

    /// The field of a column (or argument) without a custom name.
    pub fn column(self, name: &str) -> String {
        self.field(&[generated(name)])
    }

    /// A well-known argument, key or operator: `order_by`, `_is_null`; `orderBy`, `_isNull`.
    pub fn word(self, word: &'static str) -> Name {
        match self {
            Self::HasuraDefault => Name::from(word),
            Self::GraphqlDefault => Name::from(camel(word)),
        }
    }

    /// A generated enum value: `asc`, `ASC`.
    pub fn enum_value(self, value: &str) -> Name {
        match self {
            Self::HasuraDefault => Name::from(value),
            Self::GraphqlDefault => Name::from(value.to_uppercase()),
        }
    }
}

impl Customization {
    /// A type name with the source's prefix and suffix.
    pub fn type_name(&self, pieces: &[Piece<'_>]) -> Name {
        Name::from(self.affix(self.naming.type_(pieces), &self.type_prefix, &self.type_suffix))
    }

    /// A root field name with the source's prefix and suffix.
    pub fn root_field_name(&self, name: String) -> Name {
        Name::from(self.affix(name, &self.root_prefix, &self.root_suffix))
    }

    /// In `graphql-default` the parts keep their own case but for a capital where two of them meet.
    fn affix(&self, name: String, prefix: &str, suffix: &str) -> String {
        if prefix.is_empty() && suffix.is_empty() {
            return name;
        }
        match self.naming {
            NamingConvention::HasuraDefault => format!("{prefix}{name}{suffix}"),
            NamingConvention::GraphqlDefault => {
                let name = if prefix.is_empty() {
                    name
                } else {
                    upper_first(&name)
                };
                format!("{prefix}{name}{}", upper_first(suffix))
            }
        }
    }
}

fn join(pieces: &[Piece<'_>]) -> String {
    let mut name = String::with_capacity(pieces.iter().map(|(text, _)| text.len() + 1).sum());
    for (at, (text, _)) in pieces.iter().enumerate() {
        if at > 0 {
            name.push('_');
        }
        name.push_str(text);
    }
    name
}

fn concatenate(pieces: &[Piece<'_>], first: fn(&str) -> String) -> String {
    let mut name = String::new();
    for (at, (text, chosen)) in pieces.iter().enumerate() {
        match (at, chosen) {
            (0, true) => name.push_str(text),
            (0, false) => name.push_str(&first(text)),
            (_, true) => name.push_str(&upper_first(text)),
            (_, false) => name.push_str(&pascal(text)),
        }
    }
    name
}

/// `author_id` → `authorId`; leading underscores stay.
fn camel(text: &str) -> String {
    let word = text.trim_start_matches('_');
    let mut name = text[..text.len() - word.len()].to_owned();
    let mut parts = word.split('_').filter(|part| !part.is_empty());
    if let Some(part) = parts.next() {
        name.push_str(&lower_first(part));
    }
    for part in parts {
        name.push_str(&upper_first(part));
    }
    name
}

/// `author_id` → `AuthorId`; leading underscores stay.
fn pascal(text: &str) -> String {
    let word = text.trim_start_matches('_');
    let mut name = text[..text.len() - word.len()].to_owned();
    for part in word.split('_').filter(|part| !part.is_empty()) {
        name.push_str(&upper_first(part));
    }
    name
}

fn upper_first(text: &str) -> String {
    let mut characters = text.chars();
    characters
        .next()
        .map(|first| first.to_uppercase().chain(characters).collect())
        .unwrap_or_default()
}

fn lower_first(text: &str) -> String {
    let mut characters = text.chars();
    characters
        .next()
        .map(|first| first.to_lowercase().chain(characters).collect())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const GRAPHQL: NamingConvention = NamingConvention::GraphqlDefault;
    const HASURA: NamingConvention = NamingConvention::HasuraDefault;

    #[test]
    fn fields_and_types() {
        let pieces = [generated("author_local"), generated("by_pk")];
        assert_eq!(HASURA.field(&pieces), "author_local_by_pk");
        assert_eq!(GRAPHQL.field(&pieces), "authorLocalByPk");
        let pieces = [generated("author_local"), generated("bool_exp")];
        assert_eq!(GRAPHQL.type_(&pieces), "AuthorLocalBoolExp");
        let pieces = [custom("my_table"), generated("bool_exp")];
        assert_eq!(GRAPHQL.type_(&pieces), "my_tableBoolExp");
        assert_eq!(
            GRAPHQL.field(&[custom("dutchAuctions"), generated("aggregate")]),
            "dutchAuctionsAggregate"
        );
        assert_eq!(GRAPHQL.column("author_id"), "authorId");
        assert_eq!(GRAPHQL.column("createdAt"), "createdAt");
    }

    #[test]
    fn operators() {
        assert_eq!(&*GRAPHQL.word("_is_null"), "_isNull");
        assert_eq!(&*GRAPHQL.word("_has_keys_any"), "_hasKeysAny");
        assert_eq!(&*GRAPHQL.word("_st_d_within"), "_stDWithin");
        assert_eq!(&*GRAPHQL.word("_st_3d_intersects"), "_st3dIntersects");
        assert_eq!(&*GRAPHQL.enum_value("asc_nulls_first"), "ASC_NULLS_FIRST");
    }

    #[test]
    fn source_customization() {
        let mut customization = Customization {
            root_prefix: "test".into(),
            root_suffix: "query".into(),
            naming: GRAPHQL,
            ..Customization::default()
        };
        let name = GRAPHQL.field(&[generated("author_local"), generated("by_pk")]);
        assert_eq!(&*customization.root_field_name(name), "testAuthorLocalByPkQuery");
        customization.naming = HASURA;
        customization.root_prefix = "test_".into();
        customization.root_suffix = "_query".into();
        assert_eq!(
            &*customization.root_field_name("author_local".into()),
            "test_author_local_query"
        );
    }

    #[test]
    fn names() {
        assert!(is_graphql_name("_a1"));
        for bad in ["", "1a", "a-b", "a b", "ä"] {
            assert!(!is_graphql_name(bad), "{bad}");
        }
    }
}
