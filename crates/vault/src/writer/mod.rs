//! The writer: frames in any order in, sealed segments out. Only a permit makes one.

pub(crate) mod paper;
pub(crate) mod second;
pub(crate) mod store;
pub(crate) mod window;

use std::{collections::VecDeque, fmt};

use call::{Parties, Party, Permit, RecordingId};

use self::{
    paper::Paper,
    second::{SecondWriter, give},
    store::WINDOW,
    window::{Decode, Form, Window},
};
use crate::{
    chunk::{FRAME_SAMPLES, associated_data},
    codec::Codec,
    format::row::{Absence, METADATA_CHUNK, SAMPLES_PER_SECOND},
    metadata::Metadata,
    record::{ChunkCloses, ChunkOpens, Entry, Record},
    secret::{CipherError, RootSeed, Secret},
    segment::{Sealer, StreamSalt},
    shelf::Shelf,
    tree::{Frontier, Leaf},
};

/// How long after its end a frame is waited for, in samples: 120 ms. With the frame itself that is
/// less than the 150 ms of invariant 6; with a tap block (80 ms), a look of the recorder at its taps
/// (10 ms) and the longest stretch of whole frames that is not in a sealed segment yet (260 ms) a
/// killed process loses at most 490 ms.
pub const REORDER_SAMPLES: u64 = 960;
/// A packet further ahead than this is not sound of this call but a broken timestamp: 10 s.
const AHEAD_LIMIT: u64 = 80_000;
const FRAME: u64 = FRAME_SAMPLES as u64;
const SECOND: u64 = SAMPLES_PER_SECOND as u64;

/// Why a recording cannot begin or go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriterError {
    /// The permit's leash has dropped: the decision no longer stands.
    NotLive,
    /// The cipher or the random source does not work.
    Cipher(CipherError),
    /// The recording has reached its twelfth day; it ends here.
    TooLong,
}

impl fmt::Display for WriterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotLive => f.write_str(
                "the permit ended before the recording began; nothing was written, nothing is to \
                 be done",
            ),
            Self::Cipher(error) => error.fmt(f),
            Self::TooLong => f.write_str(
                "the recording is twelve days long and ends here; hang up a call that nobody needs",
            ),
        }
    }
}

impl std::error::Error for WriterError {}

impl From<CipherError> for WriterError {
    fn from(error: CipherError) -> Self {
        Self::Cipher(error)
    }
}

/// How a recording is made.
pub struct WriterConfig {
    /// Coding of the customer's and the agent's channel until packets say otherwise.
    pub codecs: [Codec; 2],
    /// What is sealed beside the sound.
    pub metadata: Metadata,
}

/// A stretch in which nothing is meant to come, of one party or of both.
struct Paused {
    party: Option<Party>,
    from: u64,
    until: u64,
    reason: Absence,
}

/// Writes one recording. Positions are samples at 8,000 Hz since the recording began.
///
/// It is sans-IO: after every call, take the records with [`Writer::poll_record`] and append them
/// to the spool before anything else, so that no more than a quarter of a second of sealed sound
/// is ever only in memory. Call [`Writer::advance`] after each block of a tap, whether or not anybody
/// sends.
pub struct Writer {
    recording: RecordingId,
    heard: Parties,
    frontier: Frontier,
    salts: Secret,
    windows: [Window; 2],
    /// The next sample to be sealed, a multiple of a frame.
    base: u64,
    /// Where the last sample that came ends.
    pushed_until: u64,
    paused: VecDeque<Paused>,
    second: SecondWriter,
    records: VecDeque<Record>,
    dropped: u64,
}

impl Writer {
    /// Begins the recording that the permit allows. The seed is the one whose slip has been
    /// committed; the writer keeps only what the seconds to come need. The first record is the
    /// sealed metadata.
    ///
    /// # Errors
    /// [`WriterError`] when the permit is not live or the cipher does not work.
    pub fn create(
        permit: &Permit,
        seed: RootSeed,
        config: &WriterConfig,
    ) -> Result<Self, WriterError> {
        if !permit.is_live() {
            return Err(WriterError::NotLive);
        }
        let (frontier, metadata) = Frontier::new(&seed);
        drop(seed);
        let recording = permit.recording();
        let mut writer = Self {
            recording,
            heard: permit.heard(),
            frontier,
            salts: Secret::random()?,
            windows: config.codecs.map(Window::new),
            base: 0,
            pushed_until: 0,
            paused: VecDeque::new(),
            second: SecondWriter::new(recording, 0, Shelf::default()),
            records: VecDeque::new(),
            dropped: 0,
        };
        let leaf = metadata.ok_or(CipherError)?;
        writer.seal_metadata(&leaf, &config.metadata)?;
        Ok(writer)
    }

    /// The same on paper that other recordings use, too. A recording writes on little of it at a time.
    #[must_use]
    pub fn on(mut self, paper: &Paper) -> Self {
        self.windows.iter_mut().for_each(|window| window.share(&paper.pages));
        self.second = SecondWriter::new(self.recording, 0, paper.pieces.clone());
        self
    }

    fn seal_metadata(&mut self, leaf: &Leaf, metadata: &Metadata) -> Result<(), CipherError> {
        let associated = associated_data(self.recording, leaf.chunk());
        let sealer = Sealer::new(&leaf.key(), &associated, &self.stream(leaf.chunk()));
        let mut sealed = Vec::new();
        sealer.finish(&metadata.encode(), &mut sealed)?;
        let opens = ChunkOpens { commitment: leaf.commitment(self.recording), codecs: None };
        let closes = ChunkCloses::default();
        let records = give(self.recording, leaf.chunk(), sealed, Some(opens), Some(closes));
        self.records.extend(records);
        Ok(())
    }

    /// Salt and nonce prefix of a chunk. Every chunk has a key of its own, so these need only be
    /// unpredictable, not stored.
    fn stream(&self, chunk: u32) -> StreamSalt {
        let chunk = chunk.to_be_bytes();
        let salt = *self.salts.hmac(&[b"jawoord/v1/salt", &chunk]).bytes();
        let prefix = self.salts.hmac(&[b"jawoord/v1/nonce", &chunk]);
        let mut nonce_prefix = [0; 7];
        nonce_prefix.iter_mut().zip(prefix.bytes()).for_each(|(to, from)| *to = *from);
        StreamSalt { salt, nonce_prefix }
    }

    /// Which recording this is.
    #[must_use]
    pub const fn recording(&self) -> RecordingId {
        self.recording
    }

    /// Samples that came too late, far ahead, in a pause, or from a party that may not
    /// be heard.
    #[must_use]
    pub const fn dropped_samples(&self) -> u64 {
        self.dropped
    }

    /// Where the last sample that came ends.
    #[must_use]
    pub const fn pushed_until(&self) -> u64 {
        self.pushed_until
    }

    /// Puts the sound of one packet in its place. Packets may come in any order within 120 ms.
    ///
    /// # Errors
    /// [`WriterError`] when the recording cannot go on.
    pub fn push(
        &mut self,
        party: Party,
        first_sample: u64,
        codec: Codec,
        payload: &[u8],
    ) -> Result<(), WriterError> {
        self.push_as(party, first_sample, Form::Stored(codec), payload)
    }

    /// The same for a codec that is not stored as it came: one code per position, decoded in their order
    /// by the decoder of [`Writer::decode_with`] and stored as [`Codec::Pcm16Wide`].
    ///
    /// # Errors
    /// [`WriterError`] when the recording cannot go on.
    pub fn push_coded(
        &mut self,
        party: Party,
        first_sample: u64,
        payload: &[u8],
    ) -> Result<(), WriterError> {
        self.push_as(party, first_sample, Form::Coded, payload)
    }

    /// Makes whoever decodes what [`Writer::push_coded`] is given of one party, at its first code;
    /// without one it is silence.
    pub fn decode_with(&mut self, new: fn() -> Box<dyn Decode>) {
        self.windows.iter_mut().for_each(|window| window.decode_with(new));
    }

    fn push_as(
        &mut self,
        party: Party,
        first_sample: u64,
        form: Form,
        payload: &[u8],
    ) -> Result<(), WriterError> {
        let count = payload.len() / form.width();
        let end = first_sample.saturating_add(count as u64);
        if !self.heard.hears(party) || first_sample > self.base.saturating_add(AHEAD_LIMIT) {
            self.dropped += count as u64;
            return Ok(());
        }
        let mut at = first_sample;
        for piece in payload.chunks(FRAME_SAMPLES * form.width()) {
            self.place(party, at, form, piece)?;
            at += FRAME;
        }
        self.pushed_until = self.pushed_until.max(end);
        self.end_rest(party, first_sample);
        Ok(())
    }

    /// From this position on the party is silent and its phone sends nothing on purpose, until the next
    /// sound of it: what is missing meanwhile is no loss.
    pub fn rest(&mut self, party: Party, from: u64) {
        self.end_rest(party, from);
        let (party, reason) = (Some(party), Absence::Rest);
        self.paused.push_back(Paused { party, from, until: u64::MAX, reason });
    }

    fn end_rest(&mut self, party: Party, at: u64) {
        let rests = |paused: &&mut Paused| paused.party == Some(party) && paused.from <= at;
        for rest in self.paused.iter_mut().filter(rests) {
            rest.until = rest.until.min(at);
        }
    }

    /// Puts at most a frame's worth of samples in their places.
    fn place(
        &mut self,
        party: Party,
        first: u64,
        form: Form,
        bytes: &[u8],
    ) -> Result<(), WriterError> {
        let end = first + (bytes.len() / form.width()) as u64;
        while end > self.base + WINDOW as u64 {
            self.emit_frame(u64::MAX)?;
        }
        let [customer, agent] = &mut self.windows;
        let window = match party {
            Party::Customer => customer,
            Party::Agent => agent,
        };
        if first >= self.base && self.paused.iter().all(|paused| paused.party.is_some()) {
            window.put(first, form, bytes);
            return Ok(());
        }
        for (at, sample) in (first..).zip(bytes.chunks_exact(form.width())) {
            if at < self.base || paused_at(&self.paused, None, at).is_some() {
                self.dropped += 1;
            } else {
                window.put(at, form, sample);
            }
        }
        Ok(())
    }

    /// Tells where the recording's clock stood when what has been pushed was handed on: whatever came
    /// until then is here. Frames that ended more than 120 ms before are sealed, with silence
    /// where nothing came.
    ///
    /// # Errors
    /// [`WriterError`] when the recording cannot go on.
    pub fn advance(&mut self, now: u64) -> Result<(), WriterError> {
        let horizon = now.saturating_sub(REORDER_SAMPLES);
        while self.base + FRAME <= horizon {
            self.emit_frame(u64::MAX)?;
        }
        Ok(())
    }

    /// From this position on nothing is recorded, for this reason ([`Absence::Hold`] or
    /// [`Absence::Pause`]), until [`Writer::resume`].
    pub fn pause(&mut self, from: u64, reason: Absence) {
        self.resume(from);
        self.paused.push_back(Paused { party: None, from, until: u64::MAX, reason });
    }

    /// The same, and of what came before that position everything that is not sealed yet is dropped, which is
    /// up to 120 ms: for who hears of the reason a moment late. That it was not recorded is no loss.
    pub fn pause_since(&mut self, from: u64, reason: Absence) {
        let since = from.saturating_sub(REORDER_SAMPLES).max(self.base);
        let count = usize::try_from(self.pushed_until.saturating_sub(since)).unwrap_or(0);
        for window in &mut self.windows {
            window.wipe(since, count.min(WINDOW));
        }
        self.pause(since, reason);
    }

    /// From this position on sound is recorded again.
    pub fn resume(&mut self, from: u64) {
        if let Some(last) = self.paused.iter_mut().rfind(|paused| paused.party.is_none()) {
            last.until = last.until.min(from);
        }
    }

    fn emit_frame(&mut self, until: u64) -> Result<(), WriterError> {
        let base = self.base;
        if !self.second.is_open() && self.windows.iter().any(|w| w.any(base, FRAME_SAMPLES)) {
            let chunk = self.second.chunk();
            let leaf = self.frontier.take(chunk).ok_or(WriterError::TooLong)?;
            let [customer, agent] = &self.windows;
            let codecs = [customer.codec(), agent.codec()];
            let records = self.second.open(&leaf, &self.stream(chunk), codecs)?;
            self.records.extend(records);
        }
        let (heard, paused) = (self.heard, &self.paused);
        let reason = |channel, at| {
            let party = if channel == 0 { Party::Customer } else { Party::Agent };
            match paused_at(paused, None, at) {
                Some(reason) => reason,
                None if !heard.hears(party) => Absence::NotHeard,
                None => paused_at(paused, Some(party), at).unwrap_or(Absence::NoAudio),
            }
        };
        let records = self.second.frame(&mut self.windows, base, until, reason)?;
        self.records.extend(records);
        self.base += FRAME;
        let base = self.base;
        self.paused.retain(|paused| paused.until > base);
        if self.second.is_full() { self.next_second(until) } else { Ok(()) }
    }

    /// Closes the second, of which nothing at or behind `until` counts.
    fn next_second(&mut self, until: u64) -> Result<(), WriterError> {
        let length = until.saturating_sub(u64::from(self.second.chunk()) * SECOND).min(SECOND);
        let samples = u32::try_from(length).unwrap_or(SAMPLES_PER_SECOND);
        let next = self.second.chunk() + 1;
        let fresh = self.second.next(next);
        let records = std::mem::replace(&mut self.second, fresh).close(samples)?;
        self.records.extend(records);
        if next < METADATA_CHUNK { Ok(()) } else { Err(WriterError::TooLong) }
    }

    /// The next record for the spool. Its answer may change after every call of another method.
    pub fn poll_record(&mut self) -> Option<Record> {
        let record = self.records.pop_front();
        if self.records.is_empty() {
            // There is one in a quarter of a second: no room lies by until then.
            self.records = VecDeque::new();
        }
        record
    }

    /// Ends the recording at this position (later, if more has been sealed already) and gives the
    /// last records.
    ///
    /// # Errors
    /// [`WriterError`] when the end cannot be sealed; what was given out before is safe.
    pub fn finish(mut self, end: u64) -> Result<Vec<Record>, WriterError> {
        let end = end.max(self.base);
        while self.base < end {
            self.emit_frame(end)?;
        }
        if !self.second.is_empty() {
            self.next_second(end)?;
        }
        let entry = Entry::Finished;
        self.records.push_back(Record { recording: self.recording, chunk: 0, entry });
        Ok(self.records.into())
    }
}

fn paused_at(paused: &VecDeque<Paused>, party: Option<Party>, at: u64) -> Option<Absence> {
    let within = |paused: &&Paused| paused.party == party && paused.from <= at && at < paused.until;
    paused.iter().find(within).map(|paused| paused.reason)
}
