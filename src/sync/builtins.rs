//! The operations of hob itself that generated recipes use.

use crate::catalog::{Builtin, Catalog};

/// Their ids.
#[derive(Debug, Clone, Copy)]
pub(super) struct Builtins<'a> {
    pub(super) find_link: &'a str,
    pub(super) save_link: &'a str,
    pub(super) delete_link: &'a str,
    pub(super) link_base: &'a str,
    pub(super) intend_link: &'a str,
    pub(super) settle_link: &'a str,
    pub(super) set: &'a str,
    pub(super) stop: &'a str,
    pub(super) log: &'a str,
}

impl<'a> Builtins<'a> {
    /// Those of `catalog`; `None` if it lacks one.
    pub(super) fn of(catalog: &'a Catalog) -> Option<Self> {
        let id = |builtin| catalog.built_in_operation(builtin).map(|operation| operation.id.as_str());
        Some(Self {
            find_link: id(Builtin::LinksFind)?,
            save_link: id(Builtin::LinksSave)?,
            delete_link: id(Builtin::LinksDelete)?,
            link_base: id(Builtin::LinksBase)?,
            intend_link: id(Builtin::LinksIntend)?,
            settle_link: id(Builtin::LinksSettle)?,
            set: id(Builtin::Set)?,
            stop: id(Builtin::Stop)?,
            log: id(Builtin::Log)?,
        })
    }
}
