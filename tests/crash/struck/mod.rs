//! hob in the test's own process, struck in every place once: at each write of its journal and at
//! each request. Each time it ends as if nothing had happened, or parked where nothing can tell.

mod bench;
mod everywhere;
mod journal;
mod place;
mod requests;
mod trial;
mod writes;

use place::Kind;

/// Runs tests on one kind of store.
macro_rules! tests {
    ($name:ident, $kind:expr, $($module:ident: $($test:ident),+;)+) => {
        mod $name {
            use super::{Kind, $($module),+};
            $($(
                #[tokio::test]
                async fn $test() {
                    if $kind.is_there() {
                        $module::$test($kind).await;
                    }
                }
            )+)+
        }
    };
}

tests! {
    on_sqlite, Kind::Sqlite,
    writes: what_is_not_disturbed_does_everything_once, hob_may_end_at_every_write,
        every_write_may_fail_for_a_while,
        hob_may_stand_still_at_every_write_and_find_its_work_done_by_another;
    requests: hob_may_end_in_every_request, every_answer_may_be_lost_or_an_error;
}

// What becomes of requests does not depend on the store.
tests! {
    on_postgres, Kind::Postgres,
    writes: what_is_not_disturbed_does_everything_once, hob_may_end_at_every_write,
        every_write_may_fail_for_a_while,
        hob_may_stand_still_at_every_write_and_find_its_work_done_by_another;
}
