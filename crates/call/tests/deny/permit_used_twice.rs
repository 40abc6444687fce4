//! A permit that a tap has taken is gone.
fn tap(_permit: call::Permit) {}

fn two_taps(permit: call::Permit) {
    tap(permit);
    tap(permit);
}

fn main() {}
