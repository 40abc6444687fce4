//! Prompt audio: encoded once in every codec, then shared by every call that plays it.

use std::{fmt, sync::Arc};

use crate::{codec::Codec, opus::encoder::Packets, transcode::Encoder};

/// Sound at 8,000 Hz, ready to send in each codec. Cloning shares it.
#[derive(Clone)]
pub struct PromptAudio {
    a: Arc<[u8]>,
    u: Arc<[u8]>,
    wide: Arc<[u8]>,
    opus: Packets,
}

impl PromptAudio {
    /// Encodes linear 16-bit samples at 8,000 Hz.
    #[must_use]
    pub fn from_pcm(samples: &[i16]) -> Self {
        let encode = |codec| {
            let mut encoder = Encoder::new(codec);
            samples.iter().map(|sample| encoder.encode(*sample)).collect()
        };
        let [a, u, wide] = [Codec::Pcma, Codec::Pcmu, Codec::G722].map(encode);
        Self { a, u, wide, opus: Packets::default() }
    }

    /// The same for legs of Opus, too, to whom it is silence otherwise: where none is ever agreed on,
    /// nobody has to wait for it.
    #[must_use]
    pub fn with_opus(samples: &[i16]) -> Self {
        Self { opus: Packets::encode(samples), ..Self::from_pcm(samples) }
    }

    /// How many samples it has; one second is 8,000.
    #[must_use]
    pub fn len_samples(&self) -> u32 {
        u32::try_from(self.a.len()).unwrap_or(u32::MAX)
    }

    /// All of it in one codec, one byte per sample; nothing of Opus, which has packets.
    #[must_use]
    pub fn encoded(&self, codec: Codec) -> &[u8] {
        match codec {
            Codec::Pcma => &self.a,
            Codec::Pcmu => &self.u,
            Codec::G722 => &self.wide,
            Codec::Opus => &[],
        }
    }

    /// The packet of Opus of 20 ms in which a sample lies.
    #[must_use]
    pub fn packet(&self, at: u32) -> &[u8] {
        self.opus.at(at)
    }

    /// Up to `most` samples from `at`; nothing past the end.
    pub(crate) fn piece(&self, codec: Codec, at: u32, most: usize) -> &[u8] {
        let rest = self.encoded(codec).get(at as usize..).unwrap_or_default();
        rest.get(..most).unwrap_or(rest)
    }
}

impl fmt::Debug for PromptAudio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PromptAudio({} samples)", self.len_samples())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_codec_holds_the_same_sound() {
        let audio = PromptAudio::from_pcm(&[0, 1_000, -1_000, i16::MAX]);
        assert_eq!(audio.len_samples(), 4);
        let whole = [Codec::Pcma, Codec::Pcmu, Codec::G722].map(|codec| audio.encoded(codec).len());
        assert_eq!(whole, [4; 3]);
        for codec in [Codec::Pcma, Codec::Pcmu] {
            let law = codec.law().unwrap();
            let back: Vec<_> = audio.encoded(codec).iter().map(|b| law.decode(*b)).collect();
            assert!((back[1] - 1_000).abs() < 40 && (back[2] + 1_000).abs() < 40, "{back:?}");
        }
        assert_eq!(audio.piece(Codec::Pcma, 3, 160).len(), 1);
        assert!(audio.piece(Codec::Pcma, 4, 160).is_empty());
        assert!(audio.piece(Codec::Pcma, 400, 160).is_empty());
    }
}
