//! Queries that both stores share: everything except what must be fast (append, lease, record).

pub(super) mod activity;
pub(super) mod acts;
pub(super) mod alerts;
pub(super) mod claims;
pub(super) mod cursors;
pub(super) mod ended_alike;
pub(super) mod export;
pub(super) mod fingerprint;
pub(super) mod holds;
pub(super) mod identifiers;
pub(super) mod import;
pub(super) mod link_bases;
pub(super) mod links;
mod lookup;
pub(super) mod receipts;
pub(super) mod recipes;
pub(super) mod runs;
pub(super) mod sessions;
pub(super) mod totals;
pub(super) mod values;
pub(super) mod writes;
