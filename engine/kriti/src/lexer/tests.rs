//! Tokens, escapes, and characters out of place.

use super::*;

fn words(source: &str) -> Vec<String> {
    lex(source)
        .unwrap()
        .iter()
        .map(|token| token.kind.to_string())
        .collect()
}

#[test]
fn braces_depend_on_the_mode() {
    assert_eq!(
        words(r#"{"a":{"b":{}}}"#)
            .iter()
            .filter(|word| *word == "}")
            .count(),
        3
    );
    assert_eq!(words(r#"{"a":{{$x}}}"#).join(" "), r#"{ " "a" " : {{ $x }} }"#);
    assert_eq!(words(r"{{ {} }}").join(" "), "{{ { } }}");
    assert_eq!(words(r"{{{}}}").join(" "), "{{ { } }}");
}

#[test]
fn strings_hold_texts_and_expressions() {
    assert_eq!(
        words(r#""a{b{{ $c["d"] }}}""#).join(" "),
        r#"" "a{b" {{ $c [ " "d" " ] }} "}" ""#
    );
    assert_eq!(words(r#""""#).join(" "), "\" \"");
}

#[test]
fn words_end_where_they_should() {
    assert_eq!(
        words("$a-b_1?.$ ??_ :=in #x\n1.5e-3.x 007.5 1e").join(" "),
        "$a-b_1 ? . $ ?? _ := in 1.5e-3 . x 007 . 5 1 e"
    );
}

#[test]
fn escapes() {
    for (written, meant) in [
        (r#"\n\t\"\\\/"#, "\n\t\"\\/"),
        (r"\d\", "\\d\\"),
        (r"\u00e9", "é"),
        (r"\ud83d\ude00!", "😀!"),
        (r"\ud83d!", "\u{fffd}!"),
        (r"\u12", "\\u12"),
        (r"\u12é3", "\\u12é3"),
    ] {
        assert_eq!(unescape(written, '"'), meant, "{written}");
    }
}

#[test]
fn bad_characters_are_reported_with_the_rest() {
    let error = lex("{{ $a\n  % }}").unwrap_err();
    let ParseError::InvalidLexeme { span, rest } = error else {
        panic!("{error:?}")
    };
    assert_eq!(span.start, Position { line: 1, column: 3 });
    assert_eq!(rest, "% }}");
    assert!(lex("'a'").is_err(), "single quotes stand in expressions only");
    assert!(lex("{{ $a['b ").is_err());
    assert!(lex("-").is_err());
}

#[test]
fn a_long_template_is_refused() {
    assert!(matches!(
        lex(&" ".repeat(MAX_TEMPLATE_BYTES + 1)),
        Err(ParseError::TooLong { .. })
    ));
}
