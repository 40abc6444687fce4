//! What a packet costs on its way through a call: instructions of the relay without a socket, counted by
//! valgrind and held under a ceiling for each way. What the phones and the recorder of these tests do is
//! counted with it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says why")]

#[path = "flows/stage.rs"]
#[allow(dead_code, reason = "the stage serves more tests than this one")]
mod stage;

use std::env;

use call::{Connection, Input, Kept, Key, Parties, Party, Raw};
use media::{Codec, Encoder, Format, Header, Keys, MasterKey, Suite, TRAILER, Verdict};
use rtc_srtp::{context::Context, protection_profile::ProtectionProfile};

use stage::{Stage, address, ms, remote};

/// Set in the process that is counted: which way, and how many packets.
const WAY: &str = "JAWOORD_COUNTED_WAY";
const PACKETS: &str = "JAWOORD_COUNTED_PACKETS";
/// How many at most.
const MANY: u32 = 2_500;

/// A call of one kind, in which both parties talk in A-law.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// Relayed and not recorded; both sides have telephone events.
    Relay,
    /// The same where neither side has: nobody needs a key, so nobody listens for one.
    Quiet,
    /// Both have telephone events, and the withdrawal key is awaited: after the decision.
    Decided,
    /// Relayed and recorded.
    Recorded,
    /// Recorded with the tones of keys kept out.
    KeysKeptOut,
    /// Not recorded, and the customer's sound is listened to for keys and for a fax.
    Armed,
    /// The customer is asked in the call and has telephone events, one of which has come: their sound is
    /// listened to for a fax alone.
    Asked,
    /// One side speaks G.722.
    Transcoded,
    /// Both are under SRTP, with the suite that everybody has.
    Secured,
}

impl Way {
    const ALL: [(Self, &'static str); 9] = [
        (Self::Relay, "relay"),
        (Self::Quiet, "quiet"),
        (Self::Decided, "decided"),
        (Self::Recorded, "recorded"),
        (Self::KeysKeptOut, "keys-kept-out"),
        (Self::Armed, "armed"),
        (Self::Asked, "asked"),
        (Self::Transcoded, "transcoded"),
        (Self::Secured, "secured"),
    ];

    fn stage(self) -> Stage {
        match self {
            Self::Recorded => Stage::granted(),
            Self::KeysKeptOut => {
                let mut stage = Stage::asking(Parties::BOTH);
                stage.blanks = true;
                stage.run(ms(300));
                stage.press(Party::Customer, 1);
                stage.run(ms(300));
                stage.tell(Input::Answered);
                stage
            }
            Self::Relay
            | Self::Quiet
            | Self::Decided
            | Self::Armed
            | Self::Asked
            | Self::Transcoded
            | Self::Secured => {
                let mut stage = Stage::bare();
                for party in [Party::Customer, Party::Agent] {
                    stage.relay.set_remote(stage.now, party, remote(party, self.format(party)));
                    if self == Self::Secured {
                        let key = MasterKey::new(Suite::AesCm128Sha1_80, &SECRET, &[]).unwrap();
                        stage.relay.secure(party, Some(&Keys { send: key.clone(), receive: key }));
                    }
                }
                if matches!(self, Self::Armed | Self::Asked) {
                    stage.relay.keep(Party::Customer, Kept::All);
                }
                if self == Self::Asked {
                    let key = Key::new('5').unwrap();
                    stage.relay.press(stage.now, Party::Customer, key, ms(80), Raw::NONE);
                    stage.take_events();
                }
                if self == Self::Decided {
                    stage.relay.arm_withdrawal(Key::new('*').unwrap());
                }
                stage.connect(Connection::Bridged);
                stage
            }
        }
    }

    fn format(self, party: Party) -> Format {
        let plain = match party {
            Party::Customer => stage::CUSTOMER,
            Party::Agent => stage::AGENT,
        };
        match (self, party) {
            (Self::Quiet | Self::Armed, _) => Format { event_payload_type: None, ..plain },
            (Self::Transcoded, Party::Agent) => {
                Format { codec: Codec::G722, payload_type: 9, ..plain }
            }
            (Self::Transcoded, Party::Customer)
            | (
                Self::Relay
                | Self::Asked
                | Self::Decided
                | Self::Recorded
                | Self::KeysKeptOut
                | Self::Secured,
                _,
            ) => plain,
        }
    }

    /// What both parties send, in turn. As much of it is made whatever is sent then, so that what it costs
    /// them is not counted.
    fn packets(self, count: u32) -> Vec<Vec<u8>> {
        let provider = rtc_crypto::default_provider().unwrap();
        let ((key, salt), suite) = (SECRET.split_at(16), ProtectionProfile::Aes128CmHmacSha1_80);
        let mut guard = Context::new(key, salt, suite, None, None, provider.crypto()).unwrap();
        let speech = speech();
        let packet = |n: u32| {
            let party = if n.is_multiple_of(2) { Party::Customer } else { Party::Agent };
            let turn = n / 2;
            let header = Header {
                marker: false,
                payload_type: self.format(party).payload_type,
                sequence: turn as u16,
                timestamp: turn.wrapping_mul(160),
                ssrc: 7 + n % 2,
            };
            let said = speech.chunks_exact(160).nth(turn as usize % 25).unwrap();
            let packet = [&header.encode(), said].concat();
            if self == Self::Secured {
                guard.encrypt_rtp(&packet).unwrap().to_vec()
            } else {
                packet
            }
        };
        (0..count.max(MANY)).map(packet).collect()
    }
}

/// The master key of both parties, and its salt.
const SECRET: [u8; 30] = [0x5A; 30];

/// Half a second of sound like speech, which is never a key: a voice of 140 Hz with its harmonics.
fn speech() -> Vec<u8> {
    let mut encoder = Encoder::new(Codec::Pcma);
    let sample = |n: u32| {
        let turn = |hz: f64| (std::f64::consts::TAU * hz * f64::from(n) / 8_000.0).sin();
        (1..12).map(|k| turn(140.0 * f64::from(k)) * 4_000.0 / f64::from(k)).sum::<f64>() as i16
    };
    (0..4_000).map(|n| encoder.encode(sample(n))).collect()
}

/// So many packets, from both parties in turn, 20 ms of each.
fn talk(way: Way, count: u32) {
    let mut stage = way.stage();
    let mut bytes = [0; 256];
    let mut scratch = [0; 512];
    let (mut forwarded, mut taken) = (0, 0);
    for (n, packet) in way.packets(count).into_iter().take(count as usize).enumerate() {
        let party = if n % 2 == 0 { Party::Customer } else { Party::Agent };
        bytes[..packet.len()].copy_from_slice(&packet);
        let datagram = (&mut bytes[..packet.len() + TRAILER], packet.len());
        let verdict = stage.relay.receive(stage.now, party, address(party), datagram);
        forwarded += u32::from(matches!(verdict, Verdict::Forward(_)));
        if n % 2 == 0 {
            continue;
        }
        stage.relay.handle_timeout(stage.now);
        while stage.relay.poll_transmit(stage.now, &mut scratch).is_some() {}
        while let Some(event) = stage.relay.poll_event() {
            assert!(!matches!(event, media::Event::Digit(..)), "speech is no key");
        }
        if let Some(reader) = &mut stage.reader {
            while let Some(block) = reader.pop() {
                taken += block.frames().map(|frame| frame.payload.len()).sum::<usize>();
                reader.give_back(block);
            }
        }
        stage.now = stage.now + ms(20);
    }
    assert_eq!(forwarded, count, "{way:?}: every packet goes on");
    let is_recorded = matches!(way, Way::Recorded | Way::KeysKeptOut);
    let in_hand = 16 * 160;
    assert!(!is_recorded || taken + in_hand >= count as usize * 160, "{taken}");
}

/// What is counted: the runs below start this program again for this test alone.
#[test]
fn packets_go_through() {
    let count = env::var(PACKETS).ok().and_then(|count| count.parse().ok()).unwrap_or(200);
    let wanted = env::var(WAY).ok();
    for (way, name) in Way::ALL {
        if wanted.as_deref().is_none_or(|wanted| wanted == name) {
            talk(way, count);
        }
    }
}

mod valgrind {
    use std::{collections::BTreeMap, fmt::Write, fs, path::Path, process::Command, thread};

    use super::*;

    /// Instructions of the whole program with so many packets of a way.
    fn instructions(way: &str, count: u32) -> u64 {
        let out = Command::new("valgrind")
            .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
            .arg(env::current_exe().unwrap())
            .args(["--exact", "packets_go_through", "--test-threads=1"])
            .env(WAY, way)
            .env(PACKETS, count.to_string())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&out.stderr).into_owned();
        assert!(out.status.success(), "{said}");
        let line = said.lines().find_map(|line| line.split_once("Collected : "));
        line.unwrap_or_else(|| panic!("no count in {said}")).1.trim().parse().unwrap()
    }

    /// Instructions of one packet of each way.
    fn costs() -> BTreeMap<&'static str, u64> {
        const FEW: u32 = 500;
        let cost = |way| (instructions(way, MANY) - instructions(way, FEW)) / u64::from(MANY - FEW);
        thread::scope(|scope| {
            let halves = Way::ALL.chunks(5).map(|half| {
                scope.spawn(move || {
                    half.iter().map(|(_, name)| (*name, cost(name))).collect::<Vec<_>>()
                })
            });
            let halves: Vec<_> = halves.collect();
            halves.into_iter().flat_map(|half| half.join().unwrap()).collect()
        })
    }

    /// `RENEW=1 cargo test -p jawoord-media --test cost` writes the ceilings again, a tenth above what is
    /// counted now. A build of another compiler or profile has other counts.
    #[test]
    fn a_packet_stays_under_its_ceiling_of_instructions_on_every_way() {
        let costs = costs();
        println!("instructions a packet: {costs:?}");
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cost.txt");
        if env::var_os("RENEW").is_some() {
            let text = costs.iter().fold(String::new(), |mut text, (way, cost)| {
                writeln!(text, "{way}: {} instructions a packet at most", cost + cost / 10)
                    .unwrap();
                text
            });
            fs::write(&file, text).unwrap();
        }
        let text = fs::read_to_string(file).unwrap();
        for (way, cost) in &costs {
            let line = text.lines().find_map(|line| line.strip_prefix(&format!("{way}: ")));
            let most: u64 = line.unwrap().split(' ').next().unwrap().parse().unwrap();
            assert!(*cost <= most, "{way}: {cost} instructions a packet are more than {most}");
            // A ceiling far above the cost holds nothing: it is renewed when the cost falls.
            assert!(*cost > most / 2, "{way}: {cost} is far below {most}; renew the ceiling");
        }
        // Who needs no key does not pay for hearing one (row D-11).
        let [relay, quiet, decided] = ["relay", "quiet", "decided"].map(|way| costs[way]);
        // A payload type that was agreed on is one more to compare with.
        let most = relay / 500;
        assert!(
            quiet.abs_diff(relay) <= most,
            "{quiet} without telephone events, {relay} with them"
        );
        // Who has telephone events pays for one look at that when a key is awaited.
        assert!(decided <= relay + relay / 50, "{decided} after the decision, {relay} before");
    }
}
