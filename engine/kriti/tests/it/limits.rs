//! Hostile templates end in an error, not in a full memory or a stack overflow.

use std::time::{Duration, Instant};

use kriti::{Context, ParseError, RenderError, Template, limit::MAX_DEPTH};
use serde_json::json;

/// Runs on a stack of 1 MiB, half of what the server's threads have.
fn on_a_small_stack(work: impl FnOnce() + Send + 'static) {
    std::thread::Builder::new()
        .stack_size(1 << 20)
        .spawn(work)
        .unwrap()
        .join()
        .unwrap();
}

#[test]
fn nesting_is_bounded() {
    on_a_small_stack(|| {
        let many = 100_000;
        for (open, close) in [
            ("[", "]"),
            ("(", ")"),
            ("{\"a\":", "}"),
            ("{{ ", " }}"),
            ("{{ if true }} ", " {{ else }} 1 {{ end }}"),
            ("{{ range i, x := [1] }} ", " {{ end }}"),
            ("not ", ""),
            ("f(", ")"),
            ("escapeUri ", ""),
            ("$a[", "]"),
            ("\"{{", "}}\""),
            ("1 == (1 ?? ", ")"),
        ] {
            let source = |depth: usize| format!("{}x{}", open.repeat(depth), close.repeat(depth));
            let deep = source(many / open.len());
            assert!(
                matches!(Template::parse(&deep), Err(ParseError::TooDeep { .. })),
                "{open}"
            );
            let template =
                Template::parse(&source(MAX_DEPTH - 2)).unwrap_or_else(|error| panic!("{open} {error}"));
            // Most fail, for want of `x`; none overflows.
            drop(
                template.render(
                    &Context::new()
                        .with("x", json!(true))
                        .with("$a", json!({"true": 1})),
                ),
            );
        }
    });
}

#[test]
fn the_deepest_mixture_fits_the_stack() {
    on_a_small_stack(|| {
        // Five levels each, and each with every precedence.
        let source = |count: usize| {
            let (open, close) = ("(true || true && 1 == null ?? not(size([", "]) == 1))");
            format!("{}1{}", open.repeat(count), close.repeat(count))
        };
        let template = Template::parse(&source(MAX_DEPTH / 5)).unwrap();
        assert_eq!(template.render(&Context::new()), Ok(json!(true)));
        assert!(Template::parse(&source(MAX_DEPTH / 5 + 1)).is_err());
    });
}

#[test]
fn chains_are_as_long_as_one_likes() {
    on_a_small_stack(|| {
        let sum = format!("true{}", " && true".repeat(50_000));
        assert_eq!(
            Template::parse(&sum).unwrap().render(&Context::new()),
            Ok(json!(true))
        );
        let path = format!("$a{}", "?.b".repeat(50_000));
        assert_eq!(
            Template::parse(&path).unwrap().render(&Context::new()),
            Ok(json!(null))
        );
        let choice = format!(
            "{{{{ if false }}}} 1{} {{{{ else }}}} 2 {{{{ end }}}}",
            " {{ elif false }} 1".repeat(20_000)
        );
        assert_eq!(
            Template::parse(&choice).unwrap().render(&Context::new()),
            Ok(json!(2))
        );
    });
}

#[test]
fn work_is_bounded() {
    let list: Vec<u32> = (0..1000).collect();
    let context = Context::new()
        .with("$l", json!(list))
        .with("$s", json!("x".repeat(1 << 20)));
    for source in [
        "{{ range _, a := $l }}{{ range _, b := $l }}{{ range _, c := $l }} 1 {{ end }}{{ end }}{{ end }}",
        "{{ range _, a := $l }} \"{{ $s }}{{ $s }}\" {{ end }}",
        "{{ range _, a := $l }} {{ $s }} {{ end }}",
        "{{ range _, a := $l }}{{ range _, b := $l }} {{ $l == $l }} {{ end }}{{ end }}",
        "{{ range _, a := $l }}{{ range _, b := $l }} {{ 2000 in $l }} {{ end }}{{ end }}",
        "{{ range _, a := $l }}{{ range _, b := $l }} {{ size($s) }} {{ end }}{{ end }}",
    ] {
        let start = Instant::now();
        let error = Template::parse(source).unwrap().render(&context).unwrap_err();
        assert!(
            matches!(error, kriti::Error::Render(RenderError::TooMuchWork { .. })),
            "{source}: {error:?}"
        );
        assert!(start.elapsed() < Duration::from_secs(20), "{source}");
    }
    let swallowed = "{{ ({{ range _, a := $l }} {{ $s }} {{ end }})?.a }}";
    assert!(
        Template::parse(swallowed).unwrap().render(&context).is_err(),
        "`?` does not hide a limit"
    );
}
