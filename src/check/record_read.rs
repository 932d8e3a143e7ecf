//! The read of one record of a list by its id.

use crate::catalog::{Catalog, Operation};
use crate::recipe::Poll;

/// The read of one record of the list of `poll` by its id alone, and its input for the id.
pub fn record_read<'c>(catalog: &'c Catalog, poll: &Poll) -> Option<(&'c Operation, &'c str)> {
    let list = catalog.operation(&poll.operation)?;
    let is_unique = poll.over.is_none() || list.list.as_ref()?.per_parent.unique_ids;
    catalog.record_read(list).filter(|_| is_unique)
}
