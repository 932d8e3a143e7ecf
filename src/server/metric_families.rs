//! All metrics as one table, used by the exposition and the reference.

/// The kind of a family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Only grows while the process runs.
    Counter,
    /// The current value.
    Gauge,
}

impl Kind {
    /// Its name in Prometheus.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
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
    BUILD: Gauge Largest "hob_build_info" [Label::Word("version")]
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
            assert!(plain(name) && name.starts_with("hob_") && labels_are_plain, "{name}");
            assert_eq!(name.ends_with("_total"), *kind == Kind::Counter, "{name}");
        }
    }
}
