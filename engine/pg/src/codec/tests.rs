use super::*;

fn written(codec: &Codec, bytes: &[u8]) -> String {
    let mut out = Vec::new();
    write_scalar(codec, bytes, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn all() -> Vec<Codec> {
    use Codec::*;
    let plain = vec![
        Bool,
        Int2,
        Int4,
        Int8,
        Float4,
        Float8,
        Numeric,
        Text,
        Uuid,
        Date,
        Time,
        TimeTz,
        Timestamp,
        TimestampTz,
        Bytea,
        Json,
        Jsonb,
        Oid,
        JsonText,
    ];
    let arrays = plain.iter().map(|codec| Array(Box::new(codec.clone())));
    let quoted = plain
        .iter()
        .map(|codec| Quoted(Box::new(Array(Box::new(codec.clone())))));
    plain.clone().into_iter().chain(arrays).chain(quoted).collect()
}

#[test]
fn strings_are_escaped_as_postgres_does() {
    let text = "plain text that is longer than eight bytes \"q\" \\ \u{8}\u{c}\n\r\t\u{1}\u{1f}\u{7f}é…";
    assert_eq!(
        written(&Codec::Text, text.as_bytes()),
        "\"plain text that is longer than eight bytes \\\"q\\\" \\\\ \\b\\f\\n\\r\\t\\u0001\\u001f\u{7f}é…\""
    );
    for length in 0..40 {
        for at in 0..length {
            let mut text = "x".repeat(length);
            text.replace_range(at..=at, "\n");
            let expected = format!("\"{}\"", text.replace('\n', "\\n"));
            assert_eq!(written(&Codec::Text, text.as_bytes()), expected);
        }
    }
}

#[test]
fn floats_have_postgres_notation() {
    let float8 = |value: f64| written(&Codec::Float8, &value.to_be_bytes());
    assert_eq!(float8(1e15), "1e+15");
    assert_eq!(float8(123_456_789_012_345.0), "123456789012345");
    assert_eq!(float8(0.0001), "0.0001");
    assert_eq!(float8(0.000_012_5), "1.25e-05");
    assert_eq!(float8(-0.0), "-0");
    assert_eq!(float8(5e-324), "5e-324");
    assert_eq!(float8(f64::NAN), "\"NaN\"");
    assert_eq!(written(&Codec::Float4, &1e6_f32.to_be_bytes()), "1e+06");
}

#[test]
fn numbers_can_be_strings() {
    let quoted = Codec::Quoted(Box::new(Codec::Int8));
    assert_eq!(written(&quoted, &7_i64.to_be_bytes()), "\"7\"");
    let nan = Codec::Quoted(Box::new(Codec::Float8));
    assert_eq!(written(&nan, &f64::NAN.to_be_bytes()), "\"NaN\"");
}

/// Whatever the bytes are, there is an answer, and it is not huge.
#[test]
fn malformed_bytes_are_errors() {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut next = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let codecs = all();
    for _ in 0..20_000 {
        let length = usize::try_from(next() % 40).unwrap();
        // Small bytes make lengths and counts that are nearly right.
        let bytes: Vec<u8> = (0..length)
            .map(|_| {
                if next() % 3 == 0 {
                    next() as u8
                } else {
                    (next() % 3) as u8
                }
            })
            .collect();
        for codec in &codecs {
            let mut out = Vec::new();
            let _ = write_scalar(codec, &bytes, &mut out);
            assert!(out.len() < 200_000);
        }
        let item = ValueShape::Column {
            index: 1,
            codec: Codec::Int4,
        };
        let _ = array::write_records(&bytes, &item, &mut Scratch::default(), 0, &mut Vec::new());
        let _ = Record::read(&bytes, &mut Scratch::default(), |record, scratch| {
            record.field(0, scratch).map(|_| ())
        });
    }
}
