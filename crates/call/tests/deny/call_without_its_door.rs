//! A call's state cannot be set from outside.
fn grant(mut call: call::Call) {
    call.choice = None;
}

fn main() {}
