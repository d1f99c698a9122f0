//! Appendix B: every comparison operator and the SQL that it means.

use graphql::{Error, Path};
use schema::operator::Operator as Name;
use schema::predicate::Operand;
use schema::scalar::ScalarClass;
use serde_json::Value;
use sql::ast::{Expression, Operator};
use sql::name::{Identifier, QualifiedName, TypeName};

use super::operand::{ListValue, null_error, null_list_error};
use super::{Given, Subject};
use crate::ir::{Filter, Right, Scalar, Test};
use crate::read::Reader;

/// A value and how it is compared.
pub(crate) struct Left<'m> {
    /// The value.
    pub(crate) value: Scalar<'m>,
    /// The type that is compared: after the cast, if there is one.
    pub(crate) subject: Subject,
    /// The value is cast to this first.
    pub(crate) cast: Option<TypeName>,
}

impl<'m> Left<'m> {
    fn test(&self, test: Test<'m>) -> Filter<'m> {
        Filter::Test(self.value.clone(), test)
    }

    /// `left operator right`
    pub(crate) fn binary(&self, operator: Operator, right: Right<'m>) -> Filter<'m> {
        self.test(Test::Binary {
            cast: self.cast.clone(),
            operator,
            right,
        })
    }
}

impl<'m> Reader<'m> {
    /// `left <operator> given`, for every operator that does not compare with another column.
    pub(crate) fn compare(
        &mut self,
        left: &Left<'m>,
        operator: Name,
        given: Given<'_>,
        path: &Path,
    ) -> Result<Filter<'m>, Error> {
        let subject = &left.subject;
        match operator {
            Name::In | Name::NotIn => return self.membership(left, operator == Name::NotIn, given, path),
            Name::IsNull => return self.is_null(left, given, path),
            _ => {}
        }
        if given.is_null() {
            match (given, operator) {
                (Given::Client(_), _) if self.model.options.boolean_null_collapse => {
                    return Ok(Filter::always());
                }
                (Given::Client(_), _) => return Err(null_operand(operator, subject, path)),
                // A permission that says `_eq: null` means it.
                (Given::Stored(_), Name::Equal) => return Ok(left.test(Test::IsNull)),
                (Given::Stored(_), Name::NotEqual) => return Ok(left.test(Test::IsNotNull)),
                (Given::Stored(_), _) => {}
            }
        }
        if let Some(function) = geometry_function(operator) {
            return self.geometry(left, operator, function, given, path);
        }
        let (symbol, kind) = symbol(operator, matches!(given, Given::Stored(_)));
        let (symbol, right) = match kind {
            Kind::Same => (Operator::Builtin(symbol), self.value(given, subject, path)?),
            Kind::Pattern => {
                let pattern = if subject.name.as_ref() == "citext" {
                    subject.clone()
                } else {
                    Subject::builtin("text", ScalarClass::Text, "String")
                };
                (Operator::Builtin(symbol), self.value(given, &pattern, path)?)
            }
            Kind::Key => {
                let text = Subject::builtin("text", ScalarClass::Text, "String");
                (Operator::Builtin(symbol), self.value(given, &text, path)?)
            }
            Kind::Keys => {
                let text = Subject::builtin("text", ScalarClass::Text, "String");
                (Operator::Builtin(symbol), self.array_of(given, &text, path)?)
            }
            Kind::Ltree(type_) => {
                let operand = Subject::extension(&subject.schema, type_, ScalarClass::Other);
                (
                    Operator::Qualified(Identifier::from(&subject.schema), symbol),
                    self.value(given, &operand, path)?,
                )
            }
            Kind::LtreeArray(type_) => {
                let operand = Subject::extension(&subject.schema, type_, ScalarClass::Other);
                (
                    Operator::Qualified(Identifier::from(&subject.schema), symbol),
                    self.array_of(given, &operand, path)?,
                )
            }
        };
        Ok(left.binary(symbol, Right::Value(right)))
    }

    /// A list as one array.
    pub(crate) fn array_of(
        &mut self,
        given: Given<'_>,
        item: &Subject,
        path: &Path,
    ) -> Result<Expression, Error> {
        Ok(match self.list_value(given, item, path)? {
            ListValue::Array(array) => array,
            ListValue::Each(items) => Expression::ArrayOf(items).cast(item.type_.clone().array_of()),
        })
    }

    /// `left = any(array)`, `left <> all(array)`; nothing is in an empty list.
    fn membership(
        &mut self,
        left: &Left<'m>,
        negated: bool,
        given: Given<'_>,
        path: &Path,
    ) -> Result<Filter<'m>, Error> {
        if matches!(given, Given::Client(_)) && given.is_null() && self.model.options.boolean_null_collapse {
            return Ok(Filter::always());
        }
        Ok(match self.list_value(given, &left.subject, path)? {
            ListValue::Array(array) => left.test(Test::Quantified {
                cast: left.cast.clone(),
                operator: if negated { "<>" } else { "=" },
                all: negated,
                array,
            }),
            ListValue::Each(items) => {
                let tests = items
                    .into_iter()
                    .map(|item| {
                        let symbol = Operator::Builtin(if negated { "<>" } else { "=" });
                        left.binary(symbol, Right::Value(item))
                    })
                    .collect();
                if negated {
                    Filter::All(tests)
                } else {
                    Filter::Any(tests)
                }
            }
        })
    }

    fn is_null(&mut self, left: &Left<'m>, given: Given<'_>, path: &Path) -> Result<Filter<'m>, Error> {
        let null = match given {
            Given::Client(graphql::operation::Input::Leaf(leaf)) => self.fixed_bool(leaf),
            Given::Stored(Operand::Literal(Value::Bool(null))) => *null,
            Given::Client(_) if given.is_null() && self.model.options.boolean_null_collapse => {
                return Ok(Filter::always());
            }
            _ => return Err(null_error("Boolean", path)),
        };
        Ok(left.test(if null { Test::IsNull } else { Test::IsNotNull }))
    }

    /// `function(left, operand, …)`
    fn geometry(
        &mut self,
        left: &Left<'m>,
        operator: Name,
        function: &'static str,
        given: Given<'_>,
        path: &Path,
    ) -> Result<Filter<'m>, Error> {
        let subject = &left.subject;
        let part = |name: &str| given.part(name).ok_or_else(|| null_error(name, path));
        let number = Subject::builtin("float8", ScalarClass::Numeric, "Float");
        let band = Subject::builtin("int4", ScalarClass::Numeric, "Int");
        let geometry = Subject::extension(self.extensions(), "geometry", ScalarClass::Geometry);
        let arguments = match operator {
            Name::StDWithin | Name::St3dDWithin => {
                let mut arguments = vec![
                    self.value(part("from")?, subject, path)?,
                    self.value(part("distance")?, &number, path)?,
                ];
                if subject.class == ScalarClass::Geography {
                    let boolean = Subject::builtin("bool", ScalarClass::Boolean, "Boolean");
                    arguments.push(match given.part("use_spheroid") {
                        Some(flag) => self.value(flag, &boolean, path)?,
                        None => Expression::True,
                    });
                }
                arguments
            }
            Name::StIntersectsNbandGeom => vec![
                self.value(part("nband")?, &band, path)?,
                self.value(part("geommin")?, &geometry, path)?,
            ],
            Name::StIntersectsGeomNband => vec![
                self.value(part("geommin")?, &geometry, path)?,
                match given.part("nband") {
                    Some(number) => self.value(number, &band, path)?,
                    None => Expression::Null.cast(TypeName::builtin("int4")),
                },
            ],
            _ => vec![self.value(given, subject, path)?],
        };
        Ok(left.test(Test::Function {
            cast: left.cast.clone(),
            function: QualifiedName::new(self.extensions(), function),
            arguments,
        }))
    }
}

/// What an operator wants on its right.
enum Kind {
    /// The same type.
    Same,
    /// A pattern.
    Pattern,
    /// A key of an object.
    Key,
    /// A list of keys.
    Keys,
    /// A type of the ltree extension.
    Ltree(&'static str),
    /// An array of one.
    LtreeArray(&'static str),
}

fn symbol(operator: Name, stored: bool) -> (&'static str, Kind) {
    match operator {
        // In stored expressions null is a value like others, as in Hasura v2; the right side is never null here.
        Name::NotEqual if stored => ("is distinct from", Kind::Same),
        Name::NotEqual | Name::ColumnNotEqual => ("<>", Kind::Same),
        Name::Greater | Name::ColumnGreater => (">", Kind::Same),
        Name::Less | Name::ColumnLess => ("<", Kind::Same),
        Name::GreaterOrEqual | Name::ColumnGreaterOrEqual => (">=", Kind::Same),
        Name::LessOrEqual | Name::ColumnLessOrEqual => ("<=", Kind::Same),
        Name::Like => ("like", Kind::Pattern),
        Name::NotLike => ("not like", Kind::Pattern),
        Name::ILike => ("ilike", Kind::Pattern),
        Name::NotILike => ("not ilike", Kind::Pattern),
        Name::Similar => ("similar to", Kind::Pattern),
        Name::NotSimilar => ("not similar to", Kind::Pattern),
        Name::Regex => ("~", Kind::Pattern),
        Name::IRegex => ("~*", Kind::Pattern),
        Name::NotRegex => ("!~", Kind::Pattern),
        Name::NotIRegex => ("!~*", Kind::Pattern),
        Name::Contains => ("@>", Kind::Same),
        Name::ContainedIn => ("<@", Kind::Same),
        Name::HasKey => ("?", Kind::Key),
        Name::HasKeysAny => ("?|", Kind::Keys),
        Name::HasKeysAll => ("?&", Kind::Keys),
        Name::Ancestor => ("@>", Kind::Ltree("ltree")),
        Name::AncestorAny => ("@>", Kind::LtreeArray("ltree")),
        Name::Descendant => ("<@", Kind::Ltree("ltree")),
        Name::DescendantAny => ("<@", Kind::LtreeArray("ltree")),
        Name::Matches => ("~", Kind::Ltree("lquery")),
        Name::MatchesAny => ("?", Kind::LtreeArray("lquery")),
        Name::MatchesFulltext => ("@", Kind::Ltree("ltxtquery")),
        // The rest never gets here: membership, null tests and functions have their own shapes.
        _ => ("=", Kind::Same),
    }
}

/// The symbol of an operator that compares two columns.
pub(crate) fn column_symbol(operator: Name) -> &'static str {
    symbol(operator, false).0
}

fn geometry_function(operator: Name) -> Option<&'static str> {
    Some(match operator {
        Name::StContains => "st_contains",
        Name::StCrosses => "st_crosses",
        Name::StEquals => "st_equals",
        Name::StOverlaps => "st_overlaps",
        Name::StTouches => "st_touches",
        Name::StWithin => "st_within",
        Name::St3dIntersects => "st_3dintersects",
        Name::StDWithin => "st_dwithin",
        Name::St3dDWithin => "st_3ddwithin",
        Name::StIntersects
        | Name::StIntersectsRast
        | Name::StIntersectsNbandGeom
        | Name::StIntersectsGeomNband => "st_intersects",
        _ => return None,
    })
}

/// What Hasura says of a null, by what the operator wants.
fn null_operand(operator: Name, subject: &Subject, path: &Path) -> Error {
    let object = |name: &str| {
        Error::validation(
            path,
            format!("expected an object for type '{name}', but found null"),
        )
    };
    match operator {
        Name::HasKeysAny | Name::HasKeysAll | Name::AncestorAny | Name::DescendantAny | Name::MatchesAny => {
            null_list_error(path)
        }
        Name::HasKey => null_error("String", path),
        Name::Matches => null_error("lquery", path),
        Name::MatchesFulltext => null_error("ltxtquery", path),
        Name::StDWithin if subject.class == ScalarClass::Geography => object("st_d_within_geography_input"),
        Name::StDWithin | Name::St3dDWithin => object("st_d_within_input"),
        Name::StIntersectsNbandGeom => object("st_intersects_nband_geom_input"),
        Name::StIntersectsGeomNband => object("st_intersects_geom_nband_input"),
        _ if subject.element.is_some() => null_list_error(path),
        _ => match &subject.enum_name {
            Some(name) => Error::validation(
                path,
                format!("expected an enum value for type '{name}', but found null"),
            ),
            None => null_error(&subject.name, path),
        },
    }
}
