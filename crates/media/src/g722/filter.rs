//! The filter that joins the two bands of G.722 to samples of 16,000 Hz (G.722 §4.4, RECA to ACCUMD).

use zeroize::Zeroize;

use super::table::QMF;

/// Twelve pairs of past band values.
#[derive(Clone, Debug, Default)]
pub(super) struct Synthesis {
    sums: [i32; 12],
    differences: [i32; 12],
}

impl Synthesis {
    /// Two samples of what both bands are now.
    pub(super) fn join(&mut self, low: i32, high: i32) -> [i32; 2] {
        self.sums.rotate_left(1);
        self.differences.rotate_left(1);
        let ([.., sum], [.., difference]) = (&mut self.sums, &mut self.differences);
        (*sum, *difference) = (low + high, low - high);
        let forth = self.sums.iter().zip(QMF).map(|(value, by)| value * by).sum::<i32>();
        let back =
            self.differences.iter().rev().zip(QMF).map(|(value, by)| value * by).sum::<i32>();
        [back >> 11, forth >> 11]
    }
}

impl Drop for Synthesis {
    fn drop(&mut self) {
        // A millisecond and a half of what was said.
        self.sums.zeroize();
        self.differences.zeroize();
    }
}
