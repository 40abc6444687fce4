//! What signalling owes to consent: rows C.

use std::time::{Duration, Instant};

use support::{
    peer::voice::{Packet, Voice},
    stage::{Stage, sdp, sdp_again, wait},
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
