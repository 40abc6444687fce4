//! What a call that the PBX starts asks of a relay: a question to both, keys kept back, an agent
//! who hears ringing while the customer is asked.

use call::{Connection, Cue, Input, Kept, Key, Party, Prompt};
use media::{Event, Law, PromptAudio};

use crate::stage::{Heard, Stage, ms, peak, sine};

fn pcm(heard: &[Heard]) -> Vec<i16> {
    let sound = heard.iter().filter(|packet| packet.payload.len() == 160);
    sound.flat_map(|packet| &packet.payload).map(|byte| Law::A.decode(*byte)).collect()
}

fn keys_heard(heard: &[Heard]) -> usize {
    heard.iter().filter(|packet| packet.payload.len() == 4).count()
}

/// A bridged call: the customer sounds 700 Hz, the agent 500 Hz.
fn talking() -> Stage {
    let mut stage = Stage::bare();
    stage.connect(Connection::Bridged);
    let speech = |hertz| -> Vec<u8> {
        let samples = sine(hertz, 16_000.0, 800);
        samples.iter().map(|sample| Law::A.encode(*sample)).collect()
    };
    stage.customer.speak(stage.now, speech(700.0));
    stage.agent.speak(stage.now, speech(500.0));
    stage.run(ms(207));
    stage.customer.heard.clear();
    stage.agent.heard.clear();
    stage
}

fn question() -> PromptAudio {
    PromptAudio::from_pcm(&sine(1_000.0, 8_000.0, 4_000))
}

#[test]
fn an_announcement_lies_over_each_party_for_the_other_and_is_reported_once() {
    let mut stage = talking();
    stage.relay.announce(stage.now, Prompt::AgentAsk, question());
    stage.run(ms(700));
    for (listener, other) in [(&stage.customer, 500.0), (&stage.agent, 700.0)] {
        assert_eq!(listener.heard.len(), 35, "no packet more than the other party sent");
        let (during, after) = (pcm(&listener.heard[..25]), pcm(&listener.heard[25..]));
        assert!(peak(&during, 1_000.0) > 7_500.0, "the question is heard");
        assert!((3_500.0..4_500.0).contains(&peak(&during, other)), "the other is 12 dB lower");
        assert!(peak(&after, other) > 15_000.0 && peak(&after, 1_000.0) < 100.0);
    }
    let Event::PromptEnded(end) = stage.events[0] else { panic!("{:?}", stage.events) };
    assert_eq!((end.prompt, end.samples, end.whole), (Prompt::AgentAsk, 4_000, true));
    assert_eq!(stage.events.len(), 1, "what the agent heard is no evidence");
}

#[test]
fn what_an_agent_did_not_hear_of_an_announcement_says_nothing_about_the_customer() {
    let mut stage = talking();
    // The customer is silent, so that nothing drives the prompt on the agent's leg but its clock.
    stage.customer.hush();
    stage.relay.announce(stage.now, Prompt::AgentAsk, question());
    stage.run(ms(100));
    stage.relay.hush(stage.now);
    stage.run(ms(20));
    let Event::PromptEnded(end) = stage.events[0] else { panic!("{:?}", stage.events) };
    assert!(!end.whole && end.samples <= 960, "{end:?}");
    assert_eq!(stage.events.len(), 1);
    stage.agent.heard.clear();
    stage.run(ms(400));
    assert!(peak(&pcm(&stage.agent.heard), 1_000.0) < 100.0, "the hush ends it on both legs");
}

#[test]
fn a_prompt_for_the_customer_alone_ends_what_was_announced_to_the_agent() {
    let mut stage = talking();
    stage.relay.announce(stage.now, Prompt::AgentAsk, question());
    stage.run(ms(100));
    stage.relay.play(stage.now, Prompt::Granted, question());
    stage.agent.heard.clear();
    stage.run(ms(300));
    assert!(peak(&pcm(&stage.agent.heard), 1_000.0) < 100.0);
    assert!(peak(&pcm(&stage.agent.heard), 700.0) > 15_000.0, "the customer in full again");
}

#[test]
fn d_20_kept_keys_are_told_and_never_relayed() {
    let mut stage = talking();
    stage.customer.hush();
    stage.agent.hush();
    let (star, hash) = (Key::new('*').unwrap(), Key::new('#').unwrap());
    for (kept, told, relayed) in [
        (Kept::Nothing, "1*#", true),
        (Kept::One(star), "1*#", true),
        (Kept::One(hash), "1*#", true),
        (Kept::All, "1*#", false),
    ] {
        stage.relay.keep(Party::Agent, kept);
        stage.events.clear();
        stage.customer.heard.clear();
        for event in [1, 10, 11] {
            stage.press(Party::Agent, event);
            stage.run(ms(100));
        }
        assert_eq!(stage.keys(), told, "{kept:?}");
        let heard: std::collections::BTreeSet<u8> = stage
            .customer
            .heard
            .iter()
            .filter(|packet| packet.payload.len() == 4)
            .map(|packet| packet.payload[0])
            .collect();
        let expected = [(1, '1'), (10, '*'), (11, '#')]
            .into_iter()
            .filter(|(_, character)| relayed && !kept.holds(Key::new(*character).unwrap()));
        assert_eq!(heard, expected.map(|(event, _)| event).collect(), "{kept:?}");
    }
    // The other party's keys are another matter.
    stage.agent.heard.clear();
    stage.press(Party::Customer, 1);
    assert!(keys_heard(&stage.agent.heard) > 0);
}

#[test]
fn d_20_the_tail_of_a_kept_key_stays_back_when_keys_are_free_again() {
    let mut stage = talking();
    stage.customer.hush();
    stage.relay.keep(Party::Customer, Kept::All);
    let start = stage.customer.timestamp;
    stage.event(Party::Customer, start, 1, true, false, 160);
    stage.relay.keep(Party::Customer, Kept::Nothing);
    for _ in 0..3 {
        stage.run(ms(20));
        stage.event(Party::Customer, start, 1, false, true, 320);
    }
    assert_eq!(keys_heard(&stage.agent.heard), 0);
    assert_eq!(stage.keys(), "1");
}

#[test]
fn an_agent_who_is_held_back_hears_ringing_and_neither_hears_the_other() {
    let mut stage = talking();
    stage.connect(Connection::Early);
    stage.run(ms(40));
    stage.connect(Connection::Apart);
    stage.relay.ring_back(stage.now, Party::Agent);
    stage.relay.play(stage.now, Prompt::Notice, question());
    stage.customer.heard.clear();
    stage.agent.heard.clear();
    stage.run(ms(1_300));
    let (customer, agent) = (pcm(&stage.customer.heard), pcm(&stage.agent.heard));
    assert!(peak(&customer[..3_200], 1_000.0) > 7_000.0, "the notice alone");
    assert!(peak(&customer, 500.0) < 100.0 && peak(&agent, 700.0) < 100.0, "a voice crosses");
    assert!(peak(&agent[agent.len() - 6_400..], 425.0) > 1_000.0, "the Dutch ring-back, 425 Hz");
    stage.connect(Connection::Bridged);
    stage.agent.heard.clear();
    stage.run(ms(200));
    let after = pcm(&stage.agent.heard);
    assert!(peak(&after, 700.0) > 15_000.0 && peak(&after, 425.0) < 500.0, "the bridge ends it");
}

fn beeps() -> PromptAudio {
    media::cue(Cue::Begins, PromptAudio::from_pcm)
}

/// The frames of 20 ms in which a tone of 1,400 Hz is heard.
fn beeping(heard: &[Heard]) -> Vec<bool> {
    pcm(heard).chunks(160).map(|frame| peak(frame, 1_400.0) > 3_000.0).collect()
}

#[test]
fn a_cue_is_two_beeps_over_the_customer_for_the_agent_alone() {
    let mut stage = talking();
    stage.relay.cue(stage.now, beeps());
    stage.run(ms(700));
    let expected = [vec![true; 6], vec![false; 4], vec![true; 6], vec![false; 19]].concat();
    assert_eq!(beeping(&stage.agent.heard), expected);
    let during = pcm(&stage.agent.heard[..6]);
    assert!((3_500.0..4_500.0).contains(&peak(&during, 700.0)), "the customer is 12 dB lower");
    assert!(!beeping(&stage.customer.heard).contains(&true));
    assert_eq!((stage.agent.heard.len(), stage.customer.heard.len()), (35, 35));
    assert_eq!(stage.events, [], "a cue is no prompt");
}

#[test]
fn a_cue_sounds_in_the_customers_silence_too() {
    let mut stage = talking();
    stage.customer.hush();
    stage.run(ms(200));
    stage.agent.heard.clear();
    stage.relay.cue(stage.now, beeps());
    stage.run(ms(400));
    assert_eq!(beeping(&stage.agent.heard).iter().filter(|beeps| **beeps).count(), 12);
}

#[test]
fn a_cue_waits_for_the_end_of_what_both_hear_and_the_newest_counts() {
    let mut stage = talking();
    stage.relay.announce(stage.now, Prompt::Withdrawn, question());
    stage.relay.cue(stage.now, beeps());
    let ends = media::cue(Cue::Ends, PromptAudio::from_pcm);
    stage.relay.cue(stage.now, ends);
    stage.run(ms(1_200));
    let expected = [vec![false; 25], vec![true; 30], vec![false; 5]].concat();
    assert_eq!(beeping(&stage.agent.heard), expected);
    assert_eq!(stage.events.len(), 1);
}

#[test]
fn a_prompt_for_the_customer_alone_leaves_the_agents_cue_and_ends_what_it_waited_for() {
    let mut stage = talking();
    stage.relay.cue(stage.now, beeps());
    stage.relay.play(stage.now, Prompt::Granted, question());
    stage.run(ms(400));
    assert_eq!(beeping(&stage.agent.heard).iter().filter(|beeps| **beeps).count(), 12);
    stage.relay.announce(stage.now, Prompt::Withdrawn, question());
    stage.relay.cue(stage.now, beeps());
    stage.run(ms(100));
    stage.agent.heard.clear();
    stage.relay.hush(stage.now);
    stage.run(ms(400));
    let heard = beeping(&stage.agent.heard);
    assert_eq!(heard.iter().filter(|beeps| **beeps).count(), 12, "{heard:?}");
}

#[test]
fn c_20_both_hear_a_beep_every_so_often_while_the_tap_listens_and_at_no_other_time() {
    let mut stage = Stage::granted();
    stage.customer.say(stage.now, Law::A.encode(0));
    stage.agent.say(stage.now, Law::A.encode(0));
    stage.relay.beep(stage.now, ms(5_000), media::beep(PromptAudio::from_pcm));
    // When each beep of a listener begins, in frames of 20 ms.
    let begins = |stage: &mut Stage, wait: u64| {
        stage.customer.heard.clear();
        stage.agent.heard.clear();
        stage.run(ms(wait));
        let [customer, agent] = [&stage.customer.heard, &stage.agent.heard].map(|heard| {
            let beeps = beeping(heard);
            let first = |place: &usize| beeps[*place] && (*place == 0 || !beeps[*place - 1]);
            let lasts = beeps.iter().filter(|beeps| **beeps).count();
            ((0..beeps.len()).filter(first).collect::<Vec<_>>(), lasts)
        });
        assert_eq!(customer, agent, "both hear the same");
        customer
    };
    let (places, lasts) = begins(&mut stage, 16_000);
    assert!(places.windows(2).all(|pair| pair[1] - pair[0] == 250), "{places:?}");
    assert_eq!((places.len(), lasts), (3, 30));
    stage.tell(Input::Pause);
    assert_eq!(begins(&mut stage, 12_000).1, 0, "nothing is recorded in a pause");
    stage.tell(Input::Resume);
    assert!(begins(&mut stage, 6_000).1 >= 10, "it goes on");
    stage.relay.remove_tap(stage.now);
    assert_eq!(begins(&mut stage, 12_000).1, 0, "nothing is recorded any more");
}
