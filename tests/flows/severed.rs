//! Connections that end in the moment in which they are needed (row S-08).

use std::time::Duration;

use support::{
    node::Change,
    peer::{leg::Leg, seen::Seen, stream::Ear, stream::Stream},
    scene::NEVER,
    stage::{CALLER, Stage, sdp},
};

use crate::transport::{both, calls, local, pbx_by};

/// A node whose PBX is reached by TCP, and that PBX's ear.
fn by_tcp() -> (Stage, Ear) {
    let ear = Ear::at(local(0));
    let stage = both(pbx_by(Change::default(), "tcp", ear.own.port()));
    (stage, ear)
}

fn invites(stage: &mut Stage) -> Leg {
    let mut a = stage.caller.calls(CALLER, NEVER);
    stage.caller.send(&a.invite().sdp(sdp(stage.ear.own)));
    a
}

/// The PBX refuses a call, so that its connection stands and both sides have used it.
fn used(stage: &mut Stage, ear: &Ear) -> Stream {
    let mut a = invites(stage);
    let mut stream = ear.accept();
    let invite = stream.expect("INVITE");
    refuses(&mut stream, &invite);
    let busy = stage.caller.expect((486, "INVITE"));
    stage.caller.send(&a.ack(&busy));
    stream
}

fn refuses(stream: &mut Stream, invite: &Seen) {
    stream.send(&Leg::called(stream.own, invite).reply(invite, 486));
    stream.expect("ACK");
}

/// The call that this stream carries is answered and acknowledged on both sides.
fn answered(stage: &mut Stage, stream: &mut Stream) -> (Leg, Leg) {
    let mut a = invites(stage);
    let invite = stream.expect("INVITE");
    let mut b = Leg::called(stream.own, &invite);
    b.transport = "TCP";
    b.contact = format!("<sip:pbx@{};transport=tcp>", stream.own);
    stream.send(&b.reply(&invite, 200).sdp(sdp(stage.desk.own)));
    stream.expect("ACK");
    b.cseq = 0;
    let ok = stage.caller.expect((200, "INVITE"));
    stage.caller.send(&a.ack(&ok));
    (a, b)
}

#[test]
fn s_08_a_call_in_the_moment_in_which_the_pbx_closes_its_connection_goes_by_a_new_one() {
    let (mut stage, ear) = by_tcp();
    let mut old = used(&mut stage, &ear);
    let mut a = invites(&mut stage);
    let unread = old.expect("INVITE");
    drop(old);
    let mut fresh = ear.accept();
    let invite = fresh.expect("INVITE");
    assert_eq!(invite.octets, unread.octets, "the same transaction, octet for octet");
    refuses(&mut fresh, &invite);
    let busy = stage.caller.expect((486, "INVITE"));
    stage.caller.send(&a.ack(&busy));
    assert_eq!(stage.caller.kinds((503, "INVITE")), 0);
    // One that takes connections and says nothing by them is not asked for ever.
    let mut a = invites(&mut stage);
    fresh.expect("INVITE");
    drop(fresh);
    drop(ear.accept());
    let failed = stage.caller.expect((503, "INVITE"));
    stage.caller.send(&a.ack(&failed));
}

#[test]
fn s_08_a_call_by_a_connection_that_has_been_closed_a_moment_ago_is_not_lost() {
    let (mut stage, ear) = by_tcp();
    for _ in 0..20 {
        // Whether the node knows of the end already when the call comes is a matter of microseconds.
        drop(used(&mut stage, &ear));
    }
}

#[test]
fn s_08_a_bye_whose_connection_ends_is_said_again_by_a_new_one() {
    let (mut stage, ear) = by_tcp();
    let mut stream = used(&mut stage, &ear);
    let (mut a, mut b) = answered(&mut stage, &mut stream);
    stage.caller.send(&a.request("BYE"));
    stage.caller.expect((200, "BYE"));
    let unread = stream.expect("BYE");
    drop(stream);
    let mut fresh = ear.accept();
    let bye = fresh.expect("BYE");
    assert_eq!(bye.octets, unread.octets);
    fresh.send(&b.reply(&bye, 200));
    stage.ended(1);
    // And in a call whose connection has ended long before: the next request makes one.
    let mut stream = fresh;
    (a, b) = answered(&mut stage, &mut stream);
    drop(stream);
    std::thread::sleep(Duration::from_millis(100));
    stage.caller.send(&a.request("BYE"));
    stage.caller.expect((200, "BYE"));
    let mut fresh = ear.accept();
    let bye = fresh.expect("BYE");
    fresh.send(&b.reply(&bye, 200));
    stage.ended(2);
}

#[test]
fn s_08_an_answer_whose_connection_is_gone_goes_to_where_the_via_says_and_comes_again_until_its_ack()
 {
    let mut stage = both(Change::default());
    let ear = Ear::at(local(0));
    for answers in [486, 200] {
        let mut stream = Stream::to(local(stage.node.sip));
        let mut a = calls(&stream, "TCP");
        a.own = ear.own;
        a.contact = format!("<sip:caller@{};transport=tcp>", ear.own);
        stream.send(&a.invite().sdp(sdp(stage.ear.own)));
        let invite = stage.pbx.expect("INVITE");
        let mut b = stage.pbx.called(&invite);
        let reply = b.reply(&invite, answers);
        if answers == 486 {
            stage.pbx.send(&reply);
            stage.pbx.expect("ACK");
            // It is read, and whoever has read it dies before its ACK.
            stream.expect("486");
            drop(stream);
            let mut fresh = ear.accept();
            let busy = fresh.expect("486");
            fresh.send(&a.ack(&busy));
        } else {
            stream.expect("100");
            drop(stream);
            stage.pbx.send(&reply.sdp(sdp(stage.desk.own)));
            stage.pbx.expect("ACK");
            b.cseq = 0;
            let mut fresh = ear.accept();
            let ok = fresh.expect("200");
            fresh.send(&a.ack(&ok));
            stage.pbx.send(&b.request("BYE"));
            stage.pbx.expect((200, "BYE"));
            let bye = fresh.expect("BYE");
            fresh.send(&a.reply(&bye, 200));
        }
    }
    stage.ended(2);
}
