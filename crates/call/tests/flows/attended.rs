//! Lines that are recorded while an agent is known to talk to the customer (law row L03).

use call::*;

use crate::support::{Seen::*, *};

const ANNA: AgentId = AgentId::from_bytes([1; 16]);
const BERT: AgentId = AgentId::from_bytes([2; 16]);
const AMI: AgentSource = AgentSource::Ami;

fn left(source: AgentSource) -> Input {
    Input::Agent(AgentNews::Left(source))
}

/// A granted, committed call that the PBX has answered, before any agent.
fn waiting(asking: Asking) -> Desk {
    let mut desk = Desk::new(attended(asked(asking)));
    desk.tell(Input::Confirmed);
    desk.press('1');
    desk.hear();
    desk.commit();
    desk.hear();
    desk.tell(Input::Answered);
    desk
}

#[test]
fn l_03_a_tap_opens_at_the_first_agent_and_is_silent_between_agents() {
    let mut desk = waiting(asking());
    assert!(desk.call.lacks_an_agent() && desk.permit.is_none());
    assert!(desk.all.contains(&Arm(key('*'))), "the customer can withdraw while they wait");
    assert_eq!(desk.wait(20_000), []);
    assert_eq!(desk.tell(agent(1, AMI)), [Record, Met(ANNA, AMI)]);
    assert!(!desk.call.lacks_an_agent());
    assert_eq!(desk.tell(agent(1, AMI)), [], "who is there already is no news");
    assert_eq!(desk.tell(left(AMI)), [Alone, Missed(AMI)]);
    assert_eq!(desk.tell(left(AMI)), []);
    assert_eq!(desk.tell(agent(2, AMI)), [Resume, Met(BERT, AMI)]);
    assert_eq!(desk.tell(agent(1, AMI)), [Met(ANNA, AMI)], "one takes over from the other");
}

#[test]
fn l_03_an_agent_who_is_there_before_the_ledger_is_recorded_at_once() {
    let mut desk = Desk::new(attended(asked(asking())));
    desk.tell(Input::Confirmed);
    desk.press('1');
    desk.hear();
    desk.tell(Input::Answered);
    assert_eq!(desk.tell(agent(1, AMI)), [], "nothing is said of what is not recorded yet");
    assert_eq!(desk.commit(), [Record, Arm(key('*')), Met(ANNA, AMI)]);
}

#[test]
fn l_03_a_source_that_is_lost_ends_what_it_said_last_and_nothing_else() {
    let mut desk = waiting(asking());
    desk.tell(agent(1, AMI));
    let lost = |source| Input::Agent(AgentNews::Lost(source));
    assert_eq!(desk.tell(lost(AgentSource::Sip)), []);
    assert_eq!(desk.tell(lost(AMI)), [Alone, LostTrack(AMI)]);
    assert_eq!(desk.tell(lost(AMI)), []);
    assert_eq!(desk.tell(agent(2, AgentSource::Api)), [Resume, Met(BERT, AgentSource::Api)]);
    assert_eq!(desk.tell(lost(AMI)), [], "a program has said since who is there");
}

#[test]
fn l_03_what_else_keeps_a_tap_silent_goes_on_when_an_agent_comes() {
    let mut desk = waiting(asking());
    desk.tell(Input::Held(Party::Customer, true));
    assert_eq!(desk.tell(agent(1, AMI)), [Record, Pause, Met(ANNA, AMI)]);
    assert_eq!(desk.tell(left(AMI)), [Missed(AMI)], "the hold goes before");
    assert_eq!(desk.tell(Input::Held(Party::Customer, false)), [Alone]);
    assert_eq!(desk.tell(Input::Pause), [Silence, Paused(Hand::Operator)]);
    assert_eq!(desk.tell(agent(2, AMI)), [Met(BERT, AMI)]);
    assert_eq!(desk.tell(Input::Resume), [Resume, Resumed(Hand::Operator)]);
}

#[test]
fn l_03_a_call_in_which_no_agent_ever_came_leaves_nothing() {
    let mut desk = waiting(asking());
    desk.wait(60_000);
    let ended = desk.tell(Input::HungUp(Party::Customer));
    assert!(ended.contains(&End(Fate::Erase(Reason::Empty))), "{ended:?}");
    assert!(desk.permit.is_none(), "no tap ever was");
    desk.tell(Input::RecordingClosed { recording: RECORDING, done: true, millis: 0 });
    let words = words(Consent::Granted, Outcome::Bridged, Verdict::Unconnected);
    assert_eq!(desk.finished(), words);
}

#[test]
fn l_08_who_waits_for_an_agent_can_withdraw_and_is_never_recorded() {
    let mut desk = waiting(asking());
    let said = desk.press('*');
    assert!(said.contains(&End(Fate::Erase(Reason::Withdrawal))), "{said:?}");
    assert_eq!(desk.tell(agent(1, AMI)), []);
    assert!(desk.permit.is_none());
}

#[test]
fn l_03_time_without_an_agent_is_no_part_of_what_should_have_been_recorded() {
    let mut desk = waiting(asking());
    desk.wait(20_000);
    desk.tell(agent(1, AMI));
    desk.wait(5_000);
    desk.tell(Input::HungUp(Party::Agent));
    desk.tell(Input::RecordingClosed { recording: RECORDING, done: true, millis: 5_000 });
    assert_eq!(desk.finished(), words(Consent::Granted, Outcome::Bridged, Verdict::Recorded));
}

#[test]
fn l_03_a_line_that_records_from_the_answer_names_its_agents_and_pauses_for_none() {
    let mut desk = Desk::recorded(asking());
    desk.since();
    assert_eq!(desk.tell(agent(1, AMI)), [Met(ANNA, AMI)]);
    assert_eq!(desk.tell(left(AMI)), [Missed(AMI)]);
}

#[test]
fn l_57_nothing_is_written_of_agents_whose_calls_are_not_recorded() {
    let mut desk = Desk::new(attended(asked(asking())));
    desk.tell(Input::Confirmed);
    desk.press('2');
    desk.hear();
    desk.hear();
    desk.tell(Input::Answered);
    desk.since();
    assert_eq!(desk.tell(agent(1, AMI)), []);
    assert_eq!(desk.tell(left(AMI)), []);
}
