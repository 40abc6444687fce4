//! A leash held twice could outlive a withdrawal.
fn twice(leash: &call::Leash) -> call::Leash {
    leash.clone()
}

fn main() {}
