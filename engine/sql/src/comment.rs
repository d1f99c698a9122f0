//! Comments beside a statement (query tags). Text from outside is made harmless here: it cannot end the comment.

/// `/* k=v, k=v */` with a space where it meets the statement. Values with `*/`, `/*` or control characters
/// have these characters removed.
pub fn standard(tags: &[(&str, &str)]) -> String {
    if tags.is_empty() {
        return String::new();
    }
    let mut out = String::from("/* ");
    for (at, (key, value)) in tags.iter().enumerate() {
        if at > 0 {
            out.push_str(", ");
        }
        out.push_str(key);
        out.push('=');
        let mut previous = ' ';
        for character in value.chars() {
            let closes = matches!((previous, character), ('*', '/') | ('/', '*'));
            if !character.is_control() && !closes {
                out.push(character);
                previous = character;
            }
        }
    }
    out.push_str(" */");
    out
}

/// `/*k='v',k='v'*/` as sqlcommenter has it: keys sorted, values URL-encoded.
pub fn sqlcommenter(tags: &[(&str, &str)]) -> String {
    if tags.is_empty() {
        return String::new();
    }
    let mut tags = tags.to_vec();
    tags.sort_unstable();
    let mut out = String::from("/*");
    for (at, (key, value)) in tags.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        percent_encode(key, &mut out);
        out.push_str("='");
        percent_encode(value, &mut out);
        out.push('\'');
    }
    out.push_str("*/");
    out
}

fn percent_encode(text: &str, out: &mut String) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            out.push(char::from(byte));
        } else {
            out.push('%');
            out.push(char::from(HEX[usize::from(byte >> 4)]));
            out.push(char::from(HEX[usize::from(byte & 15)]));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_cannot_end_the_comment() {
        for hostile in ["*/ drop table x; /*", "**//", "*\u{0}/", "/*", "*//*/"] {
            let comment = standard(&[("operation_name", hostile)]);
            let inside = &comment[2..comment.len() - 2];
            assert!(!inside.contains("*/") && !inside.contains("/*"), "{comment}");
            let comment = sqlcommenter(&[("operation_name", hostile)]);
            let inside = &comment[2..comment.len() - 2];
            assert!(!inside.contains("*/") && !inside.contains("/*"), "{comment}");
        }
    }

    #[test]
    fn formats() {
        let tags = [("field_name", "a b"), ("a", "1")];
        assert_eq!(standard(&tags), "/* field_name=a b, a=1 */");
        assert_eq!(sqlcommenter(&tags), "/*a='1',field_name='a%20b'*/");
    }
}
