//! A node with quick timers between a caller and a PBX that do only what a test says.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use crate::{
    exchange::message::description,
    node::{Change, Node},
    peer::{leg::Leg, post::Peer, seen::Seen, voice::Voice},
    scene::{ENGLISH, NEVER},
};

/// Who calls, unless a test says otherwise.
pub const CALLER: &str = "+31612345000";

/// A session description with A-law and telephone events (payload type 101), both ways.
#[must_use]
pub fn sdp(sound: SocketAddr) -> String {
    description(sound, 1, 101, "sendrecv")
}

/// The same with another version and direction, as in a re-INVITE.
#[must_use]
pub fn sdp_again(sound: SocketAddr, version: u32, direction: &str) -> String {
    description(sound, version, 101, direction)
}

/// A node, a caller and a PBX.
pub struct Stage {
    /// The node.
    pub node: Node,
    /// Who calls.
    pub caller: Peer,
    /// Who is called.
    pub pbx: Peer,
    /// The sound of the caller.
    pub ear: Voice,
    /// The sound of the PBX.
    pub desk: Voice,
}

/// Both dialogs of a call and the messages that made them.
pub struct Talk {
    /// The caller's dialog.
    pub a: Leg,
    /// The dialog of the PBX.
    pub b: Leg,
    /// The INVITE that reached the PBX.
    pub invite: Seen,
    /// The 200 that reached the caller.
    pub ok: Seen,
}

impl Stage {
    /// Like the lab, with T1 of 100 ms.
    #[must_use]
    pub fn start() -> Self {
        Self::with(Change::default())
    }

    /// The same with changes to the configuration.
    #[must_use]
    pub fn with(change: Change) -> Self {
        Self::paced(change, 100)
    }

    /// For what takes 64 times T1: 1.3 s.
    #[must_use]
    pub fn hasty() -> Self {
        Self::paced(Change::default(), 20)
    }

    /// With a T1 of so many milliseconds and a T2 of eight times as many.
    #[must_use]
    pub fn paced(change: Change, t1_ms: u32) -> Self {
        let change = change
            .with("t1_ms = 500", format!("t1_ms = {t1_ms}"))
            .with("t2_ms = 4000", format!("t2_ms = {}", t1_ms * 8))
            .with("t4_ms = 5000", format!("t4_ms = {}", t1_ms * 10));
        let node = Node::start(&change);
        let caller = Peer::new(node.sip);
        let pbx = Peer::at(SocketAddr::from(([127, 0, 0, 1], node.pbx)), node.sip);
        let (ear, desk) = (Voice::new(caller.own.ip()), Voice::new(pbx.own.ip()));
        Self { node, caller, pbx, ear, desk }
    }

    /// Places a call to the line that is never recorded, up to its INVITE at the PBX.
    pub fn rings(&mut self) -> (Leg, Leg, Seen) {
        let mut a = self.caller.calls(CALLER, NEVER);
        self.caller.send(&a.invite().sdp(sdp(self.ear.own)));
        let invite = self.pbx.expect("INVITE");
        (a, self.pbx.called(&invite), invite)
    }

    /// Places such a call and answers it.
    pub fn talk(&mut self) -> Talk {
        let (a, b, invite) = self.rings();
        self.answers(a, b, invite)
    }

    /// The PBX takes a call that rings, and the caller acknowledges.
    pub fn answers(&mut self, mut a: Leg, mut b: Leg, invite: Seen) -> Talk {
        self.pbx.send(&b.reply(&invite, 200).sdp(sdp(self.desk.own)));
        let ack = self.pbx.expect("ACK");
        b.cseq = 0;
        assert_eq!(ack.cseq().0, invite.cseq().0, "the ACK is of another INVITE");
        let ok = self.caller.expect((200, "INVITE"));
        self.caller.send(&a.ack(&ok));
        self.ear.talk_to(ok.sound());
        self.desk.talk_to(invite.sound());
        Talk { a, b, invite, ok }
    }

    /// Places a call to the line that asks in English: it is answered and hears the notice.
    pub fn asked(&mut self) -> (Leg, Seen) {
        self.asked_by(sdp(self.ear.own))
    }

    /// The same with an offer of the caller's own.
    pub fn asked_by(&mut self, offer: String) -> (Leg, Seen) {
        // What a call before this one said is no notice.
        let since = Instant::now();
        let mut a = self.caller.calls(CALLER, ENGLISH);
        self.caller.send(&a.invite().sdp(offer));
        let ok = self.caller.expect((200, "INVITE"));
        self.caller.send(&a.ack(&ok));
        self.ear.talk_to(ok.sound());
        assert!(self.ear.is_spoken_to(since), "no notice is heard");
        (a, ok)
    }

    /// Places a call to the line that asks, refuses at once and hears no confirmation: the caller is
    /// answered and the PBX is called. The stage must be [`Stage::curt`].
    pub fn refused(&mut self) -> (Leg, Leg, Seen) {
        let (a, _) = self.asked();
        self.ear.press('2');
        let invite = self.pbx.expect("INVITE");
        (a, self.pbx.called(&invite), invite)
    }

    /// Places a call to the line that asks, says yes, and is put through: it is recorded. The stage must be
    /// [`Stage::curt`].
    pub fn recorded(&mut self) -> Talk {
        let (a, ok) = self.asked();
        let (b, invite) = self.says_yes();
        Talk { a, b, invite, ok }
    }

    /// The caller, who is asked, says yes and is put through. The PBX answers.
    pub fn says_yes(&mut self) -> (Leg, Seen) {
        self.ear.press('1');
        // A yes counts when the notice has been heard in full.
        let invite = self.pbx.expect_within(Duration::from_secs(30), "INVITE");
        let mut b = self.pbx.called(&invite);
        self.pbx.send(&b.reply(&invite, 200).sdp(sdp(self.desk.own)));
        self.pbx.expect("ACK");
        b.cseq = 0;
        self.desk.talk_to(invite.sound());
        (b, invite)
    }

    /// A stage on which nobody hears a confirmation.
    #[must_use]
    pub fn curt() -> Self {
        Self::with(Change::default().with("confirm = \"first\"", "confirm = \"off\""))
    }

    /// The caller hangs up and the node hangs up on the PBX.
    pub fn hang_up(&mut self, talk: &mut Talk) {
        self.caller.send(&talk.a.request("BYE"));
        self.caller.expect((200, "BYE"));
        let bye = self.pbx.expect("BYE");
        self.pbx.send(&talk.b.reply(&bye, 200));
    }

    /// Waits until the node has written the three words of so many calls, and returns the calls.
    ///
    /// # Panics
    /// It takes longer than ten seconds.
    pub fn ended(&self, count: usize) -> Vec<serde_json::Value> {
        let done = self.node.until(&["calls", "list"], |calls| {
            let rows = calls.as_array().into_iter().flatten();
            rows.filter(|row| row["verdict"].is_string()).count() >= count
        });
        done.as_array().cloned().unwrap_or_default()
    }
}

/// Sleeps.
pub fn wait(millis: u64) {
    std::thread::sleep(Duration::from_millis(millis));
}
