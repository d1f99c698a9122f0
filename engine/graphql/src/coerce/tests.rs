use serde_json::json;

use super::*;
use crate::document::parse_literal;

fn told(result: Result<Cow<'_, Value>, Error>) -> String {
    match result {
        Ok(value) => value.to_string(),
        Err(error) => format!("{}: {error}", error.code.as_str()),
    }
}

fn of_json(class: InputClass, type_name: &str, text: &str) -> String {
    let value: Value = serde_json::from_str(text).expect("JSON");
    told(scalar(class, type_name, &Path::root(), Given::Json(&value)))
}

fn of_literal(class: InputClass, type_name: &str, text: &str) -> String {
    let literal = parse_literal(text).expect("a literal");
    told(scalar(class, type_name, &Path::root(), Given::Literal(&literal)))
}

#[test]
fn json_values() {
    use InputClass as C;
    let outside =
        "lies outside the bounds or is not an integer. Maybe it is a float, or is there integer overflow?";
    for (class, type_name, given, expected) in [
        (C::Int, "Int", "5", "5".to_owned()),
        (C::Int, "Int", "5.0", "5".to_owned()),
        (C::Int, "Int", "\"-7\"", "\"-7\"".to_owned()),
        (C::Int, "Int", "2147483648", format!("parse-failed: The value 2.147483648e9 {outside}")),
        (C::Int, "Int", "1.5", format!("parse-failed: The value 1.5 {outside}")),
        (C::Int, "Int", "[]", "validation-failed: expected a 32-bit integer for type 'Int', but found a list".to_owned()),
        (C::NonNegativeInt, "Int", "-1", "validation-failed: expected a non-negative 32-bit integer for type 'Int', but found a number".to_owned()),
        (C::NonNegativeInt, "Int", "0.5", format!("parse-failed: The value 0.5 {outside}")),
        (C::NonNegativeBigInt, "Int", "\"9223372036854775807\"", "9223372036854775807".to_owned()),
        (C::NonNegativeBigInt, "Int", "\"x\"", "validation-failed: expected a 32-bit integer, or a 64-bit integer represented as a string for type 'Int', but found a string".to_owned()),
        (C::NonNegativeBigInt, "Int", "-3", "validation-failed: expected a non-negative 32-bit integer for type 'Int', but found a number".to_owned()),
        (C::Float, "Float", "1.50", "1.50".to_owned()),
        (C::Float, "Float", "\"NaN\"", "\"NaN\"".to_owned()),
        (C::Float, "Float", "1e400", "parse-failed: The value 1.0e400 lies outside the bounds. Is it overflowing the float bounds?".to_owned()),
        (C::Float, "Float", "[]", "validation-failed: expected a float for type 'Float', but found a list".to_owned()),
        (C::String, "String", "\"a\"", "\"a\"".to_owned()),
        (C::String, "String", "1", "validation-failed: expected a string for type 'String', but found a number".to_owned()),
        (C::Boolean, "Boolean", "true", "true".to_owned()),
        (C::Boolean, "Boolean", "\"yes\"", "validation-failed: expected a boolean for type 'Boolean', but found a string".to_owned()),
        (C::Id, "ID", "12", "\"12\"".to_owned()),
        (C::Id, "ID", "{}", "validation-failed: expected a String or a 32-bit integer for type 'ID', but found an object".to_owned()),
        (C::SmallInt, "smallint", "32768", format!("parse-failed: The value 32768.0 {outside}")),
        (C::SmallInt, "smallint", "\"9\"", "\"9\"".to_owned()),
        (C::BigInt, "bigint", "9007199254740993", "9007199254740993".to_owned()),
        (C::BigInt, "bigint", "1e30", format!("parse-failed: The value 1.0e30 {outside}")),
        (C::BigInt, "bigint", "true", "parse-failed: parsing Integer expected for input type: bigint failed, expected Number, but encountered Boolean".to_owned()),
        (C::Number, "numeric", "1234567890123456789012345678901234567890.10", "1234567890123456789012345678901234567890.10".to_owned()),
        (C::Number, "numeric", "\"NaN\"", "\"NaN\"".to_owned()),
        (C::Number, "numeric", "{}", "parse-failed: parsing Scientific failed, expected Number, but encountered Object".to_owned()),
        (C::Text, "uuid", "\"x\"", "\"x\"".to_owned()),
        (C::Text, "uuid", "1", "parse-failed: parsing UUID failed, expected String, but encountered Number".to_owned()),
        (C::Text, "mood", "[]", "parse-failed: A string is expected for type: mood".to_owned()),
        (C::Json, "jsonb", "{\"1\":[null]}", "{\"1\":[null]}".to_owned()),
        (C::Raster, "raster", "\"0aFF\"", "\"0aFF\"".to_owned()),
        (C::Raster, "raster", "\"0aF\"", "parse-failed: invalid hexadecimal representation of raster well known binary format".to_owned()),
        (C::Raster, "raster", "1", "parse-failed: expecting String for raster".to_owned()),
        (C::Ltree, "ltree", "\"a.b\"", "\"a.b\"".to_owned()),
        (C::Ltree, "ltree", "\"a.b.\"", "parse-failed: Expecting label path: a sequence of zero or more labels separated by dots, for example L1.L2.L3".to_owned()),
    ] {
        assert_eq!(of_json(class, type_name, given), expected, "{class:?} {given}");
    }
}

#[test]
fn literals() {
    use InputClass as C;
    for (class, given, expected) in [
        (
            C::Int,
            "5.0",
            "validation-failed: expected a 32-bit integer for type 't', but found a float",
        ),
        (
            C::NonNegativeInt,
            "-1",
            "validation-failed: expected a non-negative 32-bit integer for type 't', but found an integer",
        ),
        (C::Float, "3", "3"),
        (C::Id, "7", "\"7\""),
        (
            C::String,
            "red",
            "validation-failed: expected a string for type 't', but found an enum value",
        ),
        (C::Text, "red", "\"red\""),
        (C::Number, "1.10", "1.10"),
        (C::Json, "{a: [red, 1.0, \"x\"]}", "{\"a\":[\"red\",1.0,\"x\"]}"),
    ] {
        assert_eq!(of_literal(class, "t", given), expected, "{class:?} {given}");
    }
}

#[test]
fn geometries() {
    for (given, expected) in [
        (r#""POINT(1 2)""#, "fine"),
        (r#"{"type":"Point","coordinates":[1,2,3,4]}"#, "fine"),
        (
            r#"{"type":"Point","coordinates":[1]}"#,
            "A Position needs at least 2 elements",
        ),
        (
            r#"{"type":"Point","coordinates":["1",2]}"#,
            "parsing Double failed, expected Number, but encountered String",
        ),
        (r#"{"type":"Point"}"#, "key \"coordinates\" not found"),
        (r#"{"coordinates":[1,2]}"#, "key \"type\" not found"),
        (
            r#"{"type":"Blob","coordinates":[]}"#,
            "unexpected geometry type: Blob",
        ),
        (
            r#"{"type":"LineString","coordinates":[[1,2]]}"#,
            "A LineString needs at least 2 Positions",
        ),
        (r#"{"type":"MultiPoint","coordinates":[]}"#, "fine"),
        (
            r#"{"type":"Polygon","coordinates":[[[0,0],[1,0],[0.0,0]]]}"#,
            "A LinearRing needs at least 4 Positions",
        ),
        (
            r#"{"type":"Polygon","coordinates":[[[0,0],[1,0],[1,1],[0.0,0,9]]]}"#,
            "the first and last locations have to be equal for a LinearRing",
        ),
        (
            r#"{"type":"MultiPolygon","coordinates":[[[[0,0],[1,0],[1,1],[0.0,0e3]]]]}"#,
            "fine",
        ),
        (
            r#"{"type":"GeometryCollection","geometries":[{"type":"Point","coordinates":[1,2]},3]}"#,
            "parsing Geometry failed, expected Object, but encountered Number",
        ),
    ] {
        let said = of_json(InputClass::GeoJson, "geometry", given);
        let said = said.strip_prefix("parse-failed: ").unwrap_or("fine");
        assert_eq!(said, expected, "{given}");
    }
}

#[test]
fn lists_say_where() {
    let list = |value: &Value, nullable: bool| match scalars(
        InputClass::Int,
        nullable,
        "Int",
        &Path::root().key("a"),
        value,
    ) {
        Ok(value) => value.to_string(),
        Err(error) => format!("{} {error}", error.path),
    };
    assert_eq!(list(&json!([1, 2]), false), "[1,2]");
    assert_eq!(list(&json!([1, "2", 3e0]), false), "[1,\"2\",3]");
    assert_eq!(list(&json!(4), false), "4");
    assert_eq!(list(&json!("{1,2}"), false), "\"{1,2}\"");
    assert_eq!(list(&json!([1, null]), true), "[1,null]");
    assert_eq!(
        list(&json!([1, null]), false),
        "$.a[1] unexpected null value for type 'Int'"
    );
    assert_eq!(
        list(&json!([1, {}]), false),
        "$.a[1] expected a 32-bit integer for type 'Int', but found an object"
    );
    assert_eq!(
        list(&json!(true), false),
        "$.a[0] expected a 32-bit integer for type 'Int', but found a boolean"
    );
}
