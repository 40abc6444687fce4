//! A fax that calls a line whose callers are asked: it goes to the PBX while it still calls.

use std::{
    sync::LazyLock,
    time::{Duration, Instant},
};

use support::{
    node::Change,
    scene::words,
    sound::{encode_a, tone},
    stage::{Stage, sdp, wait},
};

/// What the fax at the PBX answers with, in hertz (CED, ITU-T T.30).
const CED: f64 = 2_100.0;

/// A fax calls and goes on calling with these octets of A-law, which begin with quiet of so many
/// milliseconds and a tone of half a second. How long the PBX waits for its INVITE, and the call's record.
fn calls(stage: &mut Stage, octets: &'static [u8], quiet_ms: u64) -> Duration {
    let (mut a, _) = stage.asked();
    // The notice is under way.
    wait(1_500);
    let begins = Instant::now() + Duration::from_millis(quiet_ms);
    stage.ear.play(Some((8, octets)));
    let invite = stage.pbx.expect_within(Duration::from_secs(6), "INVITE");
    let waited = Instant::now().saturating_duration_since(begins);
    let mut b = stage.pbx.called(&invite);
    stage.pbx.send(&b.reply(&invite, 200).sdp(sdp(stage.desk.own)));
    stage.pbx.expect("ACK");
    b.cseq = 0;
    stage.desk.talk_to(invite.sound());
    let answered = Instant::now();
    stage.desk.speak(CED);
    assert!(stage.ear.hears(CED, answered), "the caller does not hear the other fax");
    // It calls again, and the other fax hears it as it is.
    assert!(stage.desk.until(4_500, |packets| {
        packets.iter().filter(|packet| packet.holds(1_100.0)).count() >= 20
    }));
    // Neither what it sends nor a key is anything to us any more.
    stage.ear.press('1');
    wait(400);
    assert_eq!(stage.desk.keys(101), "1");
    stage.caller.send(&a.request("BYE"));
    stage.caller.expect((200, "BYE"));
    let bye = stage.pbx.expect("BYE");
    stage.pbx.send(&b.reply(&bye, 200));
    waited
}

fn is_put_through_unrecorded(stage: &Stage, calls: usize) {
    let ended = stage.ended(calls);
    assert!(ended.iter().all(|call| words(call) == "not-asked bridged fax"), "{ended:#?}");
    assert_eq!(stage.node.done(&["recordings", "list"]), serde_json::json!([]));
    assert_eq!(stage.node.done(&["keys", "status"]), serde_json::json!([]), "a slip was sealed");
    let counted = format!("jawoord_verdict_total{{verdict=\"fax\"}} {calls}");
    assert!(stage.node.metrics().contains(&counted));
}

#[test]
fn a_fax_in_the_notice_reaches_the_pbx_within_a_second_and_is_not_recorded() {
    static CALLING: LazyLock<Vec<u8>> = LazyLock::new(|| {
        let samples = [vec![0; 1_600], tone(1_100.0, 500, 5_000.0), vec![0; 22_400]].concat();
        samples.into_iter().map(encode_a).collect()
    });
    // A yes that goes at once would be heard as one: the fax is none.
    let mut stage = Stage::with(Change::default().with("confirm = \"first\"", "confirm = \"off\""));
    let waited = calls(&mut stage, &CALLING, 200);
    assert!(waited < Duration::from_secs(1), "{waited:?} from its tone to the INVITE");
    is_put_through_unrecorded(&stage, 1);
}

mod spandsp {
    use std::process::Command;

    use support::node::root;

    use super::*;

    /// Seven seconds of what spandsp sends as a fax that calls.
    fn spandsps() -> Vec<u8> {
        let python = std::env::var_os("PYTHON").unwrap_or_else(|| "python3".into());
        let script = root().join("tests/flows/calling_tone.py");
        let output = Command::new(python).arg(script).output().expect("Python starts");
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "spandsp: {error}");
        let samples = output.stdout.as_chunks::<2>().0;
        samples.iter().map(|pair| encode_a(i16::from_le_bytes(*pair))).collect()
    }

    #[test]
    fn the_calling_tone_of_another_makers_fax_is_one() {
        let sound: &'static [u8] = spandsps().leak();
        let is_quiet = |octets: &&[u8]| octets.iter().all(|octet| (octet ^ 0xD5) & 0x7F < 2);
        let quiet = sound.chunks(160).take_while(is_quiet).count() as u64 * 20;
        assert!(quiet < 4_000 && sound.len() == 56_000, "{quiet} ms, {} octets", sound.len());
        let mut stage = Stage::start();
        let waited = calls(&mut stage, sound, quiet);
        assert!(waited < Duration::from_secs(1), "{waited:?} from its tone to the INVITE");
        is_put_through_unrecorded(&stage, 1);
    }
}
