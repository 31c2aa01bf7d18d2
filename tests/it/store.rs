//! The store: one suite, on SQLite and on a PostgreSQL that the test run starts.

#![cfg(test)]

mod keeping;
mod lab;
mod log;
mod people;
mod rights;
mod texts;
mod work;

/// Runs each case on both engines, under names that say which.
macro_rules! on_both {
    ($($room:ident::$case:ident,)+) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                super::$room::$case(super::lab::Lab::sqlite().await).await;
            })+
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                super::$room::$case(super::lab::Lab::postgres().await).await;
            })+
        }
    };
}

on_both! {
    texts::a_repeated_carrier_id_is_admitted_once,
    texts::a_conversation_comes_back_as_it_was_saved,
    texts::two_first_texts_at_once_begin_one_conversation,
    texts::turns_come_back_in_order_with_their_outcome,
    texts::a_portal_message_is_opened_with_few_tries_and_outlives_its_link,
    texts::held_drafts_and_reports_come_back,
    work::a_reply_job_is_leased_by_one_worker,
    work::a_lost_lease_undoes_the_work_of_the_old_worker,
    work::a_newer_text_makes_a_finished_job_due_again,
    work::a_parked_job_waits_for_a_new_text,
    work::texts_of_a_conversation_leave_in_order,
    work::an_outbox_row_is_leased_by_one_worker,
    work::a_hand_over_without_word_is_in_doubt,
    work::a_retry_waits_and_an_end_is_final,
    work::reports_only_move_forward_and_may_come_early,
    work::stop_suppresses_what_waits_but_its_confirmation,
    work::phi_without_its_proof_is_refused,
    work::a_restart_of_the_only_process_gives_leases_back,
    work::a_code_that_is_no_code_is_not_kept,
    keeping::a_failed_unit_leaves_nothing,
    keeping::a_panicking_unit_leaves_nothing_and_the_store_lives,
    keeping::units_at_once_are_all_kept,
    keeping::nothing_readable_reaches_the_database,
    keeping::a_wrong_master_key_is_refused,
    keeping::a_value_moved_to_another_row_is_refused,
    keeping::the_audit_log_is_chained_and_tampering_is_found,
    keeping::a_database_of_a_newer_program_is_refused,
    log::entries_are_found_by_rule_wherever_the_index_has_come_to,
    people::an_import_repeated_changes_nothing,
    people::a_visit_is_changed_once_per_key,
    people::a_taken_slot_is_a_conflict_and_a_freed_one_is_not,
    people::nobody_reaches_the_visit_of_another,
    rights::a_case_is_put_off_once_and_closed_once,
    rights::a_disclosure_is_kept_struck_and_never_erased,
    rights::words_are_destroyed_and_the_log_is_found_by_every_filter,
    rights::drafts_of_each_kind_stand_beside_each_other,
}
