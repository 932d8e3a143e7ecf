//! All metrics as one table, used by the exposition and the reference.

/// The kind of a family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Only grows while the process runs.
    Counter,
    /// The current value.
    Gauge,
    /// Always 1: the labels are what it tells.
    Info,
    /// Durations in seconds, by buckets.
    Histogram,
}

impl Kind {
    /// Its name in Prometheus.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Info => "info",
            Kind::Histogram => "histogram",
        }
    }
}

/// A label of a family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Label {
    /// Names chosen by users, or addresses of recipes: unbounded.
    Named(&'static str),
    /// One of a few fixed words.
    Word(&'static str),
}

impl Label {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Label::Named(name) | Label::Word(name) => name,
        }
    }
}

/// How samples are merged beyond the bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Merged {
    /// Their sum.
    Sum,
    /// The largest.
    Largest,
}

/// A family of samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Family {
    /// The name.
    pub name: &'static str,
    /// Its kind.
    pub kind: Kind,
    /// How samples are merged.
    pub merged: Merged,
    /// Its labels, in the order of their values.
    pub labels: &'static [Label],
    /// Its meaning.
    pub help: &'static str,
}

/// Declares families and the list of all of them, so that every metric is documented.
macro_rules! families {
    ($($constant:ident: $kind:ident $merged:ident $name:literal [$($label:expr),*] $help:literal;)*) => {
        $(pub(super) const $constant: Family = Family {
            name: $name,
            kind: Kind::$kind,
            merged: Merged::$merged,
            labels: &[$($label),*],
            help: $help,
        };)*
        /// All families, in the order of the page.
        pub const FAMILIES: &[Family] = &[$($constant),*];
    };
}

const RECIPE: Label = Label::Named("recipe");
const CONNECTION: Label = Label::Named("connection");
const STATE: Label = Label::Word("state");

families! {
    BUILD: Info Largest "hob_build_info" [Label::Word("version")]
        "Always 1; the label is the version that runs.";
    EVENTS: Gauge Sum "hob_events" []
        "Events in the store.";
    RUNS: Gauge Sum "hob_runs" [STATE]
        "Runs in the store by their state.";
    RUNS_UNFINISHED: Gauge Sum "hob_runs_unfinished" [RECIPE, CONNECTION, STATE]
        "Runs in the store that have not ended: waiting, running, parked, or failed and holding their lane.";
    RUNS_ENDED: Counter Sum "hob_runs_ended_total" [RECIPE, CONNECTION, STATE]
        "Runs that ended or were parked since the start of the process.";
    WRITES_UNCHANGED: Counter Sum "hob_writes_unchanged_total" [RECIPE, CONNECTION]
        "Writes that were not sent since the start of the process, as they would have changed nothing.";
    WRITES_NOT_KEPT: Counter Sum "hob_writes_not_kept_total" [RECIPE, CONNECTION]
        "Writes since the start of the process that an API accepted without keeping all that was sent.";
    REQUESTS: Counter Sum "hob_requests_total" [CONNECTION, Label::Word("outcome")]
        "Requests sent on connections since the start of the process: `ok`, `refused`, `unauthorized`, `rate_limited`, `failed` (to be tried again) or `in_doubt`.";
    BUDGET_LIMIT: Gauge Sum "hob_budget_limit" [CONNECTION]
        "Requests a day that the connection may use, if that is limited; connections that an API counts together tell the same.";
    BUDGET_REMAINING: Gauge Sum "hob_budget_remaining" [CONNECTION]
        "What is left of them today. Some requests are counted ahead.";
    CONNECTION_PAUSED: Gauge Sum "hob_connection_paused" [CONNECTION]
        "1 while the connection keeps failing and nothing is sent on it.";
    CONNECTION_HELD: Gauge Sum "hob_connection_held" [CONNECTION]
        "1 while the connection is held because its credential is refused; connections that are not have no sample.";
    POLL_FAILURES: Gauge Largest "hob_poll_failures" [RECIPE, CONNECTION]
        "How many times in a row a poll has failed; 0 after a success.";
    POLL_REMOVALS_WITHHELD: Gauge Largest "hob_poll_removals_withheld" [RECIPE, CONNECTION]
        "How many removed records a poll does not report, because too many are gone at once.";
    POLL_STARTED: Gauge Largest "hob_poll_started_timestamp_seconds" [RECIPE, CONNECTION]
        "When the last poll began that read something, in seconds since 1970.";
    POLL_LAG: Gauge Largest "hob_poll_lag_seconds" [RECIPE, CONNECTION]
        "For how long a poll has been due that has not begun; 0 if none is.";
    QUEUE_RUNS: Gauge Sum "hob_queue_runs" []
        "Runs in the store that could go on at once and wait for a free worker.";
    QUEUE_AGE: Gauge Largest "hob_queue_oldest_age_seconds" []
        "How long ago the oldest of them was created; 0 if there is none.";
    STEP_SECONDS: Histogram Sum "hob_step_seconds" [RECIPE, Label::Named("operation")]
        "How long attempts of steps took since the start of the process, without waits before they were sent.";
    STORE_BYTES: Gauge Largest "hob_store_bytes" []
        "Size of the store.";
    STORE_WRITE_SECONDS: Histogram Sum "hob_store_write_seconds" []
        "How long writes of runs took until they were durable, since the start of the process.";
    ALERTS_OPEN: Gauge Sum "hob_alerts_open" [Label::Word("kind")]
        "Alerts that are open; kinds without any have no sample.";
    ALERTS_WAITING: Gauge Sum "hob_alerts_waiting" [Label::Named("destination")]
        "Messages about alerts that are still to be sent: held back in quiet hours, or because the destination is not reached.";
    TRACES: Counter Sum "hob_traces_total" [Label::Word("result")]
        "Runs since the start of the process whose traces were `reported` to the collector in hob.yaml, or `dropped`.";
    PROCESS_MEMORY: Gauge Largest "process_resident_memory_bytes" []
        "Memory that the process uses; 0 where it is not known.";
    PROCESS_CPU: Counter Sum "process_cpu_seconds_total" []
        "Time of processors that the process has used, in seconds; 0 where it is not known.";
    PROCESS_START: Gauge Largest "process_start_time_seconds" []
        "When the process began, in seconds since 1970.";
    WEBHOOKS: Counter Sum "hob_webhooks_total" [Label::Named("path"), Label::Word("result")]
        "Webhooks since the start of the process by the path that recipes listen at: `stored`, `duplicate`, `refused` or `not_stored`. Those to other paths have an empty `path`.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_prometheus() {
        for Family { name, kind, labels, .. } in FAMILIES {
            let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
            let labels_are_plain = labels.iter().all(|label| plain(label.name()));
            let is_ours = name.starts_with("hob_") || name.starts_with("process_");
            assert!(plain(name) && is_ours && labels_are_plain, "{name}");
            assert_eq!(name.ends_with("_total"), *kind == Kind::Counter, "{name}");
            assert_eq!(name.ends_with("_info"), *kind == Kind::Info, "{name}");
        }
    }
}
