//! There is no permit by default.
fn main() {
    let _permit: call::Permit = Default::default();
}
