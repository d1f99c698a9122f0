//! The console: one page that shows the engine's state and runs operations. It knows no secret; whoever uses it types one.

use http::header::{CONTENT_SECURITY_POLICY, LOCATION, REFERRER_POLICY, X_FRAME_OPTIONS};
use http::{HeaderValue, StatusCode};

use super::{Answer, Asked};

/// Where the page's script is.
pub const SCRIPT: &str = "/console/console.js";

/// `/` leads to the page, every path below `/console` is it.
pub fn answer(path: &str) -> Answer {
    let (content, body) = match path {
        "/" => {
            let mut answer = Answer::text(StatusCode::FOUND, "");
            answer
                .headers
                .push((LOCATION, HeaderValue::from_static("/console")));
            return answer;
        }
        SCRIPT => ("text/javascript; charset=utf-8", include_str!("console.js")),
        _ => ("text/html; charset=utf-8", include_str!("console.html")),
    };
    let mut answer = Answer::text(StatusCode::OK, body);
    answer.content = HeaderValue::from_static(content);
    answer.asked = Asked::NonGraphql(None);
    answer.headers = vec![
        (
            CONTENT_SECURITY_POLICY,
            HeaderValue::from_static("default-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'none'"),
        ),
        (X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
        (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    ];
    answer
}
