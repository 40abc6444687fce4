//! Calls that are put through and left alone: lines for machines, confidential helplines, closed lines.

use call::*;

use crate::support::{Seen::*, *};

const VERDICTS: [(Aside, Verdict); 3] = [
    (Aside::Transparent, Verdict::Transparent),
    (Aside::Confidential, Verdict::Confidential),
    (Aside::Closed, Verdict::Closed),
];

#[test]
fn a_call_that_is_left_alone_is_bridged_at_once_and_no_key_or_wish_begins_a_question() {
    let agents = Inbound::AgentAsks { key: Some(key('#')), times: 3 };
    let held = Asking { outbound: Outbound::HoldBack, ..asking() };
    for (why, verdict) in VERDICTS {
        for offer in [
            asked(asking()),
            asked(Asking { inbound: agents, ..asking() }),
            asked(Asking { ground: Ground::LegalObligation, ..asking() }),
            early(QuestionAt::AfterAnswer, asking()),
            placed(asking()),
            placed(held.clone()),
        ] {
            let mut desk = Desk::new(CallOffer { aside: Some(why), ..offer });
            assert!(!desk.call.may_be_recorded() && !desk.call.may_be_asked());
            assert_eq!(desk.since(), [Opened, Dial], "{why}");
            assert_eq!(desk.tell(Input::Progressed), []);
            assert_eq!(desk.tell(Input::Answered), [Answer, Connect(Connection::Bridged)]);
            for input in [Input::Confirmed, Input::Fax, Input::Ask, Input::Prepared(Ok(LATER))] {
                assert_eq!(desk.tell(input), []);
            }
            for character in ['1', '2', '*', '9', '#'] {
                assert_eq!(desk.press(character), []);
                let press = press(character, desk.now);
                assert_eq!(desk.tell(Input::Digit(Party::Agent, press)), []);
            }
            assert_eq!(desk.wait(600_000), []);
            desk.tell(Input::HungUp(Party::Customer));
            assert_eq!(desk.finished(), words(Consent::NotAsked, Outcome::Bridged, verdict));
            assert!(desk.evidence.is_none() && desk.permit.is_none());
        }
    }
}

#[test]
fn why_a_call_is_left_alone_is_said_only_where_it_would_have_been_asked() {
    let never = || placed(Asking { outbound: Outbound::Never, ..asking() });
    for (why, verdict) in VERDICTS {
        let said = if why == Aside::Transparent { verdict } else { Verdict::PolicyOff };
        for offer in [offer(Some(line(Recording::Never))), never()] {
            let mut desk = Desk::new(CallOffer { aside: Some(why), ..offer });
            desk.tell(Input::Failed(Failure::Busy));
            assert_eq!(desk.finished(), words(Consent::NotAsked, Outcome::Busy, said), "{why}");
        }
        let ready = Err(NotReady::Disk);
        let mut desk = Desk::new(CallOffer { aside: Some(why), ready, ..asked(asking()) });
        desk.tell(Input::Failed(Failure::NoAnswer));
        assert_eq!(desk.finished(), words(Consent::NotAsked, Outcome::NoAnswer, verdict));
    }
}

#[test]
fn e_01_an_emergency_is_one_on_any_line_and_at_any_hour() {
    for (why, _) in VERDICTS {
        let target_up = false;
        let urgent = CallOffer { emergency: true, aside: Some(why), target_up, ..asked(asking()) };
        let mut desk = Desk::new(urgent);
        assert_eq!(desk.since(), [Opened, Dial]);
        assert_eq!(desk.call.poll_timeout(), None, "it rings for as long as the caller waits");
        desk.tell(Input::HungUp(Party::Customer));
        desk.tell(Input::Failed(Failure::Rejected(487)));
        assert_eq!(desk.finished().verdict, Verdict::Emergency);
    }
}

#[test]
fn a_call_that_is_left_alone_and_has_no_pbx_is_refused_like_any_other() {
    for (why, verdict) in VERDICTS {
        let offer = CallOffer { aside: Some(why), target_up: false, ..asked(asking()) };
        let words = words(Consent::NotAsked, Outcome::Unreachable, verdict);
        let refused = [Opened, Reject(Failure::Unreachable), Ended(words), Finish(words)];
        assert_eq!(Desk::new(offer).since(), refused);
    }
}
