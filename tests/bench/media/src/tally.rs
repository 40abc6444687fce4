//! What one window has shown, as the line that is printed of it.

use std::fmt;

/// Counts and times of one window.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// Calls that are up.
    pub(crate) calls: usize,
    /// Packets that should have been sent within the window.
    pub(crate) due: u64,
    /// Packets that were.
    pub(crate) sent: u64,
    /// How many of those came back, also after its end.
    pub(crate) returned: u64,
    /// Packets that came back within the window, whenever sent.
    pub(crate) relayed: u64,
    /// Nanoseconds that the window took.
    pub(crate) wall_ns: u64,
    /// Nanoseconds that the program under test ran in it.
    pub(crate) cpu_ns: u64,
    /// Nanoseconds that the meter ran in it.
    pub(crate) own_cpu_ns: u64,
    /// The longest that a slot began after its time, in nanoseconds.
    pub(crate) late_ns: u64,
    /// Memory of the program under test at the end.
    pub(crate) resident_kb: u64,
    /// From sending to the kernel's receiving, in nanoseconds, of each packet that counts.
    pub(crate) delays_ns: Vec<u64>,
}

impl Tally {
    /// The delay in milliseconds that this share of the packets does not exceed.
    fn delay_ms(&self, sorted: &[u64], share: f64) -> f64 {
        let last = sorted.len().saturating_sub(1);
        let index = (last as f64 * share) as usize;
        sorted.get(index).map_or(f64::NAN, |&ns| ns as f64 / 1e6)
    }
}

/// A ratio; of nothing, not a number.
fn over(part: u64, whole: u64) -> f64 {
    if whole == 0 { f64::NAN } else { part as f64 / whole as f64 }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut sorted = self.delays_ns.clone();
        sorted.sort_unstable();
        let lost = self.sent.saturating_sub(self.returned);
        write!(
            f,
            "calls={} due={} sent={} lost={lost} loss={:.6} packet_us={:.4} load={:.4} \
             meter_load={:.4} late_ms={:.3} p50_ms={:.3} p99_ms={:.3} most_ms={:.3} rss_kb={}",
            self.calls,
            self.due,
            self.sent,
            over(lost, self.sent),
            over(self.cpu_ns, self.relayed) / 1e3,
            over(self.cpu_ns, self.wall_ns),
            over(self.own_cpu_ns, self.wall_ns),
            self.late_ns as f64 / 1e6,
            self.delay_ms(&sorted, 0.5),
            self.delay_ms(&sorted, 0.99),
            self.delay_ms(&sorted, 1.0),
            self.resident_kb,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_tells_loss_cost_and_delay() {
        let tally = Tally {
            calls: 1,
            due: 100,
            sent: 100,
            returned: 99,
            relayed: 100,
            wall_ns: 1_000_000_000,
            cpu_ns: 400_000,
            delays_ns: (1..=100).rev().map(|ms| ms * 1_000_000).collect(),
            ..Tally::default()
        };
        let line = tally.to_string();
        for part in
            ["lost=1 loss=0.010000", "packet_us=4.0000", "p50_ms=50.", "p99_ms=99.", "most_ms=100."]
        {
            assert!(line.contains(part), "{part} in {line}");
        }
    }
}
