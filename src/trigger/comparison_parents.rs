//! The parents whose lists are compared, for a list that answers for one parent at a time.

use std::collections::VecDeque;

use serde_json::{Map, Value};

use super::context::TriggerContext;
use super::page_answer::ReadFailure;
use super::page_reader::PageReader;
use super::parent::{Parent, UNREAD};
use super::poller::Poller;
use super::readable_items::split_unreadable;
use crate::journal;
use crate::request::paging::{self, Page, Rounds};
use crate::template::Scope;

/// Why the next parent is not known.
pub(super) enum NoParent {
    /// The store failed.
    Journal(journal::Error),
    /// The list of parents cannot be read, for this reason.
    Unread(String),
}

/// The list of the parents, while it is read.
pub(super) struct ParentList<'a> {
    poller: &'a Poller,
    context: &'a TriggerContext,
    reader: PageReader<'a>,
    inputs: Map<String, Value>,
    /// The next page; `None` at the end.
    page: Option<Map<String, Value>>,
    rounds: Rounds,
    may_be_over: bool,
    /// The parents of the pages read so far whose lists are still to be compared.
    waiting: VecDeque<Parent>,
    /// The pages read.
    pub(super) pages: u64,
    /// The parents whose lists could not be read, and why the last one could not.
    pub(super) skipped: Option<(u64, String)>,
}

impl<'a> ParentList<'a> {
    /// Begins to read the list of `poller`.
    pub(super) fn new(
        poller: &'a Poller,
        context: &'a TriggerContext,
        scope: &Scope,
    ) -> Result<Self, String> {
        Ok(Self {
            poller,
            context,
            reader: PageReader::new(poller, context, true),
            inputs: poller.inputs(scope)?,
            page: Some(poller.first_page(scope.now())),
            rounds: Rounds::default(),
            may_be_over: false,
            waiting: VecDeque::new(),
            pages: 0,
            skipped: None,
        })
    }

    /// The next parent; `None` after the last one.
    pub(super) async fn next(&mut self) -> Result<Option<Parent>, NoParent> {
        while self.waiting.is_empty() {
            let Some(page) = self.page.take() else { return Ok(None) };
            self.read(&page).await?;
        }
        Ok(self.waiting.pop_front())
    }

    /// Notes that the list of a parent cannot be read.
    pub(super) fn skip(&mut self, reason: String) {
        let before = self.skipped.take().map_or(0, |(count, _)| count);
        self.skipped = Some((before + 1, reason));
    }

    /// Reads a page. Parents whose lists no poll could read so far are left out: nothing of them can be missing.
    async fn read(&mut self, page: &Map<String, Value>) -> Result<(), NoParent> {
        let (operation, listing) = (&self.poller.operation, self.poller.listing());
        let mut inputs = self.inputs.clone();
        inputs.extend(page.clone());
        let answer = match self.reader.read(&inputs).await {
            Ok(answer) => answer,
            Err(ReadFailure::Failed { not_found: true, .. })
                if self.may_be_over || paging::ends_with_not_found(&listing.paging, page) =>
            {
                return Ok(());
            }
            Err(not_read) => return Err(NoParent::Unread(not_read.reason().to_owned())),
        };
        let unread = |error: paging::Error| NoParent::Unread(error.to_string());
        let items = paging::items(operation, listing, &answer.body).map_err(unread)?;
        self.pages += 1;
        let records = super::detect::records(listing, &items);
        let at =
            Page { answer: &answer.body, link: answer.link.as_deref(), items: &items, number: self.pages };
        let next = paging::next(operation, &listing.paging, page, at).map_err(unread)?;
        self.rounds.check(&operation.id, page, self.pages, &records, next.as_ref()).map_err(unread)?;
        self.page = next;
        self.may_be_over = paging::may_be_last(&listing.paging, items.len());
        let known = self.context.services.journal.seen(&self.poller.key, &records).await;
        let known = known.map_err(NoParent::Journal)?;
        let parents =
            split_unreadable(listing, items).good.into_iter().map(|item| Parent::new(listing, item));
        let is_read = |parent: &Parent| known.get(&parent.record).is_none_or(|print| print != UNREAD);
        self.waiting.extend(parents.filter(is_read));
        Ok(())
    }
}
