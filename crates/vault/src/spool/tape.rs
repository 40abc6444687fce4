//! The tape of one recording: which records of a journal make which chunk.

use std::path::PathBuf;

use call::RecordingId;

use crate::{
    chunk::{CHUNK_HEADER_LENGTH, FRAME_SAMPLES, FRAMES, frame_length},
    codec::Codec,
    format::row::{Absence, METADATA_CHUNK, SAMPLES_PER_SECOND, State, first_sample},
    record::{ChunkCloses, Entry, RECORD_HEADER_LENGTH, Record},
    segment::{HEADER_LENGTH, TAG_LENGTH},
};

/// Where a record is in its journal. Each second of every call that records keeps five of these in
/// memory, so they are small: a journal ends far below 2^48 bytes, a record below 2^16.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    offset: [u8; 6],
    length: u16,
}

impl Place {
    pub(crate) fn new(offset: u64, length: usize) -> Self {
        let [_, _, offset @ ..] = offset.to_be_bytes();
        Self { offset, length: u16::try_from(length).unwrap_or(u16::MAX) }
    }

    /// Bytes in front of the record.
    pub(crate) fn offset(self) -> u64 {
        self.offset.iter().fold(0, |offset, byte| offset << 8 | u64::from(*byte))
    }

    /// Bytes of the record.
    pub(crate) fn length(self) -> usize {
        self.length.into()
    }
}

enum Taped {
    Absent(Absence, ChunkCloses),
    /// Its records are `count` of the tape's places, from `first` on.
    Segments {
        codecs: Option<[Codec; 2]>,
        closes: Option<ChunkCloses>,
        first: u32,
        count: u16,
        hole: bool,
    },
}

/// What a journal holds of one recording. It reads nothing until it is finalised, and keeps in memory
/// what cannot be read again then: where the records are, and how each chunk ended.
pub struct Tape {
    recording: RecordingId,
    journal: PathBuf,
    /// By the number of the chunk.
    chunks: Vec<(u32, Taped)>,
    /// In the order in which they were written: the records of one chunk stand together.
    places: Vec<Place>,
    finished: bool,
}

/// One row-to-be: its state and where its ciphertext is.
pub(crate) struct Plan<'a> {
    pub(crate) chunk: u32,
    pub(crate) state: State,
    pub(crate) closes: ChunkCloses,
    /// `None` where there is no sound.
    pub(crate) codecs: Option<[Codec; 2]>,
    pub(crate) places: &'a [Place],
}

impl Tape {
    pub(crate) const fn new(recording: RecordingId, journal: PathBuf) -> Self {
        Self { recording, journal, chunks: Vec::new(), places: Vec::new(), finished: false }
    }

    /// Which recording.
    #[must_use]
    pub const fn recording(&self) -> RecordingId {
        self.recording
    }

    pub(crate) fn journal(&self) -> &std::path::Path {
        &self.journal
    }

    /// Whether it ended in order and nothing in it is cut: what is not whole is `degraded`.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        let cut = |plan: Plan<'_>| match plan.state {
            State::Sealed => false,
            State::Cut => true,
            State::Absent(reason) => reason == Absence::Lost,
        };
        self.finished && !self.plans().any(cut)
    }

    /// Length in samples at 8,000 Hz: as far as anything is known of the recording.
    #[must_use]
    pub fn samples(&self) -> u64 {
        let seconds = self.plans().filter(|plan| plan.chunk != METADATA_CHUNK);
        seconds.last().map_or(0, |last| first_sample(last.chunk) + u64::from(last.closes.samples))
    }

    /// Samples known to be missing, over both channels.
    #[must_use]
    pub fn missing_samples(&self) -> u64 {
        self.plans().map(|plan| u64::from(plan.closes.missing)).sum()
    }

    /// Coding of both channels: where the sound begins, but with 16,000 samples a second if any second
    /// has them, so that a reader knows from the start at which rate nothing is lost. `None` without any
    /// sound.
    #[must_use]
    pub fn codecs(&self) -> Option<[Codec; 2]> {
        let seconds = self.plans().filter_map(|plan| plan.codecs);
        seconds.reduce(|[customer, agent], [later, answered]| {
            [(customer, later), (agent, answered)].map(|(first, later)| match later {
                Codec::Pcm16Wide => later,
                Codec::Pcma | Codec::Pcmu | Codec::Pcm16 => first,
            })
        })
    }

    pub(crate) fn note(&mut self, record: &Record, place: Place) {
        match &record.entry {
            Entry::Finished => self.finished = true,
            Entry::Released => {}
            Entry::Absent { reason, closes } => {
                self.put(record.chunk, Taped::Absent(*reason, *closes));
            }
            Entry::Segment { segment, opens: Some(opens), closes } if segment.index == 0 => {
                let first = u32::try_from(self.places.len()).unwrap_or(u32::MAX);
                let (codecs, closes) = (opens.codecs, *closes);
                let taped = Taped::Segments { codecs, closes, first, count: 1, hole: false };
                self.put(record.chunk, taped);
                add(&mut self.places, place);
            }
            Entry::Segment { segment, opens: _, closes: end } => {
                let behind = u32::try_from(self.places.len()).unwrap_or(u32::MAX);
                let Some(Taped::Segments { closes, first, count, hole, .. }) =
                    self.chunk_mut(record.chunk)
                else {
                    return;
                };
                // Behind a hole nothing can be placed: the chunk is what came before it.
                *hole |= segment.index != u32::from(*count)
                    || first.checked_add(segment.index) != Some(behind);
                if !*hole {
                    (*closes, *count) = (*end, count.saturating_add(1));
                    add(&mut self.places, place);
                }
            }
        }
    }

    /// Where a chunk is, or where it would be: nearly always at the end.
    fn find(&self, chunk: u32) -> Result<usize, usize> {
        self.chunks.binary_search_by_key(&chunk, |(number, _)| *number)
    }

    fn put(&mut self, chunk: u32, taped: Taped) {
        match self.find(chunk) {
            Ok(place) => {
                if let Some((_, had)) = self.chunks.get_mut(place) {
                    *had = taped;
                }
            }
            Err(place) => {
                make_room(&mut self.chunks);
                self.chunks.insert(place, (chunk, taped));
            }
        }
    }

    fn chunk(&self, chunk: u32) -> Option<&Taped> {
        self.chunks.get(self.find(chunk).ok()?).map(|(_, taped)| taped)
    }

    fn chunk_mut(&mut self, chunk: u32) -> Option<&mut Taped> {
        let place = self.find(chunk).ok()?;
        self.chunks.get_mut(place).map(|(_, taped)| taped)
    }

    fn places(&self, first: u32, count: u16) -> &[Place] {
        let first = usize::try_from(first).unwrap_or(usize::MAX);
        let places = self.places.get(first..first.saturating_add(count.into()));
        places.unwrap_or_default()
    }

    /// Every row, seconds first without a hole, the metadata last.
    pub(crate) fn plans(&self) -> impl Iterator<Item = Plan<'_>> {
        let mut seconds = self.chunks.iter().map(|(chunk, _)| *chunk);
        let seconds = seconds.rfind(|chunk| *chunk < METADATA_CHUNK).map_or(0, |last| last + 1);
        let end = seconds;
        (0..seconds)
            .chain([METADATA_CHUNK])
            .map(move |chunk| self.plan(chunk, chunk + 1 == end && !self.finished))
    }

    fn plan(&self, chunk: u32, may_end_anywhere: bool) -> Plan<'_> {
        let whole = if chunk == METADATA_CHUNK { 0 } else { SAMPLES_PER_SECOND };
        match self.chunk(chunk) {
            Some(Taped::Segments { codecs, closes: Some(closes), first, count, hole: false }) => {
                let places = self.places(*first, *count);
                Plan { chunk, state: State::Sealed, closes: *closes, codecs: *codecs, places }
            }
            Some(Taped::Segments { codecs: Some(codecs), first, count, .. }) => {
                let places = self.places(*first, *count);
                let samples = cut_samples(*codecs, places);
                let missing = if may_end_anywhere { 0 } else { 2 * (whole - samples) };
                let closes = ChunkCloses { samples, missing };
                Plan { chunk, state: State::Cut, closes, codecs: Some(*codecs), places }
            }
            Some(Taped::Absent(reason, closes)) => Plan {
                chunk,
                state: State::Absent(*reason),
                closes: *closes,
                codecs: None,
                places: &[],
            },
            // A metadata chunk that is not whole opens to nothing, as if it had not been there.
            Some(Taped::Segments { .. }) | None => Plan {
                chunk,
                state: State::Absent(Absence::Lost),
                closes: ChunkCloses { samples: whole, missing: 2 * whole },
                codecs: None,
                places: &[],
            },
        }
    }
}

fn add(places: &mut Vec<Place>, place: Place) {
    make_room(places);
    places.push(place);
}

/// Makes room for one more by an eighth at a time: a list that doubles wastes what a thousand calls
/// do not have, and one that grows by one is copied too often.
fn make_room<T>(list: &mut Vec<T>) {
    if list.len() == list.capacity() {
        list.reserve_exact(16 + list.len() / 8);
    }
}

/// How much sound whole segments hold: their lengths are known without a key.
fn cut_samples(codecs: [Codec; 2], places: &[Place]) -> u32 {
    let body = |place: &Place| place.length().saturating_sub(RECORD_HEADER_LENGTH + TAG_LENGTH);
    let clear: usize = places.iter().map(body).sum();
    let frames = clear.saturating_sub(HEADER_LENGTH + CHUNK_HEADER_LENGTH) / frame_length(codecs);
    let frames = u32::try_from(frames).unwrap_or(0).min(u32::from(FRAMES));
    frames * FRAME_SAMPLES as u32
}

#[cfg(test)]
mod tests {
    use call::Digest;

    use super::*;
    use crate::{record::ChunkOpens, segment::Segment};

    const SEGMENTS: u32 = 5;

    fn segment(chunk: u32, index: u32) -> Record {
        let last = index + 1 == SEGMENTS;
        let commitment = Digest::from_bytes([9; 32]);
        let opens = ChunkOpens { commitment, codecs: Some([Codec::Pcma; 2]) };
        let entry = Entry::Segment {
            segment: Segment { index, last, bytes: Vec::new() },
            opens: (index == 0).then_some(opens),
            closes: last.then_some(ChunkCloses { samples: SAMPLES_PER_SECOND, missing: 0 }),
        };
        Record { recording: RecordingId::from_bytes([7; 16]), chunk, entry }
    }

    fn tape() -> Tape {
        Tape::new(RecordingId::from_bytes([7; 16]), PathBuf::new())
    }

    #[test]
    fn a_place_is_what_it_was_made_of() {
        for (offset, length) in
            [(0, 0), (1, 84), (0xFEDC_BA98_7654, 4_180), ((1 << 48) - 1, 65_535)]
        {
            let place = Place::new(offset, length);
            assert_eq!((place.offset(), place.length()), (offset, length));
        }
    }

    #[test]
    fn an_hour_of_a_call_takes_less_than_90_bytes_of_memory_a_second() {
        let mut tape = tape();
        for chunk in 0..3_600 {
            (0..SEGMENTS).for_each(|index| tape.note(&segment(chunk, index), Place::new(0, 4_180)));
        }
        let chunks = tape.chunks.capacity() * size_of::<(u32, Taped)>();
        let bytes = chunks + tape.places.capacity() * size_of::<Place>();
        assert!(bytes < 3_600 * 90, "{} bytes a second", bytes / 3_600);
    }

    #[test]
    fn a_segment_that_comes_behind_another_chunk_ends_its_own() {
        let mut tape = tape();
        let place = Place::new(0, 4_180);
        for (chunk, index) in [(0, 0), (0, 1), (1, 0), (0, 2), (1, 1)] {
            tape.note(&segment(chunk, index), place);
        }
        let seen: Vec<_> = tape.plans().map(|plan| (plan.state, plan.places.len())).collect();
        let lost = State::Absent(Absence::Lost);
        assert_eq!(seen, [(State::Cut, 2), (State::Cut, 2), (lost, 0)]);
    }
}
