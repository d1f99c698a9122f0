//! `/api/rest/…`: saved queries under paths of their own.
//!
//! Segments of the path are decoded one by one before they are compared: `%2F` is part of its segment, never a separator.
//! Variables come from the path, a JSON body, the query string and a form, in this order. What comes as text is read by the
//! variable's declared type. The answer is the content of `data`; errors have the plain shape and their own status.

use std::borrow::Cow;
use std::sync::Arc;

use graphql::Name;
use graphql::type_system::TypeReference;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, Method, StatusCode};
use indexmap::IndexMap;
use metadata::rest::RestMethod;
use schema::rest_endpoint::Match;
use serde_json::{Map, Value};

use super::error::{ApiError, Code};
use super::{Answer, Call, visibility};
use crate::auth::Authenticated;
use crate::generation::Generation;
use crate::request::{self, Context, Request};
use crate::state::State;

/// What the paths of all endpoints begin with.
pub const PREFIX: &str = "/api/rest/";

/// What `{"data":…}` begins with.
const DATA: &[u8] = b"{\"data\":";

/// Variables by name, as text.
type Pairs = Vec<(String, String)>;

/// Answers one call.
pub async fn answer(state: &Arc<State>, authenticated: Authenticated, call: &Call<'_>) -> Answer {
    let generation = state.current();
    let session = &authenticated.session;
    let trace = request::trace::context(call.headers);
    let context = Context {
        state,
        generation: &generation,
        session,
        endpoint: "v1",
        request_id: call.request_id,
        headers: Some(call.headers),
        client: call.client,
        trace: trace.as_deref(),
        transport: request::Transport::Http,
        visibility: visibility(state, Some(session)),
    };
    let mut request =
        match find(&generation, call).and_then(|(text, bound)| request(&context, text, bound, call)) {
            Ok(request) => request,
            Err(error) => {
                return Answer {
                    generation: generation.hash_header(),
                    ..Answer::plain_error(&error, context.visibility).by(authenticated)
                };
            }
        };
    let mut out = Vec::with_capacity(1024);
    let (log, outcome) = request::answer(&context, &mut request, &mut out).await;
    let mut answer = match outcome {
        Ok(()) => {
            let data = out.strip_prefix(DATA).and_then(|rest| rest.strip_suffix(b"}"));
            Answer::json(data.unwrap_or(&out).to_vec())
        }
        Err(error) => Answer::plain_error(&error, context.visibility),
    };
    answer.operations = vec![log];
    answer.generation = generation.hash_header();
    answer.by(authenticated)
}

/// How a variable came.
enum Said {
    /// In path, query string or form.
    Text(String),
    /// In a JSON body.
    Json(Value),
}

/// The saved query of a path, and the variables that the path gives.
fn find<'g>(generation: &'g Generation, call: &Call<'_>) -> Result<(&'g str, Pairs), ApiError> {
    let method = method(call.method)?;
    let path = call.path.strip_prefix(PREFIX).unwrap_or_default();
    let decoded: Vec<Cow<'_, str>> = path.split('/').map(decode).collect::<Result<_, _>>()?;
    let name = match generation.rest_endpoints.find(Some(method), &decoded) {
        Match::Found(name) => name,
        Match::Ambiguous => {
            return Err(
                ApiError::new(Code::Unexpected, "Multiple endpoints match request")
                    .status(StatusCode::INTERNAL_SERVER_ERROR),
            );
        }
        Match::WrongMethod(allowed) => {
            let allowed: Vec<&str> = allowed.into_iter().map(RestMethod::as_str).collect();
            return Err(ApiError::new(
                Code::MethodNotAllowed,
                format!("Allowed methods: {}", allowed.join(", ")),
            ));
        }
        Match::NotFound => return Err(not_found()),
    };
    let document = &generation.document;
    let endpoint = document.rest_endpoints.get(&name).ok_or_else(not_found)?;
    let saved = &endpoint.definition.query;
    let listed = document
        .query_collections
        .get(&saved.collection_name)
        .and_then(|collection| collection.definition.queries.get(&saved.query_name))
        .ok_or_else(not_found)?;
    let bound = endpoint
        .url
        .split('/')
        .zip(decoded)
        .filter_map(|(segment, value)| Some((segment.strip_prefix(':')?.to_owned(), value.into_owned())))
        .collect();
    Ok((&listed.query, bound))
}

fn not_found() -> ApiError {
    ApiError::new(Code::NotFound, "Endpoint not found").status(StatusCode::NOT_FOUND)
}

/// The operation to run, with its variables.
fn request<'g>(
    context: &Context<'_>,
    text: &'g str,
    bound: Pairs,
    call: &Call<'_>,
) -> Result<Request<'g>, ApiError> {
    let document = graphql::Document::parse(text, &context.state.settings.graphql.limits)?;
    let declared = &document.operation(None)?.variables;
    let type_of = |name: &str| {
        declared
            .iter()
            .find(|variable| &*variable.name == name)
            .map(|variable| &variable.type_)
            .ok_or_else(|| ApiError::new(Code::BadRequest, format!("Unexpected variable {name}")))
    };
    let mut queried = parameters(call.query)?;
    let mut sent = Map::new();
    match Form::of(call.headers) {
        Form::Json => sent = body(call.body)?,
        Form::Pairs => queried.extend(parameters(text_of(call.body)?)?),
        Form::Other => sent = body(call.body).unwrap_or_default(),
    }
    // What is said last holds: the path, before it the body.
    let mut said: IndexMap<String, Said> = IndexMap::new();
    said.extend(queried.into_iter().map(|(name, text)| (name, Said::Text(text))));
    said.extend(sent.into_iter().map(|(name, value)| (name, Said::Json(value))));
    said.extend(bound.into_iter().map(|(name, text)| (name, Said::Text(text))));
    let mut variables = Map::new();
    for (name, said) in said {
        // What cannot be a variable's name, as in `?utm-source=x`, is meant for somebody else.
        if !is_name(&name) {
            continue;
        }
        let type_ = type_of(&name)?;
        let value = match said {
            Said::Json(value) => Some(value),
            Said::Text(text) => from_text(&name, type_, &text)?,
        };
        variables.extend(value.map(|value| (name, value)));
    }
    Ok(Request {
        query: Cow::Borrowed(text),
        operation_name: None,
        variables,
    })
}

/// What a body holds, by what it is declared to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// A JSON object, also where nothing is declared.
    Json,
    /// Pairs as in a query string.
    Pairs,
    /// A JSON object all the same, as what browsers send without being told is `text/plain`; or nothing.
    Other,
}

impl Form {
    fn of(headers: &HeaderMap) -> Self {
        let Some(declared) = headers.get(CONTENT_TYPE) else {
            return Self::Json;
        };
        let declared = declared.to_str().unwrap_or_default();
        let media = declared.split(';').next().unwrap_or_default().trim();
        match media.to_ascii_lowercase().as_str() {
            "application/x-www-form-urlencoded" => Self::Pairs,
            "" | "application/json" => Self::Json,
            other if other.ends_with("+json") => Self::Json,
            _ => Self::Other,
        }
    }
}

fn text_of(body: &[u8]) -> Result<&str, ApiError> {
    std::str::from_utf8(body).map_err(|_| ApiError::new(Code::BadRequest, "the body is not UTF-8"))
}

/// The body's variables: a JSON object, or nothing.
fn body(body: &[u8]) -> Result<Map<String, Value>, ApiError> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(Map::new());
    }
    match serde_json::from_slice(body) {
        Ok(Value::Object(variables)) => Ok(variables),
        Ok(Value::Null) => Ok(Map::new()),
        Ok(_) => Err(ApiError::new(
            Code::ParseFailed,
            "the body must be a JSON object of variables",
        )),
        Err(error) => Err(ApiError::new(Code::InvalidJson, error.to_string())),
    }
}

/// Reads a variable that came as text, by its type; `None` is as if it had not come.
fn from_text(name: &str, type_: &TypeReference<Name>, text: &str) -> Result<Option<Value>, ApiError> {
    let TypeReference::Named { id, nullable } = type_ else {
        return Err(ApiError::new(
            Code::BadRequest,
            format!(
                "List variables are not currently supported in URL or Query parameters. (Variable {name}, with value {})",
                shown(text)
            ),
        ));
    };
    Ok(Some(match &**id {
        "Boolean" => match text {
            "" => Value::Bool(true),
            _ => serde_json::from_str::<bool>(text).map_or_else(|_| text.into(), Value::Bool),
        },
        _ if text.is_empty() && *nullable => return Ok(None),
        // As in Hasura, a text is what it is: JSON proper comes in a body.
        "String" | "ID" | "json" | "jsonb" => text.into(),
        "Int" | "Float" | "smallint" | "bigint" | "float8" | "numeric" => {
            serde_json::from_str(text).map_or_else(|_| text.into(), Value::Number)
        }
        // Points and input objects.
        _ if text.starts_with(['{', '[']) => serde_json::from_str(text).unwrap_or_else(|_| text.into()),
        _ => text.into(),
    }))
}

/// The pairs of a query string. A name without a value has an empty one.
fn parameters(query: &str) -> Result<Pairs, ApiError> {
    query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let text = |part: &str| decode(&part.replace('+', " ")).map(Cow::into_owned);
            Ok((text(name)?, text(value)?))
        })
        .collect()
}

/// Undoes `%41`; a `%` that begins no such thing stands for itself.
fn decode(text: &str) -> Result<Cow<'_, str>, ApiError> {
    if !text.contains('%') {
        return Ok(Cow::Borrowed(text));
    }
    let bytes = text.as_bytes();
    let digit = |at: usize| bytes.get(at).and_then(|byte| char::from(*byte).to_digit(16));
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        match (byte, digit(at + 1), digit(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                decoded.push(u8::try_from(high * 16 + low).unwrap_or(b'?'));
                at += 3;
            }
            _ => {
                decoded.push(*byte);
                at += 1;
            }
        }
    }
    String::from_utf8(decoded)
        .map(Cow::Owned)
        .map_err(|_| ApiError::new(Code::BadRequest, "the URL is not UTF-8"))
}

/// Whether GraphQL can name a variable so.
fn is_name(text: &str) -> bool {
    !text.starts_with(|first: char| first.is_ascii_digit())
        && !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte == b'_' || byte.is_ascii_alphanumeric())
}

/// A text as Hasura quotes it in this message.
fn shown(text: &str) -> String {
    let mut shown = String::from("\"");
    let mut after_number = false;
    for character in text.chars() {
        let number = !(' '..='~').contains(&character);
        match character {
            '"' | '\\' => shown.extend(['\\', character]),
            '\n' => shown.push_str("\\n"),
            '\r' => shown.push_str("\\r"),
            '\t' => shown.push_str("\\t"),
            _ if number => shown.push_str(&format!("\\{}", u32::from(character))),
            _ => {
                if after_number && character.is_ascii_digit() {
                    shown.push_str("\\&");
                }
                shown.push(character);
            }
        }
        after_number = number && !matches!(character, '\n' | '\r' | '\t');
    }
    shown.push('"');
    shown
}

fn method(method: &Method) -> Result<RestMethod, ApiError> {
    let told = match *method {
        Method::GET => return Ok(RestMethod::Get),
        Method::POST => return Ok(RestMethod::Post),
        Method::PUT => return Ok(RestMethod::Put),
        Method::DELETE => return Ok(RestMethod::Delete),
        Method::PATCH => return Ok(RestMethod::Patch),
        Method::HEAD | Method::OPTIONS | Method::TRACE | Method::CONNECT => {
            format!("Method {method} not supported.")
        }
        _ => "Nonstandard method not allowed for REST endpoints".to_owned(),
    };
    Err(ApiError::new(Code::BadRequest, told))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::fuzz::Fuzz;

    fn read(type_: &str, text: &str) -> Option<Value> {
        let query = format!("query ($v: {type_}) {{ a }}");
        let document = graphql::Document::parse(&query, &graphql::Limits::default()).unwrap();
        let type_ = &document.operation(None).unwrap().variables[0].type_;
        from_text("v", type_, text).unwrap()
    }

    #[test]
    fn texts_by_type() {
        assert_eq!(read("Boolean!", ""), Some(json!(true)));
        assert_eq!(read("Boolean", "false"), Some(json!(false)));
        assert_eq!(read("Boolean", "x"), Some(json!("x")));
        assert_eq!(read("Boolean", "TRUE"), Some(json!("TRUE")));
        assert_eq!(read("jsonb", "{\"a\":1}"), Some(json!("{\"a\":1}")));
        assert_eq!(read("Int", "7"), Some(json!(7)));
        assert_eq!(read("Int", "7x"), Some(json!("7x")));
        assert_eq!(read("Int", ""), None);
        assert_eq!(read("Int!", ""), Some(json!("")));
        assert_eq!(
            read("numeric", "123456789012345678901234567890.5").map(|value| value.to_string()),
            Some("123456789012345678901234567890.5".to_owned())
        );
        assert_eq!(read("String!", "7"), Some(json!("7")));
        assert_eq!(read("uuid", "7"), Some(json!("7")));
        assert_eq!(read("geometry", "{\"a\":1}"), Some(json!({"a": 1})));
        assert_eq!(read("date", "[x"), Some(json!("[x")));
    }

    /// Mangled query strings, segments and bodies: nothing panics, and what is text comes back as it was.
    #[test]
    fn random_requests() {
        let mut fuzz = Fuzz::begin();
        let alphabet = b"%%%=&+ab09AFf/{}[]\":,\xc3\xa9 \0";
        while fuzz.goes_on() {
            let bytes: Vec<u8> = (0..fuzz.below(24))
                .map(|_| alphabet[fuzz.below(alphabet.len())])
                .collect();
            let _ = body(&bytes);
            let text = String::from_utf8_lossy(&bytes);
            for type_ in ["Boolean", "Int!", "String!", "jsonb", "uuid!"] {
                let _ = read(type_, &text);
            }
            let _ = parameters(&text);
            let encoded: String = text.bytes().map(|byte| format!("%{byte:02x}")).collect();
            assert_eq!(decode(&encoded).unwrap(), text);
        }
    }

    #[test]
    fn lists_come_in_bodies_alone() {
        let query = "query ($v: [Int!]) { a }";
        let document = graphql::Document::parse(query, &graphql::Limits::default()).unwrap();
        let type_ = &document.operation(None).unwrap().variables[0].type_;
        assert_eq!(
            from_text("v", type_, "[1,\"é2\"]").unwrap_err().message,
            "List variables are not currently supported in URL or Query parameters. (Variable v, with value \"[1,\\\"\\233\\&2\\\"]\")"
        );
    }

    #[test]
    fn forms() {
        let form = |text: &'static str| {
            let declared = http::HeaderValue::from_static(text);
            Form::of(&HeaderMap::from_iter([(CONTENT_TYPE, declared)]))
        };
        assert_eq!(Form::of(&HeaderMap::new()), Form::Json);
        assert_eq!(form("Application/JSON; charset=utf-8"), Form::Json);
        assert_eq!(form("application/vnd.api+json"), Form::Json);
        assert_eq!(form("application/x-www-form-urlencoded"), Form::Pairs);
        assert_eq!(form("text/xml"), Form::Other);
    }

    #[test]
    fn escapes() {
        let pairs = parameters("first_name=%46oo&b&c=a+b%2B&d=X%2520Y&e=%zz&&f=%C3%A9").unwrap();
        let pairs: Vec<(&str, &str)> = pairs.iter().map(|(name, value)| (&**name, &**value)).collect();
        assert_eq!(
            pairs,
            [
                ("first_name", "Foo"),
                ("b", ""),
                ("c", "a b+"),
                ("d", "X%20Y"),
                ("e", "%zz"),
                ("f", "é")
            ]
        );
        assert!(parameters("a=%ff").is_err());
    }
}
