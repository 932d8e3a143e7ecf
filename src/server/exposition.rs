//! The text format of Prometheus (version 0.0.4), with a bounded number of samples.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt::Write;

use super::metric_families::{Family, Label, Merged};
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

/// A text in that format.
#[derive(Debug)]
pub(super) struct Exposition<'a> {
    names: &'a mut KnownNames,
    text: String,
}

impl<'a> Exposition<'a> {
    pub(super) fn new(names: &'a mut KnownNames) -> Self {
        Self { names, text: String::new() }
    }

    /// Adds a family; each sample has the values of its labels.
    pub(super) fn add<L: AsRef<str>>(
        &mut self,
        family: &Family,
        samples: impl IntoIterator<Item = (Vec<L>, u64)>,
    ) {
        let Family { name, kind, help, .. } = family;
        let help = help.replace('\\', "\\\\").replace('\n', "\\n");
        let _ = writeln!(self.text, "# HELP {name} {help}\n# TYPE {name} {}", kind.name());
        for (values, value) in self.bounded(family, samples) {
            self.text.push_str(name);
            let pairs = family.labels.iter().zip(&values).map(|(label, value)| pair(label.name(), value));
            let pairs: Vec<String> = pairs.collect();
            if !pairs.is_empty() {
                let _ = write!(self.text, "{{{}}}", pairs.join(","));
            }
            let _ = writeln!(self.text, " {value}");
        }
    }

    /// The samples, merged by equal labels.
    fn bounded<L: AsRef<str>>(
        &mut self,
        family: &Family,
        samples: impl IntoIterator<Item = (Vec<L>, u64)>,
    ) -> BTreeMap<Vec<String>, u64> {
        let mut bounded: BTreeMap<Vec<String>, u64> = BTreeMap::new();
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
            let merged = bounded.entry(labels.collect()).or_default();
            *merged = match family.merged {
                Merged::Sum => merged.saturating_add(value),
                Merged::Largest => (*merged).max(value),
            };
        }
        bounded
    }

    pub(super) fn text(self) -> String {
        self.text
    }
}

fn pair(label: &str, value: &str) -> String {
    let mut escaped = String::with_capacity(value.len());
    for letter in value.chars() {
        match letter {
            '\\' => escaped.push_str("\\\\"),
            '"' => escaped.push_str("\\\""),
            '\n' => escaped.push_str("\\n"),
            other => escaped.push(other),
        }
    }
    format!("{label}=\"{escaped}\"")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::metric_families::{EVENTS, POLL_FAILURES, RUNS_ENDED};

    #[test]
    fn labels_are_escaped() {
        let mut names = KnownNames::default();
        let mut text = Exposition::new(&mut names);
        text.add(&EVENTS, [(Vec::<String>::new(), 7)]);
        text.add(&POLL_FAILURES, [(vec!["a \"b\"\\c\u{202e}", "studio"], 2)]);
        let text = text.text();
        assert!(
            text.starts_with(
                "# HELP hob_events Events in the store.\n# TYPE hob_events gauge\nhob_events 7\n"
            )
        );
        let sample = r#"hob_poll_failures{recipe="a \"b\"\\c\\u{202e}",connection="studio"} 2"#;
        assert!(text.lines().any(|line| line == sample), "{text}");
    }

    fn ended(names: &mut KnownNames, recipes: &[&str]) -> Vec<String> {
        let mut text = Exposition::new(names);
        text.add(&RUNS_ENDED, recipes.iter().map(|recipe| (vec![*recipe, "", "failed"], 1)));
        let samples = text.text();
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
        assert!(text.text().ends_with("{recipe=\"other\",connection=\"other\"} 3\n"));
    }
}
