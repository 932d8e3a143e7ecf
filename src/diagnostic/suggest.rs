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
    let mut best: Option<(usize, &str)> = None;
    for candidate in candidates {
        let known = folded(candidate);
        let same_words = words(&wanted) == words(&known);
        let distance = if same_words { 0 } else { strsim::damerau_levenshtein(&wanted, &known) };
        if distance <= allowed && best.is_none_or(|(least, _)| distance < least) {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, name)| Suggestion { name: name.to_owned() })
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
    fn finds_typing_mistakes_and_swapped_words() {
        let known = ["contacts.create", "contacts.tags.add", "contacts.upsert"];
        let suggested = |name| closest(name, known).map(|s| s.name().to_owned());
        assert_eq!(suggested("contact.upsert").as_deref(), Some("contacts.upsert"));
        assert_eq!(suggested("invoices.void"), None);
    }
}
