//! Calls that the PBX starts (flow F3): who asks, who hears what, and whose key counts.

use call::*;

use crate::{
    NORMAL, again, closed, ended, keys_of,
    support::{Seen::*, *},
};

const HASH_KEY: char = '#';

fn of(outbound: Outbound) -> CallOffer {
    placed(Asking { outbound, ..asking() })
}

fn agent_asks(times: u8) -> CallOffer {
    of(Outbound::AgentAsks { key: Some(key(HASH_KEY)), times })
}

fn agent_presses(desk: &mut Desk, character: char) -> Vec<Seen> {
    desk.tell(Input::Digit(Party::Agent, press(character, desk.now)))
}

fn ready(desk: &mut Desk) -> Vec<Seen> {
    desk.tell(Input::Prepared(Ok(LATER)))
}

/// A customer who has answered and talks to the agent, unrecorded.
fn talking(offer: CallOffer) -> Desk {
    let mut desk = Desk::new(offer);
    desk.tell(Input::Answered);
    desk.wait(5_000);
    desk.since();
    desk
}

/// The same, in the middle of the question.
fn asked_by_agent(times: u8) -> Desk {
    let mut desk = talking(agent_asks(times));
    agent_presses(&mut desk, HASH_KEY);
    ready(&mut desk);
    desk
}

#[test]
fn f_3_the_agent_asks_and_the_customers_yes_records_from_there_on() {
    let mut desk = Desk::new(agent_asks(1));
    assert_eq!(desk.since(), [Opened, Dial]);
    assert_eq!(desk.tell(Input::Ringing { early_media: false }), [Ring(false)]);
    assert_eq!(
        desk.tell(Input::Answered),
        [Answer, Connect(Connection::Bridged), Keep(Party::Agent, Kept::One(key(HASH_KEY)))]
    );
    assert_eq!(desk.tell(Input::Confirmed), []);
    assert_eq!(desk.call.poll_timeout(), None, "they talk, and no clock runs");
    desk.wait(60_000);
    assert_eq!(agent_presses(&mut desk, HASH_KEY), [Prepare]);
    assert_eq!(agent_presses(&mut desk, HASH_KEY), [], "once is enough");
    assert_eq!(ready(&mut desk), [Keep(Party::Customer, Kept::All), Announce(Prompt::AgentAsk)]);
    assert_eq!(desk.hear(), []);
    assert_eq!(
        desk.press('1'),
        [
            Decided(Consent::Granted),
            Keep(Party::Customer, Kept::Nothing),
            Keep(Party::Agent, Kept::Nothing),
            Announce(Prompt::Granted),
            Commit { prompts: 1, presses: 1 }
        ]
    );
    assert_eq!(desk.commit(), [Record, Arm(key('*'))]);
    assert_eq!(desk.hear(), []);
    assert_eq!(agent_presses(&mut desk, HASH_KEY), [], "a yes is not asked for again");
    desk.wait(30_000);
    assert_eq!(
        desk.tell(Input::HungUp(Party::Customer)),
        [HangUp(Party::Agent, NORMAL), End(Fate::Keep)]
    );
    let told = desk.tell(closed(true, 30_000));
    assert_eq!(told, ended(Consent::Granted, Outcome::Bridged, Verdict::Recorded));
    let evidence = desk.evidence.unwrap();
    let heard: Vec<_> = evidence.prompts.iter().map(|heard| (heard.prompt, heard.whole)).collect();
    assert_eq!((heard, keys_of(&evidence).as_str()), (vec![(Prompt::AgentAsk, true)], "1"));
}

#[test]
fn c_14_no_key_of_the_agent_is_ever_an_answer() {
    let mut desk = asked_by_agent(1);
    desk.hear();
    for key in ['1', '2', '*', '9', '5', HASH_KEY] {
        assert_eq!(agent_presses(&mut desk, key), [], "{key}");
    }
    let (_, repeat) = desk.wait_for_deadline();
    assert_eq!(repeat, [Announce(Prompt::Reask)], "the customer has said nothing");
    assert_eq!(agent_presses(&mut desk, '1'), []);
    desk.hear();
    let (_, over) = desk.wait_for_deadline();
    assert!(over.contains(&Decided(Consent::NotGiven)), "{over:?}");
    desk.tell(Input::HungUp(Party::Agent));
    let words = words(Consent::NotGiven, Outcome::Bridged, Verdict::NotGiven);
    assert_eq!(desk.finished(), words);
    assert!(desk.evidence.is_none() && desk.permit.is_none());
}

#[test]
fn f_3_an_agent_who_asks_nothing_leaves_a_call_that_nobody_recorded() {
    let mut desk = talking(agent_asks(1));
    for key in ['1', '2', '*', '9'] {
        assert_eq!(desk.press(key), [], "a key of the customer means nothing unasked");
    }
    assert_eq!(desk.tell(Input::HungUp(Party::Agent))[..1], [HangUp(Party::Customer, NORMAL)]);
    assert_eq!(desk.finished(), words(Consent::NotAsked, Outcome::Bridged, Verdict::PolicyOff));
}

#[test]
fn f_3_a_voicemail_hears_nothing_unless_the_agent_asks_it() {
    let mut desk = talking(agent_asks(1));
    assert_eq!(desk.wait(600_000), [], "ten minutes of announcement and beep");
    // Asked by mistake, it says nothing, and nothing is kept.
    agent_presses(&mut desk, HASH_KEY);
    ready(&mut desk);
    desk.hear();
    desk.wait(4_000);
    desk.hear();
    assert!(desk.wait(4_000).contains(&Decided(Consent::NotGiven)));
    assert!(desk.evidence.is_none());
}

#[test]
fn f_3_the_operator_asks_like_the_agent() {
    let mut desk = talking(of(Outbound::AgentAsks { key: None, times: 1 }));
    assert_eq!(agent_presses(&mut desk, HASH_KEY), [], "no key begins it here");
    assert!(desk.call.may_be_asked());
    assert_eq!(desk.tell(Input::Ask), [Prepare]);
    assert_eq!(ready(&mut desk).last(), Some(&Announce(Prompt::AgentAsk)));
    assert!(!desk.call.may_be_asked());
    assert_eq!(desk.tell(Input::Ask), []);
    assert_eq!(ready(&mut desk), [], "nothing was asked for");
}

#[test]
fn c_17_an_agent_who_asks_while_nothing_could_be_kept_asks_nobody() {
    let mut desk = talking(agent_asks(1));
    agent_presses(&mut desk, HASH_KEY);
    assert_eq!(desk.tell(Input::Prepared(Err(NotReady::Recorder))), []);
    assert!(desk.call.may_be_asked(), "the question was not begun, so it is still free");
    desk.tell(Input::HungUp(Party::Agent));
    assert_eq!(desk.finished(), words(Consent::NotAsked, Outcome::Bridged, Verdict::Blocked));
}

#[test]
fn c_13_the_house_never_asks_again_after_a_refusal_and_the_call_goes_on() {
    let mut desk = asked_by_agent(3);
    assert_eq!(
        desk.press('2'),
        [
            Decided(Consent::Refused),
            Keep(Party::Customer, Kept::One(key('*'))),
            Keep(Party::Agent, Kept::Nothing),
            Announce(Prompt::Refused)
        ]
    );
    desk.cut(100);
    desk.hear();
    assert_eq!(agent_presses(&mut desk, HASH_KEY), [], "a no is not asked again");
    assert_eq!(desk.tell(Input::Ask), []);
    desk.tell(Input::HungUp(Party::Customer));
    assert_eq!(desk.finished(), words(Consent::Refused, Outcome::Bridged, Verdict::Refused));
}

#[test]
fn silence_may_be_asked_again_as_often_as_policy_allows() {
    let mut desk = asked_by_agent(2);
    desk.hear();
    desk.wait(4_000);
    desk.hear();
    let over = desk.wait(4_000);
    assert!(over.contains(&Announce(Prompt::Refused)), "nothing is recorded, they hear: {over:?}");
    assert!(!over.contains(&Keep(Party::Agent, Kept::Nothing)), "the key still begins something");
    desk.hear();
    assert_eq!(agent_presses(&mut desk, HASH_KEY), [Prepare]);
    ready(&mut desk);
    // A yes in the notice counts when it has been heard in full.
    assert_eq!(desk.press('1'), []);
    assert_eq!(desk.hear()[0], Decided(Consent::Granted));
    assert_eq!(desk.commit()[0], Record);
}

#[test]
fn l_01_a_confirmation_that_ends_in_a_hold_is_not_taken_for_the_question_that_waits() {
    let mut desk = asked_by_agent(2);
    desk.hear();
    desk.wait(4_000);
    desk.hear();
    assert!(desk.wait(4_000).contains(&Announce(Prompt::Refused)));
    desk.tell(Input::Held(Party::Customer, true));
    agent_presses(&mut desk, HASH_KEY);
    assert_eq!(ready(&mut desk), [Keep(Party::Customer, Kept::All), Hush]);
    assert_eq!(desk.cut(8_000), [], "it is written down, and nothing follows from it");
    assert_eq!(desk.tell(Input::Held(Party::Customer, false)), [Announce(Prompt::AgentAsk)]);
    assert_eq!(desk.press('1'), [], "a yes counts when the notice has been heard in full");
    assert_eq!(desk.hear()[0], Decided(Consent::Granted));
}

#[test]
fn a_customer_who_hangs_up_in_the_question_has_abandoned_it_and_an_agent_has_not() {
    for (party, consent, verdict) in [
        (Party::Customer, Consent::Abandoned, Verdict::Abandoned),
        (Party::Agent, Consent::NotGiven, Verdict::NotGiven),
    ] {
        let mut desk = asked_by_agent(1);
        desk.tell(Input::HungUp(party));
        assert_eq!(desk.finished(), words(consent, Outcome::Bridged, verdict));
    }
}

#[test]
fn l_08_the_customer_withdraws_with_one_key_and_the_agent_cannot() {
    let mut desk = asked_by_agent(1);
    desk.hear();
    desk.press('1');
    desk.commit();
    desk.wait(10_000);
    let permit = desk.permit.take().unwrap();
    assert_eq!(agent_presses(&mut desk, '*'), []);
    assert!(permit.is_live());
    assert_eq!(
        desk.press('*'),
        [
            End(Fate::Erase(Reason::Withdrawal)),
            Decided(Consent::Withdrawn),
            again(),
            Announce(Prompt::Withdrawn)
        ]
    );
    assert!(!permit.is_live());
    assert_eq!(agent_presses(&mut desk, HASH_KEY), [], "a withdrawal is final");
}

#[test]
fn the_question_in_the_call_ends_in_time_whatever_happens() {
    let mut desk = asked_by_agent(1);
    // The prompt is never reported: the customer is told nothing more and talks on.
    let told = desk.wait(35_000);
    assert_eq!(
        told,
        [
            Decided(Consent::NotGiven),
            Keep(Party::Customer, Kept::One(key('*'))),
            Keep(Party::Agent, Kept::Nothing),
            Hush
        ]
    );
    assert_eq!(desk.call.poll_timeout(), None);
}

#[test]
fn f_3_joined_both_hear_the_question_and_recording_starts_after_it() {
    let mut desk = Desk::new(of(Outbound::Join));
    desk.since();
    assert_eq!(
        desk.tell(Input::Answered),
        [
            Answer,
            Connect(Connection::Bridged),
            Keep(Party::Customer, Kept::All),
            Announce(Prompt::Notice)
        ]
    );
    assert_eq!(agent_presses(&mut desk, '1'), [], "c_14");
    assert_eq!(desk.hear(), [Announce(Prompt::Question)]);
    let granted = desk.press('1');
    assert_eq!(granted[..2], [Decided(Consent::Granted), Keep(Party::Customer, Kept::Nothing)]);
    desk.cut(800);
    assert_eq!(desk.commit()[0], Record);
    desk.wait(2_000);
    desk.tell(Input::HungUp(Party::Agent));
    // The 13 s before the yes were never to be recorded, so nothing is missing.
    let told = desk.tell(closed(true, 2_000));
    assert_eq!(told, ended(Consent::Granted, Outcome::Bridged, Verdict::Recorded));
}

#[test]
fn f_3_held_back_the_agent_hears_ringing_until_the_customer_has_decided() {
    for (early_media, rings) in
        [(true, vec![Connect(Connection::Apart), RingBack(Party::Agent)]), (false, vec![])]
    {
        let mut desk = Desk::new(of(Outbound::HoldBack));
        desk.tell(Input::Ringing { early_media });
        let mut expected = rings;
        expected.push(Play(Prompt::Notice));
        assert_eq!(desk.tell(Input::Answered), expected);
        desk.hear();
        assert_eq!(desk.press('1'), [Decided(Consent::Granted), Play(Prompt::Granted)]);
        desk.cut(800);
        assert_eq!(
            desk.commit()[0],
            Record,
            "the INVITE's 200 waits for no disk, and no tap hears"
        );
        assert_eq!(desk.hear(), [Answer, Connect(Connection::Bridged)]);
        assert_eq!(desk.call.poll_timeout(), None);
    }
}

#[test]
fn an_agent_whose_customer_never_rang_hears_ringing_while_they_are_asked() {
    let mut desk = Desk::new(of(Outbound::HoldBack));
    desk.since();
    assert_eq!(desk.tell(Input::Answered), [Ring(false), Play(Prompt::Notice)]);
}

#[test]
fn a_customer_who_leaves_before_the_agent_is_connected_was_not_reached() {
    let mut desk = Desk::new(of(Outbound::HoldBack));
    desk.tell(Input::Answered);
    desk.since();
    assert_eq!(
        desk.tell(Input::HungUp(Party::Customer)),
        [
            vec![Reject(Failure::NoAnswer), Decided(Consent::Abandoned)],
            ended(Consent::Abandoned, Outcome::NoAnswer, Verdict::Abandoned)
        ]
        .concat()
    );
}

#[test]
fn an_agent_who_gives_up_while_the_customer_is_asked_frees_the_customer() {
    let mut desk = Desk::new(of(Outbound::HoldBack));
    desk.tell(Input::Answered);
    desk.since();
    let told = desk.tell(Input::HungUp(Party::Agent));
    assert_eq!(told[..2], [HangUp(Party::Customer, NORMAL), Decided(Consent::NotGiven)]);
    let words = words(Consent::NotGiven, Outcome::CallerGone, Verdict::NotGiven);
    assert_eq!(desk.finished(), words);
}

#[test]
fn a_held_back_voicemail_is_asked_in_vain_and_then_heard_by_the_agent() {
    let mut desk = Desk::new(of(Outbound::HoldBack));
    desk.tell(Input::Answered);
    desk.hear();
    desk.hear();
    desk.wait(4_000);
    desk.hear();
    assert!(desk.wait(4_000).contains(&Decided(Consent::NotGiven)));
    let listened_for = Keep(Party::Customer, Kept::One(key('*')));
    assert_eq!(desk.hear(), [Answer, Connect(Connection::Bridged), listened_for]);
}

#[test]
fn b_18_a_customer_who_is_busy_is_what_the_pbx_is_told() {
    for outbound in [Outbound::Join, Outbound::HoldBack] {
        let mut desk = Desk::new(of(outbound));
        desk.since();
        let told = desk.tell(Input::Failed(Failure::Busy));
        assert_eq!(told[0], Reject(Failure::Busy));
        let words = words(Consent::NotAsked, Outcome::Busy, Verdict::Unconnected);
        assert_eq!(desk.finished(), words);
    }
}

#[test]
fn a_customer_may_ring_for_as_long_as_the_pbx_waits() {
    let mut desk = Desk::new(agent_asks(1));
    desk.tell(Input::Ringing { early_media: false });
    desk.since();
    assert_eq!(desk.wait(179_000), [], "the policy's 30 s are for the PBX");
    assert_eq!(desk.wait(2_000), [CancelDial, Reject(Failure::NoAnswer)]);
}

#[test]
fn e_01_an_outbound_emergency_call_is_never_asked() {
    for outbound in [Outbound::Join, Outbound::HoldBack] {
        let mut desk = Desk::new(CallOffer { emergency: true, ..of(outbound) });
        assert_eq!(desk.since(), [Opened, Dial]);
        assert_eq!(desk.tell(Input::Answered), [Answer, Connect(Connection::Bridged)]);
        assert_eq!(desk.tell(Input::Ask), []);
        desk.tell(Input::HungUp(Party::Customer));
        assert_eq!(desk.finished(), words(Consent::NotAsked, Outcome::Bridged, Verdict::Emergency));
    }
}

#[test]
fn a_policy_that_never_asks_outbound_is_transparent_there_and_asks_inbound() {
    let never = Asking { outbound: Outbound::Never, ..asking() };
    let mut desk = talking(placed(never.clone()));
    assert_eq!(desk.tell(Input::Ask), []);
    desk.tell(Input::HungUp(Party::Customer));
    assert_eq!(desk.finished(), words(Consent::NotAsked, Outcome::Bridged, Verdict::PolicyOff));
    assert_eq!(Desk::new(asked(never)).since(), [Opened, Answer]);
}

#[test]
fn c_17_an_outbound_call_needs_the_prompt_that_begins_its_question() {
    for (outbound, missing) in [
        (Outbound::AgentAsks { key: None, times: 1 }, Prompt::AgentAsk),
        (Outbound::Join, Prompt::Notice),
    ] {
        let mut policy = Asking { outbound, ..asking() };
        policy.prompts.retain(|(prompt, _)| *prompt != missing);
        let mut desk = talking(placed(policy));
        assert!(!desk.call.may_be_asked());
        desk.tell(Input::HungUp(Party::Agent));
        assert_eq!(desk.finished().verdict, Verdict::Blocked);
    }
}

#[test]
fn a_yes_at_the_very_end_leaves_an_empty_recording_and_no_failure() {
    let mut desk = asked_by_agent(1);
    desk.hear();
    desk.press('1');
    desk.commit();
    desk.wait(200);
    desk.tell(Input::HungUp(Party::Customer));
    desk.tell(closed(true, 0));
    desk.tell(closed(true, 0));
    let words = words(Consent::Granted, Outcome::Bridged, Verdict::Unconnected);
    assert_eq!(desk.finished(), words);
}
