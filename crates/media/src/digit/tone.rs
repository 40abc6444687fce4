//! Keys in the sound itself: the sixteen pairs of tones of ITU-T Q.23, told from speech and music.

use std::{f32::consts::TAU, sync::LazyLock};

use arrayvec::ArrayVec;
use call::Key;

use crate::{codec::Codec, transcode::Decoder};

/// The tones in hertz: a row and a column of the keypad are a key (ITU-T Q.23).
const ROWS: [f32; 4] = [697.0, 770.0, 852.0, 941.0];
const COLUMNS: [f32; 4] = [1_209.0, 1_336.0, 1_477.0, 1_633.0];
const KEYPAD: [[char; 4]; 4] =
    [['1', '2', '3', 'A'], ['4', '5', '6', 'B'], ['7', '8', '9', 'C'], ['*', '0', '#', 'D']];

/// Half a block: 6.4 ms. The turn of a tone from half to half says how far it is from its nominal
/// frequency, without ambiguity up to 78 Hz.
const HALF: usize = 51;
/// A block: 12.75 ms. Two of them fit in every 40 ms, whatever their phase, and none in 12 ms.
const BLOCK: f32 = 102.0;
/// The weakest tone of a pair: -35 dBm0, in squared 16-bit samples over a block. A sine of +3.14 dBm0
/// has a peak of 32,767: 102 × (32,767 × 10^((-35 - 3.14) / 20))² / 2.
const WEAKEST: f32 = 8.4e6;
/// A pair holds at least so much of the energy; at 12 dB above noise and 1 % off it holds 0.83.
const SHARE: f32 = 0.72;
/// A column is at most so much stronger than its row (7.5 dB), and so much weaker (8.5 dB).
const STRONGER: f32 = 5.6;
const WEAKER: f32 = 7.1;
/// The other rows and columns are weaker by 6 dB.
const ALONE: f32 = 4.0;
/// The second harmonic of a tone is weaker by 10 dB; speech has it as strong as the tone.
const HARMONIC: f32 = 0.1;
/// How far a tone may be off, as a part of its frequency: 1 % must be taken and 4 % must not
/// (ITU-T Q.24 asks for 1.5 % and 3.5 %). From block to block rows and columns, and from half to half
/// columns, whose turn over a block is ambiguous at 4 %.
const ROW_OFF: f32 = 0.023;
const COLUMN_OFF: f32 = 0.018;
const COLUMN_OFF_IN_HALVES: f32 = 0.031;
/// A key is over after so many blocks without it. Every pause of 40 ms has them, a click of 10 ms has
/// not.
const MISSES: u8 = 3;
/// Sound that is missing for longer than this ends a key: 40 ms.
const GAP: i64 = 320;
/// Where sound overlaps by at most so much (1 ms), a clock that is not ours is followed: it goes on.
const JOINT: i64 = 8;
/// Who is further back than this, one second, has begun anew.
const ANEW: i64 = 8_000;
/// So many keys at most begin in one packet.
const KEYS: usize = 16;

/// A complex number.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Turn {
    re: f32,
    im: f32,
}

impl Turn {
    fn by(angle: f32) -> Self {
        Self { re: angle.cos(), im: angle.sin() }
    }

    fn times(self, other: Self) -> Self {
        Self {
            re: self.re * other.re - self.im * other.im,
            im: self.re * other.im + self.im * other.re,
        }
    }

    fn plus(self, other: Self) -> Self {
        Self { re: self.re + other.re, im: self.im + other.im }
    }

    /// From `self` to `other`, multiplied by both lengths.
    fn to(self, other: Self) -> Self {
        Self { re: self.re, im: -self.im }.times(other)
    }

    fn square(self) -> f32 {
        self.re * self.re + self.im * self.im
    }
}

/// Rows, columns, their second harmonics.
type Lanes<T> = [[T; 4]; 4];
const LANES: usize = 16;

/// What does not change: made once for all ears.
struct Bank {
    /// 2 cos ω of Goertzel's recurrence.
    twice: [f32; LANES],
    /// The turn of one sample.
    sample: Lanes<Turn>,
    /// The turn of half a block.
    half: Lanes<Turn>,
}

static BANK: LazyLock<Bank> = LazyLock::new(bank);

fn bank() -> Bank {
    let hertz = [ROWS, COLUMNS, ROWS.map(|hz| hz * 2.0), COLUMNS.map(|hz| hz * 2.0)];
    let turns =
        |samples: f32| hertz.map(|group| group.map(|hz| Turn::by(TAU * hz * samples / 8_000.0)));
    let sample = turns(1.0);
    let mut twice = [0.0; LANES];
    for (twice, turn) in twice.iter_mut().zip(sample.as_flattened()) {
        *twice = 2.0 * turn.re;
    }
    Bank { twice, sample, half: turns(HALF as f32) }
}

/// A tone that stands out in a block.
#[derive(Clone, Copy)]
struct Tone {
    hertz: f32,
    /// Over the whole block.
    whole: Turn,
    /// The turn of the nominal frequency over half a block.
    half: Turn,
}

impl Tone {
    /// Whether it turned from `before` to `after`, which lie `halves` halves of a block apart, like its
    /// nominal frequency give or take `off` of it.
    fn keeps(&self, before: Turn, after: Turn, halves: u8, off: f32) -> bool {
        let mut turned = before.to(after);
        for _ in 0..halves {
            turned = self.half.to(turned);
        }
        let most = TAU * self.hertz * off * f32::from(halves) * HALF as f32 / 8_000.0;
        turned.re >= most.cos() * (before.square() * after.square()).sqrt()
    }
}

/// A block that holds a pair.
#[derive(Clone, Copy)]
struct Hit {
    key: Key,
    row: Tone,
    column: Tone,
}

impl Hit {
    /// Whether the block before holds the same key, and both tones went on at their frequencies.
    fn goes_on_from(&self, before: &Self) -> bool {
        self.key == before.key
            && self.row.keeps(before.row.whole, self.row.whole, 2, ROW_OFF)
            && self.column.keeps(before.column.whole, self.column.whole, 2, COLUMN_OFF)
    }
}

/// Listens for keys in one direction of sound. It keeps no sample: only sums over the block in hand.
pub(crate) struct Ear {
    bank: &'static Bank,
    decoder: Decoder,
    s1: [f32; LANES],
    s2: [f32; LANES],
    energy: f32,
    heard: usize,
    first: Option<Lanes<Turn>>,
    last: Option<Hit>,
    on: Option<Key>,
    misses: u8,
    next: Option<i64>,
}

impl Default for Ear {
    fn default() -> Self {
        Self {
            bank: &BANK,
            decoder: Decoder::new(Codec::Pcma),
            s1: [0.0; LANES],
            s2: [0.0; LANES],
            energy: 0.0,
            heard: 0,
            first: None,
            last: None,
            on: None,
            misses: 0,
            next: None,
        }
    }
}

impl Ear {
    /// Hears sound whose first sample lies at `position`, on any clock, and says which keys begin in it. A
    /// key has begun when two blocks in a row hold it: 25 to 39 ms after its first sample.
    pub(crate) fn hear(
        &mut self,
        position: i64,
        codec: Codec,
        payload: &[u8],
    ) -> ArrayVec<Key, KEYS> {
        let mut keys = ArrayVec::new();
        let missing = position - self.next.unwrap_or(position);
        if (-ANEW..-JOINT).contains(&missing) {
            // It came late; what follows has been heard.
            return keys;
        }
        if missing.abs() > JOINT {
            self.miss_sound(missing.abs());
        }
        if !self.decoder.is_for(codec) {
            self.decoder = Decoder::new(codec);
        }
        let mut rest = payload;
        while let Some((part, after)) = rest.split_at_checked(rest.len().min(HALF - self.heard))
            && !part.is_empty()
        {
            self.part(part);
            rest = after;
            if self.heard == HALF
                && let Some(key) = self.half()
            {
                let _of_a_packet_of_half_a_second = keys.try_push(key);
            }
        }
        self.next = Some(position + payload.len() as i64);
        keys
    }

    /// Whether sound at a position goes on from nothing that was heard.
    pub(crate) fn is_past(&self, position: i64) -> bool {
        self.next.is_none_or(|next| (position - next).abs() >= GAP)
    }

    /// The key that sounds.
    pub(crate) const fn on(&self) -> Option<Key> {
        self.on
    }

    /// The key that the last block held, sounding or not: one more block like it makes it sound.
    pub(crate) fn suspects(&self) -> Option<Key> {
        self.last.map(|hit| hit.key)
    }

    /// Hears a part of a half.
    fn part(&mut self, part: &[u8]) {
        let (twice, states) = (&self.bank.twice, (&mut self.s1, &mut self.s2));
        self.energy += match &mut self.decoder {
            Decoder::G711(law) => turn(part, |byte| law.decode(byte), twice, states),
            Decoder::G722(decoder) => turn(part, |byte| decoder.decode(byte), twice, states),
            Decoder::Deaf => turn(part, |_| 0, twice, states),
        };
        self.heard += part.len();
    }

    /// A packet was lost. The block in hand says nothing then.
    fn miss_sound(&mut self, samples: i64) {
        let _begun = self.close_half();
        (self.first, self.last, self.energy) = (None, None, 0.0);
        if samples >= GAP {
            (self.on, self.misses) = (None, 0);
        }
    }

    /// Where each tone stands at the end of this half, which begins at nothing.
    fn close_half(&mut self) -> Lanes<Turn> {
        let mut ends = Lanes::<Turn>::default();
        let states = self.s1.iter().zip(&self.s2);
        let turns = states.zip(self.bank.sample.as_flattened());
        for (end, ((s1, s2), turn)) in ends.as_flattened_mut().iter_mut().zip(turns) {
            *end = Turn { re: s1 - turn.re * s2, im: turn.im * s2 };
        }
        (self.s1, self.s2, self.heard) = ([0.0; LANES], [0.0; LANES], 0);
        ends
    }

    /// Half a block is complete; at a whole one, the key that begins.
    fn half(&mut self) -> Option<Key> {
        let second = self.close_half();
        let Some(first) = self.first.take() else {
            self.first = Some(second);
            return None;
        };
        let hit = self.judge(&first, &second);
        self.energy = 0.0;
        self.follow(hit)
    }

    /// Which pair the block holds, if it holds one and little else.
    fn judge(&self, first: &Lanes<Turn>, second: &Lanes<Turn>) -> Option<Hit> {
        if self.energy < 2.0 * WEAKEST {
            return None;
        }
        let mut wholes = Lanes::<Turn>::default();
        let halves = first.as_flattened().iter().zip(second.as_flattened());
        let all = wholes.as_flattened_mut().iter_mut().zip(self.bank.half.as_flattened());
        for ((whole, turn), (first, second)) in all.zip(halves) {
            *whole = first.times(*turn).plus(*second);
        }
        let power = wholes.map(|group| group.map(|turn| turn.square() * 2.0 / BLOCK));
        let [rows, columns, double_rows, double_columns] = &power;
        let ((r, row, other_row), (c, column, other_column)) = (best(rows), best(columns));
        let (row_hz, column_hz) = (*ROWS.get(r)?, *COLUMNS.get(c)?);
        // Where the double of a row lies beside the column, what is there is the column's.
        let row_doubles =
            if (2.0 * row_hz - column_hz).abs() < 150.0 { 0.0 } else { *double_rows.get(r)? };
        let pair = row.min(column) >= WEAKEST
            && row + column >= SHARE * self.energy
            && column <= STRONGER * row
            && row <= WEAKER * column
            && row >= ALONE * other_row
            && column >= ALONE * other_column
            && row_doubles <= HARMONIC * (row + column)
            && *double_columns.get(c)? <= HARMONIC * column;
        if !pair {
            return None;
        }
        let tone = |group: usize, place: usize, hertz: f32| {
            let of = |lanes: &Lanes<Turn>| Some(*lanes.get(group)?.get(place)?);
            Some(Tone { hertz, whole: of(&wholes)?, half: of(&self.bank.half)? })
        };
        let (row, column) = (tone(0, r, row_hz)?, tone(1, c, column_hz)?);
        let halves = (*first.get(1)?.get(c)?, *second.get(1)?.get(c)?);
        let key = Key::new(*KEYPAD.get(r)?.get(c)?).ok()?;
        let steady = column.keeps(halves.0, halves.1, 1, COLUMN_OFF_IN_HALVES);
        steady.then_some(Hit { key, row, column })
    }

    /// Follows from block to block what sounds, and answers a key that begins.
    fn follow(&mut self, hit: Option<Hit>) -> Option<Key> {
        let before = std::mem::replace(&mut self.last, hit);
        let key = hit.map(|hit| hit.key);
        if self.on.is_some() {
            self.misses = if key == self.on { 0 } else { self.misses + 1 };
            if self.misses >= MISSES {
                (self.on, self.misses) = (None, 0);
            }
        }
        let (hit, before) = (hit?, before?);
        if self.on == key || !hit.goes_on_from(&before) {
            return None;
        }
        (self.on, self.misses) = (key, 0);
        key
    }
}

/// Goertzel's recurrence over some samples, all lanes one step at a time; gives their energy. This is
/// what an armed leg costs. By itself and over plain arrays it stays in registers, four lanes to an
/// instruction: 0.35 µs a packet of 20 ms, an eighth of what a packet costs with its system calls, and a
/// quarter of the same inside its caller.
#[inline(never)]
fn turn(
    part: &[u8],
    mut decode: impl FnMut(u8) -> i16,
    twice: &[f32; LANES],
    (s1, s2): (&mut [f32; LANES], &mut [f32; LANES]),
) -> f32 {
    let (mut one, mut two, mut energy) = (*s1, *s2, 0.0);
    for byte in part {
        let x = f32::from(decode(*byte));
        energy += x * x;
        for ((one, two), twice) in one.iter_mut().zip(&mut two).zip(twice) {
            // In this order only the product and one sum wait for the step before.
            let s = twice * *one + (x - *two);
            (*two, *one) = (*one, s);
        }
    }
    (*s1, *s2) = (one, two);
    energy
}

/// Place and power of the strongest, and the power of the next.
fn best(powers: &[f32; 4]) -> (usize, f32, f32) {
    powers.iter().enumerate().fold((0, 0.0, 0.0), |(place, most, next), (n, &power)| {
        if power > most { (n, power, most) } else { (place, most, next.max(power)) }
    })
}

#[cfg(test)]
#[path = "tone_tests.rs"]
mod tests;
