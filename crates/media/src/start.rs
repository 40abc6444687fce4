//! With what a leg begins: chance, drawn where it may be.

use crate::rtcp::TOKEN_LEN;

/// The random numbers with which a leg begins (RFC 3550 §5.1: all of them unpredictable).
#[derive(Clone, Copy, Debug)]
pub struct LegStart {
    pub(crate) ssrc: u32,
    pub(crate) sequence: u16,
    pub(crate) timestamp: u32,
    pub(crate) token: [u8; TOKEN_LEN],
    pub(crate) seed: u64,
}

impl LegStart {
    /// Takes source, sequence, timestamp, canonical name and report jitter from random bytes.
    #[must_use]
    pub const fn from_random(bytes: [u8; 32]) -> Self {
        let [
            s0,
            s1,
            s2,
            s3,
            q0,
            q1,
            t0,
            t1,
            t2,
            t3,
            n0,
            n1,
            n2,
            n3,
            n4,
            n5,
            n6,
            n7,
            n8,
            n9,
            n10,
            n11,
            j0,
            j1,
            j2,
            j3,
            j4,
            j5,
            j6,
            j7,
            _,
            _,
        ] = bytes;
        Self {
            ssrc: u32::from_be_bytes([s0, s1, s2, s3]),
            // RFC 3711 §3.3.1: who loses the first packets still knows that the number has not gone
            // round.
            sequence: u16::from_be_bytes([q0 & 0x7F, q1]),
            timestamp: u32::from_be_bytes([t0, t1, t2, t3]),
            token: [n0, n1, n2, n3, n4, n5, n6, n7, n8, n9, n10, n11],
            seed: u64::from_be_bytes([j0, j1, j2, j3, j4, j5, j6, j7]),
        }
    }
}
