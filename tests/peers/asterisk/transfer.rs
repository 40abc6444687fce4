//! Transfers inside Asterisk: the caller goes on with another agent, and the consent with him.

use std::{thread, time::Duration};

use support::{
    asterisk::MUSIC_HZ,
    exchange::{Act, Plan, message::address_of},
    node::Change,
    scene::{ENGLISH, words},
};

use super::{Office, Pbx, TWO_PHONES, all_heard, party, phone, seconds};

const CALLER: &str = "+31612345603";

fn plan() -> Plan {
    Plan::new(CALLER, ENGLISH).at(400, Act::Press('1')).at(600, Act::Speak(700.0))
}

#[test]
fn t_01_a_blind_transfer_keeps_the_consent_and_one_recording_holds_both_agents() {
    let mut first = phone(11, 440.0, &[(3_000, Act::Refer("6002")), (4_000, Act::HangUp)]);
    let mut second = phone(12, 620.0, &[(4_000, Act::HangUp)]);
    let phones = [("6001", first.address()), ("6002", second.address())];
    let pbx = Pbx { phones: &phones, dialplan: TWO_PHONES, ..Pbx::default() };
    let mut office = Office::open(&Change::default(), pbx);
    office.call(plan());
    office.over(1, 45);
    assert_eq!(words(&office.ended(1)[0]), "granted bridged recorded");

    let caller = office.callers.of(CALLER);
    let (left, right) = office.recorded();
    let (first, second) = (first.calls()[0].clone(), second.calls()[0].clone());
    all_heard(&[
        ("the caller, the first agent", party(&caller, 440.0), 3.0),
        ("the caller, the second agent", party(&caller, 620.0), 3.9),
        ("the first agent", party(&first, 700.0), 3.0),
        ("the second agent", party(&second, 700.0), 3.9),
        ("the right side, the first agent", seconds(&right, 440.0), 3.0),
        ("the right side, the second agent", seconds(&right, 620.0), 3.9),
        ("the left side", seconds(&left, 700.0), 7.0),
    ]);
}

#[test]
fn t_01_an_attended_transfer_of_asterisk_joins_the_caller_with_the_second_agent() {
    let mut first = phone(11, 440.0, &[]);
    let mut second = phone(12, 620.0, &[]);
    let phones = [("6001", first.address()), ("6002", second.address())];
    let pbx = Pbx { phones: &phones, dialplan: TWO_PHONES, ..Pbx::default() };
    let mut office = Office::open(&Change::default(), pbx);
    office.call(plan());
    let up = first.until(Duration::from_secs(30), |calls| {
        calls.first().is_some_and(|call| call.answered().is_some())
    });
    assert!(up, "the first agent is not called:\n{}", office.node.log());
    thread::sleep(Duration::from_secs(2));
    let agent = office.asterisk.channel("6001");
    office.asterisk.ask(&[
        ("Action", "Atxfer"),
        ("Channel", &agent),
        ("Context", "from-phone"),
        ("Exten", "6002"),
    ]);
    let consulted = second.until(Duration::from_secs(20), |calls| {
        calls.first().is_some_and(|call| party(call, 440.0) > 2.0)
    });
    assert!(consulted, "the agents do not hear each other");
    first.act(0, Act::HangUp);
    let joined = second.until(Duration::from_secs(10), |calls| party(&calls[0], 700.0) > 3.0);
    assert!(joined, "the second agent does not hear the caller");
    second.act(0, Act::HangUp);
    office.over(1, 20);
    assert_eq!(words(&office.ended(1)[0]), "granted bridged recorded");

    let caller = office.callers.of(CALLER);
    let (left, right) = office.recorded();
    assert!(party(&caller, 440.0) > 1.5, "the first agent before");
    assert!(party(&caller, MUSIC_HZ) > 1.0, "music meanwhile");
    assert!(party(&caller, 620.0) > 2.5, "the second agent after");
    assert!(seconds(&right, 440.0) > 1.5 && seconds(&right, 620.0) > 2.5, "both are recorded");
    assert!(seconds(&left, 700.0) > 5.0, "and so is the caller");
}

#[test]
fn b_03_speech_that_goes_past_asterisk_follows_the_transfer_to_the_second_phone() {
    let mut first = phone(11, 440.0, &[(4_000, Act::Refer("6002")), (5_500, Act::HangUp)]);
    let mut second = phone(12, 620.0, &[(5_000, Act::HangUp)]);
    let phones = [("6001", first.address()), ("6002", second.address())];
    let dialplan = "
[from-box]
exten => _[+0-9].,1,Dial(PJSIP/6001,20)
[from-phone]
exten => 6002,1,Dial(PJSIP/6002,20)
";
    let pbx = Pbx { phones: &phones, dialplan, direct_media: true, ..Pbx::default() };
    let mut office = Office::open(&Change::default(), pbx);
    office.call(plan());
    office.over(1, 45);
    assert_eq!(words(&office.ended(1)[0]), "granted bridged recorded");

    let caller = office.callers.of(CALLER);
    let (left, right) = office.recorded();
    let (first, second) = (first.calls()[0].clone(), second.calls()[0].clone());
    for (who, history) in [("first", &first), ("second", &second)] {
        let offers = history.messages.iter().filter(|m| m.received);
        let ports: Vec<_> = offers.filter_map(|m| address_of(&m.text)).map(|a| a.port()).collect();
        let past = ports.iter().any(|port| office.node.media.range().contains(port));
        assert!(past, "the {who} phone's peer: {ports:?}");
    }
    assert!(party(&caller, 440.0) > 3.0 && party(&caller, 620.0) > 4.0, "the caller");
    assert!(party(&first, 700.0) > 3.0, "the first agent");
    assert!(party(&second, 700.0) > 4.0, "the second agent");
    assert!(seconds(&right, 440.0) > 3.0 && seconds(&right, 620.0) > 4.0, "the right side");
    assert!(seconds(&left, 700.0) > 8.0, "the left side");
}
