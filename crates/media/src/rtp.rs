//! RTP packets (RFC 3550 §5.1): reading a header, and writing one before a payload in place.

use std::ops::Range;

/// Length of the header that we write: no contributing sources, no extension.
pub const HEADER_LEN: usize = 12;

/// Why bytes are not an RTP packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Malformed {
    /// Shorter than its headers say.
    Short,
    /// A version other than 2.
    Version,
    /// More padding than payload, or none where the header announces some.
    Padding,
    /// A payload type that is an RTCP packet type (RFC 5761 §4).
    Rtcp,
}

/// What a packet's header says, and where its payload lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packet {
    /// The marker bit.
    pub marker: bool,
    /// The payload type, 7 bits.
    pub payload_type: u8,
    /// The sequence number.
    pub sequence: u16,
    /// The timestamp in units of the payload type's clock.
    pub timestamp: u32,
    /// The synchronisation source.
    pub ssrc: u32,
    /// Where the payload lies, without headers and padding. It never starts before
    /// [`HEADER_LEN`].
    pub payload: Range<usize>,
}

/// What stays readable of a packet under SRTP (RFC 3711 §3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    /// How long it is, with contributing sources and extension.
    pub(crate) length: usize,
    /// The sequence number.
    pub(crate) sequence: u16,
    /// The synchronisation source.
    pub(crate) ssrc: u32,
}

/// The header of a packet that we send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// The marker bit.
    pub marker: bool,
    /// The payload type, 7 bits.
    pub payload_type: u8,
    /// The sequence number.
    pub sequence: u16,
    /// The timestamp.
    pub timestamp: u32,
    /// Our synchronisation source.
    pub ssrc: u32,
}

/// Reads big-endian bytes at `at`; `None` past the end.
pub(crate) fn read<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..)?.first_chunk().copied()
}

/// Whether a datagram is RTCP: its packet types are what no RTP packet has in that place (RFC 5761
/// §4).
pub(crate) fn is_report(bytes: &[u8]) -> bool {
    bytes.get(1).is_some_and(|kind| (192..=223).contains(kind))
}

/// Reads what may be encrypted behind, or not.
///
/// # Errors
/// As of [`parse`].
pub(crate) fn head(bytes: &[u8]) -> Result<Head, Malformed> {
    let header: [u8; HEADER_LEN] = read(bytes, 0).ok_or(Malformed::Short)?;
    let [first, _, q0, q1, _, _, _, _, ssrc @ ..] = header;
    if first >> 6 != 2 {
        return Err(Malformed::Version);
    }
    if is_report(bytes) {
        return Err(Malformed::Rtcp);
    }
    let mut length = HEADER_LEN + usize::from(first & 0x0F) * 4;
    if first & 0x10 != 0 {
        let words = read(bytes, length + 2).map(u16::from_be_bytes).ok_or(Malformed::Short)?;
        length += 4 + usize::from(words) * 4;
    }
    if length > bytes.len() {
        return Err(Malformed::Short);
    }
    Ok(Head { length, sequence: u16::from_be_bytes([q0, q1]), ssrc: u32::from_be_bytes(ssrc) })
}

/// Reads the header of `bytes`.
///
/// # Errors
/// [`Malformed`] says what is wrong; nothing that came off the wire is believed before it is
/// checked against the length.
pub fn parse(bytes: &[u8]) -> Result<Packet, Malformed> {
    let Head { length: start, sequence, ssrc } = head(bytes)?;
    let [first, second, _, _, timestamp @ ..]: [u8; 8] = read(bytes, 0).ok_or(Malformed::Short)?;
    let padding = match bytes.last() {
        Some(&padding) if first & 0x20 != 0 => usize::from(padding),
        _ => 0,
    };
    let end = bytes.len() - padding.min(bytes.len());
    if (first & 0x20 != 0 && padding == 0) || end < start {
        return Err(Malformed::Padding);
    }
    Ok(Packet {
        marker: second & 0x80 != 0,
        payload_type: second & 0x7F,
        sequence,
        timestamp: u32::from_be_bytes(timestamp),
        ssrc,
        payload: start..end,
    })
}

impl Header {
    /// The bytes of the header.
    #[must_use]
    pub const fn encode(&self) -> [u8; HEADER_LEN] {
        let [q0, q1] = self.sequence.to_be_bytes();
        let [t0, t1, t2, t3] = self.timestamp.to_be_bytes();
        let [s0, s1, s2, s3] = self.ssrc.to_be_bytes();
        let second = ((self.marker as u8) << 7) | (self.payload_type & 0x7F);
        [0x80, second, q0, q1, t0, t1, t2, t3, s0, s1, s2, s3]
    }

    /// Writes the header right before `payload`, over whatever header stood there, and says which
    /// bytes are the packet to send. Extensions and contributing sources of the other leg are not
    /// mirrored (RFC 7022: a leg's identity is its own).
    pub fn write_before(&self, packet: &mut [u8], payload: &Range<usize>) -> Range<usize> {
        let start = payload.start.saturating_sub(HEADER_LEN);
        if let Some(place) = packet.get_mut(start..).and_then(<[u8]>::first_chunk_mut) {
            *place = self.encode();
        }
        start..payload.end
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: Header = Header {
        marker: true,
        payload_type: 8,
        sequence: 0xFFFE,
        timestamp: 0xDEAD_BEEF,
        ssrc: 0x0102_0304,
    };

    #[test]
    fn a_header_reads_back_what_was_written() {
        let mut bytes = [0; 20];
        assert_eq!(HEADER.write_before(&mut bytes, &(12..20)), 0..20);
        let packet = parse(&bytes).unwrap();
        assert_eq!((packet.marker, packet.payload_type, packet.sequence), (true, 8, 0xFFFE));
        assert_eq!((packet.timestamp, packet.ssrc), (0xDEAD_BEEF, 0x0102_0304));
        assert_eq!(packet.payload, 12..20);
    }

    #[test]
    fn sources_extension_and_padding_are_stepped_over_and_not_mirrored() {
        let mut bytes = HEADER.encode().to_vec();
        bytes[0] = 0x80 | 0x20 | 0x10 | 2;
        bytes.extend([9; 8]);
        bytes.extend([0xBE, 0xDE, 0, 1, 1, 2, 3, 4]);
        bytes.extend([0x55; 5]);
        bytes.extend([0, 0, 3]);
        let packet = parse(&bytes).unwrap();
        assert_eq!(packet.payload, 28..33);
        let range = HEADER.write_before(&mut bytes, &packet.payload);
        assert_eq!(range, 16..33);
        assert_eq!(parse(&bytes[range]).unwrap().payload, 12..17);
    }

    #[test]
    fn each_kind_of_damage_is_named() {
        let whole = HEADER.encode();
        assert_eq!(parse(&whole[..11]), Err(Malformed::Short));
        assert_eq!(parse(&[0; 12]), Err(Malformed::Version));
        let with = |first: u8, tail: &[u8]| {
            let mut bytes = whole.to_vec();
            bytes[0] = first;
            bytes.extend(tail);
            parse(&bytes)
        };
        assert_eq!(with(0x8F, &[]), Err(Malformed::Short));
        assert_eq!(with(0x90, &[0, 0]), Err(Malformed::Short));
        assert_eq!(with(0x90, &[0, 0, 0xFF, 0xFF]), Err(Malformed::Short));
        assert_eq!(with(0xA0, &[1, 0]), Err(Malformed::Padding));
        assert_eq!(with(0xA0, &[1, 3]), Err(Malformed::Padding));
        let mut report = whole;
        report[1] = 200;
        assert_eq!(parse(&report), Err(Malformed::Rtcp));
    }
}
