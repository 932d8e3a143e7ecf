//! Why runs are in their state, told apart from which record it was: the same failure of many runs is one cause.

use sha2::{Digest, Sha256};

use crate::run::RunState;

/// What stands for a value that differs from run to run.
const VALUE: &str = "…";
/// Words after which a number or a name is the API's own code.
const CODE_WORDS: [&str; 6] = ["code", "error", "errno", "errorcode", "error_code", "status"];
/// Shortest word with digits that is an id.
const ID_LENGTH: usize = 8;
/// Shortest word without digits that is an id if its letters change their case often.
const MIXED_ID_LENGTH: usize = 15;
/// How many letters there are at most for each change.
const LETTERS_PER_CHANGE: usize = 3;
/// Longest code.
const CODE_LENGTH: usize = 19;
/// Digits of a cause's id.
const DIGITS: usize = 10;

/// A cause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause {
    /// Its identity: the same for the same recipe, state and kind of reason.
    pub id: String,
    /// The reason without what differs from run to run.
    pub reason: String,
    /// The step that the reason names.
    pub step: Option<String>,
}

impl Cause {
    /// The cause of runs of `recipe` in `state` for `reason`. What the text of the recipe says itself, such as the name of a
    /// stage, is the same for all runs and stays; other quoted values, ids and numbers are left out, except for the
    /// HTTP status and codes.
    pub fn new(recipe: &str, state: RunState, reason: &str, text: Option<&str>) -> Self {
        let (step, rest) = split_step(reason);
        let general = General { text, out: String::new(), word: String::new() }.of(rest);
        let reason = match &step {
            Some(step) => format!("step `{step}`: {general}"),
            None => general,
        };
        let hash = Sha256::new()
            .chain_update(recipe)
            .chain_update([0])
            .chain_update(state.name())
            .chain_update([0])
            .chain_update(&reason)
            .finalize();
        Self { id: hex::encode(hash)[..DIGITS].to_owned(), reason, step }
    }
}

/// The step named at the beginning of a reason, without the number of its item, and the rest.
fn split_step(reason: &str) -> (Option<String>, &str) {
    let named = reason.strip_prefix("step `").and_then(|rest| rest.split_once("`: "));
    match named {
        Some((step, rest)) => {
            (Some(step.split_once('[').map_or(step, |(action, _)| action).to_owned()), rest)
        }
        None => (None, reason),
    }
}

/// Writes a reason without what differs from run to run.
struct General<'a> {
    text: Option<&'a str>,
    out: String,
    /// The word before, in lower case.
    word: String,
}

impl General<'_> {
    fn of(mut self, reason: &str) -> String {
        let mut rest = reason.trim();
        while let Some(first) = rest.chars().next() {
            let length = match first {
                '(' if rest.starts_with("(trace ") => rest.find(')').map_or(rest.len(), |end| end + 1),
                '`' | '"' | '\'' | '“' | '‘' => self.quoted(rest, first),
                letter if is_of_word(letter) => self.plain(rest),
                other => {
                    self.out.push(other);
                    other.len_utf8()
                }
            };
            rest = &rest[length..];
        }
        collapsed(&self.out)
    }

    /// A quoted value; returns the length of what was read.
    fn quoted(&mut self, rest: &str, opening: char) -> usize {
        let closing = match opening {
            '“' => '”',
            '‘' => '’',
            same => same,
        };
        let begin = opening.len_utf8();
        let after_word = self.out.chars().next_back().is_some_and(char::is_alphanumeric);
        let Some(length) = rest[begin..].find(closing).filter(|_| !after_word) else {
            // An apostrophe.
            self.out.push(opening);
            return begin;
        };
        let (value, after) = (&rest[begin..begin + length], &rest[begin + length + closing.len_utf8()..]);
        // The name of a field in JSON.
        let is_key = after.starts_with(':');
        let stays = is_key || value.is_empty() || self.is_in_recipe(value) || self.is_code(value);
        self.out.push(opening);
        self.out.push_str(if stays { value } else { VALUE });
        self.out.push(closing);
        if is_key {
            self.word = value.to_lowercase();
        }
        rest.len() - after.len()
    }

    /// A word outside of quotes; returns its length.
    fn plain(&mut self, rest: &str) -> usize {
        let end = rest.find(|letter| !is_of_word(letter)).unwrap_or(rest.len());
        let word = rest[..end].trim_end_matches(['.', '-', '@']);
        let word = if word.is_empty() { &rest[..end] } else { word };
        if self.is_status(word, &rest[word.len()..]) || self.is_code(word) {
            self.out.push_str(word);
        } else {
            self.out.push_str(&self.general(word));
        }
        self.word = word.to_lowercase();
        word.len()
    }

    fn general(&self, word: &str) -> String {
        let has_digits = word.contains(|letter: char| letter.is_ascii_digit());
        let is_number = word.chars().all(|letter| letter.is_ascii_digit() || "+-.".contains(letter));
        if !has_digits && !is_mixed(word) && !word.contains('@') {
            return word.to_owned();
        }
        if !is_number && self.is_in_recipe(word) {
            return word.to_owned();
        }
        if is_number || word.contains('@') || word.chars().count() >= ID_LENGTH {
            return VALUE.to_owned();
        }
        // `v2`, `UTF-8`
        let mut out = String::new();
        for letter in word.chars() {
            match letter.is_ascii_digit() {
                true if out.ends_with(VALUE) => {}
                true => out.push_str(VALUE),
                false => out.push(letter),
            }
        }
        out
    }

    /// Whether it stands in the recipe, as a word of its own.
    fn is_in_recipe(&self, value: &str) -> bool {
        let Some(text) = self.text else { return false };
        let is_apart = |letter: Option<char>| letter.is_none_or(|letter| !letter.is_alphanumeric());
        text.match_indices(value).any(|(at, _)| {
            is_apart(text[..at].chars().next_back()) && is_apart(text[at + value.len()..].chars().next())
        })
    }

    /// Whether it is an HTTP status: first of all, or followed by its name.
    fn is_status(&self, word: &str, after: &str) -> bool {
        let is_one = word.len() == 3 && word.parse::<u16>().is_ok_and(|number| (100..600).contains(&number));
        let mut after = after.chars();
        let named = after.next() == Some(' ') && after.next().is_some_and(char::is_uppercase);
        is_one && (self.out.is_empty() || named || self.word == "http")
    }

    /// Whether it is the API's own code.
    fn is_code(&self, word: &str) -> bool {
        let shouts = |letter: char| letter.is_ascii_uppercase() || letter.is_ascii_digit() || letter == '_';
        let is_name = word.contains('_') && word.starts_with(|letter: char| letter.is_ascii_uppercase());
        let follows = CODE_WORDS.contains(&self.word.as_str());
        (is_name && word.chars().all(shouts))
            || (follows && word.len() <= CODE_LENGTH && !word.contains(['@', ' ']))
    }
}

/// Whether a letter belongs to a word, a number, an address or a name with dots.
fn is_of_word(letter: char) -> bool {
    letter.is_alphanumeric() || matches!(letter, '_' | '-' | '.' | '@' | '+')
}

/// Whether the case of the letters changes as in ids.
fn is_mixed(word: &str) -> bool {
    let cases: Vec<bool> = word.chars().map(char::is_uppercase).collect();
    let changes = cases.windows(2).filter(|pair| pair[0] != pair[1]).count();
    cases.len() >= MIXED_ID_LENGTH && changes * LETTERS_PER_CHANGE >= cases.len()
}

/// With one space between words, and without values beside each other: `12:30:05` is one.
fn collapsed(text: &str) -> String {
    let mut out = text.split_whitespace().collect::<Vec<_>>().join(" ");
    for between in [":", "/", "-", " "] {
        let several = format!("{VALUE}{between}{VALUE}");
        while out.contains(&several) {
            out = out.replace(&several, VALUE);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECIPE: &str = "name: leads\nactions:\n- { id: move, do: opportunities.update, with: { stage: Won, \
                          firstName: \"{{ event.name }}\", api: v2 } }\n";

    fn cause(reason: &str) -> Cause {
        Cause::new("leads", RunState::Failed, reason, Some(RECIPE))
    }

    #[test]
    fn what_differs_from_run_to_run_is_left_out() {
        let cases = [
            (
                "step `move`: 404 Not Found: The stage `Won` is gone",
                "step `move`: 404 Not Found: The stage `Won` is gone",
            ),
            (
                "step `move[3]`: 422 Unprocessable Entity: email jane@example.com is not valid (trace 7d1f-22)",
                "step `move`: 422 Unprocessable Entity: email … is not valid",
            ),
            (
                "contact ocQHyuzHvysMo5N5VsXc of \"Jane Doe\" has 3 duplicates",
                "contact … of \"…\" has … duplicates",
            ),
            (
                "400 Bad Request: {\"code\":7,\"firstName\":\"Jane\"}",
                "400 Bad Request: {\"code\":7,\"firstName\":\"…\"}",
            ),
            (
                "409 Conflict: error STAGE_GONE at 2026-11-29T02:10:05Z",
                "409 Conflict: error STAGE_GONE at …Z",
            ),
            (
                "recipes/leads.yaml:12:5: `event.name` can't be split in v2",
                "recipes/leads.yaml:…: `event.name` can't be split in v2",
            ),
            (
                "no answer from https://api.example.com/contacts/hTlkh7t8gujsahgg93/tags",
                "no answer from https://api.example.com/contacts/…/tags",
            ),
            ("phone +447911123456 of ZhKLoWqRtYpXcVb", "phone … of …"),
            (
                "the property followUpAppointmentDate should not exist",
                "the property followUpAppointmentDate should not exist",
            ),
        ];
        for (reason, expected) in cases {
            assert_eq!(cause(reason).reason, expected, "{reason}");
        }
    }

    #[test]
    fn a_cause_is_of_a_recipe_a_step_and_a_state() {
        let one = cause("step `move`: 404 Not Found: no contact 81d5kq2v");
        assert_eq!(one, cause("step `move[2]`: 404 Not Found: no contact 77aakq2v"));
        assert_eq!((one.step.as_deref(), one.id.len()), (Some("move"), DIGITS));
        let reason = "step `move`: 404 Not Found: no contact 81d5kq2v";
        for other in [
            cause("step `find`: 404 Not Found: no contact 81d5kq2v"),
            cause("step `move`: 410 Gone: no contact 81d5kq2v"),
            Cause::new("other", RunState::Failed, reason, Some(RECIPE)),
            Cause::new("leads", RunState::Parked, reason, Some(RECIPE)),
        ] {
            assert_ne!(one.id, other.id, "{other:?}");
        }
        // Without the text of the recipe a stage may have come from an event.
        let unknown = Cause::new("leads", RunState::Failed, "The stage `Won` is gone", None);
        assert_eq!(unknown.reason, "The stage `…` is gone");
    }
}
