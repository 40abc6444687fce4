//! The tape of one recording: which records of a journal make which chunk.

use std::{collections::BTreeMap, path::PathBuf};

use call::RecordingId;

use crate::{
    chunk::{CHUNK_HEADER_LENGTH, FRAME_SAMPLES, FRAMES, frame_length},
    codec::Codec,
    format::row::{Absence, METADATA_CHUNK, SAMPLES_PER_SECOND, State, first_sample},
    record::{ChunkCloses, ChunkOpens, Entry, RECORD_HEADER_LENGTH, Record},
    segment::{HEADER_LENGTH, TAG_LENGTH},
};

/// Where a record is in its journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) offset: u64,
    pub(crate) length: usize,
}

enum Taped {
    Absent(Absence, ChunkCloses),
    Segments { opens: ChunkOpens, closes: Option<ChunkCloses>, places: Vec<Place>, hole: bool },
}

/// What a journal holds of one recording. It reads nothing until it is finalised.
pub struct Tape {
    recording: RecordingId,
    journal: PathBuf,
    chunks: BTreeMap<u32, Taped>,
    finished: bool,
}

/// One row-to-be: its state and where its ciphertext is.
pub(crate) struct Plan<'a> {
    pub(crate) chunk: u32,
    pub(crate) state: State,
    pub(crate) closes: ChunkCloses,
    pub(crate) opens: Option<ChunkOpens>,
    pub(crate) places: &'a [Place],
}

impl Tape {
    pub(crate) const fn new(recording: RecordingId, journal: PathBuf) -> Self {
        Self { recording, journal, chunks: BTreeMap::new(), finished: false }
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
        let seconds = self.plans().filter_map(|plan| plan.opens?.codecs);
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
                self.chunks.insert(record.chunk, Taped::Absent(*reason, *closes));
            }
            Entry::Segment { segment, opens: Some(opens), closes } if segment.index == 0 => {
                let (opens, closes) = (*opens, *closes);
                let taped = Taped::Segments { opens, closes, places: vec![place], hole: false };
                self.chunks.insert(record.chunk, taped);
            }
            Entry::Segment { segment, opens: _, closes } => {
                let Some(Taped::Segments { closes: end, places, hole, .. }) =
                    self.chunks.get_mut(&record.chunk)
                else {
                    return;
                };
                // Behind a hole nothing can be placed: the chunk is what came before it.
                *hole |= usize::try_from(segment.index) != Ok(places.len());
                if !*hole {
                    places.push(place);
                    *end = *closes;
                }
            }
        }
    }

    /// Every row, seconds first without a hole, the metadata last.
    pub(crate) fn plans(&self) -> impl Iterator<Item = Plan<'_>> {
        let seconds =
            self.chunks.range(..METADATA_CHUNK).next_back().map_or(0, |(last, _)| last + 1);
        let end = seconds;
        (0..seconds)
            .chain([METADATA_CHUNK])
            .map(move |chunk| self.plan(chunk, chunk + 1 == end && !self.finished))
    }

    fn plan(&self, chunk: u32, may_end_anywhere: bool) -> Plan<'_> {
        let whole = if chunk == METADATA_CHUNK { 0 } else { SAMPLES_PER_SECOND };
        match self.chunks.get(&chunk) {
            Some(Taped::Segments { opens, closes: Some(closes), places, hole: false }) => {
                Plan { chunk, state: State::Sealed, closes: *closes, opens: Some(*opens), places }
            }
            Some(Taped::Segments {
                opens: ChunkOpens { codecs: Some(codecs), commitment },
                places,
                ..
            }) => {
                let samples = cut_samples(*codecs, places);
                let missing = if may_end_anywhere { 0 } else { 2 * (whole - samples) };
                let opens = ChunkOpens { codecs: Some(*codecs), commitment: *commitment };
                let closes = ChunkCloses { samples, missing };
                Plan { chunk, state: State::Cut, closes, opens: Some(opens), places }
            }
            Some(Taped::Absent(reason, closes)) => Plan {
                chunk,
                state: State::Absent(*reason),
                closes: *closes,
                opens: None,
                places: &[],
            },
            // A metadata chunk that is not whole opens to nothing, as if it had not been there.
            Some(Taped::Segments { .. }) | None => Plan {
                chunk,
                state: State::Absent(Absence::Lost),
                closes: ChunkCloses { samples: whole, missing: 2 * whole },
                opens: None,
                places: &[],
            },
        }
    }
}

/// How much sound whole segments hold: their lengths are known without a key.
fn cut_samples(codecs: [Codec; 2], places: &[Place]) -> u32 {
    let body = |place: &Place| place.length.saturating_sub(RECORD_HEADER_LENGTH + TAG_LENGTH);
    let clear: usize = places.iter().map(body).sum();
    let frames = clear.saturating_sub(HEADER_LENGTH + CHUNK_HEADER_LENGTH) / frame_length(codecs);
    let frames = u32::try_from(frames).unwrap_or(0).min(u32::from(FRAMES));
    frames * FRAME_SAMPLES as u32
}
