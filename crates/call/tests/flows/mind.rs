//! A yes that comes later: the customer changes their mind, or the agent asks who has called.

use crate::{NORMAL, keys_of, support::Seen::*, support::*};
use call::*;

const LISTENED_FOR: fn() -> Seen = || Keep(Party::Customer, Kept::One(key('*')));
const GIVEN_BACK: Seen = Keep(Party::Customer, Kept::Nothing);
const ALL_OURS: Seen = Keep(Party::Customer, Kept::All);

/// A caller who said no and talks.
fn refused(asking: Asking) -> Desk {
    let mut desk = Desk::at_question(asked(asking));
    desk.press('2');
    desk.cut(80);
    desk.hear();
    assert!(desk.tell(Input::Answered).contains(&LISTENED_FOR()));
    desk
}

/// The same, who has come back and hears the question.
fn comes_back(desk: &mut Desk) {
    assert_eq!(desk.press('*'), [Prepare]);
    let asked = desk.tell(Input::Prepared(Ok(LATER)));
    assert_eq!(asked, [ALL_OURS, Announce(Prompt::AgentAsk)]);
}

#[test]
fn l_08_who_said_no_may_say_yes_at_any_time_with_the_key_that_would_end_it() {
    let mut desk = refused(asking());
    desk.wait(20_000);
    comes_back(&mut desk);
    assert_eq!(desk.press('1'), [], "the notice is heard in full first");
    desk.since();
    assert_eq!(
        desk.hear(),
        [
            Decided(Consent::Granted),
            GIVEN_BACK,
            Announce(Prompt::Granted),
            Commit { prompts: 4, presses: 3 }
        ]
    );
    assert_eq!(keys_of(desk.evidence.as_deref().unwrap()), "2*1", "what they did is all there");
    assert_eq!(desk.commit(), [Record, Arm(key('*'))]);
    desk.wait(5_000);
    assert_eq!(
        desk.press('*'),
        [
            End(Fate::Erase(Reason::Withdrawal)),
            Decided(Consent::Withdrawn),
            LISTENED_FOR(),
            Announce(Prompt::Withdrawn)
        ]
    );
}

/// The same who said yes, is recorded and has withdrawn.
fn withdrew(asking: Asking) -> Desk {
    let mut desk = Desk::recorded(asking);
    desk.wait(5_000);
    let over = [
        End(Fate::Erase(Reason::Withdrawal)),
        Decided(Consent::Withdrawn),
        LISTENED_FOR(),
        Play(Prompt::Withdrawn),
    ];
    assert_eq!(desk.press('*'), over);
    desk
}

/// What is heard by somebody who withdrew and has come back.
fn thinks_again(desk: &mut Desk) {
    assert_eq!(desk.press('*'), [Prepare]);
    assert_eq!(desk.tell(Input::Prepared(Ok(LATER))), [ALL_OURS, Announce(Prompt::Resume)]);
}

#[test]
fn l_08_who_withdrew_may_agree_again_to_a_recording_of_its_own() {
    let mut desk = withdrew(asking());
    desk.hear();
    thinks_again(&mut desk);
    let agreed = desk.press('1');
    assert_eq!(agreed, [Decided(Consent::Granted), GIVEN_BACK, Announce(Prompt::Granted)]);
    assert_eq!(desk.cut(4_000), [Commit { prompts: 4, presses: 4 }]);
    let evidence = desk.evidence.as_deref().unwrap();
    assert_eq!((evidence.recording, keys_of(evidence).as_str()), (LATER, "1**1"));
    assert!(desk.permit.as_ref().is_some_and(|permit| !permit.is_live()));
    let of_the_first = Input::Committed { recording: RECORDING, evidence: HASH };
    assert_eq!(desk.tell(of_the_first), [], "that one is over");
    assert_eq!(desk.commit(), [Record, Arm(key('*'))]);
    let permit = desk.permit.as_ref().unwrap();
    assert!(permit.is_live() && permit.recording() == LATER);
    desk.wait(5_000);
    let first = Input::RecordingClosed { recording: RECORDING, done: true, millis: 0 };
    assert_eq!(desk.tell(first), []);
    assert_eq!(
        desk.tell(Input::HungUp(Party::Customer)),
        [HangUp(Party::Agent, NORMAL), EndOf(LATER, Fate::Keep)]
    );
    desk.tell(Input::RecordingClosed { recording: LATER, done: true, millis: 5_000 });
    assert_eq!(desk.finished(), words(Consent::Granted, Outcome::Bridged, Verdict::Recorded));
}

#[test]
fn l_08_who_withdraws_again_is_erased_again() {
    let mut desk = withdrew(asking());
    desk.hear();
    thinks_again(&mut desk);
    desk.press('1');
    desk.cut(4_000);
    desk.commit();
    desk.wait(2_000);
    let over = [EndOf(LATER, Fate::Erase(Reason::Withdrawal)), Decided(Consent::Withdrawn)];
    assert_eq!(desk.press('*')[..2], over);
    desk.tell(Input::HungUp(Party::Customer));
    for recording in [LATER, RECORDING] {
        desk.tell(Input::RecordingClosed { recording, done: true, millis: 0 });
    }
    assert_eq!(desk.finished(), words(Consent::Withdrawn, Outcome::Bridged, Verdict::Withdrawn));
}

#[test]
fn the_key_that_withdrew_says_nothing_new_while_its_answer_sounds() {
    let mut desk = withdrew(asking());
    assert_eq!(desk.press('*'), [], "the cut tap and its key are told one after the other");
    assert_eq!(desk.press('*'), [], "or it was pressed twice, to be sure");
    desk.hear();
    thinks_again(&mut desk);
}

#[test]
fn l_01_who_withdrew_and_holds_is_not_asked_what_they_cannot_hear() {
    let mut desk = withdrew(asking());
    desk.hear();
    assert_eq!(desk.press('*'), [Prepare]);
    desk.tell(Input::Held(Party::Customer, true));
    assert_eq!(desk.tell(Input::Prepared(Ok(LATER))), []);
    assert_eq!(desk.press('1'), [], "nothing was asked");
    desk.tell(Input::Held(Party::Customer, false));
    thinks_again(&mut desk);
}

#[test]
fn l_11_who_withdrew_and_does_not_agree_again_has_withdrawn() {
    for refuses in [false, true] {
        let mut desk = withdrew(asking());
        desk.hear();
        thinks_again(&mut desk);
        desk.wait(2_500);
        let said = if refuses {
            desk.press('2')
        } else {
            desk.hear();
            desk.wait(6_000)
        };
        assert_eq!(said, [Decided(Consent::Withdrawn), LISTENED_FOR(), Announce(Prompt::Refused)]);
        desk.tell(Input::HungUp(Party::Customer));
        desk.tell(Input::RecordingClosed { recording: RECORDING, done: true, millis: 0 });
        let withdrawn = words(Consent::Withdrawn, Outcome::Bridged, Verdict::Withdrawn);
        assert_eq!(desk.finished(), withdrawn);
    }
}

#[test]
fn what_was_to_be_kept_of_an_earlier_recording_and_is_not_all_there_is_told() {
    for (done, verdict) in [(true, Verdict::Recorded), (false, Verdict::Degraded)] {
        let mut desk = Desk::recorded(Asking { on_withdraw: OnWithdraw::Stop, ..asking() });
        desk.wait(5_000);
        assert_eq!(desk.press('*')[0], End(Fate::Keep));
        desk.hear();
        thinks_again(&mut desk);
        desk.press('1');
        desk.cut(4_000);
        desk.commit();
        desk.wait(5_000);
        desk.tell(Input::RecordingClosed { recording: RECORDING, done, millis: 5_000 });
        desk.tell(Input::HungUp(Party::Customer));
        desk.tell(Input::RecordingClosed { recording: LATER, done: true, millis: 5_000 });
        assert_eq!(desk.finished(), words(Consent::Granted, Outcome::Bridged, verdict));
    }
}

#[test]
fn d_25_a_pause_is_over_with_the_recording_that_it_was_a_pause_of() {
    let mut desk = Desk::recorded(asking());
    desk.wait(2_000);
    desk.tell(Input::Pause);
    desk.press('*');
    desk.hear();
    thinks_again(&mut desk);
    desk.press('1');
    desk.cut(4_000);
    assert_eq!(desk.commit(), [Record, Arm(key('*'))], "and does not begin in silence");
}

#[test]
fn l_11_who_comes_back_and_says_nothing_has_said_what_they_said_before() {
    let mut desk = refused(asking());
    comes_back(&mut desk);
    assert_eq!(desk.hear(), []);
    assert_eq!(desk.wait(5_900), [], "six seconds are theirs");
    let over = [Decided(Consent::Refused), LISTENED_FOR(), Announce(Prompt::Refused)];
    assert_eq!(desk.wait(100), over, "and nobody presses them");
    comes_back(&mut desk);
    desk.tell(Input::HungUp(Party::Customer));
    assert_eq!(desk.finished(), words(Consent::Refused, Outcome::Bridged, Verdict::Refused));
}

#[test]
fn who_comes_back_three_times_has_the_key_for_the_pbx_again() {
    let mut desk = refused(asking());
    for _ in 0..2 {
        comes_back(&mut desk);
        assert!(desk.press('2').contains(&LISTENED_FOR()));
    }
    comes_back(&mut desk);
    assert!(desk.press('2').contains(&GIVEN_BACK));
    assert_eq!(desk.press('*'), []);
}

#[test]
fn nobody_is_asked_while_something_is_missing_and_they_may_try_again() {
    let mut desk = refused(asking());
    assert_eq!(desk.press('*'), [Prepare]);
    assert_eq!(desk.press('*'), [], "once is enough");
    assert_eq!(desk.tell(Input::Prepared(Err(NotReady::Disk))), []);
    comes_back(&mut desk);
    desk.tell(Input::HungUp(Party::Agent));
    assert_eq!(desk.finished(), words(Consent::Refused, Outcome::Bridged, Verdict::Refused));
}

#[test]
fn l_13_who_comes_back_takes_both_steps_of_explicit_consent() {
    let mut desk = refused(Asking { ground: Ground::ExplicitConsent, ..asking() });
    comes_back(&mut desk);
    desk.hear();
    assert_eq!(desk.press('1'), [Announce(Prompt::Explicit)]);
    desk.hear();
    assert_eq!(desk.press('1')[0], Decided(Consent::Granted));
}

#[test]
fn where_the_policy_says_so_the_customer_alone_hears_the_question() {
    let mut desk = refused(Asking { audience: Audience::Customer, ..asking() });
    desk.press('*');
    let asked = desk.tell(Input::Prepared(Ok(LATER)));
    assert_eq!(asked, [ALL_OURS, Play(Prompt::AgentAsk)]);
    desk.hear();
    let denied = [Decided(Consent::Refused), LISTENED_FOR(), Play(Prompt::Refused)];
    assert_eq!(desk.press('2'), denied);
}

#[test]
fn l_51_nobody_comes_back_once_the_house_has_left() {
    let mut desk = refused(asking());
    assert_eq!(desk.tell(Input::HouseLeft), [GIVEN_BACK]);
    assert_eq!(desk.press('*'), []);
}

#[test]
fn who_objected_or_was_never_asked_has_no_such_key() {
    let interest = Asking { ground: Ground::LegitimateInterest, ..asking() };
    let mut desk = Desk::new(asked(interest));
    desk.tell(Input::Confirmed);
    desk.press('*');
    desk.cut(80);
    desk.hear();
    assert_eq!(desk.tell(Input::Answered), [Hush, Connect(Connection::Bridged)]);
    assert_eq!(desk.press('*'), []);
    let mut desk = Desk::new(CallOffer { ready: Err(NotReady::Disk), ..asked(asking()) });
    desk.tell(Input::Answered);
    assert_eq!(desk.press('*'), []);
}

/// A line on which the agent asks who calls.
fn agent_asks(times: u8) -> CallOffer {
    let inbound = Inbound::AgentAsks { key: Some(key('#')), times };
    asked(Asking { inbound, ..asking() })
}

#[test]
fn a_caller_whom_the_agent_asks_is_put_through_at_once() {
    let mut desk = Desk::new(agent_asks(1));
    assert_eq!(desk.since(), [Opened, Dial]);
    assert_eq!(desk.tell(Input::Ringing { early_media: false }), [Ring(false)]);
    let agents_key = Keep(Party::Agent, Kept::One(key('#')));
    let together = [Answer, Connect(Connection::Bridged), agents_key];
    assert_eq!(desk.tell(Input::Answered), together);
    assert_eq!(desk.press('*'), [], "nobody has told them of a key");
    desk.tell(Input::HungUp(Party::Customer));
    assert_eq!(desk.finished(), words(Consent::NotAsked, Outcome::Bridged, Verdict::PolicyOff));
}

#[test]
fn c_14_the_agent_asks_who_has_called_and_only_the_caller_answers() {
    let mut desk = Desk::new(agent_asks(1));
    desk.tell(Input::Answered);
    let at = desk.now;
    let agent = |character| Input::Digit(Party::Agent, press(character, at));
    assert_eq!(desk.tell(agent('#')), [Prepare]);
    let asked = desk.tell(Input::Prepared(Ok(LATER)));
    assert_eq!(asked, [ALL_OURS, Announce(Prompt::AgentAsk)]);
    assert_eq!(desk.tell(agent('1')), [], "the agent's yes is nobody's");
    desk.hear();
    let granted = desk.press('1');
    assert_eq!(granted[..2], [Decided(Consent::Granted), GIVEN_BACK]);
    desk.cut(100);
    assert_eq!(desk.commit(), [Record, Arm(key('*'))]);
    desk.wait(5_000);
    assert_eq!(
        desk.tell(Input::HungUp(Party::Customer)),
        [HangUp(Party::Agent, NORMAL), End(Fate::Keep)]
    );
}

#[test]
fn b_18_a_pbx_that_is_busy_is_what_a_caller_is_told_who_was_not_asked() {
    let mut desk = Desk::new(agent_asks(1));
    desk.since();
    let words = words(Consent::NotAsked, Outcome::Busy, Verdict::Unconnected);
    assert_eq!(
        desk.tell(Input::Failed(Failure::Busy)),
        [Reject(Failure::Busy), Ended(words), Finish(words)]
    );
}
