//! Sound that comes in packets of one length and leaves in packets of another (row B-30).

use std::time::Duration;

use call::Time;
use zeroize::Zeroize;

use crate::{rtp::Packet, timeline::duration};

/// Room for what waits: two packets of 200 ms and one of 60 ms.
const ROOM: usize = 4_096;
/// The shortest packets that anybody asks for: 10 ms.
const SHORTEST: usize = 80;
/// The most packets that wait.
const MOST: usize = ROOM / SHORTEST;
/// Timestamps that step back further than this, one second, are a new beginning.
const BACK: i32 = 8_000;

/// Which way a packet goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// As it is; `anew` when what went before it was packed, so that its numbers say nothing.
    InPlace { anew: bool },
    /// Through the packing.
    Packed,
}

/// The numbers of a packet that is packed, in the clock of its source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Numbers {
    sequence: u16,
    timestamp: u32,
}

/// The sound that has come for a leg and has not left yet: of a whole packet at most what came at
/// once, of a part less than a packet. It is wiped as it leaves. It is empty, and has no memory of
/// its own, until packets of another length than the leg's come in; it is the one place where the
/// sound of a call outlives its packet, and only once the parties are connected.
#[derive(Debug, Default)]
pub(crate) struct Packing {
    bytes: Option<Box<[u8; ROOM]>>,
    used: usize,
    ready: Vec<Numbers>,
    /// Bytes of a packet that leaves.
    length: usize,
    source: Option<Source>,
    /// The next packet that leaves begins a stream.
    anew: bool,
    /// When the last packet that left is over.
    free: Option<Time>,
}

/// Where the source is.
#[derive(Clone, Copy, Debug)]
struct Source {
    ssrc: u32,
    newest: u16,
    /// The timestamp behind the last byte that came.
    end: u32,
    /// Our number for the packet that is being filled.
    sequence: u16,
    came: Time,
    /// The longest payload.
    most: usize,
}

impl Source {
    /// A packet that is no sound has had its number.
    const fn pass(&mut self, packet: &Packet) {
        if packet.sequence.wrapping_sub(self.newest).cast_signed() > 0 {
            self.newest = packet.sequence;
        }
    }
}

/// It came after what follows it had left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Late;

/// A packet that leaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Leaving {
    /// Its numbers in the clock of its source.
    pub(crate) packet: Packet,
    /// Whether its numbers say nothing about those before.
    pub(crate) anew: bool,
}

impl Packing {
    /// Which way a payload of `came` bytes goes to a leg whose packets have `length`.
    pub(crate) fn way(&mut self, came: usize, length: usize) -> Way {
        if length != self.length {
            self.clear();
            self.length = length;
        }
        if came != length || self.used > 0 {
            return Way::Packed;
        }
        Way::InPlace { anew: self.source.take().is_some() }
    }

    /// Takes the sound of a packet; `silence` fills what a gap leaves of a packet. Lost packets stay
    /// lost, and a pause stays a pause.
    ///
    /// # Errors
    /// [`Late`]: its place has left already.
    pub(crate) fn push(
        &mut self,
        now: Time,
        packet: &Packet,
        payload: &[u8],
        silence: u8,
    ) -> Result<(), Late> {
        let known = self.source.filter(|source| {
            let step = packet.timestamp.wrapping_sub(source.end).cast_signed();
            source.ssrc == packet.ssrc && step > -BACK
        });
        let mut source = known.unwrap_or_else(|| self.begin(now, packet));
        let step = packet.timestamp.wrapping_sub(source.end).cast_signed();
        if step < 0 || self.used + payload.len() + self.length > ROOM {
            return Err(Late);
        }
        if step > 0 {
            let lost = packet.sequence.wrapping_sub(source.newest) > 1;
            self.skip(&mut source, step.unsigned_abs(), lost, silence);
        }
        source.newest = packet.sequence;
        source.came = now;
        source.most = source.most.max(payload.len());
        self.put(&mut source, payload);
        self.source = Some(source);
        Ok(())
    }

    fn begin(&mut self, now: Time, packet: &Packet) -> Source {
        self.clear();
        self.anew = true;
        Source {
            ssrc: packet.ssrc,
            newest: packet.sequence.wrapping_sub(1),
            end: packet.timestamp,
            sequence: 0,
            came: now,
            most: 0,
        }
    }

    /// Bytes of a packet that is not full yet.
    fn part(&self) -> usize {
        self.used - self.ready.len() * self.length
    }

    /// Passes over `step` ticks in which nothing came.
    fn skip(&mut self, source: &mut Source, step: u32, lost: bool, silence: u8) {
        let part = self.part();
        let missing = if part == 0 { 0 } else { self.length - part };
        let filled = missing.min(step as usize);
        let fill = [silence; SHORTEST];
        let mut left = filled;
        while left > 0 {
            let piece = fill.get(..left.min(SHORTEST)).unwrap_or(&fill);
            self.put(source, piece);
            left -= piece.len();
        }
        let rest = step - filled as u32;
        source.end = source.end.wrapping_add(rest);
        if lost && self.length > 0 {
            source.sequence = source.sequence.wrapping_add((rest / self.length as u32) as u16);
        }
    }

    /// Puts bytes behind what waits; they fit.
    fn put(&mut self, source: &mut Source, payload: &[u8]) {
        if self.ready.capacity() == 0 {
            self.ready.reserve_exact(MOST);
        }
        let bytes = self.bytes.get_or_insert_with(|| Box::new([0; ROOM]));
        let room = bytes.get_mut(self.used..).unwrap_or_default();
        for (place, byte) in room.iter_mut().zip(payload) {
            *place = *byte;
        }
        self.used += payload.len();
        source.end = source.end.wrapping_add(payload.len() as u32);
        while self.part() >= self.length && self.length > 0 {
            let timestamp = source.end.wrapping_sub(self.part() as u32);
            let numbers = Numbers { sequence: source.sequence, timestamp };
            if self.ready.len() == MOST {
                return;
            }
            self.ready.push(numbers);
            source.sequence = source.sequence.wrapping_add(1);
        }
    }

    /// How long a packet that leaves lasts.
    fn time(&self) -> Duration {
        duration(self.length as u64)
    }

    /// When something leaves: a packet after the one before, at once when more waits than came in
    /// one packet, and a part, with silence behind it, when what would fill it is overdue by a packet.
    pub(crate) fn due(&self) -> Option<Time> {
        let source = self.source.filter(|_| self.used > 0)?;
        if self.ready.is_empty() {
            return Some(source.came + duration(source.most as u64) + self.time());
        }
        if self.used >= source.most + self.length {
            return Some(source.came);
        }
        Some(self.free.map_or(source.came, |free| free.max(source.came)))
    }

    /// Writes the packet that is due into `out`.
    pub(crate) fn take(&mut self, now: Time, silence: u8, out: &mut [u8]) -> Option<Leaving> {
        self.due().filter(|due| *due <= now && self.length <= out.len())?;
        let mut source = self.source?;
        let abandoned = self.ready.is_empty();
        if abandoned {
            let missing = (self.length - self.part()) as u32;
            self.skip(&mut source, missing, false, silence);
        }
        if self.ready.is_empty() {
            return None;
        }
        let numbers = self.ready.remove(0);
        let length = self.length;
        let bytes = self.bytes.as_mut()?;
        for (place, byte) in out.iter_mut().zip(bytes.iter()).take(length) {
            *place = *byte;
        }
        bytes.copy_within(length..self.used, 0);
        self.used -= length;
        if let Some(gone) = bytes.get_mut(self.used..self.used + length) {
            gone.zeroize();
        }
        let late = self.free.filter(|free| *free <= now && now.since(*free) <= self.time());
        self.free = Some(late.unwrap_or(now) + self.time());
        // What comes after silence of ours continues our numbers and not the source's.
        self.source = Some(source).filter(|_| !abandoned);
        let packet = Packet {
            marker: false,
            payload_type: 0,
            sequence: numbers.sequence,
            timestamp: numbers.timestamp,
            ssrc: source.ssrc,
            payload: 0..length,
        };
        Some(Leaving { packet, anew: std::mem::take(&mut self.anew) })
    }

    /// The numbers under which a packet that is not packed, such as a key, goes between those that
    /// are; what is left over from before it is forgotten.
    pub(crate) fn between(&mut self, packet: &Packet) -> Option<Leaving> {
        let part = self.part();
        if let Some(bytes) = &mut self.bytes
            && let Some(left) = bytes.get_mut(self.used - part..self.used)
        {
            left.zeroize();
        }
        self.used -= part;
        let source = self.source.as_mut()?;
        let sequence = source.sequence;
        source.sequence = sequence.wrapping_add(1);
        source.pass(packet);
        let packet = Packet { sequence, ..packet.clone() };
        Some(Leaving { packet, anew: std::mem::take(&mut self.anew) })
    }

    /// Notes that a packet is kept back on purpose; says whether what was sent last went through here.
    pub(crate) fn withhold(&mut self, packet: &Packet) -> bool {
        if let Some(source) = self.source.as_mut().filter(|source| source.ssrc == packet.ssrc) {
            source.pass(packet);
        }
        self.source.is_some()
    }

    /// Forgets what waits.
    pub(crate) fn clear(&mut self) {
        if let Some(bytes) = &mut self.bytes
            && let Some(used) = bytes.get_mut(..self.used)
        {
            used.zeroize();
        }
        self.used = 0;
        self.ready.clear();
        self.source = None;
    }
}

impl Drop for Packing {
    fn drop(&mut self) {
        self.clear();
    }
}
