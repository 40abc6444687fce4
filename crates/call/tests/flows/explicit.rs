//! Explicit consent: a yes of two steps (Art. 9(2)(a), law row L13).

use call::*;

use crate::{
    ERASED, NORMAL, again, closed, ended, keys_of,
    support::{Seen::*, *},
};

const EXPLICIT: Prompt = Prompt::Explicit;

fn policy() -> Asking {
    Asking { ground: Ground::ExplicitConsent, ..asking() }
}

fn granted(prompts: usize, presses: usize) -> [Seen; 3] {
    [Decided(Consent::Granted), Play(Prompt::Granted), Commit { prompts, presses }]
}

/// The customer has said yes to the question, and the second step begins to be said.
fn at_the_second_step(asking: Asking) -> Desk {
    let mut desk = Desk::at_question(asked(asking));
    assert_eq!(desk.press('1'), [Play(EXPLICIT)]);
    desk.cut(8_000);
    desk
}

#[test]
fn l_13_explicit_consent_takes_two_steps_of_which_both_were_heard() {
    let mut desk = Desk::at_question(asked(policy()));
    assert_eq!(desk.press('1'), [Play(EXPLICIT)]);
    assert_eq!(desk.cut(8_000), []);
    assert_eq!(desk.hear(), []);
    desk.wait(1_000);
    assert_eq!(desk.press('1'), granted(3, 2));
    assert_eq!(desk.commit(), [Record, Arm(key('*'))]);
    assert_eq!(desk.hear(), [Dial, RINGS]);
    desk.tell(Input::Answered);
    desk.wait(5_000);
    assert_eq!(desk.permit.as_ref().unwrap().ground(), Ground::ExplicitConsent);
    assert_eq!(
        desk.tell(Input::HungUp(Party::Customer)),
        [HangUp(Party::Agent, NORMAL), End(Fate::Keep)]
    );
    let words = ended(Consent::Granted, Outcome::Bridged, Verdict::Recorded);
    assert_eq!(desk.tell(closed(true, 5_000)), words);
    let evidence = desk.evidence.unwrap();
    let heard: Vec<_> = evidence.prompts.iter().map(|heard| (heard.prompt, heard.whole)).collect();
    let both = [(Prompt::Notice, true), (Prompt::Question, false), (EXPLICIT, true)];
    assert_eq!((heard, keys_of(&evidence).as_str()), (both.to_vec(), "11"));
    assert_eq!(evidence.ground, Ground::ExplicitConsent);
}

#[test]
fn l_13_a_no_to_the_question_takes_one_step() {
    for no in ['2', '*'] {
        let mut desk = Desk::at_question(asked(policy()));
        assert_eq!(desk.press(no), [Decided(Consent::Refused), Play(Prompt::Refused)]);
        desk.cut(100);
        assert_eq!(desk.hear(), [Dial, RINGS]);
    }
}

#[test]
fn l_13_a_press_in_the_second_step_decides_when_that_was_heard_in_full() {
    let mut desk = at_the_second_step(policy());
    desk.wait(100);
    assert_eq!(desk.press('1'), [], "one press too many is no confirmation");
    assert_eq!(desk.press('1'), []);
    assert_eq!(desk.hear(), granted(3, 3));
}

#[test]
fn l_13_a_second_step_that_was_not_heard_in_full_is_said_again() {
    let mut desk = at_the_second_step(policy());
    desk.press('1');
    assert_eq!(desk.cut(100), [Play(EXPLICIT)]);
    assert_eq!(desk.hear(), [], "what was pressed before is no answer to what is said now");
    assert_eq!(desk.press('1'), granted(4, 3));
    for early_press in [false, true] {
        let mut desk = at_the_second_step(Asking { repeats: 0, ..policy() });
        if early_press {
            desk.press('1');
        }
        assert_eq!(desk.cut(100), [Decided(Consent::NotGiven), Play(Prompt::NotGiven)]);
        assert!(desk.evidence.is_none());
    }
}

#[test]
fn l_11_a_single_yes_with_silence_after_it_is_not_explicit_consent() {
    let mut desk = at_the_second_step(policy());
    desk.hear();
    assert_eq!(desk.wait(3_999), []);
    assert_eq!(desk.wait(1), [Play(EXPLICIT)], "it takes the one repeat");
    desk.hear();
    assert_eq!(desk.wait(4_000), [Decided(Consent::NotGiven), Play(Prompt::NotGiven)]);
    assert_eq!(desk.hear(), [Dial, RINGS]);
    desk.tell(Input::Answered);
    assert_eq!(desk.press('1'), []);
    desk.tell(Input::HungUp(Party::Agent));
    assert_eq!(desk.finished(), words(Consent::NotGiven, Outcome::Bridged, Verdict::NotGiven));
    assert!(desk.evidence.is_none() && desk.permit.is_none());
}

#[test]
fn l_11_the_time_limit_ends_the_second_step_without_consent() {
    let mut desk = at_the_second_step(Asking { unbridged_limit: ms(14_000), ..policy() });
    desk.press('1');
    assert_eq!(desk.wait(4_750), [Decided(Consent::NotGiven), Hush, Dial, RINGS]);
    assert_eq!(desk.cut(38_000), []);
    assert!(desk.evidence.is_none());
}

#[test]
fn l_13_a_wrong_key_in_the_second_step_says_it_again() {
    for heard in [false, true] {
        let mut desk = at_the_second_step(policy());
        if heard {
            desk.hear();
        } else {
            desk.press('1');
        }
        assert_eq!(desk.press('5'), [Play(EXPLICIT)]);
        if !heard {
            desk.cut(100);
        }
        assert_eq!(desk.hear(), [], "it has to be confirmed anew");
        assert_eq!(desk.press('5'), [Decided(Consent::NotGiven), Play(Prompt::NotGiven)]);
    }
}

#[test]
fn l_13_repeats_of_the_question_are_gone_for_the_second_step() {
    let mut desk = Desk::at_question(asked(policy()));
    assert_eq!(desk.press('5'), [Play(Prompt::WrongKey)]);
    desk.cut(100);
    assert_eq!(desk.press('1'), [Play(EXPLICIT)]);
    desk.cut(100);
    desk.hear();
    assert_eq!(desk.wait(4_000), [Decided(Consent::NotGiven), Play(Prompt::NotGiven)]);
}

#[test]
fn l_13_a_refusal_in_the_second_step_refuses_at_any_time() {
    for key in ['2', '*'] {
        for (early_press, heard) in [(false, false), (true, false), (false, true)] {
            let mut desk = at_the_second_step(policy());
            if early_press {
                desk.press('1');
            }
            if heard {
                desk.hear();
            }
            assert_eq!(desk.press(key), [Decided(Consent::Refused), Play(Prompt::Refused)]);
            if !heard {
                desk.cut(100);
            }
            assert_eq!(desk.hear(), [Dial, RINGS]);
            assert!(desk.evidence.is_none());
        }
    }
}

#[test]
fn l_13_who_wants_to_know_more_in_the_second_step_takes_both_again() {
    for heard in [false, true] {
        let mut desk = at_the_second_step(policy());
        match heard {
            true => desk.hear(),
            false => desk.press('1'),
        };
        assert_eq!(desk.press('9'), [Play(Prompt::Info)]);
        if !heard {
            desk.cut(100);
        }
        assert_eq!(desk.hear(), [Play(Prompt::Question)]);
        assert_eq!(desk.press('1'), [Play(EXPLICIT)]);
        desk.cut(100);
        assert_eq!(desk.hear(), []);
        assert_eq!(desk.press('1')[..1], [Decided(Consent::Granted)]);
    }
}

#[test]
fn l_13_a_yes_in_an_explanation_is_a_first_step_only() {
    let mut desk = Desk::at_question(asked(policy()));
    desk.press('9');
    desk.cut(100);
    let left = desk.call.poll_timeout();
    desk.wait(10_000);
    assert_eq!(desk.call.poll_timeout(), left, "the explanation has its own limit");
    assert_eq!(desk.press('1'), [Play(EXPLICIT)]);
    // Of the 34.75 s the notice took 9, and the explanation none.
    assert_eq!(desk.call.poll_timeout(), Some(desk.now + ms(25_750)));
    desk.cut(100);
    assert_eq!(desk.hear(), []);
    assert_eq!(desk.press('1')[..1], [Decided(Consent::Granted)]);
}

#[test]
fn l_13_explanations_are_counted_over_both_steps() {
    let mut desk = Desk::at_question(asked(Asking { repeats: 2, ..policy() }));
    for _ in 0..2 {
        desk.press('1');
        desk.cut(100);
        assert_eq!(desk.press('9'), [Play(Prompt::Info)]);
        desk.cut(100);
        assert_eq!(desk.hear(), [Play(Prompt::Question)]);
    }
    desk.press('1');
    desk.cut(100);
    assert_eq!(desk.press('9'), [Play(EXPLICIT)], "a third time it is a wrong key");
}

#[test]
fn l_13_a_yes_in_the_notice_is_a_first_step_only() {
    let mut desk = Desk::new(asked(policy()));
    desk.tell(Input::Confirmed);
    assert_eq!((desk.press('1'), desk.press('1')), (vec![], vec![]));
    assert_eq!(desk.hear(), [Play(EXPLICIT)]);
    assert_eq!(desk.hear(), []);
    assert_eq!(desk.press('1'), granted(2, 3));
    for second in ['2', '*'] {
        let mut desk = Desk::new(asked(policy()));
        desk.tell(Input::Confirmed);
        desk.press('1');
        assert_eq!(desk.press(second)[..1], [Decided(Consent::Refused)]);
    }
}

#[test]
fn l_13_who_holds_in_the_second_step_hears_all_of_it_again() {
    let mut desk = at_the_second_step(policy());
    desk.wait(5_000);
    assert_eq!(desk.tell(Input::Held(Party::Customer, true)), [Hush]);
    assert_eq!(desk.cut(40_000), []);
    assert_eq!(desk.tell(Input::Held(Party::Customer, false)), [Play(EXPLICIT)]);
    assert_eq!(desk.press('1'), [], "it has not been heard yet");
    assert_eq!(desk.hear()[..1], [Decided(Consent::Granted)]);

    let mut desk = at_the_second_step(policy());
    desk.hear();
    assert_eq!(desk.tell(Input::Held(Party::Customer, true)), []);
    assert_eq!(desk.wait(8_000), [], "no clock runs for who cannot answer");
    assert_eq!(desk.tell(Input::Held(Party::Customer, false)), [Play(EXPLICIT)]);
    assert_eq!(desk.press('1'), [], "what was heard before the hold is said again");
    assert_eq!(desk.hear()[..1], [Decided(Consent::Granted)]);
}

#[test]
fn l_13_between_an_early_notice_and_its_question_no_yes_counts_and_every_no() {
    let rings = || {
        let mut desk = Desk::new(early(QuestionAt::AfterAnswer, policy()));
        desk.tell(Input::Progressed);
        assert_eq!(desk.hear(), [Keep(Party::Customer, Kept::All), Dial, RINGS]);
        desk
    };
    let mut desk = rings();
    assert_eq!((desk.press('1'), desk.press('1')), (vec![], vec![]));
    desk.tell(Input::Answered);
    assert_eq!(desk.tell(Input::Confirmed), [Announce(Prompt::Question)]);
    assert_eq!(desk.press('1'), [Announce(EXPLICIT)]);
    desk.cut(100);
    assert_eq!(desk.hear(), []);
    assert_eq!(
        desk.press('1'),
        [
            Decided(Consent::Granted),
            Keep(Party::Customer, Kept::Nothing),
            Announce(Prompt::Granted),
            Commit { prompts: 3, presses: 4 }
        ]
    );
    for no in ['2', '*'] {
        let kept = Keep(Party::Customer, Kept::Nothing);
        let refused = [Decided(Consent::Refused), kept, Play(Prompt::Refused)];
        assert_eq!(rings().press(no), refused);
    }
}

#[test]
fn l_13_a_yes_in_an_early_notice_is_confirmed_before_the_answer() {
    for question in [QuestionAt::AfterAnswer, QuestionAt::BeforeAnswer] {
        let mut desk = Desk::new(early(question, policy()));
        desk.tell(Input::Progressed);
        desk.press('1');
        assert_eq!(desk.hear(), [Play(EXPLICIT)]);
        desk.hear();
        assert_eq!(desk.press('1'), granted(2, 2));
        desk.commit();
        assert_eq!(desk.hear(), [Dial, RINGS]);
        desk.tell(Input::Answered);
        assert_eq!(desk.tell(Input::Confirmed), [], "nothing is asked again");
    }
}

#[test]
fn l_13_a_customer_whom_the_pbx_called_confirms_as_well() {
    let agent_asks = Outbound::AgentAsks { key: None, times: 1 };
    for outbound in [agent_asks, Outbound::Join, Outbound::HoldBack] {
        let mut desk = Desk::new(placed(Asking { outbound, ..policy() }));
        desk.tell(Input::Answered);
        desk.tell(Input::Ask);
        desk.tell(Input::Prepared(Ok(LATER)));
        desk.hear();
        let says = |prompt| match outbound {
            Outbound::HoldBack => Play(prompt),
            _ => Announce(prompt),
        };
        assert_eq!(desk.press('1'), [says(EXPLICIT)]);
        if outbound != agent_asks {
            desk.cut(100);
        }
        assert!(desk.evidence.is_none());
        assert_eq!(desk.hear(), []);
        assert_eq!(desk.press('1')[..1], [Decided(Consent::Granted)]);
        assert!(desk.evidence.is_some());
    }
    // In the agent's prompt, too, a press is no more than the first step.
    let mut desk = Desk::new(placed(Asking { outbound: agent_asks, ..policy() }));
    desk.tell(Input::Answered);
    desk.tell(Input::Ask);
    desk.tell(Input::Prepared(Ok(LATER)));
    desk.press('1');
    assert_eq!(desk.hear(), [Announce(EXPLICIT)]);
}

#[test]
fn l_08_a_yes_of_two_steps_is_withdrawn_with_one_press() {
    let mut desk = at_the_second_step(policy());
    desk.press('1');
    desk.hear();
    desk.commit();
    desk.hear();
    desk.tell(Input::Answered);
    desk.wait(2_000);
    assert_eq!(
        desk.press('*'),
        [ERASED, Decided(Consent::Withdrawn), again(), Play(Prompt::Withdrawn)]
    );
    assert!(!desk.permit.unwrap().is_live());
}
