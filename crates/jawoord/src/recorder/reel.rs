//! One recording on its way from its tap to its writer: what a block says, put in its place.

use call::{Party, Pause};
use media::{Block, Frame, g722::WideDecoder};
use vault::{Absence, Codec, Decode, Decoded, Record, Writer, WriterError};

use super::opus::Track;

/// G.722, whose bytes are decoded when their turn comes.
#[derive(Default)]
struct Wide(WideDecoder);

impl Decode for Wide {
    fn decode(&mut self, code: u8) -> Decoded {
        let (wide, narrow) = self.0.decode_both(code);
        Decoded { wide, narrow }
    }
}

/// How a pause stands in the recording's list of gaps.
const fn absence(why: Pause) -> Absence {
    match why {
        Pause::Hold => Absence::Hold,
        Pause::NoAgent => Absence::NoAgent,
        Pause::Wanted => Absence::Pause,
    }
}

/// A writer and where its recording is. It knows no clock but that of the blocks, and holds neither
/// thread nor file.
pub struct Reel {
    writer: Writer,
    until: u64,
    paused: Option<Pause>,
    /// Of who speaks Opus: customer and agent.
    opus: [Option<Box<Track>>; 2],
}

impl Reel {
    /// Begins with a fresh writer.
    #[must_use]
    pub fn new(mut writer: Writer) -> Self {
        writer.decode_with(|| Box::<Wide>::default());
        Self { writer, until: 0, paused: None, opus: [None, None] }
    }

    /// Takes what a block holds, and seals what is old enough by the block's own clock: what came until
    /// the block was handed on is in it, so that a packet is waited for as long as the writer says
    /// however late the block is taken.
    ///
    /// # Errors
    /// [`WriterError`] when the recording cannot go on.
    pub fn take(&mut self, block: &Block) -> Result<(), WriterError> {
        if block.paused() != self.paused {
            self.write_opus(u64::MAX)?;
            let writer = &mut self.writer;
            match block.paused() {
                // That an agent has left is told of a moment late: the music has begun by then.
                Some(why @ Pause::NoAgent) => writer.pause_since(block.from(), absence(why)),
                Some(why) => writer.pause(block.from(), absence(why)),
                None => writer.resume(block.from()),
            }
            self.paused = block.paused();
        }
        self.until = self.until.max(block.until());
        let (writer, [customer, agent]) = (&mut self.writer, &mut self.opus);
        for Frame { party, codec, first_sample, payload } in block.frames() {
            if payload.is_empty() {
                writer.rest(party, first_sample);
                continue;
            }
            match codec {
                media::Codec::Pcma => writer.push(party, first_sample, Codec::Pcma, payload)?,
                media::Codec::Pcmu => writer.push(party, first_sample, Codec::Pcmu, payload)?,
                media::Codec::G722 => writer.push_coded(party, first_sample, payload)?,
                media::Codec::Opus => {
                    let track = match party {
                        Party::Customer => &mut *customer,
                        Party::Agent => &mut *agent,
                    };
                    let track = track.get_or_insert_with(|| Box::new(Track::new(party)));
                    track.take(first_sample, payload);
                }
            }
        }
        self.write_opus(self.until)?;
        self.writer.advance(self.until)
    }

    /// Decodes what is in its turn when the recording's clock stands at `now`.
    fn write_opus(&mut self, now: u64) -> Result<(), WriterError> {
        let mut tracks = self.opus.iter_mut().flatten();
        tracks.try_for_each(|track| track.write(now, &mut self.writer))
    }

    /// The next record for the spool.
    pub fn poll_record(&mut self) -> Option<Record> {
        self.writer.poll_record()
    }

    /// Ends the recording where its last block ended, and gives the last records.
    ///
    /// # Errors
    /// [`WriterError`] when the end cannot be sealed; what was given out before is safe.
    pub fn finish(mut self) -> Result<Vec<Record>, WriterError> {
        self.write_opus(u64::MAX)?;
        self.writer.finish(self.until)
    }
}
