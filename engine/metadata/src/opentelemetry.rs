//! `opentelemetry`: export of traces, metrics and logs.

mod json;

use crate::Extra;
use crate::value_source::Header;

/// `opentelemetry`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct OpenTelemetry {
    /// `status`, default `disabled`.
    pub status: OpenTelemetryStatus,
    /// `data_types`, each once.
    pub data_types: Vec<OpenTelemetryDataType>,
    /// `exporter_otlp`.
    pub exporter_otlp: OtlpExporter,
    /// `batch_span_processor`.
    pub batch_span_processor: BatchSpanProcessor,
    /// Unknown keys.
    pub extra: Extra,
}

/// `status`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum OpenTelemetryStatus {
    /// `"enabled"`
    Enabled,
    /// `"disabled"`
    #[default]
    Disabled,
    /// A template of an environment variable, which holds one of the two words.
    Template(String),
}

/// One of `data_types`, in the order in which they are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum OpenTelemetryDataType {
    /// `traces`
    Traces,
    /// `metrics`
    Metrics,
    /// `logs`
    Logs,
}

/// `exporter_otlp`.
#[derive(Clone, Debug, PartialEq)]
pub struct OtlpExporter {
    /// `otlp_traces_endpoint`.
    pub traces_endpoint: Option<String>,
    /// `otlp_metrics_endpoint`.
    pub metrics_endpoint: Option<String>,
    /// `otlp_logs_endpoint`.
    pub logs_endpoint: Option<String>,
    /// `protocol`.
    pub protocol: OtlpProtocol,
    /// `headers`.
    pub headers: Vec<Header>,
    /// `resource_attributes`.
    pub resource_attributes: Vec<ResourceAttribute>,
    /// `traces_propagators`, default `["b3"]`.
    pub traces_propagators: Vec<TracePropagator>,
    /// Unknown keys.
    pub extra: Extra,
}

impl Default for OtlpExporter {
    fn default() -> Self {
        Self {
            traces_endpoint: None,
            metrics_endpoint: None,
            logs_endpoint: None,
            protocol: OtlpProtocol::HttpProtobuf,
            headers: Vec::new(),
            resource_attributes: Vec::new(),
            traces_propagators: vec![TracePropagator::B3],
            extra: Extra::new(),
        }
    }
}

/// One of `resource_attributes`.
#[derive(Clone, Debug, PartialEq)]
pub struct ResourceAttribute {
    /// `name`.
    pub name: String,
    /// `value`.
    pub value: String,
    /// Unknown keys.
    pub extra: Extra,
}

/// `protocol`. `grpc` and `http/json` are refused when read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OtlpProtocol {
    /// `http/protobuf`, the default and the only one.
    #[default]
    HttpProtobuf,
}

/// One of `traces_propagators`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TracePropagator {
    /// `b3`
    B3,
    /// `tracecontext`
    TraceContext,
}

/// `batch_span_processor`.
#[derive(Clone, Debug, PartialEq)]
pub struct BatchSpanProcessor {
    /// `max_export_batch_size`: spans in one export, positive; default 512.
    pub max_export_batch_size: u64,
    /// Unknown keys.
    pub extra: Extra,
}

impl Default for BatchSpanProcessor {
    fn default() -> Self {
        Self {
            max_export_batch_size: 512,
            extra: Extra::new(),
        }
    }
}
