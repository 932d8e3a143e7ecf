//! What the user assumes where the number of requests depends on data: `--assume events=500`.

use std::collections::{BTreeMap, BTreeSet};

use crate::check::CheckedRecipe;
use crate::diagnostic::closest;
use crate::recipe::Trigger;
use crate::sync::stands_for;

/// Largest number that is taken seriously.
const LARGEST: f64 = 1e12;
/// Names for all recipes.
const GENERAL: [&str; 5] = ["events", "items", "records", "if", "when"];

/// Why an assumption cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It is no `name=number`.
    #[error("`--assume {text}` is not NAME=NUMBER, such as `events=500`, `items=3` or `when=80%`")]
    Unreadable {
        /// The text.
        text: String,
    },
    /// The name is given twice.
    #[error("`--assume` gives `{name}` twice")]
    Twice {
        /// The name.
        name: String,
    },
    /// A share of more than everything.
    #[error("`--assume {name}` is a share, from 0 to 1 or from 0% to 100%, and cannot be {value}")]
    NoShare {
        /// The name.
        name: String,
        /// The value.
        value: String,
    },
    /// A share where a number is asked for.
    #[error("`--assume {name}` is a number, and cannot be a share such as 50%")]
    Share {
        /// The name.
        name: String,
    },
    /// Nothing has that name.
    #[error("`--assume {name}`: {reason}")]
    Unknown {
        /// The name.
        name: String,
        /// What there is instead.
        reason: String,
    },
}

/// What the user assumes.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Assumptions {
    numbers: BTreeMap<String, f64>,
    /// Names with a percentage.
    shares: BTreeSet<String>,
}

impl Assumptions {
    /// Parses `name=number` texts. A number may be a percentage.
    pub fn parse(texts: &[String]) -> Result<Self, Error> {
        let mut all = Self::default();
        for text in texts {
            let unreadable = || Error::Unreadable { text: text.clone() };
            // Names of recipes may contain `=`.
            let (name, value) = text.rsplit_once('=').ok_or_else(unreadable)?;
            let (name, value) = (name.trim(), value.trim());
            let number = number(value).filter(|_| !name.is_empty()).ok_or_else(unreadable)?;
            if ["if", "when"].contains(&name) && number > 1.0 {
                return Err(Error::NoShare { name: name.to_owned(), value: value.to_owned() });
            }
            if value.ends_with('%') {
                all.shares.insert(name.to_owned());
            }
            if all.numbers.insert(name.to_owned(), number).is_some() {
                return Err(Error::Twice { name: name.to_owned() });
            }
        }
        Ok(all)
    }

    /// Checks that every name means something for `recipes`.
    pub fn check(&self, recipes: &[CheckedRecipe]) -> Result<(), Error> {
        let known = names(recipes);
        if let Some(scheduled) = recipes.iter().find(|recipe| self.is_for_schedule(recipe)) {
            let name = scheduled.name().to_owned();
            let reason = "it starts by its schedule, which says how often".to_owned();
            return Err(Error::Unknown { name, reason });
        }
        let steps = recipes.iter().flat_map(steps).collect::<BTreeSet<_>>();
        let is_share = |name: &str| ["if", "when"].contains(&name) || steps.contains(name);
        if let Some(name) = self.shares.iter().find(|name| known.contains(name) && !is_share(name)) {
            return Err(Error::Share { name: name.clone() });
        }
        let unknown = self.numbers.keys().find(|name| !known.contains(name));
        let Some(name) = unknown else { return Ok(()) };
        let halves = recipes.iter().map(CheckedRecipe::name);
        let halves: Vec<&str> = halves.filter(|half| stands_for(name, half)).collect();
        if !halves.is_empty() {
            let reason = format!("it is a sync, which stands for these recipes: {}", halves.join(", "));
            return Err(Error::Unknown { name: name.clone(), reason });
        }
        let reason = match closest(name, known.iter().map(String::as_str)) {
            Some(suggestion) => format!("there is no such recipe, step or operation; {suggestion}"),
            None => "it is `events`, `items`, `records`, `if`, `when`, a recipe, RECIPE/STEP, or an operation that \
                     recipes read as a list"
                .to_owned(),
        };
        Err(Error::Unknown { name: name.clone(), reason })
    }

    fn is_for_schedule(&self, recipe: &CheckedRecipe) -> bool {
        matches!(recipe.trigger(), Trigger::Schedule(_)) && self.named(recipe.name()).is_some()
    }

    /// Events a day of `recipe`.
    pub(super) fn events(&self, recipe: &str) -> Option<f64> {
        self.named(recipe).or_else(|| self.named("events"))
    }

    /// How often a run of `recipe` performs its step `step`.
    pub(super) fn step(&self, recipe: &str, step: &str) -> Option<f64> {
        self.named(&step_name(recipe, step))
    }

    /// Items of a list in a `for_each`.
    pub(super) fn items(&self) -> Option<f64> {
        self.named("items")
    }

    /// Records in the list that `operation` reads.
    pub(super) fn records(&self, operation: &str) -> Option<f64> {
        self.named(operation).or_else(|| self.named("records"))
    }

    /// The share of steps whose `if` holds.
    pub(super) fn conditions(&self) -> Option<f64> {
        self.named("if")
    }

    /// The share of events for which `when` holds.
    pub(super) fn when(&self) -> Option<f64> {
        self.named("when")
    }

    /// The number with this name.
    pub(super) fn named(&self, name: &str) -> Option<f64> {
        self.numbers.get(name).copied()
    }
}

fn number(text: &str) -> Option<f64> {
    let (digits, unit) = match text.strip_suffix('%') {
        Some(digits) => (digits.trim_end(), 100.0),
        None => (text, 1.0),
    };
    let number: f64 = plain(digits)?.parse().ok()?;
    Some(number / unit).filter(|number| number.is_finite() && *number <= LARGEST)
}

/// The digits without thousands separators; `None` if a separator is no such, as in `1,5`.
fn plain(text: &str) -> Option<String> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let mut groups = whole.split(['_', ',']);
    let first = groups.next().filter(|first| is_digits(first))?;
    let others: Vec<&str> = groups.collect();
    let are_thousands = first.len() <= 3 && others.iter().all(|group| is_digits(group) && group.len() == 3);
    let is_plain = is_digits(fraction) && (others.is_empty() || are_thousands);
    is_plain.then(|| format!("{first}{}.{fraction}", others.concat()))
}

/// The steps of a recipe, as they are named.
fn steps(recipe: &CheckedRecipe) -> impl Iterator<Item = String> {
    recipe.actions().map(|action| step_name(recipe.name(), &action.id))
}

fn step_name(recipe: &str, step: &str) -> String {
    format!("{recipe}/{step}")
}

/// All names that mean something.
fn names(recipes: &[CheckedRecipe]) -> Vec<String> {
    let mut names: Vec<String> = GENERAL.map(str::to_owned).to_vec();
    for recipe in recipes {
        names.push(recipe.name().to_owned());
        names.extend(recipe.operation_uses().into_iter().map(|used| used.operation));
        names.extend(steps(recipe));
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(texts: &[&str]) -> Result<Assumptions, Error> {
        Assumptions::parse(&texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn the_more_precise_name_counts() {
        let assumed = parse(&["events=500", "new-lead=1_000", "a/b=0.5", "when=80%", "x=1,500.5"]).unwrap();
        assert_eq!((assumed.events("new-lead"), assumed.events("other")), (Some(1000.0), Some(500.0)));
        assert_eq!((assumed.step("a", "b"), assumed.step("a", "c")), (Some(0.5), None));
        assert_eq!((assumed.when(), assumed.items()), (Some(0.8), None));
        assert_eq!(assumed.events("x"), Some(1500.5));
    }

    #[test]
    fn what_is_no_number_is_an_error() {
        for text in [
            "events",
            "events=",
            "=5",
            "events=many",
            "events=-1",
            "events=NaN",
            "events=1e99",
            "e=1x",
            "e=inf",
            "items=1,5",
            "items=1,50",
            "items=1000,500",
            "items=1,500,",
            "items=,500",
            "items=1.500,5",
            "items=1_5",
        ] {
            assert!(matches!(parse(&[text]), Err(Error::Unreadable { .. })), "{text}");
        }
        for text in ["events=50%", "items=50%", "records=5%"] {
            let assumed = parse(&[text]).unwrap();
            assert!(matches!(assumed.check(&[]), Err(Error::Share { .. })), "{text}");
        }
        assert_eq!(parse(&["if=50%", "when=5%"]).unwrap().check(&[]), Ok(()));
        assert!(matches!(parse(&["items=1", "items=2"]), Err(Error::Twice { .. })));
        assert!(matches!(parse(&["when=2"]), Err(Error::NoShare { .. })));
        assert!(matches!(parse(&["if=101%"]), Err(Error::NoShare { .. })));
    }
}
