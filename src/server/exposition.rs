//! The text format of OpenMetrics, with a bounded number of samples.

use std::collections::{BTreeMap, HashMap, HashSet};

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, MetricEncoder, NoLabelSet, text};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Registry;

use super::metric_families::{Family, Kind, Label, Merged};
use crate::engine::{BOUNDS, Latency};
use crate::printable;

/// The label value that replaces names beyond the bound.
pub const OTHER: &str = "other";
/// Most combinations of names per family.
pub const MAX_COMBINATIONS: usize = 2_000;
/// Longest name; longer ones are cut.
const MAX_LENGTH: usize = 100;

/// The names used in samples, by family. A name that was exposed once stays exposed, and one that was merged stays
/// merged, so that no counter decreases.
#[derive(Debug)]
pub(super) struct KnownNames {
    most: usize,
    of: HashMap<&'static str, HashSet<Vec<String>>>,
}

impl Default for KnownNames {
    fn default() -> Self {
        Self { most: MAX_COMBINATIONS, of: HashMap::new() }
    }
}

impl KnownNames {
    fn admits(&mut self, family: &'static str, names: Vec<String>) -> bool {
        let known = self.of.entry(family).or_default();
        known.contains(&names) || (known.len() < self.most && known.insert(names))
    }
}

/// The value of a sample.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Value {
    /// A whole number.
    Count(u64),
    /// Any number.
    Number(f64),
    /// Durations.
    Latency(Latency),
}

impl From<u64> for Value {
    fn from(count: u64) -> Self {
        Self::Count(count)
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Self::Number(number)
    }
}

impl From<Latency> for Value {
    fn from(latency: Latency) -> Self {
        Self::Latency(latency)
    }
}

impl Value {
    fn merged(self, other: Self, how: Merged) -> Self {
        match (self, other, how) {
            (Self::Count(a), Self::Count(b), Merged::Sum) => Self::Count(a.saturating_add(b)),
            (Self::Count(a), Self::Count(b), Merged::Largest) => Self::Count(a.max(b)),
            (Self::Latency(mut a), Self::Latency(b), _) => {
                a.add(&b);
                Self::Latency(a)
            }
            (a, b, Merged::Sum) => Self::Number(a.number() + b.number()),
            (a, b, Merged::Largest) => Self::Number(a.number().max(b.number())),
        }
    }

    fn number(self) -> f64 {
        match self {
            Self::Count(count) => count as f64,
            Self::Number(number) => number,
            Self::Latency(latency) => latency.sum,
        }
    }
}

/// A text in that format.
#[derive(Debug)]
pub(super) struct Exposition<'a> {
    names: &'a mut KnownNames,
    families: Vec<(Family, BTreeMap<Vec<String>, Value>)>,
}

impl<'a> Exposition<'a> {
    pub(super) fn new(names: &'a mut KnownNames) -> Self {
        Self { names, families: Vec::new() }
    }

    /// Adds a family; each sample has the values of its labels.
    pub(super) fn add<L: AsRef<str>, V: Into<Value>>(
        &mut self,
        family: &Family,
        samples: impl IntoIterator<Item = (Vec<L>, V)>,
    ) {
        let samples = self.bounded(family, samples);
        self.families.push((*family, samples));
    }

    /// The samples, merged by equal labels.
    fn bounded<L: AsRef<str>, V: Into<Value>>(
        &mut self,
        family: &Family,
        samples: impl IntoIterator<Item = (Vec<L>, V)>,
    ) -> BTreeMap<Vec<String>, Value> {
        let mut bounded: BTreeMap<Vec<String>, Value> = BTreeMap::new();
        for (values, value) in samples {
            let named = |(label, _): &(&Label, &L)| matches!(label, Label::Named(_));
            let pairs = || family.labels.iter().zip(&values);
            let names: Vec<String> =
                pairs().filter(named).map(|(_, value)| printable::line(value.as_ref(), MAX_LENGTH)).collect();
            let is_known = names.is_empty() || self.names.admits(family.name, names.clone());
            let mut names = names.into_iter();
            let labels = pairs().map(|(label, value)| match label {
                Label::Word(_) => value.as_ref().to_owned(),
                Label::Named(_) => names.next().filter(|_| is_known).unwrap_or_else(|| OTHER.to_owned()),
            });
            let (labels, value): (Vec<String>, Value) = (labels.collect(), value.into());
            let merged = match bounded.get(&labels) {
                Some(known) => known.merged(value, family.merged),
                None => value,
            };
            bounded.insert(labels, merged);
        }
        bounded
    }

    pub(super) fn text(self) -> Result<String, std::fmt::Error> {
        let mut registry = Registry::default();
        registry.register_collector(Box::new(Snapshot(self.families)));
        let mut out = String::new();
        text::encode(&mut out, &registry)?;
        Ok(out)
    }
}

/// The samples of one moment.
#[derive(Debug)]
struct Snapshot(Vec<(Family, BTreeMap<Vec<String>, Value>)>);

impl Collector for Snapshot {
    fn encode(&self, mut encoder: DescriptorEncoder) -> Result<(), std::fmt::Error> {
        for (family, samples) in &self.0 {
            // The format adds the ending to samples.
            let (ending, kind) = match family.kind {
                Kind::Counter => ("_total", MetricType::Counter),
                Kind::Gauge => ("", MetricType::Gauge),
                Kind::Info => ("_info", MetricType::Info),
                Kind::Histogram => ("", MetricType::Histogram),
            };
            let name = family.name.strip_suffix(ending).unwrap_or(family.name);
            let help = family.help.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
            let mut metric = encoder.encode_descriptor(name, &help, None, kind)?;
            for (values, value) in samples {
                let names = family.labels.iter().map(|label| label.name());
                let labels: Vec<(&str, &str)> = names.zip(values.iter().map(String::as_str)).collect();
                match (family.kind, labels.is_empty()) {
                    (Kind::Info, _) => metric.encode_info(&labels)?,
                    (_, true) => sample(&mut metric, family.kind, *value)?,
                    (_, false) => sample(&mut metric.encode_family(&labels)?, family.kind, *value)?,
                }
            }
        }
        Ok(())
    }
}

fn sample(metric: &mut MetricEncoder<'_>, kind: Kind, value: Value) -> Result<(), std::fmt::Error> {
    match (kind, value) {
        (_, Value::Latency(latency)) => {
            let bounds = BOUNDS.into_iter().chain([f64::INFINITY]);
            let buckets: Vec<(f64, u64)> = bounds.zip(latency.counts).collect();
            metric.encode_histogram::<NoLabelSet>(latency.sum, latency.count(), &buckets, None)
        }
        (Kind::Counter, Value::Count(count)) => metric.encode_counter::<NoLabelSet, _, f64>(&count, None),
        (Kind::Counter, Value::Number(number)) => metric.encode_counter::<NoLabelSet, _, f64>(&number, None),
        (_, Value::Count(count)) => metric.encode_gauge(&count),
        (_, Value::Number(number)) => metric.encode_gauge(&number),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::metric_families::{BUILD, EVENTS, POLL_FAILURES, RUNS_ENDED, STEP_SECONDS};

    #[test]
    fn labels_are_escaped() {
        let mut names = KnownNames::default();
        let mut text = Exposition::new(&mut names);
        text.add(&BUILD, [(vec!["1.2.3"], 1)]);
        text.add(&EVENTS, [(Vec::<String>::new(), 7)]);
        text.add(&POLL_FAILURES, [(vec!["a \"b\"\\c\u{202e}", "studio"], 2)]);
        let text = text.text().unwrap();
        for line in [
            "# TYPE hob_build info",
            r#"hob_build_info{version="1.2.3"} 1"#,
            "# HELP hob_events Events in the store.",
            "# TYPE hob_events gauge",
            "hob_events 7",
            r#"hob_poll_failures{recipe="a \"b\"\\c\\u{202e}",connection="studio"} 2"#,
        ] {
            assert!(text.lines().any(|there| there == line), "{line} in {text}");
        }
        assert!(text.ends_with("# EOF\n"), "{text}");
    }

    #[test]
    fn durations_are_cumulative() {
        let mut latency = Latency::default();
        for millis in [1, 20, 20, 3_600_000] {
            latency.observe(std::time::Duration::from_millis(millis));
        }
        let mut names = KnownNames::default();
        let mut text = Exposition::new(&mut names);
        text.add(&STEP_SECONDS, [(vec!["r", "contacts.get"], latency)]);
        let text = text.text().unwrap();
        let labels = r#"recipe="r",operation="contacts.get""#;
        for line in [
            format!(r#"hob_step_seconds_bucket{{le="0.001",{labels}}} 1"#),
            format!(r#"hob_step_seconds_bucket{{le="0.025",{labels}}} 3"#),
            format!(r#"hob_step_seconds_bucket{{le="120.0",{labels}}} 3"#),
            format!(r#"hob_step_seconds_bucket{{le="+Inf",{labels}}} 4"#),
            format!("hob_step_seconds_count{{{labels}}} 4"),
        ] {
            assert!(text.lines().any(|there| there == line), "{line} in {text}");
        }
    }

    fn ended(names: &mut KnownNames, recipes: &[&str]) -> Vec<String> {
        let mut text = Exposition::new(names);
        text.add(&RUNS_ENDED, recipes.iter().map(|recipe| (vec![*recipe, "", "failed"], 1)));
        let samples = text.text().unwrap();
        samples.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect()
    }

    #[test]
    fn above_the_bound_names_are_other_and_stay_what_they_were() {
        let mut names = KnownNames { most: 2, of: HashMap::new() };
        let sample = |recipe: &str, count: u64| {
            format!(
                "hob_runs_ended_total{{recipe=\"{recipe}\",connection=\"{}\",state=\"failed\"}} {count}",
                if recipe == OTHER { OTHER } else { "" }
            )
        };
        assert_eq!(ended(&mut names, &["m"]), [sample("m", 1)]);
        // `a` sorts first but displaces nothing.
        assert_eq!(ended(&mut names, &["m", "z"]), [sample("m", 1), sample("z", 1)]);
        let told = ended(&mut names, &["a", "b", "m", "z"]);
        assert_eq!(told, [sample("m", 1), sample("other", 2), sample("z", 1)]);
    }

    #[test]
    fn long_names_are_cut_and_counted_together() {
        let mut names = KnownNames::default();
        let (one, two) = (format!("{}1", "x".repeat(5_000)), format!("{}2", "x".repeat(5_000)));
        let told = ended(&mut names, &[&one, &two]);
        assert!(told.len() == 1 && told[0].len() < 250 && told[0].ends_with(" 2"), "{told:?}");
    }

    #[test]
    fn values_that_do_not_add_up_are_merged_to_the_largest() {
        let mut names = KnownNames { most: 0, of: HashMap::new() };
        let mut text = Exposition::new(&mut names);
        text.add(&POLL_FAILURES, [(vec!["a", "x"], 3), (vec!["b", "x"], 2)]);
        let text = text.text().unwrap();
        assert!(text.contains("{recipe=\"other\",connection=\"other\"} 3\n"), "{text}");
    }
}
