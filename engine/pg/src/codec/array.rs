//! Arrays in binary: the number of dimensions, a flag, the element type, each dimension's length and lower bound, then the
//! elements with their lengths.

use sql::shape::{Codec, ValueShape};

use crate::codec::{Error, Record, Scratch, oid, take_i32, take_value, write_scalar, write_value};

const TYPE: &str = "array";

/// Postgres's `MAXDIM`.
const MOST_DIMENSIONS: usize = 6;

/// An array's header.
struct Header {
    /// Lengths of the dimensions; none for an empty array.
    lengths: [usize; MOST_DIMENSIONS],
    dimensions: usize,
    /// Number of the elements' type.
    element: u32,
}

fn header(bytes: &mut &[u8]) -> Result<Header, Error> {
    let malformed = || Error::Malformed(TYPE);
    let dimensions = usize::try_from(take_i32(bytes, TYPE)?).map_err(|_| malformed())?;
    take_i32(bytes, TYPE)?;
    let element = take_i32(bytes, TYPE)?.cast_unsigned();
    let mut lengths = [0; MOST_DIMENSIONS];
    for place in lengths.get_mut(..dimensions).ok_or_else(malformed)? {
        *place = usize::try_from(take_i32(bytes, TYPE)?).map_err(|_| malformed())?;
        take_i32(bytes, TYPE)?;
    }
    Ok(Header {
        lengths,
        dimensions,
        element,
    })
}

/// Writes `[…]` of scalars, nested as deep as the array has dimensions.
pub(super) fn write_scalars(bytes: &[u8], element: &Codec, out: &mut Vec<u8>) -> Result<(), Error> {
    write_elements(bytes, element, out, |value, out| {
        write_scalar(element, value, out)
    })
}

/// The same with every element as a JSON string.
pub(super) fn write_quoted(bytes: &[u8], element: &Codec, out: &mut Vec<u8>) -> Result<(), Error> {
    write_elements(bytes, element, out, |value, out| {
        super::write_quoted(element, value, out)
    })
}

fn write_elements(
    mut bytes: &[u8],
    element: &Codec,
    out: &mut Vec<u8>,
    mut write: impl FnMut(&[u8], &mut Vec<u8>) -> Result<(), Error>,
) -> Result<(), Error> {
    let header = header(&mut bytes)?;
    oid::check(element, header.element)?;
    match header.lengths.get(..header.dimensions) {
        None | Some([]) => out.extend_from_slice(b"[]"),
        Some(lengths) => write_dimension(&mut bytes, lengths, out, &mut write)?,
    }
    if bytes.is_empty() {
        Ok(())
    } else {
        Err(Error::Malformed(TYPE))
    }
}

fn write_dimension(
    bytes: &mut &[u8],
    lengths: &[usize],
    out: &mut Vec<u8>,
    write: &mut impl FnMut(&[u8], &mut Vec<u8>) -> Result<(), Error>,
) -> Result<(), Error> {
    let Some((length, inner)) = lengths.split_first() else {
        return Ok(());
    };
    out.push(b'[');
    for number in 0..*length {
        // Only bytes that are there are walked through, whatever the header promises.
        if bytes.is_empty() {
            return Err(Error::Malformed(TYPE));
        }
        if number > 0 {
            out.push(b',');
        }
        if !inner.is_empty() {
            write_dimension(bytes, inner, out, write)?;
            continue;
        }
        match take_value(bytes, TYPE)? {
            Some(value) => write(value, out)?,
            None => out.extend_from_slice(b"null"),
        }
    }
    out.push(b']');
    Ok(())
}

/// Writes `[…]` of records.
pub(super) fn write_records(
    mut bytes: &[u8],
    item: &ValueShape,
    scratch: &mut Scratch,
    depth: u32,
    out: &mut Vec<u8>,
) -> Result<(), Error> {
    let header = header(&mut bytes)?;
    if header.dimensions > 1 {
        return Err(Error::Malformed(TYPE));
    }
    let [length, ..] = header.lengths;
    out.push(b'[');
    for number in 0..length {
        if number > 0 {
            out.push(b',');
        }
        match take_value(&mut bytes, TYPE)? {
            Some(record) => Record::read(record, scratch, |record, scratch| {
                write_value(item, record, scratch, depth + 1, out)
            })?,
            None => out.extend_from_slice(b"null"),
        }
    }
    out.push(b']');
    Ok(())
}
