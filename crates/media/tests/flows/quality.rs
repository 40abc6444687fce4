//! How the legs of a call are: what is lost and told, who is not heard, which keys nobody takes.

use std::time::Duration;

use call::{Connection, Party, Unheard};
use media::{Event, Remote};

use crate::{
    stage::{AGENT, CUSTOMER, Stage, address, ms, remote},
    ways::sound,
};

/// Both talk; a second and a half of it is lost by the network of the customer, in two stretches.
fn talk(stage: &mut Stage) {
    stage.connect(Connection::Bridged);
    let now = stage.now;
    stage.customer.say(now, 1);
    stage.agent.say(now, 2);
    stage.run(ms(10_000));
    for lost in [25, 50] {
        stage.customer.hush();
        stage.run(ms(u64::from(lost) * 20));
        stage.customer.sequence = stage.customer.sequence.wrapping_add(lost);
        stage.customer.timestamp = stage.customer.timestamp.wrapping_add(u32::from(lost) * 160);
        let now = stage.now;
        stage.customer.say(now, 1);
        stage.run(ms(10_000));
    }
}

/// The customer's report about our stream: so many lost of those up to this number.
fn about_us(lost: u8, highest: u16, jitter: u8) -> Vec<u8> {
    let mut report = vec![0x81, 201, 0, 7, 0, 0, 0, 9, 0xF0, 0xF0, 0xF0, 0xF0, 0, 0, 0, lost];
    report.extend([0, 0]);
    report.extend(highest.to_be_bytes());
    report.extend([0, 0, 0, jitter]);
    report.resize(32, 0);
    report
}

#[test]
fn what_came_of_a_leg_and_what_its_peer_tells_of_ours_make_two_scores() {
    let mut stage = Stage::bare();
    talk(&mut stage);
    let last = stage.customer.heard.last().unwrap().header.sequence;
    let rtcp = remote(Party::Customer, CUSTOMER).rtcp;
    assert_eq!(stage.relay.stats().customer.told, None, "nobody has told");
    // Of the 1,575 that were sent the last ten were still on their way.
    stage.report(rtcp, &about_us(157, last.wrapping_sub(10), 80));
    let stats = stage.relay.stats();
    let heard = stats.customer.heard.unwrap();
    // 75 of 1,575 packets, all in two stretches.
    assert_eq!((heard.lost_of_10000, heard.jitter_us), (476, 0));
    let told = stats.customer.told.unwrap();
    assert_eq!((told.lost_of_10000, told.jitter_us), (1_003, 10_000));
    assert!(told.mos_hundredths < heard.mos_hundredths, "{told:?} {heard:?}");
    let agent = stats.agent.heard.unwrap();
    assert_eq!((agent.lost_of_10000, agent.mos_hundredths), (0, 437));
    assert_eq!(stats.agent.told, None);
    // Another peer on the leg counts from where it came.
    let moved =
        Remote { rtp: "192.0.2.77:4000".parse().unwrap(), ..remote(Party::Customer, CUSTOMER) };
    stage.relay.set_remote(stage.now, Party::Customer, moved);
    assert_eq!(stage.relay.stats().customer.told, None);
}

#[test]
fn a_party_that_is_not_heard_while_the_other_speaks_is_told_with_what_came_instead() {
    let mut stage = Stage::bare();
    stage.relay.watch(Some(Duration::from_secs(10)));
    talk(&mut stage);
    assert_eq!(stage.events, []);
    // The customer's sound comes from somewhere else.
    stage.customer.from.set_port(9_999);
    stage.run(ms(9_900));
    assert_eq!(stage.events, []);
    stage.run(ms(200));
    let [Event::Unheard { party: Party::Customer, cause: Unheard::Elsewhere, missing }] =
        stage.events[..]
    else {
        panic!("{:?}", stage.events)
    };
    assert!((10_000..10_025).contains(&missing.as_millis()), "{missing:?}");
    stage.run(ms(20_000));
    assert_eq!(stage.events.len(), 1, "once");
    stage.customer.from = address(Party::Customer);
    stage.run(ms(1_000));
    let [_, Event::HeardAgain { party: Party::Customer, after }] = stage.events[..] else {
        panic!("{:?}", stage.events)
    };
    assert_eq!(after.as_secs(), 30);
    assert_eq!(stage.relay.stats().customer.unheard, Some((Unheard::Elsewhere, after)));
}

#[test]
fn who_is_held_or_holds_or_may_not_send_is_not_missed() {
    for party in [Party::Customer, Party::Agent] {
        for (hears, sends) in [(false, true), (true, false), (false, false)] {
            let mut stage = Stage::bare();
            stage.relay.watch(Some(Duration::from_secs(10)));
            talk(&mut stage);
            let format = if party == Party::Customer { CUSTOMER } else { AGENT };
            let held = Remote { hears, sends, ..remote(party, format) };
            stage.relay.set_remote(stage.now, party, held);
            stage.agent.hush();
            stage.run(ms(60_000));
            assert!(!stage.events.iter().any(|event| matches!(event, Event::Unheard { .. })));
            let back = Remote { hears: true, sends: true, ..held };
            stage.relay.set_remote(stage.now, party, back);
            stage.run(ms(10_100));
            let missed = |event: &Event| {
                matches!(event, Event::Unheard { party: Party::Agent, cause: Unheard::Silent, .. })
            };
            assert!(stage.events.iter().any(missed), "{:?}", stage.events);
        }
    }
}

/// The customer sounds the tones of a key for 100 ms.
fn sounds(stage: &mut Stage, key: char) {
    let now = stage.now;
    stage.customer.speak(now, sound(key, 100));
    stage.run(ms(100));
    let now = stage.now;
    stage.customer.say(now, 0xD5);
}

fn ignored(stage: &Stage) -> usize {
    stage.events.iter().filter(|event| matches!(event, Event::IgnoredTones(_))).count()
}

#[test]
fn tones_for_an_answer_where_events_are_agreed_are_told_once_and_not_beside_an_event() {
    let mut alone = Stage::asking(call::Parties::BOTH);
    alone.run(ms(300));
    sounds(&mut alone, '1');
    assert_eq!(ignored(&alone), 0, "its event may still come");
    alone.run(ms(1_000));
    assert_eq!(ignored(&alone), 1);
    sounds(&mut alone, '1');
    alone.run(ms(1_500));
    assert_eq!((ignored(&alone), alone.keys().as_str()), (1, ""));

    let mut both = Stage::asking(call::Parties::BOTH);
    both.run(ms(300));
    sounds(&mut both, '5');
    both.press(Party::Customer, 5);
    both.run(ms(1_500));
    sounds(&mut both, '5');
    both.run(ms(1_500));
    assert_eq!((ignored(&both), both.keys().as_str()), (0, "5"));

    let mut talking = Stage::bare();
    talking.connect(Connection::Bridged);
    sounds(&mut talking, '1');
    talking.run(ms(1_500));
    assert_eq!(ignored(&talking), 0, "no key is awaited");
}
