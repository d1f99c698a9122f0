//! Values of Secrets as the API server shows them.

/// The bytes of a text in base64; signs that do not belong are passed over.
pub fn decode(text: &str) -> Vec<u8> {
    const SIGNS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let (mut bytes, mut bits, mut count) = (Vec::new(), 0_u32, 0);
    for sign in text.bytes() {
        let Some(value) = SIGNS.iter().position(|known| *known == sign) else {
            continue;
        };
        bits = (bits << 6) | u32::try_from(value).unwrap_or_default();
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from((bits >> count) & 0xff).unwrap_or_default());
        }
    }
    bytes
}

#[test]
fn decodes() {
    assert_eq!(decode("cm93bG9jaw=="), b"rowlock");
    assert_eq!(decode("YWI="), b"ab");
    assert_eq!(decode(""), b"");
}
