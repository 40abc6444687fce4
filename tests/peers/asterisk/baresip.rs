//! baresip as the caller, Asterisk as the PBX: no line of the peers is ours.

use std::{thread, time::Duration};

use support::{
    baresip::{Baresip, Sound},
    node::Change,
    scene::{ENGLISH, words},
    sound::{level, share_at},
};

use serde_json::Value;

use super::{Office, Pbx, all_heard, plain::SPEAKS, seconds};

#[test]
fn baresip_says_yes_and_is_recorded_as_both_peers_heard_it() {
    let office = Office::open(&Change::default(), Pbx { dialplan: SPEAKS, ..Pbx::default() });
    let mut caller = Baresip::start("+31612345609", 700.0, Sound::Plain);
    caller.order("dial", &format!("sip:{ENGLISH}@127.0.0.1:{}", office.node.sip));
    assert!(caller.reports("CALL_ESTABLISHED", Duration::from_secs(10)), "not answered");
    thread::sleep(Duration::from_millis(600));
    caller.order("sndcode", "1");
    assert!(caller.reports("CALL_CLOSED", Duration::from_secs(40)), "the call does not end");
    assert_eq!(words(&office.ended(1)[0]), "granted bridged recorded");
    let (left, right) = office.recorded();
    let rx = office.asterisk.heard("rx.wav");
    all_heard(&[
        ("baresip", seconds(&caller.heard(), 440.0), 4.9),
        ("Asterisk", seconds(&rx, 700.0), 4.9),
        ("the left side", seconds(&left, 700.0), 4.9),
        ("the right side", seconds(&right, 440.0), 4.9),
    ]);
}

/// An agent who asks after three seconds.
const ASKS: &str = "
[from-box]
exten => _[+0-9].,1,MixMonitor(pbx.wav,r(rx.wav)t(tx.wav))
 same => n,Answer()
 same => n,PlayTones(440)
 same => n,Wait(3)
 same => n,SendDTMF(#)
 same => n,PlayTones(440)
 same => n,Wait(60)
";

#[test]
fn l_08_baresip_is_asked_by_the_agent_of_asterisk_agrees_withdraws_and_that_is_what_is_recorded() {
    let change = Change::default()
        .with("language = \"en\"", "language = \"en\"\ninbound = \"agent_asks\"")
        .with("on_withdraw = \"erase\"", "on_withdraw = \"stop\"");
    let office = Office::open(&change, Pbx { dialplan: ASKS, ..Pbx::default() });
    let mut caller = Baresip::start("+31612345609", 700.0, Sound::Plain);
    caller.order("dial", &format!("sip:{ENGLISH}@127.0.0.1:{}", office.node.sip));
    assert!(caller.reports("CALL_ESTABLISHED", Duration::from_secs(10)), "not put through");
    // Three seconds of talk, and the question.
    thread::sleep(Duration::from_millis(16_500));
    caller.order("sndcode", "1");
    thread::sleep(Duration::from_millis(6_000));
    caller.order("sndcode", "*");
    thread::sleep(Duration::from_millis(3_000));
    caller.order("hangup", "");
    let call = &office.ended(1)[0];
    assert_eq!(words(call), "withdrawn bridged withdrawn");
    let (left, right) = office.recorded();
    let heard = caller.heard();
    let before = &heard[..heard.len().min(8 * 3_000)];
    all_heard(&[
        ("baresip, before the question", seconds(before, 440.0), 2.8),
        ("the left side", seconds(&left, 700.0), 5.9),
        ("the right side", seconds(&right, 440.0), 5.9),
    ]);
    let long = left.len() as f64 / 8_000.0;
    assert!((5.5..6.4).contains(&long), "{long} s between the two keys are recorded");
    let asked = &heard[8 * 5_000..8 * 12_000];
    let rx = office.asterisk.heard("rx.wav");
    for (who, heard, voice) in
        [("baresip", asked, 440.0), ("the agent", &rx[8 * 5_000..8 * 12_000], 700.0)]
    {
        let alone = seconds(heard, voice);
        assert!(level(heard) > 500.0 && alone < 4.5, "{who}: {}, {alone} s without", level(heard));
    }
}

#[test]
fn baresip_speaks_g_722_to_an_asterisk_of_a_law_and_all_of_it_is_recorded() {
    let office = Office::open(&Change::default(), Pbx { dialplan: SPEAKS, ..Pbx::default() });
    // No telephone of A-law could say this.
    let mut caller = Baresip::start("+31612345609", 5_000.0, Sound::Wide);
    caller.order("dial", &format!("sip:{ENGLISH}@127.0.0.1:{}", office.node.sip));
    assert!(caller.reports("CALL_ESTABLISHED", Duration::from_secs(10)), "not answered");
    thread::sleep(Duration::from_millis(600));
    caller.order("sndcode", "1");
    assert!(caller.reports("CALL_CLOSED", Duration::from_secs(40)), "the call does not end");
    assert_eq!(words(&office.ended(1)[0]), "granted bridged recorded");
    let stored = |rows: &Value| rows[0]["state"] == "stored";
    let rows = office.node.until(&["recordings", "list"], stored);
    let id = rows[0]["recording"].as_str().expect("an id");
    let (left, right) = office.node.export_at(id, 16_000);
    let seconds = |side: &[i16], hz| {
        let is = |frame: &&[i16]| level(frame) > 300.0 && share_at(frame, hz, 16_000.0) > 0.9;
        side.chunks_exact(320).filter(is).count() as f64 / 50.0
    };
    all_heard(&[
        ("the left side", seconds(&left, 5_000.0), 4.9),
        ("the right side", seconds(&right, 440.0), 4.9),
    ]);
    // At the level at which it was said.
    let middle = &left[left.len() / 4..left.len() * 3 / 4];
    let said = 8_000.0 / std::f64::consts::SQRT_2;
    assert!((level(middle) / said - 1.0).abs() < 0.1, "{} instead of {said}", level(middle));
}
