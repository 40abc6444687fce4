//! A tap cannot be doubled.

fn double(tap: media::Tap) -> (media::Tap, media::Tap) {
    (tap.clone(), tap)
}

fn main() {
    let _ = double;
}
