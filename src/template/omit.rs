//! `omit`: the value that omits an input.

use std::sync::Arc;

use minijinja::value::{Object, ObjectRepr, Value as Datum};

/// Its name in templates.
pub(super) const NAME: &str = "omit";

/// The value. It is only accepted where something can be omitted.
#[derive(Debug)]
struct Omit;

impl Object for Omit {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }
}

/// `omit` as a value of the engine.
pub(super) fn omit() -> Datum {
    Datum::from_object(Omit)
}

/// Whether `value` is `omit`.
pub(super) fn is_omit(value: &Datum) -> bool {
    value.downcast_object_ref::<Omit>().is_some()
}
