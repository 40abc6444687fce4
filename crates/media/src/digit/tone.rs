//! Keys in the sound itself: the sixteen pairs of tones of ITU-T Q.23, told from speech and music.

use std::{f32::consts::TAU, sync::LazyLock};

use arrayvec::ArrayVec;
use call::Key;
use wide::{i16x8, i32x4};
use zeroize::optimization_barrier;

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
pub(super) struct Turn {
    pub(super) re: f32,
    pub(super) im: f32,
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

    pub(super) fn plus(self, other: Self) -> Self {
        Self { re: self.re + other.re, im: self.im + other.im }
    }

    /// From `self` to `other`, multiplied by both lengths.
    pub(super) fn to(self, other: Self) -> Self {
        Self { re: self.re, im: -self.im }.times(other)
    }

    pub(super) fn square(self) -> f32 {
        self.re * self.re + self.im * self.im
    }
}

/// Rows, columns, their second harmonics.
type Lanes<T> = [[T; 4]; 4];
/// A sum for the real and the imaginary part of each lane, four to an instruction.
type Sums = [i32x4; 8];
/// What two samples, one after the other, are multiplied by for each sum.
type Waves = [i16x8; 8];
/// Pairs of samples of half a block; the last one is a sample and nothing.
const PAIRS: usize = HALF.div_ceil(2);
/// Samples are counted in fours: G.711 has none between.
const STEP: u32 = 4;
/// The peak of a wave in whole numbers. 51 of the largest samples times this fit a sum, and what is rounded
/// away is far below what is told apart.
const PEAK: f32 = 4_096.0;

/// What does not change: made once for all ears.
struct Bank {
    /// What the samples of a half, in pairs, are multiplied by.
    waves: [Waves; PAIRS],
    /// The turn of half a block.
    half: Lanes<Turn>,
}

static BANK: LazyLock<Bank> = LazyLock::new(bank);

fn bank() -> Bank {
    let hertz = [ROWS, COLUMNS, ROWS.map(|hz| hz * 2.0), COLUMNS.map(|hz| hz * 2.0)];
    let turns =
        |samples: f32| hertz.map(|group| group.map(|hz| Turn::by(TAU * hz * samples / 8_000.0)));
    let mut parts = [[[0; 8]; 8]; PAIRS];
    for n in 0..HALF {
        // How far each lane turns from this sample to the half's last.
        let turns = turns((HALF - 1 - n) as f32);
        let of_sample = turns.as_flattened().iter().flat_map(|turn| [turn.re, turn.im]);
        let places = parts.iter_mut().skip(n / 2).take(1).flatten().flatten();
        for (place, part) in places.skip(n % 2).step_by(2).zip(of_sample) {
            *place = (part * PEAK).round() as i16;
        }
    }
    let waves = parts.map(|pair| pair.map(i16x8::from));
    Bank { waves, half: turns(HALF as f32) }
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
    sums: Sums,
    /// Of the block in hand, in squared samples.
    energy: u64,
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
            sums: Sums::default(),
            energy: 0,
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

    /// Hears a part of a half. This is what an armed leg costs.
    fn part(&mut self, part: &[u8]) {
        let mut samples = [0; 2 * PAIRS];
        let (from, until) = (self.heard, self.heard + part.len());
        let heard = samples.get_mut(from..until).unwrap_or_default();
        self.energy += match &mut self.decoder {
            Decoder::G711(law) => decode(part, heard, |byte| law.decode(byte)),
            Decoder::G722(decoder) => decode(part, heard, |byte| decoder.decode(byte)),
            Decoder::Deaf => 0,
        };
        let pairs = from / 2..until.div_ceil(2);
        let waves = self.bank.waves.get(pairs.clone()).unwrap_or_default();
        add(samples.as_chunks().0.get(pairs).unwrap_or_default(), waves, &mut self.sums);
        self.heard = until;
        samples.fill(0);
        // Else the compiler would leave these stores out.
        optimization_barrier(&samples);
    }

    /// A packet was lost. The block in hand says nothing then.
    fn miss_sound(&mut self, samples: i64) {
        let _begun = self.close_half();
        (self.first, self.last, self.energy) = (None, None, 0);
        if samples >= GAP {
            (self.on, self.misses) = (None, 0);
        }
    }

    /// Where each tone stands at the end of this half, which begins at nothing.
    fn close_half(&mut self) -> Lanes<Turn> {
        let mut ends = Lanes::<Turn>::default();
        let sums = self.sums.map(i32x4::to_array);
        let (parts, _) = sums.as_flattened().as_chunks();
        for (end, part) in ends.as_flattened_mut().iter_mut().zip(parts) {
            let [re, im] = part.map(|sum| sum as f32 * (STEP as f32 / PEAK));
            *end = Turn { re, im };
        }
        (self.sums, self.heard) = (Sums::default(), 0);
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
        self.energy = 0;
        self.follow(hit)
    }

    /// Which pair the block holds, if it holds one and little else.
    fn judge(&self, first: &Lanes<Turn>, second: &Lanes<Turn>) -> Option<Hit> {
        let energy = self.energy as f32;
        if energy < 2.0 * WEAKEST {
            return None;
        }
        let over = |group: usize| {
            let of = |lanes: &Lanes<Turn>| lanes.get(group).copied();
            Some(whole(of(first)?, of(second)?, of(&self.bank.half)?))
        };
        let (rows, columns) = (over(0)?, over(1)?);
        let ((r, row, other_row), (c, column, other_column)) = (best(rows), best(columns));
        let pair = row.min(column) >= WEAKEST
            && row + column >= SHARE * energy
            && column <= STRONGER * row
            && row <= WEAKER * column
            && row >= ALONE * other_row
            && column >= ALONE * other_column;
        if !pair {
            return None;
        }
        let (row_hz, column_hz) = (*ROWS.get(r)?, *COLUMNS.get(c)?);
        let double_row = power(*over(2)?.get(r)?);
        // Where the double of a row lies beside the column, what is there is the column's.
        let is_beside = (2.0 * row_hz - column_hz).abs() < 150.0;
        if !is_beside && double_row > HARMONIC * (row + column)
            || power(*over(3)?.get(c)?) > HARMONIC * column
        {
            return None;
        }
        let [row_turns, column_turns, ..] = &self.bank.half;
        let row = Tone { hertz: row_hz, whole: *rows.get(r)?, half: *row_turns.get(r)? };
        let column =
            Tone { hertz: column_hz, whole: *columns.get(c)?, half: *column_turns.get(c)? };
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

/// Makes samples of some bytes, and answers their energy.
fn decode(bytes: &[u8], samples: &mut [i16], mut decode: impl FnMut(u8) -> i16) -> u64 {
    let mut energy = 0;
    for (sample, byte) in samples.iter_mut().zip(bytes) {
        let decoded = decode(*byte);
        *sample = decoded >> STEP.ilog2();
        energy += i64::from(i32::from(decoded).pow(2));
    }
    energy.unsigned_abs()
}

/// Adds to each sum what some pairs of samples are of its wave. Goertzel's recurrence has less to
/// multiply, but each step of it waits for the step before; here nothing waits. By itself it stays in
/// registers.
#[inline(never)]
fn add(pairs: &[[i16; 2]], waves: &[Waves], sums: &mut Sums) {
    let mut all = *sums;
    for ([a, b], waves) in pairs.iter().zip(waves) {
        let pair = i16x8::from([*a, *b, *a, *b, *a, *b, *a, *b]);
        all.iter_mut().zip(waves).for_each(|(sum, wave)| *sum += pair.dot(*wave));
    }
    *sums = all;
}

/// Where tones stand at the end of a block, of its halves and their turn over a half.
fn whole(first: [Turn; 4], second: [Turn; 4], half: [Turn; 4]) -> [Turn; 4] {
    let mut whole = second;
    for ((whole, first), half) in whole.iter_mut().zip(first).zip(half) {
        *whole = first.times(half).plus(*whole);
    }
    whole
}

/// The energy of a tone that stands so at the end of a block.
fn power(whole: Turn) -> f32 {
    whole.square() * 2.0 / BLOCK
}

/// Place and power of the strongest, and the power of the next.
fn best(wholes: [Turn; 4]) -> (usize, f32, f32) {
    let powers = wholes.into_iter().map(power).enumerate();
    powers.fold((0, 0.0, 0.0), |(place, most, next), (n, power)| {
        if power > most { (n, power, most) } else { (place, most, next.max(power)) }
    })
}

#[cfg(test)]
#[path = "tone_tests.rs"]
mod tests;
