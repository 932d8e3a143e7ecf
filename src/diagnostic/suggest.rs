//! "Did you mean": the known name closest to one that is unknown.

use std::fmt;

/// A known name that was probably meant.
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

/// The candidate closest to `name`, if one is close enough to be a typing mistake, another case or
/// another order of the same words.
pub fn closest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<Suggestion> {
    let wanted = folded(name);
    let allowed = (wanted.chars().count() / 3).max(1);
    let (letters, parts) = (letters(&wanted), words(&wanted));
    let mut best: Option<(usize, &str)> = None;
    for candidate in candidates {
        let known = folded(candidate);
        // A distance takes long to find: not of names that cannot be near.
        if apart(&letters, &self::letters(&known)) > allowed {
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

/// Names listed at most: nobody reads more, and a list in each of many complaints costs more than all the rest.
const MOST_LISTED: usize = 20;

/// The first of `names`, and how many more there are.
pub fn some_of<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let mut names = names.into_iter();
    let listed: Vec<&str> = names.by_ref().take(MOST_LISTED).collect();
    match names.count() {
        0 => listed.join(", "),
        more => format!("{} and {more} more", listed.join(", ")),
    }
}

/// How often each letter stands in a name; a few letters share a place.
type Letters = [i16; 64];

fn letters(name: &str) -> Letters {
    let mut letters = [0; 64];
    name.chars().for_each(|letter| letters[letter as usize % 64] += 1);
    letters
}

/// So many letters at least are to be added, taken away or replaced to make one name of the other.
fn apart(one: &Letters, other: &Letters) -> usize {
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
        assert_eq!(some_of(["a", "b"]), "a, b");
        assert!(some_of(names.iter().map(String::as_str)).ends_with(", a19 and 10 more"));
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
