//! Records in binary: a count, then for each field its type, length and bytes.

use sql::shape::Codec;

use crate::codec::{Error, Fields, oid, take_i32};

/// Where the fields of the records at hand are; one buffer for a whole result, used as a stack.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    fields: Vec<Place>,
}

/// Where one field is, and what.
#[derive(Debug, Clone, Copy)]
struct Place {
    type_: u32,
    /// Start and end within the record; `None` is NULL.
    range: Option<(u32, u32)>,
}

/// One record, with the places of its fields in a [`Scratch`].
#[derive(Debug)]
pub(crate) struct Record<'a> {
    bytes: &'a [u8],
    base: usize,
    count: usize,
}

impl<'a> Record<'a> {
    /// Reads the places of all fields and hands the record to `then`.
    pub(crate) fn read(
        bytes: &'a [u8],
        scratch: &mut Scratch,
        then: impl FnOnce(&Record<'a>, &mut Scratch) -> Result<(), Error>,
    ) -> Result<(), Error> {
        const TYPE: &str = "record";
        let malformed = || Error::Malformed(TYPE);
        let base = scratch.fields.len();
        let mut rest = bytes;
        let count = usize::try_from(take_i32(&mut rest, TYPE)?).map_err(|_| malformed())?;
        // Every field takes eight bytes at least, so a false count cannot make the buffer grow.
        if count > rest.len() / 8 {
            return Err(malformed());
        }
        let mut at = 4_usize;
        for _ in 0..count {
            let type_ = take_i32(&mut rest, TYPE)?.cast_unsigned();
            let length = take_i32(&mut rest, TYPE)?;
            at += 8;
            if length == -1 {
                scratch.fields.push(Place { type_, range: None });
                continue;
            }
            let length = usize::try_from(length).map_err(|_| malformed())?;
            rest = rest.get(length..).ok_or_else(malformed)?;
            let start = u32::try_from(at).map_err(|_| malformed())?;
            at += length;
            let end = u32::try_from(at).map_err(|_| malformed())?;
            scratch.fields.push(Place {
                type_,
                range: Some((start, end)),
            });
        }
        let result = then(&Record { bytes, base, count }, scratch);
        scratch.fields.truncate(base);
        result
    }
}

impl Fields for Record<'_> {
    fn field<'a>(&'a self, index: u16, scratch: &Scratch) -> Result<Option<&'a [u8]>, Error> {
        let number = usize::from(index);
        if number >= self.count {
            return Err(Error::MissingColumn(index));
        }
        match scratch.fields.get(self.base + number) {
            Some(Place {
                range: Some((start, end)),
                ..
            }) => {
                let bytes = self.bytes.get(*start as usize..*end as usize);
                bytes.map(Some).ok_or(Error::Malformed("record"))
            }
            Some(Place { range: None, .. }) => Ok(None),
            None => Err(Error::MissingColumn(index)),
        }
    }

    fn check(&self, index: u16, codec: &Codec, scratch: &Scratch) -> Result<(), Error> {
        let place = scratch
            .fields
            .get(self.base + usize::from(index))
            .ok_or(Error::MissingColumn(index))?;
        oid::check(codec, place.type_)
    }
}
