//! Requests of a poll of a list that is read for each parent.

use std::sync::Arc;

use super::Estimate;
use super::assumptions::Assumptions;
use super::model::Note;
use super::polled_list::{PolledList, PolledParents, list_of_parent, takes_pages, whole_list};
use crate::catalog::{Operation, QuietPoll, Wanted};
use crate::check::CheckedRecipe;
use crate::recipe::{Poll, Start, Trigger};
use crate::trigger::detect::changes;

impl PolledParents {
    /// That of the recipe's poll.
    pub(super) fn of(recipe: &CheckedRecipe) -> Option<Self> {
        let Trigger::Poll(Poll { over: Some(over), .. }) = recipe.trigger() else { return None };
        Some(Self { operation: Arc::clone(recipe.parents()?), with: over.with.to_value() })
    }

    /// Records of all parents together, where their number is assumed and how many each has.
    pub(super) fn records(&self, items: &Operation, assumptions: &Assumptions) -> Option<f64> {
        Some(assumptions.records(&self.operation.id)? * assumptions.named(&items.id)?)
    }

    /// Whether only parents that changed are asked.
    fn tells(&self, items: &PolledList<'_>) -> bool {
        items.listing().per_parent.is_told_by(&self.operation.id, &changes(items.emit))
    }

    /// Requests of a poll that finds nothing, and what that depends on.
    pub(super) fn quiet(&self, items: &PolledList<'_>, assumptions: &Assumptions) -> (Estimate, Vec<Note>) {
        let (whole, notes) = self.whole(items, assumptions);
        if !self.tells(items) {
            return (whole, notes);
        }
        let usual = Wanted { only_new: false, removed: false };
        let listing = self.operation.list.as_ref();
        let sorted = listing.is_some_and(|list| list.quiet_poll(usual, &self.with) == QuietPoll::OneRequest);
        let quiet = if sorted { Estimate::exactly(1.0) } else { whole_list(&self.operation, assumptions).0 };
        (quiet, notes)
    }

    /// Requests of the first poll. The parents are read again, unless `start: all` reports everything anyway.
    pub(super) fn first(&self, items: &PolledList<'_>, assumptions: &Assumptions) -> Estimate {
        let (whole, _) = self.whole(items, assumptions);
        if items.start == Start::All || !takes_pages(&self.operation, assumptions) {
            return whole;
        }
        let (parents, _) = whole_list(&self.operation, assumptions);
        whole + parents * Estimate::between(0.0, 1.0, Some(2.0))
    }

    /// Requests of a poll in addition to a quiet one: for the parents of `events` changes, and for all of them once a
    /// day.
    pub(super) fn for_changes(
        &self,
        items: &PolledList<'_>,
        events: f64,
        polls: f64,
        assumptions: &Assumptions,
    ) -> f64 {
        if !self.tells(items) || polls <= 0.0 {
            return 0.0;
        }
        let (each, _) = list_of_parent(items.operation, assumptions);
        let (whole, _) = self.whole(items, assumptions);
        // The first poll of all asks all parents as well.
        let daily = if polls > 1.0 { whole.expected - 1.0 } else { 0.0 };
        (events * each.expected * items.parts as f64 + daily.max(0.0)) / polls
    }

    /// Requests of a poll that asks all parents, and what that depends on.
    fn whole(&self, items: &PolledList<'_>, assumptions: &Assumptions) -> (Estimate, Vec<Note>) {
        let parents = assumptions.records(&self.operation.id);
        if let Some(requests) = items.history.whole.filter(|_| parents.is_none() && items.history.is_begun) {
            return (Estimate::exactly(requests as f64), Vec::new());
        }
        let (list, note) = whole_list(&self.operation, assumptions);
        let mut notes = Vec::from_iter(note);
        let (each, note) = list_of_parent(items.operation, assumptions);
        notes.extend(note.map(|note| Note {
            assumed: format!(
                "the list of each parent is read to its end, and as its length is not known, one page is assumed for \
                 each record of `{}`",
                self.operation.id
            ),
            ..note
        }));
        let each = each * Estimate::exactly(items.parts as f64);
        let count = match parents {
            Some(parents) => Estimate::exactly(parents),
            None => {
                let id = &self.operation.id;
                notes.push(Note {
                    about: items.operation.id.clone(),
                    assumed: format!(
                        "it is read once for each record of `{id}`; how many these are is not known, and {UNKNOWN} are \
                         assumed"
                    ),
                    assume: vec![format!("{id}=2000")],
                });
                Estimate::between(0.0, UNKNOWN, None)
            }
        };
        (list + count * each, notes)
    }
}

/// How many parents are assumed where nothing says how many there are.
const UNKNOWN: f64 = 100.0;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::PollHistory;
    use crate::recipe::Emit;
    use crate::value::Value;

    fn operation(id: &str, list: &str) -> Operation {
        let text =
            format!("{{ title: t, summary: s, kinds: [poller], list: {{ items: [$], id: [id], {list} }} }}");
        Operation { id: id.into(), ..serde_yaml::from_str(&text).unwrap() }
    }

    fn parents() -> PolledParents {
        let list = "created: c, updated: u, newest_first: { sort: new }, \
                    paging: { style: page, page: page, size: 100, short_page_ends: true }";
        PolledParents { operation: Arc::new(operation("clients.list", list)), with: Value::Null }
    }

    fn items<'a>(
        operation: &'a Operation,
        over: &'a PolledParents,
        start: Start,
        history: PollHistory,
    ) -> PolledList<'a> {
        let emit = &[Emit::New, Emit::Changed];
        PolledList { operation, emit, start, with: &Value::Null, parts: 1, over: Some(over), history }
    }

    #[test]
    fn all_parents_are_asked_unless_they_tell() {
        let over = parents();
        let assumed = Assumptions::parse(&["clients.list=1050".to_owned()]).unwrap();
        let plain = operation("notes.list", "paging: { style: none }");
        let each = Assumptions::parse(&["clients.list=50".to_owned(), "notes.list=3".to_owned()]).unwrap();
        assert_eq!((over.records(&plain, &each), over.records(&plain, &assumed)), (Some(150.0), None));
        let none = PollHistory::default();
        let all = items(&plain, &over, Start::Now, none);
        assert_eq!(all.quiet(&assumed).0, Estimate::exactly(11.0 + 1050.0));
        assert_eq!(all.first(&assumed), Estimate::between(1061.0, 1072.0, Some(1083.0)), "the parents again");
        assert_eq!(items(&plain, &over, Start::All, none).first(&assumed), Estimate::exactly(1061.0));
        assert_eq!(all.for_changes(50.0, 100.0, &assumed), 0.0);
        let (unknown, notes) = all.quiet(&Assumptions::default());
        assert_eq!((unknown.expected, unknown.most), (101.0, None));
        assert_eq!(notes.last().unwrap().assume, ["clients.list=2000"]);
        let begun = PollHistory { is_begun: true, pages: 1, whole: Some(77) };
        let known = items(&plain, &over, Start::Now, begun).quiet(&Assumptions::default());
        assert_eq!((known.0, known.1.len()), (Estimate::exactly(77.0), 0));

        let told = operation(
            "notes.list",
            "per_parent: { touches: { clients.list: [new, changed] } }, paging: { style: none }",
        );
        let told = items(&told, &over, Start::Now, none);
        assert_eq!(told.quiet(&assumed).0, Estimate::exactly(1.0));
        assert_eq!(told.for_changes(50.0, 100.0, &assumed), (50.0 + 1060.0) / 100.0, "and all once a day");
        assert_eq!(told.for_changes(5.0, 1.0, &assumed), 5.0);
    }
}
