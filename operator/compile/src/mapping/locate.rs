//! From a place in metadata to the field that it came from, for messages.

use crd::Kind;
use metadata::json::Segment;

use super::kind::mapping;
use super::{Field, Lens, steps};

/// The field at a metadata path, as far as the tables can tell; `path` is the field the search begins at.
pub(crate) fn locate(lens: &Lens, segments: &[Segment], path: String) -> String {
    match (lens, segments) {
        (_, []) => path,
        (Lens::Object(fields), _) => match matching_field(fields, segments) {
            Some((field, rest)) => locate(field.lens, rest, format!("{path}.{}", field.resource)),
            None => path,
        },
        (Lens::List(inner), [Segment::Index(index), rest @ ..]) => {
            locate(inner, rest, format!("{path}[{index}]"))
        }
        (Lens::Keyed { key, value, lens }, [Segment::Key(name), rest @ ..]) => {
            let path = format!("{path}[{key}={name}]");
            match value {
                Some(value) => locate(lens, rest, format!("{path}.{value}")),
                None => locate(lens, rest, path),
            }
        }
        (Lens::Shown(inner) | Lens::Shared(_, inner), _) => locate(inner, segments, path),
        (Lens::Adjusted(adjusted), _) => locate(adjusted.inner, segments, path),
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

/// The field of a kind that a place in the definition came from: keys behind `$`, each after a dot. Nothing where no field of
/// the spec is it.
pub fn field_at(kind: Kind, path: &str) -> Option<String> {
    let keys = path.strip_prefix("$.")?.split('.');
    let segments: Vec<Segment> = keys.map(|key| Segment::Key(key.to_owned())).collect();
    let found = locate(mapping(kind)?.lens, &segments, "spec".to_owned());
    (found != "spec").then_some(found)
}

/// The field whose key is the longest beginning of the path.
fn matching_field<'f, 's>(
    fields: &'f [Field],
    segments: &'s [Segment],
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
        .max_by_key(|(_, length)| *length)
        .map(|(field, length)| (field, segments.get(length..).unwrap_or_default()))
}
