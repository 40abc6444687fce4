//! A tap's fields are its own: nobody builds one around its door.

fn main() {
    let (feed, _reader) = media::ring(4);
    let _tap = media::Tap { feed };
}
