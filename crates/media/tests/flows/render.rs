//! Ten thousand renderings of key presses, spoilt as telephones, gateways and networks spoil them: every
//! key counts once and reaches the other party once (rows D-01 to D-07, D-10, D-18, D-22).

use std::collections::BTreeSet;

use call::{Connection, Key, Party, Raw, Time};
use media::{Event, Header, Verdict};

use crate::stage::{START, Stage, address, ms};

struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 11
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    fn one_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }

    fn of<T: Copy>(&mut self, list: &[T]) -> T {
        list[self.below(list.len() as u64) as usize]
    }
}

/// What reaches the relay, and when.
enum What {
    Packet(Header, Vec<u8>),
    Info(Key),
}

/// How one telephone presses keys.
#[derive(Clone, Copy, Debug)]
struct Habit {
    /// Timestamp units of a millisecond: 8, or 48 with a clock of 48 kHz.
    per_ms: u32,
    update_ms: u64,
    ends: u64,
    /// 0: on the first packet, 1: on every packet, 2: on none.
    markers: u64,
    first_is_zero: bool,
    odd: bool,
    sound_beside: bool,
    gap: u16,
    info: bool,
}

fn habit(chance: &mut Chance) -> Habit {
    let per_ms = chance.of(&[8, 8, 8, 48]);
    Habit {
        per_ms,
        update_ms: chance.of(&[20, 20, 30, 50]),
        ends: chance.of(&[0, 1, 3, 3, 10]),
        markers: chance.below(3),
        first_is_zero: chance.one_in(3),
        odd: chance.one_in(2),
        // Sound between the packets of a key is of one clock with them, and ours is 8 kHz.
        sound_beside: per_ms == 8 && chance.one_in(4),
        gap: chance.of(&[0, 0, 1, 700]),
        info: chance.one_in(4),
    }
}

struct Sender {
    habit: Habit,
    sequence: u16,
    origin: u32,
    all: Vec<(u64, What)>,
}

impl Sender {
    fn stamp(&self, at: u64) -> u32 {
        self.origin.wrapping_add(at as u32 * self.habit.per_ms)
    }

    fn packet(
        &mut self,
        at: u64,
        payload_type: u8,
        marker: bool,
        timestamp: u32,
        payload: Vec<u8>,
    ) {
        let sequence = self.sequence;
        self.sequence = sequence.wrapping_add(1);
        let header = Header { marker, payload_type, sequence, timestamp, ssrc: 7 };
        self.all.push((at, What::Packet(header, payload)));
    }

    fn sound(&mut self, from: u64, until: u64) {
        for at in (from..until).step_by(20) {
            self.packet(at, 8, false, self.stamp(at), vec![0xD5; 160]);
        }
    }

    /// One key from `at` on, held for `held` ms. The packets that the network loses are left out,
    /// never all of them.
    fn press(&mut self, chance: &mut Chance, at: u64, held: u64, code: u8) {
        let Habit { per_ms, update_ms, ends, markers, first_is_zero, odd, .. } = self.habit;
        self.sequence = self.sequence.wrapping_add(self.habit.gap);
        let start = self.stamp(at);
        let mut packets = Vec::new();
        let mut after = if first_is_zero { 0 } else { update_ms };
        while after < held {
            packets.push((after, false));
            after += update_ms;
        }
        packets.extend((0..ends).map(|n| (held + n * 2, true)));
        if packets.is_empty() {
            packets.push((0, false));
        }
        // A run of them is lost: starts, ends, or some in between.
        let count = packets.len() as u64;
        let lost = if chance.one_in(2) { chance.below(count) } else { 0 };
        let first_lost = chance.below(count - lost + 1);
        for (n, (after, end)) in packets.into_iter().enumerate() {
            let mut units = after.min(held) as u32 * per_ms;
            if odd {
                units = units.saturating_add(chance.below(40) as u32).saturating_sub(20);
            }
            let [high, low] = u16::try_from(units).unwrap_or(u16::MAX).to_be_bytes();
            let payload = vec![code, (u8::from(end) << 7) | 10, high, low];
            if self.habit.sound_beside && !end && n > 0 {
                self.packet(at + after, 8, false, self.stamp(at + after), vec![0xD5; 160]);
            }
            let marker = markers == 1 || (markers == 0 && n == 0);
            let is_lost = (first_lost..first_lost + lost).contains(&(n as u64));
            self.packet(at + after, 96, marker, start, payload);
            if is_lost {
                self.all.pop();
            }
        }
        if self.habit.info {
            let late = at + held + chance.below(400);
            self.all.push((late, What::Info(Key::from_event(code).unwrap())));
        }
        self.sequence = self.sequence.wrapping_add(self.habit.gap);
    }
}

/// The keys that are pressed and everything that arrives, in the order in which it does.
fn render(chance: &mut Chance, habit: Habit) -> (String, Vec<(u64, What)>) {
    let origin = chance.next() as u32;
    let mut sender = Sender { habit, sequence: chance.next() as u16, origin, all: Vec::new() };
    let (mut at, mut keys) = (200, String::new());
    sender.sound(0, at);
    for _ in 0..=chance.below(6) {
        let (held, pause) = (40 + chance.below(300), 40 + chance.below(200));
        let code = chance.below(16) as u8;
        keys.push(Key::from_event(code).unwrap().reveal());
        sender.press(chance, at, held, code);
        // After ends that repeat, and with a frame of sound in the pause when there is room.
        at += held + pause;
    }
    sender.sound(at, at + 100);
    let mut all = sender.all;
    // A packet is overtaken by the next one or two, or comes twice.
    for place in 12..all.len().saturating_sub(2) {
        let (at, next) = (all[place].0, all[place + 1].0);
        if chance.one_in(12) && next <= at + 20 {
            let at = at.max(next);
            all[place].0 = at;
            all.swap(place, place + 1);
        }
        if chance.one_in(20)
            && let (at, What::Packet(header, payload)) = &all[place]
        {
            let again = (*at, What::Packet(*header, payload.clone()));
            all.insert(place + 1, again);
        }
    }
    all.sort_by_key(|(at, _)| *at);
    (keys, all)
}

/// What the relay reports, and what the other party is given as events.
fn through(all: &[(u64, What)]) -> (String, String) {
    let mut stage = Stage::bare();
    stage.connect(Connection::Bridged);
    let mut given = Vec::new();
    let mut known = BTreeSet::new();
    let mut take = |bytes: &[u8]| {
        if bytes.len() == 16 && known.insert([bytes[4], bytes[5], bytes[6], bytes[7]]) {
            given.push(Key::from_event(bytes[12]).unwrap().reveal());
        }
    };
    let mut keys = String::new();
    let mut scratch = [0; 256];
    let last = all.last().map_or(0, |(at, _)| *at);
    let wait = (last..last + 3_000).step_by(10).map(|at| (at, None));
    for (at, what) in all.iter().map(|(at, what)| (*at, Some(what))).chain(wait) {
        let now: Time = START + ms(at);
        while let Some(transmit) = stage.relay.poll_transmit(now, &mut scratch) {
            if transmit.party == Party::Agent && transmit.channel == media::Channel::Rtp {
                take(&scratch[transmit.bytes]);
            }
        }
        let Some(what) = what else { continue };
        match what {
            What::Info(key) => stage.relay.press(now, Party::Customer, *key, ms(100), Raw::NONE),
            What::Packet(header, payload) => {
                let mut bytes = header.encode().to_vec();
                bytes.extend(payload);
                let from = address(Party::Customer);
                let length = bytes.len();
                let verdict = stage.relay.receive(now, Party::Customer, from, (&mut bytes, length));
                if let Verdict::Forward(transmit) = verdict {
                    take(&bytes[transmit.bytes]);
                }
            }
        }
        while let Some(event) = stage.relay.poll_event() {
            if let Event::Digit(_, press) = event {
                keys.push(press.key.reveal().reveal());
            }
        }
    }
    (keys, given.into_iter().collect())
}

#[test]
fn d_05_ten_thousand_spoilt_renderings_of_keys_count_each_once_and_pass_each_on_once() {
    let mut chance = Chance(0x004A_574F_5244);
    for round in 0..10_000 {
        let habit = habit(&mut chance);
        let (keys, all) = render(&mut chance, habit);
        let (heard, given) = through(&all);
        assert_eq!(heard, keys, "round {round}: {habit:?}");
        assert_eq!(given, keys, "given in round {round}: {habit:?}");
    }
}
