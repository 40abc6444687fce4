//! A tap needs a permit: neither nothing, nor the id of a recording, opens one.

fn main() {
    let (feed, _reader) = media::ring(4);
    let _tap = media::Tap::open(feed);
}
