//! The question: keys, silence, holds, explanations and limits.

use call::*;

use crate::{
    support::{Seen::*, *},
    *,
};

#[test]
fn c_02_a_grant_key_in_the_notice_counts_when_the_notice_has_ended() {
    let mut desk = Desk::new(asked(asking()));
    desk.tell(Input::Confirmed);
    desk.wait(3_000);
    let pressed_at = desk.now;
    assert_eq!(desk.press('1'), []);
    assert_eq!(
        desk.hear(),
        [Decided(Consent::Granted), Play(Prompt::Granted), Commit { prompts: 1, presses: 1 }]
    );
    let evidence = desk.evidence.unwrap();
    assert_eq!((evidence.presses[0].at, evidence.decided_at), (pressed_at, desk.now));
    assert!(evidence.prompts[0].whole && evidence.prompts[0].samples == 72_000);
}

#[test]
fn c_02_a_refusal_key_in_the_notice_acts_at_once() {
    let mut desk = Desk::new(asked(asking()));
    desk.tell(Input::Confirmed);
    desk.wait(1_000);
    assert_eq!(desk.press('2'), [Decided(Consent::Refused), Play(Prompt::Refused)]);
    assert_eq!(desk.cut(8_000), []);
    assert_eq!(desk.hear(), [Dial, RINGS]);
}

#[test]
fn c_02_a_second_thought_in_the_notice_is_a_refusal() {
    for second in ['2', '*'] {
        let mut desk = Desk::new(asked(asking()));
        desk.tell(Input::Confirmed);
        desk.press('1');
        assert_eq!(desk.press(second), [Decided(Consent::Refused), Play(Prompt::Refused)]);
    }
}

#[test]
fn c_03_other_keys_in_the_notice_are_ignored_and_written_down() {
    let mut desk = Desk::new(asked(asking()));
    desk.since();
    assert_eq!(desk.press('1'), [], "nothing was asked before the answer is confirmed");
    desk.tell(Input::Confirmed);
    for key in ['*', '9', '5', '#', 'A'] {
        assert_eq!(desk.press(key), []);
    }
    assert_eq!(desk.hear(), [Play(Prompt::Question)]);
    desk.press('1');
    desk.cut(100);
    assert_eq!(keys_of(&desk.evidence.unwrap()), "1*95#A1");
}

#[test]
fn c_03_the_question_is_cut_by_its_keys() {
    let mut desk = Desk::at_question(asked(confirm(Confirm::Off)));
    desk.wait(500);
    assert_eq!(desk.press('1'), [Decided(Consent::Granted), Hush, Dial, RINGS]);
    assert_eq!(desk.cut(4_000), [Commit { prompts: 2, presses: 1 }]);
    let evidence = desk.evidence.unwrap();
    let question = evidence.prompts[1];
    assert_eq!(
        (question.prompt, question.samples, question.whole),
        (Prompt::Question, 4_000, false)
    );
    assert_eq!(question.until, desk.now);
    assert_eq!(question.id, asking().prompt_id(Prompt::Question).unwrap());
}

#[test]
fn c_04_silence_is_asked_once_more_and_then_not_given() {
    let mut desk = Desk::at_question(asked(asking()));
    assert_eq!(desk.hear(), []);
    assert_eq!(desk.wait_for_deadline(), (ms(4_000), vec![Play(Prompt::Reask)]));
    assert_eq!(desk.hear(), []);
    assert_eq!(
        desk.wait_for_deadline(),
        (ms(4_000), vec![Decided(Consent::NotGiven), Play(Prompt::NotGiven)])
    );
    assert_eq!(desk.hear(), [Dial, RINGS]);
    assert_eq!(desk.now.since(START), ms(29_500), "with the shipped prompts all of it fits");
    desk.tell(Input::Answered);
    desk.tell(Input::HungUp(Party::Agent));
    assert_eq!(desk.finished(), words(Consent::NotGiven, Outcome::Bridged, Verdict::NotGiven));
    assert!(desk.evidence.is_none() && desk.permit.is_none());
}

#[test]
fn c_04_the_question_is_repeated_as_often_as_the_policy_says() {
    for repeats in [0_u8, 2] {
        let limit = ms(35_000);
        let mut desk = Desk::at_question(asked(Asking {
            repeats,
            answer_timeout: ms(100),
            unbridged_limit: limit,
            ..asking()
        }));
        desk.hear();
        for _ in 0..repeats {
            assert_eq!(desk.wait_for_deadline().1, [Play(Prompt::Reask)]);
            desk.hear();
        }
        assert_eq!(desk.wait_for_deadline().1[0], Decided(Consent::NotGiven));
    }
}

#[test]
fn c_05_a_wrong_key_is_named_and_counts_as_a_try() {
    for wrong in ['5', '#', 'D'] {
        let mut desk = Desk::at_question(asked(asking()));
        assert_eq!(desk.press(wrong), [Play(Prompt::WrongKey)]);
        desk.cut(800);
        assert_eq!(desk.press(wrong), [Decided(Consent::NotGiven), Play(Prompt::NotGiven)]);
    }
}

#[test]
fn c_05_a_wrong_key_ends_the_wait_for_an_answer() {
    let mut desk = Desk::at_question(asked(asking()));
    desk.hear();
    desk.wait(3_900);
    assert_eq!(desk.press('7'), [Play(Prompt::WrongKey)]);
    assert_eq!(desk.wait(1_000), [], "the wait that was running is over");
    assert_eq!(desk.hear(), []);
    assert_eq!(desk.wait_for_deadline().1[0], Decided(Consent::NotGiven));
}

#[test]
fn c_06_of_two_quick_keys_the_first_wins_and_the_evidence_holds_both() {
    let mut desk = Desk::at_question(asked(asking()));
    assert_eq!(desk.press('1'), [Decided(Consent::Granted), Play(Prompt::Granted)]);
    assert_eq!(desk.press('2'), []);
    assert_eq!(desk.cut(10), [Commit { prompts: 2, presses: 2 }]);
    assert_eq!(keys_of(&desk.evidence.unwrap()), "12");

    let mut desk = Desk::at_question(asked(asking()));
    assert_eq!(desk.press('2'), [Decided(Consent::Refused), Play(Prompt::Refused)]);
    assert_eq!(desk.press('1'), []);
    assert_eq!(desk.cut(10), []);
}

#[test]
fn c_11_a_hold_in_the_notice_stops_it_and_the_resume_plays_it_whole() {
    let mut desk = Desk::new(asked(asking()));
    desk.tell(Input::Confirmed);
    desk.wait(5_000);
    assert_eq!(desk.tell(Input::Held(Party::Customer, true)), [Hush]);
    assert_eq!(desk.cut(40_000), [], "a notice that a hold has cut proves nothing");
    assert_eq!(desk.tell(Input::Held(Party::Customer, true)), []);
    assert_eq!(desk.press('1'), []);
    assert_eq!(desk.tell(Input::Held(Party::Customer, false)), [Play(Prompt::Notice)]);
    assert_eq!(
        desk.hear(),
        [Decided(Consent::Granted), Play(Prompt::Granted), Commit { prompts: 2, presses: 1 }]
    );
    let evidence = desk.evidence.unwrap();
    assert_eq!(evidence.prompts.iter().map(|heard| heard.whole).collect::<Vec<_>>(), [false, true]);
}

#[test]
fn c_11_a_hold_stops_the_wait_for_an_answer() {
    let mut desk = Desk::at_question(asked(asking()));
    desk.hear();
    desk.wait(3_900);
    assert_eq!(desk.tell(Input::Held(Party::Customer, true)), []);
    assert_eq!(desk.wait(6_000), []);
    assert_eq!(desk.tell(Input::Held(Party::Customer, false)), [Play(Prompt::Question)]);
    assert_eq!(desk.hear(), []);
    assert_eq!(desk.wait(3_900), []);
    assert_eq!(desk.wait(100), [Play(Prompt::Reask)]);
}

#[test]
fn c_11_a_customer_who_holds_from_the_start_is_asked_when_they_are_back() {
    let mut desk = Desk::new(asked(asking()));
    desk.since();
    assert_eq!(desk.tell(Input::Held(Party::Customer, true)), []);
    assert_eq!(desk.tell(Input::Held(Party::Customer, false)), [], "not confirmed yet");
    desk.tell(Input::Held(Party::Customer, true));
    assert_eq!(desk.tell(Input::Confirmed), []);
    assert_eq!(desk.tell(Input::Held(Party::Agent, true)), []);
    assert_eq!(desk.tell(Input::Held(Party::Agent, false)), []);
    assert_eq!(desk.tell(Input::Held(Party::Customer, false)), [Play(Prompt::Notice)]);
    assert_eq!(desk.tell(Input::Held(Party::Agent, true)), [], "the agent's side holds nothing");
}

#[test]
fn c_11_a_customer_who_never_comes_back_is_connected_unrecorded() {
    let mut desk = Desk::new(asked(asking()));
    desk.tell(Input::Confirmed);
    desk.tell(Input::Held(Party::Customer, true));
    assert_eq!(desk.wait(35_000), [Decided(Consent::NotGiven), Dial, RINGS]);
}

#[test]
fn c_13_a_refused_call_goes_on_unrecorded() {
    let mut desk = Desk::at_question(asked(asking()));
    assert_eq!(desk.press('2'), [Decided(Consent::Refused), Play(Prompt::Refused)]);
    desk.cut(80);
    assert_eq!(desk.hear(), [Dial, RINGS]);
    let listened_for = Keep(Party::Customer, Kept::One(key('*')));
    assert_eq!(desk.tell(Input::Answered), [Hush, Connect(Connection::Bridged), listened_for]);
    assert_eq!(desk.commit(), [], "an acknowledgement that nobody asked for mints nothing");
    assert_eq!(desk.press('1'), []);
    let words = words(Consent::Refused, Outcome::Bridged, Verdict::Refused);
    assert_eq!(
        desk.tell(Input::HungUp(Party::Agent)),
        [HangUp(Party::Customer, NORMAL), Ended(words), Finish(words)]
    );
}

#[test]
fn c_13_the_withdrawal_key_refuses_the_question() {
    let mut desk = Desk::at_question(asked(asking()));
    assert_eq!(desk.press('*'), [Decided(Consent::Refused), Play(Prompt::Refused)]);
}

#[test]
fn c_14_keys_of_the_agent_never_count() {
    let agent = |desk: &mut Desk, key| {
        let input = Input::Digit(Party::Agent, press(key, desk.now));
        desk.tell(input)
    };
    let mut desk = Desk::new(asked(asking()));
    desk.tell(Input::Confirmed);
    assert_eq!(agent(&mut desk, '1'), []);
    assert_eq!(desk.hear(), [Play(Prompt::Question)]);
    for key in ['1', '2', '*', '5'] {
        assert_eq!(agent(&mut desk, key), []);
    }
    desk.press('1');
    desk.cut(1);
    assert_eq!(keys_of(&desk.evidence.unwrap()), "1");

    let mut desk = Desk::recorded(asking());
    assert_eq!(agent(&mut desk, '*'), []);
    assert!(desk.permit.unwrap().is_live());
}

#[test]
fn c_21_a_caller_who_hears_no_prompt_end_is_connected_within_the_limit() {
    let mut desk = Desk::new(asked(asking()));
    desk.tell(Input::Confirmed);
    let (waited, seen) = desk.wait_for_deadline();
    assert_eq!(seen, [Decided(Consent::NotGiven), Hush, Dial, RINGS]);
    assert!(waited < ms(35_000) && waited >= ms(34_500));
}

#[test]
fn c_21_the_limit_runs_from_the_answer_and_has_a_ceiling() {
    for (limit, expected) in [(20_000, 19_750), (35_000, 34_750), (90_000, 34_750), (100, 0)] {
        let policy = Asking { unbridged_limit: ms(limit), ..asking() };
        let mut desk = Desk::new(asked(policy));
        desk.since();
        let (waited, seen) = desk.wait_for_deadline();
        assert_eq!((waited, seen), (ms(expected), vec![Decided(Consent::NotGiven), Dial, RINGS]));
    }
}

#[test]
fn c_21_a_confirmation_that_never_ends_is_cut_at_the_limit() {
    let mut desk = Desk::at_question(asked(asking()));
    desk.press('1');
    desk.cut(10);
    let (_, seen) = desk.wait_for_deadline();
    assert_eq!(seen, [Hush, Dial, RINGS]);
    assert!(desk.now.since(START) < ms(35_000));
}

#[test]
fn c_21_an_explanation_does_not_count_to_the_limit() {
    let mut desk = Desk::at_question(asked(asking()));
    desk.wait(1_000);
    let at_press = desk.now;
    assert_eq!(desk.press('9'), [Play(Prompt::Info)]);
    desk.cut(8_000);
    assert_eq!(desk.press('9'), [], "it is being explained");
    assert_eq!(desk.hear(), [Play(Prompt::Question)]);
    assert_eq!(desk.hear(), []);
    let explained = desk.now.since(at_press);
    assert_eq!(explained, ms(19_000));
    desk.wait_for_deadline();
    let (_, seen) = desk.wait_for_deadline();
    assert_eq!(seen, [Decided(Consent::NotGiven), Hush, Dial, RINGS]);
    assert_eq!(desk.now.since(START), ms(34_750) + explained);
}

#[test]
fn c_21_an_explanation_is_bounded_by_itself() {
    let mut desk = Desk::at_question(asked(asking()));
    desk.press('9');
    desk.cut(0);
    let (waited, seen) = desk.wait_for_deadline();
    assert_eq!(waited, ms(60_000));
    assert_eq!(seen, [Decided(Consent::NotGiven), Hush, Dial, RINGS]);
    assert_eq!(desk.call.poll_timeout(), Some(desk.now + ms(30_000)), "only the ringing is timed");
}

#[test]
fn c_21_a_decision_in_the_explanation_starts_the_limit_again() {
    let mut desk = Desk::at_question(asked(asking()));
    let left = ms(34_750) - desk.now.since(START);
    desk.press('9');
    desk.cut(0);
    desk.wait(10_000);
    desk.press('2');
    desk.cut(80_000);
    assert_eq!(desk.call.poll_timeout(), Some(desk.now + left));
    desk.hear();
    assert_eq!(desk.call.poll_timeout(), Some(desk.now + ms(30_000)));
}

#[test]
fn c_21_the_explanation_is_given_twice_and_then_its_key_is_a_wrong_key() {
    let mut desk = Desk::at_question(asked(asking()));
    for _ in 0..2 {
        assert_eq!(desk.press('9'), [Play(Prompt::Info)]);
        desk.cut(10);
        assert_eq!(desk.hear(), [Play(Prompt::Question)]);
    }
    assert_eq!(desk.press('9'), [Play(Prompt::WrongKey)]);
    desk.cut(10);
    assert_eq!(desk.press('9')[0], Decided(Consent::NotGiven));
}

#[test]
fn c_21_keys_act_in_the_explanation() {
    for (pressed, expected) in [
        ('1', Decided(Consent::Granted)),
        ('2', Decided(Consent::Refused)),
        ('*', Decided(Consent::Refused)),
        ('5', Play(Prompt::WrongKey)),
    ] {
        let mut desk = Desk::at_question(asked(asking()));
        desk.press('9');
        desk.cut(10);
        assert_eq!(desk.press(pressed)[0], expected);
    }
    let mut desk = Desk::at_question(asked(asking()));
    desk.press('9');
    desk.cut(10);
    desk.press('5');
    desk.cut(10);
    assert_eq!(desk.hear(), [], "after the wrong key the answer is waited for");
    assert_eq!(desk.wait(4_000)[0], Decided(Consent::NotGiven));
}

#[test]
fn the_confirmation_is_heard_before_the_pbx_is_called() {
    for (pressed, prompt) in [('1', Prompt::Granted), ('2', Prompt::Refused)] {
        let mut desk = Desk::at_question(asked(asking()));
        assert_eq!(desk.press(pressed)[1], Play(prompt));
        desk.cut(10);
        desk.since();
        let seen = desk.hear();
        assert_eq!(seen, [Dial, RINGS]);
    }
}

#[test]
fn a_confirmation_while_ringing_is_cut_at_the_answer() {
    let mut desk = Desk::at_question(asked(confirm(Confirm::WhileRinging)));
    assert_eq!(desk.press('1'), [Decided(Consent::Granted), Dial, Play(Prompt::Granted)]);
    desk.cut(10);
    desk.commit();
    assert_eq!(desk.tell(Input::Answered), [Hush, Connect(Connection::Bridged)]);
    assert_eq!(desk.cut(10), []);
}

#[test]
fn a_confirmation_while_ringing_gives_way_to_ring_back() {
    let mut desk = Desk::at_question(asked(confirm(Confirm::WhileRinging)));
    assert_eq!(desk.press('2'), [Decided(Consent::Refused), Dial, Play(Prompt::Refused)]);
    desk.cut(10);
    assert_eq!(desk.hear(), [RINGS]);
}

#[test]
fn l_01_a_notice_that_a_fault_has_cut_leads_to_no_permit() {
    let mut desk = Desk::new(asked(asking()));
    desk.tell(Input::Confirmed);
    desk.press('1');
    assert_eq!(desk.cut(71_999), [Decided(Consent::NotGiven), Play(Prompt::NotGiven)]);
    assert_eq!(desk.hear(), [Dial, RINGS]);
    assert_eq!(desk.commit(), []);
}

#[test]
fn l_01_a_question_that_a_fault_has_cut_is_still_waited_for() {
    let mut desk = Desk::at_question(asked(asking()));
    assert_eq!(desk.cut(3), []);
    assert_eq!(desk.wait(4_000), [Play(Prompt::Reask)]);
}

#[test]
fn l_10_refusing_and_granting_lead_to_the_same_call() {
    let service = |pressed| {
        let mut desk = Desk::at_question(asked(asking()));
        desk.press(pressed);
        desk.cut(1);
        desk.commit();
        desk.hear();
        let dialled_after = desk.now.since(START);
        desk.tell(Input::Ringing { early_media: false });
        desk.tell(Input::Answered);
        desk.wait(1_000);
        desk.tell(Input::HungUp(Party::Agent));
        let of_the_call = |seen: &Seen| {
            matches!(
                seen,
                Answer | Dial | RingBack(_) | Hush | Connect(_) | HangUp(..) | CancelDial | Tone(_)
            )
        };
        (dialled_after, desk.all.into_iter().filter(of_the_call).collect::<Vec<_>>())
    };
    assert_eq!(service('1'), service('2'));
    let expected =
        [Answer, Dial, RINGS, Hush, Connect(Connection::Bridged), HangUp(Party::Customer, NORMAL)];
    assert_eq!(service('2').1, expected);
}

#[test]
fn l_11_silence_wrong_keys_and_lost_digits_are_never_consent() {
    for pressed in ["", "5", "55", "9", "59", "#*"] {
        let mut desk = Desk::at_question(asked(asking()));
        for key in pressed.chars() {
            desk.press(key);
        }
        desk.wait(300_000);
        assert!(desk.all.contains(&Dial));
        assert!(!desk.all.contains(&Decided(Consent::Granted)));
        assert!(desk.evidence.is_none() && desk.commit().is_empty() && desk.permit.is_none());
    }
}

#[test]
fn what_was_due_happens_before_a_late_input() {
    let mut desk = Desk::at_question(asked(asking()));
    desk.hear();
    desk.now = desk.now + ms(4_000);
    assert_eq!(
        desk.press('5'),
        [Play(Prompt::Reask), Decided(Consent::NotGiven), Play(Prompt::NotGiven)],
        "the wait was over, and the wrong key came after the last repeat"
    );
}
