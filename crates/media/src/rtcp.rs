//! RTCP (RFC 3550 §6): our own minimal reports, and what is read from the peer's.

use std::time::Duration;

use call::Time;

use crate::{reception::Reception, rtp};

/// Random bytes in our canonical name.
pub const TOKEN_LEN: usize = 12;
/// Mean time between two reports (RFC 3550 §6.2).
const INTERVAL: Duration = Duration::from_secs(5);
/// Seconds from 1900 (NTP) to 1970 (Unix).
const NTP_TO_UNIX: u64 = 2_208_988_800;

const SENDER_REPORT: u8 = 200;
const RECEIVER_REPORT: u8 = 201;
const SOURCE_DESCRIPTION: u8 = 202;
const GOODBYE: u8 = 203;

/// Why bytes are not an RTCP packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MalformedReport {
    /// Shorter than a length field says, or not whole words.
    Short,
    /// A version other than 2.
    Version,
    /// The compound packet begins with something that is no RTCP packet type.
    Type,
}

/// What a compound packet told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// The sender report: its source and the middle 32 bits of its NTP time.
    pub sender: Option<(u32, u32)>,
    /// The report block about our stream.
    pub about_us: Option<Block>,
    /// Whether the source said goodbye.
    pub goodbye: bool,
}

/// A report block (RFC 3550 §6.4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block {
    /// Share of packets lost since the report before, in 1/256.
    pub fraction_lost: u8,
    /// Packets lost in all; what came twice counts against it.
    pub lost: i32,
    /// The highest sequence number that came.
    pub highest: u16,
    /// Interarrival jitter in timestamp units.
    pub jitter: u32,
    /// Middle 32 bits of the NTP time of our last sender report, or 0.
    pub last_report: u32,
    /// Time from its arrival to this report in 1/65536 s.
    pub delay: u32,
}

impl Block {
    /// The round trip in microseconds, if the peer has had a report of ours (RFC 3550 §6.4.1).
    #[must_use]
    pub fn round_trip_us(&self, now: Time) -> Option<u64> {
        let trip = ntp_middle(now).wrapping_sub(self.last_report).wrapping_sub(self.delay);
        // More than half the circle is a negative trip: the peer's arithmetic is wrong.
        (self.last_report != 0 && trip < 1 << 31).then(|| (u64::from(trip) * 1_000_000) >> 16)
    }
}

/// Reads a compound packet of any shape. `ours` is our synchronisation source.
///
/// # Errors
/// [`MalformedReport`] for the first part whose length or version is wrong; what stood before it
/// is not used either (RFC 3550 A.2).
pub fn parse(bytes: &[u8], ours: u32) -> Result<Told, MalformedReport> {
    let mut told = Told::default();
    let mut rest = bytes;
    loop {
        let [first, kind, length @ ..]: [u8; 4] =
            rtp::read(rest, 0).ok_or(MalformedReport::Short)?;
        if first >> 6 != 2 {
            return Err(MalformedReport::Version);
        }
        if !(192..=223).contains(&kind) {
            return Err(MalformedReport::Type);
        }
        let size = (usize::from(u16::from_be_bytes(length)) + 1) * 4;
        let (part, after) = rest.split_at_checked(size).ok_or(MalformedReport::Short)?;
        let count = usize::from(first & 0x1F);
        match kind {
            SENDER_REPORT => {
                let source = word(part, 4).zip(word(part, 10));
                told.sender = Some(source.ok_or(MalformedReport::Short)?);
                blocks(part.get(28..), count, ours, &mut told)?;
            }
            RECEIVER_REPORT => blocks(part.get(8..), count, ours, &mut told)?,
            GOODBYE => told.goodbye = true,
            _ => {}
        }
        if after.is_empty() {
            return Ok(told);
        }
        rest = after;
    }
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    rtp::read(bytes, at).map(u32::from_be_bytes)
}

fn blocks(
    bytes: Option<&[u8]>,
    count: usize,
    ours: u32,
    told: &mut Told,
) -> Result<(), MalformedReport> {
    let bytes = bytes.and_then(|bytes| bytes.get(..count * 24)).ok_or(MalformedReport::Short)?;
    for block in bytes.chunks_exact(24) {
        if word(block, 0) == Some(ours) {
            told.about_us = Some(Block {
                fraction_lost: block.get(4).copied().unwrap_or(0),
                // 24 bits with a sign.
                lost: word(block, 4).map_or(0, |word| (word << 8).cast_signed() >> 8),
                highest: word(block, 8).unwrap_or(0) as u16,
                jitter: word(block, 12).unwrap_or(0),
                last_report: word(block, 16).unwrap_or(0),
                delay: word(block, 20).unwrap_or(0),
            });
        }
    }
    Ok(())
}

/// The middle 32 bits of a moment's NTP time.
fn ntp_middle(now: Time) -> u32 {
    (ntp(now) >> 16) as u32
}

/// A moment's NTP time: seconds since 1900 and their fraction, 32 bits each.
fn ntp(now: Time) -> u64 {
    let micros = now.as_micros() % 1_000_000;
    (now.as_secs().wrapping_add(NTP_TO_UNIX) << 32) | ((micros << 32) / 1_000_000)
}

/// When a leg reports, and under which name.
#[derive(Debug)]
pub struct Reporter {
    token: [u8; TOKEN_LEN],
    chance: u64,
    due: Option<Time>,
    packets_before: u32,
}

/// What a report says of the stream that the leg sends.
#[derive(Clone, Copy, Debug)]
pub struct Sending {
    /// Our synchronisation source.
    pub ssrc: u32,
    /// The RTP timestamp that stands for now.
    pub timestamp: u32,
    /// Packets sent.
    pub packets: u32,
    /// Payload bytes sent.
    pub octets: u32,
}

impl Reporter {
    /// A reporter with a random name and a random seed for its intervals.
    #[must_use]
    pub const fn new(token: [u8; TOKEN_LEN], seed: u64) -> Self {
        Self { token, chance: seed, due: None, packets_before: 0 }
    }

    /// Begins to report, half an interval from now at most (RFC 3550 §6.2).
    pub fn start(&mut self, now: Time) {
        if self.due.is_none() {
            self.due = Some(now + self.interval() / 2);
        }
    }

    /// When the next report is due.
    #[must_use]
    pub const fn due(&self) -> Option<Time> {
        self.due
    }

    /// 5 s, half as much or half as long again, spread by the seed.
    fn interval(&mut self) -> Duration {
        // A linear congruential generator (Knuth, MMIX) is chance enough to keep peers apart.
        self.chance = self
            .chance
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        INTERVAL / 2 + INTERVAL.mul_f64((self.chance >> 40) as f64 / f64::from(1 << 24))
    }

    /// Writes the compound packet that is due and sets the next; with `goodbye` it is the last.
    /// Returns its length, 0 when `out` is too short.
    pub fn write(
        &mut self,
        now: Time,
        sending: &Sending,
        reception: &mut Reception,
        goodbye: bool,
        out: &mut [u8],
    ) -> usize {
        self.due = if goodbye { None } else { Some(now + self.interval()) };
        let active = sending.packets != self.packets_before;
        self.packets_before = sending.packets;
        let block = reception.block(now);
        let mut pen = Pen { out, at: 0 };
        let ssrc = sending.ssrc.to_be_bytes();
        let (kind, words) = if active { (SENDER_REPORT, 6) } else { (RECEIVER_REPORT, 1) };
        let count = u8::from(block.is_some());
        pen.put(&[0x80 | count, kind, 0, words + count * 6]);
        pen.put(&ssrc);
        if active {
            pen.put(&ntp(now).to_be_bytes());
            pen.put(&sending.timestamp.to_be_bytes());
            pen.put(&sending.packets.to_be_bytes());
            pen.put(&sending.octets.to_be_bytes());
        }
        if let Some(block) = block {
            pen.put(&block);
        }
        // CNAME (item 1) of 24 hexadecimal digits, its end and padding: 2 + 24 + 2 bytes (§6.5).
        pen.put(&[0x81, SOURCE_DESCRIPTION, 0, 8]);
        pen.put(&ssrc);
        pen.put(&[1, 2 * TOKEN_LEN as u8]);
        for byte in self.token {
            pen.put(&[hex(byte >> 4), hex(byte & 0x0F)]);
        }
        pen.put(&[0, 0]);
        if goodbye {
            pen.put(&[0x81, GOODBYE, 0, 1]);
            pen.put(&ssrc);
        }
        if pen.at <= pen.out.len() { pen.at } else { 0 }
    }
}

const fn hex(digit: u8) -> u8 {
    if digit < 10 { b'0' + digit } else { b'a' + digit - 10 }
}

struct Pen<'a> {
    out: &'a mut [u8],
    at: usize,
}

impl Pen<'_> {
    fn put(&mut self, bytes: &[u8]) {
        if let Some(place) = self.out.get_mut(self.at..self.at + bytes.len()) {
            place.copy_from_slice(bytes);
        }
        self.at += bytes.len();
    }
}

#[cfg(test)]
#[path = "rtcp_tests.rs"]
mod tests;
