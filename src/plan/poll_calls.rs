//! Requests of one poll.

use super::Estimate;
use super::assumptions::Assumptions;
use super::model::Note;
use super::polled_list::{PolledList, page_size, takes_pages, whole_list};
use crate::catalog::{Listing, Paging, QuietPoll};
use crate::recipe::Start;
use crate::trigger::detect::wanted;

impl PolledList<'_> {
    pub(super) fn listing(&self) -> &Listing {
        static NOTHING: std::sync::LazyLock<Listing> = std::sync::LazyLock::new(Listing::default);
        self.operation.list.as_ref().unwrap_or(&NOTHING)
    }

    fn records(&self, assumptions: &Assumptions) -> Option<u64> {
        assumptions.records(&self.operation.id).map(|records| records as u64)
    }

    /// Requests of a poll that finds nothing, and what that depends on.
    pub(super) fn quiet(&self, assumptions: &Assumptions) -> (Estimate, Vec<Note>) {
        if let Some(over) = self.over {
            return over.quiet(self, assumptions);
        }
        let (requests, note) = self.quiet_alone(assumptions);
        (requests, Vec::from_iter(note))
    }

    fn quiet_alone(&self, assumptions: &Assumptions) -> (Estimate, Option<Note>) {
        match self.listing().quiet_poll(wanted(self.emit), self.with) {
            QuietPoll::OneRequest => (Estimate::exactly(self.parts as f64), None),
            QuietPoll::WholeList { .. } => self.whole_list(assumptions),
        }
    }

    /// Requests of the first poll.
    pub(super) fn first(&self, assumptions: &Assumptions) -> Estimate {
        if let Some(over) = self.over {
            return over.first(self, assumptions);
        }
        let (whole, _) = self.whole_list(assumptions);
        let sorted = self.listing().stops_early(wanted(self.emit), self.with).is_some();
        match self.start {
            Start::All => whole,
            Start::Now | Start::At(_) if sorted => Estimate::between(1.0, 1.0, whole.most),
            // A list of several pages is read again until nothing new turns up, because it may change meanwhile.
            _ if self.takes_pages(assumptions) => whole * Estimate::between(1.0, 2.0, Some(3.0)),
            _ => whole,
        }
    }

    fn takes_pages(&self, assumptions: &Assumptions) -> bool {
        takes_pages(self.operation, assumptions)
    }

    fn page_size(&self) -> Option<u32> {
        page_size(self.listing())
    }

    /// Requests that read the list to its end.
    fn whole_list(&self, assumptions: &Assumptions) -> (Estimate, Option<Note>) {
        let pages = self.history.pages.max(1);
        let known = self.records(assumptions).is_none() && self.history.is_begun && pages > 0;
        if known && !matches!(self.listing().paging, Paging::None) {
            return (Estimate::exactly(pages as f64), None);
        }
        let (part, note) = whole_list(self.operation, assumptions);
        (part * Estimate::exactly(self.parts as f64), note)
    }

    /// Requests a poll that `events` changes cost in addition, if there are so many between two polls of `polls`.
    pub(super) fn for_changes(&self, events: f64, polls: f64, assumptions: &Assumptions) -> f64 {
        if let Some(over) = self.over {
            return over.for_changes(self, events, polls, assumptions);
        }
        let quiet = self.listing().quiet_poll(wanted(self.emit), self.with);
        let paged = !matches!(self.listing().paging, Paging::None);
        if quiet != QuietPoll::OneRequest || !paged || events <= 0.0 || polls <= 0.0 {
            return 0.0;
        }
        // Evenly spread: a poll finds some of them only now and then.
        let changed = events.min(polls);
        let size = self.page_size().map_or(100.0, f64::from);
        let pages = (events / changed / size).ceil();
        let known = self.records(assumptions).is_some();
        let (whole, _) = self.whole_list(assumptions);
        let most = if known { whole.expected - 1.0 } else { f64::INFINITY };
        pages.min(most).max(0.0) * changed / polls
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Operation;
    use crate::plan::history::PollHistory;
    use crate::recipe::Emit;
    use crate::value::Value;

    fn operation(paging: &str) -> Operation {
        let text = format!(
            "{{ title: t, summary: s, kinds: [poller], list: {{ items: [$], id: [id], created: c, updated: u, {paging} }} }}"
        );
        Operation { id: "x.list".into(), ..serde_yaml::from_str(&text).unwrap() }
    }

    const SORTED: &str =
        "newest_first: { sort: new }, paging: { style: page, page: page, size: 50, short_page_ends: true }";
    const PLAIN: &str = "paging: { style: page, page: page, size: 50, short_page_ends: true }";

    fn assume(text: &str) -> Assumptions {
        Assumptions::parse(&[text.to_owned()]).unwrap()
    }

    fn list<'a>(operation: &'a Operation, start: Start, history: PollHistory) -> PolledList<'a> {
        PolledList {
            operation,
            emit: &[Emit::New, Emit::Changed],
            start,
            with: &Value::Null,
            parts: 1,
            over: None,
            history,
        }
    }

    #[test]
    fn a_sorted_list_costs_one_request_and_others_their_pages() {
        let (sorted, plain) = (operation(SORTED), operation(PLAIN));
        let none = PollHistory::default();
        let at_500 = assume("records=500");
        assert_eq!(list(&sorted, Start::Now, none).quiet(&at_500).0, Estimate::exactly(1.0));
        let plain_list = list(&plain, Start::Now, none);
        assert_eq!(
            plain_list.quiet(&at_500).0,
            Estimate::exactly(11.0),
            "ten full pages and one that is not"
        );
        assert_eq!(plain_list.first(&at_500).expected, 22.0, "read again");
        assert_eq!(list(&plain, Start::All, none).first(&at_500).expected, 11.0);
        let (unknown, note) = plain_list.quiet(&Assumptions::default());
        assert_eq!((unknown.expected, unknown.most), (1.0, None));
        assert_eq!(note[0].assume, ["x.list=2000"]);
        let begun = PollHistory { is_begun: true, pages: 7, whole: None };
        assert_eq!(list(&plain, Start::Now, begun).quiet(&Assumptions::default()).0, Estimate::exactly(7.0));
    }

    #[test]
    fn a_window_costs_each_of_its_parts() {
        let (plain, none) = (operation("paging: { style: none }"), PollHistory::default());
        let list = PolledList { parts: 3, ..list(&plain, Start::Now, none) };
        let assumed = assume("records=500");
        assert_eq!(list.quiet(&assumed).0, Estimate::exactly(3.0));
        assert_eq!(list.first(&assumed), Estimate::exactly(3.0));
        let paged = operation(PLAIN);
        let list = PolledList { parts: 2, ..self::list(&paged, Start::All, none) };
        assert_eq!(list.quiet(&assume("records=120")).0, Estimate::exactly(6.0), "each part as long");
    }

    #[test]
    fn changes_cost_a_page_more_where_they_are_met() {
        let sorted = operation(SORTED);
        let list = list(&sorted, Start::Now, PollHistory::default());
        let extra = |events, polls| list.for_changes(events, polls, &Assumptions::default());
        assert_eq!((extra(0.0, 288.0), extra(28.8, 288.0)), (0.0, 0.1));
        assert_eq!(extra(288.0 * 60.0, 288.0), 2.0);
        assert_eq!(list.for_changes(10.0, 1.0, &assume("records=20")), 0.0, "there is no second page");
    }
}
