//! Changes of bytes at random.

use crate::random::Random;

/// What grammars care about.
const WORDS: [&str; 40] = [
    "{{ ",
    " }}",
    "{% if x %}",
    "{% for x in ",
    "{% endfor %}",
    "{#",
    "|",
    "'",
    "\"",
    "\\",
    ": ",
    "- ",
    "\n",
    "\n  ",
    "? ",
    "&a ",
    "*a",
    "<<: *a",
    "!!str ",
    "---\n",
    "[",
    "]",
    "{",
    "}",
    "(",
    ")",
    "..",
    "[?@.",
    "*",
    "0",
    "-1",
    "99999999999999999999",
    "1e999",
    "\u{fdd0}",
    "\u{feff}",
    "é",
    "🎉",
    "\0",
    "steps.",
    "event.",
];
const LONGEST: usize = 20_000;

/// Mutants of a corpus.
pub struct Mutation<'c> {
    corpus: &'c [Vec<u8>],
    random: Random,
}

impl<'c> Mutation<'c> {
    pub fn new(corpus: &'c [Vec<u8>], seed: u64) -> Self {
        assert!(!corpus.is_empty());
        Self { corpus, random: Random::new(seed) }
    }

    /// A member of the corpus with one to eight changes.
    pub fn next(&mut self) -> Vec<u8> {
        let mut bytes = self.corpus[self.random.below(self.corpus.len())].clone();
        for _ in 0..=self.random.below(8) {
            self.change(&mut bytes);
        }
        bytes.truncate(LONGEST);
        bytes
    }

    fn change(&mut self, bytes: &mut Vec<u8>) {
        let at = self.random.below(bytes.len() + 1);
        let end = (at + self.random.below(24)).min(bytes.len());
        match self.random.below(8) {
            0 => drop(bytes.drain(at..end)),
            1 => bytes.insert(at, u8::try_from(self.random.below(256)).unwrap()),
            2 | 3 => {
                let word = WORDS[self.random.below(WORDS.len())];
                drop(bytes.splice(at..at, word.bytes()));
            }
            4 => {
                let word = WORDS[self.random.below(WORDS.len())];
                drop(bytes.splice(at..end, word.bytes()));
            }
            // Again, up to a hundred times.
            5 => {
                let times = 1 + self.random.below(4) * self.random.below(25);
                let again = bytes[at..end].repeat(times);
                drop(bytes.splice(at..at, again));
            }
            6 => {
                let other = &self.corpus[self.random.below(self.corpus.len())];
                let from = self.random.below(other.len() + 1);
                let piece = other[from..(from + self.random.below(200)).min(other.len())].to_vec();
                drop(bytes.splice(at..end, piece));
            }
            _ => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= 1 << self.random.below(8);
                }
            }
        }
    }
}
