//! One recording on its way from its tap to its writer: what a block says, put in its place.

use call::Pause;
use media::{Block, Frame, g722::WideDecoder};
use vault::{Absence, Codec, Decode, Decoded, Record, Writer, WriterError};

/// G.722, the one codec that is not stored as it came.
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
        Pause::Wanted => Absence::Pause,
    }
}

/// A writer and where its recording is. It knows no clock but that of the blocks, and holds neither
/// thread nor file.
pub struct Reel {
    writer: Writer,
    until: u64,
    paused: Option<Pause>,
}

impl Reel {
    /// Begins with a fresh writer.
    #[must_use]
    pub fn new(mut writer: Writer) -> Self {
        writer.decode_with(|| Box::<Wide>::default());
        Self { writer, until: 0, paused: None }
    }

    /// Takes what a block holds, and seals what is old enough by the block's own clock: what came until
    /// the block was handed on is in it, so that a packet is waited for as long as the writer says
    /// however late the block is taken.
    ///
    /// # Errors
    /// [`WriterError`] when the recording cannot go on.
    pub fn take(&mut self, block: &Block) -> Result<(), WriterError> {
        let writer = &mut self.writer;
        if block.paused() != self.paused {
            match block.paused() {
                Some(why) => writer.pause(block.from(), absence(why)),
                None => writer.resume(block.from()),
            }
            self.paused = block.paused();
        }
        self.until = self.until.max(block.until());
        for Frame { party, codec, first_sample, payload } in block.frames() {
            if payload.is_empty() {
                writer.rest(party, first_sample);
                continue;
            }
            match codec {
                media::Codec::Pcma => writer.push(party, first_sample, Codec::Pcma, payload)?,
                media::Codec::Pcmu => writer.push(party, first_sample, Codec::Pcmu, payload)?,
                media::Codec::G722 => writer.push_coded(party, first_sample, payload)?,
            }
        }
        writer.advance(self.until)
    }

    /// The next record for the spool.
    pub fn poll_record(&mut self) -> Option<Record> {
        self.writer.poll_record()
    }

    /// Ends the recording where its last block ended, and gives the last records.
    ///
    /// # Errors
    /// [`WriterError`] when the end cannot be sealed; what was given out before is safe.
    pub fn finish(self) -> Result<Vec<Record>, WriterError> {
        self.writer.finish(self.until)
    }
}
