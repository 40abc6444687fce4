//! One ADPCM band of G.722: its predictor of two poles and six zeros, and its step (G.722 §3 and §6).

#![allow(clippy::indexing_slicing, reason = "every index is masked to the size of its table")]

use super::table::{ILB, Q6, QM2, QM4, QM6, WH, WL, negative_code, positive_code};

/// The reconstructed signals are held to 15 bits (G.722 §3.6.2, LIMIT).
const LIMIT: i32 = 16_384;

/// The state of a band, alike in encoder and decoder.
#[derive(Clone, Debug)]
pub(super) struct Band {
    /// The predicted signal and the part of it that the zeros make.
    predicted: i32,
    from_zeros: i32,
    /// Past differences, the newest first, and the weights of the zeros.
    differences: [i32; 6],
    zeros: [i32; 6],
    /// The last two reconstructed signals, partial ones, and the weights of the poles.
    signals: [i32; 2],
    partials: [i32; 2],
    poles: [i32; 2],
    /// The logarithm of the step, and the step.
    log_step: i32,
    step: i32,
}

/// Holds a value to 16 bits, as every addition of the recommendation does.
const fn saturate(value: i32) -> i32 {
    if value > 32_767 {
        32_767
    } else if value < -32_768 {
        -32_768
    } else {
        value
    }
}

/// The product of two fractions of 15 bits.
const fn product(a: i32, b: i32) -> i32 {
    (a * b) >> 15
}

/// Whether two values have the same sign bit.
const fn alike(a: i32, b: i32) -> bool {
    (a ^ b) >= 0
}

impl Band {
    const fn with_step(step: i32) -> Self {
        Self {
            predicted: 0,
            from_zeros: 0,
            differences: [0; 6],
            zeros: [0; 6],
            signals: [0; 2],
            partials: [0; 2],
            poles: [0; 2],
            log_step: 0,
            step,
        }
    }

    /// The lower band at rest.
    pub(super) const fn low() -> Self {
        Self::with_step(32)
    }

    /// The upper band at rest.
    pub(super) const fn high() -> Self {
        Self::with_step(8)
    }

    /// The lower band's signal, by the six low bits of a byte (blocks INVQBL, RECONS, LIMIT).
    pub(super) fn decode_low(&mut self, byte: u8) -> i32 {
        let code = usize::from(byte & 0x3F);
        let signal = self.predicted + product(self.step, QM6[code]);
        self.adapt_low(code >> 2);
        signal.clamp(-LIMIT, LIMIT - 1)
    }

    /// The upper band's signal, by the two high bits of a byte (blocks INVQAH, RECONS, LIMIT).
    pub(super) fn decode_high(&mut self, byte: u8) -> i32 {
        let code = usize::from(byte >> 6);
        let difference = product(self.step, QM2[code]);
        let signal = self.predicted + difference;
        self.rescale(WH[code], 22_528, 10);
        self.predict(difference);
        signal.clamp(-LIMIT, LIMIT - 1)
    }

    /// The six bits of the lower band's next signal (blocks SUBTRA, QUANTL).
    pub(super) fn encode_low(&mut self, signal: i32) -> u8 {
        let error = saturate(signal - self.predicted);
        let size = if error >= 0 { error } else { -(error + 1) };
        let below = |level: &&i32| size < (**level * self.step) >> 12;
        let interval = Q6.iter().skip(1).take_while(|level| !below(level)).count() as u8 + 1;
        let code = if error < 0 { negative_code(interval) } else { positive_code(interval) };
        self.adapt_low(usize::from(code >> 2));
        code
    }

    /// Both ends adapt by the four upper bits alone, so that the lowest two may be stolen.
    fn adapt_low(&mut self, code: usize) {
        let difference = product(self.step, QM4[code & 15]);
        self.rescale(WL[code & 15], 18_432, 8);
        self.predict(difference);
    }

    /// The next step (blocks LOGSCL, SCALEL and their like of the upper band).
    fn rescale(&mut self, growth: i32, most: i32, octaves: i32) {
        self.log_step = (((self.log_step * 127) >> 7) + growth).clamp(0, most);
        let fraction = ILB[((self.log_step >> 6) & 31) as usize];
        let down = octaves - (self.log_step >> 11);
        let scaled = if down < 0 { fraction << -down } else { fraction >> down };
        self.step = scaled << 2;
    }

    /// Follows the signal with the weights and predicts the next (block 4, RECONS to PREDIC).
    fn predict(&mut self, difference: i32) {
        let signal = saturate(self.predicted + difference);
        let partial = saturate(self.from_zeros + difference);
        self.turn_poles(partial);
        self.turn_zeros(difference);
        let [last, _] = self.signals;
        self.signals = [signal, last];
        let [last, _] = self.partials;
        self.partials = [partial, last];
        self.differences.rotate_right(1);
        self.differences[0] = difference;
        let [one, two] = self.signals.map(|signal| saturate(signal + signal));
        let from_poles = saturate(product(self.poles[0], one) + product(self.poles[1], two));
        let doubled = self.differences.map(|difference| saturate(difference + difference));
        let sum = self.zeros.iter().zip(doubled).map(|(zero, value)| product(*zero, value));
        self.from_zeros = saturate(sum.sum());
        self.predicted = saturate(from_poles + self.from_zeros);
    }

    /// Blocks UPPOL2 and UPPOL1.
    fn turn_poles(&mut self, partial: i32) {
        let ([first, second], [last, before]) = (self.poles, self.partials);
        let slope = saturate(first << 2);
        let pull = if alike(partial, last) { -slope } else { slope }.min(32_767);
        let push = if alike(partial, before) { 128 } else { -128 };
        let second = (push + (pull >> 7) + product(second, 32_512)).clamp(-12_288, 12_288);
        let push = if alike(partial, last) { 192 } else { -192 };
        let most = saturate(15_360 - second);
        let first = saturate(push + product(first, 32_640)).clamp(-most, most);
        self.poles = [first, second];
    }

    /// Block UPZERO.
    fn turn_zeros(&mut self, difference: i32) {
        let push = if difference == 0 { 0 } else { 128 };
        for (zero, past) in self.zeros.iter_mut().zip(self.differences) {
            let push = if alike(difference, past) { push } else { -push };
            *zero = saturate(push + product(*zero, 32_640));
        }
    }
}
