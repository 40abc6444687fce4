//! An agent's phone holds and resumes behind Asterisk.

use support::{
    asterisk::MUSIC_HZ,
    exchange::{Act, Plan},
    node::Change,
    scene::{ENGLISH, words},
    sound::heard,
};

use super::{Office, Pbx, TWO_PHONES, Transport, all_heard, party, phone, seconds};

/// The agent's phone talks on into the hold, as careless ones do.
/// The agent talks for three seconds, holds for three, talks for three, and hangs up.
fn held(endpoint: &str, transport: Transport, change: &Change) -> (Office, String) {
    let agent = phone(11, 440.0, &[(3_000, Act::Hold), (6_000, Act::Resume), (9_000, Act::HangUp)]);
    let pbx = Pbx {
        transport,
        endpoint,
        phones: &[("6001", agent.address())],
        dialplan: TWO_PHONES,
        ..Pbx::default()
    };
    let mut office = Office::open(change, pbx);
    let plan = Plan::new("+31612345602", ENGLISH);
    office.call(plan.at(400, Act::Press('1')).at(600, Act::Speak(700.0)));
    office.over(1, 45);
    let words = words(&office.ended(1)[0]);
    (office, words)
}

#[test]
fn b_01_music_on_hold_of_asterisk_reaches_the_caller_and_speech_comes_back() {
    let (mut office, words) = held("", Transport::Udp, &Change::default());
    assert_eq!(words, "granted bridged recorded");
    let caller = office.callers.of("+31612345602");
    let (left, right) = office.recorded();
    all_heard(&[
        ("the caller, the agent", party(&caller, 440.0), 5.9),
        ("the caller, the music", party(&caller, MUSIC_HZ), 3.0),
        ("the right side, the agent", seconds(&right, 440.0), 5.9),
        ("the right side, the music", seconds(&right, MUSIC_HZ), 3.0),
        ("the left side", seconds(&left, 700.0), 8.9),
    ]);
}

/// A hold of which Asterisk tells the node.
pub fn passes_on(transport: Transport, endpoint: &str, change: &Change) -> Office {
    let endpoint = format!("moh_passthrough = yes\n{endpoint}");
    let (mut office, words) = held(&endpoint, transport, change);
    assert_eq!(words, "granted bridged recorded");
    let caller = office.callers.of("+31612345602");
    let rx = office.asterisk.heard("rx.wav");
    let (left, right) = office.recorded();
    all_heard(&[
        ("the caller, the agent's phone", party(&caller, 440.0), 8.9),
        ("the caller, the music", party(&caller, MUSIC_HZ), 0.0),
        ("the right side", seconds(&right, 440.0), 5.9),
        ("the left side", seconds(&left, 700.0), 5.9),
        ("both sides together", left.len() as f64 / 8_000.0, 9.0),
    ]);
    let last = &rx[rx.len() - 2 * 8_000..];
    assert!(heard(last, 700.0) > 0.9, "Asterisk no longer hears the caller after the hold");
    // The time line stays true: the middle of the recording is the hold, and it is silent.
    for side in [&left, &right] {
        assert_eq!(
            seconds(&side[28_000..44_000], 700.0) + seconds(&side[28_000..44_000], 440.0),
            0.0
        );
    }
    office
}

#[test]
fn b_01_a_hold_that_asterisk_passes_on_pauses_the_recording_and_ends_in_two_way_speech() {
    let _by_datagrams = passes_on(Transport::Udp, "", &Change::default());
}

#[test]
fn b_02_a_hold_that_asterisk_passes_on_reaches_the_caller_and_so_does_its_end() {
    let relay = Change::default().with("hold = \"absorb\"", "hold = \"relay\"");
    let (mut office, words) = held("moh_passthrough = yes", Transport::Udp, &relay);
    assert_eq!(words, "granted bridged recorded");
    let caller = office.callers.of("+31612345602");
    let offered = |way: &str| {
        let is = |text: &str| text.starts_with("INVITE ") && text.contains(way);
        caller.messages.iter().filter(|m| m.received && is(&m.text)).count()
    };
    assert_eq!((offered("a=sendonly"), offered("a=sendrecv")), (1, 1), "held once, back once");
    let (left, right) = office.recorded();
    all_heard(&[
        ("the right side", seconds(&right, 440.0), 5.9),
        ("the left side", seconds(&left, 700.0), 5.9),
        ("both sides together", left.len() as f64 / 8_000.0, 9.0),
    ]);
}
