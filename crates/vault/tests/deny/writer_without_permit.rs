//! A writer cannot be made of a seed and a configuration alone.

use vault::{Codec, Metadata, RootSeed, Writer, WriterConfig};

fn main() {
    let config = WriterConfig { codecs: [Codec::Pcma; 2], metadata: Metadata::default() };
    let _writer = Writer::create(RootSeed::from_bytes([0; 32]), &config);
}
