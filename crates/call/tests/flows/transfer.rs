//! Rows T: what becomes of consent when somebody else comes to the customer's call.

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
fn t_14_before_the_parties_are_together_nobody_can_leave() {
    let mut desk = Desk::at_question(asked(asking()));
    assert_eq!(desk.tell(Input::HouseLeft), []);
    let seen = desk.press('1');
    assert!(seen.contains(&Play(Prompt::Granted)), "{seen:?}");
}
