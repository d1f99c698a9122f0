//! Request and response transforms as JSON.

use serde_json::Value;

use super::{
    BodyTransform, HeaderTransform, QueryParams, RequestTransform, ResponseTransform, TemplateEngine,
    TransformVersion,
};
use crate::json::{
    Content, Json, ObjectPrinter, ObjectReader, ParseError, Reader, Shape, json_object, json_words,
    type_mismatch,
};

const REQUEST_KEYS: &[&str] = &[
    "body",
    "method",
    "query_params",
    "request_headers",
    "template_engine",
    "url",
    "version",
];

impl Json for RequestTransform {
    fn read(value: &Value, reader: &mut Reader) -> Result<Self, ParseError> {
        let mut object = ObjectReader::open(value, "RequestTransform", REQUEST_KEYS, reader)?;
        let version = object.optional("version")?.unwrap_or_default();
        Ok(Self {
            version,
            body: object.optional_with("body", |value, reader| {
                BodyTransform::read(version, value, reader)
            })?,
            method: object.optional("method")?,
            query_params: object.optional("query_params")?,
            request_headers: object.optional("request_headers")?,
            template_engine: object.optional("template_engine")?.unwrap_or_default(),
            url: object.optional("url")?,
            extra: object.finish(),
        })
    }

    fn print(&self) -> Value {
        let mut printer = ObjectPrinter::default();
        if let Some(body) = &self.body {
            printer.put_value("body", body.print(self.version));
        }
        printer.put_some("method", self.method.as_ref());
        printer.put_some("query_params", self.query_params.as_ref());
        printer.put_some("request_headers", self.request_headers.as_ref());
        printer.put("template_engine", &self.template_engine);
        printer.put_some("url", self.url.as_ref());
        printer.put("version", &self.version);
        printer.finish(&self.extra)
    }

    fn content() -> Content {
        let mut shape = Shape::of_leaves("RequestTransform", REQUEST_KEYS);
        for (key, content) in &mut shape.keys {
            match *key {
                "body" => *content = BodyTransform::content(),
                "request_headers" => *content = HeaderTransform::content(),
                _ => {}
            }
        }
        Content::Object(shape)
    }
}

const RESPONSE_KEYS: &[&str] = &["body", "template_engine", "version"];

impl Json for ResponseTransform {
    fn read(value: &Value, reader: &mut Reader) -> Result<Self, ParseError> {
        let mut object = ObjectReader::open(value, "ResponseTransform", RESPONSE_KEYS, reader)?;
        let version = object.optional("version")?.unwrap_or_default();
        Ok(Self {
            version,
            body: object.optional_with("body", |value, reader| {
                BodyTransform::read(version, value, reader)
            })?,
            template_engine: object.optional("template_engine")?.unwrap_or_default(),
            extra: object.finish(),
        })
    }

    fn print(&self) -> Value {
        let mut printer = ObjectPrinter::default();
        if let Some(body) = &self.body {
            printer.put_value("body", body.print(self.version));
        }
        printer.put("template_engine", &self.template_engine);
        printer.put("version", &self.version);
        printer.finish(&self.extra)
    }

    fn content() -> Content {
        let mut shape = Shape::of_leaves("ResponseTransform", RESPONSE_KEYS);
        for (key, content) in &mut shape.keys {
            if *key == "body" {
                *content = BodyTransform::content();
            }
        }
        Content::Object(shape)
    }
}

json_words! { TemplateEngine { Kriti = "Kriti" } }

/// A number, or its text.
impl Json for TransformVersion {
    fn read(value: &Value, reader: &mut Reader) -> Result<Self, ParseError> {
        let text = match value {
            Value::Number(number) => number.to_string(),
            Value::String(text) => text.clone(),
            other => return Err(type_mismatch("Version", "Number", other, reader)),
        };
        match text.as_str() {
            "1" => Ok(Self::V1),
            "2" => Ok(Self::V2),
            other => Err(reader.error(format!("expected 1 or 2, encountered {other}"))),
        }
    }

    fn print(&self) -> Value {
        Value::from(match self {
            Self::V1 => 1,
            Self::V2 => 2,
        })
    }
}

const BODY_KEYS: &[&str] = &["action", "form_template", "template"];

impl BodyTransform {
    fn read(version: TransformVersion, value: &Value, reader: &mut Reader) -> Result<Self, ParseError> {
        if version == TransformVersion::V1 {
            return String::read(value, reader).map(Self::Modify);
        }
        let mut object = ObjectReader::open(value, "BodyTransformFn", BODY_KEYS, reader)?;
        let action: String = object.required("action")?;
        let body = match action.as_str() {
            "remove" => Self::Remove,
            "transform" => Self::Modify(object.required("template")?),
            "x_www_form_urlencoded" => Self::FormUrlEncoded(object.required("form_template")?),
            other => {
                return Err(object
                    .reader()
                    .error(format!("invalid transform action {other:?}")));
            }
        };
        object.finish_strictly("BodyTransformFn")?;
        Ok(body)
    }

    fn print(&self, version: TransformVersion) -> Value {
        let mut printer = ObjectPrinter::default();
        let action = |name: &str| Value::String(name.to_owned());
        match self {
            Self::Modify(template) if version == TransformVersion::V1 => return template.print(),
            Self::Modify(template) => {
                printer.put_value("action", action("transform"));
                printer.put("template", template);
            }
            Self::Remove => printer.put_value("action", action("remove")),
            Self::FormUrlEncoded(form) => {
                printer.put_value("action", action("x_www_form_urlencoded"));
                printer.put("form_template", form);
            }
        }
        printer.finish(&crate::Extra::new())
    }

    fn content() -> Content {
        Content::Object(Shape::of_leaves("BodyTransformFn", BODY_KEYS))
    }
}

impl Json for QueryParams {
    fn read(value: &Value, reader: &mut Reader) -> Result<Self, ParseError> {
        match value {
            Value::String(template) => Ok(Self::Template(template.clone())),
            other => Json::read(other, reader).map(Self::Pairs),
        }
    }

    fn print(&self) -> Value {
        match self {
            Self::Pairs(pairs) => pairs.print(),
            Self::Template(template) => template.print(),
        }
    }
}

json_object! { HeaderTransform, "TransformHeaders" {
    default add_headers;
    default remove_headers;
} }
