use call::{Parties, RecordingId};
use vault::{Codec, Metadata, RootSeed, Writer, WriterConfig};

fn main() {
    let config = WriterConfig { codecs: [Codec::Pcma; 2], metadata: Metadata::default() };
    let recording = RecordingId::from_bytes([0; 16]);
    let seed = RootSeed::from_bytes([0; 32]);
    let _writer = Writer::begin(recording, Parties::BOTH, seed, &config, [0; 32]);
}
