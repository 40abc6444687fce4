//! Between the codecs and linear samples of 8,000 Hz, byte by byte and in their order.

use zeroize::Zeroize;

use crate::{codec::Codec, g711::Law, g722};

/// Makes linear samples of one stream. G.722 is followed from byte to byte, so that each stream needs a
/// decoder of its own; of G.722 only what a telephone of G.711 could hear is decoded.
#[derive(Clone, Debug)]
pub enum Decoder {
    /// Each byte stands for itself.
    G711(Law),
    /// The lower band.
    G722(g722::NarrowDecoder),
    /// Opus, which no worker decodes: nothing is heard.
    Deaf,
}

impl Decoder {
    /// At the beginning of a stream.
    #[must_use]
    pub fn new(codec: Codec) -> Self {
        match codec {
            Codec::Pcma => Self::G711(Law::A),
            Codec::Pcmu => Self::G711(Law::U),
            Codec::G722 => Self::G722(g722::NarrowDecoder::default()),
            Codec::Opus => Self::Deaf,
        }
    }

    /// Whether it decodes this codec.
    #[must_use]
    pub fn is_for(&self, codec: Codec) -> bool {
        match self {
            Self::G711(law) => codec.law() == Some(*law),
            Self::G722(_) => codec == Codec::G722,
            Self::Deaf => codec == Codec::Opus,
        }
    }

    /// The sample of the next byte.
    pub fn decode(&mut self, byte: u8) -> i16 {
        match self {
            Self::G711(law) => law.decode(byte),
            Self::G722(decoder) => decoder.decode(byte),
            Self::Deaf => 0,
        }
    }

    /// The samples of the next bytes, as many as there are of both.
    fn decode_all(&mut self, bytes: &[u8], samples: &mut [i16]) {
        let both = samples.iter_mut().zip(bytes);
        match self {
            Self::G711(law) => both.for_each(|(sample, byte)| *sample = law.decode(*byte)),
            Self::G722(decoder) => both.for_each(|(sample, byte)| *sample = decoder.decode(*byte)),
            Self::Deaf => samples.fill(0),
        }
    }
}

/// Makes one stream of linear samples.
#[derive(Clone, Debug)]
pub enum Encoder {
    /// Each byte stands for itself.
    G711(Law),
    /// The lower band; the upper one is silent.
    G722(g722::Encoder),
    /// Opus, which is not made byte by byte.
    Mute,
}

impl Encoder {
    /// At the beginning of a stream.
    #[must_use]
    pub fn new(codec: Codec) -> Self {
        match codec {
            Codec::Pcma => Self::G711(Law::A),
            Codec::Pcmu => Self::G711(Law::U),
            Codec::G722 => Self::G722(g722::Encoder::default()),
            Codec::Opus => Self::Mute,
        }
    }

    /// The byte of the next sample.
    pub fn encode(&mut self, sample: i16) -> u8 {
        match self {
            Self::G711(law) => law.encode(sample),
            Self::G722(encoder) => encoder.encode(sample),
            Self::Mute => 0,
        }
    }

    /// The bytes of the next samples, as many as there are of both.
    fn encode_all(&mut self, samples: &[i16], bytes: &mut [u8]) {
        let both = bytes.iter_mut().zip(samples);
        match self {
            Self::G711(law) => both.for_each(|(byte, sample)| *byte = law.encode(*sample)),
            Self::G722(encoder) => both.for_each(|(byte, sample)| *byte = encoder.encode(*sample)),
            Self::Mute => bytes.fill(0),
        }
    }
}

/// Samples in hand at once.
const PIECE: usize = 160;

/// Rewrites the stream that a leg is sent from one codec to another.
#[derive(Clone, Debug)]
pub(crate) struct Transcoder {
    codecs: (Codec, Codec),
    decoder: Decoder,
    encoder: Encoder,
}

impl Transcoder {
    pub(crate) fn new(from: Codec, to: Codec) -> Self {
        Self { codecs: (from, to), decoder: Decoder::new(from), encoder: Encoder::new(to) }
    }

    /// Whether it is for these two.
    pub(crate) fn joins(&self, from: Codec, to: Codec) -> bool {
        self.codecs == (from, to)
    }

    /// Rewrites a payload in place; `each` may change the samples of a piece on the way.
    pub(crate) fn rewrite(&mut self, payload: &mut [u8], mut each: impl FnMut(&mut [i16])) {
        let mut samples = [0; PIECE];
        for piece in payload.chunks_mut(PIECE) {
            let samples = samples.get_mut(..piece.len()).unwrap_or_default();
            self.decoder.decode_all(piece, samples);
            each(samples);
            self.encoder.encode_all(samples, piece);
        }
        samples.zeroize();
    }
}
