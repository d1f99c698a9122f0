//! `numeric` in binary: the number of digits in base 10,000, the weight of the first, sign, display scale, the digits.

use crate::codec::Error;

const TYPE: &str = "numeric";

/// Writes the decimal form, or `"NaN"`, `"Infinity"`, `"-Infinity"`.
pub(super) fn write(bytes: &[u8], out: &mut Vec<u8>) -> Result<(), Error> {
    let malformed = || Error::Malformed(TYPE);
    let (header, mut rest) = bytes.split_first_chunk::<8>().ok_or_else(malformed)?;
    let [n1, n2, w1, w2, s1, s2, d1, d2] = *header;
    let count = i32::from(u16::from_be_bytes([n1, n2]));
    let weight = i32::from(i16::from_be_bytes([w1, w2]));
    match u16::from_be_bytes([s1, s2]) {
        0x0000 => {}
        0x4000 => out.push(b'-'),
        0xC000 => return special(b"\"NaN\"", out),
        0xD000 => return special(b"\"Infinity\"", out),
        0xF000 => return special(b"\"-Infinity\"", out),
        _ => return Err(malformed()),
    }
    let scale = usize::from(u16::from_be_bytes([d1, d2]));
    // The largest scale Postgres allows is 16,383.
    if rest.len() != usize::from(u16::from_be_bytes([n1, n2])) * 2 || scale > 0x3FFF {
        return Err(malformed());
    }
    let mut read = 0;
    // Digits that are not stored, behind the last or (for a negative weight) before the first, are zero.
    let mut digit = |place: i32| -> Result<u16, Error> {
        if place < 0 || read >= count {
            return Ok(0);
        }
        read += 1;
        let (head, tail) = rest.split_first_chunk::<2>().ok_or_else(malformed)?;
        rest = tail;
        let value = u16::from_be_bytes(*head);
        if value < 10_000 {
            Ok(value)
        } else {
            Err(malformed())
        }
    };
    if weight < 0 {
        out.push(b'0');
    } else {
        out.extend_from_slice(itoa::Buffer::new().format(digit(0)?).as_bytes());
        for place in 1..=weight {
            four(digit(place)?, out);
        }
    }
    if scale > 0 {
        out.push(b'.');
        let start = out.len();
        // Weight -1 is the first group behind the point; each one less is a group of zeros before it.
        let mut place = (weight + 1).min(0);
        while out.len() - start < scale {
            four(digit(place)?, out);
            place += 1;
        }
        out.truncate(start + scale);
    }
    Ok(())
}

fn special(text: &[u8], out: &mut Vec<u8>) -> Result<(), Error> {
    out.extend_from_slice(text);
    Ok(())
}

/// Four decimal digits.
fn four(value: u16, out: &mut Vec<u8>) {
    let digit = |power: u16| b'0' + u8::try_from(value / power % 10).unwrap_or(0);
    out.extend_from_slice(&[digit(1000), digit(100), digit(10), digit(1)]);
}
