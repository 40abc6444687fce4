//! The names of things: calls, recordings, tenants, lines, policies, agents and digests.

use std::{fmt, str::FromStr};

/// Why a text is not an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdError {
    /// A hexadecimal id of another length than the expected number of characters.
    Length {
        /// How many characters the id has.
        expected: usize,
        /// How many were given.
        found: usize,
    },
    /// A character that an id of this kind cannot hold, at this place (counted from 0).
    Character(usize),
}

impl fmt::Display for IdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length { expected, found } => write!(
                f,
                "the id has {found} characters instead of {expected}; copy it whole from the list"
            ),
            Self::Character(place) => write!(
                f,
                "character {place} cannot stand in this id; use a-z, 0-9 and '-' (ids of calls \
                 and recordings: 0-9 and a-f)"
            ),
        }
    }
}

impl std::error::Error for IdError {}

fn write_hex(f: &mut fmt::Formatter<'_>, bytes: &[u8]) -> fmt::Result {
    bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
}

fn read_hex<const N: usize>(text: &str) -> Result<[u8; N], IdError> {
    let raw = text.as_bytes();
    if raw.len() != N * 2 {
        return Err(IdError::Length { expected: N * 2, found: raw.len() });
    }
    let mut bytes = [0; N];
    for (place, (byte, pair)) in bytes.iter_mut().zip(raw.chunks_exact(2)).enumerate() {
        for (offset, &digit) in pair.iter().enumerate() {
            let value = match digit {
                b'0'..=b'9' => digit - b'0',
                b'a'..=b'f' => digit - b'a' + 10,
                _ => return Err(IdError::Character(place * 2 + offset)),
            };
            *byte = *byte << 4 | value;
        }
    }
    Ok(bytes)
}

macro_rules! binary_id {
    ($(#[$doc:meta])* $name:ident, $length:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; $length]);

        impl $name {
            /// Makes the id of its bytes.
            #[must_use]
            pub const fn from_bytes(bytes: [u8; $length]) -> Self {
                Self(bytes)
            }

            /// The bytes of the id.
            #[must_use]
            pub const fn as_bytes(&self) -> &[u8; $length] {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write_hex(f, &self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write_hex(f, &self.0)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                read_hex(text).map(Self)
            }
        }
    };
}

binary_id!(
    /// One call, from the trunk's INVITE to the three words. 16 bytes, random; shown as 32 hex digits.
    CallId, 16
);
binary_id!(
    /// One recording: one permit, one slip, one ground, one retention. 16 bytes, random.
    RecordingId, 16
);
binary_id!(
    /// An agent, by a pseudonym: a keyed hash, one key per tenant, of whatever their PBX calls them. 16 bytes.
    AgentId, 16
);
binary_id!(
    /// A SHA-256 value.
    Digest, 32
);

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub struct $name(Box<str>);

        impl $name {
            /// Accepts 1 to 64 characters of `a-z`, `0-9` and `-`.
            ///
            /// # Errors
            /// [`IdError`] names the first character that does not fit.
            pub fn new(text: &str) -> Result<Self, IdError> {
                if text.is_empty() || text.len() > 64 {
                    return Err(IdError::Length { expected: 64, found: text.len() });
                }
                let fits = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-';
                match text.bytes().position(|c| !fits(c)) {
                    Some(place) => Err(IdError::Character(place)),
                    None => Ok(Self(text.into())),
                }
            }

            /// The id as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                Self::new(text)
            }
        }
    };
}

text_id!(
    /// Who the recordings belong to: the controller on whose behalf calls are handled.
    TenantId
);
text_id!(
    /// A configured line: one pattern of dialled numbers and its policy.
    LineId
);
text_id!(
    /// A policy's name; its version and hash stand beside it.
    PolicyId
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_back_what_it_prints() {
        let id = RecordingId::from_bytes(*b"0123456789abcdef");
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!(id.to_string(), "30313233343536373839616263646566");
    }

    #[test]
    fn a_damaged_id_is_refused_at_the_place_of_the_damage() {
        assert_eq!("00".parse::<CallId>(), Err(IdError::Length { expected: 32, found: 2 }));
        let upper = "3031323334353637383961626364656F";
        assert_eq!(upper.parse::<CallId>(), Err(IdError::Character(31)));
        assert_eq!(LineId::new("Sales"), Err(IdError::Character(0)));
        assert_eq!(LineId::new("sales-1").map(|id| id.to_string()), Ok("sales-1".to_owned()));
        assert!(TenantId::new("../etc").is_err() && TenantId::new("").is_err());
    }
}
