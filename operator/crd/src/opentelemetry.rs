//! Export of traces, metrics and logs: a part of `Engine`.

use crate::shape::{choice, part};
use crate::value::Header;

part! {
    /// Export of traces, metrics and logs.
    pub struct OpenTelemetry {
        /// Metadata key `opentelemetry.status`: `enabled`, `disabled`, or a template of an environment variable.
        pub status: Option<String>,
        /// Metadata key `opentelemetry.data_types`.
        pub data_types: Option<Vec<OpenTelemetryDataType>>,
        /// Metadata key `opentelemetry.exporter_otlp`.
        pub exporter: Option<OtlpExporter>,
        /// Metadata key `opentelemetry.batch_span_processor.max_export_batch_size`.
        pub max_export_batch_size: Option<u32>,
    }
}

choice! {
    /// One of `data_types`.
    pub enum OpenTelemetryDataType {
        /// `traces`
        Traces,
        /// `metrics`
        Metrics,
        /// `logs`
        Logs,
    }
}

part! {
    /// Where they are sent.
    pub struct OtlpExporter {
        /// Metadata key `otlp_traces_endpoint`.
        pub traces_endpoint: Option<String>,
        /// Metadata key `otlp_metrics_endpoint`.
        pub metrics_endpoint: Option<String>,
        /// Metadata key `otlp_logs_endpoint`.
        pub logs_endpoint: Option<String>,
        /// Metadata key `protocol`.
        pub protocol: Option<OtlpProtocol>,
        /// Metadata key `headers`.
        #[schemars(length(max = 100))]
        pub headers: Option<Vec<Header>>,
        /// Metadata key `resource_attributes`.
        pub resource_attributes: Option<Vec<ResourceAttribute>>,
        /// Metadata key `traces_propagators`.
        pub traces_propagators: Option<Vec<TracePropagator>>,
    }
}

choice! {
    /// Metadata key `protocol`.
    pub enum OtlpProtocol {
        /// `http/protobuf`
        HttpProtobuf,
    }
}

part! {
    /// An attribute of everything that is sent.
    pub struct ResourceAttribute {
        /// Metadata key `name`.
        pub name: String,
        /// Metadata key `value`.
        pub value: String,
    }
}

choice! {
    /// One of `traces_propagators`.
    pub enum TracePropagator {
        /// `b3`
        B3,
        /// `tracecontext`
        TraceContext,
    }
}
