//! What every store answers by the same statements: all but what has to be fast, such as taking in events, handing
//! out runs and taking back what became of them.

pub(super) mod claims;
pub(super) mod cursors;
pub(super) mod export;
pub(super) mod fingerprint;
pub(super) mod holds;
pub(super) mod import;
pub(super) mod links;
pub(super) mod receipts;
pub(super) mod recipes;
pub(super) mod runs;
pub(super) mod totals;
pub(super) mod values;
pub(super) mod writes;
