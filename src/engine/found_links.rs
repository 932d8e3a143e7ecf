//! Looks up the links that templates ask for.

use super::leases::LeaseGuard;
use super::shared::Shared;
use super::store_retry::{LeaseLost, with_store_retry};
use crate::run::{FoundLink, RunId};
use crate::template::{LinkEnd, LinkQuery};

/// The other end of each of the links.
pub(super) async fn find_links(
    shared: &Shared,
    run: &RunId,
    links: Vec<LinkQuery>,
    guard: &LeaseGuard,
) -> Result<Vec<FoundLink>, LeaseLost> {
    let journal = &shared.services.journal;
    let mut found = Vec::with_capacity(links.len());
    for query in links {
        let (from, to) = match &query.known {
            LinkEnd::From(from) => (Some(from.as_str()), None),
            LinkEnd::To(to) => (None, Some(to.as_str())),
        };
        let link = with_store_retry(run, guard, || journal.find_link(&query.name, from, to)).await?;
        let other = link.map(|link| if from.is_some() { link.to } else { link.from });
        found.push(FoundLink { query, found: other });
    }
    Ok(found)
}
