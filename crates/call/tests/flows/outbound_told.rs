//! Calls that the PBX starts on a ground on which the customer is told and not asked.

use call::*;

use crate::{
    NORMAL,
    support::{Seen::*, *},
};

const TOLD: Seen = Decided(Consent::NotAsked);
const BRIDGED: Seen = Connect(Connection::Bridged);
const OURS: Seen = Keep(Party::Customer, Kept::All);
const THEIRS: Seen = Keep(Party::Customer, Kept::Nothing);
const LOST: Cause = Cause::NotRecorded;
const AGENT_ASKS: Outbound = Outbound::AgentAsks { key: None, times: 2 };
const WAYS: [Outbound; 3] = [AGENT_ASKS, Outbound::Join, Outbound::HoldBack];

fn on(ground: Ground, outbound: Outbound) -> Asking {
    Asking { ground, outbound, ..asking() }
}

fn interest(outbound: Outbound) -> Asking {
    on(Ground::LegitimateInterest, outbound)
}

fn strict(outbound: Outbound) -> Asking {
    let when_recording_fails = WhenRecordingFails::EndCall;
    Asking { when_recording_fails, ..on(Ground::LegalObligation, outbound) }
}

/// The customer has answered and hears the notice.
fn told(asking: Asking) -> Desk {
    let mut desk = Desk::new(placed(asking));
    desk.tell(Input::Answered);
    desk.tell(Input::Ask);
    desk.tell(Input::Prepared(Ok(LATER)));
    desk.since();
    desk
}

#[test]
fn l_21_whoever_begins_the_customer_hears_the_notice_of_the_ground() {
    for (ground, notice) in [
        (Ground::LegitimateInterest, Prompt::LegitimateInterest),
        (Ground::PublicTask, Prompt::LegitimateInterest),
        (Ground::LegalObligation, Prompt::LegalObligation),
    ] {
        let mut desk = Desk::new(placed(on(ground, AGENT_ASKS)));
        desk.tell(Input::Answered);
        desk.tell(Input::Ask);
        desk.since();
        assert_eq!(desk.tell(Input::Prepared(Ok(LATER))), [OURS, Announce(notice)]);
        let mut desk = Desk::new(placed(on(ground, Outbound::Join)));
        desk.since();
        assert_eq!(desk.tell(Input::Answered), [Answer, BRIDGED, OURS, Announce(notice)]);
        let mut desk = Desk::new(placed(on(ground, Outbound::HoldBack)));
        desk.since();
        assert_eq!(desk.tell(Input::Answered), [Ring(false), Play(notice)]);
    }
}

#[test]
fn l_21_the_recording_begins_when_the_notice_was_heard_with_or_without_the_agent() {
    let commit = Commit { prompts: 1, presses: 0 };
    for outbound in WAYS {
        for confirm in [Confirm::First, Confirm::WhileRinging, Confirm::Off] {
            let mut desk = told(Asking { confirm, ..interest(outbound) });
            let heard = desk.hear();
            match outbound {
                Outbound::HoldBack => assert_eq!(heard, [TOLD, Answer, BRIDGED, commit]),
                _ => assert_eq!(heard, [TOLD, THEIRS, commit]),
            }
            assert_eq!(desk.commit(), [Record, Arm(key('*'))]);
            assert_eq!(desk.call.poll_timeout(), None);
            assert!(!desk.call.may_be_asked(), "there is nothing left to ask");
            desk.wait(2_000);
            let erased = End(Fate::Erase(Reason::Objection));
            assert_eq!(desk.press('*')[..2], [erased, Objected]);
        }
    }
}

#[test]
fn l_21_an_objection_before_the_recording_is_final_and_the_parties_talk() {
    for outbound in WAYS {
        for confirm in [Confirm::First, Confirm::Off] {
            let mut desk = told(Asking { confirm, ..interest(outbound) });
            let objected = desk.press('*');
            let confirmed = confirm == Confirm::First;
            match (outbound, confirmed) {
                (Outbound::HoldBack, true) => {
                    assert_eq!(objected, [Objected, Play(Prompt::Refused)]);
                    desk.cut(100);
                    assert_eq!(desk.hear(), [Answer, BRIDGED]);
                }
                (Outbound::HoldBack, false) => {
                    assert_eq!(objected, [Objected, Hush, Answer, BRIDGED]);
                }
                (_, true) => {
                    assert_eq!(objected, [Objected, THEIRS, Announce(Prompt::Refused)]);
                }
                (_, false) => assert_eq!(objected, [Objected, THEIRS, Hush]),
            }
            assert!(!desk.call.may_be_asked());
            assert_eq!(desk.press('*'), []);
            desk.tell(Input::HungUp(Party::Agent));
            let refused = words(Consent::NotAsked, Outcome::Bridged, Verdict::Refused);
            assert_eq!(desk.finished(), refused);
            assert!(desk.evidence.is_none());
        }
    }
}

#[test]
fn l_01_a_notice_that_was_not_heard_in_the_call_may_be_begun_again() {
    let mut desk = told(interest(AGENT_ASKS));
    assert_eq!(desk.cut(800), [TOLD, THEIRS]);
    assert!(desk.call.may_be_asked());
    desk.tell(Input::Ask);
    let again = [OURS, Announce(Prompt::LegitimateInterest)];
    assert_eq!(desk.tell(Input::Prepared(Ok(LATER))), again);
    assert_eq!(desk.hear(), [TOLD, THEIRS, Commit { prompts: 2, presses: 0 }]);

    let mut desk = told(interest(AGENT_ASKS));
    assert_eq!(desk.wait(34_750), [TOLD, THEIRS, Hush]);
    desk.tell(Input::HungUp(Party::Customer));
    assert_eq!(desk.finished(), words(Consent::NotAsked, Outcome::Bridged, Verdict::Blocked));
}

#[test]
fn l_21_an_agent_who_leaves_in_the_notice_has_nobody_recorded() {
    for outbound in WAYS {
        let mut desk = told(interest(outbound));
        let left = desk.tell(Input::HungUp(Party::Agent));
        assert_eq!(left[..2], [HangUp(Party::Customer, NORMAL), TOLD]);
        let outcome = match outbound {
            Outbound::HoldBack => Outcome::CallerGone,
            _ => Outcome::Bridged,
        };
        assert_eq!(desk.finished(), words(Consent::NotAsked, outcome, Verdict::Blocked));
        assert!(desk.evidence.is_none());
    }
}

#[test]
fn l_51_when_the_house_leaves_in_the_notice_nobody_is_recorded() {
    for asking in [interest(Outbound::Join), strict(Outbound::Join)] {
        let mut desk = told(asking);
        assert_eq!(desk.tell(Input::HouseLeft), [TOLD, Hush, THEIRS]);
        assert_eq!(desk.cut(800), []);
        desk.tell(Input::HungUp(Party::Customer));
        assert_eq!(desk.finished(), words(Consent::NotAsked, Outcome::Bridged, Verdict::Blocked));
    }
}

#[test]
fn l_01_a_customer_who_hangs_up_in_the_notice_leaves_no_recording() {
    for outbound in WAYS {
        let mut desk = told(interest(outbound));
        let left = desk.tell(Input::HungUp(Party::Customer));
        assert_eq!(left[1], Decided(Consent::Abandoned));
        assert_eq!(desk.finished().verdict, Verdict::Abandoned);
    }
}

#[test]
fn l_15_a_customer_whom_the_pbx_called_hears_more_and_its_time_does_not_count() {
    for outbound in WAYS {
        let policy = Asking { unbridged_limit: ms(12_000), ..interest(outbound) };
        let mut desk = told(policy);
        assert_eq!(desk.press('9'), []);
        desk.hear();
        assert_eq!(desk.hear()[0], TOLD);
        assert_eq!(desk.call.poll_timeout(), None);
        assert!(desk.evidence.is_some());
    }
}

#[test]
fn l_54_no_key_of_a_customer_whom_the_pbx_called_ends_what_a_law_demands() {
    for outbound in WAYS {
        let mut desk = told(on(Ground::LegalObligation, outbound));
        assert_eq!(desk.press('*'), []);
        assert_eq!(desk.hear()[0], TOLD);
        assert_eq!(desk.commit(), [Record]);
        assert_eq!((desk.press('*'), desk.tell(Input::TapCut)), (vec![], vec![]));
        assert!(desk.permit.unwrap().is_live());
    }
}

#[test]
fn l_54_a_call_whose_notice_the_customer_cannot_hear_is_stopped() {
    for outbound in WAYS {
        for fault in [true, false] {
            let mut desk = told(strict(outbound));
            let stopped = if fault { desk.cut(800) } else { desk.wait(34_750) };
            let (caller, outcome) = match outbound {
                Outbound::HoldBack => (Reject(Failure::Unreachable), Outcome::Unreachable),
                _ => (HangUp(Party::Agent, LOST), Outcome::Bridged),
            };
            assert_eq!(stopped[..3], [TOLD, caller, HangUp(Party::Customer, LOST)]);
            assert_eq!(desk.finished(), words(Consent::NotAsked, outcome, Verdict::Blocked));
        }
    }
}
