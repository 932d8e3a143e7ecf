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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::Path;
    use std::sync::Arc;

    use crate::catalog::Catalog;
    use crate::diagnostic::render;
    use crate::source::SourceFile;
    use crate::workspace::Workspace;

    #[test]
    fn an_address_leads_to_the_path_of_traces() {
        let opened = |text: &str| {
            let file = SourceFile::new("hob.yaml", format!("telemetry: {{ otlp: {text} }}\n"));
            Workspace::read(Path::new("/w"), file, Arc::new(Catalog::built_in()), &BTreeMap::new())
        };
        let of = |text: &str| opened(text).workspace.expect("a workspace").collector.expect("a collector");
        for address in ["http://127.0.0.1:4318", "http://127.0.0.1:4318/", "http://127.0.0.1:4318/v1/traces"]
        {
            assert_eq!(of(&format!("{{ endpoint: '{address}' }}")).url, "http://127.0.0.1:4318/v1/traces");
        }
        let workspace =
            opened("{ endpoint: http://h, headers: [{ name: X-Key, value: k-123456 }], sample: 10 }");
        let workspace = workspace.workspace.expect("a workspace");
        assert_eq!(workspace.redactor.text("k-123456"), "***");
        assert_eq!(workspace.collector.as_ref().map(|collector| collector.sample), Some(10));
        assert!(workspace.in_sandbox().collector.is_none());
        for (text, wanted) in [
            ("{ endpoint: collector:4317 }", "hob.yaml:1:32"),
            ("{ endpoint: http://h, sample: 0 }", "`sample` cannot be 0"),
            ("{ endpoint: http://h, headers: [{ name: 'X Key', value: v }] }", "is not the name of a header"),
        ] {
            let report = opened(text).report;
            let shown = render(&report.file, &report.diagnostics, false);
            assert!(shown.contains(wanted), "{wanted} in {shown}");
        }
    }
}
