//! Epochs: the data keys under which slips are sealed, and whose destruction reaches every backup.

use std::fmt;

use crate::secret::Secret;

/// The number of an epoch. An epoch belongs to one tenant and one delete-after month; the ledger
/// knows which.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EpochNumber(pub u64);

impl fmt::Display for EpochNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The data key of an epoch. A key provider wraps, unwraps and destroys it.
pub struct EpochKey(Secret);

impl EpochKey {
    /// Takes the 32 bytes of a key.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(Secret::new(bytes))
    }

    pub(crate) const fn secret(&self) -> &Secret {
        &self.0
    }

    /// Draws a key from the system's random source.
    #[cfg(feature = "storage")]
    pub(crate) fn random() -> Result<Self, crate::secret::CipherError> {
        Ok(Self(Secret::random()?))
    }
}
