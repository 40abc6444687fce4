//! Writes small captures for SIPp to play: G.711 packets and telephone events of our own making.

use std::{fs, io, path::Path};

/// One RTP packet of a capture.
pub struct Packet {
    /// When it is sent, in milliseconds from the start of the capture.
    pub at_ms: u32,
    /// Whether the marker bit is set.
    pub marker: bool,
    /// RTP payload type.
    pub payload_type: u8,
    /// RTP sequence number.
    pub sequence: u16,
    /// RTP timestamp.
    pub timestamp: u32,
    /// RTP payload.
    pub payload: Vec<u8>,
}

/// Writes the packets as an Ethernet capture (libpcap 2.4, microseconds).
///
/// # Errors
/// The file cannot be written.
pub fn write(path: &Path, ssrc: u32, packets: &[Packet]) -> io::Result<()> {
    let mut file = Vec::new();
    file.extend(0xa1b2_c3d4_u32.to_le_bytes());
    file.extend([2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    file.extend(65_535_u32.to_le_bytes());
    file.extend(1_u32.to_le_bytes());
    for packet in packets {
        let frame = frame(ssrc, packet);
        let length = u32::try_from(frame.len()).unwrap_or(u32::MAX);
        for word in [packet.at_ms / 1_000, packet.at_ms % 1_000 * 1_000, length, length] {
            file.extend(word.to_le_bytes());
        }
        file.extend(frame);
    }
    fs::write(path, file)
}

fn frame(ssrc: u32, packet: &Packet) -> Vec<u8> {
    let rtp = 12 + packet.payload.len();
    let length = |n: usize| u16::try_from(n).unwrap_or(u16::MAX).to_be_bytes();
    let mut frame = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0];
    frame.extend([0x45, 0]);
    frame.extend(length(20 + 8 + rtp));
    frame.extend([0, 0, 0x40, 0, 64, 17, 0, 0, 127, 0, 0, 1, 127, 0, 0, 1]);
    frame.extend(40_000_u16.to_be_bytes());
    frame.extend(40_002_u16.to_be_bytes());
    frame.extend(length(8 + rtp));
    frame.extend([0, 0]);
    frame.extend([0x80, packet.payload_type | u8::from(packet.marker) << 7]);
    frame.extend(packet.sequence.to_be_bytes());
    frame.extend(packet.timestamp.to_be_bytes());
    frame.extend(ssrc.to_be_bytes());
    frame.extend(&packet.payload);
    frame
}

/// Splits encoded audio into packets of 20 ms.
#[must_use]
pub fn audio(encoded: &[u8], payload_type: u8, first: u16) -> Vec<Packet> {
    encoded
        .chunks(160)
        .zip(0_u32..)
        .map(|(payload, index)| Packet {
            at_ms: index * 20,
            marker: index == 0,
            payload_type,
            sequence: first.wrapping_add(u16::try_from(index % 65_536).unwrap_or(0)),
            timestamp: 160_000 + index * 160,
            payload: payload.to_vec(),
        })
        .collect()
}
