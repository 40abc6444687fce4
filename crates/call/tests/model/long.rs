//! The same walks, each one input deeper and with several times as many long histories.

use crate::{away, depth::deeper, early, exhaustive, failing, grounds, hostile, outbound, paused};

#[test]
fn every_deeper_history_of_the_main_road() {
    deeper(exhaustive::every_history_of_the_main_road);
}

#[test]
fn every_deeper_history_of_a_call_that_came_in() {
    deeper(exhaustive::every_history_of_the_dialogue);
    deeper(exhaustive::every_history_between_decision_and_answer);
    deeper(exhaustive::every_history_of_a_recorded_call);
    deeper(paused::every_history_of_a_recording_that_is_paused);
    deeper(away::every_history_of_a_customer_who_is_sent_away);
    deeper(away::l_51_every_history_of_a_house_that_leaves_while_it_asks);
    deeper(failing::o_05_every_history_of_a_recording_that_may_fail);
}

#[test]
fn every_deeper_history_of_an_early_notice() {
    deeper(early::every_history_of_a_notice_before_the_answer);
    deeper(early::every_history_while_the_question_waits);
    deeper(early::every_history_of_a_question_that_waited);
}

#[test]
fn every_deeper_history_of_a_call_that_the_pbx_started() {
    deeper(outbound::every_history_in_which_the_agent_asks);
    deeper(outbound::every_history_of_a_question_in_the_call);
    deeper(outbound::every_history_before_the_customer_answers);
    deeper(outbound::every_history_of_an_agent_who_is_held_back);
    deeper(outbound::every_history_of_a_customer_who_is_asked_again);
    deeper(outbound::every_history_of_a_recorded_call_that_the_pbx_started);
}

#[test]
fn l_13_every_deeper_history_of_explicit_consent() {
    deeper(grounds::l_13_every_history_of_explicit_consent);
    deeper(grounds::l_13_every_history_of_explicit_consent_with_an_early_notice);
    deeper(grounds::l_13_every_history_of_explicit_consent_in_a_call_that_the_pbx_started);
}

#[test]
fn l_21_every_deeper_history_of_a_customer_who_is_told() {
    deeper(grounds::every_history_on_a_ground_on_which_the_customer_is_told);
    deeper(grounds::every_history_of_a_notice_without_a_question);
    deeper(grounds::l_21_every_history_of_an_objection_and_its_confirmation);
    deeper(grounds::every_history_of_a_call_whose_customer_was_told);
    deeper(grounds::every_history_of_a_customer_whom_the_pbx_called_and_who_is_told);
}

#[test]
fn many_more_long_histories() {
    deeper(exhaustive::long_histories_of_every_input);
    deeper(early::long_histories_of_notices_before_the_answer);
    deeper(outbound::long_histories_of_calls_that_the_pbx_starts);
    deeper(exhaustive::the_pbx_is_called_in_time_unless_the_caller_is_gone);
    deeper(hostile::no_input_at_any_time_breaks_a_promise);
}
