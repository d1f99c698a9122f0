//! From a place in metadata to the field that it came from, for messages.

use crd::Kind;
use metadata::json::Segment;
use serde_json::Value;

use super::kind::mapping;
use super::{Field, Lens, steps};

/// The field at a metadata path, as far as the tables can tell; `path` is the field the search begins at, and `given` its value, if
/// that is known.
pub(crate) fn locate(lens: &Lens, segments: &[Segment], path: String, given: Option<&Value>) -> String {
    match (lens, segments) {
        (_, []) => path,
        (Lens::Object(fields), _) => match matching_field(fields, segments, given) {
            Some((field, rest)) => {
                let given = given.and_then(|given| given.get(field.resource));
                locate(field.lens, rest, format!("{path}.{}", field.resource), given)
            }
            None => path,
        },
        (Lens::List(inner), [Segment::Index(index), rest @ ..]) => {
            let given = given.and_then(|given| given.get(index));
            locate(inner, rest, format!("{path}[{index}]"), given)
        }
        (Lens::Keyed { key, value, lens }, [Segment::Key(name), rest @ ..]) => {
            let path = format!("{path}[{key}={name}]");
            let mut items = given.and_then(Value::as_array).into_iter().flatten();
            let item = items.find(|item| item.get(key).is_some_and(|found| found == name.as_str()));
            match value {
                Some(value) => {
                    let given = item.and_then(|item| item.get(value));
                    locate(lens, rest, format!("{path}.{value}"), given)
                }
                None => locate(lens, rest, path, item),
            }
        }
        (Lens::Shown(inner) | Lens::Shared(_, inner), _) => locate(inner, segments, path, given),
        (Lens::Adjusted(adjusted), _) => locate(adjusted.inner, segments, path, given),
        // Inside JSON of the author's.
        (Lens::Json | Lens::NullableJson | Lens::Same, _) => {
            segments.iter().fold(path, |path, segment| match segment {
                Segment::Key(key) => format!("{path}.{key}"),
                Segment::Index(index) => format!("{path}[{index}]"),
            })
        }
        _ => path,
    }
}

/// The field of a kind that a place in the definition came from, as a JSONPath: `$.key[0]['another key']`. Nothing where no
/// field of the spec is it.
pub fn field_at(kind: Kind, path: &str) -> Option<String> {
    let segments = segments(path.strip_prefix('$')?)?;
    let found = locate(mapping(kind)?.lens, &segments, "spec".to_owned(), None);
    (found != "spec").then_some(found)
}

/// The steps of a JSONPath behind its `$`.
fn segments(mut rest: &str) -> Option<Vec<Segment>> {
    let mut segments = Vec::new();
    while !rest.is_empty() {
        if let Some(quoted) = rest.strip_prefix("['") {
            let (key, behind) = quoted.split_once("']")?;
            segments.push(Segment::Key(key.replace("\\'", "'").replace("\\\\", "\\")));
            rest = behind;
        } else if let Some(index) = rest.strip_prefix('[') {
            let (index, behind) = index.split_once(']')?;
            segments.push(Segment::Index(index.parse().ok()?));
            rest = behind;
        } else {
            let key = rest.strip_prefix('.')?;
            let end = key.find(['.', '[']).unwrap_or(key.len());
            let (key, behind) = key.split_at(end);
            segments.push(Segment::Key(key.to_owned()));
            rest = behind;
        }
    }
    Some(segments)
}

/// The field whose key is the longest beginning of the path; of several that stand for one key the one that is given.
fn matching_field<'f, 's>(
    fields: &'f [Field],
    segments: &'s [Segment],
    given: Option<&Value>,
) -> Option<(&'f Field, &'s [Segment])> {
    let matching = |field: &Field| {
        let steps: Vec<&str> = steps(field.metadata).collect();
        let fits = !field.resource.is_empty()
            && !field.metadata.is_empty()
            && steps.len() <= segments.len()
            && steps
                .iter()
                .zip(segments)
                .all(|(step, segment)| matches!(segment, Segment::Key(key) if key == step));
        fits.then_some(steps.len())
    };
    fields
        .iter()
        .filter_map(|field| Some((field, matching(field)?)))
        .max_by_key(|(field, length)| {
            (
                *length,
                given.is_some_and(|given| given.get(field.resource).is_some()),
            )
        })
        .map(|(field, length)| (field, segments.get(length..).unwrap_or_default()))
}
