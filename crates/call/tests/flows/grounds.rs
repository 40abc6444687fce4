//! Legitimate interest and public task: who is told may object (Art. 6(1)(e) and (f), 21; law row L21).

use call::*;

use crate::{
    EMPTY, NORMAL, closed, ended, keys_of,
    support::{Seen::*, *},
};

const NOTICE: Prompt = Prompt::LegitimateInterest;
const OBJECTED: Seen = End(Fate::Erase(Reason::Objection));
const TOLD: Seen = Decided(Consent::NotAsked);
const CONFIRMS: [Confirm; 3] = [Confirm::First, Confirm::WhileRinging, Confirm::Off];

fn interest() -> Asking {
    Asking { ground: Ground::LegitimateInterest, ..asking() }
}

/// A call whose notice begins to be said.
fn told(asking: Asking) -> Desk {
    let mut desk = Desk::new(asked(asking));
    desk.since();
    assert_eq!(desk.tell(Input::Confirmed), [Play(NOTICE)]);
    desk
}

/// A call that is bridged and recorded.
fn recorded(asking: Asking) -> Desk {
    let mut desk = told(asking);
    desk.hear();
    desk.commit();
    desk.tell(Input::Answered);
    desk.wait(2_000);
    desk
}

#[test]
fn l_21_who_hears_the_notice_and_does_not_object_is_recorded_without_a_question() {
    for ground in [Ground::LegitimateInterest, Ground::PublicTask] {
        for confirm in CONFIRMS {
            let mut desk = told(Asking { ground, confirm, ..asking() });
            let commit = Commit { prompts: 1, presses: 0 };
            assert_eq!(desk.hear(), [TOLD, Dial, RINGS, commit], "nothing is confirmed");
            assert_eq!(desk.commit(), [Record, Arm(key('*'))]);
            assert_eq!(desk.tell(Input::Answered), [Hush, Connect(Connection::Bridged)]);
            assert_eq!(desk.call.poll_timeout(), None);
            desk.wait(5_000);
            assert_eq!(desk.permit.as_ref().unwrap().ground(), ground);
            assert_eq!(
                desk.tell(Input::HungUp(Party::Agent)),
                [HangUp(Party::Customer, NORMAL), End(Fate::Keep)]
            );
            let words = ended(Consent::NotAsked, Outcome::Bridged, Verdict::Recorded);
            assert_eq!(desk.tell(closed(true, 5_000)), words);
            assert_eq!(desk.evidence.unwrap().ground, ground);
        }
    }
}

#[test]
fn l_21_who_objects_in_the_notice_is_not_recorded_and_is_put_through_all_the_same() {
    for confirm in CONFIRMS {
        let mut desk = told(Asking { confirm, ..interest() });
        desk.wait(1_000);
        let objected = desk.press('*');
        match confirm {
            Confirm::First => assert_eq!(objected, [Objected, Play(Prompt::Refused)]),
            Confirm::WhileRinging => assert_eq!(objected, [Objected, Dial, Play(Prompt::Refused)]),
            Confirm::Off => assert_eq!(objected, [Objected, Hush, Dial, RINGS]),
        }
        assert_eq!(desk.cut(8_000), []);
        match confirm {
            Confirm::First => assert_eq!(desk.hear(), [Dial, RINGS]),
            Confirm::WhileRinging => assert_eq!(desk.hear(), [RINGS]),
            Confirm::Off => {}
        }
        assert_eq!(desk.commit(), []);
        assert_eq!(desk.tell(Input::Answered), [Hush, Connect(Connection::Bridged)]);
        assert_eq!((desk.press('*'), desk.tell(Input::TapCut)), (vec![], vec![]));
        desk.tell(Input::HungUp(Party::Customer));
        assert_eq!(desk.finished(), words(Consent::NotAsked, Outcome::Bridged, Verdict::Refused));
        assert!(desk.evidence.is_none() && desk.permit.is_none());
    }
}

#[test]
fn l_21_an_objection_in_the_call_ends_the_recording_at_once_and_erases_it() {
    for objection in [Input::Digit(Party::Customer, press('*', START)), Input::TapCut] {
        let mut desk = recorded(interest());
        let permit = desk.permit.take().unwrap();
        assert!(permit.is_live());
        assert_eq!(desk.tell(objection), [OBJECTED, Objected, Play(Prompt::Withdrawn)]);
        assert!(!permit.is_live());
        assert_eq!((desk.press('*'), desk.tell(Input::TapCut)), (vec![], vec![]));
        assert_eq!(desk.hear(), [], "the agent is still there");
        desk.tell(closed(true, 0));
        desk.tell(Input::HungUp(Party::Customer));
        let gone = words(Consent::NotAsked, Outcome::Bridged, Verdict::Withdrawn);
        assert_eq!(desk.finished(), gone);
    }
}

#[test]
fn l_21_a_policy_can_keep_what_was_recorded_before_the_objection() {
    let mut desk = recorded(Asking { on_withdraw: OnWithdraw::Stop, ..interest() });
    assert_eq!(desk.press('*'), [End(Fate::Keep), Objected, Play(Prompt::Withdrawn)]);
    desk.tell(closed(true, 2_000));
    desk.tell(Input::HungUp(Party::Customer));
    assert_eq!(desk.finished(), words(Consent::NotAsked, Outcome::Bridged, Verdict::Withdrawn));
}

#[test]
fn l_21_an_objection_counts_before_the_commit_and_until_the_very_end() {
    let mut desk = told(interest());
    desk.hear();
    assert_eq!(desk.press('*'), [Objected, Play(Prompt::Withdrawn)]);
    assert_eq!(desk.commit(), [OBJECTED]);
    assert_eq!(desk.hear(), [RINGS]);
    assert!(desk.permit.is_none());

    let mut desk = recorded(interest());
    assert_eq!(desk.tell(Input::RecorderFailed), [End(Fate::Keep)]);
    assert_eq!(desk.press('*'), [OBJECTED, Objected, Play(Prompt::Withdrawn)]);

    let mut desk = recorded(interest());
    desk.tell(Input::HungUp(Party::Agent));
    assert_eq!(desk.press('*'), [OBJECTED, Objected], "and nobody hears anything any more");
    desk.tell(closed(true, 2_000));
    let gone = ended(Consent::NotAsked, Outcome::Bridged, Verdict::Withdrawn);
    assert_eq!(desk.tell(closed(true, 0)), gone);
}

#[test]
fn l_15_who_wants_to_know_more_hears_it_after_the_notice_and_its_time_does_not_count() {
    // 11.75 s are enough for the notice, and not for the explanation.
    let policy = Asking { unbridged_limit: ms(12_000), ..interest() };
    let mut desk = told(policy.clone());
    assert_eq!(desk.press('9'), []);
    assert_eq!(desk.hear(), [Play(Prompt::Info)]);
    assert_eq!(desk.call.poll_timeout(), Some(desk.now + ms(60_000)));
    assert_eq!(desk.press('9'), []);
    assert_eq!(desk.hear(), [TOLD, Dial, RINGS, Commit { prompts: 2, presses: 2 }]);

    let mut desk = told(policy.clone());
    desk.press('9');
    desk.hear();
    assert_eq!(desk.cut(800), [TOLD, Dial, RINGS, Commit { prompts: 2, presses: 1 }]);

    let mut desk = told(policy.clone());
    desk.press('9');
    desk.hear();
    assert_eq!(desk.press('*'), [Objected, Play(Prompt::Refused)]);
    assert_eq!(desk.call.poll_timeout(), Some(desk.now + ms(2_250)), "what is left of the time");

    let mut desk = told(policy);
    desk.press('9');
    desk.hear();
    assert_eq!(desk.wait(60_000), [TOLD, Hush, Dial, RINGS]);
    assert!(desk.evidence.is_none(), "nobody listens to an explanation for a minute");
}

#[test]
fn l_21_other_keys_mean_nothing_where_nothing_is_asked() {
    let mut desk = told(interest());
    for key in ['1', '2', '5', '#', '1'] {
        assert_eq!(desk.press(key), [], "{key}");
    }
    assert_eq!(desk.hear(), [TOLD, Dial, RINGS, Commit { prompts: 1, presses: 5 }]);
    desk.commit();
    desk.tell(Input::Answered);
    for key in ['1', '2', '9', '5'] {
        assert_eq!(desk.press(key), [], "{key}");
    }
    assert_eq!(keys_of(&desk.evidence.unwrap()), "125#1");

    // Before the answer is confirmed nobody has heard of what there is to object to.
    let mut desk = Desk::new(asked(interest()));
    desk.since();
    assert_eq!(desk.press('*'), []);
    assert_eq!(desk.press('9'), []);
    desk.tell(Input::Confirmed);
    assert_eq!(desk.hear()[..1], [TOLD]);
}

#[test]
fn l_01_a_notice_that_was_not_heard_in_full_is_no_ground() {
    let blocked = words(Consent::NotAsked, Outcome::Bridged, Verdict::Blocked);
    for fault in [true, false] {
        for info in [true, false] {
            let mut desk = told(Asking { unbridged_limit: ms(9_000), ..interest() });
            if info {
                desk.press('9');
            }
            match fault {
                true => assert_eq!(desk.cut(71_999), [TOLD, Dial, RINGS]),
                false => assert_eq!(desk.wait(8_750), [TOLD, Hush, Dial, RINGS]),
            }
            desk.tell(Input::Answered);
            assert_eq!((desk.press('*'), desk.commit()), (vec![], vec![]));
            desk.tell(Input::HungUp(Party::Customer));
            assert_eq!(desk.finished(), blocked);
            assert!(desk.evidence.is_none() && desk.permit.is_none());
        }
    }
    let mut desk = Desk::new(asked(interest()));
    desk.since();
    assert_eq!(desk.wait(34_750), [TOLD, Dial, RINGS], "a caller who never heard us");
}

#[test]
fn l_01_a_caller_who_hangs_up_in_the_notice_leaves_no_recording() {
    for press in [None, Some('9')] {
        let mut desk = told(interest());
        press.map(|key| desk.press(key));
        desk.wait(9_000);
        let gone = ended(Consent::Abandoned, Outcome::CallerGone, Verdict::Abandoned);
        let seen = desk.tell(Input::HungUp(Party::Customer));
        assert_eq!(seen, [&[Decided(Consent::Abandoned)][..], &gone].concat());
    }
    // After it they were told, and leave before anybody could be heard.
    let mut desk = told(interest());
    desk.hear();
    desk.commit();
    assert_eq!(desk.tell(Input::HungUp(Party::Customer)), [CancelDial, EMPTY]);
    desk.tell(Input::Failed(Failure::Rejected(487)));
    desk.tell(closed(true, 0));
    let gone = words(Consent::NotAsked, Outcome::CallerGone, Verdict::Unconnected);
    assert_eq!(desk.finished(), gone);
}

#[test]
fn l_01_a_call_that_is_stopped_in_the_notice_was_never_recorded() {
    let mut desk = told(interest());
    assert_eq!(
        desk.tell(Input::Stop(Cause::Shutdown))[..2],
        [HangUp(Party::Customer, Cause::Shutdown), TOLD]
    );
    assert_eq!(desk.finished(), words(Consent::NotAsked, Outcome::Unreachable, Verdict::Blocked));
}

#[test]
fn c_11_who_holds_in_the_notice_hears_it_again() {
    let mut desk = told(interest());
    desk.press('9');
    desk.wait(5_000);
    assert_eq!(desk.tell(Input::Held(Party::Customer, true)), [Hush]);
    assert_eq!(desk.cut(40_000), [], "a notice that a hold has cut is not over");
    assert_eq!(desk.tell(Input::Held(Party::Customer, false)), [Play(NOTICE)]);
    assert_eq!(desk.hear(), [Play(Prompt::Info)]);
    assert_eq!(desk.tell(Input::Held(Party::Customer, true)), [Hush]);
    desk.cut(100);
    assert_eq!(desk.tell(Input::Held(Party::Customer, false)), [Play(Prompt::Info)]);
    assert_eq!(desk.hear(), [TOLD, Dial, RINGS, Commit { prompts: 4, presses: 1 }]);
}

#[test]
fn l_21_an_early_notice_postpones_nothing() {
    for question in [QuestionAt::AfterAnswer, QuestionAt::BeforeAnswer] {
        let mut desk = Desk::new(early(question, interest()));
        assert_eq!(desk.tell(Input::Progressed), [Opened, Progress, Play(NOTICE)]);
        assert_eq!(desk.hear(), [TOLD, Dial, RINGS, Commit { prompts: 1, presses: 0 }]);
        assert_eq!(desk.commit(), [Record, Arm(key('*'))]);
        let bridged = [Answer, Hush, Connect(Connection::Bridged)];
        assert_eq!(desk.tell(Input::Answered), bridged);
        assert_eq!(desk.tell(Input::Confirmed), []);
        desk.wait(2_000);
        assert_eq!(desk.press('*'), [OBJECTED, Objected, Play(Prompt::Withdrawn)]);

        let mut desk = Desk::new(early(question, interest()));
        desk.tell(Input::Progressed);
        assert_eq!(desk.press('*'), [Objected, Play(Prompt::Refused)]);
        desk.cut(100);
        assert_eq!(desk.hear(), [Dial, RINGS]);
        assert_eq!(desk.press('*'), []);

        let mut desk = Desk::new(early(question, interest()));
        desk.tell(Input::Progressed);
        assert_eq!(desk.cut(100), [TOLD, Dial, RINGS]);
        assert!(desk.evidence.is_none());
    }
}

/// What the PBX hears of a call.
fn towards_the_pbx(desk: &Desk) -> Vec<Seen> {
    let all = desk.all.iter().copied();
    all.filter(|seen| {
        matches!(
            seen,
            Dial | CancelDial
                | Connect(_)
                | Keep(..)
                | RingBack(Party::Agent)
                | HangUp(Party::Agent, _)
        )
    })
    .collect()
}

#[test]
fn l_10_the_pbx_hears_the_same_call_whether_they_object_or_not() {
    for confirm in CONFIRMS {
        for question in [None, Some(QuestionAt::AfterAnswer), Some(QuestionAt::BeforeAnswer)] {
            let calls = [None, Some('*'), Some('9')].map(|key| {
                let policy = Asking { confirm, ..interest() };
                let mut desk = Desk::new(match question {
                    None => asked(policy),
                    Some(question) => early(question, policy),
                });
                desk.tell(Input::Confirmed);
                desk.tell(Input::Progressed);
                key.map(|key| desk.press(key));
                // The notice, and what may follow it.
                match key {
                    Some('*') => desk.cut(100),
                    _ => desk.hear(),
                };
                if key == Some('9') || (key.is_some() && confirm != Confirm::Off) {
                    desk.hear();
                }
                desk.tell(Input::Ringing { early_media: true });
                desk.tell(Input::Answered);
                desk.tell(Input::HungUp(Party::Customer));
                towards_the_pbx(&desk)
            });
            assert!(calls.iter().all(|call| *call == calls[0]), "{calls:?}");
            let connected = Connect(Connection::Bridged);
            assert!(calls[0].contains(&Dial) && calls[0].contains(&connected));
        }
    }
}
