//! What a packet of Opus says of itself without being decoded (RFC 6716 §3).

/// Ticks of 8,000 Hz of the longest packet: 120 ms (RFC 6716 §3.2.5).
pub const LONGEST: u32 = 960;
/// 20 ms of silence: one silent frame of CELT (RFC 6716 §4.3), after which nothing before is remembered.
pub const SILENCE: [u8; 3] = [0xF8, 0xFF, 0xFE];
/// A packet up to this long is one of a pause: its sender may send nothing for a while (RFC 7587 §3.1.3).
const PAUSE: usize = 2;

/// Ticks of 8,000 Hz of one frame (RFC 6716 §3.1, table 2).
const fn frame(toc: u8) -> u32 {
    let config = toc >> 3;
    match (config, config & 3) {
        (0..=11, 3) => 480,
        (0..=11, size) => 80 << size,
        (12..=15, size) => 80 << (size & 1),
        (_, size) => 20 << size,
    }
}

/// How many ticks of 8,000 Hz a packet lasts; `None` when it is none of Opus.
#[must_use]
pub fn ticks(packet: &[u8]) -> Option<u32> {
    let (toc, rest) = packet.split_first()?;
    let frames = match toc & 3 {
        0 => 1,
        1 | 2 => 2,
        _ => u32::from(rest.first()? & 0x3F),
    };
    Some(frame(*toc) * frames).filter(|ticks| (1..=LONGEST).contains(ticks))
}

/// Whether its sender begins a pause or goes on with one.
#[must_use]
pub const fn is_pause(packet: &[u8]) -> bool {
    packet.len() <= PAUSE
}

/// Whether the packet also has what the one before it said, at a lower rate (in-band FEC): the first
/// bits of a frame of SILK say so (RFC 6716 §4.2.4). It is looked for in packets of one frame, which
/// nearly all are.
#[must_use]
pub fn has_before(packet: &[u8]) -> bool {
    let [toc, first, ..] = packet else {
        return false;
    };
    // One flag for each 20 ms says whether a voice is heard; behind them stands this one.
    let voices = (frame(*toc) / 160).max(1);
    let mono = first >> (7 - voices) & 1;
    let side = if toc & 4 == 0 { 0 } else { first >> (6 - 2 * voices) & 1 };
    toc >> 3 < 16 && toc & 3 == 0 && mono | side != 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_bytes_say_how_long_a_packet_lasts() {
        // Configuration, frame count code and, for code 3, the count: milliseconds times eight.
        for (packet, expected) in [
            (&[0x00][..], Some(80)),
            (&[0x08], Some(160)),
            (&[0x10], Some(320)),
            (&[0x18], Some(480)),
            (&[0x60], Some(80)),
            (&[0x68], Some(160)),
            (&[0x80], Some(20)),
            (&[0x88], Some(40)),
            (&[0x90], Some(80)),
            (&[0xF8], Some(160)),
            (&[0xF9], Some(320)),
            (&[0xFA], Some(320)),
            (&[0xFB, 6], Some(960)),
            (&[0xFB, 7], None),
            (&[0xFB, 0], None),
            (&[0xFB], None),
            (&[0x1B, 2], Some(960)),
            (&[0x1B, 3], None),
            (&[], None),
        ] {
            assert_eq!(ticks(packet), expected, "{packet:02X?}");
        }
        assert_eq!(ticks(&SILENCE), Some(160));
        assert!(is_pause(&[0x78]) && is_pause(&[0x78, 0]) && !is_pause(&SILENCE));
    }

    #[test]
    fn whether_the_packet_before_is_in_it_too_is_one_bit_of_a_frame_of_silk() {
        // Wideband SILK of 20 ms: one flag for a voice, then this one.
        assert!(has_before(&[0x48, 0x40]) && !has_before(&[0x48, 0x80]));
        // Of 60 ms: three flags before it; of 10 ms one.
        assert!(
            has_before(&[0x58, 0x10]) && !has_before(&[0x58, 0xE0]) && has_before(&[0x40, 0x40])
        );
        // Stereo: the side has its own.
        assert!(has_before(&[0x4C, 0x10]) && !has_before(&[0x4C, 0xA0]));
        // CELT has none, and neither has what is no frame.
        assert!(!has_before(&[0xF8, 0xFF]) && !has_before(&[0x48]) && !has_before(&[]));
    }
}
