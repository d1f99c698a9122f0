//! Bodies: reading a request's within its limits, compressing a response's.

use std::io::Write;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use flate2::Compression;
use flate2::write::GzEncoder;
use http::header::{ACCEPT_ENCODING, CONTENT_LENGTH};
use http::{HeaderMap, StatusCode};
use http_body_util::BodyExt;
use hyper::body::Body;

use super::error::{ApiError, Code};

/// Bodies below this size are not worth compressing (Hasura's bound).
const LEAST_COMPRESSED: usize = 700;

/// From this size on compressing takes milliseconds and moves to a blocking thread.
const MUCH: usize = 256 * 1024;

/// The whole body of a request.
pub async fn read<B>(
    headers: &HeaderMap,
    body: B,
    limit: usize,
    patience: Duration,
) -> Result<Bytes, ApiError>
where
    B: Body<Data = Bytes> + Unpin,
{
    let announced = headers
        .get(CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok())
        .and_then(|text| text.parse::<usize>().ok());
    if announced.is_some_and(|length| length > limit) {
        return Err(too_large(limit));
    }
    let mut body = body;
    let mut first = Bytes::new();
    let mut rest = BytesMut::new();
    while !body.is_end_stream() {
        let Ok(frame) = tokio::time::timeout(patience, body.frame()).await else {
            return Err(ApiError::new(Code::Timeout, "the request's body took too long")
                .status(StatusCode::REQUEST_TIMEOUT));
        };
        let Some(frame) = frame else { break };
        let frame =
            frame.map_err(|_| ApiError::new(Code::BadRequest, "the request's body could not be read"))?;
        let Ok(data) = frame.into_data() else { continue };
        if first.len() + rest.len() + data.len() > limit {
            return Err(too_large(limit));
        }
        // Nearly all bodies come in one piece, which is passed on without a copy.
        if first.is_empty() {
            first = data;
        } else {
            if rest.is_empty() {
                rest.reserve(announced.unwrap_or(0).max(first.len() + data.len()));
            }
            rest.extend_from_slice(&data);
        }
    }
    if rest.is_empty() {
        return Ok(first);
    }
    let mut whole = BytesMut::with_capacity(first.len() + rest.len());
    whole.extend_from_slice(&first);
    whole.extend_from_slice(&rest);
    Ok(whole.freeze())
}

fn too_large(limit: usize) -> ApiError {
    ApiError::new(
        Code::PayloadTooLarge,
        format!("the request's body is larger than {limit} bytes"),
    )
}

/// Compresses a body if the client wants it and it is worth it.
pub async fn compress(headers: &HeaderMap, body: Bytes) -> (Bytes, Option<&'static str>) {
    let wish = Wish::of(headers);
    if !wish.gzip || (wish.identity && body.len() < LEAST_COMPRESSED) {
        return (body, None);
    }
    let compressed = if body.len() < MUCH {
        gzip(&body)
    } else {
        let body = body.clone();
        tokio::task::spawn_blocking(move || gzip(&body))
            .await
            .ok()
            .flatten()
    };
    match compressed {
        Some(compressed) => (compressed, Some("gzip")),
        None => (body, None),
    }
}

fn gzip(body: &[u8]) -> Option<Bytes> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(body.len() / 4 + 64), Compression::fast());
    encoder.write_all(body).ok()?;
    encoder.finish().ok().map(Bytes::from)
}

/// What `Accept-Encoding` says.
#[derive(Debug, PartialEq, Eq)]
struct Wish {
    gzip: bool,
    identity: bool,
}

impl Wish {
    fn of(headers: &HeaderMap) -> Self {
        let mut wish = Self {
            gzip: false,
            identity: true,
        };
        let mut any = None;
        let (mut gzip, mut identity) = (None, None);
        for value in headers.get_all(ACCEPT_ENCODING) {
            for item in value.to_str().unwrap_or_default().split(',') {
                let (name, quality) = item.split_once(';').unwrap_or((item, ""));
                let accepted = quality
                    .trim()
                    .strip_prefix("q=")
                    .is_none_or(|q| q.parse::<f32>().is_ok_and(|q| q > 0.0));
                match name.trim() {
                    "gzip" | "x-gzip" => gzip = Some(accepted),
                    "identity" => identity = Some(accepted),
                    "*" => any = Some(accepted),
                    _ => {}
                }
            }
        }
        wish.gzip = gzip.or(any).unwrap_or(false);
        wish.identity = identity.unwrap_or(any != Some(false));
        wish
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use http::HeaderValue;
    use http_body_util::Full;

    use super::*;

    fn accepting(text: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(ACCEPT_ENCODING, HeaderValue::from_static(text))])
    }

    #[test]
    fn wishes() {
        let wish = |text| {
            let wish = Wish::of(&accepting(text));
            (wish.gzip, wish.identity)
        };
        assert_eq!(wish("gzip, deflate, br"), (true, true));
        assert_eq!(wish("br"), (false, true));
        assert_eq!(wish("gzip;q=0"), (false, true));
        assert_eq!(wish("*"), (true, true));
        assert_eq!(wish("gzip, identity;q=0"), (true, false));
        assert_eq!(wish("gzip, *;q=0"), (true, false));
    }

    #[tokio::test]
    async fn small_bodies_are_left_alone_and_large_ones_round_trip() {
        let small = Bytes::from(vec![b'a'; LEAST_COMPRESSED - 1]);
        assert_eq!(
            compress(&accepting("gzip"), small.clone()).await,
            (small.clone(), None)
        );
        let (_, encoding) = compress(&accepting("gzip, identity;q=0"), small).await;
        assert_eq!(encoding, Some("gzip"));
        for size in [LEAST_COMPRESSED, MUCH + 1] {
            let body = Bytes::from(vec![b'a'; size]);
            let (compressed, encoding) = compress(&accepting("gzip"), body.clone()).await;
            assert_eq!(encoding, Some("gzip"));
            let mut plain = Vec::new();
            flate2::read::GzDecoder::new(&compressed[..])
                .read_to_end(&mut plain)
                .unwrap();
            assert_eq!(plain, body);
        }
    }

    #[tokio::test]
    async fn bodies_are_bounded() {
        let patience = Duration::from_secs(1);
        let body = || Full::new(Bytes::from_static(b"12345"));
        let read_with = |limit| async move { read(&HeaderMap::new(), body(), limit, patience).await };
        assert_eq!(read_with(5).await.unwrap(), "12345");
        assert_eq!(
            read_with(4).await.unwrap_err().status,
            StatusCode::PAYLOAD_TOO_LARGE
        );
        let announced = HeaderMap::from_iter([(CONTENT_LENGTH, HeaderValue::from_static("99"))]);
        assert!(read(&announced, body(), 50, patience).await.is_err());
    }
}
