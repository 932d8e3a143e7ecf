//! What may stand under `telemetry` in hob.yaml.

use std::fmt;

use schemars::JsonSchema;
use serde::Deserialize;

use super::header::Header;
use crate::source::Spanned;

/// Where hob reports what it does.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(title = "telemetry setting")]
pub struct Telemetry {
    /// Traces by OpenTelemetry's protocol: one trace a run, one span a step, an attempt and a wait. They hold ids, names, times
    /// and reasons, but no values of events, inputs or results.
    pub otlp: Option<Otlp>,
}

/// A collector of OpenTelemetry.
#[derive(Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "collector")]
pub struct Otlp {
    /// Its address for HTTP; `/v1/traces` is added unless it is there.
    #[schemars(example = &"http://127.0.0.1:4318")]
    pub endpoint: Spanned<String>,
    /// Headers by which it knows hob.
    #[serde(default)]
    #[schemars(example = serde_json::json!([{ "name": "Authorization", "value": "Bearer ${OTLP_KEY}" }]))]
    pub headers: Vec<Spanned<Header>>,
    /// The part of the runs that is reported, in percent. Default: 100.
    #[schemars(range(min = 1, max = 100), example = 10)]
    pub sample: Option<u32>,
}

/// Without headers, which are secret.
impl fmt::Debug for Otlp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Otlp({})", self.endpoint)
    }
}
