//! hob in the test's own process, with one fault at each place in turn: at each write of its journal and
//! at each request. It must recover as if nothing had happened, or park the run where no probe can tell.

mod cases;
mod faulty_journal;
mod requests;
mod store_location;
mod test_bed;
mod trial;
mod writes;

use store_location::StoreKind;

/// Runs tests on one kind of store.
macro_rules! tests {
    ($name:ident, $kind:expr, $($module:ident: $($test:ident),+;)+) => {
        mod $name {
            use super::{StoreKind, $($module),+};
            $($(
                #[tokio::test]
                async fn $test() {
                    if $kind.is_available() {
                        $module::$test($kind).await;
                    }
                }
            )+)+
        }
    };
}

tests! {
    on_sqlite, StoreKind::Sqlite,
    writes: what_is_not_disturbed_does_everything_once, hob_may_end_at_every_write,
        every_write_may_fail_for_a_while,
        hob_may_stand_still_at_every_write_and_find_its_work_done_by_another;
    requests: hob_may_end_in_every_request, every_answer_may_be_lost_or_an_error;
}

// The outcome of faulty requests does not depend on the store.
tests! {
    on_postgres, StoreKind::Postgres,
    writes: what_is_not_disturbed_does_everything_once, hob_may_end_at_every_write,
        every_write_may_fail_for_a_while,
        hob_may_stand_still_at_every_write_and_find_its_work_done_by_another;
}
