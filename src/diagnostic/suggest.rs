//! "Did you mean": the known name closest to one that is unknown.

use std::fmt;

/// A known name that was probably intended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suggestion {
    name: String,
}

impl Suggestion {
    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl fmt::Display for Suggestion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "did you mean `{}`?", self.name)
    }
}

/// The candidate closest to `name`, if close enough to be a typing mistake, another case, or the same words in
/// another order.
pub fn closest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<Suggestion> {
    let wanted = folded(name);
    let allowed = (wanted.chars().count() / 3).max(1);
    let (letters, parts) = (letters(&wanted), words(&wanted));
    let mut best: Option<(usize, &str)> = None;
    for candidate in candidates {
        let known = folded(candidate);
        // A cheap lower bound avoids computing most distances.
        if min_distance(&letters, &self::letters(&known)) > allowed {
            continue;
        }
        let same_words = parts == words(&known);
        let distance = if same_words { 0 } else { strsim::damerau_levenshtein(&wanted, &known) };
        if distance <= allowed && best.is_none_or(|(least, _)| distance < least) {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, name)| Suggestion { name: name.to_owned() })
}

/// The most names listed: more are no help, and long lists in many diagnostics are slow.
const MAX_LISTED: usize = 20;

/// The first of `names`, and the number of the others.
pub fn list_some<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let mut names = names.into_iter();
    let listed: Vec<&str> = names.by_ref().take(MAX_LISTED).collect();
    match names.count() {
        0 => listed.join(", "),
        more => format!("{} and {more} more", listed.join(", ")),
    }
}

/// Counts of the characters in a name; some characters share a counter.
type Letters = [i16; 64];

fn letters(name: &str) -> Letters {
    let mut letters = [0; 64];
    name.chars().for_each(|letter| letters[letter as usize % 64] += 1);
    letters
}

/// A lower bound of the edit distance.
fn min_distance(one: &Letters, other: &Letters) -> usize {
    let (mut more, mut less) = (0, 0);
    for (one, other) in one.iter().zip(other) {
        more += usize::try_from(one - other).unwrap_or(0);
        less += usize::try_from(other - one).unwrap_or(0);
    }
    more.max(less)
}

fn folded(name: &str) -> String {
    name.to_lowercase().replace(['-', '_'], ".")
}

fn words(name: &str) -> Vec<&str> {
    let mut words: Vec<&str> = name.split('.').collect();
    words.sort_unstable();
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_cut() {
        let names: Vec<String> = (0..30).map(|n| format!("a{n}")).collect();
        assert_eq!(list_some(["a", "b"]), "a, b");
        assert!(list_some(names.iter().map(String::as_str)).ends_with(", a19 and 10 more"));
    }

    #[test]
    fn finds_typing_mistakes_and_swapped_words() {
        let known = ["contacts.create", "contacts.tags.add", "contacts.upsert"];
        let suggested = |name| closest(name, known).map(|s| s.name().to_owned());
        assert_eq!(suggested("contact.upsert").as_deref(), Some("contacts.upsert"));
        assert_eq!(suggested("tags-add_contacts").as_deref(), Some("contacts.tags.add"));
        assert_eq!(suggested("contacts.cretae").as_deref(), Some("contacts.create"));
        assert_eq!(suggested("invoices.void"), None);
    }
}
