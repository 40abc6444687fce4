//! Whatever arrives on a socket: nothing panics, and nothing bypasses the rules.

use call::{Connection, Party};
use media::Verdict;

use crate::stage::{Stage, ms};

/// Marsaglia's xorshift: the seed in a failing line reproduces the run.
pub(crate) struct Chance(pub(crate) u64);

impl Chance {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }
}

#[test]
fn random_packets_never_panic_and_what_is_sent_on_is_well_formed() {
    for seed in [0x9E37_79B9_7F4A_7C15, 0xD1B5_4A32_D192_ED03] {
        println!("seed {seed:#x}");
        let mut chance = Chance(seed);
        let mut stage = Stage::granted();
        let mut forwarded = 0;
        for n in 0..60_000_u32 {
            let party = if chance.next() & 1 == 0 { Party::Customer } else { Party::Agent };
            let length = chance.below(220) as usize;
            let mut bytes: Vec<u8> = (0..length).map(|_| chance.next() as u8).collect();
            if chance.below(4) > 0 {
                // Plausible: the right version, a known payload type, often a known source.
                let types = [8, 0, 96, 101, 13, 72];
                let shape = [0x80 | (chance.next() as u8 & 0x31), types[chance.below(6) as usize]];
                bytes.splice(..bytes.len().min(2), shape);
                if chance.below(2) == 0 && bytes.len() >= 12 {
                    bytes[8..12].copy_from_slice(&[0, 0, 0, 1]);
                    bytes[2..4].copy_from_slice(&(n as u16).to_be_bytes());
                }
            }
            // `send` checks that what is forwarded parses and has a plain header.
            let verdict = stage.send(party, bytes.clone());
            forwarded += u32::from(matches!(verdict, Verdict::Forward(_) | Verdict::Packed));
            let from = stage.phone(party).from;
            stage.relay.receive_report(stage.now, party, from, &mut bytes);
            match chance.below(400) {
                0 => stage.run(ms(chance.below(300))),
                1 => stage.connect(Connection::Early),
                2 => stage.connect(Connection::Bridged),
                3 => stage.relay.hush(stage.now),
                4 => stage.relay.ring_back(stage.now, Party::Customer),
                _ => stage.now = stage.now + ms(chance.below(3)),
            }
            stage.customer.heard.clear();
            stage.agent.heard.clear();
            if let Some(reader) = &mut stage.reader
                && let Some(block) = reader.pop()
            {
                assert!(block.frames().map(|frame| frame.payload.len()).sum::<usize>() <= 1_280);
                reader.give_back(block);
            }
        }
        assert!(forwarded > 1_000, "{forwarded}");
        assert_eq!(stage.relay.stats().faults, 0);
    }
}
