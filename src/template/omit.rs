//! `omit`: a value that leaves an input out.

use std::sync::Arc;

use minijinja::value::{Object, ObjectRepr, Value as Datum};

/// The name under which templates find it.
pub(super) const NAME: &str = "omit";

/// The value itself. It has no other use than to be given where something can be left out.
#[derive(Debug)]
struct Omit;

impl Object for Omit {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }
}

/// `omit` as the engine's value.
pub(super) fn omit() -> Datum {
    Datum::from_object(Omit)
}

/// Whether `value` is `omit`.
pub(super) fn is_omit(value: &Datum) -> bool {
    value.downcast_object_ref::<Omit>().is_some()
}
