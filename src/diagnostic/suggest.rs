//! "Did you mean": the known name closest to one that is unknown.

use std::fmt;

/// A known name that was probably intended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suggestion {
    name: String,
    /// Whether no other name is nearly as close.
    clear: bool,
}

impl Suggestion {
    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether it can hardly be another one: the same letters, or one or two typing mistakes while every other name is
    /// further away.
    pub fn is_clear(&self) -> bool {
        self.clear
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
    // The distance of the second best.
    let mut next = usize::MAX;
    for candidate in candidates {
        let known = folded(candidate);
        // A cheap lower bound avoids computing most distances. One more tells whether another name is nearly as close.
        if min_distance(&letters, &self::letters(&known)) > allowed + 1 {
            continue;
        }
        let same_words = parts == words(&known);
        let distance = if same_words { 0 } else { strsim::damerau_levenshtein(&wanted, &known) };
        match best {
            Some((_, name)) if name == candidate => {}
            _ if distance > allowed => next = next.min(distance),
            Some((least, _)) if distance >= least => next = next.min(distance),
            _ => {
                next = best.map_or(next, |(least, _)| next.min(least));
                best = Some((distance, candidate));
            }
        }
    }
    best.map(|(distance, found)| {
        let is_near = distance == 0 || distance <= MAX_MISTAKES && wanted.chars().count() >= MIN_LENGTH;
        let is_only = next > distance + usize::from(distance > 0);
        // `studio-9` is no typing mistake of `studio-1`.
        let digits = |name: &str| name.chars().filter(char::is_ascii_digit).collect::<String>();
        let clear = is_near && is_only && digits(name) == digits(found);
        Suggestion { name: found.to_owned(), clear }
    })
}

/// The most typing mistakes in a name that is clear nevertheless.
const MAX_MISTAKES: usize = 2;
/// Shorter names are near too many others.
const MIN_LENGTH: usize = 3;

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

    #[test]
    fn a_suggestion_is_clear_if_no_other_name_is_near() {
        let clear = |name, known: &[&'static str]| closest(name, known.iter().copied()).map(|s| s.is_clear());
        assert_eq!(clear("emial", &["email", "name"]), Some(true));
        assert_eq!(clear("emai", &["email", "emails"]), Some(false));
        assert_eq!(clear("Email", &["email", "emails"]), Some(true));
        assert_eq!(clear("mail", &["email", "email"]), Some(true), "the same name twice");
        assert_eq!(clear("abcdefghijk", &["abcdefghxyz"]), Some(false), "three mistakes");
        assert_eq!(clear("d", &["b"]), Some(false));
        assert_eq!(clear("studio-9", &["studio-1"]), Some(false), "another number");
    }
}
