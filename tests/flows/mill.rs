//! Thousands of short calls through one node, one after the other and some dozens at a time, by peers that
//! forget each as soon as it is over: row O-09.

use std::{
    collections::{HashMap, VecDeque},
    fs,
    net::{SocketAddr, UdpSocket},
    time::{Duration, Instant},
};

use support::{
    exchange::message::user_of,
    node::{Change, Node},
    peer::{draft::Draft, leg::Leg, seen::Seen},
    scene::{ENGLISH, NEVER},
    sound::{encode_a, tone},
    stage::sdp,
};

/// One call of so many is asked and recorded.
const ASKED: usize = 10;
/// How many short ones begin in a second, and how many calls there are at a time at most.
const PACE_PER_S: u32 = 50;
const AT_A_TIME: usize = 150;
/// Packets that both sides say before the caller hangs up.
const SPEECH: u16 = 10;
const PACKET: Duration = Duration::from_millis(20);
/// So many calls in all, and between two looks at the memory.
const CALLS: usize = 20_000;
const STEP: usize = 500;
/// So many bytes of a call may stay: one that leaves its session behind leaves twenty thousand.
const LEFT: u64 = 150;
/// When the caller presses its key after the answer.
const KEY: Duration = Duration::from_millis(300);

/// One call, from the INVITE to the answer to the last BYE.
struct Talk {
    /// The dialogs of the caller and of the PBX, and where the node hears each.
    legs: [Option<Leg>; 2],
    sounds: [Option<SocketAddr>; 2],
    is_asked: bool,
    talks: bool,
    /// Packets sent by each side.
    said: u16,
}

/// What is due at a time: the next packets of a call.
type Due = (Instant, usize);

/// A caller and a PBX that share a thread; each has one port for the sound of all its calls.
struct Mill {
    node: Node,
    signals: [UdpSocket; 2],
    sounds: [UdpSocket; 2],
    talks: HashMap<usize, Talk>,
    /// Calls by Call-ID of either leg.
    names: HashMap<String, usize>,
    /// The calls that are asked and have not pressed their key; those that talk.
    keys: VecDeque<Due>,
    speech: VecDeque<Due>,
    begun: usize,
    over: usize,
}

/// RTP: payload type with the marker bit, number, timestamp, source, payload.
fn packet(kind: u8, number: u16, source: u32, payload: &[u8]) -> Vec<u8> {
    let timestamp = (u32::from(number) * 160).to_be_bytes();
    let head = [&[0x80, kind][..], &number.to_be_bytes(), &timestamp, &source.to_be_bytes()];
    [&head.concat(), payload].concat()
}

fn bound(port: u16) -> UdpSocket {
    let socket = UdpSocket::bind(("127.0.0.1", port)).expect("a free port");
    socket.set_nonblocking(true).expect("a socket");
    socket
}

impl Mill {
    fn start() -> Self {
        let change = Change { more_ports: 400, ..Change::default() }
            .with("memory_mb = 32", "memory_mb = 0")
            .with("confirm = \"first\"", "confirm = \"off\"")
            .with("t1_ms = 500", "t1_ms = 50")
            .with("t2_ms = 4000", "t2_ms = 400")
            .with("t4_ms = 5000", "t4_ms = 500")
            .with("source_per_s = 200", "source_per_s = 10000");
        let node = Node::start(&change);
        Self {
            signals: [bound(0), bound(node.pbx)],
            sounds: [bound(0), bound(0)],
            node,
            talks: HashMap::new(),
            names: HashMap::new(),
            keys: VecDeque::new(),
            speech: VecDeque::new(),
            begun: 0,
            over: 0,
        }
    }

    fn send(&self, side: usize, draft: &Draft) {
        let node = SocketAddr::from(([127, 0, 0, 1], self.node.sip));
        self.signals[side].send_to(&draft.wire(), node).expect("a datagram is sent");
    }

    fn own(&self, side: usize) -> String {
        sdp(self.sounds[side].local_addr().expect("an address"))
    }

    fn begins(&mut self) {
        let is_asked = self.begun.is_multiple_of(ASKED);
        let line = if is_asked { ENGLISH } else { NEVER };
        let own = self.signals[0].local_addr().expect("an address");
        let node = SocketAddr::from(([127, 0, 0, 1], self.node.sip));
        let mut leg = Leg::calling(own, &format!("+316{:08}", self.begun), line, node);
        self.names.insert(leg.call_id.clone(), self.begun);
        self.send(0, &leg.invite().sdp(self.own(0)));
        let (legs, sounds) = ([Some(leg), None], [None; 2]);
        let talk = Talk { legs, sounds, is_asked, talks: false, said: 0 };
        self.talks.insert(self.begun, talk);
        self.begun += 1;
    }

    /// What the caller does when it is answered; repeated answers are acknowledged again.
    fn is_answered(&mut self, call: usize, ok: &Seen) {
        let Some(talk) = self.talks.get_mut(&call) else { return };
        let ack = talk.legs[0].as_mut().expect("it calls").ack(ok);
        let is_first = talk.sounds[0].replace(ok.sound()).is_none();
        if is_first && talk.is_asked {
            self.keys.push_back((Instant::now() + KEY, call));
        }
        self.send(0, &ack);
    }

    /// The PBX takes every call at once.
    fn is_called(&mut self, invite: &Seen) {
        let user = user_of(&invite.text).and_then(|user| user.strip_prefix("+316"));
        let call = user.and_then(|number| number.parse().ok()).expect("who calls");
        let own = self.signals[1].local_addr().expect("an address");
        let body = self.own(1);
        let Some(talk) = self.talks.get_mut(&call) else { return };
        let leg = talk.legs[1].get_or_insert_with(|| Leg::called(own, invite));
        let answer = leg.reply(invite, 200).sdp(body);
        self.names.insert(leg.call_id.clone(), call);
        talk.sounds[1] = Some(invite.sound());
        self.send(1, &answer);
    }

    /// A leg is over; a call is when both are.
    fn ends(&mut self, call: usize, side: usize) {
        let Some(talk) = self.talks.get_mut(&call) else { return };
        talk.legs[side] = None;
        if talk.legs.iter().all(Option::is_none) {
            self.talks.remove(&call);
            self.over += 1;
        }
    }

    fn received(&mut self, side: usize, seen: &Seen) {
        let id = seen.header("Call-ID").to_owned();
        let known = self.names.get(&id).copied();
        match (side, known, seen.method(), seen.status(), seen.cseq().1) {
            (0, Some(call), None, Some(200), "INVITE") => self.is_answered(call, seen),
            (0, Some(call), None, Some(200), "BYE") => {
                self.names.remove(&id);
                self.ends(call, 0);
            }
            (_, _, None, Some(100..200), _) => {}
            (1, _, Some("INVITE"), ..) => self.is_called(seen),
            (1, Some(call), Some("ACK"), ..) => {
                let talk = self.talks.get_mut(&call);
                if talk.is_some_and(|talk| !std::mem::replace(&mut talk.talks, true)) {
                    self.speech.push_back((Instant::now(), call));
                }
            }
            (1, Some(call), Some("BYE"), ..) => {
                let leg = self.talks.get_mut(&call).and_then(|talk| talk.legs[1].as_mut());
                if let Some(answer) = leg.map(|leg| leg.reply(seen, 200)) {
                    self.send(1, &answer);
                }
                self.names.remove(&id);
                self.ends(call, 1);
            }
            // What is repeated after the end of its call.
            (0, None, None, Some(200), _) | (1, None, Some("ACK" | "BYE"), ..) => {}
            _ => panic!("side {side} does not expect\n{}", seen.text),
        }
    }

    fn receives(&mut self) {
        let mut buffer = vec![0; 65_535];
        for side in [0, 1] {
            while let Ok((length, from)) = self.signals[side].recv_from(&mut buffer) {
                let octets = buffer[..length].to_vec();
                let text = String::from_utf8_lossy(&octets).into_owned();
                self.received(side, &Seen { at: Instant::now(), from, octets, text });
            }
        }
    }

    fn says(&self, call: usize, side: usize, kind: u8, number: u16, payload: &[u8]) {
        let to = self.talks.get(&call).and_then(|talk| talk.sounds[side]);
        let source = (call * 2 + side) as u32;
        let _over =
            to.map(|to| self.sounds[side].send_to(&packet(kind, number, source, payload), to));
    }

    /// Presses the keys that are due and speaks the packets that are.
    fn speaks(&mut self, sound: &[u8]) {
        let now = Instant::now();
        while let Some((_, call)) = self.keys.pop_front_if(|(due, _)| *due <= now) {
            for (kind, end) in [(0x80 | 101, 10), (101, 0x8a), (101, 0x8a), (101, 0x8a)] {
                self.says(call, 0, kind, 1, &[1, end, 3, 32]);
            }
        }
        while let Some((due, call)) = self.speech.pop_front_if(|(due, _)| *due <= now) {
            let Some(talk) = self.talks.get_mut(&call) else { continue };
            // The row of a call is written before its answer, and the PBX may be first.
            talk.said += u16::from(talk.sounds[0].is_some());
            let (said, enough) = (talk.said, if talk.is_asked { 5 * SPEECH } else { SPEECH });
            if said > enough {
                let bye = talk.legs[0].as_mut().map(|leg| leg.request("BYE")).expect("a call");
                self.send(0, &bye);
                continue;
            }
            for side in [0, 1] {
                self.says(call, side, 8, 1 + said, sound);
            }
            self.speech.push_back((due + PACKET, call));
        }
    }

    /// Lets so many calls go through, and says what memory the node has held after each `step` of them.
    fn grinds(&mut self, calls: usize, step: usize) -> Vec<u64> {
        let sound: Vec<u8> = tone(700.0, 20, 8_000.0).into_iter().map(encode_a).collect();
        let (started, mut series) = (Instant::now(), Vec::new());
        let (mut next, mut moved) = (started, started);
        while self.over < calls {
            let before = self.over;
            while self.begun < calls && self.talks.len() < AT_A_TIME && next <= Instant::now() {
                self.begins();
                next += Duration::from_secs(1) / PACE_PER_S;
            }
            self.receives();
            self.speaks(&sound);
            if self.over > before {
                moved = Instant::now();
            }
            if self.over / step > before / step {
                series.push(held(&self.node));
                println!(
                    "{} calls in {:.0?}: {:?} kB",
                    self.over,
                    started.elapsed(),
                    series.last()
                );
            }
            let stuck = moved.elapsed() > Duration::from_secs(60);
            assert!(!stuck, "{} calls stay:\n{}", self.talks.len(), self.node.log());
            std::thread::sleep(Duration::from_millis(1));
        }
        series
    }
}

/// Kilobytes that the node holds for itself: neither files nor the program.
fn held(node: &Node) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", node.pid())).expect("a process");
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).expect("its memory");
    line.split_whitespace().next().and_then(|kb| kb.parse().ok()).expect("kilobytes")
}

mod long {
    //! What takes minutes.

    use super::*;

    #[test]
    fn o_09_twenty_thousand_calls_through_one_process_leave_nothing_in_its_memory() {
        let mut mill = Mill::start();
        let series = mill.grinds(CALLS, STEP);
        println!("{series:?}");
        // Were no key heard, nothing would be recorded.
        let recorded = format!("jawoord_verdict_total{{verdict=\"recorded\"}} {}", CALLS / ASKED);
        let until = Instant::now() + Duration::from_secs(20);
        while !mill.node.metrics().lines().any(|line| line == recorded) {
            assert!(Instant::now() < until, "{}", mill.node.metrics());
            std::thread::sleep(Duration::from_millis(100));
        }
        // Caches fill first, and a burst of calls leaves room behind that the next one uses: then memory
        // grows in a step and stays. What each call leaves behind grows at every look.
        let late = &series[series.len() / 2..];
        let mut grown: Vec<u64> =
            late.windows(2).map(|two| two[1].saturating_sub(two[0])).collect();
        grown.sort_unstable();
        let usual = grown[grown.len() / 2];
        assert!(usual * 1_024 < STEP as u64 * LEFT, "{usual} KiB more after each {STEP} calls");
    }
}
