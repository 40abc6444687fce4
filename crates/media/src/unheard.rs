//! Why a party of a bridged call is not heard.

/// Why a party is not heard: what came instead of its sound, most of all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unheard {
    /// Nothing came.
    Silent,
    /// Packets from another address than the session description's (NAT, or the wrong address in it).
    Elsewhere,
    /// Packets of a payload type that was not agreed.
    UnknownFormat,
    /// Packets under SRTP that the agreed key does not open, or that have been before.
    Unauthentic,
    /// Packets that are no RTP, or empty.
    Malformed,
}

impl Unheard {
    /// Every cause.
    pub const ALL: [Self; 5] =
        [Self::Silent, Self::Elsewhere, Self::UnknownFormat, Self::Unauthentic, Self::Malformed];

    /// In a word, for listings and labels.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Silent => "silent",
            Self::Elsewhere => "elsewhere",
            Self::UnknownFormat => "unknown-format",
            Self::Unauthentic => "unauthentic",
            Self::Malformed => "malformed",
        }
    }
}
