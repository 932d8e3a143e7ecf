//! The list of all filters.

use std::sync::OnceLock;

use super::{choose, decimal, encode, json, lists, numbers, ordering, pattern, phone, text, time};
use crate::template::spec::Spec;

/// The engine's own filters that are not available: they concern HTML and debugging, or a filter of hob replaces them
/// with better errors.
pub(in crate::template) const WITHHELD: [&str; 6] = ["safe", "escape", "e", "pprint", "attr", "format"];

/// All filters of templates.
pub fn all() -> &'static [Spec] {
    static ALL: OnceLock<Vec<Spec>> = OnceLock::new();
    ALL.get_or_init(|| {
        let families: [&[Spec]; 11] = [
            &choose::SPECS,
            &text::SPECS,
            &pattern::SPECS,
            &numbers::SPECS,
            &decimal::SPECS,
            &lists::SPECS,
            &ordering::SPECS,
            &time::SPECS,
            &phone::SPECS,
            &json::SPECS,
            &encode::SPECS,
        ];
        families.concat()
    })
}
