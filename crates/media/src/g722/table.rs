//! The tables of ITU-T G.722 (§6.2.1 and tables 6 to 21), by the names which they have there.

/// The code of the upper band when there is nothing in it: the smallest positive step.
pub(super) const HIGH_AT_REST: u8 = 0b1100_0000;

/// Decision levels of the lower band's quantiser, for a step of 1/8 (table 14, Q6).
pub(super) const Q6: [i32; 30] = [
    0, 35, 72, 110, 150, 190, 233, 276, 323, 370, 422, 473, 530, 587, 650, 714, 786, 858, 940,
    1_023, 1_121, 1_219, 1_339, 1_458, 1_612, 1_765, 1_980, 2_195, 2_557, 2_919,
];

/// The code of interval `i` from 1 when the difference is negative (table 15): 63 and 62, then 31
/// down to 4.
pub(super) const fn negative_code(interval: u8) -> u8 {
    if interval <= 2 { 64 - interval } else { 34 - interval }
}

/// The code of interval `i` from 1 when it is not negative (table 15): 61 down to 32.
pub(super) const fn positive_code(interval: u8) -> u8 {
    62 - interval
}

/// Inverse quantiser of six bits (table 16, QM6).
pub(super) const QM6: [i32; 64] = [
    -136, -136, -136, -136, -24_808, -21_904, -19_008, -16_704, -14_984, -13_512, -12_280, -11_192,
    -10_232, -9_360, -8_576, -7_856, -7_192, -6_576, -6_000, -5_456, -4_944, -4_464, -4_008,
    -3_576, -3_168, -2_776, -2_400, -2_032, -1_688, -1_360, -1_040, -728, 24_808, 21_904, 19_008,
    16_704, 14_984, 13_512, 12_280, 11_192, 10_232, 9_360, 8_576, 7_856, 7_192, 6_576, 6_000,
    5_456, 4_944, 4_464, 4_008, 3_576, 3_168, 2_776, 2_400, 2_032, 1_688, 1_360, 1_040, 728, 432,
    136, -432, -136,
];

/// Inverse quantiser of the four bits that adapt the lower band (table 17, QM4).
pub(super) const QM4: [i32; 16] = [
    0, -20_456, -12_896, -8_968, -6_288, -4_240, -2_584, -1_200, 20_456, 12_896, 8_968, 6_288,
    4_240, 2_584, 1_200, 0,
];

/// Inverse quantiser of the upper band (table 18, QM2).
pub(super) const QM2: [i32; 4] = [-7_408, -1_616, 7_408, 1_616];

/// What the logarithm of the lower band's step grows by (tables 12 and 20, WL of RL42).
pub(super) const WL: [i32; 16] =
    [-60, 3_042, 1_198, 538, 334, 172, 58, -30, 3_042, 1_198, 538, 334, 172, 58, -30, -60];

/// The same of the upper band (tables 13 and 21, WH of RH2).
pub(super) const WH: [i32; 4] = [798, -214, 798, -214];

/// The step for the 32 fractions of an octave (table 11, ILB).
pub(super) const ILB: [i32; 32] = [
    2_048, 2_093, 2_139, 2_186, 2_233, 2_282, 2_332, 2_383, 2_435, 2_489, 2_543, 2_599, 2_656,
    2_714, 2_774, 2_834, 2_896, 2_960, 3_025, 3_091, 3_158, 3_228, 3_298, 3_371, 3_444, 3_520,
    3_597, 3_676, 3_756, 3_838, 3_922, 4_008,
];

/// Half of the coefficients of the filter that parts and joins the bands; the others are the same
/// ones backwards (table 11, QMF).
pub(super) const QMF: [i32; 12] = [3, -11, 12, 32, -210, 951, 3_876, -805, 362, -156, 53, -11];
