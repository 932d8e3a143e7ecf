//! A recipe with one mistake.

use hob::source::Span;

use crate::original::Original;
use crate::random::Random;
use crate::rules;

/// What a rule replaces by what.
#[derive(Debug, Clone, PartialEq)]
pub struct Edit {
    pub changes: Vec<(Span, String)>,
}

impl Edit {
    /// Replaces what is at `place`.
    pub fn replace(place: Span, by: impl Into<String>) -> Self {
        Self { changes: vec![(place, by.into())] }
    }

    /// Inserts before `at`.
    pub fn insert(at: usize, text: impl Into<String>) -> Self {
        Self::replace(Span::new(at, at), text)
    }

    /// Exchanges two places.
    pub fn swap(original: &Original, first: Span, second: Span) -> Self {
        let text = |span| original.slice(span).to_owned();
        Self { changes: vec![(first, text(second)), (second, text(first))] }
    }
}

/// A recipe with one mistake.
#[derive(Debug)]
pub struct Mutant {
    /// The rule that made it.
    pub rule: &'static str,
    /// The recipe's text.
    pub text: String,
    /// What was changed, for people.
    pub change: String,
}

impl Mutant {
    fn new(rule: &'static str, original: &Original, edit: &Edit) -> Self {
        let mut changes = edit.changes.clone();
        changes.sort_by_key(|(span, _)| std::cmp::Reverse(span.start));
        let mut text = original.text.clone();
        for (span, by) in &changes {
            text.replace_range(span.range(), by);
        }
        let place = changes.last().map_or(0, |(span, _)| span.start);
        let line = original.text[..place].matches('\n').count() + 1;
        let (span, by) = &edit.changes[0];
        let change = format!("{}:{line}: {:?} → {by:?}", original.name, original.slice(*span));
        Self { rule, text, change }
    }

    /// At most `count` mutants of a recipe, from all rules alike.
    pub fn some(original: &Original, count: usize, seed: u64) -> Vec<Self> {
        let mut random = Random::new(seed);
        let mut by_rule: Vec<(&str, Vec<Edit>)> =
            rules::ALL.iter().map(|rule| (rule.name, (rule.edits)(original))).collect();
        by_rule.iter_mut().for_each(|(_, edits)| random.shuffle(edits));
        random.shuffle(&mut by_rule);
        let mut mutants: Vec<Self> = Vec::new();
        let most = by_rule.iter().map(|(_, edits)| edits.len()).max().unwrap_or(0);
        for at in 0..most {
            for (rule, edits) in &by_rule {
                let Some(edit) = edits.get(at) else { continue };
                let mutant = Self::new(rule, original, edit);
                let is_known = mutants.iter().any(|known| known.text == mutant.text);
                if mutants.len() < count && !is_known && mutant.text != original.text {
                    mutants.push(mutant);
                }
            }
        }
        mutants
    }
}
