//! What signalling owes to consent: rows C.

use std::time::{Duration, Instant};

use support::{
    node::{Change, root},
    peer::voice::{Packet, Voice},
    scene::ENGLISH,
    stage::{CALLER, Stage, Talk, sdp, sdp_again, wait},
};

#[test]
fn c_10_a_hang_up_while_the_pbx_rings_cancels_it_after_a_1xx_and_an_answer_that_crosses_is_ended() {
    let mut stage = Stage::curt();
    for crosses in [false, true] {
        let (mut a, b, invite) = stage.refused();
        stage.caller.send(&a.request("BYE"));
        stage.caller.expect((200, "BYE"));
        stage.pbx.hears_no(250, "CANCEL");
        stage.pbx.send(&b.reply(&invite, 180));
        let cancel = stage.pbx.expect("CANCEL");
        if crosses {
            stage.pbx.send(&b.reply(&invite, 200).sdp(sdp(stage.desk.own)));
            stage.pbx.send(&b.reply(&cancel, 200));
            stage.pbx.expect("ACK");
            let bye = stage.pbx.expect("BYE");
            assert_eq!(bye.tag("To"), Some(&*b.tag));
            stage.pbx.send(&b.reply(&bye, 200));
        } else {
            stage.pbx.send(&b.reply(&cancel, 200));
            stage.pbx.send(&b.reply(&invite, 487));
            stage.pbx.expect("ACK");
        }
    }
    for call in stage.ended(2) {
        assert_eq!(
            (&call["consent"], &call["outcome"]),
            (&"refused".into(), &"caller-gone".into())
        );
    }
}

fn speaks(packets: &[Packet], since: Instant) -> usize {
    packets.iter().filter(|p| p.at >= since && p.speaks()).count()
}

/// The first fifth of a second that is heard.
fn opening(packets: &[Packet]) -> Vec<Vec<u8>> {
    let speech = packets.iter().filter(|p| p.speaks());
    speech.take(10).map(|p| p.payload.clone()).collect()
}

/// Calls the line that speaks English and Dutch, says yes, and returns the language of the evidence and the
/// hashes of the prompts in it.
fn evidence(stage: &mut Stage, from: &str, wants: Option<&str>) -> (String, Vec<String>) {
    let since = Instant::now();
    let mut a = stage.caller.calls(from, ENGLISH);
    let invite = a.invite().sdp(sdp(stage.ear.own));
    stage.caller.send(&match wants {
        Some(languages) => invite.with("Accept-Language", languages),
        None => invite,
    });
    let ok = stage.caller.expect((200, "INVITE"));
    stage.caller.send(&a.ack(&ok));
    stage.ear.talk_to(ok.sound());
    assert!(stage.ear.is_spoken_to(since), "no notice is heard");
    let (b, invite) = stage.says_yes();
    wait(1_500);
    stage.hang_up(&mut Talk { a, b, invite, ok });
    let newest = stage.node.until(&["recordings", "list"], |list| list[0]["state"] == "stored");
    let id = newest[0]["recording"].as_str().expect("an id").to_owned();
    let folder = stage.node.temporary().join(&id);
    let path = folder.to_str().expect("a name");
    let _written = stage.node.done(&["recordings", "evidence", &id, "--out", path]);
    let text = std::fs::read_to_string(folder.join("evidence.txt")).expect("evidence");
    let word = |start| text.lines().find_map(|line: &str| line.strip_prefix(start));
    let hashes = text.lines().filter(|line| line.starts_with("prompt "));
    let hashes =
        hashes.filter_map(|line| line.split(' ').find_map(|it| it.strip_prefix("sha256=")));
    (word("language ").expect("a language").to_owned(), hashes.map(str::to_owned).collect())
}

#[test]
fn c_12_a_caller_is_asked_in_the_language_they_want_or_that_of_their_number_and_evidence_names_it()
{
    let speaks = "language = [{ policy = \"quality-nl\", numbers = [\"+32*\"] }]\n";
    let change = Change::default()
        .with("confirm = \"first\"", "confirm = \"off\"")
        .with("policy = \"quality-en\"\n", format!("policy = \"quality-en\"\n{speaks}"));
    let mut stage = Stage::with(change);
    for (from, wants, language) in [
        (CALLER, None, "en"),
        (CALLER, Some("fr, nl-NL;q=0.8, en;q=0.5"), "nl"),
        ("+3225550101", None, "nl"),
        ("+3225550101", Some("en-GB"), "en"),
    ] {
        let (spoken, hashes) = evidence(&mut stage, from, wants);
        assert_eq!(spoken, language, "{wants:?}");
        let manifest = root().join("prompts").join(language).join("manifest.toml");
        let manifest = std::fs::read_to_string(manifest).expect("a manifest");
        assert!(!hashes.is_empty() && hashes.iter().all(|hash| manifest.contains(hash)));
    }
}

#[test]
fn c_11_a_hold_in_the_notice_stops_it_and_the_resume_plays_it_again_where_it_says() {
    let mut stage = Stage::start();
    let (mut a, _) = stage.asked();
    let start = Instant::now();
    assert!(stage.ear.until(3_000, |packets| speaks(packets, start) > 20), "no notice");
    stage.caller.send(&a.invite().sdp(sdp_again(stage.ear.own, 2, "sendonly")));
    let ok = stage.caller.expect((200, "INVITE"));
    assert!(ok.body().contains("a=recvonly"), "{}", ok.body());
    stage.caller.send(&a.ack(&ok));
    wait(100);
    let held = Instant::now();
    wait(500);
    assert_eq!(speaks(stage.ear.heard(), held), 0, "the notice goes on in the hold");
    // Back at another address.
    let mut moved = Voice::new(stage.caller.own.ip());
    stage.caller.send(&a.invite().sdp(sdp_again(moved.own, 3, "sendrecv")));
    let ok = stage.caller.expect((200, "INVITE"));
    assert!(ok.body().contains("a=sendrecv"), "{}", ok.body());
    stage.caller.send(&a.ack(&ok));
    let back = Instant::now();
    assert!(moved.until(3_000, |packets| speaks(packets, back) > 20), "no notice after the hold");
    assert_eq!(speaks(stage.ear.heard(), back + Duration::from_millis(60)), 0);
    let again = opening(moved.heard()) == opening(stage.ear.heard());
    assert!(again, "it goes on where the hold came, and not from its beginning");
    stage.caller.send(&a.request("BYE"));
    stage.caller.expect((200, "BYE"));
    stage.pbx.hears_no(50, "INVITE");
}
