//! Master keys and the suites that they are for.

use std::fmt;

use arrayvec::ArrayVec;
use zeroize::Zeroizing;

/// Octets of the longest master key and salt: 32 and 14 (RFC 6188).
pub(crate) const LONGEST: usize = 46;
/// Octets of the longest master key identifier that is taken.
pub(crate) const LONGEST_MKI: usize = 16;

/// How packets are encrypted and authenticated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Suite {
    /// AES-128 in counter mode, 80 bits of HMAC-SHA1 (RFC 3711).
    AesCm128Sha1_80,
    /// The same with 32 bits of HMAC-SHA1, in RTP only: reports keep 80 (RFC 4568 §6.2.2).
    AesCm128Sha1_32,
    /// AES-256 in counter mode, 80 bits of HMAC-SHA1 (RFC 6188).
    AesCm256Sha1_80,
    /// The same with 32 bits of HMAC-SHA1 in RTP.
    AesCm256Sha1_32,
    /// AES-128 in Galois/counter mode (RFC 7714).
    AesGcm128,
    /// AES-256 in Galois/counter mode (RFC 7714).
    AesGcm256,
}

impl Suite {
    /// Octets of the master key and of the master salt.
    #[must_use]
    pub const fn lengths(self) -> (usize, usize) {
        match self {
            Self::AesCm128Sha1_80 | Self::AesCm128Sha1_32 => (16, 14),
            Self::AesCm256Sha1_80 | Self::AesCm256Sha1_32 => (32, 14),
            Self::AesGcm128 => (16, 12),
            Self::AesGcm256 => (32, 12),
        }
    }

    /// Octets of the tag of an RTP packet.
    pub(crate) const fn tag(self) -> usize {
        match self {
            Self::AesCm128Sha1_32 | Self::AesCm256Sha1_32 => 4,
            Self::AesCm128Sha1_80 | Self::AesCm256Sha1_80 => 10,
            Self::AesGcm128 | Self::AesGcm256 => 16,
        }
    }

    /// Octets of the tag of a report.
    pub(crate) const fn report_tag(self) -> usize {
        if self.is_aead() { 16 } else { 10 }
    }

    /// Whether the tag belongs to the ciphertext, and what is added to a packet stands behind it
    /// (RFC 7714 §8, §9).
    pub(crate) const fn is_aead(self) -> bool {
        matches!(self, Self::AesGcm128 | Self::AesGcm256)
    }
}

/// A master key with its salt. Nothing prints it, and it is wiped when it is dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct MasterKey {
    suite: Suite,
    octets: Zeroizing<[u8; LONGEST]>,
    mki: ArrayVec<u8, LONGEST_MKI>,
}

impl MasterKey {
    /// The key, behind it the salt, and the identifier that each packet carries (mostly none).
    ///
    /// `None`: they are not as long as [`Suite::lengths`] says, or the identifier is longer than 16.
    #[must_use]
    pub fn new(suite: Suite, key_and_salt: &[u8], mki: &[u8]) -> Option<Self> {
        let (key, salt) = suite.lengths();
        if key_and_salt.len() != key + salt {
            return None;
        }
        let mut octets = Zeroizing::new([0; LONGEST]);
        octets.iter_mut().zip(key_and_salt).for_each(|(to, from)| *to = *from);
        Some(Self { suite, octets, mki: ArrayVec::try_from(mki).ok()? })
    }

    /// What it is for.
    #[must_use]
    pub const fn suite(&self) -> Suite {
        self.suite
    }

    /// The master key and the master salt.
    pub(crate) fn parts(&self) -> (&[u8], &[u8]) {
        let (key, salt) = self.suite.lengths();
        self.octets.get(..key + salt).unwrap_or_default().split_at(key)
    }

    /// The identifier that stands in each packet.
    pub(crate) fn mki(&self) -> &[u8] {
        &self.mki
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MasterKey({:?}, …)", self.suite)
    }
}

/// The keys of a leg under SRTP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keys {
    /// Ours: what is sent is under it.
    pub send: MasterKey,
    /// The peer's: what comes must be under it.
    pub receive: MasterKey,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_of_another_length_is_none() {
        for octets in 0..64 {
            let key = MasterKey::new(Suite::AesGcm128, &vec![1; octets], &[]);
            assert_eq!(key.is_some(), octets == 28);
        }
        assert!(MasterKey::new(Suite::AesGcm128, &[1; 28], &[0; 17]).is_none());
    }

    #[test]
    fn s_06_nothing_prints_a_key() {
        let key = MasterKey::new(Suite::AesCm128Sha1_80, &[0xA7; 30], &[]).unwrap();
        let shown = format!("{:?}", Keys { send: key.clone(), receive: key });
        assert!(!shown.contains("167") && !shown.to_lowercase().contains("a7"), "{shown}");
    }
}
