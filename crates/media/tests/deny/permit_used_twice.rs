//! One permit is one tap: opening consumes it.

fn record_twice(permit: call::Permit) {
    let (first, _reader) = media::ring(4);
    let (second, _reader) = media::ring(4);
    let _tap = media::Tap::open(permit, first);
    let _again = media::Tap::open(permit, second);
}

fn main() {
    let _ = record_twice;
}
