//! `event_triggers` as JSON.

use serde_json::Value;

use super::{
    EventCleanupConfig, EventColumns, EventOperation, EventRetryConf, EventTrigger, EventTriggerDefinition,
};
use crate::json::{
    Entry, Json, ObjectPrinter, ObjectReader, ParseError, Reader, Shape, field_content, json_object,
};
use crate::value_source::json::{print_url_pair, read_url_pair};

const KEYS: &[&str] = &[
    "name",
    "definition",
    "retry_conf",
    "webhook",
    "webhook_from_env",
    "headers",
    "request_transform",
    "response_transform",
    "cleanup_config",
    "trigger_on_replication",
];

impl Entry for EventTrigger {
    type Name = String;

    fn read_entry(value: &Value, reader: &mut Reader) -> Result<(String, Self), ParseError> {
        let mut object = ObjectReader::open(value, "EventTriggerConf", KEYS, reader)?;
        let name = object.entry_name("name")?;
        let trigger = Self {
            definition: object.required("definition")?,
            retry_conf: object.optional("retry_conf")?.unwrap_or_default(),
            webhook: read_url_pair(
                &mut object,
                "webhook",
                "webhook_from_env",
                "must provide webhook or webhook_from_env",
                "only one of webhook or webhook_from_env should be given",
            )?,
            headers: object.optional("headers")?.unwrap_or_default(),
            request_transform: object.optional("request_transform")?,
            response_transform: object.optional("response_transform")?,
            cleanup_config: object.optional("cleanup_config")?,
            trigger_on_replication: object.optional("trigger_on_replication")?.unwrap_or_default(),
            extra: object.finish(),
        };
        Ok((name, trigger))
    }

    fn print_entry(&self, name: &String) -> Value {
        let mut printer = ObjectPrinter::default();
        printer.put("name", name);
        printer.put("definition", &self.definition);
        printer.put("retry_conf", &self.retry_conf);
        print_url_pair(&mut printer, "webhook", "webhook_from_env", &self.webhook);
        printer.put_unless("headers", &self.headers, &Vec::new());
        printer.put_some("request_transform", self.request_transform.as_ref());
        printer.put_some("response_transform", self.response_transform.as_ref());
        printer.put_some("cleanup_config", self.cleanup_config.as_ref());
        printer.put_unless("trigger_on_replication", &self.trigger_on_replication, &false);
        printer.finish(&self.extra)
    }

    fn shape() -> Shape {
        let mut shape = Shape::of_leaves("EventTriggerConf", KEYS);
        for (key, content) in &mut shape.keys {
            match *key {
                "definition" => *content = EventTriggerDefinition::content(),
                "retry_conf" => *content = EventRetryConf::content(),
                "headers" => *content = field_content(|whole: &Self| &whole.headers),
                "request_transform" => *content = field_content(|whole: &Self| &whole.request_transform),
                "response_transform" => *content = field_content(|whole: &Self| &whole.response_transform),
                "cleanup_config" => *content = EventCleanupConfig::content(),
                _ => {}
            }
        }
        shape
    }
}

json_object! { EventTriggerDefinition, "TriggerOpsDef" {
    optional delete;
    shown enable_manual (false);
    optional insert;
    optional update;
} }

json_object! { EventOperation, "SubscribeOpSpec" {
    required columns;
    optional payload;
} }

json_object! { EventRetryConf, "RetryConf" {
    shown interval_sec (10);
    shown num_retries (0);
    optional timeout_sec;
} }

json_object! { EventCleanupConfig, "AutoTriggerLogCleanupConfig" {
    shown batch_size (10_000);
    shown clean_invocation_logs (false);
    required clear_older_than;
    shown paused (false);
    required schedule;
    shown timeout (60);
} }

impl Json for EventColumns {
    fn read(value: &Value, reader: &mut Reader) -> Result<Self, ParseError> {
        match value {
            Value::String(text) if text == "*" => Ok(Self::All),
            Value::Array(_) => Json::read(value, reader).map(Self::List),
            _ => Err(reader.error("subscribe columns should be \"*\" or a list of columns")),
        }
    }

    fn print(&self) -> Value {
        match self {
            Self::All => Value::String("*".to_owned()),
            Self::List(columns) => columns.print(),
        }
    }
}
