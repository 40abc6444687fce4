//! One permit is one recording.
fn twice(permit: &call::Permit) -> call::Permit {
    permit.clone()
}

fn main() {}
