//! Where traces go to.

use url::Url;

use super::resolve::Resolver;
use super::telemetry_syntax::Telemetry;
use crate::diagnostic::{Code, Diagnostic};
use crate::secret::Secret;
use crate::value::is_header_name;

/// The path of traces.
const PATH: &str = "/v1/traces";

/// A collector of traces.
#[derive(Debug, Clone)]
pub struct Collector {
    /// Its address for traces.
    pub url: String,
    /// Headers: names and values.
    pub headers: Vec<(String, Secret)>,
    /// The part of the runs that is reported, in percent.
    pub sample: u32,
}

impl Resolver<'_> {
    /// Where traces go to, if anywhere.
    pub(super) fn collector(&mut self, given: Telemetry) -> Option<Collector> {
        let otlp = given.otlp?;
        let span = otlp.endpoint.span;
        for header in otlp.headers.iter().filter(|header| !is_header_name(&header.name)) {
            let message = format!("`{}` is not the name of a header", header.name);
            let diagnostic = Diagnostic::new(Code::NotAllowed, header.span, message);
            self.found.push(diagnostic.help("write it like `Authorization`"));
        }
        if self.unset.iter().any(|unset| unset.span == span) {
            return None;
        }
        let text = otlp.endpoint.value.trim().trim_end_matches('/');
        let is_web = |url: &Url| matches!(url.scheme(), "http" | "https") && url.has_host();
        if !Url::parse(text).is_ok_and(|url| is_web(&url)) {
            let diagnostic =
                Diagnostic::new(Code::NotAllowed, span, "this is not the address of a collector");
            self.found.push(diagnostic.help("write its address for HTTP, like `http://127.0.0.1:4318`"));
            return None;
        }
        let url = if text.ends_with(PATH) { text.to_owned() } else { format!("{text}{PATH}") };
        let headers = otlp.headers.into_iter().map(|header| {
            let header = header.value;
            (header.name, Secret::new(header.value.trim()))
        });
        Some(Collector { url, headers: headers.collect(), sample: otlp.sample.unwrap_or(100) })
    }
}

impl Collector {
    /// What must be masked wherever hob shows something.
    pub(super) fn secrets(&self) -> Vec<Secret> {
        let values = self.headers.iter().map(|(_, value)| value.clone());
        // `Bearer abc` also as `abc`.
        let parts = self.headers.iter().filter_map(|(_, value)| value.expose().split_once(' '));
        values.chain(parts.map(|(_, rest)| Secret::new(rest))).collect()
    }
}
