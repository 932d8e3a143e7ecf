//! One suite for the journal, run on every store, and tests specific to a store.

mod acts;
mod alerts;
mod append;
mod claims;
#[path = "../postgres/cluster.rs"]
mod cluster;
#[path = "../postgres/cluster_crash.rs"]
mod cluster_crash;
#[path = "../postgres/cluster_user.rs"]
mod cluster_user;
mod coalescing;
mod earlier_versions;
mod entries;
mod failover;
mod files;
mod fixture;
mod holds;
mod identifiers;
mod lanes;
mod leases;
mod limits;
mod links;
mod lists;
mod model;
mod moving;
mod pauses;
mod pollers;
mod priorities;
mod processes;
mod retention;
mod rolling_upgrade;
mod servers;
#[path = "written_by/stores.rs"]
mod stores;
mod tls;

use fixture::StoreLocation;

/// Runs the suite on both kinds of store.
macro_rules! suite {
    ($($module:ident: $($test:ident),+;)+) => {
        mod on_sqlite {
            use super::*;
            $($(
                #[tokio::test]
                async fn $test() {
                    $module::$test(&StoreLocation::sqlite()).await;
                }
            )+)+
        }

        mod on_postgres {
            use super::*;
            $($(
                #[tokio::test]
                async fn $test() {
                    // The missing PostgreSQL was reported.
                    let Some(location) = StoreLocation::postgres() else { return };
                    $module::$test(&location).await;
                }
            )+)+
        }
    };
}

suite! {
    append: a_known_event_is_left_out, a_batch_is_all_or_nothing, everything_is_there_after_reopening,
        many_may_create_a_store_at_once,
        many_writers_at_once_lose_and_repeat_nothing, dedup_keys_belong_to_their_source,
        a_receipt_that_is_forgotten_lets_its_event_come_again;
    coalescing: of_events_about_a_record_the_last_runs_at_the_end_of_the_first_window,
        a_stream_of_events_does_not_extend_the_window, other_records_and_accounts_do_not_fall_together,
        events_that_are_stored_at_once_fall_together;
    earlier_versions: what_an_earlier_version_stored_is_known;
    limits: limits_are_replaced_by_who_has_seen_them, one_of_many_replaces_limits;
    lanes: a_lane_goes_one_at_a_time_in_order, lanes_and_recipes_do_not_wait_for_each_other,
        a_parked_run_holds_its_lane, any_other_end_frees_the_lane, a_sleeping_run_holds_its_lane,
        a_person_takes_up_an_ended_run, a_person_skips_what_holds_a_lane,
        a_failed_run_can_hold_its_lane;
    claims: a_claim_passes_on_when_it_ends, what_was_claimed_fences_the_cursor;
    leases: a_run_waits_until_it_is_due, what_waits_tells_when_that_began, old_and_new_runs_share_a_lease, a_late_worker_is_fenced,
        an_ended_lease_is_taken_back, a_gone_owner_is_not_waited_for, leases_are_renewed_while_held,
        a_lease_has_all_that_is_needed,
        a_run_that_cannot_be_read_is_parked_and_others_go_on, waiting_for_change_ends_with_new_work,
        work_between_leasing_and_waiting_is_not_missed;
    priorities: what_somebody_waits_for_goes_first, it_keeps_its_place_whatever_happens,
        recipes_and_their_accounts_take_turns, runs_that_have_waited_take_turns_as_well,
        no_run_goes_before_one_that_somebody_waits_for, a_priority_gets_the_slots_that_it_may_take,
        every_waiting_run_is_leased_in_the_end;
    retention: old_runs_go_with_their_events, only_so_many_runs_are_kept, what_is_unfinished_is_kept,
        dedup_keys_have_their_own_age;
    moving: everything_can_be_moved, a_move_can_be_begun_again, a_fingerprint_tells_any_change;
    lists: filters_and_order, what_has_not_ended_is_counted_by_recipe_connections_and_state, texts_are_found_wherever_they_stand, a_run_in_detail, what_was_written_to_a_record, what_is_unsettled_is_known_until_it_is_settled, totals_of_all_and_since, a_list_over_many_states_is_in_order,
        what_ended_alike_is_counted_together, what_was_created_is_counted_by_minute, a_list_goes_on_after_any_run,
        a_run_knows_its_neighbours_by_id;
    pauses: runs_of_a_paused_recipe_wait, a_pause_moves_no_times, a_pause_moves_with_the_store;
    identifiers: events_are_found_by_their_values_and_those_that_their_runs_wrote, the_index_forgets_what_retention_deletes;
    acts: acts_are_listed_newest_first_until_they_are_forgotten, a_session_lasts_until_it_is_ended_or_forgotten;
    alerts: an_alert_follows_the_one_that_was_seen, alerts_that_are_over_are_forgotten;
    holds: runs_that_wait_for_a_connection_go_on_when_it_is_let_go;
    links: both_ends_lead_to_the_link, a_record_has_one_link_of_a_name, a_link_keeps_what_both_records_had,
        of_many_who_settle_a_link_one_does,
        a_link_can_replace_those_of_either_end, of_many_who_link_a_record_one_does,
        what_is_imported_links_nothing_twice, values_are_remembered,
        markers_are_no_values, texts_of_recipes_are_kept;
    pollers: progress_is_kept, records_are_remembered_and_forgotten, many_records_are_forgotten_at_once, vanished_records_come_in_pages,
        events_are_stored_beside_a_poller_that_has_not_gone_on, runs_about_records_are_found,
        accepted_removals_are_kept_until_they_are_forgotten;
}
