//! A recording that the house pauses (flows row D-25).

use call::*;

use super::{Seen::*, *};

const LIMIT_MS: u64 = 300_000;

fn with_key() -> Asking {
    Asking { pausing: Pausing { key: Some(key('7')), limit: ms(LIMIT_MS) }, ..asking() }
}

fn agent(desk: &mut Desk, character: char) -> Vec<Seen> {
    desk.tell(Input::Digit(Party::Agent, press(character, desk.now)))
}

#[test]
fn d_25_the_operator_pauses_and_resumes_and_each_is_a_fact() {
    let mut desk = Desk::recorded(asking());
    assert!(desk.call.may_be_paused());
    assert_eq!(desk.tell(Input::Resume), [], "nothing is paused");
    assert_eq!(desk.tell(Input::Pause), [Silence, Paused(Hand::Operator)]);
    desk.wait(20_000);
    assert_eq!(desk.tell(Input::Resume), [Resume, Resumed(Hand::Operator)]);
    assert_eq!(desk.call.poll_timeout(), None);
    assert!(desk.permit.as_ref().is_some_and(Permit::is_live), "a pause is no withdrawal");
}

#[test]
fn d_25_nothing_can_be_paused_before_a_recording_and_after_it() {
    let mut desk = Desk::at_question(asked(asking()));
    assert!(!desk.call.may_be_paused());
    assert_eq!(desk.tell(Input::Pause), []);
    let mut desk = Desk::recorded(with_key());
    desk.tell(Input::Pause);
    desk.press('*');
    assert!(!desk.call.may_be_paused());
    assert_eq!(desk.tell(Input::Pause), []);
    assert_eq!(desk.tell(Input::Resume), []);
    assert_eq!(agent(&mut desk, '7'), []);
    assert_eq!(desk.wait(2 * LIMIT_MS), [], "its watchdog went with it");
}

#[test]
fn d_25_the_agents_key_pauses_and_resumes_where_the_policy_has_one() {
    let mut desk = Desk::recorded(with_key());
    assert_eq!(agent(&mut desk, '8'), []);
    assert_eq!(agent(&mut desk, '7'), [Silence, Paused(Hand::Agent)]);
    assert_eq!(agent(&mut desk, '7'), [Resume, Resumed(Hand::Agent)]);
    assert_eq!(desk.press('7'), [], "the customer has no such key");
    let mut desk = Desk::recorded(asking());
    assert_eq!(agent(&mut desk, '7'), [], "by default the agent has none");
}

#[test]
fn d_25_the_agents_key_is_kept_from_the_customer_while_it_means_something() {
    let kept = Keep(Party::Agent, Kept::One(key('7')));
    let mut desk = Desk::at_question(asked(with_key()));
    desk.press('1');
    desk.cut(1);
    assert_eq!(desk.commit(), [Record, Arm(key('*')), ArmPause(key('7')), kept]);
    desk.hear();
    desk.tell(Input::Answered);
    let told = desk.press('*');
    assert!(told.contains(&Keep(Party::Agent, Kept::Nothing)), "{told:?}");
}

#[test]
fn d_25_a_forgotten_pause_ends_by_itself_and_is_said_aloud() {
    let mut desk = Desk::recorded(asking());
    desk.tell(Input::Pause);
    desk.wait(LIMIT_MS - 1_000);
    assert_eq!(desk.tell(Input::Pause), [Paused(Hand::Operator)], "wanted for longer");
    assert_eq!(desk.wait(LIMIT_MS - 1), []);
    assert_eq!(desk.wait(1), [Resume, Resumed(Hand::Limit), LeftPaused]);
    assert_eq!(desk.wait(LIMIT_MS), []);
}

#[test]
fn d_25_a_pause_outlives_a_hold_and_a_hold_a_pause() {
    let mut desk = Desk::recorded(asking());
    let held = |on| Input::Held(Party::Agent, on);
    assert_eq!(desk.tell(Input::Pause), [Silence, Paused(Hand::Operator)]);
    assert_eq!(desk.tell(held(true)), [], "it is silent already");
    assert_eq!(desk.tell(held(false)), [], "and stays so");
    desk.tell(held(true));
    assert_eq!(desk.tell(Input::Resume), [Pause, Resumed(Hand::Operator)], "the hold goes on");
    assert_eq!(desk.tell(Input::Pause), [Silence, Paused(Hand::Operator)]);
    desk.tell(held(false));
    assert_eq!(desk.tell(Input::Resume), [Resume, Resumed(Hand::Operator)]);
}

#[test]
fn d_25_time_that_was_paused_is_not_time_to_be_heard() {
    let mut desk = Desk::dialled(asking());
    desk.tell(Input::Pause);
    desk.tell(Input::Answered);
    desk.wait(60_000);
    assert_eq!(desk.tell(Input::HungUp(Party::Customer))[1], EMPTY, "there is nothing to keep");
    desk.tell(closed(true, 0));
    assert_eq!(desk.finished().verdict, Verdict::Unconnected);
}

#[test]
fn d_25_the_key_that_asks_and_the_key_that_pauses_are_two() {
    let outbound = Outbound::AgentAsks { key: Some(key('#')), times: 2 };
    let mut desk = Desk::new(placed(Asking { outbound, ..with_key() }));
    let told = desk.tell(Input::Answered);
    assert!(told.contains(&Keep(Party::Agent, Kept::One(key('#')))), "{told:?}");
    assert_eq!(agent(&mut desk, '7'), [], "there is no recording");
    assert_eq!(agent(&mut desk, '#'), [Prepare]);
    desk.tell(Input::Prepared(Ok(LATER)));
    desk.hear();
    desk.press('1');
    let told = desk.commit();
    assert_eq!(told.last(), Some(&Keep(Party::Agent, Kept::One(key('7')))), "{told:?}");
    assert_eq!(agent(&mut desk, '7'), [Silence, Paused(Hand::Agent)]);
}

const BEGINS: Seen = Cue(call::Cue::Begins);
const ENDS: Seen = Cue(call::Cue::Ends);

#[test]
fn an_agent_hears_that_the_recording_begins_is_paused_goes_on_and_is_withdrawn() {
    let mut desk = Desk::at_question(asked(Asking { agent_cue: true, ..asking() }));
    desk.press('1');
    desk.cut(1);
    assert!(!desk.commit().contains(&BEGINS), "there is no agent to hear it");
    desk.hear();
    assert_eq!(desk.tell(Input::Answered).last(), Some(&BEGINS), "once they are together");
    assert_eq!(desk.tell(Input::Pause), [Silence, Paused(Hand::Operator), ENDS]);
    assert_eq!(desk.tell(Input::Held(Party::Agent, true)), [], "a hold is the agent's own");
    assert_eq!(desk.tell(Input::Held(Party::Agent, false)), []);
    assert_eq!(desk.tell(Input::Resume), [Resume, Resumed(Hand::Operator), BEGINS]);
    assert_eq!(desk.tell(Input::Held(Party::Customer, true)), [Pause]);
    let withdrawn = desk.press('*');
    assert_eq!(withdrawn.last(), Some(&ENDS), "after what both hear: {withdrawn:?}");
}

#[test]
fn nobody_hears_a_cue_who_has_left_or_whose_policy_has_none() {
    let told = |seen: &Seen| matches!(seen, Cue(_));
    let mut desk = Desk::recorded(asking());
    assert!(!desk.tell(Input::Pause).iter().any(told));
    let mut desk = Desk::recorded(Asking { agent_cue: true, ..asking() });
    assert!(!desk.tell(Input::HouseLeft).iter().any(told), "an outsider hears the agent's side");
    let mut desk = Desk::recorded(Asking { agent_cue: true, ..asking() });
    assert!(!desk.tell(Input::HungUp(Party::Agent)).iter().any(told));
}
