//! The calling tone of a fax: 1,100 Hz for half a second in every 3.5 s (CNG, ITU-T T.30), told from whoever
//! speaks, sings or whistles by its length, its purity and the quiet around it.

use std::{f32::consts::TAU, sync::LazyLock};

use wide::{i16x8, i32x4};
use zeroize::optimization_barrier;

use super::tone::Turn;
use crate::{codec::Codec, transcode::Decoder};

/// The tone in hertz, and how far it may be off: 38 Hz by the recommendation, and what noise adds.
const HERTZ: f32 = 1_100.0;
const OFF: f32 = 43.0;
/// A piece: 5 ms, in which the tone makes five turns and a half. A tone that is 38 Hz off keeps 0.89 of its
/// energy in the sum, one that is 100 Hz off 0.41.
const PIECE: usize = 40;
/// Where the tone turns from piece to piece: by half a turn, so that each sum has the other sign.
const HALF_TURN: f32 = -1.0;
/// The shortest and the longest tone in pieces: 500 ms, 15 % more or less, and a piece at each end that holds
/// a part of it.
const SHORTEST: u32 = 83;
const LONGEST: u32 = 117;
/// The weakest tone, -43 dBm0, in squared samples over a piece. A sine of +3.14 dBm0 has a peak of 32,767
/// here divided by four: 40 * (8,192 * 10^((-43 - 3.14) / 20))^2 / 2.
const WEAKEST: f32 = 3.3e4;
/// The tone holds at least so much of the energy; at 12 dB above noise and 38 Hz off it holds 0.83.
const SHARE: f32 = 0.72;
/// It stays at its frequency: so much is left of the turns from piece to piece when they are added up.
const STEADY: f32 = 0.96;
/// Before and after it there is quiet for so many pieces, 40 ms: 7 dB below it, as the echo of a prompt is.
const QUIET: usize = 8;
const QUIETER: f32 = 5.0;
/// So many pieces may be spoilt within it, as by a click.
const CLICK: u8 = 2;
/// Sound that is missing for so long within it is a packet that was lost: 60 ms.
const LOST: i64 = 480;
/// Where sound overlaps by at most so much, a clock that is not ours is followed; who is further back than
/// a second has begun anew.
const JOINT: i64 = 8;
const ANEW: i64 = 8_000;
/// Samples are counted in fours, and waves have this peak: a sum of 40 fits.
const STEP: i16 = 4;
const PEAK: f32 = 4_096.0;

/// Samples that are multiplied at once.
const LANES: usize = 8;
/// What the samples of a piece are multiplied by: against the tone, so that what is left stands still.
type Wave = [[i16x8; 2]; PIECE / LANES];
static WAVE: LazyLock<Wave> = LazyLock::new(|| {
    let angle = |n: usize| TAU * HERTZ * n as f32 / 8_000.0;
    let part = |wave: fn(f32) -> f32, first: usize| {
        let samples: [i16; LANES] =
            std::array::from_fn(|n| (wave(angle(first + n)) * PEAK).round() as i16);
        i16x8::from(samples)
    };
    std::array::from_fn(|n| [part(f32::cos, n * LANES), part(|angle| -angle.sin(), n * LANES)])
});

/// A tone that began.
#[derive(Clone, Copy, Debug, Default)]
struct Run {
    /// Whether it was quiet before.
    alone: bool,
    /// So many pieces until now.
    pieces: u32,
    /// Of those that were heard: how many, and their energy.
    heard: u32,
    energy: f32,
    /// The turns from piece to piece, each as long as it is strong, and their lengths.
    turned: Turn,
    lengths: f32,
    /// Where the last piece stood, if it was heard.
    last: Option<Turn>,
    /// So many pieces without it since.
    after: u8,
}

/// Listens for a fax in one direction of sound. It keeps no sample: only sums over the piece in hand, and how
/// loud the last ones were.
#[derive(Debug)]
pub(crate) struct Fax {
    decoder: Decoder,
    /// Both parts of the tone and the energy, a quarter to a lane.
    sums: [i32x4; 3],
    heard: usize,
    /// How loud the pieces before the last one were, in any order, and the last one.
    before: [f32; QUIET],
    oldest: usize,
    newest: f32,
    run: Option<Run>,
    next: Option<i64>,
}

impl Default for Fax {
    fn default() -> Self {
        Self {
            decoder: Decoder::new(Codec::Pcma),
            sums: [i32x4::default(); 3],
            heard: 0,
            // Who begins with the tone may have begun in the middle of it.
            before: [f32::MAX; QUIET],
            oldest: 0,
            newest: f32::MAX,
            run: None,
            next: None,
        }
    }
}

impl Fax {
    /// Hears sound whose first sample lies at `position`, on any clock, and says whether a calling tone has
    /// ended in it: 50 to 55 ms after its last sample.
    pub(crate) fn hear(&mut self, position: i64, codec: Codec, payload: &[u8]) -> bool {
        let missing = position - self.next.unwrap_or(position);
        if (-ANEW..-JOINT).contains(&missing) {
            // It came late; what follows has been heard.
            return false;
        }
        let mut calls = missing.abs() > JOINT && self.miss_sound(missing.abs());
        if !self.decoder.is_for(codec) {
            self.decoder = Decoder::new(codec);
        }
        let mut rest = payload;
        while let Some((part, after)) = rest.split_at_checked(rest.len().min(PIECE - self.heard))
            && !part.is_empty()
        {
            self.part(part);
            rest = after;
            if self.heard == PIECE {
                calls |= self.piece();
            }
        }
        self.next = Some(position + payload.len() as i64);
        calls
    }

    /// Hears a part of a piece. This is what an armed leg costs.
    fn part(&mut self, part: &[u8]) {
        let mut samples = [0; PIECE];
        let (from, until) = (self.heard, self.heard + part.len());
        let heard = samples.get_mut(from..until).unwrap_or_default();
        for (sample, byte) in heard.iter_mut().zip(part) {
            *sample = self.decoder.decode(*byte) / STEP;
        }
        // What is not of this part is zero.
        let [re, im, energy] = &mut self.sums;
        for (eight, [cosine, sine]) in samples.as_chunks::<LANES>().0.iter().zip(&*WAVE) {
            let eight = i16x8::from(*eight);
            *re += eight.dot(*cosine);
            *im += eight.dot(*sine);
            *energy += eight.dot(eight);
        }
        self.heard = until;
        samples.fill(0);
        // Else the compiler would leave these stores out.
        optimization_barrier(&samples);
    }

    /// Sound is missing: a lost packet within a tone, or silence that nobody sends.
    fn miss_sound(&mut self, samples: i64) -> bool {
        (self.sums, self.heard) = ([i32x4::default(); 3], 0);
        let pieces = u32::try_from(samples).unwrap_or(u32::MAX) / PIECE as u32;
        match &mut self.run {
            Some(run) if run.after <= CLICK && samples <= LOST => {
                run.pieces += pieces;
                run.last = None;
                false
            }
            // More would change nothing.
            Some(_) | None => {
                (0..pieces.min(2 * QUIET as u32)).any(|_| self.judge(Turn::default(), 0.0))
            }
        }
    }

    /// A piece is complete.
    fn piece(&mut self) -> bool {
        let whole =
            |lanes: i32x4| lanes.to_array().into_iter().map(|lane| lane as f32).sum::<f32>();
        let [re, im, energy] = self.sums.map(whole);
        (self.sums, self.heard) = ([i32x4::default(); 3], 0);
        let (re, im) = (re / PEAK, im / PEAK);
        self.judge(Turn { re, im }, energy)
    }

    /// Follows from piece to piece what sounds, and answers that a calling tone is over.
    fn judge(&mut self, at: Turn, energy: f32) -> bool {
        let power = at.square() * 2.0 / PIECE as f32;
        if power >= WEAKEST && power >= SHARE * energy {
            let alone = QUIETER * self.before.iter().copied().fold(0.0, f32::max) <= energy;
            let run = self.run.get_or_insert(Run { alone, ..Run::default() });
            run.go_on(at, energy);
            return false;
        }
        let newest = std::mem::replace(&mut self.newest, energy);
        if let Some(place) = self.before.get_mut(self.oldest) {
            *place = newest;
        }
        self.oldest = (self.oldest + 1) % QUIET;
        let Some(run) = &mut self.run else { return false };
        run.after += 1;
        run.last = None;
        // The first pieces may hold the end of it.
        let quiet = run.after <= CLICK || QUIETER * energy * run.heard as f32 <= run.energy;
        if quiet && usize::from(run.after) < usize::from(CLICK) + QUIET {
            return false;
        }
        let calls = quiet && run.is_calling_tone();
        self.run = None;
        calls
    }
}

impl Run {
    /// One more piece holds the tone.
    fn go_on(&mut self, at: Turn, energy: f32) {
        if self.after > CLICK {
            // It is another one, and it was not quiet for long.
            *self = Self::default();
        }
        if let Some(last) = self.last {
            let turn = last.to(at);
            self.turned =
                self.turned.plus(Turn { re: HALF_TURN * turn.re, im: HALF_TURN * turn.im });
            self.lengths += turn.square().sqrt();
        }
        self.pieces += u32::from(self.after) + 1;
        (self.heard, self.energy) = (self.heard + 1, self.energy + energy);
        (self.last, self.after) = (Some(at), 0);
    }

    fn is_calling_tone(&self) -> bool {
        let length = self.turned.square().sqrt();
        let most = TAU * OFF * PIECE as f32 / 8_000.0;
        self.alone
            && (SHORTEST..=LONGEST).contains(&self.pieces)
            && length >= STEADY * self.lengths
            && self.turned.re >= most.cos() * length
    }
}

#[cfg(test)]
#[path = "fax_tests.rs"]
mod tests;
