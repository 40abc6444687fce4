//! What the evidence of a decision holds.

use call::*;

use crate::{
    support::{Seen::*, *},
    *,
};

#[test]
fn a_report_that_never_comes_does_not_hold_the_commit_back() {
    let mut desk = Desk::at_question(asked(asking()));
    desk.wait(1_000);
    let asked_at = desk.now - ms(1_000);
    desk.press('1');
    assert_eq!(desk.wait_for_deadline(), (ms(500), vec![Commit { prompts: 2, presses: 1 }]));
    let question = desk.evidence.as_ref().unwrap().prompts[1];
    assert_eq!(
        (question.prompt, question.from, question.until),
        (Prompt::Question, asked_at, asked_at)
    );
    assert_eq!((question.samples, question.whole), (0, false));
    assert_eq!(desk.cut(1), [], "a late report commits nothing again");
}

#[test]
fn a_report_of_a_prompt_that_was_never_played_is_ignored() {
    let mut desk = Desk::new(asked(asking()));
    desk.since();
    let ended = Input::PromptEnded { prompt: Prompt::Notice, samples: 72_000, whole: true };
    assert_eq!(desk.tell(ended), []);
    desk.tell(Input::Confirmed);
    let other = Input::PromptEnded { prompt: Prompt::Granted, samples: 9, whole: true };
    assert_eq!(desk.tell(other), []);
    assert_eq!(desk.tell(ended), [Play(Prompt::Question)]);
}

#[test]
fn a_later_report_says_that_an_earlier_one_was_lost() {
    let mut desk = Desk::at_question(asked(asking()));
    desk.press('5');
    let wrong = Input::PromptEnded { prompt: Prompt::WrongKey, samples: 7, whole: true };
    desk.tell(wrong);
    assert_eq!(
        desk.press('1'),
        [Decided(Consent::Granted), Play(Prompt::Granted), Commit { prompts: 3, presses: 2 }]
    );
    let evidence = desk.evidence.unwrap();
    let heard: Vec<_> =
        evidence.prompts.iter().map(|heard| (heard.prompt, heard.samples, heard.whole)).collect();
    assert_eq!(
        heard,
        [(Prompt::Notice, 72_000, true), (Prompt::Question, 0, false), (Prompt::WrongKey, 7, true)]
    );
}

#[test]
fn the_same_prompt_twice_is_told_apart_by_order() {
    let mut desk = Desk::at_question(asked(Asking { repeats: 2, ..asking() }));
    desk.press('5');
    desk.press('5');
    assert_eq!(desk.cut(1), [], "the question");
    assert_eq!(desk.cut(1), [], "the first time the wrong key was named");
    assert_eq!(desk.call.poll_timeout(), Some(START + ms(34_750)), "the second still sounds");
    desk.hear();
    assert_eq!(desk.call.poll_timeout(), Some(desk.now + ms(4_000)));
}

#[test]
fn the_deciding_press_is_in_the_evidence_however_many_there_were() {
    let mut desk = Desk::new(asked(asking()));
    desk.tell(Input::Confirmed);
    for _ in 0..200 {
        desk.press('5');
    }
    desk.press('1');
    desk.hear();
    let evidence = desk.evidence.unwrap();
    assert_eq!(evidence.presses.len(), 128);
    assert!(keys_of(&evidence).ends_with("51"));
}

#[test]
fn the_evidence_names_everything_the_permit_rests_on() {
    let desk = Desk::recorded(asking());
    let evidence = desk.evidence.unwrap();
    assert_eq!((evidence.call, evidence.recording), (CALL, RECORDING));
    assert_eq!(evidence.tenant.as_str(), "acme");
    assert_eq!(evidence.line.as_str(), "sales");
    assert_eq!((evidence.policy.as_str(), evidence.policy_version), ("ask", 7));
    assert_eq!(evidence.policy_hash, Digest::from_bytes([0x9a; 32]));
    assert_eq!((evidence.ground, evidence.purposes), (Ground::Consent, asking().purposes));
    assert_eq!(evidence.language.to_string(), "nl");
    let notice = evidence.prompts[0];
    assert_eq!((notice.from, notice.until), (START, START + ms(9_000)));
    assert_eq!(notice.id.sha256, Digest::from_bytes([1; 32]));
}
