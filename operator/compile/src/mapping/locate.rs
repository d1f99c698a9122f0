//! From a place in metadata to the field that it came from, for messages.

use metadata::json::Segment;

use super::{Field, Lens, steps};

/// The field at a metadata path, as far as the tables can tell; `path` is the field the search begins at.
pub(crate) fn locate(lens: &Lens, segments: &[Segment], path: String) -> String {
    match (lens, segments) {
        (_, []) => path,
        (Lens::Object(fields), _) => match field_at(fields, segments) {
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

/// The field whose key is the longest beginning of the path.
fn field_at<'f, 's>(fields: &'f [Field], segments: &'s [Segment]) -> Option<(&'f Field, &'s [Segment])> {
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
