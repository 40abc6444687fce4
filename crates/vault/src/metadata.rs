//! The metadata chunk: names, numbers and signalling ids, sealed like a second of sound.

use std::fmt;

use call::Private;

#[cfg(any(test, feature = "storage"))]
/// The plaintext is padded to a multiple of this, so that its length tells nothing of a number.
const PADDING: usize = 512;

/// What a sealed value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MetadataField {
    /// The customer's number, E.164 where possible.
    CustomerNumber = 1,
    /// The customer's user as it was received.
    CustomerOriginal = 2,
    /// The customer's display name.
    CustomerName = 3,
    /// The number that was dialled.
    DialledNumber = 4,
    /// The agent's number or user.
    AgentNumber = 5,
    /// Call-ID of the customer's leg.
    CustomerCallId = 6,
    /// Call-ID of the PBX's leg.
    AgentCallId = 7,
}

impl MetadataField {
    /// Every field.
    pub const ALL: [Self; 7] = [
        Self::CustomerNumber,
        Self::CustomerOriginal,
        Self::CustomerName,
        Self::DialledNumber,
        Self::AgentNumber,
        Self::CustomerCallId,
        Self::AgentCallId,
    ];

    fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|field| *field as u8 == number)
    }
}

/// Opened bytes that are no metadata.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MetadataError;

impl fmt::Display for MetadataError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "the recording's sealed metadata is of no known form; use the program version that \
             wrote it",
        )
    }
}

impl std::error::Error for MetadataError {}

/// The sealed values of one recording.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Metadata(Vec<(MetadataField, Private<String>)>);

impl Metadata {
    /// Adds a value. Values longer than 1,024 bytes are cut at a character.
    #[must_use]
    pub fn with(mut self, field: MetadataField, value: Private<String>) -> Self {
        let mut value = value.into_inner();
        value.truncate(value.floor_char_boundary(1_024));
        self.0.push((field, Private::new(value)));
        self
    }

    /// The first value of a field.
    #[must_use]
    pub fn get(&self, field: MetadataField) -> Option<&Private<String>> {
        self.0.iter().find(|(name, _)| *name == field).map(|(_, value)| value)
    }

    #[cfg(any(test, feature = "storage"))]
    /// Version 1, then per value: field, BE16 length, UTF-8; then zeros.
    pub(crate) fn encode(&self) -> zeroize::Zeroizing<Vec<u8>> {
        let length: usize = self.0.iter().map(|(_, value)| 3 + value.reveal().len()).sum();
        let mut bytes =
            zeroize::Zeroizing::new(Vec::with_capacity((length + 2).next_multiple_of(PADDING)));
        bytes.push(1);
        for (field, value) in &self.0 {
            bytes.push(*field as u8);
            let value = value.reveal().as_bytes();
            bytes.extend_from_slice(&u16::try_from(value.len()).unwrap_or(0).to_be_bytes());
            bytes.extend_from_slice(value);
        }
        bytes.resize((length + 2).next_multiple_of(PADDING), 0);
        bytes
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, MetadataError> {
        let mut rest = bytes.strip_prefix(&[1]).ok_or(MetadataError)?;
        let mut values = Vec::new();
        while let Some((number, after)) = rest.split_first().filter(|(number, _)| **number != 0) {
            let field = MetadataField::from_number(*number).ok_or(MetadataError)?;
            let (length, after) = after.split_first_chunk::<2>().ok_or(MetadataError)?;
            let length = usize::from(u16::from_be_bytes(*length));
            let (value, after) = after.split_at_checked(length).ok_or(MetadataError)?;
            let value = std::str::from_utf8(value).map_err(|_| MetadataError)?;
            values.push((field, Private::new(value.to_owned())));
            rest = after;
        }
        if rest.iter().all(|byte| *byte == 0) { Ok(Self(values)) } else { Err(MetadataError) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_reads_back_and_its_length_tells_nothing() {
        let number = |text: &str| Private::new(text.to_owned());
        let short = Metadata::default().with(MetadataField::CustomerNumber, number("112"));
        let long = Metadata::default()
            .with(MetadataField::CustomerNumber, number("+31612345678"))
            .with(MetadataField::CustomerCallId, number("a84b4c76e66710@example.invalid"));
        assert_eq!(short.encode().len(), long.encode().len());
        assert_eq!(Metadata::decode(&long.encode()), Ok(long));
        assert_eq!(Metadata::decode(&[]), Err(MetadataError));
        assert_eq!(Metadata::decode(&[1, 9, 0, 0]), Err(MetadataError));
        assert_eq!(Metadata::decode(&[1, 1, 0, 9, 65]), Err(MetadataError));
    }

    #[test]
    fn a_value_is_cut_at_a_character() {
        let long =
            Metadata::default().with(MetadataField::CustomerName, Private::new("é".repeat(1_000)));
        let cut = long.get(MetadataField::CustomerName).unwrap().reveal().len();
        assert_eq!(cut, 1_024);
        assert_eq!(Metadata::decode(&long.encode()), Ok(long));
    }
}
