//! Strings, uuids and bytes.

/// What to do with each byte of a string: 0 copies it, `u` writes `\u00XX`, anything else is written behind a backslash.
const ESCAPES: [u8; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 0x20 {
        table[byte] = b'u';
        byte += 1;
    }
    table[0x08] = b'b';
    table[0x0c] = b'f';
    table[b'\n' as usize] = b'n';
    table[b'\r' as usize] = b'r';
    table[b'\t' as usize] = b't';
    table[b'"' as usize] = b'"';
    table[b'\\' as usize] = b'\\';
    table
};

const HEX: &[u8; 16] = b"0123456789abcdef";

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x8080_8080_8080_8080;

/// Some byte of the eight has to be escaped. May say yes for bytes after such a one, never no for it.
fn has_escape(chunk: u64) -> bool {
    let zero_in = |x: u64| x.wrapping_sub(ONES) & !x & HIGH;
    let below_space = chunk.wrapping_sub(ONES * 0x20) & !chunk & HIGH;
    (below_space | zero_in(chunk ^ (ONES * 0x22)) | zero_in(chunk ^ (ONES * 0x5c))) != 0
}

/// Writes a JSON string, escaped as Postgres's `escape_json` does.
pub(super) fn write_string(bytes: &[u8], out: &mut Vec<u8>) {
    out.reserve(bytes.len() + 2);
    out.push(b'"');
    // What needs no escape is copied in one piece, looked at eight bytes at a time.
    let mut copied = 0;
    let mut at = 0;
    while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
        if let Some(chunk) = rest.first_chunk::<8>()
            && !has_escape(u64::from_le_bytes(*chunk))
        {
            at += 8;
            continue;
        }
        let end = at + rest.len().min(8);
        for (offset, byte) in rest.iter().take(8).enumerate() {
            let escape = ESCAPES[usize::from(*byte)];
            if escape == 0 {
                continue;
            }
            out.extend_from_slice(bytes.get(copied..at + offset).unwrap_or_default());
            copied = at + offset + 1;
            out.extend_from_slice(&[b'\\', escape]);
            if escape == b'u' {
                out.extend_from_slice(b"00");
                write_hex(*byte, out);
            }
        }
        at = end;
    }
    out.extend_from_slice(bytes.get(copied..).unwrap_or_default());
    out.push(b'"');
}

fn write_hex(byte: u8, out: &mut Vec<u8>) {
    out.push(HEX[usize::from(byte >> 4)]);
    out.push(HEX[usize::from(byte & 15)]);
}

/// Writes `"\\x…"`.
pub(super) fn write_bytea(bytes: &[u8], out: &mut Vec<u8>) {
    out.reserve(bytes.len() * 2 + 5);
    out.extend_from_slice(b"\"\\\\x");
    for byte in bytes {
        write_hex(*byte, out);
    }
    out.push(b'"');
}

/// Writes a uuid in groups of 8, 4, 4, 4 and 12.
pub(super) fn write_uuid(bytes: &[u8; 16], out: &mut Vec<u8>) {
    out.push(b'"');
    for (number, byte) in bytes.iter().enumerate() {
        if matches!(number, 4 | 6 | 8 | 10) {
            out.push(b'-');
        }
        write_hex(*byte, out);
    }
    out.push(b'"');
}
