//! `opentelemetry` as JSON.

use serde_json::Value;

use super::{
    BatchSpanProcessor, OpenTelemetry, OpenTelemetryDataType, OpenTelemetryStatus, OtlpExporter,
    OtlpProtocol, ResourceAttribute, TracePropagator,
};
use crate::json::{Json, ParseError, Reader, json_object, json_words};

json_object! { OpenTelemetry, "OpenTelemetryConfig" {
    shown status (OpenTelemetryStatus::Disabled);
    shown data_types (Vec::new());
    shown exporter_otlp (OtlpExporter::default());
    shown batch_span_processor (BatchSpanProcessor::default());
} }

json_object! { OtlpExporter, "OtelExporterConfig" {
    shown headers (Vec::new());
    optional logs_endpoint: "otlp_logs_endpoint";
    optional metrics_endpoint: "otlp_metrics_endpoint";
    optional traces_endpoint: "otlp_traces_endpoint";
    shown protocol (OtlpProtocol::HttpProtobuf);
    shown resource_attributes (Vec::new());
    shown traces_propagators (vec![TracePropagator::B3]);
} }

json_object! { ResourceAttribute, "name-value pair" {
    required name;
    required value;
} }

json_object! { BatchSpanProcessor, "OtelBatchSpanProcessorConfig" {
    shown max_export_batch_size (512);
} }

json_words! { OpenTelemetryDataType { Traces = "traces", Metrics = "metrics", Logs = "logs" } }

json_words! { TracePropagator { B3 = "b3", TraceContext = "tracecontext" } }

impl Json for OpenTelemetryStatus {
    fn read(value: &Value, reader: &mut Reader) -> Result<Self, ParseError> {
        match value {
            Value::String(text) if text == "enabled" => Ok(Self::Enabled),
            Value::String(text) if text == "disabled" => Ok(Self::Disabled),
            Value::String(text) if text.contains("{{") => Ok(Self::Template(text.clone())),
            _ => Err(reader.error("OpenTelemetry status must be either \"enabled\" or \"disabled\"")),
        }
    }

    fn print(&self) -> Value {
        Value::String(match self {
            Self::Enabled => "enabled".to_owned(),
            Self::Disabled => "disabled".to_owned(),
            Self::Template(template) => template.clone(),
        })
    }
}

impl Json for OtlpProtocol {
    fn read(value: &Value, reader: &mut Reader) -> Result<Self, ParseError> {
        match String::read(value, reader)?.as_str() {
            "http/protobuf" => Ok(Self::HttpProtobuf),
            "http/json" => Err(reader.error("http/json is not supported")),
            "grpc" => Err(reader.error("gRPC is not supported")),
            other => Err(reader.error(format!("unexpected string '{other:?}'."))),
        }
    }

    fn print(&self) -> Value {
        Value::String("http/protobuf".to_owned())
    }
}
