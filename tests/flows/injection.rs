//! Who knows the ports of a hundred calls and throws everything at them is heard and recorded nowhere (S-02, S-06).

use std::{
    net::{SocketAddr, UdpSocket},
    thread,
    time::{Duration, Instant},
};

use support::{
    node::{Change, Node},
    peer::{
        guard::{Guard, Key, SUITES},
        leg::Leg,
        post::{Peer, What},
        seen::Seen,
        voice::{Packet, Voice},
    },
    scene::{ENGLISH, NEVER, words},
    sound::{encode_a, heard, tone},
    stage::sdp,
};

const CALLS: usize = 100;
/// What the callers say, what the PBX says, and what the attacker would have them hear, in hertz.
const SAID: [f64; 2] = [700.0, 450.0];
const FORGED: f64 = 1_900.0;
/// How long everybody talks at least, in packets of 60 ms: a third of the work of usual ones.
const TALK: Duration = Duration::from_secs(3);
const PACKET_MS: u16 = 60;
/// The longest that it may take until everybody has heard most of that; a loaded machine is slow.
const PATIENCE: Duration = Duration::from_secs(15);
/// From one strike at all of them to the next.
const ROUND: Duration = Duration::from_millis(400);

/// Whether a call is recorded: four of each mix of legs are.
const fn is_recorded(call: usize) -> bool {
    call % 25 < 4
}

/// One leg of a call.
struct Target {
    /// 0: its caller's, 1: that of the PBX.
    side: usize,
    call: usize,
    /// Where the node hears it.
    at: SocketAddr,
    is_secured: bool,
}

/// What the attacker has sent, by what should become of it.
#[derive(Debug, Default)]
struct Sent {
    foreign: u64,
    unauthentic: u64,
    replayed: u64,
    malformed: u64,
}

/// Who knows every port, every address and every stream, and no key.
struct Attacker {
    /// At the address of the parties, and at another one.
    places: [UdpSocket; 2],
    wrong: Guard,
    sent: Sent,
    turn: u16,
}

impl Attacker {
    fn new() -> Self {
        let bound =
            |last| UdpSocket::bind(SocketAddr::from(([127, 0, 0, last], 0))).expect("a free port");
        let key = |seed| Key::new(1, SUITES[0].0, seed);
        let wrong = Guard::new(&key(200), &key(201));
        Self { places: [1, 66].map(bound), wrong, sent: Sent::default(), turn: 0 }
    }

    /// Loud sound of the party's own stream; every fourth time a key, that of the withdrawal and that of
    /// the yes by turns.
    fn forged(&self) -> Vec<u8> {
        let (turn, is_key) = (self.turn, self.turn.is_multiple_of(4));
        let mut packet = vec![0x80, if is_key { 101 } else { 8 }];
        packet.extend(turn.to_be_bytes());
        packet.extend((u32::from(turn) * 160).to_be_bytes());
        packet.extend(source().to_be_bytes());
        if is_key {
            packet.extend([[10, 1][usize::from(turn / 4 % 2)], 0x8a, 3, 32]);
        } else {
            packet.extend(tone(FORGED, 20, 20_000.0).into_iter().map(encode_a));
        }
        packet
    }

    /// Throws the next thing of each kind at a leg.
    fn strikes(&mut self, target: &Target, voice: &Voice) {
        self.turn = self.turn.wrapping_add(1);
        let plain = self.forged();
        let sealed = self.wrong.seal(&plain);
        let goodbye = [[0x81, 203, 0, 1], source().to_be_bytes()].concat();
        let (sound, report) = match self.turn % 3 {
            0 => (sealed.clone(), self.wrong.seal_report(&goodbye)),
            _ => (plain.clone(), goodbye),
        };
        let from = usize::from(self.turn % 2);
        let beside = SocketAddr::new(target.at.ip(), target.at.port() + 1);
        self.places[from].send_to(&sound, target.at).expect("it is sent");
        self.places[from].send_to(&report, beside).expect("it is sent");
        // A report of the same host is read for what it says; it ends nothing.
        self.sent.foreign += 1 + from as u64;
        self.sent.unauthentic += u64::from(target.is_secured && from == 0);
        // From here on with the party's own address, as who can write it. No packet begins like this:
        voice.raw([&[0x17], &sealed[..usize::from(self.turn % 16)]].concat());
        let is_garbage = !target.is_secured && from == 0 && self.turn.is_multiple_of(3);
        self.sent.malformed += 1 + u64::from(is_garbage);
        if target.is_secured {
            voice.raw(if self.turn.is_multiple_of(5) { sealed } else { plain });
            voice.again();
            self.sent.unauthentic += 1;
            self.sent.replayed += 1;
        }
    }
}

/// The source of every party's stream: nothing secret.
fn source() -> u32 {
    0x4000_0000 | std::process::id()
}

/// Callers and a PBX before a node, and who is against them.
struct Place {
    node: Node,
    caller: Peer,
    pbx: Peer,
    voices: [Vec<Voice>; 2],
    targets: Vec<Target>,
    attacker: Attacker,
}

impl Place {
    fn open() -> Self {
        // A few calls more than ours are kept for emergencies.
        let change = Change { more_ports: 100, ..Change::default() }
            .srtp(("offer", true), ("offer", true))
            .with("confirm = \"first\"", "confirm = \"off\"");
        let node = Node::start(&change);
        let caller = Peer::new(node.sip);
        let pbx = Peer::at(SocketAddr::from(([127, 0, 0, 1], node.pbx)), node.sip);
        let voices = [(); 2].map(|()| Voice::choir([127, 0, 0, 1].into(), CALLS));
        Self { node, caller, pbx, voices, targets: Vec::new(), attacker: Attacker::new() }
    }

    /// Throws something at so many of the newest legs.
    fn strike(&mut self, legs: usize) {
        for target in self.targets.iter().rev().take(legs) {
            self.attacker.strikes(target, &self.voices[target.side][target.call]);
        }
    }

    /// Somebody calls, every second one under SRTP.
    fn calls(&mut self, call: usize) -> (Leg, Option<Key>) {
        let line = if is_recorded(call) { ENGLISH } else { NEVER };
        let mut a = self.caller.calls(&number(call), line);
        let own = (call % 2 == 1).then(|| Key::new(1, SUITES[call % 6].0, call as u8));
        let offer = under(&described(&self.voices[0][call]), "RTP/SAVP", own.as_ref());
        self.caller.send(&a.invite().sdp(offer));
        (a, own)
    }

    /// The node answers; the caller acknowledges and is heard.
    fn is_answered(&mut self, call: usize, (a, own): &mut (Leg, Option<Key>)) {
        let id = a.call_id.clone();
        let is = move |seen: &Seen| seen.status() == Some(200) && seen.header("Call-ID") == id;
        let ok = self.caller.expect(What::that("an answer", is));
        self.caller.send(&a.ack(&ok));
        let guard = own.as_ref().map(|own| Guard::new(own, &Key::of(&ok)[0]));
        self.joins(0, call, ok.sound(), guard);
    }

    fn joins(&mut self, side: usize, call: usize, at: SocketAddr, guard: Option<Guard>) {
        let (voice, is_secured) = (&self.voices[side][call], guard.is_some());
        voice.guard(guard);
        voice.packets(PACKET_MS);
        voice.talk_to(at);
        self.targets.push(Target { side, call, at, is_secured });
    }

    /// The PBX takes a call, every second pair of them under SRTP.
    fn takes(&mut self, call: usize) -> Leg {
        let from = number(call);
        let is = move |seen: &Seen| {
            seen.method() == Some("INVITE") && seen.header("From").contains(&from)
        };
        let invite = self.pbx.expect_within(Duration::from_secs(20), What::that("INVITE", is));
        let b = self.pbx.called(&invite);
        let suite = (call / 2 % 2 == 1).then_some(SUITES[call / 2 % 6].0);
        let theirs = Key::of(&invite).into_iter().find(|key| Some(key.suite.as_str()) == suite);
        let ours = theirs.as_ref().map(|key| Key::new(key.tag, &key.suite, 100 + call as u8));
        let answer = under(&described(&self.voices[1][call]), "RTP/AVP", ours.as_ref());
        self.pbx.send(&b.reply(&invite, 200).sdp(answer));
        let guard = ours.zip(theirs).map(|(ours, theirs)| Guard::new(&ours, &theirs));
        self.joins(1, call, invite.sound(), guard);
        b
    }

    /// All calls come up, those first that are asked; the attacker strikes at each that is there.
    fn fills(&mut self) -> Vec<(Leg, Leg)> {
        let (asked, others): (Vec<_>, Vec<_>) = (0..CALLS).partition(|call| is_recorded(*call));
        let mut waiting = Vec::new();
        for call in asked {
            let mut caller = self.calls(call);
            self.is_answered(call, &mut caller);
            waiting.push((call, caller.0));
        }
        thread::sleep(Duration::from_millis(300));
        waiting.iter().for_each(|(call, _)| self.voices[0][*call].press('1'));
        let mut dialogs = Vec::new();
        for call in others {
            let mut caller = self.calls(call);
            let b = self.takes(call);
            self.is_answered(call, &mut caller);
            dialogs.push((caller.0, b));
            self.strike(10);
        }
        for (call, a) in waiting {
            let b = self.takes(call);
            dialogs.push((a, b));
            self.strike(10);
        }
        dialogs
    }

    /// A leg whose party has not heard most of what the other says: side and call.
    fn deaf(&mut self) -> Option<(usize, usize)> {
        let whole = TALK.as_millis() as usize / usize::from(PACKET_MS) * 9 / 10;
        let legs = (0..2).flat_map(|side| (0..CALLS).map(move |call| (side, call)));
        legs.into_iter().find(|(side, call)| {
            let said = |packet: &&Packet| packet.holds(SAID[1 - side]);
            self.voices[*side][*call].heard().iter().filter(said).take(whole).count() < whole
        })
    }

    /// Every caller hangs up, and the attacker goes on.
    fn ends(&mut self, dialogs: &mut [(Leg, Leg)]) {
        for (a, _) in &mut *dialogs {
            self.caller.send(&a.request("BYE"));
        }
        self.strike(2 * CALLS);
        for (_, b) in dialogs {
            let id = b.call_id.clone();
            let is =
                move |seen: &Seen| seen.method() == Some("BYE") && seen.header("Call-ID") == id;
            let bye = self.pbx.expect(What::that("BYE", is));
            self.pbx.send(&b.reply(&bye, 200));
        }
    }
}

fn number(call: usize) -> String {
    format!("+316123{call:05}")
}

fn described(voice: &Voice) -> String {
    sdp(voice.own).replace("a=ptime:20", &format!("a=ptime:{PACKET_MS}"))
}

/// A description that wants SRTP under this key, if there is one.
fn under(text: &str, profile: &str, key: Option<&Key>) -> String {
    key.map_or(text.to_owned(), |key| text.replace("RTP/AVP", profile) + &key.line())
}

/// What a metric counts.
fn counted(metrics: &str, reason: &str) -> u64 {
    let line = format!("jawoord_stray_media_total{{reason=\"{reason}\"}} ");
    let found = metrics.lines().find_map(|text| text.strip_prefix(&line));
    found.and_then(|count| count.parse().ok()).unwrap_or_else(|| panic!("no {line} in\n{metrics}"))
}

#[test]
fn s_06_throughout_a_hundred_calls_an_injector_is_neither_heard_nor_recorded_and_all_is_counted() {
    let mut place = Place::open();
    let mut dialogs = place.fills();
    for (side, hz) in SAID.into_iter().enumerate() {
        place.voices[side].iter().for_each(|voice| voice.speak(hz));
    }
    let begun = Instant::now();
    let mut deaf = Some((0, 0));
    while deaf.is_some() {
        assert!(begun.elapsed() < PATIENCE, "who does not hear the other: {deaf:?}");
        place.strike(2 * CALLS);
        thread::sleep(ROUND);
        deaf = if begun.elapsed() < TALK { deaf } else { place.deaf() };
    }
    place.ends(&mut dialogs);
    for (side, voices) in place.voices.iter_mut().enumerate() {
        for (call, voice) in voices.iter_mut().enumerate() {
            let forged = |packet: &&Packet| packet.kind != 8 || packet.holds(FORGED);
            let forged = voice.heard().iter().filter(forged).count();
            assert_eq!(forged, 0, "call {call}, side {side} hears the injector");
        }
    }
    let all = |rows: &serde_json::Value, state: &str, value: &str| {
        rows.as_array().into_iter().flatten().filter(|row| row[state] == value).count()
    };
    let recorded = (0..CALLS).filter(|call| is_recorded(*call)).count();
    let calls =
        place.node.until(&["calls", "list"], |rows| all(rows, "outcome", "bridged") == CALLS);
    let said = calls.as_array().expect("calls").iter().map(words);
    let (yes, no) = ("granted bridged recorded", "not-asked bridged policy-off");
    let (yes, no): (Vec<_>, Vec<_>) =
        said.filter(|said| said == yes || said == no).partition(|said| said == yes);
    assert_eq!((yes.len(), no.len()), (recorded, CALLS - recorded), "{calls:#}");
    let rows =
        place.node.until(&["recordings", "list"], |rows| all(rows, "state", "stored") == recorded);
    for row in rows.as_array().expect("recordings") {
        let (left, right) = place.node.export(row["recording"].as_str().expect("an id"));
        for (channel, hz) in [(&left, SAID[0]), (&right, SAID[1])] {
            let seconds = heard(channel, hz) * channel.len() as f64 / 8_000.0;
            // Where a machine is so loaded that packets come in bursts, the recording says what it misses.
            let told = row["missing_ms"].as_f64().expect("milliseconds") / 1_000.0;
            assert!(seconds > 0.1, "{seconds} s of {hz} Hz in {row}");
            assert!(seconds + told > TALK.as_secs_f64() * 0.9, "{seconds} s of {hz} Hz in {row}");
            assert_eq!(heard(channel, FORGED), 0.0, "the injector is in {row}");
        }
    }
    let (metrics, sent) = (place.node.metrics(), &place.attacker.sent);
    let [foreign, malformed, unauthentic, replayed] =
        ["foreign", "malformed", "unauthentic", "replayed"].map(|reason| counted(&metrics, reason));
    // A forged packet whose number the party has passed is taken for a replay.
    let forged = sent.unauthentic + sent.replayed;
    for (what, counted, sent) in [
        ("foreign", foreign, sent.foreign),
        ("malformed", malformed, sent.malformed),
        ("forged or replayed", unauthentic + replayed, forged),
    ] {
        // What strikes as a call ends is for nobody.
        assert!((sent * 9 / 10..=sent).contains(&counted), "{what}: {counted} of {sent}");
    }
    assert!(unauthentic > sent.unauthentic / 10 && replayed >= sent.replayed * 9 / 10, "{metrics}");
}
