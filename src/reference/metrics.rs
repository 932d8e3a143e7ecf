//! The page of metrics.

use std::fmt::Write;

use super::page::Page;
use super::sources::{Metric, Metrics};

const INTRODUCTION: &str = "# Metrics

While `hob run` receives webhooks, `GET /metrics` exports metrics in the text format of OpenMetrics, which Prometheus reads. A dashboard for Grafana is in \
[docs/telemetry/grafana-dashboard.json](../telemetry/grafana-dashboard.json), and alert rules are in \
[docs/telemetry/alert-rules.yaml](../telemetry/alert-rules.yaml). Access \
is configured in hob.yaml:

| `server:` in hob.yaml | `/metrics` |
| --- | --- |
| without `metrics`, or `metrics: false` | closed |
| `metrics: true` | open at `listen` to everyone who can reach it |
| `metrics: 127.0.0.1:9464` | at a separate address, open to everyone who can reach it; `hob run` listens there even if \
it receives no webhooks |

Behind a public proxy, use a separate address. `/readyz` shows why the store is not ready only to programs \
on the same machine, and not through a proxy.

Counters start at 0 with each process; each of several processes on one store counts its own work. Labels contain \
names of the workspace only: of recipes, of connections, and paths that recipes listen at. A run on several connections \
has all their names, with `+` between them; one on none has an empty label. A name is cut after 100 characters. ";

const TABLE: &str = "

| Name | Type | Labels | Meaning |
| --- | --- | --- | --- |
";

/// Examples of alerts.
const ALERTS: &str = "
Suggested alerts:

```text
hob_runs_unfinished{state=\"parked\"} > 0                        a run waits for a person
increase(hob_runs_ended_total{state=\"failed\"}[15m]) > 0        a run failed
hob_poll_failures > 3                                            a poll keeps failing
hob_connection_held == 1                                         an API refuses the credential
hob_connection_paused == 1                                       an API does not answer
increase(hob_webhooks_total{result=~\"refused|not_stored\"}[15m]) > 0
```
";

pub(super) fn page(metrics: &Metrics<'_>) -> Page {
    let Metrics { families, most_names, other } = metrics;
    let mut text = INTRODUCTION.to_owned();
    let _ = write!(
        text,
        "A metric has at most {most_names} combinations of names; all that come later are counted together under \
         `{other}`."
    );
    text.push_str(TABLE);
    for Metric { name, kind, labels, help } in *families {
        let labels: Vec<String> = labels.iter().map(|label| format!("`{label}`")).collect();
        let _ = writeln!(text, "| `{name}` | {kind} | {} | {help} |", labels.join(", "));
    }
    text.push_str(ALERTS);
    Page::new("metrics.md", &text).listed("Metrics", "what `/metrics` tells, and whom.")
}
