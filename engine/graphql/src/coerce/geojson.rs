//! What Hasura's GeoJSON parser accepts and says. Whether the shape is valid beyond that is Postgres's business.

use serde_json::Value;

use crate::scientific::Scientific;

/// Checks a geometry; a string (for instance well-known text) is left to Postgres. The error is the message.
pub(super) fn check(value: &Value) -> Result<(), String> {
    if value.is_string() {
        Ok(())
    } else {
        geometry(value)
    }
}

/// Recursion is bounded by how deep a request's JSON and document may be nested.
fn geometry(value: &Value) -> Result<(), String> {
    let Value::Object(fields) = value else {
        return Err(wrong("Geometry", "Object", value));
    };
    let field = |key: &str| fields.get(key).ok_or_else(|| format!("key \"{key}\" not found"));
    let kind = match field("type")? {
        Value::String(kind) => kind.as_str(),
        other => return Err(wrong("String", "String", other)),
    };
    match kind {
        "Point" => position(field("coordinates")?),
        "MultiPoint" => each("[]", field("coordinates")?, position),
        "LineString" => line_string(field("coordinates")?),
        "MultiLineString" => each("[]", field("coordinates")?, line_string),
        "Polygon" => polygon(field("coordinates")?),
        "MultiPolygon" => each("[]", field("coordinates")?, polygon),
        "GeometryCollection" => each("[]", field("geometries")?, geometry),
        other => Err(format!("unexpected geometry type: {other}")),
    }
}

fn wrong(what: &str, expected: &str, value: &Value) -> String {
    let found = match value {
        Value::Null => "Null",
        Value::Bool(_) => "Boolean",
        Value::Number(_) => "Number",
        Value::String(_) => "String",
        Value::Array(_) => "Array",
        Value::Object(_) => "Object",
    };
    format!("parsing {what} failed, expected {expected}, but encountered {found}")
}

fn items<'v>(what: &str, value: &'v Value) -> Result<&'v [Value], String> {
    match value {
        Value::Array(items) => Ok(items),
        other => Err(wrong(what, "Array", other)),
    }
}

fn each(what: &str, value: &Value, check: impl Fn(&Value) -> Result<(), String>) -> Result<(), String> {
    items(what, value)?.iter().try_for_each(check)
}

fn position(value: &Value) -> Result<(), String> {
    let coordinates = items("Position", value)?;
    for coordinate in coordinates {
        if !coordinate.is_number() {
            return Err(wrong("Double", "Number", coordinate));
        }
    }
    if coordinates.len() < 2 {
        return Err("A Position needs at least 2 elements".to_owned());
    }
    Ok(())
}

fn line_string(value: &Value) -> Result<(), String> {
    each("LineString", value, position)?;
    if items("LineString", value)?.len() < 2 {
        return Err("A LineString needs at least 2 Positions".to_owned());
    }
    Ok(())
}

fn polygon(value: &Value) -> Result<(), String> {
    each("[]", value, linear_ring)
}

fn linear_ring(value: &Value) -> Result<(), String> {
    each("LinearRing", value, position)?;
    let positions = items("LinearRing", value)?;
    if positions.len() < 4 {
        return Err("A LinearRing needs at least 4 Positions".to_owned());
    }
    // Only the first three elements of a position count.
    let numbers = |position: Option<&Value>| -> Vec<Scientific> {
        let elements = position.and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        elements
            .iter()
            .take(3)
            .filter_map(Value::as_number)
            .map(Scientific::of)
            .collect()
    };
    if numbers(positions.first()) != numbers(positions.last()) {
        return Err("the first and last locations have to be equal for a LinearRing".to_owned());
    }
    Ok(())
}
