//! A phone that speaks one codec, and what it takes down of a call.

use std::{
    net::SocketAddr,
    thread,
    time::{Duration, Instant},
};

use support::{
    node::Node,
    peer::{
        post::Peer,
        voice::{Packet, Voice},
    },
    stage::sdp,
};

/// A tone that only G.722 and Opus can say: a phone of theirs is not silent.
const TONE_G722: &[u8] = include_bytes!("../support/tone_5000.g722");
const TONE_OPUS: &[u8] = include_bytes!("../support/tone_5000.opus");
const SILENCE_PCMU: &[u8] = &[0xff; 8_000];

/// What a phone speaks, and nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Codec {
    /// G.711 A-law.
    Pcma,
    /// G.711 µ-law.
    Pcmu,
    /// G.722, 16,000 Hz.
    G722,
    /// Opus (RFC 7587), 48,000 Hz.
    Opus,
}

impl Codec {
    /// All that the node speaks.
    pub const ALL: [Self; 4] = [Self::Pcma, Self::Pcmu, Self::G722, Self::Opus];

    /// Its name in the configuration.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pcma => "pcma",
            Self::Pcmu => "pcmu",
            Self::G722 => "g722",
            Self::Opus => "opus",
        }
    }

    const fn payload_type(self) -> u8 {
        match self {
            Self::Pcma => 8,
            Self::Pcmu => 0,
            Self::G722 => 9,
            Self::Opus => 111,
        }
    }

    /// The payload type of its keys and the rate of their clock.
    const fn keys(self) -> (u8, u32) {
        match self {
            Self::Pcma | Self::Pcmu | Self::G722 => (101, 8_000),
            Self::Opus => (110, 48_000),
        }
    }

    fn offer(self, sound: SocketAddr) -> String {
        let name = match self {
            Self::Pcma => "PCMA/8000",
            Self::Pcmu => "PCMU/8000",
            Self::G722 => "G722/8000",
            Self::Opus => "opus/48000/2",
        };
        let (kind, (keys, clock)) = (self.payload_type(), self.keys());
        sdp(sound)
            .replace("RTP/AVP 8 101", &format!("RTP/AVP {kind} {keys}"))
            .replace("8 PCMA/8000", &format!("{kind} {name}"))
            .replace("101 telephone-event/8000", &format!("{keys} telephone-event/{clock}"))
            .replace("fmtp:101 ", &format!("fmtp:{keys} "))
    }

    fn said(self) -> Option<(u8, &'static [u8])> {
        match self {
            Self::Pcma => None,
            Self::Pcmu => Some((self.payload_type(), SILENCE_PCMU)),
            Self::G722 => Some((self.payload_type(), TONE_G722)),
            Self::Opus => Some((self.payload_type(), TONE_OPUS)),
        }
    }
}

/// What is done in a call.
#[derive(Clone, Copy, Debug)]
pub enum Act {
    /// The phone presses a key.
    Press(char),
    /// It waits until the PBX has answered, a minute at most.
    Through,
    /// The operator has the customer asked.
    Ask,
    /// The phone hangs up.
    HangUp,
    /// The node does, within half a minute.
    Ends,
}

/// A call that a phone places.
pub struct Call<'a> {
    /// What it speaks.
    pub codec: Codec,
    /// Who calls.
    pub from: &'a str,
    /// What is dialled.
    pub number: &'a str,
    /// What is done, each so many milliseconds after the one before; the first after the answer.
    pub acts: &'a [(u64, Act)],
}

/// Places a call, does everything at its time, and returns the sound that came in. `is_through` says whether the
/// PBX has answered.
pub fn call(node: &Node, call: &Call<'_>, is_through: impl Fn() -> bool) -> Vec<Packet> {
    let &Call { codec, from, number, acts } = call;
    let mut phone = Peer::new(node.sip);
    let mut ear = Voice::new(phone.own.ip());
    let (events, clock) = codec.keys();
    ear.events(events);
    ear.clock(clock);
    ear.play(codec.said());
    let mut leg = phone.calls(from, number);
    phone.send(&leg.invite().sdp(codec.offer(ear.own)));
    let ok = phone.expect((200, "INVITE"));
    phone.send(&leg.ack(&ok));
    let agreed = ok.line("m=audio ").unwrap_or_default().to_owned();
    let kind = codec.payload_type();
    assert!(agreed.contains(&format!(" {kind} ")), "{} was not agreed: {agreed}", codec.name());
    ear.talk_to(ok.sound());
    for (after_ms, act) in acts {
        thread::sleep(Duration::from_millis(*after_ms));
        match act {
            Act::Press(key) => ear.press(*key),
            Act::Through => {
                let until = Instant::now() + Duration::from_secs(60);
                while !is_through() {
                    assert!(Instant::now() < until, "{from} is not put through:\n{}", node.log());
                    thread::sleep(Duration::from_millis(100));
                }
            }
            Act::Ask => drop(node.done(&["calls", "ask", &leg.call_id])),
            Act::HangUp => {
                phone.send(&leg.request("BYE"));
                phone.expect((200, "BYE"));
            }
            Act::Ends => {
                let bye = phone.expect_within(Duration::from_secs(30), "BYE");
                phone.send(&leg.reply(&bye, 200));
            }
        }
    }
    ear.heard().iter().filter(|packet| packet.kind == kind).cloned().collect()
}
