//! Rows T: what becomes of consent when somebody else comes to the customer's call.

use std::time::Duration;

use call::*;

use crate::{
    support::{Seen::*, *},
    *,
};

#[test]
fn t_03_l_51_the_recording_ends_when_the_house_leaves_and_is_kept() {
    let mut desk = Desk::recorded(asking());
    desk.wait(30_000);
    let permit = desk.permit.take().unwrap();
    assert_eq!(desk.tell(Input::HouseLeft), [End(Fate::Keep)]);
    assert!(!permit.is_live(), "the tap must close with the transfer");
    assert_eq!(desk.tell(Input::HouseLeft), []);
    assert_eq!(desk.tell(closed(true, 30_000)), []);
    desk.wait(60_000);
    assert_eq!(desk.tell(Input::Held(Party::Agent, true)), [], "there is no tap to pause");
    let words = words(Consent::Granted, Outcome::Bridged, Verdict::Recorded);
    assert_eq!(
        desk.tell(Input::HungUp(Party::Customer)),
        [HangUp(Party::Agent, NORMAL), Ended(words), Finish(words)]
    );
}

#[test]
fn t_03_what_was_recorded_before_the_transfer_can_still_be_withdrawn() {
    let mut desk = Desk::recorded(asking());
    desk.wait(5_000);
    desk.tell(Input::HouseLeft);
    desk.tell(closed(true, 5_000));
    assert_eq!(desk.press('*'), [ERASED, Decided(Consent::Withdrawn), Play(Prompt::Withdrawn)]);
}

#[test]
fn t_03_a_commit_that_comes_after_the_transfer_permits_nothing() {
    let mut desk = Desk::at_question(asked(confirm(Confirm::Off)));
    desk.press('1');
    desk.cut(1);
    desk.tell(Input::Answered);
    assert_eq!(desk.tell(Input::HouseLeft), []);
    assert_eq!(desk.commit(), [EMPTY]);
    assert!(desk.permit.is_none());
}

#[test]
fn t_03_a_house_that_leaves_while_an_answer_is_awaited_waits_for_none_any_more() {
    let mut desk = Desk::new(placed(Asking { outbound: Outbound::Join, ..asking() }));
    desk.tell(Input::Answered);
    desk.hear();
    desk.hear();
    assert_eq!(desk.call.poll_timeout(), Some(desk.now + ms(4_000)));
    let given_back = Keep(Party::Customer, Kept::Nothing);
    assert_eq!(desk.tell(Input::HouseLeft), [Decided(Consent::NotGiven), given_back]);
    assert_eq!(desk.call.poll_timeout(), None);
}

#[test]
fn t_14_before_the_parties_are_together_nobody_can_leave() {
    let mut desk = Desk::at_question(asked(asking()));
    assert_eq!(desk.tell(Input::HouseLeft), []);
    let seen = desk.press('1');
    assert!(seen.contains(&Play(Prompt::Granted)), "{seen:?}");
}

const NEWS: Input = Input::SentAway(Some(Duration::from_secs(60)));

#[test]
fn t_06_l_51_who_is_sent_away_is_not_recorded_and_is_again_when_that_has_come_to_nothing() {
    let mut desk = Desk::recorded(asking());
    desk.wait(5_000);
    assert_eq!(desk.tell(NEWS), [Pause]);
    desk.wait(50_000);
    assert_eq!(desk.tell(NEWS), [], "the next news are waited for anew");
    assert_eq!(desk.wait(59_000), []);
    assert_eq!(desk.tell(Input::SentAway(None)), [Resume]);
    assert_eq!(desk.wait(60_000), [], "nothing is waited for any more");
}

#[test]
fn t_06_l_51_when_nobody_says_what_became_of_the_customer_the_recording_is_over_and_is_kept() {
    let mut desk = Desk::recorded(asking());
    desk.wait(5_000);
    let permit = desk.permit.take().unwrap();
    desk.tell(NEWS);
    assert_eq!(desk.wait(59_999), []);
    assert!(permit.is_live(), "it keeps silence");
    assert_eq!(desk.wait(1), [End(Fate::Keep), LostSight]);
    assert!(!permit.is_live(), "in doubt somebody from outside listens");
    assert_eq!(desk.tell(closed(true, 5_000)), []);
    assert_eq!(desk.tell(Input::SentAway(None)), [], "too late: it is over");
    let words = words(Consent::Granted, Outcome::Bridged, Verdict::Recorded);
    assert_eq!(
        desk.tell(Input::HungUp(Party::Agent)),
        [HangUp(Party::Customer, NORMAL), Ended(words), Finish(words)]
    );
}

#[test]
fn t_06_l_51_the_agent_who_holds_and_comes_back_ends_no_silence_of_a_customer_who_is_away() {
    let mut desk = Desk::recorded(asking());
    desk.wait(5_000);
    desk.tell(NEWS);
    assert_eq!(desk.tell(Input::Held(Party::Agent, true)), []);
    assert_eq!(desk.tell(Input::Held(Party::Agent, false)), [], "it is not known who is heard");
    desk.tell(Input::Held(Party::Agent, true));
    assert_eq!(desk.tell(Input::SentAway(None)), [], "the agent holds as before");
    assert_eq!(desk.tell(Input::Held(Party::Agent, false)), [Resume]);
}

#[test]
fn t_06_a_call_that_ends_while_the_customer_is_away_waits_for_no_news() {
    let mut desk = Desk::recorded(asking());
    desk.wait(5_000);
    desk.tell(NEWS);
    let seen = desk.tell(Input::HungUp(Party::Agent));
    assert!(seen.contains(&End(Fate::Keep)), "{seen:?}");
    assert_eq!(desk.tell(NEWS), []);
    desk.tell(closed(true, 5_000));
    assert_eq!(desk.wait(120_000), []);
}

#[test]
fn t_03_with_the_house_goes_the_agents_key_which_is_anybodys_again() {
    for asked in [false, true] {
        let mut desk = Desk::new(placed(asking()));
        desk.tell(Input::Answered);
        assert_eq!(desk.all.last(), Some(&Keep(Party::Agent, Kept::One(key('#')))));
        if asked {
            desk.tell(Input::Ask);
            desk.tell(Input::Prepared(Ok(LATER)));
            desk.hear();
        }
        let seen = desk.tell(Input::HouseLeft);
        assert_eq!(seen.last(), Some(&Keep(Party::Agent, Kept::Nothing)), "{seen:?}");
        assert_eq!(desk.tell(Input::HouseLeft), [], "once");
    }
}
