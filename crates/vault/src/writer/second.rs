//! The second that is being written: sealed segment by segment, described at its end.

use call::RecordingId;
use zeroize::Zeroizing;

use super::window::Window;
use crate::{
    chunk::{
        FRAME_SAMPLES, FRAMES, GAP_LIMIT, Gap, PEAKS, Peaks, associated_data, encode_header,
        encode_trailer, frame_length,
    },
    codec::Codec,
    format::row::{Absence, first_sample},
    record::{ChunkCloses, ChunkOpens, Entry, Record},
    secret::CipherError,
    segment::{Piece, Sealer, Segment, StreamSalt},
    shelf::Shelf,
    tree::Leaf,
};

/// Positions under one peak: 50 ms.
const PEAK_SAMPLES: usize = 400;

struct Open {
    sealer: Sealer,
    codecs: [Codec; 2],
    /// Goes out with the first segment.
    opens: Option<ChunkOpens>,
}

/// A second in the making. No chunk is opened before there is something to hear in it.
pub(crate) struct SecondWriter {
    recording: RecordingId,
    chunk: u32,
    frames: u16,
    gaps: Vec<Gap>,
    /// Where the last gap of each channel is, and how many it has.
    listed: [(usize, usize); 2],
    peaks: Peaks,
    missing: u32,
    open: Option<Open>,
    /// What the sealer writes on.
    pieces: Shelf<Piece>,
}

impl SecondWriter {
    pub(crate) const fn new(recording: RecordingId, chunk: u32, pieces: Shelf<Piece>) -> Self {
        Self {
            recording,
            chunk,
            frames: 0,
            gaps: Vec::new(),
            listed: [(0, 0); 2],
            peaks: [[0; PEAKS]; 2],
            missing: 0,
            open: None,
            pieces,
        }
    }

    /// The one behind it.
    pub(crate) fn next(&self, chunk: u32) -> Self {
        Self::new(self.recording, chunk, self.pieces.clone())
    }

    pub(crate) const fn chunk(&self) -> u32 {
        self.chunk
    }

    pub(crate) const fn is_full(&self) -> bool {
        self.frames == FRAMES
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.frames == 0
    }

    pub(crate) const fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// Opens the chunk; frames that were empty until now become silence in it.
    pub(crate) fn open(
        &mut self,
        leaf: &Leaf,
        stream: &StreamSalt,
        codecs: [Codec; 2],
    ) -> Result<Vec<Record>, CipherError> {
        let associated = associated_data(self.recording, self.chunk);
        let sealer = Sealer::new(&leaf.key(), &associated, stream);
        let mut sealer = sealer.share(self.pieces.clone());
        let mut sealed = Vec::new();
        sealer.push(&encode_header(codecs, first_sample(self.chunk)), &mut sealed)?;
        let mut silence = Vec::with_capacity(frame_length(codecs));
        for codec in codecs {
            (0..FRAME_SAMPLES).for_each(|_| codec.put([codec.silence(); 2], &mut silence));
        }
        for _ in 0..self.frames {
            sealer.push(&silence, &mut sealed)?;
        }
        let opens =
            ChunkOpens { commitment: leaf.commitment(self.recording), codecs: Some(codecs) };
        self.open = Some(Open { sealer, codecs, opens: Some(opens) });
        Ok(self.records(sealed, None))
    }

    /// Takes the frame at `at` out of the windows. Nothing is missing from `until` on; `reason`
    /// says why a sample of a channel did not come.
    pub(crate) fn frame(
        &mut self,
        windows: &mut [Window; 2],
        at: u64,
        until: u64,
        reason: impl Fn(u8, u64) -> Absence,
    ) -> Result<Vec<Record>, CipherError> {
        let codecs = match &self.open {
            Some(open) => open.codecs,
            None => [Codec::Pcma; 2],
        };
        // One frame in clear, wiped when the sealer has it. It never grows with sound in it: what it
        // left behind would not be wiped.
        let mut clear = Zeroizing::new(Vec::with_capacity(frame_length(codecs)));
        for ((channel, window), codec) in (0..).zip(windows).zip(codecs) {
            let first = self.offset(at);
            // A frame is shorter than a peak's 50 ms, so it has part in two peaks at most.
            let turn = PEAK_SAMPLES - first % PEAK_SAMPLES;
            if window.take_plain(at, FRAME_SAMPLES, codec, &mut clear) {
                let sound = clear.len().checked_sub(FRAME_SAMPLES);
                let sound = sound.and_then(|from| clear.get(from..)).unwrap_or_default();
                let (before, behind) = sound.split_at(turn.min(sound.len()));
                let loudest = [before, behind].map(|part| codec.loudest(part));
                self.peak(channel, first / PEAK_SAMPLES, loudest);
                continue;
            }
            let mut loudest = [0; 2];
            window.take(at, FRAME_SAMPLES, codec, |offset, taken| {
                let [before, behind] = &mut loudest;
                let peak = if offset < turn { before } else { behind };
                let position = at + offset as u64;
                match taken {
                    Some(moment) => {
                        let codes = moment.into_iter().take(codec.samples());
                        let loudest = codes.map(|code| codec.decode(code).unsigned_abs()).max();
                        *peak = loudest.unwrap_or(0).max(*peak);
                    }
                    None if position < until => self.gap(channel, position, &reason),
                    None => {}
                }
                codec.put(taken.unwrap_or([codec.silence(); 2]), &mut clear);
            });
            self.peak(channel, first / PEAK_SAMPLES, loudest);
        }
        self.frames += 1;
        let mut sealed = Vec::new();
        if let Some(open) = &mut self.open {
            open.sealer.push(&clear, &mut sealed)?;
        }
        Ok(self.records(sealed, None))
    }

    /// Ends the second after `samples` samples.
    pub(crate) fn close(mut self, samples: u32) -> Result<Vec<Record>, CipherError> {
        let closes = ChunkCloses { samples, missing: self.missing };
        let Some(open) = self.open.take() else {
            let given = || self.gaps.iter().map(|gap| gap.reason);
            let meant = given().filter(|reason| matches!(reason, Absence::Hold | Absence::Pause));
            let rests = given().all(|reason| matches!(reason, Absence::Rest | Absence::NotHeard));
            let otherwise = if rests { Absence::Rest } else { Absence::NoAudio };
            let reason = meant.min().unwrap_or(otherwise);
            let entry = Entry::Absent { reason, closes };
            return Ok(vec![Record { recording: self.recording, chunk: self.chunk, entry }]);
        };
        let trailer = encode_trailer(self.frames, &self.gaps, &self.peaks);
        let mut sealed = Vec::new();
        let Open { sealer, opens, codecs: _ } = open;
        sealer.finish(&trailer, &mut sealed)?;
        Ok(give(self.recording, self.chunk, sealed, opens, Some(closes)))
    }

    fn records(&mut self, sealed: Vec<Segment>, closes: Option<ChunkCloses>) -> Vec<Record> {
        let opens =
            self.open.as_mut().filter(|_| !sealed.is_empty()).and_then(|open| open.opens.take());
        give(self.recording, self.chunk, sealed, opens, closes)
    }

    fn peak(&mut self, channel: u8, place: usize, loudest: [u16; 2]) {
        let peaks = self.peaks.get_mut(usize::from(channel));
        let peaks = peaks.and_then(|peaks| peaks.get_mut(place..)).unwrap_or_default();
        peaks.iter_mut().zip(loudest).for_each(|(peak, loud)| *peak = loud.max(*peak));
    }

    fn offset(&self, position: u64) -> usize {
        usize::try_from(position.saturating_sub(first_sample(self.chunk))).unwrap_or(usize::MAX)
    }

    fn gap(&mut self, channel: u8, position: u64, reason: &impl Fn(u8, u64) -> Absence) {
        let reason = reason(channel, position);
        self.missing += u32::from(reason.is_loss());
        let first = u16::try_from(self.offset(position)).unwrap_or(u16::MAX);
        let Some((last, count)) = self.listed.get_mut(usize::from(channel)) else { return };
        let full = *count == GAP_LIMIT / 2;
        let before = self.gaps.get_mut(*last).filter(|_| *count > 0);
        match before {
            Some(gap) if full || (gap.reason == reason && gap.first + gap.samples == first) => {
                gap.samples = first + 1 - gap.first;
            }
            Some(_) | None => {
                (*last, *count) = (self.gaps.len(), *count + 1);
                self.gaps.push(Gap { channel, reason, first, samples: 1 });
            }
        }
    }
}

/// Turns sealed segments into records; what opens the chunk goes with the first segment, what
/// closes it with the last.
pub(crate) fn give(
    recording: RecordingId,
    chunk: u32,
    sealed: Vec<Segment>,
    mut opens: Option<ChunkOpens>,
    closes: Option<ChunkCloses>,
) -> Vec<Record> {
    let record = |segment: Segment| {
        let closes = closes.filter(|_| segment.last);
        let entry = Entry::Segment { segment, opens: opens.take(), closes };
        Record { recording, chunk, entry }
    };
    sealed.into_iter().map(record).collect()
}
