//! Ids that look like the real API's, the same at every start.

use schemars::JsonSchema;
use serde::Deserialize;

/// The format of a collection's ids.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Identity {
    /// Field that holds it.
    #[serde(default = "id")]
    pub(super) field: String,
    /// In front of every id.
    #[serde(default)]
    pub(super) prefix: String,
    /// Characters after the prefix.
    #[serde(default = "default_length")]
    pub(super) length: usize,
    /// Which characters.
    #[serde(default)]
    pub(super) alphabet: Alphabet,
}

impl Default for Identity {
    fn default() -> Self {
        Self { field: id(), prefix: String::new(), length: default_length(), alphabet: Alphabet::default() }
    }
}

fn id() -> String {
    "id".into()
}

fn default_length() -> usize {
    20
}

/// The characters of an id.
#[derive(Debug, Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Alphabet {
    /// `a-zA-Z0-9`
    #[default]
    Alphanumeric,
    /// `a-z0-9`
    Lower,
    /// `0-9a-f`
    Hex,
}

impl Alphabet {
    fn letters(self) -> &'static [u8] {
        match self {
            Self::Alphanumeric => b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
            Self::Lower => b"0123456789abcdefghijklmnopqrstuvwxyz",
            Self::Hex => b"0123456789abcdef",
        }
    }
}

impl Identity {
    /// The `n`th id of the collection `collection`.
    pub(super) fn make(&self, seed: u64, collection: &str, n: u64) -> String {
        let letters = self.alphabet.letters();
        let mut random = Random::new(seed, collection, n);
        let mut made = self.prefix.clone();
        made.extend((0..self.length).map(|_| char::from(letters[random.below(letters.len())])));
        made
    }
}

/// Pseudo-random numbers that depend on their seed alone (splitmix64).
pub(super) struct Random(u64);

impl Random {
    /// For the `n`th record of `name`.
    pub(super) fn new(seed: u64, name: &str, n: u64) -> Self {
        let start = seed ^ hash(name);
        let mut random = Self(start.wrapping_add(n.wrapping_mul(0xD134_2543_DE82_EF95)));
        random.next();
        random
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below `end`; 0 when `end` is 0.
    pub(super) fn below(&mut self, end: usize) -> usize {
        match end {
            0 => 0,
            // The remainder is below `end`, which is a usize.
            #[expect(clippy::cast_possible_truncation)]
            _ => (self.next() % end as u64) as usize,
        }
    }
}

/// FNV-1a: stable across starts and platforms, unlike the standard hasher.
pub(super) fn hash(text: &str) -> u64 {
    text.bytes().fold(0xCBF2_9CE4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn ids_are_stable_and_distinct() {
        let identity = Identity::default();
        assert_eq!(identity.make(1, "contacts", 7), identity.make(1, "contacts", 7));
        let made: HashSet<String> = (0..50_000).map(|n| identity.make(1, "contacts", n)).collect();
        assert_eq!(made.len(), 50_000);
        assert!(made.iter().all(|id| id.len() == 20));
        assert!(!made.contains(&identity.make(1, "users", 3)));
    }

    #[test]
    fn prefix_and_alphabet_are_kept() {
        let identity =
            Identity { prefix: "cl_".into(), length: 8, alphabet: Alphabet::Lower, ..Identity::default() };
        let made = identity.make(1, "clients", 0);
        assert!(made.starts_with("cl_") && made.len() == 11 && made.to_lowercase() == made);
    }
}
