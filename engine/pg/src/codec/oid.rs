//! Which types a codec reads, by number, where a record or array says of what type its values are: a statement may be
//! older than a change of the catalog.

use sql::shape::Codec;

use crate::codec::Error;

/// Types with numbers from here on are a database's own (domains, enums, those of extensions): a number alone says nothing.
const FIRST_UNKNOWN: u32 = 10_000;

/// Built-in types whose binary form is their text: `"char"`, `name`, `text`, `json`, `xml`, `unknown`, `bpchar`, `varchar`,
/// `cstring`.
const TEXTS: [u32; 9] = [18, 19, 25, 114, 142, 705, 1042, 1043, 2275];

/// Refuses a built-in type that the codec does not read.
pub(super) fn check(codec: &Codec, oid: u32) -> Result<(), Error> {
    let expected = match codec {
        _ if oid >= FIRST_UNKNOWN => return Ok(()),
        Codec::Bool => 16,
        Codec::Bytea => 17,
        Codec::Int8 => 20,
        Codec::Int2 => 21,
        Codec::Int4 => 23,
        Codec::Oid => 26,
        Codec::Json => 114,
        Codec::Float4 => 700,
        Codec::Float8 => 701,
        Codec::Date => 1082,
        Codec::Time => 1083,
        Codec::Timestamp => 1114,
        Codec::TimestampTz => 1184,
        Codec::TimeTz => 1266,
        Codec::Numeric => 1700,
        Codec::Uuid => 2950,
        Codec::Jsonb => 3802,
        Codec::Text | Codec::JsonText => {
            return if TEXTS.contains(&oid) {
                Ok(())
            } else {
                Err(Error::WrongOid(oid))
            };
        }
        // The array itself says of what type its elements are.
        Codec::Array(_) => return Ok(()),
        Codec::Quoted(inner) => return check(inner, oid),
    };
    if oid == expected {
        Ok(())
    } else {
        Err(Error::WrongOid(oid))
    }
}
